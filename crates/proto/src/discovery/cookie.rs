//! AC-Cookies: proof that a PADR comes from a host that really got our PADO.
//!
//! A cookie is a keyed hash over what the PADR will bring again, so nothing is stored because of a PADI and a
//! flood of them from invented addresses costs no memory. It holds for one to two minutes, which is about as
//! long as the most patient host repeats its PADR. The key is random and handed in, a new one each start.
//!
//! A Relay-Session-Id is not part of it: RFC 2516 lets a relay tag each packet as it likes, and a relay's
//! address proves as much as a host's.
//!
//! RFC 2516 §9.

use crate::id::InterfaceId;
use crate::time::Instant;
use crate::wire::ethernet::MacAddr;
use core::fmt;
use core::hash::Hasher;
use core::hint::black_box;
use core::time::Duration;
use siphasher::sip128::{Hasher128, SipHasher24};

/// The value of an AC-Cookie tag.
pub(super) type Cookie = [u8; 16];

/// A cookie made in one period is good in that and in the next.
const PERIOD: Duration = Duration::from_secs(60);

/// Makes and verifies cookies.
#[derive(Clone)]
pub struct CookieMint {
    key: [u8; 16],
}

impl CookieMint {
    /// A mint whose cookies nobody can make who does not know `key`.
    #[must_use]
    pub const fn new(key: [u8; 16]) -> Self {
        Self { key }
    }

    /// The cookie for an offer to `peer`.
    #[must_use]
    pub fn mint(&self, now: Instant, interface: InterfaceId, peer: MacAddr) -> [u8; 16] {
        self.of_period(period(now), interface, peer)
    }

    /// Whether `cookie` was minted for `peer` on that interface, in this period or the one before.
    #[must_use]
    pub fn verify(&self, now: Instant, interface: InterfaceId, peer: MacAddr, cookie: &[u8]) -> bool {
        let current = period(now);
        let is_of = |period| equal_in_constant_time(&self.of_period(period, interface, peer), cookie);
        is_of(current) | current.checked_sub(1).is_some_and(is_of)
    }

    fn of_period(&self, period: u64, interface: InterfaceId, peer: MacAddr) -> Cookie {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write(&period.to_be_bytes());
        hasher.write(&interface.0.to_be_bytes());
        hasher.write(&peer.0);
        hasher.finish128().as_bytes()
    }
}

impl fmt::Debug for CookieMint {
    /// The key stays secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CookieMint").finish_non_exhaustive()
    }
}

fn period(now: Instant) -> u64 {
    now.as_micros() / 1_000_000 / PERIOD.as_secs()
}

/// Takes as long for the first octet wrong as for the last, so that a cookie cannot be guessed octet by octet.
fn equal_in_constant_time(ours: &Cookie, theirs: &[u8]) -> bool {
    let differences = ours.iter().zip(theirs).fold(0, |sum, (a, b)| black_box(sum | (a ^ b)));
    (theirs.len() == ours.len()) & (differences == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const INTERFACE: InterfaceId = InterfaceId(0);
    const PEER: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);

    fn mint() -> CookieMint {
        CookieMint::new(*b"sixteen octets!!")
    }

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn a_cookie_holds_for_one_to_two_periods() {
        // RFC 2516 §9: "The Access Concentrator SHOULD be able to uniquely regenerate the TAG_VALUE based on
        // the PADR SOURCE_ADDR."
        for minted in [0, 59, 60, 61, 7199] {
            let cookie = mint().mint(at(minted), INTERFACE, PEER);
            let expires = (minted / 60 + 2) * 60;
            for age in [minted, minted + 60, expires - 1] {
                assert!(mint().verify(at(age), INTERFACE, PEER, &cookie), "{minted} {age}");
            }
            assert!(!mint().verify(at(expires), INTERFACE, PEER, &cookie), "{minted}");
        }
    }

    #[test]
    fn a_cookie_is_not_good_before_its_time() {
        let cookie = mint().mint(at(60), INTERFACE, PEER);
        assert!(!mint().verify(at(59), INTERFACE, PEER, &cookie));
    }

    #[test]
    fn another_key_makes_other_cookies() {
        let cookie = CookieMint::new([0; 16]).mint(at(0), INTERFACE, PEER);
        assert!(!mint().verify(at(0), INTERFACE, PEER, &cookie));
    }

    #[test]
    fn the_key_is_not_printed() {
        assert_eq!(std::format!("{:?}", mint()), "CookieMint { .. }");
    }

    proptest! {
        #[test]
        fn a_cookie_is_good_for_its_peer_and_interface_only(
            seconds in 0..1_000_000_u64,
            peer: [u8; 6],
            other_peer: [u8; 6],
            interface: u16,
            other_interface: u16,
        ) {
            let (now, peer, other_peer) = (at(seconds), MacAddr(peer), MacAddr(other_peer));
            let (interface, other_interface) = (InterfaceId(interface), InterfaceId(other_interface));
            let cookie = mint().mint(now, interface, peer);
            prop_assert!(mint().verify(now, interface, peer, &cookie));
            prop_assert_eq!(mint().verify(now, interface, other_peer, &cookie), peer == other_peer);
            prop_assert_eq!(mint().verify(now, other_interface, peer, &cookie), interface == other_interface);
        }

        #[test]
        fn a_changed_cookie_is_not_good(bit in 0..128_usize, len in 0..16_usize, extra: u8) {
            let cookie = mint().mint(at(0), INTERFACE, PEER);
            let mut changed = cookie;
            changed[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!mint().verify(at(0), INTERFACE, PEER, &changed));
            prop_assert!(!mint().verify(at(0), INTERFACE, PEER, &cookie[..len]));
            let mut longer = std::vec::Vec::from(cookie);
            longer.push(extra);
            prop_assert!(!mint().verify(at(0), INTERFACE, PEER, &longer));
        }
    }
}

//! How often hosts are told that a session of theirs is gone: each that asks within a second, none to the harm of others.

use super::limits::RateLimit;
use crate::event::Peer;
use crate::id::InterfaceId;
use crate::time::Instant;
use crate::wire::discovery::SessionId;
use alloc::vec::Vec;
use core::num::NonZeroU32;
use core::time::Duration;

/// So many PADTs are sent in a second for sessions that nobody has.
const PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
/// A host that goes on sending is not told again before this.
const PAUSE: Duration = Duration::from_secs(1);

/// Who was told lately.
#[derive(Clone, Debug, Default)]
pub(super) struct Strays {
    all: RateLimit,
    /// The limit on all lets in no more than twice its rate within [`PAUSE`], so this is never longer.
    told: Vec<(Peer, SessionId, Instant)>,
}

impl Strays {
    /// Whether `peer` is to be told now.
    pub(super) fn allow(&mut self, now: Instant, peer: Peer, session_id: SessionId) -> bool {
        self.told.retain(|(_, _, at)| *at + PAUSE > now);
        if self.told.iter().any(|told| (told.0, told.1) == (peer, session_id)) {
            return false;
        }
        let allowed = self.all.allow(now, PER_SECOND);
        if allowed {
            self.told.push((peer, session_id, now));
        }
        allowed
    }

    /// Another interface has this number.
    pub(super) fn forget(&mut self, interface: InterfaceId) {
        self.told.retain(|(peer, _, _)| peer.interface != interface);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ethernet::MacAddr;

    fn peer(number: u16) -> Peer {
        let [high, low] = number.to_be_bytes();
        Peer { interface: InterfaceId(0), mac: MacAddr([2, 0, 0, 0, high, low]) }
    }

    fn id(number: u16) -> SessionId {
        SessionId::new(number).unwrap()
    }

    #[test]
    fn a_stale_host_that_sends_on_takes_nothing_from_others() {
        let mut strays = Strays::default();
        let mut told = 0;
        for millis in 9000..10_000 {
            told += u32::from(strays.allow(Instant::from_millis(millis), peer(1), id(7)));
        }
        assert_eq!(told, 1);
        let now = Instant::from_millis(10_000);
        assert!(strays.allow(now, peer(2), id(7)));
        assert!(strays.allow(now, peer(1), id(8)));
        assert!(strays.allow(now, peer(1), id(7)));
        assert!(!strays.allow(now, peer(1), id(7)));
    }

    #[test]
    fn the_table_and_the_rate_of_all_are_bounded() {
        let mut strays = Strays::default();
        let told = (0..5000).filter(|&number| {
            let allowed =
                strays.allow(Instant::from_millis(9000 + u64::from(number) / 5), peer(number), id(1));
            assert!(strays.told.len() <= 20);
            allowed
        });
        assert_eq!(told.count(), 19);
    }
}

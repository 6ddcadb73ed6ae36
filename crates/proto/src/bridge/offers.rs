//! Offers that are held back, so that another access concentrator on the segment may be first.
//!
//! Hosts take the first offer that suits them. A bridge that waits, and waits longer the more it has to do,
//! leaves new hosts to its neighbour and still gets them when the neighbour is silent.
//!
//! It promises to hold a bounded number of offers: of each host, and in all.

use crate::discard::DiscardReason;
use crate::event::Peer;
use crate::time::Instant;
use alloc::vec::Vec;
use core::time::Duration;

/// How long offers of a service are held back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfferDelay {
    /// In any case.
    pub fixed: Duration,
    /// And for each session that the service has.
    pub per_session: Duration,
}

impl OfferDelay {
    /// No offer is held back for longer: hosts have forgotten their PADI by then, and its cookie must last
    /// until the PADR.
    pub const LONGEST: Duration = Duration::from_secs(20);

    /// With so many sessions.
    pub(super) fn with_sessions(&self, sessions: usize) -> Duration {
        let sessions = u32::try_from(sessions).unwrap_or(u32::MAX);
        self.fixed.saturating_add(self.per_session.saturating_mul(sessions)).min(Self::LONGEST)
    }
}

/// A PADO that waits for its time.
#[derive(Debug)]
pub(super) struct HeldOffer {
    pub(super) due: Instant,
    pub(super) peer: Peer,
    /// Index of the service that it was held back for.
    pub(super) service: usize,
    pub(super) frame: Vec<u8>,
}

/// Offers that wait for their time.
#[derive(Debug, Default)]
pub(super) struct Offers {
    held: Vec<HeldOffer>,
}

impl Offers {
    const MOST: usize = 256;
    /// One for each of so many Host-Uniqs: a host may have several at work at once, but not many.
    const MOST_PER_PEER: usize = 4;

    /// Holds an offer back. One that is held already keeps its time, for its host has only asked again.
    pub(super) fn hold(&mut self, offer: HeldOffer) -> Result<(), DiscardReason> {
        let of_peer = || self.held.iter().filter(|held| held.peer == offer.peer);
        if of_peer().any(|held| held.frame == offer.frame) {
            return Ok(());
        }
        if self.held.len() >= Self::MOST || of_peer().count() >= Self::MOST_PER_PEER {
            return Err(DiscardReason::OfferBacklog);
        }
        self.held.push(offer);
        Ok(())
    }

    /// The next offer whose time has come.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<HeldOffer> {
        let (position, first) = self.held.iter().enumerate().min_by_key(|(_, held)| held.due)?;
        (first.due <= now).then(|| self.held.remove(position))
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.held.iter().map(|held| held.due).min()
    }

    /// Forgets those that will never be made, and says whose they were.
    pub(super) fn forget(&mut self, is_void: impl Fn(&HeldOffer) -> bool) -> Vec<Peer> {
        self.held.extract_if(.., |held| is_void(held)).map(|held| held.peer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::InterfaceId;
    use crate::wire::ethernet::MacAddr;

    fn offer(peer: u16, frame: u8, due: u64) -> HeldOffer {
        let [high, low] = peer.to_be_bytes();
        let peer = Peer { interface: InterfaceId(0), mac: MacAddr([2, 0, 0, 0, high, low]) };
        HeldOffer { due: Instant::from_millis(due), peer, service: 0, frame: std::vec![frame] }
    }

    #[test]
    fn a_delay_grows_with_load_up_to_an_end() {
        let delay = OfferDelay { fixed: Duration::from_millis(100), per_session: Duration::from_millis(50) };
        assert_eq!(delay.with_sessions(0), Duration::from_millis(100));
        assert_eq!(delay.with_sessions(3), Duration::from_millis(250));
        assert_eq!(delay.with_sessions(usize::MAX), OfferDelay::LONGEST);
    }

    #[test]
    fn offers_come_out_in_the_order_of_their_times() {
        let mut offers = Offers::default();
        offers.hold(offer(1, 1, 30)).unwrap();
        offers.hold(offer(2, 2, 10)).unwrap();
        assert_eq!(offers.poll_timeout(), Some(Instant::from_millis(10)));
        assert!(offers.take_due(Instant::from_millis(9)).is_none());
        let mut next = || offers.take_due(Instant::from_millis(30)).map(|held| held.frame);
        assert_eq!([next(), next(), next()], [Some(std::vec![2]), Some(std::vec![1]), None]);
    }

    #[test]
    fn a_host_that_asks_again_has_one_offer_and_its_first_time() {
        let mut offers = Offers::default();
        offers.hold(offer(1, 1, 10)).unwrap();
        offers.hold(offer(1, 1, 20)).unwrap();
        assert_eq!((offers.held.len(), offers.poll_timeout()), (1, Some(Instant::from_millis(10))));
    }

    #[test]
    fn few_offers_are_held_for_one_host_and_not_many_in_all() {
        let mut offers = Offers::default();
        let held = (0..100).filter(|frame| offers.hold(offer(0, *frame, 10)).is_ok()).count();
        assert_eq!(held, Offers::MOST_PER_PEER);
        for peer in 1..1000 {
            let _ = offers.hold(offer(peer, 0, 10));
        }
        assert_eq!(offers.held.len(), Offers::MOST);
    }
}

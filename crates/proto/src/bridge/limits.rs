//! How much is enough: sessions, and discovery packets in a second.
//!
//! It promises that its tables are bounded whatever arrives, and that one host, or one interface, cannot use
//! up what another may have.

use crate::event::Peer;
use crate::id::InterfaceId;
use crate::time::Instant;
use alloc::vec::Vec;
use core::num::NonZeroU32;
use core::time::Duration;

/// Limits of the whole bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Sessions at once, those that are being dialled included.
    pub sessions: usize,
    /// Sessions at once of one host.
    pub sessions_per_peer: usize,
    /// PADIs in a second on one interface that are looked at. A PADR is not among them, for it has a cookie
    /// to show: a flood of PADIs keeps nobody out who is in the middle of his discovery.
    pub padi_rate: NonZeroU32,
    /// PADIs and PADRs in a second of one host that are looked at.
    pub peer_rate: NonZeroU32,
}

impl Default for Limits {
    /// Any number of sessions, 100 PADIs a second on each interface, 10 packets a second of each host.
    fn default() -> Self {
        Self {
            sessions: usize::MAX,
            sessions_per_peer: usize::MAX,
            padi_rate: NonZeroU32::MIN.saturating_add(99),
            peer_rate: NonZeroU32::MIN.saturating_add(9),
        }
    }
}

/// So many in a second, and as many at once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RateLimit {
    /// When all of it is to be had again.
    full_at: Instant,
}

impl RateLimit {
    const BURST: Duration = Duration::from_secs(1);

    pub(super) fn allow(&mut self, now: Instant, per_second: NonZeroU32) -> bool {
        let next = self.full_at.max(now) + Self::BURST / per_second.get();
        let allowed = next <= now + Self::BURST;
        if allowed {
            self.full_at = next;
        }
        allowed
    }
}

/// Counts what hosts ask.
#[derive(Debug)]
pub(super) struct Gate {
    interfaces: Vec<RateLimit>,
    peers: Vec<(Peer, RateLimit)>,
}

impl Gate {
    /// So many hosts are told apart. Above that the one that has been quiet for longest is forgotten.
    const PEERS: usize = 256;

    pub(super) fn new(interfaces: usize) -> Self {
        Self { interfaces: (0..interfaces).map(|_| RateLimit::default()).collect(), peers: Vec::new() }
    }

    /// So many interfaces from now on.
    pub(super) fn make_room(&mut self, interfaces: usize) {
        self.interfaces.resize(interfaces, RateLimit::default());
    }

    /// Another interface has this number.
    pub(super) fn forget(&mut self, interface: InterfaceId) {
        self.peers.retain(|(peer, _)| peer.interface != interface);
        if let Some(limit) = self.interfaces.get_mut(usize::from(interface.0)) {
            *limit = RateLimit::default();
        }
    }

    pub(super) fn allow_padi(&mut self, now: Instant, interface: InterfaceId, limits: &Limits) -> bool {
        let limit = self.interfaces.get_mut(usize::from(interface.0));
        limit.is_some_and(|limit| limit.allow(now, limits.padi_rate))
    }

    pub(super) fn allow_peer(&mut self, now: Instant, peer: Peer, limits: &Limits) -> bool {
        let known = self.peers.iter_mut().find(|(known, _)| *known == peer);
        if let Some((_, limit)) = known {
            return limit.allow(now, limits.peer_rate);
        }
        let mut limit = RateLimit::default();
        let allowed = limit.allow(now, limits.peer_rate);
        if self.peers.len() < Self::PEERS {
            self.peers.push((peer, limit));
        } else if let Some(quietest) = self.peers.iter_mut().min_by_key(|(_, limit)| limit.full_at) {
            *quietest = (peer, limit);
        }
        allowed
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

    #[test]
    fn a_rate_is_allowed_at_once_and_then_in_each_second() {
        let mut limit = RateLimit::default();
        let ten = NonZeroU32::new(10).unwrap();
        let mut count = |millis| (0..50).filter(|_| limit.allow(Instant::from_millis(millis), ten)).count();
        assert_eq!([count(5000), count(5000), count(5500), count(60_000)], [10, 0, 5, 10]);
    }

    #[test]
    fn the_table_of_hosts_is_bounded_and_a_busy_one_stays_in_it() {
        let mut gate = Gate::new(1);
        let limits = Limits::default();
        let now = Instant::from_millis(9000);
        while gate.allow_peer(now, peer(0), &limits) {}
        for number in 1..5000 {
            assert!(gate.allow_peer(now, peer(number), &limits));
        }
        assert_eq!(gate.peers.len(), Gate::PEERS);
        assert!(!gate.allow_peer(now, peer(0), &limits));
    }
}

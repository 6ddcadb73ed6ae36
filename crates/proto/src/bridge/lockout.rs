//! Hosts that end each session as soon as it is open, and at once want another: each costs a dial, and
//! many clients redial after a PADT with no pause at all. They are kept out for a growing time.

use crate::event::Peer;
use crate::id::InterfaceId;
use crate::time::Instant;
use alloc::collections::BTreeMap;
use core::time::Duration;

/// A session that lasted less than this is a short one.
const SHORT: Duration = Duration::from_secs(10);
/// So many short sessions in a row are an accident.
const FORGIVEN: u32 = 3;
/// The first wait, doubled with each further short session.
const FIRST: Duration = Duration::from_secs(10);
/// No wait is longer.
const LONGEST: Duration = Duration::from_secs(600);
/// Hosts that are remembered; the one that was quiet longest is forgotten first.
const MOST: usize = 256;

/// The hosts that had short sessions lately.
#[derive(Clone, Debug, Default)]
pub(super) struct Lockout {
    hosts: BTreeMap<Peer, Record>,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    short_sessions: u32,
    until: Instant,
    newest: Instant,
}

impl Lockout {
    /// A session of `peer` has ended; if it was short, it counts where the host had the dial for nothing.
    pub(super) fn session_ended(
        &mut self,
        now: Instant,
        peer: Peer,
        lasted: Duration,
        was_for_nothing: bool,
    ) {
        if lasted >= SHORT {
            self.hosts.remove(&peer);
            return;
        }
        if !was_for_nothing {
            return;
        }
        if self.hosts.len() >= MOST && !self.hosts.contains_key(&peer) {
            let oldest = self.hosts.iter().min_by_key(|(_, record)| record.newest).map(|(peer, _)| *peer);
            oldest.and_then(|oldest| self.hosts.remove(&oldest));
        }
        let record = self.hosts.entry(peer).or_insert(Record { short_sessions: 0, until: now, newest: now });
        record.short_sessions = record.short_sessions.saturating_add(1);
        record.newest = now;
        if let Some(doublings) = record.short_sessions.checked_sub(FORGIVEN) {
            let wait = FIRST.saturating_mul(1 << doublings.min(16)).min(LONGEST);
            record.until = now + wait;
        }
    }

    /// Another interface has this number.
    pub(super) fn forget(&mut self, interface: InterfaceId) {
        self.hosts.retain(|peer, _| peer.interface != interface);
    }

    /// How long `peer` has to wait, if it has to.
    pub(super) fn wait(&self, now: Instant, peer: Peer) -> Option<Duration> {
        let until = self.hosts.get(&peer)?.until;
        (until > now).then(|| until - now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ethernet::MacAddr;
    use std::vec::Vec;

    fn peer(number: u16) -> Peer {
        let [high, low] = number.to_be_bytes();
        Peer { interface: InterfaceId(0), mac: MacAddr([2, 0, 0, 0, high, low]) }
    }

    #[test]
    fn short_sessions_in_a_row_lock_out_for_a_growing_time() {
        let mut lockout = Lockout::default();
        let mut waits = Vec::new();
        for _ in 0..10 {
            lockout.session_ended(Instant::ZERO, peer(1), Duration::from_secs(1), true);
            waits.push(lockout.wait(Instant::ZERO, peer(1)).map_or(0, |wait| wait.as_secs()));
        }
        assert_eq!(waits, [0, 0, 10, 20, 40, 80, 160, 320, 600, 600]);
        assert_eq!(lockout.wait(Instant::from_millis(600_000), peer(1)), None);
        assert_eq!(lockout.wait(Instant::ZERO, peer(2)), None);
    }

    #[test]
    fn a_session_that_lasts_makes_up_for_all() {
        let mut lockout = Lockout::default();
        for _ in 0..5 {
            lockout.session_ended(Instant::ZERO, peer(1), Duration::ZERO, true);
        }
        lockout.session_ended(Instant::ZERO, peer(1), SHORT, false);
        assert_eq!(lockout.wait(Instant::ZERO, peer(1)), None);
    }

    #[test]
    fn a_session_that_ended_for_no_fault_of_its_host_does_not_count() {
        let mut lockout = Lockout::default();
        for _ in 0..5 {
            lockout.session_ended(Instant::ZERO, peer(1), Duration::ZERO, false);
        }
        assert_eq!(lockout.wait(Instant::ZERO, peer(1)), None);
    }

    #[test]
    fn the_table_is_bounded() {
        let mut lockout = Lockout::default();
        for number in 0..2000 {
            lockout.session_ended(
                Instant::from_millis(u64::from(number)),
                peer(number),
                Duration::ZERO,
                true,
            );
        }
        assert_eq!(lockout.hosts.len(), MOST);
        assert!(lockout.hosts.contains_key(&peer(1999)));
    }
}

//! Hunt groups: which of a service's free modems is tried first.
//!
//! It promises to choose among the modems that it is given and no other, and to remember a bounded number
//! of hosts. A modem whose dial failed rests before it is free again; that is its own matter.

use super::config::ServiceConfig;
use crate::event::Peer;
use crate::id::{InterfaceId, ModemId};
use crate::time::Instant;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// In which order the modems of a service are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PoolPolicy {
    /// The first free one.
    #[default]
    FirstFree,
    /// The one after the last that was tried.
    RoundRobin,
    /// Best one that never failed, else the one whose failure is longest ago.
    LeastRecentlyFailed,
    /// The one this host had last, else one that no other host had.
    Sticky,
}

/// What is done for a host that comes when every modem of a service is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BusyPolicy {
    /// Nothing: it gets no offer, and a refusal if it asks all the same.
    #[default]
    Refuse,
    /// It takes the place of the host that has been connected for longest.
    Replace,
}

/// What has become of the modems so far.
#[derive(Debug)]
pub(super) struct Pools {
    /// The modem that was tried last, of each service.
    last: Vec<Option<ModemId>>,
    /// When it failed last, of each modem.
    failed: Vec<Option<Instant>>,
    /// Who had which modem of which sticky service, the newest at the end.
    had: VecDeque<(Peer, usize, ModemId)>,
}

impl Pools {
    /// So many hosts are remembered; above that, the one that came least recently is forgotten.
    const REMEMBERED: usize = 256;

    pub(super) fn new(services: usize, modems: usize) -> Self {
        let last = (0..services).map(|_| None).collect();
        let failed = (0..modems).map(|_| None).collect();
        Self { last, failed, had: VecDeque::new() }
    }

    /// So many services and modems from now on.
    pub(super) fn make_room(&mut self, services: usize, modems: usize) {
        self.last.resize(services, None);
        self.failed.resize(modems, None);
    }

    /// Another interface has this number.
    pub(super) fn forget_interface(&mut self, interface: InterfaceId) {
        self.had.retain(|(peer, _, _)| peer.interface != interface);
    }

    /// Another service has this number.
    pub(super) fn forget_service(&mut self, service: usize) {
        self.had.retain(|(_, of, _)| *of != service);
        if let Some(last) = self.last.get_mut(service) {
            *last = None;
        }
    }

    /// Another modem has this number.
    pub(super) fn forget_modem(&mut self, modem: ModemId) {
        self.had.retain(|(_, _, had)| *had != modem);
        for last in &mut self.last {
            last.take_if(|last| *last == modem);
        }
        if let Some(failed) = self.failed.get_mut(usize::from(modem.0)) {
            *failed = None;
        }
    }

    /// A host is given a modem.
    pub(super) fn on_call(&mut self, index: usize, service: &ServiceConfig, peer: Peer, modem: ModemId) {
        if let Some(last) = self.last.get_mut(index) {
            *last = Some(modem);
        }
        if service.pool == PoolPolicy::Sticky {
            self.had.retain(|(known, of, _)| (*known, *of) != (peer, index));
            self.had.push_back((peer, index, modem));
            if self.had.len() > Self::REMEMBERED {
                self.had.pop_front();
            }
        }
    }

    /// A modem's dial failed.
    pub(super) fn on_failure(&mut self, now: Instant, modem: ModemId) {
        if let Some(failed) = self.failed.get_mut(usize::from(modem.0)) {
            *failed = Some(now);
        }
    }

    /// Which of the `free` modems of a service, in the order of its pool, this host gets.
    pub(super) fn choose(
        &self,
        index: usize,
        service: &ServiceConfig,
        peer: Peer,
        free: &[ModemId],
    ) -> Option<ModemId> {
        let first = free.first().copied();
        match service.pool {
            PoolPolicy::FirstFree => first,
            PoolPolicy::RoundRobin => self.after_last(index, service, free).or(first),
            PoolPolicy::LeastRecentlyFailed => free
                .iter()
                .copied()
                .min_by_key(|modem| self.failed.get(usize::from(modem.0)).copied().flatten()),
            PoolPolicy::Sticky => {
                let is_own = |modem: &&ModemId| self.had.contains(&(peer, index, **modem));
                let is_anyones = |modem: &&ModemId| self.had.iter().any(|(_, _, had)| had == *modem);
                let own = free.iter().find(is_own);
                own.or_else(|| free.iter().find(|modem| !is_anyones(modem))).copied().or(first)
            }
        }
    }

    fn after_last(&self, index: usize, service: &ServiceConfig, free: &[ModemId]) -> Option<ModemId> {
        let last = self.last.get(index).copied().flatten()?;
        let position = service.modems.iter().position(|modem| *modem == last)?;
        let (before, after) = service.modems.split_at_checked(position + 1)?;
        after.iter().chain(before).find(|modem| free.contains(modem)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::ServiceName;
    use crate::wire::ethernet::MacAddr;

    const A: ModemId = ModemId(0);
    const B: ModemId = ModemId(1);
    const C: ModemId = ModemId(2);

    fn service(pool: PoolPolicy) -> ServiceConfig {
        ServiceConfig { pool, ..ServiceConfig::new(ServiceName::parse(b"x").unwrap(), std::vec![A, B, C]) }
    }

    fn peer(number: u16) -> Peer {
        let [high, low] = number.to_be_bytes();
        Peer { interface: InterfaceId(0), mac: MacAddr([2, 0, 0, 0, high, low]) }
    }

    #[test]
    fn round_robin_goes_on_behind_the_last_and_around() {
        let service = service(PoolPolicy::RoundRobin);
        let mut pools = Pools::new(1, 3);
        for (free, chosen) in
            [(&[A, B, C][..], A), (&[A, B, C], B), (&[A, B, C], C), (&[A, B, C], A), (&[A, C], C), (&[B], B)]
        {
            assert_eq!(pools.choose(0, &service, peer(1), free), Some(chosen));
            pools.on_call(0, &service, peer(1), chosen);
        }
        assert_eq!(pools.choose(0, &service, peer(1), &[]), None);
    }

    #[test]
    fn a_modem_that_failed_is_tried_after_those_that_failed_earlier_or_never() {
        let service = service(PoolPolicy::LeastRecentlyFailed);
        let mut pools = Pools::new(1, 3);
        pools.on_failure(Instant::from_millis(2), A);
        pools.on_failure(Instant::from_millis(1), B);
        assert_eq!(pools.choose(0, &service, peer(1), &[A, B, C]), Some(C));
        assert_eq!(pools.choose(0, &service, peer(1), &[A, B]), Some(B));
    }

    #[test]
    fn a_sticky_host_gets_its_modem_again_and_others_leave_it_alone() {
        let service = service(PoolPolicy::Sticky);
        let mut pools = Pools::new(1, 3);
        pools.on_call(0, &service, peer(1), B);
        assert_eq!(pools.choose(0, &service, peer(1), &[A, B, C]), Some(B));
        assert_eq!(pools.choose(0, &service, peer(2), &[B, C]), Some(C));
        assert_eq!(pools.choose(0, &service, peer(2), &[B]), Some(B));
        assert_eq!(pools.choose(0, &service, peer(1), &[A, C]), Some(A));
    }

    #[test]
    fn a_bounded_number_of_hosts_is_remembered() {
        let service = service(PoolPolicy::Sticky);
        let mut pools = Pools::new(1, 3);
        for number in 0..1000 {
            pools.on_call(0, &service, peer(number), B);
        }
        assert_eq!(pools.had.len(), Pools::REMEMBERED);
    }
}

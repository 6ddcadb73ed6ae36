//! Why a host cannot have what it wants: said to it, to the operator, and to whoever looks.

use super::Bridge;
use super::io::Output;
use crate::discard::DiscardReason;
use crate::discovery::{self, Refusal, ServiceName, SessionRequest};
use crate::event::{Event, Peer, RefusalReason};
use crate::id::InterfaceId;
use crate::modem::ModemState;
use crate::time::Instant;
use crate::wire::ethernet::MacAddr;
use alloc::string::ToString;
use alloc::vec::Vec;

impl Bridge {
    /// Why no modem of `service` can be had: the most hopeful reason of its pool.
    pub(super) fn why_not(&self, now: Instant, service: usize) -> RefusalReason {
        // A modem that is not there is of no hope, whatever befell it before.
        let there = || self.pool(service).filter(|line| line.state != ModemState::Absent);
        let resting = there().filter_map(|line| line.rest.as_ref()).filter(|rest| rest.0 > now);
        let resting = resting.min_by_key(|rest| rest.0);
        if let Some((until, failure)) = resting {
            return RefusalReason::BackingOff { failure: failure.clone(), wait: *until - now };
        }
        let spent = there().filter_map(|line| line.budget.spent(now)).min_by_key(|spent| spent.until);
        if let Some(spent) = spent {
            return RefusalReason::BudgetSpent { limit: spent.limit, wait: spent.until - now };
        }
        if self.pool(service).all(|line| line.state == ModemState::Absent) {
            return RefusalReason::NoModem;
        }
        RefusalReason::AllBusy
    }

    /// The interfaces on which a service is offered when it can be had, whether they are up or not.
    pub(super) fn interfaces_of(&self, service: usize) -> impl Iterator<Item = InterfaceId> {
        let ids = (0..).map(InterfaceId).zip(&self.config.interfaces);
        ids.filter(move |(_, config)| config.services.contains(&service)).map(|(id, _)| id)
    }

    /// Why a service cannot be had now by a host that is allowed to have it and has no call yet, on whichever
    /// interface.
    pub(super) fn why_unavailable(&self, now: Instant, service: usize) -> Option<RefusalReason> {
        /// No host has it.
        const NOBODY: MacAddr = MacAddr([0; 6]);
        if self.shutting_down {
            return Some(RefusalReason::ShuttingDown);
        }
        let place = |interface| self.place_for_anybody(now, Peer { interface, mac: NOBODY }, service);
        let mut refusals = Vec::new();
        for interface in self.interfaces_of(service).filter(|id| self.interface(*id).is_some()) {
            refusals.push(place(interface).err()?);
        }
        refusals.into_iter().next()
    }

    /// Tells a service that is not ours from one that cannot be had now, and why; those who hold its modems have
    /// to show that they are alive.
    pub(super) fn why_no_offer(&mut self, now: Instant, peer: Peer, asked: &[u8]) -> DiscardReason {
        let is_asked = |index: &usize| {
            asked.is_empty() || self.config.services.get(*index).is_some_and(|s| s.name.as_octets() == asked)
        };
        let wanted: Vec<usize> = self.services_of(peer.interface).iter().copied().filter(is_asked).collect();
        let Some(first) = wanted.first().copied() else {
            // It may be another concentrator's, or mistyped. A longer name than any is neither.
            if let Ok(service) = ServiceName::parse(asked)
                && !asked.is_empty()
            {
                self.report(Event::NotOffered { peer, service, reason: RefusalReason::UnknownService });
            }
            return DiscardReason::UnknownService;
        };
        let refused =
            wanted.iter().find_map(|service| Some((*service, self.place(now, peer, *service).err()?)));
        // Only at the end is there nothing to be had of what could be had.
        let (service, reason) = refused.unwrap_or((first, RefusalReason::ShuttingDown));
        let discard = self.tell_not_offered(peer, service, reason);
        if discard != DiscardReason::DeniedPeer {
            for service in wanted {
                self.challenge_holders(now, service);
            }
        }
        discard
    }

    /// Gives as what the PADI is counted.
    pub(super) fn tell_not_offered(
        &mut self,
        peer: Peer,
        service: usize,
        reason: RefusalReason,
    ) -> DiscardReason {
        let counted = counted_as(&reason);
        if let Some(service) = self.config.services.get(service).map(|config| config.name.clone()) {
            self.report(Event::NotOffered { peer, service, reason });
        }
        counted
    }

    /// RFC 2516 §5.4: a PADS without a session, which says why.
    pub(super) fn refuse(&mut self, request: &SessionRequest, reason: RefusalReason) {
        let peer = Peer { interface: request.interface, mac: request.peer };
        if let Some(local) = self.interface(request.interface) {
            let text = reason.to_string();
            let refusal = match reason {
                RefusalReason::UnknownService | RefusalReason::NotAllowed => Refusal::ServiceNameError(&text),
                _ => Refusal::AcSystemError(&text),
            };
            let frame = discovery::refuse(&local, request, refusal);
            self.emit(Output::SendDiscovery { interface: local.id, frame });
        }
        self.report(Event::Refused { peer, reason });
    }
}

/// As what a PADI is counted that was not answered for this reason.
const fn counted_as(reason: &RefusalReason) -> DiscardReason {
    match reason {
        RefusalReason::NotAllowed => DiscardReason::DeniedPeer,
        RefusalReason::LimitReached(_) => DiscardReason::SessionLimit,
        RefusalReason::UnknownService => DiscardReason::UnknownService,
        RefusalReason::AllBusy
        | RefusalReason::NoModem
        | RefusalReason::BackingOff { .. }
        | RefusalReason::BudgetSpent { .. }
        | RefusalReason::LockedOut { .. }
        | RefusalReason::DialFailed(_)
        | RefusalReason::Drained
        | RefusalReason::Reconfigured
        | RefusalReason::ShuttingDown => DiscardReason::ServiceUnavailable,
    }
}

#[cfg(test)]
mod tests;

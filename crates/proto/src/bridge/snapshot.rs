//! What a bridge is doing, at one moment, for whoever wants to look.
//!
//! A snapshot is a copy: it holds nothing up, and nothing in it changes later. Octets and frames are not in
//! it, for the bridge does not see them pass; its caller does.

use super::Bridge;
use super::call::{Line, Waiting};
use crate::discovery::ServiceName;
use crate::event::{CloseReason, ConnectFailure, Peer, RefusalReason};
use crate::id::{InterfaceId, ModemId};
use crate::modem::{BudgetLimit, ModemState};
use crate::time::Instant;
use crate::wire::discovery::SessionId;
use alloc::vec::Vec;
use core::time::Duration;

/// A whole bridge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The services, in the order of the configuration.
    pub services: Vec<ServiceSnapshot>,
    /// The modems, in the order of the configuration.
    pub modems: Vec<ModemSnapshot>,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSnapshot {
    /// Its Service-Name.
    pub name: ServiceName,
    /// The modems that may serve it.
    pub modems: Vec<ModemId>,
    /// How many of them could be dialled now.
    pub free: usize,
    /// Sessions at once.
    pub limit: usize,
    /// The interfaces on which it is offered when it can be had, whether they are up or not.
    pub interfaces: Vec<InterfaceId>,
    /// It takes no new calls.
    pub drained: bool,
    /// Why another host could not have it now, though there is an interface to ask on.
    pub unavailable: Option<RefusalReason>,
}

/// One modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModemSnapshot {
    /// Which.
    pub id: ModemId,
    /// Where it is in its life.
    pub state: ModemState,
    /// Dials that failed since the last one that did not.
    pub failures: u32,
    /// Why it cannot be dialled now, though it is there, and for how long.
    pub rest: Option<Rest>,
    /// Why its call is ending.
    pub ending: Option<CloseReason>,
    /// The call it carries.
    pub call: Option<CallSnapshot>,
    /// A host that waits for it to be free again.
    pub next: Option<Peer>,
}

/// Why a modem cannot be dialled for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rest {
    /// The last dial failed.
    Failed {
        /// Why.
        failure: ConnectFailure,
        /// How long until the next may be tried.
        wait: Duration,
    },
    /// It has cost enough.
    Spent {
        /// What is used up.
        limit: BudgetLimit,
        /// How long until it may be used again.
        wait: Duration,
    },
}

/// One dial and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSnapshot {
    /// For whom.
    pub peer: Peer,
    /// Index of its service.
    pub service: usize,
    /// Since it was begun.
    pub lasted: Duration,
    /// The PPPoE session, if the host has one.
    pub session: Option<SessionSnapshot>,
}

/// One PPPoE session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionSnapshot {
    /// Its number.
    pub id: SessionId,
    /// Since its PADS.
    pub lasted: Duration,
    /// LCP is open at both ends.
    pub link_is_open: bool,
}

impl Bridge {
    /// What goes on at `now`.
    #[must_use]
    pub fn snapshot(&self, now: Instant) -> Snapshot {
        let services = self.config.services.iter().enumerate().map(|(index, service)| ServiceSnapshot {
            name: service.name.clone(),
            modems: service.modems.clone(),
            free: self.pool(index).filter(|line| line.is_free(now) && line.next.is_none()).count(),
            limit: service.sessions,
            interfaces: self.interfaces_of(index).collect(),
            unavailable: self.why_unavailable(now, index),
            drained: self.is_drained(index),
        });
        Snapshot {
            services: services.collect(),
            modems: self.lines.iter().map(|line| line.snapshot(now)).collect(),
        }
    }
}

impl Line {
    fn snapshot(&self, now: Instant) -> ModemSnapshot {
        let failed = self.rest.as_ref().filter(|(until, _)| *until > now);
        let failed =
            failed.map(|(until, failure)| Rest::Failed { failure: failure.clone(), wait: *until - now });
        let spent = || {
            let spent = self.budget.spent(now)?;
            Some(Rest::Spent { limit: spent.limit, wait: spent.until - now })
        };
        ModemSnapshot {
            id: self.id,
            state: self.state,
            failures: self.backoff.failures(),
            rest: failed.or_else(spent),
            ending: self.call.as_ref().and_then(|call| Some(call.ending.as_ref()?.reason.clone())),
            call: self.call.as_ref().map(|call| CallSnapshot {
                peer: call.peer,
                service: call.service,
                lasted: now - call.started,
                session: call.session.as_ref().map(|session| SessionSnapshot {
                    id: session.id,
                    lasted: now - session.opened,
                    link_is_open: session.mediator.is_open(),
                }),
            }),
            next: self.next.as_ref().map(Waiting::peer),
        }
    }
}

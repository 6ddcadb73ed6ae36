//! A changed configuration takes effect while the bridge runs.
//!
//! It promises that nobody notices whom the change does not concern: calls and sessions go on, and what
//! modems have cost, failures and cookies are remembered. What is new about a modem counts from its next call;
//! limits, lists and names count from the next packet.
//!
//! The caller keeps every interface, service and modem in its place, even one that is no longer wanted. A new one
//! gets a place behind all others, or one that is not wanted and of which nothing is under way any more
//! ([`Bridge::is_modem_unused`] and its like): a number never means two things at once, and there are never many more
//! places than things.

use super::Bridge;
use super::call::Line;
use super::config::BridgeConfig;
use crate::discard::DiscardReason;
use crate::event::{CloseReason, RefusalReason};
use crate::id::{InterfaceId, ModemId};
use crate::modem::{ModemState, ModemTrigger};
use crate::time::Instant;
use alloc::vec::Vec;

/// What is different from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconfiguration {
    /// The whole policy. Nothing in it may lead to what is no longer wanted: no pool has a removed modem, no
    /// interface offers a removed service, and a removed interface offers nothing.
    pub config: BridgeConfig,
    /// Modems that are not as they were. New ones behind all others are not among them.
    pub modems: Vec<(ModemId, ModemChange)>,
    /// Indices of the services that are no longer wanted: their sessions end.
    pub removed_services: Vec<usize>,
    /// Interfaces that are no longer wanted: their sessions end at once.
    pub removed_interfaces: Vec<InterfaceId>,
}

/// What is different about a modem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModemChange {
    /// How it is used, from its next call on.
    Settings,
    /// Its device, or how that is opened: its call ends.
    Port,
    /// It is no longer wanted: its call ends, and there will be no other.
    Removed,
    /// It has the place of another, which was removed and is unused: nothing is remembered of that.
    Replaced,
}

impl Bridge {
    /// Whether nothing is under way with a modem: once it is removed, another may have its place.
    #[must_use]
    pub fn is_modem_unused(&self, modem: ModemId) -> bool {
        self.line(modem).is_none_or(|line| {
            let is_opening = line.state == ModemState::Opening;
            line.call.is_none() && line.next.is_none() && !line.state.is_open() && !is_opening
        })
    }

    /// Whether no call is for a service: once it is removed, another may have its place.
    #[must_use]
    pub fn is_service_unused(&self, service: usize) -> bool {
        self.lines.iter().all(|line| {
            line.call.as_ref().is_none_or(|call| call.service != service)
                && line.next.as_ref().is_none_or(|next| next.service != service)
        })
    }

    /// Whether no call is for a host on an interface: once that is removed, another may have its place.
    #[must_use]
    pub fn is_interface_unused(&self, interface: InterfaceId) -> bool {
        self.interface(interface).is_none()
            && self.lines.iter().all(|line| {
                line.call.as_ref().is_none_or(|call| call.peer.interface != interface)
                    && line.next.as_ref().is_none_or(|next| next.request.interface != interface)
            })
    }

    pub(super) fn on_reconfigure(&mut self, now: Instant, change: Reconfiguration) {
        if self.shutting_down {
            return;
        }
        self.adopt(change.config);
        for interface in change.removed_interfaces {
            self.leave_interface(now, interface, &CloseReason::InterfaceRemoved);
            self.forget_interface(interface);
        }
        for (modem, change) in change.modems {
            self.change_modem(now, modem, change);
        }
        for service in change.removed_services {
            self.end_service(now, service);
            self.forget_service(service);
        }
    }

    /// What is remembered of hosts on an interface is not for those on another in its place.
    fn forget_interface(&mut self, interface: InterfaceId) {
        self.gate.forget(interface);
        self.lockout.forget(interface);
        self.strays.forget(interface);
        self.pools.forget_interface(interface);
    }

    /// What is remembered of a service is not for another in its place.
    fn forget_service(&mut self, service: usize) {
        self.forget_offers(DiscardReason::UnknownService, |held| held.service == service);
        self.pools.forget_service(service);
        self.on_resume(Some(service));
    }

    /// Makes room for what is new; what was there keeps its state.
    fn adopt(&mut self, config: BridgeConfig) {
        let (interfaces, services) = (config.interfaces.len(), config.services.len());
        self.concentrators = Self::concentrators(&config, &self.mint);
        self.interfaces.resize(interfaces, None);
        self.gate.make_room(interfaces);
        self.drained.resize(services, false);
        self.pools.make_room(services, config.modems.len());
        let new = (0..).zip(&config.modems).skip(self.lines.len());
        self.lines.extend(new.map(|(number, modem)| Line::new(ModemId(number), modem.clone())));
        self.config = config;
    }

    fn change_modem(&mut self, now: Instant, modem: ModemId, change: ModemChange) {
        if change == ModemChange::Replaced && self.is_modem_unused(modem) {
            return self.replace_modem(modem);
        }
        let config = self.config.modems.get(usize::from(modem.0)).cloned();
        let Some(line) = self.line_mut(modem) else { return };
        line.changed = config;
        // What failed before may be just what was mended.
        line.backoff.succeed();
        line.rest = None;
        match line.state {
            ModemState::Absent | ModemState::Idle => line.adopt_change(),
            ModemState::BackingOff => {
                self.change_state(modem, ModemTrigger::Elapsed, None);
                self.become_free(now, modem);
            }
            ModemState::Opening
            | ModemState::Dialing
            | ModemState::Online
            | ModemState::Terminating
            | ModemState::HangingUp => {}
        }
        match change {
            ModemChange::Settings => {}
            ModemChange::Port | ModemChange::Replaced => {
                self.end_call(now, modem, CloseReason::Reconfigured);
            }
            ModemChange::Removed => {
                if let Some(next) = self.line_mut(modem).and_then(|line| line.next.take()) {
                    self.refuse(&next.request, RefusalReason::Reconfigured);
                }
                self.end_call(now, modem, CloseReason::Reconfigured);
            }
        }
    }

    fn replace_modem(&mut self, modem: ModemId) {
        let config = self.config.modems.get(usize::from(modem.0)).cloned();
        if let Some((line, config)) = self.line_mut(modem).zip(config) {
            *line = Line::new(modem, config);
        }
        self.pools.forget_modem(modem);
    }

    fn end_service(&mut self, now: Instant, service: usize) {
        let waiting: Vec<_> = self
            .lines
            .iter_mut()
            .filter_map(|line| line.next.take_if(|next| next.service == service))
            .collect();
        for next in waiting {
            self.refuse(&next.request, RefusalReason::UnknownService);
        }
        let has_it = |line: &&Line| line.call.as_ref().is_some_and(|call| call.service == service);
        let modems: Vec<ModemId> = self.lines.iter().filter(has_it).map(|line| line.id).collect();
        for modem in modems {
            self.end_call(now, modem, CloseReason::Reconfigured);
        }
    }
}

#[cfg(test)]
mod tests;

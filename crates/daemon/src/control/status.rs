//! From what the control plane, the ports and the counters know to what the control socket says.

use super::protocol::{
    ConfigurationStatus, FlowStatus, InterfaceStatus, ModemStatus, Problem, ServiceStatus, SessionStatus,
    Status,
};
use crate::event_loop::EventLoop;
use crate::report::whole_seconds;
use bridge_linux::interface::Interface;
use bridge_proto::bridge::{CallSnapshot, ModemSnapshot, Rest, ServiceSnapshot, SessionSnapshot, Snapshot};
use bridge_proto::discard::DiscardReason;
use bridge_proto::event::RefusalReason;
use bridge_proto::id::{InterfaceId, ModemId};
use bridge_proto::modem::ModemState;
use bridge_proto::time::Instant;
use bridge_proto::wire::ethernet::MacAddr;
use std::collections::HashMap;
use std::time::Duration;

impl EventLoop {
    /// What goes on at `now`.
    pub(super) fn status(&self, now: Instant) -> Status {
        let mut snapshot = self.bridge.snapshot(now);
        // What a reload has added is told where the file has it, and what it has removed behind all else.
        let order = self.places.settings().modem.numbers();
        snapshot.modems.sort_by_key(|modem| position(&order, self.report.modem(modem.id)));
        let started = self.control.as_ref().map_or(now, |control| control.opened);
        let problems = self.report.problems();
        let ago = |when| (now - when).as_secs();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_seconds: (now - started).as_secs(),
            configuration: ConfigurationStatus {
                loaded_seconds_ago: ago(problems.loaded().max(started)),
                refused_seconds_ago: problems.refused().map(ago),
            },
            interfaces: self.interface_statuses(),
            services: self.service_statuses(&snapshot),
            modems: self.modem_statuses(&snapshot),
            sessions: self.session_statuses(&snapshot),
            discards: DiscardReason::ALL
                .into_iter()
                .map(|reason| (reason.name().to_owned(), self.report.discarded(reason)))
                .collect(),
            problems: problems
                .iter()
                .map(|problem| Problem {
                    seconds_ago: ago(problem.when),
                    text: problem.text.clone(),
                    times: problem.times,
                })
                .collect(),
        }
    }

    fn interface_statuses(&self) -> Vec<InterfaceStatus> {
        let names = (0..).map(InterfaceId).zip(self.places.interface_names());
        let mut statuses: Vec<_> = names
            .filter(|(id, _)| self.places.has_interface(*id))
            .map(|(id, name)| {
                let interface = self.kernel_interface(id);
                InterfaceStatus {
                    name: name.clone(),
                    mac: interface.map(|interface| MacAddr(interface.mac).to_string()),
                    mtu: interface.map(|interface| interface.mtu),
                    up: interface.is_some_and(|interface| interface.is_up),
                }
            })
            .collect();
        let order = self.places.settings().interface.numbers();
        statuses.sort_by_key(|interface| position(&order, &interface.name));
        statuses
    }

    /// What the kernel says of an interface; `None` while it is absent.
    fn kernel_interface(&self, id: InterfaceId) -> Option<&Interface> {
        let port = self.ethernet.get(usize::from(id.0))?.as_ref()?;
        Some(&port.interface)
    }

    fn is_up(&self, id: InterfaceId) -> bool {
        self.kernel_interface(id).is_some_and(|interface| interface.is_up)
    }

    fn service_statuses(&self, snapshot: &Snapshot) -> Vec<ServiceStatus> {
        let services = snapshot.services.iter().enumerate();
        let mut statuses: Vec<_> = services
            .filter(|(index, _)| self.places.has_service(*index))
            .map(|(index, service)| self.service_status(snapshot, index, service))
            .collect();
        let order = self.places.settings().service.numbers();
        statuses.sort_by_key(|service| position(&order, &service.name));
        statuses
    }

    fn service_status(&self, snapshot: &Snapshot, index: usize, service: &ServiceSnapshot) -> ServiceStatus {
        let calls = snapshot.modems.iter().filter_map(|modem| modem.call.as_ref());
        let offered_on = || service.interfaces.iter().copied().filter(|id| self.places.has_interface(*id));
        let up: Vec<InterfaceId> = offered_on().filter(|id| self.is_up(*id)).collect();
        let (state, reason, wait) = match &service.unavailable {
            why if up.is_empty() && *why != Some(RefusalReason::ShuttingDown) => {
                ("no interface", Some(self.why_no_interface(offered_on())), None)
            }
            None => ("offered", None, None),
            Some(why) => unavailability(why),
        };
        ServiceStatus {
            name: service.name.to_string(),
            modems: service.modems.iter().map(|modem| self.device(*modem)).collect(),
            modem_names: service.modems.iter().map(|modem| self.report.modem(*modem).to_owned()).collect(),
            free_modems: service.free,
            sessions: calls.filter(|call| call.service == index && call.session.is_some()).count(),
            session_limit: Some(service.limit).filter(|limit| *limit < service.modems.len()),
            interfaces: up.iter().map(|id| self.report.interface(*id).to_owned()).collect(),
            drained: service.drained,
            state: state.to_owned(),
            reason,
            wait_seconds: wait.map(whole_seconds),
        }
    }

    /// What is the matter with each of the interfaces on which a service would be offered.
    fn why_no_interface(&self, interfaces: impl Iterator<Item = InterfaceId>) -> String {
        let state = |id| if self.kernel_interface(id).is_some() { "down" } else { "absent" };
        let each = interfaces.map(|id| format!("{} is {}", self.report.interface(id), state(id)));
        match each.collect::<Vec<_>>() {
            none if none.is_empty() => "the configuration offers it on none".into(),
            each => each.join(", "),
        }
    }

    fn device(&self, modem: ModemId) -> String {
        self.port(modem).map(|port| port.settings.device.display().to_string()).unwrap_or_default()
    }

    /// How things stand, in a line for the service manager.
    pub(crate) fn summary(&self) -> String {
        let wanted = (0..).map(ModemId).take(self.modems.len()).filter(|modem| self.places.has_modem(*modem));
        let state = |modem: ModemId| self.bridge.modem_state(modem).unwrap_or(ModemState::Absent);
        let states: Vec<ModemState> = wanted.map(state).collect();
        let many = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let mut summary = many(states.len(), "modem");
        for unfit in [ModemState::Absent, ModemState::BackingOff] {
            match states.iter().filter(|state| **state == unfit).count() {
                0 => {}
                count => summary.push_str(&format!(" ({count} {unfit})")),
            }
        }
        summary.push_str(&format!(", {}", many(self.table.iter().count(), "session")));
        if self.report.problems().refused().is_some() {
            summary.push_str("; the newest configuration was refused, see the log");
        }
        summary
    }

    /// One that is no longer wanted is shown until it is closed.
    fn modem_statuses(&self, snapshot: &Snapshot) -> Vec<ModemStatus> {
        let modems = snapshot.modems.iter();
        let is_shown =
            |modem: &&ModemSnapshot| self.places.has_modem(modem.id) || self.port(modem.id).is_some();
        modems.filter(is_shown).map(|modem| self.modem_status(modem)).collect()
    }

    fn modem_status(&self, modem: &ModemSnapshot) -> ModemStatus {
        let call = modem.call.as_ref();
        ModemStatus {
            name: self.report.modem(modem.id).to_owned(),
            device: self.device(modem.id),
            state: modem.state.to_string(),
            reason: reason(modem),
            wait_seconds: modem.rest.as_ref().map(|rest| whole_seconds(wait(rest))),
            failures: modem.failures,
            peer: call.map(|call| call.peer.mac.to_string()),
            interface: call.map(|call| self.report.interface(call.peer.interface).to_owned()),
            call_seconds: call.map(|call| call.lasted.as_secs()),
        }
    }

    fn session_statuses(&self, snapshot: &Snapshot) -> Vec<SessionStatus> {
        let sessions = snapshot.modems.iter().filter_map(|modem| {
            let call = modem.call.as_ref()?;
            Some((modem, call, call.session?))
        });
        sessions.map(|(modem, call, session)| self.session_status(snapshot, modem, call, session)).collect()
    }

    fn session_status(
        &self,
        snapshot: &Snapshot,
        modem: &ModemSnapshot,
        call: &CallSnapshot,
        session: SessionSnapshot,
    ) -> SessionStatus {
        let port = self.port(modem.id);
        let traffic = port.map(|port| port.traffic).unwrap_or_default();
        let rates = port.and_then(|port| port.meter.rates());
        let service = snapshot.services.get(call.service);
        SessionStatus {
            session: session.id.get(),
            peer: call.peer.mac.to_string(),
            interface: self.report.interface(call.peer.interface).to_owned(),
            service: service.map(|service| service.name.to_string()).unwrap_or_default(),
            modem: self.device(modem.id),
            modem_name: self.report.modem(modem.id).to_owned(),
            state: session_state(modem.state, session.link_is_open).to_owned(),
            seconds: session.lasted.as_secs(),
            host_to_modem: FlowStatus {
                frames: traffic.host_frames,
                octets: traffic.host_octets,
                bits_per_second: rates.map(|rates| rates.host_to_modem),
            },
            modem_to_host: FlowStatus {
                frames: traffic.modem_frames,
                octets: traffic.modem_octets,
                bits_per_second: rates.map(|rates| rates.modem_to_host),
            },
        }
    }
}

/// Where the configuration has what goes by this name.
fn position(order: &HashMap<&str, u16>, name: &str) -> u16 {
    order.get(name).copied().unwrap_or(u16::MAX)
}

/// Why a service is not offered where hosts could ask, for what reason, and for how long.
fn unavailability(why: &RefusalReason) -> (&'static str, Option<String>, Option<Duration>) {
    match why {
        RefusalReason::Drained => ("drained", None, None),
        RefusalReason::AllBusy => ("busy", None, None),
        RefusalReason::NoModem => ("no modem", None, None),
        RefusalReason::LimitReached(limit) => ("limit reached", Some(limit.to_string()), None),
        RefusalReason::ShuttingDown => ("ending", None, None),
        RefusalReason::BackingOff { failure, wait } => {
            ("backing off", Some(failure.brief().to_string()), Some(*wait))
        }
        RefusalReason::BudgetSpent { limit, wait } => ("budget spent", Some(limit.to_string()), Some(*wait)),
        // Of a host or of its request, never of a service.
        RefusalReason::UnknownService
        | RefusalReason::NotAllowed
        | RefusalReason::LockedOut { .. }
        | RefusalReason::DialFailed(_)
        | RefusalReason::Reconfigured => ("not offered", Some(why.to_string()), None),
    }
}

/// Why a modem is in its state, where that does not go without saying.
fn reason(modem: &ModemSnapshot) -> Option<String> {
    if let Some(reason) = &modem.ending {
        return Some(reason.brief().to_string());
    }
    Some(match modem.rest.as_ref()? {
        Rest::Failed { failure, .. } => failure.brief().to_string(),
        Rest::Spent { limit, .. } => limit.to_string(),
    })
}

fn wait(rest: &Rest) -> Duration {
    match rest {
        Rest::Failed { wait, .. } | Rest::Spent { wait, .. } => *wait,
    }
}

fn session_state(modem: ModemState, link_is_open: bool) -> &'static str {
    match modem {
        ModemState::Opening | ModemState::Dialing => "dialing",
        ModemState::Online if link_is_open => "open",
        ModemState::Online => "negotiating",
        ModemState::Terminating
        | ModemState::HangingUp
        | ModemState::Absent
        | ModemState::Idle
        | ModemState::BackingOff => "ending",
    }
}

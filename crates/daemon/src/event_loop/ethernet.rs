//! The Ethernet side of the loop: interfaces as they come and go, discovery, and frames on their way to the modems.

use super::modems::touch;
use super::source::{Source, token};
use super::{EventLoop, Timer};
use crate::ethernet_port::{EthernetPort, Reception, receive};
use bridge_linux::OsError;
use bridge_linux::interface::{Interface, InterfaceChange};
use bridge_linux::poller::Interest;
use bridge_proto::bridge::Input;
use bridge_proto::discard::DiscardReason;
use bridge_proto::event::Direction;
use bridge_proto::forward::{self, ToModem};
use bridge_proto::id::InterfaceId;
use bridge_proto::time::Instant;
use bridge_proto::wire::ethernet::MacAddr;
use std::time::Duration;
use tracing::{error, info, warn};

/// Session frames taken from a socket before their modems are written to: enough to halve the cost of a
/// frame, few enough to fit what a tty takes at once.
const BATCH: usize = 8;
/// Discovery packets taken from a socket before anything else gets its turn.
const DISCOVERY_BATCH: usize = 32;
/// An interface that is down for so long takes its sessions with it.
const DOWN: Duration = Duration::from_secs(10);

impl EventLoop {
    pub(crate) fn open_interface(
        &mut self,
        now: Instant,
        id: InterfaceId,
        interface: Interface,
    ) -> Result<(), OsError> {
        let port = EthernetPort::open(interface)?;
        let watch = |socket, source| {
            self.poller
                .add(socket, token(source), Interest::READABLE)
                .map_err(|cause| OsError::new("watch", port.interface.name.clone(), cause))
        };
        watch(&port.discovery, Source::Discovery(id))?;
        watch(&port.session, Source::Session(id))?;
        let (mac, mtu, up) = (port.interface.mac, port.interface.mtu, port.interface.is_up);
        if let Some(slot) = self.ethernet.get_mut(usize::from(id.0)) {
            *slot = Some(port);
        }
        if up {
            self.interface_is_up(now, id, mac, mtu);
        } else {
            let problem = format!("{} is down: waiting for it to come up", self.report.interface(id));
            warn!("{problem}");
            self.report.keep_problem(now, problem);
        }
        Ok(())
    }

    pub(super) fn interface_is_up(&mut self, now: Instant, interface: InterfaceId, mac: [u8; 6], mtu: u32) {
        let mtu = u16::try_from(mtu).unwrap_or(u16::MAX);
        self.input(now, Input::InterfaceUp { interface, mac: MacAddr(mac), mtu });
    }

    pub(super) fn on_interface_changes(&mut self, now: Instant) {
        loop {
            match self.monitor.next_change() {
                Ok(Some(change)) => self.on_interface_change(now, &change),
                Ok(None) => return,
                Err(cause) => return error!("cannot watch interfaces: {cause}"),
            }
        }
    }

    pub(super) fn on_interface_change(&mut self, now: Instant, change: &InterfaceChange) {
        let (name, present) = match change {
            InterfaceChange::Appeared(now) | InterfaceChange::Changed { now, .. } => {
                (&now.name, Some(now.clone()))
            }
            InterfaceChange::Vanished(before) => (&before.name, None),
        };
        let mut names = (0..).zip(self.places.interface_names());
        let Some((number, _)) = names.find(|(_, ours)| *ours == name) else { return };
        let id = InterfaceId(number);
        if !self.places.has_interface(id) {
            return;
        }
        match present {
            None => self.close_interface(now, id),
            Some(interface) => self.follow_interface(now, id, interface),
        }
    }

    pub(super) fn close_interface(&mut self, now: Instant, id: InterfaceId) {
        warn!("{}: the interface is gone", self.report.interface(id));
        self.input(now, Input::InterfaceDown { interface: id });
        self.close_port(id);
    }

    pub(crate) fn close_port(&mut self, id: InterfaceId) {
        // What its sockets have counted goes with them.
        self.count_kernel_drops();
        self.timers.retain(|(_, timer)| *timer != Timer::StillDown(id));
        if let Some(port) = self.ethernet.get_mut(usize::from(id.0)).and_then(Option::take) {
            let _ = self.poller.remove(&port.discovery);
            let _ = self.poller.remove(&port.session);
        }
    }

    pub(super) fn follow_interface(&mut self, now: Instant, id: InterfaceId, interface: Interface) {
        let open = self.ethernet.get(usize::from(id.0)).and_then(Option::as_ref);
        if open.is_none_or(|port| port.interface.index != interface.index) {
            if open.is_some() {
                self.close_interface(now, id);
            }
            info!("{}: the interface is there", interface.name);
            if let Err(error) = self.open_interface(now, id, interface) {
                error!("cannot {error}");
                self.report.keep_problem(now, format!("cannot {error}"));
            }
            return;
        }
        let (mac, mtu, up) = (interface.mac, interface.mtu, interface.is_up);
        let Some(Some(port)) = self.ethernet.get_mut(usize::from(id.0)) else { return };
        let before = std::mem::replace(&mut port.interface, interface);
        if up {
            if !before.is_up {
                info!("{}: the interface is up", before.name);
            }
            self.interface_is_up(now, id, mac, mtu);
        } else if before.is_up {
            warn!("{}: the interface is down", before.name);
            self.report.keep_problem(now, format!("{}: the interface is down", before.name));
            self.timers.push((now + DOWN, Timer::StillDown(id)));
        }
    }

    pub(super) fn on_discovery(&mut self, now: Instant, interface: InterfaceId) {
        for _ in 0..DISCOVERY_BATCH {
            let Some(Some(port)) = self.ethernet.get_mut(usize::from(interface.0)) else { return };
            match receive(&mut port.discovery, &mut self.frame) {
                Reception::Empty => return,
                Reception::Dropped(reason) => self.report.discard(reason),
                Reception::Frame(len) => {
                    let frame = self.frame.get(..len).unwrap_or_default();
                    self.report.discovery_received(now, interface, frame);
                    self.bridge.handle_input(now, Input::Discovery { interface, frame });
                    self.carry_out(now);
                }
            }
        }
    }

    /// Host to modem: a batch of frames, each into its modem's queue, then one write for each modem.
    pub(super) fn on_session_frames(&mut self, now: Instant, interface: InterfaceId) {
        for _ in 0..BATCH {
            let Some(Some(port)) = self.ethernet.get_mut(usize::from(interface.0)) else { return };
            let len = match receive(&mut port.session, &mut self.frame) {
                Reception::Empty => break,
                Reception::Dropped(reason) => {
                    self.report.discard(reason);
                    continue;
                }
                Reception::Frame(len) => len,
            };
            let frame = self.frame.get(..len).unwrap_or_default();
            match forward::host_to_modem(interface, frame, &self.table) {
                Ok(ToModem::Data { modem, ppp }) => {
                    self.report.ppp(now, modem, Direction::HostToModem, ppp);
                    let Some(Some(port)) = self.modems.get_mut(usize::from(modem.0)) else { continue };
                    if let Err(reason) = port.send(now, ppp) {
                        self.report.discard(reason);
                        continue;
                    }
                    touch(&mut self.touched, modem, port);
                    if port.has_a_batch() {
                        break;
                    }
                }
                Ok(ToModem::Lcp { modem, ppp }) => {
                    self.bridge.handle_input(now, Input::HostLcp { modem, ppp });
                    self.carry_out(now);
                }
                Err(reason) => {
                    self.report.discard(reason);
                    if reason == DiscardReason::UnknownSession {
                        self.on_stray(now, interface, len);
                    }
                }
            }
        }
        self.flush_modems(now);
    }

    pub(super) fn on_stray(&mut self, now: Instant, interface: InterfaceId, len: usize) {
        let Some(Some(port)) = self.ethernet.get(usize::from(interface.0)) else { return };
        let local = MacAddr(port.interface.mac);
        let frame = self.frame.get(..len).unwrap_or_default();
        if let Some((source, session_id)) = forward::stray_sender(frame, local) {
            self.input(now, Input::StraySession { interface, source, session_id });
        }
    }
}

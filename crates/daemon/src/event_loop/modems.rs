//! The serial side of the loop: devices as they come and go, what modems say, and frames on their way to the hosts.

use super::source::{Source, token};
use super::{EventLoop, Timer, modem_id};
use crate::ethernet_port::send_on;
use crate::modem_port::{Heard, ModemPort};
use bridge_linux::OsError;
use bridge_linux::device_watcher::{DeviceChange, DeviceState, PathId};
use bridge_linux::poller::Readiness;
use bridge_linux::serial_port::SerialError;
use bridge_proto::bridge::Input;
use bridge_proto::event::Direction;
use bridge_proto::forward::{self, ToHost};
use bridge_proto::id::ModemId;
use bridge_proto::modem::NoCarrier;
use bridge_proto::time::Instant;
use std::time::Duration;
use tracing::{error, info};

/// A modem that says NO CARRIER in the middle of a frame says nothing for at least so long.
const QUIET: Duration = Duration::from_millis(200);

impl EventLoop {
    /// A modem that something is to happen to: it is among those that are flushed next.
    pub(crate) fn modem(&mut self, modem: ModemId) -> Option<&mut ModemPort> {
        let port = self.modems.get_mut(usize::from(modem.0))?.as_mut()?;
        touch(&mut self.touched, modem, port);
        Some(port)
    }

    pub(crate) fn port(&self, modem: ModemId) -> Option<&ModemPort> {
        self.modems.get(usize::from(modem.0))?.as_ref()
    }

    pub(super) fn on_modem_ready(&mut self, now: Instant, modem: ModemId, readiness: Readiness) {
        if readiness.readable || readiness.hung_up {
            self.on_modem_octets(now, modem);
        }
        if readiness.writable {
            if let Some(port) = self.modem(modem) {
                port.on_writable();
            }
            self.flush_modems(now);
        }
    }

    /// Modem to host: one read, and all the frames in it.
    pub(super) fn on_modem_octets(&mut self, now: Instant, modem: ModemId) {
        let Some(Some(port)) = self.modems.get_mut(usize::from(modem.0)) else { return };
        let framing = port.is_framing();
        let len = match port.read(&mut self.octets) {
            Ok(len) => len,
            Err(error) => return self.on_serial_error(now, modem, &error),
        };
        let octets = std::mem::take(&mut self.octets);
        let received = octets.get(..len).unwrap_or_default();
        if framing {
            self.deliver_frames(now, modem, received);
        } else if !received.is_empty() {
            self.input(now, Input::ModemOctets { modem, octets: received });
        }
        self.octets = octets;
    }

    /// Finds the frames in what a modem sent and hands each on.
    pub(crate) fn deliver_frames(&mut self, now: Instant, modem: ModemId, mut octets: &[u8]) {
        loop {
            let Some(Some(port)) = self.modems.get_mut(usize::from(modem.0)) else { return };
            let Some(result) = port.deframer.next_frame(&mut octets) else { break };
            let frame = match result {
                Ok(frame) => frame,
                Err(bad) => {
                    self.report.discard_many(bad.error.into(), bad.count as u64);
                    continue;
                }
            };
            match forward::modem_to_host(modem, frame.ppp(), &self.table) {
                Ok(ToHost::Data { interface, header }) => {
                    let length = u16::try_from(frame.ppp().len()).unwrap_or(u16::MAX);
                    port.traffic.modem_frames += 1;
                    port.traffic.modem_octets += u64::from(length);
                    self.report.ppp(now, modem, Direction::ModemToHost, frame.ppp());
                    let octets = frame.prepend(&header.for_payload(length));
                    send_on(&self.ethernet, &mut self.report, interface, octets);
                }
                Ok(ToHost::Lcp) => {
                    self.bridge.handle_input(now, Input::ModemLcp { modem, ppp: frame.ppp() });
                    self.carry_out(now);
                }
                Err(reason) => self.report.discard(reason),
            }
        }
        let Some(Some(port)) = self.modems.get_mut(usize::from(modem.0)) else { return };
        match port.hear_no_carrier() {
            NoCarrier::NotSaid => {}
            NoCarrier::Said => self.on_no_carrier(now, modem),
            NoCarrier::SaidIfQuiet => {
                let heard = port.heard();
                await_quiet(&mut self.timers, now, modem, heard);
            }
        }
    }

    pub(super) fn on_no_carrier(&mut self, now: Instant, modem: ModemId) {
        if let Some(port) = self.modem(modem) {
            port.deframer.reset();
            self.input(now, Input::NoCarrier { modem });
        }
    }

    pub(super) fn on_serial_error(&mut self, now: Instant, modem: ModemId, error: &SerialError) {
        let Some(Some(port)) = self.modems.get_mut(usize::from(modem.0)) else { return };
        if !port.is_carrier_loss(error) {
            return self.input(now, Input::ModemFailed { modem, why: error.to_string() });
        }
        // A tty that was hung up is of no more use, though its device is still there.
        if let Some(descriptor) = port.descriptor() {
            let _ = self.poller.remove(descriptor);
        }
        port.close();
        self.begin_errand(now, modem);
        self.input(now, Input::CarrierLost { modem });
    }

    /// Writes what waits for the modems that something has happened to, as far as they take it, and watches those
    /// that do not take all. The others cost nothing.
    pub(crate) fn flush_modems(&mut self, now: Instant) {
        while let Some(modem) = self.touched.pop() {
            let Some(Some(port)) = self.modems.get_mut(usize::from(modem.0)) else { continue };
            port.is_touched = false;
            let flushed = port.flush(now);
            self.report.queued(port.take_counts());
            if !port.is_open() {
                continue;
            }
            if port.next_flush().is_some() && !std::mem::replace(&mut port.is_held, true) {
                self.held.push(modem);
            }
            if let Err(error) = flushed {
                self.on_serial_error(now, modem, &error);
                continue;
            }
            self.update_interest(modem);
        }
    }

    /// When the first of those modems is to be flushed whose frames wait for their line to need them.
    pub(super) fn next_flush(&self) -> Option<Instant> {
        self.held.iter().filter_map(|modem| self.port(*modem)?.next_flush()).min()
    }

    /// Flushes those of them whose time has come, and forgets those that wait for no time any more.
    pub(super) fn flush_due(&mut self, now: Instant) {
        let (modems, touched) = (&mut self.modems, &mut self.touched);
        self.held.retain(|modem| {
            let Some(Some(port)) = modems.get_mut(usize::from(modem.0)) else { return false };
            let due = port.next_flush();
            if due.is_some_and(|due| due <= now) {
                touch(touched, *modem, port);
            }
            port.is_held = due.is_some();
            port.is_held
        });
        self.flush_modems(now);
    }

    pub(super) fn update_interest(&mut self, modem: ModemId) {
        let Some(Some(port)) = self.modems.get_mut(usize::from(modem.0)) else { return };
        let wanted = port.wanted_interest();
        if wanted == port.interest {
            return;
        }
        if let Some(descriptor) = port.descriptor()
            && self.poller.modify(descriptor, token(Source::Modem(modem)), wanted).is_ok()
        {
            port.interest = wanted;
        }
    }

    pub(crate) fn watch_modem(&mut self, modem: ModemId) -> Result<(), OsError> {
        let Some(Some(port)) = self.modems.get_mut(usize::from(modem.0)) else { return Ok(()) };
        let wanted = port.wanted_interest();
        if let Some(descriptor) = port.descriptor() {
            self.poller
                .add(descriptor, token(Source::Modem(modem)), wanted)
                .map_err(|cause| OsError::new("watch", port.settings.device.display().to_string(), cause))?;
        }
        port.interest = wanted;
        Ok(())
    }

    pub(crate) fn unwatch_modem(&mut self, modem: ModemId) {
        if let Some(descriptor) = self.port(modem).and_then(ModemPort::descriptor) {
            let _ = self.poller.remove(descriptor);
        }
    }

    pub(super) fn on_device_changes(&mut self, now: Instant) {
        match self.devices.changes() {
            Ok(changes) => changes.into_iter().for_each(|change| self.on_device_change(now, change)),
            Err(cause) => error!("cannot watch devices: {cause}"),
        }
    }

    pub(super) fn on_device_change(&mut self, now: Instant, change: DeviceChange) {
        let modem = modem_id(change.path.0);
        if !self.places.has_modem(modem) {
            return;
        }
        let name = self.report.modem(modem);
        match change.state {
            DeviceState::Present => {
                info!("{name}: the device is there");
                self.look_for_modem(now, modem);
                self.carry_out(now);
            }
            // An open modem is not lost by this, and a closed one says so when it is called.
            DeviceState::Forbidden => info!("{name}: the device is there, but may not be opened yet"),
            DeviceState::Missing => self.input(now, Input::ModemVanished { modem }),
        }
    }

    /// Tells the control plane if the device of a modem that it has closed is to be had; the caller carries out what
    /// comes of it. If it is not there, the watcher will tell, and if another modem has it, the end of that one's
    /// call.
    pub(crate) fn look_for_modem(&mut self, now: Instant, modem: ModemId) {
        let is_there = self.devices.state(path_id(modem)) == DeviceState::Present;
        if is_there && self.places.has_modem(modem) && self.holder(modem).is_none() {
            self.bridge.handle_input(now, Input::ModemAppeared { modem });
        }
    }

    /// Who has the device of a modem open, if another modem has: until its call is over, when the configuration has
    /// given the device away meanwhile.
    pub(crate) fn holder(&self, modem: ModemId) -> Option<ModemId> {
        let has_it = |other: &ModemId| {
            *other != modem
                && self.port(*other).is_some_and(|other| !other.is_closed())
                && self.devices.is_same_device(path_id(*other), path_id(modem))
        };
        (0..self.modems.len()).map(modem_id).find(has_it)
    }

    /// Other modems whose device is the one that this modem had until now. It may have been closed before it is told
    /// to be: a tty that was hung up is.
    pub(crate) fn waiting_for(&self, modem: ModemId) -> Vec<ModemId> {
        let waits = |other: &ModemId| {
            *other != modem
                && self.places.has_modem(*other)
                && self.devices.is_same_device(path_id(*other), path_id(modem))
        };
        (0..self.modems.len()).map(modem_id).filter(waits).collect()
    }
}

/// Puts a modem on the list of those that are to be flushed.
pub(super) fn touch(touched: &mut Vec<ModemId>, modem: ModemId, port: &mut ModemPort) {
    if !std::mem::replace(&mut port.is_touched, true) {
        touched.push(modem);
    }
}

/// Looks again when the line has been quiet for a while since now; earlier such times count no more.
fn await_quiet(timers: &mut Vec<(Instant, Timer)>, now: Instant, modem: ModemId, heard: Heard) {
    timers.retain(|(_, timer)| !matches!(timer, Timer::StillQuiet { modem: other, .. } if *other == modem));
    timers.push((now + QUIET, Timer::StillQuiet { modem, heard }));
}

/// The watcher numbers its paths as the modems are numbered.
pub(crate) fn path_id(modem: ModemId) -> PathId {
    PathId(usize::from(modem.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_says_no_carrier_again_and_again_is_awaited_once() {
        let (one, other) = (ModemId(1), ModemId(2));
        let heard = |octets| Heard { number: 1, octets };
        let mut timers = vec![(Instant::ZERO, Timer::TellDiscards)];
        await_quiet(&mut timers, Instant::ZERO, other, heard(7));
        for ms in 0..100 {
            await_quiet(&mut timers, Instant::from_millis(ms), one, heard(20));
        }
        let quiet = |modem, octets| Timer::StillQuiet { modem, heard: heard(octets) };
        let at = |ms| Instant::from_millis(ms) + QUIET;
        let expected =
            [(Instant::ZERO, Timer::TellDiscards), (at(0), quiet(other, 7)), (at(99), quiet(one, 20))];
        assert_eq!(timers, expected);
    }
}

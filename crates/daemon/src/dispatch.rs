//! Carries out what the control plane wants.

use crate::ethernet_port::send_on;
use crate::event_loop::EventLoop;
use crate::report::Remedied;
use bridge_linux::system::read_without_waiting;
use bridge_proto::bridge::{Input, ModemCommand, Output, Traffic};
use bridge_proto::event::Event;
use bridge_proto::id::ModemId;
use bridge_proto::time::Instant;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// chat(8) reads no more of a file that a script names.
const MAX_FILE_OCTETS: u64 = 1023;

impl EventLoop {
    /// Hands an input to the control plane and carries out what comes of it.
    pub(crate) fn input(&mut self, now: Instant, input: Input<'_>) {
        self.bridge.handle_input(now, input);
        self.carry_out(now);
    }

    /// Carries out all that the control plane wants, what comes of that included.
    pub(crate) fn carry_out(&mut self, now: Instant) {
        while let Some(output) = self.bridge.poll_output() {
            self.carry_out_one(now, output);
        }
        // Only now, for the outputs behind that one made the session whose frames these are.
        while let Some((modem, octets)) = self.leftovers.pop() {
            self.deliver_frames(now, modem, &octets);
        }
        self.flush_modems(now);
        self.bridge_due = self.bridge.poll_timeout();
    }

    fn carry_out_one(&mut self, now: Instant, output: Output) {
        match output {
            Output::SendDiscovery { interface, frame } => {
                self.report.discovery_sent(now, interface, &frame);
                send_on(&self.ethernet, &mut self.report, interface, &frame);
            }
            Output::OpenModem(modem) => {
                if let Some(port) = self.modem(modem) {
                    port.open();
                }
                self.begin_errand(now, modem);
            }
            Output::WriteModem { modem, octets } => {
                let sent = self.modem(modem).map(|port| port.send_octets(&octets));
                if let Some(Err(reason)) = sent {
                    self.report.discard(reason);
                }
            }
            Output::SendBreak(modem) => self.send_break(now, modem),
            Output::ReadFile { modem, name } => {
                let contents = read_file(&name);
                self.bridge.handle_input(now, Input::FileContents { modem, contents });
            }
            Output::RunCommand { modem, command } => self.run_command(now, modem, command),
            Output::StopCommand(modem) => self.stop_command(now, modem),
            Output::StartFraming { modem, octets } => {
                if let Some(port) = self.modem(modem) {
                    port.start_framing();
                }
                self.leftovers.push((modem, octets));
            }
            Output::SetLine { modem, line } => {
                if let Some(port) = self.modem(modem) {
                    port.set_line(line);
                }
            }
            Output::InstallSession(route) => {
                let before = self.table.by_modem(route.modem).map(|before| before.session_id);
                if before != Some(route.session_id)
                    && let Some(port) = self.modem(route.modem)
                {
                    port.begin_session(now);
                }
                self.table.install(route);
            }
            Output::RemoveSession(modem) => {
                self.table.remove(modem);
            }
            Output::SendToModem { modem, ppp } => {
                let sent = self.modem(modem).map(|port| port.send_lcp(now, &ppp));
                if let Some(Err(reason)) = sent {
                    self.report.discard(reason);
                }
            }
            Output::SendToHost { modem, ppp } => self.send_to_host(modem, &ppp),
            Output::HangUpModem(modem) => {
                self.stop_command(now, modem);
                self.forget_break(modem);
                if let Some(port) = self.modem(modem) {
                    port.hang_up();
                }
                self.begin_errand(now, modem);
            }
            Output::RaiseDtr(modem) => {
                if let Some(port) = self.modem(modem) {
                    port.raise_dtr();
                }
                self.begin_errand(now, modem);
            }
            Output::ReadTraffic(modem) => {
                let port = self.modem(modem);
                let traffic = port.map_or_else(Traffic::default, |port| {
                    port.meter.note(now, port.traffic);
                    port.traffic
                });
                self.bridge.handle_input(now, Input::Traffic { modem, traffic });
            }
            Output::CloseModem(modem) => self.close_modem(now, modem),
            Output::Event(event) => self.tell(now, &event),
        }
    }

    fn tell(&mut self, now: Instant, event: &Event) {
        self.report.event(now, event);
    }

    fn run_command(&mut self, now: Instant, modem: ModemId, command: ModemCommand) {
        if let Err(error) = self.start_command(modem, command) {
            self.bridge.handle_input(
                now,
                Input::CommandFailed { modem, why: format!("cannot {}", Remedied(&error)) },
            );
        }
    }

    fn close_modem(&mut self, now: Instant, modem: ModemId) {
        self.stop_command(now, modem);
        self.forget_break(modem);
        self.unwatch_modem(modem);
        if let Some(port) = self.modem(modem) {
            port.give_up();
        }
        self.begin_errand(now, modem);
    }

    fn send_to_host(&mut self, modem: ModemId, ppp: &[u8]) {
        let Some(route) = self.table.by_modem(modem) else { return };
        let Ok(length) = u16::try_from(ppp.len()) else { return };
        let mut frame = Vec::with_capacity(ppp.len() + 20);
        frame.extend_from_slice(&route.header().for_payload(length));
        frame.extend_from_slice(ppp);
        send_on(&self.ethernet, &mut self.report, route.interface, &frame);
    }
}

/// Reads a file that a script names, at once or not at all.
fn read_file(name: &[u8]) -> Result<Vec<u8>, String> {
    let path = Path::new(OsStr::from_bytes(name));
    read_without_waiting(path, MAX_FILE_OCTETS).map_err(|error| format!("{}: {error}", path.display()))
}

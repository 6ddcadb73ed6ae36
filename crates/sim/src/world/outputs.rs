//! Carries out what the bridge wants, as the daemon's dispatch does.

use bridge_proto::bridge::{Input, ModemCommand, Output, Traffic};
use bridge_proto::event::{Direction, Event, OpenFailure, OpenProblem};
use bridge_proto::id::ModemId;
use bridge_proto::modem::ModemState;

use super::config::modem_id;
use super::{Timer, What, Who, World};
use crate::pppoe::ETHERTYPE_DISCOVERY;

impl World {
    /// Carries out all that the bridge wants, what comes of that included.
    pub(super) fn carry_out(&mut self) {
        while let Some(output) = self.bridge.poll_output() {
            self.carry_out_one(output);
        }
        if let Some((modem, octets)) = self.leftover.take() {
            self.deliver_frames(modem, &octets);
        }
    }

    fn carry_out_one(&mut self, output: Output) {
        match output {
            Output::SendDiscovery { frame, .. } => self.transmit(&frame),
            Output::OpenModem(modem) => self.open_modem(number(modem)),
            Output::WriteModem { modem, octets } => {
                let cable = &mut self.cables[number(modem)];
                let is_ready = cable.is_open && !cable.is_framing;
                cable.send_octets(&octets);
                self.laws.modem_gets(number(modem), is_ready, "a script's words");
            }
            // No modem here minds a break.
            Output::SendBreak(_) => {}
            Output::ReadFile { modem, .. } => {
                let contents = Err("there are no files here".to_owned());
                self.bridge.handle_input(self.now, Input::FileContents { modem, contents });
            }
            Output::RunCommand { modem, command } => self.run_command(number(modem), command),
            Output::StopCommand(modem) => self.cables[number(modem)].command = None,
            Output::StartFraming { modem, octets } => {
                let cable = &mut self.cables[number(modem)];
                let is_open = cable.is_open;
                cable.start_framing();
                self.laws.modem_gets(number(modem), is_open, "a call");
                self.leftover = Some((number(modem), octets));
            }
            Output::SetLine { modem, line } => self.cables[number(modem)].set_line(line),
            Output::InstallSession(route) => {
                // A session that is installed again goes on.
                let before = self.table.by_modem(route.modem).map(|before| before.session_id);
                if before != Some(route.session_id) {
                    self.cables[number(route.modem)].traffic = Traffic::default();
                }
                self.table.install(route);
            }
            Output::RemoveSession(modem) => {
                self.table.remove(modem);
            }
            Output::SendToModem { modem, ppp } => self.send_to_modem(number(modem), ppp),
            Output::SendToHost { modem, ppp } => self.send_to_host(number(modem), ppp),
            Output::HangUpModem(modem) => {
                self.cables[number(modem)].hang_up(self.now);
                self.laws.hung_up(number(modem));
                self.note(Who::Bridge, What::HungUp(number(modem)));
            }
            Output::RaiseDtr(modem) => {
                self.cables[number(modem)].raise_dtr(self.now);
                self.laws.raised(number(modem), self.state(number(modem)));
                self.note(Who::Bridge, What::DtrRaised(number(modem)));
            }
            Output::ReadTraffic(modem) => {
                let traffic = self.cables[number(modem)].traffic;
                self.bridge.handle_input(self.now, Input::Traffic { modem, traffic });
            }
            Output::CloseModem(modem) => {
                self.cables[number(modem)].close(self.now);
                self.laws.closed(number(modem));
                self.note(Who::Bridge, What::Closed(number(modem)));
                // A tty that was only hung up is still there.
                self.look_for_modem(number(modem));
            }
            Output::Event(event) => self.report(event),
        }
    }

    fn report(&mut self, event: Event) {
        if let Event::Discarded { reason, .. } | Event::DiscardedLcp { reason, .. } = event {
            self.discard(reason);
        }
        self.laws.event(&event);
        self.note(Who::Bridge, What::Event(event));
    }

    fn open_modem(&mut self, modem: usize) {
        self.note(Who::Bridge, What::Opened(modem));
        match self.open_times.get(modem).copied().filter(|time| !time.is_zero()) {
            Some(time) => self.timers.push((self.now + time, Timer::ModemOpened(modem))),
            None => self.finish_open(modem),
        }
    }

    pub(super) fn finish_open(&mut self, modem: usize) {
        // Whoever wanted it may have lost it meanwhile.
        if self.state(modem) != ModemState::Opening {
            return;
        }
        let id = modem_id(modem);
        if self.cables[modem].open(self.now) {
            self.laws.opened(modem);
            self.input(Input::ModemOpened { modem: id });
        } else {
            let detail = format!("cannot open /dev/ttyUSB{modem}: no such device");
            let why = OpenFailure { problem: OpenProblem::Missing, detail };
            self.input(Input::ModemOpenFailed { modem: id, why });
        }
    }

    /// The program that connects dials; the one that rescues switches the modem off and on.
    fn run_command(&mut self, modem: usize, command: ModemCommand) {
        match command {
            ModemCommand::Connect => {
                let cable = &mut self.cables[modem];
                cable.command = Some(Vec::new());
                cable.modem.handle_octets(self.now, b"ATE0DT555\r");
            }
            ModemCommand::Rescue => {
                let seed = self.prng.next_u64();
                self.cables[modem].cycle_power(seed);
                let modem = modem_id(modem);
                self.bridge.handle_input(self.now, Input::CommandSucceeded { modem });
            }
        }
    }

    fn send_to_modem(&mut self, modem: usize, ppp: Vec<u8>) {
        let cable = &mut self.cables[modem];
        let is_ready = cable.is_open && cable.is_framing;
        // A full line may lose even LCP; it must not be sent to one that does not listen.
        cable.send_lcp(&ppp);
        self.laws.modem_gets(modem, is_ready, "LCP");
        self.note(Who::Bridge, What::Lcp { direction: Direction::HostToModem, modem, ppp });
    }

    fn send_to_host(&mut self, modem: usize, ppp: Vec<u8>) {
        let Some(route) = self.table.by_modem(modem_id(modem)) else {
            return self.laws.nobody_gets(modem);
        };
        let length = u16::try_from(ppp.len()).expect("no longer than a frame");
        let mut frame = route.header().for_payload(length).to_vec();
        frame.extend_from_slice(&ppp);
        self.note(Who::Bridge, What::Lcp { direction: Direction::ModemToHost, modem, ppp });
        self.transmit(&frame);
    }

    /// Puts a frame on the Ethernet.
    pub(super) fn transmit(&mut self, frame: &[u8]) {
        self.laws.sent(frame);
        if frame[12..14] == ETHERTYPE_DISCOVERY.to_be_bytes() {
            self.note(Who::Bridge, What::Discovery(frame.to_vec()));
        }
        if let Some(address) = self.address {
            self.segment.send(self.now, address, frame);
        }
    }
}

fn number(modem: ModemId) -> usize {
    usize::from(modem.0)
}

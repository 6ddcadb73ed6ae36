//! What comes in, and where it goes: what the daemon's event loop does with sockets and ttys.

use bridge_proto::bridge::Input;
use bridge_proto::discard::DiscardReason;
use bridge_proto::forward::{self, ToHost, ToModem};
use bridge_proto::modem::NoCarrier;
use bridge_proto::wire::ethernet::MacAddr;

use super::config::modem_id;
use super::{INTERFACE, LOOK_AGAIN, Timer, What, Who, World};
use crate::host::HostOutput;
use crate::modem::ModemOutput;
use crate::pppoe::{ETHERTYPE_DISCOVERY, Mac, PADR, Packet};
use crate::segment::Delivery;

impl World {
    /// Hands an input to the bridge and carries out what comes of it.
    pub(super) fn input(&mut self, input: Input<'_>) {
        self.bridge.handle_input(self.now, input);
        self.carry_out();
    }

    pub(super) fn listen_to_host(&mut self, host: usize) -> bool {
        let mut moved = false;
        while let Some(output) = self.hosts[host].poll_output() {
            moved = true;
            match output {
                HostOutput::Event(event) => self.note(Who::Host(host), What::Host(event)),
                HostOutput::Frame(frame) => {
                    if frame[12..14] == ETHERTYPE_DISCOVERY.to_be_bytes() {
                        self.note(Who::Host(host), What::Discovery(frame.clone()));
                    }
                    let mac = self.hosts[host].mac();
                    self.segment.send(self.now, mac, &frame);
                }
            }
        }
        moved
    }

    pub(super) fn deliver(&mut self, delivery: &Delivery) {
        if Some(delivery.to) == self.address {
            return self.receive(&delivery.frame);
        }
        if let Some(host) = self.hosts.iter().position(|host| host.mac() == delivery.to) {
            self.hosts[host].handle_frame(self.now, &delivery.frame);
        }
    }

    /// A frame at the bridge's interface. Damage may have made it one that no socket of ours would get.
    fn receive(&mut self, frame: &[u8]) {
        let Some(address) = self.address else { return };
        let (Some(destination), Some(ether_type)) = (frame.get(..6), frame.get(12..14)) else { return };
        if destination != address.0 && destination != Mac::BROADCAST.0 {
            return self.discard(DiscardReason::NotForUs);
        }
        match ether_type {
            [0x88, 0x63] => {
                if let Some(packet) = Packet::parse(frame).filter(|packet| packet.code == PADR) {
                    self.laws.padr(self.now, packet.source);
                }
                self.input(Input::Discovery { interface: INTERFACE, frame });
                self.laws.padr_taken();
            }
            [0x88, 0x64] => self.receive_session(frame),
            _ => {}
        }
    }

    fn receive_session(&mut self, frame: &[u8]) {
        match forward::host_to_modem(INTERFACE, frame, &self.table) {
            Ok(ToModem::Data { modem, ppp }) => {
                if !self.cables[usize::from(modem.0)].send(ppp) {
                    self.discard(DiscardReason::ModemBacklog);
                }
            }
            Ok(ToModem::Lcp { modem, ppp }) => self.input(Input::HostLcp { modem, ppp }),
            Err(reason) => {
                self.discard(reason);
                if reason == DiscardReason::UnknownSession
                    && let Some(address) = self.address
                    && let Some((source, session_id)) = forward::stray_sender(frame, MacAddr(address.0))
                {
                    self.input(Input::StraySession { interface: INTERFACE, source, session_id });
                }
            }
        }
    }

    pub(super) fn listen_to_modem(&mut self, modem: usize) -> bool {
        let mut moved = false;
        while let Some(output) = self.cables[modem].modem.poll_output() {
            moved = true;
            if !self.cables[modem].is_plugged {
                continue;
            }
            match output {
                ModemOutput::Event(event) => self.note(Who::Modem(modem), What::Modem(event)),
                ModemOutput::Octets(octets) => self.hear(modem, &octets),
                ModemOutput::Dcd(is_on) => {
                    if self.cables[modem].carrier(is_on) {
                        self.tty_failed(modem, "the tty was hung up");
                    }
                }
            }
        }
        moved
    }

    /// Octets from a modem: its device keeps none while it is closed.
    pub(super) fn hear(&mut self, modem: usize, octets: &[u8]) {
        let cable = &mut self.cables[modem];
        if !cable.is_open {
            return;
        }
        if let Some(heard) = &mut cable.command {
            heard.extend_from_slice(octets);
            return self.listen_to_command(modem);
        }
        if cable.is_framing {
            self.deliver_frames(modem, octets);
        } else {
            self.input(Input::ModemOctets { modem: modem_id(modem), octets });
        }
    }

    pub(super) fn deliver_frames(&mut self, modem: usize, mut octets: &[u8]) {
        let id = modem_id(modem);
        loop {
            let cable = &mut self.cables[modem];
            let Some(result) = cable.deframer.next_frame(&mut octets) else { break };
            let frame = match result {
                Ok(frame) => frame,
                Err(bad) => {
                    (0..bad.count).for_each(|_| self.discard(bad.error.into()));
                    continue;
                }
            };
            match forward::modem_to_host(id, frame.ppp(), &self.table) {
                Ok(ToHost::Data { header, .. }) => {
                    let length = u16::try_from(frame.ppp().len()).expect("no longer than a frame");
                    cable.traffic.modem_frames += 1;
                    cable.traffic.modem_octets += u64::from(length);
                    let octets = frame.prepend(&header.for_payload(length)).to_vec();
                    self.transmit(&octets);
                }
                Ok(ToHost::Lcp) => {
                    let ppp = frame.ppp().to_vec();
                    self.input(Input::ModemLcp { modem: id, ppp: &ppp });
                }
                Err(reason) => self.discard(reason),
            }
        }
        let cable = &mut self.cables[modem];
        if cable.hear_no_carrier() == NoCarrier::Said {
            cable.deframer.reset();
            self.input(Input::NoCarrier { modem: id });
        }
    }

    /// The end of the connect command: it has heard enough.
    fn listen_to_command(&mut self, modem: usize) {
        let cable = &mut self.cables[modem];
        let heard = cable.command.clone().unwrap_or_default();
        let says = |words: &str| heard.windows(words.len()).any(|window| window == words.as_bytes());
        let end = ["BUSY", "NO CARRIER", "NO DIALTONE", "ERROR"].into_iter().find(|words| says(words));
        if let Some(words) = end {
            cable.command = None;
            let why = format!("the connect command heard {words}");
            self.input(Input::CommandFailed { modem: modem_id(modem), why });
        } else if says("CONNECT\r\n") {
            cable.command = None;
            self.input(Input::CommandSucceeded { modem: modem_id(modem) });
        }
    }

    pub(super) fn tty_failed(&mut self, modem: usize, why: &str) {
        self.laws.lost(modem);
        self.input(Input::ModemFailed { modem: modem_id(modem), why: why.to_owned() });
    }

    pub(super) fn look_for_modem(&mut self, modem: usize) {
        if self.cables[modem].is_plugged {
            self.bridge.handle_input(self.now, Input::ModemAppeared { modem: modem_id(modem) });
            self.carry_out();
        } else if !self.timers.iter().any(|(_, timer)| *timer == Timer::LookForModem(modem)) {
            self.timers.push((self.now + LOOK_AGAIN, Timer::LookForModem(modem)));
        }
    }

    pub(super) fn discard(&mut self, reason: DiscardReason) {
        self.discards[reason.index()] += 1;
    }
}

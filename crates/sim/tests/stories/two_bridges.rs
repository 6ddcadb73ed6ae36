//! Two bridges on one segment back each other up: one holds its offers back, so a host comes to it only when the other
//! has none to make.

use std::collections::VecDeque;
use std::time::Duration;

use bridge_proto::bridge::{Bridge, DialMethod, Input, OfferDelay, Output, Seed};
use bridge_proto::id::{InterfaceId, ModemId};
use bridge_proto::time::Instant;
use bridge_proto::wire::ethernet::MacAddr;
use bridge_sim::host::profile::PPPD;
use bridge_sim::host::{Host, HostConfig, HostEvent, HostOutput};
use bridge_sim::modem::DialResult;
use bridge_sim::world::{WorldConfig, host_mac};

use crate::told::{modem, secs};

const HELD_BACK: Duration = Duration::from_millis(500);
const MODEM: ModemId = ModemId(0);
const INTERFACE: InterfaceId = InterfaceId(0);

/// A bridge whose modem is connected by a program, at once.
struct Station {
    mac: MacAddr,
    bridge: Bridge,
    has_session: bool,
}

impl Station {
    fn new(number: u8, delay: Duration) -> Self {
        let mut config = WorldConfig::pair(PPPD, modem(1, &[DialResult::Connect])).bridge();
        config.services[0].delay = OfferDelay { fixed: delay, per_session: Duration::ZERO };
        config.modems[0].dial = DialMethod::Command(secs(60));
        let mut station = Self {
            mac: MacAddr([2, 0, 0, 0, 0xac, number]),
            bridge: Bridge::new(config, Seed([number; 32])),
            has_session: false,
        };
        let interface = Input::InterfaceUp { interface: INTERFACE, mac: station.mac, mtu: 1500 };
        assert!(station.tell(Instant::ZERO, interface).is_empty());
        assert!(station.tell(Instant::ZERO, Input::ModemAppeared { modem: MODEM }).is_empty());
        station
    }

    /// What it sends because of this.
    fn tell(&mut self, now: Instant, input: Input<'_>) -> Vec<Vec<u8>> {
        self.bridge.handle_input(now, input);
        self.carry_out(now)
    }

    fn carry_out(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let mut sent = Vec::new();
        while let Some(output) = self.bridge.poll_output() {
            match output {
                Output::SendDiscovery { frame, .. } => sent.push(frame),
                Output::OpenModem(modem) => self.bridge.handle_input(now, Input::ModemOpened { modem }),
                Output::RunCommand { modem, .. } => {
                    self.bridge.handle_input(now, Input::CommandSucceeded { modem });
                }
                Output::InstallSession(_) => self.has_session = true,
                Output::RemoveSession(_) => self.has_session = false,
                _ => {}
            }
        }
        sent
    }
}

/// Two stations and a host on a wire without delay.
struct Segment {
    now: Instant,
    stations: [Station; 2],
    host: Host,
    wire: VecDeque<Vec<u8>>,
}

impl Segment {
    /// Until the host has a session; gives the number of the station that has it, too.
    fn run_until_session(&mut self, within: Duration) -> usize {
        let end = self.now + within;
        loop {
            while let Some(output) = self.host.poll_output() {
                match output {
                    HostOutput::Frame(frame) => self.wire.push_back(frame),
                    HostOutput::Event(HostEvent::SessionOpened { .. }) => {
                        return self.stations.iter().position(|station| station.has_session).unwrap();
                    }
                    HostOutput::Event(_) => {}
                }
            }
            if let Some(frame) = self.wire.pop_front() {
                self.deliver(&frame);
                continue;
            }
            let timeouts = self.stations.iter().map(|station| station.bridge.poll_timeout());
            let next = timeouts.chain([self.host.poll_timeout()]).flatten().min().unwrap();
            assert!(next <= end, "no session within {within:?}");
            self.now = self.now.max(next);
            self.host.handle_timeout(self.now);
            for station in &mut self.stations {
                station.bridge.handle_timeout(self.now);
                self.wire.extend(station.carry_out(self.now));
            }
        }
    }

    /// To everybody: each looks at the address, and the bridges take discovery only.
    fn deliver(&mut self, frame: &[u8]) {
        if frame[..6] == self.host.mac().0 {
            return self.host.handle_frame(self.now, frame);
        }
        for station in &mut self.stations {
            let is_for_it = frame[..6] == station.mac.0 || frame[..6] == [0xff; 6];
            if is_for_it && frame[12..14] == [0x88, 0x63] {
                self.wire.extend(station.tell(self.now, Input::Discovery { interface: INTERFACE, frame }));
            }
        }
    }
}

#[test]
fn a_host_whose_bridge_loses_its_modem_comes_back_through_the_other() {
    let stations = [Station::new(1, Duration::ZERO), Station::new(2, HELD_BACK)];
    let host = Host::new(HostConfig::new(host_mac(0), PPPD), 1);
    let mut segment = Segment { now: Instant::from_millis(1000), stations, host, wire: VecDeque::new() };
    segment.host.start(segment.now);
    assert_eq!(segment.run_until_session(secs(5)), 0, "the one that does not hold back is preferred");

    let gone = segment.stations[0].tell(segment.now, Input::ModemVanished { modem: MODEM });
    segment.wire.extend(gone);
    assert_eq!(segment.run_until_session(secs(10)), 1);
}

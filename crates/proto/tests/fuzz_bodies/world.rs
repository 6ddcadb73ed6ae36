//! What is around a bridge, reduced to what its outputs may and may not do there.

use bridge_proto::bridge::{Bridge, Input, Output, Traffic};
use bridge_proto::forward::Route;
use bridge_proto::id::{InterfaceId, ModemId};
use bridge_proto::time::Instant;
use bridge_proto::wire::discovery::{Code, DiscoveryPacket};
use bridge_proto::wire::ethernet::MacAddr;
use bridge_proto::wire::tag::TagType;
use std::collections::{BTreeMap, BTreeSet};

/// A bridge, and what its outputs have made of the outside so far.
pub struct World {
    pub bridge: Bridge,
    pub now: Instant,
    /// Address and MTU of the interfaces that are up.
    pub up: BTreeMap<InterfaceId, (MacAddr, u16)>,
    /// The largest MTU that interfaces ever had.
    pub largest: BTreeMap<InterfaceId, u16>,
    /// Addresses that interfaces had before.
    pub before: BTreeSet<MacAddr>,
    pub ports: BTreeMap<ModemId, Port>,
    /// Modems that are not wanted any more.
    pub removed: BTreeSet<ModemId>,
    /// What has passed through the sessions.
    pub traffic: u64,
    /// The sessions whose frames are forwarded.
    pub routes: BTreeMap<ModemId, Route>,
    /// The newest cookie of each host.
    pub cookies: BTreeMap<(InterfaceId, MacAddr), Vec<u8>>,
    /// The newest frame for the host and for the modem of each session.
    pub heard: BTreeMap<(ModemId, Toward), Vec<u8>>,
}

/// A modem's device as the bridge has asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    Closed,
    /// To be opened.
    Wanted,
    Open,
    /// Open, and what it says is frames.
    Framing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Toward {
    Host,
    Modem,
}

/// More outputs than any one thing that happens has for consequence.
const MAX_OUTPUTS: usize = 256;

/// More timeouts than can be due at one time: a script may have so many steps that take no time.
const MAX_TIMEOUTS: usize = 1000;

impl World {
    pub fn new(bridge: Bridge, modems: u16) -> Self {
        Self {
            bridge,
            now: Instant::from_millis(1000),
            up: BTreeMap::new(),
            largest: BTreeMap::new(),
            before: BTreeSet::new(),
            traffic: 0,
            removed: BTreeSet::new(),
            ports: (0..modems).map(|modem| (ModemId(modem), Port::Closed)).collect(),
            routes: BTreeMap::new(),
            cookies: BTreeMap::new(),
            heard: BTreeMap::new(),
        }
    }

    /// Something happens, and its consequences.
    pub fn happens(&mut self, input: Input<'_>) {
        match &input {
            Input::InterfaceUp { interface, mac, mtu } if interface.0 < 2 => {
                let largest = self.largest.entry(*interface).or_default();
                *largest = (*largest).max(*mtu);
                if let Some((before, _)) = self.up.insert(*interface, (*mac, *mtu)) {
                    self.before.insert(before);
                }
            }
            Input::ModemOpened { modem } => {
                if let Some(port) = self.ports.get_mut(modem)
                    && *port == Port::Wanted
                {
                    *port = Port::Open;
                }
            }
            Input::ModemOpenFailed { modem, .. } => {
                if let Some(port) = self.ports.get_mut(modem)
                    && *port == Port::Wanted
                {
                    *port = Port::Closed;
                }
            }
            _ => {}
        }
        let down = if let Input::InterfaceDown { interface } = &input { Some(*interface) } else { None };
        self.bridge.handle_input(self.now, input);
        self.drain();
        if let Some(interface) = down {
            self.up.remove(&interface);
        }
    }

    /// Time passes, and what falls due in it happens when it is due.
    pub fn pass_until(&mut self, then: Instant) {
        let mut at_once = 0;
        while let Some(due) = self.bridge.poll_timeout().filter(|due| *due <= then) {
            at_once = if due > self.now { 0 } else { at_once + 1 };
            assert!(at_once < MAX_TIMEOUTS, "a timeout that stays due");
            self.now = self.now.max(due);
            self.bridge.handle_timeout(self.now);
            self.drain();
        }
        self.now = then;
        // An early or extra call does nothing.
        self.bridge.handle_timeout(self.now);
        assert!(self.bridge.poll_output().is_none(), "nothing was due");
    }

    fn drain(&mut self) {
        for count in 0.. {
            let Some(output) = self.bridge.poll_output() else { return };
            assert!(count < MAX_OUTPUTS, "too many outputs, now {output:?}");
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::SendDiscovery { interface, frame } => self.send_discovery(interface, &frame),
            Output::OpenModem(modem) => {
                assert_eq!(self.ports[&modem], Port::Closed);
                assert!(!self.removed.contains(&modem), "{modem} is not wanted");
                self.ports.insert(modem, Port::Wanted);
            }
            Output::CloseModem(modem) => {
                // A device that is lost twice is closed twice, which does no harm.
                self.ports.insert(modem, Port::Closed);
            }
            Output::StartFraming { modem, .. } => {
                assert_eq!(self.ports[&modem], Port::Open);
                self.ports.insert(modem, Port::Framing);
            }
            Output::WriteModem { modem, .. }
            | Output::RunCommand { modem, .. }
            | Output::SendBreak(modem) => {
                assert_eq!(self.ports[&modem], Port::Open);
            }
            Output::SetLine { modem, .. } => assert_eq!(self.ports[&modem], Port::Framing),
            Output::SendToModem { modem, ppp } => {
                assert_eq!(self.ports[&modem], Port::Framing);
                self.heard.insert((modem, Toward::Modem), ppp);
            }
            Output::InstallSession(route) => self.install(route),
            Output::RemoveSession(modem) => {
                assert!(self.routes.remove(&modem).is_some(), "{modem} has no session");
            }
            Output::SendToHost { modem, ppp } => {
                assert!(self.routes.contains_key(&modem), "{modem} has no session");
                self.heard.insert((modem, Toward::Host), ppp);
            }
            Output::HangUpModem(modem) if self.ports[&modem] == Port::Framing => {
                self.ports.insert(modem, Port::Open);
            }
            Output::ReadTraffic(modem) => {
                assert!(self.routes.contains_key(&modem), "{modem} has no session");
                // Every third answer says that nothing new has passed.
                self.traffic += u64::from(!self.now.as_micros().is_multiple_of(3));
                let (host_frames, modem_frames) = (self.traffic, self.traffic / 2);
                let (host_octets, modem_octets) = (host_frames * 100, modem_frames * 100);
                let traffic = Traffic { host_frames, modem_frames, host_octets, modem_octets };
                self.bridge.handle_input(self.now, Input::Traffic { modem, traffic });
            }
            // Nothing was promised of the others; new ones may come.
            _ => {}
        }
    }

    fn install(&mut self, route: Route) {
        for (modem, other) in &self.routes {
            if *modem == route.modem {
                // Replaced, by the same session with something learned.
                assert_eq!((other.session_id, other.peer), (route.session_id, route.peer));
            } else {
                assert_ne!(other.session_id, route.session_id, "one number for two sessions");
            }
        }
        let (mac, mtu) = self.up[&route.interface];
        assert_eq!(route.local, mac);
        assert!(route.peer.is_unicast());
        assert!(route.max_information <= mtu.saturating_sub(8));
        assert!(!route.connected || self.ports[&route.modem] == Port::Framing);
        self.routes.insert(route.modem, route);
    }

    fn send_discovery(&mut self, interface: InterfaceId, frame: &[u8]) {
        let packet = DiscoveryPacket::parse(frame).unwrap();
        let (mac, _) = self.up[&interface];
        // What hung on an address that the interface had before is told from that address.
        assert!(packet.source == mac || (packet.code == Code::Padt && self.before.contains(&packet.source)));
        assert!(packet.destination.is_unicast());
        // Who has asked with long tags before the MTU shrank is answered with them, and the kernel drops that.
        let mtu = self.largest[&interface];
        assert!(packet.pppoe_octets <= usize::from(mtu), "{} octets", packet.pppoe_octets);
        let peer = (interface, packet.destination);
        match packet.code {
            Code::Pado => {
                let cookie = packet.tags.first(TagType::AcCookie).unwrap();
                self.cookies.insert(peer, cookie.to_vec());
            }
            Code::Pads if packet.session_id != 0 => {
                // The table is ready before the host may speak.
                let route = self.routes.values().find(|route| route.session_id.get() == packet.session_id);
                assert_eq!(route.map(|route| (route.interface, route.peer)), Some(peer));
            }
            Code::Pads => {}
            Code::Padt => {
                let is_its = |route: &&Route| {
                    (route.interface, route.peer, route.session_id.get())
                        == (peer.0, peer.1, packet.session_id)
                };
                assert!(self.routes.values().find(is_its).is_none(), "a PADT for a session that goes on");
            }
            other => panic!("we are no host, and send no {other}"),
        }
    }
}

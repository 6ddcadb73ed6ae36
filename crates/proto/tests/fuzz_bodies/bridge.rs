//! A bridge to which anything happens, in any order and at any time.

use super::choices::Choices;
use super::lcp::lcp_frame;
use super::reconfigure::Policy;
use super::world::{Port, Toward, World};
use bridge_proto::bridge::{
    Bridge, BridgeConfig, BusyPolicy, CallTiming, DialMethod, Input, InterfaceConfig, Limits, ModemConfig,
    OfferDelay, PoolPolicy, RescueConfig, RescueWhen, Seed, ServiceConfig, Traffic, WatchConfig,
};
use bridge_proto::chat::{ConversationOptions, Script};
use bridge_proto::discovery::{AcName, DiscoveryPolicy, ServiceName};
use bridge_proto::event::{OpenFailure, OpenProblem};
use bridge_proto::id::{InterfaceId, ModemId};
use bridge_proto::lcp::MediatorConfig;
use bridge_proto::modem::{BackoffConfig, BudgetConfig};
use bridge_proto::wire::discovery::{Code, SessionId};
use bridge_proto::wire::ethernet::MacAddr;
use bridge_proto::wire::tag::{TagType, TagWriter};
use std::sync::Arc;
use std::time::Duration;

const MODEMS: u16 = 3;
const INTERFACES: u16 = 2;

/// How long the bridge may take to say goodbye to all.
const PATIENCE: Duration = Duration::from_secs(30);

/// Anything happens, then the bridge is shut down, then anything happens again while it finishes.
pub fn bridge(octets: &[u8]) {
    let mut choices = Choices::new(octets);
    let config = config(&mut choices);
    let mut policy = Policy::new(config.clone());
    let mut world = World::new(Bridge::new(config, Seed(choices.array())), MODEMS);
    // A world in which nothing is there is of little interest.
    for interface in 0..INTERFACES {
        let mac = MacAddr([2, 0, 0, 0, 1, interface as u8]);
        world.happens(Input::InterfaceUp { interface: InterfaceId(interface), mac, mtu: 1500 });
    }
    for modem in 0..MODEMS {
        world.happens(Input::ModemAppeared { modem: ModemId(modem) });
    }
    let mut finished_by = None;
    while !choices.is_over() {
        let then = match choices.below(8) {
            0..=3 => world.now,
            4 => world.bridge.poll_timeout().unwrap_or(world.now),
            _ => world.now + choices.duration(),
        };
        let then = finished_by.map_or(then, |end| then.min(end));
        world.pass_until(then.max(world.now));
        if finished_by.is_none() && choices.octet() == 0xff {
            finished_by = Some(world.now + PATIENCE);
            world.happens(Input::Shutdown);
        }
        happen(&mut world, &mut policy, &mut choices);
    }
    let end = finished_by.unwrap_or_else(|| {
        world.happens(Input::Shutdown);
        world.now + PATIENCE
    });
    world.pass_until(end);
    assert!(world.bridge.is_finished(), "{:?} {:?}", world.ports, world.bridge);
    assert!(world.routes.is_empty(), "{:?}", world.routes);
    assert!(world.ports.values().all(|port| *port == Port::Closed), "{:?}", world.ports);
}

fn config(choices: &mut Choices<'_>) -> BridgeConfig {
    const SCRIPTS: [&[u8]; 4] = [
        b"ABORT BUSY TIMEOUT 5 '' ATD CONNECT ''",
        b"ABORT 'NO CARRIER' ECHO ON REPORT CONNECT '' AT\\d\\p OK-+++\\c-OK ATDT CONNECT '\\c'",
        b"",
        b"'' @/etc/number SAY dialing HANGUP OFF '' \\K CONNECT",
    ];
    let first_script = || (Arc::new(Script::parse(SCRIPTS[0]).unwrap()), ConversationOptions::default());
    let modem = |dial, choices: &mut Choices<'_>| ModemConfig {
        dial,
        mediator: MediatorConfig::default(),
        backoff: BackoffConfig::default(),
        timing: choices.one_of(&[
            CallTiming::default(),
            CallTiming { answer_by: Duration::ZERO, warm: Duration::ZERO, ..CallTiming::default() },
            CallTiming { on_hook: Duration::ZERO, restart: Duration::ZERO, ..CallTiming::default() },
        ]),
        watch: choices.one_of(&[
            WatchConfig::default(),
            WatchConfig { silence: None, ..WatchConfig::default() },
            WatchConfig { idle: Some(Duration::from_secs(20)), questions: 0, ..WatchConfig::default() },
        ]),
        budget: choices.one_of(&[
            BudgetConfig::default(),
            BudgetConfig { dials_per_hour: Some(2), octets_per_month: Some(1000), ..BudgetConfig::default() },
            BudgetConfig { online_per_day: Some(Duration::from_secs(5)), ..BudgetConfig::default() },
        ]),
        hang_up: choices.flag().then(first_script),
        rescue: RescueConfig {
            when: choices.one_of(&[RescueWhen::Never, RescueWhen::Suspicion, RescueWhen::Always]),
            reset: choices.flag().then(first_script),
            command: choices.flag(),
        },
        is_deaf: choices.flag(),
    };
    let scripted = |choices: &mut Choices<'_>| {
        let script = Arc::new(Script::parse(choices.one_of(&SCRIPTS)).unwrap());
        modem(DialMethod::Script(script, ConversationOptions::default()), choices)
    };
    let modems = vec![
        scripted(choices),
        scripted(choices),
        modem(DialMethod::Command(Duration::from_secs(20)), choices),
    ];
    let mut service = |name: &[u8], modems: &[u16]| {
        let modems = modems.iter().map(|modem| ModemId(*modem)).collect();
        ServiceConfig {
            pool: choices.one_of(&[
                PoolPolicy::FirstFree,
                PoolPolicy::RoundRobin,
                PoolPolicy::LeastRecentlyFailed,
                PoolPolicy::Sticky,
            ]),
            when_busy: choices.one_of(&[BusyPolicy::Refuse, BusyPolicy::Replace]),
            sessions: choices.one_of(&[usize::MAX, 1]),
            delay: choices.one_of(&[
                OfferDelay::default(),
                OfferDelay { fixed: Duration::from_secs(1), per_session: Duration::from_secs(2) },
            ]),
            ..ServiceConfig::new(ServiceName::parse(name).unwrap(), modems)
        }
    };
    let services = vec![service(b"lte", &[0, 1]), service(b"gsm", &[1, 2])];
    let interface = |_| InterfaceConfig::new(AcName::parse("bridge").unwrap(), vec![0, 1]);
    BridgeConfig {
        discovery: DiscoveryPolicy::default(),
        limits: Limits::default(),
        interfaces: (0..INTERFACES).map(interface).collect(),
        services,
        modems,
    }
}

fn happen(world: &mut World, policy: &mut Policy, choices: &mut Choices<'_>) {
    // One more than there are, now and then.
    let modem = ModemId(choices.below(16) as u16 % (world.ports.len() as u16 + 1));
    let interface = InterfaceId(if choices.octet() < 8 { INTERFACES } else { u16::from(choices.flag()) });
    let why = || String::from("it did not\nwork");
    match choices.octet() {
        0..=79 => {
            let frame = discovery_frame(world, choices, interface);
            world.happens(Input::Discovery { interface, frame: &frame });
        }
        80..=119 => lcp(world, choices, modem, Toward::Modem),
        120..=159 => lcp(world, choices, modem, Toward::Host),
        160..=183 => answer_port(world, choices, modem),
        184..=199 => {
            let words = [&b"CONNECT\r\n"[..], b"OK\r\n", b"\r\nNO CARRIER\r\n", b"BUSY"];
            let octets = if choices.flag() { choices.one_of(&words) } else { choices.octets(40) };
            world.happens(Input::ModemOctets { modem, octets });
        }
        200..=207 => {
            let number = u64::from(choices.octet());
            let octets = number * 100;
            let traffic = Traffic {
                host_frames: number,
                modem_frames: number,
                host_octets: octets,
                modem_octets: octets,
            };
            world.happens(Input::Traffic { modem, traffic });
        }
        208..=214 => world.happens(Input::CommandSucceeded { modem }),
        215 | 216 => world.happens(Input::CommandFailed { modem, why: why() }),
        217..=219 => {
            let contents = if choices.flag() { Ok(choices.octets(20).to_vec()) } else { Err(why()) };
            world.happens(Input::FileContents { modem, contents });
        }
        220..=223 => world.happens(Input::NoCarrier { modem }),
        224..=227 => world.happens(Input::CarrierLost { modem }),
        228..=231 => world.happens(Input::ModemFailed { modem, why: why() }),
        232..=235 => world.happens(Input::ModemVanished { modem }),
        236..=241 => world.happens(Input::ModemAppeared { modem }),
        242..=244 => {
            let source = host(choices);
            world.happens(Input::StraySession { interface, source, session_id: unused_id(world, choices) });
        }
        245 | 246 => world.happens(Input::InterfaceDown { interface }),
        247..=250 => {
            let mac = MacAddr([2, 0, 0, 0, 1, choices.octet() % 4]);
            let mtu = choices.one_of(&[1500, 1500, 9000, 1492, 576]);
            world.happens(Input::InterfaceUp { interface, mac, mtu });
        }
        253..=255 => policy.reconfigure(world, choices),
        _ => {
            world.happens(Input::ModemOpened { modem });
        }
    }
}

/// Does what the bridge has asked for, one way or the other.
fn answer_port(world: &mut World, choices: &mut Choices<'_>, modem: ModemId) {
    let wanted = world.ports.iter().find(|(_, port)| **port == Port::Wanted).map(|(modem, _)| *modem);
    let modem = wanted.unwrap_or(modem);
    if choices.octet() < 224 {
        world.happens(Input::ModemOpened { modem });
    } else {
        let why = OpenFailure { problem: OpenProblem::Missing, detail: "no such device".into() };
        world.happens(Input::ModemOpenFailed { modem, why });
    }
}

fn lcp(world: &mut World, choices: &mut Choices<'_>, modem: ModemId, from: Toward) {
    let heard = world.heard.get(&(modem, from)).cloned().unwrap_or_default();
    let ppp = lcp_frame(choices, &heard);
    world.happens(match from {
        Toward::Host => Input::HostLcp { modem, ppp: &ppp },
        Toward::Modem => Input::ModemLcp { modem, ppp: &ppp },
    });
}

/// One of three hosts, the last of them impossible.
fn host(choices: &mut Choices<'_>) -> MacAddr {
    match choices.octet() {
        octet @ 0..250 => MacAddr([2, 0, 0, 0, 0, octet % 2]),
        _ => MacAddr::BROADCAST,
    }
}

/// A number that no session has: the data plane knows strays by that.
fn unused_id(world: &World, choices: &mut Choices<'_>) -> u16 {
    let id = choices.u16();
    if world.routes.values().any(|route| route.session_id.get() == id) { 0 } else { id }
}

/// A packet that a host could send, or something like it.
fn discovery_frame(world: &World, choices: &mut Choices<'_>, interface: InterfaceId) -> Vec<u8> {
    let source = host(choices);
    let us = world.up.get(&interface).map_or(MacAddr::BROADCAST, |(mac, _)| *mac);
    let code = choices.one_of(&[Code::Padi, Code::Padr, Code::Padr, Code::Padt, Code::Pads]);
    let destination = if code == Code::Padi { MacAddr::BROADCAST } else { us };
    let mut session_id = None;
    if code == Code::Padt {
        let nth = choices.below(4);
        session_id = world.routes.values().nth(nth).map(|route| route.session_id);
        session_id = session_id.or_else(|| SessionId::new(choices.u16()));
    }
    let mut writer = TagWriter::new(destination, source, code, session_id, 1500);
    let name = choices.one_of(&[&b""[..], b"", b"lte", b"gsm", b"none"]);
    let _ = writer.add(TagType::ServiceName, name);
    if let Some(cookie) = world.cookies.get(&(interface, source)) {
        let _ = writer.add(TagType::AcCookie, cookie);
    }
    if choices.flag() {
        let _ = writer.add(TagType::HostUniq, &[choices.octet() % 2]);
    }
    match choices.octet() {
        0..16 => drop(writer.add(TagType::RelaySessionId, choices.octets(12))),
        16..32 => drop(writer.add(TagType::PppMaxPayload, &choices.array::<2>())),
        32..40 => drop(writer.add(TagType::VendorSpecific, &vec![0; usize::from(choices.u16() % 1400)])),
        40..48 => drop(writer.add(TagType::HostUniq, &vec![1; usize::from(choices.u16() % 1400)])),
        _ => {}
    }
    let mut frame = writer.finish();
    if choices.octet() == 0 {
        let at = usize::from(choices.u16()) % frame.len();
        frame[at] ^= choices.octet();
    }
    frame
}

//! The order of goodbyes, by what ends a session and where it is: each told party is told in the order its
//! protocol wants, PADT is the last thing that the host hears, and then the modem goes on hook for long enough.

use std::sync::Arc;

use bridge_proto::bridge::Input;
use bridge_proto::chat::{ConversationOptions, Script, ScriptOptions};
use bridge_proto::event::{Direction, Event};
use bridge_proto::id::ModemId;
use bridge_proto::modem::ModemState;
use bridge_sim::host::profile::{ClientProfile, LWIP};
use bridge_sim::modem::DialResult;
use bridge_sim::pppoe::{ETHERTYPE_DISCOVERY, PADS, PADT, Packet};
use bridge_sim::world::{BRIDGE, Entry, What, World, WorldConfig, host_mac, is_up};

use crate::told::{ONCE, bring_up, millis, modem, opens, secs, until_state};

const TERMINATE_REQUEST: u8 = 5;
const TERMINATE_ACK: u8 = 6;

/// Where a session, or the wish for one, can be when something ends it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Opening,
    Dialing,
    EarlySession,
    OnlineBeforeLcp,
    LcpOpen,
    Terminating,
    HangingUp,
}

/// The goodbyes of each ending at each place. `host` and `modem` are Terminate-Requests to them, `host+` and
/// `modem+` Terminate-Acks; `refusal` is a PADS that says why not, `hook` is DTR, `close` the device.
#[rustfmt::skip]
const TABLE: &[(Place, &str, &str)] = &[
    (Place::Opening, "host's PADT", "-"),
    (Place::Opening, "unplugged", "refusal close"),
    (Place::Opening, "interface down", "hook close"),
    (Place::Opening, "SIGTERM", "refusal hook close"),
    (Place::Dialing, "host's PADT", "-"),
    (Place::Dialing, "NO CARRIER", "-"),
    (Place::Dialing, "carrier lost", "-"),
    (Place::Dialing, "tty fails", "refusal hook close"),
    (Place::Dialing, "unplugged", "refusal hook close"),
    (Place::Dialing, "interface down", "hook close"),
    (Place::Dialing, "SIGTERM", "refusal hook close"),
    (Place::EarlySession, "host's PADT", "-"),
    (Place::EarlySession, "host terminates", "host+ padt"),
    (Place::EarlySession, "tty fails", "padt hook close"),
    (Place::EarlySession, "unplugged", "padt hook close"),
    (Place::EarlySession, "interface down", "padt hook close"),
    (Place::EarlySession, "SIGTERM", "padt hook close"),
    (Place::OnlineBeforeLcp, "host's PADT", "-"),
    (Place::OnlineBeforeLcp, "NO CARRIER", "padt hook close"),
    (Place::OnlineBeforeLcp, "carrier lost", "padt hook close"),
    (Place::OnlineBeforeLcp, "tty fails", "close padt"),
    (Place::OnlineBeforeLcp, "unplugged", "close padt"),
    (Place::OnlineBeforeLcp, "idle", "padt hook close"),
    (Place::OnlineBeforeLcp, "budget", "padt hook close"),
    (Place::OnlineBeforeLcp, "interface down", "padt hook close"),
    (Place::OnlineBeforeLcp, "SIGTERM", "padt hook close"),
    (Place::LcpOpen, "host's PADT", "modem hook close"),
    (Place::LcpOpen, "host terminates", "modem host+ hook close"),
    (Place::LcpOpen, "far end terminates", "host modem+ padt hook close"),
    (Place::LcpOpen, "NO CARRIER", "host padt hook close"),
    (Place::LcpOpen, "carrier lost", "host padt hook close"),
    (Place::LcpOpen, "tty fails", "close host padt"),
    (Place::LcpOpen, "unplugged", "close host padt"),
    (Place::LcpOpen, "host dies", "modem padt hook close"),
    (Place::LcpOpen, "idle", "host modem padt hook close"),
    (Place::LcpOpen, "budget", "host modem padt hook close"),
    (Place::LcpOpen, "interface down", "modem padt hook close"),
    (Place::LcpOpen, "SIGTERM", "host modem padt hook close"),
    (Place::Terminating, "host's PADT", "hook close"),
    (Place::Terminating, "NO CARRIER", "padt hook close"),
    (Place::Terminating, "carrier lost", "padt hook close"),
    (Place::Terminating, "tty fails", "close padt"),
    (Place::Terminating, "unplugged", "close padt"),
    (Place::Terminating, "interface down", "padt hook close"),
    (Place::Terminating, "SIGTERM", "padt hook close"),
    (Place::HangingUp, "NO CARRIER", "close"),
    (Place::HangingUp, "carrier lost", "close"),
    (Place::HangingUp, "tty fails", "close"),
    (Place::HangingUp, "unplugged", "close"),
    (Place::HangingUp, "interface down", "close"),
    (Place::HangingUp, "SIGTERM", "close"),
];

fn world_at(place: Place, ending: &str) -> World {
    let mut setup = modem(10, &[DialResult::Connect]);
    // Neither the modem's own lines nor its words shall end what the story wants to end.
    setup.modem.faults.has_no_dcd = true;
    setup.modem.faults.is_silent_at_hang_up = true;
    setup.bridge.watch.idle = (ending == "idle").then(|| secs(20));
    setup.bridge.budget.online_per_day = (ending == "budget").then(|| secs(20));
    if place == Place::OnlineBeforeLcp {
        setup.modem.listens_after = secs(300);
    }
    let mut world = World::new(WorldConfig::pair(ONCE, setup));
    if place == Place::Opening {
        world.open_takes(0, secs(2));
    }
    match place {
        Place::Opening | Place::Dialing => {
            world.start(0);
            world.run_for(secs(1));
        }
        Place::EarlySession => {
            world.start(0);
            world.run_until(secs(8), opens);
            world.run_for(millis(100));
        }
        Place::OnlineBeforeLcp => {
            world.start(0);
            until_state(&mut world, 0, ModemState::Online);
            world.run_for(millis(100));
        }
        Place::LcpOpen => bring_up(&mut world, 0),
        // Its host is gone by then, so nobody hurries the bridge.
        Place::Terminating => {
            bring_up(&mut world, 0);
            world.stop(0);
            until_state(&mut world, 0, ModemState::Terminating);
            world.vanish(0);
        }
        Place::HangingUp => {
            bring_up(&mut world, 0);
            world.stop(0);
            until_state(&mut world, 0, ModemState::HangingUp);
        }
    }
    world
}

fn session_frame(world: &World, ethertype: u16, code: u8, payload: &[u8]) -> Vec<u8> {
    let session_id = world.table().iter().next().map_or(1, |route| route.session_id.get());
    Packet { destination: BRIDGE, source: host_mac(0), ethertype, code, session_id, payload }.emit()
}

fn happens(world: &mut World, place: Place, ending: &str) {
    let modem = ModemId(0);
    match ending {
        "host's PADT" => {
            let padt = session_frame(world, ETHERTYPE_DISCOVERY, PADT, &[]);
            world.vanish(0);
            world.inject(&padt);
        }
        "host terminates" if place == Place::EarlySession => {
            let lcp = [0xc0, 0x21, TERMINATE_REQUEST, 9, 0, 4];
            let frame = session_frame(world, bridge_sim::pppoe::ETHERTYPE_SESSION, 0, &lcp);
            world.inject(&frame);
        }
        "host terminates" => world.stop(0),
        "far end terminates" => world.terminate(0),
        "NO CARRIER" => world.tell(Input::NoCarrier { modem }),
        "carrier lost" => world.tell(Input::CarrierLost { modem }),
        "tty fails" => world.fail_tty(0),
        "unplugged" => world.unplug_loudly(0),
        "host dies" => world.vanish(0),
        "interface down" => world.interface_down(),
        "SIGTERM" => world.shut_down(),
        // These come by themselves.
        _ => {}
    }
}

fn goodbye(entry: &Entry) -> Option<&'static str> {
    let lcp = |toward, code| entry.lcp(toward).is_some_and(|ppp| ppp[2] == code);
    match &entry.what {
        What::Lcp { .. } if lcp(Direction::ModemToHost, TERMINATE_REQUEST) => Some("host"),
        What::Lcp { .. } if lcp(Direction::HostToModem, TERMINATE_REQUEST) => Some("modem"),
        What::Lcp { .. } if lcp(Direction::ModemToHost, TERMINATE_ACK) => Some("host+"),
        What::Lcp { .. } if lcp(Direction::HostToModem, TERMINATE_ACK) => Some("modem+"),
        What::HungUp(_) => Some("hook"),
        What::Closed(_) => Some("close"),
        What::Discovery(_) => entry.answer().and_then(|packet| match (packet.code, packet.session_id) {
            (PADT, _) => Some("padt"),
            (PADS, 0) => Some("refusal"),
            _ => None,
        }),
        _ => None,
    }
}

/// Each goodbye once, in order, up to the first close.
fn goodbyes(entries: &[Entry]) -> Vec<(&'static str, &Entry)> {
    let mut said: Vec<(&str, &Entry)> = Vec::new();
    for entry in entries {
        let Some(word) = goodbye(entry) else { continue };
        if !said.iter().any(|(before, _)| *before == word) {
            said.push((word, entry));
        }
    }
    said
}

#[test]
fn each_party_is_told_in_the_order_its_protocol_wants_whatever_ends_and_where() {
    let mut wrong = String::new();
    for (place, ending, expected) in TABLE {
        let mut world = world_at(*place, ending);
        let from = world.transcript().len();
        happens(&mut world, *place, ending);
        // Where no hook is expected the dial goes on; a watch takes its time.
        world.run_for(if expected.contains("close") { secs(60) } else { secs(1) });
        let said = goodbyes(&world.transcript()[from..]);
        let words: Vec<&str> = said.iter().map(|(word, _)| *word).collect();
        let told = if words.is_empty() { "-".to_owned() } else { words.join(" ") };
        if told != *expected {
            wrong += &format!("{place:?}, {ending}: {told}, not {expected}\n");
        }
        let at = |word: &str| said.iter().find(|(said, _)| *said == word).map(|(_, entry)| entry.at);
        if let (Some(first), Some(hook)) = (said.first(), at("hook"))
            && hook - first.1.at > secs(3) + millis(5)
        {
            wrong += &format!("{place:?}, {ending}: {:?} until on hook\n", hook - first.1.at);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_padt_is_the_last_thing_a_host_hears_of_its_session() {
    for (place, ending, expected) in TABLE.iter().filter(|(.., expected)| expected.contains("padt")) {
        let mut world = world_at(*place, ending);
        let from = world.transcript().len();
        happens(&mut world, *place, ending);
        world.run_for(secs(60));
        let entries = &world.transcript()[from..];
        let padt = entries.iter().position(|entry| goodbye(entry) == Some("padt")).expect(expected);
        let to_host = |entry: &Entry| entry.lcp(Direction::ModemToHost).is_some();
        assert!(!entries[padt..].iter().any(to_host), "{place:?}, {ending}");
    }
}

#[test]
fn dtr_is_low_for_a_second_before_the_modem_is_used_again() {
    for ending in ["host's PADT", "host terminates", "far end terminates", "NO CARRIER", "idle", "budget"] {
        let mut world = world_at(Place::LcpOpen, ending);
        happens(&mut world, Place::LcpOpen, ending);
        let hook = world.run_until(secs(60), |entry| matches!(entry.what, What::HungUp(_)));
        let close = world.run_until(secs(5), |entry| matches!(entry.what, What::Closed(_)));
        assert!(close.at - hook.at >= secs(1), "{ending}: {close}");
    }
}

#[test]
fn parties_that_do_not_answer_delay_the_hook_by_one_restart_time() {
    for ending in ["idle", "SIGTERM"] {
        let mut world = world_at(Place::LcpOpen, ending);
        let silent = |ending: &str, world: &mut World| {
            if ending == "idle" {
                world.run_for(secs(14));
            }
            world.vanish(0);
        };
        silent(ending, &mut world);
        let from = world.transcript().len();
        happens(&mut world, Place::LcpOpen, ending);
        let first = world.run_until(secs(30), |entry| goodbye(entry) == Some("host"));
        let hook = world.run_until(secs(5), |entry| matches!(entry.what, What::HungUp(_)));
        assert_eq!(hook.at - first.at, secs(3), "{ending}");
        assert_eq!(world.count(from, |entry| goodbye(entry) == Some("host")), 1);
    }
}

#[test]
fn a_host_that_ignores_padts_is_ended_by_lcp() {
    for ending in ["NO CARRIER", "idle", "budget", "SIGTERM"] {
        let mut setup = modem(1, &[DialResult::Connect]);
        setup.bridge.watch.idle = (ending == "idle").then(|| secs(20));
        setup.bridge.budget.online_per_day = (ending == "budget").then(|| secs(20));
        let client = ClientProfile { redial: None, ..LWIP };
        let mut world = World::new(WorldConfig::pair(client, setup));
        bring_up(&mut world, 0);
        happens(&mut world, Place::LcpOpen, ending);
        world.run_for(secs(60));
        assert_eq!(world.host(0).session(), None, "{ending}");
    }
}

/// A modem that neither looks at DTR nor leaves data mode by itself, and is told in words.
fn stubborn() -> World {
    let text = b"TIMEOUT 3 '' '\\d+++\\d\\c' '' ATH OK '\\c'";
    stubborn_with(text, ConversationOptions::default())
}

fn stubborn_with(script: &[u8], options: ConversationOptions) -> World {
    let script = Script::parse(script).expect("the script is right");
    let mut setup = modem(1, &[DialResult::Connect]);
    setup.modem.faults.ignores_dtr = true;
    setup.modem.faults.stays_in_data_mode = true;
    setup.bridge.hang_up = Some((Arc::new(script), options));
    World::new(WorldConfig::pair(ONCE, setup))
}

#[test]
fn a_hang_up_script_is_held_as_the_modem_wants_it() {
    let script = ScriptOptions {
        variables: Some([(b"HANG_UP".to_vec(), b"ATH".to_vec())].into()),
        ..ScriptOptions::default()
    };
    let options = ConversationOptions { script, timeout: secs(3), ..ConversationOptions::default() };
    let mut world = stubborn_with(b"'' '\\d+++\\d\\c' '' $HANG_UP OK '\\c'", options);
    bring_up(&mut world, 0);
    world.stop(0);
    world.run_until(secs(15), |entry| matches!(entry.what, What::Closed(_)));
    assert!(!world.modem(0).is_online());
}

#[test]
fn a_modem_that_does_not_look_at_dtr_is_hung_up_by_its_script_after_dtr_was_low() {
    let mut world = stubborn();
    bring_up(&mut world, 0);
    world.run_for(secs(10));
    world.stop(0);
    let hook = world.run_until(secs(10), |entry| matches!(entry.what, What::HungUp(_)));
    let raised = world.run_until(secs(10), |entry| matches!(entry.what, What::DtrRaised(_)));
    assert_eq!(raised.at - hook.at, secs(1));
    assert!(world.modem(0).is_online(), "DTR alone does not help");
    world.run_until(secs(15), |entry| matches!(entry.what, What::Closed(_)));
    assert!(!world.modem(0).is_online());
    until_state(&mut world, 0, ModemState::Idle);
    bring_up(&mut world, 0);
    let rescued = |entry: &Entry| matches!(entry.event(), Some(Event::Rescued { .. }));
    assert_eq!(world.count(0, rescued), 0);
}

#[test]
fn a_host_that_waits_while_a_modem_is_hung_up_by_words_is_served() {
    let mut world = stubborn();
    bring_up(&mut world, 0);
    world.run_for(secs(10));
    world.stop(0);
    world.run_until(secs(10), |entry| matches!(entry.what, What::DtrRaised(_)));
    world.start(0);
    world.run_until(secs(20), |entry| is_up(entry, 0));
}

#[test]
fn a_modem_that_vanishes_in_the_middle_of_its_hang_up_script_can_come_back() {
    let mut world = stubborn();
    bring_up(&mut world, 0);
    world.run_for(secs(10));
    world.stop(0);
    world.run_until(secs(10), |entry| matches!(entry.what, What::DtrRaised(_)));
    world.run_for(millis(500));
    world.unplug_loudly(0);
    world.run_for(secs(5));
    world.plug(0);
    world.run_for(secs(5));
    bring_up(&mut world, 0);
}

#[test]
fn a_hang_up_script_that_never_ends_is_given_up() {
    let script = Script::parse(b"TIMEOUT 600 '' AT NEVER '\\c'").expect("the script is right");
    let mut setup = modem(1, &[DialResult::Connect]);
    setup.bridge.hang_up = Some((Arc::new(script), ConversationOptions::default()));
    let mut world = World::new(WorldConfig::pair(ONCE, setup));
    bring_up(&mut world, 0);
    world.stop(0);
    let hook = world.run_until(secs(10), |entry| matches!(entry.what, What::HungUp(_)));
    let close = world.run_until(secs(30), |entry| matches!(entry.what, What::Closed(_)));
    assert_eq!(close.at - hook.at, secs(16));
}

//! Every way in which something ends, in every state in which it can: all are told, and all goes on after.

use bridge_proto::bridge::Input;
use bridge_proto::id::{InterfaceId, ModemId};
use bridge_proto::modem::ModemState;
use bridge_sim::modem::DialResult;
use bridge_sim::pppoe::{ETHERTYPE_DISCOVERY, PADT, Packet};
use bridge_sim::world::{BRIDGE, World, host_mac};

use crate::told::{bring_up, opens, pair, secs};

/// Where a call can be when something happens to it.
const PLACES: [&str; 10] = [
    "idle",
    "opening",
    "dialing, host waits",
    "dialing, early session",
    "dialing, host left",
    "warm",
    "connected, LCP under way",
    "open",
    "terminating",
    "hanging up",
];

/// What can happen.
const ENDINGS: [&str; 15] = [
    "host stops",
    "host's PADT",
    "host vanishes",
    "host restarts",
    "far end terminates",
    "network hangs up",
    "NO CARRIER",
    "carrier lost",
    "tty fails",
    "unplugged",
    "unplugged, system says so",
    "interface down and up",
    "interface has another address",
    "SIGTERM",
    "bridge restarts",
];

fn world_at(place: &str) -> World {
    let mut world = pair(10, &[DialResult::Connect]);
    match place {
        "idle" => {}
        "opening" => {
            world.open_takes(0, secs(2));
            world.start(0);
            world.run_for(secs(1));
            assert_eq!(world.state(0), ModemState::Opening);
        }
        "dialing, host waits" => {
            world.start(0);
            world.run_for(secs(2));
        }
        "dialing, early session" => {
            world.start(0);
            world.run_until(secs(8), opens);
        }
        "dialing, host left" => {
            world.start(0);
            world.run_for(secs(5));
            world.stop(0);
        }
        "warm" => {
            world.start(0);
            world.run_for(secs(5));
            world.stop(0);
            world.run_for(secs(15));
            assert_eq!(world.state(0), ModemState::Online);
        }
        "connected, LCP under way" => {
            world.start(0);
            world.run_until_it_is(secs(20), |world| world.state(0) == ModemState::Online);
        }
        "open" => bring_up(&mut world, 0),
        "terminating" => {
            bring_up(&mut world, 0);
            world.stop(0);
            world.run_until_it_is(secs(9), |world| world.state(0) == ModemState::Terminating);
        }
        _ => {
            bring_up(&mut world, 0);
            world.stop(0);
            world.run_until_it_is(secs(9), |world| world.state(0) == ModemState::HangingUp);
        }
    }
    world
}

fn happens(world: &mut World, ending: &str) {
    let modem = ModemId(0);
    match ending {
        "host stops" => world.stop(0),
        "host's PADT" => {
            if let Some(session_id) = world.host(0).session() {
                let (source, ethertype) = (host_mac(0), ETHERTYPE_DISCOVERY);
                world.vanish(0);
                let padt =
                    Packet { destination: BRIDGE, source, ethertype, code: PADT, session_id, payload: &[] };
                world.inject(&padt.emit());
            }
        }
        "host vanishes" => world.vanish(0),
        "host restarts" => {
            world.vanish(0);
            world.start(0);
        }
        "far end terminates" => world.terminate(0),
        "network hangs up" => world.hang_up(0),
        "NO CARRIER" => world.tell(Input::NoCarrier { modem }),
        "carrier lost" => world.tell(Input::CarrierLost { modem }),
        "tty fails" => {
            if world.state(0).is_open() {
                world.fail_tty(0);
            }
        }
        "unplugged" => world.unplug(0),
        "unplugged, system says so" => world.unplug_loudly(0),
        "interface down and up" => {
            world.interface_down();
            world.run_for(secs(1));
            world.interface_up(BRIDGE);
        }
        "interface has another address" => {
            world.interface_up(bridge_sim::pppoe::Mac([2, 0, 0, 0, 0, 0xad]));
        }
        "SIGTERM" => world.shut_down(),
        _ => world.restart_bridge(),
    }
}

#[test]
fn whatever_ends_a_call_wherever_it_is_the_host_is_served_again_afterwards() {
    for place in PLACES {
        for ending in ENDINGS {
            let told = std::panic::catch_unwind(|| {
                let mut world = world_at(place);
                happens(&mut world, ending);
                world.run_for(secs(8));
                if ending == "SIGTERM" {
                    assert!(world.bridge().is_finished());
                    return;
                }
                world.vanish(0);
                if ending.starts_with("unplugged") {
                    world.plug(0);
                }
                world.run_for(secs(10));
                bring_up(&mut world, 0);
            });
            if let Err(cause) = told {
                eprintln!("{ending} while {place}");
                std::panic::resume_unwind(cause);
            }
        }
    }
}

#[test]
fn hosts_are_told_from_the_address_that_they_know_when_it_changes() {
    let mut world = world_at("open");
    world.interface_up(bridge_sim::pppoe::Mac([2, 0, 0, 0, 0, 0xad]));
    let padt = world.run_until(secs(1), crate::told::is_padt);
    assert_eq!(padt.answer().map(|packet| packet.source), Some(BRIDGE));
}

#[test]
fn a_session_does_not_outlive_its_interface_even_on_its_way_down() {
    let mut world = world_at("open");
    world.vanish(0);
    world.fail_tty(0);
    assert_eq!((world.state(0), world.table().iter().count()), (ModemState::Terminating, 1));
    world.interface_down();
    assert_eq!(world.table().iter().count(), 0);
}

#[test]
fn an_interface_that_goes_down_ends_the_call_of_every_host_on_it() {
    let mut world = world_at("open");
    world.tell(Input::InterfaceDown { interface: InterfaceId(0) });
    assert_eq!(world.table().iter().count(), 0);
    world.run_until_it_is(secs(5), |world| world.state(0) == ModemState::Idle);
    assert!(!world.modem(0).is_online());
}

//! Whoever ends a session, the other side is told in its own protocol, and the modem hangs up.

use bridge_proto::event::{CloseReason, Direction};
use bridge_proto::modem::ModemState;
use bridge_sim::host::EndReason;
use bridge_sim::modem::{HungUpBy, ModemEvent};
use bridge_sim::ppp;
use bridge_sim::pppoe::{ETHERTYPE_DISCOVERY, PADT, Packet};
use bridge_sim::world::{BRIDGE, Entry, World, host_mac};

use crate::told::{bring_up, call_ended, closed, ended, is_padt, millis, quick, secs, until_state};

fn is_terminate(entry: &Entry, toward: Direction) -> bool {
    entry.lcp(toward).is_some_and(|ppp| ppp[2] == 5)
}

fn until_free(world: &mut World) {
    until_state(world, 0, ModemState::Idle);
    world.run_for(millis(5));
    assert!(!world.modem(0).is_online());
    assert_eq!(world.host(0).session(), None);
}

fn without_dcd() -> World {
    let mut setup = crate::told::modem(1, &[bridge_sim::modem::DialResult::Connect]);
    setup.modem.faults.has_no_dcd = true;
    World::new(bridge_sim::world::WorldConfig::pair(crate::told::ONCE, setup))
}

#[test]
fn a_padt_in_the_session_terminates_the_far_end_and_hangs_up() {
    let mut world = quick();
    bring_up(&mut world, 0);
    let session_id = world.host(0).session().expect("a session");
    let (source, ethertype) = (host_mac(0), ETHERTYPE_DISCOVERY);
    world.vanish(0);
    let packet = Packet { destination: BRIDGE, source, ethertype, code: PADT, session_id, payload: &[] };
    world.inject(&packet.emit());
    world.run_until(secs(1), |entry| is_terminate(entry, Direction::HostToModem));
    let end = world.run_until(secs(5), |entry| call_ended(entry).is_some());
    assert_eq!(call_ended(&end), Some(&CloseReason::HostPadt));
    assert_eq!(world.count(0, is_padt), 0, "whoever sends a PADT needs none");
    until_free(&mut world);
}

#[test]
fn a_host_that_terminates_is_acknowledged_by_the_far_end_and_the_modem_hangs_up() {
    let mut world = quick();
    bring_up(&mut world, 0);
    world.stop(0);
    world.run_until(secs(5), |entry| ended(entry, 0) == Some(EndReason::Ppp(ppp::CloseReason::ByUs)));
    let end = world.run_until(secs(5), |entry| call_ended(entry).is_some());
    assert!(matches!(call_ended(&end), Some(CloseReason::HostTerminated | CloseReason::HostPadt)), "{end}");
    until_free(&mut world);
}

#[test]
fn a_far_end_that_terminates_ends_the_hosts_session() {
    let mut world = without_dcd();
    bring_up(&mut world, 0);
    world.terminate(0);
    let end = world.run_until(secs(10), |entry| closed(entry).is_some());
    assert!(matches!(closed(&end), Some(CloseReason::ModemTerminated | CloseReason::HostPadt)), "{end}");
    until_free(&mut world);
}

#[test]
fn a_modem_without_dcd_that_says_no_carrier_ends_the_session_by_lcp_and_padt() {
    let mut world = without_dcd();
    bring_up(&mut world, 0);
    world.hang_up(0);
    world.run_until(secs(1), |entry| is_terminate(entry, Direction::ModemToHost));
    let end = world.run_until(secs(4), |entry| closed(entry).is_some());
    assert!(matches!(closed(&end), Some(CloseReason::NoCarrier | CloseReason::HostPadt)), "{end}");
    until_free(&mut world);
    bring_up(&mut world, 0);
}

#[test]
fn a_carrier_that_drops_because_the_far_end_has_terminated_is_not_the_reason_told() {
    let mut world = quick();
    bring_up(&mut world, 0);
    world.terminate(0);
    let end = world.run_until(secs(10), |entry| call_ended(entry).is_some());
    assert_eq!(call_ended(&end), Some(&CloseReason::ModemTerminated));
    until_free(&mut world);
    bring_up(&mut world, 0);
}

#[test]
fn a_carrier_that_is_lost_ends_the_session_and_the_modem_can_be_dialled_again() {
    let mut world = quick();
    bring_up(&mut world, 0);
    world.hang_up(0);
    world.run_until(secs(5), |entry| closed(entry).is_some());
    until_free(&mut world);
    bring_up(&mut world, 0);
}

#[test]
fn a_host_that_hears_no_padt_is_ended_by_lcp() {
    let setup = crate::told::modem(1, &[bridge_sim::modem::DialResult::Connect]);
    let client = bridge_sim::host::profile::ClientProfile { redial: None, ..bridge_sim::host::profile::LWIP };
    let mut world = World::new(bridge_sim::world::WorldConfig::pair(client, setup));
    bring_up(&mut world, 0);
    world.hang_up(0);
    // Having acknowledged, it waits for its restart time, and lwIP's is 6 s.
    world.run_until(secs(15), |entry| ended(entry, 0) == Some(EndReason::Ppp(ppp::CloseReason::ByPeer)));
}

#[test]
fn the_modem_is_hung_up_by_dtr() {
    let mut world = quick();
    bring_up(&mut world, 0);
    world.stop(0);
    let by_dtr = |entry: &Entry| {
        matches!(entry.modem(0), Some(ModemEvent::HungUp { by: HungUpBy::Dtr | HungUpBy::Ppp(_) }))
    };
    world.run_until(secs(10), by_dtr);
    until_free(&mut world);
}

//! The interface changes under open sessions: its MTU, whether it is up, its address.

use bridge_proto::discard::DiscardReason;
use bridge_proto::event::CloseReason;
use bridge_proto::modem::ModemState;
use bridge_sim::pppoe::Mac;
use bridge_sim::world::{BRIDGE, Entry, World};

use crate::told::{bring_up, call_ended, closed, expect_ping, is_padt, millis, quick, secs, until_state};

const OTHER: Mac = Mac([2, 0, 0, 0, 0, 0xad]);

fn up() -> World {
    let mut world = quick();
    bring_up(&mut world, 0);
    world
}

#[test]
fn what_no_longer_fits_is_dropped_and_counted_and_the_session_lives() {
    let mut world = up();
    let session = world.host(0).session();
    world.set_mtu(600);
    let before = world.discarded(DiscardReason::ExceedsMtu);
    world.ping_from_modem(0, 1000);
    world.run_for(secs(1));
    assert_eq!(world.discarded(DiscardReason::ExceedsMtu), before + 1);
    expect_ping(&mut world, 0);
    assert_eq!((world.host(0).session(), world.modem(0).dials()), (session, 1));
}

#[test]
fn the_longest_that_fits_passes_and_one_octet_more_does_not() {
    let mut world = up();
    world.set_mtu(600);
    // IPv4 and ICMP take 28 octets, PPPoE and PPP take 8.
    for (octets, dropped) in [(600 - 8 - 28, 0), (600 - 8 - 28 + 1, 1)] {
        let before = world.discarded(DiscardReason::ExceedsMtu);
        world.ping_from_modem(0, octets);
        world.run_for(secs(1));
        assert_eq!(world.discarded(DiscardReason::ExceedsMtu), before + dropped, "{octets}");
    }
}

#[test]
fn when_the_mtu_is_raised_again_all_fits_as_before() {
    let mut world = up();
    world.set_mtu(600);
    world.run_for(secs(10));
    world.set_mtu(1500);
    let before = world.discarded(DiscardReason::ExceedsMtu);
    world.ping_from_modem(0, 1400);
    world.run_for(secs(1));
    assert_eq!(world.discarded(DiscardReason::ExceedsMtu), before);
    expect_ping(&mut world, 0);
}

#[test]
fn an_interface_that_is_up_again_as_it_was_changes_nothing() {
    let mut world = up();
    let session = world.host(0).session();
    world.interface_up(BRIDGE);
    world.run_for(secs(10));
    expect_ping(&mut world, 0);
    assert_eq!(world.host(0).session(), session);
    assert_eq!(world.count(0, |entry| closed(entry).is_some()), 0);
}

#[test]
fn an_interface_that_goes_down_ends_its_calls_and_serves_again_when_it_is_up() {
    let mut world = up();
    world.interface_down();
    assert_eq!(world.table().iter().count(), 0);
    let end = world.run_until(secs(4), |entry| call_ended(entry).is_some());
    assert_eq!(call_ended(&end), Some(&CloseReason::InterfaceDown));
    until_state(&mut world, 0, ModemState::Idle);
    assert!(!world.modem(0).is_online());
    world.vanish(0);
    world.interface_up(BRIDGE);
    bring_up(&mut world, 0);
}

#[test]
fn an_interface_that_is_down_offers_nothing() {
    let mut world = quick();
    world.interface_down();
    let from = world.transcript().len();
    world.start(0);
    world.run_for(secs(10));
    assert_eq!(world.count(from, |entry| entry.answer().is_some()), 0);
    world.interface_up(BRIDGE);
    world.run_until(secs(30), |entry| bridge_sim::world::is_up(entry, 0));
}

#[test]
fn a_host_whose_access_concentrator_has_another_address_is_told_by_the_old_and_served_by_the_new() {
    let mut world = up();
    world.interface_up(OTHER);
    let padt = world.run_until(secs(1), is_padt);
    assert_eq!(padt.answer().map(|packet| packet.source), Some(BRIDGE));
    world.run_for(millis(10));
    assert_eq!(world.host(0).session(), None);
    until_state(&mut world, 0, ModemState::Idle);
    bring_up(&mut world, 0);
    let padt = world.transcript().iter().rev().find_map(Entry::answer).expect("an answer");
    assert_eq!(padt.source, OTHER);
}

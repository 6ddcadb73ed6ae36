//! One modem serves one host; another gets it when the first has left.

use bridge_proto::discard::DiscardReason;
use bridge_proto::event::{Event, RefusalReason};
use bridge_proto::modem::ModemState;
use bridge_sim::modem::DialResult;
use bridge_sim::pppoe::PADR;
use bridge_sim::world::{Entry, World, WorldConfig};

use crate::told::{ONCE, bring_up, last_frame, modem, secs, until_state};

fn two_hosts() -> World {
    World::new(WorldConfig::crowd(1, &[ONCE, ONCE], vec![modem(1, &[DialResult::Connect])]))
}

fn offers(entry: &Entry, host: u8) -> bool {
    let to = bridge_sim::world::host_mac(host);
    entry.answer().is_some_and(|packet| packet.code == bridge_sim::pppoe::PADO && packet.destination == to)
}

#[test]
fn while_the_first_host_is_served_the_second_is_offered_nothing() {
    let mut world = two_hosts();
    bring_up(&mut world, 0);
    world.start(1);
    world.run_for(secs(10));
    assert_eq!(world.count(0, |entry| offers(entry, 1)), 0);
    assert!(world.discarded(DiscardReason::ServiceUnavailable) >= 2);
    let told = |entry: &Entry| {
        matches!(entry.event(), Some(Event::NotOffered { reason: RefusalReason::AllBusy, .. }))
    };
    assert!(world.count(0, told) >= 2);
}

#[test]
fn the_second_host_is_served_after_the_first_has_left() {
    let mut world = two_hosts();
    bring_up(&mut world, 0);
    world.stop(0);
    until_state(&mut world, 0, ModemState::Idle);
    bring_up(&mut world, 1);
}

#[test]
fn a_host_that_asks_while_the_first_is_saying_goodbye_waits_and_is_served() {
    let mut world = two_hosts();
    bring_up(&mut world, 0);
    world.stop(0);
    until_state(&mut world, 0, ModemState::Terminating);
    bring_up(&mut world, 1);
}

#[test]
fn two_hosts_that_were_both_offered_the_one_modem_get_one_session_and_one_refusal() {
    let mut world = two_hosts();
    world.start(0);
    world.start(1);
    world.run_for(secs(3));
    let refused =
        |entry: &Entry| matches!(entry.event(), Some(Event::Refused { reason: RefusalReason::AllBusy, .. }));
    assert!(world.count(0, refused) >= 1);
    assert_eq!(world.table().iter().count(), 1);
    assert!(!last_frame(&world, PADR).is_empty());
}

//! A modem whose dial failed rests; whoever asks meanwhile is told how long, and costs no dial.

use bridge_proto::modem::ModemState;
use bridge_sim::host::EndReason;
use bridge_sim::modem::DialResult;
use bridge_sim::pppoe::{PADO, PADR};

use crate::told::{call_started, ended, last_frame, millis, pair, refusal, refuses, secs, until_state};

#[test]
fn padrs_during_back_off_are_answered_from_memory_with_the_seconds_left() {
    let mut world = pair(1, &[DialResult::Busy]);
    // pppd sends its next PADR at once after each refusal, and gives up after the third.
    world.start(0);
    world.run_until(secs(5), |entry| ended(entry, 0) == Some(EndReason::Refused));
    assert_eq!(world.count(0, refuses), 3);
    assert_eq!((world.modem(0).dials(), world.count(0, call_started)), (1, 1));
    let padr = last_frame(&world, PADR);
    world.start(0);
    until_state(&mut world, 0, ModemState::BackingOff);
    let from = world.transcript().len();
    world.inject(&padr);
    world.run_for(millis(2));
    let told = world.transcript()[from..].iter().find(|entry| refuses(entry)).expect("a refusal");
    let packet = told.answer().expect("a packet");
    let text = String::from_utf8_lossy(packet.payload).into_owned();
    assert!(text.contains("next dial in 1 s") && text.contains("BUSY"), "{text}");
    assert_eq!(world.modem(0).dials(), 1);
}

#[test]
fn a_resting_modem_is_not_offered() {
    let mut world = pair(1, &[DialResult::NoCarrier]);
    world.start(0);
    until_state(&mut world, 0, ModemState::BackingOff);
    let offers = |entry: &bridge_sim::world::Entry| entry.answer().is_some_and(|packet| packet.code == PADO);
    let from = world.transcript().len();
    world.start(0);
    world.run_for(millis(100));
    assert_eq!(world.count(from, offers), 0);
}

#[test]
fn the_rests_grow_and_a_modem_that_never_connects_is_dialled_rarely() {
    // This client comes again at once, for ever.
    let mut setup = crate::told::modem(1, &[DialResult::Busy]);
    setup.modem.dial_time = millis(300);
    let config = bridge_sim::world::WorldConfig::pair(bridge_sim::host::profile::OPENWRT, setup);
    let mut world = bridge_sim::world::World::new(config);
    world.start(0);
    world.run_for(secs(3600));
    let dials = world.modem(0).dials();
    assert!((12..=40).contains(&dials), "{dials} dials in an hour");
    assert!(world.count(0, |entry| refusal(entry, 0).is_some()) >= dials);
}

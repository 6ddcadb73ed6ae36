//! A connected modem whose host is away waits for it, but not for long: a call costs money.

use bridge_proto::event::{CloseReason, Event};
use bridge_proto::modem::ModemState;
use bridge_sim::modem::DialResult;
use bridge_sim::modem::profile::HUAWEI;
use bridge_sim::world::{ModemSetup, World, WorldConfig, is_up};

use crate::told::{ONCE, call_ended, expect_ping, pair, secs, until_state};

#[test]
fn a_modem_that_connects_for_a_host_that_left_stays_warm_for_30_s_and_hangs_up() {
    let mut world = pair(20, &[DialResult::Connect]);
    world.start(0);
    world.run_for(secs(10));
    world.stop(0);
    let connected = world.run_until(secs(30), |entry| matches!(entry.event(), Some(Event::Connected { .. })));
    let end = world.run_until(secs(60), |entry| call_ended(entry).is_some());
    assert_eq!(call_ended(&end), Some(&CloseReason::NobodyCame));
    assert_eq!(end.at - connected.at, secs(30));
    until_state(&mut world, 0, ModemState::Idle);
    assert!(!world.modem(0).is_online());
}

#[test]
fn a_host_that_is_back_within_the_warm_time_has_its_modem_at_once() {
    let mut world = World::new(WorldConfig::pair(ONCE, ModemSetup::new(&HUAWEI, 0).dial_time(20)));
    world.start(0);
    world.run_for(secs(10));
    world.stop(0);
    until_state(&mut world, 0, ModemState::Online);
    world.run_for(secs(25));
    let began = world.now();
    world.start(0);
    let up = world.run_until(secs(20), |entry| is_up(entry, 0));
    // Its far end has asked for the last time while nobody listened; that was kept for the host.
    assert!(up.at - began < secs(1), "{up}");
    world.run_for(secs(60));
    expect_ping(&mut world, 0);
    assert_eq!(world.modem(0).dials(), 1);
}

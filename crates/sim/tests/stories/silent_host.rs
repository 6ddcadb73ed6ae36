//! A host that died says nothing. Its modem costs money, and another host may want it.

use bridge_proto::event::CloseReason;
use bridge_proto::modem::ModemState;
use bridge_sim::modem::DialResult;
use bridge_sim::world::{World, WorldConfig, is_up};

use crate::told::{ONCE, bring_up, call_ended, expect_ping, modem, quick, secs, until_state};

fn two_hosts() -> World {
    World::new(WorldConfig::crowd(1, &[ONCE, ONCE], vec![modem(1, &[DialResult::Connect])]))
}

#[test]
fn a_host_that_died_is_found_out_and_its_modem_hangs_up() {
    let mut world = quick();
    bring_up(&mut world, 0);
    let from = world.now();
    world.vanish(0);
    let end = world.run_until(secs(60), |entry| call_ended(entry).is_some());
    assert_eq!(call_ended(&end), Some(&CloseReason::HostDead));
    assert!((secs(30)..secs(50)).contains(&(end.at - from)), "{end}");
    until_state(&mut world, 0, ModemState::Idle);
    assert!(!world.modem(0).is_online());
}

#[test]
fn a_host_that_is_silent_but_alive_keeps_its_session() {
    let mut world = quick();
    bring_up(&mut world, 0);
    world.run_for(secs(3600));
    expect_ping(&mut world, 0);
    assert_eq!(world.modem(0).dials(), 1);
}

#[test]
fn a_host_that_wants_the_modem_of_a_dead_one_has_it_soon() {
    let mut world = two_hosts();
    bring_up(&mut world, 0);
    world.vanish(0);
    world.run_for(secs(1));
    world.start(1);
    world.run_until(secs(20), |entry| is_up(entry, 1));
}

#[test]
fn a_host_that_wants_the_modem_of_a_live_one_does_not_get_it() {
    let mut world = two_hosts();
    bring_up(&mut world, 0);
    for _ in 0..5 {
        world.start(1);
        world.run_for(secs(40));
    }
    expect_ping(&mut world, 0);
    assert_eq!(world.modem(0).dials(), 1);
}

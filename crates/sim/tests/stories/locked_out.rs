//! A host that ends each session as soon as it has it is kept out for a growing time; nobody else is.

use bridge_proto::event::{Event, RefusalReason};
use bridge_proto::modem::ModemState;
use bridge_sim::host::profile::{ClientProfile, OPENWRT, PPPD};
use bridge_sim::modem::DialResult;
use bridge_sim::modem::profile::HUAWEI;
use bridge_sim::world::{Entry, ModemSetup, World, WorldConfig, is_up};

use crate::told::{ONCE, bring_up, expect_ping, modem, opens, pair, quick, refusal, secs, until_state};

fn locked_out(entry: &Entry) -> Option<u64> {
    match entry.event() {
        Some(Event::Refused { reason: RefusalReason::LockedOut { wait }, .. }) => Some(wait.as_secs()),
        _ => None,
    }
}

/// Up, and gone a second later.
fn short_session(world: &mut World) {
    bring_up(world, 0);
    world.run_for(secs(1));
    world.stop(0);
    until_state(world, 0, ModemState::Idle);
    world.run_for(secs(1));
}

/// The host asks, and is told how long to wait.
fn told_to_wait(world: &mut World) -> u64 {
    world.start(0);
    let refused = world.run_until(secs(1), |entry| locked_out(entry).is_some());
    world.run_for(secs(1));
    world.stop(0);
    locked_out(&refused).expect("it was just found")
}

#[test]
fn three_short_sessions_in_a_row_keep_a_host_out_and_tell_it_for_how_long() {
    let mut world = quick();
    for _ in 0..3 {
        short_session(&mut world);
    }
    world.start(0);
    let refused = world.run_until(secs(1), |entry| refusal(entry, 0).is_some());
    let words = refusal(&refused, 0).expect("it was just found").1;
    assert!(words.contains("too many short sessions in a row, wait "), "{words}");
    assert_eq!(world.modem(0).dials(), 3);
}

#[test]
fn each_further_short_session_keeps_it_out_twice_as_long() {
    let mut world = quick();
    for _ in 0..2 {
        short_session(&mut world);
    }
    // Some of the wait is over when the modem is on hook again.
    for least in [5, 12, 25, 60, 140, 300, 590, 590] {
        short_session(&mut world);
        let wait = told_to_wait(&mut world);
        assert!((least..=600).contains(&wait) && wait <= least * 2, "{wait} s, not {least}");
        world.run_for(secs(wait));
    }
}

#[test]
fn a_session_that_lasts_makes_a_host_as_good_as_new() {
    let mut world = quick();
    for _ in 0..2 {
        short_session(&mut world);
    }
    bring_up(&mut world, 0);
    world.run_for(secs(11));
    world.stop(0);
    until_state(&mut world, 0, ModemState::Idle);
    for _ in 0..2 {
        short_session(&mut world);
    }
    bring_up(&mut world, 0);
}

#[test]
fn a_host_that_waits_as_long_as_it_is_told_is_served() {
    let mut world = quick();
    for _ in 0..3 {
        short_session(&mut world);
    }
    let wait = told_to_wait(&mut world);
    world.run_for(secs(wait));
    bring_up(&mut world, 0);
}

#[test]
fn while_one_host_is_kept_out_another_is_served() {
    let config = WorldConfig::crowd(1, &[ONCE, ONCE], vec![modem(1, &[DialResult::Connect])]);
    let mut world = World::new(config);
    for _ in 0..5 {
        world.start(0);
        world.run_for(secs(3));
        world.stop(0);
        until_state(&mut world, 0, ModemState::Idle);
    }
    bring_up(&mut world, 1);
    world.run_for(secs(60));
    expect_ping(&mut world, 1);
}

#[test]
fn dials_that_fail_while_a_host_has_an_early_session_are_not_its_fault() {
    use DialResult::{Busy, Connect};
    let mut setup = modem(6, &[Busy, Busy, Busy, Busy, Busy, Connect]);
    setup.bridge.backoff.longest = secs(4);
    let mut world = World::new(WorldConfig::pair(PPPD, setup));
    world.start(0);
    world.run_until(secs(300), |entry| is_up(entry, 0));
    assert_eq!(world.count(0, |entry| locked_out(entry).is_some()), 0);
}

#[test]
fn a_host_that_comes_and_goes_during_one_dial_costs_no_other_and_is_not_kept_out() {
    let mut world = pair(40, &[DialResult::Connect]);
    world.start(0);
    world.run_until(secs(8), opens);
    for _ in 0..6 {
        world.run_for(secs(2));
        world.stop(0);
        world.run_for(secs(2));
        world.start(0);
        world.run_until(secs(1), opens);
    }
    world.run_until(secs(60), |entry| is_up(entry, 0));
    assert_eq!(world.modem(0).dials(), 1);
}

#[test]
fn a_call_that_the_network_drops_again_and_again_is_no_dial_storm() {
    // It dials again at once, for ever, and so costs as much as it is let.
    let client = ClientProfile { redial: Some(secs(1)), redial_after_padt: Some(secs(0)), ..OPENWRT };
    let mut world = World::new(WorldConfig::pair(client, ModemSetup::new(&HUAWEI, 0)));
    world.start(0);
    let end = world.now() + secs(900);
    while world.now() < end {
        if world.try_run_until(secs(30), |entry| is_up(entry, 0)).is_some() {
            world.run_for(secs(1));
            world.hang_up(0);
        }
    }
    assert!(
        (5..=12).contains(&world.modem(0).dials()),
        "{} dials in a quarter of an hour",
        world.modem(0).dials()
    );
}

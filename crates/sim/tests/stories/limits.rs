//! What a call may cost: a link without data is ended, and a modem is dialled no more than it may be.

use bridge_proto::bridge::WatchConfig;
use bridge_proto::discard::DiscardReason;
use bridge_proto::event::{CloseReason, Event, RefusalReason};
use bridge_proto::modem::{BudgetConfig, BudgetLimit, ModemState};
use bridge_sim::host::EndReason;
use bridge_sim::modem::DialResult;
use bridge_sim::modem::profile::HUAWEI;
use bridge_sim::pppoe::{PADO, PADR};
use bridge_sim::world::{Entry, ModemSetup, World, WorldConfig, is_up};

use crate::told::{
    ONCE, bring_up, call_ended, ended, expect_ping, is_padt, last_frame, millis, modem, quick, refuses, secs,
    until_state,
};

const DAY: u64 = 24 * 3600;

fn idle_after(seconds: u64) -> World {
    let mut setup = modem(1, &[DialResult::Connect]);
    setup.bridge.watch = WatchConfig { idle: Some(secs(seconds)), ..WatchConfig::default() };
    World::new(WorldConfig::pair(ONCE, setup))
}

fn with_budget(budget: BudgetConfig) -> World {
    let mut setup = modem(1, &[DialResult::Connect]);
    setup.bridge.budget = budget;
    World::new(WorldConfig::pair(ONCE, setup))
}

fn offers(entry: &Entry) -> bool {
    entry.answer().is_some_and(|packet| packet.code == PADO)
}

/// A session of so many seconds, ended by its host.
fn session(world: &mut World, seconds: u64) {
    bring_up(world, 0);
    world.run_for(secs(seconds));
    world.stop(0);
    until_state(world, 0, ModemState::Idle);
    world.run_for(secs(5));
}

/// The host asks by the PADR of its last session, then by PADI, and gets nothing: gives what it is told.
#[track_caller]
fn refused(world: &mut World) -> String {
    let padr = last_frame(world, PADR);
    let from = world.transcript().len();
    world.inject(&padr);
    world.run_for(millis(5));
    world.start(0);
    world.run_until(secs(60), |entry| ended(entry, 0) == Some(EndReason::NoPado));
    assert_eq!(world.count(from, offers), 0, "nothing is offered that cannot be had");
    let entry = world.transcript()[from..].iter().find(|entry| refuses(entry)).expect("a refusal");
    let packet = entry.answer().expect("a packet");
    String::from_utf8_lossy(packet.payload).into_owned()
}

#[test]
fn a_link_on_which_no_data_pass_is_ended_when_its_idle_time_is_over() {
    let mut world = idle_after(60);
    bring_up(&mut world, 0);
    let from = world.now();
    let end = world.run_until(secs(100), |entry| call_ended(entry).is_some());
    assert_eq!(call_ended(&end), Some(&CloseReason::Idle));
    assert!((secs(60)..=secs(70)).contains(&(end.at - from)), "{end}");
    let words = world.transcript().iter().rfind(|entry| is_padt(entry)).and_then(Entry::answer);
    let words = words.map(|packet| String::from_utf8_lossy(packet.payload).into_owned());
    assert!(words.clone().is_some_and(|words| words.contains("no data passed for too long")), "{words:?}");
    until_state(&mut world, 0, ModemState::Idle);
    assert!(!world.modem(0).is_online());
}

#[test]
fn a_link_that_is_used_however_rarely_is_not_idle() {
    let mut world = idle_after(60);
    bring_up(&mut world, 0);
    for _ in 0..60 {
        world.run_for(secs(50));
        expect_ping(&mut world, 0);
    }
    assert_eq!(world.modem(0).dials(), 1);
}

#[test]
fn a_link_on_which_only_the_far_end_sends_is_not_idle() {
    let mut world = idle_after(60);
    bring_up(&mut world, 0);
    for _ in 0..10 {
        world.run_for(secs(50));
        world.ping_from_modem(0, 100);
    }
    expect_ping(&mut world, 0);
}

#[test]
fn no_link_is_idle_unless_that_was_asked_for() {
    let mut world = quick();
    bring_up(&mut world, 0);
    world.run_for(secs(DAY));
    expect_ping(&mut world, 0);
}

#[test]
fn the_dials_of_an_hour_spent_the_host_is_refused_with_the_reason_and_the_time_left() {
    let mut world = with_budget(BudgetConfig { dials_per_hour: Some(2), ..BudgetConfig::default() });
    session(&mut world, 60);
    session(&mut world, 60);
    let unavailable = world.discarded(DiscardReason::ServiceUnavailable);
    let words = refused(&mut world);
    assert!(words.contains("the dials of this hour are used up, wait 5"), "{words}");
    assert!(world.discarded(DiscardReason::ServiceUnavailable) > unavailable);
    let event = world.transcript().iter().rev().find_map(|entry| match entry.event() {
        Some(Event::Refused { reason: RefusalReason::BudgetSpent { limit, wait }, .. }) => {
            Some((*limit, *wait))
        }
        _ => None,
    });
    let (limit, wait) = event.expect("a refusal");
    assert_eq!(limit, BudgetLimit::Dials);
    assert_eq!(world.modem(0).dials(), 2);
    // When that time is over it is served again.
    world.run_for(wait);
    bring_up(&mut world, 0);
}

#[test]
fn a_call_under_way_may_go_on_when_the_dials_are_spent() {
    let mut world = with_budget(BudgetConfig { dials_per_hour: Some(1), ..BudgetConfig::default() });
    bring_up(&mut world, 0);
    world.run_for(secs(1800));
    expect_ping(&mut world, 0);
    // Not even a host that begins anew needs another.
    world.vanish(0);
    bring_up(&mut world, 0);
}

#[test]
fn a_failed_dial_is_a_dial() {
    let mut setup = modem(1, &[DialResult::Busy]);
    setup.bridge.budget.dials_per_hour = Some(3);
    let config = WorldConfig::pair(bridge_sim::host::profile::OPENWRT, setup);
    let mut world = World::new(config);
    world.start(0);
    world.run_for(secs(3500));
    assert_eq!(world.modem(0).dials(), 3);
    world.run_for(secs(3600));
    assert!((4..=6).contains(&world.modem(0).dials()), "{}", world.modem(0).dials());
}

#[test]
fn a_call_is_ended_when_the_time_of_the_day_is_spent_and_the_next_day_is_another() {
    let limit = secs(40);
    let mut world = with_budget(BudgetConfig { online_per_day: Some(limit), ..BudgetConfig::default() });
    bring_up(&mut world, 0);
    let from = world.now();
    let end = world.run_until(secs(700), |entry| call_ended(entry).is_some());
    assert_eq!(call_ended(&end), Some(&CloseReason::BudgetSpent(BudgetLimit::Online)));
    assert!((limit - secs(2)..=limit + secs(10)).contains(&(end.at - from)), "{end}");
    until_state(&mut world, 0, ModemState::Idle);
    let words = refused(&mut world);
    assert!(words.contains("the connected time of this day is used up, wait 23 h 5"), "{words}");
    world.run_for(secs(DAY - 1) - (world.now() - bridge_proto::time::Instant::ZERO));
    let from = world.transcript().len();
    world.start(0);
    world.run_for(millis(500));
    assert_eq!(world.count(from, offers), 0);
    world.stop(0);
    world.run_for(secs(1));
    bring_up(&mut world, 0);
}

#[test]
fn short_sessions_use_up_the_time_of_the_day_as_long_ones_do() {
    let mut world = with_budget(BudgetConfig { online_per_day: Some(secs(102)), ..BudgetConfig::default() });
    // Not one of them lasts to a whole number of looks.
    for _ in 0..8 {
        session(&mut world, 13);
    }
    let words = refused(&mut world);
    assert!(words.contains("the connected time of this day is used up"), "{words}");
}

#[test]
fn a_modem_that_is_connected_for_nobody_uses_up_its_time_as_well() {
    let mut setup = modem(10, &[DialResult::Connect]);
    setup.bridge.budget.online_per_day = Some(secs(29));
    let mut world = World::new(WorldConfig::pair(ONCE, setup));
    world.start(0);
    world.run_for(secs(5));
    world.stop(0);
    until_state(&mut world, 0, ModemState::Online);
    until_state(&mut world, 0, ModemState::Idle);
    let words = refused(&mut world);
    assert!(words.contains("the connected time of this day is used up"), "{words}");
}

#[test]
fn a_call_is_ended_when_the_volume_of_the_month_is_spent_and_the_next_month_is_another() {
    let mut world = with_budget(BudgetConfig { octets_per_month: Some(100_000), ..BudgetConfig::default() });
    bring_up(&mut world, 0);
    world.run_for(secs(60));
    let from = world.now();
    assert!(world.transfer(0, 120_000));
    let end = world.run_until(secs(60), |entry| call_ended(entry).is_some());
    assert_eq!(call_ended(&end), Some(&CloseReason::BudgetSpent(BudgetLimit::Octets)));
    assert!(end.at - from < secs(30), "{end}");
    until_state(&mut world, 0, ModemState::Idle);
    let words = refused(&mut world);
    assert!(words.contains("the data volume of this month is used up, wait 29 d 23 h"), "{words}");
    world.run_for(secs(30 * DAY));
    bring_up(&mut world, 0);
}

#[test]
fn volume_that_passed_just_before_the_end_of_a_session_counts() {
    let mut world = with_budget(BudgetConfig { octets_per_month: Some(8_000), ..BudgetConfig::default() });
    // Each ends within the five seconds in which nobody looked.
    for _ in 0..2 {
        bring_up(&mut world, 0);
        for _ in 0..4 {
            expect_ping(&mut world, 0);
        }
        world.stop(0);
        until_state(&mut world, 0, ModemState::Idle);
        world.run_for(secs(5));
    }
    let words = refused(&mut world);
    assert!(words.contains("the data volume of this month is used up"), "{words}");
}

#[test]
fn a_modem_whose_budget_is_spent_leaves_the_host_to_the_next_one() {
    let mut modems = vec![ModemSetup::new(&HUAWEI, 0), ModemSetup::new(&HUAWEI, 1)];
    modems[0].bridge.budget.dials_per_hour = Some(1);
    let mut world = World::new(WorldConfig::crowd(1, &[ONCE], modems));
    session(&mut world, 20);
    bring_up(&mut world, 0);
    world.run_until_it_is(secs(1), |world| world.modem(1).is_online());
    assert_eq!((world.modem(0).dials(), world.modem(1).dials()), (1, 1));
}

#[test]
fn a_host_that_waited_for_a_modem_whose_time_was_spent_meanwhile_is_refused() {
    let mut setup = modem(1, &[DialResult::Connect]);
    setup.bridge.budget.online_per_day = Some(secs(12));
    let mut world = World::new(WorldConfig::crowd(1, &[ONCE, ONCE], vec![setup]));
    bring_up(&mut world, 0);
    world.run_for(secs(13));
    world.stop(0);
    until_state(&mut world, 0, ModemState::Terminating);
    world.start(1);
    let spent = |entry: &Entry| {
        matches!(entry.event(), Some(Event::Refused { reason: RefusalReason::BudgetSpent { .. }, .. }))
    };
    world.run_until(secs(20), spent);
    assert_eq!(world.modem(0).dials(), 1);
    assert_eq!(world.count(0, |entry| is_up(entry, 1)), 0);
}

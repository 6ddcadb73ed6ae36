//! A modem that does not answer is freed before it is dialled: each means in turn, until one helps.

use std::sync::Arc;

use bridge_proto::bridge::{DialMethod, RescueWhen};
use bridge_proto::chat::{ConversationOptions, Script, ScriptOptions};
use bridge_proto::event::Event;
use bridge_proto::modem::ModemState;
use bridge_proto::modem::RescueStep;
use bridge_sim::host::profile::PPPD;
use bridge_sim::modem::profile::HUAWEI;
use bridge_sim::modem::{DialResult, ModemEvent};
use bridge_sim::world::{Entry, ModemSetup, What, World, WorldConfig, is_up};

use crate::told::{ONCE, bring_up, closed, secs, until_state};

fn rescued(entry: &Entry) -> Option<Option<RescueStep>> {
    match entry.event() {
        Some(Event::Rescued { by, .. }) => Some(*by),
        _ => None,
    }
}

/// A modem that is checked at these times, and has every means of rescue.
fn checked(when: RescueWhen) -> ModemSetup {
    let mut setup = ModemSetup::new(&HUAWEI, 0);
    let reset = Script::parse(b"TIMEOUT 3 '' AT+CFUN=1,1 OK '\\c'").expect("the script is right");
    setup.bridge.rescue.when = when;
    setup.bridge.rescue.reset = Some((Arc::new(reset), ConversationOptions::default()));
    setup.bridge.rescue.command = true;
    setup
}

fn world(setup: ModemSetup) -> World {
    World::new(WorldConfig::pair(ONCE, setup))
}

fn commands(world: &World) -> Vec<&str> {
    let said = world.transcript().iter().filter_map(|entry| match entry.modem(0) {
        Some(ModemEvent::Command(line)) => Some(line.as_str()),
        _ => None,
    });
    said.collect()
}

/// What helped; and the host is served then.
#[track_caller]
fn helped(setup: ModemSetup) -> (World, Option<RescueStep>) {
    let mut world = world(setup);
    world.start(0);
    let entry = world.run_until(secs(90), |entry| rescued(entry).is_some());
    world.run_until(secs(90), |entry| is_up(entry, 0));
    assert_eq!(world.count(0, |entry| rescued(entry).is_some()), 1, "the first that helps is the last");
    let by = rescued(&entry).expect("it was just found");
    (world, by)
}

#[test]
fn a_modem_that_answers_needs_no_rescue() {
    let (world, by) = helped(checked(RescueWhen::Always));
    assert_eq!(by, Some(RescueStep::Check));
    assert_eq!(world.count(0, |entry| matches!(entry.what, What::HungUp(_))), 0);
    assert_eq!(commands(&world)[0], "AT");
}

#[test]
fn a_modem_in_data_mode_is_freed_by_dtr() {
    let mut setup = checked(RescueWhen::Always);
    setup.modem.faults.starts_in_data_mode = true;
    let (world, by) = helped(setup);
    assert_eq!(by, Some(RescueStep::ToggleDtr));
    let at = |what: What| world.transcript().iter().find(|entry| entry.what == what).expect("DTR moved").at;
    assert!(at(What::DtrRaised(0)) - at(What::HungUp(0)) >= secs(1));
}

#[test]
fn one_that_does_not_look_at_dtr_is_freed_by_its_escape_sequence_and_ath() {
    let mut setup = checked(RescueWhen::Always);
    setup.modem.faults.starts_in_data_mode = true;
    setup.modem.faults.ignores_dtr = true;
    let (world, by) = helped(setup);
    assert_eq!(by, Some(RescueStep::Escape));
    assert!(commands(&world).contains(&"ATH"));
    assert!(!commands(&world).contains(&"AT+CFUN=1,1"));
}

#[test]
fn one_that_obeys_nothing_else_is_freed_by_its_reset_script() {
    let mut setup = checked(RescueWhen::Always);
    setup.modem.faults.is_wedged = true;
    let (world, by) = helped(setup);
    assert_eq!(by, Some(RescueStep::Reset));
    assert!(commands(&world).contains(&"AT+CFUN=1,1"));
}

#[test]
fn a_dead_one_is_freed_by_the_program_that_switches_it_off_and_on() {
    let mut setup = checked(RescueWhen::Always);
    setup.modem.faults.is_dead = true;
    let (_, by) = helped(setup);
    assert_eq!(by, Some(RescueStep::Command));
}

#[test]
fn a_reset_script_is_held_as_the_modem_wants_it() {
    let mut setup = checked(RescueWhen::Always);
    setup.modem.faults.is_wedged = true;
    let script = ScriptOptions {
        variables: Some([(b"HOW".to_vec(), b"1,1".to_vec())].into()),
        ..ScriptOptions::default()
    };
    let options = ConversationOptions { script, timeout: secs(3), ..ConversationOptions::default() };
    let reset = Script::parse(b"'' AT+CFUN=$HOW OK '\\c'").expect("the script is right");
    setup.bridge.rescue.reset = Some((Arc::new(reset), options));
    let (world, _) = helped(setup);
    assert!(commands(&world).contains(&"AT+CFUN=1,1"), "{:?}", commands(&world));
}

#[test]
fn without_a_reset_script_the_program_is_next() {
    let mut setup = checked(RescueWhen::Always);
    setup.bridge.rescue.reset = None;
    setup.modem.faults.is_wedged = true;
    let (world, by) = helped(setup);
    assert_eq!(by, Some(RescueStep::Command));
    assert!(!commands(&world).contains(&"AT+CFUN=1,1"));
}

#[test]
fn a_line_without_at_commands_is_dialled_all_the_same() {
    let mut setup = checked(RescueWhen::Always);
    let script = Script::parse(b"'' '\\c'").expect("the script is right");
    setup.bridge.dial = DialMethod::Script(Arc::new(script), ConversationOptions::default());
    setup.bridge.rescue.command = false;
    setup.modem.faults.is_dead = true;
    let mut world = world(setup);
    world.start(0);
    let entry = world.run_until(secs(60), |entry| rescued(entry).is_some());
    assert_eq!(rescued(&entry), Some(None), "nothing helped");
    world.run_until(secs(1), |entry| matches!(entry.event(), Some(Event::Connected { .. })));
}

#[test]
fn a_modem_that_was_never_suspect_is_not_checked() {
    let mut world = world(checked(RescueWhen::Suspicion));
    for _ in 0..3 {
        bring_up(&mut world, 0);
        world.run_for(secs(20));
        world.stop(0);
        until_state(&mut world, 0, ModemState::Idle);
    }
    assert_eq!(world.count(0, |entry| rescued(entry).is_some()), 0);
    assert_eq!(commands(&world)[0], "ATZ");
}

#[test]
fn a_modem_that_said_no_is_not_suspect_and_one_that_said_nothing_is() {
    for (result, is_suspect) in
        [(DialResult::Busy, false), (DialResult::Error, false), (DialResult::Silence, true)]
    {
        let mut setup = checked(RescueWhen::Suspicion);
        setup.modem.dials = vec![result, DialResult::Connect];
        let mut world = world(setup);
        world.start(0);
        until_state(&mut world, 0, ModemState::BackingOff);
        until_state(&mut world, 0, ModemState::Idle);
        world.run_for(secs(40));
        bring_up(&mut world, 0);
        let checks = world.count(0, |entry| rescued(entry).is_some());
        assert_eq!(checks, usize::from(is_suspect), "{result:?}");
    }
}

#[test]
fn a_modem_that_was_freed_is_no_longer_suspect() {
    let mut setup = checked(RescueWhen::Suspicion);
    setup.modem.dials = vec![DialResult::Silence, DialResult::Busy, DialResult::Connect];
    let mut world = world(setup);
    for _ in 0..2 {
        world.start(0);
        until_state(&mut world, 0, ModemState::BackingOff);
        until_state(&mut world, 0, ModemState::Idle);
        world.run_for(secs(40));
    }
    bring_up(&mut world, 0);
    assert_eq!(world.count(0, |entry| rescued(entry).is_some()), 1);
}

#[test]
fn a_modem_that_is_never_to_be_checked_is_not() {
    let mut setup = checked(RescueWhen::Never);
    setup.modem.dials = vec![DialResult::Silence, DialResult::Connect];
    let mut world = world(setup);
    world.start(0);
    until_state(&mut world, 0, ModemState::BackingOff);
    until_state(&mut world, 0, ModemState::Idle);
    world.run_for(secs(40));
    bring_up(&mut world, 0);
    assert_eq!(world.count(0, |entry| rescued(entry).is_some()), 0);
}

#[test]
fn a_call_that_ends_in_data_mode_does_not_keep_the_next_from_being_dialled() {
    let mut setup = checked(RescueWhen::Suspicion);
    setup.modem.faults.stays_in_data_mode = true;
    let mut world = world(setup);
    for _ in 0..3 {
        bring_up(&mut world, 0);
        world.run_for(secs(15));
        world.hang_up(0);
        world.stop(0);
        until_state(&mut world, 0, ModemState::Idle);
    }
}

#[test]
fn a_host_that_must_wait_for_a_long_rescue_has_its_pads_in_time_and_is_served() {
    let mut setup = checked(RescueWhen::Always);
    setup.modem.faults.is_dead = true;
    let mut world = World::new(WorldConfig::pair(PPPD, setup));
    world.start(0);
    let pads = world.run_until(secs(8), crate::told::opens);
    assert!(pads.at.as_micros() <= 4_100_000, "{pads}");
    assert_eq!(world.state(0), ModemState::Opening);
    world.run_until(secs(60), |entry| is_up(entry, 0));
    assert_eq!(world.modem(0).dials(), 1);
}

#[test]
fn a_rescue_can_be_ended_at_any_moment() {
    for seconds in 0..40 {
        let mut setup = checked(RescueWhen::Always);
        setup.modem.faults.is_dead = true;
        setup.bridge.rescue.command = false;
        let mut world = World::new(WorldConfig::pair(PPPD, setup));
        world.start(0);
        world.run_for(secs(seconds));
        world.shut_down();
        world.run_until_it_is(secs(5), |world| world.bridge().is_finished());
    }
}

#[test]
fn a_modem_that_vanishes_while_it_is_being_rescued_can_come_back() {
    for seconds in 1..20 {
        let mut setup = checked(RescueWhen::Always);
        setup.modem.faults.is_wedged = true;
        let mut world = world(setup);
        world.start(0);
        world.run_for(secs(seconds));
        world.unplug(0);
        world.run_for(secs(5));
        world.vanish(0);
        world.plug(0);
        world.run_for(secs(20));
        bring_up(&mut world, 0);
    }
}

#[test]
fn a_host_that_is_told_of_a_dial_that_fails_after_a_rescue_hears_it_once() {
    let mut setup = checked(RescueWhen::Always);
    setup.bridge.rescue.command = false;
    setup.bridge.rescue.reset = None;
    setup.modem.faults.is_dead = true;
    let mut world = world(setup);
    world.start(0);
    until_state(&mut world, 0, ModemState::BackingOff);
    world.run_for(secs(1));
    assert_eq!(world.count(0, |entry| closed(entry).is_some()), 1);
    assert_eq!(world.count(0, |entry| rescued(entry) == Some(None)), 1);
}

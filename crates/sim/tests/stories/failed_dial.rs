//! A dial that comes to nothing: the host is told why at once, and the next try can succeed.

use bridge_proto::modem::ModemState;
use bridge_sim::modem::DialResult;
use bridge_sim::modem::profile::HUAWEI;
use bridge_sim::pppoe::AC_SYSTEM_ERROR;
use bridge_sim::world::{ModemSetup, World, WorldConfig, is_up};

use crate::told::{ONCE, bring_up, pair, refusal, secs, until_state};

/// What the error says of each result.
const RESULTS: [(DialResult, &str); 5] = [
    (DialResult::Busy, "BUSY"),
    (DialResult::NoCarrier, "NO CARRIER"),
    (DialResult::NoDialtone, "NO DIALTONE"),
    (DialResult::Error, "ERROR"),
    (DialResult::Silence, ""),
];

#[test]
fn a_failed_dial_tells_the_host_why_and_the_next_try_succeeds() {
    for (result, words) in RESULTS {
        let mut world = pair(2, &[result, DialResult::Connect]);
        world.start(0);
        // A silent modem is given up after the script's 90 s; pppd has its early PADS then, and is told by PADT.
        if result != DialResult::Silence {
            let entry = world.run_until(secs(5), |entry| refusal(entry, 0).is_some());
            let (kind, text) = refusal(&entry, 0).expect("it was just found");
            assert_eq!(kind, AC_SYSTEM_ERROR);
            assert_eq!(text, format!("the dial failed: {words}"));
        }
        until_state(&mut world, 0, ModemState::BackingOff);
        until_state(&mut world, 0, ModemState::Idle);
        bring_up(&mut world, 0);
        assert_eq!(world.modem(0).dials(), 2, "{result:?}");
    }
}

#[test]
fn a_modem_that_cannot_be_opened_is_a_failed_dial() {
    let mut world = pair(2, &[DialResult::Connect]);
    world.unplug(0);
    world.start(0);
    let entry = world.run_until(secs(5), |entry| refusal(entry, 0).is_some());
    let (kind, text) = refusal(&entry, 0).expect("it was just found");
    assert_eq!((kind, text), (AC_SYSTEM_ERROR, "the dial failed: the modem is not plugged in"));
    world.plug(0);
    until_state(&mut world, 0, ModemState::Idle);
    bring_up(&mut world, 0);
}

#[test]
fn a_device_that_does_not_open_is_given_up() {
    let mut world = pair(2, &[DialResult::Connect]);
    world.open_takes(0, secs(3600));
    world.start(0);
    until_state(&mut world, 0, ModemState::BackingOff);
    assert!((20_000_000..21_000_000).contains(&world.now().as_micros()), "{}", world.now());
    world.open_takes(0, secs(15));
    until_state(&mut world, 0, ModemState::Idle);
    bring_up(&mut world, 0);
}

#[test]
fn a_dead_modem_is_given_up_within_the_scripts_time() {
    let mut setup = ModemSetup::new(&HUAWEI, 0);
    setup.modem.faults.is_dead = true;
    let mut world = World::new(WorldConfig::pair(ONCE, setup));
    world.start(0);
    until_state(&mut world, 0, ModemState::BackingOff);
    assert!(world.now().as_micros() < 8_000_000, "{}", world.now());
    assert_eq!(world.modem(0).dials(), 0);
}

#[test]
fn a_modem_left_in_data_mode_is_brought_back_by_the_hang_up_after_a_failed_dial() {
    let mut setup = ModemSetup::new(&HUAWEI, 0);
    setup.modem.faults.starts_in_data_mode = true;
    let mut world = World::new(WorldConfig::pair(bridge_sim::host::profile::OPENWRT, setup));
    world.start(0);
    world.run_until(secs(60), |entry| is_up(entry, 0));
}

#[test]
fn a_connect_command_dials_as_well_as_a_script() {
    let setup = ModemSetup::new(&HUAWEI, 0).with_command(secs(30));
    let mut world = World::new(WorldConfig::pair(ONCE, setup));
    bring_up(&mut world, 0);
    world.stop(0);
    until_state(&mut world, 0, ModemState::Idle);
    bring_up(&mut world, 0);
}

#[test]
fn a_connect_command_that_fails_or_never_ends_is_a_failed_dial() {
    for result in [DialResult::Busy, DialResult::Silence] {
        let mut setup = ModemSetup::new(&HUAWEI, 0).with_command(secs(30));
        setup.modem.dials = vec![result, DialResult::Connect];
        let mut world = World::new(WorldConfig::pair(ONCE, setup));
        world.start(0);
        until_state(&mut world, 0, ModemState::BackingOff);
        assert!(world.now().as_micros() < 32_000_000, "{}", world.now());
        until_state(&mut world, 0, ModemState::Idle);
        bring_up(&mut world, 0);
    }
}

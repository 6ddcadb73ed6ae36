//! One dial for a host and service, however often the host gives up and comes again.

use bridge_proto::modem::ModemState;
use bridge_sim::host::profile::{self, ClientProfile};
use bridge_sim::modem::DialResult;
use bridge_sim::world::{ModemSetup, World, WorldConfig, is_up};

use crate::told::{expect_ping, modem, pair, secs, until_state};

#[test]
fn a_host_that_gives_up_and_comes_again_finds_the_same_dial() {
    let mut world = pair(40, &[DialResult::Connect]);
    world.start(0);
    world.run_for(secs(10));
    world.stop(0);
    world.run_for(secs(5));
    world.start(0);
    world.run_until(secs(45), |entry| is_up(entry, 0));
    expect_ping(&mut world, 0);
    assert_eq!(world.modem(0).dials(), 1);
}

#[test]
fn a_host_that_gives_up_in_the_very_moment_of_connect_finds_a_warm_modem() {
    // PADS at 4 s, ten Configure-Requests, one each 3 s: pppd leaves at 34 s.
    let mut world = World::new(WorldConfig::pair(profile::OPENWRT, modem(34, &[DialResult::Connect])));
    world.start(0);
    world.run_until(secs(40), |entry| is_up(entry, 0));
    assert_eq!(world.modem(0).dials(), 1);
}

#[test]
fn the_least_patient_client_gets_the_slowest_dial() {
    for client in [profile::FREEBSD_PPP, profile::MPD5, profile::OPENWRT] {
        let mut world = World::new(WorldConfig::pair(client, modem(45, &[DialResult::Connect])));
        world.start(0);
        world.run_until(secs(60), |entry| is_up(entry, 0));
        assert_eq!(world.modem(0).dials(), 1, "{}", client.name);
    }
}

#[test]
fn with_two_modems_a_host_that_comes_again_does_not_dial_the_second() {
    let modems =
        (0..2).map(|number| ModemSetup::new(&bridge_sim::modem::profile::HUAWEI, number).dial_time(50));
    let clients = [ClientProfile { redial: Some(secs(1)), ..profile::MPD5 }];
    let mut world = World::new(WorldConfig::crowd(1, &clients, modems.collect()));
    world.start(0);
    world.run_until(secs(70), |entry| is_up(entry, 0));
    assert_eq!((world.modem(0).dials(), world.modem(1).dials()), (1, 0));
    world.stop(0);
    until_state(&mut world, 0, ModemState::Idle);
}

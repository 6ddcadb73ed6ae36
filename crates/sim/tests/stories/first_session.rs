//! From nothing to a ping, and back to nothing.

use bridge_proto::modem::ModemState;
use bridge_sim::host::profile;
use bridge_sim::modem::profile as modems;
use bridge_sim::world::{ModemSetup, World, WorldConfig, is_up};

use crate::told::{bring_up, expect_ping, pair, quick, secs, until_state};
use bridge_sim::modem::DialResult;

#[test]
fn a_host_dials_pings_and_leaves_and_the_modem_is_free_again() {
    let mut world = quick();
    bring_up(&mut world, 0);
    world.stop(0);
    until_state(&mut world, 0, ModemState::Idle);
    assert!(!world.modem(0).is_online());
    assert_eq!(world.table().iter().count(), 0);
    assert_eq!(world.modem(0).dials(), 1);
}

#[test]
fn a_second_session_is_as_good_as_the_first() {
    let mut world = pair(2, &[DialResult::Connect]);
    for dials in 1..=3 {
        bring_up(&mut world, 0);
        assert_eq!(world.modem(0).dials(), dials);
        world.stop(0);
        until_state(&mut world, 0, ModemState::Idle);
    }
}

#[test]
fn every_client_gets_along_with_every_modem() {
    for client in profile::ALL {
        for modem in modems::ALL {
            let setup = ModemSetup::new(modem, 0).dial_time(1);
            let mut world = World::new(WorldConfig::pair(*client, setup));
            world.start(0);
            world.run_until(secs(60), |entry| is_up(entry, 0));
            expect_ping(&mut world, 0);
            assert!(world.ping_from_modem(0, 1000).is_some(), "{} and {}", client.name, modem.name);
        }
    }
}

//! A modem may be pulled out at any time, and serves again when it is back.

use bridge_proto::modem::ModemState;
use bridge_sim::modem::DialResult;
use bridge_sim::world::World;

use crate::told::{bring_up, pair, secs};

/// Brings a modem into a state, with a host in the middle of whatever that means.
fn world_in(state: ModemState) -> World {
    let failing = matches!(state, ModemState::BackingOff);
    let first = if failing { DialResult::Busy } else { DialResult::Connect };
    let mut world = pair(3, &[first, DialResult::Connect]);
    match state {
        ModemState::Absent | ModemState::Idle => {}
        ModemState::Opening => {
            world.open_takes(0, secs(1));
            world.start(0);
        }
        ModemState::Dialing | ModemState::BackingOff => world.start(0),
        ModemState::Online => bring_up(&mut world, 0),
        ModemState::Terminating | ModemState::HangingUp => {
            bring_up(&mut world, 0);
            world.stop(0);
        }
    }
    if state != ModemState::Absent {
        world.run_until_it_is(secs(20), |world| world.state(0) == state);
    }
    world
}

#[test]
fn a_modem_unplugged_in_any_state_serves_again_when_it_is_back() {
    for state in ModemState::ALL {
        for is_told in [false, true] {
            let mut world = world_in(state);
            if is_told {
                world.unplug_loudly(0);
            } else {
                world.unplug(0);
            }
            world.run_for(secs(10));
            assert_eq!(world.table().iter().count(), 0, "{state}");
            world.plug(0);
            world.vanish(0);
            world.run_for(secs(10));
            bring_up(&mut world, 0);
        }
    }
}

#[test]
fn a_host_whose_modem_is_pulled_out_is_told_at_once() {
    let mut world = world_in(ModemState::Online);
    world.unplug(0);
    world.run_until_it_is(secs(1), |world| world.host(0).session().is_none());
}

#[test]
fn a_modem_that_is_out_for_a_moment_only_serves_again() {
    for state in ModemState::ALL {
        let mut world = world_in(state);
        world.unplug(0);
        world.plug(0);
        world.vanish(0);
        world.run_for(secs(15));
        bring_up(&mut world, 0);
    }
}

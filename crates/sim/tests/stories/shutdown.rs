//! SIGTERM: everybody is told, every modem is hung up, and that takes 4 s at most.

use bridge_proto::event::CloseReason;
use bridge_proto::modem::ModemState;
use bridge_sim::modem::DialResult;
use bridge_sim::world::World;

use crate::told::{bring_up, closed, pair, quick, refuses, secs, until_state};

fn ends_in_time(world: &mut World) {
    world.shut_down();
    world.run_until_it_is(secs(5), |world| world.bridge().is_finished());
    assert!(!world.modem(0).is_online());
    assert_eq!(world.table().iter().count(), 0);
}

#[test]
fn an_idle_bridge_ends_at_once() {
    let mut world = quick();
    world.shut_down();
    assert!(world.bridge().is_finished());
}

#[test]
fn a_bridge_with_a_session_ends_it_by_lcp_and_padt() {
    let mut world = quick();
    bring_up(&mut world, 0);
    ends_in_time(&mut world);
    assert_eq!(world.host(0).session(), None);
    assert_eq!(world.count(0, |entry| closed(entry) == Some(&CloseReason::Shutdown)), 1);
}

#[test]
fn a_host_that_does_not_answer_the_goodbye_delays_the_end_by_3_s_only() {
    let mut world = quick();
    bring_up(&mut world, 0);
    world.vanish(0);
    ends_in_time(&mut world);
}

#[test]
fn a_bridge_ends_in_every_state_of_its_modem() {
    for state in ModemState::ALL {
        let mut world = pair(20, &[DialResult::Busy]);
        match state {
            ModemState::Absent => world.unplug_loudly(0),
            ModemState::Idle => {}
            ModemState::Opening => {
                world.open_takes(0, secs(2));
                world.start(0);
                until_state(&mut world, 0, state);
            }
            ModemState::Dialing => {
                world.start(0);
                world.run_for(secs(10));
            }
            ModemState::Online | ModemState::Terminating => {
                world = quick();
                bring_up(&mut world, 0);
                if state == ModemState::Terminating {
                    world.stop(0);
                    until_state(&mut world, 0, state);
                }
            }
            ModemState::HangingUp | ModemState::BackingOff => {
                world.start(0);
                until_state(&mut world, 0, state);
            }
        }
        assert_eq!(world.state(0), state);
        ends_in_time(&mut world);
    }
}

#[test]
fn a_host_that_waits_for_its_pads_is_told_that_the_bridge_ends() {
    let mut world = pair(20, &[DialResult::Connect]);
    world.start(0);
    world.run_for(secs(2));
    ends_in_time(&mut world);
    assert!(world.count(0, refuses) >= 1);
}

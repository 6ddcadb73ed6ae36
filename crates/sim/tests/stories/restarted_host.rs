//! A host whose power failed says nothing; when it is back it must not wait for anything.

use bridge_proto::event::CloseReason;
use bridge_sim::modem::DialResult;
use bridge_sim::world::is_up;

use crate::told::{bring_up, closed, pair, quick, secs};

#[test]
fn a_host_that_restarts_without_a_word_is_back_at_once() {
    let mut world = pair(20, &[DialResult::Connect]);
    bring_up(&mut world, 0);
    world.vanish(0);
    world.run_for(secs(5));
    let began = world.now();
    world.start(0);
    let up = world.run_until(secs(5), |entry| is_up(entry, 0));
    assert!(up.at - began < secs(5), "{:?}", up.at - began);
    assert_eq!(world.modem(0).dials(), 1);
    assert!(world.count(0, |entry| closed(entry) == Some(&CloseReason::HostRestarted)) == 1);
}

#[test]
fn a_host_that_restarts_during_the_dial_gets_that_dial() {
    let mut world = pair(10, &[DialResult::Connect]);
    world.start(0);
    world.run_for(secs(2));
    world.vanish(0);
    world.run_for(secs(1));
    world.start(0);
    let up = world.run_until(secs(15), |entry| is_up(entry, 0));
    assert!(up.at.as_micros() < 14_000_000, "{up}");
    assert_eq!(world.modem(0).dials(), 1);
}

#[test]
fn a_host_that_restarts_again_and_again_always_gets_in() {
    let mut world = quick();
    for _ in 0..20 {
        bring_up(&mut world, 0);
        world.vanish(0);
        world.run_for(secs(3));
    }
    assert_eq!(world.modem(0).dials(), 1);
}

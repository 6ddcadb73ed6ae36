//! A host left over from before a restart is told that its session is gone; a flood is not answered with one.

use bridge_proto::event::Event;
use bridge_sim::host::EndReason;
use bridge_sim::pppoe::{ETHERTYPE_SESSION, Mac, Packet};
use bridge_sim::world::{BRIDGE, STRANGER, World, WorldConfig, is_up};

use crate::told::{bring_up, ended, is_padt, millis, quick, secs};

fn stray(session_id: u16, source: Mac) -> Vec<u8> {
    let payload = &[0, 0x21, 0x45];
    Packet { destination: BRIDGE, source, ethertype: ETHERTYPE_SESSION, code: 0, session_id, payload }.emit()
}

#[test]
fn after_a_restart_of_the_bridge_a_host_is_back_as_soon_as_it_speaks() {
    // This host comes again by itself, at once after a PADT.
    let mut world = World::new(WorldConfig::default());
    bring_up(&mut world, 0);
    world.restart_bridge();
    world.ping(0, 100);
    world.run_until(secs(1), |entry| ended(entry, 0) == Some(EndReason::Padt));
    world.run_until(secs(10), |entry| is_up(entry, 0));
}

#[test]
fn stray_frames_are_answered_by_padts_at_a_limited_rate() {
    let mut world = quick();
    for number in 0..1000 {
        world.inject(&stray(0x1000 + number, STRANGER));
    }
    world.run_for(millis(1));
    assert_eq!(world.count(0, is_padt), 10, "as many at once");
    for number in 0..100 {
        world.inject(&stray(0x2000 + number, STRANGER));
        world.run_for(millis(50));
    }
    let answered = world.count(0, |entry| matches!(entry.event(), Some(Event::StrayAnswered(_))));
    assert!((58..=62).contains(&answered), "{answered} in 5 s");
}

#[test]
fn a_host_that_goes_on_in_a_session_that_is_gone_is_told_once_a_second() {
    let mut world = quick();
    for _ in 0..100 {
        world.inject(&stray(7, STRANGER));
        world.run_for(millis(50));
    }
    assert_eq!(world.count(0, is_padt), 5);
}

#[test]
fn a_frame_for_no_possible_session_gets_no_answer() {
    let mut world = quick();
    for id in [0, 0xffff] {
        world.inject(&stray(id, STRANGER));
    }
    world.inject(&stray(7, Mac::BROADCAST));
    world.run_for(secs(1));
    assert_eq!(world.count(0, is_padt), 0);
}

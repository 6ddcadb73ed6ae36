//! RFC 2516 §8: a host sends its PADR again when no PADS comes. That is no second request.

use bridge_sim::pppoe::{PADR, PADS};

use crate::told::{bring_up, call_started, expect_ping, last_frame, millis, opens, quick, secs};

#[test]
fn a_repeated_padr_gets_the_same_pads() {
    let mut world = quick();
    world.start(0);
    world.run_until(secs(10), opens);
    let (padr, pads) = (last_frame(&world, PADR), last_frame(&world, PADS));
    for _ in 0..3 {
        let from = world.transcript().len();
        world.inject(&padr);
        world.run_for(millis(10));
        assert_eq!(world.count(from, opens), 1);
        assert_eq!(last_frame(&world, PADS), pads);
    }
    assert_eq!(world.table().iter().count(), 1);
}

#[test]
fn a_padr_that_the_network_copied_does_not_disturb_the_session_it_opened() {
    let mut world = quick();
    world.start(0);
    world.run_until(secs(10), opens);
    world.run_for(millis(500));
    let padr = last_frame(&world, PADR);
    world.inject(&padr);
    world.run_for(secs(5));
    expect_ping(&mut world, 0);
    assert_eq!(world.count(0, call_started), 1);
}

#[test]
fn padrs_during_a_dial_start_no_other_and_get_one_pads_at_connect() {
    let mut world = crate::told::pair(3, &[bridge_sim::modem::DialResult::Connect]);
    world.start(0);
    world.run_for(millis(100));
    let padr = last_frame(&world, PADR);
    for _ in 0..20 {
        world.inject(&padr);
        world.run_for(millis(50));
    }
    assert_eq!(world.count(0, opens), 0);
    world.run_until(secs(3), opens);
    world.run_for(millis(100));
    assert_eq!((world.count(0, opens), world.modem(0).dials()), (1, 1));
}

#[test]
fn a_host_that_begins_anew_in_the_session_gets_another_session() {
    let mut world = quick();
    bring_up(&mut world, 0);
    let before = world.host(0).session();
    world.vanish(0);
    bring_up(&mut world, 0);
    assert_ne!(world.host(0).session(), before);
    assert_eq!(world.modem(0).dials(), 1, "the connected modem serves it again");
}

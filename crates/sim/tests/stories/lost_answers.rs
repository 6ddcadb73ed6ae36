//! Answers that the network loses cost a retry of the host, and nothing else.

use bridge_sim::pppoe::{PADI, PADO, PADR, PADS};
use bridge_sim::segment::SegmentFaults;
use bridge_sim::world::{World, is_up};

use crate::told::{expect_ping, pair, quick, secs};
use bridge_sim::modem::DialResult;

const DEAF: SegmentFaults = SegmentFaults {
    lost: 1000,
    copied: 0,
    reordered: 0,
    damaged: 0,
    delay: std::time::Duration::ZERO,
    hold: std::time::Duration::ZERO,
};

/// Loses the next packet of this kind that anybody sends, and what follows until the host's next try.
fn lose(world: &mut World, code: u8) {
    world.run_until(secs(60), |entry| entry.discovery().is_some_and(|packet| packet.code == code));
    // It has left already, and is lost by pulling what is under way.
    world.lose_under_way();
}

fn comes_up_although_lost(code: u8, mut world: World) {
    world.start(0);
    if code != PADI {
        lose(&mut world, code);
    } else {
        world.lose_under_way();
    }
    world.run_until(secs(60), |entry| is_up(entry, 0));
    expect_ping(&mut world, 0);
    assert_eq!(world.modem(0).dials(), 1);
}

#[test]
fn a_lost_padi_pado_padr_or_pads_costs_one_retry() {
    for code in [PADI, PADO, PADR, PADS] {
        comes_up_although_lost(code, quick());
        comes_up_although_lost(code, pair(10, &[DialResult::Connect]));
    }
}

#[test]
fn a_host_that_heard_nothing_for_a_while_is_served_when_it_asks_again() {
    let mut world = quick();
    world.set_faults(DEAF);
    world.start(0);
    world.run_for(secs(14));
    world.mend();
    world.run_until(secs(30), |entry| is_up(entry, 0));
}

#[test]
fn a_lost_padt_of_the_host_leaves_no_modem_connected_for_ever() {
    let mut world = quick();
    crate::told::bring_up(&mut world, 0);
    // The host's goodbye is lost altogether: only the far end's LCP, or the host's return, can tell.
    world.set_faults(DEAF);
    world.stop(0);
    world.run_for(secs(10));
    world.mend();
    assert_eq!(world.host(0).session(), None);
    world.start(0);
    world.run_until(secs(60), |entry| is_up(entry, 0));
    assert_eq!(world.table().iter().count(), 1);
}

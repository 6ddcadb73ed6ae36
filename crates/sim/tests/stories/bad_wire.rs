//! Ethernets that lose, copy and reorder cost time, and nothing else.

use bridge_sim::host::profile;
use bridge_sim::modem::profile::HUAWEI;
use bridge_sim::segment::SegmentFaults;
use bridge_sim::world::{ModemSetup, World, WorldConfig, is_up};

use crate::told::{millis, secs};

const BAD: SegmentFaults = SegmentFaults {
    lost: 100,
    copied: 100,
    reordered: 100,
    damaged: 0,
    delay: std::time::Duration::from_millis(2),
    hold: std::time::Duration::from_millis(40),
};

#[test]
fn a_lossy_copying_reordering_ethernet_still_brings_sessions_up() {
    for client in profile::ALL {
        for seed in 0..10 {
            let setup = ModemSetup::new(&HUAWEI, 0).dial_time(seed);
            let mut config = WorldConfig::crowd(seed, &[*client], vec![setup]);
            config.faults = BAD;
            let mut world = World::new(config);
            world.start(0);
            world.run_until(secs(600), |entry| is_up(entry, 0));
        }
    }
}

#[test]
fn a_wire_that_copies_every_packet_makes_one_session_of_one_host() {
    let faults = SegmentFaults { copied: 1000, delay: millis(1), ..SegmentFaults::default() };
    let mut world = World::new(WorldConfig { faults, ..WorldConfig::default() });
    world.start(0);
    // LCP itself can bear such a wire only with luck: a copied request restarts an open link (RFC 1661 §4.1).
    world.run_for(secs(10));
    assert_eq!(world.modem(0).dials(), 1);
    assert_eq!(world.count(0, |entry| crate::told::closed(entry).is_some()), 0);
}

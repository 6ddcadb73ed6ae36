//! Garbage on either wire changes nothing: the session goes on, and no frame is poisoned.

use bridge_proto::discard::DiscardReason;
use bridge_sim::pppoe::{ETHERTYPE_DISCOVERY, ETHERTYPE_SESSION};
use bridge_sim::prng::Prng;
use bridge_sim::world::{BRIDGE, World, host_mac};

use crate::told::{bring_up, expect_ping, millis, quick};

/// A frame that looks right up to some octet and is noise from there on.
fn noise(world: &World, prng: &mut Prng) -> Vec<u8> {
    let mut frame = BRIDGE.0.to_vec();
    frame.extend_from_slice(&host_mac(0).0);
    let ether_type = if prng.chance(500) { ETHERTYPE_DISCOVERY } else { ETHERTYPE_SESSION };
    frame.extend_from_slice(&ether_type.to_be_bytes());
    let id = world.host(0).session().expect("a session").to_be_bytes();
    frame.extend_from_slice(&[0x11, prng.next_u32() as u8, id[0], id[1], 0, 40]);
    frame.resize(60, 0);
    let from = 12 + prng.below(12) as usize;
    prng.fill(&mut frame[from..]);
    // The one well-formed packet of this host that would end its session.
    if frame[12..16] == [0x88, 0x63, 0x11, 0xa7] {
        frame[15] = 0;
    }
    frame.truncate(prng.below(61) as usize);
    frame
}

#[test]
fn garbage_on_the_ethernet_leaves_a_session_alone() {
    let mut world = quick();
    bring_up(&mut world, 0);
    let mut prng = Prng::new(5);
    for _ in 0..2000 {
        let frame = noise(&world, &mut prng);
        world.inject(&frame);
        world.run_for(millis(1));
    }
    expect_ping(&mut world, 0);
    assert!(world.discarded(DiscardReason::TruncatedHeader) > 100);
}

#[test]
fn garbage_on_the_serial_line_costs_no_frame_but_its_own() {
    let mut world = quick();
    bring_up(&mut world, 0);
    let mut prng = Prng::new(6);
    for _ in 0..300 {
        let mut octets = vec![0; prng.below(100) as usize];
        prng.fill(&mut octets);
        world.say_as_modem(0, &octets);
        world.say_as_modem(0, &[0x7e]);
        expect_ping(&mut world, 0);
    }
    assert!(world.discarded(DiscardReason::BadFcs) > 100);
}

#[test]
fn a_frame_longer_than_the_ethernet_takes_is_dropped_alone() {
    let mut world = quick();
    bring_up(&mut world, 0);
    let mut ppp = vec![0, 0x21];
    ppp.resize(1600, 0x45);
    let stuffed = bridge_sim::hdlc::encode(&ppp, bridge_sim::hdlc::Framing::default());
    world.say_as_modem(0, &stuffed);
    assert_eq!(world.discarded(DiscardReason::ExceedsMtu), 1);
    expect_ping(&mut world, 0);
}

#[test]
fn words_that_only_look_like_no_carrier_inside_a_frame_end_nothing() {
    let mut world = quick();
    bring_up(&mut world, 0);
    let mut ppp = vec![0, 0x21];
    ppp.extend_from_slice(b"\r\nNO CARRIER\r\n");
    let stuffed = bridge_sim::hdlc::encode(&ppp, bridge_sim::hdlc::Framing::default());
    for octet in stuffed {
        world.say_as_modem(0, &[octet]);
    }
    expect_ping(&mut world, 0);
}

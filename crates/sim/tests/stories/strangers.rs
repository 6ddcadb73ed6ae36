//! RFC 2516 §4: a session is known by its peer's address and its number together.

use bridge_proto::discard::DiscardReason;
use bridge_sim::pppoe::{ETHERTYPE_DISCOVERY, ETHERTYPE_SESSION, Mac, PADT, Packet};
use bridge_sim::world::{BRIDGE, STRANGER, World, host_mac};

use crate::told::{bring_up, expect_ping, is_padt, millis, quick};

fn frame(world: &World, source: Mac, ethertype: u16, code: u8, payload: &[u8]) -> Vec<u8> {
    let session_id = world.host(0).session().expect("there is a session");
    Packet { destination: BRIDGE, source, ethertype, code, session_id, payload }.emit()
}

#[test]
fn a_strangers_padt_changes_nothing() {
    let mut world = quick();
    bring_up(&mut world, 0);
    let padt = frame(&world, STRANGER, ETHERTYPE_DISCOVERY, PADT, &[]);
    world.inject(&padt);
    world.run_for(millis(10));
    assert_eq!(world.discarded(DiscardReason::PadtWrongPeer), 1);
    expect_ping(&mut world, 0);
}

#[test]
fn a_strangers_session_frame_reaches_no_modem_and_gets_no_padt() {
    let mut world = quick();
    bring_up(&mut world, 0);
    let from = world.transcript().len();
    // LCP Terminate-Request: it would end the session if it were heard.
    let forged = frame(&world, STRANGER, ETHERTYPE_SESSION, 0, &[0xc0, 0x21, 5, 9, 0, 4]);
    world.inject(&forged);
    world.run_for(millis(10));
    assert_eq!(world.discarded(DiscardReason::WrongPeer), 1);
    assert_eq!(world.count(from, is_padt), 0);
    expect_ping(&mut world, 0);
}

#[test]
fn a_padt_for_a_session_that_nobody_has_changes_nothing() {
    let mut world = quick();
    bring_up(&mut world, 0);
    let session_id = world.host(0).session().expect("there is a session").wrapping_add(1).max(1);
    let packet = Packet {
        destination: BRIDGE,
        source: host_mac(0),
        ethertype: ETHERTYPE_DISCOVERY,
        code: PADT,
        session_id,
        payload: &[],
    };
    world.inject(&packet.emit());
    world.run_for(millis(10));
    assert_eq!(world.discarded(DiscardReason::PadtUnknownSession), 1);
    expect_ping(&mut world, 0);
}

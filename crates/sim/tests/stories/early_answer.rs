//! A dial longer than the hosts' patience: PADS at the deadline, and what the host says is kept for the modem.

use bridge_proto::event::{Direction, Event};
use bridge_sim::modem::DialResult;
use bridge_sim::world::{Entry, is_up};

use crate::told::{closed, expect_ping, is_padt, millis, opens, pair, secs};

fn is_early(entry: &Entry) -> bool {
    matches!(entry.event(), Some(Event::SessionOpened { early: true, .. }))
}

#[test]
fn the_pads_comes_at_connect_if_that_is_before_the_deadline() {
    let mut world = pair(3, &[DialResult::Connect]);
    world.start(0);
    let pads = world.run_until(secs(10), opens);
    let connected = world.run_until(secs(10), |entry| is_up(entry, 0));
    assert_eq!(pads.at.as_micros() / 100_000, 30);
    assert!(connected.at - pads.at < secs(1));
    assert_eq!(world.count(0, is_early), 0);
}

#[test]
fn a_dial_longer_than_the_deadline_gets_its_pads_at_the_deadline() {
    let mut world = pair(20, &[DialResult::Connect]);
    world.start(0);
    let pads = world.run_until(secs(10), opens);
    assert_eq!(pads.at.as_micros() / 100_000, 40);
    world.run_for(secs(0));
    assert_eq!(world.count(0, is_early), 1);
}

#[test]
fn what_the_host_asked_of_lcp_meanwhile_is_given_to_the_modem_at_connect() {
    let mut world = pair(20, &[DialResult::Connect]);
    world.start(0);
    world.run_until(secs(30), |entry| matches!(entry.event(), Some(Event::Connected { .. })));
    let from =
        world.transcript().iter().rposition(|entry| matches!(entry.event(), Some(Event::Connected { .. })));
    let from = from.expect("it is connected");
    let at = world.now();
    // Nothing is kept waiting: the host's newest Configure-Request goes to the modem in the same instant.
    let given = world.transcript()[from..].iter().find(|entry| entry.lcp(Direction::HostToModem).is_some());
    let given = given.expect("the host's request was kept");
    assert_eq!((given.at, given.lcp(Direction::HostToModem).map(|ppp| ppp[2])), (at, Some(1)));
    let up = world.run_until(secs(10), |entry| is_up(entry, 0));
    assert!(up.at - at < secs(4), "{up}");
    expect_ping(&mut world, 0);
}

#[test]
fn a_dial_that_fails_after_the_early_pads_ends_the_session_by_padt() {
    let mut world = pair(10, &[DialResult::Busy]);
    world.start(0);
    world.run_until(secs(10), opens);
    let end = world.run_until(secs(10), is_padt);
    let words = String::from_utf8_lossy(end.answer().expect("a PADT").payload).into_owned();
    assert!(words.contains("BUSY"), "{words}");
    world.run_for(millis(5));
    assert_eq!(world.count(0, |entry| closed(entry).is_some()), 1);
    assert_eq!(world.host(0).session(), None);
}

#[test]
fn a_host_that_terminates_before_the_connection_is_answered() {
    let mut world = pair(20, &[DialResult::Connect]);
    world.start(0);
    world.run_until(secs(10), opens);
    // Its LCP is not open, so this host says goodbye by PADT; the call goes on and is ended for want of a host.
    world.stop(0);
    world.run_for(secs(60));
    assert_eq!(world.host(0).session(), None);
    assert!(!world.modem(0).is_online());
}

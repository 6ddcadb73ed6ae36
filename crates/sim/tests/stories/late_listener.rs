//! Many far ends begin to listen only some time after CONNECT: what was said to them by then is said again.

use bridge_proto::event::{CloseReason, Direction, Event};
use bridge_sim::host::profile::{ALL, ClientProfile, PPPD};
use bridge_sim::modem::DialResult;
use bridge_sim::world::{Entry, World, WorldConfig, is_up};

use crate::told::{ONCE, expect_ping, millis, modem, secs};

fn listens_after(milliseconds: u64) -> World {
    let mut setup = modem(1, &[DialResult::Connect]);
    setup.modem.listens_after = millis(milliseconds);
    World::new(WorldConfig::pair(ONCE, setup))
}

fn connected(entry: &Entry) -> bool {
    matches!(entry.event(), Some(Event::Connected { .. }))
}

fn asks(entry: &Entry) -> Option<&[u8]> {
    entry.lcp(Direction::HostToModem).filter(|ppp| ppp[2] == 1)
}

#[test]
fn when_the_far_end_first_speaks_it_is_told_again_what_the_host_had_asked() {
    let mut world = listens_after(1500);
    world.start(0);
    let first = world.run_until(secs(5), |entry| asks(entry).is_some());
    let spoke = world.run_until(secs(5), |entry| {
        matches!(entry.event(), Some(Event::Lcp { direction: Direction::ModemToHost, .. }))
    });
    let again = world.run_until(secs(1), |entry| asks(entry).is_some());
    assert_eq!(again.at, spoke.at);
    assert_eq!(asks(&again), asks(&first), "the very same request");
}

#[test]
fn a_link_to_a_late_listener_is_up_before_the_hosts_restart_timer_ends() {
    for late in [200, 1000, 2000, 2800] {
        let mut world = listens_after(late);
        world.start(0);
        let start = world.run_until(secs(5), connected);
        let up = world.run_until(secs(5), |entry| is_up(entry, 0));
        assert!(up.at - start.at < millis(late + 150), "{late} ms: {up}");
        expect_ping(&mut world, 0);
    }
}

#[test]
fn a_far_end_that_listened_all_the_time_is_told_nothing_twice() {
    let mut world = listens_after(0);
    world.start(0);
    world.run_until(secs(10), |entry| is_up(entry, 0));
    let requests: Vec<&[u8]> = world.transcript().iter().filter_map(asks).collect();
    for (number, request) in requests.iter().enumerate() {
        assert!(!requests[..number].contains(request), "{request:02x?} was sent twice");
    }
}

#[test]
fn every_client_comes_up_with_a_far_end_that_listens_late() {
    for client in ALL {
        let mut setup = modem(1, &[DialResult::Connect]);
        setup.modem.listens_after = secs(4);
        let mut world = World::new(WorldConfig::pair(*client, setup));
        world.start(0);
        world.run_until(secs(30), |entry| is_up(entry, 0));
        assert_eq!(world.modem(0).dials(), 1, "{}", client.name);
    }
}

#[test]
fn a_far_end_that_never_speaks_is_hung_up_however_often_its_host_comes_again() {
    let mut setup = modem(1, &[DialResult::Connect]);
    setup.modem.listens_after = secs(1_000_000);
    let persistent = ClientProfile { redial: Some(secs(1)), ..PPPD };
    let mut world = World::new(WorldConfig::pair(persistent, setup));
    world.start(0);
    let start = world.run_until(secs(60), connected);
    let ended = world.run_until(secs(200), |entry| {
        matches!(entry.event(), Some(Event::CallEnded { reason: CloseReason::NoLink, .. }))
    });
    assert!(ended.at - start.at <= secs(121), "{ended}");
    world.run_for(secs(600));
    assert!(world.modem(0).dials() > 1, "it is dialled again, after its rest");
}

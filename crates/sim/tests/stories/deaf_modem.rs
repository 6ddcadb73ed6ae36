//! A modem that answers no Echo-Request: the bridge does so in its stead, for hosts that end a silent link.

use std::time::Duration;

use bridge_proto::event::{Direction, Event};
use bridge_sim::host::profile::{ClientProfile, OPENWRT};
use bridge_sim::modem::DialResult;
use bridge_sim::ppp::endpoint::EchoConfig;
use bridge_sim::world::{Entry, World, WorldConfig, is_up};

use crate::told::{closed, expect_ping, modem, secs};

const ECHO_REQUEST: u8 = 9;
const ECHO_REPLY: u8 = 10;

/// Ends its session after five seconds without an answer.
const WATCHFUL: ClientProfile = ClientProfile {
    redial: None,
    redial_after_padt: None,
    echo: Some(EchoConfig { interval: Duration::from_secs(1), failures: 5, adaptive: false }),
    ..OPENWRT
};

fn world(answers: bool, is_deaf: bool) -> World {
    let mut setup = modem(1, &[DialResult::Connect]);
    setup.modem.ppp.answers_echo = answers;
    setup.bridge.is_deaf = is_deaf;
    let mut world = World::new(WorldConfig::pair(WATCHFUL, setup));
    world.start(0);
    world.run_until(secs(10), |entry| is_up(entry, 0));
    world
}

fn lcp(entry: &Entry, toward: Direction, code: u8) -> bool {
    entry.lcp(toward).is_some_and(|ppp| ppp[2] == code)
}

#[test]
fn a_host_that_asks_is_answered_for_a_modem_that_does_not_hear() {
    let mut world = world(false, true);
    world.run_for(secs(600));
    expect_ping(&mut world, 0);
    assert_eq!(world.count(0, |entry| closed(entry).is_some()), 0);
    assert!(world.host(0).endpoint().statistics().echoes_returned >= 590);
}

#[test]
fn the_answer_bears_the_modems_magic_number_and_the_questions_data() {
    let mut world = world(false, true);
    let reply = world.run_until(secs(5), |entry| lcp(entry, Direction::ModemToHost, ECHO_REPLY));
    let reply = reply.lcp(Direction::ModemToHost).expect("it was just found");
    let newest = |code: u8, from: Direction| {
        let heard = world.transcript().iter().rev().filter_map(|entry| match entry.event() {
            Some(Event::Lcp { direction, ppp, .. }) if *direction == from && ppp[2] == code => Some(ppp),
            _ => None,
        });
        heard.into_iter().next().expect("it was said").clone()
    };
    let question = newest(ECHO_REQUEST, Direction::HostToModem);
    let request = newest(1, Direction::ModemToHost);
    let at = request.windows(2).position(|octets| octets == [5, 6]).expect("a Magic-Number");
    assert_eq!(reply[3], question[3], "the identifier");
    assert_eq!(reply[6..10], request[at + 2..at + 6]);
    assert_eq!(reply[10..], question[10..]);
}

#[test]
fn no_question_reaches_a_modem_that_does_not_hear() {
    let mut world = world(false, true);
    world.run_for(secs(60));
    assert_eq!(world.count(0, |entry| lcp(entry, Direction::HostToModem, ECHO_REQUEST)), 0);
}

#[test]
fn the_questions_of_a_host_pass_to_a_modem_that_hears_and_its_answers_back() {
    let mut world = world(true, false);
    world.run_for(secs(60));
    assert!(world.count(0, |entry| lcp(entry, Direction::HostToModem, ECHO_REQUEST)) >= 55);
    assert!(world.modem(0).endpoint().statistics().echoes_answered >= 55);
    assert!(world.host(0).endpoint().statistics().echoes_returned >= 55);
}

#[test]
fn a_host_whose_modem_does_not_hear_and_nobody_answers_ends_its_session() {
    let mut world = world(false, false);
    world.run_until(secs(20), |entry| closed(entry).is_some());
}

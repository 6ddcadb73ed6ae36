//! Is the peer alive? The bridge asks silent hosts in the modem's name, and those who hold what another wants.

use bridge_proto::event::{CloseReason, Direction, Event};
use bridge_proto::modem::ModemState;
use bridge_sim::host::profile::{ClientProfile, LWIP, PPPD, RSDSL};
use bridge_sim::modem::DialResult;
use bridge_sim::modem::profile::HUAWEI;
use bridge_sim::pppoe::{PADO, PADR};
use bridge_sim::world::{Entry, ModemSetup, World, WorldConfig, host_mac, is_up};

use crate::told::{
    ONCE, bring_up, call_ended, closed, expect_ping, is_padt, last_frame, millis, modem, opens, quick, secs,
    until_state,
};

const ECHO_REQUEST: u8 = 9;
const ECHO_REPLY: u8 = 10;
const TERMINATE_REQUEST: u8 = 5;

fn lcp(entry: &Entry, toward: Direction, code: u8) -> bool {
    entry.lcp(toward).is_some_and(|ppp| ppp[2] == code)
}

fn asked(entry: &Entry) -> bool {
    lcp(entry, Direction::ModemToHost, ECHO_REQUEST)
}

/// The Magic-Number in the newest Configure-Request that the far end sent.
fn modem_magic(world: &World) -> [u8; 4] {
    let mut requests = world.transcript().iter().filter_map(|entry| match entry.event() {
        Some(Event::Lcp { direction: Direction::ModemToHost, ppp, .. }) if ppp[2] == 1 => Some(ppp),
        _ => None,
    });
    let mut options = &requests.next_back().expect("the far end has asked")[6..];
    while options[0] != 5 {
        options = &options[usize::from(options[1])..];
    }
    options[2..6].try_into().expect("four octets")
}

/// Two hosts, the first of which is this one, and a modem.
fn contest(holder: ClientProfile, asker: ClientProfile) -> World {
    World::new(WorldConfig::crowd(1, &[holder, asker], vec![modem(1, &[DialResult::Connect])]))
}

/// A host that answers no question, however alive.
fn mute() -> World {
    let mut config = WorldConfig::pair(ONCE, modem(1, &[DialResult::Connect]));
    config.hosts[0].ppp.answers_echo = false;
    World::new(config)
}

fn offers_to(entry: &Entry, host: u8) -> bool {
    entry.answer().is_some_and(|packet| packet.code == PADO && packet.destination == host_mac(host))
}

#[test]
fn a_silent_host_is_asked_with_the_modems_magic_number() {
    let mut world = quick();
    bring_up(&mut world, 0);
    let silent_since = world.now();
    let question = world.run_until(secs(60), asked);
    assert!((secs(30)..=secs(36)).contains(&(question.at - silent_since)), "{question}");
    assert_eq!(question.lcp(Direction::ModemToHost).map(|ppp| &ppp[6..10]), Some(&modem_magic(&world)[..]));
}

#[test]
fn the_answers_of_a_host_never_reach_the_modem() {
    let mut world = quick();
    bring_up(&mut world, 0);
    world.run_for(secs(600));
    assert!(world.host(0).endpoint().statistics().echoes_answered >= 10);
    let to_modem = |entry: &Entry| lcp(entry, Direction::HostToModem, ECHO_REPLY);
    assert_eq!(world.count(0, to_modem), 0);
}

#[test]
fn a_host_that_does_not_answer_three_questions_is_ended_and_told_why() {
    let mut world = quick();
    bring_up(&mut world, 0);
    world.vanish(0);
    let from = world.transcript().len();
    let padt = world.run_until(secs(60), is_padt);
    let words = String::from_utf8_lossy(padt.answer().expect("a PADT").payload).into_owned();
    assert!(words.contains("the host no longer answers"), "{words}");
    world.run_for(secs(5));
    assert_eq!(world.count(from, asked), 3);
    let terminates = |entry: &Entry| lcp(entry, Direction::HostToModem, TERMINATE_REQUEST);
    assert_eq!(world.count(from, terminates), 1);
    assert!(!world.modem(0).is_online());
    until_state(&mut world, 0, ModemState::Idle);
}

#[test]
fn a_host_that_answers_is_left_alone_for_a_week() {
    let mut world = quick();
    bring_up(&mut world, 0);
    world.run_for(secs(7 * 24 * 3600));
    expect_ping(&mut world, 0);
    assert_eq!(world.count(0, |entry| closed(entry).is_some()), 0);
}

#[test]
fn a_host_that_sends_data_but_answers_no_question_is_left_alone() {
    let mut world = mute();
    bring_up(&mut world, 0);
    // Some of its data come before it would be asked, some in the middle of the questions.
    for pause in [10, 25, 34, 36, 29, 34, 33, 37, 5, 36] {
        world.run_for(secs(pause));
        expect_ping(&mut world, 0);
    }
    assert_eq!(world.modem(0).dials(), 1);
    assert!(world.count(0, asked) >= 4);
}

#[test]
fn data_from_the_far_end_are_no_sign_of_life_of_the_host() {
    let mut world = quick();
    bring_up(&mut world, 0);
    world.vanish(0);
    for _ in 0..12 {
        world.ping_from_modem(0, 100);
        world.run_for(secs(5));
    }
    assert_eq!(world.count(0, |entry| call_ended(entry) == Some(&CloseReason::HostDead)), 1);
}

#[test]
fn a_host_that_is_never_to_be_asked_is_not() {
    let mut setup = modem(1, &[DialResult::Connect]);
    setup.bridge.watch.silence = None;
    let mut world = World::new(WorldConfig::pair(ONCE, setup));
    bring_up(&mut world, 0);
    world.vanish(0);
    world.run_for(secs(3600));
    assert_eq!(world.count(0, asked), 0);
    assert_eq!(world.state(0), ModemState::Online);
}

#[test]
fn a_dead_holder_is_replaced_within_ten_seconds_of_another_hosts_padi() {
    let mut world = contest(ONCE, PPPD);
    bring_up(&mut world, 0);
    world.vanish(0);
    world.run_for(secs(2));
    let from = world.now();
    world.start(1);
    let pads = world.run_until(secs(20), opens);
    assert!(pads.at - from <= secs(10), "{pads}");
    assert_eq!(world.count(0, |entry| call_ended(entry) == Some(&CloseReason::HostDead)), 1);
    world.run_until(secs(10), |entry| is_up(entry, 1));
}

#[test]
fn a_padr_challenges_the_holder_as_a_padi_does() {
    let mut world = contest(ONCE, ONCE);
    bring_up(&mut world, 1);
    let padr = last_frame(&world, PADR);
    world.stop(1);
    until_state(&mut world, 0, ModemState::Idle);
    bring_up(&mut world, 0);
    world.vanish(0);
    world.run_for(secs(2));
    let from = world.now();
    world.inject(&padr);
    let end = world.run_until(secs(20), |entry| call_ended(entry).is_some());
    assert_eq!(call_ended(&end), Some(&CloseReason::HostDead));
    assert!(end.at - from < secs(5), "{end}");
}

#[test]
fn a_live_holder_is_asked_at_once_but_not_more_often_than_each_ten_seconds() {
    // This one asks every three seconds, for ever.
    let mut world = contest(ONCE, RSDSL);
    bring_up(&mut world, 0);
    let (from, began) = (world.transcript().len(), world.now());
    world.start(1);
    let question = world.run_until(secs(1), asked);
    assert!(question.at - began < secs(1));
    world.run_for(secs(100));
    assert!((9..=11).contains(&world.count(from, asked)), "{}", world.count(from, asked));
    assert_eq!(world.count(from, |entry| offers_to(entry, 1)), 0);
    expect_ping(&mut world, 0);
}

#[test]
fn a_live_holder_whose_link_is_not_open_yet_is_not_taken_for_dead() {
    // lwIP asks each six seconds, and there is no far end yet to answer it: echoes cannot be sent.
    for millis_later in (0..6000).step_by(500) {
        let mut setup = modem(1, &[DialResult::Connect]);
        setup.modem.listens_after = secs(20);
        let holder = ClientProfile { redial: None, ..LWIP };
        let mut world = World::new(WorldConfig::crowd(1, &[holder, RSDSL], vec![setup]));
        world.start(0);
        until_state(&mut world, 0, ModemState::Online);
        world.run_for(millis(millis_later));
        world.start(1);
        world.run_until(secs(60), |entry| is_up(entry, 0));
        assert_eq!(world.modem(0).dials(), 1);
    }
}

#[test]
fn a_holder_that_died_before_its_link_was_open_is_replaced_after_a_long_silence_only() {
    // It cannot be asked, so another host's wish does not hasten its end.
    let mut setup = modem(1, &[DialResult::Connect]);
    setup.modem.listens_after = secs(300);
    let mut world = World::new(WorldConfig::crowd(1, &[ONCE, RSDSL], vec![setup]));
    world.start(0);
    until_state(&mut world, 0, ModemState::Online);
    world.vanish(0);
    world.run_for(secs(1));
    let from = world.now();
    world.start(1);
    let end = world.run_until(secs(60), |entry| call_ended(entry).is_some());
    assert_eq!(call_ended(&end), Some(&CloseReason::HostDead));
    assert!((secs(25)..=secs(45)).contains(&(end.at - from)), "{end}");
}

#[test]
fn of_two_holders_the_dead_one_is_replaced_and_the_live_one_never_cut_off() {
    let modems = vec![ModemSetup::new(&HUAWEI, 0), ModemSetup::new(&HUAWEI, 1)];
    let mut world = World::new(WorldConfig::crowd(1, &[ONCE, ONCE, RSDSL], modems));
    bring_up(&mut world, 0);
    bring_up(&mut world, 1);
    world.vanish(0);
    world.start(2);
    world.run_until(secs(15), |entry| is_up(entry, 2));
    world.run_for(secs(300));
    expect_ping(&mut world, 1);
    assert_eq!((world.modem(0).dials(), world.modem(1).dials()), (2, 1));
}

#[test]
fn a_host_that_comes_back_has_its_modem_at_once_however_dead_it_seemed() {
    let mut world = quick();
    bring_up(&mut world, 0);
    let before = world.host(0).session();
    world.vanish(0);
    world.run_for(secs(20));
    let from = world.now();
    world.start(0);
    let pads = world.run_until(secs(1), opens);
    assert!(pads.at - from < secs(1), "{pads}");
    let up = world.run_until(secs(20), |entry| is_up(entry, 0));
    assert!(up.at - from < secs(10), "{up}");
    assert_ne!(world.host(0).session(), before);
    assert_eq!(world.modem(0).dials(), 1);
    assert_eq!(world.count(0, |entry| closed(entry) == Some(&CloseReason::HostRestarted)), 1);
}

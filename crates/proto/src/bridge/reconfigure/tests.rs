use super::super::command::tests::{A, ANN, BEN, ETH0, NOW, Story, US, config, refusal};
use super::super::{Input, Output, Rest, ServiceConfig, Traffic};
use super::*;
use crate::discovery::{AcName, ServiceName};
use crate::event::Event;
use crate::modem::BudgetLimit;
use crate::wire::discovery::{Code, DiscoveryPacket};
use crate::wire::tag::TagType;
use core::time::Duration;
use std::boxed::Box;
use std::string::ToString;
use std::vec;

const C: ModemId = ModemId(2);

fn reconfigure(story: &mut Story, change: Reconfiguration) {
    story.outputs.clear();
    story.input(Input::Reconfigure(Box::new(change)));
}

fn unchanged() -> Reconfiguration {
    Reconfiguration { config: config(), modems: vec![], removed_services: vec![], removed_interfaces: vec![] }
}

fn closed(story: &Story) -> Vec<CloseReason> {
    let closed = story.events().filter_map(|event| match event {
        Event::SessionClosed { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    closed.collect()
}

#[test]
fn a_session_that_a_change_does_not_concern_goes_on() {
    let mut story = Story::begin();
    let id = story.open_session(ANN);
    let before = story.snapshot().modems[0].clone();
    let mut change = unchanged();
    change.config.modems.push(change.config.modems[0].clone());
    change.config.services[1].modems = vec![C];
    change.config.interfaces[0].ac_name = AcName::parse("cellar").unwrap();
    change.modems = vec![(ModemId(1), ModemChange::Removed)];
    reconfigure(&mut story, change);
    assert!(story.outputs.is_empty(), "{:?}", story.outputs);
    assert!(story.bridge.has_session(id));
    assert_eq!(story.snapshot().modems[0], before);
    // The new modem serves as soon as it is there, under the new name.
    assert_eq!(story.offer(BEN, "gsm"), None);
    story.input(Input::ModemAppeared { modem: C });
    let offer = story.offer(BEN, "gsm").unwrap();
    let offer = DiscoveryPacket::parse(&offer).unwrap();
    assert_eq!(offer.tags.first(TagType::AcName), Some(&b"cellar"[..]));
}

#[test]
fn a_cookie_from_before_the_change_is_as_good_as_ever() {
    let mut story = Story::begin();
    let cookie = story.cookie(ANN);
    reconfigure(&mut story, unchanged());
    assert!(story.request(ANN, "lte", &cookie).is_empty());
    assert!(story.snapshot().modems[0].call.is_some());
}

#[test]
fn a_session_goes_on_though_its_modem_has_left_the_pool() {
    let mut story = Story::begin();
    let cookie = story.cookie(ANN);
    assert!(story.request(ANN, "lte", &cookie).is_empty());
    let mut change = unchanged();
    change.config.services[0].modems = vec![ModemId(1)];
    reconfigure(&mut story, change);
    story.input(Input::CommandSucceeded { modem: A });
    let pads = story.sent();
    // A PADS that was lost.
    assert_eq!(story.request(ANN, "lte", &cookie), pads);
    assert_eq!(story.snapshot().modems[1].call, None);
}

#[test]
fn sessions_of_a_removed_service_end_and_others_do_not() {
    let mut story = Story::begin();
    let cookie = story.cookie(BEN);
    let id = story.open_session(ANN);
    assert!(story.request(BEN, "gsm", &cookie).is_empty());
    let mut change = unchanged();
    change.config.services[0].modems.clear();
    change.config.interfaces[0].services = vec![1];
    change.removed_services = vec![0];
    reconfigure(&mut story, change);
    assert_eq!(closed(&story), [CloseReason::Reconfigured]);
    assert!(!story.bridge.has_session(id));
    assert!(story.snapshot().modems[1].call.is_some());
    assert_eq!(story.offer(ANN, "lte"), None);
}

#[test]
fn a_removed_modem_ends_its_call_and_has_no_other() {
    let mut story = Story::begin();
    let cookie = story.cookie(ANN);
    assert!(story.request(ANN, "lte", &cookie).is_empty());
    let mut change = unchanged();
    change.config.services[0].modems = vec![ModemId(1)];
    change.modems = vec![(A, ModemChange::Removed)];
    reconfigure(&mut story, change);
    assert!(story.outputs.iter().any(|output| matches!(output, Output::HangUpModem(A))));
    assert_eq!(refusal(&story.sent()), RefusalReason::Reconfigured.to_string());
    let due = story.bridge.poll_timeout().unwrap();
    story.bridge.handle_timeout(due);
    assert_eq!(story.snapshot().modems[0].state, ModemState::Idle);
    assert!(story.request(ANN, "lte", &cookie).is_empty());
    assert_eq!(story.snapshot().modems[1].call.as_ref().unwrap().peer.mac, ANN);
}

#[test]
fn what_is_new_about_a_modem_counts_from_its_next_call() {
    let mut story = Story::begin();
    let id = story.open_session(ANN);
    let mut change = unchanged();
    change.config.modems[0].budget.online_per_day = Some(Duration::ZERO);
    change.modems = vec![(A, ModemChange::Settings)];
    reconfigure(&mut story, change);
    assert!(story.outputs.is_empty() && story.bridge.has_session(id));
    story.input(Input::Disconnect { session_id: id });
    let due = story.bridge.poll_timeout().unwrap();
    story.bridge.handle_timeout(due);
    assert_eq!(story.snapshot().modems[0].state, ModemState::Idle);
    assert_eq!(story.offer(ANN, "lte"), None);
}

#[test]
fn a_modem_on_another_port_ends_its_call_first() {
    let mut story = Story::begin();
    story.open_session(ANN);
    let change = Reconfiguration { modems: vec![(A, ModemChange::Port)], ..unchanged() };
    reconfigure(&mut story, change);
    assert_eq!(closed(&story), [CloseReason::Reconfigured]);
    assert_eq!(story.snapshot().modems[0].state, ModemState::HangingUp);
}

#[test]
fn a_changed_modem_need_not_rest_and_an_unchanged_one_goes_on_resting() {
    let mut story = Story::begin();
    let cookie = story.cookie(ANN);
    story.request(ANN, "lte", &cookie);
    story.input(Input::CommandFailed { modem: A, why: "BUSY".into() });
    reconfigure(&mut story, unchanged());
    assert_eq!(story.snapshot().modems[0].failures, 1);
    assert!(story.snapshot().modems[0].rest.is_some());
    let change = Reconfiguration { modems: vec![(A, ModemChange::Settings)], ..unchanged() };
    reconfigure(&mut story, change);
    assert_eq!((story.snapshot().modems[0].failures, &story.snapshot().modems[0].rest), (0, &None));
}

#[test]
fn what_a_modem_has_cost_is_remembered() {
    let mut story = Story::begin();
    let id = story.open_session(ANN);
    let traffic = Traffic { host_octets: 600, modem_octets: 400, ..Traffic::default() };
    story.input(Input::Traffic { modem: A, traffic });
    story.input(Input::Disconnect { session_id: id });
    let mut change = unchanged();
    change.config.modems[0].budget.octets_per_month = Some(1000);
    change.modems = vec![(A, ModemChange::Settings)];
    reconfigure(&mut story, change);
    let due = story.bridge.poll_timeout().unwrap();
    story.bridge.handle_timeout(due);
    let rest = story.snapshot().modems[0].rest.clone();
    assert!(matches!(rest, Some(Rest::Spent { limit: BudgetLimit::Octets, .. })), "{rest:?}");
}

#[test]
fn sessions_on_a_removed_interface_end_at_once_with_a_padt() {
    let mut story = Story::begin();
    story.open_session(ANN);
    let mut change = unchanged();
    change.config.interfaces[0].services.clear();
    change.removed_interfaces = vec![ETH0];
    reconfigure(&mut story, change);
    assert_eq!(closed(&story), [CloseReason::InterfaceRemoved]);
    let sent = story.sent();
    let [padt] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(DiscoveryPacket::parse(padt).unwrap().code, Code::Padt);
    assert_eq!(story.offer(ANN, ""), None);
    // It may come back.
    reconfigure(&mut story, unchanged());
    story.input(Input::InterfaceUp { interface: ETH0, mac: US, mtu: 1500 });
    assert!(story.offer(ANN, "gsm").is_some());
}

#[test]
fn a_new_service_is_offered_and_a_drained_one_stays_drained() {
    let mut story = Story::begin();
    story.input(Input::Drain { service: Some(0) });
    let mut change = unchanged();
    change.config.services.push(ServiceConfig::new(ServiceName::parse(b"fax").unwrap(), vec![A]));
    change.config.interfaces[0].services = vec![0, 1, 2];
    reconfigure(&mut story, change);
    assert_eq!(story.offer(ANN, "lte"), None);
    assert!(story.offer(ANN, "fax").is_some());
}

#[test]
fn nothing_is_changed_any_more_while_the_bridge_shuts_down() {
    let mut story = Story::begin();
    story.input(Input::Shutdown);
    let mut change = unchanged();
    change.config.modems.push(change.config.modems[0].clone());
    reconfigure(&mut story, change);
    assert_eq!(story.snapshot().modems.len(), 2);
    assert_eq!(story.bridge.snapshot(NOW).services.len(), 2);
}

#[test]
fn a_place_is_free_when_the_last_call_of_what_had_it_is_over() {
    let mut story = Story::begin();
    story.open_session(ANN);
    let mut change = unchanged();
    change.config.services[0].modems.clear();
    change.config.interfaces[0].services.clear();
    change.modems = vec![(A, ModemChange::Removed)];
    (change.removed_services, change.removed_interfaces) = (vec![0], vec![ETH0]);
    let is_free = |story: &Story| {
        let bridge = &story.bridge;
        (bridge.is_modem_unused(A), bridge.is_service_unused(0), bridge.is_interface_unused(ETH0))
    };
    assert_eq!(is_free(&story), (false, false, false));
    reconfigure(&mut story, change);
    // The modem is on its way down.
    assert_eq!(is_free(&story), (false, true, true));
    let due = story.bridge.poll_timeout().unwrap();
    story.bridge.handle_timeout(due);
    assert_eq!(is_free(&story), (true, true, true));
}

#[test]
fn another_modem_in_the_place_of_one_knows_nothing_of_it() {
    let mut story = Story::begin();
    let cookie = story.cookie(ANN);
    story.request(ANN, "lte", &cookie);
    story.input(Input::CommandFailed { modem: A, why: "BUSY".into() });
    let traffic = Traffic { host_octets: 600, modem_octets: 400, ..Traffic::default() };
    story.input(Input::Traffic { modem: A, traffic });
    let mut change = unchanged();
    change.config.services[0].modems = vec![ModemId(1)];
    change.modems = vec![(A, ModemChange::Removed)];
    reconfigure(&mut story, change);
    let due = story.bridge.poll_timeout().unwrap();
    story.bridge.handle_timeout(due);
    assert!(story.bridge.is_modem_unused(A));
    let mut change = unchanged();
    change.config.modems[0].budget.octets_per_month = Some(1000);
    change.modems = vec![(A, ModemChange::Replaced)];
    reconfigure(&mut story, change);
    let modem = story.snapshot().modems[0].clone();
    assert_eq!((modem.state, modem.failures, modem.rest), (ModemState::Absent, 0, None));
    story.input(Input::ModemAppeared { modem: A });
    assert!(story.offer(ANN, "lte").is_some());
}

#[test]
fn another_service_in_the_place_of_one_that_was_drained_is_offered() {
    let mut story = Story::begin();
    story.input(Input::Drain { service: Some(0) });
    let mut change = unchanged();
    change.config.services[0].modems.clear();
    change.config.interfaces[0].services = vec![1];
    change.removed_services = vec![0];
    reconfigure(&mut story, change);
    let mut change = unchanged();
    change.config.services[0].name = ServiceName::parse(b"fax").unwrap();
    reconfigure(&mut story, change);
    assert!(story.offer(ANN, "fax").is_some());
}

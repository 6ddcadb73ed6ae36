use super::super::command::tests::{A, ANN, BEN, ETH0, NOW, Story};
use super::super::{Input, ServiceSnapshot};
use super::*;
use crate::event::ConnectFailure;
use crate::id::ModemId;
use crate::wire::discovery::Code;
use crate::wire::tag::{TagType, TagWriter};
use core::time::Duration;
use std::string::String;

fn lte(story: &Story) -> ServiceSnapshot {
    story.snapshot().services[0].clone()
}

fn ask(story: &mut Story, host: MacAddr, service: &str) {
    let mut padi = TagWriter::new(MacAddr::BROADCAST, host, Code::Padi, None, 1500);
    padi.add(TagType::ServiceName, service.as_bytes()).unwrap();
    story.outputs.clear();
    story.input(Input::Discovery { interface: ETH0, frame: &padi.finish() });
}

/// What is told of a PADI that was not answered: for which service, why, and as what it is counted.
fn not_offered(story: &mut Story, host: MacAddr, service: &str) -> (String, RefusalReason, DiscardReason) {
    ask(story, host, service);
    assert!(!story.outputs.iter().any(|output| matches!(output, Output::SendDiscovery { .. })));
    let told = story.events().find_map(|event| match event {
        Event::NotOffered { peer, service, reason } if peer.mac == host => Some((service, reason.clone())),
        _ => None,
    });
    let counted = story.events().find_map(|event| match event {
        Event::Discarded { reason, .. } => Some(*reason),
        _ => None,
    });
    let (service, reason) = told.expect("a reason");
    (service.to_string(), reason, counted.expect("a count"))
}

#[test]
fn a_host_that_is_offered_nothing_has_a_reason() {
    let mut story = Story::begin();
    story.open_session(ANN);
    let unavailable = DiscardReason::ServiceUnavailable;
    assert_eq!(not_offered(&mut story, BEN, "lte"), ("lte".into(), RefusalReason::AllBusy, unavailable));
    story.input(Input::Drain { service: Some(0) });
    assert_eq!(not_offered(&mut story, BEN, "lte").1, RefusalReason::Drained);
    story.input(Input::ModemVanished { modem: ModemId(1) });
    assert_eq!(not_offered(&mut story, BEN, "gsm").1, RefusalReason::NoModem);
    // Of several the first.
    assert_eq!(not_offered(&mut story, BEN, "").0, "lte");
}

#[test]
fn a_service_that_is_not_ours_is_told_of_by_its_name() {
    let mut story = Story::begin();
    let told = not_offered(&mut story, ANN, "fibre");
    assert_eq!(told, ("fibre".into(), RefusalReason::UnknownService, DiscardReason::UnknownService));
    ask(&mut story, ANN, &"long".repeat(200));
    assert!(!story.events().any(|event| matches!(event, Event::NotOffered { .. })));
}

#[test]
fn a_service_tells_how_much_of_it_is_to_be_had() {
    let mut story = Story::begin();
    assert_eq!((lte(&story).free, lte(&story).unavailable), (1, None));
    assert_eq!(lte(&story).interfaces, [ETH0]);
    story.open_session(ANN);
    assert_eq!((lte(&story).free, lte(&story).unavailable), (0, Some(RefusalReason::AllBusy)));
    story.input(Input::Drain { service: Some(0) });
    assert_eq!(lte(&story).unavailable, Some(RefusalReason::Drained));
    assert_eq!(story.snapshot().services[1].unavailable, None);
    story.input(Input::Shutdown);
    assert_eq!(story.snapshot().services[1].unavailable, Some(RefusalReason::ShuttingDown));
}

#[test]
fn a_service_whose_only_modem_failed_tells_why_and_for_how_long() {
    let mut story = Story::begin();
    let cookie = story.cookie(ANN);
    story.request(ANN, "lte", &cookie);
    story.input(Input::CommandFailed { modem: A, why: "BUSY".into() });
    let due = story.bridge.poll_timeout().unwrap();
    story.bridge.handle_timeout(due);
    let service = &story.bridge.snapshot(due).services[0];
    let Some(RefusalReason::BackingOff { failure, wait }) = &service.unavailable else {
        panic!("{service:?}")
    };
    assert_eq!(failure, &ConnectFailure::Command("BUSY".into()));
    assert!(*wait > Duration::ZERO && service.free == 0);
}

#[test]
fn a_service_whose_interface_is_down_is_refused_to_nobody() {
    let mut story = Story::begin();
    story.input(Input::InterfaceDown { interface: ETH0 });
    let service = lte(&story);
    assert!(service.interfaces == [ETH0] && service.free == 1);
    assert_eq!(story.bridge.snapshot(NOW).services[0].unavailable, None);
}

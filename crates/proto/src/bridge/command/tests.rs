use super::super::{
    BridgeConfig, CallTiming, DialMethod, Input, InterfaceConfig, Limits, ModemConfig, Output, RescueConfig,
    Rest, Seed, ServiceConfig, Snapshot, WatchConfig,
};
use super::*;
use crate::discovery::{AcName, DiscoveryPolicy, ServiceName};
use crate::event::Event;
use crate::id::InterfaceId;
use crate::lcp::MediatorConfig;
use crate::modem::{BackoffConfig, BudgetConfig, ModemState};
use crate::wire::discovery::{Code, DiscoveryPacket};
use crate::wire::ethernet::MacAddr;
use crate::wire::tag::{TagType, TagWriter};
use core::num::NonZeroU32;
use core::time::Duration;
use std::string::{String, ToString};
use std::vec;

pub(in crate::bridge) const ETH0: InterfaceId = InterfaceId(0);
pub(in crate::bridge) const US: MacAddr = MacAddr([2, 0xbb, 0, 0, 0, 0]);
pub(in crate::bridge) const ANN: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
pub(in crate::bridge) const BEN: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);
pub(in crate::bridge) const A: ModemId = ModemId(0);
pub(in crate::bridge) const NOW: Instant = Instant::from_millis(1_000_000);

/// Service "lte" of modem A and service "gsm" of modem B.
pub(in crate::bridge) fn config() -> BridgeConfig {
    let modem = ModemConfig {
        dial: DialMethod::Command(Duration::from_secs(60)),
        mediator: MediatorConfig::default(),
        backoff: BackoffConfig::default(),
        timing: CallTiming::default(),
        watch: WatchConfig::default(),
        budget: BudgetConfig::default(),
        hang_up: None,
        rescue: RescueConfig::default(),
        is_deaf: false,
    };
    let service = |name: &str, modem| {
        ServiceConfig::new(ServiceName::parse(name.as_bytes()).unwrap(), vec![ModemId(modem)])
    };
    BridgeConfig {
        discovery: DiscoveryPolicy::default(),
        // Time stands still here, so nobody can be too fast.
        limits: Limits { peer_rate: NonZeroU32::MAX, ..Limits::default() },
        interfaces: vec![InterfaceConfig::new(AcName::parse("roof").unwrap(), vec![0, 1])],
        services: vec![service("lte", 0), service("gsm", 1)],
        modems: vec![modem; 2],
    }
}

/// A bridge at one moment, and what came out since last asked.
pub(in crate::bridge) struct Story {
    pub(in crate::bridge) bridge: Bridge,
    pub(in crate::bridge) outputs: Vec<Output>,
}

impl Story {
    pub(in crate::bridge) fn begin() -> Self {
        let mut story = Self { bridge: Bridge::new(config(), Seed([7; 32])), outputs: Vec::new() };
        story.input(Input::InterfaceUp { interface: ETH0, mac: US, mtu: 1500 });
        story.input(Input::ModemAppeared { modem: A });
        story.input(Input::ModemAppeared { modem: ModemId(1) });
        story
    }

    /// Devices open at once.
    pub(in crate::bridge) fn input(&mut self, input: Input<'_>) {
        self.bridge.handle_input(NOW, input);
        while let Some(output) = self.bridge.poll_output() {
            if let Output::OpenModem(modem) = output {
                self.bridge.handle_input(NOW, Input::ModemOpened { modem });
            }
            self.outputs.push(output);
        }
    }

    /// What the bridge answers to a discovery packet: its code, and its tag of this type as text.
    pub(in crate::bridge) fn ask(
        &mut self,
        host: MacAddr,
        code: Code,
        tags: &[(TagType, &[u8])],
    ) -> Vec<Vec<u8>> {
        self.outputs.clear();
        let to = if code == Code::Padi { MacAddr::BROADCAST } else { US };
        let mut writer = TagWriter::new(to, host, code, None, 1500);
        for (tag_type, value) in tags {
            writer.add(*tag_type, value).unwrap();
        }
        self.input(Input::Discovery { interface: ETH0, frame: &writer.finish() });
        self.sent()
    }

    pub(in crate::bridge) fn sent(&mut self) -> Vec<Vec<u8>> {
        let outputs = self.outputs.drain(..);
        outputs
            .filter_map(|output| match output {
                Output::SendDiscovery { frame, .. } => Some(frame),
                _ => None,
            })
            .collect()
    }

    pub(in crate::bridge) fn offer(&mut self, host: MacAddr, service: &str) -> Option<Vec<u8>> {
        self.ask(host, Code::Padi, &[(TagType::ServiceName, service.as_bytes())]).pop()
    }

    /// A cookie for this host, of an offer of any service.
    pub(in crate::bridge) fn cookie(&mut self, host: MacAddr) -> Vec<u8> {
        let offer = self.offer(host, "").unwrap();
        DiscoveryPacket::parse(&offer).unwrap().tags.first(TagType::AcCookie).unwrap().to_vec()
    }

    pub(in crate::bridge) fn request(&mut self, host: MacAddr, service: &str, cookie: &[u8]) -> Vec<Vec<u8>> {
        self.ask(host, Code::Padr, &[(TagType::ServiceName, service.as_bytes()), (TagType::AcCookie, cookie)])
    }

    /// The host gets a session over the modem of "lte".
    pub(in crate::bridge) fn open_session(&mut self, host: MacAddr) -> SessionId {
        let cookie = self.cookie(host);
        assert!(self.request(host, "lte", &cookie).is_empty());
        self.input(Input::CommandSucceeded { modem: A });
        self.snapshot().modems[0].call.as_ref().unwrap().session.unwrap().id
    }

    pub(in crate::bridge) fn snapshot(&self) -> Snapshot {
        self.bridge.snapshot(NOW)
    }

    pub(in crate::bridge) fn events(&self) -> impl Iterator<Item = &Event> {
        self.outputs.iter().filter_map(|output| match output {
            Output::Event(event) => Some(event),
            _ => None,
        })
    }
}

/// The text of a refusal, and that it names no session.
pub(in crate::bridge) fn refusal(answers: &[Vec<u8>]) -> String {
    let [answer] = answers else { panic!("{} answers", answers.len()) };
    let packet = DiscoveryPacket::parse(answer).unwrap();
    assert_eq!((packet.code, packet.session_id), (Code::Pads, 0));
    String::from_utf8_lossy(packet.tags.first(TagType::AcSystemError).unwrap()).into_owned()
}

#[test]
fn a_disconnected_session_ends_toward_both_ends() {
    let mut story = Story::begin();
    let id = story.open_session(ANN);
    assert!(story.bridge.has_session(id));
    story.outputs.clear();
    story.input(Input::Disconnect { session_id: id });
    let reasons: Vec<_> = story
        .events()
        .filter_map(|event| match event {
            Event::SessionClosed { reason, .. } | Event::CallEnded { reason, .. } => Some(reason.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(reasons, [CloseReason::Disconnected, CloseReason::Disconnected]);
    assert!(story.outputs.iter().any(|output| matches!(output, Output::HangUpModem(A))));
    let sent = story.sent();
    let [padt] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(DiscoveryPacket::parse(padt).unwrap().code, Code::Padt);
    assert!(!story.bridge.has_session(id));
}

#[test]
fn hosts_are_not_locked_out_for_what_an_operator_did() {
    let mut story = Story::begin();
    for _ in 0..10 {
        let id = story.open_session(ANN);
        story.input(Input::Disconnect { session_id: id });
        // On hook, and free again.
        let due = story.bridge.poll_timeout().unwrap();
        story.bridge.handle_timeout(due);
        story.input(Input::ModemAppeared { modem: A });
    }
}

#[test]
fn a_session_that_nobody_has_cannot_be_disconnected() {
    let mut story = Story::begin();
    let id = story.open_session(ANN);
    story.outputs.clear();
    let other = SessionId::new(id.get() ^ 1).unwrap();
    assert!(!story.bridge.has_session(other));
    story.input(Input::Disconnect { session_id: other });
    assert!(story.outputs.is_empty() && story.bridge.has_session(id));
}

#[test]
fn a_drained_service_makes_no_offers_and_says_so_to_requests() {
    let mut story = Story::begin();
    let cookie = story.cookie(ANN);
    story.input(Input::Drain { service: Some(0) });
    assert_eq!(story.offer(ANN, "lte"), None);
    let answers = story.request(ANN, "lte", &cookie);
    assert_eq!(refusal(&answers), RefusalReason::Drained.to_string());
    assert_eq!(story.snapshot().modems[0].state, ModemState::Idle);
    // The other service is as it was, and is what the empty name stands for now.
    assert!(story.offer(ANN, "gsm").is_some());
    assert!(story.request(ANN, "", &cookie).is_empty());
    assert_eq!(story.snapshot().modems[1].call.as_ref().unwrap().service, 1);
}

#[test]
fn a_call_from_before_the_drain_goes_on() {
    let mut story = Story::begin();
    let cookie = story.cookie(ANN);
    assert!(story.request(ANN, "lte", &cookie).is_empty());
    story.input(Input::Drain { service: None });
    // A PADR sent again, and the PADS that it waited for.
    assert!(story.request(ANN, "lte", &cookie).is_empty());
    story.input(Input::CommandSucceeded { modem: A });
    let pads = story.sent();
    // A PADS that was lost.
    assert_eq!(story.request(ANN, "lte", &cookie), pads);
    assert!(story.snapshot().modems[0].call.as_ref().unwrap().session.is_some());
}

#[test]
fn a_host_that_waits_for_a_modem_is_refused_when_its_service_is_drained() {
    let mut story = Story::begin();
    let cookie = story.cookie(BEN);
    let id = story.open_session(ANN);
    story.input(Input::Disconnect { session_id: id });
    assert!(story.request(BEN, "lte", &cookie).is_empty());
    assert_eq!(story.snapshot().modems[0].next.unwrap().mac, BEN);
    story.input(Input::Drain { service: Some(0) });
    assert_eq!(refusal(&story.sent()), RefusalReason::Drained.to_string());
    assert_eq!(story.snapshot().modems[0].next, None);
}

#[test]
fn a_resumed_service_is_offered_again() {
    let mut story = Story::begin();
    story.input(Input::Drain { service: None });
    assert_eq!(story.offer(ANN, ""), None);
    story.input(Input::Resume { service: Some(1) });
    let drained: Vec<bool> = story.snapshot().services.iter().map(|service| service.drained).collect();
    assert_eq!(drained, [true, false]);
    assert!(story.offer(ANN, "gsm").is_some());
    assert_eq!(story.offer(ANN, "lte"), None);
    story.input(Input::Resume { service: None });
    assert!(story.offer(ANN, "lte").is_some());
    // Neither of a service that is not there.
    story.input(Input::Drain { service: Some(9) });
    assert!(story.offer(ANN, "lte").is_some());
}

#[test]
fn a_snapshot_says_why_a_modem_rests() {
    let mut story = Story::begin();
    let cookie = story.cookie(ANN);
    story.request(ANN, "lte", &cookie);
    let call = story.snapshot().modems[0].call.clone().unwrap();
    assert_eq!((call.peer.mac, call.service, call.session), (ANN, 0, None));
    story.input(Input::CommandFailed { modem: A, why: "BUSY".into() });
    let modem = story.snapshot().modems[0].clone();
    assert_eq!((modem.state, modem.failures, modem.call), (ModemState::HangingUp, 1, None));
    let Some(Rest::Failed { failure, wait }) = modem.rest else { panic!("{:?}", modem.rest) };
    assert_eq!(failure.to_string(), "BUSY");
    assert!(wait >= Duration::from_secs(1) && wait <= Duration::from_secs(2), "{wait:?}");
    assert_eq!(story.bridge.snapshot(NOW + Duration::from_secs(3)).modems[0].rest, None);
}

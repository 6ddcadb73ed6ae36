//! What RFC 2516 and RFC 1661 ask of a session from its first packet to its last, seen from outside: packets and
//! happenings in, outputs out.

use bridge_proto::bridge::{
    Bridge, BridgeConfig, CallTiming, DialMethod, Input, InterfaceConfig, Limits, ModemConfig, Output,
    RescueConfig, Seed, ServiceConfig, Traffic, WatchConfig,
};
use bridge_proto::discard::DiscardReason;
use bridge_proto::discovery::{AcName, DiscoveryPolicy, ServiceName};
use bridge_proto::event::Event;
use bridge_proto::forward::{Route, SessionTable, host_to_modem, modem_to_host};
use bridge_proto::id::{InterfaceId, ModemId};
use bridge_proto::lcp::{MediatorConfig, MediatorMode};
use bridge_proto::modem::{BackoffConfig, BudgetConfig, ModemState};
use bridge_proto::time::Instant;
use bridge_proto::wire::discovery::{Code, DiscoveryPacket, SessionId};
use bridge_proto::wire::ethernet::MacAddr;
use bridge_proto::wire::session::SessionHeader;
use bridge_proto::wire::tag::{TagType, TagWriter};
use std::num::NonZeroU32;
use std::time::Duration;

const US: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const HOST: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);
const OTHER: MacAddr = MacAddr([2, 0, 0, 0, 0, 3]);
const ETH0: InterfaceId = InterfaceId(0);
const MODEM: ModemId = ModemId(0);

const HOST_REQUEST: &[u8] = b"\xc0\x21\x01\x07\x00\x04";
const HOST_ACK: &[u8] = b"\xc0\x21\x02\x09\x00\x0a\x05\x06\xca\xfe\xba\xbe";
/// With a Magic-Number.
const MODEM_REQUEST: &[u8] = b"\xc0\x21\x01\x09\x00\x0a\x05\x06\xca\xfe\xba\xbe";
const MODEM_ACK: &[u8] = b"\xc0\x21\x02\x07\x00\x04";

/// A bridge with one modem, which a program dials, the time that has passed for it, and what it has dropped.
struct Story {
    bridge: Bridge,
    now: Instant,
    discards: Vec<DiscardReason>,
}

impl Story {
    fn new() -> Self {
        Self::with(false)
    }

    /// A modem that `is_deaf` never answers Echo-Requests.
    fn with(is_deaf: bool) -> Self {
        let modem = ModemConfig {
            dial: DialMethod::Command(Duration::from_secs(60)),
            mediator: MediatorConfig { mode: MediatorMode::Transparent, ..MediatorConfig::default() },
            backoff: BackoffConfig::default(),
            timing: CallTiming::default(),
            watch: WatchConfig::default(),
            budget: BudgetConfig::default(),
            hang_up: None,
            rescue: RescueConfig::default(),
            is_deaf,
        };
        let config = BridgeConfig {
            discovery: DiscoveryPolicy::default(),
            limits: Limits { padi_rate: NonZeroU32::MAX, ..Limits::default() },
            interfaces: vec![InterfaceConfig::new(AcName::parse("bridge").unwrap(), vec![0])],
            services: vec![ServiceConfig::new(ServiceName::parse(b"internet").unwrap(), vec![MODEM])],
            modems: vec![modem],
        };
        let bridge = Bridge::new(config, Seed([7; 32]));
        let mut story = Self { bridge, now: Instant::from_millis(1000), discards: Vec::new() };
        story.hear(Input::InterfaceUp { interface: ETH0, mac: US, mtu: 1500 });
        story.hear(Input::ModemAppeared { modem: MODEM });
        story
    }

    fn outputs(&mut self) -> Vec<Output> {
        let outputs: Vec<_> = std::iter::from_fn(|| self.bridge.poll_output()).collect();
        self.discards.extend(outputs.iter().filter_map(|output| match output {
            Output::Event(Event::Discarded { reason, .. } | Event::DiscardedLcp { reason, .. }) => {
                Some(*reason)
            }
            _ => None,
        }));
        outputs
    }

    /// Something happens; what comes of it, but for events.
    fn hear(&mut self, input: Input<'_>) -> Vec<Output> {
        self.bridge.handle_input(self.now, input);
        let mut outputs = self.outputs();
        outputs.retain(|output| !matches!(output, Output::Event(_)));
        outputs
    }

    fn host_says(&mut self, ppp: &[u8]) -> Vec<Output> {
        self.hear(Input::HostLcp { modem: MODEM, ppp })
    }

    fn modem_says(&mut self, ppp: &[u8]) -> Vec<Output> {
        self.hear(Input::ModemLcp { modem: MODEM, ppp })
    }

    /// Time passes; what comes of it, but for events. Nothing passes between host and modem meanwhile.
    fn wait(&mut self, time: Duration) -> Vec<Output> {
        let end = self.now + time;
        let mut all = Vec::new();
        while let Some(due) = self.bridge.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.bridge.handle_timeout(self.now);
            let outputs = self.outputs();
            if outputs.iter().any(|output| matches!(output, Output::ReadTraffic(_))) {
                all.extend(self.hear(Input::Traffic { modem: MODEM, traffic: Traffic::default() }));
            }
            all.extend(
                outputs.into_iter().filter(|o| !matches!(o, Output::Event(_) | Output::ReadTraffic(_))),
            );
        }
        self.now = end;
        all
    }

    fn discovery(&mut self, source: MacAddr, code: Code, tags: &[(TagType, &[u8])]) -> Vec<Output> {
        let destination = if code == Code::Padi { MacAddr::BROADCAST } else { US };
        let mut writer = TagWriter::new(destination, source, code, None, 1500);
        for (tag_type, value) in tags {
            writer.add(*tag_type, value).unwrap();
        }
        self.hear(Input::Discovery { interface: ETH0, frame: &writer.finish() })
    }

    fn padi(&mut self, source: MacAddr) -> Vec<Output> {
        self.discovery(source, Code::Padi, &[(TagType::ServiceName, b"")])
    }

    fn cookie(&mut self, source: MacAddr) -> Vec<u8> {
        let offer = packets(&self.padi(source)).remove(0);
        DiscoveryPacket::parse(&offer).unwrap().tags.first(TagType::AcCookie).unwrap().to_vec()
    }

    fn padr(&mut self, cookie: &[u8], service: &[u8], host_uniq: &[u8]) -> Vec<Output> {
        let tags =
            [(TagType::ServiceName, service), (TagType::AcCookie, cookie), (TagType::HostUniq, host_uniq)];
        self.discovery(HOST, Code::Padr, &tags)
    }

    /// A session whose link is open: its PADS and its route.
    fn session(&mut self) -> (Vec<u8>, Route) {
        let cookie = self.cookie(HOST);
        self.padr(&cookie, b"internet", b"1");
        self.hear(Input::ModemOpened { modem: MODEM });
        let outputs = self.hear(Input::CommandSucceeded { modem: MODEM });
        let pads = packets(&outputs).remove(0);
        let route = outputs.iter().find_map(|output| match output {
            Output::InstallSession(route) => Some(route.clone()),
            _ => None,
        });
        self.host_says(HOST_REQUEST);
        self.modem_says(MODEM_ACK);
        self.modem_says(MODEM_REQUEST);
        self.host_says(HOST_ACK);
        (pads, route.unwrap())
    }

    fn state(&self) -> ModemState {
        self.bridge.modem_state(MODEM).unwrap()
    }
}

/// The discovery packets among outputs.
fn packets(outputs: &[Output]) -> Vec<Vec<u8>> {
    let packets = outputs.iter().filter_map(|output| match output {
        Output::SendDiscovery { frame, .. } => Some(frame.clone()),
        _ => None,
    });
    packets.collect()
}

/// LCP whose Length is more than there is.
const MALFORMED: &[u8] = b"\xc0\x21\x01\x07\x00\x40";

/// Where each output goes, in order: discovery packets by their code, LCP packets by theirs.
fn told(outputs: &[Output]) -> Vec<String> {
    let told = outputs.iter().filter_map(|output| match output {
        Output::SendDiscovery { frame, .. } => {
            Some(format!("{:?}", DiscoveryPacket::parse(frame).unwrap().code))
        }
        Output::SendToHost { ppp, .. } => Some(format!("host {}", ppp[2])),
        Output::SendToModem { ppp, .. } => Some(format!("modem {}", ppp[2])),
        Output::RemoveSession(_) => Some("remove".into()),
        Output::HangUpModem(_) => Some("hang up".into()),
        _ => None,
    });
    told.collect()
}

fn frame(source: MacAddr, route: &Route, ppp: &[u8]) -> Vec<u8> {
    let length = u16::try_from(ppp.len()).unwrap();
    let mut frame = SessionHeader::new(source, US, route.session_id).for_payload(length).to_vec();
    frame.extend_from_slice(ppp);
    frame
}

#[test]
fn a_padi_leaves_nothing_behind() {
    // RFC 2516 §3: nothing is set aside until a session is established.
    let mut story = Story::new();
    for number in 0..1000_u16 {
        let [high, low] = number.to_be_bytes();
        let outputs = story.padi(MacAddr([2, 1, 0, 0, high, low]));
        assert!(matches!(&outputs[..], [Output::SendDiscovery { .. }]));
    }
    assert_eq!((story.state(), story.bridge.poll_timeout()), (ModemState::Idle, None));
}

#[test]
fn a_session_is_known_by_its_peer_too() {
    // RFC 2516 §4: a session is that of two addresses and a SESSION_ID.
    let (_, route) = Story::new().session();
    let mut table = SessionTable::new();
    table.install(route.clone());
    let ppp = b"\x00\x21data";
    assert!(host_to_modem(ETH0, &frame(HOST, &route, ppp), &table).is_ok());
    assert_eq!(host_to_modem(ETH0, &frame(OTHER, &route, ppp), &table), Err(DiscardReason::WrongPeer));
    let good = frame(HOST, &route, ppp);
    assert_eq!(host_to_modem(InterfaceId(1), &good, &table), Err(DiscardReason::WrongPeer));
}

#[test]
fn what_does_not_fit_the_ethernet_is_dropped() {
    // RFC 2516 §7: no more than 1492 octets of information; RFC 4638 §5.1: what was agreed.
    for octets in [1492, 1500] {
        let mut table = SessionTable::new();
        table.install(Route::new(ETH0, HOST, US, SessionId::new(1).unwrap(), MODEM, octets));
        let mut ppp = vec![0; usize::from(octets) + 2];
        assert!(modem_to_host(MODEM, &ppp, &table).is_ok());
        ppp.push(0);
        assert_eq!(modem_to_host(MODEM, &ppp, &table), Err(DiscardReason::ExceedsMtu));
    }
}

#[test]
fn a_modem_in_use_is_not_offered() {
    // RFC 2516 §5.2: no PADO if the PADI cannot be served.
    let mut story = Story::new();
    story.session();
    assert!(packets(&story.padi(OTHER)).is_empty());
    assert_eq!(packets(&story.padi(HOST)).len(), 1, "its own host may have it again");
}

#[test]
fn an_unknown_service_is_refused_in_a_pads() {
    // RFC 2516 §5.4: Service-Name-Error, and SESSION_ID 0.
    let mut story = Story::new();
    let cookie = story.cookie(HOST);
    let pads = packets(&story.padr(&cookie, b"telex", b"1")).remove(0);
    let pads = DiscoveryPacket::parse(&pads).unwrap();
    assert_eq!((pads.code, pads.session_id), (Code::Pads, 0));
    assert!(pads.tags.first(TagType::ServiceNameError).is_some());
}

#[test]
fn a_repeated_padr_gets_the_same_pads() {
    // RFC 2516 §8: hosts repeat what was not answered.
    let mut story = Story::new();
    let cookie = story.cookie(HOST);
    let (pads, _) = story.session();
    assert_eq!(packets(&story.padr(&cookie, b"internet", b"1")), [pads]);
    assert_eq!(story.state(), ModemState::Online);
}

#[test]
fn a_late_pads_bears_the_newest_host_uniq() {
    // RFC 2516 Appendix A: Host-Uniq tells a host which of its requests is answered.
    let mut story = Story::new();
    let cookie = story.cookie(HOST);
    assert!(packets(&story.padr(&cookie, b"internet", b"first")).is_empty());
    story.hear(Input::ModemOpened { modem: MODEM });
    assert!(packets(&story.padr(&cookie, b"internet", b"second")).is_empty());
    let pads = packets(&story.hear(Input::CommandSucceeded { modem: MODEM })).remove(0);
    assert_eq!(DiscoveryPacket::parse(&pads).unwrap().tags.first(TagType::HostUniq), Some(&b"second"[..]));
}

#[test]
fn a_dial_that_takes_long_is_answered_early() {
    let mut story = Story::new();
    let cookie = story.cookie(HOST);
    story.padr(&cookie, b"internet", b"1");
    story.hear(Input::ModemOpened { modem: MODEM });
    assert!(packets(&story.wait(Duration::from_millis(3999))).is_empty());
    let pads = packets(&story.wait(Duration::from_millis(1))).remove(0);
    assert_ne!(DiscoveryPacket::parse(&pads).unwrap().session_id, 0);
}

#[test]
fn a_failed_dial_is_told_in_a_pads() {
    // RFC 2516 Appendix A: AC-System-Error tells that the request could not be performed.
    let mut story = Story::new();
    let cookie = story.cookie(HOST);
    story.padr(&cookie, b"internet", b"1");
    story.hear(Input::ModemOpened { modem: MODEM });
    let outputs = story.hear(Input::CommandFailed { modem: MODEM, why: "BUSY".into() });
    let pads = packets(&outputs).remove(0);
    let pads = DiscoveryPacket::parse(&pads).unwrap();
    assert_eq!((pads.code, pads.session_id), (Code::Pads, 0));
    let text = String::from_utf8(pads.tags.first(TagType::AcSystemError).unwrap().to_vec()).unwrap();
    assert_eq!(text, "the dial failed: the program that dials has failed");
}

#[test]
fn after_a_padt_nothing_is_sent() {
    // RFC 2516 §5.5: after a PADT, not even LCP.
    let mut story = Story::new();
    let (_, route) = story.session();
    let padt = TagWriter::new(US, HOST, Code::Padt, Some(route.session_id), 1500).finish();
    let outputs = story.hear(Input::Discovery { interface: ETH0, frame: &padt });
    let told = told(&outputs);
    assert_eq!(told[..2], ["modem 5", "remove"], "the far end is asked to terminate: {told:?}");
    assert!(!told.iter().any(|what| what.starts_with("host") || what == "Padt"), "{told:?}");
    let later = [story.modem_says(MODEM_REQUEST), story.wait(Duration::from_secs(10))].concat();
    assert!(!later.iter().any(|output| matches!(output, Output::SendToHost { .. })), "{later:?}");
}

#[test]
fn a_shutdown_asks_both_ends_before_the_padt() {
    // RFC 2516 §5.5: PPP ends by PPP's means; the PADT is for when they are at an end.
    let mut story = Story::new();
    story.session();
    assert_eq!(told(&story.hear(Input::Shutdown)), ["host 5", "modem 5"]);
    let end = told(&story.wait(Duration::from_secs(3)));
    assert_eq!(end, ["remove", "Padt", "hang up"], "nobody answered within the restart time");
}

#[test]
fn a_terminated_link_ends_the_session_after_its_grace() {
    // RFC 1661 §3.7: whoever sent the Terminate-Ack waits for a restart time; RFC 2516 §7: the session is over then.
    let mut story = Story::new();
    story.session();
    assert_eq!(told(&story.host_says(b"\xc0\x21\x05\x0a\x00\x04")), ["modem 5"]);
    assert_eq!(told(&story.modem_says(b"\xc0\x21\x06\x0a\x00\x04")), ["host 6"]);
    assert!(told(&story.wait(Duration::from_millis(2999))).is_empty());
    assert_eq!(told(&story.wait(Duration::from_millis(1))), ["remove", "Padt", "hang up"]);
}

#[test]
fn a_silent_host_is_asked_and_then_ended() {
    // RFC 2516 §7: the access concentrator occasionally sends Echo-Requests, to find sessions that are dead.
    let mut story = Story::new();
    story.session();
    assert!(story.wait(Duration::from_secs(29)).is_empty());
    let told = told(&story.wait(Duration::from_secs(20)));
    assert_eq!(told[..3], ["host 9", "host 9", "host 9"], "{told:?}");
    assert!(told.contains(&"Padt".to_owned()) && told.contains(&"hang up".to_owned()), "{told:?}");
}

#[test]
fn an_echo_is_answered_for_a_deaf_modem_while_lcp_is_open() {
    // RFC 1661 §5.8: only in the Opened state, with the answering end's Magic-Number, the data as they came.
    let echo = b"\xc0\x21\x09\x2a\x00\x0a\x01\x02\x03\x04hi";
    let mut story = Story::with(true);
    story.session();
    let outputs = story.host_says(echo);
    let [Output::SendToHost { ppp, .. }] = &outputs[..] else { panic!("{outputs:?}") };
    assert_eq!(ppp, b"\xc0\x21\x0a\x2a\x00\x0a\xca\xfe\xba\xbehi");
    story.modem_says(b"\xc0\x21\x01\x0b\x00\x04");
    assert_eq!(told(&story.host_says(echo)), ["modem 9"], "negotiating again: it is the modem's to answer");
}

#[test]
fn lcp_that_comes_too_early_is_counted_or_kept() {
    let mut story = Story::new();
    let cookie = story.cookie(HOST);
    story.padr(&cookie, b"internet", b"1");
    story.hear(Input::ModemOpened { modem: MODEM });
    story.wait(Duration::from_secs(4));
    for (ppp, expected) in [
        (HOST_REQUEST, None),
        (MALFORMED, Some(DiscardReason::MalformedLcp)),
        (HOST_ACK, Some(DiscardReason::ModemNotConnected)),
    ] {
        assert!(story.host_says(ppp).is_empty());
        assert_eq!(story.discards.pop(), expected);
    }
    let connected = story.hear(Input::CommandSucceeded { modem: MODEM });
    assert_eq!(told(&connected), ["modem 1"], "what was kept is told");
    assert_eq!(told(&story.host_says(MALFORMED)), ["modem 1"], "the other end can judge it now");
    assert_eq!(story.discards, []);
}

#[test]
fn lcp_of_a_modem_without_a_host_is_counted_or_kept() {
    let mut story = Story::new();
    let (cookie, again) = (story.cookie(HOST), story.cookie(HOST));
    story.padr(&cookie, b"internet", b"1");
    story.hear(Input::ModemOpened { modem: MODEM });
    let pads = packets(&story.hear(Input::CommandSucceeded { modem: MODEM })).remove(0);
    let id = SessionId::new(DiscoveryPacket::parse(&pads).unwrap().session_id);
    let padt = TagWriter::new(US, HOST, Code::Padt, id, 1500).finish();
    story.hear(Input::Discovery { interface: ETH0, frame: &padt });
    assert_eq!(story.state(), ModemState::Online, "warm");
    for ppp in [MODEM_ACK, MALFORMED] {
        assert!(story.modem_says(ppp).is_empty());
        assert_eq!(story.discards.pop(), Some(DiscardReason::NoSession));
    }
    assert!(story.modem_says(MODEM_REQUEST).is_empty());
    story.padr(&again, b"internet", b"2");
    assert_eq!(told(&story.host_says(HOST_REQUEST)), ["modem 1", "host 1"]);
    assert_eq!(story.discards, []);
}

#[test]
fn lcp_that_is_not_of_the_goodbye_is_counted() {
    let mut story = Story::new();
    story.session();
    story.hear(Input::Shutdown);
    for (ppp, expected) in
        [(HOST_REQUEST, DiscardReason::LinkTerminating), (MALFORMED, DiscardReason::MalformedLcp)]
    {
        assert!(story.host_says(ppp).is_empty());
        assert!(story.modem_says(ppp).is_empty());
        assert_eq!(std::mem::take(&mut story.discards), [expected; 2]);
    }
}

#[test]
fn a_packet_at_an_interface_that_is_down_is_counted() {
    let mut story = Story::new();
    story.hear(Input::InterfaceDown { interface: ETH0 });
    assert!(story.padi(HOST).is_empty());
    assert_eq!(story.discards, [DiscardReason::InterfaceDown]);
}

//! Who is served, by which modem, and when: the policy of a bridge, driven by inputs alone.

use bridge_proto::bridge::{
    Access, Bridge, BridgeConfig, BusyPolicy, CallTiming, DialMethod, Input, InterfaceConfig, Limits,
    ModemConfig, OfferDelay, Output, PoolPolicy, RescueConfig, RescueWhen, Seed, ServiceConfig, WatchConfig,
};
use bridge_proto::chat::{ConversationOptions, Script};
use bridge_proto::discard::DiscardReason;
use bridge_proto::discovery::{AcName, DiscoveryPolicy, ServiceName};
use bridge_proto::event::{CloseReason, Event, RefusalReason, SessionLimit};
use bridge_proto::id::{InterfaceId, ModemId};
use bridge_proto::lcp::MediatorConfig;
use bridge_proto::modem::{BackoffConfig, BudgetConfig};
use bridge_proto::time::Instant;
use bridge_proto::wire::discovery::{Code, DiscoveryPacket};
use bridge_proto::wire::ethernet::MacAddr;
use bridge_proto::wire::tag::{TagType, TagWriter};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

const ETH0: InterfaceId = InterfaceId(0);
const ETH1: InterfaceId = InterfaceId(1);
const A: ModemId = ModemId(0);
const B: ModemId = ModemId(1);
const C: ModemId = ModemId(2);
const ANN: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const BEN: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);
const CAT: MacAddr = MacAddr([2, 0, 0, 0, 0, 3]);

fn our_mac(interface: InterfaceId) -> MacAddr {
    MacAddr([2, 0xbb, 0, 0, 0, interface.0 as u8])
}

fn service(name: &str, modems: &[ModemId]) -> ServiceConfig {
    ServiceConfig::new(ServiceName::parse(name.as_bytes()).unwrap(), modems.to_vec())
}

/// Service "net" of modems A, B and C on eth0 (as "west") and eth1 (as "east").
fn config() -> BridgeConfig {
    let modem = ModemConfig {
        dial: DialMethod::Command(Duration::from_secs(60)),
        mediator: MediatorConfig::default(),
        backoff: BackoffConfig::default(),
        timing: CallTiming::default(),
        watch: WatchConfig::default(),
        budget: BudgetConfig::default(),
        hang_up: None,
        rescue: RescueConfig { when: RescueWhen::Never, ..RescueConfig::default() },
        is_deaf: false,
    };
    let interface = |name| InterfaceConfig::new(AcName::parse(name).unwrap(), vec![0]);
    BridgeConfig {
        discovery: DiscoveryPolicy::default(),
        limits: Limits::default(),
        interfaces: vec![interface("west"), interface("east")],
        services: vec![service("net", &[A, B, C])],
        modems: vec![modem; 3],
    }
}

/// A bridge, the time, and what came out since last asked.
struct Story {
    bridge: Bridge,
    now: Instant,
    outputs: Vec<Output>,
}

impl Story {
    fn begin(config: BridgeConfig) -> Self {
        let modems = (0..).map(ModemId).take(config.modems.len());
        let interfaces: Vec<_> = (0..).map(InterfaceId).take(config.interfaces.len()).collect();
        let bridge = Bridge::new(config, Seed([7; 32]));
        let mut story = Self { bridge, now: Instant::from_millis(1_000_000), outputs: Vec::new() };
        for interface in interfaces {
            story.input(Input::InterfaceUp { interface, mac: our_mac(interface), mtu: 1500 });
        }
        for modem in modems {
            story.input(Input::ModemAppeared { modem });
        }
        story.outputs.clear();
        story
    }

    /// Devices open at once.
    fn input(&mut self, input: Input<'_>) {
        self.bridge.handle_input(self.now, input);
        while let Some(output) = self.bridge.poll_output() {
            if let Output::OpenModem(modem) = output {
                self.bridge.handle_input(self.now, Input::ModemOpened { modem });
            }
            self.outputs.push(output);
        }
    }

    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.bridge.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.bridge.handle_timeout(self.now);
            self.input(Input::InterfaceDown { interface: InterfaceId(99) });
        }
        self.now = end;
    }

    fn send(&mut self, interface: InterfaceId, host: MacAddr, code: Code, tags: &[(TagType, &[u8])]) {
        let to = if code == Code::Padi { MacAddr::BROADCAST } else { our_mac(interface) };
        let mut writer = TagWriter::new(to, host, code, None, 1500);
        for (tag_type, value) in tags {
            writer.add(*tag_type, value).unwrap();
        }
        let frame = writer.finish();
        self.input(Input::Discovery { interface, frame: &frame });
    }

    /// The AC-Names of the offers since last asked, and to whom.
    fn offers(&mut self) -> Vec<(MacAddr, String)> {
        let outputs = std::mem::take(&mut self.outputs);
        let frames = outputs.iter().filter_map(|output| match output {
            Output::SendDiscovery { frame, .. } => Some(DiscoveryPacket::parse(frame).unwrap()),
            _ => None,
        });
        frames
            .filter(|packet| packet.code == Code::Pado)
            .map(|packet| {
                let name = packet.tags.first(TagType::AcName).unwrap();
                (packet.destination, String::from_utf8(name.to_vec()).unwrap())
            })
            .collect()
    }

    /// Whether this host is offered the service.
    fn is_offered(&mut self, interface: InterfaceId, host: MacAddr, service: &str) -> bool {
        self.outputs.clear();
        self.send(interface, host, Code::Padi, &[(TagType::ServiceName, service.as_bytes())]);
        !self.offers().is_empty()
    }

    /// The host asks for a session, with a cookie from an earlier offer.
    fn request(&mut self, interface: InterfaceId, host: MacAddr, service: &str, cookie: &[u8]) {
        self.outputs.clear();
        let tags = [(TagType::ServiceName, service.as_bytes()), (TagType::AcCookie, cookie)];
        self.send(interface, host, Code::Padr, &tags);
    }

    /// A cookie for this host. The offer may come later.
    fn cookie(&mut self, interface: InterfaceId, host: MacAddr) -> Vec<u8> {
        self.outputs.clear();
        self.send(interface, host, Code::Padi, &[(TagType::ServiceName, b"")]);
        self.wait(Duration::from_millis(1));
        let offer = self.outputs.iter().find_map(|output| match output {
            Output::SendDiscovery { frame, .. } => Some(frame.clone()),
            _ => None,
        });
        let offer = offer.expect("an offer");
        let packet = DiscoveryPacket::parse(&offer).unwrap();
        packet.tags.first(TagType::AcCookie).unwrap().to_vec()
    }

    /// The modem that is dialling for this host, which has come with nothing in its hands.
    fn come(&mut self, host: MacAddr) -> Option<ModemId> {
        let cookie = self.cookie(ETH0, host);
        self.request(ETH0, host, "net", &cookie);
        self.dialled()
    }

    fn dialled(&self) -> Option<ModemId> {
        self.outputs.iter().find_map(|output| match output {
            Output::OpenModem(modem) => Some(*modem),
            _ => None,
        })
    }

    fn connect(&mut self, modem: ModemId) {
        self.input(Input::CommandSucceeded { modem });
    }

    fn fail(&mut self, modem: ModemId) {
        self.outputs.clear();
        self.input(Input::CommandFailed { modem, why: "BUSY".into() });
    }

    /// The call of this modem ends, and the modem is free again.
    fn end(&mut self, modem: ModemId) {
        self.input(Input::NoCarrier { modem });
        self.wait(Duration::from_secs(10));
    }

    fn events(&self) -> impl Iterator<Item = &Event> {
        self.outputs.iter().filter_map(|output| match output {
            Output::Event(event) => Some(event),
            _ => None,
        })
    }

    fn refusal(&self) -> Option<RefusalReason> {
        self.events().find_map(|event| match event {
            Event::Refused { reason, .. } => Some(reason.clone()),
            _ => None,
        })
    }

    fn discards(&self) -> Vec<DiscardReason> {
        let reasons = self.events().filter_map(|event| match event {
            Event::Discarded { reason, .. } => Some(*reason),
            _ => None,
        });
        reasons.collect()
    }
}

fn with_pool(pool: PoolPolicy) -> Story {
    let mut config = config();
    config.services[0].pool = pool;
    Story::begin(config)
}

// --- Secrets -------------------------------------------------------------------------------------------

#[test]
fn no_secret_that_a_modem_echoes_is_in_any_event() {
    let script = br"ECHO ON REPORT SIM '' AT+CPIN=4711 OK \qhunter2 CONNECT ''";
    let script = Arc::new(Script::parse(script).unwrap());
    let mut config = config();
    config.modems[0].dial = DialMethod::Script(script, ConversationOptions::default());
    let mut story = Story::begin(config);
    assert_eq!(story.come(ANN), Some(A));
    for octets in ["AT+CPIN=4711\r\nSIM 4711\r\nOK\r\n", "hunter2\r\nSIM hunter2\r\nCONNECT"] {
        story.input(Input::ModemOctets { modem: A, octets: octets.as_bytes() });
    }
    story.wait(Duration::from_secs(2));
    let told = format!("{:?}", story.events().collect::<Vec<_>>());
    for words in ["SIM ??????", "Received", "Connected"] {
        assert!(told.contains(words), "no {words} in {told}");
    }
    assert!(!told.contains("4711") && !told.contains("hunter2"), "{told}");
}

// --- Suspicion ------------------------------------------------------------------------------------------

/// What is written to the modem first at the second dial, if it says this in the first.
fn second_dial_after(said: &[u8]) -> Vec<u8> {
    let mut config = config();
    let script = Script::parse(b"ABORT BUSY '' ATD CONNECT").unwrap();
    config.modems.truncate(1);
    config.services = vec![service("net", &[A])];
    config.modems[0].dial = DialMethod::Script(Arc::new(script), ConversationOptions::default());
    config.modems[0].rescue.when = RescueWhen::Suspicion;
    let mut story = Story::begin(config);
    assert_eq!(story.come(ANN), Some(A));
    let cookie = story.cookie(ETH0, ANN);
    story.input(Input::ModemOctets { modem: A, octets: said });
    story.input(Input::ModemOctets { modem: A, octets: b"BUSY\r\n" });
    story.wait(Duration::from_secs(30));
    story.request(ETH0, ANN, "net", &cookie);
    assert_eq!(story.dialled(), Some(A));
    let written = story.outputs.iter().find_map(|output| match output {
        Output::WriteModem { octets, .. } => Some(octets.clone()),
        _ => None,
    });
    written.unwrap()
}

#[test]
fn a_modem_that_spoke_ppp_during_a_failed_dial_is_checked_before_the_next() {
    assert!(second_dial_after(b"ATD\r\n").starts_with(b"ATD"));
    assert_eq!(second_dial_after(b"ATD\r\n\x7e\xff\x7d\x23\xc0\x21\x01"), b"AT\r");
}

// --- Hunt groups ----------------------------------------------------------------------------------------

#[test]
fn the_first_free_modem_of_the_pool_serves() {
    let mut story = with_pool(PoolPolicy::FirstFree);
    assert_eq!(story.come(ANN), Some(A));
    assert_eq!(story.come(BEN), Some(B));
    story.connect(A);
    story.end(A);
    assert_eq!(story.come(CAT), Some(A));
}

#[test]
fn round_robin_takes_the_next_even_if_the_first_is_free_again() {
    let mut story = with_pool(PoolPolicy::RoundRobin);
    for expected in [A, B, C, A] {
        assert_eq!(story.come(ANN), Some(expected));
        story.connect(expected);
        story.end(expected);
    }
}

#[test]
fn a_sticky_host_comes_back_to_its_modem() {
    let mut story = with_pool(PoolPolicy::Sticky);
    assert_eq!(story.come(ANN), Some(A));
    assert_eq!(story.come(BEN), Some(B));
    for modem in [A, B] {
        story.connect(modem);
        story.end(modem);
    }
    assert_eq!(story.come(BEN), Some(B));
    assert_eq!(story.come(CAT), Some(C));
    assert_eq!(story.come(ANN), Some(A));
}

#[test]
fn a_modem_that_failed_is_avoided_after_its_rest() {
    let mut story = with_pool(PoolPolicy::LeastRecentlyFailed);
    assert_eq!(story.come(ANN), Some(A));
    story.fail(A);
    assert_eq!(story.dialled(), Some(B), "the same request goes on to the next modem");
    story.connect(B);
    story.end(B);
    story.wait(Duration::from_secs(600));
    assert_eq!(story.come(ANN), Some(B), "A is free again, but it failed");
}

#[test]
fn a_request_hunts_through_the_pool_and_is_refused_at_its_end() {
    let mut story = with_pool(PoolPolicy::FirstFree);
    assert_eq!(story.come(ANN), Some(A));
    for (failing, next) in [(A, Some(B)), (B, Some(C)), (C, None)] {
        story.fail(failing);
        assert_eq!(story.dialled(), next);
        assert_eq!(story.refusal().is_some(), next.is_none());
    }
    assert!(matches!(story.refusal(), Some(RefusalReason::DialFailed(_))));
    // All of them rest now.
    assert!(!story.is_offered(ETH0, BEN, "net"));
    story.wait(Duration::from_secs(600));
    assert!(story.is_offered(ETH0, BEN, "net"));
}

#[test]
fn a_session_opened_while_hunting_waits_no_longer_than_one_opened_at_once() {
    let mut story = with_pool(PoolPolicy::FirstFree);
    story.come(ANN);
    story.wait(Duration::from_secs(3));
    story.fail(A);
    assert_eq!(story.dialled(), Some(B));
    // The deadline counts from the request, not from the second dial.
    story.wait(Duration::from_millis(1001));
    assert!(story.events().any(|event| matches!(event, Event::SessionOpened { modem: B, early: true, .. })));
}

// --- When all modems are busy ---------------------------------------------------------------------------

fn busy(when_busy: BusyPolicy) -> Story {
    let mut config = config();
    config.services[0].when_busy = when_busy;
    let mut story = Story::begin(config);
    for (number, modem) in (10..).zip([A, B, C]) {
        assert_eq!(story.come(MacAddr([2, 0, 0, 0, 1, number])), Some(modem));
        story.connect(modem);
        story.wait(Duration::from_secs(1));
    }
    story
}

#[test]
fn a_busy_service_is_not_offered() {
    let mut story = busy(BusyPolicy::Refuse);
    assert!(!story.is_offered(ETH0, ANN, "net"));
}

#[test]
fn the_host_that_was_connected_for_longest_gives_its_modem_up() {
    let mut story = busy(BusyPolicy::Replace);
    let cookie = story.cookie(ETH0, ANN);
    story.request(ETH0, ANN, "net", &cookie);
    let replaced = story.events().find_map(|event| match event {
        Event::SessionClosed { modem, reason, .. } => Some((*modem, reason.clone())),
        _ => None,
    });
    assert_eq!(replaced, Some((A, CloseReason::Replaced)));
    // Asking again while the modem hangs up changes nothing.
    story.request(ETH0, ANN, "net", &cookie);
    assert!(!story.events().any(|event| matches!(event, Event::SessionClosed { .. })));
    story.wait(Duration::from_secs(2));
    assert_eq!(story.dialled(), Some(A));
}

#[test]
fn a_host_may_be_replaced_though_the_limit_is_reached_but_none_may_be_added() {
    let mut config = config();
    config.services[0].when_busy = BusyPolicy::Replace;
    config.services[0].sessions = 3;
    config.limits.sessions = 3;
    let mut story = Story::begin(config);
    for (number, modem) in (10..).zip([A, B, C]) {
        assert_eq!(story.come(MacAddr([2, 0, 0, 0, 1, number])), Some(modem));
        story.connect(modem);
    }
    assert!(story.is_offered(ETH0, ANN, "net"));
}

// --- Who may --------------------------------------------------------------------------------------------

fn only(patterns: &[&str]) -> Access {
    Access { allow: patterns.iter().map(|text| text.parse().unwrap()).collect(), deny: Vec::new() }
}

#[test]
fn a_host_that_may_not_come_to_an_interface_hears_nothing() {
    let mut config = config();
    config.interfaces[0].access = only(&["02:00:00:00:00:01"]);
    let mut story = Story::begin(config);
    assert!(story.is_offered(ETH0, ANN, ""));
    story.send(ETH0, BEN, Code::Padi, &[(TagType::ServiceName, b"")]);
    assert_eq!(story.discards(), [DiscardReason::DeniedPeer]);
    assert!(story.offers().is_empty());
    assert!(story.is_offered(ETH1, BEN, ""), "the list is the interface's");
}

#[test]
fn a_service_is_offered_to_those_who_may_have_it_only() {
    let mut config = config();
    config.services.push(service("staff", &[C]));
    config.services[1].access = only(&["02:00:00:00:00:01"]);
    config.interfaces[0].services = vec![0, 1];
    let mut story = Story::begin(config);
    assert!(story.is_offered(ETH0, ANN, "staff"));
    assert!(!story.is_offered(ETH0, BEN, "staff"));
    let cookie = story.cookie(ETH0, BEN);
    let offer = story.outputs.iter().find_map(|output| match output {
        Output::SendDiscovery { frame, .. } => Some(frame.clone()),
        _ => None,
    });
    let offer = offer.unwrap();
    let packet = DiscoveryPacket::parse(&offer).unwrap();
    assert!(!packet.tags.iter().any(|tag| tag.value == b"staff"), "not even its name is told");
    story.request(ETH0, BEN, "staff", &cookie);
    assert_eq!(story.refusal(), Some(RefusalReason::NotAllowed));
}

#[test]
fn an_interface_has_its_own_services_and_name() {
    let mut config = config();
    config.services.push(service("lab", &[C]));
    config.interfaces[1].services = vec![1];
    let mut story = Story::begin(config);
    assert!(!story.is_offered(ETH0, ANN, "lab"));
    assert!(!story.is_offered(ETH1, ANN, "net"));
    story.send(ETH1, ANN, Code::Padi, &[(TagType::ServiceName, b"lab")]);
    assert_eq!(story.offers(), [(ANN, "east".to_owned())]);
    let cookie = story.cookie(ETH1, ANN);
    story.request(ETH1, ANN, "net", &cookie);
    assert_eq!(story.refusal(), Some(RefusalReason::UnknownService));
    story.request(ETH1, ANN, "", &cookie);
    assert_eq!(story.dialled(), Some(C), "any service is one of this interface");
}

// --- Limits ---------------------------------------------------------------------------------------------

#[test]
fn each_limit_of_sessions_holds() {
    type Change = fn(&mut BridgeConfig);
    let changes: [(SessionLimit, Change); 3] = [
        (SessionLimit::All, |config| config.limits.sessions = 1),
        (SessionLimit::Service, |config| config.services[0].sessions = 1),
        (SessionLimit::Interface, |config| config.interfaces[0].sessions = 1),
    ];
    for (limit, change) in changes {
        let mut config = config();
        change(&mut config);
        let mut story = Story::begin(config);
        let cookie = story.cookie(ETH0, BEN);
        assert_eq!(story.come(ANN), Some(A));
        story.outputs.clear();
        story.send(ETH0, BEN, Code::Padi, &[(TagType::ServiceName, b"net")]);
        assert_eq!(story.discards(), [DiscardReason::SessionLimit]);
        story.request(ETH0, BEN, "net", &cookie);
        assert_eq!(story.refusal(), Some(RefusalReason::LimitReached(limit)));
        assert!(story.is_offered(ETH0, ANN, "net"), "the host that has the session may come again");
        story.connect(A);
        story.end(A);
        assert_eq!(story.come(BEN), Some(A));
    }
}

#[test]
fn a_host_has_no_more_sessions_than_it_may() {
    let mut config = config();
    config.services.push(service("other", &[C]));
    config.interfaces[0].services = vec![0, 1];
    config.limits.sessions_per_peer = 1;
    let mut story = Story::begin(config);
    assert_eq!(story.come(ANN), Some(A));
    assert!(!story.is_offered(ETH0, ANN, "other"));
    assert!(story.is_offered(ETH0, BEN, "other"));
}

#[test]
fn a_host_that_comes_back_at_once_is_not_in_its_own_way() {
    let mut config = config();
    config.limits.sessions_per_peer = 1;
    let mut story = Story::begin(config);
    assert_eq!(story.come(ANN), Some(A));
    story.connect(A);
    story.input(Input::NoCarrier { modem: A });
    assert_eq!(story.come(ANN), Some(B), "A is still hanging up");
}

#[test]
fn a_flood_of_one_host_does_not_keep_the_others_out() {
    let mut config = config();
    config.limits.padi_rate = NonZeroU32::new(20).unwrap();
    let mut story = Story::begin(config);
    let offers = (0..1000).filter(|_| story.is_offered(ETH0, ANN, "net")).count();
    assert_eq!(offers, 10);
    assert!(story.is_offered(ETH0, BEN, "net"));
    story.wait(Duration::from_secs(1));
    assert!(story.is_offered(ETH0, ANN, "net"));
}

#[test]
fn a_flood_from_invented_addresses_does_not_keep_out_who_has_his_offer() {
    let mut story = Story::begin(config());
    let cookie = story.cookie(ETH0, ANN);
    let invented = |number: u16| {
        let [high, low] = number.to_be_bytes();
        MacAddr([6, 0, 0, 0, high, low])
    };
    let offers = (0..5000).filter(|number| story.is_offered(ETH0, invented(*number), "net")).count();
    assert_eq!(offers, 99);
    assert!(story.is_offered(ETH1, BEN, "net"), "nor who is on another interface");
    story.request(ETH0, ANN, "net", &cookie);
    assert_eq!(story.dialled(), Some(A));
}

// --- Offers held back -----------------------------------------------------------------------------------

fn with_delay(fixed: u64, per_session: u64) -> Story {
    let mut config = config();
    let delay =
        OfferDelay { fixed: Duration::from_millis(fixed), per_session: Duration::from_millis(per_session) };
    config.services[0].delay = delay;
    Story::begin(config)
}

#[test]
fn an_offer_is_held_back_for_its_time() {
    let mut story = with_delay(500, 0);
    story.send(ETH0, ANN, Code::Padi, &[(TagType::ServiceName, b"net")]);
    story.wait(Duration::from_millis(499));
    assert!(story.offers().is_empty());
    story.wait(Duration::from_millis(1));
    assert_eq!(story.offers(), [(ANN, "west".to_owned())]);
    assert_eq!(story.bridge.poll_timeout(), None);
}

#[test]
fn offers_come_later_the_more_sessions_there_are() {
    let mut story = with_delay(0, 200);
    assert_eq!(story.come(ANN), Some(A));
    story.outputs.clear();
    story.send(ETH0, BEN, Code::Padi, &[(TagType::ServiceName, b"")]);
    story.wait(Duration::from_millis(199));
    assert!(story.offers().is_empty());
    story.wait(Duration::from_millis(1));
    assert_eq!(story.offers().len(), 1);
}

#[test]
fn a_host_with_a_call_here_is_offered_it_at_once() {
    let mut story = with_delay(500, 0);
    let held = |story: &mut Story| !story.is_offered(ETH0, ANN, "net");
    assert!(held(&mut story));
    story.wait(Duration::from_millis(500));
    let cookie = story.outputs.iter().find_map(|output| match output {
        Output::SendDiscovery { frame, .. } => {
            let packet = DiscoveryPacket::parse(frame).unwrap();
            packet.tags.first(TagType::AcCookie).map(<[u8]>::to_vec)
        }
        _ => None,
    });
    story.request(ETH0, ANN, "net", &cookie.unwrap());
    assert!(!held(&mut story));
}

#[test]
fn an_offer_that_cannot_be_kept_any_more_is_not_made() {
    let mut story = with_delay(500, 0);
    story.send(ETH0, ANN, Code::Padi, &[(TagType::ServiceName, b"net")]);
    for modem in [A, B, C] {
        story.input(Input::ModemVanished { modem });
    }
    story.wait(Duration::from_secs(1));
    assert_eq!(story.discards(), [DiscardReason::ServiceUnavailable]);
    assert!(story.offers().is_empty());
}

#[test]
fn held_offers_are_dropped_with_their_interface_and_at_the_end() {
    let mut story = with_delay(500, 0);
    story.send(ETH0, ANN, Code::Padi, &[(TagType::ServiceName, b"net")]);
    story.input(Input::InterfaceDown { interface: ETH0 });
    assert_eq!(story.bridge.poll_timeout(), None);
    assert_eq!(story.discards(), [DiscardReason::InterfaceDown]);
    story.send(ETH1, ANN, Code::Padi, &[(TagType::ServiceName, b"net")]);
    story.input(Input::Shutdown);
    assert_eq!(story.bridge.poll_timeout(), None);
    assert_eq!(story.discards(), [DiscardReason::InterfaceDown, DiscardReason::ServiceUnavailable]);
    assert!(story.bridge.is_finished());
}

#[test]
fn a_flood_of_padis_makes_a_bounded_number_of_held_offers() {
    let mut config = config();
    config.services[0].delay.fixed = Duration::from_secs(10);
    config.limits.padi_rate = NonZeroU32::new(100_000).unwrap();
    let mut story = Story::begin(config);
    for number in 0..5000_u16 {
        let [high, low] = number.to_be_bytes();
        let host = MacAddr([6, 0, 0, 0, high, low]);
        story.send(ETH0, host, Code::Padi, &[(TagType::ServiceName, b"net")]);
    }
    assert!(story.discards().iter().all(|reason| *reason == DiscardReason::OfferBacklog));
    story.wait(Duration::from_secs(10));
    assert_eq!(story.offers().len(), 256);
}

#[test]
fn nobody_is_told_about_a_session_under_our_own_address() {
    let mut story = Story::begin(config());
    story.input(Input::StraySession { interface: ETH0, source: our_mac(ETH0), session_id: 7 });
    assert!(story.outputs.is_empty());
    story.input(Input::StraySession { interface: ETH0, source: ANN, session_id: 7 });
    story.input(Input::StraySession { interface: ETH0, source: ANN, session_id: 7 });
    let told = story.events().filter(|event| matches!(event, Event::StrayAnswered(_))).count();
    assert_eq!(told, 1);
}

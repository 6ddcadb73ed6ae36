//! Hosts against a tiny scripted access concentrator.

use std::net::Ipv4Addr;

use super::*;
use crate::ip::IpEvent;

const AC: Mac = Mac([2, 0, 0, 0, 0, 0xac]);
const HOST: Mac = Mac([2, 0, 0, 0, 0, 1]);

/// What the access concentrator does with a PADR.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnPadr {
    Confirm,
    Refuse,
    Ignore,
}

/// A host and an access concentrator with nothing between them.
struct Story {
    now: Instant,
    host: Host,
    far_end: Endpoint,
    on_padi: bool,
    on_padr: OnPadr,
    /// The far end's frames are lost.
    is_line_stalled: bool,
    /// Code and time in ms of each discovery packet the host sent.
    discovery: Vec<(u8, u64)>,
    events: Vec<HostEvent>,
}

impl Story {
    fn new(profile: ClientProfile) -> Self {
        let far = EndpointConfig::far_end(Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
        Self {
            now: Instant::ZERO,
            host: Host::new(HostConfig::new(HOST, profile), 1),
            far_end: Endpoint::new(far, &mut Prng::new(2)),
            on_padi: true,
            on_padr: OnPadr::Confirm,
            is_line_stalled: false,
            discovery: Vec::new(),
            events: Vec::new(),
        }
    }

    fn answer(&mut self, code: u8, session_id: u16, tags: &[Tag]) {
        let payload = emit_tags(tags);
        let ethertype = ETHERTYPE_DISCOVERY;
        let packet = Packet { destination: HOST, source: AC, ethertype, code, session_id, payload: &payload };
        self.host.handle_frame(self.now, &packet.emit());
    }

    fn on_frame(&mut self, octets: &[u8]) {
        let packet = Packet::parse(octets).unwrap();
        if packet.ethertype == ETHERTYPE_SESSION {
            assert_eq!((packet.destination, packet.session_id), (AC, 7));
            self.far_end.handle_frame(self.now, packet.payload);
            return;
        }
        self.discovery.push((packet.code, self.now.as_micros() / 1000));
        let mut tags = packet.tags().unwrap();
        match packet.code {
            PADI if self.on_padi => {
                assert_eq!(packet.destination, Mac::BROADCAST);
                tags.push(Tag::new(AC_NAME, b"ac"));
                tags.push(Tag::new(AC_COOKIE, b"biscuit"));
                self.answer(PADO, 0, &tags);
            }
            PADR => {
                assert!(tags.contains(&Tag::new(AC_COOKIE, b"biscuit")));
                match self.on_padr {
                    OnPadr::Confirm => {
                        self.far_end.open(self.now);
                        self.answer(PADS, 7, &tags);
                    }
                    OnPadr::Refuse => {
                        tags.push(Tag::new(AC_SYSTEM_ERROR, b"no modem"));
                        self.answer(PADS, 0, &tags);
                    }
                    OnPadr::Ignore => {}
                }
            }
            _ => {}
        }
    }

    fn drain(&mut self) {
        loop {
            if let Some(output) = self.host.poll_output() {
                match output {
                    HostOutput::Frame(frame) => self.on_frame(&frame),
                    HostOutput::Event(event) => self.events.push(event),
                }
            } else if let Some(output) = self.far_end.poll_output() {
                if let EndpointOutput::Frame(payload) = output
                    && !self.is_line_stalled
                {
                    let packet = Packet {
                        destination: HOST,
                        source: AC,
                        ethertype: ETHERTYPE_SESSION,
                        code: 0,
                        session_id: 7,
                        payload: &payload,
                    };
                    self.host.handle_frame(self.now, &packet.emit());
                }
            } else {
                break;
            }
        }
    }

    /// Runs until `end` milliseconds.
    fn run_to(&mut self, end: u64) {
        let end = Instant::from_millis(end);
        self.drain();
        while let Some(next) = self
            .host
            .poll_timeout()
            .into_iter()
            .chain(self.far_end.poll_timeout())
            .min()
            .filter(|at| *at <= end)
        {
            self.now = self.now.max(next);
            self.host.handle_timeout(self.now);
            self.far_end.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    fn sent(&self, code: u8) -> Vec<u64> {
        self.discovery.iter().filter(|(sent, _)| *sent == code).map(|(_, at)| *at).collect()
    }

    fn started(profile: ClientProfile) -> Self {
        let mut story = Self::new(profile);
        story.host.start(Instant::ZERO);
        story
    }
}

#[test]
fn every_client_reaches_a_session_and_is_pinged_back() {
    for client in profile::ALL {
        let mut story = Story::started(*client);
        story.run_to(3000);
        assert_eq!(story.host.session(), Some(7), "{}", client.name);
        assert!(story.host.endpoint().is_ip_up(), "{}: {:?}", client.name, story.events);
        story.host.ping(story.now, 56);
        story.run_to(3100);
        let reply = IpEvent::PingReply { sequence: 1, time: Duration::ZERO };
        assert!(story.events.contains(&HostEvent::Ppp(EndpointEvent::Ip(reply))), "{}", client.name);
    }
}

#[test]
fn an_unanswered_client_sends_its_padis_on_its_schedule_and_gives_up() {
    let mut story = Story::started(ClientProfile { redial: None, ..profile::PPPD });
    story.on_padi = false;
    story.run_to(100_000);
    assert_eq!(story.sent(PADI), [0, 5000, 15_000]);
    assert_eq!(story.events, [HostEvent::Ended { why: EndReason::NoPado }]);
}

#[test]
fn a_client_without_pads_repeats_its_padr_and_then_does_what_its_profile_says() {
    let mut story = Story::started(profile::BSD_KERNEL);
    story.on_padr = OnPadr::Ignore;
    story.run_to(16_000);
    assert_eq!(story.sent(PADR), [0, 5000, 15_000,]);
    assert_eq!(story.sent(PADI), [0, 15_000]);

    let mut story = Story::started(profile::MPD5);
    story.on_padr = OnPadr::Ignore;
    story.run_to(9000);
    assert_eq!(story.sent(PADR), [0, 2000, 6000]);
    assert!(story.events.contains(&HostEvent::Ended { why: EndReason::DiscoveryTimeout }));
}

#[test]
fn a_refused_pppd_burns_its_padrs_at_once() {
    let mut story = Story::started(profile::PPPD);
    story.on_padr = OnPadr::Refuse;
    story.run_to(1000);
    assert_eq!(story.sent(PADR), [0, 0, 0]);
    let text = "no modem".to_owned();
    assert!(story.events.contains(&HostEvent::Refused { kind: AC_SYSTEM_ERROR, text }));
    assert_eq!(story.events.last(), Some(&HostEvent::Ended { why: EndReason::Refused }));
    story.run_to(31_000);
    assert_eq!(story.sent(PADI), [0, 30_000]);
}

#[test]
fn a_padt_ends_the_session_of_all_but_those_that_ignore_it() {
    let mut story = Story::started(ClientProfile { redial_after_padt: None, ..profile::PPPD });
    story.run_to(1000);
    story.answer(PADT, 8, &[]);
    assert_eq!(story.host.session(), Some(7));
    story.answer(PADT, 7, &[]);
    story.run_to(1001);
    assert_eq!(story.host.session(), None);
    assert_eq!(story.events.last(), Some(&HostEvent::Ended { why: EndReason::Padt }));

    let mut story = Story::started(profile::LWIP);
    story.run_to(1000);
    story.answer(PADT, 7, &[]);
    assert_eq!(story.host.session(), Some(7));
}

#[test]
fn a_client_that_checks_host_uniq_hears_no_answer_without_it() {
    let mut story = Story::new(profile::PPPD);
    story.on_padi = false;
    story.host.start(Instant::ZERO);
    story.run_to(1);
    story.answer(PADO, 0, &[Tag::new(SERVICE_NAME, b""), Tag::new(AC_NAME, b"ac")]);
    story.run_to(2);
    assert!(story.sent(PADR).is_empty());
}

#[test]
fn a_stopped_host_terminates_and_then_sends_a_padt() {
    let mut story = Story::started(profile::PPPD);
    story.run_to(1000);
    story.host.stop(story.now);
    story.run_to(2000);
    assert_eq!(story.sent(PADT), [1000]);
    let why = EndReason::Ppp(crate::ppp::CloseReason::ByUs);
    assert_eq!(story.events.last(), Some(&HostEvent::Ended { why }));
    story.run_to(100_000);
    assert_eq!(story.sent(PADI), [0]);
}

#[test]
fn an_openwrt_host_gives_up_a_stalled_line_after_seconds_and_comes_back() {
    let mut story = Story::started(profile::OPENWRT);
    story.run_to(60_000);
    assert_eq!(story.sent(PADI), [0]);
    story.is_line_stalled = true;
    story.run_to(75_000);
    let why = EndReason::Ppp(crate::ppp::CloseReason::EchoLost);
    assert!(story.events.contains(&HostEvent::Ended { why }));
    assert!(story.sent(PADI).len() > 1);
}

#[test]
fn no_frame_whatever_makes_a_host_panic() {
    let mut prng = Prng::new(8);
    let mut story = Story::started(profile::PPPD);
    for _ in 0..20_000 {
        let code = [PADO, PADS, PADT, 0][prng.below(4) as usize];
        let ethertype = if code == 0 { ETHERTYPE_SESSION } else { ETHERTYPE_DISCOVERY };
        let mut payload = vec![0; prng.below(60) as usize];
        prng.fill(&mut payload);
        let packet =
            Packet { destination: HOST, source: AC, ethertype, code, session_id: 7, payload: &payload };
        let mut octets = packet.emit();
        octets.truncate(prng.below(80) as usize);
        story.host.handle_frame(story.now, &octets);
        while story.host.poll_output().is_some() {}
    }
}

//! Two ends talk to each other, over good and bad links.

use super::*;
use crate::ppp::ipcp::BOGUS_DNS;
use crate::ppp::lcp::{ACFC, AuthProtocol, PFC, Wish};

const FAR: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const NEAR: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

/// Two endpoints, 5 ms apart, on a link that may lose and copy.
struct Link {
    now: Instant,
    ends: [Endpoint; 2],
    events: [Vec<EndpointEvent>; 2],
    under_way: VecDeque<(Instant, usize, Vec<u8>)>,
    lost_per_mille: u16,
    prng: Prng,
}

impl Link {
    fn new(a: EndpointConfig, b: EndpointConfig) -> Self {
        let mut prng = Prng::new(11);
        let ends = [Endpoint::new(a, &mut prng), Endpoint::new(b, &mut prng)];
        let events = [Vec::new(), Vec::new()];
        Self { now: Instant::ZERO, ends, events, under_way: VecDeque::new(), lost_per_mille: 0, prng }
    }

    fn open(&mut self) {
        for end in &mut self.ends {
            end.open(self.now);
        }
    }

    fn drain(&mut self) {
        for (index, end) in self.ends.iter_mut().enumerate() {
            while let Some(output) = end.poll_output() {
                match output {
                    EndpointOutput::Event(event) => self.events[index].push(event),
                    EndpointOutput::Frame(_) if self.prng.chance(self.lost_per_mille) => {}
                    EndpointOutput::Frame(frame) => {
                        let at = self.now + Duration::from_millis(5);
                        if self.prng.chance(self.lost_per_mille) {
                            self.under_way.push_back((at, 1 - index, frame.clone()));
                        }
                        self.under_way.push_back((at, 1 - index, frame));
                    }
                }
            }
        }
    }

    /// Lets `duration` pass.
    fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            self.drain();
            let timers = self.ends.iter().filter_map(Endpoint::poll_timeout);
            let Some(next) = self.under_way.front().map(|first| first.0).into_iter().chain(timers).min()
            else {
                break;
            };
            if next > end {
                break;
            }
            self.now = self.now.max(next);
            while self.under_way.front().is_some_and(|(at, ..)| *at <= self.now) {
                let (_, to, frame) = self.under_way.pop_front().unwrap();
                self.ends[to].handle_frame(self.now, &frame);
            }
            for end in &mut self.ends {
                end.handle_timeout(self.now);
            }
        }
        self.now = end;
    }

    fn has(&self, end: usize, wanted: impl Fn(&EndpointEvent) -> bool) -> bool {
        self.events[end].iter().any(wanted)
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn is_ip_up(event: &EndpointEvent) -> bool {
    matches!(event, EndpointEvent::IpcpUp { .. })
}

#[test]
fn two_ends_agree_and_the_host_is_given_its_address() {
    let mut link = Link::new(EndpointConfig::host(), EndpointConfig::far_end(FAR, NEAR));
    link.open();
    link.run(seconds(2));
    let dns = [Ipv4Addr::new(192, 0, 2, 53), Ipv4Addr::new(198, 51, 100, 53)];
    assert!(link.events[0].contains(&EndpointEvent::IpcpUp { local: NEAR, peer: FAR, dns }));
    assert!(link.has(1, |event| matches!(event, EndpointEvent::IpcpUp { local: FAR, peer: NEAR, .. })));
}

#[test]
fn a_pppoe_host_rejects_what_pppoe_forbids() {
    let mut link = Link::new(EndpointConfig::host(), EndpointConfig::far_end(FAR, NEAR));
    link.open();
    link.run(seconds(2));
    let Some(EndpointEvent::LcpUp { ours, theirs }) = link.events[1].first() else { panic!() };
    assert_eq!(ours.framing(), Framing::DEFAULT);
    assert_ne!(ours.magic, 0);
    assert_eq!(theirs.mru, 1492);
}

#[test]
fn two_serial_ends_agree_on_everything() {
    let serial = EndpointConfig { lcp: LcpConfig::SERIAL, ..EndpointConfig::host() };
    let mut link = Link::new(serial, EndpointConfig::far_end(FAR, NEAR));
    link.open();
    link.run(seconds(2));
    let agreed = Framing { accm: 0, pfc: true, acfc: true };
    assert_eq!(link.ends[0].send_framing(), agreed);
    assert_eq!(link.ends[1].receive_framing(), agreed);
}

#[test]
fn an_option_told_to_be_rejected_is_not_asked_for_again() {
    let no_compression = LcpConfig { rejects: &[PFC, ACFC], ..LcpConfig::SERIAL };
    let one = EndpointConfig { lcp: no_compression, ..EndpointConfig::host() };
    let mut link = Link::new(one, EndpointConfig::far_end(FAR, NEAR));
    link.open();
    link.run(seconds(2));
    assert_eq!(link.ends[1].receive_framing(), Framing { accm: 0, ..Framing::DEFAULT });
    assert_eq!(link.ends[1].send_framing(), Framing { accm: 0, pfc: true, acfc: true });
}

#[test]
fn a_lossy_link_comes_up_all_the_same() {
    for seed in 0..20 {
        let mut link = Link::new(EndpointConfig::host(), EndpointConfig::far_end(FAR, NEAR));
        link.prng = Prng::new(seed);
        link.lost_per_mille = 200;
        link.open();
        link.run(seconds(60));
        assert!(link.has(0, is_ip_up) && link.has(1, is_ip_up), "seed {seed}: {:?}", link.events);
    }
}

#[test]
fn a_ping_is_answered_over_the_link() {
    let mut link = Link::new(EndpointConfig::host(), EndpointConfig::far_end(FAR, NEAR));
    link.open();
    link.run(seconds(2));
    assert_eq!(link.ends[0].ping(link.now, 56), Some(1));
    link.run(seconds(1));
    let reply = IpEvent::PingReply { sequence: 1, time: Duration::from_millis(10) };
    assert!(link.events[0].contains(&EndpointEvent::Ip(reply)));
}

#[test]
fn a_transfer_arrives_whole_over_a_lossy_link() {
    let mut link = Link::new(EndpointConfig::host(), EndpointConfig::far_end(FAR, NEAR));
    link.open();
    link.run(seconds(2));
    link.lost_per_mille = 20;
    assert!(link.ends[1].start_transfer(link.now, 300_000, 8));
    link.run(seconds(120));
    let is_whole = |event: &EndpointEvent| matches!(event, EndpointEvent::Ip(IpEvent::TransferReceived(receipt)) if receipt.octets == 300_000);
    assert!(link.has(0, is_whole), "{:?}", link.events);
}

#[test]
fn an_end_nobody_answers_asks_ten_times_and_gives_up_after_thirty_seconds() {
    let mut prng = Prng::new(1);
    let mut end = Endpoint::new(EndpointConfig::host(), &mut prng);
    end.open(Instant::ZERO);
    let (mut requests, mut now) = (0, Instant::ZERO);
    loop {
        let mut is_over = false;
        while let Some(output) = end.poll_output() {
            match output {
                EndpointOutput::Frame(_) => requests += 1,
                EndpointOutput::Event(event) => {
                    assert_eq!(event, EndpointEvent::Closed { why: CloseReason::NoAnswer });
                    is_over = true;
                }
            }
        }
        if is_over {
            break;
        }
        now = end.poll_timeout().unwrap();
        end.handle_timeout(now);
    }
    assert_eq!((requests, now), (10, Instant::from_millis(30_000)));
}

#[test]
fn a_terminated_peer_acknowledges_and_waits_before_it_is_closed() {
    let mut link = Link::new(EndpointConfig::host(), EndpointConfig::far_end(FAR, NEAR));
    link.open();
    link.run(seconds(2));
    link.ends[0].close(link.now);
    link.run(seconds(1));
    assert!(link.events[0].contains(&EndpointEvent::Closed { why: CloseReason::ByUs }));
    let by_peer = EndpointEvent::Closed { why: CloseReason::ByPeer };
    assert!(!link.events[1].contains(&by_peer));
    link.run(seconds(3));
    assert!(link.events[1].contains(&by_peer));
}

#[test]
fn a_deaf_peer_loses_the_link() {
    let echo = EchoConfig { interval: seconds(5), failures: 3, adaptive: false };
    let host = EndpointConfig { echo: Some(echo), ..EndpointConfig::host() };
    let deaf = EndpointConfig { answers_echo: false, ..EndpointConfig::far_end(FAR, NEAR) };
    let mut link = Link::new(host, deaf);
    link.open();
    link.run(seconds(19));
    assert!(link.ends[0].is_lcp_up());
    link.run(seconds(3));
    assert!(link.events[0].contains(&EndpointEvent::Closed { why: CloseReason::EchoLost }));
    assert_eq!(link.ends[0].statistics().echoes_sent, 3);
}

#[test]
fn an_answering_peer_keeps_the_link() {
    let echo = EchoConfig { interval: seconds(5), failures: 1, adaptive: false };
    let host = EndpointConfig { echo: Some(echo), ..EndpointConfig::host() };
    let mut link = Link::new(host, EndpointConfig::far_end(FAR, NEAR));
    link.open();
    link.run(seconds(61));
    assert!(link.ends[0].is_ip_up());
    assert!(link.ends[0].statistics().echoes_returned >= 11);
    assert!(link.has(0, |event| { *event == EndpointEvent::EchoReply { time: Duration::from_millis(10) } }));
}

#[test]
fn a_far_end_that_asks_for_chap_settles_for_pap() {
    let mut far = EndpointConfig::far_end(FAR, NEAR);
    far.lcp.wishes = &[Wish::Accm(0), Wish::Auth(&[AuthProtocol::ChapMd5, AuthProtocol::Pap]), Wish::Magic];
    far.demands = Some(Credentials::new("host", "secret"));
    let mut link = Link::new(EndpointConfig::host(), far.clone());
    link.open();
    link.run(seconds(3));
    assert!(link.events[0].contains(&EndpointEvent::Authenticated));
    assert!(link.has(0, is_ip_up));

    far.demands = Some(Credentials::new("host", "other"));
    let mut link = Link::new(EndpointConfig::host(), far);
    link.open();
    link.run(seconds(10));
    assert!(!link.has(0, is_ip_up));
    assert!(
        link.has(1, |event| { *event == EndpointEvent::Closed { why: CloseReason::AuthenticationFailed } })
    );
}

#[test]
fn bogus_name_servers_give_way_to_real_ones() {
    let mut far = EndpointConfig::far_end(FAR, NEAR);
    far.ipcp = Some(IpcpConfig { bogus_naks: 3, ..IpcpConfig::gives(FAR, NEAR) });
    let mut link = Link::new(EndpointConfig::host(), far);
    link.open();
    link.run(seconds(3));
    assert!(link.has(0, |event| {
        matches!(event, EndpointEvent::IpcpUp { dns, .. } if *dns != BOGUS_DNS && !dns[0].is_unspecified())
    }));
}

#[test]
fn a_peer_without_ipv6_does_not_end_the_session() {
    let host = EndpointConfig { ipv6: true, ..EndpointConfig::host() };
    let mut link = Link::new(host.clone(), EndpointConfig::far_end(FAR, NEAR));
    link.open();
    link.run(seconds(60));
    assert!(link.ends[0].is_ip_up());

    let far = EndpointConfig { ipv6: true, ..EndpointConfig::far_end(FAR, NEAR) };
    let mut link = Link::new(host, far);
    link.open();
    link.run(seconds(3));
    assert!(link.has(0, |event| matches!(event, EndpointEvent::Ipv6cpUp { local, peer } if local != peer)));
}

#[test]
fn a_lost_line_ends_the_link_and_it_can_be_opened_again() {
    let mut link = Link::new(EndpointConfig::host(), EndpointConfig::far_end(FAR, NEAR));
    link.open();
    link.run(seconds(2));
    for end in &mut link.ends {
        end.lower_down(link.now);
    }
    link.run(seconds(1));
    assert_eq!(link.events[0].last(), Some(&EndpointEvent::Closed { why: CloseReason::LineLost }));
    link.events[0].clear();
    link.open();
    link.run(seconds(2));
    assert!(link.has(0, is_ip_up));
}

#[test]
fn no_octets_whatever_make_an_end_panic() {
    let mut prng = Prng::new(5);
    let mut link = Link::new(EndpointConfig::host(), EndpointConfig::far_end(FAR, NEAR));
    link.open();
    link.run(seconds(2));
    let starts: [&[u8]; 6] = [&[0xc0, 0x21], &[0x80, 0x21], &[0xc0, 0x23], &[0xc2, 0x23], &[0x00, 0x21], &[]];
    for _ in 0..20_000 {
        let mut frame = starts[prng.below(6) as usize].to_vec();
        let mut noise = vec![0; prng.below(40) as usize];
        prng.fill(&mut noise);
        // Small codes and right lengths come further in.
        if noise.len() >= 4 && prng.chance(700) {
            noise[0] %= 14;
            noise[2] = 0;
            noise[3] = noise.len() as u8;
        }
        frame.extend(noise);
        link.ends[0].handle_frame(link.now, &frame);
        while link.ends[0].poll_output().is_some() {}
    }
}

/// The packets of one protocol that an end wants to send.
fn sent(end: &mut Endpoint, protocol: [u8; 2]) -> Vec<Vec<u8>> {
    let outputs = std::iter::from_fn(|| end.poll_output());
    let frames = outputs.filter_map(|output| match output {
        EndpointOutput::Frame(frame) => Some(frame),
        EndpointOutput::Event(_) => None,
    });
    frames.filter_map(|frame| frame.strip_prefix(&protocol[..]).map(<[u8]>::to_vec)).collect()
}

#[test]
fn an_unknown_option_is_rejected_as_it_came_and_a_code_nobody_knows_too() {
    let mut end = Endpoint::new(EndpointConfig::host(), &mut Prng::new(1));
    end.open(Instant::ZERO);
    sent(&mut end, [0xc0, 0x21]);
    // MRU 1500, ACCM, Callback, FCS-Alternatives: the last three come back in their order.
    let request = [1, 9, 0, 20, 1, 4, 5, 0xdc, 2, 6, 0, 0, 0, 0, 13, 3, 6, 9, 3, 1];
    end.handle_frame(Instant::ZERO, &[&[0xc0, 0x21][..], &request].concat());
    let reject = vec![4, 9, 0, 16, 2, 6, 0, 0, 0, 0, 13, 3, 6, 9, 3, 1];
    assert_eq!(sent(&mut end, [0xc0, 0x21]), [reject]);
    end.handle_frame(Instant::ZERO, &[0xc0, 0x21, 99, 5, 0, 4]);
    let replies = sent(&mut end, [0xc0, 0x21]);
    assert_eq!((replies[0][0], &replies[0][4..]), (7, &[99, 5, 0, 4][..]));
}

#[test]
fn a_protocol_nobody_speaks_is_rejected() {
    let mut link = Link::new(EndpointConfig::host(), EndpointConfig::far_end(FAR, NEAR));
    link.open();
    link.run(seconds(2));
    link.ends[0].handle_frame(link.now, &[0x80, 0xfd, 1, 1, 0, 4]);
    let rejects = sent(&mut link.ends[0], [0xc0, 0x21]);
    assert_eq!((rejects[0][0], &rejects[0][4..]), (8, &[0x80, 0xfd, 1, 1, 0, 4][..]));
}

#[test]
fn a_peer_that_begins_anew_is_negotiated_with_anew() {
    let mut link = Link::new(EndpointConfig::host(), EndpointConfig::far_end(FAR, NEAR));
    link.open();
    link.run(seconds(2));
    link.ends[1] = Endpoint::new(EndpointConfig::far_end(FAR, NEAR), &mut Prng::new(99));
    link.events = [Vec::new(), Vec::new()];
    link.ends[1].open(link.now);
    link.run(seconds(5));
    assert!(link.has(0, |event| *event == EndpointEvent::LcpDown));
    assert!(link.has(0, is_ip_up) && link.has(1, is_ip_up));
}

#[test]
fn a_copied_answer_does_not_begin_negotiation_again() {
    let mut link = Link::new(EndpointConfig::host(), EndpointConfig::far_end(FAR, NEAR));
    link.open();
    link.run(seconds(2));
    // The last Ack of the far end, once more: its identifier is that of the last request.
    for identifier in 0..=255 {
        link.ends[0].handle_frame(link.now, &[0xc0, 0x21, 2, identifier, 0, 4]);
        link.ends[0].handle_frame(link.now, &[0xc0, 0x21, 3, identifier, 0, 4]);
    }
    assert!(link.ends[0].is_ip_up());
}

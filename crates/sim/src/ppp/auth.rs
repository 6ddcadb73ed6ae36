//! Showing who one is, as far as a fake needs it (RFC 1334 PAP, RFC 1994 CHAP).
//!
//! An end that demands authentication takes any credentials unless it was told which: mobile sticks do the
//! same, because the network asks again at IPCP. A CHAP response in particular is never looked at. An end that
//! must show who it is does so by PAP alone.

use std::time::Duration;

use bridge_proto::time::Instant;

use super::lcp::AuthProtocol;
use super::packet::{CHAP, ControlPacket, PAP};
use crate::prng::Prng;

/// A name and its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Who it is.
    pub name: String,
    /// What only it knows.
    pub password: String,
}

impl Credentials {
    /// A name and its password.
    #[must_use]
    pub fn new(name: &str, password: &str) -> Self {
        Self { name: name.to_owned(), password: password.to_owned() }
    }

    /// PAP's Peer-ID and Password, each behind its length.
    fn emit(&self) -> Vec<u8> {
        let mut octets = Vec::new();
        for text in [&self.name, &self.password] {
            let text = &text.as_bytes()[..text.len().min(255)];
            octets.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
            octets.extend_from_slice(text);
        }
        octets
    }
}

/// How far one direction has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    NotDemanded,
    Waiting(AuthProtocol),
    Done,
}

/// The authentication phase of one link, both directions.
#[derive(Clone, Debug)]
pub struct Authentication {
    ours: Option<Credentials>,
    wanted: Option<Credentials>,
    we_show: Progress,
    peer_shows: Progress,
    has_failed: bool,
    tries_left: u8,
    deadline: Option<Instant>,
    identifier: u8,
    prng: Prng,
    outbox: Vec<(u16, Vec<u8>)>,
}

const RETRY: Duration = Duration::from_secs(3);
const TRIES: u8 = 10;

const REQUEST: u8 = 1;
const ACK: u8 = 2;
const NAK: u8 = 3;
const CHALLENGE: u8 = 1;
const RESPONSE: u8 = 2;
const SUCCESS: u8 = 3;

impl Authentication {
    /// `ours` is shown when the peer demands it; `wanted` is demanded, or anything if `None`.
    #[must_use]
    pub fn new(ours: Option<Credentials>, wanted: Option<Credentials>, prng: Prng) -> Self {
        Self {
            ours,
            wanted,
            we_show: Progress::NotDemanded,
            peer_shows: Progress::NotDemanded,
            has_failed: false,
            tries_left: 0,
            deadline: None,
            identifier: 0,
            prng,
            outbox: Vec::new(),
        }
    }

    /// LCP is up, and this was agreed: what the peer demands of us, and we of it.
    pub fn start(&mut self, now: Instant, of_us: Option<AuthProtocol>, of_peer: Option<AuthProtocol>) {
        self.we_show = of_us.map_or(Progress::NotDemanded, Progress::Waiting);
        self.peer_shows = of_peer.map_or(Progress::NotDemanded, Progress::Waiting);
        self.has_failed = false;
        self.tries_left = TRIES;
        self.ask(now);
    }

    /// LCP is down.
    pub fn stop(&mut self) {
        self.we_show = Progress::NotDemanded;
        self.peer_shows = Progress::NotDemanded;
        self.deadline = None;
    }

    /// Whether nothing is waited for.
    #[must_use]
    pub fn is_done(&self) -> bool {
        !self.has_failed && !self.is_waiting()
    }

    /// Whether the peer refused us or we it.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// Asks again, or gives up.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.ask(now);
        }
    }

    /// Packets to send, each with its protocol.
    pub fn take_packets(&mut self) -> Vec<(u16, Vec<u8>)> {
        std::mem::take(&mut self.outbox)
    }

    /// A packet of PAP or CHAP.
    pub fn handle_packet(&mut self, protocol: u16, packet: &ControlPacket<'_>) {
        let shows_pap = self.we_show == Progress::Waiting(AuthProtocol::Pap);
        match (protocol, packet.code) {
            (PAP, REQUEST) => self.on_pap_request(packet),
            (PAP, ACK) if shows_pap => self.we_show = Progress::Done,
            (PAP, NAK) if shows_pap => self.has_failed = true,
            (CHAP, RESPONSE) => self.on_chap_response(packet),
            _ => {}
        }
        if !self.is_waiting() {
            self.deadline = None;
        }
    }

    fn on_pap_request(&mut self, packet: &ControlPacket<'_>) {
        // Asked again after the Ack was lost, it is acknowledged again.
        if self.peer_shows == Progress::NotDemanded {
            return;
        }
        if self.wanted.as_ref().is_none_or(|wanted| wanted.emit() == packet.data) {
            self.peer_shows = Progress::Done;
            self.send(PAP, ACK, packet.identifier, &[0]);
        } else {
            self.has_failed = true;
            self.send(PAP, NAK, packet.identifier, &[0]);
        }
    }

    fn on_chap_response(&mut self, packet: &ControlPacket<'_>) {
        if packet.identifier == self.identifier && self.peer_shows != Progress::NotDemanded {
            self.peer_shows = Progress::Done;
            self.send(CHAP, SUCCESS, packet.identifier, b"");
        }
    }

    fn is_waiting(&self) -> bool {
        [self.we_show, self.peer_shows].iter().any(|progress| matches!(progress, Progress::Waiting(_)))
    }

    fn ask(&mut self, now: Instant) {
        if !self.is_waiting() {
            self.deadline = None;
            return;
        }
        if self.tries_left == 0 {
            self.has_failed = true;
            self.deadline = None;
            return;
        }
        self.tries_left -= 1;
        self.deadline = Some(now + RETRY);
        self.identifier = self.identifier.wrapping_add(1);
        if let (Progress::Waiting(_), Some(ours)) = (self.we_show, &self.ours) {
            let data = ours.emit();
            self.send(PAP, REQUEST, self.identifier, &data);
        }
        if self.peer_shows == Progress::Waiting(AuthProtocol::ChapMd5) {
            let mut data = [16; 17];
            self.prng.fill(&mut data[1..]);
            let data = [&data[..], b"sim"].concat();
            self.send(CHAP, CHALLENGE, self.identifier, &data);
        }
    }

    fn send(&mut self, protocol: u16, code: u8, identifier: u8, data: &[u8]) {
        self.outbox.push((protocol, ControlPacket { code, identifier, data }.emit()));
    }
}

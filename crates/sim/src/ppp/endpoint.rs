//! [`Endpoint`]: one end of a PPP link, from LCP to pings.
//!
//! ```text
//!   open ──> LCP ──> authentication ──> IPCP ──> ip::IpLayer
//!             │            │              └ IPV6CP (negotiated, carries nothing)
//!             └── Terminate, no answer, echoes lost, refused ──> Closed { why }
//! ```

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::time::Duration;

use bridge_proto::time::Instant;

use super::auth::{Authentication, Credentials};
use super::ipcp::{IpcpConfig, IpcpOptions};
use super::ipv6cp::Ipv6cpOptions;
use super::lcp::{Agreed, LcpConfig, LcpOptions};
use super::negotiator::{Finish, Happening, Negotiator, OptionSet, Patience};
use super::packet::{
    CHAP, ControlPacket, DISCARD_REQUEST, ECHO_REPLY, ECHO_REQUEST, IPCP, IPV4, IPV6CP, LCP, PAP,
    PROTOCOL_REJECT, frame, split_protocol,
};
use crate::hdlc::Framing;
use crate::ip::{IpEvent, IpLayer};
use crate::prng::Prng;

/// How an endpoint behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointConfig {
    /// LCP's wishes and rejections.
    pub lcp: LcpConfig,
    /// How long LCP and the rest keep asking.
    pub patience: Patience,
    /// Shown to a peer that demands it.
    pub credentials: Option<Credentials>,
    /// Demanded of the peer, where [`LcpConfig::wishes`] asks for authentication; `None` takes any.
    pub demands: Option<Credentials>,
    /// IPv4, if spoken.
    pub ipcp: Option<IpcpConfig>,
    /// Whether IPv6 is negotiated.
    pub ipv6: bool,
    /// Whether, and how, the peer's life is watched.
    pub echo: Option<EchoConfig>,
    /// Whether the peer's Echo-Requests are answered; some modems do not.
    pub answers_echo: bool,
    /// Whether it sends a Discard-Request as soon as LCP is up; some modems do.
    pub discards_first: bool,
}

impl EndpointConfig {
    /// A host behind PPPoE that asks for an address.
    #[must_use]
    pub fn host() -> Self {
        Self {
            lcp: LcpConfig::PPPOE,
            patience: Patience::DEFAULT,
            credentials: Some(Credentials::new("host", "secret")),
            demands: None,
            ipcp: Some(IpcpConfig::ASKS),
            ipv6: false,
            echo: None,
            answers_echo: true,
            discards_first: false,
        }
    }

    /// The far end of a telephone line, at `local`, that gives its caller the address `peer`.
    #[must_use]
    pub fn far_end(local: Ipv4Addr, peer: Ipv4Addr) -> Self {
        Self {
            lcp: LcpConfig::SERIAL,
            credentials: None,
            ipcp: Some(IpcpConfig::gives(local, peer)),
            ..Self::host()
        }
    }
}

/// How the peer's life is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EchoConfig {
    /// Between two Echo-Requests.
    pub interval: Duration,
    /// Unanswered ones in a row that end the link.
    pub failures: u8,
    /// Whether any frame from the peer counts as an answer (pppd's `lcp-echo-adaptive`).
    pub adaptive: bool,
}

/// What comes out of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointOutput {
    /// A PPP frame to send, protocol field first.
    Frame(Vec<u8>),
    /// Something its owner may want to know.
    Event(EndpointEvent),
}

/// What happened at an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointEvent {
    /// LCP agreed on this: what the peer granted us, and what we granted the peer.
    LcpUp {
        /// How the peer sends to us.
        ours: Agreed,
        /// How we send to the peer.
        theirs: Agreed,
    },
    /// LCP is no longer up; it may come up again.
    LcpDown,
    /// Whoever had to show who it is has done so.
    Authenticated,
    /// IPv4 is up.
    IpcpUp {
        /// Our address.
        local: Ipv4Addr,
        /// The peer's; unspecified if it never said.
        peer: Ipv4Addr,
        /// The name servers we were given.
        dns: [Ipv4Addr; 2],
    },
    /// IPv4 is no longer up.
    IpcpDown,
    /// IPv6 is up.
    Ipv6cpUp {
        /// Our interface identifier.
        local: u64,
        /// The peer's.
        peer: u64,
    },
    /// IPv6 is no longer up.
    Ipv6cpDown,
    /// An Echo-Reply came this long after its request.
    EchoReply {
        /// The round trip.
        time: Duration,
    },
    /// Something above IPCP.
    Ip(IpEvent),
    /// The link is over.
    Closed {
        /// For this reason.
        why: CloseReason,
    },
}

/// Why a link ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// LCP asked until it was tired.
    NoAnswer,
    /// The peer sent a Terminate-Request.
    ByPeer,
    /// [`Endpoint::close`].
    ByUs,
    /// The peer cannot do what PPP cannot do without.
    Rejected,
    /// Too many Echo-Requests in a row were not answered.
    EchoLost,
    /// Someone was not who it had to be.
    AuthenticationFailed,
    /// No network protocol could be agreed.
    NetworkFailed,
    /// [`Endpoint::lower_down`] while the link was in use.
    LineLost,
}

/// What an endpoint has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// PPP frames sent.
    pub frames_sent: u64,
    /// PPP frames received.
    pub frames_received: u64,
    /// Octets of those sent.
    pub octets_sent: u64,
    /// Octets of those received.
    pub octets_received: u64,
    /// Frames received that were not PPP, or not of a length they said.
    pub malformed: u64,
    /// Echo-Requests sent.
    pub echoes_sent: u64,
    /// Echo-Replies received.
    pub echoes_returned: u64,
    /// Echo-Requests answered.
    pub echoes_answered: u64,
}

#[derive(Clone, Copy, Debug)]
struct Echo {
    config: EchoConfig,
    due: Instant,
    unanswered: u8,
    last: Option<(u8, Instant)>,
}

/// One end of a PPP link.
#[derive(Clone, Debug)]
pub struct Endpoint {
    config: EndpointConfig,
    lcp: Negotiator<LcpOptions>,
    ipcp: Option<Negotiator<IpcpOptions>>,
    ipv6cp: Option<Negotiator<Ipv6cpOptions>>,
    auth: Authentication,
    is_network_phase: bool,
    echo: Option<Echo>,
    ip: Option<IpLayer>,
    /// Why LCP is being closed, if it is.
    blame: Option<CloseReason>,
    is_in_use: bool,
    statistics: Statistics,
    outputs: VecDeque<EndpointOutput>,
}

impl Endpoint {
    /// An endpoint at rest.
    #[must_use]
    pub fn new(config: EndpointConfig, prng: &mut Prng) -> Self {
        let patience = config.patience;
        let lcp = LcpOptions::new(config.lcp, config.credentials.is_some(), prng.fork());
        let ipcp = config.ipcp.map(|ipcp| Negotiator::new(IpcpOptions::new(ipcp), patience));
        let ipv6cp = config.ipv6.then(|| Negotiator::new(Ipv6cpOptions::new(prng.fork()), patience));
        let auth = Authentication::new(config.credentials.clone(), config.demands.clone(), prng.fork());
        Self {
            config,
            lcp: Negotiator::new(lcp, patience),
            ipcp,
            ipv6cp,
            auth,
            is_network_phase: false,
            echo: None,
            ip: None,
            blame: None,
            is_in_use: false,
            statistics: Statistics::default(),
            outputs: VecDeque::new(),
        }
    }

    /// The line below is up: begin.
    pub fn open(&mut self, now: Instant) {
        self.blame = None;
        self.is_in_use = true;
        self.lcp.open(now);
        self.lcp.up(now);
        self.settle(now);
    }

    /// End the link by a Terminate-Request; [`EndpointEvent::Closed`] follows.
    pub fn close(&mut self, now: Instant) {
        self.close_because(now, CloseReason::ByUs);
        self.settle(now);
    }

    /// The line below is gone: nothing can be said any more.
    pub fn lower_down(&mut self, now: Instant) {
        self.lcp.down(now);
        self.settle(now);
        self.close_because(now, CloseReason::LineLost);
        self.settle(now);
        self.finish(CloseReason::LineLost);
    }

    /// Takes a PPP frame, protocol field first.
    pub fn handle_frame(&mut self, now: Instant, octets: &[u8]) {
        self.statistics.frames_received += 1;
        self.statistics.octets_received += octets.len() as u64;
        let Some((protocol, information)) = split_protocol(octets) else {
            self.statistics.malformed += 1;
            return;
        };
        if let Some(echo) = self.echo.as_mut().filter(|echo| echo.config.adaptive) {
            echo.unanswered = 0;
        }
        if protocol == LCP {
            self.on_lcp(now, information);
        } else if self.lcp.is_opened() {
            self.on_other(now, protocol, information);
        }
        self.settle(now);
    }

    /// Something may be due; an early call does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.lcp.handle_timeout(now);
        if let Some(ipcp) = &mut self.ipcp {
            ipcp.handle_timeout(now);
        }
        if let Some(ipv6cp) = &mut self.ipv6cp {
            ipv6cp.handle_timeout(now);
        }
        self.auth.handle_timeout(now);
        self.tick_echo(now);
        if let Some(ip) = &mut self.ip {
            ip.handle_timeout(now);
        }
        self.settle(now);
    }

    /// The next frame or event.
    pub fn poll_output(&mut self) -> Option<EndpointOutput> {
        self.outputs.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        [
            self.lcp.poll_timeout(),
            self.ipcp.as_ref().and_then(Negotiator::poll_timeout),
            self.ipv6cp.as_ref().and_then(Negotiator::poll_timeout),
            self.auth.poll_timeout(),
            self.echo.map(|echo| echo.due),
            self.ip.as_ref().and_then(IpLayer::poll_timeout),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Pings the peer; gives the ping's number, or nothing while IPv4 is down.
    pub fn ping(&mut self, now: Instant, octets: usize) -> Option<u16> {
        let sequence = self.ip.as_mut()?.ping(now, octets);
        self.settle(now);
        Some(sequence)
    }

    /// Sends `octets` octets to the peer, at most `window` datagrams under way; false while IPv4 is down.
    pub fn start_transfer(&mut self, now: Instant, octets: u64, window: u16) -> bool {
        let Some(ip) = &mut self.ip else { return false };
        ip.start_transfer(now, octets, window);
        self.settle(now);
        true
    }

    /// Whether LCP is opened.
    #[must_use]
    pub fn is_lcp_up(&self) -> bool {
        self.lcp.is_opened()
    }

    /// Whether pings can be sent.
    #[must_use]
    pub fn is_ip_up(&self) -> bool {
        self.ip.is_some()
    }

    /// How frames to the peer may be dressed on an asynchronous line.
    #[must_use]
    pub fn send_framing(&self) -> Framing {
        if self.lcp.is_opened() { self.lcp.options.theirs.framing() } else { Framing::DEFAULT }
    }

    /// How the peer may dress frames to us.
    #[must_use]
    pub fn receive_framing(&self) -> Framing {
        if self.lcp.is_opened() { self.lcp.options.ours.framing() } else { Framing::DEFAULT }
    }

    /// What was seen so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.statistics
    }

    fn on_lcp(&mut self, now: Instant, information: &[u8]) {
        let Some(packet) = ControlPacket::parse(information) else {
            self.statistics.malformed += 1;
            return;
        };
        match packet.code {
            PROTOCOL_REJECT => self.on_protocol_reject(now, packet.data),
            ECHO_REQUEST => self.on_echo_request(&packet),
            ECHO_REPLY => self.on_echo_reply(now, &packet),
            // Identification and Time-Remaining want no answer either (RFC 1570 §1).
            DISCARD_REQUEST | 12 | 13 => {}
            _ => self.lcp.handle_packet(now, &packet),
        }
    }

    fn on_protocol_reject(&mut self, now: Instant, data: &[u8]) {
        let Some((protocol, _)) = split_protocol(data) else { return };
        match protocol {
            LCP => self.lcp.on_fatal_reject(now),
            IPCP => {
                if let Some(ipcp) = &mut self.ipcp {
                    ipcp.on_fatal_reject(now);
                }
            }
            IPV6CP => {
                if let Some(ipv6cp) = &mut self.ipv6cp {
                    ipv6cp.on_fatal_reject(now);
                }
            }
            _ => {}
        }
    }

    fn on_echo_request(&mut self, packet: &ControlPacket<'_>) {
        // Answered in the Opened state only, with our own number (RFC 1661 §5.8).
        let Some(data) = packet.data.get(4..) else { return };
        if self.lcp.is_opened() && self.config.answers_echo {
            self.statistics.echoes_answered += 1;
            let magic = self.lcp.options.ours.magic.to_be_bytes();
            let data = [&magic, data].concat();
            self.send(LCP, &ControlPacket { code: ECHO_REPLY, data: &data, ..*packet }.emit());
        }
    }

    fn on_echo_reply(&mut self, now: Instant, packet: &ControlPacket<'_>) {
        let Some(echo) = &mut self.echo else { return };
        let Some((_, sent)) = echo.last.take_if(|(identifier, _)| *identifier == packet.identifier) else {
            return;
        };
        echo.unanswered = 0;
        self.statistics.echoes_returned += 1;
        self.report(EndpointEvent::EchoReply { time: now - sent });
    }

    fn on_other(&mut self, now: Instant, protocol: u16, information: &[u8]) {
        let packet = ControlPacket::parse(information);
        match (protocol, packet) {
            (PAP | CHAP, Some(packet)) => self.auth.handle_packet(protocol, &packet),
            // Before its phase a network protocol is silently discarded (RFC 1661 §3.4).
            (IPCP | IPV6CP, _) if !self.is_network_phase => {}
            (IPCP, Some(packet)) if self.ipcp.is_some() => {
                if let Some(ipcp) = &mut self.ipcp {
                    ipcp.handle_packet(now, &packet);
                }
            }
            (IPV6CP, Some(packet)) if self.ipv6cp.is_some() => {
                if let Some(ipv6cp) = &mut self.ipv6cp {
                    ipv6cp.handle_packet(now, &packet);
                }
            }
            (IPV4, _) => {
                if let Some(ip) = &mut self.ip {
                    ip.handle_packet(now, information);
                }
            }
            (PAP | CHAP, None) => self.statistics.malformed += 1,
            _ => self.reject_protocol(protocol, information),
        }
    }

    fn reject_protocol(&mut self, protocol: u16, information: &[u8]) {
        let identifier = self.lcp.take_identifier();
        // The rejected part must fit the peer's MRU (RFC 1661 §5.7).
        let room = usize::from(self.lcp.options.theirs.mru).saturating_sub(6);
        let rejected = frame(protocol, &information[..information.len().min(room)]);
        self.send(LCP, &ControlPacket { code: PROTOCOL_REJECT, identifier, data: &rejected }.emit());
    }

    fn tick_echo(&mut self, now: Instant) {
        let Some(echo) = self.echo.as_mut().filter(|echo| echo.due <= now) else { return };
        if echo.unanswered >= echo.config.failures {
            self.echo = None;
            self.close_because(now, CloseReason::EchoLost);
            return;
        }
        let identifier = self.lcp.take_identifier();
        echo.unanswered += 1;
        echo.due = now + echo.config.interval;
        echo.last = Some((identifier, now));
        self.statistics.echoes_sent += 1;
        let data = self.lcp.options.ours.magic.to_be_bytes();
        self.send(LCP, &ControlPacket { code: ECHO_REQUEST, identifier, data: &data }.emit());
    }

    fn close_because(&mut self, now: Instant, why: CloseReason) {
        self.blame = self.blame.or(Some(why));
        self.lcp.close(now);
    }

    fn finish(&mut self, why: CloseReason) {
        if std::mem::take(&mut self.is_in_use) {
            let why = self.blame.take().unwrap_or(why);
            self.report(EndpointEvent::Closed { why });
        }
    }

    /// Carries out what the layers want until none wants anything more.
    fn settle(&mut self, now: Instant) {
        loop {
            let lcp = self.lcp.take_happenings();
            let ipcp = take(&mut self.ipcp);
            let ipv6cp = take(&mut self.ipv6cp);
            if lcp.is_empty() && ipcp.is_empty() && ipv6cp.is_empty() {
                break;
            }
            for happening in ipcp {
                self.on_ipcp(now, happening);
            }
            for happening in ipv6cp {
                self.on_ipv6cp(happening);
            }
            for happening in lcp {
                self.on_link(now, happening);
            }
            self.settle_auth(now);
        }
        self.settle_auth(now);
        let Some(ip) = &mut self.ip else { return };
        let (packets, events) = (ip.take_packets(), ip.take_events());
        for packet in packets {
            self.send(IPV4, &packet);
        }
        for event in events {
            self.report(EndpointEvent::Ip(event));
        }
    }

    fn on_link(&mut self, now: Instant, happening: Happening) {
        match happening {
            Happening::Send(packet) => self.send(LCP, &packet),
            Happening::Up => {
                // A link that its peer began anew after its end is in use again.
                self.is_in_use = true;
                let (ours, theirs) = (self.lcp.options.ours, self.lcp.options.theirs);
                self.report(EndpointEvent::LcpUp { ours, theirs });
                if self.config.discards_first {
                    let (identifier, data) = (self.lcp.take_identifier(), ours.magic.to_be_bytes());
                    self.send(LCP, &ControlPacket { code: DISCARD_REQUEST, identifier, data: &data }.emit());
                }
                self.auth.start(now, theirs.auth, ours.auth);
                self.echo = self.config.echo.map(|config| Echo {
                    config,
                    due: now + config.interval,
                    unanswered: 0,
                    last: None,
                });
            }
            Happening::Down => {
                self.echo = None;
                self.auth.stop();
                if std::mem::take(&mut self.is_network_phase) {
                    if let Some(ipcp) = &mut self.ipcp {
                        ipcp.down(now);
                    }
                    if let Some(ipv6cp) = &mut self.ipv6cp {
                        ipv6cp.down(now);
                    }
                }
                self.report(EndpointEvent::LcpDown);
            }
            Happening::Finished(finish) => self.finish(match finish {
                Finish::NoAnswer => CloseReason::NoAnswer,
                Finish::ByPeer => CloseReason::ByPeer,
                Finish::ByUs => CloseReason::ByUs,
                Finish::Rejected => CloseReason::Rejected,
            }),
        }
    }

    fn settle_auth(&mut self, now: Instant) {
        for (protocol, packet) in self.auth.take_packets() {
            self.send(protocol, &packet);
        }
        if !self.lcp.is_opened() || self.is_network_phase {
            return;
        }
        if self.auth.has_failed() {
            self.close_because(now, CloseReason::AuthenticationFailed);
            self.settle(now);
        } else if self.auth.is_done() {
            self.is_network_phase = true;
            let (ours, theirs) = (self.lcp.options.ours.auth, self.lcp.options.theirs.auth);
            if ours.or(theirs).is_some() {
                self.report(EndpointEvent::Authenticated);
            }
            if let Some(ipcp) = &mut self.ipcp {
                ipcp.open(now);
                ipcp.up(now);
            }
            if let Some(ipv6cp) = &mut self.ipv6cp {
                ipv6cp.open(now);
                ipv6cp.up(now);
            }
            self.settle(now);
        }
    }

    fn on_ipcp(&mut self, now: Instant, happening: Happening) {
        match happening {
            Happening::Send(packet) => self.send(IPCP, &packet),
            Happening::Up => {
                let Some(options) = self.ipcp.as_ref().map(|ipcp| &ipcp.options) else { return };
                let (local, peer, dns) = (options.local, options.peer, options.dns);
                let mru = self.lcp.options.theirs.mru.min(self.lcp.options.ours.mru);
                self.ip = Some(IpLayer::new(local, peer, mru));
                self.report(EndpointEvent::IpcpUp { local, peer, dns });
            }
            Happening::Down => {
                self.ip = None;
                self.report(EndpointEvent::IpcpDown);
            }
            Happening::Finished(_) => {
                // Without a network protocol the link is of no use; with one left, it is.
                let has_other = self.ipv6cp.as_ref().is_some_and(Negotiator::is_opened);
                if self.lcp.is_opened() && !has_other {
                    self.close_because(now, CloseReason::NetworkFailed);
                }
            }
        }
    }

    fn on_ipv6cp(&mut self, happening: Happening) {
        match happening {
            Happening::Send(packet) => self.send(IPV6CP, &packet),
            Happening::Up => {
                let Some(options) = self.ipv6cp.as_ref().map(|ipv6cp| &ipv6cp.options) else { return };
                let (local, peer) = (options.local, options.peer);
                self.report(EndpointEvent::Ipv6cpUp { local, peer });
            }
            Happening::Down => self.report(EndpointEvent::Ipv6cpDown),
            Happening::Finished(_) => {}
        }
    }

    fn send(&mut self, protocol: u16, information: &[u8]) {
        let frame = frame(protocol, information);
        self.statistics.frames_sent += 1;
        self.statistics.octets_sent += frame.len() as u64;
        self.outputs.push_back(EndpointOutput::Frame(frame));
    }

    fn report(&mut self, event: EndpointEvent) {
        self.outputs.push_back(EndpointOutput::Event(event));
    }
}

fn take<O: OptionSet>(layer: &mut Option<Negotiator<O>>) -> Vec<Happening> {
    layer.as_mut().map(Negotiator::take_happenings).unwrap_or_default()
}

#[cfg(test)]
mod tests;

//! [`Host`]: a pretend PPPoE client, from PADI to pings.
//!
//! It takes and gives Ethernet frames. Its patience is a [`ClientProfile`]; its PPP is an [`Endpoint`]. It
//! promises to hear only what is addressed to it and answers what it asked, as the profile has it.
//!
//! ```text
//!            PADI            PADR            PADS
//!   Idle ──────────> Seeking ────> Requesting ────> Open ──> Idle (or waits, and seeks again)
//! ```

pub mod profile;

use std::collections::VecDeque;
use std::time::Duration;

use bridge_proto::time::Instant;

use crate::ppp::{Endpoint, EndpointConfig, EndpointEvent, EndpointOutput};
use crate::pppoe::{
    AC_COOKIE, AC_NAME, AC_SYSTEM_ERROR, ETHERTYPE_DISCOVERY, ETHERTYPE_SESSION, GENERIC_ERROR, HOST_UNIQ,
    Mac, PADI, PADO, PADR, PADS, PADT, PPP_MAX_PAYLOAD, Packet, RELAY_SESSION_ID, SERVICE_NAME,
    SERVICE_NAME_ERROR, Tag, emit_tags,
};
use crate::prng::Prng;
use profile::{ClientProfile, Due, HostUniq, OnNoPads, OnPadsError, OnPadt, Schedule};

/// How a host behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostConfig {
    /// Its address.
    pub mac: Mac,
    /// Its patience and habits.
    pub profile: ClientProfile,
    /// The service it asks for; empty for any.
    pub service: Vec<u8>,
    /// The only access concentrator it takes, if it is choosy.
    pub ac_name: Option<Vec<u8>>,
    /// The PPP-Max-Payload it asks for, if any (RFC 4638).
    pub max_payload: Option<u16>,
    /// Its PPP.
    pub ppp: EndpointConfig,
}

impl HostConfig {
    /// A host that takes any service.
    #[must_use]
    pub fn new(mac: Mac, profile: ClientProfile) -> Self {
        Self {
            mac,
            profile,
            service: Vec::new(),
            ac_name: None,
            max_payload: None,
            ppp: EndpointConfig { patience: profile.patience, echo: profile.echo, ..EndpointConfig::host() },
        }
    }
}

/// What comes out of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostOutput {
    /// An Ethernet frame to send.
    Frame(Vec<u8>),
    /// Something its owner may want to know.
    Event(HostEvent),
}

/// What happened at a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostEvent {
    /// An offer came, and was taken.
    OfferReceived {
        /// Who offers.
        ac_name: Vec<u8>,
        /// What is offered.
        services: Vec<Vec<u8>>,
    },
    /// A session was confirmed.
    SessionOpened {
        /// Its number.
        id: u16,
    },
    /// The access concentrator answered with an error.
    Refused {
        /// The error tag's type.
        kind: u16,
        /// What it says.
        text: String,
    },
    /// Something in PPP.
    Ppp(EndpointEvent),
    /// The attempt, or the session, is over.
    Ended {
        /// For this reason.
        why: EndReason,
    },
}

/// Why a host's attempt or session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// Nobody answered its PADIs.
    NoPado,
    /// Nobody answered its PADRs.
    NoPads,
    /// The whole of discovery took too long for it.
    DiscoveryTimeout,
    /// It was refused.
    Refused,
    /// The access concentrator sent a PADT.
    Padt,
    /// PPP ended, and the host sent a PADT.
    Ppp(crate::ppp::CloseReason),
    /// [`Host::stop`].
    Stopped,
}

#[derive(Clone, Debug)]
enum State {
    Idle,
    /// After an end, until the profile dials again.
    Waiting {
        until: Instant,
    },
    Seeking {
        wait: Wait,
    },
    Requesting {
        offer: Offer,
        wait: Wait,
    },
    Open {
        ac: Mac,
        id: u16,
    },
}

/// Where a host stands in a [`Schedule`].
#[derive(Clone, Copy, Debug)]
struct Wait {
    began: Instant,
    sent: usize,
}

impl Wait {
    fn due(&self, schedule: &Schedule) -> Instant {
        match schedule.after(self.sent) {
            Due::Send(after) | Due::GiveUp(after) => self.began + after,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Offer {
    ac: Mac,
    /// The tags that go back in the PADR.
    echoed: Vec<Tag>,
}

/// A pretend PPPoE client.
#[derive(Clone, Debug)]
pub struct Host {
    config: HostConfig,
    prng: Prng,
    state: State,
    host_uniq: Vec<u8>,
    discovery_began: Instant,
    endpoint: Endpoint,
    outputs: VecDeque<HostOutput>,
}

impl Host {
    /// A host that does nothing yet.
    #[must_use]
    pub fn new(config: HostConfig, seed: u64) -> Self {
        let mut prng = Prng::new(seed);
        let endpoint = Endpoint::new(config.ppp.clone(), &mut prng);
        Self {
            config,
            prng,
            state: State::Idle,
            host_uniq: Vec::new(),
            discovery_began: Instant::ZERO,
            endpoint,
            outputs: VecDeque::new(),
        }
    }

    /// Its address.
    #[must_use]
    pub fn mac(&self) -> Mac {
        self.config.mac
    }

    /// Its PPP.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The session it has.
    #[must_use]
    pub fn session(&self) -> Option<u16> {
        match self.state {
            State::Open { id, .. } => Some(id),
            State::Idle | State::Waiting { .. } | State::Seeking { .. } | State::Requesting { .. } => None,
        }
    }

    /// Begins to look for an access concentrator.
    pub fn start(&mut self, now: Instant) {
        self.discovery_began = now;
        self.host_uniq = match self.config.profile.host_uniq {
            HostUniq::None => Vec::new(),
            HostUniq::Checked(octets) | HostUniq::Unchecked(octets) => {
                let mut value = vec![0; usize::from(octets)];
                self.prng.fill(&mut value);
                value
            }
        };
        self.seek(now);
    }

    /// Ends politely: Terminate-Request, then PADT; [`HostEvent::Ended`] follows.
    pub fn stop(&mut self, now: Instant) {
        match self.state {
            State::Open { .. } if self.endpoint.is_lcp_up() => {
                self.endpoint.close(now);
                self.settle(now);
            }
            State::Open { .. } => {
                self.send_padt();
                self.end(now, EndReason::Stopped, None);
            }
            State::Idle => {}
            State::Waiting { .. } | State::Seeking { .. } | State::Requesting { .. } => {
                self.end(now, EndReason::Stopped, None);
            }
        }
    }

    /// Is switched off: says nothing, forgets everything.
    pub fn vanish(&mut self) {
        self.state = State::Idle;
        self.endpoint = Endpoint::new(self.config.ppp.clone(), &mut self.prng);
        self.outputs.clear();
    }

    /// Pings the peer; nothing while IPv4 is down.
    pub fn ping(&mut self, now: Instant, octets: usize) -> Option<u16> {
        let sequence = self.endpoint.ping(now, octets);
        self.settle(now);
        sequence
    }

    /// Sends `octets` octets to the peer, at most `window` datagrams under way; false while IPv4 is down.
    pub fn start_transfer(&mut self, now: Instant, octets: u64, window: u16) -> bool {
        let has_started = self.endpoint.start_transfer(now, octets, window);
        self.settle(now);
        has_started
    }

    /// Takes an Ethernet frame; what is not PPPoE for this host is dropped.
    pub fn handle_frame(&mut self, now: Instant, octets: &[u8]) {
        let Some(packet) = Packet::parse(octets) else { return };
        if packet.destination != self.config.mac {
            return;
        }
        match (packet.ethertype, packet.code) {
            (ETHERTYPE_SESSION, 0) => self.on_session(now, &packet),
            (ETHERTYPE_DISCOVERY, PADO) => self.on_pado(now, &packet),
            (ETHERTYPE_DISCOVERY, PADS) => self.on_pads(now, &packet),
            (ETHERTYPE_DISCOVERY, PADT) => self.on_padt(now, &packet),
            _ => {}
        }
    }

    /// Something may be due; an early call does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        let limit = self.discovery_limit();
        match &self.state {
            State::Idle => {}
            State::Waiting { until } => {
                if *until <= now {
                    self.start(now);
                }
            }
            State::Seeking { .. } | State::Requesting { .. } if limit.is_some_and(|limit| limit <= now) => {
                self.end(now, EndReason::DiscoveryTimeout, self.config.profile.redial);
            }
            State::Seeking { wait } => self.on_padi_due(now, *wait),
            State::Requesting { wait, .. } => self.on_padr_due(now, *wait),
            State::Open { .. } => {
                self.endpoint.handle_timeout(now);
                self.settle(now);
            }
        }
    }

    /// The next frame or event.
    pub fn poll_output(&mut self) -> Option<HostOutput> {
        self.outputs.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let earliest = |due: Instant| self.discovery_limit().map_or(due, |limit| limit.min(due));
        match &self.state {
            State::Idle => None,
            State::Waiting { until } => Some(*until),
            State::Seeking { wait } => Some(earliest(wait.due(&self.config.profile.padi))),
            State::Requesting { wait, .. } => Some(earliest(wait.due(&self.config.profile.padr))),
            State::Open { .. } => self.endpoint.poll_timeout(),
        }
    }

    fn discovery_limit(&self) -> Option<Instant> {
        Some(self.discovery_began + self.config.profile.discovery_limit?)
    }

    fn seek(&mut self, now: Instant) {
        self.state = State::Seeking { wait: Wait { began: now, sent: 1 } };
        self.send_padi();
    }

    fn on_padi_due(&mut self, now: Instant, wait: Wait) {
        if wait.due(&self.config.profile.padi) > now {
            return;
        }
        match self.config.profile.padi.after(wait.sent) {
            Due::Send(_) => {
                self.state = State::Seeking { wait: Wait { sent: wait.sent + 1, ..wait } };
                self.send_padi();
            }
            Due::GiveUp(_) => self.end(now, EndReason::NoPado, self.config.profile.redial),
        }
    }

    fn on_padr_due(&mut self, now: Instant, wait: Wait) {
        if wait.due(&self.config.profile.padr) > now {
            return;
        }
        match (self.config.profile.padr.after(wait.sent), self.config.profile.on_no_pads) {
            (Due::Send(_), _) => self.send_padr_again(),
            (Due::GiveUp(_), OnNoPads::BackToPadi) => self.seek(now),
            (Due::GiveUp(_), OnNoPads::Fail) => {
                self.end(now, EndReason::NoPads, self.config.profile.redial);
            }
        }
    }

    fn on_pado(&mut self, now: Instant, packet: &Packet<'_>) {
        let Some(tags) = packet.tags() else { return };
        if !matches!(self.state, State::Seeking { .. }) || packet.session_id != 0 || !self.is_ours(&tags) {
            return;
        }
        let services: Vec<_> = values(&tags, SERVICE_NAME).map(<[u8]>::to_vec).collect();
        let Some(ac_name) = values(&tags, AC_NAME).next().map(<[u8]>::to_vec) else { return };
        let is_wanted = self.config.ac_name.as_ref().is_none_or(|wanted| *wanted == ac_name);
        if !is_wanted || !services.contains(&self.config.service) {
            return;
        }
        let goes_back = |tag: &&Tag| match tag.kind {
            AC_COOKIE | RELAY_SESSION_ID => true,
            AC_NAME => self.config.profile.returns_ac_name,
            _ => false,
        };
        let echoed = tags.iter().filter(goes_back).cloned().collect();
        self.outputs.push_back(HostOutput::Event(HostEvent::OfferReceived { ac_name, services }));
        let offer = Offer { ac: packet.source, echoed };
        self.send_padr(&offer);
        self.state = State::Requesting { offer, wait: Wait { began: now, sent: 1 } };
    }

    fn on_pads(&mut self, now: Instant, packet: &Packet<'_>) {
        let Some(tags) = packet.tags() else { return };
        let is_awaited = match &self.state {
            State::Requesting { offer, .. } => offer.ac == packet.source,
            State::Seeking { .. } => self.config.profile.takes_any_pads,
            State::Idle | State::Waiting { .. } | State::Open { .. } => false,
        };
        if !is_awaited || !self.is_ours(&tags) {
            return;
        }
        let is_error = |tag: &&Tag| matches!(tag.kind, SERVICE_NAME_ERROR | AC_SYSTEM_ERROR | GENERIC_ERROR);
        if let Some(error) = tags.iter().find(is_error) {
            let text = String::from_utf8_lossy(&error.value).into_owned();
            self.outputs.push_back(HostOutput::Event(HostEvent::Refused { kind: error.kind, text }));
            self.on_refusal(now);
        } else if packet.session_id != 0 {
            self.state = State::Open { ac: packet.source, id: packet.session_id };
            self.outputs.push_back(HostOutput::Event(HostEvent::SessionOpened { id: packet.session_id }));
            self.endpoint.open(now);
            self.settle(now);
        }
    }

    fn on_refusal(&mut self, now: Instant) {
        let State::Requesting { wait, .. } = &self.state else { return };
        let has_more = wait.sent < self.config.profile.padr.sends.len();
        match self.config.profile.on_pads_error {
            OnPadsError::PadrAtOnce if has_more => self.send_padr_again(),
            OnPadsError::PadrAtOnce | OnPadsError::Fail => {
                self.end(now, EndReason::Refused, self.config.profile.redial);
            }
            OnPadsError::BackToPadi => {
                // Sent at once it would be a storm without end; these clients wait their PADI's time first.
                let pause = match self.config.profile.padi.after(1) {
                    Due::Send(pause) | Due::GiveUp(pause) => pause,
                };
                self.end(now, EndReason::Refused, Some(pause));
            }
        }
    }

    fn on_padt(&mut self, now: Instant, packet: &Packet<'_>) {
        let State::Open { ac, id } = self.state else { return };
        if packet.source == ac && packet.session_id == id && self.config.profile.on_padt == OnPadt::End {
            let redial = self.config.profile.redial_after_padt;
            self.end(now, EndReason::Padt, redial);
        }
    }

    fn on_session(&mut self, now: Instant, packet: &Packet<'_>) {
        let State::Open { ac, id } = self.state else { return };
        if packet.source == ac && packet.session_id == id {
            self.endpoint.handle_frame(now, packet.payload);
            self.settle(now);
        }
    }

    /// Whether an answer is for this host, as far as it looks.
    fn is_ours(&self, tags: &[Tag]) -> bool {
        match self.config.profile.host_uniq {
            HostUniq::Checked(_) => values(tags, HOST_UNIQ).eq([self.host_uniq.as_slice()]),
            HostUniq::None | HostUniq::Unchecked(_) => true,
        }
    }

    /// Carries the endpoint's frames, and ends the session with it.
    fn settle(&mut self, now: Instant) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                EndpointOutput::Frame(frame) => {
                    if let State::Open { ac, id } = self.state {
                        self.send(ac, ETHERTYPE_SESSION, 0, id, &frame);
                    }
                }
                EndpointOutput::Event(event) => {
                    self.outputs.push_back(HostOutput::Event(HostEvent::Ppp(event)));
                    if let EndpointEvent::Closed { why } = event {
                        self.send_padt();
                        let redial = match why {
                            crate::ppp::CloseReason::ByUs => None,
                            _ => self.config.profile.redial,
                        };
                        self.end(now, EndReason::Ppp(why), redial);
                    }
                }
            }
        }
    }

    /// After a PADT no PPP frame may be sent (RFC 2516 §5.5): only events are kept.
    fn settle_silently(&mut self) {
        while let Some(output) = self.endpoint.poll_output() {
            if let EndpointOutput::Event(event) = output {
                self.outputs.push_back(HostOutput::Event(HostEvent::Ppp(event)));
            }
        }
    }

    fn end(&mut self, now: Instant, why: EndReason, redial: Option<Duration>) {
        self.endpoint.lower_down(now);
        self.settle_silently();
        self.state = match redial {
            Some(pause) => State::Waiting { until: now + pause },
            None => State::Idle,
        };
        self.outputs.push_back(HostOutput::Event(HostEvent::Ended { why }));
    }

    fn send_padi(&mut self) {
        let tags = self.request_tags();
        self.send(Mac::BROADCAST, ETHERTYPE_DISCOVERY, PADI, 0, &emit_tags(&tags));
    }

    fn send_padr(&mut self, offer: &Offer) {
        let mut tags = self.request_tags();
        tags.extend_from_slice(&offer.echoed);
        self.send(offer.ac, ETHERTYPE_DISCOVERY, PADR, 0, &emit_tags(&tags));
    }

    fn send_padr_again(&mut self) {
        let State::Requesting { offer, wait } = &mut self.state else { return };
        wait.sent += 1;
        let offer = offer.clone();
        self.send_padr(&offer);
    }

    fn send_padt(&mut self) {
        if let State::Open { ac, id } = self.state {
            self.send(ac, ETHERTYPE_DISCOVERY, PADT, id, &[]);
        }
    }

    fn request_tags(&self) -> Vec<Tag> {
        let mut tags = vec![Tag::new(SERVICE_NAME, &self.config.service)];
        if self.config.profile.host_uniq != HostUniq::None {
            tags.push(Tag::new(HOST_UNIQ, &self.host_uniq));
        }
        tags.extend(self.config.max_payload.map(|octets| Tag::new(PPP_MAX_PAYLOAD, &octets.to_be_bytes())));
        tags
    }

    fn send(&mut self, destination: Mac, ethertype: u16, code: u8, session_id: u16, payload: &[u8]) {
        let source = self.config.mac;
        let packet = Packet { destination, source, ethertype, code, session_id, payload };
        self.outputs.push_back(HostOutput::Frame(packet.emit()));
    }
}

fn values(tags: &[Tag], kind: u16) -> impl Iterator<Item = &[u8]> {
    tags.iter().filter(move |tag| tag.kind == kind).map(|tag| tag.value.as_slice())
}

#[cfg(test)]
mod tests;

//! One layer's negotiation: the automaton with its timer, packets and options (RFC 1661 §4, §5).
//!
//! A [`Negotiator`] serves LCP, IPCP and IPV6CP alike; what differs is the [`OptionSet`]. It promises that
//! every reply carries the identifier of its request and that stale replies are not heard. The caller carries
//! out each [`Happening`] in order.

use std::time::Duration;

use bridge_proto::time::Instant;

use super::automaton::{Action, Event, State, transition};
use super::packet::{
    CODE_REJECT, CONFIGURE_ACK, CONFIGURE_NAK, CONFIGURE_REJECT, CONFIGURE_REQUEST, ConfigOption,
    ControlPacket, TERMINATE_ACK, TERMINATE_REQUEST,
};

/// How patient a negotiator is (RFC 1661 §4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Between two requests.
    pub restart: Duration,
    /// Configure-Requests without an answer.
    pub max_configure: u8,
    /// Terminate-Requests without an answer.
    pub max_terminate: u8,
    /// Configure-Naks before the rest is rejected.
    pub max_failure: u8,
}

impl Patience {
    /// 3 s, 10, 2 and 5: what the RFC proposes and pppd does.
    pub const DEFAULT: Self = Self::every(Duration::from_secs(3), 10);

    /// `max_configure` requests, one each `restart`.
    #[must_use]
    pub const fn every(restart: Duration, max_configure: u8) -> Self {
        Self { restart, max_configure, max_terminate: 2, max_failure: 5 }
    }
}

/// What one side thinks of the other's Configure-Request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All of it is agreed.
    Ack,
    /// These options, with the values that would be taken.
    Nak(Vec<ConfigOption>),
    /// These options, as they came, are unknown or unwanted.
    Reject(Vec<ConfigOption>),
}

/// The options of one layer: what this side wishes, and what it lets the peer have.
pub trait OptionSet {
    /// Forgets what was agreed, and wishes from the start again.
    fn restart(&mut self);
    /// The options of the next Configure-Request, in order.
    fn request(&self) -> Vec<ConfigOption>;
    /// Judges the peer's request; on [`Verdict::Ack`] it is in force.
    fn judge(&mut self, options: &[ConfigOption]) -> Verdict;
    /// The peer acknowledged the last request.
    fn on_ack(&mut self);
    /// The peer proposes other values.
    fn on_nak(&mut self, options: &[ConfigOption]);
    /// The peer will not have these.
    fn on_reject(&mut self, options: &[ConfigOption]);
}

/// What the caller must do or know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// Send this packet under the layer's protocol.
    Send(Vec<u8>),
    /// The layer is up (tlu).
    Up,
    /// It is no longer (tld).
    Down,
    /// It wants nothing more from below (tlf).
    Finished(Finish),
}

/// Why a layer finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The last timer ran out while it asked.
    NoAnswer,
    /// The peer terminated it.
    ByPeer,
    /// This side closed it.
    ByUs,
    /// The peer does not speak it, or rejected what cannot be done without.
    Rejected,
}

/// A layer being negotiated.
#[derive(Clone, Debug)]
pub struct Negotiator<O> {
    /// The options, readable once [`is_opened`](Self::is_opened).
    pub options: O,
    state: State,
    patience: Patience,
    tries_left: u8,
    deadline: Option<Instant>,
    next_identifier: u8,
    /// The request that still wants an answer. Once answered, a second answer to it is a copy made by the
    /// link, not the crossed connection of RFC 1661 §4.1 note x.
    requested: Option<u8>,
    naks_sent: u8,
    ended_by_peer: bool,
    happenings: Vec<Happening>,
}

/// What the automaton may send in answer to a packet.
#[derive(Default)]
struct Answer {
    identifier: u8,
    packet: Vec<u8>,
}

impl<O: OptionSet> Negotiator<O> {
    /// A layer nobody asked for yet.
    pub fn new(options: O, patience: Patience) -> Self {
        Self {
            options,
            state: State::Initial,
            patience,
            tries_left: 0,
            deadline: None,
            next_identifier: 1,
            requested: None,
            naks_sent: 0,
            ended_by_peer: false,
            happenings: Vec::new(),
        }
    }

    /// Where the automaton stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether both sides agreed.
    pub fn is_opened(&self) -> bool {
        self.state == State::Opened
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// The layer below is up.
    pub fn up(&mut self, now: Instant) {
        self.run(now, Event::Up, &Answer::default());
    }

    /// The layer below is down.
    pub fn down(&mut self, now: Instant) {
        self.run(now, Event::Down, &Answer::default());
    }

    /// This side wants the layer.
    pub fn open(&mut self, now: Instant) {
        self.run(now, Event::Open, &Answer::default());
    }

    /// This side wants it no more.
    pub fn close(&mut self, now: Instant) {
        self.run(now, Event::Close, &Answer::default());
    }

    /// The peer's Protocol-Reject named this layer, or its Code-Reject a code without which there is none.
    pub fn on_fatal_reject(&mut self, now: Instant) {
        self.run(now, Event::FatalReject, &Answer::default());
    }

    /// A deadline may have passed; an early call does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.deadline = None;
            let event = if self.tries_left > 0 { Event::TimeoutAgain } else { Event::TimeoutLast };
            self.run(now, event, &Answer::default());
        }
    }

    /// The next thing to do.
    pub fn take_happenings(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.happenings)
    }

    /// The identifier for a packet that expects an answer.
    pub fn take_identifier(&mut self) -> u8 {
        let identifier = self.next_identifier;
        self.next_identifier = self.next_identifier.wrapping_add(1);
        identifier
    }

    /// A packet of this layer. Malformed ones, and replies to what was not asked, are silently discarded.
    pub fn handle_packet(&mut self, now: Instant, packet: &ControlPacket<'_>) {
        let echoed =
            |code| Answer { identifier: packet.identifier, packet: ControlPacket { code, ..*packet }.emit() };
        match packet.code {
            CONFIGURE_REQUEST => self.on_configure_request(now, packet),
            CONFIGURE_ACK | CONFIGURE_NAK | CONFIGURE_REJECT => self.on_configure_reply(now, packet),
            TERMINATE_REQUEST => {
                self.ended_by_peer = true;
                self.run(now, Event::TerminateRequest, &echoed(TERMINATE_ACK));
            }
            TERMINATE_ACK => self.run(now, Event::TerminateAck, &Answer::default()),
            CODE_REJECT => {
                let is_basic = matches!(packet.data, [CONFIGURE_REQUEST..=CODE_REJECT, ..]);
                let event = if is_basic { Event::FatalReject } else { Event::HarmlessReject };
                self.run(now, event, &Answer::default());
            }
            _ => {
                let identifier = self.take_identifier();
                let rejected = packet.emit();
                let packet = ControlPacket { code: CODE_REJECT, identifier, data: &rejected }.emit();
                self.run(now, Event::UnknownCode, &Answer { identifier, packet });
            }
        }
    }

    fn on_configure_request(&mut self, now: Instant, packet: &ControlPacket<'_>) {
        let Some(options) = ConfigOption::parse_all(packet.data) else { return };
        match self.state {
            State::Opened => self.options.restart(),
            // Their options are not looked at in a state that does not answer them.
            State::Initial | State::Starting | State::Closing | State::Stopping => return,
            State::Closed | State::Stopped | State::ReqSent | State::AckRcvd | State::AckSent => {}
        }
        let (event, code, data) = match self.options.judge(&options) {
            Verdict::Ack => {
                self.naks_sent = 0;
                (Event::GoodRequest, CONFIGURE_ACK, packet.data.to_vec())
            }
            // Two ends that never agree must come to an end (RFC 1661 §4.6, Max-Failure).
            Verdict::Nak(proposed) if self.naks_sent >= self.patience.max_failure => {
                let named = |option: &&ConfigOption| proposed.iter().any(|p| p.kind == option.kind);
                let rejected: Vec<_> = options.iter().filter(named).cloned().collect();
                (Event::BadRequest, CONFIGURE_REJECT, ConfigOption::emit_all(&rejected))
            }
            Verdict::Nak(proposed) => {
                self.naks_sent += 1;
                (Event::BadRequest, CONFIGURE_NAK, ConfigOption::emit_all(&proposed))
            }
            Verdict::Reject(rejected) => {
                (Event::BadRequest, CONFIGURE_REJECT, ConfigOption::emit_all(&rejected))
            }
        };
        let identifier = packet.identifier;
        let packet = ControlPacket { code, identifier, data: &data }.emit();
        self.run(now, event, &Answer { identifier, packet });
    }

    fn on_configure_reply(&mut self, now: Instant, packet: &ControlPacket<'_>) {
        let Some(options) = ConfigOption::parse_all(packet.data) else { return };
        let is_asking =
            matches!(self.state, State::ReqSent | State::AckSent | State::AckRcvd | State::Opened);
        if is_asking {
            if self.requested != Some(packet.identifier) {
                return;
            }
            match packet.code {
                // An Ack that differs from the request acknowledges nothing (RFC 1661 §5.2).
                CONFIGURE_ACK if options != self.options.request() => return,
                CONFIGURE_ACK => self.options.on_ack(),
                CONFIGURE_NAK => self.options.on_nak(&options),
                _ => self.options.on_reject(&options),
            }
            self.requested = None;
        }
        let event = if packet.code == CONFIGURE_ACK { Event::Ack } else { Event::Nak };
        self.run(now, event, &Answer { identifier: packet.identifier, packet: Vec::new() });
    }

    fn run(&mut self, now: Instant, event: Event, answer: &Answer) {
        let old = self.state;
        let (state, actions) = transition(old, event);
        self.state = state;
        if !state.is_timed() {
            self.deadline = None;
        }
        if event == Event::Down {
            self.options.restart();
        }
        for action in actions {
            self.act(now, *action, event, answer);
        }
    }

    fn act(&mut self, now: Instant, action: Action, event: Event, answer: &Answer) {
        match action {
            Action::ThisLayerUp => self.happenings.push(Happening::Up),
            Action::ThisLayerDown => {
                if event == Event::TerminateAck {
                    self.options.restart();
                }
                self.happenings.push(Happening::Down);
            }
            Action::ThisLayerStarted => {}
            Action::ThisLayerFinished => {
                let finish = match event {
                    Event::FatalReject => Finish::Rejected,
                    Event::Close => Finish::ByUs,
                    _ if self.state == State::Closed => Finish::ByUs,
                    _ if self.ended_by_peer => Finish::ByPeer,
                    _ => Finish::NoAnswer,
                };
                self.ended_by_peer = false;
                self.happenings.push(Happening::Finished(finish));
            }
            Action::InitRestartCount => {
                self.tries_left = if self.is_terminating() {
                    self.patience.max_terminate
                } else {
                    // A new negotiation: an end that was announced before it is history.
                    self.ended_by_peer = false;
                    self.patience.max_configure
                };
            }
            Action::ZeroRestartCount => {
                self.tries_left = 0;
                self.deadline = Some(now + self.patience.restart);
            }
            Action::SendRequest => {
                let identifier = self.take_identifier();
                self.requested = Some(identifier);
                let data = ConfigOption::emit_all(&self.options.request());
                self.send(ControlPacket { code: CONFIGURE_REQUEST, identifier, data: &data });
                self.arm(now);
            }
            Action::SendTerminateRequest => {
                let identifier = self.take_identifier();
                self.send(ControlPacket { code: TERMINATE_REQUEST, identifier, data: &[] });
                self.arm(now);
            }
            Action::SendTerminateAck if answer.packet.first() != Some(&TERMINATE_ACK) => {
                let identifier = answer.identifier;
                self.send(ControlPacket { code: TERMINATE_ACK, identifier, data: &[] });
            }
            Action::SendAck | Action::SendNak | Action::SendTerminateAck | Action::SendCodeReject => {
                self.happenings.push(Happening::Send(answer.packet.clone()));
            }
        }
    }

    fn is_terminating(&self) -> bool {
        matches!(self.state, State::Closing | State::Stopping)
    }

    fn arm(&mut self, now: Instant) {
        self.tries_left = self.tries_left.saturating_sub(1);
        self.deadline = Some(now + self.patience.restart);
    }

    fn send(&mut self, packet: ControlPacket<'_>) {
        self.happenings.push(Happening::Send(packet.emit()));
    }
}

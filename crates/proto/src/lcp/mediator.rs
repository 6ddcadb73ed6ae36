//! The mediator itself: who is told what, and when the line changes.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::additions::Additions;
use super::originated::Originated;
use super::request::{self, Direction, Request};
use super::{LineParameters, MediatorConfig, MediatorMode, MediatorOutput, Side};
use crate::hdlc::accm::Accm;
use crate::wire::lcp::{LcpCode, LcpError, LcpOption, LcpOptionType, LcpPacket};

/// Stands between the LCP of a host and that of a modem; one for each session.
#[derive(Clone, Debug)]
pub struct Mediator {
    config: MediatorConfig,
    /// What is asked on the host's behalf; none in transparent mode and once the modem has refused too often.
    additions: Option<Additions>,
    /// How many more times the bridge may ask the modem again before the host is heard again.
    asks_left: u8,
    /// How far the identifiers toward the modem are ahead of the host's: the bridge has asked so often.
    identifier_offset: u8,
    host: Direction,
    modem: Direction,
    line: LineParameters,
    /// As last reported.
    is_open: bool,
    /// Whose Terminate-Request has not been answered yet.
    terminating: Option<Side>,
    echoes: Ours,
    outputs: VecDeque<MediatorOutput>,
}

/// Requests of the bridge itself, all of one code, by the end that is to answer.
#[derive(Clone, Debug)]
struct Ours {
    toward_host: Originated,
    toward_modem: Originated,
}

/// After so many Naks and Rejects in a row of nothing but our additions, the bridge asks what the host asked.
const MAX_ASKS: u8 = 8;

impl Mediator {
    /// Before anything was negotiated.
    #[must_use]
    pub fn new(config: MediatorConfig) -> Self {
        let ours = Ours { toward_host: Originated::new(), toward_modem: Originated::new() };
        Self {
            config,
            additions: (config.mode == MediatorMode::Mediate).then(|| Additions::new(config)),
            asks_left: MAX_ASKS,
            identifier_offset: 0,
            host: Direction::default(),
            modem: Direction::default(),
            line: LineParameters::default(),
            is_open: false,
            terminating: None,
            echoes: ours.clone(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes an LCP frame from the host, beginning with its protocol field.
    pub fn handle_from_host(&mut self, ppp: &[u8]) {
        self.handle(Side::Host, ppp);
    }

    /// Takes an LCP frame from the modem, beginning with its protocol field.
    pub fn handle_from_modem(&mut self, ppp: &[u8]) {
        self.handle(Side::Modem, ppp);
    }

    /// The next thing to do; to be drained after each call of a `handle_*` or `*_request` function.
    pub fn poll_output(&mut self) -> Option<MediatorOutput> {
        self.outputs.pop_front()
    }

    /// Whether each end has acknowledged the newest request of the other.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.host.is_acked && self.modem.is_acked
    }

    /// What holds on the serial line now.
    #[must_use]
    pub const fn line(&self) -> LineParameters {
        self.line
    }

    /// The Magic-Number of the host as last agreed; 0 if there is none.
    #[must_use]
    pub const fn host_magic(&self) -> u32 {
        self.host.magic
    }

    /// The Magic-Number of the modem as last agreed; 0 if there is none.
    #[must_use]
    pub const fn modem_magic(&self) -> u32 {
        self.modem.magic
    }

    /// The newest Configure-Request of the host as it sent it, to be handed in once more when a modem that
    /// was not there at the time has connected.
    #[must_use]
    pub fn newest_host_request(&self) -> Option<Vec<u8>> {
        self.host.newest.as_ref().map(|request| request.as_asked().emit())
    }

    /// Asks one end whether it is alive, in the name of the other; the reply is kept from the other.
    ///
    /// Does nothing and returns false unless the link is open (RFC 1661 §5.8).
    pub fn echo_request(&mut self, toward: Side) -> bool {
        if !self.is_open() {
            return false;
        }
        let identifier = self.echoes.toward(toward).fresh();
        // The magic number of the end in whose name we speak: with its own, the other would see a loop.
        let magic = self.direction(toward.peer()).magic.to_be_bytes();
        let packet = LcpPacket { code: LcpCode::ECHO_REQUEST, identifier, data: &magic };
        self.send(toward, packet.emit());
        true
    }

    fn handle(&mut self, from: Side, ppp: &[u8]) {
        if self.handle_packet(from, ppp).is_err() {
            // The other end is a better judge of it than we are.
            self.send(from.peer(), ppp.to_vec());
            self.outputs.push_back(MediatorOutput::Malformed { from });
        }
        if self.is_open() != self.is_open {
            self.is_open = self.is_open();
            self.outputs.push_back(match self.is_open {
                true => MediatorOutput::Opened,
                false => MediatorOutput::Renegotiating { by: from },
            });
        }
    }

    /// An error means that nothing was changed and nothing sent.
    fn handle_packet(&mut self, from: Side, ppp: &[u8]) -> Result<(), LcpError> {
        let packet = LcpPacket::parse(ppp)?;
        if packet.code == LcpCode::CONFIGURE_REQUEST && self.terminating == Some(from) {
            self.terminating = None;
        }
        match packet.code {
            LcpCode::CONFIGURE_REQUEST if from == Side::Host => return self.on_host_request(&packet, ppp),
            LcpCode::CONFIGURE_REQUEST => return self.on_modem_request(&packet, ppp),
            LcpCode::CONFIGURE_ACK => self.on_ack(from, &packet, ppp),
            LcpCode::CONFIGURE_NAK | LcpCode::CONFIGURE_REJECT if from == Side::Modem => {
                return self.on_modem_refusal(&packet, ppp);
            }
            LcpCode::TERMINATE_REQUEST => self.on_terminate_request(from, ppp),
            LcpCode::TERMINATE_ACK => self.on_terminate_ack(from, ppp),
            LcpCode::ECHO_REQUEST => {
                self.echoes.toward(from.peer()).on_passing(packet.identifier);
                self.send(from.peer(), ppp.to_vec());
            }
            LcpCode::ECHO_REPLY if self.echoes.toward(from).is_answered_by(packet.identifier) => {
                self.outputs.push_back(MediatorOutput::EchoReplied { by: from });
            }
            _ => self.send(from.peer(), ppp.to_vec()),
        }
        Ok(())
    }

    fn on_host_request(&mut self, packet: &LcpPacket<'_>, ppp: &[u8]) -> Result<(), LcpError> {
        let options = packet.options()?;
        // "An implementation MUST NOT request any of the following options, and MUST reject a request for
        // such an option" (RFC 2516 §7). The host did what it must not, so we do what we must.
        let forbidden = request::select(&options, |option| {
            matches!(option.kind, LcpOptionType::ACCM | LcpOptionType::ACFC | LcpOptionType::FCS_ALTERNATIVES)
        });
        if self.config.mode == MediatorMode::Mediate && !forbidden.is_empty() {
            self.host.forget();
            self.reject(Side::Host, packet.identifier, &forbidden);
            return Ok(());
        }
        self.asks_left = MAX_ASKS;
        self.ask_modem(packet, ppp)
    }

    /// Passes a request of the host on, with what serves the serial line.
    fn ask_modem(&mut self, asked: &LcpPacket<'_>, ppp: &[u8]) -> Result<(), LcpError> {
        let options = asked.options()?;
        let shown = match &self.additions {
            Some(additions) => additions.apply(&options),
            None => asked.data.to_vec(),
        };
        let mut shown_identifier = asked.identifier.wrapping_add(self.identifier_offset);
        if self.host.newest.as_ref().is_some_and(|newest| {
            newest.asked == asked.data && newest.shown_identifier == shown_identifier && newest.shown != shown
        }) {
            // The host repeats itself but we ask something else now: "the Identifier field MUST be changed
            // whenever the contents of the Options field changes" (RFC 1661 §5.1).
            self.identifier_offset = self.identifier_offset.wrapping_add(1);
            shown_identifier = shown_identifier.wrapping_add(1);
        }
        let request =
            Request { identifier: asked.identifier, asked: asked.data.to_vec(), shown_identifier, shown };
        let frame = same_or_new(asked, &request.as_shown(), ppp);
        if self.host.replace(request) {
            self.set_line(LineParameters { receive_accm: Accm::ALL, ..self.line });
        }
        self.send(Side::Modem, frame);
        Ok(())
    }

    fn on_modem_request(&mut self, packet: &LcpPacket<'_>, ppp: &[u8]) -> Result<(), LcpError> {
        let options = packet.options()?;
        let (mediate, strip_pfc) = (self.config.mode == MediatorMode::Mediate, self.config.strip_pfc);
        let other_fcs = request::select(&options, |option| option.kind == LcpOptionType::FCS_ALTERNATIVES);
        if mediate && !other_fcs.is_empty() {
            // The FCS is ours, and we have but one: the modem asks again without (RFC 1570 §2.1). The host
            // need not know. The modem has gone back to its defaults all the same.
            self.modem.forget();
            self.set_line(self.line.with_default_send());
            self.reject(Side::Modem, packet.identifier, &other_fcs);
            return Ok(());
        }
        // An ill-formed option stays in, for the host to refuse.
        let is_shown = |option: &LcpOption<'_>| match option.kind {
            LcpOptionType::ACCM => option.value.len() != 4,
            LcpOptionType::ACFC => !option.value.is_empty(),
            LcpOptionType::PFC => !option.value.is_empty() || !strip_pfc,
            _ => true,
        };
        let shown = if mediate { request::select(&options, is_shown) } else { packet.data.to_vec() };
        let identifier = packet.identifier;
        let request =
            Request { identifier, asked: packet.data.to_vec(), shown_identifier: identifier, shown };
        let frame = same_or_new(packet, &request.as_shown(), ppp);
        if self.modem.replace(request) {
            self.set_line(self.line.with_default_send());
        }
        self.send(Side::Host, frame);
        Ok(())
    }

    /// An end agrees to what the other asked: the asking end must find just what it sent (RFC 1661 §5.2).
    fn on_ack(&mut self, from: Side, packet: &LcpPacket<'_>, ppp: &[u8]) {
        let asking = self.direction(from.peer());
        let Some(request) = asking.answered_by(packet) else { return self.pass_stray(from, ppp) };
        if packet.data != request.shown {
            // Not what was asked. The asking end will see that for itself.
            let as_was = LcpPacket { identifier: request.identifier, ..*packet };
            return self.send(from.peer(), same_or_new(packet, &as_was, ppp));
        }
        let ack = LcpPacket { code: LcpCode::CONFIGURE_ACK, ..request.as_asked() };
        let frame = same_or_new(packet, &ack, ppp);
        let magic = request::magic(&request.asked);
        match from {
            Side::Host => {
                let line = LineParameters {
                    send_accm: request::accm(&request.asked),
                    send_acfc: request::names(&request.asked, LcpOptionType::ACFC),
                    send_pfc: request::names(&request.asked, LcpOptionType::PFC),
                    ..self.line
                };
                self.send(Side::Modem, frame);
                self.set_line(line);
            }
            Side::Modem => {
                self.set_line(LineParameters { receive_accm: request::accm(&request.shown), ..self.line });
                self.send(Side::Host, frame);
            }
        }
        let asking = self.direction_mut(from.peer());
        asking.is_acked = true;
        asking.magic = magic;
    }

    /// The modem's Nak or Reject: what it says of our additions is for us, and the host sees the rest.
    fn on_modem_refusal(&mut self, packet: &LcpPacket<'_>, ppp: &[u8]) -> Result<(), LcpError> {
        let Some(request) = self.host.answered_by(packet).cloned() else {
            self.pass_stray(Side::Modem, ppp);
            return Ok(());
        };
        let mut for_host = packet.data.to_vec();
        if let Some(additions) = &mut self.additions {
            let options = packet.options()?;
            for_host = match packet.code {
                LcpCode::CONFIGURE_NAK => additions.on_nak(&request, &options),
                _ => additions.on_reject(&request, &options),
            };
            if for_host.is_empty() && !packet.data.is_empty() {
                match self.asks_left.checked_sub(1) {
                    Some(left) => self.asks_left = left,
                    None => self.additions = None,
                }
                self.identifier_offset = self.identifier_offset.wrapping_add(1);
                return self.ask_modem(&request.as_asked(), ppp);
            }
        }
        let answer = LcpPacket { identifier: request.identifier, data: &for_host, ..*packet };
        self.send(Side::Host, same_or_new(packet, &answer, ppp));
        Ok(())
    }

    fn on_terminate_request(&mut self, from: Side, ppp: &[u8]) {
        self.start_over();
        self.is_open = false;
        self.send(from.peer(), ppp.to_vec());
        if self.terminating != Some(from) {
            self.terminating = Some(from);
            self.outputs.push_back(MediatorOutput::Terminating { by: from });
        }
    }

    fn on_terminate_ack(&mut self, from: Side, ppp: &[u8]) {
        if self.is_open() {
            // Unasked it means that its sender has lost the link: the other end negotiates anew
            // (RFC 1661 §4.1). Before that, it may be a late one that nobody minds.
            self.start_over();
        }
        self.send(from.peer(), ppp.to_vec());
        if self.terminating == Some(from.peer()) {
            self.terminating = None;
            self.outputs.push_back(MediatorOutput::Closed);
        }
    }

    /// An answer to no request that still counts. Its receiver would discard it (RFC 1661 §5.2), unless
    /// identifiers have been mapped: then it might be taken for the answer to another request.
    fn pass_stray(&mut self, from: Side, ppp: &[u8]) {
        if from == Side::Host || self.identifier_offset == 0 {
            self.send(from.peer(), ppp.to_vec());
        } else {
            self.outputs.push_back(MediatorOutput::Stray { from });
        }
    }

    /// Refuses options, which must be named as they were sent, in the name of the other end (RFC 1661 §5.4).
    fn reject(&mut self, to: Side, identifier: u8, options: &[u8]) {
        let reject = LcpPacket { code: LcpCode::CONFIGURE_REJECT, identifier, data: options };
        self.send(to, reject.emit());
    }

    /// Back to the defaults (RFC 1661 §4.3, §5.5).
    fn start_over(&mut self) {
        self.host.forget();
        self.modem.forget();
        self.set_line(LineParameters::default());
    }

    fn set_line(&mut self, line: LineParameters) {
        if self.line != line {
            self.line = line;
            self.outputs.push_back(MediatorOutput::Line(line));
        }
    }

    fn send(&mut self, to: Side, ppp: Vec<u8>) {
        self.outputs.push_back(match to {
            Side::Host => MediatorOutput::ToHost(ppp),
            Side::Modem => MediatorOutput::ToModem(ppp),
        });
    }

    const fn direction(&self, asking: Side) -> &Direction {
        match asking {
            Side::Host => &self.host,
            Side::Modem => &self.modem,
        }
    }

    const fn direction_mut(&mut self, asking: Side) -> &mut Direction {
        match asking {
            Side::Host => &mut self.host,
            Side::Modem => &mut self.modem,
        }
    }
}

impl Ours {
    const fn toward(&mut self, side: Side) -> &mut Originated {
        match side {
            Side::Host => &mut self.toward_host,
            Side::Modem => &mut self.toward_modem,
        }
    }
}

/// The frame of `edited`; the very frame that came if nothing was edited, padding and all.
fn same_or_new(came: &LcpPacket<'_>, edited: &LcpPacket<'_>, ppp: &[u8]) -> Vec<u8> {
    if came == edited { ppp.to_vec() } else { edited.emit() }
}

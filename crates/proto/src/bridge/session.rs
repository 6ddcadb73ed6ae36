//! A session's life: its PADS, its LCP, its end toward the host.

use super::Bridge;
use super::call::{Line, Session};
use super::io::Output;
use super::watch::Watch;
use crate::discard::DiscardReason;
use crate::discovery::{self, LocalInterface};
use crate::event::{CloseReason, Direction, Event, Peer};
use crate::forward::Route;
use crate::id::ModemId;
use crate::lcp::{LineParameters, Mediator, MediatorConfig, MediatorOutput, Side};
use crate::modem::ModemState;
use crate::time::Instant;
use crate::wire::discovery::SessionId;
use crate::wire::lcp::{LcpCode, LcpPacket};
use alloc::string::ToString;

/// RFC 2516 §7: the largest information field without RFC 4638.
const MAX_INFORMATION: u16 = 1492;

/// What of an Ethernet frame is left for the information field, behind the PPPoE header and the protocol.
const fn max_payload(local: &LocalInterface) -> u16 {
    local.mtu.saturating_sub(8)
}

impl Bridge {
    /// Answers the waiting request if its time has come.
    pub(super) fn handle_answer(&mut self, now: Instant, modem: ModemId) {
        if self.line(modem).and_then(Line::answer_due).is_some_and(|due| due <= now) {
            self.open_session(now, modem);
        }
    }

    /// RFC 2516 §5.4: gives the waiting request its PADS and opens the session.
    pub(super) fn open_session(&mut self, now: Instant, modem: ModemId) {
        let Some(waiting) =
            self.line_mut(modem).and_then(|line| line.call.as_mut()).and_then(|call| call.request.take())
        else {
            return;
        };
        let request = waiting.request;
        let Some(local) = self.interface(request.interface) else { return };
        let Some(service) = self.config.services.get(waiting.service) else { return };
        let lines = &self.lines;
        let in_use = |id: SessionId| lines.iter().any(|line| line.session().is_some_and(|s| s.id == id));
        let Some(id) = self.session_ids.allocate(in_use) else { return };
        let pads = discovery::pads(&local, &request, &service.name, id);
        let max_information = request.max_payload.unwrap_or(MAX_INFORMATION).min(max_payload(&local));
        let peer = Peer { interface: request.interface, mac: request.peer };
        let Some(line) = self.line_mut(modem) else { return };
        let connected = line.state == ModemState::Online;
        let mediator = Mediator::new(MediatorConfig { max_information, ..line.config.mediator });
        if connected {
            line.deadline = None;
        }
        let Some(call) = line.call.as_mut() else { return };
        call.session_before = true;
        call.session = Some(Session {
            id,
            peer,
            request,
            opened: now,
            pads: pads.clone(),
            heard: false,
            modem_heard: false,
            was_linked: false,
            terminated_by: None,
            kept: None,
            max_information,
            mediator,
            watch: Watch::new(now),
        });
        if connected {
            self.emit(Output::SetLine { modem, line: LineParameters::default() });
        }
        // The table is ready before the host may speak.
        self.install_route(&local, modem);
        self.emit(Output::SendDiscovery { interface: local.id, frame: pads });
        self.report(Event::SessionOpened { session_id: id, peer, modem, early: !connected });
    }

    pub(super) fn install_route(&mut self, local: &LocalInterface, modem: ModemId) {
        let Some(line) = self.line(modem) else { return };
        let Some(session) = line.session() else { return };
        let mut route = Route::new(
            session.peer.interface,
            session.peer.mac,
            local.mac,
            session.id,
            modem,
            session.max_information.min(max_payload(local)),
        );
        route.connected = matches!(line.state, ModemState::Online | ModemState::Terminating);
        self.emit(Output::InstallSession(route));
    }

    /// The modem is connected at last, for a host that has had its PADS already.
    pub(super) fn connect_session(&mut self, now: Instant, modem: ModemId) {
        let Some(session) = self.line_mut(modem).and_then(|line| line.session_mut()) else { return };
        // What is looked after is the host of a connected modem: its time begins now.
        session.watch = Watch::new(now);
        let (interface, kept) = (session.peer.interface, session.kept.take());
        let Some(local) = self.interface(interface) else { return };
        self.install_route(&local, modem);
        if let Some(ppp) = kept {
            self.mediate(now, modem, Direction::HostToModem, &ppp);
        }
    }

    pub(super) fn on_host_lcp(&mut self, now: Instant, modem: ModemId, ppp: &[u8]) {
        let Some(line) = self.line_mut(modem) else { return };
        let state = line.state;
        let Some(session) = line.session_mut() else {
            return self.discard_lcp(modem, DiscardReason::UnknownSession);
        };
        session.heard = true;
        session.watch.host_spoke(now);
        self.report(Event::Lcp { modem, direction: Direction::HostToModem, ppp: ppp.to_vec() });
        match state {
            ModemState::Online if self.answer_for_deaf_modem(modem, ppp) => {}
            ModemState::Online => {
                self.mediate(now, modem, Direction::HostToModem, ppp);
                self.deliver_modem_request(now, modem);
            }
            ModemState::Opening | ModemState::Dialing => self.on_early_lcp(now, modem, ppp),
            ModemState::Terminating => self.on_goodbye_lcp(now, modem, Direction::HostToModem, ppp),
            ModemState::Absent | ModemState::Idle | ModemState::HangingUp | ModemState::BackingOff => {
                self.discard_lcp(modem, DiscardReason::ModemNotConnected);
            }
        }
    }

    pub(super) fn on_modem_lcp(&mut self, now: Instant, modem: ModemId, ppp: &[u8]) {
        let Some(line) = self.line(modem) else { return };
        let (state, has_host) = (line.state, line.session().is_some());
        self.report(Event::Lcp { modem, direction: Direction::ModemToHost, ppp: ppp.to_vec() });
        match state {
            ModemState::Online => {
                let is_kept = self.keep_modem_request(modem, ppp);
                if !has_host && !is_kept {
                    self.discard_lcp(modem, DiscardReason::NoSession);
                }
                self.mediate(now, modem, Direction::ModemToHost, ppp);
                self.repeat_unheard_request(now, modem, ppp);
            }
            ModemState::Terminating => self.on_goodbye_lcp(now, modem, Direction::ModemToHost, ppp),
            ModemState::Absent
            | ModemState::Idle
            | ModemState::Opening
            | ModemState::Dialing
            | ModemState::HangingUp
            | ModemState::BackingOff => self.discard_lcp(modem, DiscardReason::NoSession),
        }
    }

    pub(super) fn discard_lcp(&mut self, modem: ModemId, reason: DiscardReason) {
        self.report(Event::DiscardedLcp { modem, reason });
    }

    /// A far end asks only so often, and its host may be away meanwhile: its newest request is kept.
    /// Says whether it was one.
    fn keep_modem_request(&mut self, modem: ModemId, ppp: &[u8]) -> bool {
        let asks = LcpPacket::parse(ppp).is_ok_and(|packet| packet.code == LcpCode::CONFIGURE_REQUEST);
        if let Some(call) = self.line_mut(modem).and_then(|line| line.call.as_mut()).filter(|_| asks) {
            call.unanswered = Some(ppp.to_vec());
        }
        asks
    }

    /// A host that has spoken listens: it hears what the far end asked before it came.
    fn deliver_modem_request(&mut self, now: Instant, modem: ModemId) {
        let Some(call) = self.line_mut(modem).and_then(|line| line.call.as_mut()) else { return };
        let Some(session) = call.session.as_mut().filter(|session| !session.modem_heard) else { return };
        let Some(request) = call.unanswered.take() else { return };
        session.modem_heard = true;
        self.mediate(now, modem, Direction::ModemToHost, &request);
    }

    /// LCP of a host whose modem is still dialing: the newest Configure-Request is kept for the modem, a
    /// goodbye is answered in its stead, anything else is of no use later.
    fn on_early_lcp(&mut self, now: Instant, modem: ModemId, ppp: &[u8]) {
        let Ok(packet) = LcpPacket::parse(ppp) else {
            return self.discard_lcp(modem, DiscardReason::MalformedLcp);
        };
        match packet.code {
            LcpCode::CONFIGURE_REQUEST => {
                if let Some(session) = self.line_mut(modem).and_then(|line| line.session_mut()) {
                    session.kept = Some(ppp.to_vec());
                }
            }
            LcpCode::TERMINATE_REQUEST => {
                let answer = LcpPacket { code: LcpCode::TERMINATE_ACK, data: &[], ..packet }.emit();
                self.emit(Output::SendToHost { modem, ppp: answer });
                self.close_session(now, modem, CloseReason::HostTerminated);
            }
            _ => self.discard_lcp(modem, DiscardReason::ModemNotConnected),
        }
    }

    /// The far end speaks for the first time. Many begin to listen only some time after CONNECT, so what the
    /// host had asked by then was lost: it is told again, or the host would wait for its restart timer.
    fn repeat_unheard_request(&mut self, now: Instant, modem: ModemId, ppp: &[u8]) {
        let Some(session) = self.line_mut(modem).and_then(Line::session_mut) else { return };
        if core::mem::replace(&mut session.modem_heard, true) {
            return;
        }
        // A first word that is an answer shows that nothing was lost.
        let asks = LcpPacket::parse(ppp).is_ok_and(|packet| packet.code == LcpCode::CONFIGURE_REQUEST);
        if let Some(request) = session.mediator.newest_host_request().filter(|_| asks) {
            self.mediate(now, modem, Direction::HostToModem, &request);
        }
    }

    /// Answers an Echo-Request of the host for a modem that never does (RFC 1661 §5.8: only while LCP is
    /// open, with the modem's Magic-Number, and the data as they came).
    fn answer_for_deaf_modem(&mut self, modem: ModemId, ppp: &[u8]) -> bool {
        let Some(line) = self.line(modem).filter(|line| line.config.is_deaf) else { return false };
        let Some(session) = line.session().filter(|session| session.mediator.is_open()) else { return false };
        let Ok(request) = LcpPacket::parse(ppp) else { return false };
        if request.code != LcpCode::ECHO_REQUEST {
            return false;
        }
        let mut data = session.mediator.modem_magic().to_be_bytes().to_vec();
        data.extend_from_slice(request.data.get(4..).unwrap_or_default());
        let reply = LcpPacket { code: LcpCode::ECHO_REPLY, data: &data, ..request };
        self.emit(Output::SendToHost { modem, ppp: reply.emit() });
        true
    }

    /// Lets LCP pass through the session's mediator and carries out what that wants.
    pub(super) fn mediate(&mut self, now: Instant, modem: ModemId, direction: Direction, ppp: &[u8]) {
        let Some(session) = self.line_mut(modem).and_then(|line| line.session_mut()) else { return };
        match direction {
            Direction::HostToModem => session.mediator.handle_from_host(ppp),
            Direction::ModemToHost => session.mediator.handle_from_modem(ppp),
        }
        self.follow_mediator(now, modem);
    }

    pub(super) fn follow_mediator(&mut self, now: Instant, modem: ModemId) {
        loop {
            let Some(session) = self.line_mut(modem).and_then(|line| line.session_mut()) else { return };
            let Some(output) = session.mediator.poll_output() else { return };
            match output {
                MediatorOutput::ToHost(ppp) => self.emit(Output::SendToHost { modem, ppp }),
                MediatorOutput::ToModem(ppp) => self.emit(Output::SendToModem { modem, ppp }),
                MediatorOutput::Line(line) => {
                    self.emit(Output::SetLine { modem, line });
                    self.report(Event::LineChanged { modem, line });
                }
                MediatorOutput::Opened => {
                    session.was_linked = true;
                    self.report(Event::LinkOpened { modem });
                    let Some(line) = self.line_mut(modem) else { return };
                    line.backoff.succeed();
                    if let Some(call) = line.call.as_mut() {
                        call.unanswered = None;
                        call.unlinked_since = None;
                    }
                }
                MediatorOutput::Malformed { .. } => self.report(Event::MalformedLcp { modem }),
                MediatorOutput::Terminating { by } => session.terminated_by = Some(by),
                MediatorOutput::Closed => {
                    let by_host = session.terminated_by != Some(Side::Modem);
                    let reason =
                        if by_host { CloseReason::HostTerminated } else { CloseReason::ModemTerminated };
                    self.on_link_terminated(now, modem, reason);
                }
                MediatorOutput::Stray { .. } => self.discard_lcp(modem, DiscardReason::StrayLcp),
                MediatorOutput::Renegotiating { .. } | MediatorOutput::EchoReplied { .. } => {}
            }
        }
    }

    /// Ends a session toward its host; the call may go on. RFC 2516 §5.5: after the PADT nothing more is
    /// sent. A host that sent a PADT itself gets none.
    pub(super) fn close_session(&mut self, now: Instant, modem: ModemId, reason: CloseReason) {
        let Some(line) = self.line_mut(modem) else { return };
        let connected = matches!(line.state, ModemState::Online | ModemState::Terminating);
        let Some(call) = line.call.as_mut() else { return };
        let Some(session) = call.session.take() else { return };
        // While the call goes on, another session costs no dial. A tty that is hung up is most often a call that
        // the network dropped.
        let is_loss = reason.counts_against_host() || matches!(reason, CloseReason::DeviceLost(_));
        let was_for_nothing = call.ending.is_some() && is_loss;
        if connected {
            line.budget.await_last_reading(session.watch.octets());
            self.emit(Output::ReadTraffic(modem));
        }
        self.emit(Output::RemoveSession(modem));
        let lasted = now - session.opened;
        self.lockout.session_ended(now, session.peer, lasted, was_for_nothing);
        if reason != CloseReason::HostPadt
            && let Some(local) = self.interface(session.peer.interface)
        {
            let relay = session.request.relay_session_id.as_deref();
            let text = reason.brief().to_string();
            let frame = discovery::padt(&local, session.peer.mac, session.id, relay, Some(&text));
            self.emit(Output::SendDiscovery { interface: local.id, frame });
        }
        self.report(Event::SessionClosed {
            session_id: session.id,
            peer: session.peer,
            modem,
            reason,
            lasted,
        });
    }
}

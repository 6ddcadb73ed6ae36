//! Who gets in: PADI, PADR and PADT, and which modem serves whom (RFC 2516 §5).

use super::Bridge;
use super::call::{Call, Line, Waiting};
use super::io::Output;
use crate::discard::DiscardReason;
use crate::discovery::{self, LocalInterface, Refusal, ServiceName, SessionRequest};
use crate::event::{CloseReason, Event, Peer, RefusalReason};
use crate::id::{InterfaceId, ModemId};
use crate::modem::{ModemState, ModemTrigger};
use crate::time::Instant;
use crate::wire::discovery::{Code, DiscoveryPacket};
use crate::wire::tag::TagType;
use alloc::string::ToString;
use alloc::vec::Vec;

impl Bridge {
    pub(super) fn on_discovery(&mut self, now: Instant, id: InterfaceId, frame: &[u8]) {
        let Some(local) = self.interface(id) else { return };
        let packet = match DiscoveryPacket::parse(frame) {
            Ok(packet) => packet,
            Err(error) => return self.discard(id, None, error.into()),
        };
        let done = match packet.code {
            Code::Padi => self.on_padi(now, &local, &packet),
            Code::Padr => self.on_padr(now, &local, &packet),
            Code::Padt => self.on_padt(now, &local, &packet),
            _ => Err(DiscardReason::UnhandledCode),
        };
        if let Err(reason) = done {
            self.discard(id, Some(packet.source), reason);
        }
    }

    fn discard(
        &mut self,
        interface: InterfaceId,
        source: Option<crate::wire::ethernet::MacAddr>,
        reason: DiscardReason,
    ) {
        self.report(Event::Discarded { interface, source, reason });
    }

    /// RFC 2516 §5.1 and §5.2: an offer, of what can be served now. Nothing is kept because of it.
    fn on_padi(
        &mut self,
        now: Instant,
        local: &LocalInterface,
        packet: &DiscoveryPacket<'_>,
    ) -> Result<(), DiscardReason> {
        let peer = Peer { interface: local.id, mac: packet.source };
        let offered = self.offered(now, peer);
        let frame = match self.concentrator.on_padi(now, local, packet, &offered) {
            Ok(frame) => frame,
            Err(DiscardReason::UnknownService | DiscardReason::ServiceUnavailable) => {
                return Err(self.why_no_offer(now, packet));
            }
            Err(reason) => return Err(reason),
        };
        self.emit(Output::SendDiscovery { interface: local.id, frame });
        self.report(Event::Offered(peer));
        Ok(())
    }

    fn offered(&self, now: Instant, peer: Peer) -> Vec<ServiceName> {
        if self.shutting_down {
            return Vec::new();
        }
        let services = self.config.services.iter().enumerate();
        let available = services.filter(|(index, _)| self.can_serve(now, peer, *index));
        available.map(|(_, service)| service.name.clone()).collect()
    }

    /// Tells a service that is not ours from one that cannot be had now; those who hold its modems have to
    /// show that they are alive.
    fn why_no_offer(&mut self, now: Instant, packet: &DiscoveryPacket<'_>) -> DiscardReason {
        let asked = packet.tags.first(TagType::ServiceName).unwrap_or_default();
        let ours = |name: &ServiceName| asked.is_empty() || name.as_octets() == asked;
        let wanted: Vec<usize> =
            (0..).zip(&self.config.services).filter(|(_, s)| ours(&s.name)).map(|(index, _)| index).collect();
        if wanted.is_empty() {
            return DiscardReason::UnknownService;
        }
        for service in wanted {
            self.challenge_holders(now, service);
        }
        DiscardReason::ServiceUnavailable
    }

    fn can_serve(&self, now: Instant, peer: Peer, service: usize) -> bool {
        !self.is_drained(service) && self.pool(service).any(|line| line.can_serve(now, peer, service))
    }

    fn pool(&self, service: usize) -> impl Iterator<Item = &Line> {
        let modems = self.config.services.get(service).map_or(&[][..], |service| &service.modems);
        modems.iter().filter_map(|modem| self.line(*modem))
    }

    /// RFC 2516 §5.3: a host that has our cookie asks for a session.
    fn on_padr(
        &mut self,
        now: Instant,
        local: &LocalInterface,
        packet: &DiscoveryPacket<'_>,
    ) -> Result<(), DiscardReason> {
        let request = self.concentrator.on_padr(now, local, packet)?;
        if self.shutting_down {
            self.refuse(&request, RefusalReason::ShuttingDown);
            return Ok(());
        }
        let peer = Peer { interface: request.interface, mac: request.peer };
        match self.choose_service(now, peer, &request) {
            Some(_) if self.lockout.wait(now, peer).is_some() => {
                let wait = self.lockout.wait(now, peer).unwrap_or_default();
                self.refuse(&request, RefusalReason::LockedOut { wait });
            }
            Some(service) => self.admit(now, peer, Waiting { request, service, since: now }),
            None => self.refuse(&request, RefusalReason::UnknownService),
        }
        Ok(())
    }

    /// The service that a request names; for the empty name one that can serve, best the one this host
    /// already has.
    fn choose_service(&self, now: Instant, peer: Peer, request: &SessionRequest) -> Option<usize> {
        let services = &self.config.services;
        if !request.service.is_any() {
            return services.iter().position(|service| service.name == request.service);
        }
        let has_it = |index: &usize| self.pool(*index).any(|line| line.is_for(peer, *index));
        let all = 0..services.len();
        all.clone().find(has_it).or_else(|| all.clone().find(|index| self.can_serve(now, peer, *index))).or(
            // None can: the first one's reason is told.
            all.into_iter().next(),
        )
    }

    /// Gives a host the call it already has, or a free modem, or the reason why not.
    fn admit(&mut self, now: Instant, peer: Peer, waiting: Waiting) {
        let service = waiting.service;
        let own = self.pool(service).find(|line| {
            line.is_for(peer, service)
                && !matches!(line.state, ModemState::Terminating | ModemState::HangingUp)
        });
        if let Some(modem) = own.map(|line| line.id) {
            return self.rejoin(now, modem, waiting);
        }
        if self.is_drained(service) {
            return self.refuse(&waiting.request, RefusalReason::Drained);
        }
        let idle = self.pool(service).find(|line| line.is_free(now)).map(|line| line.id);
        if let Some(modem) = idle {
            return self.start_call(now, modem, waiting);
        }
        // A modem on its way down is there in a moment: the host waits less than a second redial costs.
        let soon = self.pool(service).find(|line| line.can_serve(now, peer, service)).map(|line| line.id);
        if let Some(line) = soon.and_then(|modem| self.line_mut(modem)) {
            let since = line.next.as_ref().map_or(waiting.since, |next| next.since);
            line.next = Some(Waiting { since, ..waiting });
            return;
        }
        self.challenge_holders(now, service);
        let reason = self.why_not(now, service);
        self.refuse(&waiting.request, reason);
    }

    /// The host of a call asks again.
    fn rejoin(&mut self, now: Instant, modem: ModemId, waiting: Waiting) {
        let Some(line) = self.line_mut(modem) else { return };
        let restart = line.config.timing.restart;
        if let Some(session) = line.session() {
            if session.is_repeat(&waiting.request, now, restart) {
                let (interface, frame) = (session.peer.interface, session.pads.clone());
                return self.emit(Output::SendDiscovery { interface, frame });
            }
            self.close_session(now, modem, CloseReason::HostRestarted);
        }
        let Some(line) = self.line_mut(modem) else { return };
        let Some(call) = line.call.as_mut() else { return };
        let since = call.request.as_ref().map_or(waiting.since, |before| before.since);
        // A host that has once waited for this very call gets its answer as soon as may be.
        let since = if call.session_before { call.started } else { since };
        call.request = Some(Waiting { since, ..waiting });
        self.handle_answer(now, modem);
    }

    pub(super) fn start_call(&mut self, now: Instant, modem: ModemId, waiting: Waiting) {
        if !self.change_state(modem, ModemTrigger::Called, None) {
            return;
        }
        let peer = waiting.peer();
        let Some(line) = self.line_mut(modem) else { return };
        line.opened = false;
        line.call = Some(Call::new(peer, waiting, now));
        self.report(Event::CallStarted { modem, peer });
        self.emit(Output::OpenModem(modem));
    }

    /// Why no modem of `service` can be had: the most hopeful reason of its pool.
    fn why_not(&self, now: Instant, service: usize) -> RefusalReason {
        let resting = self.pool(service).filter_map(|line| line.rest.as_ref()).min_by_key(|rest| rest.0);
        if let Some((until, failure)) = resting {
            return RefusalReason::BackingOff { failure: failure.clone(), wait: *until - now };
        }
        let spent =
            self.pool(service).filter_map(|line| line.budget.spent(now)).min_by_key(|spent| spent.until);
        if let Some(spent) = spent {
            return RefusalReason::BudgetSpent { limit: spent.limit, wait: spent.until - now };
        }
        if self.pool(service).all(|line| line.state == ModemState::Absent) {
            return RefusalReason::NoModem;
        }
        RefusalReason::AllBusy
    }

    /// RFC 2516 §5.4: a PADS without a session, which says why.
    pub(super) fn refuse(&mut self, request: &SessionRequest, reason: RefusalReason) {
        let peer = Peer { interface: request.interface, mac: request.peer };
        if let Some(local) = self.interface(request.interface) {
            let text = reason.to_string();
            let refusal = match reason {
                RefusalReason::UnknownService => Refusal::ServiceNameError(&text),
                _ => Refusal::AcSystemError(&text),
            };
            let frame = discovery::refuse(&local, request, refusal);
            self.emit(Output::SendDiscovery { interface: local.id, frame });
        }
        self.report(Event::Refused { peer, reason });
    }

    /// RFC 2516 §5.5: only the host of a session ends it.
    fn on_padt(
        &mut self,
        now: Instant,
        local: &LocalInterface,
        packet: &DiscoveryPacket<'_>,
    ) -> Result<(), DiscardReason> {
        let padt = self.concentrator.on_padt(local, packet)?;
        let peer = Peer { interface: local.id, mac: packet.source };
        let found = self
            .lines
            .iter()
            .filter_map(|line| line.session().map(|session| (line.id, session)))
            .find(|(_, session)| session.id == padt.session_id);
        let Some((modem, session)) = found else {
            return Err(DiscardReason::PadtUnknownSession);
        };
        if session.peer != peer {
            return Err(DiscardReason::PadtWrongPeer);
        }
        self.on_host_padt(now, modem);
        Ok(())
    }
}

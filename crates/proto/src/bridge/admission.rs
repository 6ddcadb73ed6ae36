//! Who gets in: PADI, PADR and PADT, and which modem serves whom (RFC 2516 §5).

use super::Bridge;
use super::call::{Call, Line, Waiting};
use super::config::{InterfaceConfig, ServiceConfig};
use super::dialing::LONGEST_OPENING;
use super::io::Output;
use super::offers::HeldOffer;
use super::pool::BusyPolicy;
use crate::discard::DiscardReason;
use crate::discovery::{AccessConcentrator, LocalInterface, ServiceName, SessionRequest};
use crate::event::{CloseReason, ConnectFailure, Event, Peer, RefusalReason, SessionLimit};
use crate::id::{InterfaceId, ModemId};
use crate::modem::{ModemState, ModemTrigger};
use crate::time::Instant;
use crate::wire::discovery::{Code, DiscoveryPacket};
use crate::wire::tag::TagType;
use alloc::vec::Vec;
use core::time::Duration;

/// Where a host can be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// By the call that it has.
    Own(ModemId),
    /// By a modem that is free.
    Free(ModemId),
    /// By a modem that is on its way down.
    Soon(ModemId),
    /// By a modem that another host has to give up.
    Replacing(ModemId),
}

impl Place {
    const fn modem(self) -> ModemId {
        match self {
            Self::Own(modem) | Self::Free(modem) | Self::Soon(modem) | Self::Replacing(modem) => modem,
        }
    }
}

impl Bridge {
    pub(super) fn on_discovery(&mut self, now: Instant, id: InterfaceId, frame: &[u8]) {
        let Some(local) = self.interface(id) else {
            return self.discard(id, None, DiscardReason::InterfaceDown);
        };
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

    pub(super) fn discard(
        &mut self,
        interface: InterfaceId,
        source: Option<crate::wire::ethernet::MacAddr>,
        reason: DiscardReason,
    ) {
        self.report(Event::Discarded { interface, source, reason });
    }

    /// Whether a request of this host is to be looked at at all.
    fn check_sender(
        &mut self,
        now: Instant,
        local: &LocalInterface,
        packet: &DiscoveryPacket<'_>,
    ) -> Result<(), DiscardReason> {
        let peer = Peer { interface: local.id, mac: packet.source };
        if !self.interface_config(local.id).is_some_and(|config| config.access.permits(peer.mac)) {
            return Err(DiscardReason::DeniedPeer);
        }
        let limits = &self.config.limits;
        // The host's own limit first, so that one host cannot use up that of all.
        if !self.gate.allow_peer(now, peer, limits)
            || (packet.code == Code::Padi && !self.gate.allow_padi(now, local.id, limits))
        {
            return Err(DiscardReason::DiscoveryRateLimited);
        }
        Ok(())
    }

    /// RFC 2516 §5.1 and §5.2: an offer, of what can be served now. Nothing is kept because of it, unless
    /// it is to be held back.
    fn on_padi(
        &mut self,
        now: Instant,
        local: &LocalInterface,
        packet: &DiscoveryPacket<'_>,
    ) -> Result<(), DiscardReason> {
        self.check_sender(now, local, packet)?;
        let peer = Peer { interface: local.id, mac: packet.source };
        let mut offered = self.services_of(local.id).to_vec();
        offered.retain(|index| !self.shutting_down && self.place(now, peer, *index).is_ok());
        let names: Vec<ServiceName> =
            offered.iter().filter_map(|index| Some(self.config.services.get(*index)?.name.clone())).collect();
        let asked = packet.tags.first(TagType::ServiceName).unwrap_or_default();
        let frame = match self.concentrator(local.id)?.on_padi(now, local, packet, &names) {
            Ok(frame) => frame,
            Err(DiscardReason::UnknownService | DiscardReason::ServiceUnavailable) => {
                return Err(self.why_no_offer(now, peer, asked));
            }
            Err(reason) => return Err(reason),
        };
        let wanted = |index: &usize| {
            asked.is_empty() || self.config.services.get(*index).is_some_and(|s| s.name.as_octets() == asked)
        };
        let held =
            offered.into_iter().filter(wanted).map(|index| (self.delay(now, peer, index), index)).min();
        match held {
            Some((delay, service)) if !delay.is_zero() => {
                self.offers.hold(HeldOffer { due: now + delay, peer, service, frame })
            }
            _ => {
                self.make_offer(peer, frame);
                Ok(())
            }
        }
    }

    fn make_offer(&mut self, peer: Peer, frame: Vec<u8>) {
        self.emit(Output::SendDiscovery { interface: peer.interface, frame });
        self.report(Event::Offered(peer));
    }

    /// Makes the offers whose time has come, if they can still be kept.
    pub(super) fn make_due_offers(&mut self, now: Instant) {
        while let Some(held) = self.offers.take_due(now) {
            match self.place(now, held.peer, held.service) {
                Ok(_) => self.make_offer(held.peer, held.frame),
                Err(reason) => {
                    let discarded = self.tell_not_offered(held.peer, held.service, reason);
                    self.discard(held.peer.interface, Some(held.peer.mac), discarded);
                }
            }
        }
    }

    /// A PADI whose offer was held back and will never be made is dropped after all.
    pub(super) fn forget_offers(&mut self, reason: DiscardReason, is_void: impl Fn(&HeldOffer) -> bool) {
        for peer in self.offers.forget(is_void) {
            self.discard(peer.interface, Some(peer.mac), reason);
        }
    }

    /// How long an offer of this service is held back now. A host that has a call here is nobody else's.
    fn delay(&self, now: Instant, peer: Peer, service: usize) -> Duration {
        if matches!(self.place(now, peer, service), Ok(Place::Own(_))) {
            return Duration::ZERO;
        }
        let sessions = self.taken(|_, of| of == service);
        self.config
            .services
            .get(service)
            .map_or(Duration::ZERO, |config| config.delay.with_sessions(sessions))
    }

    fn concentrator(&self, interface: InterfaceId) -> Result<&AccessConcentrator, DiscardReason> {
        self.concentrators.get(usize::from(interface.0)).ok_or(DiscardReason::NotForUs)
    }

    fn interface_config(&self, interface: InterfaceId) -> Option<&InterfaceConfig> {
        self.config.interfaces.get(usize::from(interface.0))
    }

    /// What is offered on an interface, the default first.
    pub(super) fn services_of(&self, interface: InterfaceId) -> &[usize] {
        self.interface_config(interface).map_or(&[], |config| &config.services)
    }

    pub(super) fn pool(&self, service: usize) -> impl Iterator<Item = &Line> {
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
        if packet.destination == local.mac {
            self.check_sender(now, local, packet)?;
        }
        let request = self.concentrator(local.id)?.on_padr(now, local, packet)?;
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
        let here = self.services_of(peer.interface);
        let is_named = |index: &usize| {
            self.config.services.get(*index).is_some_and(|service| service.name == request.service)
        };
        let has_it = |index: &usize| self.lines.iter().any(|line| line.is_for(peer, *index));
        let can_have = |index: &usize| self.place(now, peer, *index).is_ok();
        let all = || here.iter().copied();
        if !request.service.is_any() {
            return all().find(is_named);
        }
        // If none can be had, the first one's reason is told.
        all().find(has_it).or_else(|| all().find(can_have)).or_else(|| all().next())
    }

    /// Where a host can be served, or why it cannot.
    pub(super) fn place(&self, now: Instant, peer: Peer, service: usize) -> Result<Place, RefusalReason> {
        let config = self.config.services.get(service).ok_or(RefusalReason::UnknownService)?;
        if !config.access.permits(peer.mac) {
            return Err(RefusalReason::NotAllowed);
        }
        self.place_for_anybody(now, peer, service)
    }

    /// Where a host can be served that is allowed to come.
    pub(super) fn place_for_anybody(
        &self,
        now: Instant,
        peer: Peer,
        service: usize,
    ) -> Result<Place, RefusalReason> {
        let config = self.config.services.get(service).ok_or(RefusalReason::UnknownService)?;
        let is_down = |line: &Line| matches!(line.state, ModemState::Terminating | ModemState::HangingUp);
        // Also on a modem that has left the pool since: the call goes on.
        let own = self.lines.iter().find(|line| line.is_for(peer, service) && !is_down(line));
        if let Some(line) = own {
            return Ok(Place::Own(line.id));
        }
        if self.is_drained(service) {
            return Err(RefusalReason::Drained);
        }
        let waits = |line: &&Line| line.next.as_ref().is_some_and(|next| next.is_for(peer, service));
        if let Some(line) = self.pool(service).find(waits) {
            return Ok(Place::Soon(line.id));
        }
        // Best the one that this host has just had.
        let soon = || {
            let lines = || self.pool(service).filter(|line| line.is_soon_free_for(now, peer, service));
            lines().find(|line| line.is_for(peer, service)).or_else(|| lines().next())
        };
        let place = if let Some(modem) = self.free_modem(now, peer, service) {
            Place::Free(modem)
        } else if let Some(line) = soon() {
            Place::Soon(line.id)
        } else if let Some(line) = self.replaceable(config, service) {
            Place::Replacing(line.id)
        } else {
            return Err(self.why_not(now, service));
        };
        match self.limit_reached(peer, service, place.modem()) {
            None => Ok(place),
            Some(limit) => Err(RefusalReason::LimitReached(limit)),
        }
    }

    /// The modem of the pool that is to be tried next.
    fn free_modem(&self, now: Instant, peer: Peer, service: usize) -> Option<ModemId> {
        let config = self.config.services.get(service)?;
        let idle = self.pool(service).filter(|line| line.is_free(now) && line.next.is_none());
        let free: Vec<ModemId> = idle.map(|line| line.id).collect();
        self.pools.choose(service, config, peer, &free)
    }

    /// The line whose host may be replaced: the one that has been connected for longest.
    fn replaceable(&self, config: &ServiceConfig, service: usize) -> Option<&Line> {
        match config.when_busy {
            BusyPolicy::Refuse => None,
            BusyPolicy::Replace => self
                .pool(service)
                .filter(|line| line.state == ModemState::Online && line.session().is_some())
                .min_by_key(|line| line.call.as_ref().map(|call| call.started)),
        }
    }

    /// Which limit one more session would exceed, when whoever has `modem` has made room.
    fn limit_reached(&self, peer: Peer, service: usize, modem: ModemId) -> Option<SessionLimit> {
        let limits = &self.config.limits;
        let of_service = self.config.services.get(service).map_or(0, |config| config.sessions);
        let of_interface = self.interface_config(peer.interface).map_or(0, |config| config.sessions);
        let leaving = self.line(modem).and_then(Line::taken_by);
        let count = |wanted: &dyn Fn(Peer, usize) -> bool| {
            self.taken(wanted) - usize::from(leaving.is_some_and(|(peer, of)| wanted(peer, of)))
        };
        // What the host itself can mend first.
        let counts = [
            (SessionLimit::Peer, count(&|of, _| of == peer), limits.sessions_per_peer),
            (SessionLimit::Service, count(&|_, of| of == service), of_service),
            (SessionLimit::Interface, count(&|of, _| of.interface == peer.interface), of_interface),
            (SessionLimit::All, count(&|_, _| true), limits.sessions),
        ];
        counts.into_iter().find(|(_, count, limit)| count >= limit).map(|(limit, ..)| limit)
    }

    /// How many lines are taken by hosts and for services that are `wanted`.
    fn taken(&self, wanted: impl Fn(Peer, usize) -> bool) -> usize {
        self.lines.iter().filter_map(Line::taken_by).filter(|(peer, service)| wanted(*peer, *service)).count()
    }

    /// Gives a host the call it already has, or a modem, or the reason why not.
    fn admit(&mut self, now: Instant, peer: Peer, waiting: Waiting) {
        match self.place(now, peer, waiting.service) {
            Ok(Place::Own(modem)) => self.rejoin(now, modem, waiting),
            Ok(Place::Free(modem)) => self.call(now, modem, waiting),
            Ok(Place::Soon(modem)) => self.wait_for(modem, waiting),
            Ok(Place::Replacing(modem)) => {
                self.end_call(now, modem, CloseReason::Replaced);
                self.wait_for(modem, waiting);
            }
            Err(reason) => {
                if !matches!(reason, RefusalReason::NotAllowed | RefusalReason::Drained) {
                    self.challenge_holders(now, waiting.service);
                }
                self.refuse(&waiting.request, reason);
            }
        }
    }

    /// A modem on its way down is there in a moment: the host waits less than a second redial costs.
    fn wait_for(&mut self, modem: ModemId, waiting: Waiting) {
        self.note_call(modem, &waiting);
        if let Some(line) = self.line_mut(modem) {
            let since = line.next.as_ref().map_or(waiting.since, |next| next.since);
            line.next = Some(Waiting { since, ..waiting });
        }
    }

    fn call(&mut self, now: Instant, modem: ModemId, waiting: Waiting) {
        self.note_call(modem, &waiting);
        self.start_call(now, modem, waiting);
    }

    fn note_call(&mut self, modem: ModemId, waiting: &Waiting) {
        if let Some(service) = self.config.services.get(waiting.service) {
            self.pools.on_call(waiting.service, service, waiting.peer(), modem);
        }
    }

    /// A host whose modem could not be connected gets the next one of the pool, if one is free: each is
    /// tried once, for one that failed rests.
    pub(super) fn hunt(&mut self, now: Instant, waiting: Waiting, failure: ConnectFailure) {
        let peer = waiting.peer();
        let may_dial = !self.shutting_down && !self.is_drained(waiting.service);
        match self.free_modem(now, peer, waiting.service).filter(|_| may_dial) {
            Some(modem) => self.call(now, modem, waiting),
            None => self.refuse(&waiting.request, RefusalReason::DialFailed(failure)),
        }
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
        if !self.change_state(modem, ModemTrigger::Called, Some(now + LONGEST_OPENING)) {
            return;
        }
        let peer = waiting.peer();
        let Some(line) = self.line_mut(modem) else { return };
        line.opened = false;
        line.call = Some(Call::new(peer, waiting, now));
        self.report(Event::CallStarted { modem, peer });
        self.emit(Output::OpenModem(modem));
    }

    /// RFC 2516 §5.5: only the host of a session ends it.
    fn on_padt(
        &mut self,
        now: Instant,
        local: &LocalInterface,
        packet: &DiscoveryPacket<'_>,
    ) -> Result<(), DiscardReason> {
        let padt = self.concentrator(local.id)?.on_padt(local, packet)?;
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

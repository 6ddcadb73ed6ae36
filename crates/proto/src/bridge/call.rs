//! A line: one modem, the call it carries, and the host that waits for it.

use super::config::ModemConfig;
use super::rescue::Rescue;
use super::watch::Watch;
use crate::chat::Conversation;
use crate::discovery::SessionRequest;
use crate::event::{CloseReason, ConnectFailure, Peer};
use crate::hdlc::PppStartDetector;
use crate::id::ModemId;
use crate::lcp::{Mediator, Side};
use crate::modem::{Backoff, Budget, ModemState, RescueStep};
use crate::time::Instant;
use crate::wire::discovery::SessionId;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

/// One modem with all that hangs on it.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) id: ModemId,
    pub(super) config: ModemConfig,
    /// What counts from the next call on, if that is something else.
    pub(super) changed: Option<ModemConfig>,
    pub(super) state: ModemState,
    /// Its device is there, as far as we know.
    pub(super) present: bool,
    /// It has been opened for this call.
    pub(super) opened: bool,
    /// When the present state ends by itself, if it does.
    pub(super) deadline: Option<Instant>,
    pub(super) backoff: Backoff,
    /// Not to be dialled before this, because of that.
    pub(super) rest: Option<(Instant, ConnectFailure)>,
    /// The script at work: dialing, rescuing or hanging up, as the state tells.
    pub(super) conversation: Option<Box<Conversation>>,
    pub(super) budget: Budget,
    pub(super) rescue: Option<Rescue>,
    /// The last step of a rescue in which the modem vanished.
    pub(super) rescued_by: Option<RescueStep>,
    /// There is reason to think that the modem is stuck.
    pub(super) suspect: bool,
    /// Looks for PPP in what the modem says before it is connected.
    pub(super) ppp_start: PppStartDetector,
    /// It has found some: the modem was still in data mode.
    pub(super) ppp_seen: bool,
    pub(super) call: Option<Call>,
    /// A host that came while the modem was still on its way down.
    pub(super) next: Option<Waiting>,
}

/// One dial and what came of it. It belongs to the modem and its peer, not to a PADR: the host may give
/// up, come again, and find it.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) peer: Peer,
    /// Index into the configured services.
    pub(super) service: usize,
    pub(super) started: Instant,
    /// The newest request, while it has no PADS.
    pub(super) request: Option<Waiting>,
    pub(super) session: Option<Session>,
    /// The far end's newest Configure-Request, until the link is open.
    pub(super) unanswered: Option<Vec<u8>>,
    /// This call has had a session.
    pub(super) session_before: bool,
    /// When the modem connected, until LCP was open: a far end that never speaks PPP is no connection.
    pub(super) unlinked_since: Option<Instant>,
    pub(super) ending: Option<Ending>,
}

/// A request that waits for its PADS.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// Its newest packet: RFC 2516 appendix A, the PADS must bear that one's Host-Uniq.
    pub(super) request: SessionRequest,
    /// Index into the configured services.
    pub(super) service: usize,
    /// When its first packet came.
    pub(super) since: Instant,
}

/// A PPPoE session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: SessionId,
    pub(super) peer: Peer,
    pub(super) request: SessionRequest,
    pub(super) opened: Instant,
    /// The PADS, for hosts that missed it.
    pub(super) pads: Vec<u8>,
    /// The host has sent LCP, so it had the PADS.
    pub(super) heard: bool,
    /// The far end has sent LCP.
    pub(super) modem_heard: bool,
    /// LCP has been open.
    pub(super) was_linked: bool,
    /// Who asked to end the link, if anybody did.
    pub(super) terminated_by: Option<Side>,
    /// The host's newest Configure-Request from before the modem was connected.
    pub(super) kept: Option<Vec<u8>>,
    /// Largest information field toward the host, in octets.
    pub(super) max_information: u16,
    pub(super) mediator: Mediator,
    pub(super) watch: Watch,
}

/// A call on its way down: who has not yet confirmed it.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) reason: CloseReason,
    pub(super) host: Goodbye,
    pub(super) modem: Goodbye,
    /// The device was lost, before or meanwhile.
    pub(super) lost: bool,
}

/// How far the goodbye with one side is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goodbye {
    /// An LCP Terminate-Request with this identifier awaits its answer.
    Asked(u8),
    /// The two sides have told each other; both get the time that RFC 1661 §3.7 gives them.
    Grace,
    /// Nothing more to say.
    Done,
}

impl Line {
    pub(super) fn new(id: ModemId, config: ModemConfig) -> Self {
        let backoff = Backoff::new(config.backoff);
        let budget = Budget::new(config.budget);
        Self {
            id,
            config,
            changed: None,
            state: ModemState::Absent,
            present: false,
            opened: false,
            deadline: None,
            backoff,
            rest: None,
            conversation: None,
            budget,
            rescue: None,
            rescued_by: None,
            suspect: false,
            ppp_start: PppStartDetector::new(),
            ppp_seen: false,
            call: None,
            next: None,
        }
    }

    /// The modem carries no call: what was changed counts.
    pub(super) fn adopt_change(&mut self) {
        let Some(config) = self.changed.take() else { return };
        self.backoff.set_config(config.backoff);
        self.budget.set_config(config.budget);
        self.config = config;
    }

    /// Whether this line is on its way down and `peer` may have it then.
    pub(super) fn is_soon_free_for(&self, now: Instant, peer: Peer, service: usize) -> bool {
        match self.state {
            ModemState::Terminating | ModemState::HangingUp => {
                self.rest.is_none()
                    && self.budget.spent(now).is_none()
                    && self.next.as_ref().is_none_or(|next| next.is_for(peer, service))
            }
            ModemState::Absent
            | ModemState::Idle
            | ModemState::Opening
            | ModemState::Dialing
            | ModemState::Online
            | ModemState::BackingOff => false,
        }
    }

    /// Whether a call may be started now.
    pub(super) fn is_free(&self, now: Instant) -> bool {
        self.state == ModemState::Idle && self.budget.spent(now).is_none()
    }

    /// Whether the call on this line, if any, is for `peer` and `service`.
    pub(super) fn is_for(&self, peer: Peer, service: usize) -> bool {
        self.call.as_ref().is_some_and(|call| call.peer == peer && call.service == service)
    }

    /// Who has this line, or will have it when the call that is ending is over, and for which service.
    pub(super) fn taken_by(&self) -> Option<(Peer, usize)> {
        let next = self.next.as_ref().map(|next| (next.peer(), next.service));
        let call = self.call.as_ref().filter(|call| call.ending.is_none());
        next.or_else(|| call.map(|call| (call.peer, call.service)))
    }

    pub(super) fn session(&self) -> Option<&Session> {
        self.call.as_ref()?.session.as_ref()
    }

    pub(super) fn session_mut(&mut self) -> Option<&mut Session> {
        self.call.as_mut()?.session.as_mut()
    }

    /// When something is due on this line.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let conversation = self.conversation.as_ref().and_then(|conversation| conversation.poll_timeout());
        [self.deadline, self.link_due(), self.answer_due(), self.watch_due(), conversation]
            .into_iter()
            .flatten()
            .min()
    }

    /// When a connected call in which LCP was never open is given up.
    pub(super) fn link_due(&self) -> Option<Instant> {
        /// Longer than any host's patience with LCP, and its pause before it comes again.
        const LONGEST: Duration = Duration::from_secs(120);
        let online = self.state == ModemState::Online;
        self.call.as_ref().filter(|_| online)?.unlinked_since.map(|since| since + LONGEST)
    }

    /// When the session is to be looked at.
    pub(super) fn watch_due(&self) -> Option<Instant> {
        let online = self.state == ModemState::Online;
        self.session().filter(|_| online).map(|session| session.watch.due())
    }

    /// When the waiting request gets its PADS: at CONNECT, or at a deadline after its first packet,
    /// whichever is first.
    ///
    /// Hosts give up on a PADR after 5 to 35 s, and on LCP that nobody answers after 20 to 60 s: an early
    /// PADS moves a host from the shorter patience to the longer.
    pub(super) fn answer_due(&self) -> Option<Instant> {
        let waiting = self.call.as_ref()?.request.as_ref()?;
        match self.state {
            ModemState::Online => Some(waiting.since),
            ModemState::Opening | ModemState::Dialing => Some(waiting.since + self.config.timing.answer_by),
            ModemState::Absent
            | ModemState::Idle
            | ModemState::Terminating
            | ModemState::HangingUp
            | ModemState::BackingOff => None,
        }
    }
}

impl Call {
    pub(super) fn new(peer: Peer, waiting: Waiting, now: Instant) -> Self {
        let service = waiting.service;
        Self {
            peer,
            service,
            started: now,
            request: Some(waiting),
            session: None,
            unanswered: None,
            session_before: false,
            unlinked_since: None,
            ending: None,
        }
    }
}

impl Waiting {
    pub(super) fn peer(&self) -> Peer {
        Peer { interface: self.request.interface, mac: self.request.peer }
    }

    pub(super) fn is_for(&self, peer: Peer, service: usize) -> bool {
        self.peer() == peer && self.service == service
    }
}

impl Session {
    /// Whether `request` is the one that opened this session, come again: its PADS was lost, or the
    /// network copied it. A host that has spoken in the session and asks again later has begun anew.
    pub(super) fn is_repeat(
        &self,
        request: &SessionRequest,
        now: Instant,
        restart: core::time::Duration,
    ) -> bool {
        let same = self.request.host_uniq == request.host_uniq
            && self.request.relay_session_id == request.relay_session_id;
        same && (!self.heard || now - self.opened < restart)
    }
}

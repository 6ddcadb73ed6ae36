//! [`Laws`]: what must hold in every story, whatever happens in it.
//!
//! They look at the bridge from outside: at what it is told, and at what it wants done.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bridge_proto::bridge::{Bridge, CallTiming};
use bridge_proto::event::{CloseReason, Event, Peer};
use bridge_proto::forward::SessionTable;
use bridge_proto::modem::ModemState;
use bridge_proto::time::Instant;

use super::cable::Cable;
use super::config::modem_id;
use crate::pppoe::{ETHERTYPE_DISCOVERY, ETHERTYPE_SESSION, Mac, PADS, PADT, Packet};

/// What was seen so far, as far as it still matters.
#[derive(Debug)]
pub(super) struct Laws {
    timing: Vec<CallTiming>,
    /// How long each modem's hang-up takes beyond DTR.
    last_words: Vec<Duration>,
    /// Whom each modem is called for.
    calls: Vec<Option<Peer>>,
    /// The session of each modem.
    sessions: Vec<Option<(u16, Peer)>>,
    /// Since when each modem is connected for nobody.
    alone: Vec<Option<Instant>>,
    /// Whether each modem is open, and was not taken off the line since.
    off_hook: Vec<bool>,
    /// Hosts whose PADR has no answer yet, and since when.
    waiting: BTreeMap<Mac, Instant>,
    /// Who began to wait with the packet that is being handed in.
    new_padr: Option<Mac>,
    /// Sessions that are over, by whom they were with.
    over: BTreeSet<(Mac, u16)>,
    /// Every number that was ever given.
    ids: BTreeSet<u16>,
    shutdown: Option<Instant>,
    /// The first law that was broken.
    broken: Option<String>,
}

impl Laws {
    pub(super) fn new(timing: Vec<CallTiming>, last_words: Vec<Duration>) -> Self {
        let count = timing.len();
        Self {
            timing,
            last_words,
            calls: vec![None; count],
            sessions: vec![None; count],
            alone: vec![None; count],
            off_hook: vec![false; count],
            waiting: BTreeMap::new(),
            new_padr: None,
            over: BTreeSet::new(),
            ids: BTreeSet::new(),
            shutdown: None,
            broken: None,
        }
    }

    pub(super) fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    fn law(&mut self, holds: bool, text: impl FnOnce() -> String) {
        if !holds && self.broken.is_none() {
            self.broken = Some(text());
        }
    }

    // --- What the bridge is told ------------------------------------------------------------------------

    /// A PADR is handed in; whether it is dropped, the bridge says at once.
    pub(super) fn padr(&mut self, now: Instant, peer: Mac) {
        self.new_padr = (!self.waiting.contains_key(&peer)).then_some(peer);
        self.waiting.entry(peer).or_insert(now);
    }

    pub(super) fn interface_down(&mut self) {
        self.waiting.clear();
    }

    pub(super) fn shutdown(&mut self, now: Instant) {
        self.shutdown.get_or_insert(now);
    }

    /// The device is gone: nothing can hang it up any more.
    pub(super) fn lost(&mut self, modem: usize) {
        self.off_hook[modem] = false;
    }

    pub(super) fn padr_taken(&mut self) {
        self.new_padr = None;
    }

    // --- What the bridge wants done ---------------------------------------------------------------------

    pub(super) fn opened(&mut self, modem: usize) {
        let is_on_hook = !self.off_hook[modem];
        self.law(is_on_hook, || format!("modem {modem} was opened before the last call was hung up"));
        self.off_hook[modem] = true;
    }

    pub(super) fn hung_up(&mut self, modem: usize) {
        self.off_hook[modem] = false;
    }

    /// Ready again, for a dial or for a last word.
    pub(super) fn raised(&mut self, modem: usize, state: ModemState) {
        self.off_hook[modem] = state == ModemState::Opening;
    }

    pub(super) fn closed(&mut self, modem: usize) {
        let is_on_hook = !self.off_hook[modem];
        self.law(is_on_hook, || format!("modem {modem} was closed but not hung up"));
    }

    /// Octets for a modem, or PPP, `wanted` saying which it must be ready for.
    pub(super) fn modem_gets(&mut self, modem: usize, is_ready: bool, what: &str) {
        self.law(is_ready, || format!("modem {modem} got {what} when it could not take that"));
    }

    pub(super) fn nobody_gets(&mut self, modem: usize) {
        self.law(false, || format!("a PPP frame for the host of modem {modem}, which has none"));
    }

    /// A frame for a host.
    pub(super) fn sent(&mut self, frame: &[u8]) {
        let Some(packet) = Packet::parse(frame) else {
            return self.law(false, || "a frame that is not PPPoE was sent".to_owned());
        };
        let (peer, id) = (packet.destination, packet.session_id);
        if packet.ethertype == ETHERTYPE_DISCOVERY {
            let text = String::from_utf8_lossy(packet.payload);
            let is_told = ["/dev/", "process", "received"].iter().any(|secret| text.contains(secret));
            self.law(!is_told, || format!("{peer} was told what is for the operator alone: {text}"));
        }
        if packet.ethertype == ETHERTYPE_SESSION {
            // RFC 2516 §5.5: after a PADT no PPP frame is sent, whoever sent the PADT.
            let is_over = self.over.contains(&(peer, id));
            self.law(!is_over, || format!("a frame of session {id:#06x} was sent to {peer} after its PADT"));
        } else if packet.code == PADS {
            self.waiting.remove(&peer);
            // A number that a stray frame once named may be given to a session later.
            self.over.remove(&(peer, id));
        } else if packet.code == PADT {
            self.over.insert((peer, id));
        }
    }

    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::Discarded { .. } => {
                if let Some(peer) = self.new_padr.take() {
                    self.waiting.remove(&peer);
                }
            }
            Event::CallStarted { modem, peer } => {
                let before = self.calls[usize::from(modem.0)].replace(*peer);
                self.law(before.is_none(), || format!("{modem} was called twice"));
            }
            Event::ConnectFailed { modem, .. } | Event::CallEnded { modem, .. } => {
                let before = self.calls[usize::from(modem.0)].take();
                self.law(before.is_some(), || format!("a call of {modem} ended that never began"));
            }
            Event::SessionOpened { session_id, peer, modem, .. } => {
                self.session_opened(session_id.get(), *peer, usize::from(modem.0));
            }
            Event::SessionClosed { session_id, peer, modem, reason, .. } => {
                self.session_closed(session_id.get(), *peer, usize::from(modem.0), reason);
            }
            _ => {}
        }
    }

    fn session_opened(&mut self, id: u16, peer: Peer, modem: usize) {
        self.law(id != 0 && id != 0xffff, || format!("a session is numbered {id:#06x}"));
        let is_new = self.ids.insert(id);
        self.law(is_new, || format!("session number {id:#06x} came back too soon"));
        let is_callee = self.calls[modem] == Some(peer);
        self.law(is_callee, || format!("modem {modem} has a session with another than it was called for"));
        let before = self.sessions[modem].replace((id, peer));
        self.law(before.is_none(), || format!("modem {modem} has two sessions"));
    }

    fn session_closed(&mut self, id: u16, peer: Peer, modem: usize, reason: &CloseReason) {
        let before = self.sessions[modem].take();
        self.law(before == Some((id, peer)), || format!("a session ended that modem {modem} did not have"));
        let is_told = !self.over.insert((Mac(peer.mac.0), id));
        let knows = is_told || *reason == CloseReason::HostPadt;
        self.law(knows, || format!("nobody told {} that session {id:#06x} is over", peer.mac));
    }

    // --- What holds between any two things that happen --------------------------------------------------

    pub(super) fn check(&mut self, now: Instant, bridge: &Bridge, table: &SessionTable, cables: &[Cable]) {
        self.check_sessions(bridge, table);
        self.check_calls(now, bridge, cables);
        self.check_waiting(now);
        if let Some(since) = self.shutdown.filter(|_| !bridge.is_finished()) {
            let limit = since + self.longest_end() + SLACK;
            self.law(now <= limit, || "the shutdown takes too long".to_owned());
        }
    }

    fn check_sessions(&mut self, bridge: &Bridge, table: &SessionTable) {
        for route in table.iter() {
            let state = bridge.modem_state(route.modem);
            let has_modem = match state {
                Some(ModemState::Opening | ModemState::Dialing) => !route.connected,
                Some(ModemState::Online | ModemState::Terminating) => true,
                _ => false,
            };
            self.law(has_modem, || format!("{} has a session but is {state:?}", route.modem));
            let is_known = self.sessions[usize::from(route.modem.0)]
                .is_some_and(|(id, peer)| id == route.session_id.get() && peer.mac == route.peer);
            self.law(is_known, || format!("frames of {} are forwarded without a session", route.modem));
        }
        let sessions = self.sessions.iter().flatten().count();
        self.law(sessions == table.iter().count(), || "a session's frames are not forwarded".to_owned());
    }

    fn check_calls(&mut self, now: Instant, bridge: &Bridge, cables: &[Cable]) {
        let mut peers = BTreeSet::new();
        for (modem, cable) in cables.iter().enumerate() {
            let state = bridge.modem_state(modem_id(modem)).expect("the bridge knows every modem");
            let is_calling = matches!(state, ModemState::Opening | ModemState::Dialing | ModemState::Online);
            let called = self.calls[modem];
            let has_call = called.is_some() == (is_calling || state == ModemState::Terminating);
            self.law(has_call, || format!("modem {modem} is {state} with {called:?}"));
            if let Some(peer) = called.filter(|_| is_calling) {
                let is_first = peers.insert(peer);
                self.law(is_first, || format!("{} has two calls", peer.mac));
            }
            // A modem may be looked at before it is dialled. A lost device is closed while its host is still being told, and a call may be given up before
            // its device was open.
            let is_right = match state {
                ModemState::Opening | ModemState::Terminating | ModemState::HangingUp => true,
                _ => cable.is_open == state.is_open(),
            };
            let is_open = cable.is_open;
            self.law(is_right, || format!("modem {modem} is {state}, but open: {is_open}"));
            let talks = cable.is_forgotten();
            self.law(!talks, || format!("modem {modem} is closed, but its call goes on"));
            self.check_alone(now, modem, state);
        }
    }

    /// A connected modem costs money: without a peer it stays so for the warm time at most.
    fn check_alone(&mut self, now: Instant, modem: usize, state: ModemState) {
        if state != ModemState::Online || self.sessions[modem].is_some() {
            self.alone[modem] = None;
            return;
        }
        let since = *self.alone[modem].get_or_insert(now);
        let limit = since + self.timing[modem].warm;
        self.law(now <= limit, || format!("modem {modem} is connected for nobody since {since}"));
    }

    /// Every host that asks is answered.
    fn check_waiting(&mut self, now: Instant) {
        let answer_by = self.longest(|timing| timing.answer_by);
        let on_its_way_down = self.longest_end();
        let late = self.waiting.iter().find(|(_, since)| now > **since + answer_by + on_its_way_down + SLACK);
        let late = late.map(|(peer, since)| format!("{peer} waits for a PADS since {since}"));
        self.law(late.is_none(), || late.unwrap_or_default());
    }

    /// A goodbye, and what hanging up takes.
    fn longest_end(&self) -> Duration {
        let last_words = self.last_words.iter().max().copied().unwrap_or_default();
        self.longest(|timing| timing.restart + timing.on_hook) + last_words
    }

    fn longest(&self, of: impl Fn(&CallTiming) -> Duration) -> Duration {
        self.timing.iter().map(of).max().unwrap_or_default()
    }
}

/// What a check may come late.
const SLACK: Duration = Duration::from_millis(10);

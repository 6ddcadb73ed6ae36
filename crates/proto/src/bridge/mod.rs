//! Where discovery, modems and sessions meet: the policy of the whole.
//!
//! [`Bridge`] is sans-IO. It decides everything (who gets which modem, when a PADS is sent, when to hang
//! up) and touches nothing, so a year of line faults runs in a second.
//!
//! The caller must
//! 1. hand in what happens, with the time, by [`Bridge::handle_input`];
//! 2. carry out every [`Output`], in order, until [`Bridge::poll_output`] gives `None`: after each input;
//! 3. call [`Bridge::handle_timeout`] at [`Bridge::poll_timeout`]; an early or extra call does nothing.
//!
//! A call belongs to the modem: one dial per (peer, service) outlives the handshake that began it.
//!
//! ```text
//!   PADR ──▶ admission ──▶ call (open, dial, connect) ──▶ session (PADS, LCP) ──▶ goodbye ──▶ hang up
//! ```

mod access;
mod admission;
mod call;
mod command;
mod config;
mod dialing;
mod goodbye;
mod io;
mod limits;
mod lockout;
mod offers;
mod pool;
mod reconfigure;
mod refusal;
mod rescue;
mod session;
mod snapshot;
mod strays;
mod watch;

pub use access::{Access, MacPattern};
pub use config::{BridgeConfig, CallTiming, DialMethod, InterfaceConfig, ModemConfig, ServiceConfig};
pub use io::{Input, ModemCommand, Output};
pub use limits::Limits;
pub use offers::OfferDelay;
pub use pool::{BusyPolicy, PoolPolicy};
pub use reconfigure::{ModemChange, Reconfiguration};
pub use rescue::{RescueConfig, RescueWhen};
pub use snapshot::{CallSnapshot, ModemSnapshot, Rest, ServiceSnapshot, SessionSnapshot, Snapshot};
pub use watch::{Traffic, WatchConfig};

use crate::discard::DiscardReason;
use crate::discovery;
use crate::discovery::{AccessConcentrator, CookieMint, LocalInterface, SessionIdAllocator};
use crate::event::{CloseReason, Event, Peer, RefusalReason};
use crate::id::{InterfaceId, ModemId};
use crate::modem::{ModemState, ModemTrigger};
use crate::time::Instant;
use crate::wire::ethernet::MacAddr;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use call::Line;
use core::time::Duration;
use limits::Gate;
use lockout::Lockout;
use offers::Offers;
use pool::Pools;
use strays::Strays;

/// Randomness from outside: fresh at every start, and secret.
#[derive(Clone, Copy)]
pub struct Seed(pub [u8; 32]);

/// The control plane.
#[derive(Debug)]
pub struct Bridge {
    config: BridgeConfig,
    mint: CookieMint,
    /// One for each interface: each has its AC-Name.
    concentrators: Vec<AccessConcentrator>,
    session_ids: SessionIdAllocator,
    interfaces: Vec<Option<LocalInterface>>,
    lines: Vec<Line>,
    pools: Pools,
    offers: Offers,
    gate: Gate,
    random: Random,
    strays: Strays,
    lockout: Lockout,
    /// Which services take no new calls, in the order of the configuration.
    drained: Vec<bool>,
    outputs: VecDeque<Output>,
    shutting_down: bool,
}

impl Bridge {
    /// A bridge to which nothing has happened yet: no interface is up and no modem there.
    #[must_use]
    pub fn new(config: BridgeConfig, seed: Seed) -> Self {
        let mut random = Random::new(&seed);
        let mint = CookieMint::new(random.key());
        let session_ids = SessionIdAllocator::new(random.next_u16());
        let lines = config
            .modems
            .iter()
            .zip(0..)
            .map(|(modem, number)| Line::new(ModemId(number), modem.clone()))
            .collect();
        let interfaces = config.interfaces.iter().map(|_| None).collect();
        let drained = config.services.iter().map(|_| false).collect();
        Self {
            pools: Pools::new(config.services.len(), config.modems.len()),
            offers: Offers::default(),
            gate: Gate::new(config.interfaces.len()),
            concentrators: Self::concentrators(&config, &mint),
            mint,
            config,
            session_ids,
            interfaces,
            lines,
            random,
            strays: Strays::default(),
            lockout: Lockout::default(),
            drained,
            outputs: VecDeque::new(),
            shutting_down: false,
        }
    }

    fn concentrators(config: &BridgeConfig, mint: &CookieMint) -> Vec<AccessConcentrator> {
        let concentrator = |interface: &InterfaceConfig| {
            AccessConcentrator::new(interface.ac_name.clone(), mint.clone(), config.discovery)
        };
        config.interfaces.iter().map(concentrator).collect()
    }

    /// Something happened.
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Discovery { interface, frame } => self.on_discovery(now, interface, frame),
            Input::StraySession { interface, source, session_id } => {
                self.on_stray(now, interface, source, session_id);
            }
            Input::HostLcp { modem, ppp } => self.on_host_lcp(now, modem, ppp),
            Input::ModemLcp { modem, ppp } => self.on_modem_lcp(now, modem, ppp),
            Input::InterfaceUp { interface, mac, mtu } => self.on_interface_up(now, interface, mac, mtu),
            Input::InterfaceDown { interface } => {
                self.leave_interface(now, interface, &CloseReason::InterfaceDown);
            }
            Input::ModemAppeared { modem } => self.on_modem_appeared(now, modem),
            Input::ModemVanished { modem } => {
                self.lose_modem(now, modem, "it was unplugged".into());
            }
            Input::ModemFailed { modem, why } => self.lose_modem(now, modem, why),
            Input::ModemOpened { modem } => self.on_modem_opened(now, modem),
            Input::ModemOpenFailed { modem, why } => self.on_open_failed(now, modem, why),
            Input::ModemOctets { modem, octets } => self.on_modem_octets(now, modem, octets),
            Input::FileContents { modem, contents } => self.on_file(now, modem, contents),
            Input::CommandSucceeded { modem } => self.on_command_succeeded(now, modem),
            Input::CommandFailed { modem, why } => self.on_command_failed(now, modem, why),
            Input::Traffic { modem, traffic } => self.on_traffic(now, modem, traffic),
            Input::NoCarrier { modem } => self.end_call(now, modem, CloseReason::NoCarrier),
            Input::CarrierLost { modem } => {
                // A tty that was hung up takes no more words, not even a hang-up script's.
                if let Some(line) = self.line_mut(modem) {
                    line.opened = false;
                }
                self.end_call(now, modem, CloseReason::CarrierLost);
            }
            Input::Disconnect { session_id } => self.on_disconnect(now, session_id),
            Input::Drain { service } => self.on_drain(service),
            Input::Resume { service } => self.on_resume(service),
            Input::Reconfigure(change) => self.on_reconfigure(now, *change),
            Input::Shutdown => self.shut_down(now),
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        // By number, not from a list that takes memory: frames pass meanwhile. A modem is never taken out of `lines`.
        for number in 0..self.lines.len() {
            if let Some(modem) = self.lines.get(number).map(|line| line.id) {
                self.on_line_timeout(now, modem);
            }
        }
        self.make_due_offers(now);
    }

    /// The next thing to be done outside.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Bridge::handle_timeout`] is to be called next, if nothing happens until then.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.lines.iter().filter_map(Line::poll_timeout).chain(self.offers.poll_timeout()).min()
    }

    /// Whether [`Input::Shutdown`] was given: nothing is begun any more, and nothing changed.
    #[must_use]
    pub const fn is_shutting_down(&self) -> bool {
        self.shutting_down
    }

    /// Whether, after [`Input::Shutdown`], everybody has been told and every modem is closed.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.shutting_down && self.lines.iter().all(|line| line.call.is_none() && !line.state.is_open())
    }

    /// How long the goodbyes of a shutdown may take.
    #[must_use]
    pub fn longest_goodbye(&self) -> Duration {
        let of_line = |line: &Line| {
            let timing = line.config.timing;
            let script =
                if line.config.hang_up.is_some() { dialing::LONGEST_HANG_UP } else { Duration::ZERO };
            timing.restart + timing.on_hook + script
        };
        self.lines.iter().map(of_line).max().unwrap_or_default()
    }

    /// The state of a modem.
    #[must_use]
    pub fn modem_state(&self, modem: ModemId) -> Option<ModemState> {
        self.line(modem).map(|line| line.state)
    }

    fn emit(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    fn report(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn line(&self, modem: ModemId) -> Option<&Line> {
        self.lines.get(usize::from(modem.0))
    }

    fn line_mut(&mut self, modem: ModemId) -> Option<&mut Line> {
        self.lines.get_mut(usize::from(modem.0))
    }

    fn interface(&self, interface: InterfaceId) -> Option<LocalInterface> {
        self.interfaces.get(usize::from(interface.0)).copied().flatten()
    }

    /// Takes a modem along an edge of its picture; says whether there was one.
    fn change_state(&mut self, modem: ModemId, trigger: ModemTrigger, deadline: Option<Instant>) -> bool {
        let Some(line) = self.line_mut(modem) else { return false };
        let Some(state) = line.state.after(trigger) else { return false };
        let changed = line.state != state;
        line.state = state;
        line.deadline = deadline;
        if matches!(state, ModemState::Absent | ModemState::Idle | ModemState::BackingOff) {
            line.adopt_change();
        }
        if changed {
            self.report(Event::ModemState { modem, state });
        }
        true
    }

    fn on_interface_up(&mut self, now: Instant, id: InterfaceId, mac: MacAddr, mtu: u16) {
        // Hosts know their sessions by our address: with another one they are lost, and only from the old one
        // can they be told.
        if self.interface(id).is_some_and(|before| before.mac != mac) {
            self.forget_offers_on(id);
            self.end_calls_on(now, id, &CloseReason::InterfaceDown);
        }
        if let Some(slot) = self.interfaces.get_mut(usize::from(id.0)) {
            *slot = Some(LocalInterface { id, mac, mtu });
        }
        self.reinstall_routes(id);
    }

    fn leave_interface(&mut self, now: Instant, id: InterfaceId, reason: &CloseReason) {
        self.forget_offers_on(id);
        self.end_calls_on(now, id, reason);
        if let Some(slot) = self.interfaces.get_mut(usize::from(id.0)) {
            *slot = None;
        }
    }

    fn forget_offers_on(&mut self, id: InterfaceId) {
        self.forget_offers(DiscardReason::InterfaceDown, |held| held.peer.interface == id);
    }

    /// What an interface carries is the MTU it has now.
    fn reinstall_routes(&mut self, id: InterfaceId) {
        let Some(local) = self.interface(id) else { return };
        let on_it = |line: &&Line| line.session().is_some_and(|session| session.peer.interface == id);
        let modems: Vec<ModemId> = self.lines.iter().filter(on_it).map(|line| line.id).collect();
        for modem in modems {
            self.install_route(&local, modem);
        }
    }

    fn end_calls_on(&mut self, now: Instant, id: InterfaceId, reason: &CloseReason) {
        let on_it = |line: &&Line| line.call.as_ref().is_some_and(|call| call.peer.interface == id);
        let modems: Vec<ModemId> = self.lines.iter().filter(on_it).map(|line| line.id).collect();
        for modem in modems {
            self.end_call(now, modem, reason.clone());
        }
        for line in &mut self.lines {
            line.next.take_if(|next| next.request.interface == id);
        }
    }

    fn shut_down(&mut self, now: Instant) {
        self.shutting_down = true;
        self.forget_offers(DiscardReason::ServiceUnavailable, |_| true);
        let modems: Vec<ModemId> = self.lines.iter().map(|line| line.id).collect();
        for modem in modems {
            if let Some(next) = self.line_mut(modem).and_then(|line| line.next.take()) {
                self.refuse(&next.request, RefusalReason::ShuttingDown);
            }
            self.end_call(now, modem, CloseReason::Shutdown);
        }
    }

    /// A host left over from before a restart is told that its session is gone, so that it comes back
    /// quickly; at a limited rate, so that nobody can make us flood anybody.
    fn on_stray(&mut self, now: Instant, id: InterfaceId, source: MacAddr, session_id: u16) {
        let Some(local) = self.interface(id) else { return };
        let Some(session_id) = crate::wire::discovery::SessionId::new(session_id) else { return };
        let peer = Peer { interface: id, mac: source };
        // What bears our own address is no host's: a loop, or somebody who wants us to talk to ourselves.
        if !source.is_unicast() || source == local.mac || !self.strays.allow(now, peer, session_id) {
            return;
        }
        let frame = discovery::padt(&local, source, session_id, None, Some("no such session"));
        self.emit(Output::SendDiscovery { interface: id, frame });
        self.report(Event::StrayAnswered(peer));
    }

    fn on_line_timeout(&mut self, now: Instant, modem: ModemId) {
        self.on_conversation_timeout(now, modem);
        let Some(line) = self.line_mut(modem) else { return };
        if line.answer_due().is_some_and(|due| due <= now) {
            self.open_session(now, modem);
        }
        self.handle_watch(now, modem);
        if self.line(modem).and_then(Line::link_due).is_some_and(|due| due <= now) {
            self.give_up_link(now, modem);
        }
        let Some(line) = self.line_mut(modem) else { return };
        if line.deadline.is_none_or(|deadline| deadline > now) {
            return;
        }
        line.deadline = None;
        match line.state {
            ModemState::Absent | ModemState::Idle => {}
            ModemState::Opening => self.on_opening_timeout(now, modem),
            ModemState::Dialing => self.on_dial_timeout(now, modem),
            ModemState::Online => self.end_call(now, modem, CloseReason::NobodyCame),
            ModemState::Terminating => self.finish_goodbyes(now, modem),
            ModemState::HangingUp => self.on_hung_up(now, modem),
            ModemState::BackingOff => {
                line.rest = None;
                self.change_state(modem, ModemTrigger::Elapsed, None);
            }
        }
    }
}

/// Numbers nobody can guess from outside that need no more strength than that: jitter and identifiers.
#[derive(Debug)]
struct Random {
    key: [u8; 16],
    state: u64,
}

impl Random {
    fn new(seed: &Seed) -> Self {
        let (key, rest) = seed.0.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
        let state = rest.first_chunk::<8>().map_or(1, |octets| u64::from_le_bytes(*octets));
        Self { key: *key, state: state | 1 }
    }

    fn key(&self) -> [u8; 16] {
        self.key
    }

    /// xorshift64*.
    fn next_u32(&mut self) -> u32 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }

    fn next_u16(&mut self) -> u16 {
        (self.next_u32() >> 16) as u16
    }

    fn next_u8(&mut self) -> u8 {
        (self.next_u32() >> 24) as u8
    }
}

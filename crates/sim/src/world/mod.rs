//! [`World`]: hosts, an Ethernet, the real bridge, serial cables and modems, in virtual time.
//!
//! It does around [`Bridge`], `forward` and `hdlc` what the daemon's event loop does around them, with octets
//! and frames instead of sockets and ttys, and writes down what happens. Between any two things that happen it
//! checks its laws: no session without a modem, no modem with two peers, no frame after a PADT, every dial hung
//! up, every peer told, no call for nobody. A broken law panics with the seed and the transcript.
//!
//! The story's author says what is done and how long; time passes only in `run_*`.
//!
//! ```text
//!   Host ─┐                     ┌─────────────── World ───────────────┐
//!   Host ─┼─ Segment ── frames ─┤ forward, SessionTable ── framer ─┐  │
//!   ...  ─┘                     │         Bridge ── Output ────────┼──┼─ Cable ─ Modem
//!                               └──────────────────────────────────┘  │
//! ```

mod act;
mod cable;
mod config;
mod inputs;
mod laws;
mod outputs;
mod transcript;

use std::time::Duration;

use bridge_proto::bridge::{Bridge, Input, Seed};
use bridge_proto::discard::DiscardReason;
use bridge_proto::forward::SessionTable;
use bridge_proto::id::InterfaceId;
use bridge_proto::modem::ModemState;
use bridge_proto::time::Instant;
use bridge_proto::wire::ethernet::MacAddr;

use crate::host::{Host, HostEvent};
use crate::modem::Modem;
use crate::pppoe::Mac;
use crate::prng::Prng;
use crate::segment::Segment;
use cable::Cable;
use config::modem_id;
use laws::Laws;

pub use config::{DIAL_SCRIPT, ModemSetup, WorldConfig, host_mac};
pub use transcript::{Entry, What, Who};

/// The bridge's address, unless the author changes it.
pub const BRIDGE: Mac = Mac([2, 0, 0, 0, 0, 0xac]);
/// A station that is no host, for frames of the author's own.
pub const STRANGER: Mac = Mac([2, 0, 0, 0, 0, 0x66]);

/// The bridge has one interface here.
const INTERFACE: InterfaceId = InterfaceId(0);
const MTU: u16 = 1500;
/// More than this at one instant is a story that does not go on.
const MAX_STEPS_AT_ONCE: u32 = 100_000;
/// So many things that are due at one instant, one after the other, are no progress.
const MAX_TIMEOUTS_AT_ONCE: u32 = 10;

/// A bridge with all that is around it.
#[derive(Debug)]
pub struct World {
    now: Instant,
    config: WorldConfig,
    prng: Prng,
    bridge: Bridge,
    table: SessionTable,
    segment: Segment,
    address: Option<Mac>,
    mtu: u16,
    hosts: Vec<Host>,
    cables: Vec<Cable>,
    timers: Vec<(Instant, Timer)>,
    /// How long each modem's device takes to open, if it takes any time.
    open_times: Vec<Duration>,
    /// What a modem had said behind its CONNECT.
    leftover: Option<(usize, Vec<u8>)>,
    transcript: Vec<Entry>,
    /// So many entries the author has let pass, or waited for.
    seen: usize,
    discards: Vec<u64>,
    laws: Laws,
    steps_at_once: u32,
}

/// What the event loop itself waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    LookForModem(usize),
    ModemOpened(usize),
}

impl World {
    /// A world in which the bridge has just started, its interface is up and every modem is there.
    #[must_use]
    pub fn new(config: WorldConfig) -> Self {
        let mut prng = Prng::new(config.seed);
        let mut segment = Segment::new(config.faults, prng.next_u64());
        segment.attach(BRIDGE);
        segment.attach(STRANGER);
        let mut hosts = Vec::new();
        for host in &config.hosts {
            segment.attach(host.mac);
            hosts.push(Host::new(host.clone(), prng.next_u64()));
        }
        let cables =
            config.modems.iter().map(|setup| Cable::new(setup.modem.clone(), prng.next_u64())).collect();
        let mut world = Self {
            now: Instant::ZERO,
            bridge: Bridge::new(config.bridge(), seed(&mut prng)),
            table: SessionTable::new(),
            segment,
            address: Some(BRIDGE),
            mtu: MTU,
            hosts,
            cables,
            timers: Vec::new(),
            open_times: Vec::new(),
            leftover: None,
            transcript: Vec::new(),
            seen: 0,
            discards: vec![0; DiscardReason::ALL.len()],
            laws: new_laws(&config),
            steps_at_once: 0,
            prng,
            config,
        };
        world.introduce();
        world
    }

    /// Tells a new bridge what there is.
    fn introduce(&mut self) {
        if let Some(address) = self.address {
            self.input(Input::InterfaceUp { interface: INTERFACE, mac: MacAddr(address.0), mtu: self.mtu });
        }
        for number in 0..self.cables.len() {
            self.look_for_modem(number);
        }
        self.settle();
    }

    // --- Looking on -------------------------------------------------------------------------------------

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The bridge.
    #[must_use]
    pub fn bridge(&self) -> &Bridge {
        &self.bridge
    }

    /// The sessions whose frames are forwarded.
    #[must_use]
    pub fn table(&self) -> &SessionTable {
        &self.table
    }

    /// How many hosts there are.
    #[must_use]
    pub fn hosts(&self) -> usize {
        self.hosts.len()
    }

    /// How many modems there are.
    #[must_use]
    pub fn modems(&self) -> usize {
        self.cables.len()
    }

    /// The host numbered `host`.
    #[must_use]
    pub fn host(&self, host: usize) -> &Host {
        &self.hosts[host]
    }

    /// The modem numbered `modem`.
    #[must_use]
    pub fn modem(&self, modem: usize) -> &Modem {
        &self.cables[modem].modem
    }

    /// The bridge's view of a modem.
    #[must_use]
    pub fn state(&self, modem: usize) -> ModemState {
        self.bridge.modem_state(modem_id(modem)).expect("the bridge knows every modem")
    }

    /// How many frames were dropped for this reason, events of the bridge included.
    #[must_use]
    pub fn discarded(&self, reason: DiscardReason) -> u64 {
        self.discards[reason.index()]
    }

    /// All that happened.
    #[must_use]
    pub fn transcript(&self) -> &[Entry] {
        &self.transcript
    }

    /// All that happened since the entry numbered `from`, of which these are the ones asked for.
    #[must_use]
    pub fn count(&self, from: usize, is_it: impl Fn(&Entry) -> bool) -> usize {
        self.transcript[from..].iter().filter(|entry| is_it(entry)).count()
    }

    /// The transcript as text.
    #[must_use]
    pub fn print(&self) -> String {
        self.transcript.iter().map(|entry| format!("{entry}\n")).collect()
    }

    // --- Time -------------------------------------------------------------------------------------------

    /// Lets so much time pass.
    #[track_caller]
    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.advance(end) {}
        self.seen = self.transcript.len();
    }

    /// Lets time pass until something happens, and gives it: the first since what was last waited for.
    ///
    /// # Panics
    /// If it does not happen within that time.
    #[track_caller]
    pub fn run_until(&mut self, within: Duration, is_it: impl FnMut(&Entry) -> bool) -> Entry {
        match self.try_run_until(within, is_it) {
            Some(entry) => entry,
            None => self.fail("what the story waits for did not happen"),
        }
    }

    /// Lets time pass until something happens, and gives it; nothing if it does not happen within that time.
    #[track_caller]
    pub fn try_run_until(
        &mut self,
        within: Duration,
        mut is_it: impl FnMut(&Entry) -> bool,
    ) -> Option<Entry> {
        let end = self.now + within;
        loop {
            if let Some(found) = self.transcript[self.seen..].iter().position(&mut is_it) {
                self.seen += found + 1;
                return self.transcript.get(self.seen - 1).cloned();
            }
            self.seen = self.transcript.len();
            if !self.advance(end) && self.seen == self.transcript.len() {
                return None;
            }
        }
    }

    /// Lets time pass until something is so.
    ///
    /// # Panics
    /// If it does not become so within that time.
    #[track_caller]
    pub fn run_until_it_is(&mut self, within: Duration, is_so: impl Fn(&Self) -> bool) {
        let end = self.now + within;
        while !is_so(self) {
            if !self.advance(end) && !is_so(self) {
                self.fail("what the story waits for did not come true");
            }
        }
    }

    /// Does what is due next, if that is due by `end`; otherwise it is `end`.
    #[track_caller]
    fn advance(&mut self, end: Instant) -> bool {
        let Some(due) = self.poll_timeout().filter(|due| *due <= end) else {
            self.now = end;
            self.check();
            return false;
        };
        if due > self.now {
            self.now = due;
            self.steps_at_once = 0;
        }
        self.steps_at_once += 1;
        if self.steps_at_once > MAX_STEPS_AT_ONCE {
            self.fail("time stands still");
        }
        self.handle_timeouts();
        self.settle();
        true
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let hosts = self.hosts.iter().filter_map(Host::poll_timeout);
        let plugged = self.cables.iter().filter(|cable| cable.is_plugged);
        let modems = plugged.filter_map(|cable| cable.modem.poll_timeout());
        let timers = self.timers.iter().map(|(due, _)| *due);
        let others = [self.bridge.poll_timeout(), self.segment.poll_timeout()];
        hosts.chain(modems).chain(timers).chain(others.into_iter().flatten()).min()
    }

    fn handle_timeouts(&mut self) {
        let now = self.now;
        let is_due = |due: Option<Instant>| due.is_some_and(|due| due <= now);
        self.segment.handle_timeout(now);
        for host in self.hosts.iter_mut().filter(|host| is_due(host.poll_timeout())) {
            host.handle_timeout(now);
        }
        let plugged = self.cables.iter_mut().filter(|cable| cable.is_plugged);
        for cable in plugged.filter(|cable| is_due(cable.modem.poll_timeout())) {
            cable.modem.handle_timeout(now);
        }
        while let Some(at) = self.timers.iter().position(|(due, _)| *due <= now) {
            match self.timers.swap_remove(at).1 {
                Timer::LookForModem(modem) => self.look_for_modem(modem),
                Timer::ModemOpened(modem) => self.finish_open(modem),
            }
        }
        // What is due may make something else due at once; but that has an end.
        for _ in 0..MAX_TIMEOUTS_AT_ONCE {
            if !is_due(self.bridge.poll_timeout()) {
                return;
            }
            self.bridge.handle_timeout(now);
            self.carry_out();
        }
        self.fail("the bridge does not do what is due");
    }

    /// Carries everything where it goes, until nothing moves at this instant.
    #[track_caller]
    fn settle(&mut self) {
        loop {
            let mut moved = false;
            for modem in 0..self.cables.len() {
                moved |= self.cables[modem].flush(self.now);
                moved |= self.listen_to_modem(modem);
            }
            for host in 0..self.hosts.len() {
                moved |= self.listen_to_host(host);
            }
            while let Some(delivery) = self.segment.poll_output() {
                moved = true;
                self.deliver(&delivery);
            }
            if !moved {
                return self.check();
            }
        }
    }

    #[track_caller]
    fn check(&mut self) {
        self.laws.check(self.now, &self.bridge, &self.table, &self.cables);
        if let Some(law) = self.laws.broken() {
            let law = law.to_owned();
            self.fail(&law);
        }
    }

    /// Ends the story.
    #[track_caller]
    fn fail(&self, why: &str) -> ! {
        panic!("{why}\nseed {:#x}, at {}\n{}", self.config.seed, self.now, self.print());
    }

    fn note(&mut self, who: Who, what: What) {
        self.transcript.push(Entry { at: self.now, who, what });
    }
}

/// How often the daemon looks whether a modem's device is there again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

fn seed(prng: &mut Prng) -> Seed {
    let mut octets = [0; 32];
    prng.fill(&mut octets);
    Seed(octets)
}

fn new_laws(config: &WorldConfig) -> Laws {
    /// However long its script is, it is given up after this.
    const LAST_WORDS: Duration = Duration::from_secs(15);
    let modems = config.modems.iter().map(|setup| &setup.bridge);
    let last_words =
        modems.clone().map(|modem| if modem.hang_up.is_some() { LAST_WORDS } else { Duration::ZERO });
    Laws::new(modems.clone().map(|modem| modem.timing).collect(), last_words.collect())
}

/// Whether this is a host's report of its session.
#[must_use]
pub fn is_up(entry: &Entry, host: usize) -> bool {
    use crate::ppp::EndpointEvent;
    matches!(entry.host(host), Some(HostEvent::Ppp(EndpointEvent::IpcpUp { .. })))
}

//! What operators get to see: the one table from events to log lines, and the counters of what was dropped.
//!
//! It promises a line for each event of our own modems, and no flood whatever hosts send: of each kind of line that
//! others can cause only some are written, and how many were left out is said. So a host that floods one kind hides
//! nothing of another. No decision is made here.

mod pace;
mod problems;

use bridge_linux::OsError;
use bridge_proto::discard::DiscardReason;
use bridge_proto::discovery::ServiceName;
use bridge_proto::event::{CloseReason, Direction, Event, Peer, RefusalReason};
use bridge_proto::id::{InterfaceId, ModemId};
use bridge_proto::modem::{ModemState, RescueStep};
use bridge_proto::notation;
use bridge_proto::queue::Counts;
use bridge_proto::time::Instant;
use bridge_proto::wire::discovery::DiscoveryPacket;
use pace::{LineLimit, Said, ToldCount};
use problems::Problems;
use std::fmt;
use std::io::IsTerminal;
use std::mem::{Discriminant, discriminant};
use std::sync::OnceLock;
use std::time::Duration;
use tracing::level_filters::LevelFilter;
use tracing::{Level, debug, enabled, info, warn};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::LogLevel;

/// Where the level can be changed, unless the command line has said which it is.
static LEVEL: OnceLock<Handle<LevelFilter, Registry>> = OnceLock::new();

/// Logs to standard error: with colours on a terminal, without times where the journal adds its own. What is `given`
/// by the command line counts before what is `configured`.
pub(crate) fn start_logging(given: Option<LogLevel>, configured: LogLevel) {
    let (filter, handle) = reload::Layer::new(level_filter(given.unwrap_or(configured)));
    let lines = tracing_subscriber::fmt::layer()
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    // A second subscriber can only be a second daemon in one process, which logs with the first.
    let started = if std::env::var_os("JOURNAL_STREAM").is_some() {
        registry.with(lines.without_time()).try_init()
    } else {
        registry.with(lines).try_init()
    };
    if started.is_ok() && given.is_none() {
        let _ = LEVEL.set(handle);
    }
}

fn level_filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

/// Log and counters of one daemon.
#[derive(Debug)]
pub(crate) struct Report {
    interfaces: Vec<String>,
    modems: Vec<String>,
    discards: [ToldCount; DiscardReason::ALL.len()],
    limits: [LineLimit; Kind::ALL.len()],
    left_out: [ToldCount; Kind::ALL.len()],
    /// Whether packets are described; asked seldom, for the per-frame path.
    describes: bool,
    /// Packets marked by ECN instead of being dropped.
    marked: u64,
    /// Who was told lately to be offered nothing, of which service and why.
    not_offered: Said<(Peer, ServiceName, Discriminant<RefusalReason>)>,
    problems: Problems,
}

impl Report {
    /// Logging must have been started.
    pub(crate) fn new(interfaces: Vec<String>, modems: Vec<String>) -> Self {
        Self {
            interfaces,
            modems,
            discards: [ToldCount::ZERO; DiscardReason::ALL.len()],
            limits: Kind::ALL.map(Kind::limit),
            left_out: [ToldCount::ZERO; Kind::ALL.len()],
            describes: enabled!(Level::DEBUG),
            marked: 0,
            not_offered: Said::default(),
            problems: Problems::default(),
        }
    }

    /// So much is logged from now on. Says whether it is: what the command line has said counts before.
    pub(crate) fn set_log_level(&mut self, level: LogLevel) -> bool {
        let is_set = LEVEL.get().is_some_and(|handle| handle.reload(level_filter(level)).is_ok());
        self.describes = enabled!(Level::DEBUG);
        is_set
    }

    /// Other interfaces from now on.
    pub(crate) fn rename(&mut self, interfaces: &[String]) {
        self.interfaces = interfaces.to_vec();
    }

    /// A modem is known by the name that the operator gave it.
    pub(crate) fn name_modem(&mut self, modem: ModemId, name: &str) {
        let number = usize::from(modem.0);
        if self.modems.len() <= number {
            self.modems.resize(number + 1, String::new());
        }
        if let Some(slot) = self.modems.get_mut(number) {
            name.clone_into(slot);
        }
    }

    /// Counts a dropped frame. Costs an addition: fit for the per-frame path.
    pub(crate) fn discard(&mut self, reason: DiscardReason) {
        self.discards[reason.index()].all += 1;
    }

    /// Counts several dropped frames at once: of the kernel, a queue, or a noisy line.
    pub(crate) fn discard_many(&mut self, reason: DiscardReason, frames: u64) {
        self.discards[reason.index()].all += frames;
    }

    /// Counts what a queue toward a modem did to frames that waited.
    pub(crate) fn queued(&mut self, counts: Counts) {
        self.discard_many(DiscardReason::ModemBacklog, counts.backlog);
        self.discard_many(DiscardReason::ModemQueueDelay, counts.late);
        self.discard_many(DiscardReason::SessionEnded, counts.forgotten);
        self.marked += counts.marked;
    }

    /// How many frames were dropped for this reason.
    pub(crate) fn discarded(&self, reason: DiscardReason) -> u64 {
        self.discards[reason.index()].all
    }

    /// What somebody should look at.
    pub(crate) fn problems(&self) -> &Problems {
        &self.problems
    }

    /// Keeps what somebody should look at: what was logged as a warning or an error.
    pub(crate) fn keep_problem(&mut self, now: Instant, text: impl Into<String>) {
        self.problems.keep(now, text.into());
    }

    /// The configuration was read, with this to be said about it, and is at work or was refused.
    pub(crate) fn configuration_read(
        &mut self,
        now: Instant,
        is_at_work: bool,
        lines: impl Iterator<Item = String>,
    ) {
        self.problems.configuration_read(now, is_at_work, lines);
    }

    /// How many frames were dropped for each reason, where any were.
    pub(crate) fn discards(&self) -> impl Iterator<Item = (DiscardReason, u64)> + '_ {
        let count = |reason| (reason, self.discarded(reason));
        DiscardReason::ALL.into_iter().map(count).filter(|(_, count)| *count > 0)
    }

    /// Says what has been dropped, and which lines left out, since that was last told; nothing if nothing was.
    pub(crate) fn tell_counts(&mut self, now: Instant) {
        let dropped = news(now, &mut self.discards, DiscardReason::ALL.map(DiscardReason::name));
        if !dropped.is_empty() {
            info!("dropped since last told: {dropped}");
        }
        let left_out = news(now, &mut self.left_out, Kind::ALL.map(Kind::name));
        if !left_out.is_empty() {
            info!("log lines left out since last told, too many at once: {left_out}");
        }
    }

    /// Says all counters, with what they mean.
    pub(crate) fn tell_all(&self) {
        if self.discards().next().is_none() {
            info!("nothing was dropped");
        }
        for (reason, count) in self.discards() {
            info!("dropped in all: {reason} {count}: {}", reason.help());
        }
        if self.marked > 0 {
            info!(
                "marked in all: {}: told the sender by ECN that the line to the modem is full",
                self.marked
            );
        }
    }

    pub(crate) fn modem(&self, modem: ModemId) -> &str {
        self.modems.get(usize::from(modem.0)).map_or("?", String::as_str)
    }

    pub(crate) fn interface(&self, interface: InterfaceId) -> &str {
        self.interfaces.get(usize::from(interface.0)).map_or("?", String::as_str)
    }

    fn peer(&self, peer: Peer) -> impl fmt::Display + '_ {
        PeerName { interface: self.interface(peer.interface), peer }
    }

    /// Logs a line that a modem's external command has said.
    pub(crate) fn command_line(&mut self, now: Instant, modem: ModemId, line: &str) {
        if enabled!(Level::INFO) && self.allow(now, Kind::Commands) {
            info!("{}: command: {}", self.modem(modem), line.escape_debug());
        }
    }

    /// Logs one event.
    pub(crate) fn event(&mut self, now: Instant, event: &Event) {
        if let Event::Discarded { reason, .. } | Event::DiscardedLcp { reason, .. } = event {
            self.discard(*reason);
        }
        let level = level_of(event);
        if level == Level::WARN {
            let text = EventLine { report: self, event }.to_string();
            self.keep_problem(now, text);
        }
        let wanted = match level {
            Level::WARN => enabled!(Level::WARN),
            Level::INFO => enabled!(Level::INFO),
            _ => enabled!(Level::DEBUG),
        };
        if !wanted {
            return;
        }
        // A host goes on asking every few seconds, for days.
        if let Event::NotOffered { peer, service, reason } = event
            && !self.not_offered.is_news(now, (*peer, service.clone(), discriminant(reason)))
        {
            return;
        }
        if kind_of(event).is_some_and(|kind| !self.allow(now, kind)) {
            return;
        }
        let line = EventLine { report: self, event };
        match level {
            Level::WARN => warn!("{line}"),
            Level::INFO => info!("{line}"),
            _ => debug!("{line}"),
        }
    }

    fn allow(&mut self, now: Instant, kind: Kind) -> bool {
        let allowed = self.limits[kind as usize].allow(now);
        if !allowed {
            self.left_out[kind as usize].all += 1;
        }
        allowed
    }

    /// Describes a PPP frame that passes: control protocols and authentication, never data. LCP is an event.
    /// Costs a comparison where it is not wanted: fit for the per-frame path.
    pub(crate) fn ppp(&mut self, now: Instant, modem: ModemId, direction: Direction, ppp: &[u8]) {
        // All protocols of 8000 and above, but none below that is compressed to one odd octet.
        let is_control = || ppp.first().is_some_and(|first| first & 0x81 == 0x80);
        if self.describes && is_control() && self.allow(now, Kind::Ppp) {
            debug!("{}", PppLine { modem: self.modem(modem), direction, ppp });
        }
    }

    /// Describes a discovery packet that was received.
    pub(crate) fn discovery_received(&mut self, now: Instant, interface: InterfaceId, frame: &[u8]) {
        self.discovery(now, interface, "received", frame);
    }

    /// Describes a discovery packet that is sent.
    pub(crate) fn discovery_sent(&mut self, now: Instant, interface: InterfaceId, frame: &[u8]) {
        self.discovery(now, interface, "sent", frame);
    }

    fn discovery(&mut self, now: Instant, interface: InterfaceId, what: &str, frame: &[u8]) {
        // One that cannot be read is dropped, which is an event.
        if self.describes
            && let Ok(packet) = DiscoveryPacket::parse(frame)
            && self.allow(now, Kind::Discovery)
        {
            debug!("{}: {what} {packet}", self.interface(interface));
        }
    }
}

/// What has news among counts, with their names.
fn news<const N: usize>(now: Instant, counts: &mut [ToldCount; N], names: [&str; N]) -> String {
    let news = counts.iter_mut().zip(names).filter_map(|(count, name)| Some((name, count.news(now)?)));
    news.map(|(name, new)| format!("{name} {new}")).collect::<Vec<_>>().join(", ")
}

/// A wait is over when it is over, not up to a second before.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// A kind of line that others can cause as often as they like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Dropped,
    Discovery,
    Offers,
    NotOffered,
    Refusals,
    Sessions,
    Links,
    Commands,
    Ppp,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Dropped,
        Self::Discovery,
        Self::Offers,
        Self::NotOffered,
        Self::Refusals,
        Self::Sessions,
        Self::Links,
        Self::Commands,
        Self::Ppp,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Dropped => "dropped packets",
            Self::Discovery => "discovery packets",
            Self::Offers => "offers",
            Self::NotOffered => "offers not made",
            Self::Refusals => "refusals",
            Self::Sessions => "sessions",
            Self::Links => "links",
            Self::Commands => "lines of commands",
            Self::Ppp => "PPP packets",
        }
    }

    const fn limit(self) -> LineLimit {
        match self {
            Self::Dropped
            | Self::Offers
            | Self::NotOffered
            | Self::Refusals
            | Self::Sessions
            | Self::Links => LineLimit::new(20, Duration::from_secs(5)),
            // Only for who wants to read them, or of our own making, and then many belong together.
            Self::Discovery | Self::Commands | Self::Ppp => LineLimit::new(200, Duration::from_millis(500)),
        }
    }
}

/// The kind of an event that others can cause; `None` for those of our own modems.
fn kind_of(event: &Event) -> Option<Kind> {
    match event {
        Event::Discarded { .. } | Event::DiscardedLcp { .. } | Event::StrayAnswered(_) => Some(Kind::Dropped),
        Event::Offered(_) => Some(Kind::Offers),
        Event::NotOffered { .. } => Some(Kind::NotOffered),
        Event::Refused { .. } => Some(Kind::Refusals),
        // While a modem dials, a host can begin and end sessions as fast as it likes.
        Event::SessionOpened { early: true, .. }
        | Event::SessionClosed { reason: CloseReason::HostPadt | CloseReason::HostRestarted, .. } => {
            Some(Kind::Sessions)
        }
        Event::LinkOpened { .. } | Event::LineChanged { .. } => Some(Kind::Links),
        Event::Lcp { .. } | Event::MalformedLcp { .. } => Some(Kind::Ppp),
        Event::CallStarted { .. }
        | Event::Chat { .. }
        | Event::Said { .. }
        | Event::Connected { .. }
        | Event::Rescued { .. }
        | Event::RescueCommandFailed { .. }
        | Event::ConnectFailed { .. }
        | Event::SessionOpened { .. }
        | Event::SessionClosed { .. }
        | Event::CallEnded { .. }
        | Event::ModemState { .. }
        | Event::BackingOff { .. } => None,
    }
}

/// The level of each kind of event.
fn level_of(event: &Event) -> Level {
    match event {
        Event::ConnectFailed { .. } | Event::RescueCommandFailed { .. } => Level::WARN,
        Event::SessionClosed { reason: CloseReason::DeviceLost(_), .. } => Level::WARN,
        Event::ModemState { state: ModemState::Absent, .. } => Level::WARN,
        Event::NotOffered { .. }
        | Event::Refused { .. }
        | Event::CallStarted { .. }
        | Event::Said { .. }
        | Event::Connected { .. }
        | Event::Rescued { .. }
        | Event::SessionOpened { .. }
        | Event::LinkOpened { .. }
        | Event::SessionClosed { .. }
        | Event::CallEnded { .. }
        | Event::BackingOff { .. } => Level::INFO,
        Event::Discarded { .. }
        | Event::DiscardedLcp { .. }
        | Event::Offered(_)
        | Event::Chat { .. }
        | Event::LineChanged { .. }
        | Event::Lcp { .. }
        | Event::MalformedLcp { .. }
        | Event::ModemState { .. }
        | Event::StrayAnswered(_) => Level::DEBUG,
    }
}

/// The words of each kind of event.
struct EventLine<'a> {
    report: &'a Report,
    event: &'a Event,
}

impl fmt::Display for EventLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.report;
        let modem = |id: &ModemId| report.modem(*id);
        match self.event {
            Event::Discarded { interface, source, reason } => {
                let interface = report.interface(*interface);
                match source {
                    Some(source) => write!(f, "{interface}: dropped a packet of {source}: {reason}"),
                    None => write!(f, "{interface}: dropped a packet: {reason}"),
                }
            }
            Event::DiscardedLcp { modem: id, reason } => {
                write!(f, "{}: dropped an LCP packet: {reason}", modem(id))
            }
            Event::Offered(peer) => write!(f, "{}: made an offer", report.peer(*peer)),
            Event::NotOffered { peer, service, reason: RefusalReason::UnknownService } => {
                write!(f, "{}: asked for \"{service}\", which is not offered here", report.peer(*peer))
            }
            Event::NotOffered { peer, service, reason } => {
                write!(f, "{}: not offered {service}: {reason}", report.peer(*peer))
            }
            Event::Refused { peer, reason } => write!(f, "{}: refused: {reason}", report.peer(*peer)),
            Event::CallStarted { modem: id, peer } => {
                write!(f, "{}: dialing for {}", modem(id), report.peer(*peer))
            }
            Event::Chat { modem: id, line } => write!(f, "{}: chat: {line}", modem(id)),
            Event::Said { modem: id, words } => {
                write!(f, "{}: script: {}", modem(id), words.trim_end().escape_debug())
            }
            Event::Connected { modem: id, took } => {
                write!(f, "{}: connected after {:.1} s", modem(id), took.as_secs_f64())
            }
            Event::Rescued { modem: id, by: Some(RescueStep::Check) } => {
                write!(f, "{}: it answers", modem(id))
            }
            Event::Rescued { modem: id, by: Some(step) } => {
                write!(f, "{}: it answers after {step}", modem(id))
            }
            Event::Rescued { modem: id, by: None } => {
                write!(f, "{}: it does not answer AT, whatever was tried; dialing all the same", modem(id))
            }
            Event::RescueCommandFailed { modem: id, why } => {
                write!(f, "{}: the reset command failed: {why}", modem(id))
            }
            Event::ConnectFailed { modem: id, failure } => {
                write!(f, "{}: the dial failed: {failure}", modem(id))
            }
            Event::SessionOpened { session_id, peer, modem: id, early } => {
                let early = if *early { " (the modem is still dialing)" } else { "" };
                write!(f, "{}: session {session_id} of {} opened{early}", modem(id), report.peer(*peer))
            }
            Event::LinkOpened { modem: id } => write!(f, "{}: LCP is open at both ends", modem(id)),
            Event::LineChanged { modem: id, line } => write!(
                f,
                "{}: serial line: escape {} toward the modem, {} from it, acfc {}, pfc {}",
                modem(id),
                line.send_accm,
                line.receive_accm,
                line.send_acfc,
                line.send_pfc
            ),
            Event::Lcp { modem: id, direction, ppp } => {
                PppLine { modem: modem(id), direction: *direction, ppp }.fmt(f)
            }
            Event::MalformedLcp { modem: id } => write!(f, "{}: passed on malformed LCP", modem(id)),
            Event::SessionClosed { session_id, peer, modem: id, reason, lasted } => write!(
                f,
                "{}: session {session_id} of {} closed after {:.1} s: {reason}",
                modem(id),
                report.peer(*peer),
                lasted.as_secs_f64()
            ),
            Event::CallEnded { modem: id, reason } => write!(f, "{}: hanging up: {reason}", modem(id)),
            Event::ModemState { modem: id, state } => write!(f, "{}: {state}", modem(id)),
            Event::BackingOff { modem: id, wait } => {
                write!(
                    f,
                    "{}: next dial in {} at the earliest",
                    modem(id),
                    notation::span(whole_seconds(*wait))
                )
            }
            Event::StrayAnswered(peer) => {
                write!(f, "{}: told that its session is gone", report.peer(*peer))
            }
        }
    }
}

struct PppLine<'a> {
    modem: &'a str,
    direction: Direction,
    ppp: &'a [u8],
}

impl fmt::Display for PppLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = match self.direction {
            Direction::HostToModem => "host sent",
            Direction::ModemToHost => "modem sent",
        };
        write!(f, "{}: {from} {}", self.modem, notation::describe(self.ppp))
    }
}

/// An error of the system and, where one is known, what to do about it.
pub(crate) struct Remedied<'a>(pub(crate) &'a OsError);

impl fmt::Display for Remedied<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        self.0.remedy().map_or(Ok(()), |remedy| write!(f, "; {remedy}"))
    }
}

struct PeerName<'a> {
    interface: &'a str,
    peer: Peer,
}

impl fmt::Display for PeerName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.peer.mac, self.interface)
    }
}

#[cfg(test)]
mod tests;

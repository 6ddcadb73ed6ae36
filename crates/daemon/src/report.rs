//! What operators get to see: the one table from events to log lines, and the counters of what was dropped.
//!
//! It promises one line per event, and no flood whatever hosts send: above a rate lines are left out, and
//! how many is said. No decision is made here.

use bridge_linux::OsError;
use bridge_proto::bridge::BridgeConfig;
use bridge_proto::discard::DiscardReason;
use bridge_proto::event::{CloseReason, Direction, Event, Peer};
use bridge_proto::id::{InterfaceId, ModemId};
use bridge_proto::modem::{ModemState, RescueStep};
use bridge_proto::notation;
use bridge_proto::time::Instant;
use std::collections::VecDeque;
use std::fmt;
use std::io::IsTerminal;
use std::time::Duration;
use tracing::{Level, debug, enabled, info, warn};

use crate::cli::LogLevel;

/// Logs to standard error: with colours on a terminal, without times where the journal adds its own.
pub(crate) fn start_logging(level: LogLevel) {
    let level = match level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
        LogLevel::Trace => Level::TRACE,
    };
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A second subscriber can only be a second daemon in one process, which logs with the first.
    let _ = if std::env::var_os("JOURNAL_STREAM").is_some() {
        builder.without_time().try_init()
    } else {
        builder.try_init()
    };
}

/// Log and counters of one daemon.
#[derive(Debug)]
pub(crate) struct Report {
    interfaces: Vec<String>,
    modems: Vec<String>,
    service: String,
    discards: [u64; DiscardReason::ALL.len()],
    told: [u64; DiscardReason::ALL.len()],
    limit: LineLimit,
    /// The newest warnings, the newest last.
    problems: VecDeque<(Instant, String)>,
}

impl Report {
    pub(crate) fn new(interfaces: Vec<String>, modems: Vec<String>, bridge: &BridgeConfig) -> Self {
        let service = bridge.services.first().map_or_else(String::new, |service| service.name.to_string());
        let zero = [0; DiscardReason::ALL.len()];
        Self {
            interfaces,
            modems,
            service,
            discards: zero,
            told: zero,
            limit: LineLimit::default(),
            problems: VecDeque::new(),
        }
    }

    /// Counts a dropped frame. Costs an addition: fit for the per-frame path.
    pub(crate) fn discard(&mut self, reason: DiscardReason) {
        self.discards[reason.index()] += 1;
    }

    /// How many frames were dropped for this reason.
    pub(crate) fn discarded(&self, reason: DiscardReason) -> u64 {
        self.discards[reason.index()]
    }

    /// What somebody should look at, and when it was, the newest first.
    pub(crate) fn problems(&self) -> impl Iterator<Item = (Instant, &str)> {
        self.problems.iter().rev().map(|(when, text)| (*when, text.as_str()))
    }

    fn keep_problem(&mut self, now: Instant, event: &Event) {
        const MOST: usize = 16;
        let text = EventLine { report: self, event }.to_string();
        if self.problems.len() >= MOST {
            self.problems.pop_front();
        }
        self.problems.push_back((now, text));
    }

    /// How many frames were dropped for each reason, where any were.
    pub(crate) fn discards(&self) -> impl Iterator<Item = (DiscardReason, u64)> + '_ {
        DiscardReason::ALL.into_iter().zip(self.discards).filter(|(_, count)| *count > 0)
    }

    /// Says what has been dropped since the last call, in one line; nothing if nothing was.
    pub(crate) fn tell_discards(&mut self) {
        let mut line = String::new();
        for reason in DiscardReason::ALL {
            let new = self.discards[reason.index()] - self.told[reason.index()];
            if new > 0 {
                let comma = if line.is_empty() { "" } else { ", " };
                line.push_str(&format!("{comma}{reason} {new}"));
            }
        }
        self.told = self.discards;
        if !line.is_empty() {
            info!("dropped since last told: {line}");
        }
    }

    /// Says all counters, with what they mean.
    pub(crate) fn tell_all(&self) {
        for (reason, count) in self.discards() {
            info!("dropped in all: {reason} {count}: {}", reason.help());
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

    /// Logs one event.
    pub(crate) fn event(&mut self, now: Instant, event: &Event) {
        if let Event::Discarded { reason, .. } | Event::DiscardedLcp { reason, .. } = event {
            self.discard(*reason);
        }
        let level = level_of(event);
        if level == Level::WARN {
            self.keep_problem(now, event);
        }
        let wanted = match level {
            Level::WARN => enabled!(Level::WARN),
            Level::INFO => enabled!(Level::INFO),
            _ => enabled!(Level::DEBUG),
        };
        if !wanted {
            return;
        }
        match self.limit.allow(now) {
            Allowed::No => return,
            Allowed::Yes { left_out: 0 } => {}
            Allowed::Yes { left_out } => warn!("{left_out} log lines were left out: too many at once"),
        }
        let line = EventLine { report: self, event };
        match level {
            Level::WARN => warn!("{line}"),
            Level::INFO => info!("{line}"),
            _ => debug!("{line}"),
        }
    }
}

/// The level of each kind of event.
fn level_of(event: &Event) -> Level {
    match event {
        Event::ConnectFailed { .. } | Event::RescueCommandFailed { .. } => Level::WARN,
        Event::SessionClosed { reason: CloseReason::DeviceLost(_), .. } => Level::WARN,
        Event::ModemState { state: ModemState::Absent, .. } => Level::WARN,
        Event::Refused { .. }
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
            Event::Offered(peer) => write!(f, "{}: offered {}", report.peer(*peer), report.service),
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
                let from = match direction {
                    Direction::HostToModem => "host sent",
                    Direction::ModemToHost => "modem sent",
                };
                write!(f, "{}: {from} {}", modem(id), notation::describe(ppp))
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
                write!(f, "{}: next dial in {:.0} s at the earliest", modem(id), wait.as_secs_f64().ceil())
            }
            Event::StrayAnswered(peer) => {
                write!(f, "{}: told that its session is gone", report.peer(*peer))
            }
        }
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

/// At most 200 lines at once, then 20 a second.
#[derive(Debug, Default)]
struct LineLimit {
    full_at: Instant,
    left_out: u64,
}

enum Allowed {
    Yes { left_out: u64 },
    No,
}

impl LineLimit {
    const COST: Duration = Duration::from_millis(50);
    const BURST: Duration = Duration::from_secs(10);

    fn allow(&mut self, now: Instant) -> Allowed {
        let next = self.full_at.max(now) + Self::COST;
        if next > now + Self::BURST {
            self.left_out += 1;
            return Allowed::No;
        }
        self.full_at = next;
        Allowed::Yes { left_out: std::mem::take(&mut self.left_out) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_lines_is_cut_and_the_cut_is_told() {
        let mut limit = LineLimit::default();
        let now = Instant::from_millis(1_000_000);
        let allowed = (0..1000).filter(|_| matches!(limit.allow(now), Allowed::Yes { .. })).count();
        assert_eq!(allowed, 200);
        let later = now + Duration::from_millis(60);
        assert!(matches!(limit.allow(later), Allowed::Yes { left_out: 800 }));
    }
}

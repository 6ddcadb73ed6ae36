//! Is the host still there, is the link still used, and may it go on costing money?
//!
//! A host that falls silent is asked by LCP Echo-Requests in the modem's name (RFC 2516 §7 recommends that an
//! access concentrator does so occasionally); one that does not answer is ended. A host that wants a modem
//! which another holds makes the holder be asked at once: a dead one is replaced, a live one never cut off.

use super::Bridge;
use super::call::Line;
use super::io::Output;
use crate::event::CloseReason;
use crate::id::ModemId;
use crate::lcp::Side;
use crate::modem::ModemState;
use crate::time::Instant;
use core::time::Duration;

/// What ends a session that nobody ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchConfig {
    /// A host that was silent for so long is asked whether it is alive; `None`: never.
    pub silence: Option<Duration>,
    /// So many questions without an answer are an answer.
    pub questions: u8,
    /// The time between two questions.
    pub question_interval: Duration,
    /// A link on which no data passed for so long is ended; `None`: never.
    pub idle: Option<Duration>,
}

impl Default for WatchConfig {
    /// Asked after 30 s of silence, three times, 3 s apart; never idle.
    fn default() -> Self {
        Self {
            silence: Some(Duration::from_secs(30)),
            questions: 3,
            question_interval: Duration::from_secs(3),
            idle: None,
        }
    }
}

/// What passed through a modem's session since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Data frames from the host.
    pub host_frames: u64,
    /// Data frames from the modem.
    pub modem_frames: u64,
    /// Octets of the host's, the protocol field included.
    pub host_octets: u64,
    /// Octets of the modem's, the protocol field included.
    pub modem_octets: u64,
}

impl Traffic {
    /// Octets both ways.
    #[must_use]
    pub const fn octets(&self) -> u64 {
        self.host_octets.saturating_add(self.modem_octets)
    }
}

/// What a session's watch knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    traffic: Traffic,
    /// When the host was last known to be alive.
    heard: Instant,
    /// When data last passed.
    active: Instant,
    next_look: Instant,
    /// What passed has been asked for, and is about to be told.
    looking: bool,
    questions: Option<Questions>,
    /// When the host was last asked because another wanted its modem.
    challenged: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Questions {
    asked: u8,
    next: Instant,
    interval: Duration,
}

/// How often it is looked what passed.
const LOOK: Duration = Duration::from_secs(5);
/// The questions to a holder whose modem another host wants: quick, for that host waits.
const CHALLENGE_INTERVAL: Duration = Duration::from_millis(1500);
/// A holder is not challenged again before this.
const CHALLENGE_PAUSE: Duration = Duration::from_secs(10);

impl Watch {
    /// Octets that are accounted for.
    pub(super) fn octets(&self) -> u64 {
        self.traffic.octets()
    }

    pub(super) fn new(now: Instant) -> Self {
        Self {
            traffic: Traffic::default(),
            heard: now,
            active: now,
            next_look: now + LOOK,
            looking: false,
            questions: None,
            challenged: None,
        }
    }

    /// The host said something.
    pub(super) fn host_spoke(&mut self, now: Instant) {
        self.heard = now;
        self.questions = None;
    }

    pub(super) fn due(&self) -> Instant {
        match self.questions {
            Some(questions) if !self.looking => questions.next.min(self.next_look),
            _ => self.next_look,
        }
    }

    /// Takes note of what passed, and says how much that was.
    fn note(&mut self, now: Instant, traffic: Traffic) -> u64 {
        if traffic.host_frames != self.traffic.host_frames {
            self.heard = now;
            // What passed before the first question is no answer.
            self.questions.take_if(|questions| questions.asked > 0);
        }
        if (traffic.host_frames, traffic.modem_frames)
            != (self.traffic.host_frames, self.traffic.modem_frames)
        {
            self.active = now;
        }
        let octets = traffic.octets().saturating_sub(self.traffic.octets());
        self.traffic = traffic;
        octets
    }
}

/// What a look at a session led to.
enum Finding {
    Well,
    Ask,
    Ended(CloseReason),
}

impl Bridge {
    /// Asks for what passed, if it is time to look; the answer comes as an input.
    pub(super) fn handle_watch(&mut self, now: Instant, modem: ModemId) {
        let Some(line) = self.line_mut(modem) else { return };
        if line.watch_due().is_none_or(|due| due > now) {
            return;
        }
        if let Some(session) = line.session_mut() {
            session.watch.looking = true;
            session.watch.next_look = now + LOOK;
        }
        self.emit(Output::ReadTraffic(modem));
    }

    /// Looks at a session.
    pub(super) fn on_traffic(&mut self, now: Instant, modem: ModemId, traffic: Traffic) {
        let Some(line) = self.line_mut(modem) else { return };
        if line.budget.take_last_reading(now, traffic.octets()) || line.state != ModemState::Online {
            return;
        }
        let config = line.config.watch;
        let Some(session) = line.call.as_mut().and_then(|call| call.session.as_mut()) else { return };
        let watch = &mut session.watch;
        watch.looking = false;
        let octets = watch.note(now, traffic);
        line.budget.used(now, octets);
        watch.next_look = now + LOOK;
        let finding = match line.budget.spent_online(now) {
            Some(spent) => Finding::Ended(CloseReason::BudgetSpent(spent.limit)),
            None => watch.look(now, &config),
        };
        match finding {
            Finding::Well => {}
            Finding::Ask => self.ask_host(now, modem),
            Finding::Ended(reason) => self.end_call(now, modem, reason),
        }
    }

    fn ask_host(&mut self, now: Instant, modem: ModemId) {
        let Some(session) = self.line_mut(modem).and_then(Line::session_mut) else { return };
        // Without LCP there is nothing to ask by, but silence goes on to tell.
        session.mediator.echo_request(Side::Host);
        self.follow_mediator(now, modem);
    }

    /// Another host wants a modem of `service` and none is free: those who hold one have to be alive.
    pub(super) fn challenge_holders(&mut self, now: Instant, service: usize) {
        let mut asked = alloc::vec::Vec::new();
        for modem in self.config.services.get(service).map_or(&[][..], |service| &service.modems) {
            let Some(line) = self.lines.get_mut(usize::from(modem.0)) else { continue };
            if line.state != ModemState::Online {
                continue;
            }
            let Some(session) = line.session_mut() else { continue };
            let is_open = session.mediator.is_open();
            let watch = &mut session.watch;
            // Who cannot be asked cannot fail to answer: nobody else's packet may end such a session.
            if !is_open {
                continue;
            }
            let lately = |when: Instant| now - when < CHALLENGE_PAUSE;
            if watch.questions.is_some() || watch.challenged.is_some_and(lately) {
                continue;
            }
            watch.challenged = Some(now);
            watch.questions = Some(Questions { asked: 0, next: now, interval: CHALLENGE_INTERVAL });
            asked.push(*modem);
        }
        for modem in asked {
            self.handle_watch(now, modem);
        }
    }
}

impl Watch {
    fn look(&mut self, now: Instant, config: &WatchConfig) -> Finding {
        if config.idle.is_some_and(|idle| now - self.active >= idle) {
            return Finding::Ended(CloseReason::Idle);
        }
        if self.questions.is_none() && config.silence.is_some_and(|silence| now - self.heard >= silence) {
            self.questions = Some(Questions { asked: 0, next: now, interval: config.question_interval });
        }
        let Some(questions) = self.questions.as_mut().filter(|questions| questions.next <= now) else {
            return Finding::Well;
        };
        if questions.asked >= config.questions {
            return Finding::Ended(CloseReason::HostDead);
        }
        questions.asked += 1;
        questions.next = now + questions.interval;
        Finding::Ask
    }
}

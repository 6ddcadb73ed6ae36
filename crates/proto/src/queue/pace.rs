//! How much may be on its way to a modem: as little as keeps its line busy.
//!
//! What has been handed to a tty cannot be overtaken, so what lies there delays everything that comes later. A
//! [`Pace`] says how many octets may be handed over now, and when to look again, so that the line never rests while
//! frames wait, and hardly more than the frame under way lies before it.
//!
//! The rate of the line is *told by the operator*, less a hundredth, so that what it does not quite take does not
//! gather before it; or it is *learned* from the driver while frames wait. Learning begins when the tty was full for
//! the first time: before, and for as long as it never is, nothing is held back.
//!
//! A driver may say how many octets it has not sent. There are three kinds:
//! * *coarse*: it counts a block or a write for as long as any of it is unsent. That it has sent all is the only thing
//!   it knows. So what lies before the line is reckoned from the rate, and a few times a second the line is let run
//!   empty: what was handed over from one such moment to the next is what it has sent meanwhile;
//! * *exact*: what it says is what there is, as it shows by having sent a part of a write. Should it run empty while
//!   frames are held back, more is handed over at once, until it no longer does: a line is never slow for long because
//!   it was so before;
//! * *silent*: it always says zero, as a pseudo-terminal does. What the tty takes is handed over, unless the operator
//!   told the rate. It is measured for the bounds of the queue only.
//!
//! All but the silent are thought to be coarse at first, and always where the operator told the rate. One that ever
//! has more to send than it was given, or keeps running empty though it was thought to be exact, is coarse for good.
//!
//! The speed that a tty is set to is not asked: on most USB modems it means nothing.

use crate::time::Instant;
use core::time::Duration;

/// How much a line is to be given; see the top of this file.
#[derive(Debug)]
pub struct Pace {
    driver: Driver,
    /// Octets per second: told, else learned.
    rate: Option<u64>,
    is_told: bool,
    /// Octets handed to the tty, ever.
    handed: u64,
    /// The last of them, by one write.
    last_write: u64,
    /// How often a full tty had nothing to send, while nothing else is known of the driver.
    zeros: u8,
    /// When they will all have been sent, at that rate.
    busy_until: Instant,
    /// So much of a wait behind octets handed over is let be, so that the line does not rest meanwhile.
    slack: Duration,
    next_look: Option<Instant>,
    reading: Reading,
    window: Option<Window>,
}

/// What is known of the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Driver {
    /// Nothing: the tty has hardly ever been full.
    Unknown,
    /// It has said zero only, as often as it was asked.
    Silent,
    /// It says whether it has sent all, and has not shown that it knows more.
    Coarse,
    /// It says what it has not sent.
    Exact,
    /// It has shown that it only knows whether it has sent all.
    Unreliable,
}

/// What the driver said last.
#[derive(Clone, Copy, Debug)]
struct Reading {
    unsent: u64,
    /// What had been handed over by then.
    handed: u64,
    /// When it last said something else, or was given something.
    moved: Instant,
}

/// What the line has sent since then.
#[derive(Clone, Copy, Debug)]
struct Window {
    since: Instant,
    sent: u64,
    /// When it was last seen busy.
    busy: Instant,
    /// It was at rest or held up in between, and could have sent more.
    is_least: bool,
}

/// One octet on a serial line, with its start and stop bits.
const BITS_PER_OCTET: u64 = 10;
/// A driver that says zero so often knows nothing; less often, it may have sent all before it was asked.
const ZEROS_OF_THE_SILENT: u8 = 16;
const LEAST_SLACK: Duration = Duration::from_millis(4);
/// A rate is measured for no shorter time: what lies in a UART or a block would count for too much.
const WINDOW: Duration = Duration::from_millis(100);
/// A line behind a coarse driver is let run empty after this time.
const LONGEST_UNSEEN: Duration = Duration::from_millis(250);
/// What a driver says is looked at no more seldom, as the line may have become faster.
const LONGEST_LOOK: Duration = Duration::from_millis(20);
const SHORTEST_LOOK: Duration = Duration::from_micros(250);
/// What is later than this shows that the line is held up, and not how slow it is.
const HELD_UP: Duration = Duration::from_secs(1);
/// A line that is held up is looked at no more seldom.
const LONGEST_LOOK_HELD_UP: Duration = Duration::from_millis(500);
/// Handed over at once where nothing is known.
const UNKNOWN_ROOM: usize = 4096;
/// Handed over at once on the fastest line.
const MOST_ROOM: u64 = 16 * 1024;
/// An exact driver that needs more slack than this, and than a frame takes, to have a busy line is none.
const MOST_SLACK_OF_THE_EXACT: Duration = Duration::from_millis(32);
const FULL_FRAME: u64 = 1510;
/// The kernel cuts a write to a tty into parts of so many octets.
const WRITE_PART: u64 = 2048;
const MICROS: u64 = 1_000_000;

impl Pace {
    /// Knows the rate of the line, in bits per second of which ten make an octet, or has to learn it.
    #[must_use]
    pub fn new(line_rate: Option<u32>) -> Self {
        let rate = line_rate.map(|bits| (u64::from(bits) * 99 / (100 * BITS_PER_OCTET)).max(1));
        Self {
            driver: if rate.is_some() { Driver::Silent } else { Driver::Unknown },
            rate,
            is_told: rate.is_some(),
            handed: 0,
            last_write: 0,
            zeros: 0,
            busy_until: Instant::ZERO,
            slack: LEAST_SLACK,
            next_look: None,
            reading: Reading { unsent: 0, handed: 0, moved: Instant::ZERO },
            window: None,
        }
    }

    /// Whether frames need not wait for the line to need them, as long as the tty takes them.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        match self.driver {
            _ if self.is_told => false,
            Driver::Unknown | Driver::Silent => true,
            Driver::Exact => self.rate.is_none(),
            Driver::Coarse | Driver::Unreliable => false,
        }
    }

    /// Whether the next [`Pace::room`] should be given what the driver says.
    #[must_use]
    pub const fn wants_to_be_told(&self) -> bool {
        self.is_told || matches!(self.driver, Driver::Coarse | Driver::Exact | Driver::Unreliable)
    }

    /// Octets per second, if they are known: from the operator, or learned.
    #[must_use]
    pub const fn rate(&self) -> Option<u64> {
        self.rate
    }

    /// When to look again if frames wait and there was no room; none if there was.
    #[must_use]
    pub const fn next_look(&self) -> Option<Instant> {
        self.next_look
    }

    /// How many octets may be handed over now, while frames wait. A frame may be begun if there is room for one
    /// octet of it. `unsent` is what the driver says, if it was asked.
    pub fn room(&mut self, now: Instant, unsent: Option<usize>) -> usize {
        let unsent = unsent.and_then(|octets| u64::try_from(octets).ok()).unwrap_or(0);
        self.hear(now, unsent);
        match (self.driver, self.rate) {
            (Driver::Coarse | Driver::Unreliable, _) => self.room_unseen(now, unsent == 0),
            (Driver::Exact, Some(_)) => self.room_seen(now, unsent),
            (Driver::Silent, Some(rate)) if self.is_told => self.room_reckoned(now, rate),
            (Driver::Unknown | Driver::Exact | Driver::Silent, rate) => {
                self.measure(now, unsent);
                self.next_look = None;
                rate.map_or(UNKNOWN_ROOM, |rate| octets_in(LEAST_SLACK, rate))
            }
        }
    }

    /// So many octets have been handed over.
    pub fn handed(&mut self, now: Instant, octets: usize) {
        let octets = u64::try_from(octets).unwrap_or(u64::MAX);
        if octets == 0 {
            return;
        }
        self.handed += octets;
        self.last_write = octets;
        self.busy_until =
            self.busy_until.max(now) + self.rate.map_or(Duration::ZERO, |rate| time_of(octets, rate));
    }

    /// The tty did not take all it was given: it is full. `unsent` asks the driver, and is not called where it is known
    /// to say nothing.
    pub fn tty_is_full(&mut self, now: Instant, unsent: impl FnOnce() -> Option<usize>) {
        let unsent = if self.driver == Driver::Silent && !self.is_told { None } else { unsent() };
        let unsent = unsent.and_then(|octets| u64::try_from(octets).ok()).unwrap_or(0);
        if self.driver == Driver::Unknown {
            if unsent > 0 || self.zeros == 0 {
                // Before, the line may have rested.
                self.window = None;
            }
            self.zeros += u8::from(unsent == 0);
            if unsent > 0 {
                self.driver = Driver::Coarse;
            } else if self.zeros == ZEROS_OF_THE_SILENT {
                self.driver = Driver::Silent;
            }
        }
        self.hear(now, unsent);
        match (self.driver, &mut self.window) {
            (Driver::Coarse | Driver::Unreliable, Some(window)) => window.busy = now,
            (Driver::Coarse | Driver::Unreliable, None) => {}
            (Driver::Unknown | Driver::Exact | Driver::Silent, _) if self.is_told => {}
            (Driver::Unknown | Driver::Exact | Driver::Silent, _) => self.measure(now, unsent),
        }
    }

    /// Nothing waits any more, so that a line that rests has nothing to send.
    pub fn is_at_rest(&mut self) {
        self.window = None;
        self.next_look = None;
    }

    /// Room before a line of which only the rate is known.
    fn room_reckoned(&mut self, now: Instant, rate: u64) -> usize {
        let wait = self.busy_until - now;
        if let Some(left) = self.slack.checked_sub(wait) {
            self.next_look = None;
            return octets_in(left, rate);
        }
        self.look_in(now, wait - self.slack / 2, Duration::ZERO)
    }

    /// Room before a line whose driver can be believed.
    fn room_seen(&mut self, now: Instant, unsent: u64) -> usize {
        if unsent == 0 && self.next_look.is_some() {
            self.on_rest();
        }
        self.measure(now, unsent);
        let rate = self.rate.unwrap_or(1).max(1);
        let wait = time_of(unsent, rate);
        if let Some(left) = self.slack.checked_sub(wait) {
            self.next_look = None;
            return octets_in(left, rate);
        }
        // By now all of it should have gone out.
        let late = (now - self.reading.moved).saturating_sub(wait);
        self.look_in(now, (wait - self.slack / 2).min(LONGEST_LOOK), late)
    }

    /// Room before a line whose driver knows only whether it has sent all.
    fn room_unseen(&mut self, now: Instant, is_empty: bool) -> usize {
        if is_empty {
            self.measure_empty(now);
            if !self.is_told {
                self.busy_until = now;
            }
        } else if let Some(window) = &mut self.window {
            window.busy = now;
        }
        let wait = self.busy_until - now;
        let is_unseen = self.window.is_none_or(|window| now - window.since >= LONGEST_UNSEEN);
        let room = match self.rate {
            None if is_empty => Some(UNKNOWN_ROOM),
            None => None,
            Some(_) if is_unseen && !is_empty => None,
            Some(rate) => self.slack.checked_sub(wait).map(|left| octets_in(left, rate)),
        };
        match room {
            Some(room) => {
                self.next_look = None;
                room
            }
            None if is_unseen || self.rate.is_none() => self.look_in(
                now,
                wait.min(LONGEST_LOOK),
                (now - self.busy_until).min(now - self.reading.moved),
            ),
            None => self.look_in(now, (wait - self.slack / 2).min(LONGEST_LOOK), Duration::ZERO),
        }
    }

    /// No room: look again then, or later by a part of what the line is late by, as it may be held up for long.
    fn look_in(&mut self, now: Instant, look: Duration, late: Duration) -> usize {
        if late >= HELD_UP
            && let Some(window) = &mut self.window
        {
            window.is_least = true;
        }
        let look = look.max(SHORTEST_LOOK).max((late / 8).min(LONGEST_LOOK_HELD_UP));
        self.next_look = Some(now + look);
        0
    }

    /// Takes note of what the driver says, and whether it can be believed.
    fn hear(&mut self, now: Instant, unsent: u64) {
        let Reading { unsent: before, handed, moved } = self.reading;
        let is_given = self.handed != handed;
        let has_moved = unsent != before || is_given;
        self.reading = Reading { unsent, handed: self.handed, moved: if has_moved { now } else { moved } };
        match self.driver {
            Driver::Coarse | Driver::Exact if unsent > before + (self.handed - handed) => {
                self.take_for(Driver::Unreliable);
                if !self.is_told {
                    self.rate = None;
                }
            }
            // One that says a number of its own for as long as anything waits may say less than it was given.
            Driver::Coarse
                if !self.is_told && !is_given && unsent < before && self.is_part_of_a_write(unsent) =>
            {
                self.take_for(Driver::Exact);
            }
            Driver::Silent if unsent > 0 => self.take_for(Driver::Coarse),
            Driver::Unknown | Driver::Silent | Driver::Coarse | Driver::Exact | Driver::Unreliable => {}
        }
    }

    fn take_for(&mut self, driver: Driver) {
        self.driver = driver;
        self.window = None;
        self.slack = LEAST_SLACK;
    }

    /// Whether so many octets are left of the last write as one that counts whole writes would never say.
    const fn is_part_of_a_write(&self, unsent: u64) -> bool {
        0 < unsent && unsent < self.last_write && !(self.last_write - unsent).is_multiple_of(WRITE_PART)
    }

    /// Counts what a line that is busy all the time has sent.
    fn measure(&mut self, now: Instant, unsent: u64) {
        let sent = self.handed.saturating_sub(unsent);
        let Some(window) = self.window else {
            self.window = Some(Window::new(now, sent));
            return;
        };
        if now - window.since < WINDOW {
            return;
        }
        self.window = Some(Window::new(now, sent));
        if let Some(rate) = window.rate(now, sent) {
            self.rate = Some(match self.rate {
                Some(old) if rate > old => old + (rate - old).div_ceil(4),
                Some(old) if window.is_least => old,
                Some(old) => old - (old - rate) / 4,
                None => rate,
            });
        }
        if !window.is_least {
            self.slack = LEAST_SLACK.max(self.slack - self.slack / 16);
        }
    }

    /// All that was handed over has been sent, by now and after the line was last seen busy.
    fn measure_empty(&mut self, now: Instant) {
        let Some(window) = &mut self.window else {
            self.window = Some(Window::new(now, self.handed));
            return;
        };
        if now - window.since < WINDOW {
            window.is_least = true;
            return;
        }
        let window = *window;
        self.window = Some(Window::new(now, self.handed));
        if !self.is_told
            && let Some(least) = window.rate(now, self.handed)
        {
            let most = window.rate(window.busy, self.handed).filter(|_| !window.is_least);
            self.rate = Some(match (self.rate, most) {
                (Some(rate), Some(most)) if rate > most => rate - (rate - most) / 2,
                // No jump, as hardly more is handed over than a line of the old rate takes.
                (Some(rate), _) => rate.max(least),
                (None, _) => least,
            });
        }
    }

    /// The driver has run empty while frames were held back.
    fn on_rest(&mut self) {
        let slack = self.slack * 2;
        let frame = time_of(FULL_FRAME, self.rate.unwrap_or(1));
        if slack > MOST_SLACK_OF_THE_EXACT.max(frame) {
            return self.take_for(Driver::Unreliable);
        }
        self.slack = slack;
        if let Some(window) = &mut self.window {
            window.is_least = true;
        }
    }
}

impl Window {
    const fn new(since: Instant, sent: u64) -> Self {
        Self { since, sent, busy: since, is_least: false }
    }

    /// `None` if nothing was sent: the line was held up, or nothing can be said.
    fn rate(self, until: Instant, sent: u64) -> Option<u64> {
        let octets = sent.saturating_sub(self.sent);
        let micros = (until - self.since).as_micros();
        let rate = (u128::from(octets) * u128::from(MICROS)).checked_div(micros)?;
        (rate > 0).then(|| u64::try_from(rate).unwrap_or(u64::MAX))
    }
}

/// How long a line of so many octets per second takes to send them.
fn time_of(octets: u64, rate: u64) -> Duration {
    Duration::from_micros(octets.saturating_mul(MICROS) / rate.max(1))
}

/// At least one, so that a frame may be begun.
fn octets_in(time: Duration, rate: u64) -> usize {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let octets = (rate.saturating_mul(micros) / MICROS).min(MOST_ROOM);
    usize::try_from(octets).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests;

//! How much may be on its way to a modem: as little as keeps its line busy.
//!
//! What has been handed to a tty cannot be overtaken, so what lies there delays everything that comes later. A
//! [`Pace`] says how many octets may be handed over now, and when to look again, so that the line never rests while
//! frames wait, and hardly more than the frame under way lies before it.
//!
//! It knows the line in one of three ways:
//! * *told by the operator*: the line is thought to send at that rate, less a hundredth, so that what it does not
//!   quite take does not gather before it; a driver that has more to send is believed;
//! * *told by the driver*, which says how many octets it has not sent yet: the rate is learned while frames wait.
//!   This begins when the tty was full for the first time; before, and for as long as it never is, nothing is held
//!   back. Should the driver ever run empty while frames were held back, more is handed over at once, until it no
//!   longer does: a line is never slow for long because it was so before;
//! * *not at all*, where the driver says nothing (a pseudo-terminal): what the tty takes is handed over. The rate is
//!   measured for the bounds of the queue only.
//!
//! The speed that a tty is set to is not asked: on most USB modems it means nothing.

use crate::time::Instant;
use core::time::Duration;

/// How much a line is to be given; see the top of this file.
#[derive(Debug)]
pub struct Pace {
    knowledge: Knowledge,
    /// Octets handed to the tty, ever.
    handed: u64,
    /// So much of a wait behind octets handed over is let be, so that the line does not rest meanwhile.
    slack: Duration,
    next_look: Option<Instant>,
    window: Option<Window>,
    /// Octets per second: configured, else measured.
    rate: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Knowledge {
    /// The line is busy until then.
    Configured { busy_until: Instant },
    /// The tty has never been full.
    Nothing,
    /// The driver says what it has not sent.
    Told,
    /// The driver always says zero.
    Silent,
}

/// What the line has sent since then, busy all the time.
#[derive(Clone, Copy, Debug)]
struct Window {
    since: Instant,
    sent: u64,
}

/// One octet on a serial line, with its start and stop bits.
const BITS_PER_OCTET: u64 = 10;
const LEAST_SLACK: Duration = Duration::from_millis(4);
const MOST_SLACK: Duration = Duration::from_secs(1);
/// How long a rate is measured.
const WINDOW: Duration = Duration::from_millis(100);
/// What a driver says is looked at no more seldom, as the line may have become faster.
const LONGEST_LOOK: Duration = Duration::from_millis(20);
const SHORTEST_LOOK: Duration = Duration::from_micros(250);
/// Handed over at once where nothing is known.
const UNKNOWN_ROOM: usize = 4096;
/// Handed over at once on the fastest line.
const MOST_ROOM: u64 = 16 * 1024;
const MICROS: u64 = 1_000_000;

impl Pace {
    /// Knows the rate of the line, in bits per second of which ten make an octet, or has to learn it.
    #[must_use]
    pub fn new(line_rate: Option<u32>) -> Self {
        let rate = line_rate.map(|bits| (u64::from(bits) * 99 / (100 * BITS_PER_OCTET)).max(1));
        let knowledge = match rate {
            Some(_) => Knowledge::Configured { busy_until: Instant::ZERO },
            None => Knowledge::Nothing,
        };
        Self { knowledge, handed: 0, slack: LEAST_SLACK, next_look: None, window: None, rate }
    }

    /// Whether frames need not wait for the line to need them, as long as the tty takes them.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        match self.knowledge {
            Knowledge::Configured { .. } => false,
            Knowledge::Nothing | Knowledge::Silent => true,
            Knowledge::Told => self.rate.is_none(),
        }
    }

    /// Whether the next [`Pace::room`] should be given what the driver says.
    #[must_use]
    pub const fn wants_to_be_told(&self) -> bool {
        matches!(self.knowledge, Knowledge::Configured { .. } | Knowledge::Told)
    }

    /// Octets per second, if they are known: from the operator, or measured.
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
        let unsent = unsent.and_then(|octets| u64::try_from(octets).ok());
        let (wait, rate) = match (self.knowledge, unsent, self.rate) {
            (Knowledge::Configured { busy_until }, _, Some(rate)) => {
                // The far side of the line may hold it up: then the driver knows better, if it tells.
                let told = Duration::from_micros(unsent.unwrap_or(0) * MICROS / rate);
                ((busy_until - now).max(told), rate)
            }
            (Knowledge::Told, Some(unsent), Some(_)) => {
                if unsent == 0 && self.next_look.is_some() {
                    self.on_rest(now);
                }
                self.measure(now, unsent);
                // At least one octet a second.
                let rate = self.rate.unwrap_or(1).max(1);
                (Duration::from_micros(unsent * MICROS / rate), rate)
            }
            _ => {
                self.measure(now, unsent.unwrap_or(0));
                self.next_look = None;
                return self.rate.map_or(UNKNOWN_ROOM, |rate| octets_in(LEAST_SLACK, rate));
            }
        };
        match self.slack.checked_sub(wait) {
            Some(left) => {
                self.next_look = None;
                octets_in(left, rate)
            }
            None => {
                let look = wait - self.slack / 2;
                self.next_look = Some(match self.knowledge {
                    Knowledge::Told => now + look.clamp(SHORTEST_LOOK, LONGEST_LOOK),
                    _ => now + look,
                });
                0
            }
        }
    }

    /// So many octets have been handed over.
    pub fn handed(&mut self, now: Instant, octets: usize) {
        let octets = u64::try_from(octets).unwrap_or(u64::MAX);
        self.handed += octets;
        if let (Knowledge::Configured { busy_until }, Some(rate)) = (&mut self.knowledge, self.rate) {
            *busy_until = (*busy_until).max(now) + Duration::from_micros(octets * MICROS / rate);
        }
    }

    /// The tty did not take all it was given: it is full. `unsent` asks the driver, and is not called where it is known
    /// to say nothing.
    pub fn tty_is_full(&mut self, now: Instant, unsent: impl FnOnce() -> Option<usize>) {
        let unsent = if self.knowledge == Knowledge::Silent { None } else { unsent() };
        let unsent = unsent.and_then(|octets| u64::try_from(octets).ok()).unwrap_or(0);
        if self.knowledge == Knowledge::Nothing {
            self.knowledge = if unsent > 0 { Knowledge::Told } else { Knowledge::Silent };
        }
        self.measure(now, unsent);
    }

    /// Nothing waits any more, so that a line that rests has nothing to send.
    pub fn is_at_rest(&mut self) {
        self.window = None;
        self.next_look = None;
    }

    /// Counts what a line that is busy all the time has sent.
    fn measure(&mut self, now: Instant, unsent: u64) {
        if let Knowledge::Configured { .. } = self.knowledge {
            return;
        }
        let sent = self.handed.saturating_sub(unsent);
        let Some(window) = self.window else {
            self.window = Some(Window { since: now, sent });
            return;
        };
        if now - window.since < WINDOW {
            return;
        }
        self.window = Some(Window { since: now, sent });
        let Some(measured) = window.rate(now, sent) else { return };
        self.rate = Some(match self.rate {
            Some(rate) if measured < rate => rate - (rate - measured) / 4,
            _ => measured,
        });
        self.slack = LEAST_SLACK.max(self.slack - self.slack / 16);
    }

    /// The driver has run empty while frames were held back.
    fn on_rest(&mut self, now: Instant) {
        self.slack = MOST_SLACK.min(self.slack * 2);
        // What it sent until then took it no longer than that.
        let least = self.window.take().and_then(|window| window.rate(now, self.handed));
        self.rate = self.rate.max(least);
    }
}

impl Window {
    /// `None` if nothing was sent: the line was held up, or nothing can be said.
    fn rate(self, now: Instant, sent: u64) -> Option<u64> {
        let octets = sent.saturating_sub(self.sent);
        let micros = (now - self.since).as_micros();
        let rate = u128::from(octets) * u128::from(MICROS) / micros.max(1);
        (rate > 0).then(|| u64::try_from(rate).unwrap_or(u64::MAX))
    }
}

/// At least one, so that a frame may be begun.
fn octets_in(time: Duration, rate: u64) -> usize {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let octets = (rate.saturating_mul(micros) / MICROS).min(MOST_ROOM);
    usize::try_from(octets).unwrap_or(usize::MAX).max(1)
}

//! What a modem may cost: dials an hour, minutes a day, octets a month.
//!
//! The windows begin when the program does, for that is the only time this crate knows.

use crate::time::Instant;
use alloc::collections::VecDeque;
use core::fmt;
use core::time::Duration;

/// The limits of a [`Budget`]; none, unless set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BudgetConfig {
    /// Dials in any hour.
    pub dials_per_hour: Option<u32>,
    /// Time connected in a day.
    pub online_per_day: Option<Duration>,
    /// Octets of PPP frames, both ways together, in a month of 30 days.
    pub octets_per_month: Option<u64>,
}

/// Which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BudgetLimit {
    /// Dials in any hour.
    Dials,
    /// Time connected in a day.
    Online,
    /// Octets in a month.
    Octets,
}

/// A limit that was reached, and when it is lifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetSpent {
    /// Which.
    pub limit: BudgetLimit,
    /// When the modem may be used again.
    pub until: Instant,
}

impl fmt::Display for BudgetLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dials => "the dials of this hour are used up",
            Self::Online => "the connected time of this day is used up",
            Self::Octets => "the data volume of this month is used up",
        })
    }
}

/// What one modem has cost.
#[derive(Clone, Debug)]
pub struct Budget {
    config: BudgetConfig,
    /// The newest dials, as many as the limit allows.
    dials: VecDeque<Instant>,
    day: Window<Duration>,
    month: Window<u64>,
    /// While connected: until when that is accounted for.
    accounted: Option<Instant>,
    /// Of a session that has ended: how many of its octets are accounted for, until its last reading.
    last_reading: Option<u64>,
}

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

impl Budget {
    /// Nothing used yet.
    #[must_use]
    pub fn new(config: BudgetConfig) -> Self {
        Self {
            config,
            dials: VecDeque::new(),
            day: Window::new(DAY),
            month: Window::new(MONTH),
            accounted: None,
            last_reading: None,
        }
    }

    /// Other limits from now on, on what was used before too.
    pub fn set_config(&mut self, config: BudgetConfig) {
        self.config = config;
        self.forget_dials(config.dials_per_hour.unwrap_or(0));
    }

    /// Counts a dial.
    pub fn dialled(&mut self, now: Instant) {
        let Some(limit) = self.config.dials_per_hour else { return };
        self.dials.push_back(now);
        self.forget_dials(limit);
    }

    fn forget_dials(&mut self, limit: u32) {
        while self.dials.len() > limit as usize {
            self.dials.pop_front();
        }
    }

    /// From now on time costs.
    pub fn connected(&mut self, now: Instant) {
        self.accounted = Some(now);
    }

    /// From now on it does not.
    pub fn disconnected(&mut self, now: Instant) {
        self.used(now, 0);
        self.accounted = None;
    }

    /// Counts the time connected until now, and octets that were carried.
    pub fn used(&mut self, now: Instant, octets: u64) {
        let online = self.accounted.as_mut().map(|since| now - core::mem::replace(since, now));
        self.day = self.day.at(now);
        self.day.used = self.day.used.saturating_add(online.unwrap_or_default());
        self.month = self.month.at(now);
        self.month.used = self.month.used.saturating_add(octets);
    }

    /// A session has ended of which so many octets are accounted for; how many there were will be told.
    pub fn await_last_reading(&mut self, accounted: u64) {
        self.last_reading = Some(accounted);
    }

    /// Counts the rest of the session that ended, if its last reading is what is told; says whether it is.
    pub fn take_last_reading(&mut self, now: Instant, octets: u64) -> bool {
        let Some(accounted) = self.last_reading.take() else { return false };
        self.used(now, octets.saturating_sub(accounted));
        true
    }

    /// Whether a limit on dialing has been reached. One on use is told by [`Budget::spent_online`] as well.
    #[must_use]
    pub fn spent(&self, now: Instant) -> Option<BudgetSpent> {
        self.spent_dials(now).or_else(|| self.spent_online(now))
    }

    /// Whether a limit on being connected has been reached: the call must end.
    #[must_use]
    pub fn spent_online(&self, now: Instant) -> Option<BudgetSpent> {
        let (day, month) = (self.day.at(now), self.month.at(now));
        if self.config.online_per_day.is_some_and(|limit| day.used >= limit) {
            return Some(BudgetSpent { limit: BudgetLimit::Online, until: day.end() });
        }
        if self.config.octets_per_month.is_some_and(|limit| month.used >= limit) {
            return Some(BudgetSpent { limit: BudgetLimit::Octets, until: month.end() });
        }
        None
    }

    fn spent_dials(&self, now: Instant) -> Option<BudgetSpent> {
        let limit = self.config.dials_per_hour?;
        let used_up = self.dials.len() >= limit as usize;
        // Of as many dials as the limit allows, the oldest is the one to wait for.
        let until = self.dials.front().map_or(now, |oldest| *oldest + HOUR);
        (used_up && until > now).then_some(BudgetSpent { limit: BudgetLimit::Dials, until })
    }
}

/// What was used since the beginning of the present day or month.
#[derive(Clone, Copy, Debug)]
struct Window<T> {
    length: Duration,
    start: Instant,
    used: T,
}

impl<T: Copy + Default> Window<T> {
    fn new(length: Duration) -> Self {
        Self { length, start: Instant::ZERO, used: T::default() }
    }

    /// The window in which `now` lies: this one, or a later one of which nothing has been used.
    fn at(self, now: Instant) -> Self {
        if now < self.end() {
            return self;
        }
        let windows = (now - self.start).as_micros() / self.length.as_micros().max(1);
        let passed = self.length.saturating_mul(u32::try_from(windows).unwrap_or(u32::MAX));
        Self { start: self.start + passed, ..Self::new(self.length) }
    }

    fn end(&self) -> Instant {
        self.start + self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Instant {
        Instant::from_millis(seconds * 1000)
    }

    #[test]
    fn without_limits_nothing_is_ever_spent() {
        let mut budget = Budget::new(BudgetConfig::default());
        for second in 0..1000 {
            budget.dialled(at(second));
            budget.connected(at(0));
            budget.used(at(second), u64::MAX);
        }
        assert_eq!(budget.spent(at(1000)), None);
    }

    #[test]
    fn dials_count_for_an_hour_each() {
        let mut budget = Budget::new(BudgetConfig { dials_per_hour: Some(2), ..BudgetConfig::default() });
        budget.dialled(at(10));
        assert_eq!(budget.spent(at(10)), None);
        budget.dialled(at(20));
        let spent = BudgetSpent { limit: BudgetLimit::Dials, until: at(3610) };
        assert_eq!(budget.spent(at(30)), Some(spent));
        assert_eq!(budget.spent(at(3610)), None);
        budget.dialled(at(3611));
        assert_eq!(budget.spent(at(3612)).map(|spent| spent.until), Some(at(3620)));
    }

    #[test]
    fn connected_time_is_of_the_day_and_volume_of_the_month() {
        let mut budget = Budget::new(BudgetConfig {
            online_per_day: Some(Duration::from_secs(60)),
            octets_per_month: Some(1000),
            ..BudgetConfig::default()
        });
        budget.connected(at(41));
        budget.used(at(100), 999);
        assert_eq!(budget.spent_online(at(100)), None);
        budget.disconnected(at(101));
        assert_eq!(budget.spent_online(at(101)).map(|spent| spent.until), Some(at(86_400)));
        assert_eq!(budget.spent_online(at(86_400)), None);
        budget.used(at(90_000), 1);
        let spent = budget.spent(at(90_000)).unwrap();
        assert_eq!((spent.limit, spent.until), (BudgetLimit::Octets, at(30 * 86_400)));
        assert_eq!(budget.spent(at(400 * 86_400)), None);
    }

    #[test]
    fn time_costs_only_while_connected_and_no_second_twice() {
        let mut budget = Budget::new(BudgetConfig {
            online_per_day: Some(Duration::from_secs(20)),
            ..BudgetConfig::default()
        });
        for start in [0, 1000] {
            budget.connected(at(start));
            budget.used(at(start + 5), 0);
            budget.disconnected(at(start + 9));
            budget.used(at(start + 500), 0);
        }
        assert_eq!(budget.spent_online(at(2000)), None);
        budget.connected(at(2000));
        budget.disconnected(at(2002));
        assert!(budget.spent_online(at(2002)).is_some());
    }

    #[test]
    fn of_a_session_that_ended_only_the_rest_is_counted() {
        let mut budget = Budget::new(BudgetConfig { octets_per_month: Some(100), ..BudgetConfig::default() });
        budget.used(at(1), 60);
        assert!(!budget.take_last_reading(at(2), 80));
        budget.await_last_reading(60);
        assert!(budget.take_last_reading(at(2), 99));
        assert_eq!(budget.spent(at(2)), None);
        budget.used(at(3), 1);
        assert!(budget.spent(at(3)).is_some());
    }

    #[test]
    fn no_dial_at_all_can_be_a_limit() {
        let mut budget = Budget::new(BudgetConfig { dials_per_hour: Some(0), ..BudgetConfig::default() });
        budget.dialled(at(1));
        assert_eq!(budget.dials.len(), 0);
    }
}

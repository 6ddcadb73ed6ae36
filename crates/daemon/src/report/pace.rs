//! How often something is told: few lines of what others can cause, and ever fewer of what goes on and on.

use bridge_proto::time::Instant;
use std::collections::VecDeque;
use std::time::Duration;

/// Lines of one kind: some at once, then only so many in a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineLimit {
    burst: Duration,
    cost: Duration,
    full_at: Instant,
}

impl LineLimit {
    /// `lines` at once, then one for each `cost`.
    pub(super) const fn new(lines: u32, cost: Duration) -> Self {
        Self { burst: cost.saturating_mul(lines), cost, full_at: Instant::ZERO }
    }

    /// Whether another line may be written now.
    pub(super) fn allow(&mut self, now: Instant) -> bool {
        let next = self.full_at.max(now) + self.cost;
        let allowed = next <= now + self.burst;
        if allowed {
            self.full_at = next;
        }
        allowed
    }
}

/// What was said lately, not to be said again for a while.
#[derive(Debug)]
pub(super) struct Said<K> {
    /// In the order in which it was said.
    said: VecDeque<(Instant, K)>,
}

impl<K> Default for Said<K> {
    fn default() -> Self {
        Self { said: VecDeque::new() }
    }
}

impl<K: PartialEq> Said<K> {
    const AGAIN: Duration = Duration::from_secs(600);
    /// Above that the oldest is forgotten, and may be said again sooner.
    const MOST: usize = 256;

    /// Whether this was not said lately; from now on it was.
    pub(super) fn is_news(&mut self, now: Instant, what: K) -> bool {
        while self.said.front().is_some_and(|(when, _)| *when + Self::AGAIN <= now) {
            self.said.pop_front();
        }
        if self.said.iter().any(|(_, said)| *said == what) {
            return false;
        }
        if self.said.len() >= Self::MOST {
            self.said.pop_front();
        }
        self.said.push_back((now, what));
        true
    }
}

/// A count that is told when it has risen; while it goes on to rise, after ever longer waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct ToldCount {
    pub(super) all: u64,
    told: u64,
    next: Instant,
    wait: Duration,
}

impl ToldCount {
    const FIRST: Duration = Duration::from_secs(10);
    const LONGEST: Duration = Duration::from_secs(3600);
    pub(super) const ZERO: Self = Self { all: 0, told: 0, next: Instant::ZERO, wait: Self::FIRST };

    /// By how much it has risen since it was last told, if it is time to tell.
    pub(super) fn news(&mut self, now: Instant) -> Option<u64> {
        if now < self.next {
            return None;
        }
        let news = self.all - self.told;
        if news == 0 {
            self.wait = Self::FIRST;
            return None;
        }
        self.told = self.all;
        self.next = now + self.wait;
        self.wait = Self::LONGEST.min(self.wait * 2);
        Some(news)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_said_again_after_a_while_and_little_is_remembered() {
        let mut said = Said::default();
        let at = |seconds: u64| Instant::from_millis(1000 * seconds);
        let news = [0, 5, 599, 600, 605, 1200].map(|second| said.is_news(at(second), 7));
        assert_eq!(news, [true, false, false, true, false, true]);
        for what in 0..100_000 {
            said.is_news(at(2000), what);
        }
        assert_eq!(said.said.len(), Said::<i32>::MOST);
    }

    #[test]
    fn what_goes_on_is_told_ever_more_seldom_and_afresh_after_a_quiet_time() {
        let mut count = ToldCount::ZERO;
        let start = Instant::from_millis(1_000_000);
        let mut told = Vec::new();
        for tick in (0..=20_000_u64).step_by(10) {
            count.all += 1;
            if count.news(start + Duration::from_secs(tick)).is_some() {
                told.push(tick);
            }
        }
        assert_eq!(told, [0, 10, 30, 70, 150, 310, 630, 1270, 2550, 5110, 8710, 12310, 15910, 19510]);
        assert_eq!(count.news(start + Duration::from_secs(24_000)), Some(49), "the last of it");
        assert_eq!(count.news(start + Duration::from_secs(30_000)), None);
        count.all += 7;
        assert_eq!(count.news(start + Duration::from_secs(30_010)), Some(7), "told at once");
        count.all += 1;
        assert_eq!(count.news(start + Duration::from_secs(30_020)), Some(1));
    }
}

//! How often something is told: few lines of what others can cause, and ever fewer of what goes on and on.

use bridge_proto::time::Instant;
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

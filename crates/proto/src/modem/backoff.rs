//! How long a modem rests after a failed dial: doubling, jittered, capped.

use crate::time::Instant;
use core::time::Duration;

/// The limits of a [`Backoff`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackoffConfig {
    /// The wait after the first failure.
    pub first: Duration,
    /// No wait is longer than this.
    pub longest: Duration,
}

impl Default for BackoffConfig {
    /// From 2 seconds to 5 minutes.
    fn default() -> Self {
        Self { first: Duration::from_secs(2), longest: Duration::from_secs(300) }
    }
}

/// The waits of one modem.
#[derive(Clone, Debug)]
pub struct Backoff {
    config: BackoffConfig,
    failures: u32,
}

impl Backoff {
    /// No failure yet.
    #[must_use]
    pub const fn new(config: BackoffConfig) -> Self {
        Self { config, failures: 0 }
    }

    /// Other limits from the next failure on.
    pub const fn set_config(&mut self, config: BackoffConfig) {
        self.config = config;
    }

    /// Counts one more failure and gives the time until which to wait.
    ///
    /// `jitter` is any random number: the wait is taken from the upper half of its range, so that two
    /// modems that failed together do not try together for ever.
    pub fn fail(&mut self, now: Instant, jitter: u32) -> Instant {
        let doubled = self.config.first.saturating_mul(1_u32 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let half = doubled.min(self.config.longest) / 2;
        let part = half.mul_f64(f64::from(jitter) / f64::from(u32::MAX));
        now + half + part
    }

    /// Forgets all failures.
    pub const fn succeed(&mut self) {
        self.failures = 0;
    }

    /// Failures since the last success.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_start_over_after_a_success() {
        let config = BackoffConfig { first: Duration::from_secs(2), longest: Duration::from_secs(9) };
        let mut backoff = Backoff::new(config);
        let waits: std::vec::Vec<_> =
            (0..4).map(|_| (backoff.fail(Instant::ZERO, u32::MAX) - Instant::ZERO).as_secs()).collect();
        assert_eq!(waits, [2, 4, 8, 9]);
        backoff.succeed();
        assert_eq!(backoff.fail(Instant::ZERO, u32::MAX), Instant::from_millis(2000));
    }

    #[test]
    fn jitter_takes_at_most_half_away() {
        let mut backoff = Backoff::new(BackoffConfig::default());
        assert_eq!(backoff.fail(Instant::ZERO, 0), Instant::from_millis(1000));
    }

    #[test]
    fn any_number_of_failures_is_fine() {
        let mut backoff = Backoff::new(BackoffConfig::default());
        for _ in 0..100 {
            backoff.fail(Instant::ZERO, 7);
        }
        assert!(backoff.fail(Instant::ZERO, u32::MAX) <= Instant::from_millis(300_000));
    }
}

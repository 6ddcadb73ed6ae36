//! When a queue has been standing for too long, and its sender is to be told: CoDel.
//!
//! It tells good queues, which come and go, from bad ones, which stay: only when frames have waited for longer than
//! a target during all of an interval does it drop one, and then at a rate that grows slowly until the wait is short.
//!
//! RFC 8289.

use crate::time::Instant;
use core::time::Duration;

/// Which wait is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CodelParameters {
    /// The wait that is acceptable for long.
    pub(super) target: Duration,
    /// The wait that is acceptable once: in the order of a long round trip.
    pub(super) interval: Duration,
    /// A queue of no more octets than this is never too long.
    pub(super) largest_frame: usize,
}

impl CodelParameters {
    const TARGET: Duration = Duration::from_millis(5);
    const INTERVAL: Duration = Duration::from_millis(100);
    const LARGEST_FRAME: usize = 1502;

    /// For a line of so many octets per second. On a slow one a frame must be able to wait for the one before it
    /// (RFC 8289 §4, RFC 8290 §5), and the sender hears of it later by as much.
    pub(super) fn for_rate(octets_per_second: Option<u64>) -> Self {
        let frame = octets_per_second
            .and_then(|rate| (Self::LARGEST_FRAME as u64 * 1_000_000).checked_div(rate))
            .map_or(Duration::ZERO, Duration::from_micros);
        let target = Self::TARGET.max(frame * 3 / 2);
        Self {
            target,
            interval: Self::INTERVAL + (target - Self::TARGET),
            largest_frame: Self::LARGEST_FRAME,
        }
    }
}

/// The state of one queue.
#[derive(Clone, Debug, Default)]
pub(super) struct Codel {
    /// When the wait will have been too long for an interval; none while it is short.
    first_above: Option<Instant>,
    is_dropping: bool,
    drop_next: Instant,
    count: u32,
    last_count: u32,
}

impl Codel {
    /// Whether the frame just taken out, which had waited for `sojourn` and left `backlog` octets behind it, is to
    /// be dropped, or marked.
    pub(super) fn is_too_late(
        &mut self,
        now: Instant,
        sojourn: Duration,
        backlog: usize,
        parameters: &CodelParameters,
    ) -> bool {
        let may_drop = self.has_stood_for_an_interval(now, sojourn, backlog, parameters);
        if !may_drop {
            self.is_dropping = false;
            return false;
        }
        if self.is_dropping {
            if now < self.drop_next {
                return false;
            }
            self.count = self.count.saturating_add(1);
            self.drop_next = control_law(self.drop_next, parameters.interval, self.count);
            return true;
        }
        self.is_dropping = true;
        // A queue that was bad a moment ago starts where it had got to (RFC 8289 §5).
        let delta = self.count.saturating_sub(self.last_count);
        let recently = now - self.drop_next < parameters.interval * 16;
        self.count = if delta > 1 && recently { delta } else { 1 };
        self.drop_next = control_law(now, parameters.interval, self.count);
        self.last_count = self.count;
        true
    }

    fn has_stood_for_an_interval(
        &mut self,
        now: Instant,
        sojourn: Duration,
        backlog: usize,
        parameters: &CodelParameters,
    ) -> bool {
        if sojourn < parameters.target || backlog <= parameters.largest_frame {
            self.first_above = None;
            return false;
        }
        let due = *self.first_above.get_or_insert(now + parameters.interval);
        now >= due
    }
}

/// The drops come closer by the square root of their number, to which a TCP's throughput answers linearly.
fn control_law(from: Instant, interval: Duration, count: u32) -> Instant {
    let thousand_roots = (u64::from(count) * 1_000_000).isqrt().max(1);
    from + interval * 1000 / u32::try_from(thousand_roots).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const DEEP: usize = 100_000;

    fn parameters() -> CodelParameters {
        CodelParameters::for_rate(None)
    }

    /// At which milliseconds frames are dropped that come out each millisecond, having waited for `sojourn`.
    fn drops(codel: &mut Codel, from: u64, to: u64, sojourn: u64, backlog: usize) -> Vec<u64> {
        let sojourn = Duration::from_millis(sojourn);
        (from..to)
            .filter(|ms| codel.is_too_late(Instant::from_millis(*ms), sojourn, backlog, &parameters()))
            .collect()
    }

    #[test]
    fn a_short_wait_is_never_too_long_nor_is_a_short_queue() {
        assert_eq!(drops(&mut Codel::default(), 1000, 9000, 4, DEEP), [0; 0]);
        assert_eq!(drops(&mut Codel::default(), 1000, 9000, 500, 1502), [0; 0]);
    }

    #[test]
    fn a_burst_shorter_than_an_interval_is_left_alone() {
        let mut codel = Codel::default();
        assert_eq!(drops(&mut codel, 1000, 1099, 50, DEEP), [0; 0]);
        assert_eq!(drops(&mut codel, 1099, 1100, 1, DEEP), [0; 0]);
        assert_eq!(drops(&mut codel, 1100, 1199, 50, DEEP), [0; 0]);
    }

    #[test]
    fn drops_come_at_intervals_that_shrink_by_the_square_root_of_their_number() {
        // 100 ms until the first; then 100, 100/sqrt 2, 100/sqrt 3, ...: 1100, 1200, 1270.7, 1328.4, 1378.4
        let expected = [1100, 1200, 1271, 1329, 1379];
        assert_eq!(drops(&mut Codel::default(), 1000, 1400, 50, DEEP), expected);
    }

    #[test]
    fn a_queue_that_was_bad_a_moment_ago_is_dealt_with_sooner() {
        let mut codel = Codel::default();
        let first = drops(&mut codel, 1000, 3000, 50, DEEP);
        assert_eq!(drops(&mut codel, 3000, 3001, 1, DEEP), [0; 0]);
        let again = drops(&mut codel, 3001, 3301, 50, DEEP);
        assert_eq!(again[0], 3101);
        assert!(again[1] - again[0] < 50, "{again:?} after {first:?}");
        // After 16 intervals of quiet it is forgotten.
        assert_eq!(drops(&mut codel, 3301, 6000, 1, DEEP), [0; 0]);
        let later = drops(&mut codel, 6000, 6300, 50, DEEP);
        assert_eq!(later[1] - later[0], 100);
    }

    #[test]
    fn a_slow_line_has_a_target_longer_than_a_frame() {
        let slow = CodelParameters::for_rate(Some(46_080));
        assert_eq!(slow.target.as_millis(), 48);
        assert_eq!(slow.interval.as_millis(), 143);
        assert_eq!(CodelParameters::for_rate(Some(10_000_000)), parameters());
    }
}

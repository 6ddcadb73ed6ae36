//! The clock that never goes back.

use rustix::time::{ClockId, clock_gettime};

/// Microseconds since some moment before the program began (`CLOCK_MONOTONIC`; it stands still while the machine
/// sleeps).
pub fn monotonic_micros() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    // The kernel starts this clock at zero and keeps the nanoseconds below one second.
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanoseconds = u64::try_from(now.tv_nsec).unwrap_or(0);
    seconds * 1_000_000 + nanoseconds / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_does_not_go_back() {
        let before = monotonic_micros();
        assert!(before > 0 && monotonic_micros() >= before);
    }
}

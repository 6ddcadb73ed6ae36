//! The time octets take on a serial line.

use std::collections::VecDeque;
use std::time::Duration;

use bridge_proto::time::Instant;

/// One direction of a line: octets go in at once and come out when their time has come.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Octets a second; `None` for no time at all.
    rate: Option<u32>,
    waiting: VecDeque<u8>,
    /// The octets being sent, and when the last of them is through.
    under_way: Option<(Instant, Vec<u8>)>,
}

/// Pieces are this long in time, which is how rarely a line has to be looked at.
const PIECE: Duration = Duration::from_millis(10);

impl Line {
    pub(super) fn new(rate: Option<u32>) -> Self {
        Self { rate: rate.map(|rate| rate.max(1)), waiting: VecDeque::new(), under_way: None }
    }

    pub(super) fn push(&mut self, octets: &[u8]) {
        self.waiting.extend(octets);
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.under_way = None;
    }

    /// The octets that are through by now.
    pub(super) fn take(&mut self, now: Instant) -> Vec<u8> {
        let Some(rate) = self.rate else { return self.waiting.drain(..).collect() };
        let mut through = Vec::new();
        let mut free_at = now;
        loop {
            if let Some((at, piece)) = self.under_way.take_if(|(at, _)| *at <= now) {
                through.extend(piece);
                // The next piece began when this one was through, not when somebody looked.
                free_at = at;
            }
            if self.under_way.is_some() || self.waiting.is_empty() {
                return through;
            }
            let octets = piece_octets(rate).min(self.waiting.len());
            let piece: Vec<u8> = self.waiting.drain(..octets).collect();
            self.under_way = Some((free_at + time_of(octets, rate), piece));
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.under_way.as_ref().map(|(at, _)| *at)
    }
}

/// How long `octets` octets take at `rate` octets a second.
pub(super) fn time_of(octets: usize, rate: u32) -> Duration {
    Duration::from_micros((octets as u64).saturating_mul(1_000_000) / u64::from(rate.max(1)))
}

/// Octets of one piece at `rate` octets a second; at least one.
pub(super) fn piece_octets(rate: u32) -> usize {
    ((u128::from(rate) * PIECE.as_micros() / 1_000_000) as usize).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_take_their_time_however_rarely_one_looks() {
        let mut line = Line::new(Some(1000));
        line.push(&[7; 100]);
        assert!(line.take(Instant::ZERO).is_empty());
        assert_eq!(line.poll_timeout(), Some(Instant::from_millis(10)));
        assert_eq!(line.take(Instant::from_millis(10)).len(), 10);
        assert_eq!(line.take(Instant::from_millis(95)).len(), 80);
        assert_eq!(line.take(Instant::from_millis(100)).len(), 10);
        assert_eq!(line.poll_timeout(), None);
    }

    #[test]
    fn a_line_without_a_rate_takes_no_time() {
        let mut line = Line::new(None);
        line.push(b"CONNECT");
        assert_eq!(line.take(Instant::ZERO), b"CONNECT");
    }
}

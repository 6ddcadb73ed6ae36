//! Frames of a few octets, judged in registers: noise and floods are full of them, most are bad, and none should cost
//! more than the octets that it has.

use super::{Accm, ESCAPE, ESCAPED_BIT, FLAG, Fcs16, FrameError, MIN_FRAME};
use bridge_octets::Unstuffed;
use bridge_octets::lanes::{self, below_20, equal};

/// What a few octets between two flags are.
pub(super) enum Small {
    /// Nothing: fill, or what the line made up.
    Nothing,
    /// A bad frame.
    Bad(FrameError),
    /// A good frame.
    Good,
}

/// What the octets before the first FLAG are if they are few, and what follows the FLAG.
///
/// There are the same two readings as in `deframer::receive`.
#[inline]
pub(super) fn split(octets: &[u8], accm: Accm) -> Option<(Small, &[u8])> {
    Some(match octets {
        [FLAG, rest @ ..] => (Small::Nothing, rest),
        [a, FLAG, rest @ ..] => (judge_short([*a], accm), rest),
        [a, b, FLAG, rest @ ..] => (judge_short([*a, *b], accm), rest),
        [a, b, c, FLAG, rest @ ..] => (judge_short([*a, *b, *c], accm), rest),
        _ => match Register::split(octets) {
            Some((register, rest)) => (register.judge(accm), rest),
            None => split_plain(octets, accm)?,
        },
    })
}

/// The same for eight to fifteen octets among which nothing is escaped or made up by the line.
#[inline]
fn split_plain(octets: &[u8], accm: Accm) -> Option<(Small, &[u8])> {
    let (first, behind) = octets.split_first_chunk()?;
    let second = u64::from_le_bytes(*behind.first_chunk()?);
    let len = equal(second, FLAG).trailing_zeros() / 8;
    let rest = behind.get(len as usize + 1..)?;
    let special = |word| equal(word, ESCAPE) | if accm == Accm::NONE { 0 } else { below_20(word) };
    let first_word = u64::from_le_bytes(*first);
    if equal(first_word, FLAG) | special(first_word) | special(second) & lanes::before(len)? != 0 {
        return None;
    }
    let fcs = Fcs16::new().with(first).with(behind.get(..len as usize)?);
    let judgement = if fcs == Fcs16::GOOD { Small::Good } else { Small::Bad(FrameError::BadFcs) };
    Some((judgement, rest))
}

/// Judges fewer octets than a frame has.
#[inline(always)]
fn judge_short<const N: usize>(octets: [u8; N], accm: Accm) -> Small {
    let unstuffed = |accm: Accm| {
        octets.iter().fold(Unstuffed::default(), |done, octet| done.after(*octet, accm.escapes(*octet)))
    };
    let (all, own) = (unstuffed(Accm::NONE), unstuffed(accm));
    if all.escaping || own.escaping {
        Small::Bad(FrameError::Aborted)
    } else if own.len > 0 {
        Small::Bad(FrameError::Short)
    } else {
        Small::Nothing
    }
}

const LANES: u32 = lanes::LANES as u32;

/// Octets in the order of the line, the last in the last lane, and zeros before them.
#[derive(Clone, Copy)]
struct Register {
    octets: u64,
    len: u32,
}

impl Register {
    /// Four octets or more before the first FLAG, and what follows it.
    #[inline]
    fn split(octets: &[u8]) -> Option<(Self, &[u8])> {
        let first = u64::from_le_bytes(*octets.first_chunk()?);
        let len = equal(first, FLAG).trailing_zeros() / 8;
        let rest = octets.get(len as usize + 1..)?;
        Some((Self { octets: first.checked_shl(64 - 8 * len)?, len }, rest)).filter(|_| len < LANES)
    }

    #[inline]
    fn judge(self, accm: Accm) -> Small {
        let escapes = equal(self.octets, ESCAPE);
        let dropped = self.flagged(accm);
        if escapes | dropped == 0 {
            return self.judge_unstuffed();
        }
        self.judge_both_readings(escapes, dropped)
    }

    #[inline]
    fn judge_unstuffed(self) -> Small {
        match self.len as usize {
            0 => Small::Nothing,
            1..MIN_FRAME => Small::Bad(FrameError::Short),
            _ if Fcs16::of_last(self.octets, self.len) == Fcs16::GOOD => Small::Good,
            _ => Small::Bad(FrameError::BadFcs),
        }
    }

    fn judge_both_readings(self, escapes: u64, dropped: u64) -> Small {
        let read = |dropped| match self.unstuff(escapes, dropped) {
            Some(unstuffed) => unstuffed.judge_unstuffed(),
            None => Small::Bad(FrameError::Aborted),
        };
        match read(0) {
            Small::Bad(FrameError::Short | FrameError::BadFcs) if dropped != 0 => read(dropped),
            judgement => judgement,
        }
    }

    /// The lanes of control octets that `accm` flags.
    #[inline]
    fn flagged(self, accm: Accm) -> u64 {
        if accm == Accm::NONE {
            return 0;
        }
        let mut flagged = below_20(self.octets) & lanes::ALL << (64 - 8 * self.len);
        let mut controls = if accm == Accm::ALL { 0 } else { flagged };
        while let Some(lane) = take_first(&mut controls) {
            if !accm.escapes((self.octets >> (8 * lane)) as u8) {
                flagged ^= top(lane);
            }
        }
        flagged
    }

    /// Without stuffing and without the `dropped` lanes; `None` if it ends with ESCAPE.
    fn unstuff(mut self, escapes: u64, dropped: u64) -> Option<Self> {
        let mut special = escapes | dropped;
        // The lane of the octet that the last ESCAPE stands before, until it is known to stay.
        let mut escaped = None;
        while let Some(lane) = take_first(&mut special) {
            let is_escaped = escaped == Some(lane);
            let is_dropped = dropped & top(lane) != 0;
            if is_escaped && !is_dropped {
                continue;
            }
            if !is_escaped {
                self.flip(escaped.take());
            }
            if is_escaped || !is_dropped {
                escaped = Some(lane + 1);
            }
            self.remove(lane);
        }
        self.flip(escaped);
        (escaped != Some(LANES)).then_some(self)
    }

    fn flip(&mut self, lane: Option<u32>) {
        self.octets ^= lane.and_then(|lane| u64::from(ESCAPED_BIT).checked_shl(8 * lane)).unwrap_or(0);
    }

    /// The lanes before move up.
    fn remove(&mut self, lane: u32) {
        let before = (1 << (8 * lane)) - 1;
        let after = !before << 8;
        self.octets = (self.octets & before) << 8 | self.octets & after;
        self.len -= 1;
    }
}

const fn top(lane: u32) -> u64 {
    0x80 << (8 * lane)
}

/// Takes the first lane out of a set.
fn take_first(lanes: &mut u64) -> Option<u32> {
    let lane = lanes.trailing_zeros() / 8;
    *lanes &= lanes.wrapping_sub(1);
    (lane < LANES).then_some(lane)
}

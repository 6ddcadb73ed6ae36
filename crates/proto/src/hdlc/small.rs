//! Frames of a few octets, judged in registers: noise and floods are full of them, most are bad, and none should cost
//! more than the octets that it has.

use super::{Accm, ESCAPE, ESCAPED_BIT, FLAG, Fcs16, FrameError, MIN_FRAME};
use bridge_octets::Unstuffed;
use bridge_octets::lanes::{self, equal};
use core::ops::{BitAnd, BitXor, Shl, Shr};

/// What a few octets between two flags are.
pub(super) enum Small {
    /// Nothing but what the line made up.
    Nothing,
    /// A bad frame.
    Bad(FrameError),
    /// A good frame.
    Good,
}

/// What one to three octets before a FLAG are, and what follows the FLAG.
///
/// There are the same two readings as in `deframer::receive`.
#[inline]
pub(super) fn split_short(octets: &[u8], accm: Accm) -> Option<(Small, &[u8])> {
    Some(match octets {
        [a, FLAG, rest @ ..] => (judge_short([*a], accm), rest),
        [a, b, FLAG, rest @ ..] => (judge_short([*a, *b], accm), rest),
        [a, b, c, FLAG, rest @ ..] => (judge_short([*a, *b, *c], accm), rest),
        _ => return None,
    })
}

/// The same for four to fifteen octets.
#[inline]
pub(super) fn split(octets: &[u8], accm: Accm) -> Option<(Small, &[u8])> {
    if let Some((register, rest)) = Register::<u64>::split(octets) {
        return Some((register.judge(accm)?, rest));
    }
    let (register, rest) = Register::<u128>::split(octets)?;
    Some((register.judge(accm)?, rest))
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

/// Octets in the order of the line, from lane 0, and zeros behind them.
#[derive(Clone, Copy)]
struct Register<W> {
    octets: W,
    len: u32,
}

impl<W: Lanes> Register<W> {
    /// The octets before the first FLAG if they leave a lane free, and what follows it.
    #[inline]
    fn split(octets: &[u8]) -> Option<(Self, &[u8])> {
        let register = W::first(octets)?;
        let len = register.find(|word| equal(word, FLAG)).first_of();
        let rest = octets.get(len as usize + 1..).filter(|_| len < W::LANES)?;
        Some((Self { octets: register & W::before(len), len }, rest))
    }

    /// `None` if it takes a closer look.
    #[inline]
    fn judge(self, accm: Accm) -> Option<Small> {
        let all = self.read()?;
        let flagged = self.octets.find(|word| lanes::flagged(word, accm.0)) & W::before(self.len);
        match all {
            Small::Bad(FrameError::Short | FrameError::BadFcs) if flagged != W::NONE => {
                self.without(flagged).read()
            }
            all => Some(all),
        }
    }

    /// What it is if none of it was made up by the line. `None` if ESCAPE follows ESCAPE: which of
    /// them escapes takes a closer look.
    #[inline]
    fn read(self) -> Option<Small> {
        let escapes = self.octets.find(|word| equal(word, ESCAPE));
        if escapes == W::NONE {
            return Some(self.judge_unstuffed());
        }
        let escaped = escapes << LANE_BITS;
        if escapes & escaped != W::NONE {
            return None;
        }
        if escapes & W::before(self.len - 1) != escapes {
            return Some(Small::Bad(FrameError::Aborted));
        }
        let octets = self.octets ^ escaped >> (7 - ESCAPED_BIT.trailing_zeros());
        Some(Self { octets, ..self }.without(escapes).judge_unstuffed())
    }

    #[inline]
    fn judge_unstuffed(self) -> Small {
        match self.len as usize {
            0 => Small::Nothing,
            1..MIN_FRAME => Small::Bad(FrameError::Short),
            _ if self.octets.fcs(self.len) == Fcs16::GOOD => Small::Good,
            _ => Small::Bad(FrameError::BadFcs),
        }
    }

    /// Without the octets of these lanes.
    #[inline]
    fn without(self, unwanted: W) -> Self {
        let (octets, left) = self.octets.squeeze(unwanted);
        Self { octets, len: self.len + left - W::LANES }
    }
}

/// The bits of a lane.
const LANE_BITS: u32 = 8;

/// A word or two of lanes.
trait Lanes:
    Copy + Eq + BitAnd<Output = Self> + BitXor<Output = Self> + Shl<u32, Output = Self> + Shr<u32, Output = Self>
{
    const LANES: u32;
    const NONE: Self;

    /// The first octets of these, if they are as many.
    fn first(octets: &[u8]) -> Option<Self>;

    /// All bits of the lanes before this one, which is there.
    fn before(lane: u32) -> Self;

    /// A set of lanes, found word by word.
    fn find(self, find: impl Fn(u64) -> u64) -> Self;

    /// The first lane of a set; as many as there are if it is empty.
    fn first_of(self) -> u32;

    /// See [`lanes::squeeze`].
    fn squeeze(self, unwanted: Self) -> (Self, u32);

    /// The FCS of the first `len` octets, two or more.
    fn fcs(self, len: u32) -> Fcs16;
}

/// What is written alike for all integers.
macro_rules! as_integer {
    () => {
        #[inline]
        fn first(octets: &[u8]) -> Option<Self> {
            Some(Self::from_le_bytes(*octets.first_chunk()?))
        }

        #[inline]
        fn before(lane: u32) -> Self {
            (1 << (LANE_BITS * lane)) - 1
        }

        #[inline]
        fn first_of(self) -> u32 {
            self.trailing_zeros() / LANE_BITS
        }
    };
}

impl Lanes for u64 {
    const LANES: u32 = lanes::LANES as u32;
    const NONE: Self = 0;
    as_integer!();

    #[inline]
    fn find(self, find: impl Fn(u64) -> u64) -> Self {
        find(self)
    }

    #[inline]
    fn squeeze(self, unwanted: Self) -> (Self, u32) {
        lanes::squeeze(self, unwanted)
    }

    #[inline]
    fn fcs(self, len: u32) -> Fcs16 {
        Fcs16::new().with_first(self, len)
    }
}

impl Lanes for u128 {
    const LANES: u32 = 2 * u64::LANES;
    const NONE: Self = 0;
    as_integer!();

    #[inline]
    fn find(self, find: impl Fn(u64) -> u64) -> Self {
        Self::from(find(self as u64)) | Self::from(find((self >> u64::BITS) as u64)) << u64::BITS
    }

    #[inline]
    fn squeeze(self, unwanted: Self) -> (Self, u32) {
        let word = |shift| lanes::squeeze((self >> shift) as u64, (unwanted >> shift) as u64);
        let ((first, count), (second, more)) = (word(0), word(u64::BITS));
        (Self::from(first) | Self::from(second) << (LANE_BITS * count), count + more)
    }

    #[inline]
    fn fcs(self, len: u32) -> Fcs16 {
        match len.checked_sub(u64::LANES) {
            None => Fcs16::new().with_first(self as u64, len),
            Some(more) => {
                Fcs16::new().with_first(self as u64, u64::LANES).with_first((self >> u64::BITS) as u64, more)
            }
        }
    }
}

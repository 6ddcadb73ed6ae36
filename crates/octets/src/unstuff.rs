//! Unstuffing: what the sender had before he stuffed it.

mod plain;
mod shuffled;

use crate::lanes::{self, LANES};
use crate::shuffler::{Shuffler, shuffler};
use crate::{ESCAPE, ESCAPED_BIT};
use fearless_simd::Simd;

/// Where unstuffing stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unstuffed {
    /// The octets written.
    pub len: usize,
    /// The last octet was ESCAPE, and nothing followed it.
    pub escaping: bool,
}

impl Unstuffed {
    /// Where unstuffing is one octet later, which is of no account if `drop`.
    #[must_use]
    pub const fn after(self, octet: u8, drop: bool) -> Self {
        let escape = (octet == ESCAPE) & !self.escaping & !drop;
        Self { len: self.len + (!drop & !escape) as usize, escaping: (self.escaping & drop) | escape }
    }
}

/// How much more room [`unstuff`] and [`unstuff_without`] want than they write.
pub const SLACK: usize = 32;

/// Writes to the front of `out` what `octets`, none of them FLAG, stand for; `None` if there is no room.
///
/// It may write up to [`SLACK`] octets more, which are of no account.
#[must_use]
pub fn unstuff(octets: &[u8], out: &mut [u8]) -> Option<Unstuffed> {
    unstuff_with(shuffler(), octets, out)
}

pub(crate) fn unstuff_with(shuffler: Option<Shuffler>, octets: &[u8], out: &mut [u8]) -> Option<Unstuffed> {
    unstuff_from(Unstuffed::default(), shuffler, octets, out)
}

/// Goes on from where `done` ended.
fn unstuff_from(
    done: Unstuffed,
    shuffler: Option<Shuffler>,
    octets: &[u8],
    out: &mut [u8],
) -> Option<Unstuffed> {
    match shuffler {
        Some(simd) if octets.len() >= shuffled::BLOCK => {
            let done = simd.vectorize(|| shuffled::unstuff(simd, octets, out, done))?;
            plain::unstuff(octets, octets.len() - octets.len() % shuffled::BLOCK, out, done)
        }
        _ => plain::unstuff(octets, 0, out, done),
    }
}

/// The same as [`unstuff`] without those control octets, below 0x20, that `map` has the bit of: the line made them up.
#[must_use]
pub fn unstuff_without(octets: &[u8], map: u32, out: &mut [u8]) -> Option<Unstuffed> {
    unstuff_without_with(shuffler(), octets, map, out)
}

pub(crate) fn unstuff_without_with(
    shuffler: Option<Shuffler>,
    octets: &[u8],
    map: u32,
    out: &mut [u8],
) -> Option<Unstuffed> {
    octets.chunks(Sifted::MOST).try_fold(Unstuffed::default(), |done, octets| {
        unstuff_from(done, shuffler, Sifted::new(octets, map).octets(), out)
    })
}

/// Octets without those that the line made up.
struct Sifted {
    room: [u8; Self::MOST + LANES],
    len: usize,
}

impl Sifted {
    /// Octets that are sifted at once.
    const MOST: usize = 64;

    /// Of at most [`MOST`](Self::MOST) octets.
    fn new(octets: &[u8], map: u32) -> Self {
        let mut sifted = Self { room: [0; Self::MOST + LANES], len: 0 };
        let (groups, rest) = octets.as_chunks();
        for group in groups {
            let word = u64::from_le_bytes(*group);
            sifted.take(word, lanes::flagged(word, map));
        }
        let missing = lanes::ALL << (8 * rest.len());
        let rest = rest.iter().rev().fold(0, |word, octet| word << 8 | u64::from(*octet));
        sifted.take(rest, lanes::flagged(rest, map) | missing);
        sifted
    }

    fn take(&mut self, word: u64, dropped: u64) {
        let (word, count) = lanes::squeeze(word, dropped);
        if let Some(room) = self.room.get_mut(self.len..).and_then(<[u8]>::first_chunk_mut) {
            *room = word.to_le_bytes();
            self.len += count as usize;
        }
    }

    fn octets(&self) -> &[u8] {
        self.room.get(..self.len).unwrap_or_default()
    }
}

/// The plain form of the rule, from where `done` ended.
// Rare in the fast forms, and would crowd them.
#[inline(never)]
fn unstuff_octets(octets: &[u8], out: &mut [u8], mut done: Unstuffed) -> Option<Unstuffed> {
    for octet in octets {
        // Every octet is written, and overwritten by the next if it stands for nothing: a branch on what the
        // peer sends could be foretold by the processor half of the time at best.
        *out.get_mut(done.len)? = octet ^ u8::from(done.escaping) << ESCAPED_BIT.trailing_zeros();
        done = done.after(*octet, false);
    }
    Some(done)
}

/// The place of the first FLAG.
#[must_use]
pub fn find_flag(octets: &[u8]) -> Option<usize> {
    find_flag_with(shuffler(), octets)
}

pub(crate) fn find_flag_with(shuffler: Option<Shuffler>, octets: &[u8]) -> Option<usize> {
    let looked_at = match shuffler.map(|simd| simd.vectorize(|| shuffled::find_flag(simd, octets))) {
        Some(Ok(place)) => return Some(place),
        Some(Err(looked_at)) => looked_at,
        None => 0,
    };
    Some(looked_at + plain::find_flag(octets.get(looked_at..)?)?)
}

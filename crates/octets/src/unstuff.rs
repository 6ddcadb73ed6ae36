//! Unstuffing: what the sender had before he stuffed it.

mod plain;
mod shuffled;

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

/// How much more room [`unstuff`] wants than it writes.
pub const SLACK: usize = 32;

/// Writes to the front of `out` what `octets`, none of them FLAG, stand for; `None` if there is no room.
///
/// It may write up to [`SLACK`] octets more, which are of no account.
#[must_use]
pub fn unstuff(octets: &[u8], out: &mut [u8]) -> Option<Unstuffed> {
    unstuff_with(shuffler(), octets, out)
}

pub(crate) fn unstuff_with(shuffler: Option<Shuffler>, octets: &[u8], out: &mut [u8]) -> Option<Unstuffed> {
    let (rest, done) = match shuffler {
        Some(simd) if octets.len() >= shuffled::BLOCK => {
            simd.vectorize(|| shuffled::unstuff(simd, octets, out))?
        }
        _ => (octets, Unstuffed::default()),
    };
    plain::unstuff(rest, out, done)
}

/// The same without the octets that `dropped` is true for: those that the line made up.
#[must_use]
pub fn unstuff_without(octets: &[u8], dropped: impl Fn(u8) -> bool, out: &mut [u8]) -> Option<Unstuffed> {
    unstuff_octets(octets, dropped, out, Unstuffed::default())
}

/// The plain form of the rule, from where `done` ended.
// Rare in the fast forms, and would crowd them.
#[inline(never)]
fn unstuff_octets(
    octets: &[u8],
    dropped: impl Fn(u8) -> bool,
    out: &mut [u8],
    mut done: Unstuffed,
) -> Option<Unstuffed> {
    for octet in octets {
        // Every octet is written, and overwritten by the next if it stands for nothing: a branch on what the
        // peer sends could be foretold by the processor half of the time at best.
        *out.get_mut(done.len)? = octet ^ u8::from(done.escaping) << ESCAPED_BIT.trailing_zeros();
        done = done.after(*octet, dropped(*octet));
    }
    Some(done)
}

/// The place of the first FLAG.
#[must_use]
pub fn find_flag(octets: &[u8]) -> Option<usize> {
    find_flag_with(shuffler(), octets)
}

pub(crate) fn find_flag_with(shuffler: Option<Shuffler>, octets: &[u8]) -> Option<usize> {
    let looked_at = match shuffler {
        Some(simd) => simd.vectorize(|| shuffled::octets_before_flag(simd, octets)),
        None => 0,
    };
    Some(looked_at + plain::find_flag(octets.get(looked_at..)?)?)
}

//! Unstuffing by the instructions that every processor has.

use super::{Unstuffed, unstuff_octets};
use crate::lanes::{LANES, equal, squeeze};
use crate::{ESCAPE, ESCAPED_BIT, FLAG};

/// Goes on behind the first `taken` octets, from where `done` ended; `None` if there is no room.
pub(super) fn unstuff(octets: &[u8], taken: usize, out: &mut [u8], mut done: Unstuffed) -> Option<Unstuffed> {
    let (groups, rest) = octets.get(taken..)?.as_chunks();
    for group in groups {
        done = unstuff_group(u64::from_le_bytes(*group), group, out, done)?;
    }
    if rest.is_empty() {
        return Some(done);
    }
    let word = match octets.last_chunk() {
        Some(last) => u64::from_le_bytes(*last) >> (u64::BITS - bits(rest)),
        None => rest.iter().rev().fold(0, |word, octet| word << 8 | u64::from(*octet)),
    };
    unstuff_group(word, rest, out, done)
}

/// Those of a word that so many octets take.
const fn bits(octets: &[u8]) -> u32 {
    8 * octets.len() as u32
}

/// The place of the first FLAG.
pub(super) fn find_flag(octets: &[u8]) -> Option<usize> {
    let (groups, rest) = octets.as_chunks();
    for (place, group) in (0..).step_by(LANES).zip(groups) {
        let flags = equal(u64::from_le_bytes(*group), FLAG);
        if flags != 0 {
            return Some(place + flags.trailing_zeros() as usize / 8);
        }
    }
    Some(octets.len() - rest.len() + rest.iter().position(|octet| *octet == FLAG)?)
}

/// Unstuffs one to eight octets in the same time wherever the escapes are. They are those of `word` too, from its first
/// lane, with zeros behind.
// As a call it takes twice as long.
#[inline(always)]
fn unstuff_group(word: u64, octets: &[u8], out: &mut [u8], done: Unstuffed) -> Option<Unstuffed> {
    let escapes = equal(word, ESCAPE);
    let escaped = escapes << 8 | u64::from(done.escaping) << 7;
    if escapes & escaped != 0 {
        // An escaped ESCAPE, which few senders have reason to send: not every ESCAPE here escapes.
        return unstuff_octets(octets, out, done);
    }
    let room = out.get_mut(done.len..)?.first_chunk_mut()?;
    if escapes | escaped == 0 {
        *room = word.to_le_bytes();
        return Some(Unstuffed { len: done.len + octets.len(), escaping: false });
    }
    *room = squeeze(word ^ escaped >> (7 - ESCAPED_BIT.trailing_zeros()), escapes).0.to_le_bytes();
    let len = done.len + octets.len() - escapes.count_ones() as usize;
    Some(Unstuffed { len, escaping: escapes >> (bits(octets) - 1) == 1 })
}

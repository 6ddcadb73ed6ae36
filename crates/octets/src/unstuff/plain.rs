//! Unstuffing by the instructions that every processor has.

use super::{Unstuffed, unstuff_octets};
use crate::lanes::{LANES, equal};
use crate::{ESCAPE, ESCAPED_BIT, FLAG};

/// Goes on from where `done` ended; `None` if there is no room.
pub(super) fn unstuff(octets: &[u8], out: &mut [u8], mut done: Unstuffed) -> Option<Unstuffed> {
    let (groups, rest) = octets.as_chunks();
    for group in groups {
        done = unstuff_group(*group, out, done)?;
    }
    unstuff_octets(rest, |_| false, out, done)
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

/// Unstuffs eight octets in the same time wherever the escapes are.
// As a call it takes twice as long.
#[inline(always)]
fn unstuff_group(group: [u8; LANES], out: &mut [u8], done: Unstuffed) -> Option<Unstuffed> {
    let octets = u64::from_le_bytes(group);
    let escapes = equal(octets, ESCAPE) >> 7;
    let escaped = escapes << 8 | u64::from(done.escaping);
    if escapes | escaped == 0 {
        *out.get_mut(done.len..)?.first_chunk_mut()? = group;
        return Some(Unstuffed { len: done.len + group.len(), escaping: false });
    }
    if escapes & escaped != 0 {
        // An escaped ESCAPE, which few senders have reason to send: not every ESCAPE here escapes.
        return unstuff_octets(&group, |_| false, out, done);
    }
    let (octets, count) = squeeze(octets ^ escaped << ESCAPED_BIT.trailing_zeros(), escapes);
    *out.get_mut(done.len..)?.first_chunk_mut()? = octets.to_le_bytes();
    Some(Unstuffed { len: done.len + count, escaping: escapes >> 56 == 1 })
}

/// The lanes of `word` that are not `unwanted` moved together, first to last, and how many they are.
///
/// `unwanted` has one in each unwanted lane, and no two of them side by side.
const fn squeeze(word: u64, unwanted: u64) -> (u64, usize) {
    // In each lane, how far it has to move: the number of unwanted lanes before it.
    let distances = unwanted.wrapping_mul(ONES);
    let count = LANES - (distances >> 56) as usize;

    let wanted = !filled(unwanted);
    let (mut word, mut distances) = (word & wanted, distances & wanted);
    // Distances are at most four: first those move that have an odd distance, by one, then by two, by four.
    let mut step = 0;
    while step < 3 {
        let moving = filled(distances >> step & ONES);
        let by = 8 << step;
        word = word & !moving | (word & moving) >> by;
        distances = distances & !moving | (distances & moving) >> by;
        step += 1;
    }
    (word, count)
}

/// All bits of each lane that has one.
const fn filled(lanes: u64) -> u64 {
    (lanes << 8).wrapping_sub(lanes)
}

const ONES: u64 = 0x0101_0101_0101_0101;

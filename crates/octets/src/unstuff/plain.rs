//! Unstuffing by the instructions that every processor has.

use super::{Unstuffed, unstuff_octets};
use crate::{ESCAPE, ESCAPED_BIT};

/// Goes on from where `done` ended; `None` if there is no room.
pub(super) fn unstuff(octets: &[u8], out: &mut [u8], mut done: Unstuffed) -> Option<Unstuffed> {
    let (blocks, rest) = octets.as_chunks::<BLOCK>();
    for block in blocks {
        if done.escaping || contains(block, ESCAPE) {
            for group in block.as_chunks().0 {
                done = unstuff_group(*group, out, done)?;
            }
        } else {
            *out.get_mut(done.len..)?.first_chunk_mut()? = *block;
            done.len += BLOCK;
        }
    }
    let (groups, rest) = rest.as_chunks();
    for group in groups {
        done = unstuff_group(*group, out, done)?;
    }
    unstuff_octets(rest, |_| false, out, done)
}

/// Unstuffs eight octets in the same time wherever the escapes are.
// As a call it takes twice as long.
#[inline(always)]
fn unstuff_group(group: [u8; 8], out: &mut [u8], done: Unstuffed) -> Option<Unstuffed> {
    let octets = u64::from_le_bytes(group);
    let escapes = lanes_equal(octets, ESCAPE);
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

/// One in each lane (an octet of the word) that holds `octet`.
const fn lanes_equal(word: u64, octet: u8) -> u64 {
    let differences = word ^ (ONES * octet as u64);
    // The sum sets a lane's top bit if any lower bit is set, and never carries into the next lane.
    let unequal = ((differences & !TOPS) + !TOPS) | differences;
    (!unequal & TOPS) >> 7
}

/// The lanes of `word` that are not `unwanted` moved together, first to last, and how many they are.
///
/// `unwanted` has one in each unwanted lane, and no two of them side by side.
const fn squeeze(word: u64, unwanted: u64) -> (u64, usize) {
    // In each lane, how far it has to move: the number of unwanted lanes before it.
    let distances = unwanted.wrapping_mul(ONES);
    let count = 8 - (distances >> 56) as usize;

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
const TOPS: u64 = 0x8080_8080_8080_8080;

/// Octets looked at together.
const BLOCK: usize = 32;

fn contains(block: &[u8; BLOCK], wanted: u8) -> bool {
    // No early exit: the whole block is one comparison in vector registers.
    block.iter().fold(0, |found, octet| found | u8::from(*octet == wanted)) != 0
}

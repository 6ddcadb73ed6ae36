//! Unstuffing sixteen octets in a register of the processor.
//!
//! Which of eight octets are ESCAPE is a number of eight bits, and for each such number there is a list of the octets
//! that stay.

use super::Unstuffed;
use crate::{ESCAPE, ESCAPED_BIT, FLAG};
use fearless_simd::prelude::*;
use fearless_simd::{mask8x16, u8x16, u8x32};

/// Octets that are unstuffed together.
pub(super) const BLOCK: usize = 16;

/// Writes to `out`, from where `done` ended, what the blocks of `octets` stand for; `None` if there is no room.
#[inline(always)]
pub(super) fn unstuff<S: Simd>(
    simd: S,
    octets: &[u8],
    out: &mut [u8],
    mut done: Unstuffed,
) -> Option<Unstuffed> {
    // If the last octet was ESCAPE, the bit that it changes in the next.
    let bit_of = |escaping| u8x16::splat(simd, u8::from(escaping) << ESCAPED_BIT.trailing_zeros());
    let mut bits_before = bit_of(done.escaping);
    let (blocks, _) = octets.as_chunks();
    for block in blocks {
        let octets = u8x16::load_array(simd, *block);
        let found = octets.simd_eq(ESCAPE);
        let escapes = found.to_bitmask() as u16;
        let out = out.get_mut(done.len..)?;
        if escapes == 0 && !done.escaping {
            *out.first_chunk_mut()? = *block;
            done.len += BLOCK;
            continue;
        }
        let bits = found.select(u8x16::splat(simd, ESCAPED_BIT), u8x16::splat(simd, 0));
        let after = escapes << 1 | u16::from(done.escaping);
        let (changes, staying);
        if escapes & after == 0 {
            // As all but few senders have it: what an ESCAPE escapes is never one.
            changes = bits_before.slide::<15>(bits);
            staying = !escapes;
            done.escaping = escapes >> 15 == 1;
        } else {
            let escaped;
            (escaped, done.escaping) = find_escaped(escapes, done.escaping);
            changes = mask8x16::from_bitmask(simd, escaped.into())
                .select(u8x16::splat(simd, ESCAPED_BIT), u8x16::splat(simd, 0));
            staying = !(escapes & !escaped);
        }
        bits_before = bit_of(done.escaping);
        let octets = octets ^ changes;
        let [first, second] = staying.to_le_bytes();
        *out.first_chunk_mut()? = octets.swizzle_dyn(places(simd, first)).to_array();
        let out = out.get_mut(first.count_ones() as usize..)?;
        *out.first_chunk_mut()? = octets.swizzle_dyn(places(simd, second) ^ 8).to_array();
        done.len += staying.count_ones() as usize;
    }
    Some(done)
}

/// The place of the first FLAG in whole blocks of 32, or else how many octets they are.
#[inline(always)]
pub(super) fn find_flag<S: Simd>(simd: S, octets: &[u8]) -> Result<usize, usize> {
    let (blocks, _) = octets.as_chunks::<32>();
    for (place, block) in (0..).step_by(32).zip(blocks) {
        let flags = u8x32::load_array(simd, *block).simd_eq(FLAG);
        if flags.any_true() {
            return Ok(place + flags.to_bitmask().trailing_zeros() as usize);
        }
    }
    Err(blocks.len() * 32)
}

/// Which octets follow one that escapes, and whether the next after these does, if ESCAPE is at `escapes`.
#[inline(always)]
const fn find_escaped(escapes: u16, escaping: bool) -> (u16, bool) {
    // In a row of ESCAPEs the first escapes the second, the third the fourth, and so on. Whether a row begins at an
    // even or at an odd place decides which these are; adding its first bit to a row leaves the bit after its end.
    const EVEN: u32 = 0x5555;
    let row = escapes.leading_ones();
    let next = row % 2 == 1 || (row == u16::BITS && escaping);

    let escapes = escapes as u32 & !(escaping as u32);
    let after = escapes << 1 | escaping as u32;
    let odd_first = escapes & !EVEN & !after;
    let escaped = (EVEN ^ (odd_first + escapes) << 1) & after;
    (escaped as u16, next)
}

/// The octets that stay, in the lower eight places.
#[inline(always)]
fn places<S: Simd>(simd: S, staying: u8) -> u8x16<S> {
    // There is an entry for every number.
    u8x16::load_array(simd, PLACES.get(usize::from(staying)).copied().unwrap_or_default())
}

/// For each choice of octets among eight, those chosen.
#[expect(clippy::indexing_slicing, reason = "computed by the compiler, which sees where it would end")]
static PLACES: [[u8; 16]; 256] = {
    let mut lists = [[0; 16]; 256];
    let mut staying = 0;
    while staying < 256 {
        let (mut octet, mut end) = (0, 0);
        while octet < 8 {
            if staying >> octet & 1 == 1 {
                lists[staying][end] = octet;
                end += 1;
            }
            octet += 1;
        }
        staying += 1;
    }
    lists
};

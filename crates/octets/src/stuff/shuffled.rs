//! Stuffing sixteen octets in a register of the processor.
//!
//! Whether an octet is to be escaped is looked up for all sixteen at once: the set is a table of 16 by 16, whose rows
//! are chosen by the octets' high halves and whose columns by their low halves. Most rows are empty, and some of the
//! others alike; eight different ones are as many as there is room for in one look-up, and more than anyone needs.
//! Which of eight octets are escaped is a number of eight bits, and for each such number there is a list of what goes
//! to which place.

use crate::{ESCAPE, ESCAPED_BIT};
use fearless_simd::prelude::*;
use fearless_simd::u8x16;

/// Octets that are stuffed together.
pub(super) const BLOCK: usize = 16;

/// Stuffs blocks.
#[derive(Clone, Debug)]
pub(super) struct Stuffer {
    /// For each high half of an octet, the bit that stands for its row; none for an empty one.
    rows: [u8; 16],
    /// For each low half, the bits of the rows in which it is to be escaped.
    columns: [u8; 16],
}

impl Stuffer {
    /// `None` if there are more than eight different rows.
    pub(super) fn new(escaped: impl Fn(u8) -> bool) -> Option<Self> {
        let (mut rows, mut columns) = ([0; 16], [0; 16]);
        let mut different = [[false; 16]; 8];
        for (high, row) in (0..).zip(&mut rows) {
            let octets: [bool; 16] = std::array::from_fn(|low| escaped(high << 4 | low as u8));
            if octets == [false; 16] {
                continue;
            }
            let place = different.iter().position(|known| *known == octets || *known == [false; 16])?;
            if let Some(known) = different.get_mut(place) {
                *known = octets;
            }
            *row = 1 << place;
            for (column, _) in columns.iter_mut().zip(octets).filter(|(_, escaped)| *escaped) {
                *column |= *row;
            }
        }
        Some(Self { rows, columns })
    }

    /// Writes what is sent for the blocks of `octets` to `room`, as long as there is room for the most that one may
    /// become, and returns what is left of both.
    #[inline(always)]
    pub(super) fn stuff<'o, 'r, S: Simd>(
        &self,
        simd: S,
        octets: &'o [u8],
        mut room: &'r mut [u8],
    ) -> (&'o [u8], &'r mut [u8]) {
        let set = Set::new(simd, self);
        let mut rest = octets;
        while let Some((block, after)) = rest.split_first_chunk()
            && let Some(place) = room.first_chunk_mut()
        {
            let len = set.stuff_block(block, place);
            room = room.get_mut(len..).unwrap_or_default();
            rest = after;
        }
        (rest, room)
    }
}

/// The octets to be escaped, in registers.
struct Set<S: Simd> {
    simd: S,
    rows: u8x16<S>,
    columns: u8x16<S>,
}

impl<S: Simd> Set<S> {
    #[inline(always)]
    fn new(simd: S, stuffer: &Stuffer) -> Self {
        Self {
            simd,
            rows: u8x16::load_array(simd, stuffer.rows),
            columns: u8x16::load_array(simd, stuffer.columns),
        }
    }

    /// Says how many octets are sent for the block.
    #[inline(always)]
    fn stuff_block(&self, block: &[u8; BLOCK], room: &mut [u8; 2 * BLOCK]) -> usize {
        let octets = u8x16::load_array(self.simd, *block);
        let plain = self.find(octets).simd_eq(0);
        let escaped = !plain.to_bitmask() as u16;
        if escaped == 0 {
            if let Some(room) = room.first_chunk_mut() {
                *room = *block;
            }
            return BLOCK;
        }
        let escape = u8x16::splat(self.simd, ESCAPE);
        let octets = plain.select(octets, octets ^ ESCAPED_BIT);
        let [first, second] = escaped.to_le_bytes();
        let len = 8 + first.count_ones() as usize;
        // The octets lie first in one register and last in the other: 8 tells the two apart.
        let places = self.places(first) ^ 8;
        self.put(escape.slide::<8>(octets).swizzle_dyn(places), room, 0);
        self.put(octets.slide::<8>(escape).swizzle_dyn(self.places(second)), room, len);
        BLOCK + escaped.count_ones() as usize
    }

    /// Not zero for each octet that is to be escaped.
    #[inline(always)]
    fn find(&self, octets: u8x16<S>) -> u8x16<S> {
        self.rows.swizzle_dyn(octets >> 4) & self.columns.swizzle_dyn(octets & 0x0f)
    }

    /// What goes where if of eight octets these are escaped.
    #[inline(always)]
    fn places(&self, escaped: u8) -> u8x16<S> {
        // There is an entry for every number.
        u8x16::load_array(self.simd, PLACES.get(usize::from(escaped)).copied().unwrap_or_default())
    }

    #[inline(always)]
    fn put(&self, octets: u8x16<S>, room: &mut [u8; 2 * BLOCK], at: usize) {
        if let Some(room) = room.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
            *room = octets.to_array();
        }
    }
}

/// For each choice of octets among eight, the octet (0 to 7) or ESCAPE (8) that goes to each place.
#[expect(clippy::indexing_slicing, reason = "computed by the compiler, which sees where it would end")]
static PLACES: [[u8; 16]; 256] = {
    let mut lists = [[0; 16]; 256];
    let mut escaped = 0;
    while escaped < 256 {
        let (mut octet, mut end) = (0, 0);
        while octet < 8 {
            if escaped >> octet & 1 == 1 {
                lists[escaped][end] = 8;
                end += 1;
            }
            lists[escaped][end] = octet;
            (octet, end) = (octet + 1, end + 1);
        }
        escaped += 1;
    }
    lists
};

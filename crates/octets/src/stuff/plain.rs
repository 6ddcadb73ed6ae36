//! Stuffing by the instructions that every processor has.
//!
//! Blocks without an octet to be escaped are copied; in the others each octet costs the same, whether escaped or
//! not.

use crate::{ESCAPE, ESCAPED_BIT, FLAG};

/// Stuffs octets.
#[derive(Clone, Debug)]
pub(super) struct Stuffer {
    /// For each octet the one or two that are sent for it, the first in the low half; the second, if there
    /// is one, is not zero.
    sent: [u16; 256],
    /// The octets to be escaped other than FLAG and ESCAPE lie between this one
    first: u8,
    /// and the one this much above it.
    span: u8,
}

impl Stuffer {
    /// `escaped` is true for FLAG and ESCAPE.
    pub(super) fn new(escaped: impl Fn(u8) -> bool) -> Self {
        let chosen = |octet: &u8| escaped(*octet) && !matches!(*octet, FLAG | ESCAPE);
        let first = (0..=u8::MAX).find(chosen).unwrap_or(FLAG);
        let last = (0..=u8::MAX).rfind(chosen).unwrap_or(FLAG);
        let mut sent = [0; 256];
        for (octet, place) in (0..=u8::MAX).zip(&mut sent) {
            *place =
                u16::from_le_bytes(if escaped(octet) { [ESCAPE, octet ^ ESCAPED_BIT] } else { [octet, 0] });
        }
        Self { sent, first, span: last - first }
    }

    /// Writes `octets` to the front of `room`, and returns the rest of it; `None` if there is too little.
    pub(super) fn stuff<'a>(&self, octets: &[u8], mut room: &'a mut [u8]) -> Option<&'a mut [u8]> {
        let (blocks, rest) = octets.as_chunks::<BLOCK>();
        for block in blocks {
            let Some(place) = room.first_chunk_mut() else {
                room = self.stuff_octets(block, room)?;
                continue;
            };
            let len = self.stuff_block(block, place);
            room = room.get_mut(len..)?;
        }
        self.stuff_octets(rest, room)
    }

    fn stuff_block(&self, block: &[u8; BLOCK], room: &mut [u8; 2 * BLOCK]) -> usize {
        if self.is_plain(block) {
            if let Some(room) = room.first_chunk_mut() {
                *room = *block;
            }
            return BLOCK;
        }
        self.stuff_dense(block, room)
    }

    /// A block in which something may have to be escaped.
    // Out of the way of the others, which then take two thirds of the time.
    #[inline(never)]
    fn stuff_dense(&self, block: &[u8; BLOCK], room: &mut [u8; 2 * BLOCK]) -> usize {
        let mut end = 0;
        for eight in block.as_chunks().0 {
            if let Some(room) = room.get_mut(end..).and_then(<[u8]>::first_chunk_mut) {
                end += self.stuff_eight(*eight, room);
            }
        }
        end
    }

    /// Few enough for one register, and for the compiler to see that there is room for all.
    fn stuff_eight(&self, octets: [u8; 8], room: &mut [u8; 16]) -> usize {
        // Loads and stores are what takes the time, so all eight are loaded at once.
        let octets = u64::from_le_bytes(octets);
        let mut escapes = 0;
        for place in 0..8 {
            let sent = self.sent_for((octets >> (8 * place)) as u8);
            // Both are written; the second, if there is none, is overwritten by what follows.
            if let Some(room) = room.get_mut(place + escapes..).and_then(<[u8]>::first_chunk_mut) {
                *room = sent.to_le_bytes();
            }
            escapes += usize::from(sent > 0xff);
        }
        8 + escapes
    }

    /// The plain form of the rule, for what is no block, or has no room for the longest that it may become.
    #[inline(never)]
    fn stuff_octets<'a>(&self, octets: &[u8], mut room: &'a mut [u8]) -> Option<&'a mut [u8]> {
        for octet in octets {
            let sent = self.sent_for(*octet);
            match room.first_chunk_mut() {
                Some(room) => *room = sent.to_le_bytes(),
                None if sent <= 0xff => *room.first_mut()? = *octet,
                None => return None,
            }
            room = room.get_mut(1 + usize::from(sent > 0xff)..)?;
        }
        Some(room)
    }

    /// Whether it is certain that none of these octets is to be escaped.
    fn is_plain<const N: usize>(&self, octets: &[u8; N]) -> bool {
        // No early exit: all octets are compared at once, in vector registers.
        let found = octets.iter().fold(0, |found, octet| {
            found
                | u8::from(
                    (octet.wrapping_sub(self.first) <= self.span) | (*octet == FLAG) | (*octet == ESCAPE),
                )
        });
        found == 0
    }

    fn sent_for(&self, octet: u8) -> u16 {
        // There is an entry for every octet.
        self.sent.get(usize::from(octet)).copied().unwrap_or_default()
    }
}

/// Octets looked at together.
const BLOCK: usize = 16;

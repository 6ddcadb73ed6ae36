//! Stuffing: octets to be sent, with those escaped that the line would otherwise take for its own.
//!
//! Blocks without such an octet are copied; in the others each octet costs the same, whether escaped or not,
//! so that nobody can slow the bridge down by what he sends.
//!
//! RFC 1662 §4.2.

use super::{Accm, ESCAPE, ESCAPED_BIT, ExtraEscapes, FLAG};

/// Stuffs octets for one set of octets to be escaped.
#[derive(Clone, Debug)]
pub(super) struct Stuffer {
    /// For each octet the one or two that are sent for it, the first in the low half; the second, if there
    /// is one, is not zero.
    sent: [u16; 256],
    /// Octets below this may be among those to escape.
    controls_end: u8,
    extra: bool,
}

impl Stuffer {
    pub(super) fn new(accm: Accm, extra: &ExtraEscapes) -> Self {
        let mut sent = [0; 256];
        for (octet, place) in (0..=u8::MAX).zip(&mut sent) {
            let escaped = matches!(octet, FLAG | ESCAPE) || accm.escapes(octet) || extra.contains(octet);
            *place = u16::from_le_bytes(if escaped { [ESCAPE, octet ^ ESCAPED_BIT] } else { [octet, 0] });
        }
        let controls_end = if accm == Accm::NONE { 0 } else { 0x20 };
        Self { sent, controls_end, extra: !extra.is_empty() }
    }

    /// Writes `octets` to `out` from `at` on, and says where it ends; `None` if there is no room.
    pub(super) fn stuff(&self, octets: &[u8], out: &mut [u8], mut at: usize) -> Option<usize> {
        let (blocks, rest) = octets.as_chunks::<BLOCK>();
        for block in blocks {
            at = match out.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
                Some(room) => at + self.stuff_block(block, room),
                None => self.stuff_octets(block, out, at)?,
            };
        }
        self.stuff_octets(rest, out, at)
    }

    fn stuff_block(&self, block: &[u8; BLOCK], room: &mut [u8; 2 * BLOCK]) -> usize {
        if self.is_plain(block) {
            if let Some(room) = room.first_chunk_mut() {
                *room = *block;
            }
            return BLOCK;
        }
        let mut end = 0;
        for four in block.as_chunks::<4>().0 {
            if let Some(room) = room.get_mut(end..).and_then(<[u8]>::first_chunk_mut) {
                end += self.stuff_four(four, room);
            }
        }
        end
    }

    /// Few enough for the compiler to see that there is room for all.
    fn stuff_four(&self, four: &[u8; 4], room: &mut [u8; 8]) -> usize {
        let mut end = 0;
        for octet in four {
            let sent = self.sent_for(*octet);
            // Both are written; the second, if there is none, is overwritten by what follows.
            if let Some(place) = room.get_mut(end..).and_then(<[u8]>::first_chunk_mut) {
                *place = sent.to_le_bytes();
            }
            end += 1 + usize::from(sent > 0xff);
        }
        end
    }

    fn stuff_octets(&self, octets: &[u8], out: &mut [u8], mut at: usize) -> Option<usize> {
        for octet in octets {
            let [first, second] = self.sent_for(*octet).to_le_bytes();
            *out.get_mut(at)? = first;
            at += 1;
            if second != 0 {
                *out.get_mut(at)? = second;
                at += 1;
            }
        }
        Some(at)
    }

    /// Whether it is certain that none of these octets is to be escaped.
    fn is_plain<const N: usize>(&self, octets: &[u8; N]) -> bool {
        // No early exit: all octets are compared at once, in vector registers.
        let found = octets.iter().fold(0, |found, octet| {
            found | u8::from((*octet < self.controls_end) | (*octet == FLAG) | (*octet == ESCAPE))
        });
        found == 0 && !self.extra
    }

    fn sent_for(&self, octet: u8) -> u16 {
        // There is an entry for every octet.
        self.sent.get(usize::from(octet)).copied().unwrap_or_default()
    }
}

/// Octets looked at together.
const BLOCK: usize = 16;

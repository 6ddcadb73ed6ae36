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
    /// What is sent for each octet.
    sent: [Sent; 256],
    /// Octets below this may be among those to escape.
    controls_end: u8,
    extra: bool,
}

/// What is sent for an octet or more.
#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    /// The octets, the first in the least significant place; zeros above them.
    octets: u16,
    bits: u16,
}

impl Stuffer {
    pub(super) fn new(accm: Accm, extra: &ExtraEscapes) -> Self {
        let mut sent = [Sent::default(); 256];
        for (octet, place) in (0..=u8::MAX).zip(&mut sent) {
            let escaped = matches!(octet, FLAG | ESCAPE) || accm.escapes(octet) || extra.contains(octet);
            *place = if escaped {
                Sent { octets: u16::from_le_bytes([ESCAPE, octet ^ ESCAPED_BIT]), bits: 16 }
            } else {
                Sent { octets: u16::from(octet), bits: 8 }
            };
        }
        let controls_end = if accm == Accm::NONE { 0 } else { 0x20 };
        Self { sent, controls_end, extra: !extra.is_empty() }
    }

    /// Writes `octets` to `out` from `at` on, and says where it ends; `None` if there is no room.
    pub(super) fn stuff(&self, octets: &[u8], out: &mut [u8], mut at: usize) -> Option<usize> {
        let (blocks, rest) = octets.as_chunks::<BLOCK>();
        for block in blocks {
            at = match out.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
                Some(room) if self.is_plain(block) => {
                    *room = *block;
                    at + BLOCK
                }
                _ => self.stuff_halves(block, out, at)?,
            };
        }
        self.stuff_halves(rest, out, at)
    }

    /// Half blocks are a second chance to be plain where escapes are few.
    fn stuff_halves(&self, octets: &[u8], out: &mut [u8], mut at: usize) -> Option<usize> {
        let (halves, rest) = octets.as_chunks::<{ BLOCK / 2 }>();
        for half in halves {
            at = match out.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
                Some(room) => at + self.stuff_half(half, room),
                None => self.stuff_octets(half, out, at)?,
            };
        }
        self.stuff_octets(rest, out, at)
    }

    fn stuff_half(&self, half: &[u8; BLOCK / 2], room: &mut [u8; BLOCK]) -> usize {
        if self.is_plain(half) {
            if let Some(room) = room.first_chunk_mut() {
                *room = *half;
            }
            return half.len();
        }
        let mut end = 0;
        for four in half.as_chunks::<4>().0 {
            let [a, b, c, d] = four.map(|octet| self.sent_for(octet));
            let (first, second) = (a.bits + b.bits, c.bits + d.bits);
            let front = u32::from(a.octets) | u32::from(b.octets) << a.bits;
            let back = u32::from(c.octets) | u32::from(d.octets) << c.bits;
            let sent = u64::from(front) | u64::from(back) << first;
            // All eight are written; those that are none are overwritten by what follows.
            if let Some(place) = room.get_mut(end..).and_then(<[u8]>::first_chunk_mut) {
                *place = sent.to_le_bytes();
            }
            end += usize::from(first + second) / 8;
        }
        end
    }

    fn stuff_octets(&self, octets: &[u8], out: &mut [u8], mut at: usize) -> Option<usize> {
        for octet in octets {
            let sent = self.sent_for(*octet);
            let [first, second] = sent.octets.to_le_bytes();
            *out.get_mut(at)? = first;
            at += 1;
            if sent.bits == 16 {
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

    fn sent_for(&self, octet: u8) -> Sent {
        // There is an entry for every octet.
        self.sent.get(usize::from(octet)).copied().unwrap_or_default()
    }
}

/// Octets looked at together.
const BLOCK: usize = 32;

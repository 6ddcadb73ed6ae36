//! Stuffing by the instructions that every processor has.
//!
//! Eight octets are copied if it is certain that none is to be escaped; else each octet costs the same, whether
//! escaped or not.

use crate::lanes::{LANES, below_20, near_flag};
use crate::{ESCAPE, ESCAPED_BIT, FLAG};

/// Stuffs octets.
#[derive(Clone, Debug)]
pub(super) struct Stuffer {
    /// For each octet the one or two that are sent for it, the first in the low half; the second, if there
    /// is one, is not zero.
    sent: [u16; 256],
    /// Control octets are escaped, or at least some of them.
    has_controls: bool,
    /// Octets are escaped that are neither control octets nor FLAG nor ESCAPE.
    has_others: bool,
}

impl Stuffer {
    /// `escaped` is true for FLAG and ESCAPE.
    pub(super) fn new(escaped: impl Fn(u8) -> bool) -> Self {
        let mut sent = [0; 256];
        for (octet, place) in (0..=u8::MAX).zip(&mut sent) {
            *place =
                u16::from_le_bytes(if escaped(octet) { [ESCAPE, octet ^ ESCAPED_BIT] } else { [octet, 0] });
        }
        Self {
            sent,
            has_controls: (0..0x20).any(&escaped),
            has_others: (0x20..=u8::MAX).any(|octet| escaped(octet) && !matches!(octet, FLAG | ESCAPE)),
        }
    }

    /// Writes `octets` to the front of `room`, and returns the rest of it; `None` if there is too little.
    pub(super) fn stuff<'a>(&self, octets: &[u8], mut room: &'a mut [u8]) -> Option<&'a mut [u8]> {
        let (blocks, rest) = octets.as_chunks();
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

    fn stuff_block(&self, block: &[u8; LANES], room: &mut [u8; 2 * LANES]) -> usize {
        let octets = u64::from_le_bytes(*block);
        if self.is_plain(octets) {
            if let Some(room) = room.first_chunk_mut() {
                *room = *block;
            }
            return LANES;
        }
        self.stuff_eight(octets, room)
    }

    /// Few enough for one register, and for the compiler to see that there is room for all.
    // Out of the way of the others, which then take two thirds of the time.
    #[inline(never)]
    fn stuff_eight(&self, octets: u64, room: &mut [u8; 2 * LANES]) -> usize {
        let mut escapes = 0;
        for place in 0..LANES {
            let sent = self.sent_for((octets >> (8 * place)) as u8);
            // Both are written; the second, if there is none, is overwritten by what follows.
            if let Some(room) = room.get_mut(place + escapes..).and_then(<[u8]>::first_chunk_mut) {
                *room = sent.to_le_bytes();
            }
            escapes += usize::from(sent > 0xff);
        }
        LANES + escapes
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
    fn is_plain(&self, octets: u64) -> bool {
        !self.has_others && near_flag(octets) == 0 && (!self.has_controls || below_20(octets) == 0)
    }

    fn sent_for(&self, octet: u8) -> u16 {
        // There is an entry for every octet.
        self.sent.get(usize::from(octet)).copied().unwrap_or_default()
    }
}

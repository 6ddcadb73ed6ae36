//! Stuffing: octets to be sent, with those escaped that the line would otherwise take for its own.

mod plain;
mod shuffled;

use crate::shuffler::{Shuffler, shuffler};
use crate::{ESCAPE, FLAG};
use fearless_simd::Simd;

/// Stuffs octets for one set of octets to be escaped.
#[derive(Clone, Debug)]
pub struct Stuffer {
    plain: plain::Stuffer,
    shuffled: Option<shuffled::Stuffer>,
}

impl Stuffer {
    /// Escapes the octets that `chosen` is true for, and besides FLAG and ESCAPE.
    ///
    /// `chosen` must be false for 0x20 to 0x3f and for 0x5e: the escaped form of these is a control octet or FLAG.
    #[must_use]
    pub fn new(chosen: impl Fn(u8) -> bool) -> Self {
        debug_assert!(
            !(0x20..0x40).chain([0x5e]).any(&chosen),
            "the escaped form would be a control octet or FLAG"
        );
        let escaped = |octet: u8| chosen(octet) || matches!(octet, FLAG | ESCAPE);
        Self { plain: plain::Stuffer::new(escaped), shuffled: shuffled::Stuffer::new(escaped) }
    }

    /// Writes what is sent for `octets` to the front of `room`, and returns the rest of it; `None` if there is too
    /// little, and what is then in `room` is of no use.
    #[must_use]
    pub fn stuff<'a>(&self, octets: &[u8], room: &'a mut [u8]) -> Option<&'a mut [u8]> {
        self.stuff_with(shuffler(), octets, room)
    }

    pub(crate) fn stuff_with<'a>(
        &self,
        shuffler: Option<Shuffler>,
        octets: &[u8],
        room: &'a mut [u8],
    ) -> Option<&'a mut [u8]> {
        let (octets, room) = match (shuffler, &self.shuffled) {
            (Some(simd), Some(stuffer)) if octets.len() >= shuffled::BLOCK => {
                simd.vectorize(|| stuffer.stuff(simd, octets, room))
            }
            _ => (octets, room),
        };
        self.plain.stuff(octets, room)
    }
}

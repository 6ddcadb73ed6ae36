//! Decisions, taken from the octets that a fuzzer gives: it can change one and leave the others as they are.

use std::time::Duration;

/// What is left to decide by. When nothing is, every answer is the first or the smallest.
#[derive(Clone, Debug)]
pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub const fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    pub const fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub fn octet(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub fn flag(&mut self) -> bool {
        self.octet() & 1 == 1
    }

    /// A number below `end`, which is not above 256.
    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.octet()) % end
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.array())
    }

    pub fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.array())
    }

    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.octet())
    }

    pub fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    /// Up to `most` octets as they come, not above 255.
    pub fn octets(&mut self, most: usize) -> &'a [u8] {
        let length = self.below(most + 1).min(self.0.len());
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    /// What is left, whole.
    pub const fn rest(self) -> &'a [u8] {
        self.0
    }

    /// From nothing over the length of a restart timer to an hour.
    pub fn duration(&mut self) -> Duration {
        let millis = match self.octet() {
            quick @ 0..64 => u64::from(quick) * u64::from(quick),
            octet @ 64..240 => u64::from(octet - 63) * 200,
            slow => u64::from(slow - 239) * 240_000,
        };
        Duration::from_millis(millis)
    }
}

//! Octet stuffing, many octets at once: what a frame becomes on an asynchronous line, and back.
//!
//! It promises that each octet costs about the same whatever its neighbours are, for whoever sends traffic chooses
//! it; that a call without room for all says so; and that nothing is allocated.
//!
//! Each of the two directions has two forms that give the same result. The plain one needs nothing of the processor.
//! The other one moves sixteen octets in one instruction, by a list of the places that they go to, and is taken
//! where the processor has that instruction: `pshufb` since 2006 on x86, `tbl` on every 64-bit ARM. Which
//! instructions those are, and whether they are there, is the business of `fearless_simd`.
//!
//! RFC 1662 §4.2.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

pub mod lanes;
mod shuffler;
mod stuff;
mod unstuff;

#[cfg(test)]
mod tests;

pub use stuff::Stuffer;
pub use unstuff::{SLACK, Unstuffed, find_flag, unstuff, unstuff_without};

/// Begins and ends every frame, and never occurs within one (RFC 1662 §3.1).
pub const FLAG: u8 = 0x7e;

/// Announces an octet that was changed by exclusive-or with [`ESCAPED_BIT`] (RFC 1662 §4.2).
pub const ESCAPE: u8 = 0x7d;

/// The bit in which an escaped octet differs from what it stands for.
pub const ESCAPED_BIT: u8 = 0x20;

//! Eight octets in a word, for processors that know nothing wider.
//!
//! A *lane* is an octet of the word, the least significant being lane 0. A set of lanes is written as the top bits of
//! those in it.

/// The octets of one word.
pub const LANES: usize = 8;

/// All lanes.
pub const ALL: u64 = repeated(0x80);

/// The lanes that hold `octet`.
#[must_use]
pub const fn equal(word: u64, octet: u8) -> u64 {
    zero(word ^ repeated(octet))
}

/// The lanes of octets below 0x20.
#[must_use]
pub const fn below_20(word: u64) -> u64 {
    zero(word & repeated(0xe0))
}

/// The lanes of octets from 0x7c to 0x7f, FLAG and ESCAPE among them.
#[must_use]
pub const fn near_flag(word: u64) -> u64 {
    zero((word ^ repeated(0x7c)) & repeated(0xfc))
}

/// All octets of the lanes before `lane`; `None` if there is no such lane.
#[must_use]
pub const fn before(lane: u32) -> Option<u64> {
    match 1_u64.checked_shl(8 * lane) {
        Some(bit) => Some(bit - 1),
        None => None,
    }
}

const fn zero(word: u64) -> u64 {
    // The sum sets a lane's top bit if any lower bit is set, and never carries into the next lane.
    !(((word & !ALL) + !ALL) | word) & ALL
}

const fn repeated(octet: u8) -> u64 {
    u64::from_le_bytes([octet; LANES])
}

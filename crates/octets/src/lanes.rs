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

/// The lanes of those control octets, below 0x20, that `map` has the bit of.
#[must_use]
pub const fn flagged(word: u64, map: u32) -> u64 {
    if map == 0 {
        return 0;
    }
    let mut flagged = below_20(word);
    let mut unsure = if map == u32::MAX { 0 } else { flagged };
    while unsure != 0 {
        let top = unsure & unsure.wrapping_neg();
        let octet = word >> (top.trailing_zeros() - 7);
        if map >> (octet & 0x1f) & 1 == 0 {
            flagged ^= top;
        }
        unsure ^= top;
    }
    flagged
}

/// The octets of the lanes that are not `unwanted`, moved together, first to last, with zeros behind; and how many they
/// are.
#[must_use]
pub const fn squeeze(word: u64, unwanted: u64) -> (u64, u32) {
    // In each lane, how far it has to move: the number of unwanted lanes before it.
    let distances = (unwanted >> 7).wrapping_mul(ONES);
    let count = LANES as u32 - (distances >> 56) as u32;

    let wanted = !filled(unwanted >> 7);
    let (mut word, mut distances) = (word & wanted, distances & wanted);
    // Those that stay move at most seven lanes: first those with an odd distance, by one, then by two, by four.
    let mut step = 0;
    while step < 3 {
        let moving = filled(distances >> step & ONES);
        let by = 8 << step;
        word = word & !moving | (word & moving) >> by;
        distances = distances & !moving | (distances & moving) >> by;
        step += 1;
    }
    (word, count)
}

/// All bits of each lane that has one.
const fn filled(lanes: u64) -> u64 {
    (lanes << 8).wrapping_sub(lanes)
}

const fn zero(word: u64) -> u64 {
    // The sum sets a lane's top bit if any lower bit is set, and never carries into the next lane.
    !(((word & !ALL) + !ALL) | word) & ALL
}

const ONES: u64 = repeated(1);

const fn repeated(octet: u8) -> u64 {
    u64::from_le_bytes([octet; LANES])
}

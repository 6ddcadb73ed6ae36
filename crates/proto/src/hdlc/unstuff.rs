//! Unstuffing: what the sender had before he stuffed it.
//!
//! RFC 1662 §4.2.

use super::{ESCAPE, ESCAPED_BIT, FLAG};

/// Where unstuffing stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unstuffed {
    /// The octets written.
    pub(super) len: usize,
    /// The last octet was ESCAPE, and nothing followed it.
    pub(super) escaping: bool,
}

/// The place of the first FLAG.
pub(super) fn find_flag(octets: &[u8]) -> Option<usize> {
    let (blocks, _) = octets.as_chunks::<BLOCK>();
    let clean = blocks.iter().take_while(|block| !contains(block, FLAG)).count() * BLOCK;
    let rest = octets.get(clean..)?;
    Some(clean + rest.iter().position(|octet| *octet == FLAG)?)
}

/// Writes to `out` what `octets` stand for; `None` if there is no room.
///
/// Needs up to [`SLACK`] octets more room than it writes.
pub(super) fn unstuff(octets: &[u8], out: &mut [u8]) -> Option<Unstuffed> {
    let mut done = Unstuffed::default();
    let (blocks, rest) = octets.as_chunks::<BLOCK>();
    for block in blocks {
        if done.escaping || contains(block, ESCAPE) {
            done = unstuff_octets(block.iter().copied(), out, done)?;
        } else {
            *out.get_mut(done.len..)?.first_chunk_mut()? = *block;
            done.len += BLOCK;
        }
    }
    unstuff_octets(rest.iter().copied(), out, done)
}

/// The plain form of the rule, from where `done` ended.
pub(super) fn unstuff_octets(
    octets: impl IntoIterator<Item = u8>,
    out: &mut [u8],
    mut done: Unstuffed,
) -> Option<Unstuffed> {
    for octet in octets {
        if done.escaping {
            *out.get_mut(done.len)? = octet ^ ESCAPED_BIT;
            done = Unstuffed { len: done.len + 1, escaping: false };
        } else if octet == ESCAPE {
            done.escaping = true;
        } else {
            *out.get_mut(done.len)? = octet;
            done.len += 1;
        }
    }
    Some(done)
}

/// How much further than its end the fast form may write.
pub(super) const SLACK: usize = BLOCK;

/// Octets looked at together.
const BLOCK: usize = 32;

fn contains(block: &[u8; BLOCK], wanted: u8) -> bool {
    // No early exit: the whole block is one comparison in vector registers.
    block.iter().fold(false, |found, octet| found | (*octet == wanted))
}

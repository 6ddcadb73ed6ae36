//! Octet-stuffed HDLC framing: PPP frames on an asynchronous serial line.
//!
//! It promises that a PPP frame comes out of a [`Deframer`] as it went into a [`Framer`], however the octets
//! between them are split; that a bad frame never harms the next; and that nothing is allocated per frame.
//!
//! The caller tells both what the two ends have negotiated, and calls [`Deframer::reset`] and
//! [`Framer::reset`] when a call begins.
//!
//! RFC 1662. A frame on the line, before stuffing:
//!
//! ```text
//! +------+---------+---------+----------+-------------+-----------------+------+
//! | Flag | Address | Control | Protocol | Information |       FCS       | Flag |
//! |  7e  |   ff    |   03    | 1 or 2   |  0 to 1500  | low, high octet |  7e  |
//! +------+---------+---------+----------+-------------+-----------------+------+
//!        '----- may be absent ----------'
//!                             '-- a "PPP frame" here --'
//! ```
//!
//! A *PPP frame* is in this module what PPPoE carries: the protocol field first, always of two octets.

pub mod accm;
pub mod deframer;
pub mod fcs;
pub mod framer;
mod small;
pub mod start;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

pub use bridge_octets::{ESCAPE, ESCAPED_BIT, FLAG};

pub use accm::{Accm, ExtraEscapes, NotEscapable};
pub use deframer::{BadFrames, Deframer, FrameError, ReceivedFrame};
pub use fcs::Fcs16;
pub use framer::Framer;
pub use start::PppStartDetector;

/// Free octets in front of a received frame: a header of up to `HEADROOM - 1` octets can be put before it.
///
/// The one octet less is where a compressed protocol field grows to two octets.
pub const HEADROOM: usize = 24;

/// The longest frame that is received, in octets between the flags, stuffing removed and FCS included.
///
/// RFC 1661 §6.1 demands 1500 octets of information; a sender that ignores the MRU a little should be
/// reported as that, not as noise.
pub const MAX_FRAME: usize = 2048;

/// The longest frame that is received, in octets between the flags as they are on the line.
pub const MAX_STUFFED_FRAME: usize = 2 * MAX_FRAME;

/// The fewest octets that a frame can have (RFC 1662 §4.3).
const MIN_FRAME: usize = 4;

/// The protocol number of LCP, as it is on the wire (RFC 1661 §2).
const LCP: [u8; 2] = [0xc0, 0x21];

/// "All stations", the only address of PPP (RFC 1662 §3.1).
const ADDRESS: u8 = 0xff;

/// Unnumbered information, the only control field of PPP (RFC 1662 §3.1).
const CONTROL: u8 = 0x03;

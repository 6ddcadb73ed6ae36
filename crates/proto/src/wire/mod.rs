//! Octets to types and back: Ethernet, PPPoE discovery and session, LCP. No state, no policy.
//!
//! Parsing borrows from the frame, never allocates and never panics; what has been parsed needs no second
//! check. Emitting cannot fail, given room. Every `parse` takes the whole Ethernet frame as it came from the
//! interface, padding included, and looks at nothing past the PPPoE LENGTH.
//!
//! ```text
//! 0             6        12           14         15     16           18       20        20 + LENGTH
//! ┌─────────────┬────────┬────────────┬──────────┬──────┬────────────┬────────┬─────────┬─────────┐
//! │ destination │ source │ ether type │ VER TYPE │ CODE │ SESSION_ID │ LENGTH │ payload │ padding │
//! └─────────────┴────────┴────────────┴──────────┴──────┴────────────┴────────┴─────────┴─────────┘
//! ```
//!
//! RFC 2516 §4.

pub mod discovery;
pub mod ethernet;
pub mod lcp;
pub mod session;
pub mod tag;

use crate::discard::DiscardReason;
use core::fmt;
use ethernet::{EtherType, EthernetHeader};

/// Why octets are not a PPPoE frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The frame ends before its Ethernet and PPPoE headers do.
    TruncatedHeader {
        /// Octets of the two headers.
        needed: usize,
        /// Octets of the frame.
        available: usize,
    },
    /// The frame is not of the kind that was asked for.
    WrongEtherType {
        /// What it says it is.
        found: EtherType,
    },
    /// VER or TYPE is not 1.
    WrongVersion {
        /// The octet that holds VER (high half) and TYPE (low half).
        version_and_type: u8,
    },
    /// LENGTH says more than was received.
    LengthExceedsFrame {
        /// LENGTH.
        declared: u16,
        /// Octets after the PPPoE header.
        available: usize,
    },
    /// A tag does not end within the payload.
    TagExceedsPayload {
        /// Where in the payload the tag begins.
        offset: usize,
        /// The tag's length, or `None` if even its header is cut off.
        declared: Option<u16>,
        /// Octets that are left for it, its header not counted if it is whole.
        available: usize,
    },
    /// CODE of a session frame is not 0.
    BadSessionCode {
        /// CODE.
        code: u8,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TruncatedHeader { needed, available } => {
                write!(f, "headers need {needed} octets, the frame has {available}")
            }
            Self::WrongEtherType { found } => write!(f, "ether type {found} was not expected here"),
            Self::WrongVersion { version_and_type } => {
                write!(f, "version and type are {version_and_type:#04x}, not 0x11")
            }
            Self::LengthExceedsFrame { declared, available } => {
                write!(f, "length field says {declared} octets, the frame has {available}")
            }
            Self::TagExceedsPayload { offset, declared: Some(declared), available } => {
                write!(f, "tag at offset {offset} says {declared} octets, {available} are left")
            }
            Self::TagExceedsPayload { offset, declared: None, available } => {
                write!(f, "tag header at offset {offset} needs 4 octets, {available} are left")
            }
            Self::BadSessionCode { code } => write!(f, "code of a session frame is {code:#04x}, not 0"),
        }
    }
}

impl core::error::Error for DecodeError {}

impl From<DecodeError> for DiscardReason {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::TruncatedHeader { .. } => Self::TruncatedHeader,
            DecodeError::WrongEtherType { .. } => Self::WrongEtherType,
            DecodeError::WrongVersion { .. } => Self::WrongVersion,
            DecodeError::LengthExceedsFrame { .. } => Self::LengthExceedsFrame,
            DecodeError::TagExceedsPayload { .. } => Self::MalformedTag,
            DecodeError::BadSessionCode { .. } => Self::BadSessionCode,
        }
    }
}

/// The Ethernet and PPPoE headers together, LENGTH left out: it is the length of the payload beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    ethernet: EthernetHeader,
    code: u8,
    session_id: u16,
}

/// VER 1 in the high half, TYPE 1 in the low half (RFC 2516 §4).
const VERSION_AND_TYPE: u8 = 0x11;
/// Octets of the PPPoE header.
const PPPOE_HEADER_LEN: usize = 6;
/// Octets of the Ethernet header and the PPPoE header.
const HEADER_LEN: usize = EthernetHeader::LEN + PPPOE_HEADER_LEN;

impl Header {
    /// Parts a frame into its headers and its payload, without the padding.
    #[inline]
    fn split(frame: &[u8], expected: EtherType) -> Result<(Self, &[u8]), DecodeError> {
        let truncated = DecodeError::TruncatedHeader { needed: HEADER_LEN, available: frame.len() };
        let (ethernet, rest) = EthernetHeader::split(frame).ok_or(truncated)?;
        let (pppoe, rest) = rest.split_first_chunk::<PPPOE_HEADER_LEN>().ok_or(truncated)?;
        let [version_and_type, code, id_high, id_low, length_high, length_low] = *pppoe;
        if ethernet.ether_type != expected {
            return Err(DecodeError::WrongEtherType { found: ethernet.ether_type });
        }
        // RFC 2516 §4: "The VER field is four bits and MUST be set to 0x1", and so the TYPE field.
        if version_and_type != VERSION_AND_TYPE {
            return Err(DecodeError::WrongVersion { version_and_type });
        }
        // Short Ethernet frames are padded, so octets past LENGTH are not ours; fewer than LENGTH is damage.
        let declared = u16::from_be_bytes([length_high, length_low]);
        let payload = rest
            .get(..usize::from(declared))
            .ok_or(DecodeError::LengthExceedsFrame { declared, available: rest.len() })?;
        let session_id = u16::from_be_bytes([id_high, id_low]);
        Ok((Self { ethernet, code, session_id }, payload))
    }

    /// The octets of both headers, before a payload of `length` octets.
    #[inline]
    const fn emit(self, length: u16) -> [u8; HEADER_LEN] {
        let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, type_high, type_low] = self.ethernet.emit();
        let [id_high, id_low] = self.session_id.to_be_bytes();
        let [length_high, length_low] = length.to_be_bytes();
        #[rustfmt::skip]
        let octets = [
            d0, d1, d2, d3, d4, d5,
            s0, s1, s2, s3, s4, s5,
            type_high, type_low,
            VERSION_AND_TYPE, self.code, id_high, id_low, length_high, length_low,
        ];
        octets
    }
}

#[cfg(test)]
mod tests;

//! LCP packets and their options (RFC 1661 §5-6).
//!
//! Everything here begins with the PPP protocol field, as frames do on Ethernet. A packet is checked when it
//! is parsed, its options when they are asked for; after that nothing can fail. The other control protocols
//! (IPCP, CCP, ...) have the same layout: [`LcpPacket::parse_fields`] reads them too.
//!
//! ```text
//!    protocol    code   id    length    data
//!   +----+----+ +----+ +----+ +----+----+ +-----------------
//!   | c0 | 21 | | 01 | | 2a | | 00 | 0e | | options ...      then perhaps padding, which is no part of it
//!   +----+----+ +----+ +----+ +----+----+ +-----------------
//! ```

use alloc::vec::Vec;
use core::fmt;

/// The PPP protocol number of LCP (RFC 1661 §5).
pub const LCP_PROTOCOL: u16 = 0xc021;

/// The MRU that holds where none was agreed (RFC 1661 §6.1).
pub const DEFAULT_MRU: u16 = 1500;

/// Octets of code, identifier and length.
const HEADER_OCTETS: usize = 4;

/// One LCP packet; octets beyond its Length field are not part of it (RFC 1661 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LcpPacket<'a> {
    /// What kind of packet it is.
    pub code: LcpCode,
    /// Matches an answer to its request.
    pub identifier: u8,
    /// What follows the Length field.
    pub data: &'a [u8],
}

impl<'a> LcpPacket<'a> {
    /// Reads a PPP frame that begins with its two-octet protocol field.
    ///
    /// # Errors
    ///
    /// [`LcpError::NotLcp`] for another protocol, and the errors of [`LcpPacket::parse_fields`].
    pub fn parse(ppp: &'a [u8]) -> Result<Self, LcpError> {
        match ppp.split_first_chunk() {
            Some((protocol, fields)) if u16::from_be_bytes(*protocol) == LCP_PROTOCOL => {
                Self::parse_fields(fields)
            }
            _ => Err(LcpError::NotLcp),
        }
    }

    /// Reads what follows the protocol field; all control protocols share this layout.
    ///
    /// # Errors
    ///
    /// [`LcpError::Truncated`] or [`LcpError::BadLength`] where the Length field cannot be right.
    pub fn parse_fields(octets: &'a [u8]) -> Result<Self, LcpError> {
        let available = octets.len();
        let (&[code, identifier, high, low], _) =
            octets.split_first_chunk().ok_or(LcpError::Truncated { available })?;
        let declared = u16::from_be_bytes([high, low]);
        let data = octets
            .get(HEADER_OCTETS..usize::from(declared))
            .ok_or(LcpError::BadLength { declared, available })?;
        Ok(Self { code: LcpCode(code), identifier, data })
    }

    /// The data of a Configure packet as options, all of them checked.
    ///
    /// # Errors
    ///
    /// [`LcpError::BadOption`] if an option is shorter than its header or runs past the end.
    pub fn options(&self) -> Result<LcpOptions<'a>, LcpError> {
        LcpOptions::parse(self.data)
    }

    /// The whole PPP frame: protocol field, header, data. Data beyond what a Length can say is left off.
    #[must_use]
    pub fn emit(&self) -> Vec<u8> {
        let length = u16::try_from(HEADER_OCTETS + self.data.len()).unwrap_or(u16::MAX);
        let data = self.data.get(..usize::from(length) - HEADER_OCTETS).unwrap_or(self.data);
        let mut ppp = Vec::with_capacity(2 + usize::from(length));
        ppp.extend_from_slice(&LCP_PROTOCOL.to_be_bytes());
        ppp.extend_from_slice(&[self.code.0, self.identifier]);
        ppp.extend_from_slice(&length.to_be_bytes());
        ppp.extend_from_slice(data);
        ppp
    }
}

/// Whether this PPP frame must be framed as if nothing had been negotiated: "all LCP Link Configuration, Link
/// Termination, and Code-Reject packets (codes 1 through 7) are always sent as if no Configuration Options
/// were negotiated" (RFC 1661 §5).
///
/// On an asynchronous line that means: every control octet escaped, address and control field present.
#[must_use]
pub fn is_sent_with_defaults(ppp: &[u8]) -> bool {
    matches!(ppp, [0xc0, 0x21, 1..=7, ..])
}

/// The code of an LCP packet (RFC 1661 §5; RFC 1570 §1; RFC 2153 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LcpCode(pub u8);

impl LcpCode {
    /// Vendor Specific (RFC 2153).
    pub const VENDOR_SPECIFIC: Self = Self(0);
    /// Configure-Request.
    pub const CONFIGURE_REQUEST: Self = Self(1);
    /// Configure-Ack.
    pub const CONFIGURE_ACK: Self = Self(2);
    /// Configure-Nak.
    pub const CONFIGURE_NAK: Self = Self(3);
    /// Configure-Reject.
    pub const CONFIGURE_REJECT: Self = Self(4);
    /// Terminate-Request.
    pub const TERMINATE_REQUEST: Self = Self(5);
    /// Terminate-Ack.
    pub const TERMINATE_ACK: Self = Self(6);
    /// Code-Reject.
    pub const CODE_REJECT: Self = Self(7);
    /// Protocol-Reject.
    pub const PROTOCOL_REJECT: Self = Self(8);
    /// Echo-Request.
    pub const ECHO_REQUEST: Self = Self(9);
    /// Echo-Reply.
    pub const ECHO_REPLY: Self = Self(10);
    /// Discard-Request.
    pub const DISCARD_REQUEST: Self = Self(11);
    /// Identification (RFC 1570).
    pub const IDENTIFICATION: Self = Self(12);
    /// Time-Remaining (RFC 1570).
    pub const TIME_REMAINING: Self = Self(13);
    /// Reset-Request (RFC 1962; CCP and ECP only).
    pub const RESET_REQUEST: Self = Self(14);
    /// Reset-Ack (RFC 1962; CCP and ECP only).
    pub const RESET_ACK: Self = Self(15);

    /// The name that the RFCs give it, if they do.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::VENDOR_SPECIFIC => "Vendor-Specific",
            Self::CONFIGURE_REQUEST => "Configure-Request",
            Self::CONFIGURE_ACK => "Configure-Ack",
            Self::CONFIGURE_NAK => "Configure-Nak",
            Self::CONFIGURE_REJECT => "Configure-Reject",
            Self::TERMINATE_REQUEST => "Terminate-Request",
            Self::TERMINATE_ACK => "Terminate-Ack",
            Self::CODE_REJECT => "Code-Reject",
            Self::PROTOCOL_REJECT => "Protocol-Reject",
            Self::ECHO_REQUEST => "Echo-Request",
            Self::ECHO_REPLY => "Echo-Reply",
            Self::DISCARD_REQUEST => "Discard-Request",
            Self::IDENTIFICATION => "Identification",
            Self::TIME_REMAINING => "Time-Remaining",
            Self::RESET_REQUEST => "Reset-Request",
            Self::RESET_ACK => "Reset-Ack",
            _ => return None,
        })
    }
}

impl fmt::Display for LcpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "code {}", self.0),
        }
    }
}

/// The options of a Configure packet, checked once: iterating them cannot fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LcpOptions<'a> {
    octets: &'a [u8],
}

impl<'a> LcpOptions<'a> {
    /// Checks a list of options, each `type, length, value`.
    ///
    /// # Errors
    ///
    /// [`LcpError::BadOption`] if one is shorter than its header or runs past the end.
    pub fn parse(octets: &'a [u8]) -> Result<Self, LcpError> {
        let mut rest = octets;
        while !rest.is_empty() {
            let (_, after) =
                split_option(rest).ok_or(LcpError::BadOption { offset: octets.len() - rest.len() })?;
            rest = after;
        }
        Ok(Self { octets })
    }

    /// The options in the order in which they were sent.
    pub fn iter(&self) -> impl Iterator<Item = LcpOption<'a>> + use<'a> {
        let mut rest = self.octets;
        core::iter::from_fn(move || {
            let (option, after) = split_option(rest)?;
            rest = after;
            Some(option)
        })
    }

    /// The first option of this type.
    #[must_use]
    pub fn find(&self, kind: LcpOptionType) -> Option<LcpOption<'a>> {
        self.iter().find(|option| option.kind == kind)
    }

    /// The options as they were sent.
    #[must_use]
    pub const fn as_octets(&self) -> &'a [u8] {
        self.octets
    }
}

/// The first option of a list and what follows it; none if the list is empty or malformed.
fn split_option(octets: &[u8]) -> Option<(LcpOption<'_>, &[u8])> {
    let &[kind, length, ..] = octets else { return None };
    let (option, rest) = octets.split_at_checked(usize::from(length))?;
    let value = option.get(2..)?;
    Some((LcpOption { kind: LcpOptionType(kind), value }, rest))
}

/// One option of a Configure packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LcpOption<'a> {
    /// What it is about.
    pub kind: LcpOptionType,
    /// What follows the option's Length field.
    pub value: &'a [u8],
}

impl LcpOption<'_> {
    /// The value as a 16-bit number, if it is two octets long.
    #[must_use]
    pub fn as_u16(&self) -> Option<u16> {
        self.value.try_into().ok().map(u16::from_be_bytes)
    }

    /// The value as a 32-bit number, if it is four octets long.
    #[must_use]
    pub fn as_u32(&self) -> Option<u32> {
        self.value.try_into().ok().map(u32::from_be_bytes)
    }

    /// Appends the option as it is sent. A value beyond what a Length can say is left off.
    pub fn emit(&self, octets: &mut Vec<u8>) {
        let length = u8::try_from(2 + self.value.len()).unwrap_or(u8::MAX);
        octets.extend_from_slice(&[self.kind.0, length]);
        octets.extend_from_slice(self.value.get(..usize::from(length) - 2).unwrap_or(self.value));
    }
}

/// The type of an LCP option (RFC 1661 §6; RFC 1662 §7; RFC 1570; RFC 1990).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LcpOptionType(pub u8);

impl LcpOptionType {
    /// Maximum-Receive-Unit.
    pub const MRU: Self = Self(1);
    /// Async-Control-Character-Map (RFC 1662 §7.1).
    pub const ACCM: Self = Self(2);
    /// Authentication-Protocol.
    pub const AUTHENTICATION: Self = Self(3);
    /// Quality-Protocol.
    pub const QUALITY: Self = Self(4);
    /// Magic-Number.
    pub const MAGIC: Self = Self(5);
    /// Protocol-Field-Compression.
    pub const PFC: Self = Self(7);
    /// Address-and-Control-Field-Compression.
    pub const ACFC: Self = Self(8);
    /// FCS-Alternatives (RFC 1570 §2.1).
    pub const FCS_ALTERNATIVES: Self = Self(9);
    /// Self-Describing-Padding (RFC 1570 §2.2).
    pub const SELF_DESCRIBING_PADDING: Self = Self(10);
    /// Callback (RFC 1570 §2.3).
    pub const CALLBACK: Self = Self(13);
    /// Multilink Maximum Received Reconstructed Unit (RFC 1990 §5.1.1).
    pub const MRRU: Self = Self(17);
    /// Multilink Short Sequence Number Header Format (RFC 1990 §5.1.2).
    pub const SHORT_SEQUENCE_NUMBERS: Self = Self(18);
    /// Multilink Endpoint Discriminator (RFC 1990 §5.1.3).
    pub const ENDPOINT_DISCRIMINATOR: Self = Self(19);

    /// The name that the RFCs give it, if we know it.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::MRU => "Maximum-Receive-Unit",
            Self::ACCM => "Async-Control-Character-Map",
            Self::AUTHENTICATION => "Authentication-Protocol",
            Self::QUALITY => "Quality-Protocol",
            Self::MAGIC => "Magic-Number",
            Self::PFC => "Protocol-Field-Compression",
            Self::ACFC => "Address-and-Control-Field-Compression",
            Self::FCS_ALTERNATIVES => "FCS-Alternatives",
            Self::SELF_DESCRIBING_PADDING => "Self-Describing-Padding",
            Self::CALLBACK => "Callback",
            Self::MRRU => "Multilink-MRRU",
            Self::SHORT_SEQUENCE_NUMBERS => "Multilink-Short-Sequence-Numbers",
            Self::ENDPOINT_DISCRIMINATOR => "Endpoint-Discriminator",
            _ => return None,
        })
    }
}

impl fmt::Display for LcpOptionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "option {}", self.0),
        }
    }
}

/// What is wrong with the octets of an LCP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LcpError {
    /// The frame does not begin with the protocol number of LCP.
    NotLcp,
    /// Too short for code, identifier and length.
    Truncated {
        /// Octets after the protocol field.
        available: usize,
    },
    /// The Length field is less than the header or more than was received.
    BadLength {
        /// What the Length field says.
        declared: u16,
        /// Octets after the protocol field.
        available: usize,
    },
    /// An option is shorter than its header or runs past the end of the packet.
    BadOption {
        /// Where it begins, counted from the first option.
        offset: usize,
    },
}

impl fmt::Display for LcpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLcp => f.write_str("not an LCP frame"),
            Self::Truncated { available } => write!(f, "{available} octets are too few for an LCP packet"),
            Self::BadLength { declared, available } => {
                write!(f, "LCP length {declared} does not fit the {available} octets received")
            }
            Self::BadOption { offset } => write!(f, "the option at offset {offset} has an impossible length"),
        }
    }
}

impl core::error::Error for LcpError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::ToString;
    use std::vec;

    /// A 3G stick's first Configure-Request: ACFC, PFC, ACCM 0, MRU 1500, Magic-Number, CHAP with MD5.
    const STICK: [u8; 31] = [
        0xc0, 0x21, 0x01, 0x01, 0x00, 0x1d, 0x08, 0x02, 0x07, 0x02, 0x02, 0x06, 0, 0, 0, 0, 0x01, 0x04, 0x05,
        0xdc, 0x05, 0x06, 0, 0, 0x05, 0x41, 0x03, 0x05, 0xc2, 0x23, 0x05,
    ];

    #[test]
    fn a_configure_request_is_read_and_written() {
        let packet = LcpPacket::parse(&STICK).unwrap();
        assert_eq!((packet.code, packet.identifier), (LcpCode::CONFIGURE_REQUEST, 1));
        let options = packet.options().unwrap();
        let kinds: Vec<u8> = options.iter().map(|option| option.kind.0).collect();
        assert_eq!(kinds, [8, 7, 2, 1, 5, 3]);
        assert_eq!(options.find(LcpOptionType::MRU).unwrap().as_u16(), Some(1500));
        assert_eq!(options.find(LcpOptionType::MAGIC).unwrap().as_u32(), Some(1345));
        assert_eq!(options.find(LcpOptionType::MAGIC).unwrap().as_u16(), None);
        assert_eq!(options.find(LcpOptionType::CALLBACK), None);
        assert_eq!(packet.emit(), STICK);
    }

    #[test]
    fn octets_beyond_the_length_are_padding() {
        let padded = [0xc0, 0x21, 9, 7, 0, 8, 0, 0, 0, 0, 0xaa, 0xaa];
        assert_eq!(LcpPacket::parse(&padded).unwrap().data, [0; 4]);
    }

    #[test]
    fn each_error_says_what_is_wrong() {
        assert_eq!(LcpPacket::parse(&[0xc0]), Err(LcpError::NotLcp));
        assert_eq!(LcpPacket::parse(&[0x80, 0x21, 1, 1, 0, 4]), Err(LcpError::NotLcp));
        assert_eq!(LcpPacket::parse(&[0xc0, 0x21, 1, 1]), Err(LcpError::Truncated { available: 2 }));
        let short = LcpError::BadLength { declared: 3, available: 4 };
        assert_eq!(LcpPacket::parse(&[0xc0, 0x21, 1, 1, 0, 3]), Err(short));
        let long = LcpError::BadLength { declared: 5, available: 4 };
        assert_eq!(LcpPacket::parse(&[0xc0, 0x21, 1, 1, 0, 5]), Err(long));
        assert_eq!(long.to_string(), "LCP length 5 does not fit the 4 octets received");
        for bad in [vec![1, 4, 5, 220, 2], vec![1, 4, 5, 220, 2, 1], vec![1, 4, 5, 220, 2, 3]] {
            assert_eq!(LcpOptions::parse(&bad), Err(LcpError::BadOption { offset: 4 }));
        }
    }

    #[test]
    fn only_codes_one_to_seven_are_sent_with_defaults() {
        let expected = |code| (1..=7).contains(&code);
        for code in 0..=20 {
            assert_eq!(is_sent_with_defaults(&[0xc0, 0x21, code, 1, 0, 4]), expected(code));
            assert!(!is_sent_with_defaults(&[0x80, 0x21, code, 1, 0, 4]));
        }
    }

    proptest! {
        #[test]
        fn what_is_emitted_is_what_was_parsed(octets in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut ppp = LCP_PROTOCOL.to_be_bytes().to_vec();
            ppp.extend(&octets);
            if let Ok(packet) = LcpPacket::parse(&ppp) {
                prop_assert!(ppp.starts_with(&packet.emit()));
            }
            if let Ok(options) = LcpOptions::parse(&octets) {
                let mut again = Vec::new();
                options.iter().for_each(|option| option.emit(&mut again));
                prop_assert_eq!(again, octets);
            }
        }
    }
}

//! The tags of a discovery packet.
//!
//! [`Tags::parse`] checks a payload once; after that going through it cannot fail. [`TagWriter`] makes whole
//! packets: a tag that does not fit is refused, never cut.
//!
//! ```text
//! 0          2            4       4 + TAG_LENGTH
//! ┌──────────┬────────────┬───────────┐
//! │ TAG_TYPE │ TAG_LENGTH │ TAG_VALUE │  …
//! └──────────┴────────────┴───────────┘
//! ```
//!
//! RFC 2516 §5 and Appendix A.

use super::ethernet::{EtherType, EthernetHeader, MacAddr};
use super::{DecodeError, HEADER_LEN, Header, PPPOE_HEADER_LEN};
use crate::wire::discovery::{Code, SessionId};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::{self, Write};

/// What a tag says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TagType {
    /// Nothing after this tag is read.
    EndOfList,
    /// The service asked for or offered; empty: any.
    ServiceName,
    /// The name of an access concentrator.
    AcName,
    /// What the host tells its requests apart by; comes back untouched.
    HostUniq,
    /// What the access concentrator knows its own offers by; comes back untouched.
    AcCookie,
    /// A vendor's own.
    VendorSpecific,
    /// Credits (RFC 5578).
    Credits,
    /// Link metrics (RFC 5578).
    Metrics,
    /// Sequence number (RFC 5578).
    SequenceNumber,
    /// What a relay between host and access concentrator knows the exchange by; comes back untouched.
    RelaySessionId,
    /// A URL for the host (RFC 4937).
    Hurl,
    /// A message of the minute for the host (RFC 4937).
    Motm,
    /// A PPP payload longer than 1492 octets is possible (RFC 4638).
    PppMaxPayload,
    /// A route for the host (RFC 4937).
    IpRouteAdd,
    /// The service asked for is refused.
    ServiceNameError,
    /// The access concentrator cannot serve now.
    AcSystemError,
    /// Anything else went wrong.
    GenericError,
    /// A type that has no name here.
    Unknown(u16),
}

impl From<u16> for TagType {
    fn from(number: u16) -> Self {
        match number {
            0x0000 => Self::EndOfList,
            0x0101 => Self::ServiceName,
            0x0102 => Self::AcName,
            0x0103 => Self::HostUniq,
            0x0104 => Self::AcCookie,
            0x0105 => Self::VendorSpecific,
            0x0106 => Self::Credits,
            0x0107 => Self::Metrics,
            0x0108 => Self::SequenceNumber,
            0x0110 => Self::RelaySessionId,
            0x0111 => Self::Hurl,
            0x0112 => Self::Motm,
            0x0120 => Self::PppMaxPayload,
            0x0121 => Self::IpRouteAdd,
            0x0201 => Self::ServiceNameError,
            0x0202 => Self::AcSystemError,
            0x0203 => Self::GenericError,
            _ => Self::Unknown(number),
        }
    }
}

impl From<TagType> for u16 {
    fn from(tag_type: TagType) -> Self {
        match tag_type {
            TagType::EndOfList => 0x0000,
            TagType::ServiceName => 0x0101,
            TagType::AcName => 0x0102,
            TagType::HostUniq => 0x0103,
            TagType::AcCookie => 0x0104,
            TagType::VendorSpecific => 0x0105,
            TagType::Credits => 0x0106,
            TagType::Metrics => 0x0107,
            TagType::SequenceNumber => 0x0108,
            TagType::RelaySessionId => 0x0110,
            TagType::Hurl => 0x0111,
            TagType::Motm => 0x0112,
            TagType::PppMaxPayload => 0x0120,
            TagType::IpRouteAdd => 0x0121,
            TagType::ServiceNameError => 0x0201,
            TagType::AcSystemError => 0x0202,
            TagType::GenericError => 0x0203,
            TagType::Unknown(number) => number,
        }
    }
}

impl fmt::Display for TagType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EndOfList => "End-Of-List",
            Self::ServiceName => "Service-Name",
            Self::AcName => "AC-Name",
            Self::HostUniq => "Host-Uniq",
            Self::AcCookie => "AC-Cookie",
            Self::VendorSpecific => "Vendor-Specific",
            Self::Credits => "Credits",
            Self::Metrics => "Metrics",
            Self::SequenceNumber => "Sequence-Number",
            Self::RelaySessionId => "Relay-Session-Id",
            Self::Hurl => "HURL",
            Self::Motm => "MOTM",
            Self::PppMaxPayload => "PPP-Max-Payload",
            Self::IpRouteAdd => "IP-Route-Add",
            Self::ServiceNameError => "Service-Name-Error",
            Self::AcSystemError => "AC-System-Error",
            Self::GenericError => "Generic-Error",
            Self::Unknown(number) => return write!(f, "tag {number:#06x}"),
        })
    }
}

/// One tag of a packet. Its `Display` is for debug logs: names as escaped text, all else as octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// What it says.
    pub tag_type: TagType,
    /// Its value, which is not terminated and may hold any octets.
    pub value: &'a [u8],
}

impl fmt::Display for Tag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tag_type, value } = self;
        match tag_type {
            TagType::ServiceName
            | TagType::AcName
            | TagType::Hurl
            | TagType::Motm
            | TagType::ServiceNameError
            | TagType::AcSystemError
            | TagType::GenericError => write!(f, "{tag_type} \"{}\"", Printable(value)),
            TagType::EndOfList
            | TagType::HostUniq
            | TagType::AcCookie
            | TagType::VendorSpecific
            | TagType::Credits
            | TagType::Metrics
            | TagType::SequenceNumber
            | TagType::RelaySessionId
            | TagType::PppMaxPayload
            | TagType::IpRouteAdd
            | TagType::Unknown(_) => {
                write!(f, "{tag_type} ")?;
                if value.is_empty() {
                    return f.write_str("(empty)");
                }
                value.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
        }
    }
}

/// A peer's octets as one line of text: what is UTF-8 and printable as it is, all else escaped.
///
/// A host must not be able to write control characters into a log or onto a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Printable<'a>(pub &'a [u8]);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                // Meant for Rust's literals, it would also escape this one.
                if character == '\'' {
                    f.write_char(character)?;
                } else {
                    write!(f, "{}", character.escape_debug())?;
                }
            }
            chunk.invalid().iter().try_for_each(|octet| write!(f, "\\x{octet:02x}"))?;
        }
        Ok(())
    }
}

/// Octets of TAG_TYPE and TAG_LENGTH.
const TAG_HEADER_LEN: usize = 4;

/// The tags of one packet, known to be whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tags<'a>(&'a [u8]);

impl<'a> Tags<'a> {
    /// Checks the payload of a discovery packet. Types that are not known are fine: RFC 2516 §5 has them
    /// ignored.
    ///
    /// # Errors
    ///
    /// [`DecodeError::TagExceedsPayload`] for a tag that does not end within the payload.
    pub fn parse(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let mut rest = payload;
        while !rest.is_empty() {
            let (tag, next) = split_tag(rest, payload.len() - rest.len())?;
            // RFC 2516 Appendix A: End-Of-List "indicates that there are no further TAGs in the list", so
            // what stands behind it need not even be tags.
            if tag.tag_type == TagType::EndOfList {
                break;
            }
            rest = next;
        }
        let whole = payload.len() - rest.len();
        Ok(Self(payload.get(..whole).unwrap_or(payload)))
    }

    /// The tags in their order, without End-Of-List.
    #[must_use]
    pub const fn iter(self) -> TagIter<'a> {
        TagIter(self.0)
    }

    /// The value of the first tag of this type.
    #[must_use]
    pub fn first(self, tag_type: TagType) -> Option<&'a [u8]> {
        self.iter().find(|tag| tag.tag_type == tag_type).map(|tag| tag.value)
    }

    /// How many tags of this type there are.
    #[must_use]
    pub fn count(self, tag_type: TagType) -> usize {
        self.iter().filter(|tag| tag.tag_type == tag_type).count()
    }
}

impl<'a> IntoIterator for Tags<'a> {
    type Item = Tag<'a>;
    type IntoIter = TagIter<'a>;

    fn into_iter(self) -> TagIter<'a> {
        self.iter()
    }
}

/// Goes through [`Tags`].
#[derive(Clone, Debug)]
pub struct TagIter<'a>(&'a [u8]);

impl<'a> Iterator for TagIter<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        let (tag, rest) = split_tag(self.0, 0).ok()?;
        self.0 = rest;
        Some(tag)
    }
}

/// The first tag of what stands at `offset` in a payload, and what follows it.
fn split_tag(octets: &[u8], offset: usize) -> Result<(Tag<'_>, &[u8]), DecodeError> {
    let cut = |declared, available| DecodeError::TagExceedsPayload { offset, declared, available };
    let (header, rest) =
        octets.split_first_chunk::<TAG_HEADER_LEN>().ok_or_else(|| cut(None, octets.len()))?;
    let [type_high, type_low, length_high, length_low] = *header;
    let length = u16::from_be_bytes([length_high, length_low]);
    let (value, rest) =
        rest.split_at_checked(usize::from(length)).ok_or_else(|| cut(Some(length), rest.len()))?;
    let tag_type = u16::from_be_bytes([type_high, type_low]).into();
    Ok((Tag { tag_type, value }, rest))
}

/// A tag that a [`TagWriter`] had no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TagDoesNotFit {
    /// Octets of the tag, its header included.
    pub needed: usize,
    /// Octets that were left.
    pub available: usize,
}

impl fmt::Display for TagDoesNotFit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tag of {} octets does not fit into the {} that are left", self.needed, self.available)
    }
}

impl core::error::Error for TagDoesNotFit {}

/// Makes a discovery packet: the whole Ethernet frame, without padding (the interface adds it).
#[derive(Clone, Debug)]
pub struct TagWriter {
    header: Header,
    octets: Vec<u8>,
    /// Octets that may still be added.
    room: usize,
}

impl TagWriter {
    /// A packet without tags. A `session_id` of `None` is sent as 0. PPPoE header and tags together will not
    /// be longer than `limit` octets, which is the interface's MTU or less.
    #[must_use]
    pub fn new(
        destination: MacAddr,
        source: MacAddr,
        code: Code,
        session_id: Option<SessionId>,
        limit: u16,
    ) -> Self {
        let ethernet = EthernetHeader { destination, source, ether_type: EtherType::PPPOE_DISCOVERY };
        let session_id = session_id.map_or(0, SessionId::get);
        Self {
            header: Header { ethernet, code: code.into(), session_id },
            octets: vec![0; HEADER_LEN],
            room: usize::from(limit).saturating_sub(PPPOE_HEADER_LEN),
        }
    }

    /// Adds a tag behind those that are there.
    ///
    /// # Errors
    ///
    /// If there is no room for all of it; then the packet is as it was before.
    pub fn add(&mut self, tag_type: TagType, value: &[u8]) -> Result<(), TagDoesNotFit> {
        let needed = TAG_HEADER_LEN.saturating_add(value.len());
        let refused = TagDoesNotFit { needed, available: self.room };
        self.room = self.room.checked_sub(needed).ok_or(refused)?;
        // What is left of a limit that is a u16 has a length that is one.
        let length = u16::try_from(value.len()).map_err(|_| refused)?;
        self.octets.extend_from_slice(&u16::from(tag_type).to_be_bytes());
        self.octets.extend_from_slice(&length.to_be_bytes());
        self.octets.extend_from_slice(value);
        Ok(())
    }

    /// Octets that may still be added, tag headers included.
    #[must_use]
    pub const fn room(&self) -> usize {
        self.room
    }

    /// The frame.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        let length = u16::try_from(self.octets.len() - HEADER_LEN).unwrap_or(u16::MAX);
        if let Some(header) = self.octets.first_chunk_mut() {
            *header = self.header.emit(length);
        }
        self.octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::ToString;

    const HOST: MacAddr = MacAddr([0x02, 0, 0, 0, 0, 0x01]);
    const US: MacAddr = MacAddr([0x02, 0, 0, 0, 0, 0x02]);

    fn types(tags: Tags<'_>) -> Vec<TagType> {
        tags.iter().map(|tag| tag.tag_type).collect()
    }

    #[test]
    fn tags_come_out_in_their_order() {
        let tags = Tags::parse(b"\x01\x03\x00\x02\xab\xcd\x01\x01\x00\x00\x01\x03\x00\x01\xee").unwrap();
        assert_eq!(types(tags), [TagType::HostUniq, TagType::ServiceName, TagType::HostUniq]);
        assert_eq!(tags.first(TagType::HostUniq), Some(&b"\xab\xcd"[..]));
        assert_eq!(tags.first(TagType::ServiceName), Some(&b""[..]));
        assert_eq!(tags.first(TagType::AcCookie), None);
        assert_eq!(tags.count(TagType::HostUniq), 2);
    }

    #[test]
    fn an_unknown_type_is_passed_over() {
        // RFC 2516 §5: a TAG of unknown TAG_TYPE "MUST be ignored unless otherwise specified in this document".
        let tags = Tags::parse(b"\x7a\xbc\x00\x01!\x01\x01\x00\x01x").unwrap();
        assert_eq!(types(tags), [TagType::Unknown(0x7abc), TagType::ServiceName]);
        assert_eq!(tags.first(TagType::ServiceName), Some(&b"x"[..]));
    }

    #[test]
    fn nothing_is_read_after_end_of_list() {
        // RFC 2516 Appendix A: "This TAG indicates that there are no further TAGs in the list."
        let tags = Tags::parse(b"\x01\x01\x00\x00\0\0\0\0\x01\x01\xff\xffgarbage").unwrap();
        assert_eq!(types(tags), [TagType::ServiceName]);
        assert_eq!(types(Tags::parse(b"\0\0\0\0").unwrap()), []);
        assert_eq!(types(Tags::parse(b"").unwrap()), []);
    }

    #[test]
    fn a_tag_that_does_not_end_is_told_with_its_numbers() {
        let cut_value = DecodeError::TagExceedsPayload { offset: 4, declared: Some(5), available: 4 };
        assert_eq!(Tags::parse(b"\x01\x01\x00\x00\x01\x03\x00\x05abcd"), Err(cut_value));
        assert_eq!(cut_value.to_string(), "tag at offset 4 says 5 octets, 4 are left");
        let cut_header = DecodeError::TagExceedsPayload { offset: 4, declared: None, available: 3 };
        assert_eq!(Tags::parse(b"\x01\x01\x00\x00\x01\x03\x00"), Err(cut_header));
        assert_eq!(cut_header.to_string(), "tag header at offset 4 needs 4 octets, 3 are left");
    }

    #[test]
    fn every_number_has_one_type() {
        for number in 0..=u16::MAX {
            assert_eq!(u16::from(TagType::from(number)), number);
        }
        assert_eq!(TagType::from(0x0110).to_string(), "Relay-Session-Id");
        assert_eq!(TagType::from(0x0120).to_string(), "PPP-Max-Payload");
        assert_eq!(TagType::from(0x0999).to_string(), "tag 0x0999");
    }

    #[test]
    fn tags_print_what_is_safe_to_print() {
        let print = |tag_type, value: &[u8]| Tag { tag_type, value }.to_string();
        assert_eq!(print(TagType::ServiceName, "dömäne's".as_bytes()), "Service-Name \"dömäne's\"");
        assert_eq!(print(TagType::ServiceName, b""), "Service-Name \"\"");
        let hostile = b"a\x1b[2J\n\"\xff\xe2\x80\xae\0";
        assert_eq!(print(TagType::GenericError, hostile), r#"Generic-Error "a\u{1b}[2J\n\"\xff\u{202e}\0""#);
        assert_eq!(print(TagType::HostUniq, b"\x0a\xff"), "Host-Uniq 0aff");
        assert_eq!(print(TagType::HostUniq, b""), "Host-Uniq (empty)");
    }

    #[test]
    fn a_tag_that_does_not_fit_is_refused_whole() {
        let mut writer = TagWriter::new(HOST, US, Code::Pado, None, 6 + 4 + 3);
        let refused = TagDoesNotFit { needed: 8, available: 7 };
        assert_eq!(writer.add(TagType::AcName, b"four"), Err(refused));
        assert_eq!(refused.to_string(), "tag of 8 octets does not fit into the 7 that are left");
        assert_eq!(writer.add(TagType::AcName, b"two"), Ok(()));
        assert_eq!(writer.room(), 0);
        assert_eq!(
            writer.finish(),
            b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x88\x63\x11\x07\0\0\0\x07\x01\x02\0\x03two"
        );
        let mut largest = TagWriter::new(HOST, US, Code::Pado, None, u16::MAX);
        assert!(largest.add(TagType::AcName, &[0; 0x1_0000]).is_err());
        assert!(largest.add(TagType::AcName, &[0; 0xffff - 10]).is_ok());
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(tags) = Tags::parse(&octets) {
                for tag in tags {
                    let line = tag.to_string();
                    prop_assert!(!line.chars().any(char::is_control));
                }
            }
        }
    }
}

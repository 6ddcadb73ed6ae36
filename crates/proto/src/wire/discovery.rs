//! Discovery packets: how a host finds an access concentrator, and how a session begins and ends.
//!
//! [`DiscoveryPacket::parse`] takes the whole Ethernet frame and promises that headers and tags are whole. What
//! the packet asks for, and whether it may, is for the `discovery` module. Packets are made with
//! [`TagWriter`](super::tag::TagWriter).
//!
//! RFC 2516 §4-5.

use super::ethernet::{EtherType, MacAddr};
use super::tag::Tags;
use super::{DecodeError, Header, PPPOE_HEADER_LEN};
use core::fmt;
use core::num::NonZeroU16;

/// The number of an open session.
///
/// Never 0, which means "no session", and never 0xffff, which is reserved for future use (RFC 2516 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(NonZeroU16);

impl SessionId {
    /// The id of that number, if a session may have it.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        match NonZeroU16::new(number) {
            // RFC 2516 §4: "A value of 0xffff is reserved for future use and MUST NOT be used".
            None | Some(NonZeroU16::MAX) => None,
            Some(number) => Some(Self(number)),
        }
    }

    /// The number.
    #[inline]
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.get())
    }
}

/// What kind of discovery packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// Initiation: a host looks for access concentrators.
    Padi,
    /// Offer: an access concentrator answers.
    Pado,
    /// Request: the host has chosen one.
    Padr,
    /// Session confirmation: the session is open, or refused.
    Pads,
    /// Terminate: the session is no more.
    Padt,
    /// Session grant, of credits (RFC 5578).
    Padg,
    /// Session credit response (RFC 5578).
    Padc,
    /// Quality (RFC 5578).
    Padq,
    /// Message (RFC 4937).
    Padm,
    /// Network (RFC 4937).
    Padn,
    /// A code that has no name.
    Unknown(u8),
}

impl From<u8> for Code {
    fn from(number: u8) -> Self {
        match number {
            0x09 => Self::Padi,
            0x07 => Self::Pado,
            0x19 => Self::Padr,
            0x65 => Self::Pads,
            0xa7 => Self::Padt,
            0x0a => Self::Padg,
            0x0b => Self::Padc,
            0x0c => Self::Padq,
            0xd3 => Self::Padm,
            0xd4 => Self::Padn,
            _ => Self::Unknown(number),
        }
    }
}

impl From<Code> for u8 {
    fn from(code: Code) -> Self {
        match code {
            Code::Padi => 0x09,
            Code::Pado => 0x07,
            Code::Padr => 0x19,
            Code::Pads => 0x65,
            Code::Padt => 0xa7,
            Code::Padg => 0x0a,
            Code::Padc => 0x0b,
            Code::Padq => 0x0c,
            Code::Padm => 0xd3,
            Code::Padn => 0xd4,
            Code::Unknown(number) => number,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Padi => "PADI",
            Self::Pado => "PADO",
            Self::Padr => "PADR",
            Self::Pads => "PADS",
            Self::Padt => "PADT",
            Self::Padg => "PADG",
            Self::Padc => "PADC",
            Self::Padq => "PADQ",
            Self::Padm => "PADM",
            Self::Padn => "PADN",
            Self::Unknown(number) => return write!(f, "code {number:#04x}"),
        })
    }
}

/// A discovery packet as it was received. Its `Display` is one line for debug logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiscoveryPacket<'a> {
    /// To whom.
    pub destination: MacAddr,
    /// From whom.
    pub source: MacAddr,
    /// Of what kind.
    pub code: Code,
    /// `SESSION_ID` as it stands in the packet; 0 before there is a session.
    pub session_id: u16,
    /// Octets of the PPPoE header and what LENGTH counts, which is what RFC 2516 §5.1 limits to 1484.
    pub pppoe_octets: usize,
    /// What it says.
    pub tags: Tags<'a>,
}

impl<'a> DiscoveryPacket<'a> {
    /// Reads an Ethernet frame.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with the headers, else with the tags.
    pub fn parse(frame: &'a [u8]) -> Result<Self, DecodeError> {
        let (header, payload) = Header::split(frame, EtherType::PPPOE_DISCOVERY)?;
        Ok(Self {
            destination: header.ethernet.destination,
            source: header.ethernet.source,
            code: header.code.into(),
            session_id: header.session_id,
            pppoe_octets: PPPOE_HEADER_LEN + payload.len(),
            tags: Tags::parse(payload)?,
        })
    }
}

impl fmt::Display for DiscoveryPacket<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { destination, source, code, session_id, .. } = self;
        write!(f, "{code} {source} > {destination} session {session_id:#06x}")?;
        self.tags.iter().try_for_each(|tag| write!(f, ", {tag}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tag::{TagType, TagWriter};
    use super::*;
    use proptest::prelude::*;
    use std::string::ToString;
    use std::vec::Vec;

    const HOST: MacAddr = MacAddr([0x02, 0, 0, 0, 0, 0x01]);
    const US: MacAddr = MacAddr([0x02, 0, 0, 0, 0, 0x02]);

    /// What pppd's plugin sends: an empty Service-Name, its process number as Host-Uniq, padded to 60 octets.
    const PADI: [u8; 60] = *b"\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x88\x63\
        \x11\x09\x00\x00\x00\x0c\
        \x01\x01\x00\x00\x01\x03\x00\x04\x9a\x3f\x00\x00\
        \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

    /// What our own side answers with when all is well, after a relay.
    const PADS: &[u8] = b"\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x88\x63\
        \x11\x65\x2a\x01\x00\x0e\
        \x01\x01\x00\x02lt\x01\x10\x00\x04\xde\xad\xbe\xef";

    #[test]
    fn a_padi_is_read_without_its_padding() {
        let packet = DiscoveryPacket::parse(&PADI).unwrap();
        assert_eq!((packet.source, packet.destination), (HOST, MacAddr::BROADCAST));
        assert_eq!((packet.code, packet.session_id, packet.pppoe_octets), (Code::Padi, 0, 18));
        assert_eq!(packet.tags.iter().count(), 2);
        assert_eq!(packet.tags.first(TagType::HostUniq), Some(&b"\x9a\x3f\x00\x00"[..]));
        assert_eq!(
            packet.to_string(),
            "PADI 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff session 0x0000, Service-Name \"\", Host-Uniq 9a3f0000"
        );
    }

    #[test]
    fn a_packet_is_written_as_it_is_read() {
        let mut writer = TagWriter::new(HOST, US, Code::Pads, SessionId::new(0x2a01), 1500);
        writer.add(TagType::ServiceName, b"lt").unwrap();
        writer.add(TagType::RelaySessionId, b"\xde\xad\xbe\xef").unwrap();
        assert_eq!(writer.finish(), PADS);
        assert_eq!(
            DiscoveryPacket::parse(PADS).unwrap().to_string(),
            "PADS 02:00:00:00:00:02 > 02:00:00:00:00:01 session 0x2a01, Service-Name \"lt\", \
             Relay-Session-Id deadbeef"
        );
    }

    #[test]
    fn a_damaged_tag_spoils_the_packet() {
        let mut octets = PADI;
        octets[27] = 0x05;
        assert_eq!(
            DiscoveryPacket::parse(&octets),
            Err(DecodeError::TagExceedsPayload { offset: 4, declared: Some(5), available: 4 })
        );
    }

    #[test]
    fn some_numbers_are_no_session() {
        // RFC 2516 §4: "A value of 0xffff is reserved for future use and MUST NOT be used".
        assert_eq!(SessionId::new(0xffff), None);
        assert_eq!(SessionId::new(0), None);
        assert_eq!(SessionId::new(0xfffe).map(SessionId::get), Some(0xfffe));
        assert_eq!(SessionId::new(0x2a).unwrap().to_string(), "0x002a");
    }

    #[test]
    fn every_number_has_one_code() {
        for number in 0..=u8::MAX {
            assert_eq!(u8::from(Code::from(number)), number);
        }
        let names: Vec<_> = [0x09, 0x07, 0x19, 0x65, 0xa7, 0x0a, 0x0b, 0x0c, 0xd3, 0xd4, 0x42]
            .map(|number| Code::from(number).to_string())
            .into();
        assert_eq!(
            names,
            ["PADI", "PADO", "PADR", "PADS", "PADT", "PADG", "PADC", "PADQ", "PADM", "PADN", "code 0x42"]
        );
    }

    proptest! {
        #[test]
        fn no_octets_panic(
            octets in prop::collection::vec(any::<u8>(), 0..200),
            header_is_right: bool,
        ) {
            let mut octets = octets;
            if header_is_right {
                let header = &PADI[..18];
                let length = header.len().min(octets.len());
                octets[..length].copy_from_slice(&header[..length]);
            }
            if let Ok(packet) = DiscoveryPacket::parse(&octets) {
                prop_assert!(packet.pppoe_octets <= octets.len() - 14);
                prop_assert!(!packet.to_string().chars().any(char::is_control));
            }
        }
    }
}

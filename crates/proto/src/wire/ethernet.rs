//! Ethernet addresses, types and the 14 octets in front of every frame.

use core::fmt;
use core::str::FromStr;

/// An Ethernet address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// Every host on the segment.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// Whether one host can have this address: neither a group (multicast, broadcast) nor all zero.
    #[inline]
    #[must_use]
    pub fn is_unicast(self) -> bool {
        let [first, ..] = self.0;
        first & 0x01 == 0 && self.0 != [0; 6]
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// Why a text is not an Ethernet address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacAddrError {
    /// Not six groups between colons.
    GroupCount {
        /// How many there are.
        found: usize,
    },
    /// A group is not two hexadecimal digits.
    BadGroup {
        /// Which one, counted from 1.
        position: usize,
    },
}

impl fmt::Display for MacAddrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GroupCount { found } => {
                write!(f, "an Ethernet address has 6 groups between colons, this has {found}")
            }
            Self::BadGroup { position } => {
                write!(f, "group {position} of the Ethernet address is not two hexadecimal digits")
            }
        }
    }
}

impl core::error::Error for MacAddrError {}

impl FromStr for MacAddr {
    type Err = MacAddrError;

    /// Reads `aa:bb:cc:dd:ee:ff`, in either case.
    fn from_str(text: &str) -> Result<Self, MacAddrError> {
        let found = text.split(':').count();
        if found != 6 {
            return Err(MacAddrError::GroupCount { found });
        }
        let mut octets = [0; 6];
        for (position, (octet, group)) in octets.iter_mut().zip(text.split(':')).enumerate() {
            // `from_str_radix` alone would also take a sign.
            let is_hex = group.len() == 2 && group.bytes().all(|digit| digit.is_ascii_hexdigit());
            let value = if is_hex { u8::from_str_radix(group, 16).ok() } else { None };
            *octet = value.ok_or(MacAddrError::BadGroup { position: position + 1 })?;
        }
        Ok(Self(octets))
    }
}

/// What an Ethernet frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EtherType(pub u16);

impl EtherType {
    /// PPPoE discovery (RFC 2516 §4).
    pub const PPPOE_DISCOVERY: Self = Self(0x8863);
    /// PPPoE session (RFC 2516 §4).
    pub const PPPOE_SESSION: Self = Self(0x8864);
}

impl fmt::Display for EtherType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.0)
    }
}

/// The first 14 octets of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EthernetHeader {
    /// To whom.
    pub destination: MacAddr,
    /// From whom.
    pub source: MacAddr,
    /// Of what kind.
    pub ether_type: EtherType,
}

impl EthernetHeader {
    /// Octets of the header.
    pub const LEN: usize = 14;

    /// Parts a frame into its header and what follows it; `None` if it is shorter than the header.
    #[inline]
    #[must_use]
    pub fn split(frame: &[u8]) -> Option<(Self, &[u8])> {
        let (header, rest) = frame.split_first_chunk::<{ Self::LEN }>()?;
        let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, type_high, type_low] = *header;
        let header = Self {
            destination: MacAddr([d0, d1, d2, d3, d4, d5]),
            source: MacAddr([s0, s1, s2, s3, s4, s5]),
            ether_type: EtherType(u16::from_be_bytes([type_high, type_low])),
        };
        Some((header, rest))
    }

    /// The octets of the header.
    #[inline]
    #[must_use]
    pub const fn emit(self) -> [u8; Self::LEN] {
        let [d0, d1, d2, d3, d4, d5] = self.destination.0;
        let [s0, s1, s2, s3, s4, s5] = self.source.0;
        let [type_high, type_low] = self.ether_type.0.to_be_bytes();
        [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, type_high, type_low]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn an_address_reads_back_as_it_prints() {
        let address = MacAddr([0x02, 0x00, 0x5e, 0xAB, 0xcd, 0xef]);
        assert_eq!(address.to_string(), "02:00:5e:ab:cd:ef");
        assert_eq!("02:00:5E:ab:CD:ef".parse(), Ok(address));
    }

    #[test]
    fn a_bad_address_says_where() {
        let parse = |text: &str| text.parse::<MacAddr>();
        assert_eq!(parse(""), Err(MacAddrError::GroupCount { found: 1 }));
        assert_eq!(parse("02:00:5e:ab:cd"), Err(MacAddrError::GroupCount { found: 5 }));
        assert_eq!(parse("02:00:5e:ab:cd:ef:00"), Err(MacAddrError::GroupCount { found: 7 }));
        assert_eq!(parse("02:+0:5e:ab:cd:ef"), Err(MacAddrError::BadGroup { position: 2 }));
        assert_eq!(parse("02:00:5e:ab:cd:eef"), Err(MacAddrError::BadGroup { position: 6 }));
        assert_eq!(
            MacAddrError::BadGroup { position: 6 }.to_string(),
            "group 6 of the Ethernet address is not two hexadecimal digits"
        );
        assert_eq!(
            MacAddrError::GroupCount { found: 5 }.to_string(),
            "an Ethernet address has 6 groups between colons, this has 5"
        );
    }

    #[test]
    fn only_a_host_has_a_unicast_address() {
        assert!(MacAddr([0x02, 0, 0, 0, 0, 1]).is_unicast());
        assert!(MacAddr([0, 0, 0, 0, 0, 1]).is_unicast());
        assert!(!MacAddr([0; 6]).is_unicast());
        assert!(!MacAddr::BROADCAST.is_unicast());
        assert!(!MacAddr([0x01, 0x00, 0x5e, 0, 0, 1]).is_unicast());
    }

    #[test]
    fn a_header_survives_the_wire() {
        let octets = *b"\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x88\x63rest";
        let (header, rest) = EthernetHeader::split(&octets).unwrap();
        assert_eq!(header.destination, MacAddr::BROADCAST);
        assert_eq!(header.source, MacAddr([2, 0, 0, 0, 0, 1]));
        assert_eq!(header.ether_type, EtherType::PPPOE_DISCOVERY);
        assert_eq!(header.ether_type.to_string(), "0x8863");
        assert_eq!(rest, b"rest");
        assert_eq!(header.emit(), octets[..14]);
        assert_eq!(EthernetHeader::split(&octets[..13]), None);
    }
}

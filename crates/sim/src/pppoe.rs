//! PPPoE packets as a host makes and reads them (RFC 2516 §4, App. A).

use std::fmt;

/// EtherType of discovery.
pub const ETHERTYPE_DISCOVERY: u16 = 0x8863;
/// EtherType of sessions.
pub const ETHERTYPE_SESSION: u16 = 0x8864;

/// Active Discovery Initiation.
pub const PADI: u8 = 0x09;
/// Active Discovery Offer.
pub const PADO: u8 = 0x07;
/// Active Discovery Request.
pub const PADR: u8 = 0x19;
/// Active Discovery Session-confirmation.
pub const PADS: u8 = 0x65;
/// Active Discovery Terminate.
pub const PADT: u8 = 0xa7;

/// End-Of-List.
pub const END_OF_LIST: u16 = 0x0000;
/// Service-Name.
pub const SERVICE_NAME: u16 = 0x0101;
/// AC-Name.
pub const AC_NAME: u16 = 0x0102;
/// Host-Uniq.
pub const HOST_UNIQ: u16 = 0x0103;
/// AC-Cookie.
pub const AC_COOKIE: u16 = 0x0104;
/// Relay-Session-Id.
pub const RELAY_SESSION_ID: u16 = 0x0110;
/// PPP-Max-Payload (RFC 4638).
pub const PPP_MAX_PAYLOAD: u16 = 0x0120;
/// Service-Name-Error.
pub const SERVICE_NAME_ERROR: u16 = 0x0201;
/// AC-System-Error.
pub const AC_SYSTEM_ERROR: u16 = 0x0202;
/// Generic-Error.
pub const GENERIC_ERROR: u16 = 0x0203;

/// An Ethernet address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Everyone.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// Whether it names more than one station.
    #[must_use]
    pub fn is_group(self) -> bool {
        self.0[0] & 1 == 1
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// One tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Its type.
    pub kind: u16,
    /// Its value.
    pub value: Vec<u8>,
}

impl Tag {
    /// A tag with this value.
    #[must_use]
    pub fn new(kind: u16, value: &[u8]) -> Self {
        Self { kind, value: value.to_vec() }
    }
}

/// A PPPoE packet in an untagged Ethernet frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Whom it is for.
    pub destination: Mac,
    /// Who sent it.
    pub source: Mac,
    /// Discovery or session.
    pub ethertype: u16,
    /// What it is; zero in a session.
    pub code: u8,
    /// Which session; zero while there is none.
    pub session_id: u16,
    /// What LENGTH covers: tags, or a PPP frame. Ethernet's padding is gone.
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// The packet, if it is PPPoE version 1 type 1 and LENGTH fits.
    #[must_use]
    pub fn parse(octets: &'a [u8]) -> Option<Self> {
        let (destination, octets) = octets.split_first_chunk()?;
        let (source, octets) = octets.split_first_chunk()?;
        let &[et_h, et_l, 0x11, code, id_h, id_l, len_h, len_l, ref rest @ ..] = octets else { return None };
        let ethertype = u16::from_be_bytes([et_h, et_l]);
        if ethertype != ETHERTYPE_DISCOVERY && ethertype != ETHERTYPE_SESSION {
            return None;
        }
        Some(Self {
            destination: Mac(*destination),
            source: Mac(*source),
            ethertype,
            code,
            session_id: u16::from_be_bytes([id_h, id_l]),
            payload: rest.get(..usize::from(u16::from_be_bytes([len_h, len_l])))?,
        })
    }

    /// The octets of the frame, padded to Ethernet's least.
    #[must_use]
    pub fn emit(&self) -> Vec<u8> {
        let mut octets = [self.destination.0, self.source.0].concat();
        octets.extend_from_slice(&self.ethertype.to_be_bytes());
        octets.extend_from_slice(&[0x11, self.code]);
        octets.extend_from_slice(&self.session_id.to_be_bytes());
        octets.extend_from_slice(&u16::try_from(self.payload.len()).unwrap_or(u16::MAX).to_be_bytes());
        octets.extend_from_slice(self.payload);
        octets.resize(octets.len().max(60), 0);
        octets
    }

    /// The tags, if every length is right; nothing after End-Of-List is read.
    #[must_use]
    pub fn tags(&self) -> Option<Vec<Tag>> {
        let mut tags = Vec::new();
        let mut octets = self.payload;
        while !octets.is_empty() {
            let &[kind_h, kind_l, len_h, len_l, ref rest @ ..] = octets else { return None };
            let kind = u16::from_be_bytes([kind_h, kind_l]);
            if kind == END_OF_LIST {
                break;
            }
            let length = usize::from(u16::from_be_bytes([len_h, len_l]));
            tags.push(Tag::new(kind, rest.get(..length)?));
            octets = &rest[length..];
        }
        Some(tags)
    }
}

/// The octets of `tags`, in order.
#[must_use]
pub fn emit_tags(tags: &[Tag]) -> Vec<u8> {
    let mut octets = Vec::new();
    for tag in tags {
        octets.extend_from_slice(&tag.kind.to_be_bytes());
        octets.extend_from_slice(&u16::try_from(tag.value.len()).unwrap_or(u16::MAX).to_be_bytes());
        octets.extend_from_slice(&tag.value);
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_padi_looks_like_the_example_of_the_rfc() {
        // RFC 2516 App. B, the PADI, padded.
        let tags = emit_tags(&[Tag::new(SERVICE_NAME, b"")]);
        let packet = Packet {
            destination: Mac::BROADCAST,
            source: Mac([0, 0x80, 0xc2, 0, 0, 1]),
            ethertype: ETHERTYPE_DISCOVERY,
            code: PADI,
            session_id: 0,
            payload: &tags,
        };
        let octets = packet.emit();
        assert_eq!(octets.len(), 60);
        assert_eq!(octets[12..24], [0x88, 0x63, 0x11, 0x09, 0, 0, 0, 4, 1, 1, 0, 0]);
        assert_eq!(Packet::parse(&octets), Some(packet));
        assert_eq!(packet.tags(), Some(vec![Tag::new(SERVICE_NAME, b"")]));
    }

    #[test]
    fn a_tag_longer_than_its_packet_spoils_all_and_one_behind_the_end_none() {
        let of = |payload| Packet {
            destination: Mac::BROADCAST,
            source: Mac([2; 6]),
            ethertype: ETHERTYPE_DISCOVERY,
            code: PADO,
            session_id: 0,
            payload,
        };
        assert_eq!(of(&[1, 1, 0, 1]).tags(), None);
        assert_eq!(of(&[1, 1, 0]).tags(), None);
        assert_eq!(of(&[0, 0, 0, 0, 1, 1, 0, 9]).tags(), Some(Vec::new()));
    }
}

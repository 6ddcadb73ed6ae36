//! Protocol numbers, control packets and options as they lie on the wire (RFC 1661 §5, §6).

/// Link Control Protocol.
pub const LCP: u16 = 0xc021;
/// Password Authentication Protocol.
pub const PAP: u16 = 0xc023;
/// Challenge Handshake Authentication Protocol.
pub const CHAP: u16 = 0xc223;
/// IP Control Protocol.
pub const IPCP: u16 = 0x8021;
/// IPv6 Control Protocol.
pub const IPV6CP: u16 = 0x8057;
/// Internet Protocol version 4.
pub const IPV4: u16 = 0x0021;

/// Configure-Request.
pub const CONFIGURE_REQUEST: u8 = 1;
/// Configure-Ack.
pub const CONFIGURE_ACK: u8 = 2;
/// Configure-Nak.
pub const CONFIGURE_NAK: u8 = 3;
/// Configure-Reject.
pub const CONFIGURE_REJECT: u8 = 4;
/// Terminate-Request.
pub const TERMINATE_REQUEST: u8 = 5;
/// Terminate-Ack.
pub const TERMINATE_ACK: u8 = 6;
/// Code-Reject.
pub const CODE_REJECT: u8 = 7;
/// Protocol-Reject (LCP only).
pub const PROTOCOL_REJECT: u8 = 8;
/// Echo-Request (LCP only).
pub const ECHO_REQUEST: u8 = 9;
/// Echo-Reply (LCP only).
pub const ECHO_REPLY: u8 = 10;
/// Discard-Request (LCP only).
pub const DISCARD_REQUEST: u8 = 11;

/// The protocol and what follows it; one-octet protocol fields are understood (RFC 1661 §6.5).
#[must_use]
pub fn split_protocol(frame: &[u8]) -> Option<(u16, &[u8])> {
    match frame {
        [low, rest @ ..] if low & 1 == 1 => Some((u16::from(*low), rest)),
        [high, low, rest @ ..] if low & 1 == 1 => Some((u16::from_be_bytes([*high, *low]), rest)),
        _ => None,
    }
}

/// `information` behind a two-octet protocol field.
#[must_use]
pub fn frame(protocol: u16, information: &[u8]) -> Vec<u8> {
    [&protocol.to_be_bytes(), information].concat()
}

/// A packet of LCP, an NCP or an authentication protocol: all share the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlPacket<'a> {
    /// What it is.
    pub code: u8,
    /// Pairs a reply with its request.
    pub identifier: u8,
    /// What follows the header; padding behind LENGTH is gone.
    pub data: &'a [u8],
}

impl<'a> ControlPacket<'a> {
    /// The packet, if LENGTH fits what arrived.
    #[must_use]
    pub fn parse(octets: &'a [u8]) -> Option<Self> {
        let [code, identifier, high, low, ..] = *octets else { return None };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let data = octets.get(4..length)?;
        Some(Self { code, identifier, data })
    }

    /// The octets of the packet.
    #[must_use]
    pub fn emit(&self) -> Vec<u8> {
        let length = u16::try_from(self.data.len() + 4).unwrap_or(u16::MAX).to_be_bytes();
        [&[self.code, self.identifier], &length[..], self.data].concat()
    }
}

/// One configuration option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigOption {
    /// Its type.
    pub kind: u8,
    /// Its value.
    pub value: Vec<u8>,
}

impl ConfigOption {
    /// An option with this value.
    #[must_use]
    pub fn new(kind: u8, value: &[u8]) -> Self {
        Self { kind, value: value.to_vec() }
    }

    /// The value as two octets, if it is two.
    #[must_use]
    pub fn as_u16(&self) -> Option<u16> {
        Some(u16::from_be_bytes(self.value.as_slice().try_into().ok()?))
    }

    /// The value as four octets, if it is four.
    #[must_use]
    pub fn as_u32(&self) -> Option<u32> {
        Some(u32::from_be_bytes(self.value.as_slice().try_into().ok()?))
    }

    /// All options in `octets`, if every length is right.
    #[must_use]
    pub fn parse_all(mut octets: &[u8]) -> Option<Vec<Self>> {
        let mut options = Vec::new();
        while let [kind, length, rest @ ..] = octets {
            let length = usize::from(*length).checked_sub(2)?;
            options.push(Self::new(*kind, rest.get(..length)?));
            octets = &rest[length..];
        }
        octets.is_empty().then_some(options)
    }

    /// The octets of `options`, in order.
    #[must_use]
    pub fn emit_all(options: &[Self]) -> Vec<u8> {
        let mut octets = Vec::new();
        for option in options {
            octets.push(option.kind);
            octets.push(u8::try_from(option.value.len() + 2).unwrap_or(u8::MAX));
            octets.extend_from_slice(&option.value);
        }
        octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_behind_the_length_is_no_part_of_a_packet() {
        let octets = [9, 3, 0, 8, 1, 2, 3, 4, 0, 0];
        let packet = ControlPacket::parse(&octets).unwrap();
        assert_eq!(packet, ControlPacket { code: 9, identifier: 3, data: &[1, 2, 3, 4] });
        assert_eq!(packet.emit(), octets[..8]);
        assert_eq!(ControlPacket::parse(&[9, 3, 0, 9, 1, 2, 3, 4]), None);
        assert_eq!(ControlPacket::parse(&[9, 3, 0, 3]), None);
    }

    #[test]
    fn options_with_wrong_lengths_are_no_options() {
        let octets = [1, 4, 5, 0xd4, 7, 2];
        let options = ConfigOption::parse_all(&octets).unwrap();
        assert_eq!(options, [ConfigOption::new(1, &[5, 0xd4]), ConfigOption::new(7, &[])]);
        assert_eq!(ConfigOption::emit_all(&options), octets);
        for bad in [&[1, 1][..], &[1, 5, 0, 0], &[1]] {
            assert_eq!(ConfigOption::parse_all(bad), None);
        }
    }

    #[test]
    fn a_protocol_field_may_be_one_octet() {
        assert_eq!(split_protocol(&[0x21, 0x45]), Some((IPV4, &[0x45][..])));
        assert_eq!(split_protocol(&[0xc0, 0x21, 1]), Some((LCP, &[1][..])));
        assert_eq!(split_protocol(&[0xc0, 0x20]), None);
        assert_eq!(split_protocol(&[]), None);
    }
}

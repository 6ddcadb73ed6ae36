//! IPv4, ICMP echo and UDP as they lie on the wire (RFC 791, 792, 768).

use std::net::Ipv4Addr;

/// ICMP's protocol number.
pub const PROTOCOL_ICMP: u8 = 1;
/// UDP's protocol number.
pub const PROTOCOL_UDP: u8 = 17;

/// The one's complement sum of `octets` as 16-bit words, complemented (RFC 1071).
#[must_use]
pub fn checksum(octets: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in octets.chunks(2) {
        sum += u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// An IPv4 packet without options or fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv4<'a> {
    /// Who sent it.
    pub source: Ipv4Addr,
    /// Whom it is for.
    pub destination: Ipv4Addr,
    /// What is inside.
    pub protocol: u8,
    /// Tells packets apart.
    pub identification: u16,
    /// What the header carries.
    pub payload: &'a [u8],
}

const TIME_TO_LIVE: u8 = 64;

impl<'a> Ipv4<'a> {
    /// The packet, if its header is whole, its checksum right and it is no fragment.
    #[must_use]
    pub fn parse(octets: &'a [u8]) -> Option<Self> {
        let first = *octets.first()?;
        let header_length = usize::from(first & 0x0f) * 4;
        let header = octets.get(..header_length)?;
        let &[
            _,
            _,
            len_h,
            len_l,
            id_h,
            id_l,
            frag_h,
            frag_l,
            _,
            protocol,
            _,
            _,
            s0,
            s1,
            s2,
            s3,
            d0,
            d1,
            d2,
            d3,
            ..,
        ] = header
        else {
            return None;
        };
        let total = usize::from(u16::from_be_bytes([len_h, len_l]));
        let is_fragment = u16::from_be_bytes([frag_h, frag_l]) & 0x3fff != 0;
        if first >> 4 != 4 || is_fragment || checksum(header) != 0 {
            return None;
        }
        Some(Self {
            source: Ipv4Addr::new(s0, s1, s2, s3),
            destination: Ipv4Addr::new(d0, d1, d2, d3),
            protocol,
            identification: u16::from_be_bytes([id_h, id_l]),
            payload: octets.get(header_length..total)?,
        })
    }

    /// The octets of the packet.
    #[must_use]
    pub fn emit(&self) -> Vec<u8> {
        let total = u16::try_from(self.payload.len() + 20).unwrap_or(u16::MAX);
        let mut octets = vec![0x45, 0];
        octets.extend_from_slice(&total.to_be_bytes());
        octets.extend_from_slice(&self.identification.to_be_bytes());
        octets.extend_from_slice(&[0x40, 0, TIME_TO_LIVE, self.protocol, 0, 0]);
        octets.extend_from_slice(&self.source.octets());
        octets.extend_from_slice(&self.destination.octets());
        let sum = checksum(&octets).to_be_bytes();
        octets[10..12].copy_from_slice(&sum);
        octets.extend_from_slice(self.payload);
        octets
    }
}

/// An ICMP echo request or reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Icmp<'a> {
    /// Whether it answers.
    pub is_reply: bool,
    /// Whose ping it is.
    pub identifier: u16,
    /// Which ping.
    pub sequence: u16,
    /// What must come back.
    pub data: &'a [u8],
}

impl<'a> Icmp<'a> {
    /// The echo, if it is one and its checksum is right.
    #[must_use]
    pub fn parse(octets: &'a [u8]) -> Option<Self> {
        let [kind @ (0 | 8), 0, _, _, id_h, id_l, seq_h, seq_l, data @ ..] = octets else { return None };
        (checksum(octets) == 0).then_some(Self {
            is_reply: *kind == 0,
            identifier: u16::from_be_bytes([*id_h, *id_l]),
            sequence: u16::from_be_bytes([*seq_h, *seq_l]),
            data,
        })
    }

    /// The octets of the message.
    #[must_use]
    pub fn emit(&self) -> Vec<u8> {
        let mut octets = vec![if self.is_reply { 0 } else { 8 }, 0, 0, 0];
        octets.extend_from_slice(&self.identifier.to_be_bytes());
        octets.extend_from_slice(&self.sequence.to_be_bytes());
        octets.extend_from_slice(self.data);
        let sum = checksum(&octets).to_be_bytes();
        octets[2..4].copy_from_slice(&sum);
        octets
    }
}

/// A UDP datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Udp<'a> {
    /// From which port.
    pub source_port: u16,
    /// To which port.
    pub destination_port: u16,
    /// What it carries.
    pub data: &'a [u8],
}

impl<'a> Udp<'a> {
    /// The datagram in `ip`, if its length and checksum are right. One without checksum is not taken: here
    /// they all have one.
    #[must_use]
    pub fn parse(ip: &Ipv4<'a>) -> Option<Self> {
        let &[src_h, src_l, dst_h, dst_l, len_h, len_l, ..] = ip.payload else { return None };
        let datagram = ip.payload.get(..usize::from(u16::from_be_bytes([len_h, len_l])))?;
        let data = datagram.get(8..)?;
        let pseudo = pseudo_header(ip.source, ip.destination, datagram.len());
        (checksum(&[&pseudo[..], datagram].concat()) == 0).then_some(Self {
            source_port: u16::from_be_bytes([src_h, src_l]),
            destination_port: u16::from_be_bytes([dst_h, dst_l]),
            data,
        })
    }

    /// The octets of the datagram between these addresses.
    #[must_use]
    pub fn emit(&self, source: Ipv4Addr, destination: Ipv4Addr) -> Vec<u8> {
        let length = self.data.len() + 8;
        let mut octets = pseudo_header(source, destination, length).to_vec();
        octets.extend_from_slice(&self.source_port.to_be_bytes());
        octets.extend_from_slice(&self.destination_port.to_be_bytes());
        octets.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        octets.extend_from_slice(&[0, 0]);
        octets.extend_from_slice(self.data);
        // Zero would say that there is no checksum.
        let sum = match checksum(&octets) {
            0 => u16::MAX,
            sum => sum,
        };
        octets[18..20].copy_from_slice(&sum.to_be_bytes());
        octets.split_off(12)
    }
}

fn pseudo_header(source: Ipv4Addr, destination: Ipv4Addr, length: usize) -> [u8; 12] {
    let [s0, s1, s2, s3] = source.octets();
    let [d0, d1, d2, d3] = destination.octets();
    let [high, low] = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    [s0, s1, s2, s3, d0, d1, d2, d3, 0, PROTOCOL_UDP, high, low]
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    const B: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

    #[test]
    fn a_header_has_the_checksum_of_the_textbook() {
        // The worked example found in many descriptions of the IPv4 checksum.
        let header = [
            0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01,
            0xc0, 0xa8, 0x00, 0xc7,
        ];
        assert_eq!(checksum(&header), 0);
        let mut blank = header;
        blank[10..12].fill(0);
        assert_eq!(checksum(&blank), 0xb861);
    }

    #[test]
    fn what_was_emitted_is_parsed_and_any_flipped_bit_is_noticed() {
        let udp = Udp { source_port: 1, destination_port: 2, data: b"odd" };
        let payload = udp.emit(A, B);
        let ip =
            Ipv4 { source: A, destination: B, protocol: PROTOCOL_UDP, identification: 7, payload: &payload };
        let octets = ip.emit();
        let parsed = Ipv4::parse(&octets).unwrap();
        assert_eq!(parsed, ip);
        assert_eq!(Udp::parse(&parsed), Some(udp));
        for bit in 0..octets.len() * 8 {
            let mut bad = octets.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(Ipv4::parse(&bad).is_none_or(|ip| Udp::parse(&ip).is_none()), "bit {bit}");
        }
    }
}

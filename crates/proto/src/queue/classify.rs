//! Which queue a frame belongs to.

use core::hash::Hasher;
use siphasher::sip::SipHasher13;

/// IPv4, uncompressed (RFC 1332 §2).
pub(super) const IPV4: [u8; 2] = [0x00, 0x21];
/// IPv6 (RFC 5072 §2).
pub(super) const IPV6: [u8; 2] = [0x00, 0x57];

/// What a frame is to the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Keeps the link: before everything else.
    Lcp,
    /// Brings the link up: authentication, IPCP and the like. Before data.
    Control,
    /// Its order among its like matters, or may matter.
    Ordered(Ordered),
    /// A packet of this flow; its order in other flows' eyes does not matter.
    Plain {
        /// Keyed: nobody can choose what falls together.
        hash: u64,
        /// TCP over IPv4, which Van Jacobson's compression is made for.
        is_tcp_over_ipv4: bool,
    },
}

/// What an ordered frame tells about those to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ordered {
    /// Nothing.
    Alone,
    /// TCP headers are compressed against those sent before (RFC 1144).
    VanJacobson,
    /// All data is compressed or encrypted, each frame with what the ones before it left behind, those included
    /// that did not shrink and go as they are (RFC 1979 for one).
    Everything,
}

/// Finds the class of a PPP frame.
pub(super) fn classify(ppp: &[u8], key: &[u8; 16]) -> Class {
    let Some((protocol, packet)) = ppp.split_first_chunk() else { return Class::Ordered(Ordered::Alone) };
    match *protocol {
        IPV4 => plain(hash_ipv4(packet, key), is_tcp(packet)),
        IPV6 => plain(hash_ipv6(packet, key), false),
        [0xc0, 0x21] => Class::Lcp,
        // Compressed and encrypted data.
        [0x00, 0xfd | 0xfb | 0x53 | 0x55] => Class::Ordered(Ordered::Everything),
        [0x00, 0x2d | 0x2f] => Class::Ordered(Ordered::VanJacobson),
        // CCP and ECP: a reset must not overtake the frames that it is about (RFC 1962).
        [0x80, 0xfd | 0xfb | 0x53 | 0x55] if agrees_to_something(packet) => {
            Class::Ordered(Ordered::Everything)
        }
        [0x80, 0xfd | 0xfb | 0x53 | 0x55] => Class::Ordered(Ordered::Alone),
        [0x80..=0xff, _] => Class::Control,
        _ => Class::Ordered(Ordered::Alone),
    }
}

/// A Configure-Ack with options: what follows may be compressed or encrypted.
fn agrees_to_something(packet: &[u8]) -> bool {
    const CONFIGURE_ACK: u8 = 2;
    matches!(packet, [CONFIGURE_ACK, _, high, low, ..] if u16::from_be_bytes([*high, *low]) > 4)
}

fn plain(hash: Option<u64>, is_tcp_over_ipv4: bool) -> Class {
    hash.map_or(Class::Ordered(Ordered::Alone), |hash| Class::Plain { hash, is_tcp_over_ipv4 })
}

fn is_tcp(packet: &[u8]) -> bool {
    packet.get(9) == Some(&TCP)
}

const TCP: u8 = 6;
const UDP: u8 = 17;
const SCTP: u8 = 132;

/// Addresses, protocol, and ports where each packet of the flow has them.
fn hash_ipv4(packet: &[u8], key: &[u8; 16]) -> Option<u64> {
    let header: &[u8; 20] = packet.first_chunk()?;
    let [version, _, _, _, _, _, fragment_high, fragment_low, _, protocol, _, _, addresses @ ..] = header;
    if version >> 4 != 4 {
        return None;
    }
    // More fragments, or not the first: only the first fragment has ports.
    let is_fragment = fragment_high & 0x3f != 0 || *fragment_low != 0;
    let payload = usize::from(version & 0x0f) * 4;
    let ports = if is_fragment { None } else { ports(*protocol, packet.get(payload..)) };
    Some(hash(key, addresses, *protocol, ports))
}

/// As for IPv4; behind an extension header the addresses must do.
fn hash_ipv6(packet: &[u8], key: &[u8; 16]) -> Option<u64> {
    let header: &[u8; 40] = packet.first_chunk()?;
    let [version, _, _, _, _, _, protocol, _, addresses @ ..] = header;
    if version >> 4 != 6 {
        return None;
    }
    Some(hash(key, addresses, *protocol, ports(*protocol, packet.get(40..))))
}

fn ports(protocol: u8, payload: Option<&[u8]>) -> Option<[u8; 4]> {
    match protocol {
        TCP | UDP | SCTP => payload?.first_chunk().copied(),
        _ => None,
    }
}

fn hash(key: &[u8; 16], addresses: &[u8], protocol: u8, ports: Option<[u8; 4]>) -> u64 {
    let mut hasher = SipHasher13::new_with_key(key);
    hasher.write(addresses);
    hasher.write_u8(protocol);
    hasher.write(&ports.unwrap_or_default());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 16] = [7; 16];
    /// A TCP segment from 10.0.0.1:1234 to 10.0.0.2:80.
    const SEGMENT: [u8; 26] =
        [0x00, 0x21, 0x45, 0, 0, 24, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x04, 0xd2, 0, 80];

    fn with(change: impl FnOnce(&mut [u8; 26])) -> Class {
        let mut segment = SEGMENT;
        change(&mut segment);
        classify(&segment, &KEY)
    }

    #[test]
    fn addresses_protocol_and_ports_make_a_flow() {
        let flow = with(|_| ());
        assert!(matches!(flow, Class::Plain { is_tcp_over_ipv4: true, .. }));
        assert_eq!(with(|segment| segment[7] = 9), flow, "another identification");
        assert_eq!(with(|segment| segment[3] = 0x02), flow, "another traffic class");
        assert_ne!(with(|segment| segment[17] = 9), flow, "another source");
        assert_ne!(with(|segment| segment[25] = 81), flow, "another port");
        assert_ne!(classify(&SEGMENT, &[8; 16]), flow, "another key");
    }

    #[test]
    fn all_fragments_of_a_datagram_are_of_one_flow() {
        let first = with(|segment| segment[8] = 0x20);
        assert_eq!(with(|segment| (segment[9], segment[25]) = (185, 1)), first);
        assert_eq!(with(|segment| (segment[8], segment[25]) = (0x01, 2)), first);
    }

    #[test]
    fn options_do_not_hide_the_ports() {
        let long = |port| {
            let mut packet = SEGMENT[..22].to_vec();
            packet[2] = 0x46;
            packet.extend([1, 1, 1, 1, 0x04, 0xd2, 0, port]);
            classify(&packet, &KEY)
        };
        assert_eq!(long(80), with(|_| ()));
        assert_ne!(long(81), long(80));
    }

    #[test]
    fn ipv6_flows_are_told_apart() {
        let packet = |port| {
            let mut ppp = [0; 46];
            ppp[..3].copy_from_slice(&[0x00, 0x57, 0x60]);
            (ppp[8], ppp[45]) = (17, port);
            classify(&ppp, &KEY)
        };
        assert!(matches!(packet(1), Class::Plain { is_tcp_over_ipv4: false, .. }));
        assert_ne!(packet(1), packet(2));
    }

    #[test]
    fn protocols_are_told_apart() {
        let class = |protocol: u16| classify(&[&protocol.to_be_bytes()[..], &[1, 1, 0, 4]].concat(), &KEY);
        assert_eq!(class(0xc021), Class::Lcp);
        for control in [0x8021, 0x8057, 0x802b, 0xc023, 0xc223, 0xc025] {
            assert_eq!(class(control), Class::Control, "{control:04x}");
        }
        for alone in [0x80fd, 0x80fb, 0x8053, 0x8055, 0x003d, 0x002b, 0x4001, 0x0021, 0x0057] {
            assert_eq!(class(alone), Class::Ordered(Ordered::Alone), "{alone:04x}");
        }
        for stateful in [0x00fd, 0x00fb, 0x0053, 0x0055] {
            assert_eq!(class(stateful), Class::Ordered(Ordered::Everything), "{stateful:04x}");
        }
        for compressed in [0x002d, 0x002f] {
            assert_eq!(class(compressed), Class::Ordered(Ordered::VanJacobson), "{compressed:04x}");
        }
        let agreed = [0x80, 0xfd, 2, 1, 0, 8, 26, 4, 0x78, 0];
        assert_eq!(classify(&agreed, &KEY), Class::Ordered(Ordered::Everything));
    }
}

//! The mark that tells a sender of congestion without a loss: ECN in plain IPv4 and IPv6.
//!
//! RFC 3168, RFC 8290.

use super::classify::{IPV4, IPV6};

/// The two bits of the traffic class that say "congestion experienced".
const CE: u8 = 0b11;
/// The sender does not know ECN.
const NOT_ECT: u8 = 0b00;

/// Marks a PPP frame whose sender understands marks. Says whether it is marked now.
pub(super) fn mark(ppp: &mut [u8]) -> bool {
    let Some((protocol, packet)) = ppp.split_first_chunk_mut() else { return false };
    match *protocol {
        IPV4 => packet.first_chunk_mut().is_some_and(mark_ipv4),
        IPV6 => packet.first_chunk_mut().is_some_and(mark_ipv6),
        _ => false,
    }
}

fn mark_ipv4(header: &mut [u8; 20]) -> bool {
    let [version, tos, _, _, _, _, _, _, _, _, high, low, ..] = header;
    let before = *tos;
    if *version >> 4 != 4 || before & CE == NOT_ECT {
        return false;
    }
    *tos |= CE;
    // RFC 1624: the new sum is ~(~sum + ~old + new); the version octet beside TOS stays as it is.
    let sum = !u16::from_be_bytes([*high, *low]);
    let sum = add_ones(add_ones(sum, !u16::from(before)), u16::from(*tos));
    [*high, *low] = (!sum).to_be_bytes();
    true
}

fn mark_ipv6(header: &mut [u8; 40]) -> bool {
    const SHIFT: u32 = 4;
    let [version, class, ..] = header;
    if *version >> 4 != 6 || *class >> SHIFT & CE == NOT_ECT {
        return false;
    }
    *class |= CE << SHIFT;
    true
}

/// One's complement addition.
fn add_ones(a: u16, b: u16) -> u16 {
    let (sum, carry) = a.overflowing_add(b);
    sum + u16::from(carry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn header_sum(header: &[u8]) -> u16 {
        header.chunks_exact(2).fold(0, |sum, pair| add_ones(sum, u16::from_be_bytes([pair[0], pair[1]])))
    }

    proptest! {
        #[test]
        fn a_marked_ipv4_header_has_the_right_checksum(mut header: [u8; 20], options in 0..5_u8) {
            header[0] = 0x45 + options;
            header[10..12].fill(0);
            let sum = !header_sum(&header);
            header[10..12].copy_from_slice(&sum.to_be_bytes());
            let ect = header[1] & CE;
            let mut ppp = [&IPV4[..], &header].concat();
            prop_assert_eq!(mark(&mut ppp), ect != NOT_ECT);
            prop_assert_eq!(ppp[3] & CE, if ect == NOT_ECT { NOT_ECT } else { CE });
            prop_assert_eq!(ppp[3] >> 2, header[1] >> 2);
            prop_assert_eq!(header_sum(&ppp[2..]), 0xffff);
        }

        #[test]
        fn only_the_two_bits_of_an_ipv6_header_change(mut header: [u8; 40]) {
            header[0] = 0x60 | header[0] & 0x0f;
            let before = [&IPV6[..], &header].concat();
            let mut ppp = before.clone();
            let ect = header[1] >> 4 & CE;
            prop_assert_eq!(mark(&mut ppp), ect != NOT_ECT);
            if ect != NOT_ECT {
                prop_assert_eq!(ppp[3], before[3] | 0x30);
                ppp[3] = before[3];
            }
            prop_assert_eq!(ppp, before);
        }

        #[test]
        fn no_octets_panic(mut ppp: Vec<u8>) {
            mark(&mut ppp);
        }
    }

    #[test]
    fn what_is_no_plain_ip_is_not_touched() {
        for protocol in [[0x00, 0x2d], [0x00, 0xfd], [0x00, 0x53], [0xc0, 0x21]] {
            let mut ppp = [0x45; 42];
            ppp[..2].copy_from_slice(&protocol);
            let before = ppp;
            assert!(!mark(&mut ppp));
            assert_eq!(ppp, before);
        }
    }
}

//! The options of each control protocol, as pppd spells them.

use core::fmt::{self, Write};
use core::net::{Ipv4Addr, Ipv6Addr};

use super::{Line, hex};
use crate::wire::lcp::{LcpOption, LcpOptionType};

/// LCP (RFC 1661 §6; RFC 1662 §7; RFC 1570; RFC 1990).
pub(super) fn lcp(out: &mut Line<'_, '_>, option: LcpOption<'_>) -> Result<bool, fmt::Error> {
    match (option.kind, option.value) {
        (LcpOptionType::MRU, &[a, b]) => write!(out, "mru {}", u16::from_be_bytes([a, b]))?,
        (LcpOptionType::ACCM, &[a, b, c, d]) => {
            write!(out, "asyncmap 0x{:x}", u32::from_be_bytes([a, b, c, d]))?;
        }
        (LcpOptionType::AUTHENTICATION, [high, low, rest @ ..]) => {
            authentication(out, u16::from_be_bytes([*high, *low]), rest)?;
        }
        (LcpOptionType::QUALITY, &[0xc0, 0x25, a, b, c, d]) => {
            write!(out, "quality lqr 0x{:x}", u32::from_be_bytes([a, b, c, d]))?;
        }
        (LcpOptionType::MAGIC, &[a, b, c, d]) => {
            write!(out, "magic 0x{:x}", u32::from_be_bytes([a, b, c, d]))?;
        }
        (LcpOptionType::PFC, []) => out.write_str("pcomp")?,
        (LcpOptionType::ACFC, []) => out.write_str("accomp")?,
        (LcpOptionType::FCS_ALTERNATIVES, [fcs]) => write!(out, "fcs 0x{fcs:x}")?,
        (LcpOptionType::CALLBACK, [6]) => out.write_str("callback CBCP")?,
        (LcpOptionType::MRRU, &[a, b]) => write!(out, "mrru {}", u16::from_be_bytes([a, b]))?,
        (LcpOptionType::SHORT_SEQUENCE_NUMBERS, []) => out.write_str("ssnhf")?,
        (LcpOptionType::ENDPOINT_DISCRIMINATOR, [class, address @ ..]) => endpoint(out, *class, address)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn authentication(out: &mut Line<'_, '_>, protocol: u16, rest: &[u8]) -> fmt::Result {
    match (protocol, rest) {
        (0xc023, []) => out.write_str("auth pap"),
        (0xc227, []) => out.write_str("auth eap"),
        (0xc223, [0x05]) => out.write_str("auth chap MD5"),
        (0xc223, [0x80]) => out.write_str("auth chap MS"),
        (0xc223, [0x81]) => out.write_str("auth chap MS-v2"),
        _ => {
            write!(out, "auth 0x{protocol:x}")?;
            hex(out, rest)
        }
    }
}

fn endpoint(out: &mut Line<'_, '_>, class: u8, address: &[u8]) -> fmt::Result {
    match (class, address) {
        (0, []) => out.write_str("endpoint [null]"),
        (2, &[a, b, c, d]) => write!(out, "endpoint [IP:{}]", Ipv4Addr::new(a, b, c, d)),
        (3, [a, b, c, d, e, f]) => {
            write!(out, "endpoint [MAC:{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}]")
        }
        _ => {
            match class {
                1 => out.write_str("endpoint [local:")?,
                4 => out.write_str("endpoint [magic:")?,
                5 => out.write_str("endpoint [phone:")?,
                _ => write!(out, "endpoint [{class}:")?,
            }
            for (at, octet) in address.iter().enumerate() {
                write!(out, "{}{octet:02x}", if at == 0 { "" } else { "." })?;
            }
            out.write_str("]")
        }
    }
}

/// IPCP (RFC 1332; RFC 1877).
pub(super) fn ipcp(out: &mut Line<'_, '_>, option: LcpOption<'_>) -> Result<bool, fmt::Error> {
    let name = match (option.kind.0, option.value) {
        (1, &[a, b, c, d, e, f, g, h]) => {
            write!(out, "addrs {} {}", Ipv4Addr::new(a, b, c, d), Ipv4Addr::new(e, f, g, h))?;
            return Ok(true);
        }
        (2, [0x00, 0x2d, rest @ ..]) => {
            out.write_str("compress VJ")?;
            hex(out, rest)?;
            return Ok(true);
        }
        (3, _) => "addr",
        (129, _) => "ms-dns1",
        (131, _) => "ms-dns2",
        (130 | 132, _) => "ms-wins",
        _ => return Ok(false),
    };
    let Some(address) = option.as_u32() else { return Ok(false) };
    write!(out, "{name} {}", Ipv4Addr::from_bits(address))?;
    Ok(true)
}

/// IPV6CP (RFC 5072 §4).
pub(super) fn ipv6cp(out: &mut Line<'_, '_>, option: LcpOption<'_>) -> Result<bool, fmt::Error> {
    let (1, Ok(identifier)) = (option.kind.0, <[u8; 8]>::try_from(option.value)) else { return Ok(false) };
    let address = (0xfe80 << 112) | u128::from(u64::from_be_bytes(identifier));
    write!(out, "addr {}", Ipv6Addr::from_bits(address))?;
    Ok(true)
}

/// CCP (RFC 1962 §4; RFC 1974, 1977, 1978, 1979, 3078).
pub(super) fn ccp(out: &mut Line<'_, '_>, option: LcpOption<'_>) -> Result<bool, fmt::Error> {
    match (option.kind.0, option.value) {
        (1, []) => out.write_str("predictor 1")?,
        (2, []) => out.write_str("predictor 2")?,
        (17, value) => {
            out.write_str("lzs")?;
            hex(out, value)?;
        }
        (18, &[a, b, c, d]) => mppe(out, u32::from_be_bytes([a, b, c, d]))?,
        (21, [version]) => write!(out, "bsd v{} {}", version >> 5, version & 0x1f)?,
        (24, [window, _]) => write!(out, "deflate(old#) {}", (window >> 4) + 8)?,
        (26, [window, _]) => write!(out, "deflate {}", (window >> 4) + 8)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Each bit of the option as pppd writes it: stateless, 56, 128, 40 bits, and the obsolete ones.
fn mppe(out: &mut Line<'_, '_>, bits: u32) -> fmt::Result {
    out.write_str("mppe")?;
    let names = [
        (0x0100_0000, 'H'),
        (0x0000_0080, 'M'),
        (0x0000_0040, 'S'),
        (0x0000_0020, 'L'),
        (0x0000_0010, 'D'),
        (0x0000_0001, 'C'),
    ];
    for (bit, name) in names {
        write!(out, " {}{name}", if bits & bit == 0 { '-' } else { '+' })?;
    }
    Ok(())
}

/// A protocol whose options are not known here.
pub(super) const fn none(_: &mut Line<'_, '_>, _: LcpOption<'_>) -> Result<bool, fmt::Error> {
    Ok(false)
}

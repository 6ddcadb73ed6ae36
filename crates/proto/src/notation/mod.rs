//! PPP control packets in pppd's notation, for people.
//!
//! ```text
//! [LCP ConfReq id=0x1 <mru 1492> <asyncmap 0x0> <magic 0x2a3b4c5d> <pcomp> <accomp>]
//! [PAP AuthReq id=0x1 user="joe" password=<hidden>]
//! [IPCP ConfNak id=0x2 <addr 10.64.64.64> <ms-dns1 10.11.12.13>]
//! ```
//!
//! It promises to print something sensible and harmless whatever octets it is given: printable ASCII only, no
//! more than [`MAX_CHARACTERS`] of it, on one line, and nothing from which a password could be had. The caller
//! hands in a frame that begins with its protocol field, and need not have checked anything.

use core::fmt::{self, Write};

use crate::wire::lcp::{LcpError, LcpOption, LcpOptions, LcpPacket};

mod authentication;
mod options;
mod span;
#[cfg(test)]
mod tests;

pub use span::span;

/// The longest notation; what would be longer ends in `...`.
pub const MAX_CHARACTERS: usize = 400;

/// The frame `ppp`, beginning with its protocol field, in pppd's notation.
#[must_use]
pub fn describe(ppp: &[u8]) -> impl fmt::Display + use<'_> {
    fmt::from_fn(move |f| {
        let mut out = Line { f, left: MAX_CHARACTERS - ELLIPSIS.len() };
        match describe_frame(&mut out, ppp) {
            Err(fmt::Error) if out.left == 0 => f.write_str(ELLIPSIS),
            result => result,
        }
    })
}

const ELLIPSIS: &str = "...";

/// What prints an option if it knows it: false if it does not, and has printed nothing.
type OptionPrinter = fn(&mut Line<'_, '_>, LcpOption<'_>) -> Result<bool, fmt::Error>;

/// A PPP protocol that we can say more about than its number.
enum Protocol {
    /// A control protocol with LCP's packet layout (RFC 1661 §5).
    Control(&'static str, OptionPrinter),
    Pap,
    Chap,
    /// Named, and nothing more than that.
    Opaque(&'static str),
}

impl Protocol {
    const fn of(number: u16) -> Option<Self> {
        Some(match number {
            0xc021 => Self::Control("LCP", options::lcp),
            0x8021 => Self::Control("IPCP", options::ipcp),
            0x8057 => Self::Control("IPV6CP", options::ipv6cp),
            0x80fd => Self::Control("CCP", options::ccp),
            0x8053 => Self::Control("ECP", options::none),
            0xc023 => Self::Pap,
            0xc223 => Self::Chap,
            0xc227 => Self::Opaque("EAP"),
            0xc025 => Self::Opaque("LQR"),
            0xc029 => Self::Opaque("CBCP"),
            0x0021 => Self::Opaque("IP"),
            0x0057 => Self::Opaque("IPv6"),
            0x002d => Self::Opaque("VJ compressed"),
            0x002f => Self::Opaque("VJ uncompressed"),
            0x003d => Self::Opaque("multilink"),
            0x00fd => Self::Opaque("compressed"),
            _ => return None,
        })
    }
}

fn describe_frame(out: &mut Line<'_, '_>, ppp: &[u8]) -> fmt::Result {
    // The least significant bit ends the protocol field (RFC 1661 §2), which may be compressed to one octet.
    let (number, information) = match ppp {
        [low, information @ ..] if low % 2 == 1 => (u16::from(*low), information),
        [high, low, information @ ..] if low % 2 == 1 => (u16::from_be_bytes([*high, *low]), information),
        _ => {
            out.write_str("[malformed protocol field")?;
            hex(out, ppp)?;
            return out.write_str("]");
        }
    };
    match Protocol::of(number) {
        Some(Protocol::Control(name, print_option)) => control(out, name, print_option, information),
        Some(Protocol::Pap) => authentication::pap(out, information),
        Some(Protocol::Chap) => authentication::chap(out, information),
        Some(Protocol::Opaque(name)) => write!(out, "[{name}, {} octets]", information.len()),
        None => write!(out, "[proto=0x{number:x}, {} octets]", information.len()),
    }
}

/// A packet of LCP or of a control protocol that is laid out like it.
fn control(
    out: &mut Line<'_, '_>,
    name: &str,
    print_option: OptionPrinter,
    information: &[u8],
) -> fmt::Result {
    write!(out, "[{name} ")?;
    let packet = match LcpPacket::parse_fields(information) {
        Ok(packet) => packet,
        Err(error) => {
            write!(out, "malformed: {error}")?;
            hex(out, information)?;
            return out.write_str("]");
        }
    };
    match code_name(packet.code.0) {
        Some(code) => write!(out, "{code} id=0x{:x}", packet.identifier)?,
        None => write!(out, "code=0x{:x} id=0x{:x}", packet.code.0, packet.identifier)?,
    }
    match packet.code.0 {
        1..=4 => configure(out, print_option, packet.data)?,
        5 | 6 => message(out, packet.data)?,
        8 => rejected_protocol(out, packet.data)?,
        // Identification is text, the others have data of their own; all begin with a magic number.
        9..=13 if name == "LCP" => match packet.data.split_first_chunk() {
            Some((magic, rest)) => {
                write!(out, " magic=0x{:x}", u32::from_be_bytes(*magic))?;
                if packet.code.0 == 12 { message(out, rest)? } else { hex(out, rest)? }
            }
            None => hex(out, packet.data)?,
        },
        _ => hex(out, packet.data)?,
    }
    out.write_str("]")
}

const fn code_name(code: u8) -> Option<&'static str> {
    Some(match code {
        1 => "ConfReq",
        2 => "ConfAck",
        3 => "ConfNak",
        4 => "ConfRej",
        5 => "TermReq",
        6 => "TermAck",
        7 => "CodeRej",
        8 => "ProtRej",
        9 => "EchoReq",
        10 => "EchoRep",
        11 => "DiscReq",
        12 => "Ident",
        13 => "TimeRem",
        14 => "ResetReq",
        15 => "ResetAck",
        _ => return None,
    })
}

/// The options of a Configure packet; from the first malformed one on, only octets.
fn configure(out: &mut Line<'_, '_>, print_option: OptionPrinter, data: &[u8]) -> fmt::Result {
    let (sound, rest) = match LcpOptions::parse(data) {
        Err(LcpError::BadOption { offset }) => data.split_at_checked(offset).unwrap_or((&[], data)),
        _ => (data, [].as_slice()),
    };
    for option in LcpOptions::parse(sound).iter().flat_map(LcpOptions::iter) {
        out.write_str(" <")?;
        if !print_option(out, option)? {
            write!(out, " {:02x} {:02x}", option.kind.0, option.value.len() + 2)?;
            hex(out, option.value)?;
        }
        out.write_str(">")?;
    }
    if !rest.is_empty() {
        out.write_str(" malformed:")?;
        hex(out, rest)?;
    }
    Ok(())
}

/// What a Protocol-Reject sends back (RFC 1661 §5.7), which may have been a password.
fn rejected_protocol(out: &mut Line<'_, '_>, data: &[u8]) -> fmt::Result {
    match data {
        [high @ 0xc0..=0xff, low, ..] => write!(out, " {high:02x} {low:02x} <hidden>"),
        _ => hex(out, data),
    }
}

/// Text between quotes, if there is any.
fn message(out: &mut Line<'_, '_>, text: &[u8]) -> fmt::Result {
    if text.is_empty() {
        return Ok(());
    }
    out.write_str(" ")?;
    quoted(out, text)
}

fn quoted(out: &mut Line<'_, '_>, text: &[u8]) -> fmt::Result {
    // Never anything but printable ASCII, quotes and backslashes marked.
    write!(out, "\"{}\"", text.escape_ascii())
}

/// The octets, each after a space, and how many more there are.
fn hex(out: &mut Line<'_, '_>, octets: &[u8]) -> fmt::Result {
    for octet in octets.iter().take(MAX_HEX_OCTETS) {
        write!(out, " {octet:02x}")?;
    }
    match octets.len().saturating_sub(MAX_HEX_OCTETS) {
        0 => Ok(()),
        more => write!(out, " +{more} octets"),
    }
}

const MAX_HEX_OCTETS: usize = 32;

/// A line that is being written and may not grow beyond its bound: then writing to it fails.
struct Line<'a, 'f> {
    f: &'a mut fmt::Formatter<'f>,
    left: usize,
}

impl Write for Line<'_, '_> {
    /// Takes ASCII only, so that it may be cut anywhere.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        match text.get(..self.left) {
            Some(fitting) if fitting.len() < text.len() => {
                self.left = 0;
                self.f.write_str(fitting)?;
                Err(fmt::Error)
            }
            _ => {
                self.left = self.left.saturating_sub(text.len());
                self.f.write_str(text)
            }
        }
    }
}

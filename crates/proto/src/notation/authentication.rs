//! PAP and CHAP (RFC 1334; RFC 1994). Passwords, challenges and responses are never printed, nor anything of
//! a packet that is not understood: its octets may be a password too.

use core::fmt::{self, Write};

use super::{Line, message, quoted};
use crate::wire::lcp::LcpPacket;

/// A PAP packet after its protocol field.
pub(super) fn pap(out: &mut Line<'_, '_>, information: &[u8]) -> fmt::Result {
    let Some(packet) = header(out, "PAP", ["AuthReq", "AuthAck", "AuthNak", ""], information)? else {
        return Ok(());
    };
    let understood = match packet.code.0 {
        1 => split_counted(packet.data)
            .and_then(|(user, rest)| split_counted(rest).map(|_password| user))
            .map(|user| user_of_pap(out, user)),
        2 | 3 => match packet.data {
            [] => Some(Ok(())),
            data => split_counted(data).map(|(text, _)| message(out, text)),
        },
        _ => None,
    };
    finish(out, understood)
}

fn user_of_pap(out: &mut Line<'_, '_>, user: &[u8]) -> fmt::Result {
    out.write_str(" user=")?;
    quoted(out, user)?;
    out.write_str(" password=<hidden>")
}

/// A CHAP packet after its protocol field.
pub(super) fn chap(out: &mut Line<'_, '_>, information: &[u8]) -> fmt::Result {
    let codes = ["Challenge", "Response", "Success", "Failure"];
    let Some(packet) = header(out, "CHAP", codes, information)? else { return Ok(()) };
    let understood = match packet.code.0 {
        1 | 2 => split_counted(packet.data).map(|(_value, name)| {
            out.write_str(" <hidden>, name = ")?;
            quoted(out, name)
        }),
        // The authenticator's proof of MS-CHAP-V2 (RFC 2759 §5) is made of the password as well.
        3 if packet.data.starts_with(b"S=") => Some(out.write_str(" <hidden>")),
        3 | 4 => Some(message(out, packet.data)),
        _ => None,
    };
    finish(out, understood)
}

/// Prints protocol, code and identifier, and all that there is to say of a malformed packet.
fn header<'a>(
    out: &mut Line<'_, '_>,
    name: &str,
    codes: [&str; 4],
    information: &'a [u8],
) -> Result<Option<LcpPacket<'a>>, fmt::Error> {
    let packet = match LcpPacket::parse_fields(information) {
        Ok(packet) => packet,
        Err(error) => {
            write!(out, "[{name} malformed: {error}]")?;
            return Ok(None);
        }
    };
    let code = packet.code.0;
    match codes.get(usize::from(code).wrapping_sub(1)) {
        Some(known) if !known.is_empty() => write!(out, "[{name} {known} id=0x{:x}", packet.identifier)?,
        _ => write!(out, "[{name} code=0x{code:x} id=0x{:x}", packet.identifier)?,
    }
    Ok(Some(packet))
}

fn finish(out: &mut Line<'_, '_>, understood: Option<fmt::Result>) -> fmt::Result {
    understood.unwrap_or_else(|| out.write_str(" <hidden>"))?;
    out.write_str("]")
}

/// Octets after an octet that counts them, and what follows.
fn split_counted(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (count, rest) = octets.split_first()?;
    rest.split_at_checked(usize::from(*count))
}

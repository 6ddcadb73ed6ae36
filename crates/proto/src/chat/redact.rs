//! Octets made fit for a log line: printable, and without PINs and passwords.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

/// Octets as chat(8) logs them: `^M` for a control character, `M-` before one with the high bit set.
pub(super) fn printable(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for &octet in octets {
        if octet >= 0x80 {
            text.push_str("M-");
        }
        match octet & 0x7f {
            control @ 0..0x20 => {
                text.push('^');
                text.push(char::from(control + 0x40));
            }
            0x7f => text.push_str("^?"),
            plain => text.push(char::from(plain)),
        }
    }
    text
}

/// Knows which strings were secret, and keeps them out of what is logged.
#[derive(Default)]
pub(super) struct Redactor {
    secrets: VecDeque<Vec<u8>>,
}

impl Redactor {
    /// Remembers that `octets` may not be shown, not even when the modem echoes them.
    pub(super) fn remember(&mut self, octets: &[u8]) {
        let secret = octets.trim_ascii();
        // Shorter ones would hide half of everything else.
        if secret.len() < MIN_SECRET_OCTETS || self.secrets.iter().any(|known| known == secret) {
            return;
        }
        if self.secrets.len() >= MAX_SECRETS {
            self.secrets.pop_front();
        }
        self.secrets.push_back(secret.to_vec());
    }

    /// Remembers what the commands that carry secrets carry.
    pub(super) fn remember_arguments(&mut self, sent: &[u8]) {
        let mut rest = sent;
        while let Some(after) = rest.get(1..) {
            if let Some((name, argument)) = secret_argument(rest) {
                for value in argument.split(|octet| b",;\"".contains(octet)) {
                    self.remember(value);
                }
                rest = rest.get(name.len() + argument.len()..).unwrap_or_default();
            } else {
                rest = after;
            }
        }
    }

    /// Whether `octets` may end in the middle of a secret, of which neither half would be known.
    pub(super) fn would_be_cut(&self, octets: &[u8]) -> bool {
        let is_cut = |secret: &Vec<u8>| {
            (1..secret.len()).any(|length| secret.get(..length).is_some_and(|head| octets.ends_with(head)))
        };
        self.secrets.iter().any(is_cut)
    }

    /// Makes octets printable, and what is secret in them unreadable.
    pub(super) fn text(&self, octets: &[u8]) -> String {
        let mut text = String::with_capacity(octets.len());
        let mut rest = octets;
        while let Some((&first, after)) = rest.split_first() {
            let secret = self.secrets.iter().filter(|secret| rest.starts_with(secret)).map(Vec::len).max();
            if let Some(length) = secret {
                text.push_str(MASK);
                rest = rest.get(length..).unwrap_or_default();
            } else if let Some((name, argument)) = secret_argument(rest) {
                let _ = write!(text, "{}{MASK}", printable(name));
                rest = rest.get(name.len() + argument.len()..).unwrap_or_default();
            } else {
                text.push_str(&printable(&[first]));
                rest = after;
            }
        }
        text
    }
}

/// What stands in a log line where a secret was; the same as in chat(8).
pub(super) const MASK: &str = "??????";

const MIN_SECRET_OCTETS: usize = 3;
const MAX_SECRETS: usize = 16;

/// Commands that carry a PIN or a password: 3GPP TS 27.007, then vendors' own.
const SECRET_COMMANDS: [&[u8]; 14] = [
    b"+CPIN",
    b"+CPIN2",
    b"+CLCK",
    b"+CPWD",
    b"+CPUK",
    b"+CGAUTH",
    b"+QICSGP",
    b"+UAUTHREQ",
    b"+UPSD",
    b"+CPWDX",
    b"^AUTHDATA",
    b"^CPIN",
    b"$QCPDPP",
    b"$QCPDPIMSCFGE",
];

/// If `text` begins with a command that carries a secret: its name up to the `=`, and the rest of its line.
fn secret_argument(text: &[u8]) -> Option<(&[u8], &[u8])> {
    SECRET_COMMANDS.into_iter().find_map(|name| {
        let (start, after) = text.split_at_checked(name.len())?;
        let blanks = after.iter().take_while(|&&octet| octet == b' ').count();
        if !start.eq_ignore_ascii_case(name) || after.get(blanks) != Some(&b'=') {
            return None;
        }
        let (name, argument) = text.split_at_checked(name.len() + blanks + 1)?;
        let end = argument.iter().position(|octet| b"\r\n".contains(octet)).unwrap_or(argument.len());
        Some((name, argument.get(..end)?))
    })
}

/// Whether what is sent in answer to this text, or rather to its last line, is a password.
pub(super) fn asks_for_password(text: &[u8]) -> bool {
    let text = text.trim_ascii().to_ascii_lowercase();
    let prompt = text.rsplit(|&octet| octet == b'\n').next().unwrap_or_default();
    prompt.ends_with(b"word:") || prompt.windows(6).any(|part| part == b"ssword")
}

/// Whether what follows `text` in a script is a PIN or a password: behind a command that carries one, a prompt that
/// asks for one, or `\q`.
#[must_use]
pub fn carries_a_secret(text: &[u8]) -> bool {
    let is_argument_of = |name: &[u8]| {
        let text = text.strip_suffix(b"=").unwrap_or_default().trim_ascii_end();
        let start = text.len().checked_sub(name.len()).and_then(|start| text.get(start..));
        start.is_some_and(|end| end.eq_ignore_ascii_case(name))
    };
    text.ends_with(b"\\q") || asks_for_password(text) || SECRET_COMMANDS.into_iter().any(is_argument_of)
}

/// Whether the variable of this name holds a PIN or a password.
#[must_use]
pub fn names_a_secret(name: &[u8]) -> bool {
    let name = name.to_ascii_uppercase();
    let holds = |part: &[u8]| name.windows(part.len()).any(|window| window == part);
    [b"PIN".as_slice(), b"PUK", b"PASS", b"SECRET"].into_iter().any(holds)
}

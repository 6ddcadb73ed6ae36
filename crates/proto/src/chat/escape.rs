//! Escapes, variables and phone numbers: from a word as written to the octets that are meant.
//!
//! chat(8) does this in two passes, and what a variable or a phone number brings in sees only the second
//! one. The same two passes are made here: [`clean_expect`] and [`clean_send`], then [`send_actions`].

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

/// What a script may refer to: chat(8)'s options `-T`, `-U` and `-E`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ScriptOptions {
    /// What `\T` stands for; without it, for `T`.
    pub phone_number: Option<Vec<u8>>,
    /// What `\U` stands for; without it, for `U`.
    pub second_phone_number: Option<Vec<u8>>,
    /// What `$NAME` stands for, nothing if it is not among them. Without this a `$` is only a `$`.
    pub variables: Option<BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl fmt::Debug for ScriptOptions {
    // Variables are where PINs and passwords are kept.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptOptions")
            .field("phone_number", &self.phone_number.is_some())
            .field("second_phone_number", &self.second_phone_number.is_some())
            .field("variables", &self.variables.as_ref().map(BTreeMap::len))
            .finish()
    }
}

/// What a string to be sent comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SendAction {
    Octet(u8),
    /// `\d`: one second.
    LongPause,
    /// `\p`
    ShortPause,
    /// `\K`
    Break,
}

/// A string to be sent, after the first pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CleanSend {
    pub(super) octets: Vec<u8>,
    /// `\q`: not to be logged.
    pub(super) is_quiet: bool,
}

/// What is meant by a string to wait for.
pub(super) fn clean_expect(word: &[u8], options: &ScriptOptions) -> Vec<u8> {
    Cleaner { options, is_send: false, octets: Vec::new(), is_quiet: false, add_return: false }
        .run(word)
        .octets
}

/// The first pass over a string to be sent: `\d`, `\p`, `\K`, `\\` and unknown escapes are still in it.
pub(super) fn clean_send(word: &[u8], options: &ScriptOptions) -> CleanSend {
    Cleaner { options, is_send: true, octets: Vec::new(), is_quiet: false, add_return: true }.run(word)
}

/// The second pass over a string to be sent.
pub(super) fn send_actions(cleaned: &[u8]) -> Vec<SendAction> {
    let mut actions = Vec::new();
    let mut octets = cleaned.iter();
    while let Some(&octet) = octets.next() {
        if octet != b'\\' {
            actions.push(SendAction::Octet(octet));
            continue;
        }
        match octets.next() {
            Some(b'd') => actions.push(SendAction::LongPause),
            Some(b'p') => actions.push(SendAction::ShortPause),
            Some(b'K') => actions.push(SendAction::Break),
            Some(&other) => actions.push(SendAction::Octet(other)),
            // Only what a variable or a phone number brings can end so; chat(8) then sends what lies
            // behind its buffer.
            None => {}
        }
    }
    actions
}

struct Cleaner<'a> {
    options: &'a ScriptOptions,
    is_send: bool,
    octets: Vec<u8>,
    is_quiet: bool,
    add_return: bool,
}

impl Cleaner<'_> {
    fn run(mut self, word: &[u8]) -> CleanSend {
        let mut rest = word;
        while let Some((&octet, after)) = rest.split_first() {
            rest = match (octet, &self.options.variables) {
                (b'^', _) => self.control(after),
                (b'$', Some(variables)) => {
                    let end = after.iter().position(|&o| !is_name_octet(o)).unwrap_or(after.len());
                    let (name, after) = after.split_at_checked(end).unwrap_or((after, &[]));
                    if let Some(value) = variables.get(name) {
                        self.octets.extend_from_slice(value);
                    }
                    after
                }
                (b'\\', _) => self.escape(after),
                (plain, _) => {
                    self.octets.push(plain);
                    after
                }
            };
        }
        if self.add_return {
            self.octets.push(b'\r');
        }
        CleanSend { octets: self.octets, is_quiet: self.is_quiet }
    }

    fn control<'r>(&mut self, rest: &'r [u8]) -> &'r [u8] {
        let Some((&octet, after)) = rest.split_first() else {
            self.octets.push(b'^');
            return rest;
        };
        if octet & 0x1f != 0 {
            self.octets.push(octet & 0x1f);
        }
        after
    }

    fn escape<'r>(&mut self, rest: &'r [u8]) -> &'r [u8] {
        let Some((&octet, after)) = rest.split_first() else {
            if self.is_send {
                self.octets.extend_from_slice(b"\\\\");
            }
            return rest;
        };
        match octet {
            b'b' => self.octets.push(0x08),
            b'n' => self.octets.push(b'\n'),
            b'r' => self.octets.push(b'\r'),
            b's' => self.octets.push(b' '),
            b't' => self.octets.push(b'\t'),
            b'q' => self.is_quiet = true,
            b'c' if self.is_send && after.is_empty() => self.add_return = false,
            b'c' => self.octets.push(b'c'),
            b'N' if self.is_send => self.octets.extend_from_slice(b"\\\0"),
            b'T' => self.phone_number(octet, self.options.phone_number.as_deref()),
            b'U' => self.phone_number(octet, self.options.second_phone_number.as_deref()),
            b'$' if self.options.variables.is_some() => self.octets.push(b'$'),
            b'0'..=b'7' => return self.octal(rest),
            other => {
                if self.is_send {
                    self.octets.push(b'\\');
                }
                self.octets.push(other);
            }
        }
        after
    }

    fn phone_number(&mut self, letter: u8, number: Option<&[u8]>) {
        match number {
            Some(number) if self.is_send => self.octets.extend_from_slice(number),
            Some(_) | None => self.octets.extend_from_slice(&[b'\\', letter]),
        }
    }

    /// One to three octal digits; what does not fit an octet is lost at its upper end.
    fn octal<'r>(&mut self, rest: &'r [u8]) -> &'r [u8] {
        let digits = rest.iter().take(3).take_while(|octet| matches!(octet, b'0'..=b'7')).count();
        let (number, after) = rest.split_at_checked(digits).unwrap_or((rest, &[]));
        let octet = number.iter().fold(0_u8, |sum, digit| (sum << 3) | (digit & 7));
        if self.is_send && (octet == 0 || octet == b'\\') {
            self.octets.push(b'\\');
        }
        if self.is_send || octet != 0 {
            self.octets.push(octet);
        }
        after
    }
}

/// Whether it may be in the name of a variable.
pub(super) fn is_name_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || octet == b'_'
}

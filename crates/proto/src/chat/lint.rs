//! What is legal in a script but cannot be meant.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::escape::{ScriptOptions, clean_expect};
use super::redact::printable;
use super::script::{Action, Attempt, Position, Quoting, Script, Step, Word, keyword};

/// Something in a script that is probably a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where.
    pub position: Position,
    /// What.
    pub kind: WarningKind,
}

/// What is probably a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WarningKind {
    /// The text begins with a byte order mark, which chat(8) takes for a word.
    ByteOrderMark,
    /// Lines end in CR LF, and chat(8) takes the CR for a part of the last word.
    CarriageReturn,
    /// A CR inside a line is a part of its word.
    CarriageReturnInWord,
    /// A `#` that does not begin a line begins no comment.
    IndentedComment,
    /// A quote inside a word: what comes after it is a word of its own.
    WordAfterQuote,
    /// A word that would be a keyword in capitals.
    LowercaseKeyword(String),
    /// A keyword where a string to be sent stands; it will be sent.
    KeywordSent(String),
    /// A keyword at the end, without its argument; it does nothing.
    MissingArgument(String),
    /// An escape that means nothing in a string to wait for, and stands for its letter there.
    SendEscapeInExpect(char),
    /// A string with octets above 127; input has seven bits, so it never comes.
    NeverMatchesEightBits,
    /// A string to wait for in which an abort string comes first.
    AbortedFirst(String),
    /// An abort string that is empty, and so comes with the first octet.
    EmptyAbort,
    /// The same abort string, a second time.
    RepeatedAbort(String),
    /// An abort string that is set when nothing is waited for any more.
    AbortTooLate(String),
    /// A string to clear that is not in force.
    NotInForce(String),
    /// A timeout that is not a whole number above 0, and so stands for 45 s.
    BadTimeout(String),
    /// Neither `ON` nor `OFF`.
    NeitherOnNorOff(String),
}

impl Script {
    /// What is legal in this script but cannot be meant, in the order of the text. The values of variables
    /// are not known here, and what depends on them is not judged.
    #[must_use]
    pub fn lint(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut warn = |position, kind| warnings.push(Warning { position, kind });
        if self.has_byte_order_mark {
            warn(Position::START, WarningKind::ByteOrderMark);
        }
        if let Some(position) = self.first_crlf {
            warn(position, WarningKind::CarriageReturn);
        }
        for (index, word) in self.words.iter().enumerate() {
            let is_last = index + 1 == self.words.len();
            if let Some(kind) = about_word(word, index % 2 == 0, is_last) {
                warn(word.position, kind);
            }
        }
        let mut aborts = Vec::new();
        for (index, step) in self.steps().iter().enumerate() {
            let later = self.steps().get(index + 1..).unwrap_or_default();
            about_step(step, later, &mut aborts, &mut warn);
        }
        warnings.sort_by_key(|warning| warning.position);
        warnings
    }
}

fn about_word(word: &Word, is_expect: bool, is_last: bool) -> Option<WarningKind> {
    let name = || printable(&word.octets);
    let is_keyword = keyword(&word.octets).is_some();
    if word.quoting == Quoting::AfterQuote {
        Some(WarningKind::WordAfterQuote)
    } else if word.quoting == Quoting::Bare && word.octets.starts_with(b"#") {
        Some(WarningKind::IndentedComment)
    } else if word.octets.contains(&b'\r') {
        Some(WarningKind::CarriageReturnInWord)
    } else if !is_expect {
        is_keyword.then(|| WarningKind::KeywordSent(name()))
    } else if is_keyword {
        is_last.then(|| WarningKind::MissingArgument(name()))
    } else {
        let capitals = word.octets.to_ascii_uppercase();
        keyword(&capitals).map(|_| WarningKind::LowercaseKeyword(name()))
    }
}

fn about_step(
    step: &Step,
    later: &[Step],
    aborts: &mut Vec<Vec<u8>>,
    warn: &mut impl FnMut(Position, WarningKind),
) {
    let at = step.position;
    let clean = |word: &[u8]| clean_expect(word, &ScriptOptions::default());
    match &step.action {
        Action::Expect(attempts) => {
            for Attempt { expect, .. } in attempts {
                about_string(at, expect, warn);
                let wanted = clean(expect);
                if let Some(abort) = aborts.iter().find(|abort| comes_inside(abort, &wanted)) {
                    warn(at, WarningKind::AbortedFirst(printable(abort)));
                }
            }
        }
        Action::Abort(word) => {
            about_string(at, word, warn);
            let abort = clean(word);
            let waits =
                |step: &Step| matches!(&step.action, Action::Expect(attempts) if !attempts.is_empty());
            if abort.is_empty() {
                warn(at, WarningKind::EmptyAbort);
            } else if aborts.contains(&abort) {
                warn(at, WarningKind::RepeatedAbort(printable(&abort)));
            } else if !later.iter().any(waits) {
                warn(at, WarningKind::AbortTooLate(printable(&abort)));
            }
            aborts.push(abort);
        }
        Action::ClearAbort(word) => {
            let abort = clean(word);
            if !aborts.contains(&abort) {
                warn(at, WarningKind::NotInForce(printable(&abort)));
            }
            aborts.retain(|known| *known != abort);
        }
        Action::Report(word) => about_string(at, word, warn),
        Action::Timeout(word) if !word.contains(&b'$') => {
            let is_number = word.iter().all(u8::is_ascii_digit) && word.iter().any(|&digit| digit != b'0');
            if !is_number {
                warn(at, WarningKind::BadTimeout(printable(word)));
            }
        }
        Action::Echo(word) | Action::Hangup(word) => {
            if word != b"ON" && word != b"OFF" {
                warn(at, WarningKind::NeitherOnNorOff(printable(word)));
            }
        }
        Action::Timeout(_) | Action::ClearReport(_) | Action::Send(_) | Action::Say(_) => {}
    }
}

fn about_string(at: Position, word: &[u8], warn: &mut impl FnMut(Position, WarningKind)) {
    let mut octets = word.iter();
    while let Some(&octet) = octets.next() {
        let escaped = if octet == b'\\' { octets.next() } else { None };
        if let Some(&letter @ (b'c' | b'd' | b'p' | b'K' | b'N')) = escaped {
            warn(at, WarningKind::SendEscapeInExpect(char::from(letter)));
        }
    }
    if clean_expect(word, &ScriptOptions::default()).iter().any(|&octet| octet >= 0x80) {
        warn(at, WarningKind::NeverMatchesEightBits);
    }
}

/// Whether `abort` is complete before the last octet of `wanted`.
fn comes_inside(abort: &[u8], wanted: &[u8]) -> bool {
    let before_last = wanted.split_last().map_or(&[][..], |(_, before)| before);
    !abort.is_empty() && before_last.windows(abort.len()).any(|part| part == abort)
}

impl fmt::Display for WarningKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByteOrderMark => {
                f.write_str("a byte order mark, which chat(8) would take for a word; save without it")
            }
            Self::CarriageReturn => {
                f.write_str("lines end in CR LF, and chat(8) would send and expect the CR; save with LF only")
            }
            Self::CarriageReturnInWord => {
                f.write_str("a CR in this word; end lines with LF, or write \\r if it is meant")
            }
            Self::IndentedComment => {
                f.write_str("# begins a comment only in the first column; this is a word")
            }
            Self::WordAfterQuote => {
                f.write_str("a word ends at its closing quote; put a space here, or quote all of it")
            }
            Self::LowercaseKeyword(word) => {
                write!(f, "\"{word}\" is a string to wait for; keywords are in capitals")
            }
            Self::KeywordSent(word) => {
                write!(f, "\"{word}\" will be sent; is a send string missing before it? '' sends only a CR")
            }
            Self::MissingArgument(word) => write!(f, "{word} without an argument does nothing"),
            Self::SendEscapeInExpect(letter) => {
                write!(f, "\\{letter} means something only when sent; here it stands for \"{letter}\"")
            }
            Self::NeverMatchesEightBits => f.write_str("modem text has seven bits, so this never comes"),
            Self::AbortedFirst(abort) => {
                write!(
                    f,
                    "this never comes: its part \"{abort}\" is an ABORT string; clear that with CLR_ABORT first"
                )
            }
            Self::EmptyAbort => f.write_str("an empty ABORT string ends the script at the first octet"),
            Self::RepeatedAbort(abort) => write!(f, "\"{abort}\" is an ABORT string already"),
            Self::AbortTooLate(abort) => {
                write!(f, "nothing is waited for after this, so \"{abort}\" cannot come; move it to the top")
            }
            Self::NotInForce(string) => write!(f, "\"{string}\" is not an ABORT string here"),
            Self::BadTimeout(word) => {
                write!(f, "\"{word}\" is not a whole number above 0, so 45 seconds are meant")
            }
            Self::NeitherOnNorOff(word) => write!(f, "\"{word}\" is neither ON nor OFF"),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.position, self.kind)
    }
}

//! A chat script, read from its text into steps.
//!
//! It promises that a [`Script`] it returned can be run: quotes are closed and the limits of chat(8) are
//! kept. Escapes are left as they were written, as their meaning depends on the [`ScriptOptions`] of each
//! conversation. The caller hands in the text; nothing is opened here.
//!
//! [`ScriptOptions`]: super::ScriptOptions

use alloc::vec::Vec;
use core::fmt;

use super::escape::{ScriptOptions, clean_expect};
use super::redact::printable;

/// A chat script: steps to be done one after the other.
#[derive(Clone, PartialEq, Eq)]
pub struct Script {
    steps: Vec<Step>,
    pub(super) words: Vec<Word>,
    pub(super) has_byte_order_mark: bool,
    pub(super) first_crlf: Option<Position>,
}

impl fmt::Debug for Script {
    // Scripts have PINs and passwords in them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("steps", &self.steps.len()).finish_non_exhaustive()
    }
}

impl Script {
    /// The longest text that is taken, in octets.
    pub const MAX_OCTETS: usize = 65_536;
    /// The longest word, in octets; chat(8) reads lines of at most so many.
    pub const MAX_WORD_OCTETS: usize = 1023;
    /// How many ABORT strings, and how many REPORT strings, may be in force at once.
    pub const MAX_STRINGS: usize = 50;
    /// The longest ABORT or REPORT string, in octets, its escapes replaced.
    pub const MAX_STRING_OCTETS: usize = 49;

    /// Reads the text of a script file, as chat(8) reads the file of its option `-f`.
    ///
    /// # Errors
    /// The first place at which the text is not a script that could be run.
    pub fn parse(text: &[u8]) -> Result<Self, ScriptError> {
        if text.len() > Self::MAX_OCTETS {
            return Err(ScriptErrorKind::TextTooLong { octets: text.len() }.at(Position::START));
        }
        let body = text.strip_prefix(BYTE_ORDER_MARK);
        let mut words = Vec::new();
        let mut first_crlf = None;
        for (index, line) in body.unwrap_or(text).split(|&octet| octet == b'\n').enumerate() {
            let mut rest = line;
            if let Some(kept) = line.strip_suffix(b"\r") {
                rest = kept;
                let position = Position { line: index + 1, column: line.len() };
                first_crlf.get_or_insert(position);
            }
            if !rest.starts_with(b"#") {
                split_line(rest, index + 1, &mut words)?;
            }
        }
        Self::from_parts(words, body.is_some(), first_crlf)
    }

    /// Takes words as chat(8) takes them from its command line: no quotes, no comments. In positions the
    /// number of the word stands for the line.
    ///
    /// # Errors
    /// The first word that breaks a limit.
    pub fn from_words<'a>(words: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, ScriptError> {
        let mut list = Vec::new();
        let mut total = 0_usize;
        for (index, octets) in words.into_iter().enumerate() {
            let position = Position { line: index + 1, column: 1 };
            total = total.saturating_add(octets.len() + 1);
            if total > Self::MAX_OCTETS {
                return Err(ScriptErrorKind::TextTooLong { octets: total }.at(position));
            }
            list.push(Word::new(octets, position, Quoting::Quoted)?);
        }
        Self::from_parts(list, false, None)
    }

    /// The steps, in the order in which they are done.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    fn from_parts(
        words: Vec<Word>,
        has_byte_order_mark: bool,
        first_crlf: Option<Position>,
    ) -> Result<Self, ScriptError> {
        let steps = steps_of(&words);
        check_strings(&steps)?;
        Ok(Self { steps, words, has_byte_order_mark, first_crlf })
    }
}

/// One step of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where its first word begins.
    pub position: Position,
    /// What is to be done.
    pub action: Action,
}

/// What a step does; strings are as they were written, escapes and all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Wait for a string, and do something about its not coming.
    Expect(Vec<Attempt>),
    /// Send a string.
    Send(Vec<u8>),
    /// From now on, fail when this string comes.
    Abort(Vec<u8>),
    /// No longer fail when this string comes.
    ClearAbort(Vec<u8>),
    /// Report this string, and the rest of its line, when it comes.
    Report(Vec<u8>),
    /// No longer report this string.
    ClearReport(Vec<u8>),
    /// From now on, wait so many seconds.
    Timeout(Vec<u8>),
    /// Show what the modem says: only `ON` means yes.
    Echo(Vec<u8>),
    /// Fail when the line hangs up: only `OFF` means no.
    Hangup(Vec<u8>),
    /// Say this to whoever watches.
    Say(Vec<u8>),
}

/// One of the strings of `expect-send-expect`, and what is sent when it does not come in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The string to wait for.
    pub expect: Vec<u8>,
    /// What to send if it does not come; without it the conversation then fails.
    pub send: Option<Vec<u8>>,
}

/// A place in the text of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The octet in the line, from 1.
    pub column: usize,
}

impl Position {
    /// The first octet of a text.
    pub const START: Self = Self { line: 1, column: 1 };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a text is not a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// The line, from 1.
    pub line: usize,
    /// The octet in the line, from 1.
    pub column: usize,
    /// What is wrong there.
    pub kind: ScriptErrorKind,
}

impl ScriptError {
    /// The code with which chat(8) would exit.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            ScriptErrorKind::TooManyStrings { .. } => 2,
            ScriptErrorKind::TextTooLong { .. }
            | ScriptErrorKind::WordTooLong { .. }
            | ScriptErrorKind::UnterminatedQuote { .. }
            | ScriptErrorKind::NulOctet
            | ScriptErrorKind::StringTooLong { .. } => 1,
        }
    }
}

/// What is wrong with the text of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptErrorKind {
    /// Longer than [`Script::MAX_OCTETS`].
    TextTooLong {
        /// Its length.
        octets: usize,
    },
    /// A word longer than [`Script::MAX_WORD_OCTETS`].
    WordTooLong {
        /// Its length.
        octets: usize,
    },
    /// A quote that its line does not close.
    UnterminatedQuote {
        /// `'` or `"`.
        quote: char,
    },
    /// A NUL in the text.
    NulOctet,
    /// An ABORT or REPORT string longer than [`Script::MAX_STRING_OCTETS`].
    StringTooLong {
        /// `ABORT` or `REPORT`.
        keyword: &'static str,
        /// The string, made printable.
        string: alloc::string::String,
        /// Its length.
        octets: usize,
    },
    /// More than [`Script::MAX_STRINGS`] ABORT or REPORT strings in force at once.
    TooManyStrings {
        /// `ABORT` or `REPORT`.
        keyword: &'static str,
    },
}

impl ScriptErrorKind {
    fn at(self, position: Position) -> ScriptError {
        ScriptError { line: position.line, column: position.column, kind: self }
    }
}

impl fmt::Display for ScriptErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TextTooLong { octets } => {
                write!(f, "the script has {octets} octets; at most {} are taken", Script::MAX_OCTETS)
            }
            Self::WordTooLong { octets } => {
                let most = Script::MAX_WORD_OCTETS;
                write!(f, "this word has {octets} octets; send it in pieces of at most {most}, ")?;
                f.write_str("each but the last ending in \\c")
            }
            Self::UnterminatedQuote { quote } => {
                write!(f, "the quote {quote} is not closed on its line; ")?;
                write!(f, "close it, or write \\{quote} for the character")
            }
            Self::NulOctet => f.write_str("a NUL octet in the text; write \\N to send one"),
            Self::StringTooLong { keyword, string, octets } => {
                let most = Script::MAX_STRING_OCTETS;
                write!(
                    f,
                    "the {keyword} string \"{string}\" has {octets} octets; shorten it to at most {most}"
                )
            }
            Self::TooManyStrings { keyword } => {
                let most = Script::MAX_STRINGS;
                write!(f, "more than {most} {keyword} strings; remove some with CLR_{keyword} first")
            }
        }
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.kind)
    }
}

impl core::error::Error for ScriptError {}

/// A word as it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) octets: Vec<u8>,
    pub(super) position: Position,
    pub(super) quoting: Quoting,
}

/// How a word was set off from its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quoting {
    Bare,
    Quoted,
    /// It begins right after a closing quote, without a space.
    AfterQuote,
}

impl Word {
    fn new(octets: &[u8], position: Position, quoting: Quoting) -> Result<Self, ScriptError> {
        if octets.contains(&0) {
            return Err(ScriptErrorKind::NulOctet.at(position));
        }
        if octets.len() > Script::MAX_WORD_OCTETS {
            return Err(ScriptErrorKind::WordTooLong { octets: octets.len() }.at(position));
        }
        Ok(Self { octets: octets.to_vec(), position, quoting })
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

fn split_line(line: &[u8], number: usize, words: &mut Vec<Word>) -> Result<(), ScriptError> {
    let mut rest = line;
    let mut after_quote = false;
    while let Some((&first, tail)) = rest.split_first() {
        if is_blank(first) {
            rest = tail;
            after_quote = false;
            continue;
        }
        let position = Position { line: number, column: line.len() - rest.len() + 1 };
        let quoted = first == b'"' || first == b'\'';
        let (octets, after) = if quoted {
            split_at_quote(tail, first)
                .ok_or_else(|| ScriptErrorKind::UnterminatedQuote { quote: char::from(first) }.at(position))?
        } else {
            let end = rest.iter().position(|&octet| is_blank(octet)).unwrap_or(rest.len());
            rest.split_at_checked(end).unwrap_or((rest, &[]))
        };
        let quoting = match (after_quote, quoted) {
            (true, _) => Quoting::AfterQuote,
            (false, true) => Quoting::Quoted,
            (false, false) => Quoting::Bare,
        };
        words.push(Word::new(octets, position, quoting)?);
        rest = after;
        after_quote = quoted;
    }
    Ok(())
}

fn is_blank(octet: u8) -> bool {
    octet == b' ' || octet == b'\t'
}

/// What stands before the closing quote, and what after it; a backslash protects the octet behind it.
fn split_at_quote(text: &[u8], quote: u8) -> Option<(&[u8], &[u8])> {
    let mut protected = false;
    let end = text.iter().position(|&octet| {
        let closes = octet == quote && !protected;
        protected = octet == b'\\' && !protected;
        closes
    })?;
    let (word, rest) = text.split_at_checked(end)?;
    Some((word, rest.get(1..)?))
}

/// Expect and send words take turns; a keyword in the place of an expect word takes the send word as its
/// argument, and is nothing without one.
fn steps_of(words: &[Word]) -> Vec<Step> {
    let mut steps = Vec::new();
    for pair in words.chunks(2) {
        let mut pair = pair.iter();
        let Some(word) = pair.next() else { continue };
        let send = pair.next();
        let mut push = |position, action| steps.push(Step { position, action });
        match keyword(&word.octets) {
            Some(action) => {
                if let Some(argument) = send {
                    push(word.position, action(argument.octets.clone()));
                }
            }
            None => {
                push(word.position, Action::Expect(attempts_of(&word.octets)));
                if let Some(send) = send {
                    push(send.position, Action::Send(send.octets.clone()));
                }
            }
        }
    }
    steps
}

pub(super) fn keyword(word: &[u8]) -> Option<fn(Vec<u8>) -> Action> {
    match word {
        b"ABORT" => Some(Action::Abort),
        b"CLR_ABORT" => Some(Action::ClearAbort),
        b"REPORT" => Some(Action::Report),
        b"CLR_REPORT" => Some(Action::ClearReport),
        b"TIMEOUT" => Some(Action::Timeout),
        b"ECHO" => Some(Action::Echo),
        b"HANGUP" => Some(Action::Hangup),
        b"SAY" => Some(Action::Say),
        _ => None,
    }
}

/// Splits `expect-send-expect…` at its dashes. What is empty at the very end is not there at all, so a
/// single dash at the end means nothing, and two of them an empty send.
fn attempts_of(word: &[u8]) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    let mut rest = word;
    while let Some((expect, after)) = next_piece(rest) {
        let send = next_piece(after);
        attempts.push(Attempt { expect: expect.to_vec(), send: send.map(|(piece, _)| piece.to_vec()) });
        rest = send.map_or(&[], |(_, after)| after);
    }
    attempts
}

fn next_piece(text: &[u8]) -> Option<(&[u8], &[u8])> {
    if text.is_empty() {
        return None;
    }
    split_at_quote(text, b'-').or(Some((text, &[])))
}

/// Keeps the limits of chat(8) as far as they can be known without the values of variables.
fn check_strings(steps: &[Step]) -> Result<(), ScriptError> {
    let options = ScriptOptions::default();
    let mut aborts = Vec::new();
    let mut reports = Vec::new();
    for step in steps {
        let (keyword, list, raw, is_set) = match &step.action {
            Action::Abort(raw) => ("ABORT", &mut aborts, raw, true),
            Action::ClearAbort(raw) => ("ABORT", &mut aborts, raw, false),
            Action::Report(raw) => ("REPORT", &mut reports, raw, true),
            Action::ClearReport(raw) => ("REPORT", &mut reports, raw, false),
            Action::Expect(_)
            | Action::Send(_)
            | Action::Timeout(_)
            | Action::Echo(_)
            | Action::Hangup(_)
            | Action::Say(_) => continue,
        };
        let string = clean_expect(raw, &options);
        if !is_set {
            list.retain(|known| *known != string);
            continue;
        }
        if list.len() >= Script::MAX_STRINGS {
            return Err(ScriptErrorKind::TooManyStrings { keyword }.at(step.position));
        }
        // A variable may stand for something shorter than its name.
        if string.len() > Script::MAX_STRING_OCTETS && !raw.contains(&b'$') {
            let octets = string.len();
            let string = printable(&string);
            return Err(ScriptErrorKind::StringTooLong { keyword, string, octets }.at(step.position));
        }
        list.push(string);
    }
    Ok(())
}

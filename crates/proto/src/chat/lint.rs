//! What is legal in a script but cannot be meant.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::conversation::ConversationOptions;
use super::escape::{ScriptOptions, clean_expect};
use super::redact::printable;
use super::script::{Action, Attempt, Position, Quoting, Script, Step, Word, keyword};

mod answers;
mod references;

use answers::{nearly_a_keyword, nearly_a_result_code};

/// What a script is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It dials: what comes after it is PPP.
    Dial,
    /// Anything else, such as hanging up.
    Other,
}

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
    /// A word that is nearly a keyword.
    NearlyKeyword {
        /// What stands there.
        said: String,
        /// The keyword.
        keyword: &'static str,
    },
    /// A keyword where a string to be sent stands; it will be sent.
    KeywordSent(String),
    /// A keyword at the end, without its argument; it does nothing.
    MissingArgument(String),
    /// An escape that means nothing in a string to wait for, and stands for its letter there.
    SendEscapeInExpect(char),
    /// An escape that there is not, and that stands for its letter.
    UnknownEscape(char),
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
    /// A variable that is not among those of the options.
    UndefinedVariable(String),
    /// `\T` or `\U`, and the options have no such telephone number.
    NoNumber(char),
    /// A script for dialing that neither sends nor waits.
    NeverDials,
    /// A script for something else that sends nothing.
    SendsNothing,
    /// A command to the modem where the script waits for its first words.
    CommandExpected,
    /// A command to the modem at the end of a dial, for whose answer nothing waits.
    NothingExpected,
    /// Nearly what modems say, but not quite.
    NotAResultCode {
        /// What stands there.
        said: String,
        /// What modems say.
        code: &'static str,
    },
    /// A LF after something that is not CR.
    LineFeedAlone,
}

/// What was found so far.
struct Warnings(Vec<Warning>);

impl Warnings {
    fn add(&mut self, position: Position, kind: WarningKind) {
        self.0.push(Warning { position, kind });
    }
}

impl Script {
    /// What is legal in this script but cannot be meant, in the order of the text, if it is run with these
    /// options. The names of variables count, but what depends on their values is not judged.
    #[must_use]
    pub fn lint(&self, purpose: Purpose, options: &ConversationOptions) -> Vec<Warning> {
        let mut warnings = Warnings(Vec::new());
        if self.has_byte_order_mark {
            warnings.add(Position::START, WarningKind::ByteOrderMark);
        }
        if let Some(position) = self.first_crlf {
            warnings.add(position, WarningKind::CarriageReturn);
        }
        let mut before = None;
        for (index, word) in self.words.iter().enumerate() {
            let is_last = index + 1 == self.words.len();
            if let Some(kind) = about_word(word, before.is_none(), is_last) {
                warnings.add(word.position, kind);
            }
            references::about_references(word, before, &options.script, &mut warnings);
            before = if before.is_none() { Some(word) } else { None };
        }
        let mut aborts = Vec::new();
        for (index, step) in self.steps().iter().enumerate() {
            let later = self.steps().get(index + 1..).unwrap_or_default();
            about_step(step, later, options, &mut aborts, &mut warnings);
        }
        answers::about_course(self.steps(), purpose, &mut warnings);
        warnings.0.sort_by_key(|warning| warning.position);
        warnings.0
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
        let in_capitals = keyword(&capitals).map(|_| WarningKind::LowercaseKeyword(name()));
        in_capitals.or_else(|| {
            let keyword = nearly_a_keyword(&word.octets).filter(|_| word.quoting == Quoting::Bare)?;
            Some(WarningKind::NearlyKeyword { said: name(), keyword })
        })
    }
}

fn about_step(
    step: &Step,
    later: &[Step],
    options: &ConversationOptions,
    aborts: &mut Vec<Vec<u8>>,
    warnings: &mut Warnings,
) {
    let at = step.position;
    let mut warn = |kind| warnings.add(at, kind);
    let clean = |word: &[u8]| clean_expect(word, &ScriptOptions::default());
    match &step.action {
        Action::Expect(attempts) => {
            for Attempt { expect, send } in attempts {
                about_string(expect, &mut warn);
                about_escapes(send.as_deref().unwrap_or_default(), &mut warn);
                let wanted = clean(expect);
                nearly_a_result_code(&wanted, true).map(&mut warn);
                if let Some(abort) = aborts.iter().find(|abort| comes_inside(abort, &wanted)) {
                    warn(WarningKind::AbortedFirst(printable(abort)));
                }
            }
        }
        Action::Abort(word) => {
            about_string(word, &mut warn);
            let abort = clean(word);
            // Not only modems say what ends a call, and those who write "Error" may mean it.
            nearly_a_result_code(&abort, false).map(&mut warn);
            let waits =
                |step: &Step| matches!(&step.action, Action::Expect(attempts) if !attempts.is_empty());
            if abort.is_empty() {
                warn(WarningKind::EmptyAbort);
            } else if aborts.contains(&abort) {
                warn(WarningKind::RepeatedAbort(printable(&abort)));
            } else if !later.iter().any(waits) {
                warn(WarningKind::AbortTooLate(printable(&abort)));
            }
            aborts.push(abort);
        }
        Action::ClearAbort(word) => {
            let abort = clean(word);
            if !aborts.contains(&abort) {
                warn(WarningKind::NotInForce(printable(&abort)));
            }
            aborts.retain(|known| *known != abort);
        }
        Action::Report(word) => about_string(word, &mut warn),
        Action::Timeout(word) if !(word.contains(&b'$') && options.script.variables.is_some()) => {
            if !is_number(word, options.fractional_timeouts) {
                warn(WarningKind::BadTimeout(printable(word)));
            }
        }
        Action::Echo(word) | Action::Hangup(word) => {
            if word != b"ON" && word != b"OFF" {
                warn(WarningKind::NeitherOnNorOff(printable(word)));
            }
        }
        Action::Send(word) if word.starts_with(b"@") => {}
        Action::Send(word) | Action::Say(word) => about_escapes(word, &mut warn),
        Action::Timeout(_) | Action::ClearReport(_) => {}
    }
}

/// Tells of the letters that mean nothing behind a backslash.
fn about_escapes(word: &[u8], warn: &mut impl FnMut(WarningKind)) {
    let mut octets = word.iter();
    while let Some(&octet) = octets.next() {
        let escaped = match octet {
            b'\\' => octets.next(),
            b'^' => octets.next().and(None),
            _ => None,
        };
        let is_known = |octet: u8| b"bcdnpqrstKNTU01234567".contains(&octet);
        if let Some(&letter) = escaped.filter(|&&octet| octet.is_ascii_alphanumeric() && !is_known(octet)) {
            warn(WarningKind::UnknownEscape(char::from(letter)));
        }
    }
}

fn about_string(word: &[u8], warn: &mut impl FnMut(WarningKind)) {
    about_escapes(word, warn);
    let mut octets = word.iter();
    while let Some(&octet) = octets.next() {
        let escaped = if octet == b'\\' { octets.next() } else { None };
        if let Some(&letter @ (b'c' | b'd' | b'p' | b'K' | b'N')) = escaped {
            warn(WarningKind::SendEscapeInExpect(char::from(letter)));
        }
    }
    let string = clean_expect(word, &ScriptOptions::default());
    if string.iter().any(|&octet| octet >= 0x80) {
        warn(WarningKind::NeverMatchesEightBits);
    }
    if string.windows(2).any(|pair| matches!(pair, [before, b'\n'] if *before != b'\r')) {
        warn(WarningKind::LineFeedAlone);
    }
}

/// Whether this is a number above 0, and a whole one unless it need not be.
fn is_number(word: &[u8], fractional: bool) -> bool {
    let points = word.iter().filter(|&&octet| octet == b'.').count();
    let is_right = |octet: &u8| octet.is_ascii_digit() || *octet == b'.';
    points <= usize::from(fractional)
        && word.iter().all(is_right)
        && word.iter().any(|octet| matches!(octet, b'1'..=b'9'))
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
            Self::NearlyKeyword { said, keyword } => {
                write!(f, "\"{said}\" is a string to wait for; did you mean {keyword}? If not, quote it")
            }
            Self::KeywordSent(word) => {
                write!(f, "\"{word}\" will be sent; is a send string missing before it? '' sends only a CR")
            }
            Self::MissingArgument(word) => write!(f, "{word} without an argument does nothing"),
            Self::SendEscapeInExpect(letter) => {
                write!(f, "\\{letter} means something only when sent; here it stands for \"{letter}\"")
            }
            Self::UnknownEscape(letter) => {
                write!(f, "there is no escape \\{letter}, so it stands for \"{letter}\"")
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
            Self::UndefinedVariable(name) => {
                write!(f, "${name} is not set, and stands for nothing; if a $ is meant, write \\$")
            }
            Self::NoNumber(letter) => {
                write!(f, "\\{letter} stands for no telephone number, so a {letter} is sent")
            }
            Self::NeverDials => f.write_str(
                "nothing is sent and nothing is waited for, so a call is connected at once; \
                 that is right only for a line without a modem, such as a null-modem cable",
            ),
            Self::SendsNothing => f.write_str("nothing is sent, so this script does nothing"),
            Self::CommandExpected => f.write_str(
                "a script begins with what it waits for, so this command is not sent; put '' before it",
            ),
            Self::NothingExpected => f.write_str(
                "nothing is waited for after this command, so the call counts as connected before the modem \
                 answers; add CONNECT",
            ),
            Self::NotAResultCode { said, code } => {
                write!(f, "modems do not say \"{said}\" but \"{code}\"")
            }
            Self::LineFeedAlone => f.write_str(
                "the lines of modems end in CR LF, so a LF right after other text never comes; \
                 write \\r in its place",
            ),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.position, self.kind)
    }
}

//! Why a conversation failed, in words and as the exit code of chat(8).

use alloc::string::String;
use core::fmt;
use core::time::Duration;

use super::script::{Position, Script};

/// Why a conversation failed: at which step, for what reason, and what the modem had said last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationError {
    /// The step that failed.
    pub step: StepPlace,
    /// The reason.
    pub kind: FailureKind,
    /// The end of what the modem said since the last send or expect began; printable, without secrets.
    pub last_received: String,
}

/// A step, as a person finds it in the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepPlace {
    /// Its number, from 1.
    pub number: usize,
    /// Where it begins.
    pub position: Position,
}

/// The reason for which a conversation failed. All text is printable and without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// What was waited for has not come.
    TimedOut {
        /// What was waited for.
        expected: String,
        /// For how long.
        limit: Duration,
    },
    /// An abort string came.
    Aborted {
        /// The abort string.
        text: String,
        /// Its index among those in force, from 0.
        index: usize,
        /// What was waited for.
        expected: String,
    },
    /// Sending took longer than the script allows.
    SendTimedOut {
        /// How long it might have taken.
        limit: Duration,
    },
    /// A file that is to be sent cannot be read.
    FileUnreadable {
        /// The name of the file.
        name: String,
        /// Why not.
        reason: String,
    },
    /// The line hung up.
    HungUp,
    /// With its variables replaced, an ABORT or REPORT string is too long.
    StringTooLong {
        /// `ABORT` or `REPORT`.
        keyword: &'static str,
        /// Its length in octets.
        octets: usize,
    },
    /// More ABORT or REPORT strings in force than there may be.
    TooManyStrings {
        /// `ABORT` or `REPORT`.
        keyword: &'static str,
    },
}

impl ConversationError {
    /// The code with which chat(8) would exit: 1 for a failed send, 2 for a hang-up and for too many
    /// strings, 3 for a timeout, 4 and the index for an abort string.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            FailureKind::SendTimedOut { .. }
            | FailureKind::FileUnreadable { .. }
            | FailureKind::StringTooLong { .. } => 1,
            FailureKind::HungUp | FailureKind::TooManyStrings { .. } => 2,
            FailureKind::TimedOut { .. } => 3,
            FailureKind::Aborted { index, .. } => u8::try_from(index).unwrap_or(u8::MAX).saturating_add(4),
        }
    }
}

impl ConversationError {
    /// The reason in a word or two that anybody may be told: nothing in it was said by the modem.
    pub fn brief(&self) -> impl fmt::Display + '_ {
        fmt::from_fn(|f| match &self.kind {
            FailureKind::Aborted { text, .. } => f.write_str(start(text)),
            FailureKind::TimedOut { limit, .. } if self.last_received.is_empty() => {
                write!(f, "the modem said nothing for {} s", limit.as_secs_f64())
            }
            FailureKind::TimedOut { expected, limit } => {
                write!(f, "no {} within {} s", start(expected), limit.as_secs_f64())
            }
            FailureKind::SendTimedOut { .. } => f.write_str("the modem takes no more octets"),
            FailureKind::FileUnreadable { .. } => f.write_str("a file of the chat script cannot be read"),
            FailureKind::HungUp => f.write_str("the line hung up"),
            FailureKind::StringTooLong { .. } | FailureKind::TooManyStrings { .. } => {
                f.write_str("the chat script cannot be carried out")
            }
        })
    }
}

/// As much of a string of the script as is told in brief: result codes are shorter.
fn start(text: &str) -> &str {
    const LONGEST: usize = 40;
    text.char_indices().nth(LONGEST).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

impl fmt::Display for ConversationError {
    /// Counts steps and not lines: only whoever read the script knows whether it has a file with lines of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {} of the chat script: {}", self.step.number, self.kind)?;
        match &self.kind {
            FailureKind::TimedOut { .. } if self.last_received.is_empty() => f.write_str("; nothing came"),
            FailureKind::TimedOut { .. } | FailureKind::Aborted { .. } | FailureKind::HungUp => {
                write!(f, "; last received: \"{}\"", self.last_received)
            }
            FailureKind::SendTimedOut { .. }
            | FailureKind::FileUnreadable { .. }
            | FailureKind::StringTooLong { .. }
            | FailureKind::TooManyStrings { .. } => Ok(()),
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut { expected, limit } => {
                write!(f, "expected \"{expected}\", which did not come within {} s", limit.as_secs_f64())
            }
            Self::Aborted { text, index, expected } => {
                write!(f, "expected \"{expected}\", but \"{text}\" came (ABORT string {})", index + 1)
            }
            Self::SendTimedOut { limit } => {
                write!(f, "sending took longer than the timeout of {} s", limit.as_secs_f64())
            }
            Self::FileUnreadable { name, reason } => write!(f, "cannot read \"{name}\": {reason}"),
            Self::HungUp => f.write_str("the line hung up"),
            Self::StringTooLong { keyword, octets } => {
                let most = Script::MAX_STRING_OCTETS;
                write!(
                    f,
                    "the {keyword} string has {octets} octets with its variables replaced; at most {most}"
                )
            }
            Self::TooManyStrings { keyword } => {
                write!(f, "more than {} {keyword} strings in force", Script::MAX_STRINGS)
            }
        }
    }
}

impl core::error::Error for ConversationError {}

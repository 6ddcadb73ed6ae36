//! What a conversation has to tell while it goes on.

use alloc::string::String;
use core::fmt;
use core::time::Duration;

/// One line of the story of a conversation. All text is printable, bounded, and without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatLine {
    /// From now on this string ends the conversation.
    AbortSet(String),
    /// It no longer does.
    AbortCleared(String),
    /// From now on this string is reported.
    ReportSet(String),
    /// It no longer is.
    ReportCleared(String),
    /// From now on a step may take so long.
    TimeoutSet(Duration),
    /// Whether what the modem says is shown.
    EchoSet(bool),
    /// Whether a hang-up of the line ends the conversation.
    HangupSet(bool),
    /// A string is being sent.
    Send(String),
    /// A string is being waited for.
    Expect(String),
    /// The modem said this: a line, or the part of one at which something else happened.
    Received(String),
    /// What was waited for has come.
    GotIt,
    /// An abort string has come.
    Aborted(String),
    /// What was waited for has not come in time.
    TimedOut,
    /// The line hung up, and the script has said that it may.
    HangupIgnored,
}

impl fmt::Display for ChatLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AbortSet(text) => write!(f, "abort on ({text})"),
            Self::AbortCleared(text) => write!(f, "clear abort on ({text})"),
            Self::ReportSet(text) => write!(f, "report ({text})"),
            Self::ReportCleared(text) => write!(f, "clear report ({text})"),
            Self::TimeoutSet(limit) => write!(f, "timeout set to {} seconds", limit.as_secs_f64()),
            Self::EchoSet(on) => write!(f, "echo {}", if *on { "on" } else { "off" }),
            Self::HangupSet(on) => write!(f, "hangup {}", if *on { "on" } else { "off" }),
            Self::Send(text) => write!(f, "send ({text})"),
            Self::Expect(text) => write!(f, "expect ({text})"),
            Self::Received(text) => f.write_str(text),
            Self::GotIt => f.write_str(" -- got it"),
            Self::Aborted(text) => write!(f, " -- failed ({text})"),
            Self::TimedOut => f.write_str("alarm"),
            Self::HangupIgnored => f.write_str("the line hung up; going on (HANGUP OFF)"),
        }
    }
}

//! chat(8) scripts and their conversation with a modem.
//!
//! What it is: our own interpreter of the whole language of chat(8), so that existing scripts run unchanged.
//! [`Script`] is the text, read once; [`Conversation`] runs it over octets that are handed in, and never
//! blocks; [`Script::lint`] finds what is legal but cannot be meant.
//!
//! It promises the same octets to the modem, and the same verdict, as chat(8) would give, except for the
//! departures listed below. The caller moves the octets, keeps the time and reads the files a script names.
//!
//! Departures from chat(8), all on the kind side:
//! * The whole script is read before the first octet is sent: a mistake on its last line is found at once.
//! * A byte order mark and the CR of CRLF line ends are not part of the script (chat(8) takes them as
//!   words); [`Script::lint`] mentions them. Lines may be longer than 1023 octets; words may not.
//! * Octets are not paced unless [`ConversationOptions::octet_pacing`] says so (chat(8): 10 ms each).
//! * `\p` pauses for the 100 ms that chat(8)'s manual promises; its code sleeps 10 ms.
//! * What a failed conversation waited for, and what came instead, is said in words, not only by a number.
//! * PINs and passwords never reach a log line or an error text.
//! * `CLR_ABORT` removes every equal string, as documented; chat(8) misses some of those set twice.
//! * In an ABORT or REPORT string a variable may be longer than its name.
//! * `REPORT` waits for the rest of its line at the end, which chat(8) does only with its option `-r`.
//! * `HANGUP OFF` lets the script go on after the line has hung up, as the manual says, not only the signal.

mod conversation;
mod escape;
mod failure;
mod lint;
mod log;
mod redact;
mod script;

pub use conversation::{Conversation, ConversationOptions, ConversationOutput, Verdict};
pub use escape::ScriptOptions;
pub use failure::{ConversationError, FailureKind, StepPlace};
pub use lint::{Purpose, Warning, WarningKind};
pub use log::ChatLine;
pub use redact::{carries_a_secret, names_a_secret};
pub use script::{Action, Attempt, Position, Script, ScriptError, ScriptErrorKind, Step};

#[cfg(test)]
mod tests;

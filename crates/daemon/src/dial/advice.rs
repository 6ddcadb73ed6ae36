//! What to do about a failed script: for people who have it in front of them.

use bridge_linux::serial_port::FlowControl;
use bridge_proto::chat::{ConversationError, FailureKind};
use std::path::Path;

/// What was tried, as far as advice depends on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances<'a> {
    pub(super) device: &'a Path,
    /// What opens the console for the same modem.
    pub(super) console: &'a str,
    /// It is mended in a file, not by options.
    pub(super) is_configured: bool,
    pub(super) flow: FlowControl,
}

/// What is likely to be wrong, and how to find out.
pub(super) fn on(error: &ConversationError, tried: Circumstances<'_>) -> String {
    let console = tried.console;
    match &error.kind {
        FailureKind::TimedOut { .. } if error.last_received.is_empty() => {
            format!("{} Talk to it: {console}", on_silence(tried))
        }
        FailureKind::TimedOut { expected, .. } => format!(
            "The modem answered, but \"{expected}\" was not in it. Compare what it said with what the script waits \
             for; if it only takes longer, raise TIMEOUT in the script."
        ),
        FailureKind::Aborted { text, .. } => on_abort(text, console),
        FailureKind::SendTimedOut { .. } => match tried.without_flow() {
            None => format!("The modem takes no octets. It may be off. Talk to it: {console}"),
            Some(none) => format!(
                "The modem takes no octets. It may be off, or not raise CTS: try {none}, or talk to it: {console}"
            ),
        },
        FailureKind::FileUnreadable { .. } => {
            "The script sends a file; give its full path, and let the user of the bridge read it.".into()
        }
        FailureKind::HungUp => {
            "The line hung up while the script was at work: the modem dropped the carrier, or was unplugged."
                .into()
        }
        FailureKind::StringTooLong { .. } => {
            "Is the right value in the environment? The string is longer than a script may have it.".into()
        }
        FailureKind::TooManyStrings { .. } => {
            "Take back some of the strings by CLR_ABORT or CLR_REPORT, or set fewer.".into()
        }
    }
}

impl Circumstances<'_> {
    /// How to do without flow control, if there is any.
    fn without_flow(&self) -> Option<&'static str> {
        match self.flow {
            FlowControl::None => None,
            FlowControl::RtsCts | FlowControl::XonXoff if self.is_configured => Some("flow = \"none\""),
            FlowControl::RtsCts | FlowControl::XonXoff => Some("--flow=none"),
        }
    }
}

/// What may be wrong with a modem that never said a word.
pub(super) fn on_silence(tried: Circumstances<'_>) -> String {
    let speed = if tried.is_configured { "speed" } else { "--speed" };
    let flow = tried.without_flow().map(|none| format!(", and does it need {none}")).unwrap_or_default();
    format!(
        "The modem said nothing at all. Is {} the right port (a USB modem often has several, of which one or two \
         take commands), at the right {speed}{flow}?",
        tried.device.display()
    )
}

/// What the abort strings that nearly every script has do mean.
fn on_abort(text: &str, console: &str) -> String {
    let meanings = [
        ("BUSY", "The far end is busy: dial again later, or another number."),
        (
            "NO CARRIER",
            "The call was not answered, or the network refused it: check the number, on a cellular modem the APN, \
             and that it is registered (AT+CREG? and AT+CSQ).",
        ),
        (
            "NO DIALTONE",
            "No line to dial on: check the cable; behind a private exchange put X3 before the dial.",
        ),
        (
            "NO DIAL TONE",
            "No line to dial on: check the cable; behind a private exchange put X3 before the dial.",
        ),
        ("NO ANSWER", "It rang, and nobody answered: check the number."),
        ("SIM", "Something is wrong with the SIM: is it there, and does it want its PIN (AT+CPIN?)?"),
        ("CME ERROR", "The modem says what it dislikes by a number: AT+CMEE=2 makes it say it in words."),
        ("ERROR", "The modem does not know, or will not obey, the command that was sent last."),
    ];
    let known = meanings.iter().find(|(words, _)| text.to_ascii_uppercase().contains(words));
    let meaning = known.map_or("The script takes this for the end of the call.", |(_, meaning)| meaning);
    format!("{meaning} Talk to the modem: {console}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bridge_proto::chat::{Position, StepPlace};
    use std::time::Duration;

    fn advice(kind: FailureKind, last_received: &str) -> String {
        let step = StepPlace { number: 1, position: Position::START };
        on(&ConversationError { step, kind, last_received: last_received.into() }, given())
    }

    fn given() -> Circumstances<'static> {
        Circumstances {
            device: Path::new("/dev/ttyUSB0"),
            console: "pppoe-serial-bridge dial --at /dev/ttyUSB0",
            is_configured: false,
            flow: FlowControl::RtsCts,
        }
    }

    #[test]
    fn who_has_a_file_is_advised_of_keys_and_nobody_of_what_is_so_already() {
        assert!(on_silence(given()).ends_with("at the right --speed, and does it need --flow=none?"));
        let configured = Circumstances { is_configured: true, ..given() };
        assert!(on_silence(configured).ends_with("at the right speed, and does it need flow = \"none\"?"));
        let none = Circumstances { flow: FlowControl::None, ..given() };
        assert!(on_silence(none).ends_with("at the right --speed?"));
    }

    #[test]
    fn silence_and_other_words_are_told_apart() {
        let timed_out = || FailureKind::TimedOut { expected: "OK".into(), limit: Duration::from_secs(5) };
        assert!(advice(timed_out(), "").contains("dial --at /dev/ttyUSB0"));
        assert!(advice(timed_out(), "AT").contains("raise TIMEOUT"));
    }

    #[test]
    fn the_usual_abort_strings_are_explained() {
        let aborted =
            |text: &str| FailureKind::Aborted { text: text.into(), index: 0, expected: "OK".into() };
        assert!(advice(aborted("BUSY"), "BUSY").starts_with("The far end is busy"));
        assert!(advice(aborted("\\nNO CARRIER"), "").contains("APN"));
        assert!(advice(aborted("+CME ERROR"), "").contains("AT+CMEE=2"));
        assert!(advice(aborted("DELAYED"), "").starts_with("The script takes this"));
    }
}

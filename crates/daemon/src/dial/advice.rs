//! What to do about a failed script: for people who have it in front of them.

use bridge_proto::chat::{ConversationError, FailureKind};
use std::path::Path;

/// What is likely to be wrong, and how to find out.
pub(super) fn on(error: &ConversationError, device: &Path) -> String {
    let device = device.display();
    let console = format!("pppoe-serial-bridge dial --at {device}");
    match &error.kind {
        FailureKind::TimedOut { .. } if error.last_received.is_empty() => format!(
            "The modem said nothing at all. Is {device} the right port (a USB modem often has several, of which \
             one or two take commands), at the right --speed, and does it need --flow=none? Talk to it: {console}"
        ),
        FailureKind::TimedOut { expected, .. } => format!(
            "The modem answered, but \"{expected}\" was not in it. Compare what it said with what the script waits \
             for; if it only takes longer, raise TIMEOUT in the script."
        ),
        FailureKind::Aborted { text, .. } => on_abort(text, &console),
        FailureKind::SendTimedOut { .. } => format!(
            "The modem takes no octets. It may be off, or not raise CTS: try --flow=none, or talk to it: {console}"
        ),
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
        on(&ConversationError { step, kind, last_received: last_received.into() }, Path::new("/dev/ttyUSB0"))
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

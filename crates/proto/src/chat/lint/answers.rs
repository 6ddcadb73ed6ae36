//! What a modem is asked and what it answers: commands that nobody waits for, and answers that never come.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Purpose, WarningKind, Warnings};
use crate::chat::escape::{ScriptOptions, SendAction, clean_expect, clean_send, send_actions};
use crate::chat::redact::printable;
use crate::chat::script::{Action, Position, Step};

/// Judges the script as a whole.
pub(super) fn about_course(steps: &[Step], purpose: Purpose, warnings: &mut Warnings) {
    let is_sent = steps.iter().any(|step| matches!(step.action, Action::Send(_)));
    let is_awaited = |step: &Step| matches!(&step.action, Action::Expect(attempts) if !attempts.is_empty());
    match purpose {
        Purpose::Dial if !is_sent && !steps.iter().any(is_awaited) => {
            warnings.add(Position::START, WarningKind::NeverDials);
        }
        Purpose::Other if !is_sent => warnings.add(Position::START, WarningKind::SendsNothing),
        Purpose::Dial | Purpose::Other => {}
    }
    let expects = steps.iter().filter_map(|step| match &step.action {
        Action::Expect(attempts) => Some((step.position, attempts)),
        _ => None,
    });
    if let Some((position, Some(attempt))) = expects.map(|(at, attempts)| (at, attempts.first())).next()
        && is_command(&clean_expect(&attempt.expect, &ScriptOptions::default()))
    {
        warnings.add(position, WarningKind::CommandExpected);
    }
    // Names and passwords are the last words of many a login; a command has an answer. '' after it says that
    // none is wanted.
    let last = steps.iter().rfind(|step| matches!(step.action, Action::Expect(_) | Action::Send(_)));
    if let Some(Step { position, action: Action::Send(word) }) = last.filter(|_| purpose == Purpose::Dial)
        && is_command(&sent(word))
    {
        warnings.add(*position, WarningKind::NothingExpected);
    }
}

/// What is sent of a word: without its pauses.
fn sent(word: &[u8]) -> Vec<u8> {
    let actions = send_actions(&clean_send(word, &ScriptOptions::default()).octets);
    let octet = |action| match action {
        SendAction::Octet(octet) => Some(octet),
        SendAction::LongPause | SendAction::ShortPause | SendAction::Break => None,
    };
    actions.into_iter().filter_map(octet).collect()
}

/// Whether this is a command to a modem, and neither a name that begins like one nor a part of one.
fn is_command(text: &[u8]) -> bool {
    let Some((attention, rest)) = text.trim_ascii().split_at_checked(2) else { return false };
    let goes_on = match rest {
        [b'D' | b'd', b'T' | b't' | b'P' | b'p', ..] => true,
        [first, second, ..] => !(first.is_ascii_alphabetic() && second.is_ascii_alphabetic()),
        [_] | [] => true,
    };
    attention.eq_ignore_ascii_case(b"AT") && goes_on
}

/// What modems answer, word for word (ITU-T V.250 §6.3 and common practice).
const RESULT_CODES: [&str; 9] = [
    "OK",
    "CONNECT",
    "ERROR",
    "BUSY",
    "NO ANSWER",
    "NO CARRIER",
    "NO DIALTONE",
    "NO DIAL TONE",
    "NO DIAL-TONE",
];

/// A string that is nearly a result code: one edit away from it, or different in its case only.
pub(super) fn nearly_a_result_code(string: &[u8], ignoring_case: bool) -> Option<WarningKind> {
    let text = string.trim_ascii();
    let is_part = |octet: &u8| octet.is_ascii_alphabetic() || matches!(octet, b' ' | b'-');
    let end = text.iter().position(|octet| !is_part(octet)).unwrap_or(text.len());
    let word = text.get(..end).unwrap_or_default().trim_ascii();
    let is_in = |word: &[u8], code: &str| code.as_bytes().windows(word.len().max(1)).any(|part| part == word);
    if RESULT_CODES.iter().any(|code| is_in(text, code) || is_in(word, code)) {
        return None;
    }
    let is_nearly = |code: &&&str| {
        let (code, is_long) = (code.as_bytes(), code.len() > 3);
        let differs_in_case = ignoring_case && word.eq_ignore_ascii_case(code);
        // Of OK too much is one edit away.
        differs_in_case
            || (is_long && is_one_edit(word, code))
            || (code == b"OK" && matches!(text, b"0K" | b"KO"))
    };
    let code = RESULT_CODES.iter().find(is_nearly)?;
    let said: String = printable(if word.is_empty() { text } else { word });
    Some(WarningKind::NotAResultCode { said, code })
}

/// A keyword that this is one edit away from. Of SAY too much is.
pub(super) fn nearly_a_keyword(word: &[u8]) -> Option<&'static str> {
    const KEYWORDS: [&str; 7] = ["ABORT", "CLR_ABORT", "REPORT", "CLR_REPORT", "TIMEOUT", "ECHO", "HANGUP"];
    KEYWORDS.into_iter().find(|keyword| is_one_edit(word, keyword.as_bytes()))
}

/// Whether one octet was left out, put in or changed, or two were swapped.
fn is_one_edit(a: &[u8], b: &[u8]) -> bool {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (a.get(same..).unwrap_or_default(), b.get(same..).unwrap_or_default());
    let same = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    match (a.get(..a.len() - same), b.get(..b.len() - same)) {
        (Some([_]), Some([_] | [])) | (Some([]), Some([_])) => true,
        (Some([a, b]), Some([c, d])) => a == d && b == c,
        _ => false,
    }
}

//! PINs and passwords in what a person wrote: known by the words before them, and never shown.
//!
//! It promises to find them where the syntax is broken, too, which is where a line is quoted. So they are not told
//! apart from what follows them on their line: who forgot a quote has not said where they end.

use super::likeness::is_key;
use bridge_proto::chat::{carries_a_secret, names_a_secret};
use std::ops::Range;

/// Whether there may be one on the lines of `text` on which `span` is, in it or before it.
pub(super) fn is_near(text: &str, span: Range<usize>) -> bool {
    let start = text.get(..span.start).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
    text.get(start..span.end).unwrap_or_default().lines().any(|line| beginning(line).is_some())
}

/// The text with a `?` for each of their octets, so that everything stays where it was.
pub(super) fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (front, secret) = line.split_at(beginning(line).unwrap_or(line.len()));
        shown.push_str(front);
        for character in secret.chars() {
            match character {
                '"' | '\'' => shown.push(character),
                blank if blank.is_whitespace() => shown.push(blank),
                _ => shown.extend(std::iter::repeat_n('?', character.len_utf8())),
            }
        }
    }
    shown
}

/// Where on a line one may begin.
fn beginning(line: &str) -> Option<usize> {
    let begins_at =
        |end: &usize| line.split_at_checked(*end).is_some_and(|(front, rest)| begins(front, rest));
    let behind = |word: &str| line.match_indices(word).map(|(start, _)| start + word.len()).find(begins_at);
    let lone = end_of_lone_key(line).filter(begins_at);
    [behind("="), behind(":"), behind("\\q"), lone].into_iter().flatten().min()
}

/// Where the first word of a line ends, if it may be a key that lacks its `=`.
fn end_of_lone_key(line: &str) -> Option<usize> {
    let start = line.find(|character: char| !character.is_whitespace())?;
    let (word, rest) = line.get(start..)?.split_once([' ', '\t'])?;
    let is_key = !word.starts_with('[') && !rest.trim_start().starts_with(['=', ':']);
    is_key.then_some(start + word.len())
}

/// Whether `rest` begins with one, which what stands in `front` of it tells.
fn begins(front: &str, rest: &str) -> bool {
    /// No name and no prompt is longer, but a line may be.
    const LONGEST: usize = 64;
    let front = &front[front.floor_char_boundary(front.len().saturating_sub(LONGEST))..];
    if carries_a_secret(front.as_bytes()) {
        // A script names the variable, and does not say what is in it.
        let mut parts = rest.split_whitespace().next().unwrap_or_default().split(is_no_part);
        return parts.any(|part| !part.is_empty() && !part.starts_with('$'));
    }
    let front = front.trim_end_matches(['=', ':', ' ', '\t']);
    let name = front.rsplit([' ', '\t', '{', ',', '.']).next().unwrap_or_default();
    // What a modem answers is none, and begins with the name of the command.
    let is_answer = name.trim_start_matches(['"', '\'']).starts_with('+');
    !is_answer && !is_key(name) && names_a_secret(name.as_bytes())
}

fn is_no_part(character: char) -> bool {
    !character.is_alphanumeric() && !matches!(character, '$' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_name_a_command_or_a_prompt_is_masked_to_the_end_of_its_line() {
        for (written, shown) in [
            ("PIN = 1234", "PIN = ????"),
            (
                "\tmodem.a.variables.my_pass='hünter 2\nspeed = 9600",
                "\tmodem.a.variables.my_pass='??????? ?\nspeed = 9600",
            ),
            (
                "variables = { APN = 1, PIN: 12\"34, USER = 'x' }",
                "variables = { APN = 1, PIN: ??\"??? ???? ? '?' ?",
            ),
            ("SIM_PIN 1234", "SIM_PIN ????"),
            ("OK AT+CPIN=\"1234\" OK", "OK AT+CPIN=\"????\" ??"),
            ("OK at+cgauth=1,1,u,p", "OK at+cgauth=???????"),
            ("OK AT+CPIN=$PUK,1234", "OK AT+CPIN=?????????"),
            ("ogin: joe ssword: hunter2", "ogin: joe ssword: ???????"),
            ("OK \\qhunter2", "OK \\q???????"),
        ] {
            assert_eq!(masked(written), shown);
        }
    }

    #[test]
    fn all_else_is_shown() {
        for written in [
            "pass_pfc = 1",
            "[modem.spin] # PINs",
            "modem.passage.device = \"/dev/ttyUSB0\"",
            "OK 'AT+CPIN=\"$pin\"' READY",
            "'+CPIN: READY' AT+CPIN?",
            "ssword: $PASSWORD",
        ] {
            assert_eq!(masked(written), written);
        }
    }
}

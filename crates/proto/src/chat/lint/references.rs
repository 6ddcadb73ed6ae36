//! What a script refers to and nobody has given: variables and telephone numbers.

use super::{WarningKind, Warnings};
use crate::chat::escape::{ScriptOptions, is_name_octet};
use crate::chat::redact::printable;
use crate::chat::script::{Position, Quoting, Word, keyword};

/// What becomes of the references in a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Variables are replaced.
    Waited,
    /// So are telephone numbers.
    Sent,
    /// Neither is.
    Literal,
}

/// Judges a word by what stands before it: an expect string or a keyword makes its argument what it is.
pub(super) fn about_references(
    word: &Word,
    before: Option<&Word>,
    options: &ScriptOptions,
    warnings: &mut Warnings,
) {
    let keyword_before = before.map(|before| before.octets.as_slice()).filter(|word| keyword(word).is_some());
    let first = match (before, keyword_before) {
        (None, _) => Use::Waited,
        (Some(_), Some(b"ECHO" | b"HANGUP")) => Use::Literal,
        (Some(_), None | Some(b"SAY")) => Use::Sent,
        (Some(_), Some(_)) => Use::Waited,
    };
    let is_file = before.is_some() && keyword_before.is_none() && word.octets.starts_with(b"@");
    if first == Use::Literal || is_file {
        return;
    }
    let mut meant = first;
    let mut rest = word.octets.as_slice();
    while let Some((&octet, after)) = rest.split_first() {
        let offset = word.octets.len() - rest.len();
        rest = after;
        match (octet, after.split_first(), &options.variables) {
            // What they protect, whatever it is.
            (b'^', Some((_, after)), _) => rest = after,
            (b'\\', Some((&letter, after)), _) => {
                rest = after;
                let number = match letter {
                    b'T' => &options.phone_number,
                    b'U' => &options.second_phone_number,
                    _ => continue,
                };
                if meant == Use::Sent && number.is_none() {
                    warnings.add(within(word, offset), WarningKind::NoNumber(char::from(letter)));
                }
            }
            (b'$', _, Some(variables)) => {
                let end = after.iter().position(|&o| !is_name_octet(o)).unwrap_or(after.len());
                let (name, after) = after.split_at_checked(end).unwrap_or((after, &[]));
                rest = after;
                if !variables.contains_key(name) {
                    warnings.add(within(word, offset), WarningKind::UndefinedVariable(printable(name)));
                }
            }
            // In `expect-send-expect` they take turns.
            (b'-', _, _) if before.is_none() => {
                meant = if meant == Use::Waited { Use::Sent } else { Use::Waited };
            }
            _ => {}
        }
    }
}

/// The place of an octet of a word.
fn within(word: &Word, offset: usize) -> Position {
    let column = match word.quoting {
        Quoting::Bare => word.position.column + offset,
        Quoting::Quoted => word.position.column + 1 + offset,
        // Whether it has a quote itself is not known.
        Quoting::AfterQuote => word.position.column,
    };
    Position { column, ..word.position }
}

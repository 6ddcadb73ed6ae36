//! Chat scripts: read, and judged where they are written.

use super::problem::{Place, Problems};
use bridge_proto::chat::{Position, Script};
use std::path::Path;
use std::sync::Arc;

/// What dials most sticks, in whose words it is only a telephone number that differs.
pub(super) const DEFAULT: &str = "\
ABORT BUSY
ABORT 'NO CARRIER'
ABORT 'NO DIALTONE'
ABORT 'NO ANSWER'
ABORT ERROR
TIMEOUT 10
'' ATZ
OK ATE0
TIMEOUT 60
OK ATD\\T
CONNECT \\c
";

/// The number that reaches the packet service of a GSM, UMTS or LTE network.
pub(super) const DEFAULT_PHONE: &str = "*99#";

/// Reads a script from its file. `named_at` is where the file is named.
pub(super) fn from_file(
    problems: &mut Problems,
    path: &Path,
    named_at: Option<&Place>,
    remedy: &str,
) -> Option<Arc<Script>> {
    let octets = match std::fs::read(path) {
        Ok(octets) => octets,
        Err(error) => {
            let what = format!("cannot read the chat script {}: {error}", path.display());
            problems.error(named_at.cloned(), what, Some(remedy.to_owned()));
            return None;
        }
    };
    let source = problems.add_source(path, showable(&octets));
    parse(problems, &octets, |position| {
        let start = offset(&octets, position);
        Place::new(source, start..end_of_word(&octets, start))
    })
}

/// Reads a script that stands in the configuration.
pub(super) fn inline(problems: &mut Problems, text: &str, place: &Place) -> Option<Arc<Script>> {
    // Only in a literal string of many lines is what is written what is meant, octet for octet.
    let written = problems.text(place);
    let body = written.strip_prefix("'''").and_then(|body| body.strip_suffix("'''"));
    let skipped = body.and_then(|body| {
        let first_line_end = usize::from(body.starts_with('\n'));
        (body.get(first_line_end..) == Some(text)).then_some(3 + first_line_end)
    });
    let octets = text.as_bytes();
    parse(problems, octets, |position| match skipped {
        Some(skipped) => {
            let start = offset(octets, position);
            place.within(skipped + start..skipped + end_of_word(octets, start))
        }
        None => place.clone(),
    })
}

fn parse(problems: &mut Problems, octets: &[u8], place: impl Fn(Position) -> Place) -> Option<Arc<Script>> {
    match Script::parse(octets) {
        Ok(script) => {
            for warning in script.lint() {
                problems.warn(Some(place(warning.position)), format!("chat script: {}", warning.kind), None);
            }
            Some(Arc::new(script))
        }
        Err(error) => {
            let at = place(Position { line: error.line, column: error.column });
            problems.error(Some(at), format!("chat script: {}", error.kind), None);
            None
        }
    }
}

/// The text with its octets where they were, whatever its encoding.
fn showable(octets: &[u8]) -> String {
    let masked =
        || octets.iter().map(|octet| if octet.is_ascii() { char::from(*octet) } else { '?' }).collect();
    std::str::from_utf8(octets).map_or_else(|_| masked(), str::to_owned)
}

fn offset(octets: &[u8], position: Position) -> usize {
    let lines = octets.split_inclusive(|octet| *octet == b'\n');
    let before: usize = lines.take(position.line.saturating_sub(1)).map(<[u8]>::len).sum();
    (before + position.column.saturating_sub(1)).min(octets.len())
}

fn end_of_word(octets: &[u8], start: usize) -> usize {
    let rest = octets.get(start..).unwrap_or_default();
    let line = rest.split(|octet| *octet == b'\n').next().unwrap_or_default();
    let length = match line.split_first() {
        Some((quote @ (b'\'' | b'"'), inside)) => {
            inside.iter().position(|octet| octet == quote).map(|length| length + 2)
        }
        _ => line.iter().position(u8::is_ascii_whitespace),
    };
    start + length.unwrap_or(line.len())
}

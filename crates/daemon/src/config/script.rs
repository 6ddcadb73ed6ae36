//! Chat scripts: read, and judged where they are written.

use super::likeness::nearest;
use super::problem::{Place, Problems};
use bridge_proto::chat::{ConversationOptions, Position, Purpose, Script, WarningKind};
use std::path::Path;
use std::sync::Arc;

/// What dials most sticks, in whose words it is only a telephone number that differs.
pub(crate) const DEFAULT: &str = "\
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
pub(crate) const DEFAULT_PHONE: &str = "*99#";

/// What a script is for, and with what it will be run.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) purpose: Purpose,
    pub(super) options: &'a ConversationOptions,
    /// Variables may come from the environment, which may be another one when the script is run.
    pub(super) environment: bool,
    /// Numbers are given by options of the command line, not by keys.
    pub(super) by_arguments: bool,
}

/// Reads a script from its file. `named_at` is where the file is named.
pub(super) fn from_file(
    problems: &mut Problems,
    path: &Path,
    named_at: Option<&Place>,
    remedy: &str,
    setting: Setting<'_>,
) -> Option<Arc<Script>> {
    let octets = match super::read_file(path) {
        Ok(octets) => octets,
        Err(error) => {
            let what = format!("cannot read the chat script {}: {error}", path.display());
            problems.error(named_at.cloned(), what, Some(remedy.to_owned()));
            return None;
        }
    };
    let source = problems.add_source(path, super::sources::showable(&octets));
    parse(problems, &octets, setting, |position| {
        let start = offset(&octets, position);
        Place::new(source, start..end_of_word(&octets, start))
    })
}

/// Reads a script that stands in the configuration.
pub(super) fn inline(
    problems: &mut Problems,
    text: &str,
    place: &Place,
    setting: Setting<'_>,
) -> Option<Arc<Script>> {
    let octets = text.as_bytes();
    let starts = starts(problems.text(place), text).unwrap_or_default();
    parse(problems, octets, setting, |position| {
        let start = offset(octets, position);
        match (starts.get(start), starts.get(end_of_word(octets, start))) {
            (Some(start), Some(end)) if start < end => place.within(*start..*end),
            _ => place.clone(),
        }
    })
}

/// Where each octet of `said`, and its end, is in `written`: the same text as TOML has it, in quotes and with escapes.
fn starts(written: &str, said: &str) -> Option<Vec<usize>> {
    let quotes = ["'''", "\"\"\"", "'", "\""].into_iter().find(|quotes| written.starts_with(quotes))?;
    let inside = written.strip_prefix(quotes)?.strip_suffix(quotes)?;
    let mut rest = inside.strip_prefix('\n').filter(|_| quotes.len() > 1).unwrap_or(inside);
    let mut starts = Vec::with_capacity(said.len() + 1);
    let at = |rest: &str| written.len() - quotes.len() - rest.len();
    for character in said.chars() {
        rest = if quotes.starts_with('"') { behind_joints(rest) } else { rest };
        starts.extend(std::iter::repeat_n(at(rest), character.len_utf8()));
        rest = match rest.strip_prefix('\\').filter(|_| quotes.starts_with('"')) {
            Some(escape) => escape.get(length_of_escape(escape)..)?,
            None => rest.strip_prefix(character)?,
        };
    }
    starts.push(at(rest));
    Some(starts)
}

/// What follows the ends of lines that a `\` takes away, if any are in front.
fn behind_joints(text: &str) -> &str {
    let mut rest = text;
    while let Some(line) = rest.strip_prefix('\\').map(|line| line.trim_start_matches([' ', '\t', '\r']))
        && line.starts_with('\n')
    {
        rest = line.trim_start_matches([' ', '\t', '\r', '\n']);
    }
    rest
}

/// How long an escape is, behind its `\`.
fn length_of_escape(escape: &str) -> usize {
    match escape.chars().next() {
        Some('x') => 3,
        Some('u') => 5,
        Some('U') => 9,
        _ => 1,
    }
}

fn parse(
    problems: &mut Problems,
    octets: &[u8],
    setting: Setting<'_>,
    place: impl Fn(Position) -> Place,
) -> Option<Arc<Script>> {
    match Script::parse(octets) {
        Ok(script) => {
            for warning in script.lint(setting.purpose, setting.options) {
                let (at, what) = (place(warning.position), format!("chat script: {}", warning.kind));
                let help = remedy(&warning.kind, setting);
                // What no variable can stand for would be left out of every call.
                if matches!(warning.kind, WarningKind::UndefinedVariable(_)) && !setting.environment {
                    problems.error(Some(at), what, help);
                } else {
                    problems.warn(Some(at), what, help);
                }
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

/// What to do about it, if what is wrong does not say so itself.
fn remedy(kind: &WarningKind, setting: Setting<'_>) -> Option<String> {
    match kind {
        WarningKind::UndefinedVariable(name) if !name.is_empty() => {
            let variables = setting.options.script.variables.iter().flatten();
            let names = variables.filter_map(|(name, _)| std::str::from_utf8(name).ok());
            Some(match nearest(name, names) {
                Some(near) => format!("did you mean `${near}`?"),
                None if setting.by_arguments => format!("set {name} in the environment of the bridge"),
                None if setting.environment => {
                    format!("set {name} in `variables`, or in the environment of the bridge")
                }
                None => format!("set {name} in `variables`"),
            })
        }
        WarningKind::NoNumber(letter) => {
            let key = if *letter == 'T' { "phone" } else { "phone2" };
            Some(if setting.by_arguments { format!("give --{key}=NUMBER") } else { format!("set `{key}`") })
        }
        _ => None,
    }
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
        Some((b'$', name)) => {
            let is_name = |octet: &&u8| octet.is_ascii_alphanumeric() || **octet == b'_';
            Some(1 + name.iter().take_while(is_name).count())
        }
        Some((b'\\', [_, ..])) => Some(2),
        Some((quote @ (b'\'' | b'"'), inside)) => {
            inside.iter().position(|octet| octet == quote).map(|length| length + 2)
        }
        _ => line.iter().position(u8::is_ascii_whitespace),
    };
    start + length.unwrap_or(line.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use toml::de::DeTable;

    #[test]
    fn each_word_is_found_however_its_text_is_quoted() {
        for written in [
            "'OK ATé é'",
            "\"OK ATé é\"",
            "'''\nOK ATé é'''",
            "\"\"\"\nOK ATé é\"\"\"",
            "\"\\x4fK AT\\u00e9 \\U000000e9\"",
            "\"\"\"OK\\\n   AT\\u00E9 é\"\"\"",
            "\"\"\"OK \\  \n\n  \\\n AT\\u00E9 é\"\"\"",
        ] {
            let document = format!("x = {written}");
            let table = DeTable::parse(&document).unwrap();
            let said = table.get_ref().get("x").and_then(|value| value.get_ref().as_str()).unwrap();
            let starts = starts(written, said).unwrap();
            assert_eq!(starts.len(), said.len() + 1);
            let word = said.find("AT").unwrap();
            assert!(written[starts[word]..].starts_with("AT"), "{written}");
            let end = &written[starts[said.len()]..];
            assert!(matches!(end, "'" | "\"" | "'''" | "\"\"\""), "{written}: {end}");
        }
    }

    #[test]
    fn what_is_no_such_text_has_no_places() {
        for (written, said) in [("", ""), ("x", "x"), ("'x", "x"), ("'x'", "y"), ("'''\r\nx\r\n'''", "x\n")] {
            assert_eq!(starts(written, said), None);
        }
    }
}

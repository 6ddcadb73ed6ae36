//! What is wrong with the syntax of a file, and what was probably meant.

use super::problem::{Place, Problems};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Of a file that is no TOML at all each line is wrong; so many of them say so.
const MOST_SLIPS: usize = 100;

/// The tables of a text, and whether they are all that it says.
pub(super) fn parse<'t>(
    source: usize,
    text: &'t str,
    problems: &mut Problems,
) -> (Spanned<DeTable<'t>>, bool) {
    if let Some(span) = first_word_of_a_script(text) {
        let help = "name it by `chat_file` in [modem.NAME] of a configuration, and check that";
        problems.error(Some(Place::new(source, span)), "this is a chat script", Some(help.into()));
        return (DeTable::parse_recoverable("").0, false);
    }
    let (table, mut errors) = DeTable::parse_recoverable(text);
    errors.sort_by_key(|error| error.span().map(|span| span.start));
    let is_whole = errors.is_empty();
    let mut told = None;
    for error in errors.into_iter().take(MOST_SLIPS) {
        let Some(span) = error.span() else {
            problems.error(None, error.message(), None);
            continue;
        };
        // What follows on the same line follows from that, and a script has a `\` in each of its words.
        let line = text.get(..span.start).unwrap_or_default().matches('\n').count();
        if told.replace(line) != Some(line) {
            Slip { source, text, span, message: error.message() }.tell(&table, problems);
        }
    }
    (table, is_whole)
}

/// Where the first word of a chat script is, if the text is one, and nothing like a configuration.
fn first_word_of_a_script(text: &str) -> Option<Range<usize>> {
    const WORDS: [&str; 8] = ["ABORT", "TIMEOUT", "ECHO", "HANGUP", "REPORT", "SAY", "''", "\"\""];
    let of_a_key = |found: char| found.is_ascii_alphanumeric() || "_-.'\" \t".contains(found);
    let is_toml = |line: &str| {
        let key = line.split_once('=').map(|(key, _)| key.trim());
        line.starts_with('[') || key.is_some_and(|key| !key.contains(' ') && key.chars().all(of_a_key))
    };
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let first = lines.clone().next()?.split_whitespace().next()?;
    if !WORDS.contains(&first) || lines.any(is_toml) {
        return None;
    }
    let comments: usize = text
        .split_inclusive('\n')
        .take_while(|line| !line.trim_start().starts_with(first))
        .map(str::len)
        .sum();
    let start = comments + text.get(comments..)?.find(first)?;
    Some(start..start + first.len())
}

/// One thing that is wrong.
struct Slip<'t> {
    source: usize,
    text: &'t str,
    span: Range<usize>,
    message: &'t str,
}

impl Slip<'_> {
    fn tell(&self, table: &Spanned<DeTable<'_>>, problems: &mut Problems) {
        let place = Place::new(self.source, self.span.clone());
        let is_duplicate = self.message == "duplicate key";
        if self.is_inside_a_secret(problems) || (is_duplicate && problems.is_secret(&place)) {
            // All that could be said of it would quote it.
            return problems.error(Some(place), self.message, None);
        }
        if is_duplicate {
            return self.tell_duplicate(table, problems);
        }
        if self.message.contains("escape") {
            let what = "in double quotes a `\\` begins an escape of TOML, and this is none";
            let help = "write the text in single quotes: '...', or '''...''' if it has many lines";
            let escaped = self.text.get(self.span.start..).and_then(|rest| rest.chars().next());
            let end = self.span.start + escaped.map_or(0, char::len_utf8);
            let escape = Place::new(self.source, self.span.start.saturating_sub(1)..end);
            return problems.error(Some(escape), what, Some(help.into()));
        }
        for (kind, quotes) in [("multi-line literal", "'''"), ("multi-line basic", "\"\"\"")] {
            let before = self.text.get(..self.span.start).unwrap_or_default();
            let is_unclosed = self.message.contains(kind) && self.rest().is_empty();
            if let Some(start) = before.rfind(quotes).filter(|_| is_unclosed) {
                let opening = Place::new(self.source, start..start + quotes.len());
                let help = format!("close it with {quotes}");
                return problems.error(Some(opening), "the text that begins here has no end", Some(help));
            }
        }
        let (what, help) = self.words(problems);
        problems.error(Some(place), what, help);
    }

    fn found(&self) -> &str {
        self.text.get(self.span.clone()).unwrap_or_default()
    }

    /// The rest of the line, without a comment.
    fn rest(&self) -> &str {
        let rest = self.text.get(self.span.start..).unwrap_or_default();
        rest.split(['\n', '#']).next().unwrap_or_default().trim()
    }

    /// What the line has in front.
    fn front(&self) -> &str {
        let before = self.text.get(..self.span.start).unwrap_or_default();
        before.rsplit('\n').next().unwrap_or_default().trim_start()
    }

    /// Whether the line begins inside a PIN or a password.
    fn is_inside_a_secret(&self, problems: &Problems) -> bool {
        let line = self.line();
        let text = self.text.get(line.clone()).unwrap_or_default();
        let first = text.char_indices().find(|(_, character)| character.is_alphanumeric());
        first.is_some_and(|(at, character)| {
            let start = line.start + at;
            problems.is_secret(&Place::new(self.source, start..start + character.len_utf8()))
        })
    }

    /// Where the whole line is.
    fn line(&self) -> Range<usize> {
        let rest = self.text.get(self.span.end..).unwrap_or_default();
        self.span.start - self.front().len()..self.span.end + rest.find('\n').unwrap_or(rest.len())
    }

    /// A value as TOML wants it, unless a PIN or a password may be on its line.
    fn written(&self, value: &str, problems: &Problems) -> String {
        let is_secret = problems.is_secret(&Place::new(self.source, self.line()));
        if is_secret { "\"...\"".to_owned() } else { written(value) }
    }

    /// What is wrong, and what to write.
    fn words(&self, problems: &Problems) -> (String, Option<String>) {
        let (front, rest) = (self.front(), self.rest());
        if let Some((key, value)) = front.split_once('=') {
            return self.of_value(key.trim(), value.trim_start(), problems);
        }
        let as_found = self.message.to_owned();
        if front.is_empty() && (rest.starts_with(';') || rest.starts_with("//")) {
            return (as_found, Some("a comment begins with #".to_owned()));
        }
        if front.starts_with('[') {
            let help = match (front.ends_with(']'), rest.is_empty()) {
                (true, _) => "a line with [NAME] ends there".to_owned(),
                (false, true) => format!("close it: {front}]"),
                (false, false) => "what is no letter, digit, - or _ needs quotes in a name".to_owned(),
            };
            return (as_found, Some(help));
        }
        // `speed: 9600` and `speed 9600`: a key, and what ought to be its value.
        let line = format!("{front}{rest}");
        let end = line.find(|found: char| !(found.is_ascii_alphanumeric() || found == '_'));
        let (key, value) = line.split_at_checked(end.unwrap_or(line.len())).unwrap_or_default();
        let value = value.trim_start_matches([':', ' ', '\t']).trim();
        let is_clear = !key.is_empty() && !value.is_empty() && !value.contains('=');
        let help = || {
            format!("between a key and its value stands =, as in {key} = {}", self.written(value, problems))
        };
        (as_found, is_clear.then(help))
    }

    /// The same of a value, of which `in_front` stands in front of what was found.
    fn of_value(&self, key: &str, in_front: &str, problems: &Problems) -> (String, Option<String>) {
        let (found, rest) = (self.found(), self.rest());
        let as_found = self.message.to_owned();
        if self.message.starts_with("missing comma") {
            return (as_found, Some("write a comma between them".to_owned()));
        }
        let first = in_front.split_whitespace().next().unwrap_or_default();
        if is_whole(in_front) || (rest.starts_with('=') && is_whole(first)) {
            let is_key = rest.contains('=');
            let help = if is_key {
                "write one key on a line"
            } else {
                "the value ends there; a comment begins with #"
            };
            return (as_found, Some(help.to_owned()));
        }
        if in_front.starts_with(['"', '\'']) {
            let help = "close the text with the quote that it begins with, on its line";
            return (as_found, Some(help.to_owned()));
        }
        let is_inside = in_front.starts_with(['[', '{']);
        let value = match (is_inside, in_front.is_empty()) {
            (true, _) => found.to_owned(),
            (false, true) => rest.to_owned(),
            (false, false) => format!("{in_front}{rest}"),
        };
        if value.is_empty() && !is_inside {
            let help = "write what it is, or take the line away".to_owned();
            return (format!("`{key}` has no value"), Some(help));
        }
        if value.starts_with('=') {
            return (as_found, Some("one = is enough".to_owned()));
        }
        if !is_inside && value.contains(" ;") {
            return (as_found, Some("a comment begins with #".to_owned()));
        }
        if !is_plain(&value) {
            return (as_found, None);
        }
        let meant = self.written(&value, problems);
        let what = if meant.starts_with('"') {
            "a text needs quotes".to_owned()
        } else {
            format!("`{value}` is not how TOML writes this")
        };
        let help = if is_inside { format!("write {meant}") } else { format!("write {key} = {meant}") };
        (what, Some(help))
    }

    fn tell_duplicate(&self, table: &Spanned<DeTable<'_>>, problems: &mut Problems) {
        let name = self.found();
        let place = Place::new(self.source, self.span.clone());
        let line_of = |start: usize| self.text.get(..start).unwrap_or_default().matches('\n').count() + 1;
        if self.front().starts_with('[') {
            let header = format!("{}{name}]", self.front());
            let what = format!("{header} begins a table that has begun already");
            let mut starts = self.text.match_indices(&header).map(|(start, _)| start);
            let first = starts.find(|start| start + header.len() < self.span.start);
            let help = match first {
                Some(start) => format!("it begins in line {}: put its keys together there", line_of(start)),
                None => {
                    let prefix = format!("{}.", header.trim_matches(['[', ']']));
                    let line = self.text.lines().position(|line| line.trim_start().starts_with(&prefix));
                    let begun = line.map_or(String::new(), |line| format!(" in line {}", line + 1));
                    format!("keys begin it{begun}: write {header} above them, and them without `{prefix}`")
                }
            };
            return problems.error(Some(place), what, Some(help));
        }
        let mut earlier = Vec::new();
        self.collect(table.get_ref(), 0, &mut earlier);
        let help = match earlier.into_iter().max() {
            Some((.., first)) => format!("it is in line {} already: keep one of them", line_of(first)),
            None => "keep one of them".to_owned(),
        };
        problems.error(Some(place), format!("`{name}` is given twice"), Some(help));
    }

    /// Where a key of this name stands earlier: in a table as near as can be, behind the same words if it can be.
    fn collect(&self, table: &DeTable<'_>, header: usize, earlier: &mut Vec<(usize, bool, usize)>) {
        for (key, value) in table {
            let start = key.span().start;
            if key.get_ref() == self.found() && start < self.span.start && header < self.span.start {
                let front = Slip { span: start..start, ..*self }.front().to_owned();
                earlier.push((header, front == self.front(), start));
            }
            if let DeValue::Table(inner) = value.get_ref() {
                let own = value.span();
                let has_header = self.text.get(own.start..).is_some_and(|text| text.starts_with('['));
                self.collect(inner, if has_header { own.start } else { header }, earlier);
            }
        }
    }
}

/// Whether this is all of a value: a text that ends with its quote, or one word that TOML knows.
fn is_whole(value: &str) -> bool {
    let value = value.trim_end();
    let Some(quote) = value.chars().next().filter(|first| matches!(first, '"' | '\'')) else {
        return matches!(value, "true" | "false") || value.parse::<i64>().is_ok();
    };
    let mut is_protected = false;
    let closes = |found: char| {
        let closes = found == quote && !is_protected;
        is_protected = quote == '"' && found == '\\' && !is_protected;
        closes
    };
    value.len() > 1 && value.get(1..).and_then(|inside| inside.find(closes)) == value.len().checked_sub(2)
}

/// Whether these are words without quotes, or in those of typographers.
fn is_plain(value: &str) -> bool {
    !value.is_empty() && !value.contains(['"', '\'', '\n', '=', '[', ']', '{', '}'])
}

/// As TOML wants it.
fn written(value: &str) -> String {
    let value = value.trim_matches(['“', '”', '„', '‘', '’', '«', '»', '`']);
    if let Some(truth) = super::value::truth(value) {
        return truth.to_string();
    }
    let thousands = value.strip_suffix(['k', 'K']).and_then(|digits| digits.parse::<u32>().ok());
    if let Some(thousands) = thousands {
        return format!("{thousands}000");
    }
    match value.trim_start_matches('0') {
        digits if !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            digits.to_owned()
        }
        _ if value.starts_with(['"', '\'']) => value.to_owned(),
        _ => format!("\"{value}\""),
    }
}

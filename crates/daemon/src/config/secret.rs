//! PINs and passwords in what a person wrote: known by the words before them, and never shown.
//!
//! It promises to find them where the syntax is broken, too, which is where a line is quoted. So they are not told
//! apart from what follows them on their line: who forgot a quote has not said where they end. One that does not end
//! on its line is masked with all lines up to where it does. In doubt that is too much: what is masked for nothing can
//! be read in the file.

use super::likeness::is_key;
use bridge_proto::chat::{carries_a_secret, names_a_secret};

/// The text with a `?` for each of their octets, so that everything stays where it was.
pub(super) fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut unfinished: Option<Value> = None;
    for line in text.split_inclusive('\n') {
        let following = text.get(shown.len() + line.len()..).unwrap_or_default();
        let begins_at = if unfinished.is_some() { Some(0) } else { beginning(line, following) };
        let (front, secret) = line.split_at(begins_at.unwrap_or(line.len()));
        shown.push_str(front);
        push_masked(&mut shown, secret);
        if begins_at.is_some() {
            let mut value = unfinished.unwrap_or_default();
            value.read(secret);
            unfinished = Some(value).filter(|value| !value.is_complete());
        }
    }
    shown
}

/// Quotes and blanks are left, so that it is seen what is wrong with them.
fn push_masked(shown: &mut String, secret: &str) {
    for character in secret.chars() {
        match character {
            '"' | '\'' => shown.push(character),
            blank if blank.is_whitespace() => shown.push(blank),
            _ => shown.extend(std::iter::repeat_n('?', character.len_utf8())),
        }
    }
}

/// How far the value of a secret has come: it may be on the lines below its name.
#[derive(Default)]
struct Value {
    /// Brackets that are open.
    depth: usize,
    /// Those of a text of many lines that is open.
    quotes: Option<&'static str>,
    /// There was something.
    has_come: bool,
    /// The line ends with a `\`, and so with no word.
    goes_on: bool,
}

impl Value {
    const fn is_complete(&self) -> bool {
        self.has_come && self.depth == 0 && self.quotes.is_none() && !self.goes_on
    }

    /// Reads on, to the end of a line.
    fn read(&mut self, line: &str) {
        let mut rest = line;
        if let Some(quotes) = self.quotes {
            let Some((_, behind)) = split_at_closing(line, quotes) else { return };
            self.quotes = None;
            self.has_come = true;
            rest = behind;
        }
        // What stands in a comment is no value. If it is a part of one, then only too much is masked.
        rest = rest.split('#').next().unwrap_or_default().trim_end();
        self.goes_on = rest.ends_with('\\');
        while let Some(first) = rest.chars().next() {
            let behind = rest.get(first.len_utf8()..).unwrap_or_default();
            rest = if matches!(first, '"' | '\'') { self.read_text(rest, behind) } else { behind };
            match first {
                '[' | '{' => self.depth += 1,
                ']' | '}' => self.depth = self.depth.saturating_sub(1),
                // Perhaps behind another name or prompt.
                '=' | ':' => self.has_come = false,
                letter => self.has_come |= letter.is_alphanumeric(),
            }
        }
    }

    /// Reads a text in quotes, with which `line` begins, and returns what stands behind it.
    fn read_text<'t>(&mut self, line: &'t str, inside: &'t str) -> &'t str {
        let long = ["\"\"\"", "'''"].into_iter().find(|quotes| line.starts_with(quotes));
        // Behind the value they more likely end the script that it is in.
        if let Some(quotes) = long.filter(|_| !self.has_come || self.depth > 0) {
            let inside = line.get(quotes.len()..).unwrap_or_default();
            let closed = split_at_closing(inside, quotes);
            self.quotes = Some(quotes).filter(|_| closed.is_none());
            self.has_come |= closed.is_some();
            return closed.map_or("", |(_, behind)| behind);
        }
        let quote = line.get(..1).unwrap_or_default();
        let (text, behind) = split_at_closing(inside, quote).unwrap_or((inside, ""));
        // What looks like a text may be the end of one and the beginning of the next, with a prompt in it.
        let last = text.rsplit(['=', ':']).next().unwrap_or_default();
        let is_empty = text.is_empty() && line.len() > quote.len();
        self.has_come |= is_empty || last.contains(char::is_alphanumeric);
        behind
    }
}

/// Splits at the first of these quotes that no `\` precedes: it might make them a part of the text.
fn split_at_closing<'t>(text: &'t str, quotes: &str) -> Option<(&'t str, &'t str)> {
    let mut found = text.match_indices(quotes).map(|(at, _)| at);
    let at = found.find(|at| text.get(..*at).is_some_and(|inside| !inside.ends_with('\\')))?;
    Some((text.get(..at)?, text.get(at + quotes.len()..)?))
}

/// Where on a line one may begin; `following` are the lines below.
fn beginning(line: &str, following: &str) -> Option<usize> {
    let begins_at =
        |end: &usize| line.split_at_checked(*end).is_some_and(|(front, rest)| begins(front, rest, following));
    let ends = |word: &'static str| line.match_indices(word).map(move |(start, _)| start + word.len());
    let behind = |word| ends(word).find(begins_at);
    let tables = ends("{").chain(ends(",")).chain([0]);
    let lone = tables.filter_map(|start| end_of_lone_key(line, start)).filter(begins_at).min();
    [behind("="), behind(":"), behind("\\q"), lone].into_iter().flatten().min()
}

/// Where the first word from `start` on ends, if it may be a key that lacks its `=`.
fn end_of_lone_key(line: &str, start: usize) -> Option<usize> {
    let behind = line.get(start..)?.trim_start();
    let ends = |character: char| character.is_whitespace() || matches!(character, ',' | '{');
    let (word, rest) = behind.split_at_checked(behind.find(ends).unwrap_or(behind.len()))?;
    let is_of_a_key = |character: char| character.is_alphanumeric() || "_-.'\"".contains(character);
    let is_key = match rest.trim_start().chars().next() {
        Some(next) => !word.starts_with('[') && !matches!(next, '=' | ':' | ','),
        // A script may say `$PIN` or `AT+CPIN?` there.
        None => word.chars().all(is_of_a_key),
    };
    is_key.then_some(line.len() - rest.len())
}

/// Whether `rest` begins with one, or what follows if it is blank, which what stands in `front` of it tells.
fn begins(front: &str, rest: &str, following: &str) -> bool {
    /// No name and no prompt is longer, but a line may be.
    const LONGEST: usize = 64;
    let front = &front[front.floor_char_boundary(front.len().saturating_sub(LONGEST))..];
    if carries_a_secret(front.as_bytes()) {
        // A script names the variable, and does not say what is in it.
        let words = rest.split_whitespace().chain(following.split_whitespace());
        let mut words = words.map(|word| word.trim_matches(is_no_word)).filter(|word| !word.is_empty());
        return words.next().is_some_and(|word| !is_reference(word));
    }
    let front = front.trim_end_matches(['=', ':', ' ', '\t']);
    let name = front.rsplit([' ', '\t', '{', ',', '.']).next().unwrap_or_default();
    // What a modem answers is none, and begins with the name of the command.
    let is_answer = name.trim_start_matches(['"', '\'']).starts_with('+');
    !is_answer && !is_key(name) && names_a_secret(name.as_bytes())
}

/// What stands between words.
const fn is_no_word(character: char) -> bool {
    matches!(character, '"' | '\'' | '\\' | ',' | '[' | ']' | '{' | '}')
}

/// Whether a word of a script is nothing but names of variables.
fn is_reference(word: &str) -> bool {
    let is_no_part = |character: char| !character.is_alphanumeric() && !matches!(character, '$' | '_');
    word.starts_with('$') && word.split(is_no_part).all(|part| part.is_empty() || part.starts_with('$'))
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
    fn one_that_does_not_end_on_its_line_is_masked_up_to_where_it_does() {
        for (written, shown) in [
            ("PIN =\n\n # x\n4711\nAPN = x", "PIN =\n\n ? ?\n????\nAPN = x"),
            ("PIN\n= 4711\nAPN = x", "PIN\n? ????\nAPN = x"),
            ("{ A = 1, PIN 4711 }\n[x]", "{ A = 1, PIN ???? ?\n[x]"),
            ("{ A = 1, PIN\n= 4711 }\n[x]", "{ A = 1, PIN\n? ???? ?\n[x]"),
            ("PIN = [ # ]\n 'a]', [1],\n 4711\n]\n[x]", "PIN = ? ? ?\n '??'? ????\n ????\n?\n[x]"),
            ("PIN = { a = \"\\\"}\",\n b = 4711 }\n[x]", "PIN = ? ? ? \"?\"?\"?\n ? ? ???? ?\n[x]"),
            ("PIN = '''\n'47'\n11'''\n[x]", "PIN = '''\n'??'\n??'''\n[x]"),
            ("PIN = [\"\"\"\n]\n\"\"\", 4711]\n[x]", "PIN = ?\"\"\"\n?\n\"\"\"? ?????\n[x]"),
            ("{ PIN = '', PUK =\n4711 }\n[x]", "{ PIN = ''? ??? ?\n???? ?\n[x]"),
            ("[ 'AT+CPIN=', # it's\n'4711' ]\n[x]", "[ 'AT+CPIN='? ? ??'?\n'????' ?\n[x]"),
            ("ssword:\n  hunter2 '\nOK", "ssword:\n  ??????? '\nOK"),
            ("AT+CPIN=47\\\n11\nOK", "AT+CPIN=???\n??\nOK"),
            ("ssword: !!!\nOK", "ssword: ???\n??"),
        ] {
            assert_eq!(masked(written), shown);
        }
    }

    #[test]
    fn what_ends_the_script_or_the_table_around_one_begins_nothing() {
        for (written, shown) in [
            ("AT+CPIN=4711 OK ''\"\"\"\n[x]", "AT+CPIN=???? ?? ''\"\"\"\n[x]"),
            ("ssword: hunter2 '''\n[x]", "ssword: ??????? '''\n[x]"),
            ("{ A = 1, PIN = 4711 }\n[x]", "{ A = 1, PIN = ???? ?\n[x]"),
            ("PIN = \"\"\nAPN = x", "PIN = \"\"\nAPN = x"),
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
            "ssword:\n$PASSWORD\nCONNECT",
            "AT+CPIN=\\\n$PIN\nCONNECT",
        ] {
            assert_eq!(masked(written), written);
        }
    }
}

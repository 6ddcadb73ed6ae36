//! [`Screen`]: the looks. Colours and moving lines on a terminal only, plain lines everywhere else.

use bridge_proto::time::Instant;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Stdout, Write};
use std::time::Duration;

/// How a piece of text looks on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Bold,
    Dim,
    Good,
    Bad,
    Name,
}

impl Paint {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "\x1b[1m",
            Self::Dim => "\x1b[2m",
            Self::Good => "\x1b[32m",
            Self::Bad => "\x1b[1;31m",
            Self::Name => "\x1b[36m",
        }
    }
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Screen {
    out: Stdout,
    began: Instant,
    is_terminal: bool,
    has_colours: bool,
    has_unicode: bool,
    has_moving_line: bool,
    is_gone: bool,
}

/// Columns before the text of a step: time, mark, name.
const NAME_WIDTH: usize = 9;
/// Columns of a terminal that is as narrow as they come.
const COLUMNS: usize = 80;
/// Columns of what stands before a detail.
const LABEL_WIDTH: usize = 13;

impl Screen {
    /// Standard output, for a demo that begins now.
    pub(super) fn stdout(now: Instant) -> Self {
        let out = io::stdout();
        let is_terminal = out.is_terminal();
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        Self {
            is_terminal: is_terminal && !is_dumb,
            has_colours: is_terminal && !is_dumb && !is_set("NO_COLOR"),
            has_unicode: ["LC_ALL", "LC_CTYPE", "LANG"]
                .into_iter()
                .find_map(|name| std::env::var_os(name).filter(|value| !value.is_empty()))
                .is_some_and(|locale| is_utf8(&locale)),
            out,
            began: now,
            has_moving_line: false,
            is_gone: false,
        }
    }

    /// Nobody reads any more.
    pub(super) fn is_gone(&self) -> bool {
        self.is_gone
    }

    /// Who stands where.
    pub(super) fn picture(&mut self) {
        let picture = if self.has_unicode { PICTURE } else { ASCII_PICTURE };
        self.blank();
        for line in picture {
            self.line(line);
        }
        self.blank();
    }

    /// A command as one would type it.
    pub(super) fn command(&mut self, words: &[String]) {
        let mut line = String::new();
        for word in words {
            if line.len() + word.len() > 70 {
                self.line(&format!("    {} \\", self.paint(Paint::Bold, &line)));
                line = "   ".to_owned();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(&format!("    {}", self.paint(Paint::Bold, &line)));
        self.blank();
    }

    /// A step that was taken at this time.
    pub(super) fn step(&mut self, at: Instant, name: &str, text: &str) {
        let mark = self.paint(Paint::Good, if self.has_unicode { "✓" } else { "*" });
        self.named(at, &mark, name, text);
    }

    fn named(&mut self, at: Instant, mark: &str, name: &str, text: &str) {
        let time = format!("{:6.2} s", (at - self.began).as_secs_f64());
        let line = format!(
            "{} {mark} {} {text}",
            self.paint(Paint::Dim, &time),
            self.paint(Paint::Name, &format!("{name:NAME_WIDTH$}"))
        );
        self.line(&line);
    }

    /// Something more about the step.
    pub(super) fn detail(&mut self, label: &str, text: &str) {
        let mut label = label;
        for line in wrapped(text, COLUMNS - DETAIL_INDENT.len() - LABEL_WIDTH) {
            let padded = self.paint(Paint::Dim, &format!("{label:LABEL_WIDTH$}"));
            self.line(&format!("{DETAIL_INDENT}{padded}{line}"));
            label = "";
        }
    }

    /// Two columns, the left one this wide, and a remark.
    pub(super) fn pair(&mut self, left: &str, width: usize, right: &str, remark: &str) {
        let line = format!("{DETAIL_INDENT}{left:width$}   {right}   {}", self.paint(Paint::Dim, remark));
        self.line(line.trim_end());
    }

    /// A line of the bridge's log.
    pub(super) fn log(&mut self, line: &str) {
        let bar = if self.has_unicode { "│" } else { "|" };
        let line = format!("{DETAIL_INDENT}{bar} {line}");
        self.line(&self.paint(Paint::Dim, &line));
    }

    /// What is under way, and how far, if that can be told; replaced by whatever comes next. On a terminal only.
    pub(super) fn moving(&mut self, now: Instant, name: &str, text: &str, done: Option<f64>) {
        if !self.is_terminal {
            return;
        }
        let text = done.map_or_else(|| text.to_owned(), |done| format!("{} {text}", self.bar(done)));
        self.clear_moving();
        let time = format!("{:6.2} s", (now - self.began).as_secs_f64());
        let line = format!(
            "{}   {} {text}",
            self.paint(Paint::Dim, &time),
            self.paint(Paint::Name, &format!("{name:NAME_WIDTH$}"))
        );
        self.has_moving_line = true;
        // What is too long for the terminal is cut: of a line that goes on below only the end could be wiped out.
        self.write(&format!("\x1b[?7l{line}\x1b[?7h"));
    }

    fn bar(&self, done: f64) -> String {
        const CELLS: usize = 24;
        let full = ((done.clamp(0.0, 1.0) * CELLS as f64) as usize).min(CELLS);
        let (on, off) = if self.has_unicode { ("━", "─") } else { ("=", "-") };
        let (on, off) = (on.repeat(full), off.repeat(CELLS - full));
        format!("{}{} {:3.0} %", self.paint(Paint::Good, &on), self.paint(Paint::Dim, &off), done * 100.0)
    }

    /// The good end.
    pub(super) fn succeeded(&mut self, text: &str) {
        self.blank();
        let line = format!("  {}", self.paint(Paint::Good, text));
        self.line(&line);
    }

    /// The bad end.
    pub(super) fn failed(&mut self, text: &str) {
        self.blank();
        let line = format!("  {}", self.paint(Paint::Bad, text));
        self.line(&line);
    }

    /// A line as it is.
    pub(super) fn line(&mut self, text: &str) {
        self.clear_moving();
        self.write(&format!("{text}\n"));
    }

    pub(super) fn blank(&mut self) {
        self.line("");
    }

    /// The text, looking so.
    pub(super) fn paint(&self, paint: Paint, text: &str) -> String {
        if self.has_colours && paint != Paint::Plain && !text.is_empty() {
            format!("{}{text}\x1b[0m", paint.code())
        } else {
            text.to_owned()
        }
    }

    fn clear_moving(&mut self) {
        if std::mem::take(&mut self.has_moving_line) {
            self.write("\r\x1b[K");
        }
    }

    fn write(&mut self, text: &str) {
        let written = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        self.is_gone |= written.is_err();
    }
}

/// What stands before a detail.
const DETAIL_INDENT: &str = "           ";

/// The text in lines of at most so many columns, where its words allow that.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn is_utf8(locale: &OsString) -> bool {
    let locale = locale.to_string_lossy().to_ascii_lowercase();
    locale.ends_with("utf-8") || locale.ends_with("utf8")
}

/// Milliseconds, with one figure behind the point.
pub(super) fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}

const PICTURE: [&str; 6] = [
    "  ┌───────────┐    Ethernet     ┌────────────┐   serial line   ┌───────────┐",
    "  │   host    ├─────────────────┤   bridge   ├─────────────────┤   modem   │",
    "  │ simulated │   a veth pair   │  for real  │      a pty      │ simulated │",
    "  └───────────┘                 └────────────┘                 └───────────┘",
    "                PPP over Ethernet             AT commands, then",
    "                  (RFC 2516)                PPP in HDLC (RFC 1662)",
];

const ASCII_PICTURE: [&str; 6] = [
    "  +-----------+    Ethernet     +------------+   serial line   +-----------+",
    "  |   host    |-----------------|   bridge   |-----------------|   modem   |",
    "  | simulated |   a veth pair   |  for real  |      a pty      | simulated |",
    "  +-----------+                 +------------+                 +-----------+",
    PICTURE[4],
    PICTURE[5],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_between_words() {
        assert_eq!(wrapped("run it as root", 6), ["run it", "as", "root"]);
        assert_eq!(wrapped("unbreakable", 6), ["unbreakable"]);
        assert_eq!(wrapped("", 6), [""]);
    }

    #[test]
    fn both_pictures_fit_a_terminal_and_look_alike() {
        for (line, ascii) in PICTURE.iter().zip(ASCII_PICTURE) {
            assert!(line.chars().count() <= COLUMNS);
            assert_eq!(line.chars().count(), ascii.chars().count());
            assert!(ascii.is_ascii());
        }
    }
}

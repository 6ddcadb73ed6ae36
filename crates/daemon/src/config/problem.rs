//! What is wrong with a configuration: all of it at once, each with its place and a remedy.

use super::secret;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A text that problems may be in: a configuration file or a chat script.
#[derive(Clone)]
struct Source {
    path: PathBuf,
    text: String,
    /// What of it may be quoted.
    shown: String,
}

/// A stretch of a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    source: usize,
    start: usize,
    end: usize,
}

impl Place {
    pub(super) const fn new(source: usize, span: Range<usize>) -> Self {
        Self { source, start: span.start, end: span.end }
    }

    /// A stretch of this one, counted from its start.
    pub(super) const fn within(&self, span: Range<usize>) -> Self {
        Self { source: self.source, start: self.start + span.start, end: self.start + span.end }
    }
}

/// Something that is wrong, or probably a mistake.
#[derive(Clone)]
struct Problem {
    is_error: bool,
    what: String,
    place: Option<Place>,
    help: Option<String>,
}

/// Everything that is wrong, and the texts it is in. `Display` underlines each.
#[derive(Clone, Default)]
pub struct Problems {
    sources: Vec<Source>,
    problems: Vec<Problem>,
    /// Whether a part of the configuration could not be read, so that what is missing may be there.
    pub(super) is_incomplete: bool,
}

/// So many are told at once: more than anybody reads, of a file that is no configuration at all.
const MOST_TOLD: usize = 50;

impl Problems {
    pub(super) fn add_source(&mut self, path: &Path, text: String) -> usize {
        let shown = secret::masked(&text);
        self.sources.push(Source { path: path.to_owned(), text, shown });
        self.sources.len() - 1
    }

    pub(super) fn text(&self, place: &Place) -> &str {
        self.sources
            .get(place.source)
            .and_then(|source| source.text.get(place.start..place.end))
            .unwrap_or("")
    }

    /// Whether a PIN or a password may be in that stretch.
    pub(super) fn is_secret(&self, place: &Place) -> bool {
        let span = place.start..place.end;
        let source = self.sources.get(place.source);
        source.is_some_and(|source| source.text.get(span.clone()) != source.shown.get(span))
    }

    /// The directory of the file that `place` is in.
    pub(super) fn directory(&self, place: &Place) -> &Path {
        self.sources.get(place.source).and_then(|source| source.path.parent()).unwrap_or(Path::new(""))
    }

    pub(super) fn error(&mut self, place: Option<Place>, what: impl Into<String>, help: Option<String>) {
        self.problems.push(Problem { is_error: true, what: what.into(), place, help });
    }

    pub(super) fn warn(&mut self, place: Option<Place>, what: impl Into<String>, help: Option<String>) {
        self.problems.push(Problem { is_error: false, what: what.into(), place, help });
    }

    /// How many there are up to now.
    pub(super) const fn count(&self) -> usize {
        self.problems.len()
    }

    /// Forgets what came after the first `count` and is in one of these texts.
    pub(super) fn forget_in(&mut self, sources: &[usize], count: usize) {
        let mut number = 0;
        self.problems.retain(|problem| {
            number += 1;
            number <= count || problem.place.as_ref().is_none_or(|place| !sources.contains(&place.source))
        });
    }

    /// Puts what was found into the order of the texts.
    pub(super) fn sort(&mut self) {
        self.problems.sort_by(|a, b| (a.place.is_none(), &a.place).cmp(&(b.place.is_none(), &b.place)));
    }

    /// Whether anything keeps the configuration from being used.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.is_error)
    }

    /// Whether nothing was found, not even what is only probably a mistake.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// Each on one line, for a log: `FILE:LINE:COLUMN: what; remedy`.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.problems.iter().take(MOST_TOLD).map(|problem| self.line(problem)).chain(self.more())
    }

    /// What is not told.
    fn more(&self) -> Option<String> {
        let more = self.problems.len().checked_sub(MOST_TOLD).filter(|more| *more > 0)?;
        Some(format!("and {more} more"))
    }

    fn line(&self, problem: &Problem) -> String {
        let mut line = self.position(problem).map_or(String::new(), |position| format!("{position}: "));
        line.push_str(&problem.what);
        if let Some(help) = &problem.help {
            line.push_str("; ");
            line.push_str(help);
        }
        line
    }

    /// `FILE:LINE:COLUMN`.
    fn position(&self, problem: &Problem) -> Option<String> {
        let place = problem.place.as_ref()?;
        let source = self.sources.get(place.source)?;
        let before = source.text.get(..place.start).unwrap_or_default();
        let row = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|character| *character != '\n').count() + 1;
        Some(format!("{}:{row}:{column}", source.path.display()))
    }

    /// Each with its place underlined.
    #[must_use]
    pub fn render(&self, colours: bool) -> String {
        let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
        let told = self.problems.iter().take(MOST_TOLD).map(|problem| self.render_one(&renderer, problem));
        told.chain(self.more()).collect::<Vec<String>>().join("\n\n")
    }

    fn render_one(&self, renderer: &Renderer, problem: &Problem) -> String {
        let level = if problem.is_error { Level::ERROR } else { Level::WARNING };
        let title = level.primary_title(problem.what.as_str());
        let place = problem.place.as_ref().and_then(|place| Some((place, self.sources.get(place.source)?)));
        let help = problem.help.as_deref().map(|help| Level::HELP.message(help));
        let group = match place {
            Some((place, source)) => title.element(
                Snippet::source(source.shown.as_str())
                    .path(source.path.to_string_lossy().into_owned())
                    .annotation(AnnotationKind::Primary.span(place.start..place.end)),
            ),
            None => annotate_snippets::Group::with_title(title),
        };
        renderer.render(&[group.elements(help)])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl fmt::Debug for Problems {
    // The texts hold PINs and passwords, and so may what is said of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let positions: Vec<_> = self.problems.iter().map(|problem| self.position(problem)).collect();
        f.debug_struct("Problems")
            .field("positions", &positions)
            .field("is_incomplete", &self.is_incomplete)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_for_debugging_says_where_and_nothing_of_the_text() {
        let mut problems = Problems::default();
        let source = problems.add_source(Path::new("/etc/x.toml"), "[modem.a]\nphone = 1234\n".into());
        problems.error(Some(Place::new(source, 18..22)), "1234 has no quotes", Some("write \"1234\"".into()));
        let shown = format!("{problems:?}");
        assert!(shown.contains("/etc/x.toml:2:9") && !shown.contains("1234"), "{shown}");
    }
}

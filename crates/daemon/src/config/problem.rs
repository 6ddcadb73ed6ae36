//! What is wrong with a configuration: all of it at once, each with its place and a remedy.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A text that problems may be in: a configuration file or a chat script.
#[derive(Clone, Debug)]
struct Source {
    path: PathBuf,
    text: String,
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
#[derive(Clone, Debug)]
struct Problem {
    is_error: bool,
    what: String,
    place: Option<Place>,
    help: Option<String>,
}

/// Everything that is wrong, and the texts it is in. `Display` underlines each.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    sources: Vec<Source>,
    problems: Vec<Problem>,
}

impl Problems {
    pub(super) fn add_source(&mut self, path: &Path, text: String) -> usize {
        self.sources.push(Source { path: path.to_owned(), text });
        self.sources.len() - 1
    }

    pub(super) fn text(&self, place: &Place) -> &str {
        self.sources
            .get(place.source)
            .and_then(|source| source.text.get(place.start..place.end))
            .unwrap_or("")
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
        self.problems.iter().map(|problem| self.line(problem))
    }

    fn line(&self, problem: &Problem) -> String {
        let mut line = String::new();
        if let Some(place) = &problem.place
            && let Some(source) = self.sources.get(place.source)
        {
            let before = source.text.get(..place.start).unwrap_or_default();
            let row = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|character| *character != '\n').count() + 1;
            line = format!("{}:{row}:{column}: ", source.path.display());
        }
        line.push_str(&problem.what);
        if let Some(help) = &problem.help {
            line.push_str("; ");
            line.push_str(help);
        }
        line
    }

    /// Each with its place underlined.
    #[must_use]
    pub fn render(&self, colours: bool) -> String {
        let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
        let rendered: Vec<String> =
            self.problems.iter().map(|problem| self.render_one(&renderer, problem)).collect();
        rendered.join("\n\n")
    }

    fn render_one(&self, renderer: &Renderer, problem: &Problem) -> String {
        let level = if problem.is_error { Level::ERROR } else { Level::WARNING };
        let title = level.primary_title(problem.what.as_str());
        let place = problem.place.as_ref().and_then(|place| Some((place, self.sources.get(place.source)?)));
        let help = problem.help.as_deref().map(|help| Level::HELP.message(help));
        let group = match place {
            Some((place, source)) => title.element(
                Snippet::source(source.text.as_str())
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

impl std::error::Error for Problems {}

/// The one of `known` that is most like `word`, if any is much like it.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = 1 + word.chars().count() / 4;
    let distance = |name: &str| strsim::damerau_levenshtein(&word.to_lowercase(), &name.to_lowercase());
    known
        .into_iter()
        .map(|name| (distance(name), name))
        .filter(|(d, _)| *d <= most)
        .min()
        .map(|found| found.1)
}

/// What to write instead of `word`.
pub(super) fn instead(word: &str, known: &[&str], kind: &str) -> String {
    match nearest(word, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None if known.is_empty() => format!("there are no {kind}"),
        None => format!("{kind}: {}", known.join(", ")),
    }
}

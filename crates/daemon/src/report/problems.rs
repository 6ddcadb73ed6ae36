//! What somebody should look at, kept for whoever asks: the newest warnings, and what is to be said about the
//! configuration.
//!
//! It promises to keep a bounded number of texts, and that one problem that comes again and again drives out no other.

use bridge_proto::time::Instant;
use std::collections::VecDeque;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeptProblem {
    /// When it was last so.
    pub(crate) when: Instant,
    pub(crate) text: String,
    /// How often it was, as long as it is remembered.
    pub(crate) times: u64,
    /// It is about the configuration, and over when that is read again.
    of_configuration: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    /// The newest last.
    kept: VecDeque<KeptProblem>,
    /// When the configuration that is at work was read; zero for the start.
    loaded: Instant,
    /// When a newer one was refused.
    refused: Option<Instant>,
}

impl Problems {
    const MOST: usize = 16;
    /// Of what is to be said about one configuration; the rest is in the log.
    const MOST_OF_CONFIGURATION: usize = 5;

    /// The newest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &KeptProblem> {
        self.kept.iter().rev()
    }

    /// When the configuration that is at work was read.
    pub(crate) fn loaded(&self) -> Instant {
        self.loaded
    }

    /// When a newer configuration was refused, if the last one was.
    pub(crate) fn refused(&self) -> Option<Instant> {
        self.refused
    }

    pub(super) fn keep(&mut self, now: Instant, text: String) {
        self.put(KeptProblem { when: now, text, times: 1, of_configuration: false });
    }

    pub(super) fn configuration_read(
        &mut self,
        now: Instant,
        is_at_work: bool,
        lines: impl Iterator<Item = String>,
    ) {
        self.kept.retain(|problem| !problem.of_configuration);
        if is_at_work {
            self.loaded = now;
        }
        self.refused = (!is_at_work).then_some(now);
        let refused = if is_at_work { "" } else { "configuration not reloaded: " };
        let mut lines: Vec<String> = lines.map(|line| format!("{refused}{line}")).collect();
        let more = lines.len().saturating_sub(Self::MOST_OF_CONFIGURATION);
        if more > 0 {
            lines.truncate(Self::MOST_OF_CONFIGURATION);
            lines.push(format!("configuration: {more} more, see the log"));
        }
        // The newest is told first, and of these the first is.
        for text in lines.into_iter().rev() {
            self.put(KeptProblem { when: now, text, times: 1, of_configuration: true });
        }
    }

    fn put(&mut self, mut problem: KeptProblem) {
        let same = self.kept.iter().position(|kept| kept.text == problem.text);
        if let Some(before) = same.and_then(|at| self.kept.remove(at)) {
            problem.times = before.times.saturating_add(1);
        }
        if self.kept.len() >= Self::MOST {
            self.kept.pop_front();
        }
        self.kept.push_back(problem);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Instant {
        Instant::from_millis(1000 * second)
    }

    fn texts(problems: &Problems) -> Vec<(&str, u64)> {
        problems.iter().map(|problem| (problem.text.as_str(), problem.times)).collect()
    }

    #[test]
    fn a_problem_that_comes_again_is_counted_and_drives_out_no_other() {
        let mut problems = Problems::default();
        problems.keep(at(1), "once".into());
        for second in 2..1000 {
            problems.keep(at(second), "again".into());
        }
        assert_eq!(texts(&problems), [("again", 998), ("once", 1)]);
        for second in 1000..2000 {
            problems.keep(at(second), second.to_string());
        }
        assert_eq!(texts(&problems).len(), Problems::MOST);
    }

    #[test]
    fn what_is_wrong_with_a_configuration_is_kept_until_the_next_is_read() {
        let mut problems = Problems::default();
        problems.keep(at(1), "other".into());
        let lines = |count: usize| (1..=count).map(|line| format!("a.toml:{line}"));
        problems.configuration_read(at(5), false, lines(7));
        let told = texts(&problems);
        assert_eq!(told[0].0, "configuration not reloaded: a.toml:1");
        assert_eq!(told[5].0, "configuration: 2 more, see the log");
        assert_eq!(told.len(), 7);
        assert_eq!((problems.loaded(), problems.refused()), (Instant::ZERO, Some(at(5))));
        problems.configuration_read(at(9), true, lines(1));
        assert_eq!(texts(&problems), [("a.toml:1", 1), ("other", 1)]);
        assert_eq!((problems.loaded(), problems.refused()), (at(9), None));
    }
}

//! [`Failure`]: why the demo did not come to its end, and what can be done about it.

use super::screen::Screen;
use bridge_linux::OsError;
use std::time::Duration;

/// Why the demo ended early.
#[derive(Debug)]
pub(super) enum Failure {
    /// This machine does not let it be shown.
    Environment {
        /// What could not be done.
        what: String,
        /// What the operator can do about it.
        remedy: String,
    },
    /// Something else happened than should have.
    Step {
        /// At which step.
        step: &'static str,
        /// How long after the step began.
        after: Duration,
        /// What should have happened.
        expected: String,
        /// What did.
        instead: String,
        /// The end of the bridge's log.
        log: Vec<String>,
    },
    /// Somebody wanted it to end.
    Interrupted,
}

impl Failure {
    /// 2 for what the operator can mend, 130 as shells have it after Ctrl-C, otherwise 1.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Environment { .. } => 2,
            Self::Step { .. } => 1,
            Self::Interrupted => 130,
        }
    }

    /// Tells it.
    pub(super) fn show(&self, screen: &mut Screen) {
        match self {
            Self::Environment { what, remedy } => {
                screen.failed(&format!("The demo cannot be shown here: cannot {what}"));
                screen.detail("what to do", remedy);
            }
            Self::Step { step, after, expected, instead, log } => {
                screen.failed(&format!("The step \"{step}\" failed after {:.1} s.", after.as_secs_f64()));
                screen.detail("expected", expected);
                screen.detail("instead", instead);
                screen.detail("log", "the bridge's last words were:");
                for line in log {
                    screen.log(line);
                }
                screen.detail(
                    "what to do",
                    "run it again with -v to see the whole log; if it fails again, please report it with that",
                );
            }
            Self::Interrupted => screen.failed("Interrupted; everything has been ended."),
        }
    }
}

impl From<OsError> for Failure {
    fn from(error: OsError) -> Self {
        let remedy = error.remedy().unwrap_or(
            "the demo needs a Linux that grants it a network namespace, veth, packet sockets and /dev/pts",
        );
        Self::Environment { what: error.to_string(), remedy: remedy.to_owned() }
    }
}

//! A modem that does not answer is freed before it is dialled: most often it is stuck in data mode.
//!
//! From the gentlest means to the harshest, and the modem is asked after each; the first that helps is
//! reported. If none does, the dial is tried all the same: there are lines without AT commands.
//!
//! ```text
//!   check ──▶ toggle DTR, check ──▶ guard time, +++, ATH ──▶ reset script, check ──▶ command, check ──▶ dial
//!     └────────────┴─────────────────────┴────────────────────────┴────────────────────┴── answered ──▶ dial
//! ```

use super::Bridge;
use super::io::{ModemCommand, Output};
use crate::chat::{Conversation, ConversationOptions, Script};
use crate::event::Event;
use crate::id::ModemId;
use crate::modem::{ESCAPE_AND_HANG_UP, ModemState, RescueStep};
use crate::time::Instant;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;

/// When and how a modem is rescued.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RescueConfig {
    /// When.
    pub when: RescueWhen,
    /// A script that resets the modem, such as one that sends `AT+CFUN=1,1`, and how it is held.
    pub reset: Option<(Arc<Script>, ConversationOptions)>,
    /// Whether there is an external program that resets the modem, by its USB port's power for example.
    pub command: bool,
}

/// When a modem is checked before it is dialled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RescueWhen {
    /// Never: for lines without AT commands.
    Never,
    /// After a dial that the modem did not answer, or in which PPP was seen.
    #[default]
    Suspicion,
    /// Before each dial.
    Always,
}

/// How far a rescue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rescue {
    step: RescueStep,
    /// The step is done, and the modem is being asked whether that helped.
    checking: bool,
}

impl Rescue {
    pub(super) const fn step(self) -> RescueStep {
        self.step
    }
}

/// `AT` must be answered by OK; twice, for the first may end a half-typed line.
const CHECK: &[u8] = b"TIMEOUT 2 '' AT OK-AT-OK '\\c'";
/// The same for a modem that may just be starting.
const PATIENT_CHECK: &[u8] = b"TIMEOUT 4 '' AT OK-AT-OK-AT-OK-AT-OK '\\c'";

/// A reset command that takes longer is ended.
const LONGEST_COMMAND: Duration = Duration::from_secs(60);

impl Bridge {
    /// Whether the modem just opened must be checked first; begins that.
    pub(super) fn begin_rescue(&mut self, now: Instant, modem: ModemId) -> bool {
        let Some(line) = self.line_mut(modem) else { return false };
        let wanted = match line.config.rescue.when {
            RescueWhen::Never => false,
            RescueWhen::Suspicion => line.suspect,
            RescueWhen::Always => true,
        };
        if wanted {
            line.rescue = Some(Rescue { step: RescueStep::Check, checking: true });
            self.run_rescue_script(now, modem, CHECK);
        }
        wanted
    }

    fn run_rescue_script(&mut self, now: Instant, modem: ModemId, text: &[u8]) {
        // The texts are constants, which a test parses.
        let Ok(script) = Script::parse(text) else { return self.rescue_failed(now, modem) };
        self.run_rescue_conversation(now, modem, Arc::new(script), ConversationOptions::default());
    }

    fn run_rescue_conversation(
        &mut self,
        now: Instant,
        modem: ModemId,
        script: Arc<Script>,
        options: ConversationOptions,
    ) {
        if let Some(line) = self.line_mut(modem) {
            line.conversation = Some(Box::new(Conversation::new(script, options, now)));
        }
        self.follow_conversation(now, modem, &[]);
    }

    /// A script of the rescue has ended.
    pub(super) fn on_rescue_verdict(&mut self, now: Instant, modem: ModemId, well: bool) {
        let Some(line) = self.line_mut(modem) else { return };
        line.conversation = None;
        let Some(rescue) = line.rescue else { return };
        match (rescue.step, rescue.checking, well) {
            // The modem itself answered ATH with OK: that is as good as a check.
            (_, true, true) | (RescueStep::Escape, false, true) => self.rescue_succeeded(now, modem),
            (RescueStep::Reset, false, true) => self.check_again(now, modem),
            (_, _, false) => self.rescue_failed(now, modem),
            (RescueStep::Check | RescueStep::ToggleDtr | RescueStep::Command, false, true) => {}
        }
    }

    fn check_again(&mut self, now: Instant, modem: ModemId) {
        let Some(rescue) = self.line_mut(modem).and_then(|line| line.rescue.as_mut()) else { return };
        rescue.checking = true;
        let patient = matches!(rescue.step, RescueStep::Reset | RescueStep::Command);
        self.run_rescue_script(now, modem, if patient { PATIENT_CHECK } else { CHECK });
    }

    fn rescue_succeeded(&mut self, now: Instant, modem: ModemId) {
        let Some(line) = self.line_mut(modem) else { return };
        line.suspect = false;
        if let Some(rescue) = line.rescue.take() {
            let before = line.rescued_by.take().filter(|_| rescue.step == RescueStep::Check);
            self.report(Event::Rescued { modem, by: before.or(Some(rescue.step)) });
        }
        self.dial(now, modem);
    }

    /// A step did not help: the next, harsher one.
    fn rescue_failed(&mut self, now: Instant, modem: ModemId) {
        let Some(line) = self.line_mut(modem) else { return };
        let Some(rescue) = line.rescue else { return };
        let (reset, command) = (line.config.rescue.reset.clone(), line.config.rescue.command);
        let on_hook = line.config.timing.on_hook;
        let (step, script) = match (rescue.step, reset) {
            (RescueStep::Check, _) => (RescueStep::ToggleDtr, None),
            (RescueStep::ToggleDtr, _) => (RescueStep::Escape, None),
            (RescueStep::Escape, Some(reset)) => (RescueStep::Reset, Some(reset)),
            (RescueStep::Escape, None) | (RescueStep::Reset, _) if command => (RescueStep::Command, None),
            (RescueStep::Escape | RescueStep::Reset | RescueStep::Command, _) => {
                line.rescue = None;
                self.report(Event::Rescued { modem, by: None });
                return self.dial(now, modem);
            }
        };
        line.rescue = Some(Rescue { step, checking: false });
        match (step, script) {
            (RescueStep::ToggleDtr, _) => {
                line.deadline = Some(now + on_hook);
                self.emit(Output::HangUpModem(modem));
            }
            (RescueStep::Escape, _) => self.run_rescue_script(now, modem, ESCAPE_AND_HANG_UP),
            (_, Some((script, options))) => self.run_rescue_conversation(now, modem, script, options),
            _ => {
                line.deadline = Some(now + LONGEST_COMMAND);
                self.emit(Output::RunCommand { modem, command: ModemCommand::Rescue });
            }
        }
    }

    /// The device took too long to open; or DTR was low for long enough, or the external program took too long.
    pub(super) fn on_opening_timeout(&mut self, now: Instant, modem: ModemId) {
        match self.rescue_step(modem) {
            Some(RescueStep::ToggleDtr) => {
                self.emit(Output::RaiseDtr(modem));
                self.check_again(now, modem);
            }
            Some(RescueStep::Command) => {
                self.stop_command(modem);
                let why = format!("it did not end within {} s", LONGEST_COMMAND.as_secs());
                self.on_rescue_command_ended(now, modem, Some(why));
            }
            Some(RescueStep::Check | RescueStep::Escape | RescueStep::Reset) => {}
            None => self.on_not_opened(now, modem),
        }
    }

    /// The external program of a rescue has ended; whether well or not, the modem is asked.
    pub(super) fn on_rescue_command_ended(&mut self, now: Instant, modem: ModemId, failure: Option<String>) {
        let step = self.rescue_step(modem);
        let Some(line) = self.line_mut(modem).filter(|_| step == Some(RescueStep::Command)) else { return };
        line.deadline = None;
        if let Some(why) = failure {
            self.report(Event::RescueCommandFailed { modem, why });
        }
        self.check_again(now, modem);
    }

    fn rescue_step(&self, modem: ModemId) -> Option<RescueStep> {
        let line = self.line(modem).filter(|line| line.state == ModemState::Opening)?;
        line.rescue.map(|rescue| rescue.step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Purpose;

    #[test]
    fn the_built_in_scripts_parse_without_a_warning() {
        for text in [CHECK, PATIENT_CHECK, ESCAPE_AND_HANG_UP] {
            let script = Script::parse(text).unwrap();
            assert_eq!(script.lint(Purpose::Other, &ConversationOptions::default()), []);
        }
    }
}

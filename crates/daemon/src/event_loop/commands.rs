//! External commands: those that dial or reset a modem, watched until they have ended.

use super::source::{Source, token};
use super::{EventLoop, Timer};
use crate::modem_port::ModemPort;
use bridge_linux::OsError;
use bridge_linux::poller::Interest;
use bridge_proto::bridge::{Input, ModemCommand};
use bridge_proto::id::ModemId;
use bridge_proto::time::Instant;
use std::time::Duration;

/// How long an external command may take to end once it is asked to.
const COMMAND_GRACE: Duration = Duration::from_secs(2);

impl EventLoop {
    pub(crate) fn start_command(&mut self, modem: ModemId, command: ModemCommand) -> Result<(), OsError> {
        let Some(Some(port)) = self.modems.get_mut(usize::from(modem.0)) else { return Ok(()) };
        let child = port.run_command(command)?;
        let watch = |descriptor, source| {
            self.poller
                .add(descriptor, token(source), Interest::READABLE)
                .map_err(|cause| OsError::new("watch", "the connect command", cause))
        };
        watch(child.exit_descriptor(), Source::CommandEnd(modem))?;
        watch(child.stderr_descriptor(), Source::CommandWords(modem))?;
        self.update_interest(modem);
        Ok(())
    }

    pub(super) fn on_command_words(&mut self, now: Instant, modem: ModemId) {
        let Some(Some(port)) = self.modems.get_mut(usize::from(modem.0)) else { return };
        if !port.take_command_lines(|line| self.report.command_line(now, modem, line))
            && let Some(child) = port.child()
        {
            let _ = self.poller.remove(child.stderr_descriptor());
        }
    }

    pub(super) fn on_command_end(&mut self, now: Instant, modem: ModemId) {
        // Its last words, often why it failed.
        self.on_command_words(now, modem);
        let Some(end) = self.modem(modem).and_then(ModemPort::take_command_end) else { return };
        self.input(
            now,
            match end {
                Ok(()) => Input::CommandSucceeded { modem },
                Err(why) => Input::CommandFailed { modem, why },
            },
        );
    }

    /// Asks the command at work on a modem to end, and later makes it; the loop does not wait for that.
    pub(crate) fn stop_command(&mut self, now: Instant, modem: ModemId) {
        let Some(mut command) = self.modem(modem).and_then(ModemPort::take_command) else { return };
        let pid = command.pid();
        let _ = self.poller.remove(command.stderr_descriptor());
        let exit = command.exit_descriptor();
        // It may not have got as far as being watched.
        let _ = self.poller.remove(exit);
        if self.poller.add(exit, token(Source::StoppedCommand(pid)), Interest::READABLE).is_ok() {
            let _ = command.terminate();
            self.stopped_commands.push(command);
            self.timers.push((now + COMMAND_GRACE, Timer::KillCommand(pid)));
        }
        self.update_interest(modem);
    }

    pub(super) fn on_stopped_command_end(&mut self, pid: u32) {
        self.stopped_commands.retain(|command| command.pid() != pid || matches!(command.end(), Ok(None)));
    }
}

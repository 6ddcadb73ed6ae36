//! What is done beside the loop, as the kernel may take long over it, and what comes of it.

use super::{EventLoop, Timer, modem_id};
use crate::modem_port::{Done, Errand, ModemPort};
use crate::report::Remedied;
use bridge_linux::OsError;
use bridge_linux::serial_port::SerialPort;
use bridge_proto::bridge::Input;
use bridge_proto::event::{OpenFailure, OpenProblem};
use bridge_proto::id::ModemId;
use bridge_proto::time::Instant;
use std::time::Duration;
use tracing::{debug, info, warn};

/// What takes so long does not go well.
const LONG: Duration = Duration::from_secs(1);
/// What takes so long may never end.
const VERY_LONG: Duration = Duration::from_secs(10);
/// How long a break lasts: as long as tcsendbreak(3) makes it.
const BREAK: Duration = Duration::from_millis(250);
/// Before a break, what was said must be out; a modem that has not taken it for so long gets no break.
const LONGEST_DRAIN: Duration = Duration::from_secs(5);
/// How soon it is looked again.
const DRAIN_LOOK: Duration = Duration::from_millis(20);

impl EventLoop {
    /// Sends the next errand of a modem on its way, unless one is under way. Whether it was done at once.
    pub(crate) fn begin_errand(&mut self, now: Instant, modem: ModemId) -> bool {
        let Some(Some(port)) = self.modems.get_mut(usize::from(modem.0)) else { return false };
        match port.begin_errand(now) {
            // Nothing is waited for where nothing is open.
            Some(Errand::Close(None)) => {
                self.finish_errand(now, modem, Done::Closed);
                true
            }
            Some(errand) => {
                self.errands.begin(move || (modem, errand.run()));
                false
            }
            None => false,
        }
    }

    /// Some errands are done.
    pub(super) fn on_errands_done(&mut self, now: Instant) {
        while let Some((modem, done)) = self.errands.next_done() {
            self.finish_errand(now, modem, done);
            // Before the next one: it may come to nothing by this.
            self.carry_out(now);
            while self.begin_errand(now, modem) {
                self.carry_out(now);
            }
        }
    }

    /// Tells of errands that do not end.
    pub(super) fn tell_late_errands(&mut self, now: Instant) {
        for (modem, port) in (0..).map(modem_id).zip(&mut self.modems) {
            if let Some(what) = port.as_mut().and_then(|port| port.take_late_errand(now, VERY_LONG)) {
                let name = self.report.modem(modem);
                warn!("{name}: the device still keeps the kernel waiting, which is to {what}");
            }
        }
    }

    /// Sends a break behind what was said before.
    pub(crate) fn send_break(&mut self, now: Instant, modem: ModemId) {
        self.flush_modems(now);
        self.begin_break(now, modem, now + LONGEST_DRAIN);
    }

    /// Begins a break, unless there is still something to be said before it. The kernel would wait for that: for ever, if
    /// the modem takes no more. A script goes on after half a second, whether or not its break has begun.
    pub(super) fn begin_break(&mut self, now: Instant, modem: ModemId, give_up: Instant) {
        let Some(port) = self.modem(modem).filter(|port| port.is_open()) else { return };
        if port.is_drained() {
            port.set_break(true);
            self.begin_errand(now, modem);
            self.timers.push((now + BREAK, Timer::EndBreak(modem)));
        } else if now < give_up {
            self.timers.push((now + DRAIN_LOOK, Timer::BeginBreak { modem, give_up }));
        } else {
            debug!("{}: no break, as the modem does not take what was said before", self.report.modem(modem));
        }
    }

    /// The call for which a break was to be sent is over.
    pub(crate) fn forget_break(&mut self, modem: ModemId) {
        let is_for_it = |timer| matches!(timer, Timer::BeginBreak { modem: other, .. } if other == modem);
        self.timers.retain(|(_, timer)| !is_for_it(*timer));
    }

    /// Whether all that was to be done has been done.
    pub(super) fn has_no_errands(&self) -> bool {
        self.modems.iter().flatten().all(ModemPort::is_settled)
    }

    fn finish_errand(&mut self, now: Instant, modem: ModemId, done: Done) {
        let Some(port) = self.modem(modem) else { return };
        let took = port.end_errand(now);
        if took >= LONG {
            let (name, what) = (self.report.modem(modem), done.words());
            warn!("{name}: the device has taken {:.1} s to {what}", took.as_secs_f64());
        }
        match done {
            Done::Opened(opened) => self.finish_opening(now, modem, opened),
            Done::Moved(what, Err(error)) => debug!("{}: cannot {what}: {error}", self.report.modem(modem)),
            Done::Moved(_, Ok(_)) => {}
            Done::Closed => self.finish_closing(now, modem),
        }
    }

    fn finish_opening(&mut self, now: Instant, modem: ModemId, opened: Result<SerialPort, OsError>) {
        let Some(port) = self.modem(modem) else { return };
        if port.is_closing() && opened.is_err() {
            return;
        }
        let input = match opened.map(|opened| port.on_opened(opened)) {
            // Nobody waits for it any more.
            Ok(false) => return,
            Ok(true) => match self.watch_modem(modem) {
                Ok(()) => Input::ModemOpened { modem },
                Err(error) => Input::ModemOpenFailed { modem, why: open_failure(&error) },
            },
            Err(error) => Input::ModemOpenFailed { modem, why: open_failure(&error) },
        };
        self.bridge.handle_input(now, input);
    }

    fn finish_closing(&mut self, now: Instant, modem: ModemId) {
        if !self.modem(modem).is_some_and(ModemPort::take_given_up) {
            return;
        }
        let waiting = self.waiting_for(modem);
        self.adopt_settings(now, modem);
        // A tty that was only hung up is still there.
        self.look_for_modem(now, modem);
        for other in waiting {
            info!("{}: the device is free", self.report.modem(other));
            self.look_for_modem(now, other);
        }
    }
}

/// What the control plane tells hosts and operators of it.
fn open_failure(error: &OsError) -> OpenFailure {
    let problem = if error.is_busy() {
        OpenProblem::InUse
    } else if error.is_missing() {
        OpenProblem::Missing
    } else if error.is_permission() {
        OpenProblem::Forbidden
    } else {
        OpenProblem::Unfit
    };
    OpenFailure { problem, detail: format!("cannot {}", Remedied(error)) }
}

//! From a free modem to a connected one: open, converse, connect, or fail and rest.

use super::Bridge;
use super::config::DialMethod;
use super::io::{ModemCommand, Output};
use super::rescue::Rescue;
use crate::chat::{Conversation, ConversationOutput, Verdict};
use crate::event::{CloseReason, ConnectFailure, Event, OpenFailure, OpenProblem, RefusalReason};
use crate::id::ModemId;
use crate::modem::{ModemState, ModemTrigger, RescueStep};
use crate::time::Instant;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

/// A device that takes longer to open is given up: its modem has died. The kernel waits 5 s for each thing that it asks
/// a USB modem then.
pub(super) const LONGEST_OPENING: Duration = Duration::from_secs(20);
/// A hang-up script that takes longer is given up.
pub(super) const LONGEST_HANG_UP: Duration = Duration::from_secs(15);

impl Bridge {
    pub(super) fn on_modem_appeared(&mut self, now: Instant, modem: ModemId) {
        if let Some(line) = self.line_mut(modem) {
            line.present = true;
        }
        if !self.change_state(modem, ModemTrigger::Appeared, None) {
            return;
        }
        // A modem that came back in the middle of its rest still has to finish it.
        let rest = self.line(modem).and_then(|line| line.rest.as_ref()).map(|rest| rest.0);
        if let Some(until) = rest.filter(|until| *until > now) {
            self.change_state(modem, ModemTrigger::MustRest, Some(until));
            return;
        }
        self.become_free(now, modem);
    }

    /// A modem that is free again takes the host that waited for that.
    pub(super) fn become_free(&mut self, now: Instant, modem: ModemId) {
        let Some(line) = self.line_mut(modem) else { return };
        line.rest = None;
        let spent = line.budget.spent(now);
        match (line.next.take(), spent) {
            (Some(next), None) => self.start_call(now, modem, next),
            // The call that ended cost more than was left when this host began to wait.
            (Some(next), Some(spent)) => {
                let reason = RefusalReason::BudgetSpent { limit: spent.limit, wait: spent.until - now };
                self.refuse(&next.request, reason);
            }
            (None, _) => {}
        }
    }

    pub(super) fn on_modem_opened(&mut self, now: Instant, modem: ModemId) {
        let Some(line) = self.line_mut(modem) else { return };
        let waits = line.state == ModemState::Opening;
        line.opened = waits;
        if waits {
            line.deadline = None;
        }
        (line.ppp_start, line.ppp_seen) = Default::default();
        if waits && !self.begin_rescue(now, modem) {
            self.dial(now, modem);
        }
    }

    /// Begins the dial proper, on an open modem.
    pub(super) fn dial(&mut self, now: Instant, modem: ModemId) {
        let Some(line) = self.line_mut(modem) else { return };
        line.budget.dialled(now);
        match line.config.dial.clone() {
            DialMethod::Script(script, options) => {
                line.conversation = Some(Box::new(Conversation::new(script, options, now)));
                self.change_state(modem, ModemTrigger::Opened, None);
                self.follow_conversation(now, modem, &[]);
            }
            DialMethod::Command(limit) => {
                self.change_state(modem, ModemTrigger::Opened, Some(now + limit));
                self.emit(Output::RunCommand { modem, command: ModemCommand::Connect });
            }
        }
    }

    pub(super) fn on_open_failed(&mut self, now: Instant, modem: ModemId, why: OpenFailure) {
        if self.line(modem).is_some_and(|line| line.state == ModemState::Opening) {
            self.fail_call(now, modem, ConnectFailure::Open(why));
        }
    }

    pub(super) fn on_not_opened(&mut self, now: Instant, modem: ModemId) {
        let detail = format!("the device was not open after {} s", LONGEST_OPENING.as_secs());
        self.on_open_failed(now, modem, OpenFailure { problem: OpenProblem::Unfit, detail });
    }

    pub(super) fn on_modem_octets(&mut self, now: Instant, modem: ModemId, octets: &[u8]) {
        let Some(line) = self.line_mut(modem) else { return };
        line.ppp_seen |= line.ppp_start.find(octets).is_some();
        let Some(conversation) = line.conversation.as_mut() else { return };
        let consumed = conversation.handle_octets(now, octets);
        let rest = octets.get(consumed..).unwrap_or_default();
        self.follow_conversation(now, modem, rest);
    }

    pub(super) fn on_file(&mut self, now: Instant, modem: ModemId, contents: Result<Vec<u8>, String>) {
        if let Some(conversation) = self.line_mut(modem).and_then(|line| line.conversation.as_mut()) {
            conversation.file_contents(now, contents);
            self.follow_conversation(now, modem, &[]);
        }
    }

    pub(super) fn on_conversation_timeout(&mut self, now: Instant, modem: ModemId) {
        if let Some(conversation) = self.line_mut(modem).and_then(|line| line.conversation.as_mut())
            && conversation.poll_timeout().is_some_and(|due| due <= now)
        {
            conversation.handle_timeout(now);
            self.follow_conversation(now, modem, &[]);
        }
    }

    /// Carries out what the conversation wants. `rest` is what the modem said behind the script's end.
    pub(super) fn follow_conversation(&mut self, now: Instant, modem: ModemId, rest: &[u8]) {
        loop {
            let Some(line) = self.line_mut(modem) else { return };
            let Some(conversation) = line.conversation.as_mut() else { return };
            let Some(output) = conversation.poll_output() else { return };
            match output {
                ConversationOutput::Write(octets) => self.emit(Output::WriteModem { modem, octets }),
                ConversationOutput::Break => self.emit(Output::SendBreak(modem)),
                ConversationOutput::ReadFile(name) => self.emit(Output::ReadFile { modem, name }),
                ConversationOutput::Say(octets) => {
                    let words = String::from_utf8_lossy(&octets).into_owned();
                    self.report(Event::Said { modem, words });
                }
                ConversationOutput::Report(words) => self.report(Event::Said { modem, words }),
                // Nobody watches, and what is kept may hold no secrets: the lines of the log say the same without.
                ConversationOutput::Echo(_) => {}
                ConversationOutput::Log(line) => self.report(Event::Chat { modem, line }),
                ConversationOutput::Verdict(verdict) if line.state == ModemState::Opening => {
                    self.on_rescue_verdict(now, modem, verdict == Verdict::Connected);
                }
                ConversationOutput::Verdict(_) if line.state == ModemState::HangingUp => {
                    self.close_hung_up(now, modem);
                }
                ConversationOutput::Verdict(Verdict::Connected) => {
                    let mut ppp = conversation.take_unread();
                    ppp.extend_from_slice(rest);
                    self.on_connected(now, modem, ppp);
                }
                ConversationOutput::Verdict(Verdict::Failed(error)) => {
                    self.fail_call(now, modem, ConnectFailure::Script(error));
                }
            }
        }
    }

    pub(super) fn on_command_succeeded(&mut self, now: Instant, modem: ModemId) {
        self.on_rescue_command_ended(now, modem, None);
        if self.runs_command(modem) {
            self.on_connected(now, modem, Vec::new());
        }
    }

    pub(super) fn on_command_failed(&mut self, now: Instant, modem: ModemId, why: String) {
        self.on_rescue_command_ended(now, modem, Some(why.clone()));
        if self.runs_command(modem) {
            self.fail_call(now, modem, ConnectFailure::Command(why));
        }
    }

    /// Ends whatever external program may be at work on the modem.
    pub(super) fn stop_command(&mut self, modem: ModemId) {
        let Some(line) = self.line(modem) else { return };
        if line.config.rescue.command || matches!(line.config.dial, DialMethod::Command(_)) {
            self.emit(Output::StopCommand(modem));
        }
    }

    fn runs_command(&self, modem: ModemId) -> bool {
        self.line(modem).is_some_and(|line| {
            line.state == ModemState::Dialing && matches!(line.config.dial, DialMethod::Command(_))
        })
    }

    pub(super) fn on_dial_timeout(&mut self, now: Instant, modem: ModemId) {
        let Some(DialMethod::Command(limit)) = self.line(modem).map(|line| line.config.dial.clone()) else {
            return;
        };
        let why = format!("the connect command did not end within {} s", limit.as_secs());
        self.fail_call(now, modem, ConnectFailure::Command(why));
    }

    /// The modem is connected: its octets are frames from now on.
    fn on_connected(&mut self, now: Instant, modem: ModemId, octets: Vec<u8>) {
        let Some(line) = self.line_mut(modem) else { return };
        line.conversation = None;
        line.suspect = false;
        line.budget.connected(now);
        line.rest = None;
        let warm = line.config.timing.warm;
        if let Some(call) = line.call.as_mut() {
            call.unlinked_since = Some(now);
        }
        let took = line.call.as_ref().map_or_else(Default::default, |call| now - call.started);
        let early = line.session().is_some();
        // A host that waits gets its PADS below, and then the line is not warm but in use.
        let deadline = (!early).then_some(now + warm);
        if !self.change_state(modem, ModemTrigger::Connected, deadline) {
            return;
        }
        self.report(Event::Connected { modem, took });
        self.emit(Output::StartFraming { modem, octets });
        if early {
            self.connect_session(now, modem);
        } else {
            self.handle_answer(now, modem);
        }
    }

    /// The call came to nothing before it was connected: the host is told, the modem rests.
    pub(super) fn fail_call(&mut self, now: Instant, modem: ModemId, failure: ConnectFailure) {
        let jitter = self.random.next_u32();
        self.pools.on_failure(now, modem);
        let Some(line) = self.line_mut(modem) else { return };
        let until = line.backoff.fail(now, jitter);
        line.rest = Some((until, failure.clone()));
        line.conversation = None;
        // What makes a modem start anew makes it vanish for a while, too: that is what was wanted.
        let step = line.rescue.take().map(Rescue::step);
        line.rescued_by = step.filter(|step| matches!(step, RescueStep::Reset | RescueStep::Command));
        line.suspect |= failure.is_silence() || line.ppp_seen;
        let opening = line.state == ModemState::Opening;
        let on_hook = line.config.timing.on_hook;
        self.report(Event::ConnectFailed { modem, failure: failure.clone() });
        self.close_session(now, modem, CloseReason::DialFailed(failure.clone()));
        let call = self.line_mut(modem).and_then(|line| line.call.take());
        if let Some(waiting) = call.and_then(|call| call.request) {
            self.hunt(now, waiting, failure);
        }
        self.stop_command(modem);
        if opening {
            self.emit(Output::CloseModem(modem));
            self.change_state(modem, ModemTrigger::Failed, Some(until));
            self.report(Event::BackingOff { modem, wait: until - now });
        } else if self.change_state(modem, ModemTrigger::Failed, Some(now + on_hook)) {
            self.emit(Output::HangUpModem(modem));
        }
    }

    /// The modem has been on hook for long enough; one that does not look at DTR is told in words.
    pub(super) fn on_hung_up(&mut self, now: Instant, modem: ModemId) {
        let Some(line) = self.line_mut(modem) else { return };
        match line.config.hang_up.clone() {
            Some((script, options)) if line.opened && line.conversation.is_none() => {
                line.conversation = Some(Box::new(Conversation::new(script, options, now)));
                line.deadline = Some(now + LONGEST_HANG_UP);
                self.emit(Output::RaiseDtr(modem));
                self.follow_conversation(now, modem, &[]);
            }
            _ => self.close_hung_up(now, modem),
        }
    }

    /// Nothing is left to be done at a modem that was hung up.
    fn close_hung_up(&mut self, now: Instant, modem: ModemId) {
        if let Some(line) = self.line_mut(modem) {
            line.conversation = None;
        }
        self.emit(Output::CloseModem(modem));
        let rest = self.line(modem).and_then(|line| line.rest.as_ref()).map(|rest| rest.0);
        if let Some(until) = rest.filter(|until| *until > now) {
            self.change_state(modem, ModemTrigger::MustRest, Some(until));
            self.report(Event::BackingOff { modem, wait: until - now });
            return;
        }
        self.change_state(modem, ModemTrigger::HungUp, None);
        self.become_free(now, modem);
    }
}

//! The listening half of a conversation: what the modem says is matched, reported, shown and logged.

use super::{AfterSend, Conversation, ConversationOutput, REPORT_PATIENCE, State};
use crate::chat::escape::clean_expect;
use crate::chat::failure::FailureKind;
use crate::chat::log::ChatLine;
use crate::chat::redact::printable;
use crate::chat::script::{Attempt, Script};
use crate::time::Instant;

impl Conversation {
    pub(super) fn start_expect(&mut self, now: Instant, attempt: &Attempt, next_attempt: usize) {
        let wanted = clean_expect(&attempt.expect, &self.options.script);
        self.log(ChatLine::Expect(self.redactor.text(&wanted)));
        self.window.clear();
        self.unlogged = 0;
        if wanted.is_empty() {
            self.log(ChatLine::GotIt);
            self.next_step();
        } else {
            self.state = State::Expecting {
                wanted,
                deadline: now + self.timeout,
                sub_send: attempt.send.clone(),
                next_attempt,
            };
        }
    }

    /// One octet that an expect, or the end of a REPORT line, reads.
    pub(super) fn read(&mut self, now: Instant, octet: u8) {
        if let State::Finishing { deadline, .. } = &mut self.state {
            *deadline = now + REPORT_PATIENCE;
            if self.gather(octet) {
                self.finish_report();
            }
            return;
        }
        self.show(octet);
        self.window.push(octet);
        self.unlogged += 1;
        let is_long = self.unlogged >= LOGGED_LINE_OCTETS && !self.redactor.would_be_cut(&self.window);
        if octet == b'\n' || is_long || self.unlogged >= WINDOW_OCTETS {
            self.log_received();
        }
        if self.gathering.is_some() {
            self.gather(octet);
        } else if let Some(index) = self.reports.iter().position(|text| self.window.ends_with(text)) {
            self.gathering = Some(self.reports.remove(index));
        }
        self.judge(now);
        if self.window.len() >= 2 * WINDOW_OCTETS {
            self.window.drain(..WINDOW_OCTETS);
        }
    }

    /// Whether what has come so far ends the expect: by its string first, then by an abort string.
    fn judge(&mut self, now: Instant) {
        let State::Expecting { wanted, .. } = &self.state else { return };
        if self.window.ends_with(wanted) {
            self.log_received();
            self.log(ChatLine::GotIt);
            self.next_step();
            return;
        }
        if let Some(index) = self.aborts.iter().position(|text| self.window.ends_with(text)) {
            let text = self.aborts.get(index).map(|text| printable(text)).unwrap_or_default();
            let expected = self.redactor.text(wanted);
            self.log_received();
            self.log(ChatLine::Aborted(text.clone()));
            self.fail(now, FailureKind::Aborted { text, index, expected });
        }
    }

    pub(super) fn expect_timed_out(&mut self, now: Instant) {
        let State::Expecting { wanted, sub_send, next_attempt, .. } = &self.state else { return };
        let expected = self.redactor.text(wanted);
        let (sub_send, next_attempt) = (sub_send.clone(), *next_attempt);
        self.log_received();
        self.log(ChatLine::TimedOut);
        match sub_send {
            Some(word) => self.start_send(now, &word, AfterSend::Attempt(next_attempt)),
            None => self.fail(now, FailureKind::TimedOut { expected, limit: self.timeout }),
        }
    }

    /// Adds to the REPORT line; says whether it is complete.
    fn gather(&mut self, octet: u8) -> bool {
        let Some(line) = &mut self.gathering else { return true };
        if octet.is_ascii_control() {
            self.gathering_ends();
            return true;
        }
        if line.len() < GATHERED_OCTETS {
            line.push(octet);
        }
        false
    }

    pub(super) fn gathering_ends(&mut self) {
        if let Some(line) = self.gathering.take() {
            // Cut only what is already redacted, lest half a secret be no secret.
            let mut line = self.redactor.text(&line);
            line.truncate(REPORT_CHARACTERS);
            self.outputs.push_back(ConversationOutput::Report(line));
        }
    }

    fn log_received(&mut self) {
        let start = self.window.len().saturating_sub(self.unlogged);
        self.unlogged = 0;
        let line = self.window.get(start..).unwrap_or_default();
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.is_empty() {
            self.log(ChatLine::Received(self.redactor.text(line)));
        }
    }

    fn show(&mut self, octet: u8) {
        if self.echo {
            match octet {
                b'\r' => {}
                b'\n' => self.echoed.push('\n'),
                other => self.echoed.push_str(&printable(&[other])),
            }
        }
    }
}

/// The longest REPORT line.
const REPORT_CHARACTERS: usize = 255;
/// What is gathered of one: enough that no secret which begins in what is told is cut.
const GATHERED_OCTETS: usize = REPORT_CHARACTERS + Script::MAX_WORD_OCTETS;
/// An expect string is shorter, so that it can match however much came before it.
const WINDOW_OCTETS: usize = 1024;
/// Where the log breaks a line that the modem does not end.
const LOGGED_LINE_OCTETS: usize = 256;

//! The sending half of a conversation: a word, or a file in its place, becomes octets, breaks and pauses.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::{AfterSend, Conversation, ConversationOptions, ConversationOutput, State};
use crate::chat::escape::{SendAction, clean_send, send_actions};
use crate::chat::failure::FailureKind;
use crate::chat::log::ChatLine;
use crate::chat::redact::{MASK, asks_for_password};
use crate::time::Instant;

impl Conversation {
    pub(super) fn start_send(&mut self, now: Instant, word: &[u8], after: AfterSend) {
        let name = word.strip_prefix(b"@").map(trim_blanks_start).filter(|name| !name.is_empty());
        match name {
            Some(name) => {
                self.outputs.push_back(ConversationOutput::ReadFile(name.to_vec()));
                self.state = State::AwaitingFile { name: name.to_vec(), after };
            }
            None => self.send(now, word, after),
        }
    }

    pub(super) fn send(&mut self, now: Instant, word: &[u8], after: AfterSend) {
        let word: &[u8] = match word {
            b"EOT" => b"^D\\c",
            b"BREAK" => b"\\K\\c",
            other => other,
        };
        let cleaned = clean_send(word, &self.options.script);
        let actions = send_actions(&cleaned.octets);
        let is_secret = cleaned.is_quiet || asks_for_password(&self.window);
        let wire: Vec<u8> = actions
            .iter()
            .filter_map(|action| match action {
                SendAction::Octet(octet) => Some(*octet),
                SendAction::LongPause | SendAction::ShortPause | SendAction::Break => None,
            })
            .collect();
        self.redactor.remember_arguments(&wire);
        let text = if is_secret {
            self.redactor.remember(&wire);
            String::from(MASK)
        } else {
            self.redactor.text(&cleaned.octets)
        };
        self.log(ChatLine::Send(text));
        self.state = State::Sending {
            resume: now + pause_before(actions.first(), &self.options),
            actions: actions.into(),
            deadline: now + self.timeout,
            after,
        };
    }

    /// Sends up to the next pause; says whether the send is over.
    pub(super) fn go_on_sending(&mut self, now: Instant) -> bool {
        let State::Sending { actions, resume, deadline, after } = &mut self.state else { return false };
        let mut octets = Vec::new();
        let mut is_late = false;
        while now >= *resume {
            let Some(action) = actions.pop_front() else { break };
            match action {
                SendAction::Octet(_) if now >= *deadline => {
                    is_late = true;
                    break;
                }
                SendAction::Octet(octet) => octets.push(octet),
                SendAction::LongPause | SendAction::ShortPause => {}
                SendAction::Break => {
                    if !octets.is_empty() {
                        self.outputs.push_back(ConversationOutput::Write(core::mem::take(&mut octets)));
                    }
                    self.outputs.push_back(ConversationOutput::Break);
                    *resume = now + BREAK.max(pause_before(actions.front(), &self.options));
                    continue;
                }
            }
            *resume = now + pause_before(actions.front(), &self.options);
        }
        let is_sent = actions.is_empty() && now >= *resume;
        let after = *after;
        if !octets.is_empty() {
            self.outputs.push_back(ConversationOutput::Write(octets));
        }
        if is_late {
            self.fail(now, FailureKind::SendTimedOut { limit: self.timeout });
            return true;
        }
        if is_sent {
            match after {
                AfterSend::NextStep => self.next_step(),
                AfterSend::Attempt(attempt) => self.state = State::Ready { attempt },
            }
        }
        is_sent
    }
}

fn trim_blanks_start(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|&&octet| octet == b' ' || octet == b'\t').count();
    text.get(blanks..).unwrap_or_default()
}

/// As long as a break lasts, and a little longer: what follows must not be sent into it.
const BREAK: Duration = Duration::from_millis(500);

fn pause_before(action: Option<&SendAction>, options: &ConversationOptions) -> Duration {
    match action {
        None | Some(SendAction::Break) => Duration::ZERO,
        Some(SendAction::Octet(_)) => options.octet_pacing,
        Some(SendAction::LongPause) => Duration::from_secs(1),
        Some(SendAction::ShortPause) => options.short_pause,
    }
}

//! Chat scripts: any text, and any modem that answers it.

use super::choices::Choices;
use bridge_proto::chat::{Conversation, ConversationOptions, ConversationOutput, Purpose, Script};
use bridge_proto::time::Instant;
use std::sync::Arc;
use std::time::Duration;

/// A script up to the first NUL, and what a modem then says and does.
pub fn chat(octets: &[u8]) {
    let end = octets.iter().position(|octet| *octet == 0).unwrap_or(octets.len());
    let (text, rest) = octets.split_at(end);
    let script = match Script::parse(text) {
        Ok(script) => Arc::new(script),
        Err(error) => return assert_one_line(&error),
    };
    let mut choices = Choices::new(rest.get(1..).unwrap_or_default());
    let options = ConversationOptions {
        timeout: choices.duration(),
        echo: choices.flag(),
        octet_pacing: choices.one_of(&[Duration::ZERO, Duration::from_millis(10)]),
        fractional_timeouts: choices.flag(),
        ..ConversationOptions::default()
    };
    let purpose = if choices.flag() { Purpose::Dial } else { Purpose::Other };
    for warning in script.lint(purpose, &options) {
        assert_one_line(&warning);
    }
    let mut watched = Watched::new(script, options);
    while !choices.is_over() {
        watched.step(&mut choices);
    }
    // However long the script, a silent modem comes to the end of it: some octets of a send each take a pause
    // of their own, a step a timeout, and no octet of the text makes more than a few of either.
    let patience = 16 * (text.len() + 16);
    for _ in 0..patience {
        watched.wait();
    }
    assert!(watched.conversation.is_done(), "not done after {patience} timeouts");
}

/// A conversation with its promises.
struct Watched {
    conversation: Conversation,
    now: Instant,
    wants_file: bool,
    has_verdict: bool,
}

impl Watched {
    fn new(script: Arc<Script>, options: ConversationOptions) -> Self {
        let now = Instant::from_millis(1);
        let conversation = Conversation::new(script, options, now);
        let mut watched = Self { conversation, now, wants_file: false, has_verdict: false };
        watched.drain();
        watched
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        match choices.below(6) {
            0 => self.wait(),
            1 => {
                self.now += choices.duration();
                self.conversation.handle_timeout(self.now);
            }
            2 if choices.octet() == 0 => self.conversation.handle_hangup(self.now),
            3 => self.conversation.file_contents(self.now, Ok(choices.octets(40).to_vec())),
            _ => {
                let octets = choices.octets(40);
                let taken = self.conversation.handle_octets(self.now, octets);
                assert!(taken <= octets.len());
            }
        }
        self.drain();
    }

    /// Lets the time pass until something is due.
    fn wait(&mut self) {
        if std::mem::take(&mut self.wants_file) {
            self.conversation.file_contents(self.now, Ok(b"text".to_vec()));
        }
        if let Some(due) = self.conversation.poll_timeout() {
            self.now = self.now.max(due);
            self.conversation.handle_timeout(self.now);
        }
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.conversation.poll_output() {
            assert!(!self.has_verdict, "{output:?} after the verdict");
            match output {
                ConversationOutput::Log(line) => assert_one_line(&line),
                ConversationOutput::Echo(text) | ConversationOutput::Report(text) => {
                    assert!(text.len() < 10_000);
                }
                ConversationOutput::ReadFile(_) => self.wants_file = true,
                ConversationOutput::Verdict(verdict) => {
                    if let bridge_proto::chat::Verdict::Failed(error) = &verdict {
                        assert_one_line(error);
                    }
                    self.has_verdict = true;
                }
                ConversationOutput::Write(_) | ConversationOutput::Break | ConversationOutput::Say(_) => {}
            }
        }
        assert_eq!(self.has_verdict, self.conversation.is_done());
        if self.has_verdict {
            assert_eq!(self.conversation.poll_timeout(), None);
        }
    }
}

fn assert_one_line(words: &impl std::fmt::Display) {
    let words = words.to_string();
    assert!(!words.contains(char::is_control), "{words:?}");
    assert!(words.len() < 10_000, "{} octets", words.len());
}

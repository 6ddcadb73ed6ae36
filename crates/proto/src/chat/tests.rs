//! What chat(8) promises, and this interpreter with it; one test a promise.

use alloc::sync::Arc;
use core::time::Duration;
use std::string::{String, ToString};
use std::vec::Vec;
use std::{format, vec};

use super::*;
use crate::time::Instant;

/// What a run came to.
#[derive(Debug, Default)]
struct Story {
    written: Vec<u8>,
    writes: Vec<Vec<u8>>,
    breaks: usize,
    files: Vec<Vec<u8>>,
    said: Vec<u8>,
    echoed: String,
    reports: Vec<String>,
    log: Vec<ChatLine>,
    verdict: Option<Verdict>,
}

impl Story {
    fn drain(&mut self, conversation: &mut Conversation) {
        while let Some(output) = conversation.poll_output() {
            assert_eq!(self.verdict, None, "nothing comes after the verdict");
            match output {
                ConversationOutput::Write(octets) => {
                    self.written.extend_from_slice(&octets);
                    self.writes.push(octets);
                }
                ConversationOutput::Break => self.breaks += 1,
                ConversationOutput::ReadFile(name) => self.files.push(name),
                ConversationOutput::Say(octets) => self.said.extend_from_slice(&octets),
                ConversationOutput::Echo(text) => self.echoed.push_str(&text),
                ConversationOutput::Report(text) => self.reports.push(text),
                ConversationOutput::Log(line) => self.log.push(line),
                ConversationOutput::Verdict(verdict) => self.verdict = Some(verdict),
            }
        }
    }

    fn exit_code(&self) -> Option<u8> {
        self.verdict.as_ref().map(Verdict::exit_code)
    }

    fn error(&self) -> &ConversationError {
        match &self.verdict {
            Some(Verdict::Failed(error)) => error,
            other => panic!("not failed: {other:?}"),
        }
    }

    fn log_text(&self) -> String {
        self.log.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }
}

/// A conversation in virtual time.
struct Run {
    conversation: Conversation,
    now: Instant,
    story: Story,
}

impl Run {
    fn new(script: &str) -> Self {
        Self::with(script, ConversationOptions::default())
    }

    fn with(script: &str, options: ConversationOptions) -> Self {
        let script = Arc::new(Script::parse(script.as_bytes()).unwrap());
        let now = Instant::from_millis(1000);
        let mut run =
            Self { conversation: Conversation::new(script, options, now), now, story: Story::default() };
        run.story.drain(&mut run.conversation);
        run
    }

    /// The modem says this; returns how much was taken.
    fn hear(&mut self, text: impl AsRef<[u8]>) -> usize {
        let taken = self.conversation.handle_octets(self.now, text.as_ref());
        self.story.drain(&mut self.conversation);
        taken
    }

    /// Time goes on to the next thing that is due.
    fn wait(&mut self) -> Duration {
        let due = self.conversation.poll_timeout().expect("something is due");
        let waited = due - self.now;
        self.now = due;
        self.conversation.handle_timeout(due);
        self.story.drain(&mut self.conversation);
        waited
    }

    /// Time goes on until nothing is due any more; returns how long that took.
    fn wait_to_the_end(&mut self) -> Duration {
        let start = self.now;
        while self.conversation.poll_timeout().is_some() {
            self.wait();
        }
        self.now - start
    }
}

/// What a send word comes to on the wire, pauses and breaks left out.
fn sent(word: &str) -> Vec<u8> {
    sent_with(word, ScriptOptions::default())
}

fn sent_with(word: &str, script: ScriptOptions) -> Vec<u8> {
    let words = [b"".as_slice(), word.as_bytes()];
    let now = Instant::ZERO;
    let options = ConversationOptions { script, ..ConversationOptions::default() };
    let conversation = Conversation::new(Arc::new(Script::from_words(words).unwrap()), options, now);
    let mut run = Run { conversation, now, story: Story::default() };
    run.story.drain(&mut run.conversation);
    run.wait_to_the_end();
    assert_eq!(run.story.exit_code(), Some(0));
    run.story.written
}

mod connecting;
mod expecting;
mod reading;
mod redacting;
mod sending;
mod warning;

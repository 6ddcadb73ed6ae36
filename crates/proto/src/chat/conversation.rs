//! A chat script at work: octets and time in; octets, words and a verdict out.
//!
//! It promises to do what chat(8) would do with the same script and the same modem, in bounded memory, and
//! never to wait. The caller hands in what the modem says ([`Conversation::handle_octets`]), the time when
//! [`Conversation::poll_timeout`] has come ([`Conversation::handle_timeout`]), and after every call takes
//! all of [`Conversation::poll_output`]; its last output is the [`Verdict`].
//!
//! ```text
//!            next step                  all sent
//!   ┌──────────────── Ready ◄──────────────────────── Sending ◄─┐
//!   ▼                 │   ▲ matched                              │ file_contents
//! (keyword: done)     ├───┴── Expecting ── sub-send ─► Sending   │
//!                     │           │ timeout, abort           AwaitingFile ◄─ @file
//!                     ▼           ▼
//!                    Finishing (a REPORT line still coming) ──► Done: Verdict
//! ```

mod expecting;
mod sending;

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::escape::{ScriptOptions, SendAction, clean_expect, clean_send};
use super::failure::{ConversationError, FailureKind, StepPlace};
use super::log::ChatLine;
use super::redact::{Redactor, names_a_secret, printable};
use super::script::{Action, Position, Script};
use crate::time::Instant;

/// How a conversation is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationOptions {
    /// What the script may refer to (`-T`, `-U`, `-E`).
    pub script: ScriptOptions,
    /// How long a step may take until the script says otherwise (`-t`); 45 s, as in chat(8).
    pub timeout: Duration,
    /// Whether what the modem says is shown from the start (`-e`).
    pub echo: bool,
    /// The pause before every octet sent. None: today's modems keep up; chat(8) takes 10 ms.
    pub octet_pacing: Duration,
    /// How long `\p` pauses. 100 ms, which the manual of chat(8) promises and scripts were written for;
    /// its code takes 10 ms. Too long a pause does no harm, too short a one loses octets.
    pub short_pause: Duration,
    /// Whether `TIMEOUT 0.5` means half a second; to chat(8), and without this, it is 0, thus 45 s.
    pub fractional_timeouts: bool,
}

impl Default for ConversationOptions {
    fn default() -> Self {
        Self {
            script: ScriptOptions::default(),
            timeout: DEFAULT_TIMEOUT,
            echo: false,
            octet_pacing: Duration::ZERO,
            short_pause: Duration::from_millis(100),
            fractional_timeouts: false,
        }
    }
}

/// Something for the caller to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConversationOutput {
    /// Write these octets to the modem.
    Write(Vec<u8>),
    /// Send a break to the modem, after all that was to be written before.
    Break,
    /// Read the file of this name and hand it to [`Conversation::file_contents`]. The script says nothing
    /// of how long that may take, so the caller must bound it.
    ReadFile(Vec<u8>),
    /// Show these octets to whoever watches: the script's own words (SAY).
    Say(Vec<u8>),
    /// Show this to whoever watches: the modem's words (ECHO), control characters made visible. Secrets
    /// that the modem echoes are in it, so it is nothing to be kept.
    Echo(String),
    /// A line of the modem's that the script wants to be kept (REPORT), without secrets.
    Report(String),
    /// What is going on.
    Log(ChatLine),
    /// How it ended; nothing comes after it.
    Verdict(Verdict),
}

/// How a conversation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The script was done to its end.
    Connected,
    /// It was not.
    Failed(ConversationError),
}

impl Verdict {
    /// The code with which chat(8) would exit.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Connected => 0,
            Self::Failed(error) => error.exit_code(),
        }
    }
}

/// A script being run.
pub struct Conversation {
    script: Arc<Script>,
    options: ConversationOptions,
    state: State,
    /// The step that is being done, as an index into the steps of the script.
    step: usize,
    timeout: Duration,
    echo: bool,
    ignores_hangup: bool,
    aborts: Vec<Vec<u8>>,
    reports: Vec<Vec<u8>>,
    /// The line being gathered for a REPORT.
    gathering: Option<Vec<u8>>,
    /// What came while nothing was being read.
    unread: VecDeque<u8>,
    /// What came since the expect began, as far as it can still matter.
    window: Vec<u8>,
    /// How much at the end of `window` is not yet logged.
    unlogged: usize,
    echoed: String,
    redactor: Redactor,
    outputs: VecDeque<ConversationOutput>,
}

enum State {
    /// Nothing is going on: do the step at `step`, from its attempt number `attempt`.
    Ready {
        attempt: usize,
    },
    Expecting {
        wanted: Vec<u8>,
        deadline: Instant,
        /// What to send if it does not come.
        sub_send: Option<Vec<u8>>,
        /// With which attempt to go on after that.
        next_attempt: usize,
    },
    /// `file_contents` goes on.
    AwaitingFile {
        name: Vec<u8>,
        after: AfterSend,
    },
    Sending {
        actions: VecDeque<SendAction>,
        resume: Instant,
        deadline: Instant,
        after: AfterSend,
    },
    /// The verdict is known, but a REPORT line is still coming.
    Finishing {
        verdict: Verdict,
        deadline: Instant,
    },
    Done,
}

/// Where the script goes on after a send.
#[derive(Clone, Copy)]
enum AfterSend {
    NextStep,
    /// With this attempt of the same step.
    Attempt(usize),
}

impl Conversation {
    /// How many octets that came during a send or a pause are kept; as many as a tty keeps.
    pub const MAX_UNREAD_OCTETS: usize = 4096;

    /// Starts to run `script`; the first outputs are there at once.
    #[must_use]
    pub fn new(script: Arc<Script>, options: ConversationOptions, now: Instant) -> Self {
        let mut conversation = Self {
            script,
            state: State::Ready { attempt: 0 },
            step: 0,
            timeout: options.timeout,
            echo: options.echo,
            options,
            ignores_hangup: false,
            aborts: Vec::new(),
            reports: Vec::new(),
            gathering: None,
            unread: VecDeque::new(),
            window: Vec::new(),
            unlogged: 0,
            echoed: String::new(),
            redactor: Redactor::default(),
            outputs: VecDeque::new(),
        };
        for (name, value) in conversation.options.script.variables.iter().flatten() {
            if names_a_secret(name) {
                conversation.redactor.remember(value);
            }
        }
        conversation.advance(now);
        conversation
    }

    /// Takes what the modem said, and returns how many of the octets were taken.
    ///
    /// Not all of them are once the script is done: what then belongs to PPP is
    /// [`Conversation::take_unread`], followed by the octets not taken. During a send at most
    /// [`Conversation::MAX_UNREAD_OCTETS`] are kept; a caller may offer the rest again later, or lose it as
    /// a tty does.
    ///
    /// Octets count as received in time if they are handed in before [`Conversation::handle_timeout`].
    pub fn handle_octets(&mut self, now: Instant, octets: &[u8]) -> usize {
        let mut taken = 0;
        for &octet in octets {
            if self.is_done() || self.unread.len() >= Self::MAX_UNREAD_OCTETS {
                break;
            }
            self.unread.push_back(octet);
            self.advance(now);
            taken += 1;
        }
        self.show_echoed();
        taken
    }

    /// Does what is due at `now`. An early or extra call does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        match &self.state {
            State::Expecting { deadline, .. } if now >= *deadline => self.expect_timed_out(now),
            State::Finishing { deadline, .. } if now >= *deadline => self.finish_report(),
            State::Expecting { .. }
            | State::Finishing { .. }
            | State::Ready { .. }
            | State::AwaitingFile { .. }
            | State::Sending { .. }
            | State::Done => {}
        }
        self.advance(now);
        self.show_echoed();
    }

    /// The line hung up. With `HANGUP OFF` the script goes on, as one that is called back must; if the serial
    /// port itself is gone, the caller drops the conversation.
    pub fn handle_hangup(&mut self, _now: Instant) {
        match self.state {
            State::Done => {}
            State::Finishing { .. } => self.finish_report(),
            State::Ready { .. }
            | State::Expecting { .. }
            | State::AwaitingFile { .. }
            | State::Sending { .. } => {
                if self.ignores_hangup {
                    self.log(ChatLine::HangupIgnored);
                } else {
                    self.gathering_ends();
                    let error = self.failure(FailureKind::HungUp);
                    self.conclude(Verdict::Failed(error));
                }
            }
        }
    }

    /// Answers [`ConversationOutput::ReadFile`]: what is in the file, or why it cannot be read. Of the
    /// contents the first 1023 octets count, as in chat(8). An answer that nobody waits for is ignored.
    pub fn file_contents(&mut self, now: Instant, contents: Result<Vec<u8>, String>) {
        let State::AwaitingFile { name, after } = &self.state else { return };
        let after = *after;
        match contents {
            Ok(mut contents) => {
                contents.truncate(Script::MAX_WORD_OCTETS);
                let text = contents.strip_suffix(b"\n").unwrap_or(&contents);
                let end = text.iter().position(|&octet| octet == 0).unwrap_or(text.len());
                self.send(now, text.get(..end).unwrap_or_default(), after);
            }
            Err(reason) => {
                let kind = FailureKind::FileUnreadable { name: printable(name), reason };
                self.fail(now, kind);
            }
        }
        self.advance(now);
    }

    /// The next thing to do, until there is none.
    pub fn poll_output(&mut self) -> Option<ConversationOutput> {
        self.outputs.pop_front()
    }

    /// When [`Conversation::handle_timeout`] is to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Ready { .. } | State::AwaitingFile { .. } | State::Done => None,
            State::Expecting { deadline, .. } | State::Finishing { deadline, .. } => Some(*deadline),
            State::Sending { resume, .. } => Some(*resume),
        }
    }

    /// Whether the script has ended, well or not; its verdict is then among the outputs.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Once the script is done: the octets that were taken but that no step has read.
    #[must_use]
    pub fn take_unread(&mut self) -> Vec<u8> {
        self.unread.drain(..).collect()
    }

    #[cfg(test)]
    pub(super) fn room_for_received(&self) -> usize {
        self.window.capacity() + self.unread.capacity()
    }

    /// Does all that can be done without a later time or more octets.
    fn advance(&mut self, now: Instant) {
        loop {
            let goes_on = match &self.state {
                State::Ready { attempt } => {
                    let attempt = *attempt;
                    self.do_step(now, attempt);
                    true
                }
                State::Expecting { .. } | State::Finishing { .. } => match self.unread.pop_front() {
                    Some(octet) => {
                        self.read(now, octet & 0x7f);
                        true
                    }
                    None => false,
                },
                State::Sending { .. } => self.go_on_sending(now),
                State::AwaitingFile { .. } | State::Done => false,
            };
            if !goes_on {
                return;
            }
        }
    }

    fn do_step(&mut self, now: Instant, attempt: usize) {
        let script = Arc::clone(&self.script);
        let Some(step) = script.steps().get(self.step) else {
            self.end(now, Verdict::Connected);
            return;
        };
        match &step.action {
            Action::Expect(attempts) => match attempts.get(attempt) {
                Some(wanted) => return self.start_expect(now, wanted, attempt + 1),
                None => self.window.clear(),
            },
            Action::Send(word) => return self.start_send(now, word, AfterSend::NextStep),
            Action::Abort(word) => match self.string("ABORT", word, self.aborts.len()) {
                Ok(string) => {
                    self.log(ChatLine::AbortSet(printable(&string)));
                    self.aborts.push(string);
                }
                Err(kind) => return self.fail(now, kind),
            },
            Action::Report(word) => match self.string("REPORT", word, self.reports.len()) {
                Ok(string) => {
                    self.log(ChatLine::ReportSet(printable(&string)));
                    self.reports.push(string);
                }
                Err(kind) => return self.fail(now, kind),
            },
            Action::ClearAbort(word) => {
                let string = clean_expect(word, &self.options.script);
                self.aborts.retain(|known| *known != string);
                self.log(ChatLine::AbortCleared(printable(&string)));
            }
            Action::ClearReport(word) => {
                let string = clean_expect(word, &self.options.script);
                self.reports.retain(|known| *known != string);
                self.log(ChatLine::ReportCleared(printable(&string)));
            }
            Action::Timeout(word) => {
                let word = clean_expect(word, &self.options.script);
                self.timeout = timeout(&word, self.options.fractional_timeouts);
                self.log(ChatLine::TimeoutSet(self.timeout));
            }
            Action::Echo(word) => {
                self.echo = word == b"ON";
                self.log(ChatLine::EchoSet(self.echo));
            }
            Action::Hangup(word) => {
                self.ignores_hangup = word == b"OFF";
                self.log(ChatLine::HangupSet(!self.ignores_hangup));
            }
            Action::Say(word) => {
                let said = clean_send(word, &self.options.script).octets;
                let said: Vec<u8> = said.into_iter().take_while(|&octet| octet != 0).collect();
                self.show_echoed();
                self.outputs.push_back(ConversationOutput::Say(said));
            }
        }
        self.next_step();
    }

    fn next_step(&mut self) {
        self.step += 1;
        self.state = State::Ready { attempt: 0 };
    }

    /// An ABORT or REPORT string, if there is room for it.
    fn string(&self, keyword: &'static str, word: &[u8], known: usize) -> Result<Vec<u8>, FailureKind> {
        if known >= Script::MAX_STRINGS {
            return Err(FailureKind::TooManyStrings { keyword });
        }
        let string = clean_expect(word, &self.options.script);
        if string.len() > Script::MAX_STRING_OCTETS {
            return Err(FailureKind::StringTooLong { keyword, octets: string.len() });
        }
        Ok(string)
    }

    fn fail(&mut self, now: Instant, kind: FailureKind) {
        let error = self.failure(kind);
        self.end(now, Verdict::Failed(error));
    }

    fn failure(&self, kind: FailureKind) -> ConversationError {
        let script = self.script.steps().get(self.step);
        let position = script.map_or(Position::START, |step| step.position);
        // Cut only what is already redacted, lest half a secret be no secret.
        let received = self.redactor.text(&self.window);
        let tail = received.len().saturating_sub(LAST_RECEIVED_CHARACTERS);
        let last_received = received.get(tail..).map(String::from).unwrap_or_default();
        ConversationError { step: StepPlace { number: self.step + 1, position }, kind, last_received }
    }

    fn end(&mut self, now: Instant, verdict: Verdict) {
        if self.gathering.is_some() {
            self.state = State::Finishing { verdict, deadline: now + REPORT_PATIENCE };
        } else {
            self.conclude(verdict);
        }
    }

    fn finish_report(&mut self) {
        self.gathering_ends();
        if let State::Finishing { verdict, .. } = core::mem::replace(&mut self.state, State::Done) {
            self.conclude(verdict);
        }
    }

    fn conclude(&mut self, verdict: Verdict) {
        self.state = State::Done;
        self.show_echoed();
        self.outputs.push_back(ConversationOutput::Verdict(verdict));
    }

    fn log(&mut self, line: ChatLine) {
        self.outputs.push_back(ConversationOutput::Log(line));
    }

    fn show_echoed(&mut self) {
        if !self.echoed.is_empty() {
            let echoed = core::mem::take(&mut self.echoed);
            self.outputs.push_back(ConversationOutput::Echo(echoed));
        }
    }
}

impl fmt::Debug for Conversation {
    // What is being sent and received may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_done = self.is_done();
        f.debug_struct("Conversation")
            .field("step", &self.step)
            .field("is_done", &is_done)
            .finish_non_exhaustive()
    }
}

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(45);
/// How long the rest of a REPORT line may keep silent once the script is over.
const REPORT_PATIENCE: Duration = Duration::from_secs(1);
const LAST_RECEIVED_CHARACTERS: usize = 80;

/// The number at the start of the word; 45 s if there is none, or none above 0.
fn timeout(word: &[u8], fractional: bool) -> Duration {
    let word = word.trim_ascii_start();
    let word = word.strip_prefix(b"+").unwrap_or(word);
    let digits = |text: &[u8]| text.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let whole_digits = digits(word);
    let (whole, rest) = word.split_at_checked(whole_digits).unwrap_or((word, &[]));
    let number = |text: &[u8]| core::str::from_utf8(text).ok()?.parse::<u32>().ok();
    let mut limit = match number(whole) {
        Some(seconds) if i32::try_from(seconds).is_ok() => Duration::from_secs(seconds.into()),
        Some(_) => Duration::ZERO,
        None if whole.is_empty() => Duration::ZERO,
        None => return DEFAULT_TIMEOUT,
    };
    if let (true, Some(fraction)) = (fractional, rest.strip_prefix(b".")) {
        let micros = fraction.get(..digits(fraction).min(6)).unwrap_or_default();
        let scale = 10_u64.pow(6_u32.saturating_sub(u32::try_from(micros.len()).unwrap_or(6)));
        limit += Duration::from_micros(u64::from(number(micros).unwrap_or(0)) * scale);
    }
    if limit.is_zero() { DEFAULT_TIMEOUT } else { limit }
}

//! `dial`: runs a chat script against a modem without anything around it, or lets a person talk to the modem.
//!
//! It shows what is said, when, and which step failed; and hangs up in the end, whatever happened.

mod advice;
mod console;
mod port;
mod target;

use crate::cli::{Flow, Lock, seconds};
use crate::report::Remedied;
use bridge_linux::OsError;
use bridge_proto::chat::{ChatLine, Conversation, ConversationOptions, ConversationOutput, Script};
use bridge_proto::chat::{ConversationError, Verdict};
use bridge_proto::modem::ESCAPE_AND_HANG_UP;
use bridge_proto::time::Instant;
use clap::Args;
use console::Pace;
use port::{Port, Woken};
use std::fmt;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use target::Target;

/// Arguments and options of `dial`.
#[derive(Debug, Args)]
pub struct DialArguments {
    /// Tty of the modem; or the name of a modem, or of a service, in the configuration
    #[arg(value_name = "DEVICE|NAME")]
    pub modem: PathBuf,
    /// Run this chat(8) script instead of the configured one
    #[arg(long, value_name = "FILE")]
    pub chatscript: Option<PathBuf>,
    /// Talk to the modem instead: a line in, its answer out, until Ctrl-D or the end of a file
    #[arg(long, conflicts_with_all = [
        "chatscript", "phone", "phone2", "chat_environment", "chat_timeout", "chat_pacing", "chat_short_pause",
    ])]
    pub at: bool,
    /// Configuration file, or directory of them [default: /etc/pppoe-serial-bridge.toml]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Speed of the serial line in bits per second [default: as configured, else 115200]
    #[arg(long, value_name = "BITS", value_parser = clap::value_parser!(u32).range(50..=20_000_000))]
    pub speed: Option<u32>,
    /// Flow control of the serial line [default: as configured, else rtscts]
    #[arg(long, value_enum)]
    pub flow: Option<Flow>,
    /// Who else is kept off the tty [default: as configured, else uucp]
    #[arg(long, value_enum)]
    pub lock: Option<Lock>,
    /// Telephone number for \T in the chat script
    #[arg(long, value_name = "NUMBER")]
    pub phone: Option<String>,
    /// Telephone number for \U in the chat script
    #[arg(long, value_name = "NUMBER")]
    pub phone2: Option<String>,
    /// Replace $NAME in the chat script by the environment's value
    #[arg(long)]
    pub chat_environment: bool,
    /// Timeout of the chat script until it says TIMEOUT itself, in seconds [default: as configured, else 45]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub chat_timeout: Option<Duration>,
    /// Pause before each octet sent by the chat script, in seconds [default: as configured, else 0]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub chat_pacing: Option<Duration>,
    /// How long \p pauses in the chat script, in seconds [default: as configured, else 0.1]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub chat_short_pause: Option<Duration>,
}

/// Exit code for what the operator can mend before anything is dialled.
const EXIT_USAGE: u8 = 2;
/// Dials, or talks, and hangs up. 0 if the script came to its end, 1 if not.
pub(crate) fn run(arguments: &DialArguments) -> ExitCode {
    let outcome = Target::find(arguments).and_then(|target| match &target.script {
        Some((script, options)) => dial(&target, script, options),
        None => talk(&target),
    });
    outcome.unwrap_or_else(|error| {
        eprintln!("pppoe-serial-bridge: {error}");
        ExitCode::from(EXIT_USAGE)
    })
}

fn open(target: &Target) -> Result<Port, String> {
    let failed = |error: OsError| {
        let busy = if error.is_busy() { "; a bridge that serves it has to be stopped first" } else { "" };
        format!("cannot {}{busy}", Remedied(&error))
    };
    Port::open(&target.device, &target.serial).map_err(failed)
}

fn talk(target: &Target) -> Result<ExitCode, String> {
    let mut port = open(target)?;
    let mut screen = Screen { began: port::now() };
    screen.note(target);
    let input = std::io::stdin();
    let pace = if input.is_terminal() { Pace::Person } else { Pace::File };
    if pace == Pace::Person {
        let (device, speed) = (target.device.display(), target.serial.speed);
        screen.tell("", format_args!("opened {device} at {speed} bit/s; Ctrl-D ends"));
    }
    let mut call = console::Call::default();
    let result = console::talk(&mut port, input, pace, &mut std::io::stdout(), &mut call);
    hang_up(target, &mut port, &mut screen, call.is_up());
    result.map_err(|error| format!("{}: {error}", target.device.display()))?;
    if call.is_unanswered() {
        eprintln!("no answer\n\n{}", advice::on_silence(target.circumstances()));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn dial(target: &Target, script: &Arc<Script>, options: &ConversationOptions) -> Result<ExitCode, String> {
    let mut port = open(target)?;
    let mut screen = Screen { began: port::now() };
    screen.note(target);
    screen.tell("", format_args!("opened {} at {} bit/s", target.device.display(), target.serial.speed));
    let result = converse(&mut port, &mut screen, Arc::clone(script), options.clone());
    match &result {
        Ok(()) => screen.tell("", format_args!("connected: the script came to its end")),
        Err(stop) => screen.tell("", format_args!("failed: {stop}")),
    }
    let is_answering = !matches!(result, Err(Stop::Line(_)));
    let by_words = is_answering && (result.is_ok() || target.hang_up.is_some());
    hang_up(target, &mut port, &mut screen, by_words);
    Ok(match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            if let Stop::Script(error) = &stop {
                println!("\n{}", advice::on(error, target.circumstances()));
            }
            ExitCode::FAILURE
        }
    })
}

/// Why a conversation did not come to its end.
#[derive(Debug)]
enum Stop {
    Script(ConversationError),
    Line(String),
    Interrupted,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Script(error) => error.fmt(f),
            Self::Line(why) => f.write_str(why),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

/// Runs a script to its end, showing what is said.
fn converse(
    port: &mut Port,
    screen: &mut Screen,
    script: Arc<Script>,
    options: ConversationOptions,
) -> Result<(), Stop> {
    let mut conversation = Conversation::new(script, options, port::now());
    loop {
        while let Some(output) = conversation.poll_output() {
            match output {
                ConversationOutput::Write(octets) => port.send(&octets),
                ConversationOutput::Break => port.send_break(),
                ConversationOutput::ReadFile(name) => {
                    let contents = port::read_file(&name);
                    conversation.file_contents(port::now(), contents);
                }
                ConversationOutput::Say(octets) => screen.words("say", &String::from_utf8_lossy(&octets)),
                ConversationOutput::Echo(words) => screen.words("echo", &words),
                ConversationOutput::Report(words) => screen.words("report", &words),
                ConversationOutput::Log(line) => screen.line(&line),
                ConversationOutput::Verdict(Verdict::Connected) => return Ok(()),
                ConversationOutput::Verdict(Verdict::Failed(error)) => return Err(Stop::Script(error)),
            }
        }
        match port.wait(conversation.poll_timeout()) {
            Ok(Woken::Octets(octets)) => {
                conversation.handle_octets(port::now(), &octets);
            }
            Ok(Woken::Time | Woken::Other) => {}
            Ok(Woken::Interrupted) => return Err(Stop::Interrupted),
            Err(error) => return Err(Stop::Line(error)),
        }
        // Also for a modem that never stops talking.
        if conversation.poll_timeout().is_some_and(|due| due <= port::now()) {
            conversation.handle_timeout(port::now());
        }
    }
}

/// Takes the modem off the line as the bridge does: by DTR, then by its own script; `by_words` if it may listen to
/// words. One that has neither is told by +++ and ATH.
fn hang_up(target: &Target, port: &mut Port, screen: &mut Screen, by_words: bool) {
    let has_dtr = port.drop_dtr();
    match &has_dtr {
        Ok(true) => {
            screen.tell("", format_args!("hung up by DTR"));
            port.pause(target.on_hook);
        }
        Ok(false) => {}
        Err(error) => return screen.tell("", format_args!("cannot hang up: {error}")),
    }
    let (script, options) = match (&target.hang_up, has_dtr) {
        _ if !by_words => return,
        (Some((script, options)), _) => {
            screen.tell("", format_args!("hanging up by the configured script"));
            (Arc::clone(script), options.clone())
        }
        (None, Ok(false)) => {
            let Ok(script) = Script::parse(ESCAPE_AND_HANG_UP) else { return };
            screen.tell("", format_args!("this port has no DTR: hanging up by +++ and ATH"));
            (Arc::new(script), ConversationOptions::default())
        }
        (None, _) => return,
    };
    port.raise_dtr();
    if let Err(stop) = converse(port, screen, script, options) {
        screen.tell("", format_args!("the modem may still be connected: {stop}"));
    }
    let _ = port.drop_dtr();
}

/// What is shown: a time, who, and what, a line each.
struct Screen {
    began: Instant,
}

impl Screen {
    fn tell(&mut self, who: &str, what: fmt::Arguments<'_>) {
        let time = (port::now() - self.began).as_secs_f64();
        // Whoever watches may have gone; the modem is to be hung up all the same.
        let _ = writeln!(std::io::stdout(), "{time:8.3}  {who:<7} {what}");
    }

    fn note(&mut self, target: &Target) {
        if let Some(note) = &target.note {
            self.tell("", format_args!("{note}"));
        }
    }

    /// Words of a script or a modem, which a terminal might obey.
    fn words(&mut self, who: &str, words: &str) {
        self.tell(who, format_args!("{}", words.trim_end().escape_debug()));
    }

    fn line(&mut self, line: &ChatLine) {
        match line {
            ChatLine::Send(text) => self.tell("send", format_args!("{text}")),
            ChatLine::Expect(text) => self.tell("expect", format_args!("{text}")),
            ChatLine::Received(text) if text.is_empty() => {}
            ChatLine::Received(text) => self.tell("modem", format_args!("{text}")),
            ChatLine::GotIt => self.tell("", format_args!("that was it")),
            ChatLine::Aborted(text) => self.tell("", format_args!("that is an abort string: {text}")),
            ChatLine::TimedOut => self.tell("", format_args!("it did not come in time")),
            line => self.tell("script", format_args!("{line}")),
        }
    }
}

//! The daemon around `bridge-proto`: files, flags, sockets, ttys, logs, and the order of start and stop.
//!
//! It promises to hold no protocol rules: what is decided comes from
//! [`bridge_proto::bridge::Bridge`], what is forwarded goes through [`bridge_proto::forward`].
//!
//! A library so that tests, and the demo, can start the daemon in-process.
#![forbid(unsafe_code)]

mod check;
pub mod cli;
pub mod config;
pub mod control;
mod demo;
pub mod dial;
mod dispatch;
mod ethernet_port;
mod event_loop;
mod modem_port;
mod reload;
mod report;
mod transmit_queue;

pub use event_loop::{EventLoop, StartError};

use config::{Origin, Surroundings};
use control::client;
use report::Remedied;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

/// Exit code for what the operator can mend: arguments, files, devices, privileges.
const EXIT_USAGE: u8 = 2;

/// The whole program.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = cli::Arguments::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    match &arguments.command {
        Some(cli::Command::Check(check)) => check::check(check),
        Some(cli::Command::Demo(demo)) => demo::run(demo),
        Some(cli::Command::Dial(arguments)) => dial::run(arguments),
        Some(cli::Command::Status(arguments)) => client::status(arguments),
        Some(cli::Command::Disconnect(arguments)) => client::disconnect(arguments),
        Some(cli::Command::Drain(arguments)) => client::drain(arguments),
        Some(cli::Command::Resume(arguments)) => client::resume(arguments),
        None => run(arguments),
    }
}

fn run(arguments: cli::Arguments) -> ExitCode {
    let origin = if arguments.bridge.device.is_some() {
        Origin::CommandLine(Box::new(arguments.bridge))
    } else {
        Origin::File(arguments.config)
    };
    let loaded = match origin.load(&Surroundings::of_this_process()) {
        Ok(loaded) => loaded,
        Err(problems) => {
            eprintln!("{}", problems.render(std::io::stderr().is_terminal()));
            return ExitCode::from(EXIT_USAGE);
        }
    };
    report::start_logging(arguments.log_level, loaded.config.log_level);
    let warnings: Vec<String> = loaded.warnings.lines().collect();
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    let started = EventLoop::start(loaded)
        .map_err(|error| refusal(&error, &origin))
        .map(|event_loop| event_loop.reloading_from(origin).warned(warnings))
        .and_then(|event_loop| with_control(event_loop, arguments.control.as_deref()));
    match started {
        Ok(event_loop) => event_loop.run(),
        Err(error) => {
            error.lines().for_each(|line| eprintln!("pppoe-serial-bridge: {line}"));
            ExitCode::from(EXIT_USAGE)
        }
    }
}

/// Why it does not start. Who names a device to the command line may not know that it can be waited for.
fn refusal(error: &StartError, origin: &Origin) -> String {
    match origin {
        Origin::CommandLine(_) if error.is_missing() => {
            format!("{error}\nto wait for what is missing, use --wait")
        }
        Origin::CommandLine(_) | Origin::File(_) => error.to_string(),
    }
}

/// Opens the control socket: where it was asked for it must be had, and elsewhere it is worth having.
fn with_control(mut event_loop: EventLoop, path: Option<&Path>) -> Result<EventLoop, String> {
    match (event_loop.serve_control(path.unwrap_or(Path::new(control::DEFAULT_PATH))), path) {
        (Ok(()), _) => Ok(event_loop),
        (Err(error), Some(_)) => Err(format!("cannot {}", Remedied(&error))),
        (Err(error), None) => {
            tracing::info!("no control socket: cannot {}", Remedied(&error));
            Ok(event_loop)
        }
    }
}

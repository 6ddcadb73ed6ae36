//! The daemon around `bridge-proto`: files, flags, sockets, ttys, logs, and the order of start and stop.
//!
//! It promises to hold no protocol rules: what is decided comes from
//! [`bridge_proto::bridge::Bridge`], what is forwarded goes through [`bridge_proto::forward`].
//!
//! A library so that tests, and the demo, can start the daemon in-process.
#![forbid(unsafe_code)]

pub mod cli;
pub mod config;
mod demo;
mod dispatch;
mod ethernet_port;
mod event_loop;
mod modem_port;
mod report;
mod transmit_queue;

pub use event_loop::{EventLoop, StartError};

use clap::Parser;
use std::process::ExitCode;

/// Exit code for what the operator can mend: arguments, files, devices, privileges.
const EXIT_USAGE: u8 = 2;

/// The whole program.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    match &arguments.command {
        Some(cli::Command::Demo(demo)) => demo::run(demo),
        None => run(&arguments.bridge),
    }
}

fn run(arguments: &cli::BridgeArguments) -> ExitCode {
    report::start_logging(arguments.log_level);
    let outcome = config::Config::from_arguments(arguments)
        .map_err(|error| error.to_string())
        .and_then(|config| EventLoop::start(config).map_err(|error| error.to_string()));
    match outcome {
        Ok(event_loop) => event_loop.run(),
        Err(message) => {
            eprintln!("pppoe-serial-bridge: {message}");
            ExitCode::from(EXIT_USAGE)
        }
    }
}

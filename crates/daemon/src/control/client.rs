//! The subcommands that ask a running bridge, over its control socket.

use super::protocol::{Request, Response, line};
use super::{DEFAULT_PATH, table};
use clap::Args;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use thiserror::Error;

/// Which bridge is asked.
#[derive(Debug, Args)]
pub struct ControlArguments {
    /// Control socket of the bridge
    #[arg(long, value_name = "PATH", default_value = DEFAULT_PATH)]
    pub control: PathBuf,
}

/// Options of `status`.
#[derive(Debug, Args)]
pub struct StatusArguments {
    /// Say it in JSON, for programs
    #[arg(long)]
    pub json: bool,
    /// Which bridge.
    #[command(flatten)]
    pub control: ControlArguments,
}

/// Options of `disconnect`.
#[derive(Debug, Args)]
pub struct DisconnectArguments {
    /// Number of the session, such as 0x0001, from `status`
    #[arg(value_parser = session)]
    pub session: u16,
    /// Which bridge.
    #[command(flatten)]
    pub control: ControlArguments,
}

/// Options of `drain` and `resume`.
#[derive(Debug, Args)]
pub struct ServiceArguments {
    /// Service-Name [default: every service]
    pub service: Option<String>,
    /// Which bridge.
    #[command(flatten)]
    pub control: ControlArguments,
}

/// Why a bridge could not be asked.
#[derive(Debug, Error)]
enum AskError {
    #[error("no bridge is running that listens at {0}; start one, or name another socket by --control PATH")]
    NotRunning(String),
    #[error("not allowed to ask the bridge at {0}; become root or a member of the group that the socket has")]
    NotAllowed(String),
    #[error("cannot ask the bridge at {path}: {cause}")]
    Io { path: String, cause: std::io::Error },
    #[error("the bridge at {path} said something that is no answer: {cause}")]
    NoAnswer { path: String, cause: serde_json::Error },
}

/// `status`: a table for people, JSON for programs.
pub(crate) fn status(arguments: &StatusArguments) -> ExitCode {
    finish(arguments.control.ask(&Request::Status {}), arguments.json)
}

/// `disconnect`: ends a session.
pub(crate) fn disconnect(arguments: &DisconnectArguments) -> ExitCode {
    finish(arguments.control.ask(&Request::Disconnect { session: arguments.session }), false)
}

/// `drain`: no new calls.
pub(crate) fn drain(arguments: &ServiceArguments) -> ExitCode {
    finish(arguments.control.ask(&Request::Drain { service: arguments.service.clone() }), false)
}

/// `resume`: new calls again.
pub(crate) fn resume(arguments: &ServiceArguments) -> ExitCode {
    finish(arguments.control.ask(&Request::Resume { service: arguments.service.clone() }), false)
}

impl ControlArguments {
    fn ask(&self, request: &Request) -> Result<Response, AskError> {
        /// The bridge itself waits less for its own.
        const PATIENCE: Duration = Duration::from_secs(10);
        /// More than any bridge has to say.
        const MOST_OCTETS: u64 = 16 * 1024 * 1024;
        let path = || self.control.display().to_string();
        let failed = |cause: std::io::Error| match cause.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => AskError::NotRunning(path()),
            ErrorKind::PermissionDenied => AskError::NotAllowed(path()),
            _ => AskError::Io { path: path(), cause },
        };
        let mut bridge = UnixStream::connect(&self.control).map_err(failed)?;
        bridge.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        bridge.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
        bridge.write_all(&line(request)).map_err(failed)?;
        let mut answer = Vec::new();
        BufReader::new(bridge.take(MOST_OCTETS)).read_until(b'\n', &mut answer).map_err(failed)?;
        serde_json::from_slice(&answer).map_err(|cause| AskError::NoAnswer { path: path(), cause })
    }
}

fn finish(answer: Result<Response, AskError>, json: bool) -> ExitCode {
    let words = match answer {
        Ok(Response::Status(status)) if json => serde_json::to_string_pretty(&status).unwrap_or_default(),
        Ok(Response::Status(status)) => table::render(&status),
        Ok(Response::Done(done)) => done,
        Ok(Response::Error(error)) => return fail(&error),
        Err(error) => return fail(&error.to_string()),
    };
    // Whoever reads may have seen enough.
    let _ = writeln!(std::io::stdout(), "{}", words.trim_end());
    ExitCode::SUCCESS
}

fn fail(error: &str) -> ExitCode {
    eprintln!("pppoe-serial-bridge: {error}");
    ExitCode::FAILURE
}

/// The number of a session, as the log and `status` write it or as pppd does.
fn session(text: &str) -> Result<u16, String> {
    let number = match text.strip_prefix("0x") {
        Some(digits) => u16::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|_| "must be a number from 0x0001 to 0xfffe, or from 1 to 65534".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_a_number_in_either_base() {
        assert_eq!((session("0x00ff"), session("255")), (Ok(255), Ok(255)));
        for bad in ["", "0x", "ff", "65536", "-1", "0x10000"] {
            assert!(session(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn that_no_bridge_runs_is_said_with_what_to_do() {
        let control = PathBuf::from("/nonexistent/control");
        let error = ControlArguments { control }.ask(&Request::Status {}).unwrap_err();
        let expected = "no bridge is running that listens at /nonexistent/control; \
            start one, or name another socket by --control PATH";
        assert_eq!(error.to_string(), expected);
    }
}

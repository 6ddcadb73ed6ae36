//! A command of the operator's at work on a serial port: `/bin/sh -c COMMAND`, standard input and output the port.
//!
//! It promises: the command and what it starts are one process group, which does not outlive [`Child`]; the command is
//! asked to end when the thread that started it ends, however that does; its standard error can be read line by line
//! without waiting, in bounded memory; it starts with an empty signal mask. The caller watches
//! [`Child::exit_descriptor`] and [`Child::stderr_descriptor`], leaves the port alone meanwhile (it is in blocking mode,
//! as commands expect), and times out by [`Child::terminate`], later by [`Child::kill`], and drops it once it has ended.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{self, Command, Stdio};

use rustix::io::Errno;
use rustix::process::{PidfdFlags, Signal, WaitId, WaitIdOptions};

use crate::error::OsError;
use crate::sys;

/// See the [module](self).
#[derive(Debug)]
pub struct Child {
    child: process::Child,
    pidfd: OwnedFd,
    stderr: Lines,
    /// Until it is released.
    tty: Option<OwnedFd>,
}

impl Child {
    /// Starts the command, with these variables added to its environment.
    ///
    /// # Errors
    ///
    /// No process or no descriptor left. An unknown command is the shell's to report, as exit code 127.
    pub fn spawn(command: &str, tty: impl AsFd, environment: &[(&str, &OsStr)]) -> Result<Self, OsError> {
        start(command, tty.as_fd(), environment).map_err(|cause| OsError::new("start", command, cause))
    }

    /// Its process number, which is also that of its group.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Readable once the command has ended, and from then on.
    pub fn exit_descriptor(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Readable when [`Child::next_line`] has something to say.
    pub fn stderr_descriptor(&self) -> BorrowedFd<'_> {
        self.stderr.pipe.as_fd()
    }

    /// The next line the command wrote to standard error, without its line break. The text is the command's, control
    /// characters and all.
    ///
    /// # Errors
    ///
    /// None that the caller could have caused.
    pub fn next_line(&mut self) -> io::Result<StderrLine> {
        self.stderr.next()
    }

    /// How the command ended, if it has.
    ///
    /// # Errors
    ///
    /// None that the caller could have caused.
    pub fn end(&self) -> io::Result<Option<ChildEnd>> {
        // It is left unreaped: until this is dropped its number must not become another group's.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = rustix::process::waitid(WaitId::PidFd(self.pidfd.as_fd()), options)?;
        Ok(status.and_then(|status| match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Some(ChildEnd::Exited(code)),
            (None, Some(signal)) => Some(ChildEnd::Killed { signal }),
            (None, None) => None,
        }))
    }

    /// Whether [`Child::next_line`] has a line without reading more.
    pub fn has_line(&self) -> bool {
        self.stderr.has_line()
    }

    /// Asks the command and all it has started to end (`SIGTERM`). The port is the caller's again: nonblocking, and no
    /// longer held open here. Who closes a port last may have to wait for it.
    ///
    /// # Errors
    ///
    /// None that the caller could have caused.
    pub fn terminate(&mut self) -> io::Result<()> {
        // In this order: a command that is about to read must meet the signal before a port with nothing to read.
        let result = self.signal_group(Signal::TERM);
        self.release_port();
        result
    }

    /// Makes the command and all it has started end (`SIGKILL`).
    ///
    /// # Errors
    ///
    /// None that the caller could have caused.
    pub fn kill(&self) -> io::Result<()> {
        self.signal_group(Signal::KILL)
    }

    fn release_port(&mut self) {
        if let Some(tty) = self.tty.take() {
            let _ = rustix::io::ioctl_fionbio(&tty, true);
        }
    }

    fn signal_group(&self, signal: Signal) -> io::Result<()> {
        let group = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        let group = group.ok_or(Errno::SRCH)?;
        Ok(rustix::process::kill_process_group(group, signal)?)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // The leader is not reaped yet, so the number still means this group.
        let _ = self.kill();
        // Not waited for: a process that hangs in a driver holds off even SIGKILL. One that is dropped before its end
        // stays in the process table until this program ends.
        let _ = self.child.try_wait();
        self.release_port();
    }
}

fn start(command: &str, tty: BorrowedFd<'_>, environment: &[(&str, &OsStr)]) -> io::Result<Child> {
    let tty = tty.try_clone_to_owned()?;
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", command])
        .envs(environment.iter().copied())
        .stdin(tty.try_clone()?)
        .stdout(tty.try_clone()?)
        .stderr(Stdio::piped())
        .process_group(0);
    sys::process::empty_mask_in_child(&mut shell)?;
    sys::process::end_with_this_thread(&mut shell);
    // The mode belongs to the open port, not to the descriptor, so it is the same for the command and for us.
    rustix::io::ioctl_fionbio(&tty, false)?;
    let started = shell.spawn().and_then(|child| watch(child, &tty));
    if started.is_err() {
        rustix::io::ioctl_fionbio(&tty, true)?;
    }
    started
}

fn watch(mut child: process::Child, tty: &OwnedFd) -> io::Result<Child> {
    let prepare = |child: &mut process::Child| {
        let pipe = child.stderr.take().map(OwnedFd::from).ok_or(Errno::BADF)?;
        rustix::io::ioctl_fionbio(&pipe, true)?;
        let pid = rustix::process::Pid::from_child(child);
        // Not reaped yet, so the number can mean nobody else.
        let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
        Ok::<_, io::Error>((pipe, pidfd, tty.try_clone()?))
    };
    match prepare(&mut child) {
        Ok((pipe, pidfd, tty)) => {
            let stderr = Lines { pipe, partial: Vec::new(), is_ended: false };
            Ok(Child { child, pidfd, stderr, tty: Some(tty) })
        }
        Err(error) => {
            let _ = child.kill();
            let _ = child.wait();
            Err(error)
        }
    }
}

/// What [`Child::next_line`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StderrLine {
    /// A line. One of more than 512 octets comes in pieces.
    Line(String),
    /// Nothing now.
    NotNow,
    /// Nothing ever again: nobody has the other end open.
    End,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChildEnd {
    /// By itself, with this exit code.
    Exited(i32),
    /// By a signal.
    Killed {
        /// Its number.
        signal: i32,
    },
}

/// A pipe read line by line.
#[derive(Debug)]
struct Lines {
    pipe: OwnedFd,
    /// Read, but not handed out yet: fewer than [`MAX_LINE`] octets and a chunk.
    partial: Vec<u8>,
    is_ended: bool,
}

const MAX_LINE: usize = 512;

impl Lines {
    fn next(&mut self) -> io::Result<StderrLine> {
        loop {
            if let Some(line) = self.take_line() {
                return Ok(StderrLine::Line(line));
            }
            if self.is_ended {
                return Ok(StderrLine::End);
            }
            let mut chunk = [0; MAX_LINE];
            match rustix::io::read(&self.pipe, &mut chunk) {
                Ok(0) => self.is_ended = true,
                Ok(octets) => self.partial.extend(chunk.iter().take(octets)),
                Err(Errno::AGAIN) => return Ok(StderrLine::NotNow),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn has_line(&self) -> bool {
        self.line_end().is_some()
    }

    /// How long the next line is, without its break and with it.
    fn line_end(&self) -> Option<(usize, usize)> {
        let line_break = self.partial.iter().take(MAX_LINE + 1).position(|&octet| octet == b'\n');
        match line_break {
            Some(at) => Some((at, at + 1)),
            None if self.partial.len() >= MAX_LINE => Some((MAX_LINE, MAX_LINE)),
            None if self.is_ended && !self.partial.is_empty() => {
                Some((self.partial.len(), self.partial.len()))
            }
            None => None,
        }
    }

    fn take_line(&mut self) -> Option<String> {
        let (len, with_break) = self.line_end()?;
        let line: Vec<u8> = self.partial.drain(..with_break).take(len).collect();
        Some(String::from_utf8_lossy(&line).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poller::{Events, Interest, Poller, Token};
    use crate::pty::PtyPair;
    use crate::signals::SignalSet;
    use crate::signals::tests::ONE_SET;
    use std::sync::PoisonError;

    fn await_readable(source: impl AsFd) {
        let poller = Poller::new().unwrap();
        poller.add(source, Token(0), Interest::READABLE).unwrap();
        poller.wait(&mut Events::with_capacity(1), None).unwrap();
    }

    fn await_line(child: &mut Child) -> StderrLine {
        loop {
            match child.next_line().unwrap() {
                StderrLine::NotNow => await_readable(child.stderr_descriptor()),
                line => return line,
            }
        }
    }

    fn await_end(child: &Child) -> ChildEnd {
        await_readable(child.exit_descriptor());
        child.end().unwrap().unwrap()
    }

    fn line(text: &str) -> StderrLine {
        StderrLine::Line(text.to_owned())
    }

    /// The port's two ends and a command at work on it.
    fn run(command: &str) -> (PtyPair, OwnedFd, Child) {
        let pair = PtyPair::open().unwrap();
        let tty = pair.open_slave().unwrap();
        let child = Child::spawn(command, &tty, &[("SPEED", OsStr::new("9600"))]).unwrap();
        (pair, tty, child)
    }

    #[test]
    fn a_command_talks_to_the_port_and_reports_on_stderr() {
        let (pair, tty, mut child) =
            run(r#"read -r answer; printf 'ATZ\r'; echo "got $answer at $SPEED" >&2; exit 3"#);
        pair.write(b"OK\n").unwrap();
        assert_eq!(await_line(&mut child), line("got OK at 9600"));
        assert_eq!(await_line(&mut child), StderrLine::End);
        assert_eq!(await_end(&child), ChildEnd::Exited(3));
        await_readable(&pair);
        let mut buffer = [0; 16];
        let len = pair.read(&mut buffer).unwrap();
        assert_eq!(&buffer[..len], b"ATZ\r");
        drop(child);
        // The port is as it was: nonblocking.
        assert_eq!(rustix::io::read(&tty, &mut buffer), Err(Errno::AGAIN));
    }

    #[test]
    fn the_whole_group_ends_with_it() {
        // The grandchild keeps standard error open, so its end is the end of the stream.
        let (_pair, _tty, mut child) = run("sleep 1000 & echo started >&2; wait");
        assert_eq!(await_line(&mut child), line("started"));
        assert_eq!(child.end().unwrap(), None);
        let pipe = child.stderr.pipe.try_clone().unwrap();
        drop(child);
        await_readable(&pipe);
        assert_eq!(rustix::io::read(&pipe, &mut [0; 1]), Ok(0));
    }

    #[test]
    fn a_grandchild_left_behind_ends_with_it_too() {
        let (_pair, _tty, mut child) = run("sleep 1000 & echo started >&2");
        assert_eq!(await_line(&mut child), line("started"));
        assert_eq!(await_end(&child), ChildEnd::Exited(0));
        let pipe = child.stderr.pipe.try_clone().unwrap();
        drop(child);
        await_readable(&pipe);
        assert_eq!(rustix::io::read(&pipe, &mut [0; 1]), Ok(0));
    }

    #[test]
    fn a_command_does_not_outlive_the_thread_that_started_it() {
        let started = std::thread::spawn(|| {
            let (pair, tty, mut child) = run("echo started >&2; read -r forever");
            assert_eq!(await_line(&mut child), line("started"));
            (pair, tty, child)
        });
        let (_pair, _tty, child) = started.join().unwrap();
        assert_eq!(await_end(&child), ChildEnd::Killed { signal: libc::SIGTERM });
    }

    #[test]
    fn a_command_may_do_something_before_it_ends_and_must_end_if_it_does_not() {
        let (pair, tty, mut child) =
            run("trap 'printf ATH; exit 4' TERM; echo ready >&2; while :; do read -r forever; done");
        assert_eq!(await_line(&mut child), line("ready"));
        child.terminate().unwrap();
        assert_eq!(rustix::io::read(&tty, &mut [0; 1]), Err(Errno::AGAIN));
        assert_eq!(await_end(&child), ChildEnd::Exited(4));
        await_readable(&pair);
        let mut buffer = [0; 16];
        let len = pair.read(&mut buffer).unwrap();
        assert_eq!(&buffer[..len], b"ATH");
        let (_pair, _tty, mut child) = run("trap '' TERM; echo ready >&2; sleep 1000; sleep 1000");
        assert_eq!(await_line(&mut child), line("ready"));
        child.terminate().unwrap();
        child.kill().unwrap();
        assert_eq!(await_end(&child), ChildEnd::Killed { signal: libc::SIGKILL });
    }

    #[test]
    fn blocked_signals_are_not_inherited() {
        let _alone = ONE_SET.lock().unwrap_or_else(PoisonError::into_inner);
        let _signals = SignalSet::open().unwrap();
        let (_pair, _tty, mut child) = run("echo ready >&2; read -r forever");
        assert_eq!(await_line(&mut child), line("ready"));
        child.terminate().unwrap();
        assert_eq!(await_end(&child), ChildEnd::Killed { signal: libc::SIGTERM });
    }

    #[test]
    fn an_unknown_command_is_the_shells_to_report() {
        let (_pair, _tty, mut child) = run("no-such-command-here");
        let StderrLine::Line(text) = await_line(&mut child) else { panic!("silence") };
        assert!(text.contains("no-such-command-here"), "{text}");
        assert_eq!(await_end(&child), ChildEnd::Exited(127));
    }

    #[test]
    fn long_lines_come_in_pieces_and_the_last_needs_no_break() {
        let (_pair, _tty, mut child) = run("printf '%0600d\\n\\nend' 0 >&2");
        assert_eq!(await_line(&mut child), line(&"0".repeat(MAX_LINE)));
        assert_eq!(await_line(&mut child), line(&"0".repeat(600 - MAX_LINE)));
        assert_eq!(await_line(&mut child), line(""));
        assert_eq!(await_line(&mut child), line("end"));
        assert_eq!(await_line(&mut child), StderrLine::End);
    }
}

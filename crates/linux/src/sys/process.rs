//! Namespaces, and what a child must do between fork and exec.
#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::io::Errno;
use rustix::process::Signal;
use rustix::thread::UnshareFlags;

use super::signal;

/// Sends the child `SIGTERM` if the calling thread ends before it; a child that comes too late for that does not start.
pub(crate) fn end_with_this_thread(command: &mut Command) {
    let parent = rustix::process::getpid();
    let tie = move || {
        rustix::process::set_parent_process_death_signal(Some(Signal::TERM))?;
        if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(Errno::SRCH.into()) }
    };
    // SAFETY: between fork and exec only async-signal-safe calls are allowed: these are bare system calls, and the
    // closure neither allocates nor locks.
    unsafe { command.pre_exec(tie) };
}

/// Gives the child an empty signal mask; a mask outlives exec, and this program blocks most of what ends one.
pub(crate) fn empty_mask_in_child(command: &mut Command) -> io::Result<()> {
    let nothing = signal::set_of(&[])?;
    let reset = move || signal::set_mask(libc::SIG_SETMASK, &nothing).map(drop);
    // SAFETY: between fork and exec only async-signal-safe calls are allowed: `pthread_sigmask` is one, and the
    // closure neither allocates nor locks.
    unsafe { command.pre_exec(reset) };
    Ok(())
}

/// Moves the calling thread into new namespaces. The descriptor table is never among them (see the flags below).
pub(crate) fn unshare(namespaces: UnshareFlags) -> io::Result<()> {
    let namespaces = namespaces & (UnshareFlags::NEWUSER | UnshareFlags::NEWNET);
    // SAFETY: rustix asks that no thread sees descriptors of another's table; tables stay shared, as FILES has just
    // been masked out.
    unsafe { rustix::thread::unshare_unsafe(namespaces) }?;
    Ok(())
}

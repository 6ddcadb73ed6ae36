//! Namespaces, and what a child must do between fork and exec.
#![allow(unsafe_code)]

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::thread::UnshareFlags;

use super::signal;

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

//! Signals as a descriptor: rustix leaves signal masks to the C library.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use libc::{signalfd_siginfo, sigset_t};

use super::check;

/// The set of these signals.
pub(crate) fn set_of(signals: &[c_int]) -> io::Result<sigset_t> {
    let mut set = MaybeUninit::<sigset_t>::uninit();
    // SAFETY: the pointer is to a writable local of the right type; the call initialises it.
    check(unsafe { libc::sigemptyset(set.as_mut_ptr()) })?;
    // SAFETY: `sigemptyset` has just initialised it.
    let mut set = unsafe { set.assume_init() };
    for &signal in signals {
        // SAFETY: the set is a live, initialised local.
        check(unsafe { libc::sigaddset(&raw mut set, signal) })?;
    }
    Ok(set)
}

/// Sets the calling thread's signal mask and returns what it was. Async-signal-safe.
pub(crate) fn set_mask(how: c_int, set: &sigset_t) -> io::Result<sigset_t> {
    let mut before = MaybeUninit::<sigset_t>::uninit();
    // SAFETY: one pointer is from a reference, the other to a writable local of the right type.
    let error = unsafe { libc::pthread_sigmask(how, ptr::from_ref(set), before.as_mut_ptr()) };
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error));
    }
    // SAFETY: a successful call has filled it.
    Ok(unsafe { before.assume_init() })
}

/// A nonblocking `signalfd` for these signals.
pub(crate) fn descriptor(set: &sigset_t) -> io::Result<OwnedFd> {
    // SAFETY: the set is read through a live reference; -1 asks for a new descriptor.
    let fd =
        check(unsafe { libc::signalfd(-1, ptr::from_ref(set), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) })?;
    // SAFETY: the descriptor was made by the call above and belongs to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The number of the next pending signal.
pub(crate) fn next(descriptor: BorrowedFd<'_>) -> io::Result<u32> {
    const NUMBER: usize = std::mem::offset_of!(signalfd_siginfo, ssi_signo);
    let mut record = [0; size_of::<signalfd_siginfo>()];
    let len = rustix::io::read(descriptor, &mut record)?;
    let number = record.get(NUMBER..).and_then(|octets| octets.first_chunk::<4>());
    match number {
        Some(&number) if len == record.len() => Ok(u32::from_ne_bytes(number)),
        _ => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
    }
}

/// Sends a signal to the calling thread alone.
#[cfg(test)]
pub(crate) fn raise_in_thread(signal: c_int) -> io::Result<()> {
    // SAFETY: no memory is involved; the thread is the one that calls.
    check(unsafe { libc::raise(signal) }).map(drop)
}

/// Whether the set holds the signal.
#[cfg(test)]
pub(crate) fn is_member(set: &sigset_t, signal: c_int) -> bool {
    // SAFETY: the set is read through a live reference.
    let answer = unsafe { libc::sigismember(ptr::from_ref(set), signal) };
    answer == 1
}

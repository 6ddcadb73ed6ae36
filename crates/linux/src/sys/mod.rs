//! The system calls neither std nor rustix has, one safe function each; every `unsafe` of the project is here.
//!
//! Rules of this folder: a function makes one call and decides nothing; descriptors come in as `BorrowedFd`, so
//! they are open for the length of the call; pointers are taken from references on the spot; a failure is
//! `io::Error::last_os_error()`.

pub(crate) mod packet;
pub(crate) mod process;
pub(crate) mod signal;
pub(crate) mod tty;

use std::ffi::c_int;
use std::io;

/// `-1` → the thread's `errno`.
fn check(result: c_int) -> io::Result<c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// The size of a C structure as the kernel wants it told.
const fn size<T>() -> libc::socklen_t {
    // The structures passed to the kernel are a few dozen octets long.
    size_of::<T>() as libc::socklen_t
}

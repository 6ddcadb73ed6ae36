//! Signals as events of the poller instead of interruptions.
//!
//! It promises: the signals of [`Signal`] no longer interrupt or end the thread that called [`SignalSet::open`], nor
//! the threads it starts afterwards, but wait to be read; on drop that thread is as it was before. The caller opens
//! it before it starts any other thread (a signal to the process goes to any thread that has not blocked it), and
//! starts children with [`Child`](crate::child::Child), which gives them an empty mask.

use std::ffi::c_int;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::error::OsError;
use crate::sys;

/// A signal the program answers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// `SIGTERM`.
    Terminate,
    /// `SIGINT`: Ctrl-C.
    Interrupt,
    /// `SIGHUP`.
    HangUp,
    /// `SIGCHLD`: a child has ended.
    Child,
    /// `SIGUSR1`.
    User1,
}

impl Signal {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Terminate, Self::Interrupt, Self::HangUp, Self::Child, Self::User1];

    fn number(self) -> c_int {
        match self {
            Self::Terminate => libc::SIGTERM,
            Self::Interrupt => libc::SIGINT,
            Self::HangUp => libc::SIGHUP,
            Self::Child => libc::SIGCHLD,
            Self::User1 => libc::SIGUSR1,
        }
    }
}

/// See the [module](self).
pub struct SignalSet {
    descriptor: OwnedFd,
    /// The mask to go back to.
    before: libc::sigset_t,
    /// A mask belongs to a thread, so this must be dropped by the thread that opened it.
    _not_send: PhantomData<*const ()>,
}

impl SignalSet {
    /// Takes all of [`Signal::ALL`].
    ///
    /// # Errors
    ///
    /// No descriptor left.
    pub fn open() -> Result<Self, OsError> {
        let failed = |operation| move |cause| OsError::new(operation, "signals", cause);
        let set = sys::signal::set_of(&Signal::ALL.map(Signal::number)).map_err(failed("make set of"))?;
        let descriptor = sys::signal::descriptor(&set).map_err(failed("open descriptor for"))?;
        let before = sys::signal::set_mask(libc::SIG_BLOCK, &set).map_err(failed("block"))?;
        Ok(Self { descriptor, before, _not_send: PhantomData })
    }

    /// The next signal that waits, if any. Several of one kind may have become one.
    ///
    /// # Errors
    ///
    /// None that the caller could have caused.
    pub fn receive(&mut self) -> io::Result<Option<Signal>> {
        match sys::signal::next(self.descriptor.as_fd()) {
            Ok(number) => {
                Ok(Signal::ALL.into_iter().find(|signal| u32::try_from(signal.number()) == Ok(number)))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl AsFd for SignalSet {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl fmt::Debug for SignalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignalSet").field("descriptor", &self.descriptor).finish_non_exhaustive()
    }
}

impl Drop for SignalSet {
    fn drop(&mut self) {
        // Setting a mask that the kernel itself handed out cannot fail.
        let _ = sys::signal::set_mask(libc::SIG_SETMASK, &self.before);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::poller::{Events, Interest, Poller, Token};
    use std::sync::{Mutex, PoisonError};

    /// Held by a test for as long as it has a [`SignalSet`]: the SIGCHLD of a child whose parent has it blocked waits
    /// for the whole process, and another test that reads signals would find it.
    pub(crate) static ONE_SET: Mutex<()> = Mutex::new(());

    /// To this thread only, so that the tests beside it are left alone.
    fn raise(signal: Signal) {
        sys::signal::raise_in_thread(signal.number()).unwrap();
    }

    #[test]
    fn a_signal_becomes_an_event_and_is_read_once() {
        let _alone = ONE_SET.lock().unwrap_or_else(PoisonError::into_inner);
        let mut signals = SignalSet::open().unwrap();
        let poller = Poller::new().unwrap();
        let mut events = Events::with_capacity(1);
        poller.add(&signals, Token(1), Interest::READABLE).unwrap();
        for signal in Signal::ALL {
            raise(signal);
            poller.wait(&mut events, None).unwrap();
            assert!(events.iter().next().is_some_and(|event| event.readable));
            assert_eq!(signals.receive().unwrap(), Some(signal));
            assert_eq!(signals.receive().unwrap(), None);
        }
    }

    #[test]
    fn the_mask_is_restored() {
        let nothing = sys::signal::set_of(&[]).unwrap();
        let is_blocked = || {
            let now = sys::signal::set_mask(libc::SIG_BLOCK, &nothing).unwrap();
            sys::signal::is_member(&now, libc::SIGUSR1)
        };
        assert!(!is_blocked());
        let _alone = ONE_SET.lock().unwrap_or_else(PoisonError::into_inner);
        let signals = SignalSet::open().unwrap();
        assert!(is_blocked());
        drop(signals);
        assert!(!is_blocked());
    }
}

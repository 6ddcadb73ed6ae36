//! Which descriptors are ready: epoll, level-triggered.
//!
//! It promises: a descriptor that is still ready is reported again at the next wait, so nothing that a budget left
//! behind is ever forgotten; waiting allocates nothing. The caller removes a descriptor before closing it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;
use rustix::time::Timespec;

use crate::error::OsError;

/// See the [module](self).
#[derive(Debug)]
pub struct Poller {
    epoll: OwnedFd,
}

/// What the caller calls a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token(pub u64);

/// What a descriptor is watched for. Errors and hang-ups are always reported, even with [`Interest::NOTHING`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interest {
    /// Report when there is something to read.
    pub readable: bool,
    /// Report when there is room to write.
    pub writable: bool,
}

impl Interest {
    /// Only errors and hang-ups.
    pub const NOTHING: Self = Self { readable: false, writable: false };
    /// Something to read.
    pub const READABLE: Self = Self { readable: true, writable: false };
    /// Room to write.
    pub const WRITABLE: Self = Self { readable: false, writable: true };
    /// Either.
    pub const BOTH: Self = Self { readable: true, writable: true };

    fn flags(self) -> EventFlags {
        let mut flags = EventFlags::empty();
        flags.set(EventFlags::IN, self.readable);
        flags.set(EventFlags::OUT, self.writable);
        flags
    }
}

impl Poller {
    /// # Errors
    ///
    /// No descriptor or no memory left.
    pub fn new() -> Result<Self, OsError> {
        let epoll =
            epoll::create(CreateFlags::CLOEXEC).map_err(|cause| OsError::new("create", "epoll", cause))?;
        Ok(Self { epoll })
    }

    /// Watches a descriptor from now on.
    ///
    /// # Errors
    ///
    /// The descriptor is watched already, or cannot be (a plain file).
    pub fn add(&self, source: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, source, EventData::new_u64(token.0), interest.flags())?)
    }

    /// Watches a descriptor for something else.
    ///
    /// # Errors
    ///
    /// The descriptor is not watched.
    pub fn modify(&self, source: impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, source, EventData::new_u64(token.0), interest.flags())?)
    }

    /// Watches a descriptor no longer. An event of it already fetched by [`Poller::wait`] is not taken back.
    ///
    /// # Errors
    ///
    /// The descriptor is not watched.
    pub fn remove(&self, source: impl AsFd) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, source)?)
    }

    /// Waits until a descriptor is ready or `timeout` is over (`None`: for ever), and fills `events`, which is
    /// empty after a timeout and after a signal that interrupted the wait.
    ///
    /// # Errors
    ///
    /// None that the caller could have caused.
    pub fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.ready = 0;
        // A timeout beyond the clock's range is for ever.
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        match epoll::wait(&self.epoll, &mut events.buffer[..], timeout.as_ref()) {
            Ok(ready) => events.ready = ready,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        Ok(())
    }
}

impl AsFd for Poller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

/// Room for the events of one wait; made once, used for every wait.
pub struct Events {
    buffer: Box<[epoll::Event]>,
    ready: usize,
}

impl Events {
    /// Room for this many events a wait (at least one); what does not fit comes with the next wait.
    pub fn with_capacity(capacity: usize) -> Self {
        let empty = epoll::Event { flags: EventFlags::empty(), data: EventData::new_u64(0) };
        Self { buffer: vec![empty; capacity.max(1)].into_boxed_slice(), ready: 0 }
    }

    /// The events of the last wait.
    pub fn iter(&self) -> impl Iterator<Item = Readiness> + '_ {
        self.buffer.iter().take(self.ready).map(|event| {
            // Copied out: the kernel's structure is packed on some machines.
            let (flags, data) = (event.flags, event.data);
            Readiness {
                token: Token(data.u64()),
                readable: flags.contains(EventFlags::IN),
                writable: flags.contains(EventFlags::OUT),
                hung_up: flags.intersects(EventFlags::HUP | EventFlags::ERR),
            }
        })
    }

    /// The last wait ended without an event.
    pub fn is_empty(&self) -> bool {
        self.ready == 0
    }
}

/// One ready descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readiness {
    /// Which one.
    pub token: Token,
    /// There is something to read.
    pub readable: bool,
    /// There is room to write.
    pub writable: bool,
    /// It has hung up or has an error to tell; reading tells which. Reported until the descriptor is dealt with.
    pub hung_up: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    const NOW: Option<Duration> = Some(Duration::ZERO);

    fn wait(poller: &Poller, events: &mut Events, timeout: Option<Duration>) -> Vec<Readiness> {
        poller.wait(events, timeout).unwrap();
        events.iter().collect()
    }

    #[test]
    fn what_was_left_unread_is_reported_again() {
        let (mut left, mut right) = UnixStream::pair().unwrap();
        let poller = Poller::new().unwrap();
        let mut events = Events::with_capacity(4);
        poller.add(&right, Token(u64::MAX), Interest::READABLE).unwrap();
        assert!(wait(&poller, &mut events, NOW).is_empty());
        left.write_all(b"ab").unwrap();
        for _ in 0..2 {
            let ready = wait(&poller, &mut events, None);
            let expected =
                Readiness { token: Token(u64::MAX), readable: true, writable: false, hung_up: false };
            assert_eq!(ready, [expected]);
            right.read_exact(&mut [0]).unwrap();
        }
        assert!(wait(&poller, &mut events, NOW).is_empty() && events.is_empty());
    }

    #[test]
    fn interest_can_be_changed_and_withdrawn() {
        let (_left, right) = UnixStream::pair().unwrap();
        let poller = Poller::new().unwrap();
        let mut events = Events::with_capacity(0);
        poller.add(&right, Token(1), Interest::NOTHING).unwrap();
        assert!(wait(&poller, &mut events, NOW).is_empty());
        poller.modify(&right, Token(2), Interest::BOTH).unwrap();
        let ready = wait(&poller, &mut events, None);
        assert_eq!((ready[0].token, ready[0].readable, ready[0].writable), (Token(2), false, true));
        poller.remove(&right).unwrap();
        assert!(wait(&poller, &mut events, NOW).is_empty());
        assert!(poller.modify(&right, Token(3), Interest::BOTH).is_err());
    }

    #[test]
    fn a_hang_up_is_reported_without_being_asked_for() {
        let (left, right) = UnixStream::pair().unwrap();
        let poller = Poller::new().unwrap();
        let mut events = Events::with_capacity(4);
        poller.add(&right, Token(1), Interest::NOTHING).unwrap();
        drop(left);
        assert!(wait(&poller, &mut events, None)[0].hung_up);
    }
}

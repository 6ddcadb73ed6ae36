//! A pseudo-terminal: a serial port without hardware, for the demonstration and for tests.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::{self, OptionalActions};

use crate::error::OsError;

/// The master end of a pseudo-terminal in raw mode, nonblocking, and the path of its slave end.
///
/// Reading the master gives `EIO` while nobody has the slave open. When it is dropped the slave hangs up and its path
/// vanishes.
#[derive(Debug)]
pub struct PtyPair {
    master: OwnedFd,
    slave: PathBuf,
}

impl PtyPair {
    /// # Errors
    ///
    /// No pseudo-terminal left, or `/dev/pts` is not mounted.
    pub fn open() -> Result<Self, OsError> {
        let open = || -> rustix::io::Result<Self> {
            let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
            rustix::pty::grantpt(&master)?;
            rustix::pty::unlockpt(&master)?;
            rustix::io::ioctl_fionbio(&master, true)?;
            let slave = PathBuf::from(OsString::from_vec(rustix::pty::ptsname(&master, [])?.into_bytes()));
            // On Linux both ends share one set of modes, and it outlives the slave's descriptors.
            let mut modes = termios::tcgetattr(&master)?;
            modes.make_raw();
            termios::tcsetattr(&master, OptionalActions::Now, &modes)?;
            Ok(Self { master, slave })
        };
        open().map_err(|cause| OsError::new("open", "pseudo-terminal", cause))
    }

    /// The path to open the slave end by, `/dev/pts/3`.
    pub fn slave(&self) -> &Path {
        &self.slave
    }

    /// Opens the slave end, nonblocking, as any program would.
    ///
    /// # Errors
    ///
    /// Somebody has claimed it for himself.
    pub fn open_slave(&self) -> Result<OwnedFd, OsError> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        rustix::fs::open(&self.slave, flags, Mode::empty())
            .map_err(|cause| OsError::new("open", self.slave.display().to_string(), cause))
    }

    /// Reads what was written to the slave end.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] if there is nothing, `EIO` if nobody has the slave open.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(&self.master, buffer)?)
    }

    /// Writes what shall be read at the slave end.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] if there is no room.
    pub fn write(&self, octets: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(&self.master, octets)?)
    }
}

impl AsFd for PtyPair {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }
}

impl From<PtyPair> for OwnedFd {
    fn from(pair: PtyPair) -> Self {
        pair.master
    }
}

//! Telling the service manager how things stand (`sd_notify(3)`): datagrams to the socket in `$NOTIFY_SOCKET`.
//!
//! It promises never to block. A manager that does not listen is none of the program's troubles, so the caller may
//! ignore the errors.

use crate::clock::monotonic_micros;
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The way to the service manager.
#[derive(Debug)]
pub struct Notifier {
    socket: UnixDatagram,
    manager: SocketAddr,
}

impl Notifier {
    /// `None` if no manager listens, as when the program was started by hand.
    ///
    /// # Errors
    ///
    /// `$NOTIFY_SOCKET` is not an address, or no socket is to be had.
    pub fn from_environment() -> io::Result<Option<Self>> {
        std::env::var_os("NOTIFY_SOCKET")
            .filter(|address| !address.is_empty())
            .map(|it| Self::to(&it))
            .transpose()
    }

    /// To a manager at this address: a path, or `@` and an abstract name.
    ///
    /// # Errors
    ///
    /// It is not an address, or no socket is to be had.
    pub fn to(address: &OsStr) -> io::Result<Self> {
        let manager = match address.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(address)?,
        };
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, manager })
    }

    /// The program does its work now.
    ///
    /// # Errors
    ///
    /// The manager does not listen.
    pub fn ready(&self) -> io::Result<()> {
        self.send("READY=1")
    }

    /// The program reads its configuration again; [`Notifier::ready`] tells when that is done.
    ///
    /// # Errors
    ///
    /// The manager does not listen.
    pub fn reloading(&self) -> io::Result<()> {
        // By the time the manager tells this from what was said before.
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic_micros()))
    }

    /// The program is about to end.
    ///
    /// # Errors
    ///
    /// The manager does not listen.
    pub fn stopping(&self) -> io::Result<()> {
        self.send("STOPPING=1")
    }

    /// The program is well (`WatchdogSec=` of the unit).
    ///
    /// # Errors
    ///
    /// The manager does not listen.
    pub fn watchdog(&self) -> io::Result<()> {
        self.send("WATCHDOG=1")
    }

    /// One line for `systemctl status`.
    ///
    /// # Errors
    ///
    /// The manager does not listen.
    pub fn status(&self, status: impl fmt::Display) -> io::Result<()> {
        // A line break would begin another assignment.
        self.send(&format!("STATUS={}", status.to_string().replace('\n', " ")))
    }

    fn send(&self, message: &str) -> io::Result<()> {
        self.socket.send_to_addr(message.as_bytes(), &self.manager).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manager_hears_what_is_said() {
        let name = format!("notify-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        let notifier = Notifier::to(OsStr::new(&format!("@{name}"))).unwrap();
        let heard = || {
            let mut buffer = [0; 64];
            let len = manager.recv(&mut buffer).unwrap();
            String::from_utf8_lossy(&buffer[..len]).into_owned()
        };
        notifier.ready().unwrap();
        assert_eq!(heard(), "READY=1");
        notifier.status("2 calls\nREADY=0").unwrap();
        assert_eq!(heard(), "STATUS=2 calls READY=0");
        notifier.watchdog().unwrap();
        assert_eq!(heard(), "WATCHDOG=1");
        notifier.reloading().unwrap();
        assert!(heard().starts_with("RELOADING=1\nMONOTONIC_USEC="));
        notifier.stopping().unwrap();
        assert_eq!(heard(), "STOPPING=1");
    }

    #[test]
    fn that_no_manager_listens_is_an_error() {
        // An address that never was one: a manager that has gone may still be there for a moment, in a child that
        // another test has just forked.
        let nobody = format!("@notify-test-nobody-{}", std::process::id());
        assert!(Notifier::to(OsStr::new(&nobody)).unwrap().ready().is_err());
    }
}

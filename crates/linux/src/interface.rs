//! Ethernet interfaces: what they are now, and what becomes of them.
//!
//! [`Interface`] is a snapshot; [`InterfaceMonitor`] tells what has changed since. It promises to end up with the
//! truth even when the kernel could not tell everything (it then looks again by itself). No capability is needed.
//! The caller watches the monitor's descriptor and drains [`InterfaceMonitor::next_change`] when it is readable.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;

use crate::error::OsError;
use crate::rtnetlink::{Link, Message, RouteSocket};

/// An Ethernet interface as it was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name, `eth0`.
    pub name: String,
    /// The kernel's number for it; an interface that vanished and came back has another.
    pub index: u32,
    /// Its hardware address.
    pub mac: [u8; 6],
    /// The octets a frame may carry behind the Ethernet header.
    pub mtu: u32,
    /// An administrator wants it to work.
    pub is_up: bool,
    /// It carries frames: there is a cable with somebody at its other end, and the kernel has taken note.
    pub is_running: bool,
}

impl Interface {
    /// Looks an interface up by name.
    ///
    /// # Errors
    ///
    /// No interface of that name ([`OsError::is_missing`]; the text lists the Ethernet ones there are), or one that is not
    /// Ethernet.
    pub fn find(name: &str) -> Result<Self, OsError> {
        let failed = |cause: io::Error| OsError::new("find interface", name, cause);
        let links = links().map_err(failed)?;
        let Some(link) = links.iter().find(|link| link.name.as_deref() == Some(name)) else {
            let fit = links.iter().filter(|link| link.is_ethernet);
            let mut there: Vec<&str> = fit.filter_map(|link| link.name.as_deref()).collect();
            there.sort_unstable();
            let there = if there.is_empty() { "none that is Ethernet".into() } else { there.join(", ") };
            let text = format!("no such interface; there are: {there}");
            return Err(failed(io::Error::new(io::ErrorKind::NotFound, text)));
        };
        Self::from_link(link.clone(), None)
            .ok_or_else(|| failed(io::Error::new(io::ErrorKind::Unsupported, "not an Ethernet interface")))
    }

    /// All Ethernet interfaces there are.
    ///
    /// # Errors
    ///
    /// No netlink socket to be had.
    pub fn list() -> Result<Vec<Self>, OsError> {
        let links = links().map_err(|cause| OsError::new("list", "interfaces", cause))?;
        Ok(links.into_iter().filter_map(|link| Self::from_link(link, None)).collect())
    }

    /// What the kernel now says, completed by what it said before.
    fn from_link(link: Link, before: Option<&Self>) -> Option<Self> {
        let is_ethernet = link.is_ethernet;
        is_ethernet.then_some(Self {
            index: link.index,
            name: link.name.or_else(|| before.map(|before| before.name.clone()))?,
            mac: link.mac.or_else(|| before.map(|before| before.mac))?,
            mtu: link.mtu.or_else(|| before.map(|before| before.mtu))?,
            is_up: link.is_up,
            is_running: link.is_running,
        })
    }
}

fn links() -> io::Result<Vec<Link>> {
    RouteSocket::for_requests()?.links()
}

/// Something that happened to an Ethernet interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InterfaceChange {
    /// It is new, or has a new name.
    Appeared(Interface),
    /// Its state, address or MTU is another.
    Changed {
        /// What it was.
        before: Interface,
        /// What it is.
        now: Interface,
    },
    /// It is gone, or has another name now.
    Vanished(Interface),
}

/// See the [module](self).
#[derive(Debug)]
pub struct InterfaceMonitor {
    socket: RouteSocket,
    known: BTreeMap<u32, Interface>,
    changes: VecDeque<InterfaceChange>,
}

impl InterfaceMonitor {
    /// Begins to watch. What is there already is in [`InterfaceMonitor::interfaces`] and not told as a change.
    ///
    /// # Errors
    ///
    /// No netlink socket to be had.
    pub fn open() -> Result<Self, OsError> {
        let failed = |cause| OsError::new("watch", "interfaces", cause);
        // First listen, then look: what happens in between is told twice rather than never.
        let socket = RouteSocket::for_link_notifications().map_err(failed)?;
        let mut monitor = Self { socket, known: BTreeMap::new(), changes: VecDeque::new() };
        monitor.look_again().map_err(failed)?;
        monitor.changes.clear();
        Ok(monitor)
    }

    /// The Ethernet interfaces known now: as they are after the last change taken from
    /// [`InterfaceMonitor::next_change`], once it has said `None`.
    pub fn interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.known.values()
    }

    /// The next change, if any.
    ///
    /// # Errors
    ///
    /// None that the caller could have caused.
    pub fn next_change(&mut self) -> io::Result<Option<InterfaceChange>> {
        while self.changes.is_empty() {
            match self.socket.receive() {
                Ok(messages) => messages.into_iter().for_each(|message| self.on_message(message)),
                Err(error) => match Errno::from_io_error(&error) {
                    Some(Errno::AGAIN) => return Ok(None),
                    Some(Errno::NOBUFS) => self.recover()?,
                    _ => return Err(error),
                },
            }
        }
        Ok(self.changes.pop_front())
    }

    /// Notifications were lost. Those still queued are older than what a look shows, so they go first: a change
    /// after the look will be notified again.
    fn recover(&mut self) -> io::Result<()> {
        loop {
            match self.socket.receive() {
                Ok(_) => {}
                Err(error) => match Errno::from_io_error(&error) {
                    Some(Errno::AGAIN) => break,
                    Some(Errno::NOBUFS) => {}
                    _ => return Err(error),
                },
            }
        }
        self.look_again()
    }

    fn look_again(&mut self) -> io::Result<()> {
        let links = links()?;
        let gone: Vec<u32> = self
            .known
            .keys()
            .copied()
            .filter(|&index| links.iter().all(|link| link.index != index))
            .collect();
        gone.into_iter().for_each(|index| self.on_message(Message::Gone(index)));
        links.into_iter().for_each(|link| self.on_message(Message::Link(link)));
        Ok(())
    }

    fn on_message(&mut self, message: Message) {
        match message {
            Message::Link(link) => {
                let Some(now) = Interface::from_link(link.clone(), self.known.get(&link.index)) else {
                    return;
                };
                match self.known.insert(now.index, now.clone()) {
                    None => self.changes.push_back(InterfaceChange::Appeared(now)),
                    Some(before) if before == now => {}
                    Some(before) if before.name != now.name => {
                        self.changes.push_back(InterfaceChange::Vanished(before));
                        self.changes.push_back(InterfaceChange::Appeared(now));
                    }
                    Some(before) => self.changes.push_back(InterfaceChange::Changed { before, now }),
                }
            }
            Message::Gone(index) => {
                self.changes.extend(self.known.remove(&index).map(InterfaceChange::Vanished));
            }
            Message::Done | Message::Acknowledgement(_) => {}
        }
    }
}

impl AsFd for InterfaceMonitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_interface_is_reported_with_those_it_could_be() {
        let error = Interface::find("nosuch0").unwrap_err();
        assert!(error.is_missing());
        let text = error.to_string();
        assert!(text.starts_with("find interface nosuch0: no such interface; there are: "), "{text}");
        assert!(!text.split([' ', ',']).any(|word| word == "lo"), "{text}");
    }

    #[test]
    fn loopback_is_not_ethernet() {
        let error = Interface::find("lo").unwrap_err();
        assert_eq!(error.to_string(), "find interface lo: not an Ethernet interface");
    }
}

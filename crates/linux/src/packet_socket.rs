//! A raw socket on one Ethernet interface, for one ethertype.
//!
//! It promises: only frames of that interface and ethertype, untagged and meant for this machine, are ever received;
//! none sent by this machine is; nothing blocks; a frame that did not fit the buffer says so. The caller drains
//! [`PacketSocket::receive`] as far as its budget goes (the poller is level-triggered), and on
//! [`PacketError::InterfaceDown`] just waits: the kernel takes the socket up again with the interface.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, sockopt};

use crate::error::OsError;
use crate::interface::Interface;
use crate::{packet_filter, sys};

/// See the [module](self).
#[derive(Debug)]
pub struct PacketSocket {
    socket: OwnedFd,
    interface: String,
}

impl PacketSocket {
    /// Opens a socket for the frames of one ethertype (host order) on `interface`.
    ///
    /// # Errors
    ///
    /// Above all a missing `CAP_NET_RAW` ([`OsError::is_permission`]) and an interface that has just vanished
    /// ([`OsError::is_missing`]).
    pub fn open(interface: &Interface, ether_type: u16) -> Result<Self, OsError> {
        let failed = |operation| {
            move |cause: io::Error| {
                OsError::new(operation, interface.name.as_str(), cause)
                    .or_permission_remedy("give the program the capability CAP_NET_RAW")
            }
        };
        // Protocol 0: until it is bound, the socket receives nothing. So no frame can come in before the filter.
        let socket = rustix::net::socket_with(
            AddressFamily::PACKET,
            SocketType::RAW,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            None,
        )
        .map_err(io::Error::from)
        .map_err(failed("open packet socket on"))?;
        sys::packet::attach_filter(socket.as_fd(), &packet_filter::program(interface.index))
            .map_err(failed("attach packet filter on"))?;
        sys::packet::ignore_outgoing(socket.as_fd()).map_err(failed("ignore outgoing frames on"))?;
        sys::packet::bind(socket.as_fd(), interface.index, ether_type)
            .map_err(failed("bind packet socket on"))?;
        Ok(Self { socket, interface: interface.name.clone() })
    }

    /// Asks for a receive queue of this many octets and returns what the kernel granted.
    ///
    /// The kernel doubles the wish (it charges its own book-keeping to the queue) and caps it at
    /// `net.core.rmem_max`; both figures here are as the kernel keeps them, so a grant is normally twice the wish.
    ///
    /// # Errors
    ///
    /// What `setsockopt` answers.
    pub fn set_receive_queue(&self, octets: usize) -> Result<usize, OsError> {
        sockopt::set_socket_recv_buffer_size(&self.socket, octets)
            .and_then(|()| sockopt::socket_recv_buffer_size(&self.socket))
            .map_err(|cause| OsError::new("set receive queue of packet socket on", &*self.interface, cause))
    }

    /// Takes the next frame, with its Ethernet header, into `buffer`; `None` if none waits.
    ///
    /// # Errors
    ///
    /// [`PacketError`]; after [`PacketError::InterfaceDown`] the socket goes on working.
    pub fn receive(&mut self, buffer: &mut [u8]) -> Result<Option<Received>, PacketError> {
        match sys::packet::receive(self.socket.as_fd(), buffer) {
            Ok(raw) => Ok(Some(Received {
                len: raw.wire_len.min(buffer.len()),
                wire_len: raw.wire_len,
                kind: PacketKind::from_raw(raw.packet_type),
            })),
            Err(error) => match Errno::from_io_error(&error) {
                Some(Errno::AGAIN | Errno::INTR) => Ok(None),
                _ => Err(PacketError::from(error)),
            },
        }
    }

    /// Sends one frame, with its Ethernet header. Never blocks and never sends a part.
    ///
    /// # Errors
    ///
    /// [`PacketError`]; a full queue is not an error but a [`Sent`].
    pub fn send(&self, frame: &[u8]) -> Result<Sent, PacketError> {
        match rustix::net::send(&self.socket, frame, SendFlags::empty()) {
            Ok(_) => Ok(Sent::Whole),
            Err(Errno::AGAIN | Errno::INTR) => Ok(Sent::NotNow),
            Err(Errno::NOBUFS) => Ok(Sent::Dropped),
            Err(errno) => Err(PacketError::from(io::Error::from(errno))),
        }
    }

    /// How many frames the kernel queued and dropped since the last call (the kernel starts anew at each).
    ///
    /// # Errors
    ///
    /// What `getsockopt` answers.
    pub fn take_statistics(&mut self) -> Result<PacketStatistics, OsError> {
        let raw = sys::packet::statistics(self.socket.as_fd())
            .map_err(|cause| OsError::new("read statistics of packet socket on", &*self.interface, cause))?;
        Ok(PacketStatistics {
            // The kernel counts the dropped among all; nobody wants to subtract twice.
            received: raw.tp_packets.saturating_sub(raw.tp_drops),
            dropped: raw.tp_drops,
        })
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// One received frame; its octets are in the caller's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Octets in the buffer.
    pub len: usize,
    /// Octets the frame had; more than `len` if it did not fit.
    pub wire_len: usize,
    /// To whom it was addressed.
    pub kind: PacketKind,
}

impl Received {
    /// The buffer was too short: its tail is lost, and the frame of no use.
    pub fn is_truncated(&self) -> bool {
        self.wire_len > self.len
    }
}

/// To whom a frame was addressed, as the kernel sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PacketKind {
    /// To the interface's own address.
    ToUs,
    /// To everybody.
    Broadcast,
    /// To a group.
    Multicast,
    /// To somebody else, or to a VLAN that nobody has here. Only the Ethernet header is in the buffer.
    OtherHost,
}

impl PacketKind {
    fn from_raw(packet_type: u8) -> Self {
        match packet_type {
            libc::PACKET_HOST => Self::ToUs,
            libc::PACKET_BROADCAST => Self::Broadcast,
            libc::PACKET_MULTICAST => Self::Multicast,
            _ => Self::OtherHost,
        }
    }
}

/// What became of a frame handed to [`PacketSocket::send`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// The interface's queue took it.
    Whole,
    /// The socket's own queue is full: it can be offered again when the poller says writable.
    NotNow,
    /// The interface's queue refused it (`ENOBUFS`). There is no event for "room again": the frame is lost.
    Dropped,
}

/// Frames since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PacketStatistics {
    /// Frames that were put on the socket's queue.
    pub received: u32,
    /// Frames for which that queue had no room.
    pub dropped: u32,
}

/// Why the socket does not carry frames.
#[derive(Debug)]
pub enum PacketError {
    /// The interface is down. Frames come again by themselves once it is up.
    InterfaceDown,
    /// The interface is gone, and this socket of no more use.
    InterfaceGone,
    /// The frame is longer than the interface's MTU allows.
    FrameTooLong,
    /// Anything else.
    Os(io::Error),
}

impl From<io::Error> for PacketError {
    fn from(error: io::Error) -> Self {
        match Errno::from_io_error(&error) {
            Some(Errno::NETDOWN) => Self::InterfaceDown,
            Some(Errno::NXIO | Errno::NODEV) => Self::InterfaceGone,
            Some(Errno::MSGSIZE) => Self::FrameTooLong,
            _ => Self::Os(error),
        }
    }
}

impl fmt::Display for PacketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InterfaceDown => f.write_str("interface is down"),
            Self::InterfaceGone => f.write_str("interface is gone"),
            Self::FrameTooLong => f.write_str("frame is longer than the interface's MTU"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PacketError {}

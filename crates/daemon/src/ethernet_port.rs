//! One Ethernet interface: its two packet sockets, one for discovery and one for sessions.

use crate::report::Report;
use bridge_linux::OsError;
use bridge_linux::interface::Interface;
use bridge_linux::packet_socket::{PacketError, PacketKind, PacketSocket, Received, Sent};
use bridge_proto::discard::DiscardReason;
use bridge_proto::id::InterfaceId;
use bridge_proto::wire::ethernet::EtherType;

/// Octets of the queue of session frames in the kernel: about 20 full-size frames. A longer one only adds
/// delay, for what the modem cannot take in time is dropped sooner or later.
const SESSION_QUEUE_OCTETS: usize = 32_768;

/// An interface that is there.
#[derive(Debug)]
pub(crate) struct EthernetPort {
    pub(crate) interface: Interface,
    pub(crate) discovery: PacketSocket,
    pub(crate) session: PacketSocket,
}

/// What a socket gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reception {
    /// A frame of this many octets is in the buffer.
    Frame(usize),
    /// A frame that is not to be looked at.
    Dropped(DiscardReason),
    /// Nothing more for now.
    Empty,
}

impl EthernetPort {
    /// Opens both sockets.
    ///
    /// # Errors
    /// Which system call failed; without the privilege, how to give it.
    pub(crate) fn open(interface: Interface) -> Result<Self, OsError> {
        let discovery = PacketSocket::open(&interface, EtherType::PPPOE_DISCOVERY.0)?;
        let session = PacketSocket::open(&interface, EtherType::PPPOE_SESSION.0)?;
        session.set_receive_queue(SESSION_QUEUE_OCTETS)?;
        Ok(Self { interface, discovery, session })
    }

    /// Sends a frame, whole or not at all.
    pub(crate) fn send(&self, frame: &[u8]) -> Result<(), DiscardReason> {
        match self.session.send(frame) {
            Ok(Sent::Whole) => Ok(()),
            Ok(Sent::NotNow | Sent::Dropped) => Err(DiscardReason::InterfaceBacklog),
            Err(PacketError::FrameTooLong) => Err(DiscardReason::ExceedsMtu),
            // The interface monitor tells the control plane; the frame is lost either way.
            Err(_) => Err(DiscardReason::InterfaceBacklog),
        }
    }
}

/// Sends a frame on one of `ports`, and counts it if it cannot be sent.
pub(crate) fn send_on(
    ports: &[Option<EthernetPort>],
    report: &mut Report,
    interface: InterfaceId,
    frame: &[u8],
) {
    // An interface that is gone takes nothing, and its sessions are being closed.
    let Some(Some(port)) = ports.get(usize::from(interface.0)) else { return };
    if let Err(reason) = port.send(frame) {
        report.discard(reason);
    }
}

/// Takes the next frame from a socket.
pub(crate) fn receive(socket: &mut PacketSocket, buffer: &mut [u8]) -> Reception {
    match socket.receive(buffer) {
        Ok(Some(received)) => judge(received),
        // A socket of an interface that is down or gone has nothing to give; the monitor tells the rest.
        Ok(None) | Err(_) => Reception::Empty,
    }
}

fn judge(received: Received) -> Reception {
    if received.kind == PacketKind::OtherHost {
        Reception::Dropped(DiscardReason::NotForUs)
    } else if received.is_truncated() {
        Reception::Dropped(DiscardReason::OversizedFrame)
    } else {
        Reception::Frame(received.len)
    }
}

//! One Ethernet interface: its two packet sockets, one for discovery and one for sessions.

use crate::report::Report;
use bridge_linux::OsError;
use bridge_linux::interface::Interface;
use bridge_linux::packet_socket::{PacketError, PacketKind, PacketSocket, Received, Sent};
use bridge_proto::discard::DiscardReason;
use bridge_proto::id::InterfaceId;
use bridge_proto::wire::ethernet::EtherType;

/// Octets that are asked for, for the queue of session frames in the kernel: 256 full-size frames, for each of which it
/// counts 2.3 KiB or, as some drivers allot them, 4.4 KiB against the double of this. The loop always takes all that
/// is there, and it is in the queue of a modem that a frame waits in turn or is dropped with some thought; here
/// nothing is known of flows, sessions and LCP. So this has to outlast what a host sends at once, such as the 44 frames
/// of a 64 KiB segment, while the loop is at something else. The kernel grants no more than `net.core.rmem_max`.
const SESSION_QUEUE_OCTETS: usize = 256 * 2304;

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
        judge_sent(&self.session.send(frame))
    }

    /// How many frames the kernel has dropped since the last call because nobody took them in time.
    pub(crate) fn take_kernel_drops(&mut self) -> u64 {
        let sockets = [&mut self.discovery, &mut self.session];
        // A socket that cannot tell has nothing to be counted.
        sockets
            .into_iter()
            .flat_map(PacketSocket::take_statistics)
            .map(|taken| u64::from(taken.dropped))
            .sum()
    }
}

fn judge_sent(sent: &Result<Sent, PacketError>) -> Result<(), DiscardReason> {
    match sent {
        Ok(Sent::Whole) => Ok(()),
        Ok(Sent::NotNow | Sent::Dropped) => Err(DiscardReason::InterfaceBacklog),
        Err(PacketError::FrameTooLong) => Err(DiscardReason::ExceedsMtu),
        // The interface monitor tells the control plane; the frame is lost either way.
        Err(PacketError::InterfaceDown | PacketError::InterfaceGone | PacketError::Os(_)) => {
            Err(DiscardReason::InterfaceDown)
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
    let port = ports.get(usize::from(interface.0)).and_then(Option::as_ref);
    if let Err(reason) = port.map_or(Err(DiscardReason::InterfaceDown), |port| port.send(frame)) {
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
        Reception::Dropped(DiscardReason::OversizedEthernetFrame)
    } else {
        Reception::Frame(received.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_that_is_lost_at_the_interface_has_the_name_of_its_cause() {
        let sent = [
            (Ok(Sent::Whole), Ok(())),
            (Ok(Sent::NotNow), Err(DiscardReason::InterfaceBacklog)),
            (Ok(Sent::Dropped), Err(DiscardReason::InterfaceBacklog)),
            (Err(PacketError::FrameTooLong), Err(DiscardReason::ExceedsMtu)),
            (Err(PacketError::InterfaceDown), Err(DiscardReason::InterfaceDown)),
            (Err(PacketError::InterfaceGone), Err(DiscardReason::InterfaceDown)),
        ];
        for (sent, wanted) in sent {
            assert_eq!(judge_sent(&sent), wanted, "{sent:?}");
        }
        let received = |kind, wire_len| Received { len: 2048, wire_len, kind };
        let dropped = |kind, wire_len| judge(received(kind, wire_len));
        assert_eq!(dropped(PacketKind::ToUs, 2048), Reception::Frame(2048));
        assert_eq!(
            dropped(PacketKind::ToUs, 2049),
            Reception::Dropped(DiscardReason::OversizedEthernetFrame)
        );
        assert_eq!(dropped(PacketKind::OtherHost, 60), Reception::Dropped(DiscardReason::NotForUs));
    }
}

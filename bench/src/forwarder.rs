//! The floor: moves whole records between a packet socket and a tty, without framing, checks or decisions.
//!
//! One poll loop, as cheap as it can be done: two full-size frames in one write to the tty, and records sent from
//! where they were read. It never takes a frame that it could not write, so it damages nothing.

use std::os::fd::{AsFd, OwnedFd};

use bridge_bench::{Failure, Filler};
use bridge_linux::interface::Interface;
use bridge_linux::packet_socket::PacketSocket;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// Ethernet and PPPoE header.
const HEADER: usize = 20;
/// Octets after which a write is due.
const COALESCED: usize = 2_900;
/// Frames taken in a row before the other direction gets its turn.
const BATCH: usize = 8;
const READ: usize = 4096;

/// Runs until the tty ends.
pub(crate) fn run(
    interface: &str,
    tty: &str,
    peer: [u8; 6],
    session: u16,
    filler: Filler,
) -> Result<(), Failure> {
    let interface = Interface::find(interface)?;
    let tty = rustix::fs::open(tty, OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK, Mode::empty())?;
    let mut socket = PacketSocket::open(&interface, 0x8864)?;
    let mut down = Down { frame: [0; 2048], unwritten: Vec::with_capacity(8192), filler };
    let mut up = Up { octets: [0; HEADER + 2048 + READ], kept: 0, header: [0; HEADER], filler };
    up.header[..6].copy_from_slice(&peer);
    up.header[6..12].copy_from_slice(&interface.mac);
    up.header[12..16].copy_from_slice(&[0x88, 0x64, 0x11, 0]);
    up.header[16..18].copy_from_slice(&session.to_be_bytes());
    loop {
        let is_full = !down.unwritten.is_empty();
        let (from_host, to_modem) = match is_full {
            true => (PollFlags::empty(), PollFlags::OUT),
            false => (PollFlags::IN, PollFlags::empty()),
        };
        let ready = {
            let mut fds = [PollFd::new(&socket, from_host), PollFd::new(&tty, PollFlags::IN | to_modem)];
            poll(&mut fds, None)?;
            fds.map(|fd| fd.revents())
        };
        if ready[1].contains(PollFlags::HUP) {
            return Ok(());
        }
        if ready[1].contains(PollFlags::OUT) {
            down.write(&tty)?;
        }
        if ready[0].contains(PollFlags::IN) {
            down.forward(&mut socket, &tty)?;
        }
        if ready[1].contains(PollFlags::IN) {
            up.forward(&tty, &socket)?;
        }
    }
}

/// Host to modem.
struct Down {
    frame: [u8; 2048],
    unwritten: Vec<u8>,
    filler: Filler,
}

impl Down {
    fn forward(&mut self, socket: &mut PacketSocket, tty: &OwnedFd) -> Result<(), Failure> {
        for _ in 0..BATCH {
            let Some(received) = socket.receive(&mut self.frame)? else { break };
            let length = usize::from(u16::from_be_bytes([self.frame[18], self.frame[19]]));
            let record = self.frame[..received.len].get(HEADER..HEADER + length).unwrap_or_default();
            self.unwritten.extend_from_slice(record);
            self.unwritten.resize(self.unwritten.len() + self.filler.len(record.len()), 0);
            if self.unwritten.len() >= COALESCED {
                self.write(tty)?;
                if !self.unwritten.is_empty() {
                    return Ok(());
                }
            }
        }
        self.write(tty)
    }

    fn write(&mut self, tty: &OwnedFd) -> Result<(), Failure> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        match rustix::io::write(tty.as_fd(), &self.unwritten) {
            Ok(written) => drop(self.unwritten.drain(..written)),
            Err(Errno::AGAIN) => {}
            Err(errno) => return Err(errno.into()),
        }
        Ok(())
    }
}

/// Modem to host.
struct Up {
    /// Room for a header, the beginning of a record kept from the last read, and what is read.
    octets: [u8; HEADER + 2048 + READ],
    kept: usize,
    header: [u8; HEADER],
    filler: Filler,
}

impl Up {
    fn forward(&mut self, tty: &OwnedFd, socket: &PacketSocket) -> Result<(), Failure> {
        let at = HEADER + self.kept;
        let read = match rustix::io::read(tty.as_fd(), &mut self.octets[at..at + READ]) {
            Ok(read) => read,
            Err(Errno::AGAIN) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        };
        let (mut start, end) = (HEADER, at + read);
        // Protocol field and IPv4 header: the length is at offset 4.
        while let Some(length) = self.octets[start..end].get(4..6) {
            let length = 2 + u16::from_be_bytes([length[0], length[1]]);
            let record_end = start + usize::from(length);
            let next = record_end + self.filler.len(length.into());
            if next > end {
                break;
            }
            self.header[18..].copy_from_slice(&length.to_be_bytes());
            // Over what has been sent already.
            self.octets[start - HEADER..start].copy_from_slice(&self.header);
            socket.send(&self.octets[start - HEADER..record_end])?;
            start = next;
        }
        self.octets.copy_within(start..end, HEADER);
        self.kept = end - start;
        Ok(())
    }
}

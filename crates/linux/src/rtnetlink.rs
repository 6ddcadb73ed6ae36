//! What the kernel says about its interfaces, over `NETLINK_ROUTE`.
//!
//! Messages are taken apart with netlink-packet-core, but only down to the few attributes used here: a kernel newer
//! than the crate must not make a link unreadable because of an attribute nobody asked for.

use std::io;
use std::os::fd::OwnedFd;

use netlink_packet_core::{
    Emitable, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkBuffer, NetlinkHeader, NetlinkMessage,
    NetlinkPayload, NlasIterator,
};
use netlink_packet_route::link::{LinkFlags, LinkHeader, LinkLayerType, LinkMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily as SocketFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

/// A dump's messages fill up to 32 KiB (`NLMSG_GOODSIZE` and what the kernel rounds it up to).
const BUFFER_OCTETS: usize = 32 * 1024;

/// The kernel's word on one link. Attributes a message did not carry are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) index: u32,
    pub(crate) is_ethernet: bool,
    pub(crate) is_up: bool,
    pub(crate) is_running: bool,
    pub(crate) name: Option<String>,
    pub(crate) mac: Option<[u8; 6]>,
    pub(crate) mtu: Option<u32>,
}

/// One message of interest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    /// The link is there, as described.
    Link(Link),
    /// The link with this index is gone.
    Gone(u32),
    /// The end of an answer.
    Done,
    /// The answer to a request: 0, or a negative `errno`.
    Acknowledgement(i32),
}

/// A socket for requests, or for notifications.
#[derive(Debug)]
pub(crate) struct RouteSocket {
    pub(crate) socket: OwnedFd,
    buffer: Vec<u8>,
}

impl RouteSocket {
    /// For requests; reading waits, as the kernel has answered before the request returns.
    pub(crate) fn for_requests() -> io::Result<Self> {
        Self::open(SocketFlags::CLOEXEC, 0)
    }

    /// For notifications about links; reading does not wait.
    pub(crate) fn for_link_notifications() -> io::Result<Self> {
        Self::open(SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, libc::RTMGRP_LINK as u32)
    }

    fn open(flags: SocketFlags, groups: u32) -> io::Result<Self> {
        // No protocol is protocol 0, which for netlink is NETLINK_ROUTE.
        let socket = rustix::net::socket_with(SocketFamily::NETLINK, SocketType::RAW, flags, None)?;
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, groups))?;
        Ok(Self { socket, buffer: vec![0; BUFFER_OCTETS] })
    }

    /// Asks for all links.
    pub(crate) fn links(&mut self) -> io::Result<Vec<Link>> {
        self.send(RouteNetlinkMessage::GetLink(LinkMessage::default()), NLM_F_DUMP)?;
        let mut links = Vec::new();
        loop {
            for message in self.receive()? {
                match message {
                    Message::Link(link) => links.push(link),
                    Message::Done => return Ok(links),
                    Message::Acknowledgement(error) if error != 0 => return Err(negative_errno(error)),
                    Message::Gone(_) | Message::Acknowledgement(_) => {}
                }
            }
        }
    }

    /// Has something changed, and waits for the kernel's word that it is done.
    pub(crate) fn change(&mut self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.send(message, flags | NLM_F_ACK)?;
        loop {
            for message in self.receive()? {
                match message {
                    Message::Acknowledgement(0) => return Ok(()),
                    Message::Acknowledgement(error) => return Err(negative_errno(error)),
                    Message::Link(_) | Message::Gone(_) | Message::Done => {}
                }
            }
        }
    }

    fn send(&self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | flags;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(message));
        message.finalize();
        let mut octets = vec![0; message.buffer_len()];
        message.serialize(&mut octets);
        rustix::net::send(&self.socket, &octets, SendFlags::empty())?;
        Ok(())
    }

    /// The messages of the next datagram.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if none waits (on a socket for notifications), `ENOBUFS` if some were lost.
    pub(crate) fn receive(&mut self) -> io::Result<Vec<Message>> {
        let (_, len) = loop {
            match rustix::net::recv(&self.socket, &mut self.buffer[..], RecvFlags::TRUNC) {
                Err(Errno::INTR) => {}
                other => break other?,
            }
        };
        // A datagram cut short is as good as lost.
        let octets = self.buffer.get(..len).ok_or(io::Error::from(Errno::NOBUFS))?;
        parse(octets)
    }
}

fn negative_errno(error: i32) -> io::Error {
    io::Error::from_raw_os_error(error.saturating_neg())
}

/// The messages of one datagram that are of interest here.
fn parse(mut octets: &[u8]) -> io::Result<Vec<Message>> {
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    let mut messages = Vec::new();
    while !octets.is_empty() {
        let buffer = NetlinkBuffer::new_checked(octets).map_err(invalid)?;
        let payload = buffer.payload();
        match buffer.message_type() {
            libc::RTM_NEWLINK => messages.extend(parse_link(payload).map_err(invalid)?.map(Message::Link)),
            libc::RTM_DELLINK => {
                messages.extend(parse_link(payload).map_err(invalid)?.map(|link| Message::Gone(link.index)));
            }
            DONE => messages.push(Message::Done),
            ERROR => {
                let code = payload.first_chunk().map_or(0, |octets| i32::from_ne_bytes(*octets));
                messages.push(Message::Acknowledgement(code));
            }
            _ => {}
        }
        // Messages begin at multiples of four octets.
        let length = usize::try_from(buffer.length()).unwrap_or(usize::MAX).next_multiple_of(4);
        octets = octets.get(length..).unwrap_or_default();
    }
    Ok(messages)
}

/// `NLMSG_ERROR` and `NLMSG_DONE` as the 16-bit field has them.
const ERROR: u16 = libc::NLMSG_ERROR as u16;
const DONE: u16 = libc::NLMSG_DONE as u16;

/// `None` for what is not about a link as such: a bridge tells of its ports with the same message types, and a port
/// that leaves its bridge is not gone.
fn parse_link(payload: &[u8]) -> Result<Option<Link>, netlink_packet_core::DecodeError> {
    let header = LinkHeader::parse(payload)?;
    if header.interface_family != AddressFamily::Unspec {
        return Ok(None);
    }
    let mut link = Link {
        index: header.index,
        is_ethernet: header.link_layer_type == LinkLayerType::Ether,
        is_up: header.flags.contains(LinkFlags::Up),
        is_running: header.flags.contains(LinkFlags::Running | LinkFlags::LowerUp),
        name: None,
        mac: None,
        mtu: None,
    };
    for attribute in NlasIterator::new(payload.get(header.buffer_len()..).unwrap_or_default()) {
        let attribute = attribute?;
        let value = attribute.value();
        match attribute.kind() {
            libc::IFLA_IFNAME => {
                let name = value.split(|&octet| octet == 0).next().unwrap_or_default();
                link.name = Some(String::from_utf8_lossy(name).into_owned());
            }
            libc::IFLA_ADDRESS => link.mac = value.try_into().ok(),
            libc::IFLA_MTU => link.mtu = value.first_chunk().map(|octets| u32::from_ne_bytes(*octets)),
            _ => {}
        }
    }
    Ok(Some(link))
}

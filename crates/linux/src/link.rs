//! Making and changing interfaces, over rtnetlink: for the demonstration and for tests, in namespaces of their own.
//!
//! All of it needs `CAP_NET_ADMIN` in the network namespace.

use std::io;
use std::time::{Duration, Instant};

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};

use crate::error::OsError;
use crate::interface::InterfaceMonitor;
use crate::poller::{Events, Interest, Poller, Token};
use crate::rtnetlink::RouteSocket;

/// The kernel takes note of a carrier within milliseconds, or within a second if it is busy; beyond this it never will.
const CARRIER_PATIENCE: Duration = Duration::from_secs(60);

/// Makes two Ethernet interfaces joined by a virtual cable, both up. From the start frames pass both ways.
///
/// # Errors
///
/// Missing rights, a name in use already, or a kernel without `veth`.
pub fn create_veth(one: &str, other: &str) -> Result<(), OsError> {
    // Listens before there is anything to hear: until the kernel has taken note of its carrier, an interface drops what
    // it is to send, and only when the kernel tells that it is running, not when a look shows it, has it done so.
    let mut monitor = InterfaceMonitor::open()?;
    let mut link = named(one);
    link.attributes.push(LinkAttribute::LinkInfo(vec![
        LinkInfo::Kind(InfoKind::Veth),
        LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(named(other)))),
    ]));
    change(RouteNetlinkMessage::NewLink(link), NLM_F_CREATE | NLM_F_EXCL)
        .map_err(|cause| OsError::new("create veth pair", format!("{one}, {other}"), cause))?;
    // Not at once: neither end can be set up before it has its other end.
    set_link_up(other, true)?;
    set_link_up(one, true)?;
    await_running(&mut monitor, [one, other])
        .map_err(|cause| OsError::new("await carrier of veth pair", format!("{one}, {other}"), cause))
}

fn await_running(monitor: &mut InterfaceMonitor, names: [&str; 2]) -> io::Result<()> {
    let poller = Poller::new().map_err(io::Error::other)?;
    poller.add(&*monitor, Token(0), Interest::READABLE)?;
    let mut events = Events::with_capacity(1);
    let began = Instant::now();
    loop {
        while monitor.next_change()?.is_some() {}
        let is_running = |name| monitor.interfaces().any(|one| one.name == name && one.is_running);
        if names.into_iter().all(is_running) {
            return Ok(());
        }
        let left = CARRIER_PATIENCE.checked_sub(began.elapsed()).ok_or(io::ErrorKind::TimedOut)?;
        poller.wait(&mut events, Some(left))?;
    }
}

/// Sets an interface up or down.
///
/// # Errors
///
/// Missing rights, or no such interface.
pub fn set_link_up(name: &str, up: bool) -> Result<(), OsError> {
    let mut link = named(name);
    link.header.flags.set(LinkFlags::Up, up);
    link.header.change_mask = LinkFlags::Up;
    change(RouteNetlinkMessage::SetLink(link), 0)
        .map_err(|cause| OsError::new(if up { "set up" } else { "set down" }, name, cause))
}

/// Removes an interface, and with it the other end of its cable.
///
/// # Errors
///
/// Missing rights, or no such interface.
pub fn delete_link(name: &str) -> Result<(), OsError> {
    change(RouteNetlinkMessage::DelLink(named(name)), 0)
        .map_err(|cause| OsError::new("delete interface", name, cause))
}

fn named(name: &str) -> LinkMessage {
    let mut link = LinkMessage::default();
    link.attributes.push(LinkAttribute::IfName(name.to_owned()));
    link
}

fn change(message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
    RouteSocket::for_requests()?.change(message, flags)
}

//! Making and changing interfaces, over rtnetlink: for the demonstration and for tests, in namespaces of their own.
//!
//! All of it needs `CAP_NET_ADMIN` in the network namespace.

use std::io;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};

use crate::error::OsError;
use crate::rtnetlink::RouteSocket;

/// Makes two Ethernet interfaces joined by a virtual cable, both up.
///
/// `one` carries frames at once; what `other` sends is dropped for a moment, until the kernel has noticed its carrier.
///
/// # Errors
///
/// Missing rights, a name in use already, or a kernel without `veth`.
pub fn create_veth(one: &str, other: &str) -> Result<(), OsError> {
    let mut link = named(one);
    link.attributes.push(LinkAttribute::LinkInfo(vec![
        LinkInfo::Kind(InfoKind::Veth),
        LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(named(other)))),
    ]));
    change(RouteNetlinkMessage::NewLink(link), NLM_F_CREATE | NLM_F_EXCL)
        .map_err(|cause| OsError::new("create veth pair", format!("{one}, {other}"), cause))?;
    // Not at once: neither end can be set up before it has its other end. The one set up last finds its carrier there
    // and sends from the first frame on.
    set_link_up(other, true)?;
    set_link_up(one, true)
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

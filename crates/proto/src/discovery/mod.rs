//! The access concentrator's side of discovery (RFC 2516 §5).
//!
//! [`AccessConcentrator`] judges what hosts send, and this module makes every packet that we send. It promises
//! to keep nothing because of any packet, to answer only what the RFC lets an access concentrator answer, and
//! that each answer obeys it.
//!
//! The caller says which services can be served now, decides whether a [`SessionRequest`] is granted, and knows
//! which sessions are open.
//!
//! ```text
//! host                                   access concentrator
//!  │ PADI  any service? ──────────────────────► on_padi
//!  │ ◄──────────────────── PADO  AC-Cookie, services
//!  │ PADR  this one, AC-Cookie ───────────────► on_padr ─► SessionRequest ─► the caller decides
//!  │ ◄──────────────────── PADS  SESSION_ID                          pads() or refuse()
//!  │ ◄───────────────── session ─────────────►
//!  │ PADT ────────────────────────────────────► on_padt                     and padt()
//! ```

mod cookie;
mod name;
mod reply;
mod session_id;

pub use cookie::CookieMint;
pub use name::{AcName, NameTooLong, ServiceName};
pub use reply::{Refusal, pads, padt, refuse};
pub use session_id::SessionIdAllocator;

use crate::discard::DiscardReason;
use crate::id::InterfaceId;
use crate::time::Instant;
use crate::wire::discovery::{Code, DiscoveryPacket, SessionId};
use crate::wire::ethernet::MacAddr;
use crate::wire::session::LARGEST_INFORMATION;
use crate::wire::tag::{Printable, TagType, Tags};
use alloc::vec::Vec;
use core::fmt;

/// One of our Ethernet interfaces, as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalInterface {
    /// Which one.
    pub id: InterfaceId,
    /// Its address.
    pub mac: MacAddr,
    /// Octets that fit in one of its frames after the Ethernet header.
    pub mtu: u16,
}

/// What an operator may choose about discovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiscoveryPolicy {
    /// Whether a PADO names all services that can be served, not only the one that was asked for.
    pub disclose_services: bool,
    /// Whether a request without a Service-Name, which RFC 2516 forbids, is taken for one with an empty name.
    pub accept_missing_service_name: bool,
}

impl Default for DiscoveryPolicy {
    fn default() -> Self {
        Self { disclose_services: true, accept_missing_service_name: false }
    }
}

/// A PADR that passed every check of this module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRequest {
    /// Where it was received.
    pub interface: InterfaceId,
    /// Whose it is.
    pub peer: MacAddr,
    /// The service it asks for; the empty name stands for any.
    pub service: ServiceName,
    /// Its Host-Uniq, to be echoed.
    pub host_uniq: Option<Vec<u8>>,
    /// Its Relay-Session-Id, to be echoed.
    pub relay_session_id: Option<Vec<u8>>,
    /// Its PPP-Max-Payload, to be echoed, if it asks for more than 1492 and the interface allows more.
    pub max_payload_echo: Option<u16>,
    /// The longest PPP payload that the session may carry then, protocol field not counted
    /// (RFC 4638 §5.1); without it, 1492.
    pub max_payload: Option<u16>,
}

impl fmt::Display for SessionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request of {} for service \"{}\"", self.peer, self.service)
    }
}

/// A PADT that may end a session of its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Termination<'a> {
    /// Who sent it.
    pub peer: MacAddr,
    /// Which session it ends, if that is the peer's.
    pub session_id: SessionId,
    /// Why, in the peer's words.
    pub reason: Option<Printable<'a>>,
}

/// Judges what hosts send, and makes offers.
#[derive(Clone, Debug)]
pub struct AccessConcentrator {
    name: AcName,
    cookies: CookieMint,
    policy: DiscoveryPolicy,
}

impl AccessConcentrator {
    /// An access concentrator that goes by `name`.
    #[must_use]
    pub const fn new(name: AcName, cookies: CookieMint, policy: DiscoveryPolicy) -> Self {
        Self { name, cookies, policy }
    }

    /// The PADO to a PADI, as a whole Ethernet frame. `offered` are the services that can be served now, each once.
    ///
    /// An AC-Name in the PADI does not matter: RFC 2516 gives it no meaning there.
    ///
    /// # Errors
    ///
    /// Why there is no offer. Whether an [`UnknownService`](DiscardReason::UnknownService) is one that could be
    /// served at another time, only the caller knows.
    pub fn on_padi(
        &self,
        now: Instant,
        local: &LocalInterface,
        packet: &DiscoveryPacket<'_>,
        offered: &[ServiceName],
    ) -> Result<Vec<u8>, DiscardReason> {
        check_code(packet, Code::Padi)?;
        // RFC 2516 §5.1: "The Host sends the PADI packet with the DESTINATION_ADDR set to the broadcast
        // address." One that is meant for us alone is harmless.
        if packet.destination != MacAddr::BROADCAST {
            check_destination(packet, local)?;
        }
        check_source(packet, local)?;
        check_no_session(packet)?;
        check_padi_size(packet)?;
        let service = self.service_name(packet.tags)?;
        // RFC 2516 §5.2: "If the Access Concentrator can not serve the PADI it MUST NOT respond with a PADO."
        if offered.is_empty() {
            return Err(DiscardReason::ServiceUnavailable);
        }
        if !service.is_empty() && !offered.iter().any(|name| name.as_octets() == service) {
            return Err(DiscardReason::UnknownService);
        }
        let offer = reply::Offer {
            ac_name: &self.name,
            cookie: self.cookies.mint(now, local.id, packet.source),
            service,
            others: if self.policy.disclose_services { offered } else { &[] },
        };
        // The cookie proves the address, so nothing has to be remembered until the PADR comes.
        offer.pado(local, packet)
    }

    /// What a PADR asks for. Whether the service is known, and whether it can be had, is the caller's to say,
    /// by [`pads`] or [`refuse`].
    ///
    /// A PADR that is sent again gives an equal request.
    ///
    /// # Errors
    ///
    /// Why it deserves no answer.
    pub fn on_padr(
        &self,
        now: Instant,
        local: &LocalInterface,
        packet: &DiscoveryPacket<'_>,
    ) -> Result<SessionRequest, DiscardReason> {
        check_code(packet, Code::Padr)?;
        // RFC 2516 §5.3: "The DESTINATION_ADDR field is set to the unicast Ethernet address of the Access
        // Concentrator that sent the PADO".
        check_destination(packet, local)?;
        check_source(packet, local)?;
        check_no_session(packet)?;
        let service = self.service_name(packet.tags)?;
        let cookie = packet.tags.first(TagType::AcCookie).ok_or(DiscardReason::MissingCookie)?;
        if !self.cookies.verify(now, local.id, packet.source, cookie) {
            return Err(DiscardReason::BadCookie);
        }
        let max_payload_echo = max_payload_echo(local, packet.tags);
        let request = SessionRequest {
            interface: local.id,
            peer: packet.source,
            service: ServiceName::requested(service),
            host_uniq: packet.tags.first(TagType::HostUniq).map(Vec::from),
            relay_session_id: packet.tags.first(TagType::RelaySessionId).map(Vec::from),
            max_payload_echo,
            // RFC 4638 §5.1: the least of the tag and the interface's MTU less 8; and of what we have room for.
            max_payload: max_payload_echo
                .map(|tag| tag.min(local.mtu.saturating_sub(PPPOE_AND_PPP_HEADERS)).min(LARGEST_INFORMATION)),
        };
        if reply::fits(local, &request) { Ok(request) } else { Err(DiscardReason::OversizedEcho) }
    }

    /// Which session a PADT wants to end. Whether the sender has that session is the caller's to check.
    ///
    /// # Errors
    ///
    /// Why it cannot end any session.
    pub fn on_padt<'a>(
        &self,
        local: &LocalInterface,
        packet: &DiscoveryPacket<'a>,
    ) -> Result<Termination<'a>, DiscardReason> {
        check_code(packet, Code::Padt)?;
        check_destination(packet, local)?;
        check_source(packet, local)?;
        let session_id = SessionId::new(packet.session_id).ok_or(DiscardReason::PadtUnknownSession)?;
        let reason = packet.tags.first(TagType::GenericError).map(Printable);
        Ok(Termination { peer: packet.source, session_id, reason })
    }

    /// The one Service-Name of a request.
    fn service_name<'a>(&self, tags: Tags<'a>) -> Result<&'a [u8], DiscardReason> {
        // RFC 2516 §5.1 and §5.3: a PADI and a PADR "MUST contain exactly one TAG of TAG_TYPE Service-Name".
        let mut names = tags.iter().filter(|tag| tag.tag_type == TagType::ServiceName);
        match (names.next(), names.next()) {
            (Some(name), None) => Ok(name.value),
            (Some(_), Some(_)) => Err(DiscardReason::RepeatedServiceName),
            (None, _) if self.policy.accept_missing_service_name => Ok(&[]),
            (None, _) => Err(DiscardReason::MissingServiceName),
        }
    }
}

/// Every code that is not expected is for hosts, or an extension.
fn check_code(packet: &DiscoveryPacket<'_>, expected: Code) -> Result<(), DiscardReason> {
    if packet.code == expected { Ok(()) } else { Err(DiscardReason::UnhandledCode) }
}

fn check_destination(packet: &DiscoveryPacket<'_>, local: &LocalInterface) -> Result<(), DiscardReason> {
    if packet.destination == local.mac { Ok(()) } else { Err(DiscardReason::NotForUs) }
}

/// An answer must reach one host, and that is not us.
fn check_source(packet: &DiscoveryPacket<'_>, local: &LocalInterface) -> Result<(), DiscardReason> {
    if packet.source.is_unicast() && packet.source != local.mac {
        Ok(())
    } else {
        Err(DiscardReason::BadSourceAddress)
    }
}

/// RFC 2516 §5.1 and §5.3: "the SESSION_ID MUST be set to 0x0000" in a PADI and a PADR.
fn check_no_session(packet: &DiscoveryPacket<'_>) -> Result<(), DiscardReason> {
    if packet.session_id == 0 { Ok(()) } else { Err(DiscardReason::UnexpectedSessionId) }
}

/// RFC 2516 §5.1: "An entire PADI packet (including the PPPoE header) MUST NOT exceed 1484 octets so as to
/// leave sufficient room for a relay agent to add a Relay-Session-Id TAG." What a relay has added does not count.
fn check_padi_size(packet: &DiscoveryPacket<'_>) -> Result<(), DiscardReason> {
    const MAX_PADI: usize = 1484;
    let added = packet.tags.first(TagType::RelaySessionId).map_or(0, |id| 4 + id.len());
    if packet.pppoe_octets.saturating_sub(added) <= MAX_PADI {
        Ok(())
    } else {
        Err(DiscardReason::OversizedPadi)
    }
}

/// Octets of an Ethernet payload that a PPP payload cannot have: the PPPoE header and the PPP protocol field.
const PPPOE_AND_PPP_HEADERS: u16 = 8;

/// The PPP-Max-Payload to echo, if both sides can carry more than RFC 2516's 1492 octets (RFC 4638 §4). It is echoed as
/// it was sent, however much it is: that the lesser of all limits holds is for the MRU to say.
fn max_payload_echo(local: &LocalInterface, tags: Tags<'_>) -> Option<u16> {
    const MAX_WITHOUT: u16 = 1492;
    /// The full 1500 octets of an IP packet must fit, or there is no point.
    const LEAST_MTU: u16 = 1500 + PPPOE_AND_PPP_HEADERS;
    let octets = tags.first(TagType::PppMaxPayload)?.as_array()?;
    let asked = u16::from_be_bytes(*octets);
    (asked > MAX_WITHOUT && local.mtu >= LEAST_MTU).then_some(asked)
}

#[cfg(test)]
mod tests;

//! Every discovery packet that an access concentrator sends.

use super::cookie::Cookie;
use super::{AcName, LocalInterface, ServiceName, SessionRequest, max_payload_echo};
use crate::discard::DiscardReason;
use crate::wire::discovery::{Code, DiscoveryPacket, SessionId};
use crate::wire::ethernet::MacAddr;
use crate::wire::tag::{TagDoesNotFit, TagType, TagWriter};
use alloc::string::String;
use alloc::vec::Vec;

/// Octets of the longest discovery packet we send, PPPoE header included: what any Ethernet carries.
const MAX_PACKET: u16 = 1500;

/// Octets of the longest error text.
const MAX_TEXT: usize = 128;

/// Why a session is refused. The text is for the person at the host; it is sent as printable UTF-8, cut to 128
/// octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal<'a> {
    /// The service is not offered.
    ServiceNameError(&'a str),
    /// We cannot serve now: no modem is free, or the call failed.
    AcSystemError(&'a str),
    /// Anything else.
    GenericError(&'a str),
}

/// What a PADO says beyond what its PADI wants echoed.
pub(super) struct Offer<'a> {
    pub(super) ac_name: &'a AcName,
    pub(super) cookie: Cookie,
    /// As the PADI names it, maybe empty.
    pub(super) service: &'a [u8],
    pub(super) others: &'a [ServiceName],
}

impl Offer<'_> {
    /// The offer to the sender of `padi`.
    pub(super) fn pado(
        &self,
        local: &LocalInterface,
        padi: &DiscoveryPacket<'_>,
    ) -> Result<Vec<u8>, DiscardReason> {
        let mut writer = TagWriter::new(padi.source, local.mac, Code::Pado, None, local.mtu.min(MAX_PACKET));
        let echo = Echo {
            host_uniq: padi.tags.first(TagType::HostUniq),
            relay_session_id: padi.tags.first(TagType::RelaySessionId),
            max_payload: max_payload_echo(local, padi.tags),
        };
        self.add_required(&mut writer, &echo).map_err(|_| DiscardReason::OversizedEcho)?;
        for name in self.others.iter().filter(|name| name.as_octets() != self.service) {
            // A host that wants one of those that do not fit can still ask for it by name.
            if writer.add(TagType::ServiceName, name.as_octets()).is_err() {
                break;
            }
        }
        Ok(writer.finish())
    }

    fn add_required(&self, writer: &mut TagWriter, echo: &Echo<'_>) -> Result<(), TagDoesNotFit> {
        // RFC 2516 §5.2: "The PADO packet MUST contain one AC-Name TAG containing the Access Concentrator's
        // name, a Service-Name TAG identical to the one in the PADI, and any number of other Service-Name
        // TAGs indicating other services that the Access Concentrator offers."
        writer.add(TagType::ServiceName, self.service)?;
        writer.add(TagType::AcName, self.ac_name.as_str().as_bytes())?;
        writer.add(TagType::AcCookie, &self.cookie)?;
        echo.add(writer)
    }
}

/// What comes back to the host as it was.
struct Echo<'a> {
    host_uniq: Option<&'a [u8]>,
    relay_session_id: Option<&'a [u8]>,
    max_payload: Option<u16>,
}

impl<'a> Echo<'a> {
    fn of(request: &'a SessionRequest) -> Self {
        Self {
            host_uniq: request.host_uniq.as_deref(),
            relay_session_id: request.relay_session_id.as_deref(),
            max_payload: request.max_payload_echo,
        }
    }

    fn add(&self, writer: &mut TagWriter) -> Result<(), TagDoesNotFit> {
        // RFC 2516 Appendix A: with a Host-Uniq in the request, the Access Concentrator "MUST include the TAG
        // unmodified in the associated PADO or PADS response".
        if let Some(host_uniq) = self.host_uniq {
            writer.add(TagType::HostUniq, host_uniq)?;
        }
        // RFC 2516 Appendix A: whoever receives a Relay-Session-Id "MUST include that TAG unmodified in any
        // discovery packet they send as a response". We never add one of our own.
        if let Some(relay_session_id) = self.relay_session_id {
            writer.add(TagType::RelaySessionId, relay_session_id)?;
        }
        // RFC 4638 §4: the tag in a PADO or PADS is an echo of the host's.
        if let Some(max_payload) = self.max_payload {
            writer.add(TagType::PppMaxPayload, &max_payload.to_be_bytes())?;
        }
        Ok(())
    }
}

/// The PADS that opens the session: `accepted` is the name that was asked for, or the chosen one if any would do.
#[must_use]
pub fn pads(
    local: &LocalInterface,
    request: &SessionRequest,
    accepted: &ServiceName,
    session_id: SessionId,
) -> Vec<u8> {
    let mut writer = TagWriter::new(request.peer, local.mac, Code::Pads, Some(session_id), MAX_PACKET);
    // RFC 2516 §5.4: the PADS "contains exactly one TAG of TAG_TYPE Service-Name, indicating the service under
    // which Access Concentrator has accepted the PPPoE session".
    let added = writer.add(TagType::ServiceName, accepted.as_octets());
    let added = added.and_then(|()| Echo::of(request).add(&mut writer));
    debug_assert!(added.is_ok(), "on_padr took only what can be answered");
    writer.finish()
}

/// The PADS that refuses the session.
#[must_use]
pub fn refuse(local: &LocalInterface, request: &SessionRequest, refusal: Refusal<'_>) -> Vec<u8> {
    // RFC 2516 §5.4: if the Access Concentrator does not like the Service-Name, it "MUST reply with a PADS
    // containing a TAG of TAG_TYPE Service-Name-Error [...]. In this case the SESSION_ID MUST be set to 0x0000."
    let mut writer = TagWriter::new(request.peer, local.mac, Code::Pads, None, MAX_PACKET);
    let (tag_type, text) = match refusal {
        Refusal::ServiceNameError(text) => (TagType::ServiceNameError, text),
        Refusal::AcSystemError(text) => (TagType::AcSystemError, text),
        Refusal::GenericError(text) => (TagType::GenericError, text),
    };
    let added = writer.add(TagType::ServiceName, request.service.as_octets());
    let added = added.and_then(|()| writer.add(tag_type, error_text(text).as_bytes()));
    let added = added.and_then(|()| Echo::of(request).add(&mut writer));
    debug_assert!(added.is_ok(), "on_padr took only what can be answered");
    writer.finish()
}

/// The PADT that ends a session, or tells a host that the session it believes in does not exist.
///
/// After it, nothing may be sent in that session (RFC 2516 §5.5).
#[must_use]
pub fn padt(
    local: &LocalInterface,
    peer: MacAddr,
    session_id: SessionId,
    relay_session_id: Option<&[u8]>,
    reason: Option<&str>,
) -> Vec<u8> {
    let mut writer = TagWriter::new(peer, local.mac, Code::Padt, Some(session_id), MAX_PACKET);
    // RFC 2516 §5.5: "No TAGs are required", so one that does not fit is left out.
    if let Some(relay_session_id) = relay_session_id {
        let _ = writer.add(TagType::RelaySessionId, relay_session_id);
    }
    if let Some(reason) = reason {
        let _ = writer.add(TagType::GenericError, error_text(reason).as_bytes());
    }
    writer.finish()
}

/// Whether both [`pads`] and [`refuse`], with the longest name and text there can be, fit the interface.
pub(super) fn fits(local: &LocalInterface, request: &SessionRequest) -> bool {
    let mut writer = TagWriter::new(request.peer, local.mac, Code::Pads, None, local.mtu.min(MAX_PACKET));
    let longest_name = [0; ServiceName::MAX_LEN];
    let requested = request.service.as_octets();
    let name = if requested.len() > longest_name.len() { requested } else { &longest_name };
    writer.add(TagType::ServiceName, name).is_ok()
        && writer.add(TagType::GenericError, &[0; MAX_TEXT]).is_ok()
        && Echo::of(request).add(&mut writer).is_ok()
}

/// RFC 2516 Appendix A: the text of an error tag, if there is any, "MUST be a printable UTF-8 string"; the
/// peer's terminal or log gets no control characters from us, whatever a modem said.
fn error_text(text: &str) -> String {
    let mut printable = String::new();
    for character in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        if printable.len() + character.len_utf8() > MAX_TEXT {
            break;
        }
        printable.push(character);
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_text_is_printable_and_short() {
        assert_eq!(error_text("NO CARRIER\r\n\0"), "NO CARRIER   ");
        assert_eq!(error_text(""), "");
        let umlauts = error_text(&"xäöü".repeat(100));
        assert_eq!(umlauts.len(), 127);
        assert!(umlauts.ends_with("üx"), "{umlauts}");
    }
}

//! Every reason for which a frame or packet may be dropped, listed once.
//!
//! A dropped frame has exactly one [`DiscardReason`]; a new one cannot compile without its name and help
//! text, and gets its counter by being in the list.

use core::fmt;

/// Why a frame or packet was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum DiscardReason {
    // Any PPPoE frame (RFC 2516 §4).
    /// Addressed to another host's MAC address, or marked so by the kernel.
    NotForUs,
    /// The kernel's queue of received frames was full.
    KernelBacklog,
    /// Longer than any Ethernet frame we take.
    OversizedEthernetFrame,
    /// Shorter than an Ethernet header and a PPPoE header.
    TruncatedHeader,
    /// Not of the ether type of the socket it came from.
    WrongEtherType,
    /// VER or TYPE is not 1.
    WrongVersion,
    /// LENGTH says more than was received.
    LengthExceedsFrame,

    // Discovery (RFC 2516 §5).
    /// A tag runs past the end of the payload.
    MalformedTag,
    /// A PADI or PADR without a Service-Name tag.
    MissingServiceName,
    /// A PADI or PADR with more than one Service-Name tag.
    RepeatedServiceName,
    /// A PADI or PADR whose `SESSION_ID` is not 0.
    UnexpectedSessionId,
    /// A PADI longer than 1484 octets, the PPPoE header included.
    OversizedPadi,
    /// A request whose tags that must come back leave no room for the rest of the answer.
    OversizedEcho,
    /// From a broadcast, multicast or zero source address, or from our own.
    BadSourceAddress,
    /// A discovery code that an access concentrator does not receive.
    UnhandledCode,
    /// A PADI for a service that is not offered.
    UnknownService,
    /// A PADI for a service that cannot be served now.
    ServiceUnavailable,
    /// A PADR without an AC-Cookie.
    MissingCookie,
    /// A PADR whose AC-Cookie we did not make for that peer, or made too long ago.
    BadCookie,
    /// From a host that may not come to this interface, or may not have the service.
    DeniedPeer,
    /// A PADI while there are as many sessions as there may be.
    SessionLimit,
    /// More discovery packets than the limit allows.
    DiscoveryRateLimited,
    /// Too many offers are being held back already.
    OfferBacklog,
    /// A PADT for a session that nobody has.
    PadtUnknownSession,
    /// A PADT for a session of another peer.
    PadtWrongPeer,

    // Session frames, host to modem (RFC 2516 §6).
    /// CODE is not 0.
    BadSessionCode,
    /// For a session that nobody has.
    UnknownSession,
    /// For a session of another peer.
    WrongPeer,
    /// Too short to hold a PPP protocol field.
    ShortPayload,
    /// The session is open but its modem has not yet connected.
    ModemNotConnected,
    /// The queue toward the modem is full.
    ModemBacklog,
    /// Its flow had kept the queue toward the modem long for too long (RFC 8289).
    ModemQueueDelay,
    /// It still waited for the modem when its session or its call ended.
    SessionEnded,

    // LCP, either way (RFC 1661 §5).
    /// It could not be read, and there was nobody yet, or no more, who could judge it.
    MalformedLcp,
    /// Not of the goodbye, while the link is being terminated.
    LinkTerminating,

    // Serial line, modem to host (RFC 1662).
    /// The frame check sequence is wrong.
    BadFcs,
    /// Ended by ESCAPE FLAG.
    Aborted,
    /// Shorter than a frame can be.
    ShortFrame,
    /// Longer than any frame we take.
    OversizedFrame,
    /// Address or control field of another protocol.
    BadAddressOrControl,
    /// The PPP protocol field is not a protocol number.
    BadProtocolField,
    /// An LCP answer to a question that nobody asked.
    StrayLcp,
    /// No session is open at that modem.
    NoSession,
    /// Does not fit the Ethernet (RFC 2516 §7).
    ExceedsMtu,
    /// The interface took no more frames.
    InterfaceBacklog,
    /// The interface was down or gone.
    InterfaceDown,
}

impl DiscardReason {
    /// All reasons, in the order of their numbers.
    pub const ALL: [Self; 46] = [
        Self::NotForUs,
        Self::KernelBacklog,
        Self::OversizedEthernetFrame,
        Self::TruncatedHeader,
        Self::WrongEtherType,
        Self::WrongVersion,
        Self::LengthExceedsFrame,
        Self::MalformedTag,
        Self::MissingServiceName,
        Self::RepeatedServiceName,
        Self::UnexpectedSessionId,
        Self::OversizedPadi,
        Self::OversizedEcho,
        Self::BadSourceAddress,
        Self::UnhandledCode,
        Self::UnknownService,
        Self::ServiceUnavailable,
        Self::MissingCookie,
        Self::BadCookie,
        Self::DeniedPeer,
        Self::SessionLimit,
        Self::DiscoveryRateLimited,
        Self::OfferBacklog,
        Self::PadtUnknownSession,
        Self::PadtWrongPeer,
        Self::BadSessionCode,
        Self::UnknownSession,
        Self::WrongPeer,
        Self::ShortPayload,
        Self::ModemNotConnected,
        Self::ModemBacklog,
        Self::ModemQueueDelay,
        Self::SessionEnded,
        Self::MalformedLcp,
        Self::LinkTerminating,
        Self::BadFcs,
        Self::Aborted,
        Self::ShortFrame,
        Self::OversizedFrame,
        Self::BadAddressOrControl,
        Self::BadProtocolField,
        Self::StrayLcp,
        Self::NoSession,
        Self::ExceedsMtu,
        Self::InterfaceBacklog,
        Self::InterfaceDown,
    ];

    /// The place of this reason in [`DiscardReason::ALL`]: the index of its counter.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// A short name, the same in logs and counters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotForUs => "not_for_us",
            Self::KernelBacklog => "kernel_backlog",
            Self::OversizedEthernetFrame => "oversized_ethernet_frame",
            Self::TruncatedHeader => "truncated_header",
            Self::WrongEtherType => "wrong_ether_type",
            Self::WrongVersion => "wrong_version",
            Self::LengthExceedsFrame => "length_exceeds_frame",
            Self::MalformedTag => "malformed_tag",
            Self::MissingServiceName => "missing_service_name",
            Self::RepeatedServiceName => "repeated_service_name",
            Self::UnexpectedSessionId => "unexpected_session_id",
            Self::OversizedPadi => "oversized_padi",
            Self::OversizedEcho => "oversized_echo",
            Self::BadSourceAddress => "bad_source_address",
            Self::UnhandledCode => "unhandled_code",
            Self::UnknownService => "unknown_service",
            Self::ServiceUnavailable => "service_unavailable",
            Self::MissingCookie => "missing_cookie",
            Self::BadCookie => "bad_cookie",
            Self::DeniedPeer => "denied_peer",
            Self::SessionLimit => "session_limit",
            Self::DiscoveryRateLimited => "discovery_rate_limited",
            Self::OfferBacklog => "offer_backlog",
            Self::PadtUnknownSession => "padt_unknown_session",
            Self::PadtWrongPeer => "padt_wrong_peer",
            Self::BadSessionCode => "bad_session_code",
            Self::UnknownSession => "unknown_session",
            Self::WrongPeer => "wrong_peer",
            Self::ShortPayload => "short_payload",
            Self::ModemNotConnected => "modem_not_connected",
            Self::ModemBacklog => "modem_backlog",
            Self::ModemQueueDelay => "modem_queue_delay",
            Self::SessionEnded => "session_ended",
            Self::MalformedLcp => "malformed_lcp",
            Self::LinkTerminating => "link_terminating",
            Self::BadFcs => "bad_fcs",
            Self::Aborted => "aborted",
            Self::ShortFrame => "short_frame",
            Self::OversizedFrame => "oversized_frame",
            Self::BadAddressOrControl => "bad_address_or_control",
            Self::BadProtocolField => "bad_protocol_field",
            Self::StrayLcp => "stray_lcp",
            Self::NoSession => "no_session",
            Self::ExceedsMtu => "exceeds_mtu",
            Self::InterfaceBacklog => "interface_backlog",
            Self::InterfaceDown => "interface_down",
        }
    }

    /// One sentence for an operator who sees the counter rise.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::NotForUs => "addressed to another host; normal on a promiscuous interface",
            Self::KernelBacklog => "the socket's queue was full: more came than this machine could look at",
            Self::OversizedEthernetFrame => {
                "longer than any Ethernet frame we take; a host with too large an MTU"
            }
            Self::TruncatedHeader => "shorter than its headers",
            Self::WrongEtherType => "not the kind of frame that was listened for",
            Self::WrongVersion => "PPPoE version or type is not 1",
            Self::LengthExceedsFrame => "the PPPoE length field says more than was received",
            Self::MalformedTag => "a discovery tag runs past the end of its packet",
            Self::MissingServiceName => "a request without the Service-Name tag that RFC 2516 demands",
            Self::RepeatedServiceName => "a request with more than one Service-Name tag",
            Self::UnexpectedSessionId => "a request that already names a session",
            Self::OversizedPadi => "a PADI longer than RFC 2516 allows",
            Self::OversizedEcho => "a request with so much to echo that the answer would not fit",
            Self::BadSourceAddress => "sent from an address that no host can have",
            Self::UnhandledCode => "a discovery code meant for hosts, or an extension we do not speak",
            Self::UnknownService => "a host asked for a service that is not offered here",
            Self::ServiceUnavailable => "a host asked for a service that no modem can serve now",
            Self::MissingCookie => "a request without the cookie of our offer",
            Self::BadCookie => "a request with a cookie that is not ours, not this host's, or too old",
            Self::DeniedPeer => "a host asked that the allow and deny lists keep out",
            Self::SessionLimit => "a host asked while there were as many sessions as there may be",
            Self::OfferBacklog => "a host asked while too many offers were being held back",
            Self::DiscoveryRateLimited => "more discovery packets than the limit allows",
            Self::PadtUnknownSession => "a host ended a session that does not exist",
            Self::PadtWrongPeer => "a host tried to end the session of another",
            Self::BadSessionCode => "a session frame whose code is not 0",
            Self::UnknownSession => "a session frame for a session that does not exist",
            Self::WrongPeer => "a host sent a frame into the session of another",
            Self::ShortPayload => "a session frame too short for a PPP protocol number",
            Self::ModemNotConnected => "the host spoke before its modem had connected",
            Self::ModemBacklog => "the line to the modem is slower than what the host sends",
            Self::ModemQueueDelay => "tells a sender that the line to the modem is full; normal in an upload",
            Self::SessionEnded => "still waited for the modem when the session ended; normal",
            Self::MalformedLcp => "an LCP packet that could not be read, before or after the link",
            Self::LinkTerminating => "LCP that came while its link was being ended; normal",
            Self::BadFcs => "damaged on the serial line",
            Self::Aborted => "the modem gave a frame up in the middle",
            Self::ShortFrame => "too short for a PPP frame; noise or modem text",
            Self::OversizedFrame => "longer than any PPP frame we take; noise or a lost flag",
            Self::BadAddressOrControl => "not a PPP frame, though its check sequence is right",
            Self::BadProtocolField => "not a PPP protocol number",
            Self::StrayLcp => "the modem answered an LCP packet that nobody had sent, or answered twice",
            Self::NoSession => "the modem sent a frame while no session was open",
            Self::ExceedsMtu => "longer than the Ethernet carries; the far end ignores the MRU",
            Self::InterfaceBacklog => "the Ethernet interface took no more frames",
            Self::InterfaceDown => "the Ethernet interface was down or gone",
        }
    }
}

impl fmt::Display for DiscardReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_list_is_complete_and_in_order() {
        for (index, reason) in DiscardReason::ALL.into_iter().enumerate() {
            assert_eq!(reason.index(), index);
        }
        assert_eq!(DiscardReason::InterfaceDown.index() + 1, DiscardReason::ALL.len());
    }

    #[test]
    fn names_differ() {
        let names: BTreeSet<_> = DiscardReason::ALL.map(DiscardReason::name).into_iter().collect();
        assert_eq!(names.len(), DiscardReason::ALL.len());
    }
}

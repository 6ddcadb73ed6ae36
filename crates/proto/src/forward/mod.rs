//! The per-frame path: look up, check, hand on.
//!
//! It promises to decide nothing and to keep nothing: no allocation, no clock, no event, no lock. What is
//! not to be forwarded comes back as a [`DiscardReason`] for the caller to count; LCP is handed to the
//! control plane. The caller keeps the [`SessionTable`] as the control plane's outputs say.
//!
//! ```text
//!   Ethernet ─▶ host_to_modem ─▶ ToModem::Data ─▶ framer ─▶ tty
//!                           └──▶ ToModem::Lcp  ─▶ Bridge (mediator)
//!        tty ─▶ deframer ─▶ modem_to_host ─▶ ToHost::Data ─▶ Ethernet
//!                                       └──▶ ToHost::Lcp  ─▶ Bridge (mediator)
//! ```

mod session_table;

pub use session_table::{Route, SessionTable};

use crate::discard::DiscardReason;
use crate::id::{InterfaceId, ModemId};
use crate::wire::ethernet::MacAddr;
use crate::wire::session::{SessionFrame, SessionHeader};

/// Where a PPP frame from a host goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToModem<'a> {
    /// To this modem's framer. The frame begins with its protocol field.
    Data {
        /// The modem of the session.
        modem: ModemId,
        /// Protocol field and information.
        ppp: &'a [u8],
    },
    /// To the control plane: the LCP of this modem's session.
    Lcp {
        /// The modem of the session.
        modem: ModemId,
        /// Protocol field (c021) and LCP packet.
        ppp: &'a [u8],
    },
}

/// Where a PPP frame from a modem goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToHost<'a> {
    /// To the host of this session, behind this header.
    Data {
        /// The interface of the session.
        interface: InterfaceId,
        /// Ethernet and PPPoE header, made once; only LENGTH is new.
        header: &'a SessionHeader,
    },
    /// To the control plane.
    Lcp,
}

/// Whether a PPP frame is LCP, which only the control plane handles.
#[must_use]
pub fn is_lcp(ppp: &[u8]) -> bool {
    ppp.starts_with(&[0xc0, 0x21])
}

/// Finds the way of an Ethernet frame with ethertype 0x8864 that `interface` received.
///
/// RFC 2516 §4: a session is known by the peer's address and `SESSION_ID` together, so a frame with the
/// right id from another host is not of that session.
///
/// # Errors
/// The reason for which the frame is to be dropped.
pub fn host_to_modem<'a>(
    interface: InterfaceId,
    frame: &'a [u8],
    table: &SessionTable,
) -> Result<ToModem<'a>, DiscardReason> {
    let frame = SessionFrame::parse(frame)?;
    let Some(route) = table.by_session(frame.session_id) else {
        return Err(DiscardReason::UnknownSession);
    };
    if route.peer != frame.source || route.interface != interface {
        return Err(DiscardReason::WrongPeer);
    }
    if route.local != frame.destination {
        return Err(DiscardReason::NotForUs);
    }
    // A PPP frame has at least its protocol field (RFC 1661 §2).
    if frame.payload.len() < 2 {
        return Err(DiscardReason::ShortPayload);
    }
    let (modem, ppp) = (route.modem, frame.payload);
    if is_lcp(ppp) {
        return Ok(ToModem::Lcp { modem, ppp });
    }
    if !route.connected {
        return Err(DiscardReason::ModemNotConnected);
    }
    Ok(ToModem::Data { modem, ppp })
}

/// Finds the way of a PPP frame of `ppp` that `modem` received.
///
/// # Errors
/// The reason for which the frame is to be dropped.
pub fn modem_to_host<'a>(
    modem: ModemId,
    ppp: &[u8],
    table: &'a SessionTable,
) -> Result<ToHost<'a>, DiscardReason> {
    let Some(route) = table.by_modem(modem) else {
        // A far end that asks before its host is there has to be remembered: it asks only so often.
        return if is_lcp(ppp) { Ok(ToHost::Lcp) } else { Err(DiscardReason::NoSession) };
    };
    // RFC 2516 §7: what the Ethernet cannot carry must not be put on it; it is never truncated.
    if ppp.len() > usize::from(route.largest_payload()) {
        return Err(DiscardReason::ExceedsMtu);
    }
    if is_lcp(ppp) {
        return Ok(ToHost::Lcp);
    }
    Ok(ToHost::Data { interface: route.interface, header: route.header() })
}

/// Whether `source` may be answered when it sends a frame for a session that nobody has.
#[must_use]
pub fn stray_sender(frame: &[u8], local: MacAddr) -> Option<(MacAddr, u16)> {
    let frame = SessionFrame::parse(frame).ok()?;
    (frame.destination == local && frame.source.is_unicast()).then_some((frame.source, frame.session_id))
}

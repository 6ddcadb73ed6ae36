//! Mediation between the two ends' LCP (RFC 1661; RFC 1662 §6-7; RFC 2516 §7).
//!
//! What is this? The bridge is an asynchronous-to-synchronous converter: escaping, the FCS and the address and
//! control field exist on the serial side only. Over PPPoE, an implementation "MUST NOT request" their options
//! "and MUST reject a request for such an option" (RFC 2516 §7), so two ends left alone would never agree on
//! them, and every control octet would stay escaped for ever. A [`Mediator`] stands between the ends of one session: it keeps from the host what
//! concerns the serial line only, asks the modem for what serves it, and mirrors each edit in the answer.
//! Both ends agree, and neither knows.
//!
//! ```text
//!    host                       Mediator                         modem
//!     |      <- Request 1 mru magic | Request 1 mru ACCM magic ACFC <-      |   shown less than was asked,
//!     |  Ack 1 mru magic ->         |         -> Ack 1 mru ACCM magic ACFC  |   answered what was asked
//!     |  Request 1 mru magic ->     |           -> Request 1 mru magic ACCM |   asked for more,
//!     |                             |                     Reject 1 ACCM <-  |
//!     |                             |                -> Request 2 mru magic |   asked again, a fresh identifier
//!     |         <- Ack 1 mru magic  |                 Ack 2 mru magic <-    |
//! ```
//!
//! It promises to be pure, to hold no more than the newest request of either end, and never to make a link
//! worse than it was: what it cannot read passes as it came, and where the modem will not have what the bridge
//! adds, it ends up asking just what the host asked.
//!
//! The caller must hand it every LCP frame of the session and no other, carry out all outputs after each call
//! in their order, and send LCP packets with the codes 1 to 7 framed with the defaults, whatever was agreed
//! ([`is_sent_with_defaults`](crate::wire::lcp::is_sent_with_defaults)).

use alloc::vec::Vec;

use crate::hdlc::accm::Accm;

pub use mediator::Mediator;

mod additions;
mod mediator;
mod originated;
mod request;
#[cfg(test)]
mod tests;

/// One end of the link, seen from the bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The PPPoE host.
    Host,
    /// The modem, or what it is connected to.
    Modem,
}

impl Side {
    /// The end at the other side of the bridge.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Host => Self::Modem,
            Self::Modem => Self::Host,
        }
    }
}

/// How much a [`Mediator`] does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MediatorMode {
    /// Edits the negotiation so that either end sees only what concerns it.
    #[default]
    Mediate,
    /// Learns by watching and changes nothing. Two ends that agree on FCS-Alternatives in this mode break
    /// their link, for the bridge speaks the 16-bit FCS only.
    Transparent,
}

/// What a [`Mediator`] is to do, fixed for the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediatorConfig {
    /// How much it does.
    pub mode: MediatorMode,
    /// Whether the modem's Protocol-Field-Compression is kept from the host (RFC 2516 §7: NOT RECOMMENDED).
    pub strip_pfc: bool,
    /// The control octets that the modem must escape toward us: those that flow control takes from the line.
    pub request_accm: Accm,
    /// Whether the modem is asked to leave out the address and control field.
    pub request_acfc: bool,
    /// Whether the modem is asked to compress the protocol field.
    pub request_pfc: bool,
    /// Information octets of the longest frame that the Ethernet carries: 1492, or what was agreed by RFC 4638.
    pub max_information: u16,
}

impl Default for MediatorConfig {
    fn default() -> Self {
        Self {
            mode: MediatorMode::Mediate,
            strip_pfc: true,
            request_accm: Accm::NONE,
            request_acfc: true,
            request_pfc: true,
            max_information: 1492,
        }
    }
}

/// How frames are to be put on the serial line and taken from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineParameters {
    /// The control octets to escape toward the modem.
    pub send_accm: Accm,
    /// The control octets that the modem escapes, so that bare ones are noise.
    pub receive_accm: Accm,
    /// Whether the address and control field may be left out toward the modem.
    pub send_acfc: bool,
    /// Whether the protocol field may be compressed toward the modem.
    pub send_pfc: bool,
}

impl Default for LineParameters {
    /// What holds before anything was agreed (RFC 1662 §7.1).
    fn default() -> Self {
        Self { send_accm: Accm::ALL, receive_accm: Accm::ALL, send_acfc: false, send_pfc: false }
    }
}

impl LineParameters {
    /// With nothing agreed toward the modem.
    const fn with_default_send(self) -> Self {
        Self { send_accm: Accm::ALL, send_acfc: false, send_pfc: false, ..self }
    }
}

/// What the caller is to do, or to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediatorOutput {
    /// Send this PPP frame to the host.
    ToHost(Vec<u8>),
    /// Send this PPP frame to the modem.
    ToModem(Vec<u8>),
    /// Use these parameters from here on.
    ///
    /// What the modem acknowledged comes before the frame that says so, for the octets behind that frame are
    /// already escaped by the new map. What the host acknowledged comes after it, for the modem must read
    /// the acknowledgement before it can follow.
    Line(LineParameters),
    /// Each end has acknowledged the other's request.
    Opened,
    /// An open link is being negotiated again.
    Renegotiating {
        /// Who began it.
        by: Side,
    },
    /// An end has asked to terminate the link (RFC 1661 §5.5).
    Terminating {
        /// Who asked.
        by: Side,
    },
    /// The other end has agreed to terminate. Keep passing LCP for a restart time (RFC 1661 §3.7).
    Closed,
    /// An end has answered [`Mediator::echo_request`].
    EchoReplied {
        /// Who answered.
        by: Side,
    },
    /// An answer to a request that counts no more was dropped: under the identifiers that the host knows it
    /// would have answered another.
    Stray {
        /// Who sent it.
        from: Side,
    },
    /// An LCP packet could not be read, and passed as it came.
    Malformed {
        /// Who sent it.
        from: Side,
    },
}

//! What happened, typed: the core reports, it never logs.
//!
//! Each event is one line of the log; the daemon has the one table that says which words and which level.

mod reasons;

pub use reasons::{CloseReason, ConnectFailure, OpenFailure, OpenProblem, RefusalReason, SessionLimit};

use crate::chat::ChatLine;
use crate::discard::DiscardReason;
use crate::discovery::ServiceName;
use crate::id::{InterfaceId, ModemId};
use crate::lcp::LineParameters;
use crate::modem::{ModemState, RescueStep};
use crate::wire::discovery::SessionId;
use crate::wire::ethernet::MacAddr;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

/// A host as seen by us: an address on an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    /// Where it is.
    pub interface: InterfaceId,
    /// Who it is.
    pub mac: MacAddr,
}

/// Which way a PPP frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the PPPoE host toward the serial line.
    HostToModem,
    /// From the serial line toward the PPPoE host.
    ModemToHost,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A discovery packet was dropped.
    Discarded {
        /// From where.
        interface: InterfaceId,
        /// From whom, where that could be read.
        source: Option<MacAddr>,
        /// Why.
        reason: DiscardReason,
    },
    /// An LCP packet was dropped.
    DiscardedLcp {
        /// The modem of its session.
        modem: ModemId,
        /// Why.
        reason: DiscardReason,
    },
    /// A PADI was answered by a PADO.
    Offered(Peer),
    /// A PADI was not answered: what it asked for is not ours, or cannot be had now. Told for each such PADI, of
    /// which a host sends one every few seconds for as long as it likes.
    NotOffered {
        /// Who asked.
        peer: Peer,
        /// For what; of several that would have done, the first.
        service: ServiceName,
        /// Why not.
        reason: RefusalReason,
    },
    /// A PADR was refused.
    Refused {
        /// Whose it was.
        peer: Peer,
        /// Why.
        reason: RefusalReason,
    },
    /// A modem is called for a host.
    CallStarted {
        /// The modem.
        modem: ModemId,
        /// For whom.
        peer: Peer,
    },
    /// A line of the conversation with a modem.
    Chat {
        /// The modem.
        modem: ModemId,
        /// What was said, with secrets left out.
        line: ChatLine,
    },
    /// What a script wants people to see: SAY and REPORT. Not ECHO, which would show secrets.
    Said {
        /// The modem.
        modem: ModemId,
        /// As it came: whoever prints it makes control characters harmless.
        words: String,
    },
    /// A modem is connected.
    Connected {
        /// The modem.
        modem: ModemId,
        /// Since the call was started.
        took: Duration,
    },
    /// A modem that may have been stuck was checked.
    Rescued {
        /// The modem.
        modem: ModemId,
        /// What helped; `None` if nothing did.
        by: Option<RescueStep>,
    },
    /// The external program that was to free a modem failed.
    RescueCommandFailed {
        /// The modem.
        modem: ModemId,
        /// Why.
        why: String,
    },
    /// A modem could not be connected.
    ConnectFailed {
        /// The modem.
        modem: ModemId,
        /// Why.
        failure: ConnectFailure,
    },
    /// A PADS opened a session.
    SessionOpened {
        /// Its number.
        session_id: SessionId,
        /// The host.
        peer: Peer,
        /// The modem.
        modem: ModemId,
        /// Whether the modem was still dialing: the host could wait no longer.
        early: bool,
    },
    /// LCP is open at both ends.
    LinkOpened {
        /// The modem.
        modem: ModemId,
    },
    /// What is escaped and compressed on the serial line has changed.
    LineChanged {
        /// The modem.
        modem: ModemId,
        /// From now on.
        line: LineParameters,
    },
    /// An LCP packet passed, as it was received.
    Lcp {
        /// The modem.
        modem: ModemId,
        /// Where it came from.
        direction: Direction,
        /// The PPP frame.
        ppp: Vec<u8>,
    },
    /// An LCP packet was malformed; it was passed on as it came.
    MalformedLcp {
        /// The modem.
        modem: ModemId,
    },
    /// A session is closed.
    SessionClosed {
        /// Its number.
        session_id: SessionId,
        /// The host.
        peer: Peer,
        /// The modem.
        modem: ModemId,
        /// Why.
        reason: CloseReason,
        /// How long it was open.
        lasted: Duration,
    },
    /// A call is ending.
    CallEnded {
        /// The modem.
        modem: ModemId,
        /// Why.
        reason: CloseReason,
    },
    /// A modem is in another state.
    ModemState {
        /// The modem.
        modem: ModemId,
        /// From now on.
        state: ModemState,
    },
    /// A modem rests after a failed dial.
    BackingOff {
        /// The modem.
        modem: ModemId,
        /// For how long.
        wait: Duration,
    },
    /// A host that still sent frames for a session nobody has was told by a PADT.
    StrayAnswered(Peer),
}

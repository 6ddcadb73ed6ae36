//! What happened, typed: the core reports, it never logs.
//!
//! Each event is one line of the log; the daemon has the one table that says which words and which level.

use crate::chat::{ChatLine, ConversationError, FailureKind};
use crate::discard::DiscardReason;
use crate::id::{InterfaceId, ModemId};
use crate::lcp::LineParameters;
use crate::modem::{BudgetLimit, ModemState, RescueStep};
use crate::wire::discovery::SessionId;
use crate::wire::ethernet::MacAddr;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
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

/// Why a call or a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The host sent a PADT.
    HostPadt,
    /// The host ended the link by LCP.
    HostTerminated,
    /// The far end ended the link by LCP.
    ModemTerminated,
    /// The modem said NO CARRIER.
    NoCarrier,
    /// The carrier detect line dropped.
    CarrierLost,
    /// The device is gone, or reading and writing it failed.
    DeviceLost(String),
    /// The dial failed.
    DialFailed(ConnectFailure),
    /// The same host began anew.
    HostRestarted,
    /// The modem was connected but no host came for it.
    NobodyCame,
    /// Every modem was in use, and another host took the place of this one.
    Replaced,
    /// The host no longer answers.
    HostDead,
    /// The far end never spoke PPP.
    NoLink,
    /// No data passed for too long.
    Idle,
    /// The modem may not be used any longer.
    BudgetSpent(BudgetLimit),
    /// An operator wanted it.
    Disconnected,
    /// The Ethernet interface went down.
    InterfaceDown,
    /// The Ethernet interface is no longer served.
    InterfaceRemoved,
    /// The configuration of its modem or service was changed.
    Reconfigured,
    /// The program ends.
    Shutdown,
}

impl CloseReason {
    /// Whether a session that ends so, and soon, is one that its host had for nothing: not where the modem or
    /// the bridge gave up before there was a connection.
    #[must_use]
    pub const fn counts_against_host(&self) -> bool {
        match self {
            Self::HostPadt
            | Self::HostTerminated
            | Self::ModemTerminated
            | Self::NoCarrier
            | Self::CarrierLost
            | Self::HostDead
            | Self::Idle => true,
            Self::DeviceLost(_)
            | Self::NoLink
            | Self::DialFailed(_)
            | Self::HostRestarted
            | Self::NobodyCame
            | Self::BudgetSpent(_)
            | Self::Disconnected
            | Self::InterfaceDown
            | Self::InterfaceRemoved
            | Self::Reconfigured
            | Self::Replaced
            | Self::Shutdown => false,
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostPadt => f.write_str("the host ended the session"),
            Self::HostTerminated => f.write_str("the host ended the PPP link"),
            Self::ModemTerminated => f.write_str("the far end ended the PPP link"),
            Self::NoCarrier => f.write_str("the modem said NO CARRIER"),
            Self::CarrierLost => f.write_str("the carrier was lost"),
            Self::DeviceLost(why) => write!(f, "lost the modem: {why}"),
            Self::DialFailed(failure) => write!(f, "the dial failed: {failure}"),
            Self::HostRestarted => f.write_str("the same host began a new session"),
            Self::NobodyCame => f.write_str("no host came for the connected modem"),
            Self::Replaced => f.write_str("another host took its place"),
            Self::HostDead => f.write_str("the host no longer answers"),
            Self::NoLink => f.write_str("the far end never spoke PPP"),
            Self::Idle => f.write_str("no data passed for too long"),
            Self::BudgetSpent(limit) => limit.fmt(f),
            Self::Disconnected => f.write_str("an operator ended it"),
            Self::InterfaceDown => f.write_str("the Ethernet interface went down"),
            Self::InterfaceRemoved => f.write_str("the Ethernet interface is no longer served"),
            Self::Reconfigured => f.write_str("the configuration was changed"),
            Self::Shutdown => f.write_str("the bridge is shutting down"),
        }
    }
}

/// Why a modem could not be connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectFailure {
    /// Its device could not be opened.
    Open(String),
    /// The chat script failed.
    Script(ConversationError),
    /// The external program failed.
    Command(String),
    /// The device was lost meanwhile.
    DeviceLost(String),
    /// It connected, but the far end never spoke PPP.
    NoLink,
}

impl ConnectFailure {
    /// Whether the modem did not answer at all, as one does that is stuck.
    #[must_use]
    pub const fn is_silence(&self) -> bool {
        match self {
            Self::Script(error) => {
                matches!(error.kind, FailureKind::TimedOut { .. } | FailureKind::SendTimedOut { .. })
            }
            Self::Open(_) | Self::Command(_) | Self::DeviceLost(_) | Self::NoLink => false,
        }
    }
}

impl fmt::Display for ConnectFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(why) | Self::Command(why) => f.write_str(why),
            Self::DeviceLost(why) => write!(f, "lost the modem: {why}"),
            Self::Script(error) => write!(f, "{error}"),
            Self::NoLink => f.write_str("the far end never spoke PPP"),
        }
    }
}

/// Why a host's request was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusalReason {
    /// No such service.
    UnknownService,
    /// There is, but not for this host.
    NotAllowed,
    /// There are as many sessions as there may be: in all, or of this host, interface or service.
    LimitReached,
    /// Every modem of the service serves another host.
    AllBusy,
    /// No modem of the service is there.
    NoModem,
    /// The last dial failed and it is too early for the next.
    BackingOff {
        /// What had failed.
        failure: ConnectFailure,
        /// How long until the next try.
        wait: Duration,
    },
    /// The modem may not be used for now.
    BudgetSpent {
        /// What is used up.
        limit: BudgetLimit,
        /// How long until it may be used again.
        wait: Duration,
    },
    /// This host had too many short sessions in a row.
    LockedOut {
        /// How long until it may have another.
        wait: Duration,
    },
    /// The dial that this request was waiting for failed.
    DialFailed(ConnectFailure),
    /// An operator wants no new calls for the service.
    Drained,
    /// The configuration of the modem that this request was waiting for was changed.
    Reconfigured,
    /// The program ends.
    ShuttingDown,
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownService => f.write_str("no such service here"),
            Self::NotAllowed => f.write_str("this service is not for this host"),
            Self::LimitReached => f.write_str("there are as many sessions as there may be"),
            Self::AllBusy => f.write_str("every modem of this service is in use"),
            Self::NoModem => f.write_str("the modem of this service is not plugged in"),
            Self::BackingOff { failure, wait } => {
                write!(f, "next dial in {} s, the last one failed: {failure}", wait.as_secs().max(1))
            }
            Self::BudgetSpent { limit, wait } => write!(f, "{limit}, wait {} s", wait.as_secs().max(1)),
            Self::LockedOut { wait } => {
                write!(f, "too many short sessions in a row, wait {} s", wait.as_secs().max(1))
            }
            Self::DialFailed(failure) => write!(f, "the dial failed: {failure}"),
            Self::Drained => f.write_str("this service takes no new calls for now"),
            Self::Reconfigured => f.write_str("the configuration was changed, ask again"),
            Self::ShuttingDown => f.write_str("the bridge is shutting down"),
        }
    }
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

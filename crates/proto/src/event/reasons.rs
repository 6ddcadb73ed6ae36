//! Why hosts are refused, dials fail and calls end, each in two tellings.
//!
//! `Display` tells the operator all that is known: for the log, and for whoever tries a modem alone. `brief` tells what
//! may be told to anybody, a host on the Ethernet included: in a word or two, without paths, processes, and what a
//! modem has said. A refusal is always for a host, so it has only that one.

use crate::chat::{ConversationError, FailureKind};
use crate::modem::BudgetLimit;
use crate::notation::span;
use alloc::string::String;
use core::fmt;
use core::time::Duration;

const MODEM_LOST: &str = "the modem was lost";
const NO_LINK: &str = "the far end never spoke PPP";

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

impl CloseReason {
    /// What may be told to anybody.
    pub fn brief(&self) -> impl fmt::Display + '_ {
        fmt::from_fn(|f| match self {
            Self::DeviceLost(_) => f.write_str(MODEM_LOST),
            Self::DialFailed(failure) => write!(f, "the dial failed: {}", failure.brief()),
            Self::HostPadt
            | Self::HostTerminated
            | Self::ModemTerminated
            | Self::NoCarrier
            | Self::CarrierLost
            | Self::HostRestarted
            | Self::NobodyCame
            | Self::Replaced
            | Self::HostDead
            | Self::NoLink
            | Self::Idle
            | Self::BudgetSpent(_)
            | Self::Disconnected
            | Self::InterfaceDown
            | Self::InterfaceRemoved
            | Self::Reconfigured
            | Self::Shutdown => fmt::Display::fmt(self, f),
        })
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
            Self::NoLink => f.write_str(NO_LINK),
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
    Open(OpenFailure),
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

impl ConnectFailure {
    /// What may be told to anybody.
    pub fn brief(&self) -> impl fmt::Display + '_ {
        fmt::from_fn(|f| match self {
            Self::Open(failure) => write!(f, "{}", failure.problem),
            Self::Script(error) => write!(f, "{}", error.brief()),
            Self::Command(_) => f.write_str("the program that dials has failed"),
            Self::DeviceLost(_) => f.write_str(MODEM_LOST),
            Self::NoLink => f.write_str(NO_LINK),
        })
    }
}

impl fmt::Display for ConnectFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(failure) => f.write_str(&failure.detail),
            Self::Command(why) => f.write_str(why),
            Self::DeviceLost(why) => write!(f, "lost the modem: {why}"),
            Self::Script(error) => write!(f, "{error}"),
            Self::NoLink => f.write_str(NO_LINK),
        }
    }
}

/// Why the device of a modem could not be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFailure {
    /// In a word.
    pub problem: OpenProblem,
    /// With all that the system says about it.
    pub detail: String,
}

/// What is wrong with a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenProblem {
    /// Another program has it.
    InUse,
    /// It is not there.
    Missing,
    /// It may not be opened.
    Forbidden,
    /// Anything else.
    Unfit,
}

impl fmt::Display for OpenProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InUse => "another program uses the modem",
            Self::Missing => "the modem is not plugged in",
            Self::Forbidden => "the bridge may not open the modem",
            Self::Unfit => "the modem cannot be opened",
        })
    }
}

/// Why a host's request was refused, or why it is offered nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusalReason {
    /// No such service.
    UnknownService,
    /// There is, but not for this host.
    NotAllowed,
    /// There are as many sessions as there may be.
    LimitReached(SessionLimit),
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

/// Which number of sessions is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionLimit {
    /// That of the whole bridge.
    All,
    /// That of one host.
    Peer,
    /// That of the service.
    Service,
    /// That of the interface.
    Interface,
}

impl fmt::Display for SessionLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "there are as many sessions as there may be",
            Self::Peer => "this host has as many sessions as it may have",
            Self::Service => "this service has as many sessions as it may have",
            Self::Interface => "this interface has as many sessions as it may have",
        })
    }
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownService => f.write_str("no such service here"),
            Self::NotAllowed => f.write_str("this service is not for this host"),
            Self::LimitReached(limit) => limit.fmt(f),
            Self::AllBusy => f.write_str("every modem of this service is in use"),
            Self::NoModem => f.write_str("the modem of this service is not plugged in"),
            Self::BackingOff { failure, wait } => {
                let failure = failure.brief();
                write!(f, "next dial in {}, the last one failed: {failure}", span_of(*wait))
            }
            Self::BudgetSpent { limit, wait } => write!(f, "{limit}, wait {}", span_of(*wait)),
            Self::LockedOut { wait } => {
                write!(f, "too many short sessions in a row, wait {}", span_of(*wait))
            }
            Self::DialFailed(failure) => write!(f, "the dial failed: {}", failure.brief()),
            Self::Drained => f.write_str("this service takes no new calls for now"),
            Self::Reconfigured => f.write_str("the configuration was changed, ask again"),
            Self::ShuttingDown => f.write_str("the bridge is shutting down"),
        }
    }
}

/// Nobody waits for no time.
fn span_of(wait: Duration) -> impl fmt::Display {
    span(wait.as_secs().max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Position, StepPlace};
    use std::string::ToString;

    fn script(kind: FailureKind, last_received: &str) -> ConnectFailure {
        let step = StepPlace { number: 5, position: Position { line: 11, column: 1 } };
        ConnectFailure::Script(ConversationError { step, kind, last_received: last_received.into() })
    }

    fn timed_out(last_received: &str) -> ConnectFailure {
        let limit = Duration::from_secs(60);
        script(FailureKind::TimedOut { expected: "CONNECT".into(), limit }, last_received)
    }

    fn aborted() -> ConnectFailure {
        let (text, expected) = ("NO CARRIER".into(), "CONNECT".into());
        script(FailureKind::Aborted { text, index: 1, expected }, "^M^JNO CARRIER")
    }

    fn locked() -> ConnectFailure {
        let detail = "cannot lock /dev/ttyUSB0: in use by process 2569 (pppd)".into();
        ConnectFailure::Open(OpenFailure { problem: OpenProblem::InUse, detail })
    }

    #[test]
    fn a_failure_is_told_in_a_word_to_anybody_and_in_full_to_the_operator() {
        let full = "step 5 of the chat script: expected \"CONNECT\", but \"NO CARRIER\" came (ABORT string 2); \
            last received: \"^M^JNO CARRIER\"";
        let lost = ConnectFailure::DeviceLost("read /dev/ttyUSB0: Input/output error".into());
        for (failure, brief, in_full) in [
            (aborted(), "NO CARRIER", full),
            (
                timed_out("garbage"),
                "no CONNECT within 60 s",
                "step 5 of the chat script: expected \"CONNECT\", which did not come within 60 s; \
                    last received: \"garbage\"",
            ),
            (
                timed_out(""),
                "the modem said nothing for 60 s",
                "step 5 of the chat script: expected \"CONNECT\", which did not come within 60 s; nothing came",
            ),
            (
                locked(),
                "another program uses the modem",
                "cannot lock /dev/ttyUSB0: in use by process 2569 (pppd)",
            ),
            (lost, "the modem was lost", "lost the modem: read /dev/ttyUSB0: Input/output error"),
            (
                ConnectFailure::Command("exit status 3: /run/secret: no".into()),
                "the program that dials has failed",
                "exit status 3: /run/secret: no",
            ),
        ] {
            assert_eq!((failure.brief().to_string(), failure.to_string()), (brief.into(), in_full.into()));
        }
    }

    #[test]
    fn a_long_string_of_a_script_is_told_in_part() {
        let failure =
            script(FailureKind::Aborted { text: "é".repeat(200), index: 0, expected: String::new() }, "");
        assert_eq!(failure.brief().to_string(), "é".repeat(40));
    }

    #[test]
    fn what_hosts_are_told_has_no_paths_processes_or_words_of_a_modem() {
        let wait = Duration::from_secs(12);
        let refusal = RefusalReason::BackingOff { failure: aborted(), wait };
        assert_eq!(refusal.to_string(), "next dial in 12 s, the last one failed: NO CARRIER");
        let refusal = RefusalReason::DialFailed(locked());
        assert_eq!(refusal.to_string(), "the dial failed: another program uses the modem");
        let closed = CloseReason::DialFailed(locked());
        assert_eq!(closed.brief().to_string(), "the dial failed: another program uses the modem");
        let closed = CloseReason::DeviceLost("read /dev/ttyUSB0: gone".into());
        assert_eq!(closed.brief().to_string(), "the modem was lost");
        assert_eq!(closed.to_string(), "lost the modem: read /dev/ttyUSB0: gone");
        assert_eq!(CloseReason::Idle.brief().to_string(), CloseReason::Idle.to_string());
    }
}

//! One modem's life: which state it is in, what may follow, and when a failed one may be tried again.
//!
//! It promises that a state is only ever left along an edge of the picture below. The caller (the
//! `bridge` room) tells it what happened and carries out what the new state asks for.
//!
//! ```text
//!            appeared          called             opened             connected
//!   ┌────────┐──────▶┌────────┐──────▶┌─────────┐────────▶┌─────────┐──────────▶┌────────┐
//!   │ Absent │       │  Idle  │       │ Opening │         │ Dialing │           │ Online │
//!   └────────┘       └────────┘       └─────────┘         └─────────┘           └────────┘
//!       ▲              │ ▲ ▲ ▲          │     │ abandoned     │ failed,             │ ending
//!       │ vanished,    │ │ │ │          │     │               │ abandoned           ▼
//!       │ from every   │ │ │ │          │     ▼               ▼              ┌─────────────┐
//!       │ state        │ │ │ │          │   ┌───────────────────┐◀───────────│ Terminating │
//!                      │ │ │ └──────────┼───│     HangingUp     │    ended   └─────────────┘
//!             must rest│ │ │   hung up  │   └───────────────────┘
//!                      │ │ │            │ failed     │ must rest
//!                      ▼ │ │ elapsed    ▼            │
//!                   ┌──────┴──────────────┐          │
//!                   │     BackingOff      │◀─────────┘
//!                   └─────────────────────┘
//! ```
//!
//! The same edge by edge, which a test compares with the code:
//!
//! ```text
//! Absent -Appeared-> Idle
//! Absent -Vanished-> Absent
//! Idle -Vanished-> Absent
//! Idle -Called-> Opening
//! Idle -MustRest-> BackingOff
//! Opening -Vanished-> Absent
//! Opening -Opened-> Dialing
//! Opening -Failed-> BackingOff
//! Opening -Abandoned-> HangingUp
//! Dialing -Vanished-> Absent
//! Dialing -Connected-> Online
//! Dialing -Failed-> HangingUp
//! Dialing -Abandoned-> HangingUp
//! Online -Vanished-> Absent
//! Online -Ending-> Terminating
//! Terminating -Vanished-> Absent
//! Terminating -Ended-> HangingUp
//! HangingUp -Vanished-> Absent
//! HangingUp -HungUp-> Idle
//! HangingUp -MustRest-> BackingOff
//! BackingOff -Vanished-> Absent
//! BackingOff -Elapsed-> Idle
//! ```

mod backoff;
mod budget;
mod rescue;

pub use backoff::{Backoff, BackoffConfig};
pub use budget::{Budget, BudgetConfig, BudgetLimit, BudgetSpent};
pub use rescue::{ESCAPE_AND_HANG_UP, RescueStep};

use core::fmt;

/// Where a modem is in its life; the picture is in the module's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModemState {
    /// Its device is not there.
    Absent,
    /// There, closed, and free for a call.
    Idle,
    /// Its device is being opened and made ready for a call.
    Opening,
    /// The chat script, or the external program, is at work.
    Dialing,
    /// Connected: PPP frames may pass.
    Online,
    /// Both ends of the link are being told that it ends.
    Terminating,
    /// On hook, until the modem has surely noticed.
    HangingUp,
    /// The last dial failed; not to be tried again for a while.
    BackingOff,
}

/// What can happen to a modem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModemTrigger {
    /// Its device is there again.
    Appeared,
    /// Its device is gone.
    Vanished,
    /// A peer wants it.
    Called,
    /// Its device is open.
    Opened,
    /// The far end answered.
    Connected,
    /// It could not be opened, or the dial failed.
    Failed,
    /// Nobody wants the call any more.
    Abandoned,
    /// The call is to end, and the ends of the link can still be told.
    Ending,
    /// Nothing is left to be told.
    Ended,
    /// It has been on hook for long enough.
    HungUp,
    /// The wait after a failure is not over yet.
    MustRest,
    /// The wait after a failure is over.
    Elapsed,
}

impl ModemState {
    /// All states, in the order of a call.
    pub const ALL: [Self; 8] = [
        Self::Absent,
        Self::Idle,
        Self::Opening,
        Self::Dialing,
        Self::Online,
        Self::Terminating,
        Self::HangingUp,
        Self::BackingOff,
    ];

    /// The state after `trigger`, or `None` where the picture has no such edge.
    #[must_use]
    pub const fn after(self, trigger: ModemTrigger) -> Option<Self> {
        use ModemTrigger as On;
        match (self, trigger) {
            (_, On::Vanished) => Some(Self::Absent),
            (Self::Absent, On::Appeared)
            | (Self::HangingUp, On::HungUp)
            | (Self::BackingOff, On::Elapsed) => Some(Self::Idle),
            (Self::Idle, On::Called) => Some(Self::Opening),
            (Self::Opening, On::Opened) => Some(Self::Dialing),
            (Self::Dialing, On::Connected) => Some(Self::Online),
            (Self::Online, On::Ending) => Some(Self::Terminating),
            (Self::Opening, On::Failed) | (Self::Idle | Self::HangingUp, On::MustRest) => {
                Some(Self::BackingOff)
            }
            (Self::Dialing, On::Failed | On::Abandoned)
            | (Self::Opening, On::Abandoned)
            | (Self::Terminating, On::Ended) => Some(Self::HangingUp),
            _ => None,
        }
    }

    /// Whether the device is open in this state.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Absent | Self::Idle | Self::Opening | Self::BackingOff => false,
            Self::Dialing | Self::Online | Self::Terminating | Self::HangingUp => true,
        }
    }
}

impl ModemTrigger {
    /// All triggers.
    pub const ALL: [Self; 12] = [
        Self::Appeared,
        Self::Vanished,
        Self::Called,
        Self::Opened,
        Self::Connected,
        Self::Failed,
        Self::Abandoned,
        Self::Ending,
        Self::Ended,
        Self::HungUp,
        Self::MustRest,
        Self::Elapsed,
    ];
}

impl fmt::Display for ModemState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Absent => "absent",
            Self::Idle => "idle",
            Self::Opening => "opening",
            Self::Dialing => "dialing",
            Self::Online => "online",
            Self::Terminating => "terminating",
            Self::HangingUp => "hanging up",
            Self::BackingOff => "backing off",
        })
    }
}

/// What a modem says, instead of frames, when its call is over.
const CALL_IS_OVER: [&[u8]; 2] = [b"NO CARRIER", b"DISCONNECTED"];

/// What a [`NoCarrierListener`] makes of the octets since the last FLAG.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCarrier {
    /// They do not say that the call is over.
    NotSaid,
    /// They say it.
    Said,
    /// They end with a line that says it, but a frame could have such a line in it: it is meant if nothing
    /// follows.
    SaidIfQuiet,
}

/// Listens for a modem that says that its call is over.
///
/// A modem says it on a line of its own: between two frames, behind the text of its CONNECT, or, where the
/// call ended under load, in the middle of a frame that will never end. Each octet is looked at once, however
/// many reads a line without FLAG comes in.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCarrierListener {
    /// The frame in which it listens.
    frame: u32,
    /// So many octets of it are in lines that have ended.
    heard: usize,
    /// One of these lines has something in it.
    has_line: bool,
    /// The newest that has says that the call is over.
    says_it: bool,
}

impl NoCarrierListener {
    /// Takes all `octets` since the last FLAG, which are those of before and more as long as `frame` is the same number.
    /// `is_unframed` tells that there was no FLAG yet, so that they began as text.
    pub fn hear(&mut self, frame: u32, octets: &[u8], is_unframed: bool) -> NoCarrier {
        let is_line_end = |octet: &u8| matches!(octet, b'\r' | b'\n');
        // A line counts when it has ended.
        if !octets.last().is_some_and(is_line_end) {
            return NoCarrier::NotSaid;
        }
        if self.frame != frame {
            *self = Self { frame, ..Self::default() };
        }
        let new = octets.get(self.heard..).unwrap_or_default();
        self.heard = octets.len();
        let mut is_said = false;
        for line in new.split(is_line_end).filter(|line| !line.is_empty()) {
            self.says_it = CALL_IS_OVER.contains(&line);
            is_said |= self.says_it && (is_unframed || !self.has_line);
            self.has_line = true;
        }
        match (is_said, self.says_it) {
            (true, _) => NoCarrier::Said,
            (false, true) => NoCarrier::SaidIfQuiet,
            (false, false) => NoCarrier::NotSaid,
        }
    }
}

#[cfg(test)]
mod tests;

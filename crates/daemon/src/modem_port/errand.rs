//! What a tty's driver may keep a program waiting for: those of USB modems ask the modem, and wait 5 s for one that has
//! died. So it is done beside the loop, for each modem one thing after the other.

use bridge_linux::OsError;
use bridge_linux::serial_port::{ControlLines, SerialPort, SerialSettings};
use bridge_proto::time::Instant;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Something to be done with a tty.
#[derive(Debug)]
pub(crate) enum Errand {
    /// Open it and drain what it still had to say from another time.
    Open(PathBuf, SerialSettings),
    /// Drop DTR.
    HangUp(ControlLines),
    /// Raise it again.
    RaiseDtr(ControlLines),
    /// Begin or end a break.
    SetBreak(ControlLines, bool),
    /// Close it, if it was open.
    Close(Option<SerialPort>),
}

/// What came of an [`Errand`].
#[derive(Debug)]
pub(crate) enum Done {
    /// Of [`Errand::Open`].
    Opened(Result<SerialPort, OsError>),
    /// Of those about lines: what it was, and what came of it.
    Moved(&'static str, io::Result<()>),
    /// Of [`Errand::Close`].
    Closed,
}

impl Done {
    /// What was done, for people.
    pub(crate) const fn words(&self) -> &'static str {
        match self {
            Self::Opened(_) => OPEN,
            Self::Moved(what, _) => what,
            Self::Closed => CLOSE,
        }
    }
}

const OPEN: &str = "open it";
const CLOSE: &str = "close it";

impl Errand {
    /// What is to be done, for people.
    pub(crate) const fn words(&self) -> &'static str {
        match self {
            Self::Open(..) => OPEN,
            Self::HangUp(_) => "drop DTR",
            Self::RaiseDtr(_) => "raise DTR",
            Self::SetBreak(..) => "send a break",
            Self::Close(_) => CLOSE,
        }
    }

    /// Does it, for as long as it takes.
    pub(crate) fn run(self) -> Done {
        let what = self.words();
        let moved = |moved: io::Result<bool>| Done::Moved(what, moved.map(drop));
        match self {
            Self::Open(device, settings) => Done::Opened(open(&device, &settings)),
            Self::HangUp(lines) => moved(lines.hang_up()),
            Self::RaiseDtr(lines) => moved(lines.set_dtr(true)),
            Self::SetBreak(lines, on) => moved(lines.set_break(on)),
            Self::Close(port) => {
                drop(port);
                Done::Closed
            }
        }
    }
}

/// Opens a modem's tty and drains what it still had to say from another time.
///
/// # Errors
/// Why it could not be opened.
pub(crate) fn open(device: &Path, settings: &SerialSettings) -> Result<SerialPort, OsError> {
    let mut port = SerialPort::open(device, settings)?;
    port.drain_input().map_err(|error| {
        OsError::new("drain", device.display().to_string(), io::Error::other(error.to_string()))
    })?;
    Ok(port)
}

/// The errands of one modem, in their order. There are few at any time: closing makes those before it needless.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    under_way: Option<UnderWay>,
    later: VecDeque<Errand>,
}

#[derive(Debug)]
struct UnderWay {
    what: &'static str,
    since: Instant,
    is_told: bool,
}

impl Agenda {
    pub(super) fn is_empty(&self) -> bool {
        self.under_way.is_none() && self.later.is_empty()
    }

    pub(super) fn add(&mut self, errand: Errand) {
        self.later.push_back(errand);
    }

    /// Closes the tty, or what comes of an errand that opens it, before anything else that is still to be done.
    pub(super) fn close(&mut self, port: Option<SerialPort>) {
        let waiting = self.later.drain(..).find_map(|errand| match errand {
            Errand::Close(port) => port,
            _ => None,
        });
        self.later.push_back(Errand::Close(port.or(waiting)));
    }

    /// Nobody wants it open any more; one that is being opened is closed later.
    pub(super) fn forget_open(&mut self) {
        self.later.retain(|errand| !matches!(errand, Errand::Open(..)));
    }

    /// Whether the tty is to be closed next.
    pub(super) fn is_closing(&self) -> bool {
        matches!(self.later.front(), Some(Errand::Close(_)))
    }

    /// Whether the tty is to be opened next.
    pub(super) fn is_opening(&self) -> bool {
        matches!(self.later.front(), Some(Errand::Open(..)))
    }

    /// A tty was opened: it is handed back, unless it is to be closed already.
    pub(super) fn close_late(&mut self, opened: SerialPort) -> Option<SerialPort> {
        match self.later.front_mut() {
            Some(Errand::Close(port)) => {
                *port = Some(opened);
                None
            }
            _ => Some(opened),
        }
    }

    /// The next errand, unless one is under way.
    pub(super) fn begin(&mut self, now: Instant) -> Option<Errand> {
        if self.under_way.is_some() {
            return None;
        }
        let next = self.later.pop_front()?;
        self.under_way = Some(UnderWay { what: next.words(), since: now, is_told: false });
        Some(next)
    }

    /// The one under way is done. How long it has taken.
    pub(super) fn end(&mut self, now: Instant) -> Duration {
        self.under_way.take().map_or(Duration::ZERO, |errand| now - errand.since)
    }

    /// What has been under way for at least so long; told once.
    pub(super) fn take_late(&mut self, now: Instant, limit: Duration) -> Option<&'static str> {
        let late = self.under_way.as_mut().filter(|errand| !errand.is_told && now - errand.since >= limit)?;
        late.is_told = true;
        Some(late.what)
    }
}

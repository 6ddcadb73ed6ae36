//! The modem's port and Ctrl-C, and waiting for either.

use bridge_linux::OsError;
use bridge_linux::clock::monotonic_micros;
use bridge_linux::poller::{Events, Interest, Poller, Token};
use bridge_linux::serial_port::{SerialPort, SerialSettings};
use bridge_linux::signals::{Signal, SignalSet};
use bridge_linux::system::read_without_waiting;
use bridge_proto::time::Instant;
use std::collections::VecDeque;
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

const MODEM: Token = Token(0);
const SIGNALS: Token = Token(1);
const OTHER: Token = Token(2);

/// A break lasts as long as tcsendbreak(3) makes it.
const BREAK: Duration = Duration::from_millis(250);
/// chat(8) reads no more of a file that a script names.
const MAX_FILE_OCTETS: u64 = 1023;

pub(super) fn now() -> Instant {
    Instant::from_micros(monotonic_micros())
}

/// Why a wait ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Woken {
    /// The modem said this.
    Octets(Vec<u8>),
    /// It is time.
    Time,
    /// Somebody pressed Ctrl-C, or wants the program to end.
    Interrupted,
    /// What was watched besides is ready, or nothing of note has happened.
    Other,
}

/// A modem's port.
#[derive(Debug)]
pub(super) struct Port {
    port: SerialPort,
    poller: Poller,
    signals: SignalSet,
    to_send: VecDeque<u8>,
    interest: Interest,
}

impl Port {
    pub(super) fn open(device: &Path, settings: &SerialSettings) -> Result<Self, OsError> {
        let signals = SignalSet::open()?;
        let mut port = SerialPort::open(device, settings)?;
        // Whatever is wrong with the line is met again at the first read.
        let _ = port.drain_input();
        let poller = Poller::new()?;
        let watched = |cause| OsError::new("watch", device.display().to_string(), cause);
        poller.add(&port, MODEM, Interest::READABLE).map_err(watched)?;
        poller.add(&signals, SIGNALS, Interest::READABLE).map_err(watched)?;
        Ok(Self { port, poller, signals, to_send: VecDeque::new(), interest: Interest::READABLE })
    }

    /// Watches something else beside the modem.
    pub(super) fn watch(&self, source: impl AsFd) -> Result<(), String> {
        self.poller.add(source, OTHER, Interest::READABLE).map_err(|error| error.to_string())
    }

    pub(super) fn unwatch(&self, source: impl AsFd) {
        let _ = self.poller.remove(source);
    }

    /// Sends octets, some of them perhaps during the next [`Port::wait`].
    pub(super) fn send(&mut self, octets: &[u8]) {
        self.to_send.extend(octets);
    }

    pub(super) fn send_break(&mut self) {
        let _ = self.flush();
        if self.port.control_lines().set_break(true).is_ok() {
            std::thread::sleep(BREAK);
            let _ = self.port.control_lines().set_break(false);
        }
    }

    /// Whether there is a DTR to drop, and then drops it.
    pub(super) fn drop_dtr(&mut self) -> std::io::Result<bool> {
        self.to_send.clear();
        self.port.control_lines().hang_up()
    }

    /// Lets a modem listen again, after DTR was low.
    pub(super) fn raise_dtr(&mut self) {
        let _ = self.port.control_lines().set_dtr(true);
    }

    pub(super) fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }

    fn flush(&mut self) -> Result<(), String> {
        while !self.to_send.is_empty() {
            let (octets, _) = self.to_send.as_slices();
            match self.port.write(octets) {
                Ok(0) => break,
                Ok(written) => drop(self.to_send.drain(..written)),
                Err(error) => return Err(error.to_string()),
            }
        }
        let wanted = if self.to_send.is_empty() { Interest::READABLE } else { Interest::BOTH };
        if wanted != self.interest && self.poller.modify(&self.port, MODEM, wanted).is_ok() {
            self.interest = wanted;
        }
        Ok(())
    }

    /// Sends what is to be sent and waits until something happens, or until `due`.
    pub(super) fn wait(&mut self, due: Option<Instant>) -> Result<Woken, String> {
        self.flush()?;
        let mut events = Events::with_capacity(4);
        let timeout = due.map(|due| due - now());
        self.poller.wait(&mut events, timeout).map_err(|error| error.to_string())?;
        if let Ok(Some(Signal::Interrupt | Signal::Terminate | Signal::HangUp)) = self.signals.receive() {
            return Ok(Woken::Interrupted);
        }
        if events.iter().any(|event| event.token == MODEM && (event.readable || event.hung_up)) {
            let mut octets = vec![0; 1024];
            let len = self.port.read(&mut octets).map_err(|error| error.to_string())?;
            octets.truncate(len);
            return Ok(if len == 0 { Woken::Other } else { Woken::Octets(octets) });
        }
        let is_time = due.is_some_and(|due| due <= now());
        Ok(if is_time && events.is_empty() { Woken::Time } else { Woken::Other })
    }
}

/// Reads a file that a script names, at once or not at all.
pub(super) fn read_file(name: &[u8]) -> Result<Vec<u8>, String> {
    let path = Path::new(OsStr::from_bytes(name));
    read_without_waiting(path, MAX_FILE_OCTETS).map_err(|error| format!("{}: {error}", path.display()))
}

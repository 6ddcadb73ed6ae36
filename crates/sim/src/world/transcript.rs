//! What happened in a story, in order, for people and for tests.

use std::fmt;

use bridge_proto::event::{Direction, Event};
use bridge_proto::notation::describe;
use bridge_proto::time::Instant;

use crate::host::HostEvent;
use crate::modem::ModemEvent;
use crate::pppoe::{ETHERTYPE_SESSION, PADI, PADO, PADR, PADS, PADT, Packet};

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// The story's author.
    Author,
    /// The host of this number.
    Host(usize),
    /// The bridge.
    Bridge,
    /// The modem of this number.
    Modem(usize),
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Something the author did, in words.
    Act(String),
    /// A host reports.
    Host(HostEvent),
    /// A modem reports.
    Modem(ModemEvent),
    /// The bridge reports.
    Event(Event),
    /// This Ethernet frame was sent: discovery only.
    Discovery(Vec<u8>),
    /// The bridge sent LCP of its own or an end's.
    Lcp {
        /// To whom.
        direction: Direction,
        /// Of which modem's session.
        modem: usize,
        /// The PPP frame.
        ppp: Vec<u8>,
    },
    /// A modem's device was opened.
    Opened(usize),
    /// A modem was taken off the line.
    HungUp(usize),
    /// DTR was raised again after that.
    DtrRaised(usize),
    /// A modem's device was closed.
    Closed(usize),
}

/// One line of a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Instant,
    /// Who.
    pub who: Who,
    /// What.
    pub what: What,
}

impl Entry {
    /// The event of the bridge that this is, if it is one.
    #[must_use]
    pub fn event(&self) -> Option<&Event> {
        match &self.what {
            What::Event(event) => Some(event),
            _ => None,
        }
    }

    /// The event of the host numbered `host` that this is, if it is one.
    #[must_use]
    pub fn host(&self, host: usize) -> Option<&HostEvent> {
        match &self.what {
            What::Host(event) if self.who == Who::Host(host) => Some(event),
            _ => None,
        }
    }

    /// The event of the modem numbered `modem` that this is, if it is one.
    #[must_use]
    pub fn modem(&self, modem: usize) -> Option<&ModemEvent> {
        match &self.what {
            What::Modem(event) if self.who == Who::Modem(modem) => Some(event),
            _ => None,
        }
    }

    /// The discovery packet that the bridge sent, if this is one.
    #[must_use]
    pub fn answer(&self) -> Option<Packet<'_>> {
        self.discovery().filter(|_| self.who == Who::Bridge)
    }

    /// The discovery packet that somebody sent, if this is one.
    #[must_use]
    pub fn discovery(&self) -> Option<Packet<'_>> {
        match &self.what {
            What::Discovery(frame) => Packet::parse(frame),
            _ => None,
        }
    }

    /// The LCP that was sent in this direction, if this is that.
    #[must_use]
    pub fn lcp(&self, toward: Direction) -> Option<&[u8]> {
        match &self.what {
            What::Lcp { direction, ppp, .. } if *direction == toward => Some(ppp),
            _ => None,
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Author => f.pad("--"),
            Self::Host(number) => f.pad(&format!("host {number}")),
            Self::Bridge => f.pad("bridge"),
            Self::Modem(number) => f.pad(&format!("modem {number}")),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Act(words) => f.write_str(words),
            Self::Host(event) => write!(f, "{event:?}"),
            Self::Modem(event) => write!(f, "{event:?}"),
            Self::Event(Event::Lcp { direction, ppp, .. }) => {
                let from = match direction {
                    Direction::HostToModem => "host",
                    Direction::ModemToHost => "modem",
                };
                write!(f, "hears from the {from} {}", describe(ppp))
            }
            Self::Event(Event::Chat { line, .. }) => write!(f, "chat: {line}"),
            Self::Event(event) => write!(f, "{event:?}"),
            Self::Discovery(frame) => f.write_str(&name(frame)),
            Self::Lcp { direction, modem, ppp } => {
                let to = match direction {
                    Direction::HostToModem => "modem",
                    Direction::ModemToHost => "the host of modem",
                };
                write!(f, "says to {to} {modem} {}", describe(ppp))
            }
            Self::Opened(modem) => write!(f, "opens modem {modem}"),
            Self::HungUp(modem) => write!(f, "hangs modem {modem} up"),
            Self::DtrRaised(modem) => write!(f, "raises DTR of modem {modem}"),
            Self::Closed(modem) => write!(f, "closes modem {modem}"),
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.at.as_micros();
        write!(f, "{:>5}.{:06} {:8} {}", micros / 1_000_000, micros % 1_000_000, self.who, self.what)
    }
}

/// A frame by its packet's name, as in `PADS 0x1234 to 02:00:00:00:00:01`.
fn name(frame: &[u8]) -> String {
    let Some(packet) = Packet::parse(frame) else { return format!("{} octets of noise", frame.len()) };
    let kind = match (packet.ethertype, packet.code) {
        (ETHERTYPE_SESSION, _) => "session frame".to_owned(),
        (_, PADI) => "PADI".to_owned(),
        (_, PADO) => "PADO".to_owned(),
        (_, PADR) => "PADR".to_owned(),
        (_, PADS) => "PADS".to_owned(),
        (_, PADT) => "PADT".to_owned(),
        (_, code) => format!("code {code:#04x}"),
    };
    format!("{kind} {:#06x} from {} to {}", packet.session_id, packet.source, packet.destination)
}

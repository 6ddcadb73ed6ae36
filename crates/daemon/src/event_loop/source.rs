//! What a readiness is about, as the poller's tokens say it.

use bridge_linux::poller::Token;
use bridge_proto::id::{InterfaceId, ModemId};

/// What a readiness is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Signals,
    Interfaces,
    Devices,
    Discovery(InterfaceId),
    Session(InterfaceId),
    Modem(ModemId),
    CommandEnd(ModemId),
    CommandWords(ModemId),
    /// By its process number.
    StoppedCommand(u32),
    Control,
    Errands,
}

pub(super) fn token(source: Source) -> Token {
    let (kind, number) = match source {
        Source::Signals => (0, 0),
        Source::Interfaces => (1, 0),
        Source::Discovery(InterfaceId(number)) => (2, number.into()),
        Source::Session(InterfaceId(number)) => (3, number.into()),
        Source::Modem(ModemId(number)) => (4, number.into()),
        Source::CommandEnd(ModemId(number)) => (5, number.into()),
        Source::CommandWords(ModemId(number)) => (6, number.into()),
        Source::Devices => (7, 0),
        Source::Control => (8, 0),
        Source::StoppedCommand(pid) => (9, pid),
        Source::Errands => (10, 0),
    };
    Token(kind << 32 | u64::from(number))
}

pub(super) fn source(token: Token) -> Option<Source> {
    let number = (token.0 & 0xffff) as u16;
    Some(match token.0 >> 32 {
        0 => Source::Signals,
        1 => Source::Interfaces,
        2 => Source::Discovery(InterfaceId(number)),
        3 => Source::Session(InterfaceId(number)),
        4 => Source::Modem(ModemId(number)),
        5 => Source::CommandEnd(ModemId(number)),
        6 => Source::CommandWords(ModemId(number)),
        7 => Source::Devices,
        8 => Source::Control,
        9 => Source::StoppedCommand(token.0 as u32),
        10 => Source::Errands,
        _ => return None,
    })
}

//! The newest Configure-Request of one end, as it was asked and as the other end was shown it.

use alloc::vec::Vec;

use crate::hdlc::accm::Accm;
use crate::wire::lcp::{LcpCode, LcpOption, LcpOptionType, LcpOptions, LcpPacket};

/// A Configure-Request on its way through the bridge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// The identifier under which it came.
    pub(super) identifier: u8,
    /// The options that came; checked.
    pub(super) asked: Vec<u8>,
    /// The identifier under which it was passed on.
    pub(super) shown_identifier: u8,
    /// The options that were passed on; checked.
    pub(super) shown: Vec<u8>,
}

impl Request {
    /// The request as it came.
    pub(super) fn as_asked(&self) -> LcpPacket<'_> {
        LcpPacket { code: LcpCode::CONFIGURE_REQUEST, identifier: self.identifier, data: &self.asked }
    }

    /// The request as it was passed on.
    pub(super) fn as_shown(&self) -> LcpPacket<'_> {
        LcpPacket { code: LcpCode::CONFIGURE_REQUEST, identifier: self.shown_identifier, data: &self.shown }
    }

    pub(super) fn asked_option(&self, kind: LcpOptionType) -> Option<LcpOption<'_>> {
        LcpOptions::parse(&self.asked).ok()?.find(kind)
    }

    pub(super) fn shown_option(&self, kind: LcpOptionType) -> Option<LcpOption<'_>> {
        LcpOptions::parse(&self.shown).ok()?.find(kind)
    }
}

/// What one end asks of the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Direction {
    /// The newest request; none before the first, and after one that cannot be followed.
    pub(super) newest: Option<Request>,
    /// Whether the newest request has been acknowledged.
    pub(super) is_acked: bool,
    /// The Magic-Number last acknowledged, or 0.
    pub(super) magic: u32,
}

impl Direction {
    /// Takes `request` as the newest. Returns false for a repetition, which changes nothing: its answer
    /// will be the same, and the end that repeats it may yet accept the answer to the first.
    pub(super) fn replace(&mut self, request: Request) -> bool {
        if self.newest.as_ref() == Some(&request) {
            return false;
        }
        self.newest = Some(request);
        self.is_acked = false;
        true
    }

    /// Forgets the newest request: answers to it mean nothing any more.
    pub(super) fn forget(&mut self) {
        self.newest = None;
        self.is_acked = false;
    }

    /// The newest request, if `packet` answers it.
    pub(super) fn answered_by(&self, packet: &LcpPacket<'_>) -> Option<&Request> {
        self.newest.as_ref().filter(|request| request.shown_identifier == packet.identifier)
    }
}

/// The options of `options` that `is_wanted`, as they were sent.
pub(super) fn select(options: &LcpOptions<'_>, is_wanted: impl Fn(&LcpOption<'_>) -> bool) -> Vec<u8> {
    let mut selected = Vec::with_capacity(options.as_octets().len());
    options.iter().filter(is_wanted).for_each(|option| option.emit(&mut selected));
    selected
}

/// The map that `options` ask for. Should there be several, none of them may be offended.
pub(super) fn accm(options: &[u8]) -> Accm {
    let Ok(options) = LcpOptions::parse(options) else { return Accm::ALL };
    let maps = options.iter().filter(|option| option.kind == LcpOptionType::ACCM);
    Accm(maps.filter_map(|option| option.as_u32()).reduce(|all, map| all | map).unwrap_or(Accm::ALL.0))
}

/// Whether `options` ask for something that has no value, such as PFC.
pub(super) fn names(options: &[u8], kind: LcpOptionType) -> bool {
    LcpOptions::parse(options).is_ok_and(|options| options.find(kind).is_some())
}

/// The Magic-Number in `options`, or 0.
pub(super) fn magic(options: &[u8]) -> u32 {
    let option = LcpOptions::parse(options).ok().and_then(|options| options.find(LcpOptionType::MAGIC));
    option.and_then(|option| option.as_u32()).unwrap_or(0)
}

//! What the bridge asks of the modem in the host's name, and what it has learned the modem will not have.

use alloc::vec::Vec;

use super::MediatorConfig;
use super::request::Request;
use crate::hdlc::accm::Accm;
use crate::wire::lcp::{DEFAULT_MRU, LcpOption, LcpOptionType, LcpOptions};

/// The options that the bridge adds to the host's requests, or makes smaller (RFC 1661 §6; RFC 1662 §7).
///
/// Answers only ever move it toward asking less or what the modem itself suggested, so the same answer twice
/// has the effect of one.
#[derive(Clone, Debug)]
pub(super) struct Additions {
    config: MediatorConfig,
    /// What to ask where the host asks nothing, or more than the Ethernet carries; none once refused.
    mru: Option<u16>,
    /// None once refused.
    accm: Option<u32>,
    acfc: Wish,
    pfc: Wish,
}

/// Whether an option without a value is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    /// The operator does not want it, but if the modem does, so be it: we can read both.
    Indifferent,
    Wanted,
    /// The modem will not have it.
    Refused,
}

impl Wish {
    fn of(wanted: bool) -> Self {
        if wanted { Self::Wanted } else { Self::Indifferent }
    }

    /// After a Configure-Nak that named the option.
    fn after_nak(self, asked: bool) -> Self {
        match self {
            Self::Indifferent | Self::Wanted if !asked => Self::Wanted,
            Self::Indifferent | Self::Wanted | Self::Refused => Self::Refused,
        }
    }
}

/// The smallest MRU the bridge will take up from a modem's suggestion: what IPv4 needs (RFC 791 §3.2).
const SMALLEST_MRU: u16 = 68;

/// The most octets of options for which a request still fits a default MRU, header and all.
const MAX_OPTIONS_OCTETS: usize = DEFAULT_MRU as usize - 4;

impl Additions {
    pub(super) fn new(config: MediatorConfig) -> Self {
        Self {
            config,
            mru: Some(config.max_information),
            accm: Some(config.request_accm.0),
            acfc: Wish::of(config.request_acfc),
            pfc: Wish::of(config.request_pfc),
        }
    }

    /// What to ask of the modem when the host asks `options`.
    pub(super) fn apply(&self, options: &LcpOptions<'_>) -> Vec<u8> {
        let mut asked = Vec::with_capacity(options.as_octets().len() + 14);
        for option in options.iter() {
            match (option.kind, option.as_u16(), self.mru) {
                (LcpOptionType::MRU, Some(mru), Some(ours)) if mru > self.config.max_information => {
                    emit(&mut asked, LcpOptionType::MRU, &ours.to_be_bytes());
                }
                _ => option.emit(&mut asked),
            }
        }
        let missing = |kind| options.find(kind).is_none();
        if let Some(mru) = self.mru
            && mru < DEFAULT_MRU
            && missing(LcpOptionType::MRU)
        {
            emit(&mut asked, LcpOptionType::MRU, &mru.to_be_bytes());
        }
        if let Some(accm) = self.accm
            && accm != Accm::ALL.0
            && missing(LcpOptionType::ACCM)
        {
            emit(&mut asked, LcpOptionType::ACCM, &accm.to_be_bytes());
        }
        if self.pfc == Wish::Wanted && missing(LcpOptionType::PFC) {
            emit(&mut asked, LcpOptionType::PFC, &[]);
        }
        if self.acfc == Wish::Wanted && missing(LcpOptionType::ACFC) {
            emit(&mut asked, LcpOptionType::ACFC, &[]);
        }
        if asked.len() > MAX_OPTIONS_OCTETS { options.as_octets().to_vec() } else { asked }
    }

    /// Takes what a Configure-Nak says of our options; returns what it says of the host's.
    ///
    /// A Nak may name options that were not asked for (RFC 1661 §5.3). Those that concern the serial line are
    /// for us, all others for the host.
    pub(super) fn on_nak(&mut self, request: &Request, nak: &LcpOptions<'_>) -> Vec<u8> {
        let mut for_host = Vec::new();
        for option in nak.iter() {
            let asked = request.shown_option(option.kind);
            match option.kind {
                LcpOptionType::MRU => {
                    if self.is_mru_for_host(request, option) {
                        option.emit(&mut for_host);
                    }
                }
                LcpOptionType::ACCM => self.accm = self.next_accm(asked, option),
                LcpOptionType::PFC if request.asked_option(option.kind).is_some() => {
                    option.emit(&mut for_host);
                }
                LcpOptionType::PFC => self.pfc = self.pfc.after_nak(asked.is_some()),
                LcpOptionType::ACFC => self.acfc = self.acfc.after_nak(asked.is_some()),
                // We speak the default FCS only, so this wish cannot be granted.
                LcpOptionType::FCS_ALTERNATIVES => {}
                _ => option.emit(&mut for_host),
            }
        }
        for_host
    }

    /// Takes what a Configure-Reject says of our options; returns what it says of the host's, as it sent them.
    pub(super) fn on_reject(&mut self, request: &Request, reject: &LcpOptions<'_>) -> Vec<u8> {
        let mut for_host = Vec::new();
        for option in reject.iter() {
            let host_asked = request.asked_option(option.kind);
            match (option.kind, host_asked) {
                // The MRU may have been made smaller; the host must find what it sent (RFC 1661 §5.4).
                (LcpOptionType::MRU, Some(as_sent)) => as_sent.emit(&mut for_host),
                (LcpOptionType::MRU, None) => self.mru = None,
                (LcpOptionType::PFC, Some(_)) => option.emit(&mut for_host),
                (LcpOptionType::PFC, None) => self.pfc = Wish::Refused,
                (LcpOptionType::ACCM, _) => self.accm = None,
                (LcpOptionType::ACFC, _) => self.acfc = Wish::Refused,
                _ => option.emit(&mut for_host),
            }
        }
        for_host
    }

    /// Whether a Nak of the MRU is the host's to answer; if not, it is answered here.
    fn is_mru_for_host(&mut self, request: &Request, suggested: LcpOption<'_>) -> bool {
        let by_host = request.asked_option(LcpOptionType::MRU).and_then(|option| option.as_u16());
        let shown = request.shown_option(LcpOptionType::MRU).and_then(|option| option.as_u16());
        let (Some(ours), Some(suggested)) = (shown, suggested.as_u16()) else { return true };
        match by_host {
            // Its own number, or one it can take up.
            Some(by_host) if by_host == ours || suggested <= self.config.max_information => true,
            // The modem insists on more than the Ethernet carries. Let the host have what it asks, as it
            // would without us: what does not fit is dropped and counted.
            Some(_) => {
                self.mru = None;
                false
            }
            None => {
                self.mru = Some(suggested).filter(|mru| (SMALLEST_MRU..ours).contains(mru));
                false
            }
        }
    }

    /// The map to ask for after a Nak: what we need and what the modem needs (RFC 1662 §7.1).
    fn next_accm(&self, asked: Option<LcpOption<'_>>, suggested: LcpOption<'_>) -> Option<u32> {
        let suggested = suggested.as_u32()?;
        match asked.and_then(|option| option.as_u32()) {
            Some(asked) => Some(asked | suggested).filter(|next| *next != asked),
            None => self.accm.map(|accm| accm | suggested),
        }
    }
}

fn emit(octets: &mut Vec<u8>, kind: LcpOptionType, value: &[u8]) {
    LcpOption { kind, value }.emit(octets);
}

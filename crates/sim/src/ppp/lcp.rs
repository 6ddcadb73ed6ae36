//! LCP's options: what an end wishes, what it rejects, what was agreed (RFC 1661 §6, RFC 1662 §7).

use super::negotiator::{OptionSet, Verdict};
use super::packet::{CHAP, ConfigOption, PAP};
use crate::hdlc::{DEFAULT_ACCM, Framing};
use crate::prng::Prng;

/// Maximum-Receive-Unit.
pub const MRU: u8 = 1;
/// Async-Control-Character-Map.
pub const ACCM: u8 = 2;
/// Authentication-Protocol.
pub const AUTH: u8 = 3;
/// Magic-Number.
pub const MAGIC: u8 = 5;
/// Protocol-Field-Compression.
pub const PFC: u8 = 7;
/// Address-and-Control-Field-Compression.
pub const ACFC: u8 = 8;
/// FCS-Alternatives.
pub const FCS: u8 = 9;

/// Information octets an end takes when nothing was said.
pub const DEFAULT_MRU: u16 = 1500;

/// How a peer shows who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthProtocol {
    /// Password Authentication Protocol (RFC 1334).
    Pap,
    /// CHAP with MD5 (RFC 1994).
    ChapMd5,
}

impl AuthProtocol {
    fn value(self) -> Vec<u8> {
        match self {
            Self::Pap => PAP.to_be_bytes().to_vec(),
            Self::ChapMd5 => [&CHAP.to_be_bytes()[..], &[5]].concat(),
        }
    }
}

/// One option of a Configure-Request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To receive no more than this many information octets.
    Mru(u16),
    /// To receive these control octets escaped.
    Accm(u32),
    /// That the peer shows who it is, by the first of these it accepts.
    Auth(&'static [AuthProtocol]),
    /// A random magic number, to notice loops.
    Magic,
    /// To receive one-octet protocol fields.
    Pfc,
    /// To receive frames without address and control fields.
    Acfc,
}

impl Wish {
    fn kind(self) -> u8 {
        match self {
            Self::Mru(_) => MRU,
            Self::Accm(_) => ACCM,
            Self::Auth(_) => AUTH,
            Self::Magic => MAGIC,
            Self::Pfc => PFC,
            Self::Acfc => ACFC,
        }
    }
}

/// What an end wishes and what it will not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LcpConfig {
    /// The options of the first Configure-Request, in this order.
    pub wishes: &'static [Wish],
    /// Option types rejected whatever they say. Unknown ones, and FCS-Alternatives, always are.
    pub rejects: &'static [u8],
    /// The peer's MRU is Nak'ed down to this.
    pub max_peer_mru: u16,
}

impl LcpConfig {
    /// A host behind PPPoE: RFC 2516 §7 forbids ACFC, FCS-Alternatives and ACCM, and advises against PFC.
    pub const PPPOE: Self = Self {
        wishes: &[Wish::Mru(1492), Wish::Magic],
        rejects: &[ACCM, PFC, ACFC, FCS],
        max_peer_mru: u16::MAX,
    };

    /// An end on a serial line that takes what it can get, as pppd does.
    pub const SERIAL: Self = Self {
        wishes: &[Wish::Accm(0), Wish::Magic, Wish::Pfc, Wish::Acfc],
        rejects: &[],
        max_peer_mru: u16::MAX,
    };
}

/// What one end asked for and the other acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Information octets the asker takes.
    pub mru: u16,
    /// Control octets to be escaped towards the asker.
    pub accm: u32,
    /// The asker's magic number; zero if it has none.
    pub magic: u32,
    /// Whether the asker takes one-octet protocol fields.
    pub pfc: bool,
    /// Whether the asker takes frames without address and control fields.
    pub acfc: bool,
    /// How the asker wants to be shown who the other end is.
    pub auth: Option<AuthProtocol>,
}

impl Agreed {
    /// What holds when nothing was agreed.
    pub const NOTHING: Self =
        Self { mru: DEFAULT_MRU, accm: DEFAULT_ACCM, magic: 0, pfc: false, acfc: false, auth: None };

    /// How frames towards the asker may be dressed.
    #[must_use]
    pub fn framing(&self) -> Framing {
        Framing { accm: self.accm, pfc: self.pfc, acfc: self.acfc }
    }
}

/// LCP's option set.
#[derive(Clone, Debug)]
pub struct LcpOptions {
    config: LcpConfig,
    knows_pap: bool,
    prng: Prng,
    magic: u32,
    wishes: Vec<Wish>,
    /// What the peer granted this end.
    pub ours: Agreed,
    /// What this end granted the peer.
    pub theirs: Agreed,
}

impl LcpOptions {
    /// Options as `config` has them; `knows_pap` says whether this end could show who it is.
    #[must_use]
    pub fn new(config: LcpConfig, knows_pap: bool, prng: Prng) -> Self {
        let mut options = Self {
            config,
            knows_pap,
            prng,
            magic: 0,
            wishes: Vec::new(),
            ours: Agreed::NOTHING,
            theirs: Agreed::NOTHING,
        };
        options.restart();
        options
    }

    fn option_of(&self, wish: Wish) -> ConfigOption {
        let value = match wish {
            Wish::Mru(mru) => mru.to_be_bytes().to_vec(),
            Wish::Accm(accm) => accm.to_be_bytes().to_vec(),
            Wish::Auth(protocols) => protocols.first().map(|first| first.value()).unwrap_or_default(),
            Wish::Magic => self.magic.to_be_bytes().to_vec(),
            Wish::Pfc | Wish::Acfc => Vec::new(),
        };
        ConfigOption { kind: wish.kind(), value }
    }

    fn draw_magic(&mut self) {
        self.magic = self.prng.next_u32() | 1;
    }

    fn is_rejected(&self, option: &ConfigOption) -> bool {
        let is_known = match option.kind {
            MRU => option.as_u16().is_some(),
            ACCM | MAGIC => option.as_u32().is_some(),
            AUTH => self.knows_pap && option.value.len() >= 2,
            PFC | ACFC => option.value.is_empty(),
            _ => false,
        };
        !is_known || self.config.rejects.contains(&option.kind)
    }

    /// The value this end would take instead, if it does not take `option`.
    fn counter(&mut self, option: &ConfigOption) -> Option<ConfigOption> {
        match option.kind {
            MRU if option.as_u16()? > self.config.max_peer_mru => {
                Some(ConfigOption::new(MRU, &self.config.max_peer_mru.to_be_bytes()))
            }
            AUTH if option.value != AuthProtocol::Pap.value() => {
                Some(ConfigOption::new(AUTH, &AuthProtocol::Pap.value()))
            }
            // Our own number came back: either a loop or the same draw twice (RFC 1661 §6.4).
            MAGIC if option.as_u32()? == self.magic && self.wishes.contains(&Wish::Magic) => {
                Some(ConfigOption::new(MAGIC, &self.prng.next_u32().to_be_bytes()))
            }
            _ => None,
        }
    }
}

impl OptionSet for LcpOptions {
    fn restart(&mut self) {
        self.draw_magic();
        self.wishes = self.config.wishes.to_vec();
        self.ours = Agreed::NOTHING;
        self.theirs = Agreed::NOTHING;
    }

    fn request(&self) -> Vec<ConfigOption> {
        self.wishes.iter().map(|wish| self.option_of(*wish)).collect()
    }

    fn judge(&mut self, options: &[ConfigOption]) -> Verdict {
        let rejected: Vec<_> = options.iter().filter(|option| self.is_rejected(option)).cloned().collect();
        if !rejected.is_empty() {
            return Verdict::Reject(rejected);
        }
        let proposed: Vec<_> = options.iter().filter_map(|option| self.counter(option)).collect();
        if !proposed.is_empty() {
            return Verdict::Nak(proposed);
        }
        self.theirs = Agreed::NOTHING;
        for option in options {
            match option.kind {
                MRU => self.theirs.mru = option.as_u16().unwrap_or(DEFAULT_MRU),
                ACCM => self.theirs.accm = option.as_u32().unwrap_or(DEFAULT_ACCM),
                AUTH => self.theirs.auth = Some(AuthProtocol::Pap),
                MAGIC => self.theirs.magic = option.as_u32().unwrap_or(0),
                PFC => self.theirs.pfc = true,
                ACFC => self.theirs.acfc = true,
                _ => {}
            }
        }
        Verdict::Ack
    }

    fn on_ack(&mut self) {
        self.ours = Agreed::NOTHING;
        for wish in &self.wishes {
            match *wish {
                Wish::Mru(mru) => self.ours.mru = mru,
                Wish::Accm(accm) => self.ours.accm = accm,
                Wish::Auth(protocols) => self.ours.auth = protocols.first().copied(),
                Wish::Magic => self.ours.magic = self.magic,
                Wish::Pfc => self.ours.pfc = true,
                Wish::Acfc => self.ours.acfc = true,
            }
        }
    }

    fn on_nak(&mut self, options: &[ConfigOption]) {
        for option in options {
            if option.kind == MAGIC {
                self.draw_magic();
            }
            for wish in &mut self.wishes {
                match wish {
                    Wish::Mru(mru) if option.kind == MRU => *mru = option.as_u16().unwrap_or(*mru).max(128),
                    // Octets the peer's line needs escaped are added to ours (RFC 1662 §7.1).
                    Wish::Accm(accm) if option.kind == ACCM => *accm |= option.as_u32().unwrap_or(0),
                    Wish::Auth(protocols) if option.kind == AUTH && protocols.len() > 1 => {
                        *protocols = &protocols[1..];
                    }
                    _ => {}
                }
            }
        }
    }

    fn on_reject(&mut self, options: &[ConfigOption]) {
        self.wishes.retain(|wish| options.iter().all(|option| option.kind != wish.kind()));
    }
}

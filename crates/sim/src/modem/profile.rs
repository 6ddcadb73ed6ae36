//! Real sticks and far ends: what their PPP asks for and how they behave.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::ppp::EndpointConfig;
use crate::ppp::ipcp::IpcpConfig;
use crate::ppp::lcp::{ACCM, ACFC, AUTH, AuthProtocol, LcpConfig, PFC, Wish};
use crate::ppp::negotiator::Patience;

/// One kind of modem with its far end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModemProfile {
    /// What it is called.
    pub name: &'static str,
    /// What its LCP asks for and rejects.
    pub lcp: LcpConfig,
    /// How long its LCP asks.
    pub patience: Patience,
    /// How often it gives name servers that are none before it gives real ones.
    pub bogus_naks: u8,
    /// Whether it says its own address in IPCP.
    pub says_address: bool,
    /// Whether it sends a Discard-Request as soon as LCP is up.
    pub discards_first: bool,
    /// Whether it drops unescaped control octets, to the letter of RFC 1662.
    pub is_strict: bool,
    /// From the dial command to its result.
    pub dial_time: Duration,
}

const CHAP_THEN_PAP: &[AuthProtocol] = &[AuthProtocol::ChapMd5, AuthProtocol::Pap];

/// A Huawei stick: everything asked for, six seconds between five requests, no address of its own, and name
/// servers that are none until the network has answered.
pub const HUAWEI: ModemProfile = ModemProfile {
    name: "Huawei",
    lcp: LcpConfig {
        wishes: &[
            Wish::Acfc,
            Wish::Pfc,
            Wish::Accm(0),
            Wish::Mru(1500),
            Wish::Magic,
            Wish::Auth(CHAP_THEN_PAP),
        ],
        rejects: &[],
        max_peer_mru: u16::MAX,
    },
    patience: Patience::every(Duration::from_secs(6), 5),
    bogus_naks: 2,
    says_address: false,
    discards_first: false,
    is_strict: false,
    dial_time: Duration::from_millis(300),
};

/// A Quectel EC20: rejects being asked who it is.
pub const QUECTEL: ModemProfile = ModemProfile {
    name: "Quectel",
    lcp: LcpConfig {
        wishes: &[Wish::Accm(0), Wish::Auth(CHAP_THEN_PAP), Wish::Magic, Wish::Pfc, Wish::Acfc],
        rejects: &[AUTH],
        max_peer_mru: u16::MAX,
    },
    patience: Patience::DEFAULT,
    bogus_naks: 0,
    says_address: true,
    discards_first: false,
    is_strict: false,
    dial_time: Duration::from_millis(500),
};

/// A stick that asks for CHAP alone, and greets with a Discard-Request.
pub const DISCARDING: ModemProfile = ModemProfile {
    name: "discarding stick",
    lcp: LcpConfig {
        wishes: &[Wish::Accm(0), Wish::Auth(&[AuthProtocol::ChapMd5]), Wish::Magic, Wish::Pfc, Wish::Acfc],
        rejects: &[],
        max_peer_mru: u16::MAX,
    },
    discards_first: true,
    ..QUECTEL
};

/// A GPRS module on a line with software flow control: XON and XOFF must stay escaped.
pub const GPRS: ModemProfile = ModemProfile {
    name: "GPRS module",
    lcp: LcpConfig {
        wishes: &[Wish::Accm(0x000a_0000), Wish::Pfc, Wish::Acfc],
        rejects: &[],
        max_peer_mru: u16::MAX,
    },
    patience: Patience::DEFAULT,
    bogus_naks: 0,
    says_address: true,
    discards_first: false,
    is_strict: false,
    dial_time: Duration::from_secs(2),
};

/// An analogue modem with pppd behind it: half a minute to dial, and to the letter of RFC 1662.
pub const STRICT_PPPD: ModemProfile = ModemProfile {
    name: "strict pppd",
    lcp: LcpConfig::SERIAL,
    patience: Patience::DEFAULT,
    bogus_naks: 0,
    says_address: true,
    discards_first: false,
    is_strict: true,
    dial_time: Duration::from_secs(30),
};

/// A far end that will have no compression and no map, and hears nothing unescaped.
pub const MINIMAL: ModemProfile = ModemProfile {
    name: "minimal",
    lcp: LcpConfig { wishes: &[], rejects: &[ACCM, PFC, ACFC], max_peer_mru: u16::MAX },
    patience: Patience::DEFAULT,
    bogus_naks: 0,
    says_address: true,
    discards_first: false,
    is_strict: true,
    dial_time: Duration::from_secs(1),
};

/// Every kind above.
pub const ALL: &[ModemProfile] = &[HUAWEI, QUECTEL, DISCARDING, GPRS, STRICT_PPPD, MINIMAL];

impl ModemProfile {
    /// The far end's PPP, at `local`, giving its caller the address `peer`.
    #[must_use]
    pub fn endpoint(&self, local: Ipv4Addr, peer: Ipv4Addr) -> EndpointConfig {
        let ipcp = IpcpConfig { bogus_naks: self.bogus_naks, ..IpcpConfig::gives(local, peer) };
        EndpointConfig {
            lcp: self.lcp,
            patience: self.patience,
            discards_first: self.discards_first,
            ipcp: Some(if self.says_address { ipcp } else { IpcpConfig { local: None, ..ipcp } }),
            ..EndpointConfig::far_end(local, peer)
        }
    }
}

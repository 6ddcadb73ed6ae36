//! How long hosts wait, and what they do next: a table of clients seen in the field.
//!
//! The numbers are those of the clients' own sources; where a client's doing depends on its configuration, its
//! default is meant.

use std::time::Duration;

use crate::ppp::endpoint::EchoConfig;
use crate::ppp::negotiator::Patience;

/// When a packet is sent and sent again, in seconds after the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// When it is sent; begins with 0.
    pub sends: &'static [u64],
    /// What follows.
    pub then: Then,
}

/// What follows the listed times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// No answer up to here is a failure.
    GiveUpAt(u64),
    /// Once more each so many seconds, for ever.
    Every(u64),
}

/// The next thing a [`Schedule`] has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Send again, this long after the first time.
    Send(Duration),
    /// Give up, this long after the first time.
    GiveUp(Duration),
}

impl Schedule {
    /// What comes after the packet was sent `sent` times.
    #[must_use]
    pub fn after(&self, sent: usize) -> Due {
        if let Some(at) = self.sends.get(sent) {
            return Due::Send(Duration::from_secs(*at));
        }
        match self.then {
            Then::GiveUpAt(at) => Due::GiveUp(Duration::from_secs(at)),
            Then::Every(every) => {
                let beyond = sent.saturating_sub(self.sends.len()) as u64 + 1;
                let last = self.sends.last().copied().unwrap_or(0);
                Due::Send(Duration::from_secs(last.saturating_add(every.saturating_mul(beyond))))
            }
        }
    }
}

/// What a client does when PADRs stay unanswered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnNoPads {
    /// It fails.
    Fail,
    /// It looks for an access concentrator again.
    BackToPadi,
}

/// What a client does when a PADS carries an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnPadsError {
    /// It fails.
    Fail,
    /// It sends the next PADR at once, and fails when it has sent as many as its schedule lists.
    PadrAtOnce,
    /// It looks for an access concentrator again.
    BackToPadi,
}

/// What a client does with a PADT for its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnPadt {
    /// The session is over.
    End,
    /// Nothing: only PPP can end it.
    Ignore,
}

/// What a client does with Host-Uniq.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostUniq {
    /// It sends none.
    None,
    /// It sends this many octets, and takes no answer without them.
    Checked(u8),
    /// It sends this many octets, and does not look at them in answers.
    Unchecked(u8),
}

/// One client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientProfile {
    /// What it is called.
    pub name: &'static str,
    /// Its PADIs.
    pub padi: Schedule,
    /// Its PADRs; a PADS later than its end is not heard.
    pub padr: Schedule,
    /// From the first PADI to the PADS, if it watches that.
    pub discovery_limit: Option<Duration>,
    /// What it does when PADRs stay unanswered.
    pub on_no_pads: OnNoPads,
    /// What it does when a PADS carries an error.
    pub on_pads_error: OnPadsError,
    /// What it does with a PADT.
    pub on_padt: OnPadt,
    /// How long after a failure or an end it starts anew, if it does.
    pub redial: Option<Duration>,
    /// How long after a PADT it starts anew, if differently.
    pub redial_after_padt: Option<Duration>,
    /// What it does with Host-Uniq.
    pub host_uniq: HostUniq,
    /// Whether its PADR repeats the AC-Name it was offered.
    pub returns_ac_name: bool,
    /// Whether it takes a PADS whatever it was waiting for.
    pub takes_any_pads: bool,
    /// How long its LCP asks.
    pub patience: Patience,
    /// How it watches its peer's life.
    pub echo: Option<EchoConfig>,
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn lcp(requests: u8, interval: u64) -> Patience {
    Patience::every(seconds(interval), requests)
}

/// pppd 2.4 and 2.5 with its PPPoE plugin, persistent with the usual pause of 30 s.
pub const PPPD: ClientProfile = ClientProfile {
    name: "pppd",
    padi: Schedule { sends: &[0, 5, 15], then: Then::GiveUpAt(35) },
    padr: Schedule { sends: &[0, 5, 15], then: Then::GiveUpAt(35) },
    discovery_limit: None,
    on_no_pads: OnNoPads::Fail,
    on_pads_error: OnPadsError::PadrAtOnce,
    on_padt: OnPadt::End,
    redial: Some(seconds(30)),
    // The kernel reports a hang-up, and pppd does not hold off after one.
    redial_after_padt: Some(seconds(0)),
    host_uniq: HostUniq::Checked(4),
    returns_ac_name: false,
    takes_any_pads: false,
    patience: lcp(10, 3),
    echo: None,
};

/// pppd as OpenWrt builds it: the wait does not double, netifd restarts it at once, and five seconds without a
/// frame end the session.
pub const OPENWRT: ClientProfile = ClientProfile {
    name: "OpenWrt pppd",
    padi: Schedule { sends: &[0, 5, 10], then: Then::GiveUpAt(15) },
    padr: Schedule { sends: &[0, 5, 10], then: Then::GiveUpAt(15) },
    redial: Some(seconds(0)),
    echo: Some(EchoConfig { interval: seconds(1), failures: 5, adaptive: true }),
    ..PPPD
};

/// rp-pppoe 4.0, persistent.
pub const RP_PPPOE: ClientProfile = ClientProfile {
    name: "rp-pppoe",
    on_no_pads: OnNoPads::BackToPadi,
    on_pads_error: OnPadsError::Fail,
    ..PPPD
};

/// NetworkManager: pppd, killed unless a session stands 30 s after it was started.
pub const NETWORK_MANAGER: ClientProfile =
    ClientProfile { name: "NetworkManager", discovery_limit: Some(seconds(30)), ..PPPD };

/// mpd5, and with it pfSense and OPNsense: the kernel's discovery, cut off after 9 s.
pub const MPD5: ClientProfile = ClientProfile {
    name: "mpd5",
    padi: Schedule { sends: &[0, 2, 6], then: Then::GiveUpAt(9) },
    padr: Schedule { sends: &[0, 2, 6], then: Then::GiveUpAt(9) },
    discovery_limit: Some(seconds(9)),
    on_pads_error: OnPadsError::BackToPadi,
    redial: Some(seconds(1)),
    redial_after_padt: Some(seconds(1)),
    returns_ac_name: true,
    host_uniq: HostUniq::Checked(8),
    patience: lcp(10, 2),
    ..PPPD
};

/// FreeBSD's ng_pppoe without anyone to watch it.
pub const NG_PPPOE: ClientProfile = ClientProfile {
    name: "ng_pppoe",
    padi: Schedule { sends: &[0, 2, 6, 14, 30, 62], then: Then::Every(64) },
    padr: Schedule { sends: &[0, 2, 6, 14, 30], then: Then::GiveUpAt(62) },
    discovery_limit: None,
    on_no_pads: OnNoPads::BackToPadi,
    ..MPD5
};

/// FreeBSD's ppp(8): the kernel's discovery, and a carrier wanted within 5 s.
pub const FREEBSD_PPP: ClientProfile =
    ClientProfile { name: "FreeBSD ppp", discovery_limit: Some(seconds(5)), patience: lcp(10, 3), ..MPD5 };

/// NetBSD's and OpenBSD's kernels.
pub const BSD_KERNEL: ClientProfile = ClientProfile {
    name: "NetBSD/OpenBSD",
    padi: Schedule { sends: &[0, 5, 10, 20, 35], then: Then::Every(60) },
    padr: Schedule { sends: &[0, 5], then: Then::GiveUpAt(15) },
    on_no_pads: OnNoPads::BackToPadi,
    on_pads_error: OnPadsError::BackToPadi,
    redial: Some(seconds(5)),
    redial_after_padt: Some(seconds(5)),
    ..PPPD
};

/// lwIP, as in ESP-IDF: hears any PADS and no PADT.
pub const LWIP: ClientProfile = ClientProfile {
    name: "lwIP",
    padi: Schedule { sends: &[0, 5, 10, 20], then: Then::GiveUpAt(35) },
    padr: Schedule { sends: &[0, 5], then: Then::GiveUpAt(15) },
    on_no_pads: OnNoPads::BackToPadi,
    on_pads_error: OnPadsError::BackToPadi,
    on_padt: OnPadt::Ignore,
    takes_any_pads: true,
    patience: lcp(10, 6),
    ..PPPD
};

/// The Rust client of rsdsl.
pub const RSDSL: ClientProfile = ClientProfile {
    name: "rsdsl",
    padi: Schedule { sends: &[0], then: Then::Every(3) },
    padr: Schedule { sends: &[0, 3, 6, 9, 12, 15, 18, 21, 24, 27], then: Then::GiveUpAt(30) },
    on_no_pads: OnNoPads::BackToPadi,
    on_pads_error: OnPadsError::BackToPadi,
    redial: Some(seconds(0)),
    host_uniq: HostUniq::None,
    ..PPPD
};

/// Every client above.
pub const ALL: &[ClientProfile] =
    &[PPPD, OPENWRT, RP_PPPOE, NETWORK_MANAGER, MPD5, NG_PPPOE, FREEBSD_PPP, BSD_KERNEL, LWIP, RSDSL];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_ends_or_goes_on_as_it_says() {
        assert_eq!(PPPD.padr.after(1), Due::Send(seconds(5)));
        assert_eq!(PPPD.padr.after(3), Due::GiveUp(seconds(35)));
        assert_eq!(BSD_KERNEL.padi.after(4), Due::Send(seconds(35)));
        assert_eq!(BSD_KERNEL.padi.after(6), Due::Send(seconds(155)));
        assert_eq!(RSDSL.padi.after(2), Due::Send(seconds(6)));
    }

    #[test]
    fn every_schedule_begins_at_once_and_goes_forward() {
        for client in ALL {
            for schedule in [client.padi, client.padr] {
                assert_eq!(schedule.sends[0], 0, "{}", client.name);
                assert!(schedule.sends.is_sorted_by(|a, b| a < b), "{}", client.name);
            }
        }
    }
}

//! IPCP's options: addresses and name servers (RFC 1332 §3.3, RFC 1877 §1).

use std::net::Ipv4Addr;

use super::negotiator::{OptionSet, Verdict};
use super::packet::ConfigOption;

/// IP-Address.
const ADDRESS: u8 = 3;
/// Primary DNS Server Address.
const DNS_1: u8 = 129;
/// Secondary DNS Server Address.
const DNS_2: u8 = 131;

/// The addresses some sticks propose until the network has given them real ones.
pub const BOGUS_DNS: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 11, 12, 13), Ipv4Addr::new(10, 11, 12, 14)];

/// What an end says and gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpcpConfig {
    /// Its own address; unspecified asks the peer for one, `None` says nothing about it.
    pub local: Option<Ipv4Addr>,
    /// Whether it asks for name servers.
    pub asks_dns: bool,
    /// The address it gives a peer that asks; with `None` the peer may call itself what it likes.
    pub gives: Option<Ipv4Addr>,
    /// The name servers it gives.
    pub gives_dns: Option<[Ipv4Addr; 2]>,
    /// How many requests it Naks with [`BOGUS_DNS`] before it gives the real answer.
    pub bogus_naks: u8,
}

impl IpcpConfig {
    /// A host that wants all from its peer.
    pub const ASKS: Self = Self {
        local: Some(Ipv4Addr::UNSPECIFIED),
        asks_dns: true,
        gives: None,
        gives_dns: None,
        bogus_naks: 0,
    };

    /// A far end at `local` that gives its peer `peer` and two name servers.
    #[must_use]
    pub const fn gives(local: Ipv4Addr, peer: Ipv4Addr) -> Self {
        Self {
            local: Some(local),
            asks_dns: false,
            gives: Some(peer),
            gives_dns: Some([Ipv4Addr::new(192, 0, 2, 53), Ipv4Addr::new(198, 51, 100, 53)]),
            bogus_naks: 0,
        }
    }
}

/// IPCP's option set.
#[derive(Clone, Debug)]
pub struct IpcpOptions {
    config: IpcpConfig,
    wishes: Vec<(u8, Ipv4Addr)>,
    bogus_left: u8,
    /// This end's address, once acknowledged.
    pub local: Ipv4Addr,
    /// The peer's address, once acknowledged; unspecified if it never said.
    pub peer: Ipv4Addr,
    /// The name servers this end was given.
    pub dns: [Ipv4Addr; 2],
}

impl IpcpOptions {
    /// Options as `config` has them.
    #[must_use]
    pub fn new(config: IpcpConfig) -> Self {
        let mut options = Self {
            config,
            wishes: Vec::new(),
            bogus_left: config.bogus_naks,
            local: Ipv4Addr::UNSPECIFIED,
            peer: Ipv4Addr::UNSPECIFIED,
            dns: [Ipv4Addr::UNSPECIFIED; 2],
        };
        options.restart();
        options
    }

    /// The value this end gives for an option, if it has an opinion.
    fn gift(&self, kind: u8) -> Option<Ipv4Addr> {
        match kind {
            ADDRESS => self.config.gives,
            DNS_1 => self.config.gives_dns.map(|dns| dns[0]),
            DNS_2 => self.config.gives_dns.map(|dns| dns[1]),
            _ => None,
        }
    }

    fn is_rejected(&self, option: &ConfigOption) -> bool {
        let Some(address) = address_of(option) else { return true };
        match option.kind {
            // Who asks for an address where there is none to give is told so.
            ADDRESS => address.is_unspecified() && self.config.gives.is_none(),
            DNS_1 | DNS_2 => self.config.gives_dns.is_none(),
            _ => true,
        }
    }

    fn counter(&self, option: &ConfigOption) -> Option<ConfigOption> {
        let gift = self.gift(option.kind)?;
        (address_of(option) != Some(gift)).then(|| ConfigOption::new(option.kind, &gift.octets()))
    }
}

fn address_of(option: &ConfigOption) -> Option<Ipv4Addr> {
    option.as_u32().map(Ipv4Addr::from)
}

impl OptionSet for IpcpOptions {
    fn restart(&mut self) {
        self.wishes.clear();
        self.wishes.extend(self.config.local.map(|local| (ADDRESS, local)));
        if self.config.asks_dns {
            self.wishes.extend([(DNS_1, Ipv4Addr::UNSPECIFIED), (DNS_2, Ipv4Addr::UNSPECIFIED)]);
        }
        self.bogus_left = self.config.bogus_naks;
        self.local = Ipv4Addr::UNSPECIFIED;
        self.peer = Ipv4Addr::UNSPECIFIED;
        self.dns = [Ipv4Addr::UNSPECIFIED; 2];
    }

    fn request(&self) -> Vec<ConfigOption> {
        self.wishes.iter().map(|(kind, address)| ConfigOption::new(*kind, &address.octets())).collect()
    }

    fn judge(&mut self, options: &[ConfigOption]) -> Verdict {
        let rejected: Vec<_> = options.iter().filter(|option| self.is_rejected(option)).cloned().collect();
        if !rejected.is_empty() {
            return Verdict::Reject(rejected);
        }
        if self.bogus_left > 0 {
            self.bogus_left -= 1;
            let [first, second] = BOGUS_DNS;
            return Verdict::Nak(vec![
                ConfigOption::new(DNS_1, &first.octets()),
                ConfigOption::new(DNS_2, &second.octets()),
            ]);
        }
        let proposed: Vec<_> = options.iter().filter_map(|option| self.counter(option)).collect();
        if !proposed.is_empty() {
            return Verdict::Nak(proposed);
        }
        let address = options.iter().find(|option| option.kind == ADDRESS).and_then(address_of);
        self.peer = address.unwrap_or(Ipv4Addr::UNSPECIFIED);
        Verdict::Ack
    }

    fn on_ack(&mut self) {
        let acked = |kind| {
            let wish = self.wishes.iter().find(|(wished, _)| *wished == kind);
            wish.map_or(Ipv4Addr::UNSPECIFIED, |(_, address)| *address)
        };
        self.local = acked(ADDRESS);
        self.dns = [acked(DNS_1), acked(DNS_2)];
    }

    fn on_nak(&mut self, options: &[ConfigOption]) {
        for option in options {
            for (kind, address) in &mut self.wishes {
                if *kind == option.kind {
                    *address = address_of(option).unwrap_or(*address);
                }
            }
        }
    }

    fn on_reject(&mut self, options: &[ConfigOption]) {
        self.wishes.retain(|(kind, _)| options.iter().all(|option| option.kind != *kind));
    }
}

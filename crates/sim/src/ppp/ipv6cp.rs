//! IPV6CP's one option: the interface identifier (RFC 5072 §4.1).

use super::negotiator::{OptionSet, Verdict};
use super::packet::ConfigOption;
use crate::prng::Prng;

const INTERFACE_IDENTIFIER: u8 = 1;

/// IPV6CP's option set.
#[derive(Clone, Debug)]
pub struct Ipv6cpOptions {
    prng: Prng,
    asks: bool,
    /// This end's identifier.
    pub local: u64,
    /// The peer's identifier, once acknowledged; zero if it never said.
    pub peer: u64,
}

impl Ipv6cpOptions {
    /// Options with a random identifier.
    #[must_use]
    pub fn new(mut prng: Prng) -> Self {
        let local = prng.next_u64() | 1;
        Self { prng, asks: true, local, peer: 0 }
    }
}

fn identifier_of(option: &ConfigOption) -> Option<u64> {
    Some(u64::from_be_bytes(option.value.as_slice().try_into().ok()?))
}

impl OptionSet for Ipv6cpOptions {
    fn restart(&mut self) {
        self.asks = true;
        self.peer = 0;
    }

    fn request(&self) -> Vec<ConfigOption> {
        let option = ConfigOption::new(INTERFACE_IDENTIFIER, &self.local.to_be_bytes());
        if self.asks { vec![option] } else { Vec::new() }
    }

    fn judge(&mut self, options: &[ConfigOption]) -> Verdict {
        let is_known =
            |option: &&ConfigOption| option.kind == INTERFACE_IDENTIFIER && option.value.len() == 8;
        let rejected: Vec<_> = options.iter().filter(|option| !is_known(option)).cloned().collect();
        if !rejected.is_empty() {
            return Verdict::Reject(rejected);
        }
        let peer = options.first().and_then(identifier_of).unwrap_or(0);
        // Zero asks for one, and two ends must differ (RFC 5072 §4.1).
        if !options.is_empty() && (peer == 0 || peer == self.local) {
            let proposed = self.prng.next_u64() | 1;
            return Verdict::Nak(vec![ConfigOption::new(INTERFACE_IDENTIFIER, &proposed.to_be_bytes())]);
        }
        self.peer = peer;
        Verdict::Ack
    }

    fn on_ack(&mut self) {}

    fn on_nak(&mut self, options: &[ConfigOption]) {
        if let Some(proposed) = options.first().and_then(identifier_of) {
            self.local = proposed;
        }
    }

    fn on_reject(&mut self, _options: &[ConfigOption]) {
        self.asks = false;
    }
}

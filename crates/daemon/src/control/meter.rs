//! How fast a session is, from what has passed at two times.

use bridge_proto::bridge::Traffic;
use bridge_proto::time::Instant;
use std::time::Duration;

/// Bits a second, of PPP frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rates {
    pub(crate) host_to_modem: u64,
    pub(crate) modem_to_host: u64,
}

/// The rates of one session. The control plane asks for what passed every few seconds, so they need no timer of
/// their own.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Meter {
    since: Instant,
    before: Traffic,
    rates: Option<Rates>,
}

/// Over less time a single frame would look like a torrent.
const SHORTEST: Duration = Duration::from_secs(1);

impl Meter {
    /// For a session that begins now.
    pub(crate) fn new(now: Instant) -> Self {
        Self { since: now, ..Self::default() }
    }

    /// Takes note of what has passed since the session began.
    pub(crate) fn note(&mut self, now: Instant, traffic: Traffic) {
        let passed = now - self.since;
        if passed < SHORTEST {
            return;
        }
        let rate = |octets: u64| {
            let bits = u128::from(octets) * 8_000_000 / passed.as_micros().max(1);
            u64::try_from(bits).unwrap_or(u64::MAX)
        };
        self.rates = Some(Rates {
            host_to_modem: rate(traffic.host_octets.saturating_sub(self.before.host_octets)),
            modem_to_host: rate(traffic.modem_octets.saturating_sub(self.before.modem_octets)),
        });
        self.since = now;
        self.before = traffic;
    }

    /// How fast it was, if that is known yet.
    pub(crate) fn rates(&self) -> Option<Rates> {
        self.rates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_of_the_time_between_two_looks() {
        let at = Instant::from_millis;
        let traffic = |host_octets, modem_octets| Traffic { host_octets, modem_octets, ..Traffic::default() };
        let mut meter = Meter::new(at(10_000));
        assert_eq!(meter.rates(), None);
        meter.note(at(10_500), traffic(9000, 9000));
        assert_eq!(meter.rates(), None);
        meter.note(at(15_000), traffic(5000, 1_000_000));
        assert_eq!(meter.rates(), Some(Rates { host_to_modem: 8000, modem_to_host: 1_600_000 }));
        meter.note(at(20_000), traffic(5000, 1_000_625));
        assert_eq!(meter.rates(), Some(Rates { host_to_modem: 0, modem_to_host: 1000 }));
    }
}

//! [`Segment`]: an Ethernet to which stations are attached, and which may treat frames badly.
//!
//! It delivers a frame for a known station to that one, any other to all but its sender. What it loses, copies,
//! delays, reorders and damages is drawn from a seed.

use std::collections::BTreeMap;
use std::time::Duration;

use bridge_proto::time::Instant;

use crate::pppoe::Mac;
use crate::prng::Prng;

/// How badly frames are treated; odds are per mille, drawn for each delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SegmentFaults {
    /// Never delivered.
    pub lost: u16,
    /// Delivered twice.
    pub copied: u16,
    /// Held back long enough that later ones overtake it.
    pub reordered: u16,
    /// One bit behind the addresses is flipped.
    pub damaged: u16,
    /// How long every frame takes.
    pub delay: Duration,
    /// How much longer one that is held back takes.
    pub hold: Duration,
}

/// A frame that arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// At this station.
    pub to: Mac,
    /// These octets.
    pub frame: Vec<u8>,
}

/// An Ethernet.
#[derive(Clone, Debug)]
pub struct Segment {
    faults: SegmentFaults,
    prng: Prng,
    stations: Vec<Mac>,
    /// In order of arrival; the number keeps frames of the same instant in order.
    under_way: BTreeMap<(Instant, u64), Delivery>,
    arrived: std::collections::VecDeque<Delivery>,
    sent: u64,
}

/// Destination and source address.
const ADDRESSES: usize = 12;

impl Segment {
    /// An Ethernet without stations.
    #[must_use]
    pub fn new(faults: SegmentFaults, seed: u64) -> Self {
        Self {
            faults,
            prng: Prng::new(seed),
            stations: Vec::new(),
            under_way: BTreeMap::new(),
            arrived: std::collections::VecDeque::new(),
            sent: 0,
        }
    }

    /// Plugs a station in; it stays once if plugged in twice.
    pub fn attach(&mut self, station: Mac) {
        if !self.stations.contains(&station) {
            self.stations.push(station);
        }
    }

    /// Pulls a station's plug; what is under way to it is lost.
    pub fn detach(&mut self, station: Mac) {
        self.stations.retain(|attached| *attached != station);
        self.under_way.retain(|_, delivery| delivery.to != station);
        self.arrived.retain(|delivery| delivery.to != station);
    }

    /// Loses all that is under way.
    pub fn lose_under_way(&mut self) {
        self.under_way.clear();
        self.arrived.clear();
    }

    /// Treats frames differently from now on.
    pub fn set_faults(&mut self, faults: SegmentFaults) {
        self.faults = faults;
    }

    /// Takes a frame from the station `from`, whatever source address is in it. A station that is not attached
    /// sends into the air.
    pub fn send(&mut self, now: Instant, from: Mac, frame: &[u8]) {
        let Some(destination) = frame.first_chunk().copied().map(Mac) else { return };
        if !self.stations.contains(&from) {
            return;
        }
        let is_known = !destination.is_group() && self.stations.contains(&destination);
        let is_receiver = |to: &Mac| *to != from && (!is_known || *to == destination);
        for to in self.stations.iter().copied().filter(is_receiver).collect::<Vec<_>>() {
            self.carry(now, to, frame);
        }
        self.handle_timeout(now);
    }

    /// Lets frames arrive whose time has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(first) = self.under_way.first_entry().filter(|entry| entry.key().0 <= now) {
            self.arrived.push_back(first.remove());
        }
    }

    /// The next frame that has arrived.
    pub fn poll_output(&mut self) -> Option<Delivery> {
        self.arrived.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.under_way.first_key_value().map(|((at, _), _)| *at)
    }

    fn carry(&mut self, now: Instant, to: Mac, frame: &[u8]) {
        if self.prng.chance(self.faults.lost) {
            return;
        }
        let copies = if self.prng.chance(self.faults.copied) { 2 } else { 1 };
        for _ in 0..copies {
            let mut frame = frame.to_vec();
            if frame.len() > ADDRESSES && self.prng.chance(self.faults.damaged) {
                let octet = ADDRESSES as u64 + self.prng.below((frame.len() - ADDRESSES) as u64);
                frame[octet as usize] ^= 1 << self.prng.below(8);
            }
            let hold =
                if self.prng.chance(self.faults.reordered) { self.faults.hold } else { Duration::ZERO };
            self.sent += 1;
            self.under_way.insert((now + self.faults.delay + hold, self.sent), Delivery { to, frame });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Mac = Mac([2, 0, 0, 0, 0, 1]);
    const B: Mac = Mac([2, 0, 0, 0, 0, 2]);
    const C: Mac = Mac([2, 0, 0, 0, 0, 3]);

    fn segment(faults: SegmentFaults) -> Segment {
        let mut segment = Segment::new(faults, 9);
        for station in [A, B, C] {
            segment.attach(station);
        }
        segment
    }

    fn frame(to: Mac, number: u8) -> Vec<u8> {
        [&to.0[..], &A.0, &[0x88, 0x63, number]].concat()
    }

    fn receivers(segment: &mut Segment) -> Vec<Mac> {
        std::iter::from_fn(|| segment.poll_output()).map(|delivery| delivery.to).collect()
    }

    #[test]
    fn a_broadcast_reaches_all_but_its_sender_and_a_unicast_one() {
        let mut segment = segment(SegmentFaults::default());
        segment.send(Instant::ZERO, A, &frame(Mac::BROADCAST, 0));
        assert_eq!(receivers(&mut segment), [B, C]);
        segment.send(Instant::ZERO, A, &frame(C, 0));
        assert_eq!(receivers(&mut segment), [C]);
        segment.detach(C);
        segment.send(Instant::ZERO, A, &frame(C, 0));
        assert_eq!(receivers(&mut segment), [B]);
    }

    #[test]
    fn a_frame_arrives_after_the_delay_and_one_held_back_is_overtaken() {
        let delay = Duration::from_millis(2);
        let faults = SegmentFaults { delay, hold: delay, reordered: 1000, ..SegmentFaults::default() };
        let mut segment = segment(faults);
        segment.send(Instant::ZERO, A, &frame(B, 1));
        segment.set_faults(SegmentFaults { delay, ..SegmentFaults::default() });
        segment.send(Instant::ZERO, A, &frame(B, 2));
        assert_eq!(segment.poll_output(), None);
        assert_eq!(segment.poll_timeout(), Some(Instant::from_millis(2)));
        segment.handle_timeout(Instant::from_millis(2));
        assert_eq!(segment.poll_output(), Some(Delivery { to: B, frame: frame(B, 2) }));
        assert_eq!(segment.poll_output(), None);
        segment.handle_timeout(Instant::from_millis(4));
        assert_eq!(segment.poll_output(), Some(Delivery { to: B, frame: frame(B, 1) }));
        assert_eq!(segment.poll_timeout(), None);
    }

    #[test]
    fn faults_happen_as_often_as_they_should_and_the_same_with_the_same_seed() {
        let faults = SegmentFaults { lost: 100, copied: 200, damaged: 100, ..SegmentFaults::default() };
        let run = || {
            let mut segment = segment(faults);
            for _ in 0..1000 {
                segment.send(Instant::ZERO, A, &frame(B, 7));
            }
            std::iter::from_fn(move || segment.poll_output()).collect::<Vec<_>>()
        };
        let deliveries = run();
        let damaged = deliveries.iter().filter(|delivery| delivery.frame != frame(B, 7)).count();
        assert!((1000..1160).contains(&deliveries.len()), "{}", deliveries.len());
        assert!((60..160).contains(&damaged), "{damaged}");
        assert!(deliveries.iter().all(|delivery| delivery.frame[..12] == frame(B, 7)[..12]));
        assert_eq!(deliveries, run());
    }
}

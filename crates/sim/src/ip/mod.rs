//! A little IPv4 above a PPP endpoint: pings both ways, and a bulk transfer whose rate can be measured.
//!
//! It promises to answer every echo request for its own address, to deliver a transfer whole or not at all,
//! and to say how long either took. It knows one address besides its own: the peer's.

pub mod packet;
pub mod transfer;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use bridge_proto::time::Instant;

use packet::{Icmp, Ipv4, PROTOCOL_ICMP, PROTOCOL_UDP, Udp};
use transfer::{Receipt, Receiver, Report, Sender};

/// What a layer saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IpEvent {
    /// A ping came back, whole.
    PingReply {
        /// Which ping, counted from 1.
        sequence: u16,
        /// How long it was away.
        time: Duration,
    },
    /// The peer's ping was answered.
    PingAnswered {
        /// Which ping.
        sequence: u16,
    },
    /// The last octet of an own transfer was acknowledged.
    TransferSent(Report),
    /// The last octet of the peer's transfer arrived.
    TransferReceived(Receipt),
}

/// One address, and what is under way at it.
#[derive(Clone, Debug)]
pub struct IpLayer {
    local: Ipv4Addr,
    peer: Ipv4Addr,
    max_packet: usize,
    next_identification: u16,
    pings: BTreeMap<u16, (Instant, Vec<u8>)>,
    next_ping: u16,
    sender: Option<Sender>,
    receiver: Option<Receiver>,
    transfers: u32,
    packets: Vec<Vec<u8>>,
    events: Vec<IpEvent>,
}

/// Pings remembered; older ones are taken for lost.
const MAX_PINGS: usize = 256;
/// Marks our pings.
const PING_IDENTIFIER: u16 = 0x7369;
/// Port of transfers, on both sides.
const TRANSFER_PORT: u16 = 5001;
/// IPv4 and UDP headers.
const HEADERS: usize = 28;

impl IpLayer {
    /// A layer between these addresses, with packets of at most `max_packet` octets.
    #[must_use]
    pub fn new(local: Ipv4Addr, peer: Ipv4Addr, max_packet: u16) -> Self {
        Self {
            local,
            peer,
            max_packet: usize::from(max_packet).max(128),
            next_identification: 1,
            pings: BTreeMap::new(),
            next_ping: 1,
            sender: None,
            receiver: None,
            transfers: 0,
            packets: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Pings the peer with `octets` octets of data, as many as fit; gives the ping's number.
    pub fn ping(&mut self, now: Instant, octets: usize) -> u16 {
        let sequence = self.next_ping;
        self.next_ping = self.next_ping.wrapping_add(1);
        let octets = octets.min(self.max_packet.saturating_sub(HEADERS));
        let data: Vec<u8> = (0..octets).map(|index| (index & 0xff) as u8).collect();
        let icmp = Icmp { is_reply: false, identifier: PING_IDENTIFIER, sequence, data: &data }.emit();
        if self.pings.len() >= MAX_PINGS {
            self.pings.pop_first();
        }
        self.pings.insert(sequence, (now, data));
        self.send(self.peer, PROTOCOL_ICMP, &icmp);
        sequence
    }

    /// Pings that did not come back yet.
    #[must_use]
    pub fn pings_missing(&self) -> usize {
        self.pings.len()
    }

    /// Sends `octets` octets to the peer, at most `window` datagrams unacknowledged. A transfer that is under
    /// way is given up for the new one.
    pub fn start_transfer(&mut self, now: Instant, octets: u64, window: u16) {
        self.transfers += 1;
        self.sender =
            Some(Sender::new(now, self.transfers, octets, window, self.max_packet.saturating_sub(HEADERS)));
        self.pump(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.sender.as_ref()?.poll_timeout()
    }

    /// Sends again what was not acknowledged in time.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some(sender) = &mut self.sender {
            sender.handle_timeout(now);
            self.pump(now);
        }
    }

    /// Takes one IPv4 packet; what is damaged or for others is dropped.
    pub fn handle_packet(&mut self, now: Instant, octets: &[u8]) {
        let Some(ip) = Ipv4::parse(octets) else { return };
        if ip.destination != self.local {
            return;
        }
        match ip.protocol {
            PROTOCOL_ICMP => self.on_icmp(now, &ip),
            PROTOCOL_UDP => self.on_udp(now, &ip),
            _ => {}
        }
    }

    /// Packets to send.
    pub fn take_packets(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.packets)
    }

    /// What was seen since the last call.
    pub fn take_events(&mut self) -> Vec<IpEvent> {
        std::mem::take(&mut self.events)
    }

    fn on_icmp(&mut self, now: Instant, ip: &Ipv4<'_>) {
        let Some(icmp) = Icmp::parse(ip.payload) else { return };
        if !icmp.is_reply {
            let reply = Icmp { is_reply: true, ..icmp }.emit();
            self.send(ip.source, PROTOCOL_ICMP, &reply);
            self.events.push(IpEvent::PingAnswered { sequence: icmp.sequence });
            return;
        }
        let is_whole = self.pings.get(&icmp.sequence).is_some_and(|(_, data)| data == icmp.data);
        if icmp.identifier != PING_IDENTIFIER || !is_whole {
            return;
        }
        if let Some((sent, _)) = self.pings.remove(&icmp.sequence) {
            self.events.push(IpEvent::PingReply { sequence: icmp.sequence, time: now - sent });
        }
    }

    fn on_udp(&mut self, now: Instant, ip: &Ipv4<'_>) {
        let Some(udp) = Udp::parse(ip) else { return };
        if udp.destination_port != TRANSFER_PORT {
            return;
        }
        match transfer::Message::parse(udp.data) {
            Some(transfer::Message::Ack(ack)) => {
                if let Some(sender) = &mut self.sender {
                    sender.on_ack(now, ack);
                    self.pump(now);
                }
            }
            Some(transfer::Message::Data(data)) => {
                let receiver = match &mut self.receiver {
                    Some(receiver) if receiver.is_of(data.transfer) => receiver,
                    slot => slot.insert(Receiver::new(now, &data)),
                };
                let (ack, receipt) = receiver.on_data(now, &data);
                self.events.extend(receipt.map(IpEvent::TransferReceived));
                self.send_udp(ip.source, &ack.emit());
            }
            None => {}
        }
    }

    fn pump(&mut self, now: Instant) {
        let Some(mut sender) = self.sender.take() else { return };
        while let Some(datagram) = sender.poll_datagram(now) {
            self.send_udp(self.peer, &datagram);
        }
        match sender.report(now) {
            Some(report) => self.events.push(IpEvent::TransferSent(report)),
            None => self.sender = Some(sender),
        }
    }

    fn send_udp(&mut self, to: Ipv4Addr, data: &[u8]) {
        let udp = Udp { source_port: TRANSFER_PORT, destination_port: TRANSFER_PORT, data };
        let octets = udp.emit(self.local, to);
        self.send(to, PROTOCOL_UDP, &octets);
    }

    fn send(&mut self, to: Ipv4Addr, protocol: u8, payload: &[u8]) {
        let identification = self.next_identification;
        self.next_identification = identification.wrapping_add(1);
        let ip = Ipv4 { source: self.local, destination: to, protocol, identification, payload };
        self.packets.push(ip.emit());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prng::Prng;

    const A: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    const B: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

    fn layers() -> (IpLayer, IpLayer) {
        (IpLayer::new(A, B, 1492), IpLayer::new(B, A, 1492))
    }

    #[test]
    fn a_ping_is_answered_and_timed() {
        let (mut a, mut b) = layers();
        assert_eq!(a.ping(Instant::ZERO, 56), 1);
        for packet in a.take_packets() {
            assert_eq!(packet.len(), 84);
            b.handle_packet(Instant::from_millis(20), &packet);
        }
        for packet in b.take_packets() {
            a.handle_packet(Instant::from_millis(45), &packet);
        }
        assert_eq!(b.take_events(), [IpEvent::PingAnswered { sequence: 1 }]);
        assert_eq!(a.take_events(), [IpEvent::PingReply { sequence: 1, time: Duration::from_millis(45) }]);
        assert_eq!(a.pings_missing(), 0);
    }

    #[test]
    fn a_packet_for_another_address_is_left_alone() {
        let (mut a, _) = layers();
        let mut stranger = IpLayer::new(Ipv4Addr::new(192, 0, 2, 9), A, 1492);
        a.ping(Instant::ZERO, 0);
        for packet in a.take_packets() {
            stranger.handle_packet(Instant::ZERO, &packet);
        }
        assert!(stranger.take_packets().is_empty());
    }

    /// Carries packets 10 ms each way, losing some; gives the events of both, and when it was over.
    fn run_transfer(octets: u64, lost_per_mille: u16) -> (Vec<IpEvent>, Vec<IpEvent>) {
        let (mut a, mut b) = layers();
        let mut prng = Prng::new(7);
        let (mut from_a, mut from_b) = (Vec::new(), Vec::new());
        let mut now = Instant::ZERO;
        let (mut seen_a, mut seen_b) = (Vec::new(), Vec::new());
        a.start_transfer(now, octets, 8);
        for _ in 0..100_000 {
            from_a.extend(a.take_packets());
            from_b.extend(b.take_packets());
            seen_a.extend(a.take_events());
            seen_b.extend(b.take_events());
            if !seen_a.is_empty() {
                break;
            }
            now += Duration::from_millis(10);
            for packet in std::mem::take(&mut from_a) {
                if !prng.chance(lost_per_mille) {
                    b.handle_packet(now, &packet);
                }
            }
            for packet in std::mem::take(&mut from_b) {
                if !prng.chance(lost_per_mille) {
                    a.handle_packet(now, &packet);
                }
            }
            a.handle_timeout(now);
        }
        (seen_a, seen_b)
    }

    #[test]
    fn a_transfer_over_a_good_line_sends_nothing_twice() {
        let (sent, received) = run_transfer(1_000_000, 0);
        assert!(matches!(sent[..], [IpEvent::TransferSent(Report { octets: 1_000_000, sent_again: 0, .. })]));
        assert!(matches!(
            received[..],
            [IpEvent::TransferReceived(Receipt { octets: 1_000_000, out_of_order: 0, damaged: 0, .. })]
        ));
    }

    #[test]
    fn a_transfer_over_a_lossy_line_arrives_whole() {
        let (sent, received) = run_transfer(200_000, 50);
        assert!(matches!(sent[..], [IpEvent::TransferSent(Report { octets: 200_000, sent_again: 1.., .. })]));
        assert!(matches!(received[..], [IpEvent::TransferReceived(Receipt { octets: 200_000, .. })]));
    }

    #[test]
    fn an_empty_transfer_ends() {
        let (sent, received) = run_transfer(0, 0);
        assert!(matches!(sent[..], [IpEvent::TransferSent(Report { octets: 0, .. })]));
        assert!(matches!(received[..], [IpEvent::TransferReceived(Receipt { octets: 0, .. })]));
    }
}

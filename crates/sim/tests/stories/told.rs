//! Words that many stories use.

use std::time::Duration;

use bridge_proto::event::{CloseReason, Event};
use bridge_proto::modem::ModemState;
use bridge_sim::host::profile::{ClientProfile, PPPD};
use bridge_sim::host::{EndReason, HostEvent};
use bridge_sim::ip::IpEvent;
use bridge_sim::modem::DialResult;
use bridge_sim::modem::profile::HUAWEI;
use bridge_sim::ppp::EndpointEvent;
use bridge_sim::pppoe::{PADS, PADT, Packet};
use bridge_sim::world::{Entry, ModemSetup, World, WorldConfig, is_up};

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A host with pppd that does not come again by itself.
pub(crate) const ONCE: ClientProfile = ClientProfile { redial: None, redial_after_padt: None, ..PPPD };

/// One host that does not come again by itself, and a modem whose dials take so long and end so.
pub(crate) fn pair(dial_seconds: u64, dials: &[DialResult]) -> World {
    World::new(WorldConfig::pair(ONCE, modem(dial_seconds, dials)))
}

pub(crate) fn modem(dial_seconds: u64, dials: &[DialResult]) -> ModemSetup {
    let mut setup = ModemSetup::new(&HUAWEI, 0).dial_time(dial_seconds);
    setup.modem.dials = dials.to_vec();
    setup
}

/// A quick modem.
pub(crate) fn quick() -> World {
    pair(1, &[DialResult::Connect])
}

/// The host's session is up, and a ping has been answered.
pub(crate) fn bring_up(world: &mut World, host: usize) {
    world.start(host);
    world.run_until(secs(60), |entry| is_up(entry, host));
    expect_ping(world, host);
}

pub(crate) fn expect_ping(world: &mut World, host: usize) {
    let sequence = world.ping(host, 500).expect("IPv4 is up");
    world.run_until(secs(2), |entry| {
        matches!(entry.host(host), Some(HostEvent::Ppp(EndpointEvent::Ip(IpEvent::PingReply { sequence: s, .. })))
            if *s == sequence)
    });
}

/// Runs until a modem is in this state.
pub(crate) fn until_state(world: &mut World, modem: usize, state: ModemState) {
    world.run_until_it_is(secs(400), |world| world.state(modem) == state);
}

/// A PADS that opens a session.
pub(crate) fn opens(entry: &Entry) -> bool {
    entry.answer().is_some_and(|packet| packet.code == PADS && packet.session_id != 0)
}

/// A PADS that refuses one.
pub(crate) fn refuses(entry: &Entry) -> bool {
    entry.answer().is_some_and(|packet| packet.code == PADS && packet.session_id == 0)
}

pub(crate) fn is_padt(entry: &Entry) -> bool {
    entry.answer().is_some_and(|packet| packet.code == PADT)
}

pub(crate) fn closed(entry: &Entry) -> Option<&CloseReason> {
    match entry.event() {
        Some(Event::SessionClosed { reason, .. }) => Some(reason),
        _ => None,
    }
}

pub(crate) fn call_ended(entry: &Entry) -> Option<&CloseReason> {
    match entry.event() {
        Some(Event::CallEnded { reason, .. }) => Some(reason),
        _ => None,
    }
}

pub(crate) fn call_started(entry: &Entry) -> bool {
    matches!(entry.event(), Some(Event::CallStarted { .. }))
}

pub(crate) fn ended(entry: &Entry, host: usize) -> Option<EndReason> {
    match entry.host(host) {
        Some(HostEvent::Ended { why }) => Some(*why),
        _ => None,
    }
}

/// The text of the error tag by which a host was refused.
pub(crate) fn refusal(entry: &Entry, host: usize) -> Option<(u16, &str)> {
    match entry.host(host) {
        Some(HostEvent::Refused { kind, text }) => Some((*kind, text)),
        _ => None,
    }
}

/// The last frame of this kind that was sent, as it was.
pub(crate) fn last_frame(world: &World, code: u8) -> Vec<u8> {
    let entries = world.transcript().iter().rev();
    let mut packets = entries.filter_map(Entry::discovery).filter(|packet| packet.code == code);
    packets.next().map(|packet: Packet<'_>| packet.emit()).expect("such a frame was sent")
}

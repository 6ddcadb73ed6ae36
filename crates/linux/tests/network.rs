//! Interfaces and packet sockets on a real kernel, in network namespaces made here.

mod own_network;

use std::process::{Command, ExitCode};

use bridge_linux::interface::{Interface, InterfaceChange, InterfaceMonitor};
use bridge_linux::link;
use bridge_linux::packet_socket::{PacketError, PacketKind, PacketSocket, PacketStatistics, Received, Sent};
use bridge_linux::poller::{Events, Interest, Poller, Token};
use own_network::Test;
use rustix::thread::{CpuSet, sched_getcpu, sched_setaffinity};

const TESTS: [Test; 15] = [
    ("a_new_namespace_has_loopback_only", a_new_namespace_has_loopback_only),
    ("a_veth_pair_is_two_ethernet_interfaces", a_veth_pair_is_two_ethernet_interfaces),
    ("a_name_in_use_is_refused", a_name_in_use_is_refused),
    ("frames_pass_whole_with_their_kind", frames_pass_whole_with_their_kind),
    ("another_ethertype_is_not_received", another_ethertype_is_not_received),
    ("own_frames_are_not_received", own_frames_are_not_received),
    (
        "of_frames_for_another_host_only_the_header_is_received",
        of_frames_for_another_host_only_the_header_is_received,
    ),
    ("tagged_frames_are_for_another_host", tagged_frames_are_for_another_host),
    ("frames_of_an_interface_on_top_are_not_received", frames_of_an_interface_on_top_are_not_received),
    ("a_frame_too_long_for_the_buffer_says_so", a_frame_too_long_for_the_buffer_says_so),
    ("a_frame_too_long_for_the_interface_is_refused", a_frame_too_long_for_the_interface_is_refused),
    ("what_the_queue_cannot_hold_is_counted", what_the_queue_cannot_hold_is_counted),
    ("a_socket_survives_its_interface_going_down", a_socket_survives_its_interface_going_down),
    ("the_monitor_tells_every_change", the_monitor_tells_every_change),
    ("the_monitor_recovers_from_lost_notifications", the_monitor_recovers_from_lost_notifications),
];

fn main() -> ExitCode {
    own_network::main(&TESTS)
}

/// Local experimental ethertypes (IEEE 802): this crate knows no protocol.
const OURS: u16 = 0x88b5;
const FOREIGN: u16 = 0x88b6;
const EVERYBODY: [u8; 6] = [0xff; 6];
const A_GROUP: [u8; 6] = [0x01, 0x00, 0x5e, 0, 0, 1];
const SOMEBODY_ELSE: [u8; 6] = [2, 0, 0, 0, 0, 99];

/// Two interfaces on one cable, and a socket on each.
struct Cable {
    near: Interface,
    near_socket: PacketSocket,
    far: Interface,
    far_socket: PacketSocket,
}

impl Cable {
    fn new() -> Self {
        stay_on_one_processor();
        link::create_veth("near", "far").unwrap();
        let (near, far) = (Interface::find("near").unwrap(), Interface::find("far").unwrap());
        let near_socket = PacketSocket::open(&near, OURS).unwrap();
        let far_socket = PacketSocket::open(&far, OURS).unwrap();
        Self { near, near_socket, far, far_socket }
    }

    fn send(&self, destination: [u8; 6], ether_type: u16, payload: &[u8]) {
        let frame = frame(destination, self.near.mac, ether_type, payload);
        assert_eq!(self.near_socket.send(&frame).unwrap(), Sent::Whole);
    }

    /// Sends a last frame and tells what the far end received before it: frames that one processor sends keep their
    /// order on a cable, so nothing needs to be waited for.
    fn received_so_far(&mut self) -> Vec<(Received, Vec<u8>)> {
        self.send(self.far.mac, OURS, b"last");
        let mut received = Vec::new();
        loop {
            await_readable(&self.far_socket);
            let mut buffer = [0; 2048];
            let one = self.far_socket.receive(&mut buffer).unwrap().unwrap();
            if buffer[14..one.len] == *b"last" {
                return received;
            }
            received.push((one, buffer[..one.len].to_vec()));
        }
    }
}

/// Each processor hands on the frames that were sent on it. One that is busy may put that off, and then those sent a
/// moment later on another would overtake.
fn stay_on_one_processor() {
    let mut here = CpuSet::new();
    here.set(sched_getcpu());
    sched_setaffinity(None, &here).unwrap();
}

fn frame(destination: [u8; 6], source: [u8; 6], ether_type: u16, payload: &[u8]) -> Vec<u8> {
    [&destination[..], &source[..], &ether_type.to_be_bytes()[..], payload].concat()
}

fn await_readable(source: impl std::os::fd::AsFd) {
    let poller = Poller::new().unwrap();
    poller.add(source, Token(0), Interest::READABLE).unwrap();
    poller.wait(&mut Events::with_capacity(1), None).unwrap();
}

fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().unwrap();
    assert!(status.success(), "ip {arguments}: {status}");
}

fn a_new_namespace_has_loopback_only() {
    assert_eq!(Interface::list().unwrap(), []);
    let text = Interface::find("near").unwrap_err().to_string();
    assert_eq!(text, "find interface near: no such interface; there are: none that is Ethernet");
}

fn a_veth_pair_is_two_ethernet_interfaces() {
    link::create_veth("near", "far").unwrap();
    let near = Interface::find("near").unwrap();
    assert!(near.is_up && near.is_running);
    assert_eq!((near.name.as_str(), near.mtu), ("near", 1500));
    assert_ne!(near.mac, Interface::find("far").unwrap().mac);
    assert_eq!(Interface::list().unwrap().len(), 2);
    link::delete_link("near").unwrap();
    assert!(link::set_link_up("far", true).unwrap_err().is_missing());
}

fn a_name_in_use_is_refused() {
    link::create_veth("near", "far").unwrap();
    let error = link::create_veth("near", "other").unwrap_err();
    assert_eq!(error.to_string(), "create veth pair near, other: File exists (os error 17)");
}

fn frames_pass_whole_with_their_kind() {
    let mut cable = Cable::new();
    for destination in [cable.far.mac, EVERYBODY, A_GROUP] {
        cable.send(destination, OURS, b"payload");
    }
    let received = cable.received_so_far();
    let kinds: Vec<PacketKind> = received.iter().map(|(received, _)| received.kind).collect();
    assert_eq!(kinds, [PacketKind::ToUs, PacketKind::Broadcast, PacketKind::Multicast]);
    assert_eq!(received[0].1, frame(cable.far.mac, cable.near.mac, OURS, b"payload"));
    assert!(!received[0].0.is_truncated());
    assert!(cable.far_socket.receive(&mut [0; 64]).unwrap().is_none());
}

fn another_ethertype_is_not_received() {
    let mut cable = Cable::new();
    cable.send(cable.far.mac, FOREIGN, b"foreign");
    assert_eq!(cable.received_so_far(), []);
}

fn own_frames_are_not_received() {
    let mut cable = Cable::new();
    cable.send(EVERYBODY, OURS, b"broadcast");
    assert_eq!(cable.received_so_far().len(), 1);
    assert!(cable.near_socket.receive(&mut [0; 64]).unwrap().is_none());
}

fn of_frames_for_another_host_only_the_header_is_received() {
    let mut cable = Cable::new();
    ip("link set far promisc on");
    cable.send(SOMEBODY_ELSE, OURS, b"not for you");
    let received = cable.received_so_far();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].0.kind, PacketKind::OtherHost);
    assert_eq!(received[0].1, frame(SOMEBODY_ELSE, cable.near.mac, OURS, b""));
}

fn tagged_frames_are_for_another_host() {
    const TAG: u16 = 0x8100;
    let mut cable = Cable::new();
    let tagged =
        |control: u16, text: &[u8]| [&control.to_be_bytes()[..], &OURS.to_be_bytes()[..], text].concat();
    for destination in [cable.far.mac, EVERYBODY] {
        cable.send(destination, TAG, &tagged(7, b"of VLAN 7"));
        cable.send(destination, TAG, &tagged(0xa007, b"of VLAN 7, urgent"));
    }
    let received = cable.received_so_far();
    assert_eq!(received.len(), 4);
    assert!(received.iter().all(|(received, _)| received.kind == PacketKind::OtherHost));
    // VLAN number 0 is none: the frame is the interface's own.
    cable.send(cable.far.mac, TAG, &tagged(0xa000, b"urgent"));
    let received = cable.received_so_far();
    assert_eq!(received.len(), 1);
    assert!(received[0].1.ends_with(b"urgent"));
}

/// A macvlan where the kernel has no VLANs: to the socket below, it is the same case.
fn frames_of_an_interface_on_top_are_not_received() {
    let mut cable = Cable::new();
    ip("link add link far name upper address 02:00:00:00:00:63 type macvlan mode bridge");
    link::set_link_up("upper", true).unwrap();
    let upper = Interface::find("upper").unwrap();
    let mut upper_socket = PacketSocket::open(&upper, OURS).unwrap();
    cable.send(upper.mac, OURS, b"for upper");
    assert_eq!(cable.received_so_far(), []);
    let mut buffer = [0; 64];
    let received = upper_socket.receive(&mut buffer).unwrap().unwrap();
    assert!(buffer[..received.len].ends_with(b"for upper"));
}

fn a_frame_too_long_for_the_buffer_says_so() {
    let mut cable = Cable::new();
    cable.send(cable.far.mac, OURS, &[7; 100]);
    await_readable(&cable.far_socket);
    let received = cable.far_socket.receive(&mut [0; 60]).unwrap().unwrap();
    assert_eq!((received.len, received.wire_len), (60, 114));
    assert!(received.is_truncated());
}

fn a_frame_too_long_for_the_interface_is_refused() {
    let cable = Cable::new();
    cable.send(cable.far.mac, OURS, &[7; 1500]);
    let frame = frame(cable.far.mac, cable.near.mac, OURS, &[7; 1600]);
    assert!(matches!(cable.near_socket.send(&frame), Err(PacketError::FrameTooLong)));
}

fn what_the_queue_cannot_hold_is_counted() {
    let mut cable = Cable::new();
    let granted = cable.far_socket.set_receive_queue(4096).unwrap();
    assert!(granted >= 4096);
    for _ in 0..100 {
        cable.send(cable.far.mac, OURS, &[7; 1400]);
    }
    // Until the last has come, or would have.
    let mut statistics = PacketStatistics::default();
    while statistics.received + statistics.dropped < 100 {
        let more = cable.far_socket.take_statistics().unwrap();
        statistics.received += more.received;
        statistics.dropped += more.dropped;
        std::thread::yield_now();
    }
    let mut received = 0;
    while cable.far_socket.receive(&mut [0; 2048]).unwrap().is_some() {
        received += 1;
    }
    assert!(received < 100 && statistics.dropped > 0);
    assert_eq!((statistics.received, statistics.received + statistics.dropped), (received, 100));
    assert_eq!(cable.far_socket.take_statistics().unwrap().received, 0);
}

fn a_socket_survives_its_interface_going_down() {
    let mut cable = Cable::new();
    let mut monitor = InterfaceMonitor::open().unwrap();
    let mut buffer = [0; 64];
    link::set_link_up("far", false).unwrap();
    assert!(matches!(cable.far_socket.receive(&mut buffer), Err(PacketError::InterfaceDown)));
    assert!(cable.far_socket.receive(&mut buffer).unwrap().is_none());
    let answer = frame(cable.near.mac, cable.far.mac, OURS, b"down");
    assert!(matches!(cable.far_socket.send(&answer), Err(PacketError::InterfaceDown)));
    // The near end loses its carrier and gets it back; it would drop what is sent before the kernel has noticed.
    await_running(&mut monitor, "near", false);
    link::set_link_up("far", true).unwrap();
    await_running(&mut monitor, "near", true);
    cable.send(cable.far.mac, OURS, b"up again");
    assert_eq!(cable.received_so_far().len(), 1);

    link::delete_link("far").unwrap();
    assert!(matches!(cable.far_socket.receive(&mut buffer), Err(PacketError::InterfaceDown)));
    assert!(matches!(cable.far_socket.send(&answer), Err(PacketError::InterfaceGone)));
}

fn the_monitor_tells_every_change() {
    use InterfaceChange::{Appeared, Changed, Vanished};
    let mut monitor = InterfaceMonitor::open().unwrap();
    assert_eq!(monitor.next_change().unwrap(), None);
    link::create_veth("near", "far").unwrap();
    let changes = await_state(&mut monitor, "near", |now| now.is_some_and(|now| now.is_running));
    assert!(changes.iter().any(|change| matches!(change, Appeared(now) if now.name == "near")));
    let near = Interface::find("near").unwrap();

    link::set_link_up("near", false).unwrap();
    let down = Interface { is_up: false, is_running: false, ..near.clone() };
    let changes = await_state(&mut monitor, "near", |now| now == Some(&down));
    assert!(changes.contains(&Changed { before: near, now: down.clone() }), "{changes:?}");
    ip("link set near mtu 1400 address 02:00:00:00:00:07");
    let edited = Interface { mtu: 1400, mac: [2, 0, 0, 0, 0, 7], ..down };
    await_state(&mut monitor, "near", |now| now == Some(&edited));
    ip("link set near name renamed");
    let renamed = Interface { name: "renamed".to_owned(), ..edited.clone() };
    let changes = await_state(&mut monitor, "renamed", |now| now == Some(&renamed));
    let at = changes.iter().position(|change| *change == Vanished(edited.clone())).unwrap();
    assert_eq!(changes[at + 1], Appeared(renamed.clone()));
    link::delete_link("far").unwrap();
    let changes = await_state(&mut monitor, "renamed", |now| now.is_none());
    assert!(changes.contains(&Vanished(renamed)), "{changes:?}");
    await_state(&mut monitor, "far", |now| now.is_none());
    assert_eq!(monitor.interfaces().count(), 0);
}

fn the_monitor_recovers_from_lost_notifications() {
    let mut monitor = InterfaceMonitor::open().unwrap();
    rustix::net::sockopt::set_socket_recv_buffer_size(&monitor, 0).unwrap();
    // Far more than the little queue holds; the last words are lost.
    for round in 0..20 {
        link::create_veth(&format!("near{round}"), &format!("far{round}")).unwrap();
    }
    for round in 1..20 {
        link::delete_link(&format!("near{round}")).unwrap();
    }
    let mut there: Vec<String> = Vec::new();
    while there != ["near0", "far0"] && there != ["far0", "near0"] {
        await_readable(&monitor);
        while monitor.next_change().unwrap().is_some() {}
        there = monitor.interfaces().map(|interface| interface.name.clone()).collect();
    }
}

fn await_running(monitor: &mut InterfaceMonitor, name: &str, expected: bool) {
    await_state(monitor, name, |now| now.is_some_and(|now| now.is_running == expected));
}

/// Follows the monitor until the interface of that name is as expected; returns what it told on the way.
fn await_state(
    monitor: &mut InterfaceMonitor,
    name: &str,
    is_expected: impl Fn(Option<&Interface>) -> bool,
) -> Vec<InterfaceChange> {
    let is_so = |monitor: &InterfaceMonitor| is_expected(monitor.interfaces().find(|one| one.name == name));
    let mut changes = Vec::new();
    while !is_so(monitor) {
        await_readable(&*monitor);
        while let Some(change) = monitor.next_change().unwrap() {
            changes.push(change);
        }
    }
    changes
}

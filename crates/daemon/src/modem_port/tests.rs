use super::*;
use crate::config::QueueSettings;
use bridge_linux::poller::{Events, Poller, Token};
use bridge_linux::pty::PtyPair;
use bridge_linux::serial_port::{LockPolicy, SerialSettings};
use bridge_proto::queue::Discipline;

fn settings(pair: &PtyPair, flow: FlowControl) -> ModemSettings {
    ModemSettings {
        name: "modem".into(),
        device: pair.slave().to_owned(),
        serial: SerialSettings { speed: 115_200, flow, lock: LockPolicy::KernelOnly },
        queue: QueueSettings { discipline: Discipline::Fair, line_rate: None },
        connect: None,
        reset_command: None,
    }
}

fn await_readable(source: impl AsFd) {
    let poller = Poller::new().unwrap();
    poller.add(source, Token(0), Interest::READABLE).unwrap();
    poller.wait(&mut Events::with_capacity(1), None).unwrap();
}

/// Does the next errand of a port, if there is one to be begun; returns whether there was.
fn do_errand(port: &mut ModemPort) -> bool {
    let Some(errand) = port.begin_errand(Instant::ZERO) else { return false };
    if let Done::Opened(opened) = errand.run() {
        port.on_opened(opened.unwrap());
    }
    port.end_errand(Instant::ZERO);
    true
}

fn open_now(port: &mut ModemPort) {
    port.open();
    while do_errand(port) {}
    assert!(port.is_open());
}

fn octets_at(pair: &PtyPair) -> Vec<u8> {
    let mut octets = [0; 64];
    let len = pair.read(&mut octets).unwrap_or(0);
    octets[..len].to_vec()
}

#[test]
fn nothing_is_written_before_an_errand_is_done() {
    let pair = PtyPair::open().unwrap();
    let mut port = ModemPort::new(settings(&pair, FlowControl::None), [0; 16], Buffers::default());
    open_now(&mut port);
    port.raise_dtr();
    port.send_octets(b"ATZ\r").unwrap();
    // Neither before it is begun nor while it is under way.
    for begin in [false, true] {
        let errand = if begin { port.begin_errand(Instant::ZERO) } else { None };
        assert_eq!(errand.is_some(), begin);
        port.flush(Instant::ZERO).unwrap();
        assert_eq!(octets_at(&pair), b"");
        assert_eq!(port.wanted_interest(), Interest::READABLE);
    }
    assert!(port.begin_errand(Instant::ZERO).is_none(), "one at a time");
    port.end_errand(Instant::ZERO);
    assert_eq!(port.wanted_interest(), Interest::BOTH);
    port.flush(Instant::ZERO).unwrap();
    await_readable(&pair);
    assert_eq!(octets_at(&pair), b"ATZ\r");
}

#[test]
fn what_is_opened_too_late_is_closed() {
    let pair = PtyPair::open().unwrap();
    let mut port = ModemPort::new(settings(&pair, FlowControl::None), [0; 16], Buffers::default());
    port.open();
    let errand = port.begin_errand(Instant::ZERO).unwrap();
    // Meanwhile the host has gone, and another has come.
    port.give_up();
    port.open();
    let Done::Opened(Ok(opened)) = errand.run() else { panic!("it is not opened") };
    assert!(!port.on_opened(opened), "the first host's");
    port.end_errand(Instant::ZERO);
    assert!(!port.is_open() && !port.is_closed() && !port.take_given_up());
    assert!(do_errand(&mut port), "it is closed");
    assert!(port.take_given_up() && !port.take_given_up(), "told once");
    // The claim on it has ended, or this would fail.
    assert!(do_errand(&mut port) && port.is_open());
    assert!(!do_errand(&mut port));
}

/// A port that is being closed, which takes its time.
fn closing(pair: &PtyPair) -> ModemPort {
    let mut port = ModemPort::new(settings(pair, FlowControl::None), [0; 16], Buffers::default());
    open_now(&mut port);
    port.give_up();
    assert!(matches!(port.begin_errand(Instant::ZERO), Some(Errand::Close(Some(_)))));
    port
}

#[test]
fn nothing_is_opened_for_a_call_that_has_been_hung_up() {
    let pair = PtyPair::open().unwrap();
    let mut port = closing(&pair);
    port.open();
    port.hang_up();
    port.end_errand(Instant::ZERO);
    assert!(port.take_given_up() && port.is_closed());
}

#[test]
fn a_call_that_waits_for_the_tty_goes_on_with_the_settings_with_which_it_began() {
    let pair = PtyPair::open().unwrap();
    let mut port = closing(&pair);
    let dialled_by = |command: &str| {
        let connect = Some(command.to_owned());
        Some(ModemSettings { connect, ..settings(&pair, FlowControl::None) })
    };
    let command = |settings: Option<ModemSettings>| settings.and_then(|settings| settings.connect);
    port.changed = dialled_by("before");
    port.open();
    port.changed = dialled_by("after");
    port.end_errand(Instant::ZERO);
    assert_eq!(command(port.take_changes()).as_deref(), Some("before"));
    while do_errand(&mut port) {}
    port.give_up();
    while do_errand(&mut port) {}
    assert_eq!(command(port.take_changes()).as_deref(), Some("after"));
    assert!(port.take_changes().is_none());
}

#[test]
fn a_port_that_becomes_another_modems_knows_nothing_of_the_one_before() {
    let (pair, other) = (PtyPair::open().unwrap(), PtyPair::open().unwrap());
    let mut port = closing(&pair);
    port.changed = Some(settings(&pair, FlowControl::RtsCts));
    port.open();
    // Now it is removed.
    port.hang_up();
    port.changed = None;
    port.end_errand(Instant::ZERO);
    assert!(port.take_given_up() && port.is_closed());
    port.adopt(settings(&other, FlowControl::None), [0; 16]);
    port.open();
    let opened = port.begin_errand(Instant::ZERO);
    assert!(matches!(opened, Some(Errand::Open(device, _)) if device == other.slave()));
    assert!(port.take_changes().is_none());
}

#[test]
fn an_errand_that_does_not_end_is_told_once() {
    let pair = PtyPair::open().unwrap();
    let mut port = closing(&pair);
    let limit = Duration::from_secs(10);
    let at = |seconds| Instant::ZERO + Duration::from_secs(seconds);
    assert_eq!(port.take_late_errand(at(9), limit), None);
    assert_eq!(port.take_late_errand(at(10), limit), Some("close it"));
    assert_eq!(port.take_late_errand(at(20), limit), None);
    assert_eq!(port.end_errand(at(25)), Duration::from_secs(25));
}

#[test]
fn closing_makes_what_has_not_been_begun_needless() {
    let pair = PtyPair::open().unwrap();
    let mut port = ModemPort::new(settings(&pair, FlowControl::None), [0; 16], Buffers::default());
    open_now(&mut port);
    port.hang_up();
    let hang_up = port.begin_errand(Instant::ZERO).unwrap();
    // The device answers nothing, and hosts come and go.
    for _ in 0..100 {
        port.raise_dtr();
        port.set_break(true);
        port.close();
        port.open();
    }
    port.give_up();
    hang_up.run();
    port.end_errand(Instant::ZERO);
    assert!(!port.is_closed());
    assert!(
        matches!(port.begin_errand(Instant::ZERO), Some(Errand::Close(Some(_)))),
        "the tty is not forgotten"
    );
    port.end_errand(Instant::ZERO);
    assert!(port.is_closed() && port.take_given_up());
}

/// What the modem gets of an IP frame with XON and XOFF in it, when the far end wants nothing escaped.
fn sent_with(flow: FlowControl) -> Vec<u8> {
    let pair = PtyPair::open().unwrap();
    let mut port = ModemPort::new(settings(&pair, flow), [0; 16], Buffers::default());
    open_now(&mut port);
    port.start_framing();
    port.set_line(LineParameters { send_accm: Accm::NONE, ..LineParameters::default() });
    port.send(Instant::ZERO, &[0x00, 0x21, 0x11, 0x13]).unwrap();
    port.flush(Instant::ZERO).unwrap();
    await_readable(&pair);
    octets_at(&pair)
}

#[test]
fn xon_and_xoff_are_escaped_where_they_are_flow_control() {
    let bare = |sent: &[u8]| sent.iter().filter(|octet| matches!(octet, 0x11 | 0x13)).count();
    let sent = sent_with(FlowControl::XonXoff);
    assert_eq!(bare(&sent), 0, "{sent:02x?}");
    assert!(sent.windows(4).any(|octets| octets == [0x7d, 0x31, 0x7d, 0x33]), "{sent:02x?}");
    assert_eq!(bare(&sent_with(FlowControl::None)), 2);
}

#[test]
fn what_was_not_accepted_is_not_counted() {
    let pair = PtyPair::open().unwrap();
    let mut port = ModemPort::new(settings(&pair, FlowControl::None), [0; 16], Buffers::default());
    open_now(&mut port);
    let ppp = [0x00, 0x2b, 1, 2, 3];
    assert_eq!(port.send(Instant::ZERO, &ppp), Err(DiscardReason::ModemNotConnected));
    assert_eq!(port.traffic, Traffic::default());
    port.start_framing();
    let accepted = (0..20_000).filter(|_| port.send(Instant::ZERO, &ppp).is_ok()).count() as u64;
    assert!(accepted < 20_000);
    let expected = Traffic { host_frames: accepted, host_octets: 5 * accepted, ..Traffic::default() };
    assert_eq!(port.traffic, expected);
    port.begin_session(Instant::ZERO);
    assert_eq!(port.traffic, Traffic::default());
}

#[test]
fn a_command_that_never_stops_talking_stops_nothing() {
    let pair = PtyPair::open().unwrap();
    let connect = Some("yes >&2".to_owned());
    let mut port = ModemPort::new(
        ModemSettings { connect, ..settings(&pair, FlowControl::None) },
        [0; 16],
        Buffers::default(),
    );
    open_now(&mut port);
    let child = port.run_command(ModemCommand::Connect).unwrap();
    await_readable(child.stderr_descriptor());
    for _ in 0..3 {
        let mut told = 0;
        assert!(port.take_command_lines(|line| {
            assert_eq!(line, "y");
            told += 1;
        }));
        // 16, and what was read with them.
        assert!((16..=16 + 512).contains(&told), "{told}");
        await_readable(port.child().unwrap().stderr_descriptor());
    }
}

#[test]
fn a_modem_can_be_opened_again_while_its_command_takes_its_time_to_end() {
    let pair = PtyPair::open().unwrap();
    let connect = Some("trap '' TERM; echo ready >&2; while :; do sleep 1000; done".to_owned());
    let mut port = ModemPort::new(
        ModemSettings { connect, ..settings(&pair, FlowControl::None) },
        [0; 16],
        Buffers::default(),
    );
    open_now(&mut port);
    let child = port.run_command(ModemCommand::Connect).unwrap();
    await_readable(child.stderr_descriptor());
    let mut command = port.take_command().unwrap();
    command.terminate().unwrap();
    port.hang_up();
    port.close();
    while do_errand(&mut port) {}
    // The errand was the last here to have it open: who is that may have to wait for the device.
    let held = std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|fd| fd.ok()?.path().read_link().ok());
    assert_eq!(held.filter(|path| path == pair.slave()).count(), 0);
    open_now(&mut port);
    assert_eq!(command.end().unwrap(), None);
    command.kill().unwrap();
    await_readable(command.exit_descriptor());
}

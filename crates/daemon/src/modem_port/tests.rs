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

/// What the modem gets of an IP frame with XON and XOFF in it, when the far end wants nothing escaped.
fn sent_with(flow: FlowControl) -> Vec<u8> {
    let pair = PtyPair::open().unwrap();
    let mut port = ModemPort::new(settings(&pair, flow), [0; 16], Buffers::default());
    port.open().unwrap();
    port.start_framing();
    port.set_line(LineParameters { send_accm: Accm::NONE, ..LineParameters::default() });
    port.send(Instant::ZERO, &[0x00, 0x21, 0x11, 0x13]).unwrap();
    port.flush(Instant::ZERO).unwrap();
    await_readable(&pair);
    let mut octets = [0; 64];
    let len = pair.read(&mut octets).unwrap();
    octets[..len].to_vec()
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
    port.open().unwrap();
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
    port.open().unwrap();
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
    port.open().unwrap();
    let child = port.run_command(ModemCommand::Connect).unwrap();
    await_readable(child.stderr_descriptor());
    let command = port.take_command().unwrap();
    command.terminate().unwrap();
    port.hang_up();
    port.close();
    port.open().unwrap();
    assert_eq!(command.end().unwrap(), None);
    command.kill().unwrap();
    await_readable(command.exit_descriptor());
}

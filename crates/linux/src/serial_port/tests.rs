//! On pseudo-terminals, which are ttys in all but modem lines.

use super::*;
use crate::poller::{Events, Interest, Poller, Token};
use crate::pty::PtyPair;

fn settings() -> SerialSettings {
    SerialSettings { speed: 115_200, flow: FlowControl::None, lock: LockPolicy::KernelOnly }
}

fn open(pair: &PtyPair) -> SerialPort {
    SerialPort::open(pair.slave(), &settings()).unwrap()
}

/// Waits for the kernel to carry octets from one end to the other.
fn await_readable(source: impl AsFd) {
    let poller = Poller::new().unwrap();
    poller.add(source, Token(0), Interest::READABLE).unwrap();
    poller.wait(&mut Events::with_capacity(1), None).unwrap();
}

fn modes(pair: &PtyPair) -> Termios {
    termios::tcgetattr(pair).unwrap()
}

#[test]
fn every_octet_passes_unchanged_both_ways() {
    let pair = PtyPair::open().unwrap();
    let mut port = open(&pair);
    let all: Vec<u8> = (0..=255).collect();
    let mut buffer = [0; 512];

    assert_eq!(port.read(&mut buffer).unwrap(), 0);
    assert_eq!(pair.write(&all).unwrap(), all.len());
    await_readable(&port);
    let len = port.read(&mut buffer).unwrap();
    assert_eq!(buffer[..len], all[..]);

    assert_eq!(port.write(&all).unwrap(), all.len());
    await_readable(&pair);
    let len = pair.read(&mut buffer).unwrap();
    assert_eq!(buffer[..len], all[..]);
}

#[test]
fn any_speed_is_taken() {
    for speed in [300, 9_600, 115_200, 250_000, 1_234_567] {
        let pair = PtyPair::open().unwrap();
        let _port = SerialPort::open(pair.slave(), &SerialSettings { speed, ..settings() }).unwrap();
        assert_eq!(modes(&pair).output_speed(), speed);
    }
}

#[test]
fn speed_zero_is_refused() {
    let pair = PtyPair::open().unwrap();
    let error = SerialPort::open(pair.slave(), &SerialSettings { speed: 0, ..settings() }).unwrap_err();
    assert_eq!(error.cause().kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn a_driver_may_miss_a_speed_by_two_percent() {
    assert!(is_close(117_500, 115_200) && is_close(112_900, 115_200));
    assert!(!is_close(9_600, 115_200) && !is_close(0, 115_200) && !is_close(118_000, 115_200));
}

#[test]
fn modes_are_set_and_restored() {
    let pair = PtyPair::open().unwrap();
    let mut cooked = modes(&pair);
    cooked.input_modes.insert(InputModes::ICRNL);
    cooked.control_modes.remove(ControlModes::HUPCL);
    termios::tcsetattr(&pair, OptionalActions::Now, &cooked).unwrap();

    let port = open(&pair);
    let raw = modes(&pair);
    assert!(!raw.input_modes.contains(InputModes::ICRNL));
    assert!(raw.input_modes.contains(InputModes::IGNBRK | InputModes::IGNPAR));
    assert!(raw.control_modes.contains(ControlModes::CLOCAL | ControlModes::CREAD | ControlModes::HUPCL));
    drop(port);

    let restored = modes(&pair);
    assert_eq!(restored.input_modes, cooked.input_modes);
    assert_eq!(restored.control_modes, cooked.control_modes | ControlModes::HUPCL);
}

#[test]
fn flow_control_is_what_the_driver_took() {
    let pair = PtyPair::open().unwrap();
    let mut port = open(&pair);
    for flow in [FlowControl::RtsCts, FlowControl::XonXoff, FlowControl::None] {
        port.set_flow_control(flow).unwrap();
        assert_eq!(port.flow_control(), flow);
        assert_eq!(modes(&pair).control_modes.contains(ControlModes::CRTSCTS), flow == FlowControl::RtsCts);
        assert_eq!(modes(&pair).input_modes.contains(InputModes::IXON), flow == FlowControl::XonXoff);
    }
}

#[test]
fn carrier_loss_hangs_up_only_when_asked_to() {
    let pair = PtyPair::open().unwrap();
    let mut port = open(&pair);
    port.set_hangup_on_carrier_loss(true).unwrap();
    assert!(!modes(&pair).control_modes.contains(ControlModes::CLOCAL));
    port.set_hangup_on_carrier_loss(false).unwrap();
    assert!(modes(&pair).control_modes.contains(ControlModes::CLOCAL));
}

#[test]
fn stale_input_is_drained() {
    let pair = PtyPair::open().unwrap();
    let mut port = open(&pair);
    pair.write(b"NO CARRIER\r\n").unwrap();
    await_readable(&port);
    port.drain_input().unwrap();
    assert_eq!(port.read(&mut [0; 64]).unwrap(), 0);
}

#[test]
fn a_full_line_takes_nothing_and_does_not_block() {
    let pair = PtyPair::open().unwrap();
    let mut port = open(&pair);
    let mut total = 0;
    loop {
        match port.write(&[b'x'; 4096]).unwrap() {
            0 => break,
            octets => total += octets,
        }
    }
    assert!(total > 0);
    assert!(port.output_queue().is_some());
}

#[test]
fn the_end_of_the_line_is_no_silence() {
    let pair = PtyPair::open().unwrap();
    let mut port = open(&pair);
    drop(pair);
    // A child that another test has just forked has the master open too, up to its own exec.
    await_readable(&port);
    let mut buffer = [0; 16];
    assert!(matches!(port.read(&mut buffer), Err(SerialError::Closed(CloseReason::DeviceGone))));
    assert!(matches!(port.write(b"x"), Err(SerialError::Closed(CloseReason::DeviceGone))));
    assert!(matches!(port.drain_input(), Err(SerialError::Closed(CloseReason::DeviceGone))));
}

#[test]
fn a_pseudo_terminal_has_no_modem_lines() {
    let pair = PtyPair::open().unwrap();
    let port = open(&pair);
    assert_eq!(port.modem_lines(), None);
    assert!(!port.control_lines().set_dtr(true).unwrap());
    assert!(!port.control_lines().hang_up().unwrap());
}

#[test]
fn a_break_is_begun_and_ended_where_there_are_breaks() {
    let pair = PtyPair::open().unwrap();
    let port = open(&pair);
    let begun = port.control_lines().set_break(true).unwrap();
    assert_eq!(port.control_lines().set_break(false).unwrap(), begun);
}

#[test]
fn a_second_user_is_refused_and_told_who_has_it() {
    let pair = PtyPair::open().unwrap();
    let port = open(&pair);
    let error = SerialPort::open(pair.slave(), &settings()).unwrap_err();
    assert!(error.is_busy());
    let this = "in use by this very program";
    assert!(error.to_string().contains(this), "{error}");
    drop(port);
    open(&pair);
}

#[test]
fn a_claim_ends_with_the_port() {
    let pair = PtyPair::open().unwrap();
    drop(open(&pair));
    // Whoever is not privileged would get EBUSY if TIOCEXCL were still in force.
    pair.open_slave().unwrap();
}

#[test]
fn a_missing_lock_directory_is_told_and_no_obstacle() {
    let pair = PtyPair::open().unwrap();
    let lock = LockPolicy::LockFileIn("/nonexistent".into());
    let port = SerialPort::open(pair.slave(), &SerialSettings { lock, ..settings() }).unwrap();
    assert!(port.lock_file_skipped().is_some_and(OsError::is_missing));
}

#[test]
fn what_is_no_port_is_refused() {
    let missing = SerialPort::open("/dev/nosuchtty", &settings()).unwrap_err();
    assert!(missing.is_missing());
    assert_eq!(missing.to_string(), "open /dev/nosuchtty: no such device");
    assert!(missing.remedy().is_some_and(|remedy| remedy.starts_with("plug the modem in")));
    let no_tty = SerialPort::open("/dev/null", &settings()).unwrap_err();
    assert_eq!(no_tty.to_string(), "open /dev/null: /dev/null is not a tty");
    assert!(no_tty.remedy().is_some_and(|remedy| remedy.contains("/dev/serial/by-id")));
    // A file is not even opened.
    let file = SerialPort::open("/proc/self/status", &settings()).unwrap_err();
    assert_eq!(file.to_string(), "open /proc/self/status: /proc/self/status is not a tty");
}

#[test]
fn what_can_be_a_tty_is_known_without_opening_it() {
    let can_be = |path: &Path| can_be_a_tty(&fs::metadata(path).unwrap());
    let pair = PtyPair::open().unwrap();
    for tty in [pair.slave(), Path::new("/dev/tty")] {
        assert!(can_be(tty), "{}", tty.display());
    }
    for other in ["/dev/null", "/dev/zero", "/dev", "/proc/self/status"] {
        assert!(!can_be(Path::new(other)), "{other}");
    }
}

//! The daemon's program, started before there is anything to serve, in a network namespace of its own.

#[path = "../../linux/tests/own_network/mod.rs"]
mod own_network;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitCode, Stdio};

use bridge_linux::interface::Interface;
use bridge_linux::link;
use bridge_linux::packet_socket::{PacketSocket, Sent};
use bridge_linux::poller::{Events, Interest, Poller, Token};
use bridge_linux::pty::PtyPair;
use own_network::Test;

const TESTS: [Test; 4] = [
    ("what_is_missing_at_the_start_ends_the_program", what_is_missing_at_the_start_ends_the_program),
    ("what_is_missing_is_waited_for_if_so_wished", what_is_missing_is_waited_for_if_so_wished),
    (
        "what_a_file_names_is_waited_for_unless_it_says_otherwise",
        what_a_file_names_is_waited_for_unless_it_says_otherwise,
    ),
    ("waiting_does_not_help_against_a_mistake", waiting_does_not_help_against_a_mistake),
];

fn main() -> ExitCode {
    own_network::main(&TESTS)
}

fn what_is_missing_at_the_start_ends_the_program() {
    let directory = Directory::new("missing");
    let device = directory.0.join("modem");
    let no_device = format!(
        "cannot open {}: no such device; plug the modem in, or give another path (see /dev/serial/by-id)\n\
         pppoe-serial-bridge: to wait for what is missing, use --wait",
        device.display()
    );
    // All of it at once.
    assert_eq!(
        end_of(&device, &[]),
        format!(
            "cannot find interface near: no such interface; there are: none that is Ethernet\n\
             pppoe-serial-bridge: {no_device}"
        )
    );
    link::create_veth("near", "far").unwrap();
    assert_eq!(end_of(&device, &[]), no_device);
}

fn waiting_does_not_help_against_a_mistake() {
    let directory = Directory::new("mistake");
    let file = directory.0.join("modem");
    fs::write(&file, "").unwrap();
    assert!(end_of(&file, &["--wait"]).contains("is not a tty; give the path of a serial port"));
}

fn what_a_file_names_is_waited_for_unless_it_says_otherwise() {
    let directory = Directory::new("file");
    let (file, device) = (directory.0.join("bridge.toml"), directory.0.join("modem"));
    let text = format!(
        "[modem.stick]\ndevice = '{}'\nconnect = 'true'\nlock = 'kernel'\n[service.internet]\n[interface.near]\n",
        device.display()
    );
    let command = || {
        let mut command = Command::new(PROGRAM);
        command.arg("--config").arg(&file).arg("--control").arg(directory.0.join("control"));
        command
    };
    fs::write(&file, &text).unwrap();
    Daemon::spawn(&mut command()).await_line("waiting for near and stick");

    fs::write(&file, format!("wait = false\n{text}")).unwrap();
    let output = command().output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("interface near") && said.contains(device.to_str().unwrap()), "{said}");
    assert!(!said.contains("--wait"), "there is no such option beside a file: {said}");
}

fn what_is_missing_is_waited_for_if_so_wished() {
    let directory = Directory::new("waiting");
    let modem = PtyPair::open().unwrap();
    // As below /dev/serial/by-id, which is only there while there is a link in it.
    let by_id = directory.0.join("by-id");
    let device = by_id.join("modem");
    let plug_in = || {
        fs::create_dir(&by_id).unwrap();
        symlink(modem.slave(), &device).unwrap();
    };
    let mut daemon = Daemon::start(&device, &directory.0.join("control"));
    daemon.await_line(&format!("waiting for near and {}", device.display()));
    daemon.await_line(&format!("ready: serving {} (waited for) on near (waited for)", device.display()));

    let mut host = Host::on_a_new_cable();
    daemon.await_line("near: the interface is there");
    plug_in();
    daemon.await_line("the device is there");
    host.send_padi(b"there");
    assert!(host.receive_pado().has_host_uniq(b"there"));

    fs::remove_dir_all(&by_id).unwrap();
    daemon.await_line(": absent");
    host.send_padi(b"gone");
    daemon.await_line("dropped a packet of");
    plug_in();
    daemon.await_line("the device is there");
    host.send_padi(b"there again");
    // Frames keep their order: an answer to the one in between would have come first.
    assert!(host.receive_pado().has_host_uniq(b"there again"));
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_pppoe-serial-bridge");
/// What every start has in common. No lock file: this is not the system's business.
const OPTIONS: [&str; 4] = ["--connect=true", "--ac-name=test", "--lock=kernel", "--log-level=debug"];

/// What the program says in the end, which comes at once, and to the effect that somebody has to mend something.
fn end_of(device: &Path, options: &[&str]) -> String {
    let output = Command::new(PROGRAM)
        .args(OPTIONS)
        .args(options)
        .arg(device)
        .args(["internet", "near"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    let (_, end) = said.split_once("pppoe-serial-bridge: ").unwrap();
    end.trim_end().to_owned()
}

/// The program at work, ended with this.
struct Daemon {
    child: Child,
    log: BufReader<ChildStderr>,
}

impl Daemon {
    fn start(device: &Path, control: &Path) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(OPTIONS).arg("--wait").arg("--control").arg(control);
        Self::spawn(command.arg(device).args(["internet", "near"]))
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        Self { child, log }
    }

    /// Reads the log up to a line that contains `words`.
    fn await_line(&mut self, words: &str) {
        let mut said = String::new();
        loop {
            let before = said.len();
            assert_ne!(self.log.read_line(&mut said).unwrap(), 0, "ended without {words:?}:\n{said}");
            if said[before..].contains(words) {
                return;
            }
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The far end of the cable.
struct Host {
    interface: Interface,
    socket: PacketSocket,
}

impl Host {
    /// Lays a cable between the host and the interface that the daemon serves.
    fn on_a_new_cable() -> Self {
        link::create_veth("near", "far").unwrap();
        let interface = Interface::find("far").unwrap();
        let socket = PacketSocket::open(&interface, PPPOE_DISCOVERY).unwrap();
        Self { interface, socket }
    }

    fn send_padi(&self, host_uniq: &[u8]) {
        let tags = [tag(0x0101, b"internet"), tag(0x0103, host_uniq)].concat();
        let length = u16::try_from(tags.len()).unwrap().to_be_bytes();
        let frame = [
            &[0xff; 6],
            &self.interface.mac[..],
            &PPPOE_DISCOVERY.to_be_bytes(),
            &[0x11, PADI, 0, 0],
            &length,
            &tags,
        ]
        .concat();
        assert_eq!(self.socket.send(&frame).unwrap(), Sent::Whole);
    }

    fn receive_pado(&mut self) -> Pado {
        await_readable(&self.socket);
        let mut buffer = [0; 1514];
        let received = self.socket.receive(&mut buffer).unwrap().unwrap();
        assert_eq!(buffer[15], PADO);
        Pado(buffer[..received.len].to_vec())
    }
}

struct Pado(Vec<u8>);

impl Pado {
    fn has_host_uniq(&self, host_uniq: &[u8]) -> bool {
        let tag = tag(0x0103, host_uniq);
        self.0.windows(tag.len()).any(|octets| octets == tag)
    }
}

/// RFC 2516 §4.
const PPPOE_DISCOVERY: u16 = 0x8863;
const PADI: u8 = 0x09;
const PADO: u8 = 0x07;

fn tag(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap();
    [&kind.to_be_bytes()[..], &length.to_be_bytes()[..], value].concat()
}

fn await_readable(source: impl std::os::fd::AsFd) {
    let poller = Poller::new().unwrap();
    poller.add(source, Token(0), Interest::READABLE).unwrap();
    poller.wait(&mut Events::with_capacity(1), None).unwrap();
}

/// A directory of one test's own, gone with it.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("bridge-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

//! The daemon's program and its control socket, with a simulated host and modem, in a network namespace of its own.

#[path = "../../linux/tests/own_network/mod.rs"]
mod own_network;
mod support;

use bridge_linux::interface::Interface;
use bridge_linux::link;
use bridge_linux::packet_socket::PacketSocket;
use bridge_linux::poller::{Events, Interest, Poller, Token};
use bridge_sim::host::profile::PPPD;
use bridge_sim::host::{Host, HostConfig, HostEvent, HostOutput};
use bridge_sim::modem::{DialResult, ModemFaults};
use bridge_sim::pppoe::Mac;
use own_network::Test;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitCode, Output, Stdio};
use std::thread;
use support::{ModemOnPty, now};

const TESTS: [Test; 13] = [
    ("a_session_is_seen_and_disconnected", a_session_is_seen_and_disconnected),
    ("a_failed_dial_is_seen_with_its_reason", a_failed_dial_is_seen_with_its_reason),
    ("a_service_is_drained_and_resumed", a_service_is_drained_and_resumed),
    ("a_modem_is_added_while_a_session_goes_on", a_modem_is_added_while_a_session_goes_on),
    ("a_file_that_cannot_be_used_changes_nothing", a_file_that_cannot_be_used_changes_nothing),
    (
        "an_interface_that_is_added_but_missing_is_a_problem",
        an_interface_that_is_added_but_missing_is_a_problem,
    ),
    ("a_script_of_the_command_line_is_read_again", a_script_of_the_command_line_is_read_again),
    ("an_interface_is_added_and_removed_by_reloads", an_interface_is_added_and_removed_by_reloads),
    ("an_open_modem_gets_another_device_after_its_call", an_open_modem_gets_another_device_after_its_call),
    ("a_device_is_another_modems_when_it_is_closed", a_device_is_another_modems_when_it_is_closed),
    (
        "what_is_renamed_again_and_again_takes_no_more_memory",
        what_is_renamed_again_and_again_takes_no_more_memory,
    ),
    ("so_much_is_logged_as_the_newest_file_says", so_much_is_logged_as_the_newest_file_says),
    ("the_command_line_says_how_much_is_logged", the_command_line_says_how_much_is_logged),
];

fn main() -> ExitCode {
    own_network::main(&TESTS)
}

fn a_session_is_seen_and_disconnected() {
    let mut world = World::new("session", DialResult::Connect);
    let status = world.daemon.status();
    assert_eq!(status["interfaces"][0]["up"], true);
    assert_eq!(status["modems"][0]["state"], "idle");
    assert_eq!(status["modems"][0]["device"], world.modem.device().display().to_string());
    assert_eq!(status["sessions"].as_array().map(Vec::len), Some(0));
    assert_eq!(status["discards"]["bad_fcs"], 0);

    let id = world.until(|event| match event {
        HostEvent::SessionOpened { id } => Some(*id),
        _ => None,
    });
    let status = world.daemon.status();
    let session = &status["sessions"][0];
    assert_eq!((&session["session"], &session["service"]), (&id.into(), &"internet".into()));
    assert_eq!((&session["interface"], &session["peer"]), (&"near".into(), &world.mac.clone().into()));
    assert_eq!(session["modem"], world.modem.device().display().to_string());
    assert_eq!(session["modem_name"], session["modem"], "it was given no other name");
    let service = &status["services"][0];
    assert_eq!((&service["state"], &service["free_modems"]), (&"busy".into(), &0.into()));
    assert_eq!(
        (&status["modems"][0]["state"], &status["services"][0]["sessions"]),
        (&"online".into(), &1.into())
    );
    let table = world.daemon.ask(&["status"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains(&format!("\n{id:#06x}")), "{table}");

    assert_eq!(world.daemon.refused(&["disconnect", "0xfff0"]), "there is no session 0xfff0");
    assert!(world.daemon.ask(&["disconnect", &id.to_string()]).status.success());
    world.until(|event| matches!(event, HostEvent::Ended { .. }).then_some(()));
}

fn a_failed_dial_is_seen_with_its_reason() {
    let modem_that_fails = ModemOnPty::start(DialResult::Busy, ModemFaults::default());
    // So long that it is still waiting when it is looked at.
    let text = format!("{}backoff_first = '5m'\n{SERVED}", modem("first", &modem_that_fails));
    let mut world = World::with_file("failed", modem_that_fails, &text);
    world.until(|event| matches!(event, HostEvent::Refused { .. }).then_some(()));
    let status = world.daemon.status();
    let modem = &status["modems"][0];
    assert_eq!(modem["failures"], 1);
    assert_eq!(modem["reason"], "BUSY");
    assert!(modem["wait_seconds"].as_u64().is_some());
    let service = &status["services"][0];
    assert_eq!((&service["state"], &service["reason"]), (&"backing off".into(), &"BUSY".into()));
    assert!(service["wait_seconds"].as_u64().is_some());
    assert!(status["problems"][0]["text"].as_str().unwrap().contains("the dial failed"));
}

fn a_service_is_drained_and_resumed() {
    let mut world = World::new("drained", DialResult::Connect);
    assert!(world.daemon.refused(&["drain", "lte"]).starts_with("there is no service \"lte\""));
    assert!(world.daemon.ask(&["drain"]).status.success());
    let service = &world.daemon.status()["services"][0];
    assert_eq!((&service["drained"], &service["state"]), (&true.into(), &"drained".into()));
    assert!(world.daemon.ask(&["resume", "internet"]).status.success());
    let service = &world.daemon.status()["services"][0];
    assert_eq!((&service["drained"], &service["state"]), (&false.into(), &"offered".into()));
    world.until(|event| matches!(event, HostEvent::SessionOpened { .. }).then_some(()));
}

/// What a file says about a modem.
fn modem(name: &str, modem: &ModemOnPty) -> String {
    let (device, script) = (modem.device().display(), SCRIPT.replace('\\', "\\\\"));
    format!(
        "[modem.{name}]\ndevice = \"{device}\"\nlock = \"kernel\"\nflow = \"none\"\nchat = \"{script}\"\n"
    )
}

const SERVED: &str = "[service.internet]\n[interface.near]\n";

fn a_modem_is_added_while_a_session_goes_on() {
    let first = ModemOnPty::start(DialResult::Connect, ModemFaults::default());
    let second = ModemOnPty::start(DialResult::Connect, ModemFaults::default());
    let one = format!("{}{SERVED}", modem("first", &first));
    let mut world = World::with_file("added", first, &one);
    let id = world.until(|event| match event {
        HostEvent::SessionOpened { id } => Some(*id),
        _ => None,
    });

    let both = format!("{}{one}", modem("second", &second));
    world.daemon.reload(&both, "configuration reloaded");
    let status = world.daemon.status();
    let names = |status: &Value| {
        let modems = status["modems"].as_array().unwrap().iter();
        modems.map(|modem| modem["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&status), ["second", "first"], "as the file has them");
    assert_eq!(status["modems"][0]["state"], "idle");
    assert_eq!(status["services"][0]["modems"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        (&status["sessions"][0]["session"], status["modems"][1]["state"].as_str()),
        (&id.into(), Some("online"))
    );
    world.daemon.reload(&both, "configuration unchanged");

    // Without its modem the session ends.
    world.daemon.reload(&format!("{}{SERVED}", modem("second", &second)), "configuration reloaded");
    world.until(|event| matches!(event, HostEvent::Ended { .. }).then_some(()));
    assert!(names(&world.daemon.status()).contains(&"second".to_owned()));
}

fn a_file_that_cannot_be_used_changes_nothing() {
    let first = ModemOnPty::start(DialResult::Connect, ModemFaults::default());
    let text = format!("{}{SERVED}", modem("first", &first));
    let mut world = World::with_file("broken", first, &text);
    let before = world.daemon.status();
    assert_eq!(world.daemon.told_manager(), "1 modem, 0 sessions");
    let said = world.daemon.reload(&text.replace("lock =", "look ="), "nothing is changed");
    assert!(said.contains("bridge.toml:3:1: ") && said.contains("`lock`"), "{said}");
    let told = world.daemon.told_manager();
    assert_eq!(told, "1 modem, 0 sessions; the newest configuration was refused, see the log");
    let after = world.daemon.status();
    assert!(before["configuration"]["refused_seconds_ago"].is_null());
    assert!(after["configuration"]["refused_seconds_ago"].as_u64().is_some());
    let problem = after["problems"][0]["text"].as_str().unwrap();
    assert!(problem.starts_with("configuration not reloaded: ") && problem.contains("`lock`"), "{problem}");
    assert_eq!((&before["modems"], &before["services"]), (&after["modems"], &after["services"]));
    world.daemon.reload(&text, "configuration unchanged");
    assert_eq!(world.daemon.told_manager(), "1 modem, 0 sessions");
    let mended = world.daemon.status();
    assert!(mended["configuration"]["refused_seconds_ago"].is_null());
    assert_eq!(mended["problems"].as_array().map(Vec::len), Some(0), "what was mended is no problem");
    world.until(|event| matches!(event, HostEvent::SessionOpened { .. }).then_some(()));
}

fn an_interface_that_is_added_but_missing_is_a_problem() {
    let first = ModemOnPty::start(DialResult::Connect, ModemFaults::default());
    let text = format!("{}{SERVED}", modem("first", &first));
    let mut world = World::with_file("missing", first, &text);
    let more = "services = [\"internet\"]\n[service.other]\n[interface.eth7]\nservices = [\"other\"]\n";
    world.daemon.reload(&format!("{text}{more}"), "reloaded");
    let status = world.daemon.status();
    let problem = status["problems"][0]["text"].as_str().unwrap();
    assert!(problem.starts_with("eth7: cannot be served yet: "), "{problem}");
    let other = &status["services"][1];
    assert_eq!((&other["name"], &other["state"]), (&"other".into(), &"no interface".into()));
    assert_eq!(other["reason"], "eth7 is absent");
    let names = (&status["modems"][0]["name"], &other["modem_names"][0]);
    assert_eq!(names, (&"first".into(), &"first".into()));
}

fn a_script_of_the_command_line_is_read_again() {
    let mut world = World::new("script", DialResult::Connect);
    let script = world.directory.join("modem.chat");
    std::fs::write(&script, "'' 'ATZ").unwrap();
    let said = world.daemon.hang_up("nothing is changed");
    assert!(said.contains("modem.chat:1:"), "{said}");
    std::fs::write(&script, format!("{SCRIPT} ")).unwrap();
    world.daemon.hang_up("configuration unchanged");
    std::fs::write(&script, format!("ABORT VOICE {SCRIPT}")).unwrap();
    assert!(world.daemon.hang_up("configuration reloaded").contains("modem /dev/pts/"));
    world.until(|event| matches!(event, HostEvent::SessionOpened { .. }).then_some(()));
}

fn an_interface_is_added_and_removed_by_reloads() {
    let first = ModemOnPty::start(DialResult::Connect, ModemFaults::default());
    let elsewhere = format!("{}[service.internet]\n[interface.other]\n", modem("first", &first));
    let both = elsewhere.replace("[interface.other]", "[interface.near]\n[interface.other]");
    link::create_veth("other", "end").unwrap();
    let mut world = World::with_file("interfaces", first, &elsewhere);
    let names = |status: &Value| {
        let interfaces = status["interfaces"].as_array().unwrap().iter();
        interfaces.map(|interface| interface["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    link::set_link_up("other", false).unwrap();
    world.daemon.listen("other: the interface is down");
    let service = &world.daemon.status()["services"][0];
    assert_eq!((&service["state"], &service["reason"]), (&"no interface".into(), &"other is down".into()));
    link::set_link_up("other", true).unwrap();
    world.daemon.listen("other: the interface is up");
    assert_eq!(world.daemon.status()["services"][0]["state"], "offered");
    assert!(world.daemon.reload(&both, "configuration reloaded").contains("interface near: added"));
    assert_eq!(names(&world.daemon.status()), ["near", "other"], "as the file has them");
    world.until(|event| matches!(event, HostEvent::SessionOpened { .. }).then_some(()));
    let said = world.daemon.reload(&elsewhere, "configuration reloaded");
    assert!(said.contains("interface near: removed"), "{said}");
    assert_eq!(names(&world.daemon.status()), ["other"]);
    world.until(|event| matches!(event, HostEvent::Ended { .. }).then_some(()));
    // And once more, in the place that it had.
    world.daemon.reload(&both, "configuration reloaded");
    world.until(|event| matches!(event, HostEvent::SessionOpened { .. }).then_some(()));
    // One that is not there is waited for.
    let said = world.daemon.reload(&both.replace("other", "missing"), "configuration reloaded");
    assert!(said.contains("missing: cannot be served yet"), "{said}");
    link::create_veth("missing", "end2").unwrap();
    world.daemon.listen("missing: the interface is there");
}

fn an_open_modem_gets_another_device_after_its_call() {
    let [first, second] = [(); 2].map(|()| ModemOnPty::start(DialResult::Connect, ModemFaults::default()));
    let text = |first: &ModemOnPty| format!("{}{SERVED}", modem("first", first));
    let (before, after) = (text(&first), text(&second));
    let mut world = World::with_file("device", first, &before);
    world.until(|event| matches!(event, HostEvent::SessionOpened { .. }).then_some(()));
    let said = world.daemon.reload(&after, "configuration reloaded");
    assert!(said.contains("modem first: changed: device"), "{said}");
    world.until(|event| matches!(event, HostEvent::Ended { .. }).then_some(()));
    world.until(|event| matches!(event, HostEvent::SessionOpened { .. }).then_some(()));
    let status = world.daemon.status();
    assert_eq!(status["modems"][0]["device"], second.device().display().to_string());
}

fn a_device_is_another_modems_when_it_is_closed() {
    let [first, second] = [(); 2].map(|()| ModemOnPty::start(DialResult::Connect, ModemFaults::default()));
    let text = |one, other| format!("{}{}{SERVED}", modem("first", one), modem("second", other));
    let (before, after) = (text(&first, &second), text(&second, &first));
    let mut world = World::with_file("swap", first, &before);
    let opened = |event: &HostEvent| matches!(event, HostEvent::SessionOpened { .. }).then_some(());
    world.until(opened);
    let said = world.daemon.reload(&after, "configuration reloaded");
    assert!(said.contains("waiting until modem first has closed the device"), "{said}");
    world.until(|event| matches!(event, HostEvent::Ended { .. }).then_some(()));
    // Whoever asks meanwhile is not offered a device that we have open ourselves.
    let mut refused = 0;
    world.until(|event| {
        refused += usize::from(matches!(event, HostEvent::Refused { .. }));
        opened(event)
    });
    assert_eq!(refused, 0);
    let said = world.daemon.hang_up("configuration unchanged");
    assert!(said.contains("the device is free") && !said.contains("the dial failed"), "{said}");
}

fn what_is_renamed_again_and_again_takes_no_more_memory() {
    let first = ModemOnPty::start(DialResult::Connect, ModemFaults::default());
    let named = |number: usize| {
        format!("{}[service.s{number}]\n[interface.near]\n", modem(&format!("m{number}"), &first))
    };
    let files: Vec<String> = (0..200).map(named).collect();
    let mut world = World::with_file("renamed", first, &files[0]);
    let mut sizes = Vec::new();
    for text in &files[1..] {
        world.daemon.reload(text, "configuration reloaded");
        let taken = world.daemon.memory_kib("smaps_rollup", "Anonymous");
        let reserved = world.daemon.memory_kib("status", "VmData");
        sizes.push((taken, reserved, world.daemon.inotify_watches()));
    }
    // All that is ever needed is had after a few.
    let (early, late) = (sizes[20], sizes[sizes.len() - 1]);
    assert!(late.0 < early.0 + 1024 && late.1 < early.1 + 4096, "{sizes:?}");
    assert_eq!(late.2, early.2);
}

fn so_much_is_logged_as_the_newest_file_says() {
    let first = ModemOnPty::start(DialResult::Connect, ModemFaults::default());
    let text = format!("{}{SERVED}", modem("first", &first));
    let mut world = World::with_file("level", first, &text);
    let said = world.daemon.reload(&format!("log_level = \"debug\"\n{text}"), "configuration reloaded");
    assert!(said.contains("configuration: log_level: changed\n"), "{said}");
    world.until(|event| matches!(event, HostEvent::SessionOpened { .. }).then_some(()));
    // Both what is an event and what is asked for each packet.
    world.daemon.listen("DEBUG near: received PADI");
    world.daemon.listen("DEBUG near: sent PADO");
    world.daemon.reload(&format!("wait = false\n{text}"), "wait: changed, which counts from the next start");
    // What was said before that, and no more.
    let said = world.daemon.hang_up("configuration unchanged");
    assert!(!said.contains("DEBUG"), "{said}");
}

fn the_command_line_says_how_much_is_logged() {
    let first = ModemOnPty::start(DialResult::Connect, ModemFaults::default());
    let text = format!("{}{SERVED}", modem("first", &first));
    let mut world = World::with_file_and("given", first, &text, &["--log-level=info"]);
    let said = world.daemon.reload(&format!("log_level = \"debug\"\n{text}"), "configuration reloaded");
    assert!(said.contains("log_level does not count: the command line has a --log-level"), "{said}");
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_pppoe-serial-bridge");
const SCRIPT: &str = "ABORT BUSY TIMEOUT 5 '' ATZ OK ATD*99# CONNECT '\\c'";

/// A bridge at work with its modem, and a host on its cable that has not asked for anything yet.
struct World {
    daemon: Daemon,
    modem: ModemOnPty,
    host: Host,
    mac: String,
    sockets: [PacketSocket; 2],
    started: bool,
    directory: PathBuf,
}

impl World {
    fn new(name: &str, dial: DialResult) -> Self {
        let directory =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("control-{name}-{}", std::process::id()));
        std::fs::create_dir(&directory).unwrap();
        let modem = ModemOnPty::start(dial, ModemFaults::default());
        Self::begin(directory, modem, None, &[])
    }

    /// Served as this file says.
    fn with_file(name: &str, modem: ModemOnPty, text: &str) -> Self {
        Self::with_file_and(name, modem, text, &[])
    }

    fn with_file_and(name: &str, modem: ModemOnPty, text: &str, options: &[&str]) -> Self {
        let directory =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("control-{name}-{}", std::process::id()));
        std::fs::create_dir(&directory).unwrap();
        Self::begin(directory, modem, Some(text), options)
    }

    fn begin(directory: PathBuf, modem: ModemOnPty, text: Option<&str>, options: &[&str]) -> Self {
        let far = cable();
        let sockets = [0x8863, 0x8864].map(|ether_type| PacketSocket::open(&far, ether_type).unwrap());
        let daemon = Daemon::start(&directory, modem.device(), text, options);
        let mac = far.mac.map(|octet| format!("{octet:02x}")).join(":");
        let host = Host::new(HostConfig::new(Mac(far.mac), PPPD), 1);
        Self { daemon, modem, host, mac, sockets, started: false, directory }
    }

    /// Lets the host at work, from the first call on, until it has said what is looked for. When its session or its
    /// patience ends, it begins again.
    fn until<T>(&mut self, mut looked_for: impl FnMut(&HostEvent) -> Option<T>) -> T {
        let poller = Poller::new().unwrap();
        for (socket, token) in self.sockets.iter().zip(0..) {
            poller.add(socket, Token(token), Interest::READABLE).unwrap();
        }
        let mut events = Events::with_capacity(2);
        let mut frame = [0; 2048];
        loop {
            if !std::mem::replace(&mut self.started, true) {
                self.host.start(now());
            }
            let mut found = None;
            while let Some(output) = self.host.poll_output() {
                match output {
                    HostOutput::Frame(frame) => drop(self.sockets[0].send(&frame).unwrap()),
                    HostOutput::Event(event) => {
                        self.started &= !matches!(event, HostEvent::Ended { .. });
                        found = found.or_else(|| looked_for(&event));
                    }
                }
            }
            if let Some(found) = found {
                return found;
            }
            if !self.started {
                continue;
            }
            poller.wait(&mut events, self.host.poll_timeout().map(|due| due - now())).unwrap();
            for socket in &mut self.sockets {
                while let Some(received) = socket.receive(&mut frame).unwrap() {
                    self.host.handle_frame(now(), &frame[..received.len]);
                }
            }
            self.host.handle_timeout(now());
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.daemon.end();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// The interface `near` for the bridge, and the one at the other end of its cable.
fn cable() -> Interface {
    link::create_veth("near", "far").unwrap();
    Interface::find("far").unwrap()
}

/// The program at work, ended with its world.
struct Daemon {
    child: Child,
    control: PathBuf,
    file: PathBuf,
    /// Where it tells a service manager how things stand.
    manager: UnixDatagram,
    // What it says last is not read, but must find somebody who could.
    log: BufReader<ChildStderr>,
}

impl Daemon {
    /// Starts it, and waits until it is ready.
    fn start(directory: &Path, device: &Path, text: Option<&str>, options: &[&str]) -> Self {
        let (script, control) = (directory.join("modem.chat"), directory.join("control"));
        let file = directory.join("bridge.toml");
        std::fs::write(&script, SCRIPT).unwrap();
        let manager = UnixDatagram::bind(directory.join("manager")).unwrap();
        // No lock file: this is not the system's business.
        let mut command = Command::new(PROGRAM);
        command.env("NOTIFY_SOCKET", directory.join("manager"));
        command.arg("--control").arg(&control).args(options);
        if let Some(text) = text {
            std::fs::write(&file, text).unwrap();
            command.arg("--config").arg(&file);
        } else {
            command.args(["--lock=kernel", "--flow=none", "--ac-name=test", "--chatscript"]).arg(&script);
            command.arg(device).args(["internet", "near"]);
        }
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut daemon = Self { child, control, file, manager, log };
        daemon.listen("ready: serving");
        daemon
    }

    /// Reads its log until it says this, and gives what it has said.
    fn listen(&mut self, words: &str) -> String {
        let mut said = String::new();
        while !said.contains(words) {
            assert_ne!(self.log.read_line(&mut said).unwrap(), 0, "the bridge has ended: {said}");
        }
        said
    }

    /// Lets it read another file, and waits until it says this.
    fn reload(&mut self, text: &str, words: &str) -> String {
        std::fs::write(&self.file, text).unwrap();
        self.hang_up(words)
    }

    /// How much memory of this kind it has, by a file of the kernel's. Of what is taken `status` tells a figure that is
    /// out by some pages for each processor, and counts the pages of the program itself, which come and go.
    fn memory_kib(&self, file: &str, kind: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap();
        let size = status.lines().find_map(|line| line.strip_prefix(kind)?.strip_prefix(':')).unwrap();
        size.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// How many directories it has watched.
    fn inotify_watches(&self) -> usize {
        let infos = std::fs::read_dir(format!("/proc/{}/fdinfo", self.child.id())).unwrap();
        let texts = infos.map(|info| std::fs::read_to_string(info.unwrap().path()).unwrap_or_default());
        texts.map(|text| text.lines().filter(|line| line.starts_with("inotify ")).count()).sum()
    }

    /// Lets it read its configuration again, and waits until it says this.
    fn hang_up(&mut self, words: &str) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
        self.listen(words)
    }

    /// The next line that `systemctl status` would show.
    fn told_manager(&self) -> String {
        let mut octets = [0; 256];
        loop {
            let len = self.manager.recv(&mut octets).unwrap();
            let told = String::from_utf8_lossy(&octets[..len]).into_owned();
            if let Some(status) = told.strip_prefix("STATUS=") {
                return status.to_owned();
            }
        }
    }

    /// Runs a subcommand.
    fn ask(&self, words: &[&str]) -> Output {
        Command::new(PROGRAM).args(words).arg("--control").arg(&self.control).output().unwrap()
    }

    fn status(&self) -> Value {
        let output = self.ask(&["status", "--json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What is said to a command that is not obeyed.
    fn refused(&self, words: &[&str]) -> String {
        let output = self.ask(words);
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        said.trim_end().strip_prefix("pppoe-serial-bridge: ").unwrap().to_owned()
    }

    /// Ends it, and finds that nobody can be asked any more.
    fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        assert!(thread::panicking() || self.refused(&["status"]).starts_with("no bridge is running"));
    }
}

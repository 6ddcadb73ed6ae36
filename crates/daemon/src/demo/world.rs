//! [`World`]: the network, the wires, the actors at their ends and the bridge between them, and the one loop that
//! moves them all.

use super::facts::Facts;
use super::now;
use super::script::ScriptDirectory;
use super::tap::Tap;
use bridge_linux::OsError;
use bridge_linux::child::{Child, StderrLine};
use bridge_linux::interface::Interface;
use bridge_linux::packet_socket::PacketSocket;
use bridge_linux::poller::{Events, Interest, Poller, Token};
use bridge_linux::pty::PtyPair;
use bridge_linux::signals::{Signal, SignalSet};
use bridge_linux::{link, namespace};
use bridge_proto::time::Instant;
use bridge_sim::host::profile::PPPD;
use bridge_sim::host::{Host, HostConfig, HostOutput};
use bridge_sim::modem::profile::{ModemProfile, QUECTEL};
use bridge_sim::modem::{Modem, ModemConfig, ModemOutput};
use bridge_sim::ppp::lcp::{AUTH, AuthProtocol, LcpConfig, Wish};
use bridge_sim::ppp::negotiator::Patience;
use bridge_sim::pppoe::{ETHERTYPE_DISCOVERY, ETHERTYPE_SESSION, Mac};
use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::File;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The host's end of the cable.
pub(super) const HOST_INTERFACE: &str = "demo-host";
/// The bridge's end of the cable.
const BRIDGE_INTERFACE: &str = "demo-bridge";
/// What is offered and asked for.
pub(super) const SERVICE: &str = "internet";
/// Bits per second of the serial line.
pub(super) const SPEED: u32 = 460_800;
/// Octets per second of the serial line: ten bits each.
pub(super) const LINE_RATE: u32 = SPEED / 10;

const HOST_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const FAR_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// Where the bridge says that it is ready: an abstract socket, which only its network namespace can see.
const NOTIFY_SOCKET: &str = "pppoe-serial-bridge-demo";

/// A mobile stick that is to the letter of RFC 1662 about what must be escaped, and wants to know who calls.
const MODEM: ModemProfile = ModemProfile {
    name: "demo",
    lcp: LcpConfig {
        wishes: &[Wish::Accm(0), Wish::Auth(&[AuthProtocol::Pap]), Wish::Magic, Wish::Pfc, Wish::Acfc],
        rejects: &[AUTH],
        max_peer_mru: u16::MAX,
    },
    // A restart timer of one second, not of three: the far end sits one out before it hangs up.
    patience: Patience::every(Duration::from_secs(1), 30),
    is_strict: true,
    ..QUECTEL
};

const SIGNALS: Token = Token(0);
const DISCOVERY: Token = Token(1);
const SESSION: Token = Token(2);
const TTY: Token = Token(3);
const READY: Token = Token(4);
const BRIDGE_LOG: Token = Token(5);
const BRIDGE_END: Token = Token(6);

/// See the [module](self).
#[derive(Debug)]
pub(super) struct World {
    // In this order when dropped: first the bridge ends, then what it stands on goes.
    bridge: Option<Child>,
    signals: SignalSet,
    poller: Poller,
    discovery: PacketSocket,
    session: PacketSocket,
    tty: PtyPair,
    /// Held open so that the tty stays there, and its master silent, between two calls.
    _tty_user: OwnedFd,
    tty_interest: Interest,
    /// What the modem has said and the tty has not yet taken.
    to_tty: VecDeque<u8>,
    ready: UnixDatagram,
    script: ScriptDirectory,
    pub(super) host: Host,
    pub(super) modem: Modem,
    pub(super) facts: Facts,
    pub(super) tap: Tap,
    /// Whether it took a user namespace to get a network namespace.
    pub(super) is_in_user_namespace: bool,
}

impl World {
    /// Makes everything but the bridge.
    ///
    /// # Errors
    /// What this machine does not give, mostly a namespace.
    pub(super) fn open(dial_time: Duration) -> Result<Self, OsError> {
        let user_namespace = || std::fs::read_link("/proc/self/ns/user").ok();
        let before = user_namespace();
        namespace::enter_user_and_network_namespace()?;
        let is_in_user_namespace = user_namespace() != before;
        let signals = SignalSet::open()?;
        link::create_veth(HOST_INTERFACE, BRIDGE_INTERFACE)?;
        let interface = Interface::find(HOST_INTERFACE)?;
        let discovery = PacketSocket::open(&interface, ETHERTYPE_DISCOVERY)?;
        let session = PacketSocket::open(&interface, ETHERTYPE_SESSION)?;
        let tty = PtyPair::open()?;
        let seed = u64::from_ne_bytes(bridge_linux::random::octets()?);
        let host = HostConfig { service: SERVICE.into(), ..HostConfig::new(Mac(interface.mac), PPPD) };
        let modem = ModemConfig {
            dial_time,
            rate: Some(LINE_RATE),
            ..ModemConfig::new(&MODEM, FAR_ADDRESS, HOST_ADDRESS)
        };
        let world = Self {
            bridge: None,
            poller: Poller::new()?,
            _tty_user: tty.open_slave()?,
            tty_interest: Interest::READABLE,
            to_tty: VecDeque::new(),
            ready: listen_for_readiness()?,
            script: ScriptDirectory::create()?,
            host: Host::new(host, seed),
            modem: Modem::new(modem, seed.wrapping_add(1)),
            facts: Facts::default(),
            tap: Tap::new(),
            signals,
            discovery,
            session,
            tty,
            is_in_user_namespace,
        };
        world.watch_wires().map_err(|cause| OsError::new("watch", "wires", cause))?;
        Ok(world)
    }

    fn watch_wires(&self) -> std::io::Result<()> {
        self.poller.add(&self.signals, SIGNALS, Interest::READABLE)?;
        self.poller.add(&self.discovery, DISCOVERY, Interest::READABLE)?;
        self.poller.add(&self.session, SESSION, Interest::READABLE)?;
        self.poller.add(&self.tty, TTY, self.tty_interest)?;
        self.poller.add(&self.ready, READY, Interest::READABLE)
    }

    /// The bridge's command line behind the program's name.
    pub(super) fn bridge_arguments(&self) -> Vec<String> {
        vec![
            format!("--chatscript={}", quote(&self.script.script().display().to_string())),
            format!("--control={}", quote(&self.script.control().display().to_string())),
            "--ac-name=demo".to_owned(),
            format!("--speed={SPEED}"),
            "--lock=kernel".to_owned(),
            "--log-level=debug".to_owned(),
            self.device().display().to_string(),
            SERVICE.to_owned(),
            BRIDGE_INTERFACE.to_owned(),
        ]
    }

    /// The path of the modem's tty.
    pub(super) fn device(&self) -> &Path {
        self.tty.slave()
    }

    /// Starts the bridge: this program, with an ordinary command line. [`Facts::ready`] follows.
    ///
    /// # Errors
    /// No process to be had.
    pub(super) fn start_bridge(&mut self) -> Result<(), OsError> {
        let failed = |what| move |cause| OsError::new("start", what, cause);
        let program: PathBuf = std::env::current_exe().map_err(failed("this program once more"))?;
        let command = format!("exec \"$DEMO_PROGRAM\" {}", self.bridge_arguments().join(" "));
        let notify = format!("@{NOTIFY_SOCKET}");
        let environment = [("DEMO_PROGRAM", program.as_os_str()), ("NOTIFY_SOCKET", OsStr::new(&notify))];
        // It reads nothing, and what it has to say goes to standard error.
        let nothing =
            File::options().read(true).write(true).open("/dev/null").map_err(failed("the bridge"))?;
        let bridge = Child::spawn(&command, &nothing, &environment)?;
        let watch = |descriptor, token| self.poller.add(descriptor, token, Interest::READABLE);
        watch(bridge.stderr_descriptor(), BRIDGE_LOG)
            .and_then(|()| watch(bridge.exit_descriptor(), BRIDGE_END))
            .map_err(|cause| OsError::new("watch", "the bridge", cause))?;
        self.bridge = Some(bridge);
        Ok(())
    }

    /// The bridge's process number, while it runs.
    pub(super) fn bridge_pid(&self) -> Option<u32> {
        self.bridge.as_ref().map(Child::pid)
    }

    /// Asks the bridge to end, as a service manager would. [`Facts::bridge_end`] follows.
    pub(super) fn stop_bridge(&mut self) {
        if let Some(bridge) = &mut self.bridge {
            // It can only have ended already, which is heard of all the same.
            let _ = bridge.terminate();
        }
    }

    /// Moves everything until something has happened, or until `deadline`.
    ///
    /// # Errors
    /// The kernel does not say what is ready.
    pub(super) fn turn(&mut self, events: &mut Events, deadline: Instant) -> Result<(), OsError> {
        let due = [Some(deadline), self.host.poll_timeout(), self.modem.poll_timeout()];
        let timeout = due.into_iter().flatten().min().map(|due| due - now());
        self.poller.wait(events, timeout).map_err(|cause| OsError::new("wait for", "events", cause))?;
        let now = now();
        for readiness in events.iter() {
            match readiness.token {
                SIGNALS => self.on_signals(),
                DISCOVERY | SESSION => self.on_frames(now),
                TTY if readiness.readable => self.on_tty(now),
                READY => self.on_ready(now),
                BRIDGE_LOG => self.on_log(),
                BRIDGE_END => self.on_bridge_end(now),
                _ => {}
            }
        }
        self.host.handle_timeout(now);
        self.modem.handle_timeout(now);
        self.settle(now);
        Ok(())
    }

    /// Carries what the actors have to say. To be called after each word with one of them.
    pub(super) fn settle(&mut self, now: Instant) {
        while let Some(output) = self.host.poll_output() {
            match output {
                HostOutput::Frame(frame) => {
                    self.tap.host_sends(&frame);
                    // A frame that an Ethernet loses is lost; the host asks again.
                    let _ = self.session.send(&frame);
                }
                HostOutput::Event(event) => self.facts.on_host(now, event),
            }
        }
        while let Some(output) = self.modem.poll_output() {
            match output {
                ModemOutput::Octets(octets) => {
                    let frames = self.facts.conversation.on_octets(now, &octets);
                    self.tap.modem_sends(frames);
                    self.to_tty.extend(octets);
                }
                // A pseudo-terminal has no such line.
                ModemOutput::Dcd(_) => {}
                ModemOutput::Event(event) => self.facts.on_modem(now, event),
            }
        }
        self.write_tty();
        self.update_tty_interest();
    }

    fn on_frames(&mut self, now: Instant) {
        let mut frame = [0; 2048];
        for socket in [&mut self.discovery, &mut self.session] {
            while let Ok(Some(received)) = socket.receive(&mut frame) {
                let octets = frame.get(..received.len).unwrap_or_default();
                self.tap.host_hears(octets);
                self.host.handle_frame(now, octets);
            }
        }
    }

    fn on_tty(&mut self, now: Instant) {
        let mut octets = [0; 4096];
        let appetite = self.modem.appetite().min(octets.len());
        let Some(room) = octets.get_mut(..appetite).filter(|room| !room.is_empty()) else { return };
        let Ok(len) = self.tty.read(room) else { return };
        let octets = octets.get(..len).unwrap_or_default();
        if self.modem.is_online() {
            self.tap.modem_hears(octets);
        }
        self.modem.handle_octets(now, octets);
    }

    fn write_tty(&mut self) {
        while !self.to_tty.is_empty() {
            let (octets, _) = self.to_tty.as_slices();
            let Ok(written) = self.tty.write(octets) else { return };
            self.to_tty.drain(..written);
        }
    }

    fn update_tty_interest(&mut self) {
        let wanted = Interest { readable: self.modem.appetite() > 0, writable: !self.to_tty.is_empty() };
        if wanted != self.tty_interest && self.poller.modify(&self.tty, TTY, wanted).is_ok() {
            self.tty_interest = wanted;
        }
    }

    fn on_signals(&mut self) {
        while let Ok(Some(signal)) = self.signals.receive() {
            match signal {
                Signal::Interrupt | Signal::Terminate | Signal::HangUp => self.facts.interruptions += 1,
                Signal::Child | Signal::User1 => {}
            }
        }
    }

    fn on_ready(&mut self, now: Instant) {
        let mut message = [0; 256];
        while let Ok(len) = self.ready.recv(&mut message) {
            if message.get(..len).is_some_and(|message| message.starts_with(b"READY=1")) {
                self.facts.ready = Some(now);
            }
        }
    }

    fn on_log(&mut self) {
        let Some(bridge) = &mut self.bridge else { return };
        loop {
            match bridge.next_line() {
                Ok(StderrLine::Line(line)) => self.facts.on_log(&line),
                Ok(StderrLine::NotNow) => return,
                Ok(StderrLine::End) | Err(_) => {
                    let _ = self.poller.remove(bridge.stderr_descriptor());
                    return;
                }
            }
        }
    }

    fn on_bridge_end(&mut self, now: Instant) {
        // Its last words come first.
        self.on_log();
        let Some(bridge) = &self.bridge else { return };
        if let Ok(Some(end)) = bridge.end() {
            let _ = self.poller.remove(bridge.exit_descriptor());
            let _ = self.poller.remove(bridge.stderr_descriptor());
            self.bridge = None;
            self.facts.on_bridge_end(now, end);
        }
    }
}

fn listen_for_readiness() -> Result<UnixDatagram, OsError> {
    let listen = || {
        let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(NOTIFY_SOCKET)?)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    };
    listen().map_err(|cause: std::io::Error| OsError::new("listen at", NOTIFY_SOCKET, cause))
}

/// A word as a shell takes it.
fn quote(word: &str) -> String {
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"/._-=+:,@%".contains(&octet);
    if word.bytes().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(quote("/tmp/a-1/modem.chat"), "/tmp/a-1/modem.chat");
        assert_eq!(quote("/tmp/it's mine"), r"'/tmp/it'\''s mine'");
    }
}

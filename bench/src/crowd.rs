//! Many modems at one bridge: a serial line for each, a host for each on one Ethernet cable, and the one loop that
//! plays them all.

mod load;

pub use load::Work;

use std::collections::VecDeque;
use std::fs;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use bridge_linux::clock::monotonic_micros;
use bridge_linux::interface::Interface;
use bridge_linux::link;
use bridge_linux::packet_socket::PacketSocket;
use bridge_linux::poller::{Events, Interest, Poller, Token};
use bridge_linux::pty::PtyPair;
use bridge_proto::time::Instant;
use bridge_sim::host::profile::PPPD;
use bridge_sim::host::{Host, HostConfig, HostOutput};
use bridge_sim::modem::profile::QUECTEL;
use bridge_sim::modem::{Modem, ModemConfig, ModemOutput};
use bridge_sim::pppoe::{ETHERTYPE_DISCOVERY, ETHERTYPE_SESSION, Mac, PADI, PADO, Packet};
use bridge_sim::pppoe::{SERVICE_NAME, Tag, emit_tags};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SocketFlags, SocketType};

use crate::Failure;
use crate::process::{Process, Processors};

const HOST_INTERFACE: &str = "crowd-host";
const BRIDGE_INTERFACE: &str = "crowd-bridge";
/// Offers and sessions come well before; who waits longer waits in vain.
const GIVE_UP: Duration = Duration::from_secs(60);
/// A pause between two hosts that begin, so that no limit of the bridge holds them up.
const STAGGER: Duration = Duration::from_millis(50);
/// Octets each way, and datagrams under way at once: more than a line of the default speed carries at once.
const TRANSFER: u64 = 200_000;
const WINDOW: u16 = 32;

/// A bridge with its modems and hosts. The hosts do nothing until [`connect`](Self::connect).
#[derive(Debug)]
pub struct Crowd {
    /// The bridge.
    pub process: Process,
    couples: Vec<Couple>,
    air: Air,
    poller: Poller,
    configuration: PathBuf,
}

/// A modem and the host that will be its caller.
#[derive(Debug)]
struct Couple {
    host: Host,
    modem: Modem,
    tty: PtyPair,
    /// Held open so that the master stays silent while the bridge does not hold the line.
    _tty_user: OwnedFd,
    to_tty: VecDeque<u8>,
}

/// The hosts' end of the cable.
#[derive(Debug)]
struct Air {
    sender: PacketSocket,
    /// Bound to no interface: these hear what arrives for any host's address.
    receivers: [OwnedFd; 2],
    /// Frames from the bridge so far.
    heard: u64,
}

impl Crowd {
    /// Starts a bridge with so many modems and waits until it offers its service.
    ///
    /// # Errors
    /// What this machine does not give, or a bridge that offers nothing.
    pub fn gather(count: u8, program: &Path, processors: Processors) -> Result<Self, Failure> {
        link::create_veth(HOST_INTERFACE, BRIDGE_INTERFACE)?;
        let air = Air::open()?;
        let poller = Poller::new()?;
        for receiver in &air.receivers {
            poller.add(receiver, Token(u64::MAX), Interest::READABLE)?;
        }
        let mut couples = Vec::new();
        for number in 0..count {
            let couple = Couple::new(number)?;
            poller.add(&couple.tty, Token(number.into()), Interest::READABLE)?;
            couples.push(couple);
        }
        let configuration = std::env::temp_dir().join(format!("many-modems-{}.toml", std::process::id()));
        fs::write(&configuration, write_configuration(&couples))?;
        let mut command = Command::new(program);
        command.args(["--log-level", "error", "--config"]).arg(&configuration);
        command.arg("--control").arg(configuration.with_extension("control"));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let process = Process::start(&mut command, processors)?;
        let mut crowd = Self { process, couples, air, poller, configuration };
        crowd.await_offer()?;
        Ok(crowd)
    }

    /// Lets every host have its session, as far as IPv4.
    ///
    /// # Errors
    /// One of them does not get it.
    pub fn connect(&mut self) -> Result<(), Failure> {
        for number in 0..self.couples.len() {
            self.couples[number].host.start(now());
            self.play(STAGGER)?;
        }
        let end = now() + GIVE_UP;
        while self.connected() < self.couples.len() {
            if now() > end {
                return Err(
                    format!("only {} of {} are connected", self.connected(), self.couples.len()).into()
                );
            }
            self.play(STAGGER)?;
        }
        Ok(())
    }

    /// Carries data in every session, both ways, so that each of its queues has been used: one session after the
    /// other, as the hosts' end of the cable has one queue for all.
    ///
    /// # Errors
    /// The data does not arrive.
    pub fn exercise(&mut self) -> Result<(), Failure> {
        for number in 0..self.couples.len() {
            let couple = &mut self.couples[number];
            let wanted = couple.octets_received() + 2 * TRANSFER;
            couple.host.start_transfer(now(), TRANSFER, WINDOW);
            couple.modem.start_transfer(now(), TRANSFER, WINDOW);
            let end = now() + GIVE_UP;
            while self.couples[number].octets_received() < wanted {
                if now() > end {
                    return Err(format!("data of session {number} does not arrive").into());
                }
                self.play(STAGGER)?;
            }
        }
        Ok(())
    }

    /// How many hosts have IPv4.
    #[must_use]
    pub fn connected(&self) -> usize {
        self.couples.iter().filter(|couple| couple.host.endpoint().is_ip_up()).count()
    }

    /// How many frames the bridge has sent so far.
    #[must_use]
    pub fn frames_heard(&self) -> u64 {
        self.air.heard
    }

    /// Plays hosts and modems for so long.
    ///
    /// # Errors
    /// A bridge that has ended, or a kernel that does not say what is ready.
    pub fn play(&mut self, time: Duration) -> Result<(), Failure> {
        let end = now() + time;
        let mut events = Events::with_capacity(64);
        loop {
            let began = now();
            if began >= end {
                return self.process.check();
            }
            let due = self
                .couples
                .iter()
                .flat_map(|couple| [couple.host.poll_timeout(), couple.modem.poll_timeout()]);
            let due = due.flatten().min().map_or(end, |due| due.min(end));
            self.poller.wait(&mut events, Some(due - began))?;
            let now = now();
            for readiness in events.iter() {
                if let Some(couple) =
                    usize::try_from(readiness.token.0).ok().and_then(|n| self.couples.get_mut(n))
                {
                    couple.on_tty(now);
                }
            }
            self.air.deliver(now, &mut self.couples)?;
            for couple in &mut self.couples {
                couple.settle(now, &self.air.sender);
            }
        }
    }

    /// The offer is to nobody who would take it.
    fn await_offer(&mut self) -> Result<(), Failure> {
        let tags = emit_tags(&[Tag::new(SERVICE_NAME, b"")]);
        let source = mac_of(u8::MAX);
        let padi = Packet {
            destination: Mac::BROADCAST,
            source,
            ethertype: ETHERTYPE_DISCOVERY,
            code: PADI,
            session_id: 0,
            payload: &tags,
        };
        let end = now() + GIVE_UP;
        let mut buffer = [0; 2048];
        while now() < end {
            // Before anybody listens it is lost.
            let _ = self.air.sender.send(&padi.emit());
            std::thread::sleep(Duration::from_millis(20));
            self.process.check()?;
            while let Some(frame) = self.air.receive(&mut buffer)? {
                if Packet::parse(frame)
                    .is_some_and(|packet| packet.code == PADO && packet.destination == source)
                {
                    return Ok(());
                }
            }
        }
        Err("nobody has answered PADI".into())
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.configuration);
        let _ = link::delete_link(HOST_INTERFACE);
    }
}

impl Couple {
    fn new(number: u8) -> Result<Self, Failure> {
        let tty = PtyPair::open()?;
        let far_end = Ipv4Addr::new(10, 64, number, 1);
        let modem = ModemConfig {
            dial_time: Duration::from_millis(100),
            ..ModemConfig::new(&QUECTEL, far_end, Ipv4Addr::new(10, 64, number, 2))
        };
        let host = HostConfig::new(mac_of(number), PPPD);
        let seed = u64::from(number) * 2;
        Ok(Self {
            host: Host::new(host, seed),
            modem: Modem::new(modem, seed + 1),
            _tty_user: tty.open_slave()?,
            tty,
            to_tty: VecDeque::new(),
        })
    }

    /// At both ends.
    fn octets_received(&self) -> u64 {
        [self.host.endpoint(), self.modem.endpoint()].map(|end| end.statistics().octets_received).iter().sum()
    }

    fn on_tty(&mut self, now: Instant) {
        let mut octets = [0; 4096];
        if let Ok(len) = self.tty.read(&mut octets) {
            self.modem.handle_octets(now, &octets[..len]);
        }
    }

    fn settle(&mut self, now: Instant, sender: &PacketSocket) {
        self.host.handle_timeout(now);
        self.modem.handle_timeout(now);
        while let Some(output) = self.host.poll_output() {
            if let HostOutput::Frame(frame) = output {
                // A frame that an Ethernet loses is lost; the host asks again.
                let _ = sender.send(&frame);
            }
        }
        while let Some(output) = self.modem.poll_output() {
            if let ModemOutput::Octets(octets) = output {
                self.to_tty.extend(octets);
            }
        }
        while !self.to_tty.is_empty() {
            let Ok(written) = self.tty.write(self.to_tty.as_slices().0) else { return };
            self.to_tty.drain(..written);
        }
    }
}

impl Air {
    fn open() -> Result<Self, Failure> {
        let sender = PacketSocket::open(&Interface::find(HOST_INTERFACE)?, ETHERTYPE_DISCOVERY)?;
        let receiver = |ethertype: u16| {
            let protocol =
                rustix::net::RawProtocol::new(u32::from(ethertype.to_be())).map(Protocol::from_raw);
            rustix::net::socket_with(AddressFamily::PACKET, SocketType::RAW, SocketFlags::NONBLOCK, protocol)
        };
        Ok(Self {
            sender,
            receivers: [receiver(ETHERTYPE_DISCOVERY)?, receiver(ETHERTYPE_SESSION)?],
            heard: 0,
        })
    }

    /// The next frame; those of the hosts are among them, as they arrive at the bridge.
    fn receive<'a>(&self, buffer: &'a mut [u8]) -> Result<Option<&'a [u8]>, Failure> {
        for receiver in &self.receivers {
            match rustix::net::recv(receiver, &mut *buffer, RecvFlags::empty()) {
                Ok((len, _)) => return Ok(Some(&buffer[..len])),
                Err(rustix::io::Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    fn deliver(&mut self, now: Instant, couples: &mut [Couple]) -> Result<(), Failure> {
        let mut buffer = [0; 2048];
        // The sender hears as well, and nobody listens to it.
        while self.sender.receive(&mut buffer)?.is_some() {}
        while let Some(frame) = self.receive(&mut buffer)? {
            let addressee = frame.get(..6).unwrap_or_default();
            if let Some(couple) = couples.iter_mut().find(|couple| couple.host.mac().0 == addressee) {
                self.heard += 1;
                couple.host.handle_frame(now, frame);
            }
        }
        Ok(())
    }
}

/// One service of all modems; what is not said is the default.
fn write_configuration(couples: &[Couple]) -> String {
    let modems: String = couples
        .iter()
        .enumerate()
        .map(|(number, couple)| {
            let device = couple.tty.slave().display();
            format!("[modem.m{number}]\ndevice = \"{device}\"\nlock = \"kernel\"\nflow = \"none\"\n")
        })
        .collect();
    format!("{modems}[service.internet]\n[interface.{BRIDGE_INTERFACE}]\n")
}

fn mac_of(number: u8) -> Mac {
    Mac([0x02, 0xbb, 0, 0, 0, number])
}

fn now() -> Instant {
    Instant::from_micros(monotonic_micros())
}

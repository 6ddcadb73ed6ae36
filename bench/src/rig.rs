//! What is measured, each with a network cable and a serial line of its own, up to the point where frames pass.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bridge_linux::interface::Interface;
use bridge_linux::link;
use bridge_linux::packet_socket::PacketSocket;
use bridge_linux::pty::PtyPair;
use bridge_sim::hdlc::DEFAULT_ACCM;
use bridge_sim::pppoe::{ETHERTYPE_DISCOVERY, ETHERTYPE_SESSION, Mac};

use crate::Failure;
use crate::frames::{Filler, Line};
use crate::process::{Process, Processors};
use crate::session::{Opening, SERVICE};

/// Something that moves frames between an Ethernet interface and a tty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// This bridge, mediating LCP or letting it pass.
    Bridge {
        /// LCP passes.
        transparent: bool,
    },
    /// The floor: no framing at all.
    Forwarder {
        /// As many octets on the line as with framing.
        filled: bool,
    },
    /// rp-pppoe's `pppoe`, in a session made by hand.
    RpPppoe,
    /// The Python program that this bridge replaces.
    Original,
    /// Another build of this bridge.
    Beside,
}

impl Subject {
    /// What it is called in tables.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Bridge { transparent: false } => "bridge",
            Self::Bridge { transparent: true } => "bridge, transparent LCP",
            Self::Forwarder { filled: false } => "bare forwarder",
            Self::Forwarder { filled: true } => "forwarder with filler",
            Self::RpPppoe => "rp-pppoe",
            Self::Original => "Python original",
            Self::Beside => "other build",
        }
    }

    /// Whether it lets LCP pass.
    const fn is_transparent(&self) -> bool {
        matches!(self, Self::Bridge { transparent: true })
    }

    /// Whether it is what this project answers for.
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::Bridge { .. })
    }
}

/// The programs that are run.
#[derive(Clone, Debug)]
pub struct Programs {
    /// This bridge.
    pub bridge: PathBuf,
    /// What is the bare forwarder when it is told to `forward`.
    pub bench: PathBuf,
    /// rp-pppoe's, where it is installed.
    pub rp_pppoe: Option<PathBuf>,
    /// A checkout of the Python program.
    pub original: Option<PathBuf>,
    /// Another build of this bridge.
    pub beside: Option<PathBuf>,
    /// A script of one word, which the modem answers at once.
    pub chat_script: PathBuf,
    /// What this bridge is told besides.
    pub options: &'static [&'static str],
}

/// A subject that frames pass through.
#[derive(Debug)]
pub struct Rig {
    /// The running program.
    pub process: Process,
    pub(crate) socket: PacketSocket,
    pub(crate) pty: PtyPair,
    pub(crate) line: Line,
    /// Ethernet and PPPoE header of every frame from the host, but for LENGTH.
    pub(crate) header: [u8; 20],
    /// From the start of the program to its first PADO, if it answers discovery.
    pub first_offer: Option<Duration>,
    interface: String,
    /// A control socket of its own: whoever asks the bridge of this machine is not to be answered by this one.
    control: PathBuf,
}

const SESSION_OF_PEERS: u16 = 1;

impl Rig {
    /// Starts a subject and opens its session. `number` tells its interfaces from those of the others.
    ///
    /// # Errors
    /// A program that does not run, or with which no session opens.
    pub fn start(
        subject: &Subject,
        accm: u32,
        number: usize,
        programs: &Programs,
        processors: Processors,
    ) -> Result<Self, Failure> {
        let (host_name, name) = (format!("host{number}"), format!("bridge{number}"));
        link::create_veth(&host_name, &name)?;
        let (host, ours) = (Interface::find(&host_name)?, Interface::find(&name)?);
        let mut socket = PacketSocket::open(&host, ETHERTYPE_SESSION)?;
        let discovery = PacketSocket::open(&host, ETHERTYPE_DISCOVERY)?;
        let pty = PtyPair::open()?;
        let control = programs.chat_script.with_extension(format!("control{number}"));
        let mut command = command(subject, accm, &pty, &name, &host, programs, &control)?;
        let started = Instant::now();
        let mut process = Process::start(&mut command, processors)
            .map_err(|error| format!("cannot run {}: {error}", command.get_program().display()))?;
        let mut opening = Opening { discovery, session: &mut socket, pty: &pty, host: Mac(host.mac) };
        let (mut first_offer, mut session_id) = (None, SESSION_OF_PEERS);
        match subject {
            Subject::Forwarder { .. } | Subject::RpPppoe => await_readiness(&mut process, &pty)?,
            Subject::Bridge { .. } | Subject::Beside | Subject::Original => {
                let offer = opening.find()?;
                first_offer = Some(started.elapsed());
                session_id = opening.take(&offer)?;
                match subject {
                    Subject::Original => {}
                    _ => opening.negotiate(offer.peer, session_id, accm, subject.is_transparent())?,
                }
            }
        }
        process.check()?;
        let mut header = [0; 20];
        header[..6].copy_from_slice(&ours.mac);
        header[6..12].copy_from_slice(&host.mac);
        header[12..16].copy_from_slice(&[0x88, 0x64, 0x11, 0]);
        header[16..18].copy_from_slice(&session_id.to_be_bytes());
        let line = match subject {
            Subject::Forwarder { filled } => Line::Records(filler(*filled, accm)),
            // It does not know frames whose control field is not escaped.
            Subject::RpPppoe => Line::Hdlc(DEFAULT_ACCM),
            Subject::Bridge { .. } | Subject::Beside | Subject::Original => Line::Hdlc(accm),
        };
        Ok(Self { process, socket, pty, line, header, first_offer, interface: host_name, control })
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let _ = link::delete_link(&self.interface);
        // The program is killed, and leaves it.
        let _ = std::fs::remove_file(&self.control);
    }
}

/// Waits until a program that says nothing has its line open and sleeps, which it does only to wait for frames.
fn await_readiness(process: &mut Process, pty: &PtyPair) -> Result<(), Failure> {
    loop {
        std::thread::sleep(Duration::from_millis(50));
        process.check()?;
        let is_hung_up = pty.read(&mut [0; 64]).is_err_and(|error| error.kind() != ErrorKind::WouldBlock);
        if !is_hung_up && process.is_asleep()? {
            return Ok(());
        }
    }
}

const fn filler(filled: bool, accm: u32) -> Filler {
    if filled { Filler::AsFraming(accm) } else { Filler::None }
}

fn command(
    subject: &Subject,
    accm: u32,
    pty: &PtyPair,
    interface: &str,
    host: &Interface,
    programs: &Programs,
    control: &Path,
) -> Result<Command, Failure> {
    let tty = pty.slave();
    let mac = Mac(host.mac).to_string();
    let mut command = match subject {
        Subject::Bridge { .. } | Subject::Beside => {
            let mut command = Command::new(match subject {
                Subject::Beside => programs.beside.as_ref().ok_or("no other build was named")?,
                _ => &programs.bridge,
            });
            command.arg("--chatscript").arg(&programs.chat_script);
            command.args(["--lcp", if subject.is_transparent() { "transparent" } else { "mediate" }]);
            // As fast as it goes, and no LCP of its own while frames are counted.
            command.args(["--speed", "20000000", "--flow", "none", "--silence", "0", "--lock", "kernel"]);
            command.arg("--control").arg(control).args(programs.options);
            command.args(["--log-level", "error"]).arg(tty).args([SERVICE, interface]);
            command
        }
        Subject::Forwarder { filled } => {
            let mut command = Command::new(&programs.bench);
            command.args(["forward", interface]).arg(tty).args([&mac, &SESSION_OF_PEERS.to_string()]);
            command.args(filled.then(|| accm.to_string()));
            command
        }
        Subject::RpPppoe => {
            let program = programs.rp_pppoe.as_deref().unwrap_or(Path::new("pppoe"));
            let mut command = Command::new(program);
            command.args(["-n", "-I", interface, "-e", &format!("{SESSION_OF_PEERS}:{mac}")]);
            // It knows no "not now": its end of the tty waits, as pppd leaves it.
            let line = OpenOptions::new().read(true).write(true).custom_flags(O_NOCTTY).open(tty)?;
            command.stdin(line.try_clone()?).stdout(line).stderr(Stdio::null());
            return Ok(command);
        }
        Subject::Original => {
            let mut command = Command::new("python3");
            let checkout = programs.original.as_ref().ok_or("no checkout of the original was named")?;
            command.arg(checkout.join("pppoe-serial-bridge.py")).arg(tty).args([SERVICE, interface]);
            command.stderr(Stdio::null());
            command
        }
    };
    command.stdin(Stdio::null()).stdout(Stdio::null());
    Ok(command)
}

const O_NOCTTY: i32 = rustix::fs::OFlags::NOCTTY.bits() as i32;

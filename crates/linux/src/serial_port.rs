//! A serial port with a modem behind it: raw, eight data bits, no parity, one stop bit, nonblocking.
//!
//! It promises: nobody else uses the port meanwhile, as far as any of three customs can tell him (lock file, `flock`,
//! `TIOCEXCL`); the speed is what was asked for, where the driver has any to set; the end of the line is told apart
//! from silence; dropping it throws away what the driver has not sent, where that lets it, leaves the port's modes as
//! they were found, and drops DTR, so that a call ends with the program. The caller times what takes time: how long DTR
//! stays down, how long a break lasts. Opening, dropping and [`ControlLines`] may take long: drivers of USB modems ask
//! the modem, and wait for its answer.
//!
//! While dialling there is no carrier, so the port opens regardless of it. Once a call is up,
//! [`SerialPort::set_hangup_on_carrier_loss`] makes its loss the end of the port; [`SerialPort::modem_lines`] tells
//! whether there is one to lose.

use std::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{
    self, ControlModes, InputModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios,
};

use crate::error::OsError;
use crate::holder;
use crate::lock_file::{self, LockFile, LockFileOutcome};
use crate::sys;

/// How a port is to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialSettings {
    /// Bits per second between computer and modem; any the driver can make, not only the classic ones.
    pub speed: u32,
    /// How either end says "wait".
    pub flow: FlowControl,
    /// Whether to take part in the custom of lock files.
    pub lock: LockPolicy,
}

/// How either end of a serial line says "wait".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowControl {
    /// Not at all.
    None,
    /// By the lines RTS and CTS.
    RtsCts,
    /// By the octets XON (0x11) and XOFF (0x13), which then cannot be sent as data.
    XonXoff,
}

/// Whether to take part in the custom of lock files. `flock` and `TIOCEXCL` are used in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockPolicy {
    /// In the first of [`lock_file::DIRECTORIES`] that is there.
    LockFile,
    /// In this directory.
    LockFileIn(PathBuf),
    /// No lock file.
    KernelOnly,
}

/// See the [module](self).
#[derive(Debug)]
pub struct SerialPort {
    tty: Arc<OwnedFd>,
    path: PathBuf,
    original: Termios,
    flow: FlowControl,
    has_speed: bool,
    // Behind `tty`, so that the lock goes after the port is closed.
    lock: Option<LockFileOutcome>,
}

impl SerialPort {
    /// Opens a port, claims it, sets it up and raises DTR and RTS.
    ///
    /// # Errors
    ///
    /// Missing rights ([`OsError::is_permission`], with a remedy), no such device ([`OsError::is_missing`]), somebody
    /// else at it ([`OsError::is_busy`]; the text says who, where that can be known), not a tty, or a driver that
    /// makes speeds, but not this one.
    pub fn open(path: impl Into<PathBuf>, settings: &SerialSettings) -> Result<Self, OsError> {
        let path = path.into();
        check_device(&path)?;
        // The lock file comes first: opening alone already moves DTR under the feet of whoever has it.
        let lock = acquire_lock_file(&path, &settings.lock)?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let tty = rustix::fs::open(&path, flags, Mode::empty()).map_err(|errno| match errno {
            Errno::BUSY => os_error("open", &path, holder::busy(holder::with_open(&path))),
            errno => os_error("open", &path, errno.into())
                .or_permission_remedy("add the program's user to the group of the device (dialout)"),
        })?;
        let original = termios::tcgetattr(&tty).map_err(|errno| match errno {
            Errno::NOTTY => not_a_tty(&path),
            errno => os_error("read modes of", &path, errno.into()),
        })?;
        rustix::fs::flock(&tty, FlockOperation::NonBlockingLockExclusive).map_err(|errno| {
            let cause = match errno {
                Errno::WOULDBLOCK => holder::busy(holder::of_flock(&tty)),
                errno => errno.into(),
            };
            os_error("lock", &path, cause)
        })?;
        termios::ioctl_tiocexcl(&tty).map_err(|errno| os_error("claim", &path, errno.into()))?;
        // From here on dropping undoes what was done.
        let mut port =
            Self { tty: Arc::new(tty), path, original, flow: settings.flow, has_speed: true, lock };
        port.set_modes(settings)?;
        // Both are a help, not a need: pseudo-terminals and some USB modems have neither.
        let _ = sys::tty::set_low_latency(port.tty.as_fd());
        let _ = sys::tty::raise_lines(port.tty.as_fd(), libc::TIOCM_DTR | libc::TIOCM_RTS);
        Ok(port)
    }

    fn set_modes(&mut self, settings: &SerialSettings) -> Result<(), OsError> {
        let failed = |operation, errno: Errno| os_error(operation, &self.path, errno.into());
        if settings.speed == 0 {
            // To the kernel speed 0 means "hang up".
            return Err(failed("set speed 0 of", Errno::INVAL));
        }
        let mut modes = self.original.clone();
        make_modem_modes(&mut modes);
        set_flow(&mut modes, settings.flow);
        modes.set_speed(settings.speed).map_err(|errno| failed("set speed of", errno))?;
        termios::tcsetattr(&self.tty, OptionalActions::Now, &modes)
            .map_err(|errno| failed("set modes of", errno))?;
        // Success means that *some* of the modes were taken, so look which.
        let taken = termios::tcgetattr(&self.tty).map_err(|errno| failed("read modes of", errno))?;
        let refused = |text: String| {
            Err(os_error("set modes of", &self.path, io::Error::new(io::ErrorKind::InvalidInput, text)))
        };
        self.has_speed = is_close(taken.output_speed(), settings.speed);
        if !self.has_speed
            && self.takes_another_speed(&taken).map_err(|errno| failed("set speed of", errno))?
        {
            return refused(format!(
                "the driver does not take speed {}, it offers {}",
                settings.speed,
                taken.output_speed()
            ));
        }
        if taken.control_modes & ControlModes::CSIZE != ControlModes::CS8 {
            return refused("the driver does not take eight data bits".to_owned());
        }
        self.flow = flow_of(&taken);
        Ok(())
    }

    /// Whether the driver of a port that kept the speed it had takes another: then it is one that makes speeds, but
    /// not the one that was asked for. The drivers of most 3G and 4G sticks (option, qcserial, sierra) make none, and
    /// leave every mode as it was.
    fn takes_another_speed(&self, kept: &Termios) -> rustix::io::Result<bool> {
        let mut modes = kept.clone();
        // Two that every UART makes.
        let another = if kept.output_speed() == 9_600 { 19_200 } else { 9_600 };
        modes.set_speed(another)?;
        termios::tcsetattr(&self.tty, OptionalActions::Now, &modes)?;
        Ok(termios::tcgetattr(&self.tty)?.output_speed() != kept.output_speed())
    }

    /// Whether the driver has a speed to set; if not, the modem's end of the line has none either, as in most sticks.
    pub fn has_speed(&self) -> bool {
        self.has_speed
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The flow control in force, which may be less than was asked for: not every driver has RTS and CTS.
    pub fn flow_control(&self) -> FlowControl {
        self.flow
    }

    /// Why there is no lock file, if one was wanted.
    pub fn lock_file_skipped(&self) -> Option<&OsError> {
        match &self.lock {
            Some(LockFileOutcome::Skipped(why)) => Some(why),
            Some(LockFileOutcome::Held(_)) | None => None,
        }
    }

    /// Reads what has arrived; 0 means nothing has, never the end of the line.
    ///
    /// # Errors
    ///
    /// [`SerialError::Closed`] at the end of the line.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SerialError> {
        match rustix::io::read(&self.tty, &mut *buffer) {
            Ok(0) if !buffer.is_empty() => Err(self.closed()),
            Ok(octets) => Ok(octets),
            Err(errno) => self.nothing_or(errno),
        }
    }

    /// Hands octets to the driver; it takes as many as it has room for, which may be 0.
    ///
    /// # Errors
    ///
    /// [`SerialError::Closed`] at the end of the line.
    pub fn write(&mut self, octets: &[u8]) -> Result<usize, SerialError> {
        rustix::io::write(&self.tty, octets).or_else(|errno| self.nothing_or(errno))
    }

    fn nothing_or(&self, errno: Errno) -> Result<usize, SerialError> {
        match errno {
            Errno::AGAIN | Errno::INTR => Ok(0),
            Errno::IO => Err(self.closed()),
            Errno::NODEV | Errno::NXIO => Err(SerialError::Closed(CloseReason::DeviceGone)),
            errno => Err(SerialError::Os(errno.into())),
        }
    }

    /// The kernel says "hung up" the same way for a lost carrier and for a lost device; the device's name tells.
    fn closed(&self) -> SerialError {
        let reason = if self.path.exists() { CloseReason::HungUp } else { CloseReason::DeviceGone };
        SerialError::Closed(reason)
    }

    /// Throws away everything received so far, such as the tail of the last call.
    ///
    /// # Errors
    ///
    /// [`SerialError::Closed`] at the end of the line.
    pub fn drain_input(&mut self) -> Result<(), SerialError> {
        termios::tcflush(&self.tty, QueueSelector::IFlush)
            .or_else(|errno| self.nothing_or(errno).map(drop))?;
        // What was on its way between driver and line discipline comes to light only now. Bounded, for a modem that
        // never stops talking.
        let mut scratch = [0; 1024];
        for _ in 0..16 {
            if self.read(&mut scratch)? == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Throws away everything the driver has not sent yet.
    ///
    /// # Errors
    ///
    /// [`SerialError::Closed`] at the end of the line.
    pub fn discard_output(&mut self) -> Result<(), SerialError> {
        termios::tcflush(&self.tty, QueueSelector::OFlush).or_else(|errno| self.nothing_or(errno).map(drop))
    }

    /// Octets the driver has not sent yet, where it can tell.
    pub fn output_queue(&self) -> Option<usize> {
        sys::tty::output_queue(self.tty.as_fd()).ok().and_then(|octets| usize::try_from(octets).ok())
    }

    /// What the modem says on its lines, or `None` if there are none (a pseudo-terminal).
    pub fn modem_lines(&self) -> Option<ModemLines> {
        let lines = sys::tty::modem_lines(self.tty.as_fd()).ok()?;
        let is_on = |line| lines & line != 0;
        Some(ModemLines {
            dcd: is_on(libc::TIOCM_CAR),
            dsr: is_on(libc::TIOCM_DSR),
            cts: is_on(libc::TIOCM_CTS),
            ri: is_on(libc::TIOCM_RNG),
        })
    }

    /// What can be said to the modem beside octets.
    pub fn control_lines(&self) -> ControlLines {
        ControlLines { tty: Arc::clone(&self.tty) }
    }

    /// Changes the flow control. [`SerialPort::flow_control`] then tells what the driver made of it.
    ///
    /// # Errors
    ///
    /// The port is gone.
    pub fn set_flow_control(&mut self, flow: FlowControl) -> Result<(), OsError> {
        let taken = self.change_modes(|modes| set_flow(modes, flow))?;
        self.flow = flow_of(&taken);
        Ok(())
    }

    /// Whether the loss of the carrier (DCD) ends the port: reading then says [`CloseReason::HungUp`]. Off at first.
    /// The kernel acts on the *change*: a carrier that is missing already is not lost any more.
    ///
    /// # Errors
    ///
    /// The port is gone.
    pub fn set_hangup_on_carrier_loss(&mut self, on: bool) -> Result<(), OsError> {
        self.change_modes(|modes| modes.control_modes.set(ControlModes::CLOCAL, !on))?;
        Ok(())
    }

    fn change_modes(&self, change: impl FnOnce(&mut Termios)) -> Result<Termios, OsError> {
        let change = || {
            let mut modes = termios::tcgetattr(&self.tty)?;
            change(&mut modes);
            termios::tcsetattr(&self.tty, OptionalActions::Now, &modes)?;
            termios::tcgetattr(&self.tty)
        };
        change().map_err(|errno: Errno| os_error("set modes of", &self.path, errno.into()))
    }
}

impl AsFd for SerialPort {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.tty.as_fd()
    }
}

impl Drop for SerialPort {
    fn drop(&mut self) {
        // Nothing here can be helped if it fails: the usual reason is that the device is gone.
        // Closing would wait, up to half a minute, for a modem that takes no more octets; some drivers of USB modems throw
        // nothing away, and do.
        let _ = termios::tcflush(&self.tty, QueueSelector::IOFlush);
        // The original modes, but for one: a call must not outlive the program.
        self.original.control_modes.insert(ControlModes::HUPCL);
        let _ = termios::tcsetattr(&self.tty, OptionalActions::Now, &self.original);
        // A claim lasts as long as anybody has the port open, a pseudo-terminal's master for one.
        let _ = termios::ioctl_tiocnxcl(&self.tty);
        // The same for a command that takes its time to end.
        let _ = rustix::fs::flock(&self.tty, FlockOperation::Unlock);
    }
}

/// DTR and the break, by which a computer talks to a modem beside its octets. Drivers of USB modems ask the modem to
/// move them and wait for its answer, for seconds if it has died, so this can be handed to a thread. It keeps the tty
/// open: it must be gone before the [`SerialPort`] is closed.
#[derive(Debug)]
pub struct ControlLines {
    tty: Arc<OwnedFd>,
}

impl ControlLines {
    /// Raises or drops DTR, the line that says "the computer is there". Returns whether there is such a line.
    ///
    /// # Errors
    ///
    /// The port is gone.
    pub fn set_dtr(&self, on: bool) -> io::Result<bool> {
        let tty = self.tty.as_fd();
        let result = if on {
            sys::tty::raise_lines(tty, libc::TIOCM_DTR)
        } else {
            sys::tty::drop_lines(tty, libc::TIOCM_DTR)
        };
        where_there_is_one(result)
    }

    /// Tells the modem to hang up, by dropping DTR; most want to see it down for some hundred milliseconds before
    /// [`ControlLines::set_dtr`] raises it again. What still waits to be sent is thrown away. Returns whether there is
    /// a DTR; if not, only the modem's own language can end the call.
    ///
    /// # Errors
    ///
    /// The port is gone.
    pub fn hang_up(&self) -> io::Result<bool> {
        termios::tcflush(&self.tty, QueueSelector::OFlush)?;
        self.set_dtr(false)
    }

    /// Begins or ends a break; the caller times it (the blocking call of the C library would hold up every port).
    /// Returns whether the driver knows breaks.
    ///
    /// # Errors
    ///
    /// The port is gone.
    pub fn set_break(&self, on: bool) -> io::Result<bool> {
        where_there_is_one(sys::tty::set_break(self.tty.as_fd(), on))
    }
}

/// What the modem says on its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModemLines {
    /// Data carrier detect: a call is up.
    pub dcd: bool,
    /// Data set ready: the modem is there.
    pub dsr: bool,
    /// Clear to send.
    pub cts: bool,
    /// Ring indicator.
    pub ri: bool,
}

/// How the line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The port has been hung up: the carrier is lost, or somebody ended all use of it.
    HungUp,
    /// The device is gone: unplugged, or the other end of a pseudo-terminal closed.
    DeviceGone,
}

/// Why a port does not carry octets.
#[derive(Debug)]
pub enum SerialError {
    /// The line has ended; the port is of no more use and can only be dropped.
    Closed(CloseReason),
    /// Anything else.
    Os(io::Error),
}

impl fmt::Display for SerialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(CloseReason::HungUp) => f.write_str("the line was hung up"),
            Self::Closed(CloseReason::DeviceGone) => f.write_str("the device is gone"),
            Self::Os(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SerialError {}

fn os_error(operation: &'static str, path: &Path, cause: io::Error) -> OsError {
    OsError::new(operation, path.display().to_string(), cause)
}

/// Whether what is there can be a tty, without opening it: that alone raises DTR at one, and sets other devices going,
/// such as watchdogs. A device of which the kernel does not tell the kind can be: a pseudo-terminal is such a one.
#[must_use]
pub fn can_be_a_tty(file: &Metadata) -> bool {
    let number = file.rdev();
    let (major, minor) = (rustix::fs::major(number), rustix::fs::minor(number));
    let kind = || fs::read_link(format!("/sys/dev/char/{major}:{minor}/subsystem"));
    file.file_type().is_char_device() && kind().map_or(true, |kind| kind.ends_with("tty"))
}

/// Whether a tty can be at `path`, without opening it.
fn check_device(path: &Path) -> Result<(), OsError> {
    match fs::metadata(path) {
        Ok(file) if can_be_a_tty(&file) => Ok(()),
        Ok(_) => Err(not_a_tty(path)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            let cause = io::Error::new(io::ErrorKind::NotFound, "no such device");
            Err(os_error("open", path, cause)
                .with_remedy("plug the modem in, or give another path (see /dev/serial/by-id)"))
        }
        Err(cause) => Err(os_error("open", path, cause)),
    }
}

fn not_a_tty(path: &Path) -> OsError {
    let cause = io::Error::new(io::ErrorKind::InvalidInput, format!("{} is not a tty", path.display()));
    os_error("open", path, cause).with_remedy("give the path of a serial port (see /dev/serial/by-id)")
}

fn acquire_lock_file(path: &Path, policy: &LockPolicy) -> Result<Option<LockFileOutcome>, OsError> {
    let directory = match policy {
        LockPolicy::KernelOnly => return Ok(None),
        LockPolicy::LockFileIn(directory) => directory.as_path(),
        LockPolicy::LockFile => {
            let mut directories = lock_file::DIRECTORIES.iter().map(Path::new);
            directories.find(|directory| directory.is_dir()).unwrap_or(Path::new(lock_file::DIRECTORIES[0]))
        }
    };
    LockFile::acquire(directory, path).map(Some)
}

/// Raw, 8N1, with breaks and misread octets left out rather than turned into zeros.
fn make_modem_modes(modes: &mut Termios) {
    modes.make_raw();
    modes.input_modes.remove(InputModes::INPCK | InputModes::IXANY);
    modes.input_modes.insert(InputModes::IGNBRK | InputModes::IGNPAR);
    modes.control_modes.remove(ControlModes::CSTOPB | ControlModes::PARENB | ControlModes::CMSPAR);
    modes.control_modes.insert(ControlModes::CREAD | ControlModes::CLOCAL | ControlModes::HUPCL);
    modes.special_codes[SpecialCodeIndex::VMIN] = 1;
    modes.special_codes[SpecialCodeIndex::VTIME] = 0;
}

fn set_flow(modes: &mut Termios, flow: FlowControl) {
    const XON: u8 = 0x11;
    const XOFF: u8 = 0x13;
    modes.control_modes.set(ControlModes::CRTSCTS, flow == FlowControl::RtsCts);
    modes.input_modes.set(InputModes::IXON | InputModes::IXOFF, flow == FlowControl::XonXoff);
    modes.special_codes[SpecialCodeIndex::VSTART] = XON;
    modes.special_codes[SpecialCodeIndex::VSTOP] = XOFF;
}

fn flow_of(modes: &Termios) -> FlowControl {
    if modes.control_modes.contains(ControlModes::CRTSCTS) {
        FlowControl::RtsCts
    } else if modes.input_modes.contains(InputModes::IXON) {
        FlowControl::XonXoff
    } else {
        FlowControl::None
    }
}

/// Within the 2 % or so by which two ends of an asynchronous line may differ: drivers report what their divider makes.
fn is_close(actual: u32, wanted: u32) -> bool {
    u64::from(actual.abs_diff(wanted)) * 50 <= u64::from(wanted)
}

/// `ENOTTY` and `EINVAL` are a driver's way to say that it has no such thing.
fn where_there_is_one(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) => match Errno::from_io_error(&error) {
            Some(Errno::NOTTY | Errno::INVAL) => Ok(false),
            _ => Err(error),
        },
    }
}

#[cfg(test)]
mod tests;

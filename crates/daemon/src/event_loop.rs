//! The one loop: waits for sockets, ttys, signals and time, and keeps the two planes going.
//!
//! It is the one place that reads the clock: when it wakes up, for all that is done then, and when that is done, to know
//! how long it may sleep.

mod commands;
mod errands;
mod ethernet;
mod modems;
mod source;

pub(crate) use modems::path_id;

use crate::config::{Loaded, Origin, Places};
use crate::control::Control;
use crate::ethernet_port::EthernetPort;
use crate::modem_port::{Done, Heard, ModemPort, open};
use crate::report::{Remedied, Report};
use crate::transmit_queue::Buffers;
use bridge_linux::OsError;
use bridge_linux::child::Child;
use bridge_linux::clock::monotonic_micros;
use bridge_linux::device_watcher::DeviceWatcher;
use bridge_linux::errands::Errands;
use bridge_linux::interface::{Interface, InterfaceMonitor};
use bridge_linux::notify::Notifier;
use bridge_linux::poller::{Events, Interest, Poller, Readiness};
use bridge_linux::random;
use bridge_linux::signals::{Signal, SignalSet};
use bridge_proto::bridge::{Bridge, Input, Seed};
use bridge_proto::discard::DiscardReason;
use bridge_proto::forward::SessionTable;
use bridge_proto::hdlc::MAX_FRAME;
use bridge_proto::id::{InterfaceId, ModemId};
use bridge_proto::modem::{ModemState, NoCarrier};
use bridge_proto::time::Instant;
use bridge_proto::wire::session::LARGEST_INFORMATION;
use source::{Source, source, token};
use std::path::Path;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Duration;
use thiserror::Error;
use tracing::{error, info, warn};

/// N_TTY gives at most 4095 octets at once.
const READ_OCTETS: usize = 4096;
/// The longest Ethernet frame we look at; longer ones are dropped and counted.
const FRAME_OCTETS: usize = 2048;
// What sessions are granted fits: behind Ethernet header, PPPoE header and protocol field here, and on the line between
// address, control and protocol fields and the FCS.
const _: () = assert!(14 + 6 + 2 + LARGEST_INFORMATION as usize <= FRAME_OCTETS);
const _: () = assert!(2 + 2 + LARGEST_INFORMATION as usize + 2 <= MAX_FRAME);
/// How often it is looked whether there is something dropped to be told.
const TELL_DISCARDS: Duration = Duration::from_secs(10);
/// Goodbyes that take so much longer than they may are not waited for.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(4);

/// Why the bridge could not start. All are the operator's to mend.
#[derive(Debug, Error)]
pub enum StartError {
    /// An interface is missing or unfit.
    #[error("cannot {}", Remedied(.0))]
    Interface(OsError),
    /// A socket, signal or timer could not be had.
    #[error("cannot {}", Remedied(.0))]
    System(#[from] OsError),
    /// The modem's device is missing or not to be opened.
    #[error("cannot {}", Remedied(.0))]
    Device(OsError),
    /// More than one of these, so that they can be mended in one go.
    #[error("{}", lines(.0))]
    Several(Vec<StartError>),
}

/// Each on a line of its own.
fn lines(errors: &[StartError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl StartError {
    /// Whether all that is wrong is that something is not there.
    pub(crate) fn is_missing(&self) -> bool {
        match self {
            Self::Interface(error) | Self::System(error) | Self::Device(error) => error.is_missing(),
            Self::Several(errors) => errors.iter().all(Self::is_missing),
        }
    }

    /// Whether what is missing may come by itself: an interface, a device, the rights that udev gives a device a
    /// moment after it has made it, or the end of whoever else is at it.
    fn is_curable_by_waiting(&self) -> bool {
        let is_late = |error: &OsError| error.is_permission() || error.is_busy();
        self.is_missing() || matches!(self, Self::Device(error) if is_late(error))
    }
}

/// What a timer of the loop itself is for; the control plane has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// As soon as what was said before is out, unless that takes too long.
    BeginBreak {
        modem: ModemId,
        give_up: Instant,
    },
    EndBreak(ModemId),
    /// A line that may have said NO CARRIER was the last for a while, if no octet has followed.
    StillQuiet {
        modem: ModemId,
        heard: Heard,
    },
    /// An interface has been down for longer than a cable takes to be plugged in again.
    StillDown(InterfaceId),
    /// By its process number.
    KillCommand(u32),
    TellDiscards,
    GiveUp,
}

impl Timer {
    /// The modem that it is about.
    pub(crate) const fn modem(self) -> Option<ModemId> {
        match self {
            Self::BeginBreak { modem, .. } | Self::EndBreak(modem) | Self::StillQuiet { modem, .. } => {
                Some(modem)
            }
            Self::StillDown(_) | Self::KillCommand(_) | Self::TellDiscards | Self::GiveUp => None,
        }
    }
}

/// The running daemon.
#[derive(Debug)]
pub struct EventLoop {
    pub(crate) poller: Poller,
    signals: SignalSet,
    monitor: InterfaceMonitor,
    pub(crate) devices: DeviceWatcher,
    /// What is done with ttys beside the loop, one thing at a time with each.
    errands: Errands<(ModemId, Done)>,
    pub(crate) notifier: Option<Notifier>,
    /// What its manager was last told of how things stand.
    told_manager: String,
    pub(crate) control: Option<Control>,
    /// What is served, and where.
    pub(crate) places: Places,
    /// Where that can be read again.
    pub(crate) origin: Option<Origin>,
    pub(crate) bridge: Bridge,
    /// When the control plane wants to be told that time has passed. It looks at each of its modems to say so, and is
    /// asked only when it was told something: what it wants is carried out then.
    pub(crate) bridge_due: Option<Instant>,
    pub(crate) table: SessionTable,
    pub(crate) ethernet: Vec<Option<EthernetPort>>,
    /// By their numbers. There is none for a modem that was removed and is closed.
    pub(crate) modems: Vec<Option<ModemPort>>,
    /// Ports that modems had which were removed, for the next new ones: what they have reserved of the buffers need
    /// not be reserved again.
    pub(crate) spare_ports: Vec<ModemPort>,
    /// What all ports share.
    pub(crate) buffers: Buffers,
    /// Modems that are to be flushed: something has happened to them.
    touched: Vec<ModemId>,
    /// Modems that are to be flushed at some time, as they say.
    held: Vec<ModemId>,
    pub(crate) report: Report,
    pub(crate) timers: Vec<(Instant, Timer)>,
    /// Commands that were asked to end.
    stopped_commands: Vec<Child>,
    /// What a modem had said behind its CONNECT.
    pub(crate) leftovers: Vec<(ModemId, Vec<u8>)>,
    frame: Box<[u8]>,
    octets: Box<[u8]>,
    exit: Option<ExitCode>,
}

impl EventLoop {
    /// Opens everything that must be there: all of it, unless the configuration says to wait for what is missing.
    ///
    /// # Errors
    /// What is missing, and how to give it.
    pub fn start(Loaded { settings, config, .. }: Loaded) -> Result<Self, StartError> {
        // Signals first: one that comes during the start must end the program in order.
        let signals = SignalSet::open()?;
        let poller = Poller::new()?;
        let monitor = InterfaceMonitor::open()?;
        let devices = DeviceWatcher::open()?;
        let modem_names = config.modems.iter().map(|modem| modem.name.clone()).collect();
        let report = Report::new(config.interfaces.clone(), modem_names);
        let buffers = Buffers::default();
        let with_key = |modem| Ok(Some(ModemPort::new(modem, random::octets()?, buffers.clone())));
        let wait = config.wait;
        let mut event_loop = Self {
            bridge: Bridge::new(config.bridge.clone(), Seed(random::octets()?)),
            bridge_due: None,
            poller,
            signals,
            monitor,
            devices,
            errands: Errands::new()?,
            notifier: Notifier::from_environment().unwrap_or_default(),
            told_manager: String::new(),
            control: None,
            ethernet: config.interfaces.iter().map(|_| None).collect(),
            table: SessionTable::new(),
            modems: config.modems.iter().cloned().map(with_key).collect::<Result<_, OsError>>()?,
            spare_ports: Vec::new(),
            buffers,
            touched: Vec::with_capacity(config.modems.len()),
            held: Vec::with_capacity(config.modems.len()),
            report,
            places: Places::new(settings, config),
            origin: None,
            timers: Vec::new(),
            leftovers: Vec::new(),
            stopped_commands: Vec::new(),
            frame: vec![0; FRAME_OCTETS].into_boxed_slice(),
            octets: vec![0; READ_OCTETS].into_boxed_slice(),
            exit: None,
        };
        event_loop.watch_all(wait)?;
        Ok(event_loop)
    }

    /// Listens for commands at `path`.
    ///
    /// # Errors
    /// The socket cannot be opened.
    pub fn serve_control(&mut self, path: &Path) -> Result<(), OsError> {
        let control = Control::open(now(), path)?;
        self.poller
            .add(&control, token(Source::Control), Interest::READABLE)
            .map_err(|cause| OsError::new("watch", path.display().to_string(), cause))?;
        self.control = Some(control);
        Ok(())
    }

    fn watch_all(&mut self, wait: bool) -> Result<(), StartError> {
        let now = now();
        let watched = |cause| OsError::new("watch", "signals, interfaces, devices and errands", cause);
        self.poller.add(&self.signals, token(Source::Signals), Interest::READABLE).map_err(watched)?;
        self.poller.add(&self.monitor, token(Source::Interfaces), Interest::READABLE).map_err(watched)?;
        self.poller.add(&self.devices, token(Source::Devices), Interest::READABLE).map_err(watched)?;
        self.poller.add(&self.errands, token(Source::Errands), Interest::READABLE).map_err(watched)?;
        let mut missing = Vec::new();
        let mut errors = Vec::new();
        for (number, name) in (0..).zip(self.places.interface_names().to_vec()) {
            let opened = Interface::find(&name).map_err(StartError::Interface).and_then(|interface| {
                self.open_interface(now, InterfaceId(number), interface).map_err(StartError::System)
            });
            match opened {
                Err(error) if wait && error.is_curable_by_waiting() => {
                    info!("{error}");
                    missing.push(name);
                }
                opened => errors.extend(opened.err()),
            }
        }
        for number in 0..self.modems.len() {
            match self.try_modem(modem_id(number)) {
                Ok(()) => self.input(now, Input::ModemAppeared { modem: modem_id(number) }),
                Err(error) if wait && error.is_curable_by_waiting() => {
                    info!("{error}");
                    missing.push(self.report.modem(modem_id(number)).to_owned());
                    // One that somebody else has is there: it is tried when it is wanted.
                    self.look_for_modem(now, modem_id(number));
                }
                Err(error) => errors.push(error),
            }
        }
        match errors.len() {
            0 => {}
            1 => return errors.pop().map_or(Ok(()), Err),
            _ => return Err(StartError::Several(errors)),
        }
        if !missing.is_empty() {
            info!("waiting for {}", missing.join(" and "));
        }
        self.timers.push((now + TELL_DISCARDS, Timer::TellDiscards));
        self.carry_out(now);
        Ok(())
    }

    /// Watches a modem's device, opens it once and closes it again: a wrong path or a missing right is the
    /// operator's to know now. Nobody is kept waiting yet.
    fn try_modem(&mut self, modem: ModemId) -> Result<(), StartError> {
        let Some(Some(port)) = self.modems.get_mut(usize::from(modem.0)) else { return Ok(()) };
        // The watcher numbers its paths as the modems are numbered.
        self.devices.watch(&port.settings.device)?;
        open(&port.settings.device, &port.settings.serial).map(drop).map_err(StartError::Device)
    }

    /// The modems and interfaces of the start, in words.
    fn served(&self) -> String {
        let mark = |name: String, is_there| if is_there { name } else { format!("{name} (waited for)") };
        let modems = (0..).map(modem_id).zip(&self.modems).filter_map(|(id, port)| {
            let is_there = self.bridge.modem_state(id) != Some(ModemState::Absent);
            Some(mark(port.as_ref()?.full_name(), is_there))
        });
        let interfaces = self.places.interface_names().iter().zip(&self.ethernet);
        let interfaces = interfaces.map(|(name, port)| mark(name.clone(), port.is_some()));
        format!("{} on {}", joined(modems), joined(interfaces))
    }

    /// Runs until a signal ends it. 0 if it ended in order.
    #[must_use]
    pub fn run(mut self) -> ExitCode {
        info!("ready: serving {}", self.served());
        if let Some(notifier) = &self.notifier {
            let _ = notifier.ready();
        }
        self.tell_manager();
        let mut events = Events::with_capacity(64);
        loop {
            if let Some(exit) = self.exit {
                return exit;
            }
            let timeout = self.next_timeout().map(|due| due - now());
            if let Err(cause) = self.poller.wait(&mut events, timeout) {
                error!("cannot wait for events: {cause}");
                return ExitCode::FAILURE;
            }
            let now = now();
            for readiness in events.iter() {
                self.on_ready(now, readiness);
            }
            self.on_time(now);
        }
    }

    fn next_timeout(&self) -> Option<Instant> {
        let own = self.timers.iter().map(|(due, _)| *due).min();
        [own, self.next_flush(), self.bridge_due].into_iter().flatten().min()
    }

    fn on_time(&mut self, now: Instant) {
        while let Some(at) = self.timers.iter().position(|(due, _)| *due <= now) {
            let (_, timer) = self.timers.swap_remove(at);
            self.on_timer(now, timer);
        }
        self.flush_due(now);
        if self.bridge_due.is_some_and(|due| due <= now) {
            self.bridge.handle_timeout(now);
            self.carry_out(now);
        }
        if self.bridge.is_finished() && self.stopped_commands.is_empty() && self.has_no_errands() {
            self.finish(ExitCode::SUCCESS);
        }
    }

    fn on_timer(&mut self, now: Instant, timer: Timer) {
        match timer {
            Timer::BeginBreak { modem, give_up } => self.begin_break(now, modem, give_up),
            Timer::EndBreak(modem) => {
                if let Some(port) = self.modem(modem) {
                    port.set_break(false);
                }
                self.begin_errand(now, modem);
            }
            Timer::StillQuiet { modem, heard } => {
                let Some(port) = self.modem(modem).filter(|port| port.is_framing()) else { return };
                let is_quiet = port.heard() == heard;
                if is_quiet && port.hear_no_carrier() == NoCarrier::SaidIfQuiet {
                    self.on_no_carrier(now, modem);
                }
            }
            Timer::StillDown(interface) => {
                let port = self.ethernet.get(usize::from(interface.0)).and_then(Option::as_ref);
                if port.is_some_and(|port| !port.interface.is_up) {
                    self.input(now, Input::InterfaceDown { interface });
                }
            }
            Timer::KillCommand(pid) => {
                if let Some(command) = self.stopped_commands.iter().find(|command| command.pid() == pid) {
                    let _ = command.kill();
                }
            }
            Timer::TellDiscards => {
                self.count_kernel_drops();
                self.report.tell_counts(now);
                self.tell_late_errands(now);
                self.tell_manager();
                self.timers.push((now + TELL_DISCARDS, Timer::TellDiscards));
            }
            Timer::GiveUp => {
                if self.bridge.is_finished() && !self.has_no_errands() {
                    warn!("a device keeps the kernel waiting, which is to close it; ending all the same");
                } else {
                    warn!("not everybody has answered the goodbye; ending all the same");
                }
                self.finish(ExitCode::SUCCESS);
            }
        }
    }

    /// Tells the service manager how things stand, if that is news.
    pub(crate) fn tell_manager(&mut self) {
        let Some(notifier) = &self.notifier else { return };
        let summary = self.summary();
        if summary != self.told_manager {
            let _ = notifier.status(&summary);
            self.told_manager = summary;
        }
    }

    fn finish(&mut self, exit: ExitCode) {
        if self.exit.is_none() {
            self.tell_all();
            info!("ended");
        }
        self.exit.get_or_insert(exit);
    }

    fn tell_all(&mut self) {
        self.count_kernel_drops();
        self.report.tell_all();
    }

    fn count_kernel_drops(&mut self) {
        let drops = self.ethernet.iter_mut().flatten().map(EthernetPort::take_kernel_drops).sum();
        self.report.discard_many(DiscardReason::KernelBacklog, drops);
    }

    fn on_ready(&mut self, now: Instant, readiness: Readiness) {
        match source(readiness.token) {
            Some(Source::Signals) => self.on_signals(now),
            Some(Source::Interfaces) => self.on_interface_changes(now),
            Some(Source::Devices) => self.on_device_changes(now),
            Some(Source::Discovery(interface)) => self.on_discovery(now, interface),
            Some(Source::Session(interface)) => self.on_session_frames(now, interface),
            Some(Source::Modem(modem)) => self.on_modem_ready(now, modem, readiness),
            Some(Source::CommandEnd(modem)) => self.on_command_end(now, modem),
            Some(Source::CommandWords(modem)) => self.on_command_words(now, modem),
            Some(Source::StoppedCommand(pid)) => self.on_stopped_command_end(pid),
            Some(Source::Control) => self.on_control(now),
            Some(Source::Errands) => self.on_errands_done(now),
            None => {}
        }
    }

    fn on_signals(&mut self, now: Instant) {
        while let Ok(Some(signal)) = self.signals.receive() {
            match signal {
                Signal::Terminate | Signal::Interrupt => {
                    info!("ending: telling everybody");
                    if let Some(notifier) = &self.notifier {
                        let _ = notifier.stopping();
                    }
                    let limit = self.bridge.longest_goodbye() + SHUTDOWN_GRACE;
                    self.timers.push((now + limit, Timer::GiveUp));
                    self.input(now, Input::Shutdown);
                }
                Signal::HangUp => self.reload(now),
                Signal::User1 => self.tell_all(),
                Signal::Child => {}
            }
        }
    }
}

/// The time since the program first asked for it.
fn now() -> Instant {
    static START: OnceLock<u64> = OnceLock::new();
    let micros = monotonic_micros();
    Instant::from_micros(micros - *START.get_or_init(|| micros))
}

fn joined(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

pub(crate) fn modem_id(number: usize) -> ModemId {
    ModemId(u16::try_from(number).unwrap_or(u16::MAX))
}

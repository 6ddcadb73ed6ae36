//! The one loop: waits for sockets, ttys, signals and time, and keeps the two planes going.
//!
//! It is the one place that reads the clock, once for each wake-up.

use crate::config::Config;
use crate::control::Control;
use crate::ethernet_port::{EthernetPort, Reception, receive, send_on};
use crate::modem_port::ModemPort;
use crate::report::{Remedied, Report};
use bridge_linux::OsError;
use bridge_linux::child::Child;
use bridge_linux::clock::monotonic_micros;
use bridge_linux::device_watcher::{DeviceChange, DeviceState, DeviceWatcher, PathId};
use bridge_linux::interface::{Interface, InterfaceChange, InterfaceMonitor};
use bridge_linux::notify::Notifier;
use bridge_linux::poller::{Events, Interest, Poller, Readiness, Token};
use bridge_linux::random;
use bridge_linux::serial_port::SerialError;
use bridge_linux::signals::{Signal, SignalSet};
use bridge_proto::bridge::{Bridge, Input, ModemCommand, Seed};
use bridge_proto::discard::DiscardReason;
use bridge_proto::event::Direction;
use bridge_proto::forward::{self, SessionTable, ToHost, ToModem};
use bridge_proto::hdlc::MAX_FRAME;
use bridge_proto::id::{InterfaceId, ModemId};
use bridge_proto::modem::{self, NoCarrier};
use bridge_proto::time::Instant;
use bridge_proto::wire::ethernet::MacAddr;
use bridge_proto::wire::session::LARGEST_INFORMATION;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use thiserror::Error;
use tracing::{error, info, warn};

/// Session frames taken from a socket before their modems are written to: enough to halve the cost of a
/// frame, few enough to fit what a tty takes at once.
const BATCH: usize = 8;
/// Discovery packets taken from a socket before anything else gets its turn.
const DISCOVERY_BATCH: usize = 32;
/// N_TTY gives at most 4095 octets at once.
const READ_OCTETS: usize = 4096;
/// The longest Ethernet frame we look at; longer ones are dropped and counted.
const FRAME_OCTETS: usize = 2048;
// What sessions are granted fits: behind Ethernet header, PPPoE header and protocol field here, and on the line between
// address, control and protocol fields and the FCS.
const _: () = assert!(14 + 6 + 2 + LARGEST_INFORMATION as usize <= FRAME_OCTETS);
const _: () = assert!(2 + 2 + LARGEST_INFORMATION as usize + 2 <= MAX_FRAME);
/// How long a break lasts: as long as tcsendbreak(3) makes it.
const BREAK: Duration = Duration::from_millis(250);
/// A modem that says NO CARRIER in the middle of a frame says nothing for at least so long.
const QUIET: Duration = Duration::from_millis(200);
/// An interface that is down for so long takes its sessions with it.
const DOWN: Duration = Duration::from_secs(10);
/// How often it is looked whether there is something dropped to be told.
const TELL_DISCARDS: Duration = Duration::from_secs(10);
/// How long an external command may take to end once it is asked to.
const COMMAND_GRACE: Duration = Duration::from_secs(2);
/// A goodbye that takes longer than this is not waited for.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(8);

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
}

impl StartError {
    /// Whether what is missing may come by itself: an interface, a device, or the rights that udev gives a device
    /// a moment after it has made it.
    fn is_curable_by_waiting(&self) -> bool {
        match self {
            Self::Interface(error) | Self::System(error) => error.is_missing(),
            Self::Device(error) => error.is_missing() || error.is_permission(),
        }
    }
}

/// What a timer of the loop itself is for; the control plane has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    BeginBreak(ModemId),
    EndBreak(ModemId),
    /// A line that may have said NO CARRIER was the last for a while, if no octet has followed.
    StillQuiet {
        modem: ModemId,
        octets: usize,
    },
    /// An interface has been down for longer than a cable takes to be plugged in again.
    StillDown(InterfaceId),
    /// By its process number.
    KillCommand(u32),
    TellDiscards,
    GiveUp,
}

/// What a readiness is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Signals,
    Interfaces,
    Devices,
    Discovery(InterfaceId),
    Session(InterfaceId),
    Modem(ModemId),
    CommandEnd(ModemId),
    CommandWords(ModemId),
    /// By its process number.
    StoppedCommand(u32),
    Control,
}

/// The running daemon.
#[derive(Debug)]
pub struct EventLoop {
    pub(crate) poller: Poller,
    signals: SignalSet,
    monitor: InterfaceMonitor,
    devices: DeviceWatcher,
    notifier: Option<Notifier>,
    pub(crate) control: Option<Control>,
    pub(crate) interface_names: Vec<String>,
    pub(crate) bridge: Bridge,
    pub(crate) table: SessionTable,
    pub(crate) ethernet: Vec<Option<EthernetPort>>,
    pub(crate) modems: Vec<ModemPort>,
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
    pub fn start(config: Config) -> Result<Self, StartError> {
        // Signals first: one that comes during the start must end the program in order.
        let signals = SignalSet::open()?;
        let poller = Poller::new()?;
        let monitor = InterfaceMonitor::open()?;
        let devices = DeviceWatcher::open()?;
        let modem_names = config.modems.iter().map(|modem| modem.device.display().to_string()).collect();
        let report = Report::new(config.interfaces.clone(), modem_names);
        let with_key = |modem| Ok(ModemPort::new(modem, random::octets()?));
        let mut event_loop = Self {
            bridge: Bridge::new(config.bridge, Seed(random::octets()?)),
            poller,
            signals,
            monitor,
            devices,
            notifier: Notifier::from_environment().unwrap_or_default(),
            control: None,
            ethernet: config.interfaces.iter().map(|_| None).collect(),
            interface_names: config.interfaces,
            table: SessionTable::new(),
            modems: config.modems.into_iter().map(with_key).collect::<Result<_, OsError>>()?,
            report,
            timers: Vec::new(),
            leftovers: Vec::new(),
            stopped_commands: Vec::new(),
            frame: vec![0; FRAME_OCTETS].into_boxed_slice(),
            octets: vec![0; READ_OCTETS].into_boxed_slice(),
            exit: None,
        };
        event_loop.watch_all(config.wait)?;
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
        let watched = |cause| OsError::new("watch", "signals, interfaces and devices", cause);
        self.poller.add(&self.signals, token(Source::Signals), Interest::READABLE).map_err(watched)?;
        self.poller.add(&self.monitor, token(Source::Interfaces), Interest::READABLE).map_err(watched)?;
        self.poller.add(&self.devices, token(Source::Devices), Interest::READABLE).map_err(watched)?;
        let mut missing = Vec::new();
        for (number, name) in (0..).zip(self.interface_names.clone()) {
            let opened = Interface::find(&name).map_err(StartError::Interface).and_then(|interface| {
                self.open_interface(now, InterfaceId(number), interface).map_err(StartError::System)
            });
            match opened {
                Err(error) if wait && error.is_curable_by_waiting() => {
                    info!("{error}");
                    missing.push(name);
                }
                opened => opened?,
            }
        }
        for number in 0..self.modems.len() {
            match self.try_modem(modem_id(number)) {
                Ok(()) => self.input(now, Input::ModemAppeared { modem: modem_id(number) }),
                Err(error) if wait && error.is_curable_by_waiting() => {
                    info!("{error}");
                    missing.push(self.report.modem(modem_id(number)).to_owned());
                }
                Err(error) => return Err(error),
            }
        }
        if !missing.is_empty() {
            info!("waiting for {}", missing.join(" and "));
        }
        self.timers.push((now + TELL_DISCARDS, Timer::TellDiscards));
        Ok(())
    }

    /// Watches a modem's device, opens it once and closes it again: a wrong path or a missing right is the
    /// operator's to know now.
    fn try_modem(&mut self, modem: ModemId) -> Result<(), StartError> {
        let Some(port) = self.modems.get_mut(usize::from(modem.0)) else { return Ok(()) };
        // The watcher numbers its paths as the modems are numbered.
        self.devices.watch(&port.settings.device)?;
        port.open().map_err(StartError::Device)?;
        port.close();
        Ok(())
    }

    /// Runs until a signal ends it. 0 if it ended in order.
    #[must_use]
    pub fn run(mut self) -> ExitCode {
        for (name, modem) in self.interface_names.iter().zip(&self.modems) {
            info!("ready: serving {} on {name}", modem.settings.device.display());
        }
        if let Some(notifier) = &self.notifier {
            let _ = notifier.ready();
        }
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
        let flush = self.modems.iter().filter_map(ModemPort::next_flush).min();
        [own, flush, self.bridge.poll_timeout()].into_iter().flatten().min()
    }

    fn on_time(&mut self, now: Instant) {
        while let Some(at) = self.timers.iter().position(|(due, _)| *due <= now) {
            let (_, timer) = self.timers.swap_remove(at);
            self.on_timer(now, timer);
        }
        if self.modems.iter().filter_map(ModemPort::next_flush).any(|due| due <= now) {
            self.flush_modems(now);
        }
        if self.bridge.poll_timeout().is_some_and(|due| due <= now) {
            self.bridge.handle_timeout(now);
            self.carry_out(now);
        }
        if self.bridge.is_finished() && self.stopped_commands.is_empty() {
            self.finish(ExitCode::SUCCESS);
        }
    }

    fn on_timer(&mut self, now: Instant, timer: Timer) {
        match timer {
            Timer::BeginBreak(modem) => {
                if let Some(port) = self.modem(modem) {
                    port.set_break(true);
                }
                self.timers.push((now + BREAK, Timer::EndBreak(modem)));
            }
            Timer::EndBreak(modem) => {
                if let Some(port) = self.modem(modem) {
                    port.set_break(false);
                }
            }
            Timer::StillQuiet { modem, octets } => {
                let Some(port) = self.modem(modem).filter(|port| port.is_framing()) else { return };
                let unfinished = port.deframer.unfinished();
                let said = modem::hear_no_carrier(unfinished, port.deframer.is_unframed());
                if unfinished.len() == octets && said == NoCarrier::SaidIfQuiet {
                    self.hear_no_carrier(now, modem);
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
                self.timers.push((now + TELL_DISCARDS, Timer::TellDiscards));
            }
            Timer::GiveUp => {
                warn!("not everybody has answered the goodbye; ending all the same");
                self.finish(ExitCode::SUCCESS);
            }
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
                    self.timers.push((now + SHUTDOWN_LIMIT, Timer::GiveUp));
                    self.input(now, Input::Shutdown);
                }
                Signal::HangUp => info!("SIGHUP is reserved and does nothing yet"),
                Signal::User1 => self.tell_all(),
                Signal::Child => {}
            }
        }
    }

    // --- Ethernet ---------------------------------------------------------------------------------------

    fn open_interface(&mut self, now: Instant, id: InterfaceId, interface: Interface) -> Result<(), OsError> {
        let port = EthernetPort::open(interface)?;
        let watch = |socket, source| {
            self.poller
                .add(socket, token(source), Interest::READABLE)
                .map_err(|cause| OsError::new("watch", port.interface.name.clone(), cause))
        };
        watch(&port.discovery, Source::Discovery(id))?;
        watch(&port.session, Source::Session(id))?;
        let (mac, mtu, up) = (port.interface.mac, port.interface.mtu, port.interface.is_up);
        if let Some(slot) = self.ethernet.get_mut(usize::from(id.0)) {
            *slot = Some(port);
        }
        if up {
            self.interface_is_up(now, id, mac, mtu);
        } else {
            warn!("{} is down: waiting for it to come up", self.report.interface(id));
        }
        Ok(())
    }

    fn interface_is_up(&mut self, now: Instant, interface: InterfaceId, mac: [u8; 6], mtu: u32) {
        let mtu = u16::try_from(mtu).unwrap_or(u16::MAX);
        self.input(now, Input::InterfaceUp { interface, mac: MacAddr(mac), mtu });
    }

    fn on_interface_changes(&mut self, now: Instant) {
        loop {
            match self.monitor.next_change() {
                Ok(Some(change)) => self.on_interface_change(now, &change),
                Ok(None) => return,
                Err(cause) => return error!("cannot watch interfaces: {cause}"),
            }
        }
    }

    fn on_interface_change(&mut self, now: Instant, change: &InterfaceChange) {
        let (name, present) = match change {
            InterfaceChange::Appeared(now) | InterfaceChange::Changed { now, .. } => {
                (&now.name, Some(now.clone()))
            }
            InterfaceChange::Vanished(before) => (&before.name, None),
        };
        let Some(position) = self.interface_names.iter().position(|ours| ours == name) else { return };
        let Ok(number) = u16::try_from(position) else { return };
        let id = InterfaceId(number);
        match present {
            None => self.close_interface(now, id),
            Some(interface) => self.follow_interface(now, id, interface),
        }
    }

    fn close_interface(&mut self, now: Instant, id: InterfaceId) {
        warn!("{}: the interface is gone", self.report.interface(id));
        self.input(now, Input::InterfaceDown { interface: id });
        // What its sockets have counted goes with them.
        self.count_kernel_drops();
        if let Some(port) = self.ethernet.get_mut(usize::from(id.0)).and_then(Option::take) {
            let _ = self.poller.remove(&port.discovery);
            let _ = self.poller.remove(&port.session);
        }
    }

    fn follow_interface(&mut self, now: Instant, id: InterfaceId, interface: Interface) {
        let open = self.ethernet.get(usize::from(id.0)).and_then(Option::as_ref);
        if open.is_none_or(|port| port.interface.index != interface.index) {
            if open.is_some() {
                self.close_interface(now, id);
            }
            info!("{}: the interface is there", interface.name);
            if let Err(error) = self.open_interface(now, id, interface) {
                error!("cannot {error}");
            }
            return;
        }
        let (mac, mtu, up) = (interface.mac, interface.mtu, interface.is_up);
        let Some(Some(port)) = self.ethernet.get_mut(usize::from(id.0)) else { return };
        let before = std::mem::replace(&mut port.interface, interface);
        if up {
            self.interface_is_up(now, id, mac, mtu);
        } else if before.is_up {
            warn!("{}: the interface is down", before.name);
            self.timers.push((now + DOWN, Timer::StillDown(id)));
        }
    }

    fn on_discovery(&mut self, now: Instant, interface: InterfaceId) {
        for _ in 0..DISCOVERY_BATCH {
            let Some(Some(port)) = self.ethernet.get_mut(usize::from(interface.0)) else { return };
            match receive(&mut port.discovery, &mut self.frame) {
                Reception::Empty => return,
                Reception::Dropped(reason) => self.report.discard(reason),
                Reception::Frame(len) => {
                    let frame = self.frame.get(..len).unwrap_or_default();
                    self.report.discovery_received(now, interface, frame);
                    self.bridge.handle_input(now, Input::Discovery { interface, frame });
                    self.carry_out(now);
                }
            }
        }
    }

    /// Host to modem: a batch of frames, each into its modem's queue, then one write for each modem.
    fn on_session_frames(&mut self, now: Instant, interface: InterfaceId) {
        for _ in 0..BATCH {
            let Some(Some(port)) = self.ethernet.get_mut(usize::from(interface.0)) else { return };
            let len = match receive(&mut port.session, &mut self.frame) {
                Reception::Empty => break,
                Reception::Dropped(reason) => {
                    self.report.discard(reason);
                    continue;
                }
                Reception::Frame(len) => len,
            };
            let frame = self.frame.get(..len).unwrap_or_default();
            match forward::host_to_modem(interface, frame, &self.table) {
                Ok(ToModem::Data { modem, ppp }) => {
                    self.report.ppp(now, modem, Direction::HostToModem, ppp);
                    if let Some(port) = self.modems.get_mut(usize::from(modem.0))
                        && let Err(reason) = port.send(now, ppp)
                    {
                        self.report.discard(reason);
                    }
                }
                Ok(ToModem::Lcp { modem, ppp }) => {
                    self.bridge.handle_input(now, Input::HostLcp { modem, ppp });
                    self.carry_out(now);
                }
                Err(reason) => {
                    self.report.discard(reason);
                    if reason == DiscardReason::UnknownSession {
                        self.on_stray(now, interface, len);
                    }
                }
            }
        }
        self.flush_modems(now);
    }

    fn on_stray(&mut self, now: Instant, interface: InterfaceId, len: usize) {
        let Some(Some(port)) = self.ethernet.get(usize::from(interface.0)) else { return };
        let local = MacAddr(port.interface.mac);
        let frame = self.frame.get(..len).unwrap_or_default();
        if let Some((source, session_id)) = forward::stray_sender(frame, local) {
            self.input(now, Input::StraySession { interface, source, session_id });
        }
    }

    // --- Modems -----------------------------------------------------------------------------------------

    pub(crate) fn modem(&mut self, modem: ModemId) -> Option<&mut ModemPort> {
        self.modems.get_mut(usize::from(modem.0))
    }

    fn on_modem_ready(&mut self, now: Instant, modem: ModemId, readiness: Readiness) {
        if readiness.readable || readiness.hung_up {
            self.on_modem_octets(now, modem);
        }
        if readiness.writable {
            self.flush_modems(now);
        }
    }

    /// Modem to host: one read, and all the frames in it.
    fn on_modem_octets(&mut self, now: Instant, modem: ModemId) {
        let Some(port) = self.modems.get_mut(usize::from(modem.0)) else { return };
        let framing = port.is_framing();
        let len = match port.read(&mut self.octets) {
            Ok(len) => len,
            Err(error) => return self.on_serial_error(now, modem, &error),
        };
        let octets = std::mem::take(&mut self.octets);
        let received = octets.get(..len).unwrap_or_default();
        if framing {
            self.deliver_frames(now, modem, received);
        } else if !received.is_empty() {
            self.input(now, Input::ModemOctets { modem, octets: received });
        }
        self.octets = octets;
    }

    /// Finds the frames in what a modem sent and hands each on.
    pub(crate) fn deliver_frames(&mut self, now: Instant, modem: ModemId, mut octets: &[u8]) {
        loop {
            let Some(port) = self.modems.get_mut(usize::from(modem.0)) else { return };
            let Some(result) = port.deframer.next_frame(&mut octets) else { break };
            let frame = match result {
                Ok(frame) => frame,
                Err(error) => {
                    self.report.discard(error.into());
                    continue;
                }
            };
            match forward::modem_to_host(modem, frame.ppp(), &self.table) {
                Ok(ToHost::Data { interface, header }) => {
                    let length = u16::try_from(frame.ppp().len()).unwrap_or(u16::MAX);
                    port.traffic.modem_frames += 1;
                    port.traffic.modem_octets += u64::from(length);
                    self.report.ppp(now, modem, Direction::ModemToHost, frame.ppp());
                    let octets = frame.prepend(&header.for_payload(length));
                    send_on(&self.ethernet, &mut self.report, interface, octets);
                }
                Ok(ToHost::Lcp) => {
                    self.bridge.handle_input(now, Input::ModemLcp { modem, ppp: frame.ppp() });
                    self.carry_out(now);
                }
                Err(reason) => self.report.discard(reason),
            }
        }
        let Some(port) = self.modem(modem) else { return };
        let unfinished = port.deframer.unfinished();
        match modem::hear_no_carrier(unfinished, port.deframer.is_unframed()) {
            NoCarrier::NotSaid => {}
            NoCarrier::Said => self.hear_no_carrier(now, modem),
            NoCarrier::SaidIfQuiet => {
                let octets = unfinished.len();
                self.timers.push((now + QUIET, Timer::StillQuiet { modem, octets }));
            }
        }
    }

    fn hear_no_carrier(&mut self, now: Instant, modem: ModemId) {
        if let Some(port) = self.modem(modem) {
            port.deframer.reset();
            self.input(now, Input::NoCarrier { modem });
        }
    }

    fn on_serial_error(&mut self, now: Instant, modem: ModemId, error: &SerialError) {
        let Some(port) = self.modems.get_mut(usize::from(modem.0)) else { return };
        if !port.is_carrier_loss(error) {
            return self.input(now, Input::ModemFailed { modem, why: error.to_string() });
        }
        // A tty that was hung up is of no more use, though its device is still there.
        if let Some(descriptor) = port.descriptor() {
            let _ = self.poller.remove(descriptor);
        }
        port.close();
        self.input(now, Input::CarrierLost { modem });
    }

    /// Writes what waits for the modems, as far as they take it, and watches those that do not take all.
    pub(crate) fn flush_modems(&mut self, now: Instant) {
        for number in 0..self.modems.len() {
            let modem = modem_id(number);
            let Some(port) = self.modems.get_mut(number) else { return };
            if !port.is_open() {
                continue;
            }
            let flushed = port.flush(now);
            self.report.queued(port.take_counts());
            if let Err(error) = flushed {
                self.on_serial_error(now, modem, &error);
                continue;
            }
            self.update_interest(modem);
        }
    }

    fn update_interest(&mut self, modem: ModemId) {
        let Some(port) = self.modems.get_mut(usize::from(modem.0)) else { return };
        let wanted = port.wanted_interest();
        if wanted == port.interest {
            return;
        }
        if let Some(descriptor) = port.descriptor()
            && self.poller.modify(descriptor, token(Source::Modem(modem)), wanted).is_ok()
        {
            port.interest = wanted;
        }
    }

    pub(crate) fn watch_modem(&mut self, modem: ModemId) -> Result<(), OsError> {
        let Some(port) = self.modems.get_mut(usize::from(modem.0)) else { return Ok(()) };
        let wanted = port.wanted_interest();
        if let Some(descriptor) = port.descriptor() {
            self.poller
                .add(descriptor, token(Source::Modem(modem)), wanted)
                .map_err(|cause| OsError::new("watch", port.settings.device.display().to_string(), cause))?;
        }
        port.interest = wanted;
        Ok(())
    }

    pub(crate) fn unwatch_modem(&mut self, modem: ModemId) {
        if let Some(descriptor) = self.modems.get(usize::from(modem.0)).and_then(ModemPort::descriptor) {
            let _ = self.poller.remove(descriptor);
        }
    }

    fn on_device_changes(&mut self, now: Instant) {
        match self.devices.changes() {
            Ok(changes) => changes.into_iter().for_each(|change| self.on_device_change(now, change)),
            Err(cause) => error!("cannot watch devices: {cause}"),
        }
    }

    fn on_device_change(&mut self, now: Instant, change: DeviceChange) {
        let modem = modem_id(change.path.0);
        let name = self.report.modem(modem);
        match change.state {
            DeviceState::Present => {
                info!("{name}: the device is there");
                self.input(now, Input::ModemAppeared { modem });
            }
            // An open modem is not lost by this, and a closed one says so when it is called.
            DeviceState::Forbidden => info!("{name}: the device is there, but may not be opened yet"),
            DeviceState::Missing => self.input(now, Input::ModemVanished { modem }),
        }
    }

    /// Tells the control plane if the device of a modem that it has closed is there. If not, the watcher will tell.
    pub(crate) fn look_for_modem(&mut self, now: Instant, modem: ModemId) {
        if self.devices.state(PathId(usize::from(modem.0))) == DeviceState::Present {
            self.bridge.handle_input(now, Input::ModemAppeared { modem });
        }
    }

    // --- The connect command ----------------------------------------------------------------------------

    pub(crate) fn start_command(&mut self, modem: ModemId, command: ModemCommand) -> Result<(), OsError> {
        let Some(port) = self.modems.get_mut(usize::from(modem.0)) else { return Ok(()) };
        let child = port.run_command(command)?;
        let watch = |descriptor, source| {
            self.poller
                .add(descriptor, token(source), Interest::READABLE)
                .map_err(|cause| OsError::new("watch", "the connect command", cause))
        };
        watch(child.exit_descriptor(), Source::CommandEnd(modem))?;
        watch(child.stderr_descriptor(), Source::CommandWords(modem))?;
        self.update_interest(modem);
        Ok(())
    }

    fn on_command_words(&mut self, now: Instant, modem: ModemId) {
        let Some(port) = self.modems.get_mut(usize::from(modem.0)) else { return };
        if !port.take_command_lines(|line| self.report.command_line(now, modem, line))
            && let Some(child) = port.child()
        {
            let _ = self.poller.remove(child.stderr_descriptor());
        }
    }

    fn on_command_end(&mut self, now: Instant, modem: ModemId) {
        // Its last words, often why it failed.
        self.on_command_words(now, modem);
        let Some(end) = self.modem(modem).and_then(ModemPort::take_command_end) else { return };
        self.input(
            now,
            match end {
                Ok(()) => Input::CommandSucceeded { modem },
                Err(why) => Input::CommandFailed { modem, why },
            },
        );
    }

    /// Asks the command at work on a modem to end, and later makes it; the loop does not wait for that.
    pub(crate) fn stop_command(&mut self, now: Instant, modem: ModemId) {
        let Some(command) = self.modem(modem).and_then(ModemPort::take_command) else { return };
        let pid = command.pid();
        let _ = self.poller.remove(command.stderr_descriptor());
        let exit = command.exit_descriptor();
        // It may not have got as far as being watched.
        let _ = self.poller.remove(exit);
        if self.poller.add(exit, token(Source::StoppedCommand(pid)), Interest::READABLE).is_ok() {
            let _ = command.terminate();
            self.stopped_commands.push(command);
            self.timers.push((now + COMMAND_GRACE, Timer::KillCommand(pid)));
        }
        self.update_interest(modem);
    }

    fn on_stopped_command_end(&mut self, pid: u32) {
        self.stopped_commands.retain(|command| command.pid() != pid || matches!(command.end(), Ok(None)));
    }
}

fn now() -> Instant {
    Instant::from_micros(monotonic_micros())
}

fn modem_id(number: usize) -> ModemId {
    ModemId(u16::try_from(number).unwrap_or(u16::MAX))
}

fn token(source: Source) -> Token {
    let (kind, number) = match source {
        Source::Signals => (0, 0),
        Source::Interfaces => (1, 0),
        Source::Discovery(InterfaceId(number)) => (2, number.into()),
        Source::Session(InterfaceId(number)) => (3, number.into()),
        Source::Modem(ModemId(number)) => (4, number.into()),
        Source::CommandEnd(ModemId(number)) => (5, number.into()),
        Source::CommandWords(ModemId(number)) => (6, number.into()),
        Source::Devices => (7, 0),
        Source::Control => (8, 0),
        Source::StoppedCommand(pid) => (9, pid),
    };
    Token(kind << 32 | u64::from(number))
}

fn source(token: Token) -> Option<Source> {
    let number = (token.0 & 0xffff) as u16;
    Some(match token.0 >> 32 {
        0 => Source::Signals,
        1 => Source::Interfaces,
        2 => Source::Discovery(InterfaceId(number)),
        3 => Source::Session(InterfaceId(number)),
        4 => Source::Modem(ModemId(number)),
        5 => Source::CommandEnd(ModemId(number)),
        6 => Source::CommandWords(ModemId(number)),
        7 => Source::Devices,
        8 => Source::Control,
        9 => Source::StoppedCommand(token.0 as u32),
        _ => return None,
    })
}

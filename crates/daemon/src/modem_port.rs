//! One modem's serial side: its tty, framer, deframer, transmit queue, and the program that may dial it.
//!
//! It promises that a frame goes to the tty whole or not at all, and that a tty that ends is an error value,
//! never the end of the program.

use crate::config::ModemSettings;
use crate::control::meter::Meter;
use crate::transmit_queue::{Buffers, Line, TransmitQueue};
use bridge_linux::OsError;
use bridge_linux::child::{Child, ChildEnd, StderrLine};
use bridge_linux::poller::Interest;
use bridge_linux::serial_port::{CloseReason, FlowControl, SerialError, SerialPort};
use bridge_proto::bridge::{ModemCommand, Traffic};
use bridge_proto::discard::DiscardReason;
use bridge_proto::hdlc::{Accm, Deframer, ExtraEscapes, Framer};
use bridge_proto::lcp::LineParameters;
use bridge_proto::modem::{NoCarrier, NoCarrierListener};
use bridge_proto::queue::Counts;
use bridge_proto::time::Instant;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// How far what a modem says has come: while this stays the same, it says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Which line or frame it is: another one may be as long.
    pub(crate) number: u32,
    pub(crate) octets: usize,
}

/// One modem.
#[derive(Debug)]
pub(crate) struct ModemPort {
    pub(crate) settings: ModemSettings,
    /// What counts as soon as it is closed, if that is something else.
    pub(crate) changed: Option<ModemSettings>,
    port: Option<SerialPort>,
    framing: bool,
    /// The tty is hung up by the kernel when the carrier is lost.
    watches_carrier: bool,
    framer: Framer,
    pub(crate) deframer: Box<Deframer>,
    listener: NoCarrierListener,
    queue: TransmitQueue,
    child: Option<Child>,
    /// What passed since the session was installed.
    pub(crate) traffic: Traffic,
    /// How fast it is.
    pub(crate) meter: Meter,
    /// What the poller was last told.
    pub(crate) interest: Interest,
    /// It is in the loop's list of those that are to be flushed.
    pub(crate) is_touched: bool,
    /// It is in the loop's list of those that are to be flushed at some time.
    pub(crate) is_held: bool,
}

impl ModemPort {
    /// A modem that is closed. `key` is random; `buffers` are those of all modems.
    pub(crate) fn new(settings: ModemSettings, key: [u8; 16], buffers: Buffers) -> Self {
        let queue = TransmitQueue::new(settings.queue, key, buffers);
        Self {
            settings,
            changed: None,
            port: None,
            framing: false,
            watches_carrier: false,
            framer: Framer::new(ExtraEscapes::NONE),
            deframer: Box::new(Deframer::new()),
            listener: NoCarrierListener::default(),
            queue,
            child: None,
            traffic: Traffic::default(),
            meter: Meter::default(),
            interest: Interest::NOTHING,
            is_touched: false,
            is_held: false,
        }
    }

    /// What the operator calls it, and where it is.
    pub(crate) fn full_name(&self) -> String {
        let device = self.settings.device.display().to_string();
        if self.settings.name == device { device } else { format!("{} ({device})", self.settings.name) }
    }

    /// Other settings for a closed modem. `key` is random.
    pub(crate) fn adopt(&mut self, settings: ModemSettings, key: [u8; 16]) {
        self.queue.adopt(settings.queue, key);
        self.settings = settings;
        // It may get another number, and so another place in those lists.
        self.is_touched = false;
        self.is_held = false;
    }

    /// Opens the tty and drains what it still had to say from another time.
    ///
    /// # Errors
    /// Why it could not be opened.
    pub(crate) fn open(&mut self) -> Result<(), OsError> {
        self.close();
        let mut port = SerialPort::open(&self.settings.device, &self.settings.serial)?;
        if let Some(skipped) = port.lock_file_skipped() {
            tracing::debug!("{}: no lock file: {skipped}", self.settings.device.display());
        }
        if !port.has_speed() {
            let settings = &self.settings;
            tracing::debug!(
                "{}: the driver has no speeds, {} is not set",
                settings.device.display(),
                settings.serial.speed
            );
        }
        port.drain_input().map_err(|error| {
            let cause = std::io::Error::other(error.to_string());
            OsError::new("drain", self.settings.device.display().to_string(), cause)
        })?;
        self.port = Some(port);
        Ok(())
    }

    /// Closes the tty; whatever was under way on it is over.
    pub(crate) fn close(&mut self) {
        self.child = None;
        self.port = None;
        self.framing = false;
        self.watches_carrier = false;
        self.queue.reset();
    }

    /// Whether this end of the tty means that the carrier was lost.
    pub(crate) fn is_carrier_loss(&self, error: &SerialError) -> bool {
        self.watches_carrier && matches!(error, SerialError::Closed(CloseReason::HungUp))
    }

    pub(crate) fn is_open(&self) -> bool {
        self.port.is_some()
    }

    pub(crate) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.port.as_ref().map(AsFd::as_fd)
    }

    pub(crate) fn is_framing(&self) -> bool {
        self.framing
    }

    /// From now on what the modem says is frames.
    pub(crate) fn start_framing(&mut self) {
        self.framing = true;
        self.framer.reset();
        self.deframer.reset();
        // A modem that shows its carrier while connected shows its loss too: as a hang-up of the tty.
        if let Some(port) = &mut self.port
            && port.modem_lines().is_some_and(|lines| lines.dcd)
        {
            self.watches_carrier = port.set_hangup_on_carrier_loss(true).is_ok();
        }
    }

    pub(crate) fn set_line(&mut self, line: LineParameters) {
        self.framer.set_accm(self.send_map(line.send_accm));
        self.framer.set_compression(line.send_acfc, line.send_pfc);
        self.deframer.set_receive_accm(line.receive_accm);
    }

    /// What is escaped if the far end asks for `asked`. The local modem takes bare XON and XOFF for itself where they
    /// are its flow control, whatever the far end can do without; and RFC 1662 §7.1 lets a sender escape more.
    fn send_map(&self, asked: Accm) -> Accm {
        match self.port.as_ref().map(SerialPort::flow_control) {
            Some(FlowControl::XonXoff) => Accm(asked.0 | Accm::XON_XOFF.0),
            Some(FlowControl::RtsCts | FlowControl::None) | None => asked,
        }
    }

    /// Reads what is there into `buffer`; 0 if nothing is.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SerialError> {
        self.port.as_mut().map_or(Ok(0), |port| port.read(buffer))
    }

    /// Whether it has said, where the next frame would be, that its call is over.
    pub(crate) fn hear_no_carrier(&mut self) -> NoCarrier {
        let deframer = &self.deframer;
        self.listener.hear(deframer.unfinished_number(), deframer.unfinished(), deframer.is_unframed())
    }

    /// How far what it says has come.
    pub(crate) fn heard(&self) -> Heard {
        Heard { number: self.deframer.unfinished_number(), octets: self.deframer.unfinished().len() }
    }

    /// Queues a data frame.
    pub(crate) fn send(&mut self, now: Instant, ppp: &[u8]) -> Result<(), DiscardReason> {
        if !self.framing {
            return Err(DiscardReason::ModemNotConnected);
        }
        self.queue.push(now, &self.framer, ppp)?;
        self.traffic.host_frames += 1;
        self.traffic.host_octets += ppp.len() as u64;
        Ok(())
    }

    /// Queues an LCP frame.
    pub(crate) fn send_lcp(&mut self, now: Instant, ppp: &[u8]) -> Result<(), DiscardReason> {
        if !self.framing {
            return Err(DiscardReason::ModemNotConnected);
        }
        self.queue.push_lcp(now, &self.framer, ppp)
    }

    /// Queues octets as they are.
    pub(crate) fn send_octets(&mut self, octets: &[u8]) -> Result<(), DiscardReason> {
        self.queue.push_octets(octets).then_some(()).ok_or(DiscardReason::ModemBacklog)
    }

    /// It should be flushed before more is sent.
    pub(crate) fn has_a_batch(&self) -> bool {
        self.queue.has_a_batch()
    }

    /// Another session begins: nothing of the one before is to be sent or counted any more.
    pub(crate) fn begin_session(&mut self, now: Instant) {
        self.traffic = Traffic::default();
        self.meter = Meter::new(now);
        self.queue.forget_session();
    }

    /// The tty says that it has room.
    pub(crate) fn on_writable(&mut self) {
        self.queue.on_writable();
    }

    /// Writes as much as the tty takes and the line needs; nothing while it is not to be asked.
    pub(crate) fn flush(&mut self, now: Instant) -> Result<(), SerialError> {
        let Some(port) = self.port.as_mut().filter(|_| self.child.is_none()) else { return Ok(()) };
        self.queue.flush(now, &self.framer, port)
    }

    /// When to flush again though the tty does not ask for it.
    pub(crate) fn next_flush(&self) -> Option<Instant> {
        self.queue.next_flush().filter(|_| self.child.is_none())
    }

    /// What happened to frames that waited since the last call.
    pub(crate) fn take_counts(&mut self) -> Counts {
        self.queue.take_counts()
    }

    /// What the poller should watch the tty for.
    pub(crate) fn wanted_interest(&self) -> Interest {
        match (&self.port, &self.child) {
            // The tty is the program's while one runs.
            (None, _) | (_, Some(_)) => Interest::NOTHING,
            _ if self.queue.is_empty() => Interest::READABLE,
            _ => Interest::BOTH,
        }
    }

    /// Takes the modem off the line; what it had not yet been told is forgotten.
    pub(crate) fn hang_up(&mut self) {
        self.framing = false;
        self.queue.clear();
        if let Some(port) = &mut self.port
            && let Err(error) = port.hang_up()
        {
            tracing::debug!("{}: cannot drop DTR: {error}", self.settings.device.display());
        }
    }

    /// Ready for another word with the modem, after a hang-up.
    pub(crate) fn raise_dtr(&mut self) {
        if let Some(port) = &mut self.port
            && let Err(error) = port.set_dtr(true)
        {
            tracing::debug!("{}: cannot raise DTR: {error}", self.settings.device.display());
        }
    }

    /// How long the line is busy with what it was given so far.
    pub(crate) fn time_to_send(&self) -> Duration {
        /// A start bit, eight data bits, a stop bit.
        const BITS: u32 = 10;
        let in_driver = self.port.as_ref().and_then(SerialPort::output_queue).unwrap_or(0);
        let octets = u32::try_from(in_driver + self.queue.len()).unwrap_or(u32::MAX);
        Duration::from_secs(1) * octets.saturating_mul(BITS) / self.settings.serial.speed.max(1)
    }

    /// Begins or ends a break.
    pub(crate) fn set_break(&mut self, on: bool) {
        if let Some(port) = &mut self.port {
            let _ = port.set_break(on);
        }
    }

    /// Starts an external program on the tty.
    pub(crate) fn run_command(&mut self, command: ModemCommand) -> Result<&Child, OsError> {
        let command = match command {
            ModemCommand::Connect => &self.settings.connect,
            ModemCommand::Rescue => &self.settings.reset_command,
        };
        let command = command.as_deref().unwrap_or_default();
        let Some(port) = &self.port else {
            return Err(OsError::new("start", command, std::io::Error::other("the modem is not open")));
        };
        let device = self.settings.device.as_os_str();
        let child = Child::spawn(command, port, &[("DEVICE", device)])?;
        Ok(self.child.insert(child))
    }

    pub(crate) fn child(&self) -> Option<&Child> {
        self.child.as_ref()
    }

    /// Hands what the command says to `tell`, a few lines at a time: one that never stops must not stop the loop.
    /// Returns whether more may come.
    pub(crate) fn take_command_lines(&mut self, mut tell: impl FnMut(&str)) -> bool {
        const MOST: usize = 16;
        let Some(child) = &mut self.child else { return false };
        let mut lines = 0;
        loop {
            // The poller sees only what is not read yet, so what is has to be told now.
            if lines >= MOST && !child.has_line() {
                return true;
            }
            match child.next_line() {
                Ok(StderrLine::Line(line)) => {
                    tell(&line);
                    lines += 1;
                }
                Ok(StderrLine::NotNow) => return true,
                Ok(StderrLine::End) | Err(_) => return false,
            }
        }
    }

    /// How the connect command ended, if it has; then the tty is ours again.
    pub(crate) fn take_command_end(&mut self) -> Option<Result<(), String>> {
        let end = self.child.as_ref()?.end().ok()??;
        self.child = None;
        Some(match end {
            ChildEnd::Exited(0) => Ok(()),
            ChildEnd::Exited(code) => Err(format!("the connect command ended with exit code {code}")),
            ChildEnd::Killed { signal } => Err(format!("the connect command was ended by signal {signal}")),
        })
    }

    /// Gives up the command at work; the caller sees to its end.
    pub(crate) fn take_command(&mut self) -> Option<Child> {
        self.child.take()
    }
}

impl Line for SerialPort {
    type Error = SerialError;

    fn write(&mut self, octets: &[u8]) -> Result<usize, SerialError> {
        SerialPort::write(self, octets)
    }

    fn unsent(&self) -> Option<usize> {
        self.output_queue()
    }
}

#[cfg(test)]
mod tests;

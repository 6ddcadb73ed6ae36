//! One modem's serial side: its tty, framer, deframer, transmit queue, and the program that may dial it.
//!
//! It promises that a frame goes to the tty whole or not at all, and that a tty that ends is an error value,
//! never the end of the program. What the kernel may keep a program waiting for is an [`Errand`] for the loop to send
//! on its way; none is begun before the one before it is done, and nothing is written meanwhile.

mod errand;

pub(crate) use errand::{Done, Errand, open};

use crate::config::ModemSettings;
use crate::control::meter::Meter;
use crate::transmit_queue::{Buffers, Line, TransmitQueue};
use bridge_linux::OsError;
use bridge_linux::child::{Child, ChildEnd, StderrLine};
use bridge_linux::poller::Interest;
use bridge_linux::serial_port::{CloseReason, ControlLines, FlowControl, SerialError, SerialPort};
use bridge_proto::bridge::{ModemCommand, Traffic};
use bridge_proto::discard::DiscardReason;
use bridge_proto::hdlc::{Accm, Deframer, ExtraEscapes, Framer};
use bridge_proto::lcp::LineParameters;
use bridge_proto::modem::{NoCarrier, NoCarrierListener};
use bridge_proto::queue::Counts;
use bridge_proto::time::Instant;
use errand::Agenda;
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
    /// What of that counts for the next call already, which has begun before the tty is closed.
    due: Option<ModemSettings>,
    port: Option<SerialPort>,
    agenda: Agenda,
    /// The control plane is done with the tty: once it is closed, what was changed meanwhile counts.
    is_given_up: bool,
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
            due: None,
            port: None,
            agenda: Agenda::default(),
            is_given_up: false,
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
        // Of a modem that was removed, perhaps, before its next call had begun.
        self.due = None;
        // It may get another number, and so another place in those lists.
        self.is_touched = false;
        self.is_held = false;
    }

    /// The tty is to be opened.
    pub(crate) fn open(&mut self) {
        self.due = self.changed.take().or(self.due.take());
        let settings = self.due.as_ref().unwrap_or(&self.settings);
        self.agenda.add(Errand::Open(settings.device.clone(), settings.serial.clone()));
    }

    /// What was changed and counts now that the tty is closed. A call that waits for that goes on as it began.
    pub(crate) fn take_changes(&mut self) -> Option<ModemSettings> {
        let due = self.due.take();
        if self.agenda.is_opening() { due } else { self.changed.take().or(due) }
    }

    /// The tty was opened. False if it is to be closed already.
    pub(crate) fn on_opened(&mut self, port: SerialPort) -> bool {
        let device = self.settings.device.display();
        if let Some(skipped) = port.lock_file_skipped() {
            tracing::debug!("{device}: no lock file: {skipped}");
        }
        if !port.has_speed() {
            tracing::debug!("{device}: the driver has no speeds, {} is not set", self.settings.serial.speed);
        }
        self.port = self.agenda.close_late(port);
        self.port.is_some()
    }

    /// Closes the tty, in its turn; whatever was under way on it is over.
    pub(crate) fn close(&mut self) {
        self.child = None;
        self.framing = false;
        self.watches_carrier = false;
        self.queue.reset();
        self.agenda.close(self.port.take());
    }

    /// Closes the tty for good: there will be no more of this call.
    pub(crate) fn give_up(&mut self) {
        self.close();
        self.is_given_up = true;
    }

    /// Whether the tty, which has just been closed, was given up. Told once.
    pub(crate) fn take_given_up(&mut self) -> bool {
        let is_over = !self.agenda.is_closing();
        is_over && std::mem::take(&mut self.is_given_up)
    }

    /// The next errand, if it can be begun now.
    pub(crate) fn begin_errand(&mut self, now: Instant) -> Option<Errand> {
        self.agenda.begin(now)
    }

    /// The errand that was begun is done. How long it has taken.
    pub(crate) fn end_errand(&mut self, now: Instant) -> Duration {
        self.agenda.end(now)
    }

    /// Whether it is to be closed next.
    pub(crate) fn is_closing(&self) -> bool {
        self.agenda.is_closing()
    }

    /// What has kept the kernel waiting for at least so long. Told once.
    pub(crate) fn take_late_errand(&mut self, now: Instant, limit: Duration) -> Option<&'static str> {
        self.agenda.take_late(now, limit)
    }

    /// Whether no errand is under way or still to come.
    pub(crate) fn is_settled(&self) -> bool {
        self.agenda.is_empty()
    }

    /// Whether nothing holds the tty, nor will.
    pub(crate) fn is_closed(&self) -> bool {
        self.port.is_none() && self.agenda.is_empty()
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
        // A modem that shows its carrier while connected shows its loss too: as a hang-up of the tty. Some drivers ask the
        // modem for that, but it has just spoken.
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
        if self.is_occupied() {
            return Ok(());
        }
        let Some(port) = self.port.as_mut() else { return Ok(()) };
        self.queue.flush(now, &self.framer, port)
    }

    /// When to flush again though the tty does not ask for it.
    pub(crate) fn next_flush(&self) -> Option<Instant> {
        self.queue.next_flush().filter(|_| !self.is_occupied())
    }

    /// Whether a program or an errand has the tty: its octets come first, or DTR is to move before ours.
    fn is_occupied(&self) -> bool {
        self.child.is_some() || !self.agenda.is_empty()
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
            _ if self.queue.is_empty() || !self.agenda.is_empty() => Interest::READABLE,
            _ => Interest::BOTH,
        }
    }

    /// Takes the modem off the line; what it had not yet been told is forgotten.
    pub(crate) fn hang_up(&mut self) {
        self.framing = false;
        self.queue.clear();
        self.agenda.forget_open();
        self.add_errand(Errand::HangUp);
    }

    /// Ready for another word with the modem, after a hang-up.
    pub(crate) fn raise_dtr(&mut self) {
        self.add_errand(Errand::RaiseDtr);
    }

    /// Begins or ends a break.
    pub(crate) fn set_break(&mut self, on: bool) {
        self.add_errand(|lines| Errand::SetBreak(lines, on));
    }

    /// Nothing is to be said to a tty that is closed.
    fn add_errand(&mut self, errand: impl FnOnce(ControlLines) -> Errand) {
        if let Some(port) = &self.port {
            self.agenda.add(errand(port.control_lines()));
        }
    }

    /// Whether all that it was given is out, so that a break comes behind it, and the kernel need not wait for that.
    pub(crate) fn is_drained(&self) -> bool {
        let in_driver = self.port.as_ref().and_then(SerialPort::output_queue).unwrap_or(0);
        self.agenda.is_empty() && self.queue.is_empty() && in_driver == 0
    }

    /// Starts an external program on the tty.
    pub(crate) fn run_command(&mut self, command: ModemCommand) -> Result<&Child, OsError> {
        let command = match command {
            ModemCommand::Connect => &self.settings.connect,
            ModemCommand::Rescue => &self.settings.reset_command,
        };
        let failed = |why| {
            OsError::new("start", command.as_deref().unwrap_or("no command"), std::io::Error::other(why))
        };
        let Some(port) = &self.port else { return Err(failed("the modem is not open")) };
        let Some(command) = command else { return Err(failed("none is configured")) };
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

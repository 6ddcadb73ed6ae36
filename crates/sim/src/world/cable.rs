//! [`Cable`]: a virtual serial cable with the bridge's port at one end and a modem at the other.
//!
//! It does with octets what the daemon's modem port does: whole frames or none, data bounded in time, LCP
//! always, nothing after a hang-up.

use bridge_proto::bridge::Traffic;
use bridge_proto::hdlc::{Deframer, ExtraEscapes, Framer};
use bridge_proto::lcp::LineParameters;
use bridge_proto::modem::{NoCarrier, NoCarrierListener};
use bridge_proto::time::Instant;

use crate::modem::{Modem, ModemConfig};

/// Data waits for at most so many octets, as at 115,200 bit/s.
const DATA_LIMIT: usize = 8 * 1024;
/// Nothing is taken beyond this.
const CAPACITY: usize = 32 * 1024;

/// A modem and the way to it.
#[derive(Debug)]
pub(super) struct Cable {
    config: ModemConfig,
    pub(super) modem: Modem,
    /// Its device is there.
    pub(super) is_plugged: bool,
    pub(super) is_open: bool,
    /// It has been open since it was plugged in.
    was_open: bool,
    /// A carrier that goes hangs the tty up: it had one when framing began.
    watches_carrier: bool,
    has_carrier: bool,
    pub(super) is_framing: bool,
    /// What the connect command has heard, while one runs.
    pub(super) command: Option<Vec<u8>>,
    /// What passed since the session was installed.
    pub(super) traffic: Traffic,
    framer: Framer,
    pub(super) deframer: Box<Deframer>,
    listener: NoCarrierListener,
    queue: Vec<u8>,
}

impl Cable {
    pub(super) fn new(config: ModemConfig, seed: u64) -> Self {
        Self {
            modem: Modem::new(config.clone(), seed),
            config,
            is_plugged: true,
            is_open: false,
            was_open: false,
            watches_carrier: false,
            has_carrier: false,
            is_framing: false,
            command: None,
            traffic: Traffic::default(),
            framer: Framer::new(ExtraEscapes::NONE),
            deframer: Box::new(Deframer::new()),
            listener: NoCarrierListener::default(),
            queue: Vec::new(),
        }
    }

    /// Whether the device could be opened: what it said meanwhile is gone, and DTR is up.
    pub(super) fn open(&mut self, now: Instant) -> bool {
        self.is_open = self.is_plugged;
        self.was_open |= self.is_open;
        if self.is_open {
            self.modem.handle_dtr(now, true);
        }
        self.is_open
    }

    /// Closed, DTR drops.
    pub(super) fn close(&mut self, now: Instant) {
        if std::mem::take(&mut self.is_open) {
            self.off_line(now);
        }
    }

    pub(super) fn hear_no_carrier(&mut self) -> NoCarrier {
        let deframer = &self.deframer;
        self.listener.hear(deframer.unfinished_number(), deframer.unfinished(), deframer.is_unframed())
    }

    pub(super) fn hang_up(&mut self, now: Instant) {
        self.off_line(now);
    }

    fn off_line(&mut self, now: Instant) {
        self.is_framing = false;
        self.watches_carrier = false;
        self.command = None;
        self.queue.clear();
        if self.is_plugged {
            self.modem.handle_dtr(now, false);
        }
    }

    pub(super) fn raise_dtr(&mut self, now: Instant) {
        if self.is_open && self.is_plugged {
            self.modem.handle_dtr(now, true);
        }
    }

    /// Without power a modem forgets its call; the tty's owner is told by [`World`](super::World).
    pub(super) fn unplug(&mut self) {
        self.is_plugged = false;
        self.has_carrier = false;
    }

    /// A modem that was just switched on; one that counts its dials goes on where it was.
    pub(super) fn plug(&mut self, seed: u64) {
        self.is_plugged = true;
        self.was_open = false;
        let used = self.modem.dials().min(self.config.dials.len().saturating_sub(1));
        self.config.dials.drain(..used);
        self.modem = Modem::new(self.config.clone(), seed);
    }

    /// Whether it has a call of which nobody takes care.
    pub(super) fn is_forgotten(&self) -> bool {
        let cares_for_dtr = self.was_open && !self.config.faults.ignores_dtr;
        !self.is_open && self.is_plugged && cares_for_dtr && self.modem.is_online()
    }

    /// Without power for a moment, a modem forgets what was wrong with it.
    pub(super) fn cycle_power(&mut self, seed: u64) {
        self.config.faults.is_dead = false;
        self.config.faults.is_wedged = false;
        self.config.faults.starts_in_data_mode = false;
        self.plug(seed);
    }

    pub(super) fn start_framing(&mut self) {
        self.is_framing = true;
        self.framer.reset();
        self.deframer.reset();
        self.watches_carrier = self.has_carrier;
    }

    /// Takes a change of DCD; says whether it hangs the tty up.
    pub(super) fn carrier(&mut self, is_on: bool) -> bool {
        self.has_carrier = is_on;
        self.is_open && self.watches_carrier && !is_on
    }

    pub(super) fn set_line(&mut self, line: LineParameters) {
        self.framer.set_accm(line.send_accm);
        self.framer.set_compression(line.send_acfc, line.send_pfc);
        self.deframer.set_receive_accm(line.receive_accm);
    }

    pub(super) fn send(&mut self, ppp: &[u8]) -> bool {
        self.traffic.host_frames += 1;
        self.traffic.host_octets += ppp.len() as u64;
        self.is_framing && self.queue.len() + ppp.len() <= DATA_LIMIT && self.encode(ppp)
    }

    pub(super) fn send_lcp(&mut self, ppp: &[u8]) -> bool {
        self.is_framing && self.encode(ppp)
    }

    pub(super) fn send_octets(&mut self, octets: &[u8]) {
        self.queue.extend_from_slice(octets);
    }

    fn encode(&mut self, ppp: &[u8]) -> bool {
        let end = self.queue.len();
        let room = Framer::max_encoded_len(ppp.len());
        if end + room > CAPACITY {
            return false;
        }
        self.queue.resize(end + room, 0);
        let len = self.framer.encode(ppp, &mut self.queue[end..]).expect("there is room for the longest");
        self.queue.truncate(end + len);
        true
    }

    /// Gives the modem as many octets as its line takes now; says whether it took any.
    pub(super) fn flush(&mut self, now: Instant) -> bool {
        let octets = self.queue.len().min(self.modem.appetite());
        if !self.is_open || self.command.is_some() || octets == 0 {
            return false;
        }
        let rest = self.queue.split_off(octets);
        let octets = std::mem::replace(&mut self.queue, rest);
        self.modem.handle_octets(now, &octets);
        true
    }
}

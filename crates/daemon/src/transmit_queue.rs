//! The octets on their way to one modem: whole frames, bounded, and no earlier than the line needs them.
//!
//! It promises that a frame goes out whole or not at all, that what the tty took in part is resumed where it
//! stopped, and that frames wait as [`ModemQueue`] says. While the line keeps up nothing waits, and a frame is
//! encoded straight into what is written next. It allocates once.

use crate::config::QueueSettings;
use bridge_proto::discard::DiscardReason;
use bridge_proto::hdlc::Framer;
use bridge_proto::queue::{Counts, ModemQueue, Pace};
use bridge_proto::time::Instant;

/// Octets of room for what is written next.
const CAPACITY: usize = 32 * 1024;
/// Frames that do not wait are gathered up to here: a batch of full-size ones.
const STRAIGHT: usize = 16 * 1024;

/// Where the octets go.
pub(crate) trait Line {
    /// Why it takes no more.
    type Error;

    /// Takes as many octets as there is room for, which may be 0.
    fn write(&mut self, octets: &[u8]) -> Result<usize, Self::Error>;

    /// Octets taken but not yet sent, where that can be known.
    fn unsent(&self) -> Option<usize>;
}

/// The queue of one modem.
#[derive(Debug)]
pub(crate) struct TransmitQueue {
    octets: Box<[u8]>,
    start: usize,
    end: usize,
    settings: QueueSettings,
    waiting: ModemQueue,
    pace: Pace,
    /// Nothing waits, and nothing has to.
    is_straight: bool,
}

impl TransmitQueue {
    /// An empty queue. `key` is random.
    pub(crate) fn new(settings: QueueSettings, key: [u8; 16]) -> Self {
        let pace = Pace::new(settings.line_rate);
        let mut waiting = ModemQueue::new(settings.discipline, key);
        waiting.set_rate(pace.rate());
        Self {
            octets: vec![0; CAPACITY].into_boxed_slice(),
            start: 0,
            end: 0,
            is_straight: pace.is_open(),
            settings,
            waiting,
            pace,
        }
    }

    /// Puts a PPP frame in.
    pub(crate) fn push(&mut self, now: Instant, framer: &Framer, ppp: &[u8]) -> Result<(), DiscardReason> {
        if self.is_straight && self.len() < STRAIGHT && self.encode(framer, ppp) {
            self.waiting.pass(ppp);
            return Ok(());
        }
        self.is_straight = false;
        self.waiting.push(now, ppp)
    }

    /// Puts octets in as they are: a chat script's words. All or none.
    pub(crate) fn push_octets(&mut self, octets: &[u8]) -> bool {
        self.make_room(octets.len());
        let Some(room) = self.octets.get_mut(self.end..self.end + octets.len()) else { return false };
        room.copy_from_slice(octets);
        self.end += octets.len();
        true
    }

    /// Hands the line what it takes and, if it is to be kept shallow, what it needs.
    pub(crate) fn flush<L: Line>(
        &mut self,
        now: Instant,
        framer: &Framer,
        line: &mut L,
    ) -> Result<(), L::Error> {
        loop {
            if !self.is_empty() {
                let written = line.write(self.unwritten())?;
                self.written(written);
                self.pace.handed(now, written);
                if !self.is_empty() {
                    self.is_straight = false;
                    self.pace.tty_is_full(now, line.unsent());
                    return Ok(());
                }
            }
            if self.waiting.is_empty() {
                if !self.is_straight {
                    self.pace.is_at_rest();
                    self.is_straight = self.pace.is_open();
                }
                return Ok(());
            }
            let unsent = if self.pace.wants_to_be_told() { line.unsent() } else { None };
            let room = self.pace.room(now, unsent);
            self.waiting.set_rate(self.pace.rate());
            self.fill(now, framer, room);
            if self.is_empty() {
                return Ok(());
            }
        }
    }

    /// When to flush again though the line does not ask for it: frames wait for it to need them.
    pub(crate) fn next_flush(&self) -> Option<Instant> {
        self.pace.next_look().filter(|_| self.is_empty() && !self.waiting.is_empty())
    }

    /// Nothing waits for the line to have room.
    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// About how many octets it holds.
    pub(crate) fn octets(&self) -> usize {
        self.len() + self.waiting.data_octets()
    }

    /// What happened to frames that waited since the last call.
    pub(crate) fn take_counts(&mut self) -> Counts {
        self.waiting.take_counts()
    }

    /// Forgets all octets and frames.
    pub(crate) fn clear(&mut self) {
        self.start = 0;
        self.end = 0;
        self.waiting.clear();
        self.pace.is_at_rest();
        self.is_straight = self.pace.is_open();
    }

    /// Forgets what was known of the tty as well: another may come.
    pub(crate) fn reset(&mut self) {
        self.pace = Pace::new(self.settings.line_rate);
        self.clear();
    }

    /// Makes octets of the frames that are to go next, until they fill `room`.
    fn fill(&mut self, now: Instant, framer: &Framer, room: usize) {
        while self.end < room
            && let Some(free) = self.octets.get_mut(self.end..)
            && let Some(ppp) = self.waiting.pop(now)
        {
            // There is room for any frame: at least half of the buffer is free.
            self.end += framer.encode(ppp, free).unwrap_or_default();
        }
    }

    fn unwritten(&self) -> &[u8] {
        &self.octets[self.start..self.end]
    }

    fn written(&mut self, octets: usize) {
        self.start = (self.start + octets).min(self.end);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    fn len(&self) -> usize {
        self.end - self.start
    }

    fn encode(&mut self, framer: &Framer, ppp: &[u8]) -> bool {
        self.make_room(Framer::max_encoded_len(ppp.len()));
        let Some(len) = framer.encode(ppp, &mut self.octets[self.end..]) else { return false };
        self.end += len;
        true
    }

    /// Moves what is unwritten to the front if there may be too little room behind it.
    fn make_room(&mut self, octets: usize) {
        if CAPACITY - self.end < octets && self.start > 0 {
            self.octets.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
    }
}

#[cfg(test)]
mod tests;

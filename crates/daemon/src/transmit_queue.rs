//! The octets on their way to one modem: whole frames, bounded, and no earlier than the line needs them.
//!
//! It promises that a frame goes out whole or not at all, that what the tty took in part is resumed where it
//! stopped, and that frames wait as [`ModemQueue`] says. While the line keeps up nothing waits, and a frame is
//! encoded straight into what is written next. Memory is reserved once, and taken only as deep as all queues, which
//! share [`Buffers`], ever use it at once.

mod buffers;

pub(crate) use buffers::Buffers;

use crate::config::QueueSettings;
use bridge_proto::discard::DiscardReason;
use bridge_proto::hdlc::Framer;
use bridge_proto::queue::{Counts, ModemQueue, Pace};
use bridge_proto::time::Instant;

/// Octets of room for what is written next.
const CAPACITY: usize = 32 * 1024;
/// Frames that do not wait are gathered up to here: a batch of full-size ones.
const STRAIGHT: usize = 16 * 1024;
/// From here on more frames in one write gain nothing, and a tty of the usual 12 KiB would take only part of them.
const BATCH: usize = 8 * 1024;
/// How the buffer grows within what is reserved: by the page, as the kernel gives memory.
const PAGE: usize = 4096;

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
    buffers: Buffers,
    /// One of them, while there is something in it. It grows up to [`CAPACITY`], which is reserved.
    octets: Vec<u8>,
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
    pub(crate) fn new(settings: QueueSettings, key: [u8; 16], buffers: Buffers) -> Self {
        buffers.reserve(CAPACITY);
        let pace = Pace::new(settings.line_rate);
        let mut waiting = ModemQueue::new(settings.discipline, key, buffers.waiting.clone());
        waiting.set_rate(pace.rate());
        Self {
            buffers,
            octets: Vec::new(),
            start: 0,
            end: 0,
            is_straight: pace.is_open(),
            settings,
            waiting,
            pace,
        }
    }

    /// Other settings for an empty queue. `key` is random.
    pub(crate) fn adopt(&mut self, settings: QueueSettings, key: [u8; 16]) {
        self.settings = settings;
        self.waiting.adopt(settings.discipline, key);
        self.reset();
        self.waiting.set_rate(self.pace.rate());
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
        let Some(room) = self.make_room(octets.len()).get_mut(..octets.len()) else { return false };
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
                    self.pace.tty_is_full(now, || line.unsent());
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

    /// It should be flushed before more is put in: what does not wait has become enough for a write.
    pub(crate) fn has_a_batch(&self) -> bool {
        self.is_straight && self.len() >= BATCH
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
        self.written(self.len());
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
            && let Some(ppp) = self.waiting.pop(now)
        {
            // There is room for any frame: at least half of the buffer is free.
            let free =
                room_behind(&self.buffers, &mut self.octets, self.end, Framer::max_encoded_len(ppp.len()));
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
            let buffer = std::mem::take(&mut self.octets);
            if buffer.capacity() > 0 {
                self.buffers.give_back(buffer);
            }
        }
    }

    fn len(&self) -> usize {
        self.end - self.start
    }

    fn encode(&mut self, framer: &Framer, ppp: &[u8]) -> bool {
        let room = self.make_room(Framer::max_encoded_len(ppp.len()));
        let Some(len) = framer.encode(ppp, room) else { return false };
        self.end += len;
        true
    }

    /// Room for so many octets behind what is unwritten, which is moved to the front if there would be too little;
    /// less if there is not so much, and mostly more.
    fn make_room(&mut self, octets: usize) -> &mut [u8] {
        if self.start > 0 && self.octets.len() - self.end < octets {
            self.octets.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        room_behind(&self.buffers, &mut self.octets, self.end, octets)
    }
}

/// What lies behind `end` in `buffer`, which is lent if there is none, and grows if that is fewer than `octets`.
fn room_behind<'a>(buffers: &Buffers, buffer: &'a mut Vec<u8>, end: usize, octets: usize) -> &'a mut [u8] {
    if buffer.capacity() == 0 {
        *buffer = buffers.lend();
    }
    let wanted = (end + octets).next_multiple_of(PAGE).min(CAPACITY);
    if buffer.len() < wanted {
        buffer.resize(wanted, 0);
    }
    &mut buffer[end..]
}

#[cfg(test)]
mod tests;

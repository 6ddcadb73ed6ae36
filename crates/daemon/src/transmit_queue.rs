//! The octets on their way to one modem: whole frames, bounded, and no earlier than the line needs them.
//!
//! It promises that a frame goes out whole or not at all, that what the tty took in part is resumed where it
//! stopped, that LCP goes before all data that was not begun yet, and that frames wait as [`ModemQueue`] says. Memory
//! is reserved once, and taken only as deep as all queues, which share [`Buffers`], ever use it at once. Nobody is
//! asked in vain: a tty that was full is not written to until it says that it has room, and one that is kept shallow
//! is looked at when its line may need something.
//!
//! A frame takes one of two ways. As long as the tty takes all that it is given, frames go *straight*: each is encoded
//! at once behind what is written next, as without a queue. Once it did not take all, or if its [`Pace`] gives it less
//! than it would take, frames *wait* in a [`ModemQueue`], and are encoded when the line needs them. When nothing waits
//! any more, and the pace does not hold back, they go straight again.
//!
//! ```text
//!             straight
//!   frame ─┬──────────────────────────────▶ octets ─────▶ tty
//!          └──▶ ModemQueue ──── pace ─────▶ ▲
//!   LCP ───────────── at the next frame ────┘
//! ```

mod buffers;

pub(crate) use buffers::Buffers;

use crate::config::QueueSettings;
use bridge_proto::discard::DiscardReason;
use bridge_proto::hdlc::{FLAG, Framer, MAX_FRAME};
use bridge_proto::queue::{Counts, ModemQueue, Pace};
use bridge_proto::time::Instant;

/// Octets of room for what is written next.
const CAPACITY: usize = 32 * 1024;
/// So many octets of it are for data: the rest is for the frame that goes beyond, and for LCP.
const MOST_DATA: usize = CAPACITY / 2;
/// Frames that go straight are gathered up to here for one write: more of them gain nothing, and a tty of the usual
/// 12 KiB would take only part of them.
const BATCH: usize = 8 * 1024;
// So there is room for a frame of data of any length.
const _: () = assert!(BATCH <= MOST_DATA && MOST_DATA + Framer::max_encoded_len(MAX_FRAME) <= CAPACITY);
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
    /// Up to here LCP may not overtake: words of a chat script, and LCP. Frames of data only lie behind.
    settled: usize,
    /// The tty has not taken all, and not said since then that it has room.
    is_full: bool,
    settings: QueueSettings,
    waiting: ModemQueue,
    /// LCP frames among those that wait.
    lcp_waiting: usize,
    pace: Pace,
    /// Frames go straight: nothing waits, and nothing has to.
    is_straight: bool,
    /// Frames for which there was no room when they were to be encoded.
    unfit: u64,
    /// Frames that were encoded, but not written, or not to their end, when their session was over.
    forgotten: u64,
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
            settled: 0,
            is_full: false,
            is_straight: pace.is_open(),
            settings,
            waiting,
            lcp_waiting: 0,
            pace,
            unfit: 0,
            forgotten: 0,
        }
    }

    /// Other settings for an empty queue. `key` is random.
    pub(crate) fn adopt(&mut self, settings: QueueSettings, key: [u8; 16]) {
        self.settings = settings;
        self.waiting.adopt(settings.discipline, key);
        self.reset();
        self.waiting.set_rate(self.pace.rate());
    }

    /// Puts a PPP frame in, other than LCP.
    pub(crate) fn push(&mut self, now: Instant, framer: &Framer, ppp: &[u8]) -> Result<(), DiscardReason> {
        if self.is_straight && self.len() < BATCH && self.encode(framer, ppp) {
            self.waiting.pass(ppp);
            return Ok(());
        }
        self.is_straight = false;
        self.waiting.push(now, ppp)
    }

    /// Puts an LCP frame in, before all data that was not begun yet.
    pub(crate) fn push_lcp(
        &mut self,
        now: Instant,
        framer: &Framer,
        ppp: &[u8],
    ) -> Result<(), DiscardReason> {
        // While some waits, the next waits behind it.
        let may_go = self.lcp_waiting == 0 && (self.is_straight || !self.is_empty());
        if may_go && self.insert(framer, ppp) {
            return Ok(());
        }
        self.is_straight = false;
        self.waiting.push(now, ppp)?;
        self.lcp_waiting += 1;
        Ok(())
    }

    /// Puts octets in as they are: a chat script's words. All or none.
    pub(crate) fn push_octets(&mut self, octets: &[u8]) -> bool {
        let Some(room) = self.make_room(octets.len()).and_then(|room| room.get_mut(..octets.len())) else {
            return false;
        };
        room.copy_from_slice(octets);
        self.end += octets.len();
        self.settled = self.end;
        true
    }

    /// The line says that it has room.
    pub(crate) fn on_writable(&mut self) {
        self.is_full = false;
    }

    /// Hands the line what it takes and, if it is to be kept shallow, what it needs.
    pub(crate) fn flush<L: Line>(
        &mut self,
        now: Instant,
        framer: &Framer,
        line: &mut L,
    ) -> Result<(), L::Error> {
        if self.is_full || self.next_flush().is_some_and(|due| now < due) {
            return Ok(());
        }
        loop {
            if !self.is_empty() {
                let written = line.write(self.unwritten())?;
                self.written(written);
                self.pace.handed(now, written);
                if !self.is_empty() {
                    self.is_straight = false;
                    self.is_full = true;
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

    /// It should be flushed before more is put in: what goes straight has become enough for a write, and more would
    /// wait.
    pub(crate) fn has_a_batch(&self) -> bool {
        self.is_straight && self.len() >= BATCH
    }

    /// Nothing waits for the line to have room.
    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Octets that are written next, whatever frames wait: all that a chat script has said.
    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    /// What happened to frames that waited since the last call.
    pub(crate) fn take_counts(&mut self) -> Counts {
        let mut counts = self.waiting.take_counts();
        counts.backlog += std::mem::take(&mut self.unfit);
        counts.forgotten += std::mem::take(&mut self.forgotten);
        counts
    }

    /// Forgets the frames of the session that was, and what they told of it. One that was begun goes out whole, and
    /// so do the words of a chat script and LCP that is not behind data.
    pub(crate) fn forget_session(&mut self) {
        self.forget_from(self.next_frame());
        self.forget_waiting();
    }

    /// Forgets all octets and frames.
    pub(crate) fn clear(&mut self) {
        self.forget_from(self.start);
        self.forget_waiting();
        self.pace.is_at_rest();
        self.is_straight = self.pace.is_open();
    }

    /// Forgets what was known of the tty as well: another may come.
    pub(crate) fn reset(&mut self) {
        self.pace = Pace::new(self.settings.line_rate);
        self.clear();
    }

    /// Forgets the octets from `at` on. Each frame has a FLAG at either end, and one that was begun has its second. The
    /// words of a chat script have hardly ever any.
    fn forget_from(&mut self, at: usize) {
        let flags = self.octets[at..self.end].iter().filter(|octet| **octet == FLAG).count();
        self.forgotten += flags.div_ceil(2) as u64;
        self.end = at;
        self.written(0);
    }

    fn forget_waiting(&mut self) {
        self.waiting.clear();
        self.lcp_waiting = 0;
    }

    /// Makes octets of the frames that are to go next, until they fill `room`. There are none yet.
    fn fill(&mut self, now: Instant, framer: &Framer, room: usize) {
        while self.end < room.min(MOST_DATA)
            && let Some(ppp) = self.waiting.pop(now)
        {
            let is_lcp = ppp.starts_with(&LCP);
            let most = Framer::max_encoded_len(ppp.len());
            let encoded = room_behind(&self.buffers, &mut self.octets, self.end, most)
                .and_then(|room| framer.encode(ppp, room));
            debug_assert!(encoded.is_some(), "no room for {} octets behind {}", ppp.len(), self.end);
            self.unfit += u64::from(encoded.is_none());
            self.end += encoded.unwrap_or(0);
            if is_lcp {
                self.lcp_waiting = self.lcp_waiting.saturating_sub(1);
                self.settled = self.end;
            }
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
            self.settled = 0;
            self.is_full = false;
            let buffer = std::mem::take(&mut self.octets);
            if buffer.capacity() > 0 {
                self.buffers.give_back(buffer);
            }
        }
    }

    fn encode(&mut self, framer: &Framer, ppp: &[u8]) -> bool {
        let room = self.make_room(Framer::max_encoded_len(ppp.len()));
        let Some(len) = room.and_then(|room| framer.encode(ppp, room)) else { return false };
        self.end += len;
        true
    }

    /// Puts a frame before all those that were not begun and may be overtaken.
    fn insert(&mut self, framer: &Framer, ppp: &[u8]) -> bool {
        let before = self.len();
        if !self.encode(framer, ppp) {
            return false;
        }
        let len = self.len() - before;
        let behind = self.end - len;
        let at = self.next_frame_before(behind);
        self.octets[at..self.end].rotate_right(len);
        self.settled = at + len;
        true
    }

    /// Where the first frame begins that may be overtaken; the end if there is none.
    fn next_frame(&self) -> usize {
        self.next_frame_before(self.end)
    }

    /// The same in what lies before `end`. That needs no list: FLAG is nowhere inside a frame, and each frame has one
    /// at either end, so that two lie between frames.
    fn next_frame_before(&self, end: usize) -> usize {
        if self.settled > self.start {
            return self.settled;
        }
        match &self.octets[self.start..end] {
            [FLAG, octet, ..] if *octet != FLAG => self.start,
            octets => {
                octets.iter().position(|octet| *octet == FLAG).map_or(end, |flag| self.start + flag + 1)
            }
        }
    }

    /// Room for so many octets behind what is unwritten, which is moved to the front if there would be too little;
    /// mostly more. None, and no buffer is lent for it, if there is not so much.
    fn make_room(&mut self, octets: usize) -> Option<&mut [u8]> {
        if self.start > 0 && self.octets.len() - self.end < octets {
            self.octets.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.settled = self.settled.saturating_sub(self.start);
            self.start = 0;
        }
        room_behind(&self.buffers, &mut self.octets, self.end, octets)
    }
}

/// What lies behind `end` in `buffer`, which is lent if there is none, and grows if that is fewer than `octets`.
fn room_behind<'a>(
    buffers: &Buffers,
    buffer: &'a mut Vec<u8>,
    end: usize,
    octets: usize,
) -> Option<&'a mut [u8]> {
    let needed = end + octets;
    if needed > CAPACITY {
        return None;
    }
    if buffer.capacity() == 0 {
        *buffer = buffers.lend();
    }
    let wanted = needed.next_multiple_of(PAGE);
    if buffer.len() < wanted {
        buffer.resize(wanted, 0);
    }
    buffer.get_mut(end..)
}

/// The protocol field of LCP (RFC 1661 §5).
const LCP: [u8; 2] = [0xc0, 0x21];

#[cfg(test)]
mod tests;

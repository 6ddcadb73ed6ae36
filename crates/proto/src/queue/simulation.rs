//! A line of 460,800 b/s filled by an upload, in virtual time: what a ping and an LCP echo have to wait.

use super::*;
use core::time::Duration;
use std::collections::VecDeque;
use std::vec;
use std::vec::Vec;

/// Octets per second, ten bits each.
const LINE: u64 = 46_080;
const STEP: Duration = Duration::from_micros(100);
const END: Instant = Instant::from_millis(60_000);
const UPLOADS: usize = 4;
/// From the end of the line to the sender's hearing of it.
const WAY_BACK: Duration = Duration::from_millis(20);

/// What a driver says of the octets it has not sent.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Tells {
    Nothing,
    Octets,
    /// Those of every write that is not wholly sent, as usb_wwan does.
    Writes,
    /// Busy blocks of so many octets, full or not, as cdc-acm does.
    Blocks(usize),
}

/// A tty, and the line behind it.
struct Line {
    tells: Tells,
    /// Frames, or their parts in blocks.
    octets: VecDeque<Part>,
    /// Octets times a million.
    credit: u64,
    sent: u64,
}

#[derive(Clone, Copy)]
struct Part {
    len: usize,
    left: usize,
    /// A frame ends with it.
    is_end: bool,
}

impl Line {
    fn is_full(&self) -> bool {
        match self.tells {
            Tells::Nothing | Tells::Octets => self.left() >= 4096,
            Tells::Writes => self.octets.len() >= 4,
            Tells::Blocks(_) => self.octets.len() >= 16,
        }
    }

    fn unsent(&self) -> usize {
        match self.tells {
            Tells::Nothing => 0,
            Tells::Octets => self.left(),
            Tells::Writes => self.octets.iter().map(|part| part.len).sum(),
            Tells::Blocks(len) => self.octets.len() * len,
        }
    }

    fn left(&self) -> usize {
        self.octets.iter().map(|part| part.left).sum()
    }

    fn take(&mut self, mut len: usize) {
        if let Tells::Blocks(block) = self.tells {
            while len > block {
                self.octets.push_back(Part { len: block, left: block, is_end: false });
                len -= block;
            }
        }
        self.octets.push_back(Part { len, left: len, is_end: true });
    }

    /// The line's share of a step; frames that have gone out whole.
    fn step(&mut self) -> usize {
        self.credit += LINE * STEP.as_micros() as u64;
        let mut whole = 0;
        while self.credit >= 1_000_000 {
            let Some(first) = self.octets.front_mut() else {
                self.credit = 0;
                break;
            };
            self.credit -= 1_000_000;
            self.sent += 1;
            first.left -= 1;
            if first.left == 0 {
                whole += usize::from(first.is_end);
                self.octets.pop_front();
            }
        }
        whole
    }
}

/// A TCP of sorts: slow start, then one frame more a round trip; half as many after a loss.
struct Upload {
    window: f64,
    in_flight: usize,
    is_starting: bool,
}

/// The waits of pings and echoes until the line had sent them, in milliseconds, and its use.
struct Outcome {
    pings: Vec<f64>,
    echoes: Vec<f64>,
    use_of_line: f64,
}

struct World {
    queue: ModemQueue,
    pace: Pace,
    line: Line,
    /// The tty was full, and the poller waits until it says it can be written to.
    was_full: bool,
    uploads: Vec<Upload>,
    /// Frames at the tty: whose, and when they came.
    under_way: VecDeque<(u8, Instant)>,
    heard: VecDeque<(Instant, usize)>,
    outcome: Outcome,
}

const PING: u8 = 100;
const ECHO: u8 = 101;

fn frame(who: u8, now: Instant) -> Vec<u8> {
    let len = if who == PING { 86 } else { 1502 };
    let mut frame = vec![0; len];
    frame[..3].copy_from_slice(if who == ECHO { &[0xc0, 0x21, 9] } else { &[0x00, 0x21, 0x45] });
    frame[11] = if who == PING { 1 } else { 6 };
    frame[23] = who;
    frame[24..32].copy_from_slice(&now.as_micros().to_be_bytes());
    if who == ECHO {
        frame.truncate(34);
    }
    frame
}

impl World {
    fn run(line_rate: Option<u32>, tells: Tells) -> Outcome {
        let mut world = Self {
            queue: ModemQueue::new(Discipline::Fair, [9; 16], Memory::default()),
            pace: Pace::new(line_rate),
            line: Line { tells, octets: VecDeque::new(), credit: 0, sent: 0 },
            was_full: false,
            uploads: Vec::new(),
            under_way: VecDeque::new(),
            heard: VecDeque::new(),
            outcome: Outcome { pings: Vec::new(), echoes: Vec::new(), use_of_line: 0.0 },
        };
        for _ in 0..UPLOADS {
            world.uploads.push(Upload { window: 2.0, in_flight: 0, is_starting: true });
        }
        let mut now = Instant::ZERO;
        while now < END {
            world.step(now);
            now += STEP;
        }
        world.outcome.use_of_line = world.line.sent as f64 / (LINE as f64 * 60.0);
        world.outcome
    }

    fn step(&mut self, now: Instant) {
        for _ in 0..self.line.step() {
            let (who, since) = self.under_way.pop_front().unwrap();
            let wait = (now - since).as_secs_f64() * 1000.0;
            match who {
                PING => self.outcome.pings.push(wait),
                ECHO => self.outcome.echoes.push(wait),
                upload => self.heard.push_back((now + WAY_BACK, usize::from(upload))),
            }
        }
        while self.heard.front().is_some_and(|(due, _)| *due <= now) {
            let (_, upload) = self.heard.pop_front().unwrap();
            let upload = &mut self.uploads[upload];
            upload.in_flight -= 1;
            upload.window += if upload.is_starting { 1.0 } else { 1.0 / upload.window };
        }
        for upload in 0..UPLOADS {
            while (self.uploads[upload].in_flight as f64) < self.uploads[upload].window.min(44.0) {
                self.uploads[upload].in_flight += 1;
                self.push(now, upload as u8);
            }
        }
        // At no fixed phase of the frames.
        if now.as_micros().is_multiple_of(210_700) {
            self.push(now, PING);
        }
        if now.as_micros().is_multiple_of(1_000_000) {
            self.push(now, ECHO);
        }
        self.flush(now);
    }

    fn push(&mut self, now: Instant, who: u8) {
        let is_in = self.queue.push(now, &frame(who, now)).is_ok();
        assert!(is_in, "{who} was refused");
        self.learn_of_losses();
    }

    fn flush(&mut self, now: Instant) {
        // A tty is writable only once its driver says that it has little to send.
        let is_writable = match self.line.tells {
            Tells::Nothing | Tells::Octets => !self.line.is_full(),
            Tells::Writes | Tells::Blocks(_) => self.line.unsent() < 256,
        };
        self.was_full &= !is_writable;
        if self.was_full || self.pace.next_look().is_some_and(|look| now < look) {
            return;
        }
        while !self.queue.is_empty() && !self.was_full {
            let mut room = self.pace.room(now, Some(self.line.unsent()));
            self.queue.set_rate(self.pace.rate());
            if room == 0 {
                break;
            }
            while room > 0 && !self.was_full {
                let Some(frame) = self.queue.pop(now) else { break };
                let (who, len) = (if frame[0] == 0xc0 { ECHO } else { frame[23] }, frame.len() + 8);
                let since = Instant::from_micros(u64::from_be_bytes(frame[24..32].try_into().unwrap()));
                self.line.take(len);
                self.under_way.push_back((who, since));
                self.pace.handed(now, len);
                room = room.saturating_sub(len);
                if self.line.is_full() {
                    self.was_full = true;
                    self.pace.tty_is_full(now, || Some(self.line.unsent()));
                }
            }
        }
        if self.queue.is_empty() {
            self.pace.is_at_rest();
        }
        self.learn_of_losses();
    }

    /// The senders hear at once, and the longest window pays: harder than in truth on neither.
    fn learn_of_losses(&mut self) {
        let counts = self.queue.take_counts();
        for _ in 0..counts.backlog + counts.late {
            let fattest = self.uploads.iter_mut().max_by_key(|upload| upload.in_flight).unwrap();
            fattest.in_flight -= 1;
            fattest.window = (fattest.window / 2.0).max(2.0);
            fattest.is_starting = false;
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn a_ping_hardly_waits_behind_an_upload_and_no_echo_is_lost() {
    let cases = [
        // Told by the operator.
        (Some(460_800), Tells::Nothing),
        (Some(460_800), Tells::Octets),
        (Some(460_800), Tells::Writes),
        (Some(460_800), Tells::Blocks(1280)),
        (Some(460_800), Tells::Blocks(10_240)),
        // Learned.
        (None, Tells::Octets),
        (None, Tells::Writes),
        (None, Tells::Blocks(512)),
        (None, Tells::Blocks(1280)),
        (None, Tells::Blocks(10_240)),
    ];
    for (line_rate, tells) in cases {
        let outcome = World::run(line_rate, tells);
        // What it takes on an idle line.
        let idle = 94.0 / LINE as f64 * 1000.0;
        let rise = mean(&outcome.pings) - idle;
        let longest = outcome.echoes.iter().copied().fold(0.0, f64::max);
        assert!(rise < 30.0, "{line_rate:?} {tells:?}: {rise:.1} ms");
        assert!(outcome.pings.len() >= 280, "{} pings", outcome.pings.len());
        assert!(outcome.echoes.len() >= 59, "{} echoes", outcome.echoes.len());
        assert!(longest < 100.0, "an echo waited for {longest:.1} ms");
        assert!(
            outcome.use_of_line > 0.97,
            "{line_rate:?} {tells:?}: {:.3} of the line",
            outcome.use_of_line
        );
    }
}

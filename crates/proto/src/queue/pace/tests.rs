use super::*;
use std::collections::VecDeque;

const FRAME: usize = 1510;
const STEP: Duration = Duration::from_micros(250);

/// What a driver has not sent, as it counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counts {
    Octets,
    /// As long as any of it is unsent, a whole write.
    Writes,
    /// The same, but that a write which goes beyond the end of a ring is sent in two, as a UART with DMA does.
    Ring,
    /// A whole block of so many octets, full or not.
    Blocks(usize),
    /// The same number, as long as there is any, as rfcomm does.
    Same(usize),
}

/// A line, and a driver that tells of it; frames always wait.
struct Bench {
    pace: Pace,
    now: Instant,
    /// Octets per second; 0 if the line is held up.
    line: u64,
    counts: Counts,
    /// Blocks, or writes: how long each is, and what is left of it.
    blocks: VecDeque<(usize, usize)>,
    was_full: bool,
    /// Octets of a frame that the tty did not take.
    rest: usize,
    /// Octets that the tty took, ever.
    taken: usize,
    credit: u64,
    sent: u64,
    looks: u64,
    deepest: usize,
}

impl Bench {
    fn new(line_rate: Option<u32>, line: u64, counts: Counts) -> Self {
        Self {
            pace: Pace::new(line_rate),
            now: Instant::from_millis(1000),
            line,
            counts,
            blocks: VecDeque::new(),
            was_full: false,
            rest: 0,
            taken: 0,
            credit: 0,
            sent: 0,
            looks: 0,
            deepest: 0,
        }
    }

    fn octets(&self) -> usize {
        self.blocks.iter().map(|(_, left)| left).sum()
    }

    fn unsent(&self) -> usize {
        match self.counts {
            Counts::Octets => self.octets(),
            Counts::Writes | Counts::Ring => self.blocks.iter().map(|(len, _)| len).sum(),
            Counts::Blocks(block) => self.blocks.len() * block,
            Counts::Same(number) => number * usize::from(!self.blocks.is_empty()),
        }
    }

    /// For so long, and counts from there on.
    fn run(&mut self, ms: u64) {
        (self.sent, self.looks, self.deepest) = (0, 0, 0);
        let end = self.now + Duration::from_millis(ms);
        while self.now < end {
            self.credit += self.line * u64::try_from(STEP.as_micros()).unwrap();
            while self.credit >= MICROS {
                self.credit -= MICROS;
                let Some((_, first)) = self.blocks.front_mut() else { continue };
                *first -= 1;
                self.sent += 1;
                if *first == 0 {
                    self.blocks.pop_front();
                }
            }
            self.was_full &= self.unsent() >= 256;
            if !self.was_full && self.pace.next_look().is_none_or(|look| look <= self.now) {
                self.fill();
            }
            self.deepest = self.deepest.max(self.octets());
            self.now += STEP;
        }
    }

    fn fill(&mut self) {
        while self.write() {
            self.looks += 1;
            match self.pace.room(self.now, Some(self.unsent())) {
                0 => return,
                room => self.rest = room.next_multiple_of(FRAME),
            }
        }
    }

    /// Hands over what there is; `false` if the tty does not take all of it.
    fn write(&mut self) -> bool {
        let before = self.rest;
        while self.rest > 0 && self.blocks.len() < 16 {
            let part = self.rest.min(match self.counts {
                Counts::Octets => FRAME,
                Counts::Writes => usize::try_from(WRITE_PART).unwrap(),
                Counts::Ring => RING - self.taken % RING,
                Counts::Blocks(part) | Counts::Same(part) => part,
            });
            self.taken += part;
            self.blocks.push_back((part, part));
            self.rest -= part;
        }
        self.pace.handed(self.now, before - self.rest);
        self.was_full = self.rest > 0;
        if self.was_full {
            let unsent = self.unsent();
            self.pace.tty_is_full(self.now, || Some(unsent));
        }
        !self.was_full
    }

    /// The share of what the line could have sent in so many milliseconds.
    fn use_of_line(&self, ms: u64) -> f64 {
        self.sent as f64 * 1000.0 / (self.line * ms) as f64
    }

    fn assert_rate(&self, expected: u64) {
        let rate = self.pace.rate().unwrap();
        assert!(rate.abs_diff(expected) * 20 < expected, "{rate} for {expected}, {:?}", self.counts);
    }
}

const RING: usize = 4096;
const COUNTS: [Counts; 8] = [
    Counts::Octets,
    Counts::Writes,
    Counts::Ring,
    Counts::Blocks(512),
    Counts::Blocks(1280),
    Counts::Blocks(10_240),
    Counts::Same(330),
    Counts::Same(1011),
];

#[test]
fn the_rate_is_learned_whatever_the_driver_counts_in() {
    for counts in COUNTS {
        for line in [3_360, 11_520, 46_080, 1_000_000] {
            let mut bench = Bench::new(None, line, counts);
            bench.run(40_000);
            bench.run(10_000);
            bench.assert_rate(line);
            let used = bench.use_of_line(10_000);
            assert!(used > 0.97, "{used:.3} of {line}, {counts:?}");
            // A frame, and what the line sends in 16 ms.
            let most = FRAME * 2 + usize::try_from(line * 16 / 1000).unwrap();
            assert!(bench.deepest < most, "{} before {line}, {counts:?}", bench.deepest);
            match counts {
                Counts::Octets => assert_eq!(bench.pace.driver, Driver::Exact),
                Counts::Writes => assert_eq!(bench.pace.driver, Driver::Coarse),
                Counts::Blocks(_) => assert_eq!(bench.pace.driver, Driver::Unreliable),
                Counts::Ring | Counts::Same(_) => {}
            }
        }
    }
}

#[test]
fn a_line_that_becomes_faster_is_given_more() {
    for counts in COUNTS {
        let mut bench = Bench::new(None, 46_080, counts);
        bench.run(3000);
        bench.line = 1_000_000;
        bench.run(10_000);
        bench.run(5000);
        bench.assert_rate(1_000_000);
        assert!(bench.use_of_line(5000) > 0.95, "{:.3}, {counts:?}", bench.use_of_line(5000));
    }
}

#[test]
fn a_line_that_becomes_slower_is_given_less() {
    for counts in COUNTS {
        let mut bench = Bench::new(None, 460_800, counts);
        bench.run(3000);
        bench.line = 46_080;
        bench.run(5000);
        bench.run(5000);
        bench.assert_rate(46_080);
        assert!(bench.deepest < 2 * FRAME, "{}, {counts:?}", bench.deepest);
    }
}

#[test]
fn a_driver_that_has_more_to_send_is_believed_before_the_operator() {
    for counts in COUNTS {
        let mut bench = Bench::new(Some(921_600), 46_080, counts);
        bench.run(2000);
        bench.run(5000);
        // Each time when the line is to run empty.
        assert!(bench.deepest < 25_000, "{}, {counts:?}", bench.deepest);
        assert!(bench.use_of_line(5000) > 0.97, "{:.3}, {counts:?}", bench.use_of_line(5000));
        assert_eq!(bench.pace.rate(), Some(91_238));
    }
}

#[test]
fn a_stick_that_swallows_more_than_its_line_sends_is_given_what_the_operator_said() {
    for counts in COUNTS {
        let mut bench = Bench::new(Some(460_800), 46_080, counts);
        bench.run(2000);
        bench.line = 1_000_000;
        bench.run(1000);
        bench.run(5000);
        let octets = bench.sent / 5;
        assert!((45_000..46_000).contains(&octets), "{octets} octets a second, {counts:?}");
    }
}

#[test]
fn a_line_that_is_held_up_is_looked_at_ever_more_seldom_and_its_rate_is_kept() {
    for line_rate in [None, Some(460_800)] {
        for counts in COUNTS {
            let mut bench = Bench::new(line_rate, 46_080, counts);
            bench.run(5000);
            bench.line = 0;
            bench.run(10_000);
            assert!(bench.looks < 120, "{} looks, {counts:?}", bench.looks);
            bench.line = 46_080;
            bench.run(520);
            assert!(bench.looks > 0, "{line_rate:?} {counts:?}");
            // One that knows only of all of it may be found empty with the next look.
            bench.run(500);
            bench.run(3000);
            assert!(bench.use_of_line(3000) > 0.95, "{:.3}, {counts:?}", bench.use_of_line(3000));
            assert!(bench.deepest < 3 * FRAME, "{}, {counts:?}", bench.deepest);
            bench.assert_rate(if line_rate.is_some() { 45_619 } else { 46_080 });
        }
    }
}

#[test]
fn what_a_buffer_swallows_at_once_says_nothing_of_the_rate() {
    let mut bench = Bench::new(None, 46_080, Counts::Octets);
    bench.run(3000);
    for ms in 0..10 {
        bench.run(2000 + 11 * ms);
        bench.blocks.clear();
        bench.run(90);
        let rate = bench.pace.rate().unwrap();
        assert!(rate < 51_000, "{rate}");
    }
    bench.run(5000);
    bench.assert_rate(46_080);
    assert!(bench.deepest < 3 * FRAME, "{}", bench.deepest);
}

#[test]
fn before_a_tty_was_full_nothing_is_held_back() {
    let mut pace = Pace::new(None);
    let now = Instant::from_millis(1);
    for _ in 0..100 {
        assert!(pace.is_open() && !pace.wants_to_be_told());
        assert_eq!((pace.room(now, None), pace.next_look()), (UNKNOWN_ROOM, None));
        pace.handed(now, UNKNOWN_ROOM);
    }
    // A pseudo-terminal says nothing even then.
    for ms in 1..1000 {
        pace.tty_is_full(Instant::from_millis(ms), || Some(0));
        pace.handed(Instant::from_millis(ms), 46);
        assert!(pace.is_open() && pace.next_look().is_none());
    }
    assert!(pace.rate().unwrap().abs_diff(46_000) < 500, "{:?}", pace.rate());
}

#[test]
fn a_driver_that_had_sent_all_before_it_was_asked_is_asked_again() {
    let mut pace = Pace::new(None);
    let full = |pace: &mut Pace, ms, unsent| {
        pace.handed(Instant::from_millis(ms), 8192);
        pace.tty_is_full(Instant::from_millis(ms), || Some(unsent));
    };
    full(&mut pace, 1, 0);
    assert!(pace.is_open());
    full(&mut pace, 100, 8192);
    assert!(!pace.is_open() && pace.wants_to_be_told());
    // A silent one is let alone at last.
    let mut pace = Pace::new(None);
    for ms in 1..=16 {
        full(&mut pace, ms, 0);
    }
    pace.tty_is_full(Instant::from_millis(17), || unreachable!());
}

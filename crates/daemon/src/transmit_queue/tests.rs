use super::*;
use bridge_proto::hdlc::{Deframer, ExtraEscapes};
use bridge_proto::queue::Discipline;
use std::cell::Cell;
use std::convert::Infallible;
use std::time::Duration;

/// A tty that holds so many octets, and tells so or not.
struct Tty {
    holds: usize,
    room: usize,
    tells: bool,
    sent: Vec<u8>,
    /// Writes and questions.
    calls: Cell<usize>,
}

impl Tty {
    fn new(holds: usize, tells: bool) -> Self {
        Self { holds, room: holds, tells, sent: Vec::new(), calls: Cell::new(0) }
    }

    fn drain(&mut self, octets: usize) {
        self.room = (self.room + octets).min(self.holds);
    }

    fn frames(&self) -> Vec<Vec<u8>> {
        let mut deframer = Deframer::new();
        deframer.set_receive_accm(bridge_proto::hdlc::Accm::NONE);
        let mut octets = &self.sent[..];
        let mut frames = Vec::new();
        while let Some(frame) = deframer.next_frame(&mut octets) {
            frames.push(frame.expect("frames go out whole").ppp().to_vec());
        }
        frames
    }
}

impl Line for Tty {
    type Error = Infallible;

    fn write(&mut self, octets: &[u8]) -> Result<usize, Infallible> {
        self.calls.set(self.calls.get() + 1);
        let taken = octets.len().min(self.room);
        self.room -= taken;
        self.sent.extend_from_slice(&octets[..taken]);
        Ok(taken)
    }

    fn unsent(&self) -> Option<usize> {
        self.calls.set(self.calls.get() + 1);
        Some(if self.tells { self.holds - self.room } else { 0 })
    }
}

const ECHO: [u8; 10] = [0xc0, 0x21, 9, 1, 0, 8, 1, 2, 3, 4];

/// A frame that is not plain IP, of 1502 octets, with a number.
fn frame(number: u32) -> Vec<u8> {
    [&[0x00, 0x2b][..], &number.to_be_bytes(), &[b'x'; 1496]].concat()
}

fn queue(line_rate: Option<u32>) -> (TransmitQueue, Framer) {
    let settings = QueueSettings { discipline: Discipline::Fair, line_rate };
    (TransmitQueue::new(settings, [1; 16], Buffers::default()), Framer::new(ExtraEscapes::NONE))
}

/// As when the poller has said whether the tty has room.
fn flush(queue: &mut TransmitQueue, now: Instant, framer: &Framer, tty: &mut Tty) {
    if tty.room > 0 {
        queue.on_writable();
    }
    let Ok(()) = queue.flush(now, framer, tty);
}

#[test]
fn while_the_tty_takes_all_nothing_waits() {
    let (mut queue, framer) = queue(None);
    let mut tty = Tty::new(usize::MAX, false);
    for number in 0..100 {
        queue.push(Instant::ZERO, &framer, &frame(number)).unwrap();
        assert!(queue.waiting.is_empty());
        if queue.has_a_batch() {
            flush(&mut queue, Instant::ZERO, &framer, &mut tty);
        }
    }
    flush(&mut queue, Instant::ZERO, &framer, &mut tty);
    assert_eq!(tty.frames(), (0..100).map(frame).collect::<Vec<_>>());
    assert_eq!(queue.next_flush(), None);
}

#[test]
fn a_full_tty_gets_whole_frames_in_order_and_lcp_first() {
    for tells in [false, true] {
        let (mut queue, framer) = queue(None);
        // Three frames, and a part of the fourth.
        let mut tty = Tty::new(5000, tells);
        for number in 0..20 {
            queue.push(Instant::ZERO, &framer, &frame(number)).unwrap();
        }
        flush(&mut queue, Instant::ZERO, &framer, &mut tty);
        assert!(queue.len() > 3000, "nothing was encoded that could be overtaken");
        queue.push_lcp(Instant::ZERO, &framer, &ECHO).unwrap();
        let mut now = Instant::ZERO;
        while !(queue.is_empty() && queue.waiting.is_empty()) {
            tty.drain(700);
            now += Duration::from_millis(10);
            flush(&mut queue, now, &framer, &mut tty);
        }
        let mut frames = tty.frames();
        assert_eq!(frames.remove(4), ECHO);
        assert_eq!(frames, (0..20).map(frame).collect::<Vec<_>>());
    }
}

#[test]
fn lcp_goes_behind_the_frame_that_was_begun_wherever_that_was_cut() {
    // All kinds of octets, FLAG and ESCAPE among them.
    let short = |number: u8| [&[0x00, 0x2b, number, 0x7e, 0x7d][..], &[number; 3]].concat();
    let echo = |number: u8| [0xc0, 0x21, 9, number, 0, 4];
    let framer = Framer::new(ExtraEscapes::NONE);
    let len = |ppp: &[u8]| framer.encode(ppp, &mut [0; 64]).unwrap();
    let data: Vec<Vec<u8>> = [0, 0x7e, 0xff].map(short).to_vec();
    let starts = [0, len(&data[0]), len(&data[0]) + len(&data[1])];
    for cut in 0..=starts[2] + len(&data[2]) {
        let (mut queue, _) = queue(None);
        let mut tty = Tty::new(cut, false);
        for ppp in &data {
            queue.push(Instant::ZERO, &framer, ppp).unwrap();
        }
        flush(&mut queue, Instant::ZERO, &framer, &mut tty);
        queue.push_lcp(Instant::ZERO, &framer, &echo(1)).unwrap();
        // The tty takes a part of the first before the second comes.
        tty.holds = 1000;
        tty.drain(3);
        flush(&mut queue, Instant::ZERO, &framer, &mut tty);
        queue.push_lcp(Instant::ZERO, &framer, &echo(2)).unwrap();
        queue.push(Instant::ZERO, &framer, &short(3)).unwrap();
        tty.drain(1000);
        flush(&mut queue, Instant::ZERO, &framer, &mut tty);
        // In those three octets a frame may be ended, and with it the first LCP frame begun, but no other.
        let begun = starts.iter().filter(|start| **start < cut).count();
        let mut expected = data.clone();
        expected.push(short(3));
        expected.splice(begun..begun, [echo(1).to_vec(), echo(2).to_vec()]);
        assert_eq!(tty.frames(), expected, "cut at {cut}");
    }
}

#[test]
fn lcp_does_not_come_between_the_words_of_a_script() {
    let (mut queue, framer) = queue(None);
    let mut tty = Tty::new(3, false);
    assert!(queue.push_octets(b"AT~D~~1\r"));
    flush(&mut queue, Instant::ZERO, &framer, &mut tty);
    queue.push(Instant::ZERO, &framer, &frame(1)).unwrap();
    queue.push_lcp(Instant::ZERO, &framer, &ECHO).unwrap();
    tty.holds = 10_000;
    tty.drain(10_000);
    flush(&mut queue, Instant::ZERO, &framer, &mut tty);
    tty.sent = tty.sent.strip_prefix(b"AT~D~~1\r").unwrap().to_vec();
    assert_eq!(tty.frames(), [ECHO.to_vec(), frame(1)]);
}

#[test]
fn another_session_gets_nothing_of_the_one_before_but_the_end_of_a_frame() {
    let (mut queue, framer) = queue(None);
    let mut tty = Tty::new(2000, false);
    // A Configure-Ack of CCP: from now on the order of all data matters.
    let agreed = [0x80, 0xfd, 2, 1, 0, 8, 17, 4, 1, 2];
    queue.push(Instant::ZERO, &framer, &agreed).unwrap();
    for number in 0..20 {
        queue.push(Instant::ZERO, &framer, &frame(number)).unwrap();
    }
    flush(&mut queue, Instant::ZERO, &framer, &mut tty);
    queue.push_lcp(Instant::ZERO, &framer, &ECHO).unwrap();
    queue.forget_session();
    assert_eq!(queue.waiting.data_octets(), 0);
    assert_eq!(queue.take_counts().forgotten, 18, "all but the two that were begun");
    // Two flows of UDP take turns again, as nobody has agreed to anything.
    let packet = |flow: u8, number: u8| {
        let mut ppp = vec![0; 1000];
        ppp[..12].copy_from_slice(&[0x00, 0x21, 0x45, 0, 0x03, 0xe6, 0, number, 0x40, 0, 64, 17]);
        ppp[14..24].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2, 0, flow]);
        ppp
    };
    for number in 0..4 {
        queue.push(Instant::ZERO, &framer, &packet(1, number)).unwrap();
    }
    queue.push(Instant::ZERO, &framer, &packet(2, 0)).unwrap();
    while !(queue.is_empty() && queue.waiting.is_empty()) {
        tty.drain(700);
        flush(&mut queue, Instant::ZERO, &framer, &mut tty);
    }
    let frames = tty.frames();
    assert_eq!(frames[..4], [agreed.to_vec(), frame(0), frame(1), ECHO.to_vec()]);
    assert_eq!(frames.len(), 9);
    assert_ne!(frames[8], packet(2, 0), "the order of the session before is kept");
}

#[test]
fn all_frames_that_a_hang_up_drops_are_counted_also_one_that_was_begun() {
    let framer = Framer::new(ExtraEscapes::NONE);
    let encoded = framer.encode(&ECHO, &mut [0; 64]).unwrap();
    for (taken, forgotten) in [(0, 2), (10, 2), (encoded - 1, 2), (encoded, 1), (2 * encoded, 0)] {
        for is_lcp in [true, false] {
            let (mut queue, _) = queue(None);
            let mut tty = Tty::new(taken, false);
            for _ in 0..2 {
                let pushed = if is_lcp {
                    queue.push_lcp(Instant::ZERO, &framer, &ECHO)
                } else {
                    queue.push(Instant::ZERO, &framer, &ECHO)
                };
                pushed.unwrap();
            }
            flush(&mut queue, Instant::ZERO, &framer, &mut tty);
            queue.clear();
            assert!(queue.is_empty());
            assert_eq!(queue.take_counts().forgotten, forgotten, "{taken} octets were taken");
        }
    }
}

#[test]
fn the_words_of_a_script_that_a_hang_up_drops_are_no_frames() {
    let (mut queue, framer) = queue(None);
    assert!(queue.push_octets(b"ATD*99#\r"));
    queue.push(Instant::ZERO, &framer, &ECHO).unwrap();
    queue.clear();
    assert_eq!(queue.take_counts().forgotten, 1);
}

#[test]
fn nobody_is_asked_before_there_is_anything_to_be_had() {
    // Full: until it says that it has room.
    let (mut queue, framer) = queue(None);
    let mut tty = Tty::new(1000, true);
    queue.push(Instant::ZERO, &framer, &frame(0)).unwrap();
    flush(&mut queue, Instant::ZERO, &framer, &mut tty);
    let calls = tty.calls.get();
    for ms in 0..100 {
        queue.push_lcp(Instant::ZERO, &framer, &ECHO).unwrap();
        flush(&mut queue, Instant::from_millis(ms), &framer, &mut tty);
    }
    assert_eq!(tty.calls.get(), calls);
    tty.drain(1000);
    flush(&mut queue, Instant::from_millis(100), &framer, &mut tty);
    assert!(tty.calls.get() > calls);
}

#[test]
fn a_line_of_known_rate_is_left_alone_until_it_needs_something() {
    let (mut queue, framer) = queue(Some(460_800));
    let mut tty = Tty::new(100_000, true);
    let now = Instant::from_millis(1000);
    for number in 0..4 {
        queue.push(now, &framer, &frame(number)).unwrap();
    }
    flush(&mut queue, now, &framer, &mut tty);
    let (calls, due) = (tty.calls.get(), queue.next_flush().unwrap());
    let mut at = now;
    while at < due {
        queue.push(at, &framer, &[0x00, 0x2b, 1]).unwrap();
        flush(&mut queue, at, &framer, &mut tty);
        at += Duration::from_millis(1);
    }
    assert_eq!(tty.calls.get(), calls);
    tty.drain(100_000);
    flush(&mut queue, due, &framer, &mut tty);
    assert!(tty.calls.get() > calls);
}

#[test]
fn a_line_of_known_rate_is_given_one_frame_at_a_time() {
    let (mut queue, framer) = queue(Some(460_800));
    let mut tty = Tty::new(usize::MAX, false);
    let mut now = Instant::from_millis(1000);
    for number in 0..4 {
        queue.push(now, &framer, &frame(number)).unwrap();
    }
    for number in 1..4 {
        flush(&mut queue, now, &framer, &mut tty);
        assert_eq!(tty.frames().len(), number);
        // Some 1510 octets at 45,619 octets a second, less half the slack.
        let wait = queue.next_flush().unwrap() - now;
        assert!((29..35).contains(&wait.as_millis()), "{wait:?}");
        now += wait;
    }
    flush(&mut queue, now, &framer, &mut tty);
    assert_eq!(queue.next_flush(), None);
}

#[test]
fn a_driver_that_tells_is_kept_shallow_once_it_was_full() {
    let (mut queue, framer) = queue(None);
    let mut tty = Tty::new(4096, true);
    let mut deepest = 0;
    for ms in 0..5000_u64 {
        let now = Instant::from_millis(ms);
        tty.drain(46);
        if queue.waiting.data_octets() < 6000 {
            queue.push(now, &framer, &frame(0)).unwrap();
        }
        flush(&mut queue, now, &framer, &mut tty);
        if ms > 1000 {
            let unsent = tty.unsent().unwrap();
            assert!(unsent > 0, "the line rests at {ms} ms");
            deepest = deepest.max(unsent);
        }
    }
    assert!((1500..2000).contains(&deepest), "{deepest}");
}

#[test]
fn a_short_write_is_resumed_where_it_stopped() {
    let (mut queue, framer) = queue(None);
    let mut tty = Tty::new(7, false);
    let mut expected = Vec::new();
    for round in 0..5000_u32 {
        let word = round.to_be_bytes();
        assert!(queue.push_octets(&word));
        expected.extend_from_slice(&word);
        tty.drain(round as usize % 8);
        flush(&mut queue, Instant::ZERO, &framer, &mut tty);
    }
    while !queue.is_empty() {
        tty.drain(7);
        flush(&mut queue, Instant::ZERO, &framer, &mut tty);
    }
    assert_eq!(tty.sent, expected);
}

#[test]
fn octets_that_do_not_fit_leave_the_queue_as_it_was() {
    let (mut queue, framer) = queue(None);
    queue.push(Instant::ZERO, &framer, &frame(1)).unwrap();
    let before = queue.unwritten().to_vec();
    assert!(!queue.push_octets(&[0; CAPACITY]));
    assert_eq!(queue.unwritten(), before);
    queue.clear();
    assert!(!queue.push_octets(&[0; CAPACITY + 1]));
    assert_eq!(queue.buffers.lengths().len(), 1, "a buffer is lent for nothing");
}

#[test]
fn lines_that_keep_up_share_one_buffer_and_it_grows_no_further_than_it_is_used() {
    let buffers = Buffers::default();
    let settings = QueueSettings { discipline: Discipline::Fair, line_rate: None };
    let mut queues: Vec<_> =
        (0..64).map(|_| TransmitQueue::new(settings, [1; 16], buffers.clone())).collect();
    let framer = Framer::new(ExtraEscapes::NONE);
    let mut tty = Tty::new(usize::MAX, false);
    for round in 0..3 {
        for queue in &mut queues {
            queue.push(Instant::ZERO, &framer, &frame(round)).unwrap();
            flush(queue, Instant::ZERO, &framer, &mut tty);
        }
    }
    let lengths = buffers.lengths();
    assert_eq!(lengths.len(), 64);
    assert_eq!(lengths.iter().sum::<usize>(), PAGE);
}

#[test]
fn a_queue_has_a_buffer_of_its_own_while_there_is_something_in_it() {
    let buffers = Buffers::default();
    let settings = QueueSettings { discipline: Discipline::Fair, line_rate: None };
    let mut queues = [1, 2].map(|key| TransmitQueue::new(settings, [key; 16], buffers.clone()));
    let framer = Framer::new(ExtraEscapes::NONE);
    let mut ttys = [Tty::new(100, false), Tty::new(100, false)];
    for _ in 0..2 {
        for (number, (queue, tty)) in (0..).zip(queues.iter_mut().zip(&mut ttys)) {
            queue.push(Instant::ZERO, &framer, &frame(number)).unwrap();
            flush(queue, Instant::ZERO, &framer, tty);
        }
    }
    assert_eq!(buffers.lengths(), [0; 0]);
    let [first, second] = &mut queues;
    first.clear();
    first.clear();
    assert_eq!(buffers.lengths().len(), 1);
    while !second.is_empty() {
        ttys[1].drain(100);
        flush(second, Instant::ZERO, &framer, &mut ttys[1]);
    }
    assert_eq!(ttys[1].frames(), [frame(1), frame(1)]);
    assert_eq!(buffers.lengths().len(), 2);
}

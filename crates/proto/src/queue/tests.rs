use super::*;
use core::time::Duration;
use proptest::prelude::*;
use std::vec::Vec;

const KEY: [u8; 16] = [3; 16];
const ECHO: [u8; 10] = [0xc0, 0x21, 9, 1, 0, 8, 1, 2, 3, 4];
const CONFIGURE: [u8; 6] = [0x80, 0x21, 1, 1, 0, 4];

/// A frame of `len` octets: UDP over IPv4 from port `flow`, or another `protocol`; numbered.
fn frame(protocol: u16, flow: u8, number: u16, len: usize) -> Vec<u8> {
    let mut frame = std::vec![0; len.max(34)];
    frame[..2].copy_from_slice(&protocol.to_be_bytes());
    frame[2] = 0x45;
    frame[11] = 17;
    frame[23] = flow;
    frame[30..32].copy_from_slice(&number.to_be_bytes());
    frame
}

fn number(frame: &[u8]) -> u16 {
    u16::from_be_bytes([frame[30], frame[31]])
}

fn drain(queue: &mut ModemQueue, now: Instant) -> Vec<Vec<u8>> {
    core::iter::from_fn(|| queue.pop(now).map(<[u8]>::to_vec)).collect()
}

fn fair() -> ModemQueue {
    ModemQueue::new(Discipline::Fair, KEY, Memory::default())
}

#[test]
fn lcp_comes_first_then_what_brings_the_link_up() {
    let mut queue = fair();
    for octets in [&frame(0x0021, 1, 0, 1000)[..], &CONFIGURE, &ECHO] {
        queue.push(Instant::ZERO, octets).unwrap();
    }
    assert_eq!(drain(&mut queue, Instant::ZERO), [&ECHO[..], &CONFIGURE, &frame(0x0021, 1, 0, 1000)]);
    assert!(queue.is_empty());
}

#[test]
fn a_flood_of_data_or_of_control_frames_leaves_room_for_lcp() {
    let mut queue = fair();
    for number in 0..1000 {
        let _ = queue.push(Instant::ZERO, &frame(0x002d, 0, number, 100));
        let _ = queue.push(Instant::ZERO, &frame(0x0021, number as u8, number, 100));
        let _ = queue.push(Instant::ZERO, &CONFIGURE);
    }
    assert_eq!(queue.push(Instant::ZERO, &CONFIGURE), Err(DiscardReason::ModemBacklog));
    for _ in 0..LCP_SLOTS {
        assert_eq!(queue.push(Instant::ZERO, &ECHO), Ok(()));
    }
    assert_eq!(queue.pop(Instant::ZERO), Some(&ECHO[..]));
}

#[test]
fn a_flood_of_lcp_waits_no_longer_than_data_may() {
    let mut queue = fair();
    queue.set_rate(Some(46_080));
    let echo = frame(0xc021, 0, 0, 1502);
    let taken = (0..1000).filter(|_| queue.push(Instant::ZERO, &echo).is_ok()).count();
    assert_eq!(taken, 23_040 / 1502);
    assert_eq!(queue.push(Instant::ZERO, &CONFIGURE), Ok(()));
    assert_eq!(queue.push(Instant::ZERO, &frame(0x0021, 1, 0, 1000)), Ok(()));
}

#[test]
fn flows_take_turns_and_a_silent_one_comes_first() {
    let mut queue = fair();
    for number in 0..6 {
        queue.push(Instant::ZERO, &frame(0x0021, 1, number, 1502)).unwrap();
        queue.push(Instant::ZERO, &frame(0x0021, 2, number, 1502)).unwrap();
    }
    let mut flow = || queue.pop(Instant::ZERO).map(|frame| frame[23]);
    assert_eq!([flow(), flow(), flow(), flow()], [Some(1), Some(2), Some(1), Some(2)]);
    queue.push(Instant::ZERO, &frame(0x0021, 3, 0, 86)).unwrap();
    assert_eq!(queue.pop(Instant::ZERO).map(|frame| frame[23]), Some(3));
}

#[test]
fn flows_that_wait_do_not_share_a_place_however_many_there_were_before() {
    for key in 0..200 {
        let mut queue = ModemQueue::new(Discipline::Fair, [key; 16], Memory::default());
        for number in 0..1000 {
            let mut before = frame(0x0021, 0, number, 100);
            before[14..16].copy_from_slice(&number.to_be_bytes());
            queue.push(Instant::ZERO, &before).unwrap();
            assert!(queue.pop(Instant::ZERO).is_some());
        }
        for number in 0..20 {
            queue.push(Instant::ZERO, &frame(0x0021, 0, number, 1502)).unwrap();
        }
        for flow in 1..8 {
            queue.push(Instant::ZERO, &frame(0x0021, flow, 0, 86)).unwrap();
        }
        let first = drain(&mut queue, Instant::ZERO).into_iter().take(8).map(|frame| frame[23]);
        assert_eq!(first.collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6, 7], "key {key}");
    }
}

#[test]
fn the_fattest_flow_makes_room_with_its_oldest_frames() {
    let mut queue = fair();
    queue.set_rate(Some(46_080));
    for number in 0..100 {
        queue.push(Instant::ZERO, &frame(0x0021, 1, number, 1502)).unwrap();
    }
    queue.push(Instant::ZERO, &frame(0x0021, 2, 0, 86)).unwrap();
    assert!(queue.data_octets() <= 23_040);
    let counts = queue.take_counts();
    assert_eq!((counts.late, counts.marked), (0, 0));
    let frames = drain(&mut queue, Instant::ZERO);
    assert_eq!(frames.len() as u64 + counts.backlog, 101);
    assert_eq!(frames.iter().filter(|frame| frame[23] == 2).count(), 1);
    assert_eq!(number(frames.last().unwrap()), 99);
}

#[test]
fn where_order_matters_the_newest_is_refused() {
    let mut queue = fair();
    queue.set_rate(Some(46_080));
    let taken = (0..100).filter(|n| queue.push(Instant::ZERO, &frame(0x002d, 0, *n, 1502)).is_ok()).count();
    assert_eq!(taken, 15);
    let numbers: Vec<_> = drain(&mut queue, Instant::ZERO).iter().map(|frame| number(frame)).collect();
    assert_eq!(numbers, (0..15).collect::<Vec<_>>());
}

#[test]
fn where_order_matters_others_take_room_from_the_newest() {
    // Compressed TCP headers, and fragments of multilink packets.
    for protocol in [0x002d, 0x003d] {
        let mut queue = fair();
        queue.set_rate(Some(46_080));
        for number in 0..30 {
            let _ = queue.push(Instant::ZERO, &frame(protocol, 0, number, 1502));
        }
        queue.take_counts();
        for number in 100..120 {
            queue.push(Instant::ZERO, &frame(0x0021, 1, number, 500)).unwrap();
        }
        let dropped = queue.take_counts().backlog;
        let frames = drain(&mut queue, Instant::ZERO);
        let (ordered, plain): (Vec<_>, Vec<_>) = frames.iter().partition(|frame| frame[1] != 0x21);
        let numbers: Vec<_> = ordered.iter().map(|frame| number(frame)).collect();
        assert_eq!(numbers, (0..15 - dropped as u16).collect::<Vec<_>>(), "{protocol:04x}");
        assert_eq!(plain.len(), 20);
    }
}

#[test]
fn multilink_fragments_keep_their_order_among_whatever_else_waits() {
    let mut queue = fair();
    for number in 0..60 {
        let protocol = if number % 2 == 0 { 0x003d } else { 0x0021 };
        queue.push(Instant::ZERO, &frame(protocol, number as u8 % 7, number, 1000)).unwrap();
    }
    let mut frames = drain(&mut queue, Instant::ZERO);
    frames.retain(|frame| frame[..2] == [0x00, 0x3d]);
    let numbers: Vec<_> = frames.iter().map(|frame| number(frame)).collect();
    assert_eq!(numbers, (0..60).step_by(2).collect::<Vec<_>>());
}

#[test]
fn on_a_slow_line_two_full_size_frames_wait_and_no_more() {
    for protocol in [0x0021, 0x002d, 0xc023] {
        let mut queue = fair();
        queue.set_rate(Some(960));
        for number in 0..20 {
            let _ = queue.push(Instant::ZERO, &frame(protocol, 1, number, 1502));
        }
        assert_eq!(queue.push(Instant::ZERO, &ECHO), Ok(()));
        let frames = drain(&mut queue, Instant::ZERO);
        assert_eq!(frames.len(), 3, "{protocol:04x}");
        // However long it is on the line, one can be sent.
        let long = [&protocol.to_be_bytes()[..], &[0x7e; arena::LONGEST - 2]].concat();
        assert_eq!(queue.push(Instant::ZERO, &long), Ok(()));
    }
}

#[test]
fn octets_that_are_escaped_count_twice() {
    let mut queue = fair();
    for number in 0..40 {
        queue.push(Instant::ZERO, &frame(0x0021, 1, number, 1000)).unwrap();
        let mut escaped = frame(0x0021, 2, number, 1000);
        escaped[34..].fill(0x7e);
        queue.push(Instant::ZERO, &escaped).unwrap();
    }
    let turns: Vec<_> = (0..30).map(|_| queue.pop(Instant::ZERO).unwrap()[23]).collect();
    let plain = turns.iter().filter(|flow| **flow == 1).count();
    assert!((19..=21).contains(&plain), "{plain} of 30");
}

#[test]
fn a_standing_flow_is_marked_or_loses_frames_and_an_ordered_one_does_not() {
    let kinds = [
        (0x0021, [0x45, 0x00], (9, 0)),
        (0x0021, [0x45, 0x01], (0, 9)),
        (0x0057, [0x60, 0x00], (9, 0)),
        (0x0057, [0x60, 0x10], (0, 9)),
        (0x002d, [0x45, 0x00], (0, 0)),
    ];
    for (protocol, beginning, expected) in kinds {
        let mut queue = fair();
        for number in 0..100_u64 {
            let mut ppp = frame(protocol, 1, 0, 1000);
            ppp[2..4].copy_from_slice(&beginning);
            queue.push(Instant::from_millis(number), &ppp).unwrap();
        }
        let mut out = 0;
        // One goes out each 10 ms, and each has waited for 500 ms when it does.
        for tick in 50..100_u64 {
            let now = Instant::from_millis(tick * 10);
            out += u64::from(queue.pop(now).is_some());
        }
        let counts = queue.take_counts();
        let (late, marked) = expected;
        assert_eq!((counts.late > 3, counts.marked > 3), (late > 0, marked > 0), "{protocol:04x} {counts:?}");
        assert_eq!((counts.backlog, out), (0, 50));
    }
}

#[test]
fn once_all_data_is_compressed_all_of_it_keeps_its_order() {
    let agreed = [0x80, 0xfd, 2, 1, 0, 8, 26, 4, 0x78, 0];
    let mut queue = fair();
    for number in 0..10 {
        queue.push(Instant::ZERO, &frame(0x0021, number as u8, number, 1000)).unwrap();
    }
    queue.push(Instant::ZERO, &agreed).unwrap();
    for number in 10..40 {
        let protocol = if number % 3 == 0 { 0x00fd } else { 0x0021 };
        queue.push(Instant::ZERO, &frame(protocol, number as u8, number, 1000)).unwrap();
    }
    let frames = drain(&mut queue, Instant::ZERO);
    assert_eq!(frames[10], agreed, "what came before it is not mixed with what comes after");
    let after: Vec<_> = frames[11..].iter().map(|frame| number(frame)).collect();
    assert_eq!(after, (10..40).collect::<Vec<_>>());
}

#[test]
fn frames_that_pass_without_waiting_are_learned_from_too_until_the_session_ends() {
    let ordered = |queue: &mut ModemQueue| {
        for (number, flow) in [(0, 1), (1, 1), (2, 2)] {
            queue.push(Instant::ZERO, &frame(0x0021, flow, number, 1502)).unwrap();
        }
        drain(queue, Instant::ZERO).iter().map(|frame| number(frame)).collect::<Vec<_>>() == [0, 1, 2]
    };
    let mut queue = fair();
    assert!(!ordered(&mut queue));
    queue.pass(&frame(0x00fd, 0, 0, 100));
    assert!(ordered(&mut queue));
    queue.clear();
    assert!(!ordered(&mut queue));
    assert_eq!(queue.take_counts(), Counts::default());
    assert!(ordered(&mut ModemQueue::new(Discipline::Fifo, KEY, Memory::default())));
}

#[test]
fn what_is_forgotten_with_a_session_is_counted() {
    let mut queue = fair();
    for (protocol, flow) in [(0xc021, 0), (0x8021, 0), (0x0021, 1), (0x0021, 2), (0x00fd, 0)] {
        queue.push(Instant::ZERO, &frame(protocol, flow, 0, 100)).unwrap();
    }
    queue.clear();
    queue.clear();
    assert_eq!(queue.take_counts(), Counts { forgotten: 5, ..Counts::default() });
}

#[derive(Clone, Debug)]
enum Act {
    Push { protocol: u16, flow: u8, len: usize },
    Pop,
    Wait(u64),
    Rate(Option<u64>),
}

fn act() -> impl Strategy<Value = Act> {
    const PROTOCOLS: &[u16] =
        &[0x0021, 0x0021, 0x0021, 0x0057, 0x002d, 0x002f, 0x00fd, 0x003d, 0x0053, 0x80fd, 0x8021];
    prop_oneof![
        6 => (prop::sample::select(PROTOCOLS), 0..6_u8, 34..1502_usize)
            .prop_map(|(protocol, flow, len)| Act::Push { protocol, flow, len }),
        4 => Just(Act::Pop),
        2 => (0..100_u64).prop_map(Act::Wait),
        1 => prop::option::of(1..200_000_u64).prop_map(Act::Rate),
    ]
}

proptest! {
    #[test]
    fn order_is_kept_in_flows_and_bounds_in_all(acts in prop::collection::vec(act(), 0..600)) {
        let mut queue = fair();
        let mut now = Instant::from_millis(1);
        let (mut pushed, mut popped, mut refused) = (0_u16, 0, 0);
        // The number last seen of each flow, and of each protocol's and of all frames whose order matters.
        let mut last = std::collections::BTreeMap::new();
        for act in acts.into_iter().chain(core::iter::repeat_n(Act::Pop, 300)) {
            match act {
                Act::Push { protocol, flow, len } => {
                    pushed += 1;
                    let outcome = queue.push(now, &frame(protocol, flow, pushed, len));
                    refused += u64::from(outcome.is_err());
                    let is_bounded = queue.data_octets() <= queue.limit;
                    prop_assert!(is_bounded || outcome.is_err() || protocol == 0x8021);
                }
                Act::Pop => {
                    let Some(frame) = queue.pop(now) else { continue };
                    popped += 1;
                    let protocol = u16::from_be_bytes([frame[0], frame[1]]);
                    let order = match protocol {
                        0x0021 | 0x0057 => (protocol, frame[23]),
                        0x8021 => (protocol, 0),
                        _ => (0, 0),
                    };
                    let before = last.insert(order, number(frame));
                    prop_assert!(before < Some(number(frame)), "{order:?}: {before:?} before {}", number(frame));
                }
                Act::Wait(ms) => now += Duration::from_millis(ms),
                Act::Rate(rate) => queue.set_rate(rate),
            }
        }
        let counts = queue.take_counts();
        prop_assert!(queue.is_empty() && queue.arena.free() == arena::SLOTS);
        prop_assert_eq!(u64::from(pushed), popped + refused + counts.backlog + counts.late);
    }

    #[test]
    fn no_frame_panics(frames: Vec<Vec<u8>>) {
        let mut queue = fair();
        for frame in &frames {
            let _ = queue.push(Instant::ZERO, frame);
            queue.pass(frame);
        }
        drain(&mut queue, Instant::from_millis(10_000));
        prop_assert!(queue.is_empty());
    }
}

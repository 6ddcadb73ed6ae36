//! How long framing and deframing take, beside the same done octet by octet with a table (`oracle`).
//!
//! `cargo bench -p bridge-proto --bench framing [PART OF A NAME]`. The two are measured in turns, and the least
//! times are printed: a busy machine lengthens the others.

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../src/hdlc/oracle.rs"]
mod oracle;

use std::hint::black_box;
use std::iter::repeat_n;
use std::time::{Duration, Instant};

use bridge_proto::hdlc::{Accm, Deframer, ESCAPE, FLAG, Fcs16, Framer};

/// Frames differ, so that no branch predictor can learn them by heart.
const FRAMES: usize = 256;

/// What a read from a tty returns at most.
const CHUNK: usize = 4096;

/// Turns of each measurement.
const ROUNDS: usize = 100;

fn main() {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    // As cargo says it: see that it works.
    let is_test = std::env::args().any(|argument| argument == "--test");
    let bench = Bench { wanted, rounds: if is_test { 1 } else { ROUNDS } };
    println!("{:72} {:>10} {:>10} {:>7} {:>6}", "ns", "codec", "oracle", "ratio", "goal");
    for (kind, payload) in PAYLOADS {
        for len in [64, 576, 1492] {
            for accm in [Accm::NONE, Accm::XON_XOFF, Accm::ALL] {
                frames(&bench, &format!("{kind}/{len}/{accm}"), payload, len, accm);
            }
        }
    }
    for (name, line) in floods() {
        for accm in [Accm::NONE, Accm::XON_XOFF, Accm::ALL] {
            deframing(&bench, &format!("flood/{name}/{accm}, an octet"), &line, line.len(), accm);
        }
    }
    for len in [64, 576, 1492] {
        let octets = random(len, 1);
        let codec = || _ = black_box(Fcs16::new().with(black_box(&octets)));
        let oracle = || _ = black_box(oracle::fcs(black_box(&octets)));
        bench.compare(&format!("fcs/{len}"), 1, codec, oracle);
    }
}

struct Bench {
    wanted: String,
    rounds: usize,
}

impl Bench {
    /// Prints what `codec` and `oracle` take for each of `count` things.
    fn compare(&self, name: &str, count: usize, mut codec: impl FnMut(), mut oracle: impl FnMut()) {
        if !name.contains(&self.wanted) {
            return;
        }
        let mut least = [Duration::MAX; 2];
        for _ in 0..self.rounds {
            least = [least[0].min(time(&mut codec)), least[1].min(time(&mut oracle))];
        }
        let [codec, oracle] = least.map(|time| time.as_secs_f64() * 1e9 / (REPEAT * count) as f64);
        let ratio = oracle / codec;
        let goal = match goal(name) {
            Some(goal) if ratio < goal => format!("{goal:5.1}x  MISSED"),
            Some(goal) => format!("{goal:5.1}x"),
            None => String::new(),
        };
        println!("{name:72} {codec:10.1} {oracle:10.1} {ratio:6.1}x {goal}");
    }
}

/// How many times as fast as octet by octet it is to be, at the least: full-size frames as the design promises, and no
/// input slower, for whoever sends traffic chooses it.
fn goal(name: &str) -> Option<f64> {
    let is = |part: &str| name.contains(part);
    Some(match name.split('/').next()? {
        "fcs" => return None,
        _ if !is("/1492/") => 1.0,
        "encode" if is("random/1492/00000000") => 13.0,
        "encode" => 4.5,
        _ if is("random/1492/00000000") => 12.0,
        _ if is("random/1492/ffffffff") => 3.0,
        _ => 1.5,
    })
}

/// Runs in one measurement, so that the clock's own time does not count.
const REPEAT: usize = 4;

fn time(run: &mut impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..REPEAT {
        run();
    }
    start.elapsed()
}

type Payload = fn(usize, u64) -> Vec<u8>;

const PAYLOADS: [(&str, Payload); 3] =
    [("random", random), ("text", text), ("flags", |len, _| vec![FLAG; len])];

fn random(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut octets = Vec::with_capacity(len);
    for _ in 0..len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        octets.push((state >> 32) as u8);
    }
    octets
}

/// English-like: letters, spaces, a line end now and then.
fn text(len: usize, seed: u64) -> Vec<u8> {
    let line = |octet: u8| match octet {
        0..=3 => b'\n',
        4..=40 => b' ',
        _ => b'a' + octet % 26,
    };
    random(len, seed).into_iter().map(line).collect()
}

/// What no honest modem sends: noise, and the least that makes work.
fn floods() -> Vec<(&'static str, Vec<u8>)> {
    let again = |octets: &[u8]| octets.iter().copied().cycle().take(40_000).collect();
    vec![
        ("noise", random(40_000, 1)),
        ("fill", again(&[FLAG])),
        ("frames of 1", again(b"\x7eA")),
        ("control octets", again(b"\x7e\x11")),
        ("aborted frames", again(b"\x7e\x7d")),
        ("short frames of all kinds", short_frames()),
        ("frames of 3", again(b"\x7eA\x11\x7d")),
        ("frames of 4", again(b"\x7eABCD")),
        ("frames of 8", again(b"\x7eABCDEFGH")),
        ("frames of 8 control octets", again(b"\x7e\x01\x02\x03\x04\x05\x06\x07\x08")),
        ("frames of 12, 4 of them control octets", again(b"\x7eABC\x11DEF\x11GH\x11\x11")),
        ("frames of 6, 3 of them control octets", again(b"\x7eA\x11B\x11C\x11")),
        ("frames of 7, 2 of them ESCAPE", again(b"\x7eA\x7dABC\x7dD")),
        ("frames of 12, one of them ESCAPE", again(b"\x7eABCDEFG\x7dHIJK")),
        ("frames of 16", again(b"\x7eABCDEFGHABCDEFGH")),
        ("frames of 20, 4 of them control octets", again(b"\x7eABC\x11DEF\x11GH\x11\x11ABCDEFGH")),
        ("frames of 20, ESCAPE and a control octet among them", again(b"\x7eABC\x7dDEF\x11GH\x7dABCDEFGHI")),
        (
            "frames of 40, 4 of them control octets",
            again(b"\x7eABC\x11DEF\x11GH\x11\x11ABCDEFGHABCDEFGHABCDEFGHABCD"),
        ),
        ("frames of 4 to 24 of all kinds", mixed_frames(4, 24)),
        ("frames of 16 to 40 of all kinds", mixed_frames(16, 40)),
        ("frames of 1500 control octets", again(&[&[FLAG], [0x11; 1500].as_slice()].concat())),
        ("bad frames", again(&[&[FLAG], random(1500, 1).as_slice()].concat())),
        ("frames of ESCAPE", again(&[FLAG].into_iter().chain(repeat_n(ESCAPE, 1500)).collect::<Vec<_>>())),
    ]
}

/// One to three octets between flags, of kinds that are judged differently, in no order.
fn short_frames() -> Vec<u8> {
    let kinds: [&[u8]; 6] = [b"A", b"\x7d", b"\x11", b"A\x7d", b"\x7d\x11", b"ABC"];
    let choices = random(16_000, 1);
    choices.iter().flat_map(|choice| [&[FLAG], kinds[usize::from(*choice) % kinds.len()]].concat()).collect()
}

/// So many octets between flags, of which every tenth is ESCAPE and every fifth a control octet, in no order.
fn mixed_frames(least: usize, most: usize) -> Vec<u8> {
    let mut choices = random(100_000, 1).into_iter();
    let mut line = Vec::new();
    while line.len() < 40_000 {
        let len = least + usize::from(choices.next().expect("there are enough")) % (most - least + 1);
        line.push(FLAG);
        line.extend(choices.by_ref().take(len).map(|choice| match choice % 10 {
            0 => ESCAPE,
            1 | 2 => 0x11,
            _ => b'A',
        }));
    }
    line
}

fn frames(bench: &Bench, name: &str, payload: Payload, len: usize, accm: Accm) {
    let frames: Vec<Vec<u8>> =
        (1..).take(FRAMES).map(|seed| [&[0x00, 0x21], payload(len, seed).as_slice()].concat()).collect();
    let mut framer = Framer::default();
    framer.set_accm(accm);
    let mut out = [[0; 8192]; 2];
    let line: Vec<u8> = frames
        .iter()
        .flat_map(|frame| {
            let len = framer.encode(frame, &mut out[0]).expect("there is room");
            out[0][..len].to_vec()
        })
        .collect();
    let [codec_out, oracle_out] = &mut out;
    let codec = || {
        for frame in &frames {
            black_box(framer.encode(black_box(frame), codec_out));
        }
    };
    let oracle = || {
        for frame in &frames {
            black_box(oracle::encode(black_box(frame), accm.0, oracle_out));
        }
    };
    bench.compare(&format!("encode/{name}"), FRAMES, codec, oracle);
    // What an honest sender escapes changes nothing.
    deframing(bench, &format!("decode/{name}"), &line, FRAMES, Accm::ALL);
}

/// `accm` flags the control octets that the line may have made up.
fn deframing(bench: &Bench, name: &str, line: &[u8], count: usize, accm: Accm) {
    let (mut deframer, mut decoder) = (Deframer::new(), oracle::Decoder::new());
    deframer.set_receive_accm(accm);
    let codec = || {
        for mut octets in black_box(line).chunks(CHUNK) {
            while let Some(result) = deframer.next_frame(&mut octets) {
                let _ = black_box(result);
            }
        }
    };
    let oracle = || {
        for octet in black_box(line) {
            if let Some(result) = decoder.take(*octet) {
                let _ = black_box(result);
            }
        }
    };
    bench.compare(name, count, codec, oracle);
}

//! How long framing and deframing take, beside the same done octet by octet with a table (`oracle`).
//!
//! `cargo bench -p bridge-proto --bench framing`. Compare only within one run.

#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../src/hdlc/oracle.rs"]
mod oracle;

use std::hint::black_box;

use bridge_proto::hdlc::{Accm, Deframer, Fcs16, Framer};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Frames differ, so that no branch predictor can learn them by heart.
const FRAMES: usize = 256;

/// What a read from a tty returns at most.
const CHUNK: usize = 4096;

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

fn frames(payload: fn(usize, u64) -> Vec<u8>, len: usize) -> Vec<Vec<u8>> {
    (0..FRAMES).map(|seed| [&[0x00, 0x21], payload(len, seed as u64 + 1).as_slice()].concat()).collect()
}

fn framer(accm: Accm) -> Framer {
    let mut framer = Framer::default();
    framer.set_accm(accm);
    framer
}

/// The same frames on the line.
fn line(frames: &[Vec<u8>], accm: Accm) -> Vec<u8> {
    let framer = framer(accm);
    let mut out = [0; 8192];
    let mut line = Vec::new();
    for frame in frames {
        let len = framer.encode(frame, &mut out).expect("there is room");
        line.extend(&out[..len]);
    }
    line
}

fn decode(deframer: &mut Deframer, line: &[u8]) -> usize {
    let mut good = 0;
    for chunk in line.chunks(CHUNK) {
        let mut octets = chunk;
        while let Some(result) = deframer.next_frame(&mut octets) {
            good += usize::from(black_box(result).is_ok());
        }
    }
    good
}

fn decode_by_octet(decoder: &mut oracle::Decoder, line: &[u8]) -> usize {
    let mut good = 0;
    for octet in line {
        if let Some(result) = decoder.take(*octet) {
            good += usize::from(black_box(result).0 == oracle::Verdict::Good);
        }
    }
    good
}

type Payload = (&'static str, fn(usize, u64) -> Vec<u8>);

const PAYLOADS: [Payload; 3] = [("random", random), ("text", text), ("flags", |len, _| vec![0x7e; len])];

fn framing(criterion: &mut Criterion) {
    for (kind, payload) in PAYLOADS {
        for len in [64, 576, 1492] {
            for accm in [Accm::NONE, Accm::ALL] {
                let frames = frames(payload, len);
                let line = line(&frames, accm);
                let name = format!("{kind}/{len}/{accm}");
                encoding(criterion, &name, &frames, accm);
                decoding(criterion, &name, &frames, &line);
            }
        }
    }
}

fn encoding(criterion: &mut Criterion, name: &str, frames: &[Vec<u8>], accm: Accm) {
    let mut group = criterion.benchmark_group("encode");
    group.throughput(Throughput::Bytes(frames.iter().map(|frame| frame.len() as u64).sum()));
    let mut out = [0; 8192];
    let framer = framer(accm);
    group.bench_function(BenchmarkId::new("codec", name), |bencher| {
        bencher.iter(|| {
            for frame in frames {
                black_box(framer.encode(black_box(frame), &mut out));
            }
        });
    });
    group.bench_function(BenchmarkId::new("oracle", name), |bencher| {
        bencher.iter(|| {
            for frame in frames {
                black_box(oracle::encode(black_box(frame), accm.0, &mut out));
            }
        });
    });
}

fn decoding(criterion: &mut Criterion, name: &str, frames: &[Vec<u8>], line: &[u8]) {
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Bytes(frames.iter().map(|frame| frame.len() as u64).sum()));
    group.bench_function(BenchmarkId::new("codec", name), |bencher| {
        let mut deframer = Deframer::new();
        bencher.iter(|| assert_eq!(decode(&mut deframer, black_box(line)), FRAMES));
    });
    group.bench_function(BenchmarkId::new("oracle", name), |bencher| {
        let mut decoder = oracle::Decoder::new();
        bencher.iter(|| assert_eq!(decode_by_octet(&mut decoder, black_box(line)), FRAMES));
    });
}

fn checking(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fcs");
    for len in [64, 576, 1492] {
        let octets = random(len, 1);
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_with_input(BenchmarkId::new("codec", len), &octets, |bencher, octets| {
            bencher.iter(|| Fcs16::new().with(black_box(octets)));
        });
        group.bench_with_input(BenchmarkId::new("oracle", len), &octets, |bencher, octets| {
            bencher.iter(|| oracle::fcs(black_box(octets)));
        });
    }
}

criterion_group!(benches, framing, checking);
criterion_main!(benches);

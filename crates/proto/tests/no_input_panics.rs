//! The fuzz targets, briefly and on any compiler: no octets from outside panic or break a promise.
//!
//! The octets are real ones with some damage (`vectors/*.hex`), and random ones, from a generator whose seed is
//! the same in each run. A failure prints how it can be had again; `FUZZ_SEED` sets another seed, `FUZZ_CASES`
//! another number of cases.

mod fuzz_bodies;

use fuzz_bodies::{TARGETS, Target};
use std::path::{Path, PathBuf};
use std::{env, fs};

#[test]
fn a_discovery_packet_of_any_octets_is_harmless() {
    feed("discovery", 3000);
}

#[test]
fn a_session_frame_of_any_octets_is_harmless() {
    feed("session", 3000);
}

#[test]
fn an_lcp_packet_of_any_octets_is_harmless() {
    feed("lcp", 3000);
}

#[test]
fn whatever_is_shown_to_people_is_plain_text() {
    feed("notation", 3000);
}

#[test]
fn any_line_is_deframed_as_the_oracle_does_it() {
    feed("deframer", 1000);
}

#[test]
fn any_frame_comes_out_as_it_went_in() {
    feed("framer", 1000);
}

#[test]
fn any_script_comes_to_its_end_with_any_modem() {
    feed("chat", 1000);
}

#[test]
fn a_mediator_takes_anything_from_both_sides() {
    feed("mediator", 2000);
}

#[test]
fn a_bridge_takes_anything_at_any_time_and_finishes() {
    feed("bridge", 2000);
}

#[test]
fn every_vector_belongs_to_a_target_and_passes_all() {
    let paths = vector_paths();
    assert!(!paths.is_empty());
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy();
        assert!(TARGETS.iter().any(|target| name.starts_with(target.name)), "{name} is for no target");
        let octets = read_vector(&path);
        TARGETS.iter().for_each(|target| (target.run)(&octets));
    }
}

#[test]
fn every_target_is_known_to_cargo_fuzz() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for Target { name, .. } in TARGETS {
        let path = format!("fuzz_targets/{name}.rs");
        assert!(manifest.contains(&format!("name = \"{name}\"\npath = \"{path}\"\n")), "{name}");
        assert!(folder.join(path).exists(), "{name}");
    }
}

/// Runs a target with `cases` inputs.
fn feed(name: &str, cases: u64) {
    let target = TARGETS.into_iter().find(|target| target.name == name).unwrap();
    let vectors: Vec<_> = vector_paths()
        .iter()
        .filter(|path| path.file_stem().unwrap().to_string_lossy().starts_with(name))
        .map(|path| read_vector(path))
        .collect();
    let seed = number("FUZZ_SEED").unwrap_or(2516);
    for case in 0..number("FUZZ_CASES").unwrap_or(cases) {
        let reproduction = Reproduction { seed: seed + case };
        let mut random = Random(seed + case);
        let octets = match vectors.as_slice() {
            [_, ..] if random.below(2) == 0 => {
                let vector = &vectors[random.below(vectors.len())];
                damaged(vector, &mut random)
            }
            _ => made_up(&mut random),
        };
        (target.run)(&octets);
        drop(reproduction);
    }
}

/// Says on a failure how to have it again.
struct Reproduction {
    seed: u64,
}

impl Drop for Reproduction {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("again with FUZZ_CASES=1 FUZZ_SEED={}", self.seed);
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{variable}={value}")))
}

/// Octets of any length, most of them short; large and small values alike.
fn made_up(random: &mut Random) -> Vec<u8> {
    let longest = [8, 64, 512, 4096][random.below(4)];
    let length = random.below(longest);
    let highest = [255, 255, 31][random.below(3)];
    let mut octet = || match random.below(8) {
        0 => [0x7e, 0x7d, 0xff, 0x00, b'-', b' ', b'\\', b'\n'][random.below(8)],
        _ => (random.below(256) as u8) & highest,
    };
    (0..length).map(|_| octet()).collect()
}

/// The octets with up to four changes.
fn damaged(octets: &[u8], random: &mut Random) -> Vec<u8> {
    let mut octets = octets.to_vec();
    for _ in 0..random.below(5) {
        let at = random.below(octets.len() + 1);
        match random.below(4) {
            0 => octets.insert(at, random.below(256) as u8),
            1 => octets.truncate(at),
            2 => octets.extend_from_within(at..),
            _ => {
                if let Some(octet) = octets.get_mut(at) {
                    *octet = [0, 1, 0xff, *octet ^ (1 << random.below(8))][random.below(4)];
                }
            }
        }
    }
    octets
}

/// Numbers without order, the same from the same seed (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((value ^ (value >> 31)) % end as u64) as usize
    }
}

fn vector_paths() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The octets of a vector: hexadecimal digits, and comments from `#` to the end of the line.
fn read_vector(path: &Path) -> Vec<u8> {
    let text = fs::read_to_string(path).unwrap();
    let digits: String = text
        .lines()
        .flat_map(|line| line.split('#').next())
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace())
        .collect();
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap_or_else(|_| panic!("{path:?}: {pair}"))).collect()
}

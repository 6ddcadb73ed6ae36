//! Measures the bridge as a whole, beside a bare forwarder without framing and the programs it competes with.
//!
//! All of them run at once, each with an Ethernet cable and a serial line of its own, in a network namespace made
//! here; one at a time is given work, in an order that is new each time, so that what else the machine does and what the
//! one before has left behind meet them alike. Ratios are of neighbours in time; their medians are what counts.
//! `bench/run` builds and runs it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bridge_bench::process::Processors;
use bridge_bench::rig::{Programs, Rig, Subject};
use bridge_bench::traffic::{Direction, Generator};
use bridge_bench::{Failure, Filler, FrameSet};
use bridge_linux::namespace;
use bridge_sim::prng::Prng;
use clap::{Args, Parser, Subcommand};

mod forwarder;
mod goals;
mod report;
mod statistics;

use report::Results;

/// Octets of information in a frame.
const SIZES: [u16; 2] = [LARGE, 64];
const LARGE: u16 = 1492;
/// Nothing escaped, and every control octet.
const MAPS: [u32; 2] = [0, 0xffff_ffff];

/// Measures pppoe-serial-bridge beside a bare forwarder, rp-pppoe and the Python original
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    role: Option<Role>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Be the bare forwarder
    #[command(hide = true)]
    Forward { interface: String, tty: String, peer: String, session: u16, accm: Option<u32> },
}

#[derive(Debug, Args)]
struct Options {
    /// Show in less than a minute that all works and nothing is lost or damaged; the times say little
    #[arg(long)]
    quick: bool,
    /// How often everything is measured
    #[arg(long, value_name = "N", default_value = "7", value_parser = at_least_one)]
    rounds: usize,
    /// How long frames pass in each measurement, in milliseconds
    #[arg(long, value_name = "MS", default_value = "100", value_parser = clap::value_parser!(u64).range(10..))]
    duration: u64,
    /// Checkout of the Python program of the same name, to be measured as well
    #[arg(long, value_name = "PATH")]
    original: Option<PathBuf>,
    /// Another build of the bridge, to be measured as well
    #[arg(long, value_name = "PATH")]
    beside: Option<PathBuf>,
    /// Measure only subjects whose names contain this
    #[arg(long, value_name = "WORD")]
    only: Option<String>,
    /// Directory for the results
    #[arg(long, value_name = "PATH", default_value = "bench/results")]
    results: PathBuf,
}

/// How much is measured.
struct Plan {
    rounds: usize,
    /// How often each kind of work is given in a round: what the machine does otherwise changes within seconds, so
    /// that more and shorter measurements stand closer beside what they are compared with.
    passes: usize,
    duration: Duration,
    latencies: usize,
    overload: Duration,
}

impl Plan {
    fn new(options: &Options) -> Self {
        if options.quick {
            let (duration, overload) = (Duration::from_millis(50), Duration::from_millis(300));
            return Self { rounds: 1, passes: 1, duration, latencies: 30, overload };
        }
        Self {
            rounds: options.rounds,
            passes: 3,
            duration: Duration::from_millis(options.duration),
            latencies: 300,
            overload: Duration::from_millis(700),
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.role {
        Some(Role::Forward { interface, tty, peer, session, accm }) => {
            let filler = accm.map_or(Filler::None, Filler::AsFraming);
            let forward = |peer| forwarder::run(&interface, &tty, peer, session, filler);
            parse_mac(&peer).and_then(forward).map(|()| true)
        }
        None => measure(&arguments.options),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bridge-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "a number from 1 on".to_owned())
}

fn parse_mac(text: &str) -> Result<[u8; 6], Failure> {
    let octets: Result<Vec<u8>, _> = text.split(':').map(|octet| u8::from_str_radix(octet, 16)).collect();
    octets?.try_into().map_err(|_| "an address has six octets".into())
}

/// Measures and reports; whether the bridge has lost and damaged nothing.
fn measure(options: &Options) -> Result<bool, Failure> {
    namespace::enter_user_and_network_namespace()?;
    let programs = find_programs(options)?;
    let mut results = Results::new(choose_subjects(options, &programs)?);
    let processors = Processors::claim()?;
    let plan = Plan::new(options);
    let mut turns = Turns { prng: Prng::new(0), subjects: results.subjects().len() };
    let sets: Vec<FrameSet> = SIZES.iter().map(|size| FrameSet::new(*size)).collect();
    for round in 0..plan.rounds {
        for accm in MAPS {
            eprintln!("round {} of {}, ACCM {accm:08x}", round + 1, plan.rounds);
            measure_once(&plan, accm, &sets, &programs, processors, &mut turns, &mut results)?;
        }
    }
    std::fs::remove_file(&programs.chat_script)?;
    let text = results.to_string();
    println!("{text}");
    results.save(&options.results, &text)?;
    Ok(results.nothing_is_lost_or_damaged())
}

fn find_programs(options: &Options) -> Result<Programs, Failure> {
    let bench = std::env::current_exe()?;
    let bridge = bench.with_file_name("pppoe-serial-bridge");
    if !bridge.exists() {
        return Err(format!("{} is missing; build it, or start bench/run", bridge.display()).into());
    }
    let paths = ["/usr/sbin/pppoe", "/usr/bin/pppoe", "/sbin/pppoe"];
    let rp_pppoe = paths.map(PathBuf::from).into_iter().find(|path| path.exists());
    // A word that the modem answers at once.
    let chat_script = std::env::temp_dir().join(format!("bridge-bench-{}.chat", std::process::id()));
    std::fs::write(&chat_script, "'' ATD CONNECT ''\n")?;
    let (original, beside) = (options.original.clone(), options.beside.clone());
    Ok(Programs { bridge, bench, rp_pppoe, original, beside, chat_script, options: &[] })
}

fn choose_subjects(options: &Options, programs: &Programs) -> Result<Vec<Subject>, Failure> {
    let mut subjects = vec![
        Subject::Bridge { transparent: false },
        Subject::Forwarder { filled: false },
        Subject::Forwarder { filled: true },
        Subject::Bridge { transparent: true },
    ];
    subjects.extend(programs.beside.as_ref().map(|_| Subject::Beside));
    match programs.rp_pppoe {
        Some(_) => subjects.push(Subject::RpPppoe),
        None => eprintln!("NOT MEASURED: rp-pppoe; install the package pppoe"),
    }
    match programs.original {
        Some(_) => subjects.push(Subject::Original),
        None => eprintln!("not measured: the Python original, for want of --original PATH"),
    }
    if let Some(word) = &options.only {
        let names: Vec<_> = subjects.iter().map(Subject::name).collect();
        subjects.retain(|subject| subject.name().contains(word));
        if subjects.is_empty() {
            return Err(format!("--only {word}: none of {} contains that", names.join("; ")).into());
        }
    }
    Ok(subjects)
}

/// In which order the subjects are started and get their turns: another each time, the same in each run, so that what
/// one leaves behind, such as a machine that was made to slow down, meets all others alike.
struct Turns {
    prng: Prng,
    subjects: usize,
}

impl Turns {
    fn next(&mut self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.subjects).collect();
        for end in (1..order.len()).rev() {
            order.swap(end, self.prng.below(end as u64 + 1) as usize);
        }
        order
    }
}

/// One round with one map: starts everybody, and gives each in turn each kind of work.
fn measure_once(
    plan: &Plan,
    accm: u32,
    sets: &[FrameSet],
    programs: &Programs,
    processors: Processors,
    turns: &mut Turns,
    results: &mut Results,
) -> Result<(), Failure> {
    let mut rigs = Vec::new();
    for number in turns.next() {
        let subject = results.subjects()[number];
        let rig = Rig::start(&subject, accm, number, programs, processors)
            .map_err(|error| format!("{}: {error}", subject.name()))?;
        results.add_start(number, &rig)?;
        rigs.push((number, rig));
    }
    rigs.sort_by_key(|(number, _)| *number);
    let mut rigs: Vec<Rig> = rigs.into_iter().map(|(_, rig)| rig).collect();
    for (size, set) in SIZES.into_iter().zip(sets) {
        let mut generators: Vec<_> = rigs.iter_mut().map(|rig| Generator::new(rig, set)).collect();
        for direction in std::iter::repeat_n(Direction::ALL, plan.passes).flatten() {
            for number in turns.next() {
                let throughput = generators[number]
                    .throughput(direction, plan.duration)
                    .map_err(|error| format!("{}: {error}", results.subjects()[number].name()))?;
                results.add_throughput(accm, size, direction, number, throughput);
            }
        }
        if size == LARGE {
            measure_large(plan, accm, &mut generators, turns, results)?;
        }
    }
    for (number, rig) in rigs.iter().enumerate() {
        results.add_memory(number, rig)?;
    }
    Ok(())
}

/// What is measured with large frames only: latency, and what becomes of frames when there are too many.
fn measure_large(
    plan: &Plan,
    accm: u32,
    generators: &mut [Generator<'_>],
    turns: &mut Turns,
    results: &mut Results,
) -> Result<(), Failure> {
    for direction in [Direction::HostToModem, Direction::ModemToHost] {
        for number in turns.next() {
            let latencies = generators[number].latencies(direction, plan.latencies)?;
            results.add_latencies(accm, direction, number, &latencies);
        }
    }
    for number in turns.next() {
        // Records without framing cannot be told apart once one was lost.
        if !matches!(results.subjects()[number], Subject::Forwarder { .. }) {
            let overload = generators[number].overload(plan.overload)?;
            results.add_overload(accm, number, overload);
        }
    }
    Ok(())
}

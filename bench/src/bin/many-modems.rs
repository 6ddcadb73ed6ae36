//! What a modem costs that nobody uses, a session on which nothing passes any more, and a frame among many sessions:
//! memory and processor time of one bridge with few modems and with many. `bench/many` builds and runs it.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use bridge_bench::Failure;
use bridge_bench::crowd::{Crowd, Work};
use bridge_bench::process::{Memory, Processors};
use bridge_linux::namespace;
use clap::Parser;

/// Measures pppoe-serial-bridge with one modem and with many: idle, in silent sessions, and while frames pass
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// How many modems there are in the second of the two bridges
    #[arg(long, value_name = "N", default_value = "64", value_parser = clap::value_parser!(u8).range(2..=200))]
    modems: u8,
    /// How long each of them is watched, in seconds; 0 leaves that out
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    idle: u64,
    /// How many frames pass in each measurement under load; 0 leaves that out
    #[arg(long, value_name = "N", default_value = "20000")]
    frames: usize,
    /// Show in a minute that all works; the times say little
    #[arg(long, conflicts_with_all = ["idle", "frames"])]
    quick: bool,
    /// Directory for the results
    #[arg(long, value_name = "PATH", default_value = "bench/results")]
    results: PathBuf,
    /// The bridge [default: beside this program]
    #[arg(long, value_name = "PATH")]
    bridge: Option<PathBuf>,
}

/// What was under way has ended after this time, and what was lost been sent again.
const SETTLE: Duration = Duration::from_secs(5);

/// A bridge that was watched for a while.
struct Watched {
    memory: Memory,
    processor_time: Duration,
    frames: u64,
}

/// What a frame costs.
struct Loaded {
    modems: u8,
    active: u8,
    /// Processor time in nanoseconds, of each round, for each kind of work.
    rounds: Vec<[f64; Work::ALL.len()]>,
}

/// How often each load is measured.
const ROUNDS: usize = 5;

fn main() -> ExitCode {
    match measure(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("many-modems: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(mut arguments: Arguments) -> Result<(), Failure> {
    if arguments.quick {
        (arguments.idle, arguments.frames) = (1, 1000);
    }
    namespace::enter_user_and_network_namespace()?;
    let processors = Processors::claim()?;
    let beside = std::env::current_exe()?.with_file_name("pppoe-serial-bridge");
    let program = arguments.bridge.as_ref().unwrap_or(&beside);
    if arguments.idle > 0 {
        measure_silence(&arguments, program, processors)?;
    }
    if arguments.frames > 0 {
        let rows = measure_load(&arguments, program, processors)?;
        save(&arguments.results, &rows)?;
    }
    Ok(())
}

/// All sessions of one, eight and many pass frames, and one of many: always as many frames.
fn measure_load(
    arguments: &Arguments,
    program: &Path,
    processors: Processors,
) -> Result<Vec<Loaded>, Failure> {
    println!("processor time for a frame, median of {ROUNDS} rounds of {} frames", arguments.frames);
    println!("modems  busy  {}", Work::ALL.map(Work::name).join("  "));
    let mut rows = Vec::new();
    let mut counts = vec![1, 8.min(arguments.modems), arguments.modems];
    counts.dedup();
    for modems in counts {
        let mut crowd = Crowd::gather(modems, program, processors)?;
        crowd.connect()?;
        crowd.play(Duration::from_secs(1))?;
        let mut loaded: Vec<Loaded> =
            [modems, 1].map(|active| Loaded { modems, active, rounds: vec![] }).into();
        // With one modem both are the same, and among eight one says nothing new.
        loaded.truncate(if modems == arguments.modems { 2 } else { 1 });
        for _ in 0..ROUNDS {
            for row in &mut loaded {
                let mut round = [0.0; Work::ALL.len()];
                for (cost, work) in round.iter_mut().zip(Work::ALL) {
                    *cost = crowd.load(work, row.active.into(), arguments.frames)?;
                }
                row.rounds.push(round);
            }
        }
        loaded.iter().for_each(print_load);
        rows.append(&mut loaded);
    }
    Ok(rows)
}

fn print_load(row: &Loaded) {
    let cells: String = (0..Work::ALL.len())
        .map(|work| {
            let mut costs: Vec<f64> = row.rounds.iter().map(|round| round[work]).collect();
            costs.sort_by(f64::total_cmp);
            let width = Work::ALL[work].name().len() - 3;
            format!("  {:width$.2} us", costs[costs.len() / 2] / 1000.0)
        })
        .collect();
    println!("{:6}  {:4}{cells}", row.modems, row.active);
}

/// Writes the loads as JSON, under the time of the end.
fn save(directory: &Path, rows: &[Loaded]) -> Result<(), Failure> {
    let mut text =
        String::from("{\n  \"unit\": \"nanoseconds of processor time for a frame\",\n  \"loads\": [");
    for (number, row) in rows.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        write!(text, "{comma}\n    {{\"modems\": {}, \"busy\": {}", row.modems, row.active)?;
        for (number, work) in Work::ALL.into_iter().enumerate() {
            let costs: Vec<_> = row.rounds.iter().map(|round| format!("{:.0}", round[number])).collect();
            write!(text, ", \"{}\": [{}]", work.name(), costs.join(", "))?;
        }
        text.push('}');
    }
    text.push_str("\n  ]\n}\n");
    std::fs::create_dir_all(directory)?;
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let path = directory.join(format!("many-{seconds}.json"));
    std::fs::write(&path, text)?;
    eprintln!("saved as {}", path.display());
    Ok(())
}

fn measure_silence(arguments: &Arguments, program: &Path, processors: Processors) -> Result<(), Failure> {
    let time = Duration::from_secs(arguments.idle);
    println!(
        "modems  sessions  resident  of it anonymous  processor time in {} s  frames to hosts",
        arguments.idle
    );
    let mut rows = Vec::new();
    for count in [1, arguments.modems] {
        let mut crowd = Crowd::gather(count, program, processors)?;
        let idle = watch(&mut crowd, time)?;
        print_row(count, 0, &idle);
        crowd.connect()?;
        crowd.exercise()?;
        let busy = watch(&mut crowd, time)?;
        print_row(count, crowd.connected(), &busy);
        if crowd.connected() != usize::from(count) {
            return Err("a session was lost while nothing happened".into());
        }
        rows.push((idle, busy));
    }
    let [(one_idle, one_busy), (idle, busy)] = rows.as_slice() else { return Ok(()) };
    let further = f64::from(arguments.modems - 1);
    let kilobytes = |more: &Watched, less: &Watched| {
        (more.memory.resident as f64 - less.memory.resident as f64) / further / 1024.0
    };
    let microseconds = |more: &Watched, less: &Watched| {
        (more.processor_time.as_secs_f64() - less.processor_time.as_secs_f64()) * 1e6
            / further
            / time.as_secs_f64()
    };
    println!("each further modem, idle:         {:6.1} KiB", kilobytes(idle, one_idle));
    println!("each further modem in a session:  {:6.1} KiB", kilobytes(busy, one_busy));
    println!("processor time of each, idle:     {:6.1} us a second", microseconds(idle, one_idle));
    println!("processor time of each session:   {:6.1} us a second", microseconds(busy, one_busy));
    Ok(())
}

fn watch(crowd: &mut Crowd, time: Duration) -> Result<Watched, Failure> {
    crowd.play(SETTLE)?;
    let (before, heard) = (crowd.process.processor_time()?, crowd.frames_heard());
    crowd.play(time)?;
    Ok(Watched {
        memory: crowd.process.memory()?,
        processor_time: crowd.process.processor_time()? - before,
        frames: crowd.frames_heard() - heard,
    })
}

fn print_row(modems: u8, sessions: usize, watched: &Watched) {
    let Memory { resident, anonymous } = watched.memory;
    println!(
        "{modems:6}  {sessions:8}  {:4} KiB  {:11} KiB  {:20.2} ms  {:15}",
        resident / 1024,
        anonymous / 1024,
        watched.processor_time.as_secs_f64() * 1e3,
        watched.frames
    );
}

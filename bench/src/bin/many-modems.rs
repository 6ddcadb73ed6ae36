//! What a modem costs that nobody uses, and a session on which nothing passes any more: memory and processor time of one bridge
//! with few modems and with many. `bench/many` builds and runs it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bridge_bench::Failure;
use bridge_bench::crowd::Crowd;
use bridge_bench::process::{Memory, Processors};
use bridge_linux::namespace;
use clap::Parser;

/// Measures pppoe-serial-bridge with one modem and with many, idle and in sessions on which nothing passes any more
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// How many modems there are in the second of the two bridges
    #[arg(long, value_name = "N", default_value = "64", value_parser = clap::value_parser!(u8).range(2..=200))]
    modems: u8,
    /// How long each of them is watched, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    idle: u64,
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

fn main() -> ExitCode {
    match measure(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("many-modems: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> Result<(), Failure> {
    namespace::enter_user_and_network_namespace()?;
    let processors = Processors::claim()?;
    let beside = std::env::current_exe()?.with_file_name("pppoe-serial-bridge");
    let program = arguments.bridge.as_ref().unwrap_or(&beside);
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

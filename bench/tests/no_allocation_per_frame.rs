//! Once a session is open, frames pass without a single allocation: counted in the daemon's own process, from its
//! sockets to its tty and back. Large ones and small ones, whether or not they have to wait for the tty or the line;
//! and of a burst none is lost.
//!
//! This program is test and daemon at once. Called by the daemon's name it is the daemon, command line and all, with
//! an allocator that counts, and tells the count to whoever asks at a socket beside it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bridge_bench::process::Processors;
use bridge_bench::rig::{Programs, Rig, Subject};
use bridge_bench::traffic::{Direction, Generator, Throughput};
use bridge_bench::{Failure, FrameSet};
use bridge_linux::namespace;

#[path = "../../tests/skipped.rs"]
mod skipped;

const DAEMON: &str = "pppoe-serial-bridge";
/// Full-size frames of a segment that a host hands to its interface whole.
const BURST: usize = 44;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count() {
    ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
}

// SAFETY: every call is handed on to `System` as it came, which keeps the contract; counting allocates nothing. The other
// functions of the trait are made of these two.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of this same function.
        unsafe { System.alloc(layout) }
    }

    // SAFETY: what comes back is from `System`, as all that `alloc` has given.
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of this same function.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn main() -> ExitCode {
    let name = PathBuf::from(std::env::args_os().next().unwrap_or_default());
    if name.file_name().is_some_and(|file| file == DAEMON) {
        let socket = name.with_extension("socket");
        std::thread::spawn(move || tell_count(&socket));
        return pppoe_serial_bridge::main();
    }
    if std::env::args().any(|argument| argument == "--list") {
        println!("no_allocation_per_frame: test");
        return ExitCode::SUCCESS;
    }
    if let Err(error) = namespace::enter_user_and_network_namespace() {
        let remedy = error.remedy().unwrap_or("run on another system");
        skipped::skipped("no_allocation_per_frame", &format!("{error}; {remedy}"));
        return tell_result(1, 0);
    }
    let directory = std::env::temp_dir().join(format!("no-allocation-{}", std::process::id()));
    let outcome = frames_pass_without_allocation(&directory);
    let _ = std::fs::remove_dir_all(&directory);
    match outcome {
        Ok(()) => tell_result(1, 0),
        Err(error) => {
            eprintln!("failed: {error}");
            tell_result(0, 1)
        }
    }
}

/// As the usual harness does, for `./test` to count.
fn tell_result(passed: u8, failed: u8) -> ExitCode {
    let outcome = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {outcome}. {passed} passed; {failed} failed; 0 ignored");
    ExitCode::from(failed)
}

fn frames_pass_without_allocation(directory: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(directory)?;
    let (bridge, chat_script) = (directory.join(DAEMON), directory.join("chat"));
    let bench = std::env::current_exe()?;
    std::os::unix::fs::symlink(&bench, &bridge)?;
    std::fs::write(&chat_script, "'' ATD CONNECT ''\n")?;
    let socket = bridge.with_extension("socket");
    let mut programs =
        Programs { bridge, bench, rp_pppoe: None, original: None, beside: None, chat_script, options: &[] };
    let processors = Processors::claim()?;
    // Where frames wait for a tty that is full, and where they wait for a line to need them.
    let legs: [(u32, &[&str]); 3] = [(0, &[]), (0xffff_ffff, &[]), (0, &["--line-rate", "4000000"])];
    for (number, (accm, options)) in legs.into_iter().enumerate() {
        programs.options = options;
        let subject = Subject::Bridge { transparent: false };
        let mut rig = Rig::start(&subject, accm, number, &programs, processors)?;
        let leg = format!("ACCM {accm:08x} {}", options.join(" "));
        let mut count = Count { socket: &socket, is_clean: true };
        for size in [1492, 64] {
            let set = FrameSet::new(size);
            let mut generator = Generator::new(&mut rig, &set);
            let leg = format!("{leg} {size} octets");
            for direction in Direction::ALL {
                count.is_clean &= generator.throughput(direction, Duration::from_millis(20))?.lost == 0;
                count.around(&format!("{leg}, {}", direction.name()), || {
                    let passed = generator.throughput(direction, Duration::from_millis(200))?;
                    let Throughput { frames, damaged, lost, .. } = passed;
                    Ok(Passed { frames, damaged, lost, but: None })
                })?;
            }
            count.around(&format!("{leg}, a burst"), || {
                let passed = generator.burst(BURST)?;
                let lost = passed.offered - passed.good;
                let but = (lost > 0).then(|| format!("{lost} of {BURST} frames are lost"));
                Ok(Passed { frames: passed.good, damaged: passed.damaged, lost, but })
            })?;
            count.around(&format!("{leg}, more than the modem takes"), || {
                let passed = generator.overload(Duration::from_millis(300))?;
                let lost = passed.offered - passed.good;
                let but = (lost == 0).then(|| "the modem has taken all: nothing waited for long".to_owned());
                Ok(Passed { frames: passed.good, damaged: passed.damaged, lost, but })
            })?;
        }
        drop(rig);
        std::fs::remove_file(&socket)?;
    }
    Ok(())
}

/// What became of the frames of one try.
struct Passed {
    frames: u64,
    damaged: u64,
    lost: u64,
    /// Why this was not what is to be tried.
    but: Option<String>,
}

/// How often something is tried before it counts that it does not come out as it should. Of frames that were dropped the
/// daemon tells by the clock, which allocates and may fall into the time of a try; and on a busy machine the modem's part
/// may not get to run, so that frames wait for too long. What allocates for a frame, or loses one, does so each time.
const TRIES: usize = 10;

/// Counts what one daemon allocates.
struct Count<'a> {
    socket: &'a Path,
    /// No frame has been lost yet: there is nothing to be told of, and nothing may be allocated in any try.
    is_clean: bool,
}

impl Count<'_> {
    /// Fails unless, in one of some tries, frames pass as they should and nothing is allocated; if anything is while no
    /// frame has been lost; and if any frame is damaged.
    fn around(
        &mut self,
        what: &str,
        mut work: impl FnMut() -> Result<Passed, Failure>,
    ) -> Result<(), Failure> {
        let mut faults = Vec::new();
        while faults.len() < TRIES {
            let before = ask_count(self.socket)?;
            assert!(before > 0, "the daemon has allocated what it needs at its start, and that was counted");
            let Passed { frames, damaged, lost, but } = work().map_err(|error| format!("{what}: {error}"))?;
            let allocations = ask_count(self.socket)? - before;
            println!("{what}: {frames} frames, {lost} lost, {allocations} allocations");
            if damaged > 0 {
                return Err(format!("{what}: {frames} frames passed, {damaged} damaged").into());
            }
            self.is_clean &= lost == 0;
            if self.is_clean && allocations > 0 {
                return Err(format!("{what}: {allocations} allocations, and no frame was lost").into());
            }
            match but {
                Some(fault) => faults.push(fault),
                None if frames == 0 => faults.push("no frame passed".to_owned()),
                None if allocations > 0 => faults.push(format!("{allocations} allocations")),
                None => return Ok(()),
            }
        }
        Err(format!("{what}: in none of {TRIES} tries as it should be: {}", faults.join("; ")).into())
    }
}

/// In the daemon: answers every connection with the count.
fn tell_count(socket: &Path) {
    let Ok(listener) = UnixListener::bind(socket) else { return };
    while let Ok((mut asker, _)) = listener.accept() {
        let _ = asker.write_all(&ALLOCATIONS.load(Ordering::Relaxed).to_le_bytes());
    }
}

/// In the test: the daemon's count.
fn ask_count(socket: &Path) -> io::Result<u64> {
    let mut octets = [0; 8];
    UnixStream::connect(socket)?.read_exact(&mut octets)?;
    Ok(u64::from_le_bytes(octets))
}

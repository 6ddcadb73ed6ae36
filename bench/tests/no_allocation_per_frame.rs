//! Once a session is open, frames pass without a single allocation: counted in the daemon's own process, from its
//! sockets to its tty and back.
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
use bridge_bench::traffic::{Direction, Generator};
use bridge_bench::{Failure, FrameSet};
use bridge_linux::namespace;

#[path = "../../tests/skipped.rs"]
mod skipped;

const DAEMON: &str = "pppoe-serial-bridge";

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count() {
    ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
}

// SAFETY: every call is handed on to `System` as it came, which keeps the contract; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of this same function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of this same function.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of this same function.
        unsafe { System.realloc(pointer, layout, size) }
    }

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
    let programs = Programs { bridge, bench, rp_pppoe: None, chat_script };
    let processors = Processors::claim()?;
    for (number, accm) in [0, 0xffff_ffff].into_iter().enumerate() {
        let mut rig =
            Rig::start(&Subject::Bridge { transparent: false }, accm, number, &programs, processors)?;
        let set = FrameSet::new(1492);
        let mut generator = Generator::new(&mut rig, &set);
        for direction in Direction::ALL {
            generator.throughput(direction, Duration::from_millis(20))?;
            let before = ask_count(&socket)?;
            assert!(before > 0, "the daemon has allocated what it needs at its start, and that was counted");
            let passed = generator.throughput(direction, Duration::from_millis(200))?;
            let allocations = ask_count(&socket)? - before;
            let name = direction.name();
            println!("{name}, ACCM {accm:08x}: {} frames, {allocations} allocations", passed.frames);
            if passed.frames == 0 || passed.damaged > 0 {
                return Err(
                    format!("{name}: {} frames passed, {} damaged", passed.frames, passed.damaged).into()
                );
            }
            if allocations > 0 {
                return Err(format!("{name}: {allocations} allocations for {} frames", passed.frames).into());
            }
        }
        drop(rig);
        std::fs::remove_file(&socket)?;
    }
    Ok(())
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

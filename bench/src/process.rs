//! The process that is measured, seen from outside.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::Failure;

/// What a process holds of the machine's RAM, in octets.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// All of it, with the pages of its program and libraries.
    pub resident: u64,
    /// Heap and stack, which it shares with nobody.
    pub anonymous: u64,
}

/// A child process; it ends with its owner.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts a program on the processor that is kept for what is measured.
    pub fn start(command: &mut Command, processors: Processors) -> io::Result<Self> {
        processors.move_to(processors.measured)?;
        let child = command.spawn();
        processors.move_to(processors.generator)?;
        child.map(Self)
    }

    /// Processor time that all its threads have used.
    pub fn processor_time(&self) -> io::Result<Duration> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(self.path("task"))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            nanoseconds += first_number(&text);
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Octets of memory that are in use and in the machine's RAM.
    pub fn resident_octets(&self) -> io::Result<u64> {
        Ok(self.memory()?.resident)
    }

    /// The same, and what of it is its own.
    pub fn memory(&self) -> io::Result<Memory> {
        let status = fs::read_to_string(self.path("status"))?;
        let octets = |name| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            first_number(line.trim_start()) * 1024
        };
        Ok(Memory { resident: octets("VmRSS:"), anonymous: octets("RssAnon:") })
    }

    /// Lets it do nothing for as long as `meanwhile` takes.
    pub fn pause<T>(&self, meanwhile: impl FnOnce() -> T) -> io::Result<T> {
        let pid = Pid::from_child(&self.0);
        kill_process(pid, Signal::STOP)?;
        let result = meanwhile();
        kill_process(pid, Signal::CONT)?;
        Ok(result)
    }

    /// Whether it waits for something, and has nothing left to do. One that wants to run, but does not get its turn, is
    /// not asleep.
    pub fn is_asleep(&self) -> io::Result<bool> {
        let text = fs::read_to_string(self.path("stat"))?;
        // The state follows the name, which may hold anything, parentheses too.
        Ok(text.rsplit(") ").next().is_some_and(|rest| rest.starts_with('S')))
    }

    /// An error if it has ended.
    pub fn check(&mut self) -> Result<(), Failure> {
        match self.0.try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!("it has ended: {status}").into()),
        }
    }

    fn path(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{file}", self.0.id()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn first_number(text: &str) -> u64 {
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// Where the generator runs and where what is measured does.
#[derive(Clone, Copy, Debug)]
pub struct Processors {
    generator: Option<usize>,
    measured: Option<usize>,
}

impl Processors {
    /// The first two that this program may use; it is moved to the one of the generator. On a machine with one, all
    /// share it.
    pub fn claim() -> io::Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let mut numbers = (0..CpuSet::MAX_CPU).filter(|number| allowed.is_set(*number));
        let (first, second) = (numbers.next(), numbers.next());
        let processors = match second {
            Some(_) => Self { generator: first, measured: second },
            None => Self { generator: None, measured: None },
        };
        processors.move_to(processors.generator)?;
        Ok(processors)
    }

    fn move_to(self, number: Option<usize>) -> io::Result<()> {
        let Some(number) = number else { return Ok(()) };
        let mut set = CpuSet::new();
        set.set(number);
        Ok(sched_setaffinity(None, &set)?)
    }
}

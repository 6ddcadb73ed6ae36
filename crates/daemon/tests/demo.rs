//! The demo as people run it: the built program, on this machine's kernel.
//!
//! It needs network namespaces: as root, or with user namespaces allowed. Where they are not to be had nothing is
//! tested, which is said aloud and, where `CI` is `true`, is a failure.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

#[path = "../../../tests/skipped.rs"]
mod skipped;
use skipped::skipped;

const NOBODY: u32 = 65_534;
/// The demo's exit code where it cannot be shown.
const ENVIRONMENT: i32 = 2;
const STEPS: [&str; 12] = [
    "start",
    "discovery",
    "dial",
    "session",
    "LCP",
    "login",
    "IPCP",
    "ping",
    "upload",
    "download",
    "goodbye",
    "end",
];

/// A copy of the program that anybody may run, and a place for its temporary files.
struct Place {
    directory: PathBuf,
}

impl Place {
    fn new(test: &str) -> Self {
        let name = format!("test-of-demo-{}-{test}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir(&directory).unwrap();
        let place = Self { directory };
        copy(Path::new(env!("CARGO_BIN_EXE_pppoe-serial-bridge")), &place.program());
        fs::create_dir(place.temporary()).unwrap();
        let modes = [(&place.directory, 0o755), (&place.program(), 0o755), (&place.temporary(), 0o1777)];
        for (path, mode) in modes {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        }
        place
    }

    fn program(&self) -> PathBuf {
        self.directory.join("pppoe-serial-bridge")
    }

    fn temporary(&self) -> PathBuf {
        self.directory.join("tmp")
    }

    fn demo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program());
        command.arg("demo").args(arguments).env("TMPDIR", self.temporary()).env("LC_ALL", "C");
        command
    }

    /// What is made here belongs to who runs the tests.
    fn is_made_by_root(&self) -> bool {
        fs::metadata(&self.directory).unwrap().uid() == 0
    }

    fn assert_nothing_is_left(&self, output: &str) {
        let left: Vec<_> =
            fs::read_dir(self.temporary()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        let bridge = bridge_pid(output);
        let program = fs::read_link(format!("/proc/{bridge}/exe"));
        assert!(!program.is_ok_and(|program| program == self.program()), "process {bridge} is left behind");
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Copies a program by cp(1), so that this process never has the copy open to be written: a child that another thread
/// forks meanwhile would hold it open too, up to its own exec, and what is open to be written cannot be run (ETXTBSY).
fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").args([from, to]).status().unwrap().success());
}

/// The process number in "the bridge is ready, as process 17".
fn bridge_pid(output: &str) -> u32 {
    let (_, behind) = output.split_once("as process ").expect("the bridge's process is told");
    behind.split_whitespace().next().unwrap().parse().unwrap()
}

/// Whether it says that this machine does not let it be shown.
fn is_skipped(code: Option<i32>, output: &str) -> bool {
    let is_skipped = code == Some(ENVIRONMENT);
    if is_skipped {
        let why = output.split_whitespace().collect::<Vec<_>>().join(" ");
        skipped("demo", &format!("it cannot be shown on this machine: {why}"));
    }
    is_skipped
}

fn assert_every_step_is_shown(place: &Place, mut command: Command) {
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    if is_skipped(output.status.code(), &text) {
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{text}");
    let mut rest = text.as_str();
    for step in STEPS {
        let found = rest.split_once(&format!(" s * {step} "));
        (_, rest) = found.unwrap_or_else(|| panic!("no step {step}, in its order, in:\n{text}"));
    }
    assert!(rest.contains("none lost, none damaged"), "{text}");
    assert!(text.is_ascii() && !text.contains(['\x1b', '\r']), "no terminal, but its looks:\n{text}");
    assert!(text.lines().all(|line| line.len() <= 80 || line.contains("--c")), "{text}");
    place.assert_nothing_is_left(&text);
}

#[test]
fn every_step_is_shown_and_nothing_is_left_behind() {
    let place = Place::new("steps");
    let command = place.demo(&["--dial", "0.2"]);
    assert_every_step_is_shown(&place, command);
}

#[test]
fn it_needs_no_privileges() {
    let place = Place::new("nobody");
    let mut command = place.demo(&["--dial", "0.2"]);
    if place.is_made_by_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    assert_every_step_is_shown(&place, command);
}

/// A demo under way.
struct Running {
    child: Child,
    output: BufReader<ChildStdout>,
    text: String,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output, text: String::new() }
    }

    /// Reads up to a line with these words; false if it ended before.
    fn read_to(&mut self, words: &str) -> bool {
        while self.output.read_line(&mut self.text).unwrap() > 0 {
            if self.text.lines().last().is_some_and(|line| line.contains(words)) {
                return true;
            }
        }
        false
    }

    /// Reads the rest; gives the exit code and all of the text.
    fn end(mut self) -> (Option<i32>, String) {
        self.output.read_to_string(&mut self.text).unwrap();
        (self.child.wait().unwrap().code(), self.text)
    }
}

fn signal(signal: &str, pid: u32) {
    assert!(Path::new(&format!("/proc/{pid}")).exists());
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

#[test]
fn a_bridge_that_dies_is_a_failure_that_is_explained() {
    let place = Place::new("death");
    let mut demo = Running::start(place.demo(&["--dial", "20"]));
    if demo.read_to("* discovery") {
        signal("-KILL", bridge_pid(&demo.text));
    }
    let (code, text) = demo.end();
    if is_skipped(code, &text) {
        return;
    }
    assert_eq!(code, Some(1), "{text}");
    let explained = ["The step \"dial\" failed", "CONNECT", "ended by signal 9", "last words", "what to do"];
    for words in explained {
        assert!(text.contains(words), "no {words:?} in:\n{text}");
    }
    place.assert_nothing_is_left(&text);
}

#[test]
fn an_interruption_ends_everything() {
    let place = Place::new("interrupt");
    let mut demo = Running::start(place.demo(&["--dial", "20"]));
    if demo.read_to("* discovery") {
        signal("-INT", demo.child.id());
    }
    let (code, text) = demo.end();
    if is_skipped(code, &text) {
        return;
    }
    assert_eq!(code, Some(130), "{text}");
    place.assert_nothing_is_left(&text);
}

#[test]
fn kept_it_stays_until_it_is_interrupted_and_says_goodbye() {
    let place = Place::new("keep");
    let mut demo = Running::start(place.demo(&["--dial", "0", "--keep"]));
    if demo.read_to("Ctrl-C says goodbye") {
        signal("-INT", demo.child.id());
    }
    let (code, text) = demo.end();
    if is_skipped(code, &text) {
        return;
    }
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("nsenter -t") && text.contains("with exit code 0"), "{text}");
    place.assert_nothing_is_left(&text);
}

//! `pppoe-serial-bridge dial` with a simulated modem behind a pseudo-terminal.

mod support;

use bridge_sim::modem::{DialResult, ModemFaults};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use support::ModemOnPty;

const PROGRAM: &str = env!("CARGO_BIN_EXE_pppoe-serial-bridge");
/// What every call has in common. No lock file: this is not the system's business.
const OPTIONS: [&str; 3] = ["dial", "--lock=kernel", "--flow=none"];
const SCRIPT: &str = "ABORT BUSY ABORT 'NO CARRIER' TIMEOUT 5 '' ATZ OK ATD*99# CONNECT ''";

fn dial(modem: &ModemOnPty, script: &str) -> Output {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("{}.chat", modem.device().display().to_string().replace('/', "-")));
    std::fs::write(&file, script).unwrap();
    let output =
        Command::new(PROGRAM).args(OPTIONS).arg("--chatscript").arg(&file).arg(modem.device()).output();
    std::fs::remove_file(file).unwrap();
    output.unwrap()
}

/// What was said, without the times.
fn lines(output: &Output) -> Vec<String> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let line = |line: &str| match line.split_at_checked(10) {
        Some((time, rest)) if time.trim().parse::<f64>().is_ok() => rest.trim().to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(line).collect()
}

#[test]
fn a_script_that_works_is_shown_and_the_modem_hung_up() {
    let modem = ModemOnPty::start(DialResult::Connect, ModemFaults::default());
    let output = dial(&modem, SCRIPT);
    let lines = lines(&output);
    assert_eq!(output.status.code(), Some(0), "{lines:#?}");
    let position = |wanted: &str| lines.iter().position(|line| line.contains(wanted)).expect(wanted);
    let story = ["opened /dev/pts/", "send    ATZ", "expect  OK", "send    ATD*99#", "connected: the script"];
    let places = story.map(position);
    assert!(places.is_sorted(), "{lines:#?}");
    // A pseudo-terminal has no DTR.
    assert!(position("hanging up by +++ and ATH") > places[4]);
    assert!(!lines.iter().any(|line| line.contains("may still be connected")), "{lines:#?}");
}

#[test]
fn a_script_that_fails_says_where_and_what_to_do() {
    let modem = ModemOnPty::start(DialResult::Busy, ModemFaults::default());
    let output = dial(&modem, SCRIPT);
    let lines = lines(&output);
    assert_eq!(output.status.code(), Some(1), "{lines:#?}");
    let failed = lines.iter().find(|line| line.starts_with("failed: ")).expect("a failure");
    assert!(failed.contains("step ") && failed.contains("\"BUSY\" came"), "{failed}");
    assert!(lines.last().unwrap().starts_with("The far end is busy"), "{lines:#?}");
}

#[test]
fn a_modem_that_says_nothing_is_told_from_one_that_says_something_else() {
    let dead = ModemFaults { is_dead: true, ..ModemFaults::default() };
    let modem = ModemOnPty::start(DialResult::Connect, dead);
    let output = dial(&modem, "TIMEOUT 1 '' ATZ OK ''");
    assert_eq!(output.status.code(), Some(1));
    assert!(lines(&output).last().unwrap().starts_with("The modem said nothing at all."));
}

#[test]
fn what_cannot_be_tried_is_said_at_once() {
    let modem = ModemOnPty::start(DialResult::Connect, ModemFaults::default());
    let output = dial(&modem, "ABORT 'BUSY");
    assert_eq!(output.status.code(), Some(2));
    let missing = Command::new(PROGRAM).args(OPTIONS).args(["--at", "/dev/nonexistent"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("cannot open /dev/nonexistent"));
}

#[test]
fn the_console_takes_lines_and_shows_answers() {
    let modem = ModemOnPty::start(DialResult::Connect, ModemFaults::default());
    let mut console = Command::new(PROGRAM)
        .args(OPTIONS)
        .arg("--at")
        .arg(modem.device())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    console.stdin.take().unwrap().write_all(b"ATZ\nATNONSENSE\n").unwrap();
    let output = console.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stdout).unwrap();
    let place = |wanted: &str| said.find(wanted).unwrap_or_else(|| panic!("no {wanted} in {said:?}"));
    assert!(place("OK\n") < place("ERROR\n"), "{said:?}");
}

#[test]
fn a_configured_modem_is_dialled_as_configured() {
    let modem = ModemOnPty::start(DialResult::Connect, ModemFaults::default());
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("dial-{}.toml", std::process::id()));
    let device = modem.device().display();
    let text = format!(
        "[modem.stick]\ndevice = \"{device}\"\nspeed = 9600\nflow = \"none\"\nlock = \"kernel\"\n\
         chat = \"TIMEOUT 5 '' ATZ OK ''\"\n[service.internet]\n[interface.eth0]\n"
    );
    std::fs::write(&file, text).unwrap();
    let dial =
        |name: &str| Command::new(PROGRAM).args(["dial", name, "--config"]).arg(&file).output().unwrap();
    for name in ["stick", "internet"] {
        let output = dial(name);
        let lines = lines(&output);
        assert_eq!(output.status.code(), Some(0), "{lines:#?} {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(lines[0], format!("opened {device} at 9600 bit/s"));
    }
    let unknown = dial("lte");
    assert_eq!(unknown.status.code(), Some(2));
    let said = String::from_utf8(unknown.stderr).unwrap();
    assert!(said.trim_end().ends_with("has no modem or service lte; its modems are: stick"), "{said}");
    std::fs::remove_file(file).unwrap();
}

//! `pppoe-serial-bridge dial` with a simulated modem behind a pseudo-terminal.

mod support;

use bridge_sim::modem::{DialResult, ModemFaults};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
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
    let said = String::from_utf8(missing.stderr).unwrap();
    assert!(said.contains("cannot open /dev/nonexistent: no such device; plug the modem in"), "{said}");
    assert!(!said.contains("--wait"), "dial has no such option: {said}");
    let mixed = Command::new(PROGRAM).args(["dial", "--at", "--phone=1", "/dev/null"]).output().unwrap();
    assert_eq!(mixed.status.code(), Some(2), "a person dials what he likes");
}

/// The console, which takes its lines from a pipe and shows the answers in another.
fn console(modem: &ModemOnPty) -> Child {
    Command::new(PROGRAM)
        .args(OPTIONS)
        .arg("--at")
        .arg(modem.device())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Talks to the modem at the console.
fn talk(modem: &ModemOnPty, words: &[u8]) -> String {
    let mut console = console(modem);
    console.stdin.take().unwrap().write_all(words).unwrap();
    let output = console.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_console_takes_lines_and_shows_answers() {
    let modem = ModemOnPty::start(DialResult::Connect, ModemFaults::default());
    let said = talk(&modem, b"ATZ\nATNONSENSE\n");
    let place = |wanted: &str| said.find(wanted).unwrap_or_else(|| panic!("no {wanted} in {said:?}"));
    assert!(place("OK\n") < place("ERROR\n"), "{said:?}");
}

#[test]
fn lines_from_a_pipe_wait_for_the_answers_to_those_before() {
    // Whatever is typed while it dials makes the modem give the call up.
    let modem = ModemOnPty::start(DialResult::Busy, ModemFaults::default());
    let said = talk(&modem, b"ATD*99#\n\nATE0\nATNONSENSE\nAT\n");
    let answers: Vec<&str> =
        said.lines().filter(|line| !line.is_empty() && !line.starts_with("AT")).collect();
    assert_eq!(answers, ["BUSY", "OK", "ERROR", "OK"], "{said:?}");
}

#[test]
fn a_line_from_a_pipe_is_answered_while_more_may_come() {
    let modem = ModemOnPty::start(DialResult::Connect, ModemFaults::default());
    let mut console = console(&modem);
    let (mut lines, mut answers) =
        (console.stdin.take().unwrap(), BufReader::new(console.stdout.take().unwrap()));
    for (line, expected) in [("AT\n", "OK\n"), ("ATNONSENSE\n", "ERROR\n")] {
        lines.write_all(line.as_bytes()).unwrap();
        let mut answer = String::new();
        while answer != expected {
            answer.clear();
            assert_ne!(answers.read_line(&mut answer).unwrap(), 0, "it has ended before {expected:?}");
        }
    }
    drop(lines);
    assert_eq!(console.wait().unwrap().code(), Some(0));
}

#[test]
fn the_console_hangs_up_what_was_dialled_there() {
    let modem = ModemOnPty::start(DialResult::Connect, ModemFaults::default());
    let said = talk(&modem, b"ATD*99#\n");
    let place = |wanted: &str| said.find(wanted).unwrap_or_else(|| panic!("no {wanted} in {said:?}"));
    assert!(place("CONNECT") < place("hanging up by +++ and ATH"), "{said:?}");
    assert!(!said.contains("may still be connected"), "{said:?}");
    assert!(!talk(&modem, b"AT\n").contains("hanging up"), "there was no call");
}

#[test]
fn a_device_of_which_no_configuration_tells_is_dialled_by_the_default_script() {
    let modem = ModemOnPty::start(DialResult::Connect, ModemFaults::default());
    let output =
        Command::new(PROGRAM).args(OPTIONS).arg("--phone=*98#").arg(modem.device()).output().unwrap();
    let lines = lines(&output);
    assert_eq!(output.status.code(), Some(0), "{lines:#?} {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(lines[0], "not configured: dialing by the default script; see --chatscript");
    assert!(lines.iter().any(|line| line.starts_with("send    ATD*98#")), "{lines:#?}");
}

/// A configuration of one modem and one service, for as long as it lives.
struct Configuration(PathBuf);

impl Configuration {
    fn new(name: &str, modem: &ModemOnPty, more: &str) -> Self {
        let file = format!("dial-{name}-{}.toml", std::process::id());
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(file);
        let device = modem.device().display();
        let text = format!(
            "[modem.stick]\ndevice = \"{device}\"\nspeed = 9600\nflow = \"none\"\nlock = \"kernel\"\n{more}\n\
             [service.internet]\n[interface.eth0]\n"
        );
        std::fs::write(&file, text).unwrap();
        Self(file)
    }

    fn dial(&self, words: &[&str]) -> Output {
        Command::new(PROGRAM).arg("dial").args(words).arg("--config").arg(&self.0).output().unwrap()
    }
}

impl Drop for Configuration {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_configured_modem_is_dialled_as_configured() {
    let modem = ModemOnPty::start(DialResult::Connect, ModemFaults::default());
    let configuration = Configuration::new("as", &modem, "chat = \"TIMEOUT 5 '' ATZ OK ''\"");
    let device = modem.device().display().to_string();
    for name in ["stick", "internet", &device] {
        let output = configuration.dial(&[name]);
        let lines = lines(&output);
        assert_eq!(output.status.code(), Some(0), "{lines:#?} {}", String::from_utf8_lossy(&output.stderr));
        let note = lines.iter().position(|line| *line == format!("opened {device} at 9600 bit/s"));
        let is_service = name == "internet";
        assert_eq!(note, Some(usize::from(is_service)), "{lines:#?}");
        assert!(!is_service || lines[0] == "modem stick, the first of internet", "{lines:#?}");
    }
}

#[test]
fn advice_is_in_the_words_that_were_given() {
    let dead = ModemFaults { is_dead: true, ..ModemFaults::default() };
    let modem = ModemOnPty::start(DialResult::Connect, dead);
    let configuration = Configuration::new("advice", &modem, "chat = \"TIMEOUT 1 '' ATZ OK ''\"");
    let output = configuration.dial(&["internet", "--speed=19200"]);
    let advice = lines(&output).pop().unwrap();
    let file = configuration.0.display();
    let talk =
        format!("speed? Talk to it: pppoe-serial-bridge dial --at --config={file} --speed=19200 stick");
    assert!(advice.ends_with(&talk), "{advice}");
}

#[test]
fn of_a_service_the_first_modem_that_is_there_is_dialled() {
    let modem = ModemOnPty::start(DialResult::Connect, ModemFaults::default());
    let more = "chat = \"TIMEOUT 5 '' ATZ OK ''\"\n[modem.absent]\ndevice = \"/dev/absent\"\n\
                [service.office]\nmodems = [\"absent\", \"stick\"]";
    let configuration = Configuration::new("there", &modem, more);
    let output = configuration.dial(&["office"]);
    assert_eq!(lines(&output)[0], "modem stick, the first of office that is there", "{output:?}");
}

#[test]
fn an_option_counts_before_the_configuration() {
    let modem = ModemOnPty::start(DialResult::Connect, ModemFaults::default());
    let chat = "chat = '''\nTIMEOUT 5\n'' $INIT\nOK ATD\\T\nCONNECT \\c\n'''\nvariables = { INIT = \"ATZ\" }";
    let configuration = Configuration::new("options", &modem, chat);
    let output = configuration.dial(&["stick", "--speed=19200", "--phone=5551212", "--chat-environment"]);
    let said = lines(&output);
    assert_eq!(output.status.code(), Some(0), "{said:#?} {}", String::from_utf8_lossy(&output.stderr));
    assert!(said[0].ends_with("at 19200 bit/s"), "{said:#?}");
    for sent in ["send    ATZ", "send    ATD5551212"] {
        assert!(said.iter().any(|line| line.starts_with(sent)), "{sent}: {said:#?}");
    }
}

#[test]
fn a_configured_modem_is_hung_up_as_configured() {
    let modem = ModemOnPty::start(DialResult::Connect, ModemFaults::default());
    let hangup = "hangup = '''\nTIMEOUT 5\n'' \\d\\d+++\\d\\d\\c\n'' $DOWN\nOK \\c\n'''\n\
                  variables = { DOWN = \"ATH0\" }";
    let configuration = Configuration::new("hangup", &modem, hangup);
    let said = lines(&configuration.dial(&["stick"]));
    let place = |wanted: &str| said.iter().position(|line| line.contains(wanted)).expect(wanted);
    let story = ["connected: the script", "hanging up by the configured script", "send    ATH0"];
    assert!(story.map(place).is_sorted(), "{said:#?}");
    assert!(!said.iter().any(|line| line.contains("may still be connected")), "{said:#?}");
}

#[test]
fn a_name_that_is_not_configured_is_answered_by_the_nearest_or_by_all() {
    let modem = ModemOnPty::start(DialResult::Connect, ModemFaults::default());
    let configuration = Configuration::new("names", &modem, "");
    let said = |name| {
        let output = configuration.dial(&[name]);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap().trim_end().to_owned()
    };
    let all = said("lte");
    assert!(all.ends_with("no modem or service lte; modems: stick; services: internet"), "{all}");
    let nearest = said("intrenet");
    assert!(nearest.ends_with("no modem or service intrenet; did you mean `internet`?"), "{nearest}");
    let device = said("/dev/nonexistent");
    assert!(device.contains("has no modem or service /dev/nonexistent"), "{device}");
}

//! The scenarios of `tests/guest/scenarios`, played with the daemon and real pppds in guest kernels: a test a scenario,
//! by the same name. A guest boots once for all its scenarios, with the first test that asks for one of them;
//! `tests/guest/run SCENARIO` plays a single one. Where the guest cannot run, the tests say what is missing and how to
//! install it, and fail if `CI` is `true`.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

#[path = "../../../tests/skipped.rs"]
mod skipped;
use skipped::skipped;

/// Sorted, as the test harness starts them: dealt out in turn, the first tests to run start the guests. On two
/// processors the one with the drivers, which asks most of them, starts when another has ended.
const SCENARIOS: [&str; 28] = [
    "asyncmap_a0000",
    "attacker",
    "client_vanishes",
    "driver_acm",
    "driver_dead",
    "driver_option",
    "driver_uart",
    "escape_cost",
    "escape_cost_transparent",
    "failed_dial",
    "failover",
    "full_line",
    "many_modems",
    "no_carrier",
    "no_mru",
    "reload",
    "rfc4638",
    "second_client",
    "session_lax",
    "session_strict",
    "session_vlan",
    "sigterm",
    "slow_dial",
    "slow_dial_25",
    "slow_dial_4",
    "slow_dial_45",
    "strict_asyncmap",
    "unplug",
];

/// The first is for scenarios with the real driver of a serial port, which want another kernel.
const GUESTS: usize = 3;
static REPORTS: [OnceLock<Report>; GUESTS] = [const { OnceLock::new() }; GUESTS];

/// The exit status by which `tests/guest/run` says that something it needs is not installed.
const MISSING: i32 = 3;

/// What `tests/guest/run` said and how it ended.
struct Report {
    status: Option<i32>,
    output: String,
    errors: String,
}

impl Report {
    fn of_guest(guest: usize) -> Self {
        let scenarios = SCENARIOS.iter().enumerate().filter(|&(place, _)| guest_of(place) == guest);
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let output = Command::new(root.join("tests/guest/run"))
            .args(scenarios.map(|(_, name)| name))
            .env("BRIDGE", env!("CARGO_BIN_EXE_pppoe-serial-bridge"))
            .env("GUEST_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("guest"))
            .output()
            .expect("tests/guest/run is a program");
        Self {
            status: output.status.code(),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The scenario's verdict, and after it the logs if it failed.
    fn on(&self, scenario: &str) -> String {
        let is_verdict_on = |line: &str, name: &str| {
            line.strip_prefix("ok ")
                .or(line.strip_prefix("FAILED "))
                .is_some_and(|rest| rest.split(' ').next() == Some(name))
        };
        let mut lines = self.output.lines().skip_while(|line| !is_verdict_on(line, scenario));
        let verdict = lines.next();
        let logs = lines.take_while(|line| !SCENARIOS.iter().any(|name| is_verdict_on(line, name)));
        verdict.into_iter().chain(logs).flat_map(|line| [line, "\n"]).collect()
    }
}

/// The guest that plays the scenario in that place of the list.
fn guest_of(place: usize) -> usize {
    if SCENARIOS[place].starts_with("driver_") { 0 } else { 1 + place % (GUESTS - 1) }
}

fn passes(scenario: &str) {
    let place = SCENARIOS.iter().position(|&name| name == scenario).expect("every test's scenario is listed");
    let guest = guest_of(place);
    let report = REPORTS[guest].get_or_init(|| Report::of_guest(guest));
    if report.status == Some(MISSING) {
        return skipped(scenario, &report.errors);
    }
    let said = report.on(scenario);
    assert!(said.starts_with("ok "), "{said}\n{}", report.errors);
}

#[test]
fn every_scenario_has_a_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guest/scenarios");
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    found.sort();
    assert_eq!(found, SCENARIOS);
}

#[test]
fn asyncmap_a0000() {
    passes("asyncmap_a0000");
}

#[test]
fn attacker() {
    passes("attacker");
}

#[test]
fn client_vanishes() {
    passes("client_vanishes");
}

#[test]
fn driver_acm() {
    passes("driver_acm");
}

#[test]
fn driver_dead() {
    passes("driver_dead");
}

#[test]
fn driver_option() {
    passes("driver_option");
}

#[test]
fn driver_uart() {
    passes("driver_uart");
}

#[test]
fn escape_cost() {
    passes("escape_cost");
}

#[test]
fn escape_cost_transparent() {
    passes("escape_cost_transparent");
}

#[test]
fn failed_dial() {
    passes("failed_dial");
}

#[test]
fn failover() {
    passes("failover");
}

#[test]
fn full_line() {
    passes("full_line");
}

#[test]
fn many_modems() {
    passes("many_modems");
}

#[test]
fn no_carrier() {
    passes("no_carrier");
}

#[test]
fn no_mru() {
    passes("no_mru");
}

#[test]
fn reload() {
    passes("reload");
}

#[test]
fn rfc4638() {
    passes("rfc4638");
}

#[test]
fn second_client() {
    passes("second_client");
}

#[test]
fn session_lax() {
    passes("session_lax");
}

#[test]
fn session_strict() {
    passes("session_strict");
}

#[test]
fn session_vlan() {
    passes("session_vlan");
}

#[test]
fn sigterm() {
    passes("sigterm");
}

#[test]
fn slow_dial() {
    passes("slow_dial");
}

#[test]
fn slow_dial_25() {
    passes("slow_dial_25");
}

#[test]
fn slow_dial_4() {
    passes("slow_dial_4");
}

#[test]
fn slow_dial_45() {
    passes("slow_dial_45");
}

#[test]
fn strict_asyncmap() {
    passes("strict_asyncmap");
}

#[test]
fn unplug() {
    passes("unplug");
}

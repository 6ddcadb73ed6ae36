//! A test harness for tests that need a network of their own: each runs in a network namespace, one after the other.
//!
//! The user namespace around them is entered while there is a single thread, which the usual harness does not allow. It
//! takes root or the right to user namespaces; otherwise nothing is tested, which is said aloud and, where `CI` is set,
//! is a failure. It understands what cargo passes on (`--list`, `--exact`, names), and its last line is of the usual form.

use bridge_linux::namespace;
use std::process::ExitCode;
use std::thread;

/// A test and its name.
pub(crate) type Test = (&'static str, fn());

/// Runs those of `tests` that the arguments choose.
pub(crate) fn main(tests: &[Test]) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let names: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let is_chosen = |name: &str| {
        // No test here is ever ignored.
        let is_named =
            |wanted: &&String| if has("--exact") { name == *wanted } else { name.contains(*wanted) };
        !has("--ignored") && (names.is_empty() || names.iter().any(is_named))
    };
    let chosen: Vec<&Test> = tests.iter().filter(|(name, _)| is_chosen(name)).collect();
    if has("--list") {
        chosen.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    if let Err(error) = namespace::enter_user_and_network_namespace() {
        eprintln!("NOT TESTED: {} tests in network namespaces: {error}", chosen.len());
        eprintln!("to have them tested: {}", error.remedy().unwrap_or("run them on another system"));
        let is_failure = std::env::var_os("CI").is_some();
        return finish(
            0,
            if is_failure { chosen.len() } else { 0 },
            if is_failure { 0 } else { chosen.len() },
        );
    }
    let failed = chosen.iter().filter(|test| !passes(***test)).count();
    finish(chosen.len() - failed, failed, 0)
}

fn finish(passed: usize, failed: usize, ignored: usize) -> ExitCode {
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {verdict}. {passed} passed; {failed} failed; {ignored} ignored; 0 measured; 0 filtered out"
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn passes((name, test): Test) -> bool {
    let in_its_own_network = move || {
        namespace::enter_network_namespace().unwrap();
        test();
    };
    let passed =
        thread::Builder::new().name(name.to_owned()).spawn(in_its_own_network).unwrap().join().is_ok();
    println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
    passed
}

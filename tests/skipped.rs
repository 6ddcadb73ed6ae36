//! What a test does that cannot run here: part of the test programs of several crates.

use std::io::Write;

/// Says that this test has tested nothing, where `./test` counts it; where `CI` is `true`, that is a failure.
pub(crate) fn skipped(test: &str, why: &str) {
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{test} must be tested here: {why}");
    // Not by a macro: those are hushed when a test passes, and this one has shown nothing.
    let notice = format!("\nSKIPPED {test}: {why}\n");
    std::io::stderr().write_all(notice.as_bytes()).expect("standard error can be written");
}

//! `docs/conformance.md` tells the truth about itself: it has every requirement once, and each file and test that it
//! names is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The rows of the tables: identifier, requirement, code, test.
fn rows(document: &str) -> Vec<[&str; 4]> {
    let lines = document.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let cells = lines.map(|line| line.split(" | ").collect::<Vec<_>>());
    let rows =
        cells.filter(|cells| cells[0].starts_with(|c: char| c.is_ascii_uppercase()) && cells[0].len() < 4);
    rows.map(|cells| <[&str; 4]>::try_from(cells).unwrap_or_else(|cells| panic!("not four cells: {cells:?}")))
        .collect()
}

/// What stands between backquotes.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

fn read() -> String {
    std::fs::read_to_string(root().join("docs/conformance.md")).unwrap()
}

#[test]
fn every_requirement_is_there_once() {
    let document = read();
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for [identifier, ..] in rows(&document) {
        *found.entry(identifier).or_default() += 1;
    }
    for (letter, count) in [('P', 35), ('Q', 5), ('R', 1), ('H', 18), ('L', 14), ('X', 6)] {
        for number in 1..=count {
            let identifier = format!("{letter}{number}");
            assert_eq!(found.remove(identifier.as_str()), Some(1), "{identifier}");
        }
    }
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn what_is_named_is_there() {
    let document = read();
    for [identifier, _, code, tests] in rows(&document) {
        for path in quoted(code) {
            assert!(root().join(path).is_file(), "{identifier}: there is no {path}");
        }
        for test in quoted(tests) {
            let (path, name) = test.split_once("::").unwrap_or((test, ""));
            let text = std::fs::read_to_string(root().join(path));
            let text = text.unwrap_or_else(|error| panic!("{identifier}: {path}: {error}"));
            let is_there = name.is_empty() || text.contains(&format!("fn {name}("));
            assert!(is_there, "{identifier}: there is no test {name} in {path}");
        }
        let is_told = quoted(tests).next().is_some() || ["no test yet", "nothing to test"].contains(&tests);
        assert!(is_told, "{identifier}: {tests}");
    }
}

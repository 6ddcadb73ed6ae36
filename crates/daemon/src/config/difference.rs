//! What is different between two configurations, in the words of the file: the names of keys, never their values, for
//! some of these are secret.

use super::settings::{ChatText, Dial, Modem, ScriptFile};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;

/// What became of one interface, service or modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Difference {
    Added,
    Removed,
    /// These keys have other values.
    Changed(Vec<String>),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added => f.write_str("added"),
            Self::Removed => f.write_str("removed"),
            Self::Changed(keys) if keys.is_empty() => f.write_str("changed"),
            Self::Changed(keys) => write!(f, "changed: {}", keys.join(", ")),
        }
    }
}

/// The keys with other values in one of two tables of the same kind.
pub(super) fn keys<T: Serialize>(before: &T, after: &T) -> Vec<String> {
    // A path that is not text cannot be written in a file: then what has changed goes without names.
    let table = |item| toml::Table::try_from(item).unwrap_or_default();
    let (before, after) = (table(before), table(after));
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    all.into_iter().filter(|key| before.get(*key) != after.get(*key)).cloned().collect()
}

/// The keys of a modem with other values, and those that name a file which says something else now.
pub(super) fn modem_keys(before: &Modem, after: &Modem) -> Vec<String> {
    let mut keys = keys(before, after);
    let mut tell = |key: &str, is_other: bool| {
        if is_other && !keys.iter().any(|told| told == key) {
            keys.push(format!("contents of {key}"));
        }
    };
    if let (Dial::Script(before), Dial::Script(after)) = (&before.dial, &after.dial)
        && let ChatText::ChatFile(_) = after.text
    {
        tell("chat_file", before.script != after.script);
    }
    let script = |file: &Option<ScriptFile>| file.as_ref().map(|file| file.script.clone());
    tell("hangup_file", script(&before.hangup_file) != script(&after.hangup_file));
    tell("reset_file", script(&before.reset_file) != script(&after.reset_file));
    keys
}

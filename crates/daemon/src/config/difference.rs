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
    Changed(Keys),
}

/// Keys with other values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Keys {
    /// Which a file has, before or after.
    pub(super) given: Vec<String>,
    /// Which none has: their defaults follow from what else is there.
    pub(super) by_default: Vec<String>,
}

impl Keys {
    pub(super) const fn is_empty(&self) -> bool {
        self.given.is_empty() && self.by_default.is_empty()
    }

    /// Tells those apart that are `given` nowhere.
    pub(super) fn apart(self, given: &[Option<&BTreeSet<String>>]) -> Self {
        let is_given = |key: &String| given.iter().flatten().any(|given| given.contains(key));
        let (given, by_default) = self.given.into_iter().partition(is_given);
        Self { given, by_default }
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("changed");
        }
        let told = [("changed", &self.given), ("new defaults", &self.by_default)];
        let told = told.into_iter().filter(|(_, keys)| !keys.is_empty());
        let told: Vec<String> = told.map(|(what, keys)| format!("{what}: {}", keys.join(", "))).collect();
        f.write_str(&told.join("; "))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added => f.write_str("added"),
            Self::Removed => f.write_str("removed"),
            Self::Changed(keys) => keys.fmt(f),
        }
    }
}

/// The keys with other values in one of two tables of the same kind.
pub(super) fn keys<T: Serialize>(before: &T, after: &T) -> Keys {
    // A path that is not text cannot be written in a file: then what has changed goes without names.
    let table = |item| toml::Table::try_from(item).unwrap_or_default();
    let (before, after) = (table(before), table(after));
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let other = all.into_iter().filter(|key| before.get(*key) != after.get(*key));
    Keys { given: other.cloned().collect(), ..Keys::default() }
}

/// The keys of a modem with other values, and those that name a file which says something else now.
pub(super) fn modem_keys(before: &Modem, after: &Modem) -> Keys {
    let mut keys = keys(before, after);
    let mut tell = |key: &str, is_other: bool| {
        if is_other && !keys.given.iter().any(|told| told == key) {
            keys.given.push(format!("contents of {key}"));
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

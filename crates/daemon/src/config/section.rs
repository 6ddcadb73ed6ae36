//! One table of the configuration, read key by key.
//!
//! It promises that a key that is wrong does not hide what is wrong with the others, and that no key goes
//! unread. The caller asks for every key that there may be, then calls [`Section::finish`].

use super::problem::{Place, Problems, instead};
use super::size::Size;
use clap::ValueEnum;
use clap::builder::PossibleValue;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Error};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::num::{NonZeroU16, NonZeroU32};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

/// One key with its value.
#[derive(Clone)]
struct Entry<'t> {
    key: &'t str,
    key_place: Place,
    source: usize,
    value: &'t Spanned<DeValue<'t>>,
}

/// A table, put together from all files that have a part of it.
pub(super) struct Section<'t> {
    /// As it stands in the file: `modem.lte`.
    pub(super) name: String,
    /// Its own name, where the operator gives it: `lte`.
    pub(super) key: String,
    /// Where it is named first.
    pub(super) place: Option<Place>,
    entries: Vec<Entry<'t>>,
    asked: Vec<&'static str>,
    problems: &'t RefCell<Problems>,
}

/// A value and where it is.
pub(super) struct Found<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

impl<'t> Section<'t> {
    /// The whole configuration: what a later file says of a key counts.
    pub(super) fn root(files: &'t [(usize, Spanned<DeTable<'t>>)], problems: &'t RefCell<Problems>) -> Self {
        let mut section = Self {
            name: String::new(),
            key: String::new(),
            place: None,
            entries: Vec::new(),
            asked: Vec::new(),
            problems,
        };
        for (source, table) in files {
            section.merge(*source, table.get_ref());
        }
        section
    }

    fn merge(&mut self, source: usize, table: &'t DeTable<'t>) {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            let name = key.get_ref().as_ref();
            if !value.get_ref().is_table() {
                self.entries.retain(|entry| entry.key != name);
            }
            let key_place = Place::new(source, key.span());
            self.entries.push(Entry { key: name, key_place, source, value });
        }
    }

    pub(super) fn error(&self, place: Option<&Place>, what: impl Into<String>, help: Option<String>) {
        let place = place.or(self.place.as_ref());
        self.problems.borrow_mut().error(place.cloned(), what, help);
    }

    pub(super) fn warn(&self, place: Option<&Place>, what: impl Into<String>, help: Option<String>) {
        let place = place.or(self.place.as_ref());
        self.problems.borrow_mut().warn(place.cloned(), what, help);
    }

    pub(super) fn problems(&self) -> &'t RefCell<Problems> {
        self.problems
    }

    /// Where a key is, if it is given.
    pub(super) fn place_of(&self, key: &str) -> Option<Place> {
        self.entries.iter().rfind(|entry| entry.key == key).map(|entry| entry.key_place.clone())
    }

    fn raw(&mut self, key: &'static str) -> Option<Entry<'t>> {
        self.asked.push(key);
        self.entries.iter().rfind(|entry| entry.key == key).cloned()
    }

    /// The value of a key, if it is given and what it must be.
    pub(super) fn value<T: Value>(&mut self, key: &'static str) -> Option<Found<T>> {
        let entry = self.raw(key)?;
        let place = Place::new(entry.source, entry.value.span());
        match T::deserialize(ValueDeserializer::from(entry.value.clone())) {
            Ok(value) => Some(Found { value, place }),
            Err(error) => {
                let place = error.span().map_or(place, |span| Place::new(entry.source, span));
                self.error(Some(&place), format!("`{key}` must be {}", T::MUST_BE), None);
                None
            }
        }
    }

    /// The value of a key, or `default`.
    pub(super) fn value_or<T: Value>(&mut self, key: &'static str, default: T) -> T {
        self.value(key).map_or(default, |found| found.value)
    }

    /// One of the names of `T`.
    pub(super) fn choice_or<T: ValueEnum>(&mut self, key: &'static str, default: T) -> T {
        let Some(found) = self.value::<String>(key) else { return default };
        T::from_str(&found.value, false).unwrap_or_else(|_| {
            let names: Vec<_> = T::value_variants().iter().filter_map(ValueEnum::to_possible_value).collect();
            let names: Vec<&str> = names.iter().map(PossibleValue::get_name).collect();
            let what = format!("`{key}` cannot be \"{}\"", found.value.escape_debug());
            let nearest = instead(&found.value, &names, "allowed values");
            let all = names.join(", ");
            let help =
                if nearest.contains('?') { format!("{nearest} Allowed values: {all}") } else { nearest };
            self.error(Some(&found.place), what, Some(help));
            default
        })
    }

    /// A list of strings, each with its place.
    pub(super) fn list(&mut self, key: &'static str) -> Option<Vec<Found<String>>> {
        let source = self.raw(key)?.source;
        self.asked.pop();
        let found = self.value::<Vec<Spanned<String>>>(key)?;
        let with_place = |word: Spanned<String>| {
            let place = Place::new(source, word.span());
            Found { value: word.into_inner(), place }
        };
        Some(found.value.into_iter().map(with_place).collect())
    }

    /// A list of what can be read from strings; `like` shows how.
    pub(super) fn parsed_list<T: FromStr>(&mut self, key: &'static str, like: &str) -> Vec<T>
    where
        T::Err: std::fmt::Display,
    {
        let words = self.list(key).unwrap_or_default();
        let mut values = Vec::with_capacity(words.len());
        for word in words {
            match word.value.parse() {
                Ok(value) => values.push(value),
                Err(error) => self.error(
                    Some(&word.place),
                    format!("`{key}`: {error}"),
                    Some(format!("write it like {like}")),
                ),
            }
        }
        values
    }

    /// A list of names of things that are told elsewhere; all of them if none is given.
    pub(super) fn names(&mut self, key: &'static str, known: &[&str], kind: &str) -> Vec<String> {
        let Some(words) = self.list(key) else {
            return known.iter().map(|name| (*name).to_owned()).collect();
        };
        if words.is_empty() {
            let place = self.place_of(key);
            self.error(place.as_ref(), format!("`{key}` is empty"), Some("leave it out to mean all".into()));
        }
        let mut names: Vec<String> = Vec::new();
        for word in words {
            if !known.contains(&word.value.as_str()) {
                let what = format!("there is no [{kind}.{}]", word.value.escape_debug());
                self.error(Some(&word.place), what, Some(instead(&word.value, known, &format!("{kind}s"))));
            } else if names.contains(&word.value) {
                self.error(Some(&word.place), format!("\"{}\" is named twice", word.value), None);
            } else {
                names.push(word.value);
            }
        }
        names
    }

    /// The table under a key.
    pub(super) fn section(&mut self, key: &'static str) -> Self {
        self.asked.push(key);
        self.child(key)
    }

    fn child(&self, key: &str) -> Self {
        let name = if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) };
        let mut child = Self {
            name,
            key: key.to_owned(),
            place: None,
            entries: Vec::new(),
            asked: Vec::new(),
            problems: self.problems,
        };
        for entry in self.entries.iter().filter(|entry| entry.key == key) {
            child.place.get_or_insert_with(|| entry.key_place.clone());
            match entry.value.get_ref() {
                DeValue::Table(table) => child.merge(entry.source, table),
                _ => child.error(
                    Some(&Place::new(entry.source, entry.value.span())),
                    format!("`{}` must be a table", child.name),
                    Some(format!("write [{}] on a line of its own, and its keys below", child.name)),
                ),
            }
        }
        child
    }

    /// All tables under a key whose names the operator gives, in the order of the files.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Self> {
        let parent = self.section(key);
        let mut names: Vec<&str> = Vec::new();
        for entry in &parent.entries {
            if !names.contains(&entry.key) {
                names.push(entry.key);
            }
        }
        names.into_iter().map(|name| parent.child(name)).collect()
    }

    /// The name of the one key in this table, if it is a table itself.
    pub(super) fn only_table(&self) -> Option<(&'t str, Place)> {
        match self.entries.as_slice() {
            [entry] if entry.value.get_ref().is_table() => Some((entry.key, entry.key_place.clone())),
            _ => None,
        }
    }

    /// Tells of every key that was not asked for.
    pub(super) fn finish(self) {
        let mut asked = self.asked.clone();
        asked.sort_unstable();
        asked.dedup();
        for entry in self.entries.iter().filter(|entry| !asked.contains(&entry.key)) {
            let of = if self.name.is_empty() { String::new() } else { format!(" in [{}]", self.name) };
            let what = format!("unknown key `{}`{of}", entry.key.escape_debug());
            self.error(Some(&entry.key_place), what, Some(instead(entry.key, &asked, "known keys")));
        }
    }
}

/// What a key may have for a value.
pub(super) trait Value: DeserializeOwned {
    /// In the operator's words.
    const MUST_BE: &'static str;
}

impl Value for bool {
    const MUST_BE: &'static str = "true or false, without quotes";
}

impl Value for u32 {
    const MUST_BE: &'static str = "a whole number, without quotes";
}

impl Value for u8 {
    const MUST_BE: &'static str = "a whole number up to 255, without quotes";
}

impl Value for Size {
    const MUST_BE: &'static str = "a size with its unit, such as \"500MB\" or \"1GiB\"";
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl Value for NonZeroU16 {
    const MUST_BE: &'static str = "a whole number from 1 to 65535, without quotes";
}

impl Value for NonZeroU32 {
    const MUST_BE: &'static str = "a whole number above 0, without quotes";
}

impl Value for String {
    const MUST_BE: &'static str = "a text in quotes";
}

impl Value for PathBuf {
    const MUST_BE: &'static str = "a path in quotes";
}

impl Value for Vec<Spanned<String>> {
    const MUST_BE: &'static str = "a list of texts, such as [\"one\", \"another\"]";
}

impl Value for BTreeMap<String, String> {
    const MUST_BE: &'static str = "a table of texts, such as { APN = \"internet\" }";
}

/// A time as people write it.
#[derive(Clone, Copy)]
pub(super) struct Time(pub(super) Duration);

impl Value for Time {
    const MUST_BE: &'static str = "a time with its unit, such as \"30s\" or \"500ms\", of at most a day";
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const LONGEST: Duration = Duration::from_secs(86_400);
        let text = String::deserialize(deserializer)?;
        let time = humantime::parse_duration(&text).map_err(D::Error::custom)?;
        if time <= LONGEST { Ok(Self(time)) } else { Err(D::Error::custom("longer than a day")) }
    }
}

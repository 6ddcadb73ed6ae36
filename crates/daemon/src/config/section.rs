//! One table of the configuration, read key by key.
//!
//! It promises that a key that is wrong does not hide what is wrong with the others, and that no key goes
//! unread. The caller asks for every key that there may be, then calls [`Section::finish`].

use super::likeness::{instead, instead_of_key, nearest};
use super::problem::{Place, Problems};
use super::value::{Bounds, Time, Value};
use clap::ValueEnum;
use clap::builder::PossibleValue;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

/// So many unknown keys of one table are told; for each it is looked what was meant.
const MOST_UNKNOWN: usize = 100;
/// So many modems, services or interfaces are enough for anybody, and more of them are a mistake.
const MOST_NAMED: usize = 1024;

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
    /// Whether there is something else where it should be; that has been told.
    is_broken: bool,
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
            is_broken: false,
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
        // Within one file a key is there once.
        self.entries.retain(|entry| table.get(entry.key).is_none_or(|value| value.get_ref().is_table()));
        for (key, value) in entries {
            let name = key.get_ref().as_ref();
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

    /// What is not there is wrong, unless it may be where nothing could be read.
    pub(super) fn missing(&self, place: Option<&Place>, what: impl Into<String>, help: Option<String>) {
        if !self.is_broken && !self.problems.borrow().is_incomplete {
            self.error(place, what, help);
        }
    }

    pub(super) fn problems(&self) -> &'t RefCell<Problems> {
        self.problems
    }

    /// The keys that are given.
    pub(super) fn given(&self) -> BTreeSet<String> {
        self.entries.iter().map(|entry| entry.key.to_owned()).collect()
    }

    /// Where a key is, if it is given.
    pub(super) fn place_of(&self, key: &str) -> Option<Place> {
        self.entries.iter().rfind(|entry| entry.key == key).map(|entry| entry.key_place.clone())
    }

    /// Where the value of a key is, if it is given.
    pub(super) fn place_of_value(&self, key: &str) -> Option<Place> {
        let entry = self.entries.iter().rfind(|entry| entry.key == key)?;
        Some(Place::new(entry.source, entry.value.span()))
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
                let wrong = error.span().map(|span| Place::new(entry.source, span));
                // In a list or a table it may be only one of the texts that is none.
                let inner = wrong.filter(|wrong| *wrong != place);
                let wrong = inner.as_ref().unwrap_or(&place);
                let is_secret = self.problems.borrow().is_secret(wrong);
                let written = self.problems.borrow().text(wrong).to_owned();
                let help = match &inner {
                    Some(_) if is_secret => Some("write \"...\"".to_owned()),
                    Some(_) => Some(format!("write \"{written}\"")),
                    None if is_secret => None,
                    None => T::remedy(entry.value.get_ref(), &written).or_else(|| {
                        let is_table = entry.value.get_ref().is_table() && !self.name.is_empty();
                        is_table.then(|| format!("write {key} = ... below [{}]", self.name))
                    }),
                };
                self.error(Some(&inner.unwrap_or(place)), format!("`{key}` must be {}", T::MUST_BE), help);
                None
            }
        }
    }

    /// A text that says something.
    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        let found = self.value::<String>(key)?;
        self.unless_empty(key, found.value.is_empty(), found).map(|found| found.value)
    }

    /// The path of a file.
    pub(super) fn path(&mut self, key: &'static str) -> Option<Found<PathBuf>> {
        let found = self.value::<PathBuf>(key)?;
        self.unless_empty(key, found.value.as_os_str().is_empty(), found)
    }

    fn unless_empty<T>(&self, key: &str, is_empty: bool, found: Found<T>) -> Option<Found<T>> {
        if is_empty {
            let help = "write what is meant, or take the line away";
            self.error(Some(&found.place), format!("`{key}` is empty"), Some(help.into()));
            return None;
        }
        Some(found)
    }

    /// A time that can be meant, if one is given.
    pub(super) fn some_time(&mut self, key: &'static str, bounds: &Bounds) -> Option<Duration> {
        let Found { value: Time(time), place } = self.value::<Time>(key)?;
        if let Some(what) = bounds.what_is_wrong(time) {
            self.error(Some(&place), format!("`{key}` is {what}"), Some(bounds.to_string()));
        }
        Some(time)
    }

    pub(super) fn time(&mut self, key: &'static str, default: Duration, bounds: &Bounds) -> Duration {
        self.some_time(key, bounds).unwrap_or(default)
    }

    /// The value of a key, or `default`.
    pub(super) fn value_or<T: Value>(&mut self, key: &'static str, default: T) -> T {
        self.value(key).map_or(default, |found| found.value)
    }

    /// One of the names of `T`.
    pub(super) fn choice_or<T: ValueEnum>(&mut self, key: &'static str, default: T) -> T {
        let names: Vec<_> = T::value_variants().iter().filter_map(ValueEnum::to_possible_value).collect();
        let names: Vec<&str> = names.iter().map(PossibleValue::get_name).collect();
        if let Some(entry) = self.raw(key).filter(|entry| entry.value.get_ref().as_str().is_none()) {
            let place = Place::new(entry.source, entry.value.span());
            let help = format!("write one of \"{}\"", names.join("\", \""));
            self.error(Some(&place), format!("`{key}` must be a text in quotes"), Some(help));
            return default;
        }
        let Some(found) = self.value::<String>(key) else { return default };
        T::from_str(&found.value, false).unwrap_or_else(|_| {
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

    /// A list of what can be read from strings, each with its place; `explain` says what is wrong with
    /// one that cannot be, and what to write.
    pub(super) fn parsed_list<T: FromStr>(
        &mut self,
        key: &'static str,
        explain: impl Fn(&str, T::Err) -> (String, String),
    ) -> Vec<Found<T>> {
        let words = self.list(key).unwrap_or_default();
        let mut values = Vec::with_capacity(words.len());
        for Found { value: word, place } in words {
            match word.parse() {
                Ok(value) => values.push(Found { value, place }),
                Err(error) => {
                    let (what, help) = explain(&word, error);
                    self.error(Some(&place), format!("`{key}`: {what}"), Some(help));
                }
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
                let help = instead(&word.value, known, &format!("{kind}s"));
                self.missing(Some(&word.place), what, Some(help));
            } else if names.contains(&word.value) {
                let what = format!("\"{}\" is named twice", word.value);
                self.error(Some(&word.place), what, Some("once is enough".into()));
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
        let entries = self.entries.iter().filter(|entry| entry.key == key);
        self.child_of(key, entries, |name| (format!("`{name}` must be a table"), table_help(name)))
    }

    fn child_of<'e>(
        &self,
        key: &str,
        entries: impl Iterator<Item = &'e Entry<'t>>,
        no_table: impl Fn(&str) -> (String, String),
    ) -> Self
    where
        't: 'e,
    {
        let name = if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) };
        let mut child = Self {
            name,
            key: key.to_owned(),
            place: None,
            entries: Vec::new(),
            asked: Vec::new(),
            is_broken: false,
            problems: self.problems,
        };
        for entry in entries {
            child.place.get_or_insert_with(|| entry.key_place.clone());
            match entry.value.get_ref() {
                DeValue::Table(table) => child.merge(entry.source, table),
                _ => {
                    child.is_broken = true;
                    let (what, help) = no_table(&child.name);
                    let place = Place::new(entry.source, entry.value.span());
                    child.error(Some(&place), what, Some(help));
                }
            }
        }
        child
    }

    /// All tables under a key whose names the operator gives, in the order of the files; `example` is a name.
    pub(super) fn sections(&mut self, key: &'static str, example: &str) -> Vec<Self> {
        self.asked.push(key);
        let of_kind = self.entries.iter().filter(|entry| entry.key == key);
        let named = |_: &str| {
            let help = format!("write [{key}.NAME] above the keys of each, such as [{key}.{example}]");
            (format!("`{key}` holds tables by their names"), help)
        };
        let parent = self.child_of(key, of_kind.clone(), named);
        let mut named = parent.named_entries(of_kind, key, example);
        if let Some((_, entries)) = named.get(MOST_NAMED) {
            let place = entries.first().map(|entry| &entry.key_place);
            let what = format!("this is one {key} too many: there are {}", named.len());
            self.error(place, what, Some(format!("at most {MOST_NAMED} can be served")));
            named.truncate(MOST_NAMED);
        }
        let no_table = |name: &str| (format!("`{name}` must be a table"), table_help(name));
        named
            .into_iter()
            .map(|(name, entries)| parent.child_of(name, entries.into_iter(), no_table))
            .collect()
    }

    /// What there is by each name. Keys below `[modem]` have none: it was forgotten, and is told once.
    fn named_entries<'e>(
        &'e self,
        headers: impl Iterator<Item = &'e Entry<'t>>,
        key: &str,
        example: &str,
    ) -> Vec<(&'t str, Vec<&'e Entry<'t>>)>
    where
        't: 'e,
    {
        let place_of_value = |entry: &Entry<'t>| Place::new(entry.source, entry.value.span());
        let is_header =
            |entry: &&Entry<'t>| self.problems.borrow().text(&place_of_value(entry)).starts_with('[');
        let mut nameless: Vec<_> =
            headers.filter(is_header).map(|entry| (entry.source, Some(&entry.key_place))).collect();
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut named: Vec<(&str, Vec<&Entry<'t>>)> = Vec::new();
        for entry in &self.entries {
            let header = nameless.iter_mut().find(|(source, _)| *source == entry.source);
            if let Some((_, place)) = header.filter(|_| !entry.value.get_ref().is_table()) {
                if let Some(place) = place.take() {
                    let help = format!("name it: [{key}.NAME], such as [{key}.{example}]");
                    self.error(Some(place), format!("{} needs a name", with_article(key)), Some(help));
                }
                continue;
            }
            let number = *numbers.entry(entry.key).or_insert_with(|| {
                named.push((entry.key, Vec::new()));
                named.len() - 1
            });
            if let Some((_, entries)) = named.get_mut(number) {
                entries.push(entry);
            }
        }
        named
    }

    /// Whether there are tables whose name is nearly this one.
    pub(super) fn has_nearly(&self, key: &str) -> bool {
        let is_nearly = |entry: &Entry<'_>| entry.key != key && nearest(entry.key, [key]).is_some();
        self.entries.iter().any(|entry| entry.value.get_ref().is_table() && is_nearly(entry))
    }

    /// Takes out the tables in this one that have numbers for names.
    pub(super) fn take_numbered_tables(&mut self) -> Vec<(&'t str, Place)> {
        let is_number = |key: &str| key.bytes().all(|digit| digit.is_ascii_digit());
        let is_taken = |entry: &mut Entry<'t>| entry.value.get_ref().is_table() && is_number(entry.key);
        let tables = self.entries.extract_if(.., is_taken);
        tables.map(|entry| (entry.key, entry.key_place)).collect()
    }

    /// Tells of every key that was not asked for.
    pub(super) fn finish(self) {
        let mut asked = self.asked.clone();
        asked.sort_unstable();
        asked.dedup();
        let unknown = self.entries.iter().filter(|entry| asked.binary_search(&entry.key).is_err());
        for entry in unknown.take(MOST_UNKNOWN) {
            let of = if self.name.is_empty() { String::new() } else { format!(" in [{}]", self.name) };
            if self.problems.borrow().is_secret(&entry.key_place) {
                self.error(Some(&entry.key_place), format!("unknown key{of}"), None);
                continue;
            }
            let what = format!("unknown key `{}`{of}", entry.key.escape_debug());
            self.error(Some(&entry.key_place), what, Some(instead_of_key(entry.key, &asked)));
        }
    }
}

fn with_article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {kind}")
}

fn table_help(name: &str) -> String {
    format!("write [{name}] on a line of its own, and its keys below")
}

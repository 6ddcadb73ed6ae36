//! What a key may have for a value, and how what was written instead is put right.

use super::size::Size;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Error};
use std::collections::BTreeMap;
use std::fmt;
use std::num::{NonZeroU16, NonZeroU32};
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;
use toml::de::DeValue;

/// What a key may have for a value.
pub(super) trait Value: DeserializeOwned {
    /// In the operator's words.
    const MUST_BE: &'static str;

    /// What to write instead of `found`, which stands as `written` in the file.
    fn remedy(found: &DeValue<'_>, written: &str) -> Option<String>;
}

/// What words for yes and no, and only those, come to.
pub(super) fn truth(word: &str) -> Option<bool> {
    match word.to_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

impl Value for bool {
    const MUST_BE: &'static str = "true or false, without quotes";

    fn remedy(found: &DeValue<'_>, written: &str) -> Option<String> {
        let word = found.as_str().unwrap_or(written);
        let value = match word {
            "1" => Some(true),
            "0" => Some(false),
            word => truth(word),
        };
        value.map(|value| format!("write {value}"))
    }
}

/// What a number in quotes, or with a point, ought to be.
fn number(found: &DeValue<'_>, written: &str) -> Option<String> {
    let text = found.as_str().unwrap_or(written).trim();
    let number: f64 = text.parse().ok()?;
    (number >= 1.0 && number.fract() == 0.0 && number < 1e9).then(|| format!("write {number}"))
}

macro_rules! numbers {
    ($($kind:ty: $must_be:literal;)*) => {$(
        impl Value for $kind {
            const MUST_BE: &'static str = $must_be;

            fn remedy(found: &DeValue<'_>, written: &str) -> Option<String> {
                match (found.is_integer(), written) {
                    (true, "0") => Some("leave it out for the default".to_owned()),
                    // A whole number that is not fit says what it must be, and no more is known.
                    (true, _) => None,
                    (false, _) => number(found, written),
                }
            }
        }
    )*};
}

numbers! {
    u8: "a whole number up to 255, without quotes";
    u32: "a whole number, without quotes";
    NonZeroU16: "a whole number from 1 to 65535, without quotes";
    NonZeroU32: "a whole number from 1 to 4294967295, without quotes";
}

/// What only lacks its quotes, or has brackets besides.
fn quoted(found: &DeValue<'_>, written: &str) -> Option<String> {
    match found {
        DeValue::Array(list) => match (list.first(), list.len()) {
            (Some(only), 1) => Some(format!("write \"{}\"", only.get_ref().as_str()?)),
            _ => None,
        },
        DeValue::Table(_) => None,
        _ => Some(format!("write \"{written}\"")),
    }
}

impl Value for String {
    const MUST_BE: &'static str = "a text in quotes";

    fn remedy(found: &DeValue<'_>, written: &str) -> Option<String> {
        quoted(found, written)
    }
}

impl Value for PathBuf {
    const MUST_BE: &'static str = "a path in quotes";

    fn remedy(found: &DeValue<'_>, written: &str) -> Option<String> {
        quoted(found, written)
    }
}

impl Value for Vec<Spanned<String>> {
    const MUST_BE: &'static str = "a list of texts, such as [\"one\", \"another\"]";

    fn remedy(found: &DeValue<'_>, written: &str) -> Option<String> {
        match found {
            DeValue::Table(_) => None,
            DeValue::String(_) => Some(format!("write [{written}]")),
            _ => Some(format!("write [\"{written}\"]")),
        }
    }
}

impl Value for BTreeMap<String, String> {
    const MUST_BE: &'static str = "a table of texts, such as { APN = \"internet\" }";

    fn remedy(found: &DeValue<'_>, _: &str) -> Option<String> {
        let (name, value) = found.as_str()?.split_once('=')?;
        Some(format!("write {{ {} = \"{}\" }}", name.trim(), value.trim()))
    }
}

impl Value for Size {
    const MUST_BE: &'static str = "a size with its unit, such as \"500MB\" or \"1GiB\"";

    fn remedy(found: &DeValue<'_>, written: &str) -> Option<String> {
        let number = found.as_str().unwrap_or(written).trim();
        let is_number = number.parse::<f64>().is_ok_and(|number| number > 0.0);
        is_number.then(|| format!("write \"{number}MB\", or \"{number}GB\""))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A time as people write it.
#[derive(Clone, Copy)]
pub(super) struct Time(pub(super) Duration);

impl Value for Time {
    const MUST_BE: &'static str = "a time with its unit, such as \"30s\" or \"500ms\"";

    fn remedy(found: &DeValue<'_>, written: &str) -> Option<String> {
        let text = found.as_str().unwrap_or(written).trim();
        if let Ok(seconds) = text.parse::<f64>() {
            let time = Duration::try_from_secs_f64(seconds).ok()?;
            return Some(format!("write \"{}\"", humantime::format_duration(time)));
        }
        text.starts_with(|first: char| first.is_ascii_digit())
            .then(|| "units are ms, s, m and h, as in \"1m 30s\"".to_owned())
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        humantime::parse_duration(&text).map(Self).map_err(D::Error::custom)
    }
}

/// Which times can be meant.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    shortest: Duration,
    longest: Duration,
    /// What 0 stands for where it is shorter than that.
    zero: Option<&'static str>,
}

impl Bounds {
    const DAY: Duration = Duration::from_secs(86_400);

    pub(super) const fn up_to(longest: Duration) -> Self {
        Self { shortest: Duration::ZERO, longest, zero: None }
    }

    pub(super) const fn from(shortest: Duration) -> Self {
        Self { shortest, longest: Self::DAY, zero: None }
    }

    /// At least a second, or 0, which switches off.
    pub(super) const fn or_never() -> Self {
        Self { shortest: Duration::from_secs(1), longest: Self::DAY, zero: Some("never") }
    }

    /// At most a day, and nothing else is known.
    pub(super) const fn any() -> Self {
        Self::up_to(Self::DAY)
    }

    pub(super) const fn to(self, longest: Duration) -> Self {
        Self { longest, ..self }
    }

    pub(super) fn what_is_wrong(&self, time: Duration) -> Option<&'static str> {
        match time {
            Duration::ZERO if self.zero.is_some() => None,
            time if time < self.shortest => Some("too short"),
            time if time > self.longest => Some("too long"),
            _ => None,
        }
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = match self.longest {
            Self::DAY => "24h".to_owned(),
            longest => humantime::format_duration(longest).to_string(),
        };
        match self.shortest {
            Duration::ZERO => write!(f, "write a time of at most \"{longest}\"")?,
            shortest => {
                write!(f, "write a time from \"{}\" to \"{longest}\"", humantime::format_duration(shortest))?;
            }
        }
        self.zero.map_or(Ok(()), |zero| write!(f, ", or \"0s\" for {zero}"))
    }
}

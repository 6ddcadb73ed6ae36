//! Which hosts may come: lists of MAC addresses.
//!
//! An address is no proof of who a host is, for anybody may take it. These lists keep order among hosts that
//! mean well, and keep out what is not worth an answer.

use crate::wire::ethernet::{MacAddr, MacAddrError};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

/// Who may come. Who is denied may not; otherwise everybody may, or whoever is allowed if anybody is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// If there are any, nobody else.
    pub allow: Vec<MacPattern>,
    /// Not these, even if they are allowed.
    pub deny: Vec<MacPattern>,
}

impl Access {
    /// Whether this host may come.
    #[must_use]
    pub fn permits(&self, mac: MacAddr) -> bool {
        let named_in = |list: &[MacPattern]| list.iter().any(|pattern| pattern.matches(mac));
        !named_in(&self.deny) && (self.allow.is_empty() || named_in(&self.allow))
    }
}

/// One MAC address, or all that begin alike, such as those of one maker: `00:1b:21:*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MacPattern {
    /// What the address begins with; the other octets are 0.
    start: MacAddr,
    /// So many octets of it count.
    octets: usize,
}

impl MacPattern {
    /// Whether this address is meant.
    #[must_use]
    pub fn matches(&self, mac: MacAddr) -> bool {
        self.start.0.iter().zip(&mac.0).take(self.octets).all(|(ours, theirs)| ours == theirs)
    }

    /// Whether every address that the other means is meant.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.octets <= other.octets && self.matches(other.start)
    }
}

impl FromStr for MacPattern {
    type Err = MacAddrError;

    /// Reads `aa:bb:cc:dd:ee:ff`, or one to five octets and a `*` for the rest: `aa:bb:cc:*`.
    fn from_str(text: &str) -> Result<Self, MacAddrError> {
        let octets = text.strip_suffix(":*").map_or(6, |start| start.split(':').count());
        if octets == 6 && text.ends_with('*') {
            return Err(MacAddrError::GroupCount { found: 7 });
        }
        let start = text.trim_end_matches('*');
        let padding = (octets..6).map(|_| "00").collect::<Vec<_>>().join(":");
        Ok(Self { start: alloc::format!("{start}{padding}").parse()?, octets })
    }
}

impl fmt::Display for MacPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.octets == 6 {
            return self.start.fmt(f);
        }
        for octet in self.start.0.iter().take(self.octets) {
            write!(f, "{octet:02x}:")?;
        }
        f.write_str("*")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    const HOST: MacAddr = MacAddr([0x00, 0x1b, 0x21, 1, 2, 3]);
    const OTHER: MacAddr = MacAddr([0x00, 0x1b, 0x22, 1, 2, 3]);

    fn list(patterns: &[&str]) -> Vec<MacPattern> {
        patterns.iter().map(|pattern| pattern.parse().unwrap()).collect()
    }

    #[test]
    fn everybody_may_come_unless_somebody_is_named() {
        assert!(Access::default().permits(HOST));
        let some = Access { allow: list(&["00:1b:21:*"]), deny: Vec::new() };
        assert!(some.permits(HOST) && !some.permits(OTHER));
    }

    #[test]
    fn who_is_denied_may_not_come_even_if_allowed() {
        let access = Access { allow: list(&["00:1b:21:*"]), deny: list(&["00:1B:21:01:02:03"]) };
        assert!(!access.permits(HOST));
        assert!(access.permits(MacAddr([0x00, 0x1b, 0x21, 1, 2, 4])));
    }

    #[test]
    fn a_pattern_covers_itself_and_what_is_longer() {
        let covers = |a: &str, b: &str| a.parse::<MacPattern>().unwrap().covers(&b.parse().unwrap());
        assert!(covers("00:1b:*", "00:1b:*") && covers("00:1b:*", "00:1b:21:01:02:03"));
        assert!(!covers("00:1b:21:*", "00:1b:*") && !covers("00:1b:*", "00:1c:21:*"));
    }

    #[test]
    fn patterns_are_printed_as_they_are_read() {
        for text in ["00:1b:21:*", "00:*", "00:1b:21:01:02:*", "00:1b:21:01:02:03"] {
            assert_eq!(text.parse::<MacPattern>().unwrap().to_string(), text);
        }
        for bad in ["", "*", ":*", "00:1b", "00:1b:21:01:02:03:*", "00:1g:*", "00:1b:21*", "0:*", "00:**"] {
            assert!(bad.parse::<MacPattern>().is_err(), "{bad}");
        }
    }
}

//! The names an access concentrator goes by and serves.

use crate::wire::tag::Printable;
use alloc::sync::Arc;
use core::borrow::Borrow;
use core::fmt;

/// The longest name that can be given to a service or an access concentrator, in octets: with it and the
/// other fixed tags, an answer has still more than a thousand octets for what a host wants echoed.
const MAX_NAME_LEN: usize = 128;

/// A name that was given is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameTooLong {
    /// Its length in octets.
    pub len: usize,
}

impl fmt::Display for NameTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "name of {} octets is longer than {MAX_NAME_LEN}", self.len)
    }
}

impl core::error::Error for NameTooLong {}

/// The name of a service: any octets, compared as such (RFC 2516 Appendix A). Cheap to clone.
///
/// In a request the empty name stands for any service. `Display` escapes what is not printable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceName(Arc<[u8]>);

impl ServiceName {
    /// Octets of the longest name that can be offered.
    pub const MAX_LEN: usize = MAX_NAME_LEN;

    /// A service to offer.
    ///
    /// # Errors
    ///
    /// If the name is longer than [`Self::MAX_LEN`].
    pub fn parse(name: &[u8]) -> Result<Self, NameTooLong> {
        if name.len() > Self::MAX_LEN {
            return Err(NameTooLong { len: name.len() });
        }
        Ok(Self(name.into()))
    }

    /// What a host asks for, which is as long as its packet lets it be.
    pub(super) fn requested(name: &[u8]) -> Self {
        Self(name.into())
    }

    /// The octets of the name.
    #[must_use]
    pub fn as_octets(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the empty name, which in a request stands for any service.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.0.is_empty()
    }
}

impl Borrow<[u8]> for ServiceName {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printable(&self.0).fmt(f)
    }
}

/// The name of an access concentrator, which tells it from all others (RFC 2516 Appendix A).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcName(Arc<str>);

impl AcName {
    /// Octets of the longest name.
    pub const MAX_LEN: usize = MAX_NAME_LEN;

    /// A name to go by.
    ///
    /// # Errors
    ///
    /// If the name is longer than [`Self::MAX_LEN`].
    pub fn parse(name: &str) -> Result<Self, NameTooLong> {
        if name.len() > Self::MAX_LEN {
            return Err(NameTooLong { len: name.len() });
        }
        Ok(Self(name.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AcName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printable(self.0.as_bytes()).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::string::ToString;

    #[test]
    fn a_service_is_found_by_its_octets_and_printed_safely() {
        let name = ServiceName::parse(b"lte\x1b\xff").unwrap();
        assert_eq!(name.to_string(), r"lte\u{1b}\xff");
        let modems = BTreeMap::from([(name, 7)]);
        assert_eq!(modems.get(&b"lte\x1b\xff"[..]), Some(&7));
        assert!(ServiceName::parse(b"").unwrap().is_any());
    }

    #[test]
    fn a_name_has_an_end() {
        assert!(ServiceName::parse(&[b'x'; 128]).is_ok());
        assert_eq!(ServiceName::parse(&[b'x'; 129]), Err(NameTooLong { len: 129 }));
        assert_eq!(AcName::parse(&"x".repeat(129)), Err(NameTooLong { len: 129 }));
        assert_eq!(NameTooLong { len: 129 }.to_string(), "name of 129 octets is longer than 128");
    }
}

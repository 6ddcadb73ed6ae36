//! Which octets must be escaped on the line: the Async-Control-Character-Map and the configured extras.
//!
//! Both are plain sets of octets. FLAG and ESCAPE are in neither: they are always escaped.
//!
//! RFC 1662 §7.1.

use core::fmt;

/// The Async-Control-Character-Map: bit *n* says that octet *n* (of 0 to 31) must be escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Accm(pub u32);

impl Accm {
    /// Every control octet is escaped: the default, in force until LCP has agreed on less.
    pub const ALL: Self = Self(0xffff_ffff);
    /// No control octet is escaped.
    pub const NONE: Self = Self(0);
    /// Only XON (0x11) and XOFF (0x13), what software flow control needs.
    pub const XON_XOFF: Self = Self(0x000a_0000);

    /// Whether `octet` is a control octet that this map flags.
    #[must_use]
    pub const fn escapes(self, octet: u8) -> bool {
        // One shift for all octets: those from 32 on find zeros above the map.
        let place = if octet < 0x20 { octet } else { 0x20 };
        (self.0 as u64) >> place & 1 == 1
    }

    /// The map from the data of the LCP option, most significant octet first.
    #[must_use]
    pub const fn from_octets(octets: [u8; 4]) -> Self {
        Self(u32::from_be_bytes(octets))
    }

    /// The data of the LCP option, most significant octet first.
    #[must_use]
    pub const fn to_octets(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }
}

impl Default for Accm {
    fn default() -> Self {
        Self::ALL
    }
}

impl fmt::Display for Accm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// Octets of 0x40 to 0xff that are escaped on sending, whatever was negotiated, because something on the
/// line would take them for its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ExtraEscapes {
    below_128: u128,
    from_128: u128,
}

impl ExtraEscapes {
    /// No extra octets.
    pub const NONE: Self = Self { below_128: 0, from_128: 0 };

    /// Adds `octet`.
    ///
    /// # Errors
    ///
    /// [`NotEscapable`] if `octet` is below 0x40 or 0x5e: control octets belong in the [`Accm`], and the
    /// escaped form of the others would be a control octet or FLAG (RFC 1662 §7.1).
    pub fn insert(&mut self, octet: u8) -> Result<(), NotEscapable> {
        if octet < 0x40 || octet == 0x5e {
            return Err(NotEscapable { octet });
        }
        let (half, bit) =
            if octet < 128 { (&mut self.below_128, octet) } else { (&mut self.from_128, octet - 128) };
        *half |= 1 << bit;
        Ok(())
    }

    /// Whether `octet` is one of them.
    #[must_use]
    pub const fn contains(&self, octet: u8) -> bool {
        let half = if octet < 128 { self.below_128 } else { self.from_128 };
        half >> (octet % 128) & 1 == 1
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.below_128 == 0 && self.from_128 == 0
    }
}

/// An octet was given that cannot be among the [`ExtraEscapes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotEscapable {
    /// The octet.
    pub octet: u8,
}

impl fmt::Display for NotEscapable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "octet 0x{:02x} cannot be escaped; 0x40 to 0xff except 0x5e can", self.octet)
    }
}

impl core::error::Error for NotEscapable {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn bit_n_stands_for_octet_n() {
        let escaped: std::vec::Vec<u8> = (0..=255).filter(|octet| Accm::XON_XOFF.escapes(*octet)).collect();
        assert_eq!(escaped, [0x11, 0x13]);
        assert_eq!((0..=255).filter(|octet| Accm::ALL.escapes(*octet)).count(), 32);
        assert!(!(0..=255).any(|octet| Accm::NONE.escapes(octet)));
    }

    #[test]
    fn the_most_significant_octet_is_first() {
        assert_eq!(Accm::from_octets([0x00, 0x0a, 0x00, 0x00]), Accm::XON_XOFF);
        assert_eq!(Accm::XON_XOFF.to_octets(), [0x00, 0x0a, 0x00, 0x00]);
    }

    #[test]
    fn a_map_is_written_as_eight_hexadecimal_digits() {
        assert_eq!(Accm::XON_XOFF.to_string(), "000a0000");
        assert_eq!(Accm::default().to_string(), "ffffffff");
    }

    #[test]
    fn only_octets_whose_escaped_form_is_harmless_can_be_extras() {
        for octet in 0..=255 {
            let mut extra = ExtraEscapes::NONE;
            let accepted = extra.insert(octet).is_ok();
            assert_eq!(accepted, octet >= 0x40 && octet != 0x5e, "{octet:02x}");
            for other in 0..=255 {
                assert_eq!(extra.contains(other), accepted && other == octet);
            }
            assert_eq!(extra.is_empty(), !accepted);
        }
        assert_eq!(
            ExtraEscapes::NONE.clone().insert(0x5e).unwrap_err().to_string(),
            "octet 0x5e cannot be escaped; 0x40 to 0xff except 0x5e can"
        );
    }
}

//! A number of octets as people write it: `500MB`, `1GiB`.

use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A number of octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

/// The largest unit of either kind first, so that a size is printed with the largest that leaves no rest.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1000),
    ("B", 1),
];

impl FromStr for Size {
    type Err = &'static str;

    /// Reads a number and its unit; case does not matter, for nobody means bits.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = text.split_at_checked(digits).ok_or("not a size")?;
        let number: u64 = number.parse().map_err(|_| "not a size")?;
        let fraction = rest.strip_prefix('.').unwrap_or_default();
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let (fraction, unit) = match fraction.split_at_checked(digits) {
            // So many digits are more than an octet of the largest unit, and fit into the product.
            Some((fraction, unit)) if (1..=12).contains(&digits) => (fraction, unit),
            _ => ("0", rest),
        };
        let is_meant = |(name, _): &&(&str, u64)| name.eq_ignore_ascii_case(unit.trim());
        let (_, octets) = UNITS.iter().find(is_meant).ok_or("not a unit")?;
        let scale = 10_u128.pow(u32::try_from(fraction.len()).map_err(|_| "not a size")?);
        let part = fraction.parse::<u128>().map_err(|_| "not a size")? * u128::from(*octets) / scale;
        let whole = u128::from(number) * u128::from(*octets);
        u64::try_from(whole + part).map(Self).map_err(|_| "too large")
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS.iter().find(|(_, octets)| self.0 >= *octets && self.0.is_multiple_of(*octets));
        let (name, octets) = unit.unwrap_or(&("B", 1));
        write!(f, "{}{name}", self.0 / octets)
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_printed_as_they_are_read() {
        for text in ["0B", "1B", "1GiB", "500MB", "1001kB", "1025B", "3TB"] {
            assert_eq!(text.parse::<Size>().unwrap().to_string(), text);
        }
        assert_eq!("2 gib".parse(), Ok(Size(2 << 30)));
        assert_eq!("1.5GiB".parse(), Ok(Size(3 << 29)));
        assert_eq!("0.001 kB".parse(), Ok(Size(1)));
        assert_eq!(Size(3 << 29).to_string(), "1536MiB");
        for bad in ["", "1", "GB", "-1GB", "1.GB", ".5GB", "1.5", "1.5.5GB", "1Gb/s", "99999999999TB"] {
            assert!(bad.parse::<Size>().is_err(), "{bad}");
        }
    }
}

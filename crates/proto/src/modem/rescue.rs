//! The means by which a modem that does not answer may be freed.

use core::fmt;

/// A chat script that ends a call of a modem which does not look at DTR: the escape sequence between its guard
/// times, then on hook. A guard time is a second as a rule, and must be exceeded.
pub const ESCAPE_AND_HANG_UP: &[u8] = b"TIMEOUT 3 '' '\\d\\d+++\\d\\d\\c' '' ATH OK '\\c'";

/// What may free a modem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RescueStep {
    /// Nothing was needed.
    Check,
    /// DTR low for a while.
    ToggleDtr,
    /// Guard time, `+++`, `ATH`.
    Escape,
    /// The configured script.
    Reset,
    /// The configured program.
    Command,
}

impl fmt::Display for RescueStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Check => "it answered at once",
            Self::ToggleDtr => "dropping DTR",
            Self::Escape => "+++ and ATH",
            Self::Reset => "the reset script",
            Self::Command => "the reset command",
        })
    }
}

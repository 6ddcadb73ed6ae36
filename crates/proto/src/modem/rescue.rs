//! The means by which a modem that does not answer may be freed.

use core::fmt;

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

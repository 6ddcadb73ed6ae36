//! The async control character map (RFC 1662 §7.1).

/// Which control octets are escaped: bit n is octet n.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Accm(pub u32);

impl Accm {
    /// No control octet is escaped.
    pub const NONE: Self = Self(0);
    /// Every control octet is escaped: the default.
    pub const ALL: Self = Self(0xffff_ffff);
    /// XON and XOFF are escaped.
    pub const XON_XOFF: Self = Self(0x000a_0000);
}

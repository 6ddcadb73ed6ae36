//! Octet-stuffed HDLC framing (RFC 1662).

pub mod accm;

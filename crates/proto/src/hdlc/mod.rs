//! Octet-stuffed HDLC framing (RFC 1662).

//! The access concentrator's side of discovery (RFC 2516 §5).

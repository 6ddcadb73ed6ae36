//! Arguments to configuration, configuration to a running bridge, and its end to an exit code.
#![forbid(unsafe_code)]

fn main() {}

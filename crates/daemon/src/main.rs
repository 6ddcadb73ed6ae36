//! Arguments to configuration, configuration to a running bridge, and its end to an exit code.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    pppoe_serial_bridge::main()
}

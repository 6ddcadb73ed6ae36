//! The system calls of `pppoe-serial-bridge`, behind types that cannot be misused.
#![deny(unsafe_code)]

//! Pretend hosts, modems and wires around `bridge-proto`: no real time, no real sockets.
#![forbid(unsafe_code)]

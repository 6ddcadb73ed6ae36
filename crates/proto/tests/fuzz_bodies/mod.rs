//! What each fuzz target does with the octets it is given.
//!
//! Each target is a function that takes any octets whatever and panics if a promise of the crate is broken. The
//! workspace in `fuzz/` hands them to libFuzzer; `no_input_panics.rs` feeds them from a seeded generator, on
//! any compiler.

// Two crates include this folder, and `pub` is right for one of them only. Of the oracle, each uses a part.
#![allow(unreachable_pub, dead_code)]

pub mod bridge;
pub mod chat;
mod choices;
pub mod discovery;
pub mod hdlc;
pub mod lcp;
#[path = "../../src/hdlc/oracle.rs"]
mod oracle;
mod reconfigure;
pub mod wire;
mod world;

/// One target.
#[derive(Clone, Copy)]
pub struct Target {
    /// What the fuzz target is called, and how the names of its vectors begin.
    pub name: &'static str,
    /// Takes any octets; panics if a promise is broken.
    pub run: fn(&[u8]),
}

/// All targets: the parsers first, then what has a state.
pub const TARGETS: [Target; 9] = [
    Target { name: "discovery", run: discovery::discovery },
    Target { name: "session", run: wire::session },
    Target { name: "lcp", run: wire::lcp },
    Target { name: "notation", run: wire::notation },
    Target { name: "deframer", run: hdlc::deframer },
    Target { name: "framer", run: hdlc::framer },
    Target { name: "chat", run: chat::chat },
    Target { name: "mediator", run: lcp::mediator },
    Target { name: "bridge", run: bridge::bridge },
];

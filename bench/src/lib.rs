//! Host and modem for a bridge that runs as it does for users: what the measurements and the test of allocations share.
//!
//! A [`rig::Rig`] is something under test with an Ethernet cable and a serial line of its own and a session open; a
//! [`traffic::Generator`] sends frames through it and counts what arrives. The caller has entered a network
//! namespace of its own before.

pub mod crowd;
mod frames;
pub mod process;
pub mod rig;
mod session;
pub mod traffic;

pub use frames::{Filler, FrameSet};

/// Whatever went wrong; for people.
pub type Failure = Box<dyn std::error::Error>;

//! The protocol core of `pppoe-serial-bridge`: everything that is decided, and nothing that is done.
//!
//! It promises to touch nothing outside itself: no I/O, no clock, no threads, no randomness (all are handed
//! in), no `unsafe`, and no panic whatever octets arrive.
//!
//! Directions are always called *host to modem* and *modem to host*. The control plane
//! may allocate; the per-frame path never does.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod bridge;
pub mod chat;
pub mod discard;
pub mod discovery;
pub mod event;
pub mod forward;
pub mod hdlc;
pub mod id;
pub mod lcp;
pub mod modem;
pub mod notation;
pub mod queue;
pub mod time;
pub mod wire;

//! Pretend hosts, modems and wires around `bridge-proto`: no real time, no real sockets.
//!
//! Every actor is sans-IO, as the bridge itself is: octets and a time are handed in by `handle_*`, octets and
//! events come out of `poll_output`, and `poll_timeout` says when it wants to be called again. The caller
//! drains `poll_output` after every call. What is random comes from a seed, so a story told twice is the same
//! story.
//!
//! No actor uses the protocol code of `bridge-proto`: framing, discovery and PPP are written a second time,
//! plainly, so that a mistake there is not mirrored here. Only time is shared; and [`world`] holds the bridge
//! itself, with its actors around it.
//!
//! ```text
//!   Host ── Ethernet frames ── Segment ── (world: the bridge) ── octets ── Modem
//!    └ ppp::Endpoint ─────────────── PPP ──────────────── ppp::Endpoint ┘
//!        └ ip::IpLayer: pings, transfers                      IpLayer ┘
//! ```
#![forbid(unsafe_code)]

pub mod hdlc;
pub mod host;
pub mod ip;
pub mod modem;
pub mod ppp;
pub mod pppoe;
pub mod prng;
pub mod segment;
pub mod world;

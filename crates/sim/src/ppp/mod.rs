//! A PPP end of a link: negotiation, authentication, echo, and a little IP above it (RFC 1661, 1332, 1334).
//!
//! [`Endpoint`] is the whole of it. It gives and takes PPP frames, protocol field first; whether they travel in
//! PPPoE or in HDLC is not its business, except that [`Endpoint::send_framing`] tells what was agreed.

pub mod auth;
pub mod automaton;
pub mod endpoint;
pub mod ipcp;
pub mod ipv6cp;
pub mod lcp;
pub mod negotiator;
pub mod packet;

pub use endpoint::{CloseReason, Endpoint, EndpointConfig, EndpointEvent, EndpointOutput};

//! The system calls of `pppoe-serial-bridge`, behind types that cannot be misused.
//!
//! Nothing here knows a protocol: ethertypes and octets are handed in. Nothing blocks, except where a function says
//! so. Every `unsafe` of the project is in the private module `sys`, one call in each function; what rustix or std
//! can do is done with them.
#![deny(unsafe_code)]

pub mod error;
pub mod interface;
pub mod lock_file;
pub mod packet_socket;
pub mod poller;
pub mod pty;
pub mod serial_port;
pub mod signals;

mod holder;
mod packet_filter;
mod rtnetlink;
mod sys;

pub use error::OsError;

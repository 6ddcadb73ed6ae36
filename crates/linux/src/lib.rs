//! The system calls of `pppoe-serial-bridge`, behind types that cannot be misused.
//!
//! Nothing here knows a protocol: ethertypes and octets are handed in. Nothing blocks, except where a function says
//! so. Every `unsafe` of the project is in the private module `sys`, one call in each function; what rustix or std
//! can do is done with them.
#![deny(unsafe_code)]

pub mod child;
pub mod clock;
pub mod device_watcher;
pub mod errands;
pub mod error;
pub mod interface;
pub mod link;
pub mod lock_file;
pub mod namespace;
pub mod notify;
pub mod packet_socket;
pub mod poller;
pub mod pty;
pub mod random;
pub mod serial_port;
pub mod signals;
pub mod system;

mod holder;
mod packet_filter;
mod rtnetlink;
mod sys;

pub use error::OsError;

//! `pppoe-serial-bridge demo`: the bridge at work, for people who have no modem at hand.
//!
//! It promises that what is shown happened: the bridge is this program, started with its ordinary command line
//! in a network namespace of its own, between the actors of `bridge-sim`, which are driven in real time over a
//! real packet socket and the master of a real pseudo-terminal. Nothing outside of the namespace is touched but
//! one directory for temporary files, which is gone at the end.
//!
//! ```text
//!   Host ── PacketSocket ── veth ──┐                  ┌── pseudo-terminal ── Modem
//!     └── World: one poll loop     └── child process ─┘          World ───────┘
//! ```
//!
//! [`Story`](story) tells the steps, [`World`](world::World) moves the actors, [`Facts`](facts::Facts) holds
//! what has happened so far, [`Tap`](tap::Tap) listens at both wires, and [`Screen`] has the
//! looks.

mod conversation;
mod facts;
mod failure;
mod screen;
mod script;
mod story;
mod tap;
mod world;

use crate::cli::DemoArguments;
use bridge_linux::clock::monotonic_micros;
use bridge_proto::time::Instant;
use screen::Screen;
use std::process::ExitCode;

/// Shows everything. To be called while the program has a single thread.
pub(crate) fn run(arguments: &DemoArguments) -> ExitCode {
    let mut screen = Screen::stdout(now());
    match story::tell(arguments, &mut screen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.show(&mut screen);
            ExitCode::from(failure.exit_code())
        }
    }
}

fn now() -> Instant {
    Instant::from_micros(monotonic_micros())
}

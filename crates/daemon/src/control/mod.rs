//! The control socket: what goes on, said to whoever asks, and a few commands obeyed.
//!
//! A thread of its own talks with the clients; the event loop only ever takes a letter out of a box and puts an
//! answer in. The socket's permissions say who may be a client.
//!
//! ```text
//!   client ─ JSON lines ─ server (thread, tokio) ── letters, bell ──▶ event loop: Bridge, ports, counters
//!   client ─ JSON lines ─┘            ◀───────────── answers ─────────┘
//! ```

pub mod client;
pub(crate) mod meter;
mod protocol;
mod server;
mod status;
mod table;
#[cfg(test)]
mod tests;

use crate::event_loop::EventLoop;
use bridge_linux::OsError;
use bridge_proto::bridge::Input;
use bridge_proto::time::Instant;
use bridge_proto::wire::discovery::SessionId;
use protocol::{Request, Response};
use server::{Letter, Letterbox};
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use tokio::sync::oneshot;
use tracing::info;

/// Where the socket is, unless said otherwise.
pub const DEFAULT_PATH: &str = "/run/pppoe-serial-bridge/control";

/// The event loop's side of the control socket. Dropping it ends the thread and removes the socket.
#[derive(Debug)]
pub(crate) struct Control {
    path: PathBuf,
    /// When it was opened: as good as when the bridge was started.
    opened: Instant,
    letters: Receiver<Letter>,
    bell: UnixStream,
    /// The thread is still there to ring.
    whole: bool,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Control {
    /// Opens the socket and starts its thread.
    ///
    /// # Errors
    /// The socket cannot be opened, or no thread is to be had.
    pub(crate) fn open(now: Instant, path: &Path) -> Result<Self, OsError> {
        let failed = |cause| OsError::new("serve control socket", path.display().to_string(), cause);
        let listener = server::bind(path)?;
        let (sender, letters) = sync_channel(server::MOST_CLIENTS);
        let (near, far) = UnixStream::pair().map_err(failed)?;
        for end in [&near, &far] {
            end.set_nonblocking(true).map_err(failed)?;
        }
        let letterbox = Letterbox { letters: sender, bell: far };
        let (stop, stopped) = oneshot::channel();
        let serve = move || {
            if let Err(error) = server::serve(listener, letterbox, stopped) {
                tracing::error!("cannot serve the control socket: {error}");
            }
        };
        let thread = std::thread::Builder::new().name("control".into()).spawn(serve).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            opened: now,
            letters,
            bell: near,
            whole: true,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The next letter. When there is none, the bell is silent until there is.
    fn next_letter(&mut self) -> Option<Letter> {
        if let Ok(letter) = self.letters.try_recv() {
            return Some(letter);
        }
        // The bell is silenced first: a letter that comes after this look has rung it again.
        let mut rings = [0; 64];
        loop {
            match (&self.bell).read(&mut rings) {
                Ok(1..) => {}
                Ok(0) => {
                    self.whole = false;
                    break;
                }
                Err(_) => break,
            }
        }
        self.letters.try_recv().ok()
    }
}

impl Control {
    /// Whether there is anybody to ring it.
    fn bell_is_whole(&self) -> bool {
        self.whole
    }
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

impl EventLoop {
    /// Answers what has come in by the control socket.
    pub(crate) fn on_control(&mut self, now: Instant) {
        while let Some(letter) = self.control.as_mut().and_then(Control::next_letter) {
            let response = self.obey(now, letter.request);
            // Whoever asked may have gone.
            let _ = letter.answer.send(response);
        }
        // A bell without its thread would be heard for ever.
        if let Some(control) = self.control.take_if(|control| !control.bell_is_whole()) {
            let _ = self.poller.remove(&control);
        }
    }

    fn obey(&mut self, now: Instant, request: Request) -> Response {
        let done = match request {
            Request::Status {} => return Response::Status(Box::new(self.status(now))),
            Request::Disconnect { session } => self.disconnect(now, session),
            Request::Drain { service } => self.for_service(now, service.as_deref(), true),
            Request::Resume { service } => self.for_service(now, service.as_deref(), false),
        };
        match done {
            Ok(done) => {
                info!("control: {done}");
                Response::Done(done)
            }
            Err(error) => Response::Error(error),
        }
    }

    fn disconnect(&mut self, now: Instant, session: u16) -> Result<String, String> {
        let id = SessionId::new(session).filter(|id| self.bridge.has_session(*id));
        let id = id.ok_or_else(|| format!("there is no session {session:#06x}"))?;
        self.input(now, Input::Disconnect { session_id: id });
        Ok(format!("ending session {id}"))
    }

    fn for_service(&mut self, now: Instant, name: Option<&str>, drain: bool) -> Result<String, String> {
        let services = self.bridge.snapshot(now).services;
        let services = services.iter().enumerate().filter(|(index, _)| self.places.has_service(*index));
        let names: Vec<(usize, String)> =
            services.map(|(index, service)| (index, service.name.to_string())).collect();
        let service = match name {
            None => None,
            Some(name) => Some(
                names.iter().find(|(_, ours)| ours == name).map(|(index, _)| *index).ok_or_else(|| {
                    let known: Vec<&str> = names.iter().map(|(_, known)| known.as_str()).collect();
                    let (name, known) = (name.escape_debug(), known.join(", "));
                    format!("there is no service \"{name}\"; there are: {known}")
                })?,
            ),
        };
        let what = name.unwrap_or("every service");
        if drain {
            self.input(now, Input::Drain { service });
            Ok(format!("{what} takes no new calls; those under way go on"))
        } else {
            self.input(now, Input::Resume { service });
            Ok(format!("{what} takes new calls again"))
        }
    }
}

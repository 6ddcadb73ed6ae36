//! The control socket's thread: it takes lines, hands requests to the event loop, and writes the answers.
//!
//! It promises that no client can hold up a frame: the loop is asked at most once in [`PACE`], whatever clients
//! do, and never waits for one. A line, the time for one, and the number of clients are bounded.

use super::protocol::{Request, Response, line};
use bridge_linux::OsError;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::sync::{Mutex, Semaphore, oneshot};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// Octets of a request, its line end included.
pub(super) const MOST_OCTETS: usize = 4096;
/// Clients that are served at the same time; others wait for their turn.
pub(super) const MOST_CLIENTS: usize = 8;
/// The event loop is asked no more often than this, by all clients together.
pub(super) const PACE: Duration = Duration::from_millis(50);
/// A client has so long to send a line, and to take its answer.
const CLIENT_PATIENCE: Duration = Duration::from_secs(5);
/// The event loop answers within a few milliseconds; if it does not, clients are to know.
const LOOP_PATIENCE: Duration = Duration::from_secs(2);

/// A request on its way to the event loop.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) request: Request,
    pub(super) answer: oneshot::Sender<Response>,
}

/// Where letters go.
#[derive(Debug)]
pub(super) struct Letterbox {
    pub(super) letters: SyncSender<Letter>,
    /// Written to after a letter was put in, so that the loop wakes up.
    pub(super) bell: UnixStream,
}

/// Opens the socket for the owner and the group of the program: its permissions decide who may command.
///
/// # Errors
/// Another bridge serves it, or it cannot be made.
pub(super) fn bind(path: &Path) -> Result<UnixListener, OsError> {
    let failed = |cause| OsError::new("open control socket", path.display().to_string(), cause);
    if let Some(directory) = path.parent().filter(|directory| !directory.exists()) {
        std::fs::DirBuilder::new().mode(0o755).create(directory).map_err(failed)?;
    }
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == ErrorKind::AddrInUse && is_left_over(path) => {
            std::fs::remove_file(path).and_then(|()| UnixListener::bind(path)).map_err(failed)?
        }
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            return Err(
                failed(error).with_remedy("another bridge may serve it: give each its own --control PATH")
            );
        }
        bound => bound.map_err(failed)?,
    };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660)).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

/// Whether this is a socket that nobody serves any more.
fn is_left_over(path: &Path) -> bool {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|data| data.file_type().is_socket());
    let refused = |error: std::io::Error| error.kind() == ErrorKind::ConnectionRefused;
    is_socket && UnixStream::connect(path).is_err_and(refused)
}

/// Serves clients until the other end of `stop` is dropped. To be run in a thread of its own.
///
/// # Errors
/// No runtime to be had.
pub(super) fn serve(
    listener: UnixListener,
    letterbox: Letterbox,
    stop: oneshot::Receiver<()>,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    runtime.block_on(async {
        let listener = tokio::net::UnixListener::from_std(listener)?;
        tokio::spawn(accept(listener, Arc::new(Desk::new(letterbox))));
        // Clients that are being served go with the runtime.
        let _ = stop.await;
        Ok(())
    })
}

async fn accept(listener: tokio::net::UnixListener, desk: Arc<Desk>) {
    /// No descriptor is left, perhaps.
    const AFTER_FAILURE: Duration = Duration::from_millis(100);
    let places = Arc::new(Semaphore::new(MOST_CLIENTS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((client, _)) => {
                let desk = Arc::clone(&desk);
                tokio::spawn(async move {
                    converse(client, &desk).await;
                    drop(place);
                });
            }
            Err(_) => sleep(AFTER_FAILURE).await,
        }
    }
}

/// Answers a client's lines until it ends, dawdles, or sends a line that is too long.
async fn converse(mut client: tokio::net::UnixStream, desk: &Desk) {
    let (reader, mut writer) = client.split();
    let mut reader = BufReader::new(reader);
    let mut request = Vec::new();
    loop {
        request.clear();
        let mut limited = (&mut reader).take(MOST_OCTETS as u64);
        match timeout(CLIENT_PATIENCE, limited.read_until(b'\n', &mut request)).await {
            Ok(Ok(1..)) => {}
            Ok(_) | Err(_) => return,
        }
        let too_long = request.len() == MOST_OCTETS && request.last() != Some(&b'\n');
        let response = match Request::parse(&request) {
            _ if too_long => Response::Error(format!("a request has at most {MOST_OCTETS} octets")),
            Ok(request) => desk.ask(request).await,
            Err(error) => Response::Error(error),
        };
        let written = timeout(CLIENT_PATIENCE, writer.write_all(&line(&response))).await;
        if too_long || !matches!(written, Ok(Ok(()))) {
            return;
        }
    }
}

/// Where all clients' requests pass, one at a time and none too soon after the last.
#[derive(Debug)]
struct Desk {
    letterbox: Letterbox,
    next: Mutex<Instant>,
}

impl Desk {
    fn new(letterbox: Letterbox) -> Self {
        Self { letterbox, next: Mutex::new(Instant::now()) }
    }

    async fn ask(&self, request: Request) -> Response {
        let mut next = self.next.lock().await;
        sleep_until(*next).await;
        *next = Instant::now() + PACE;
        self.deliver(request).await
    }

    async fn deliver(&self, request: Request) -> Response {
        let (answer, answered) = oneshot::channel();
        match self.letterbox.letters.try_send(Letter { request, answer }) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Response::Error("the bridge is busy".into()),
            Err(TrySendError::Disconnected(_)) => return Response::Error("the bridge is ending".into()),
        }
        // If the bell cannot take another octet, it has not been heard yet.
        let _ = (&self.letterbox.bell).write(&[0]);
        match timeout(LOOP_PATIENCE, answered).await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => Response::Error("the bridge is ending".into()),
            Err(_) => Response::Error("the bridge does not answer".into()),
        }
    }
}

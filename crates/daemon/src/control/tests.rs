use super::server::{MOST_CLIENTS, MOST_OCTETS, PACE};
use super::*;
use bridge_linux::poller::{Events, Interest, Poller, Token};
use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant as WallClock;

/// A control socket in a directory of its own, and what an event loop would be: one that answers every letter.
struct Bridge {
    path: PathBuf,
    control: Control,
    poller: Poller,
}

impl Bridge {
    fn open() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("control-{}-{number}", std::process::id())).join("socket");
        let control = Control::open(Instant::ZERO, &path).unwrap();
        let poller = Poller::new().unwrap();
        poller.add(&control, Token(0), Interest::READABLE).unwrap();
        Self { path, control, poller }
    }

    fn client(&self) -> Client {
        let stream = UnixStream::connect(&self.path).unwrap();
        Client { reader: BufReader::new(stream) }
    }

    /// Waits until there are letters, answers all there are, and says how many.
    fn answer(&mut self) -> usize {
        self.poller.wait(&mut Events::with_capacity(1), None).unwrap();
        let mut answered = 0;
        while let Some(letter) = self.control.next_letter() {
            let response = match letter.request {
                Request::Status {} => Response::Status(Box::default()),
                request => Response::Done(format!("{request:?}")),
            };
            let _ = letter.answer.send(response);
            answered += 1;
        }
        answered
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = self.path.parent().map(std::fs::remove_dir_all);
    }
}

struct Client {
    reader: BufReader<UnixStream>,
}

impl Client {
    fn send(&mut self, octets: &[u8]) {
        // A bridge that has heard enough has closed.
        let _ = self.reader.get_mut().write_all(octets);
    }

    /// The next answer; empty at the end.
    fn receive(&mut self) -> String {
        let mut line = String::new();
        let _ = self.reader.read_line(&mut line);
        line
    }
}

const DRAIN: &[u8] = b"{\"command\":\"drain\"}\n";
const STATUS: &[u8] = b"{\"command\":\"status\"}\n";

#[test]
fn a_request_reaches_the_loop_and_its_answer_the_client() {
    let mut bridge = Bridge::open();
    let mut client = bridge.client();
    client.send(b"{\"command\":\"disconnect\",\"session\":7}\n");
    assert_eq!(bridge.answer(), 1);
    assert_eq!(client.receive(), "{\"done\":\"Disconnect { session: 7 }\"}\n");
    client.send(STATUS);
    bridge.answer();
    assert!(client.receive().starts_with("{\"status\":{"));
}

#[test]
fn a_last_line_needs_no_line_end() {
    let mut bridge = Bridge::open();
    let mut client = bridge.client();
    client.send(b"{\"command\":\"drain\"}");
    client.reader.get_ref().shutdown(Shutdown::Write).unwrap();
    bridge.answer();
    assert!(client.receive().starts_with("{\"done\":"));
    assert_eq!(client.receive(), "");
}

#[test]
fn garbage_is_answered_and_forgiven() {
    let mut bridge = Bridge::open();
    let mut client = bridge.client();
    for garbage in [&b"\n"[..], b"hello\n", b"\xff\xfe\0\n", b"{\"command\":\"format c:\"}\n"] {
        client.send(garbage);
        assert!(client.receive().starts_with("{\"error\":\"not a request: "));
    }
    client.send(DRAIN);
    bridge.answer();
    assert!(client.receive().starts_with("{\"done\":"));
}

#[test]
fn a_line_that_is_too_long_ends_the_conversation() {
    let bridge = Bridge::open();
    let mut client = bridge.client();
    client.send(&[b' '; MOST_OCTETS]);
    assert_eq!(client.receive(), format!("{{\"error\":\"a request has at most {MOST_OCTETS} octets\"}}\n"));
    assert_eq!(client.receive(), "");
}

#[test]
fn as_long_a_line_as_may_be_is_taken() {
    let mut bridge = Bridge::open();
    let mut client = bridge.client();
    let mut line = vec![b' '; MOST_OCTETS - DRAIN.len()];
    line.extend_from_slice(DRAIN);
    client.send(&line);
    bridge.answer();
    assert!(client.receive().starts_with("{\"done\":"));
}

#[test]
fn a_silent_client_holds_up_nobody() {
    let mut bridge = Bridge::open();
    let mut silent: Vec<Client> = (1..MOST_CLIENTS).map(|_| bridge.client()).collect();
    silent.iter_mut().for_each(|client| client.send(b"{"));
    let mut client = bridge.client();
    client.send(DRAIN);
    bridge.answer();
    assert!(client.receive().starts_with("{\"done\":"));
}

#[test]
fn more_clients_than_there_are_places_have_their_turn_as_others_leave() {
    let mut bridge = Bridge::open();
    let mut clients: Vec<Client> = (0..MOST_CLIENTS + 3).map(|_| bridge.client()).collect();
    for client in &mut clients {
        client.send(DRAIN);
        client.reader.get_ref().shutdown(Shutdown::Write).unwrap();
    }
    let mut answered = 0;
    while answered < clients.len() {
        answered += bridge.answer();
    }
    for client in &mut clients {
        assert!(client.receive().starts_with("{\"done\":"));
    }
}

#[test]
fn a_flood_of_questions_is_answered_at_a_pace_that_the_loop_can_bear() {
    const QUESTIONS: u32 = 8;
    let mut bridge = Bridge::open();
    let mut clients = [bridge.client(), bridge.client()];
    let began = WallClock::now();
    for client in &mut clients {
        client.send(&STATUS.repeat(QUESTIONS as usize / 2));
    }
    let mut answered = 0;
    while answered < QUESTIONS {
        answered += u32::try_from(bridge.answer()).unwrap();
    }
    assert!(began.elapsed() >= PACE * (QUESTIONS - 1));
    assert!(clients.iter_mut().all(|client| client.receive().starts_with("{\"status\":{")));
}

#[test]
fn the_socket_is_for_owner_and_group_and_goes_with_the_bridge() {
    let bridge = Bridge::open();
    let path = bridge.path.clone();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let error = Control::open(Instant::ZERO, &path).unwrap_err();
    assert!(error.remedy().is_some_and(|remedy| remedy.contains("--control")), "{error}");
    drop(bridge);
    assert!(!path.exists());
}

#[test]
fn a_socket_that_a_dead_bridge_left_is_replaced_and_a_file_is_not() {
    let bridge = Bridge::open();
    let directory = bridge.path.parent().unwrap().to_owned();
    let left = directory.join("left");
    drop(std::os::unix::net::UnixListener::bind(&left).unwrap());
    assert!(left.exists());
    // A child that another test has just forked listens too, up to its own exec.
    while UnixStream::connect(&left).is_ok() {
        std::thread::yield_now();
    }
    drop(Control::open(Instant::ZERO, &left).unwrap());
    std::fs::write(&left, "precious").unwrap();
    assert!(Control::open(Instant::ZERO, &left).is_err());
    assert_eq!(std::fs::read(&left).unwrap(), b"precious");
}

//! A simulated modem behind a pseudo-terminal, in real time.

use bridge_linux::clock::monotonic_micros;
use bridge_linux::poller::{Events, Interest, Poller, Token};
use bridge_linux::pty::PtyPair;
use bridge_proto::time::Instant;
use bridge_sim::modem::profile::HUAWEI;
use bridge_sim::modem::{DialResult, Modem, ModemConfig, ModemFaults, ModemOutput};
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

pub(crate) fn now() -> Instant {
    Instant::from_micros(monotonic_micros())
}

/// A modem at work in a thread of its own, until this is dropped.
pub(crate) struct ModemOnPty {
    device: PathBuf,
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl ModemOnPty {
    /// Its dials take no time, and come to this.
    pub(crate) fn start(dial: DialResult, faults: ModemFaults) -> Self {
        let mut config = ModemConfig::new(&HUAWEI, Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
        config.dial_time = Duration::ZERO;
        config.dials = vec![dial];
        config.faults = faults;
        let tty = PtyPair::open().unwrap();
        let device = tty.slave().to_owned();
        // While nobody has it open a pseudo-terminal is hung up, which is reported without end: this keeps it open. It
        // is opened before anybody can claim the line for himself.
        let kept = tty.open_slave().unwrap();
        let (stop, stopped) = UnixStream::pair().unwrap();
        let thread = std::thread::spawn(move || {
            play(Modem::new(config, 1), &tty, &stopped);
            drop(kept);
        });
        Self { device, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn device(&self) -> &Path {
        &self.device
    }
}

impl Drop for ModemOnPty {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
    }
}

const TTY: Token = Token(0);
const STOP: Token = Token(1);

fn play(mut modem: Modem, tty: &PtyPair, stopped: &UnixStream) {
    let poller = Poller::new().unwrap();
    poller.add(tty, TTY, Interest::READABLE).unwrap();
    poller.add(stopped, STOP, Interest::READABLE).unwrap();
    let mut events = Events::with_capacity(2);
    let mut octets = [0; 4096];
    loop {
        let timeout = modem.poll_timeout().map(|due| due - now());
        poller.wait(&mut events, timeout).unwrap();
        if events.iter().any(|event| event.token == STOP) {
            return;
        }
        if let Ok(len) = tty.read(&mut octets) {
            modem.handle_octets(now(), &octets[..len]);
        }
        modem.handle_timeout(now());
        while let Some(output) = modem.poll_output() {
            if let ModemOutput::Octets(octets) = output {
                // What a tty cannot take at once is more than these stories have to say.
                assert_eq!(tty.write(&octets).unwrap(), octets.len());
            }
        }
    }
}

//! The generator: plays host and modem at once, and counts.

use std::time::{Duration, Instant};

use bridge_linux::packet_socket::Sent;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::Failure;
use crate::frames::{FrameSet, HostReader, LineImage, LineReader, after};
use crate::rig::Rig;

/// Which way frames go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From Ethernet to the tty.
    HostToModem,
    /// From the tty to Ethernet.
    ModemToHost,
    /// Both ways at once.
    Both,
}

impl Direction {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::HostToModem, Self::ModemToHost, Self::Both];

    /// What it is called in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HostToModem => "host to modem",
            Self::ModemToHost => "modem to host",
            Self::Both => "both",
        }
    }
}

/// What a run has shown.
#[derive(Clone, Copy, Debug)]
pub struct Throughput {
    /// Frames that arrived whole.
    pub frames: u64,
    /// Of those, until the last had come.
    pub frames_per_second: f64,
    /// Of the process under test, in nanoseconds.
    pub processor_time_per_frame: f64,
    /// Frames that never arrived.
    pub lost: u64,
    /// Frames that arrived as nobody had sent them.
    pub damaged: u64,
}

/// What the modem's ear got of twice what it takes.
#[derive(Clone, Copy, Debug)]
pub struct Overload {
    /// Frames that the host sent.
    pub offered: u64,
    /// Those that the modem got whole.
    pub good: u64,
    /// What else it got.
    pub damaged: u64,
}

/// Octets in flight in either direction: what pseudo-terminal and socket hold without loss.
const WINDOW_OCTETS: usize = 18_000;
/// With small frames their number counts.
const WINDOW_FRAMES: usize = 64;
/// Octets written to the line at once.
const LINE_WRITE: usize = 4096;
/// What has not come after such a silence is lost, if the program sleeps in the end.
const SILENCE: Duration = Duration::from_millis(300);
/// So often must have been looked for something meanwhile: a generator that was held up has heard no silence.
const LOOKS: u32 = 25;
/// What the overloaded modem takes, in octets per second.
const SLOW_LINE: u64 = 1_000_000;

/// For how long nothing has come.
#[derive(Clone, Copy, Debug)]
struct Silence {
    since: Instant,
    looks: u32,
}

impl Silence {
    fn begin() -> Self {
        Self { since: Instant::now(), looks: 0 }
    }

    fn is_long(self) -> bool {
        self.looks >= LOOKS && self.since.elapsed() > SILENCE
    }
}

/// One generator for one rig and one set of frames.
#[derive(Debug)]
pub struct Generator<'a> {
    rig: &'a mut Rig,
    set: &'a FrameSet,
    /// The frames of the set as the host sends them.
    ethernet: Vec<Vec<u8>>,
    image: LineImage,
    window: u64,
    line: LineReader,
    host: HostReader,
    down: Flow,
    up: Flow,
    /// Up to where the image has been written; in or at the beginning of the frame that is sent next.
    written: usize,
    buffer: Box<[u8]>,
}

/// One direction.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    is_on: bool,
    /// The frame that is sent next.
    next: usize,
    sent: u64,
    /// Given up for lost, so that others may be sent.
    written_off: u64,
}

impl Flow {
    fn start(&mut self, is_on: bool) {
        *self = Self { is_on, next: self.next, ..Self::default() };
    }

    fn in_flight(self, arrived: u64) -> u64 {
        self.sent.saturating_sub(arrived + self.written_off)
    }

    fn count(&mut self) {
        self.next = after(self.next);
        self.sent += 1;
    }
}

impl<'a> Generator<'a> {
    /// A generator of the frames of `set`; the set of the last one must have passed whole.
    pub fn new(rig: &'a mut Rig, set: &'a FrameSet) -> Self {
        let with_header = |ppp: &Vec<u8>| {
            let mut frame = rig.header.to_vec();
            frame[18..].copy_from_slice(&(ppp.len() as u16).to_be_bytes());
            [&frame[..], ppp].concat()
        };
        let ethernet: Vec<_> = set.ppp.iter().map(with_header).collect();
        let window = (WINDOW_OCTETS / ethernet[0].len()).min(WINDOW_FRAMES) as u64;
        let (image, line) = (LineImage::new(set, rig.line), LineReader::new(rig.line));
        let (host, flow) = (HostReader::default(), Flow::default());
        let buffer = vec![0; 16_384].into_boxed_slice();
        Self { rig, set, ethernet, image, window, line, host, down: flow, up: flow, written: 0, buffer }
    }

    fn start(&mut self, direction: Direction) {
        self.down.start(direction != Direction::ModemToHost);
        self.up.start(direction != Direction::HostToModem);
        self.line.start(self.down.next);
        self.host.start(self.up.next);
    }

    /// As many frames as pass in `duration`, with a window of them in flight.
    ///
    /// # Errors
    /// The program has ended.
    pub fn throughput(&mut self, direction: Direction, duration: Duration) -> Result<Throughput, Failure> {
        self.run(direction, duration / 10)?;
        let used_before = self.rig.process.processor_time()?;
        let elapsed = self.run(direction, duration)?;
        // Until it sleeps its time is not accounted for.
        std::thread::sleep(Duration::from_millis(2));
        let used = self.rig.process.processor_time()? - used_before;
        let (down, up) = (self.line.tally, self.host.tally);
        let (good, damaged) = (down.good + up.good, down.damaged + up.damaged);
        Ok(Throughput {
            frames: good,
            frames_per_second: if good == 0 { 0.0 } else { good as f64 / elapsed.as_secs_f64() },
            processor_time_per_frame: used.as_nanos() as f64 / good.max(1) as f64,
            lost: (self.down.sent + self.up.sent).saturating_sub(good + damaged),
            damaged,
        })
    }

    /// Sends for `duration`, then waits for what is on its way. How long it took until the last frame came.
    fn run(&mut self, direction: Direction, duration: Duration) -> Result<Duration, Failure> {
        self.start(direction);
        let started = Instant::now();
        let (mut last_arrival, mut silence) = (started, Silence::begin());
        loop {
            let now = Instant::now();
            // Something is sent in any case, however late we come to it.
            let is_sending = now - started < duration || self.down.sent + self.up.sent == 0;
            let mut is_busy = is_sending && self.send()?;
            is_busy |= !is_sending && self.finish_frame()?;
            if self.receive()? {
                (last_arrival, silence) = (now, Silence::begin());
                is_busy = true;
            }
            let in_flight =
                self.down.in_flight(self.line.tally.all()) + self.up.in_flight(self.host.tally.all());
            if !is_sending && in_flight == 0 {
                return Ok(last_arrival - started);
            }
            if !is_busy && self.is_over(&mut silence)? {
                if !is_sending {
                    return Ok(last_arrival - started);
                }
                self.down.written_off = self.down.sent - self.line.tally.all().min(self.down.sent);
                self.up.written_off = self.up.sent - self.host.tally.all().min(self.up.sent);
                silence = Silence::begin();
                self.rig.process.check()?;
            }
            if !is_busy {
                self.wait()?;
            }
        }
    }

    /// Whether nothing more comes of what was sent: to be asked after each look that found nothing.
    fn is_over(&mut self, silence: &mut Silence) -> Result<bool, Failure> {
        silence.looks += 1;
        if !silence.is_long() {
            return Ok(false);
        }
        let is_asleep = self.rig.process.is_asleep()?;
        // What it did before it fell asleep may have come after the last look.
        let has_come = self.receive()?;
        if is_asleep && !has_come {
            return Ok(true);
        }
        *silence = Silence::begin();
        self.rig.process.check()?;
        Ok(false)
    }

    /// Sends what the windows allow; whether anything was sent.
    fn send(&mut self) -> Result<bool, Failure> {
        let mut has_sent = false;
        while self.down.is_on && self.down.in_flight(self.line.tally.all()) < self.window {
            match self.rig.socket.send(&self.ethernet[self.down.next])? {
                Sent::Whole => self.down.count(),
                Sent::NotNow | Sent::Dropped => break,
            }
            has_sent = true;
        }
        if self.up.is_on {
            let allowed = self.window.saturating_sub(self.up.in_flight(self.host.tally.all()));
            let (_, end) = self.image.stretch(self.up.next, allowed as usize);
            has_sent |= self.write_line(end)?;
        }
        Ok(has_sent)
    }

    /// Writes the rest of a frame of which a part has been written.
    fn finish_frame(&mut self) -> Result<bool, Failure> {
        let (start, end) = self.image.stretch(self.up.next, 1);
        Ok(self.up.is_on && self.written != start && self.write_line(end)?)
    }

    /// Writes the line's image from where it stopped up to `end`; whether anything was written.
    fn write_line(&mut self, end: usize) -> Result<bool, Failure> {
        let end = end.min(self.written + LINE_WRITE);
        let Some(octets) = self.image.octets.get(self.written..end).filter(|octets| !octets.is_empty())
        else {
            return Ok(false);
        };
        match self.rig.pty.write(octets) {
            Ok(written) => self.written += written,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        while self.written >= self.image.stretch(self.up.next, 1).1 {
            self.up.count();
            if self.up.next == 0 {
                self.written -= self.image.period();
            }
        }
        Ok(true)
    }

    /// Reads all that has come; whether anything had.
    fn receive(&mut self) -> Result<bool, Failure> {
        let mut has_come = false;
        if self.down.is_on {
            has_come |= self.read_line(usize::MAX)? > 0;
        }
        while self.up.is_on
            && let Some(received) = self.rig.socket.receive(&mut self.buffer)?
        {
            self.host.take(self.set, &self.buffer[..received.len]);
            has_come = true;
        }
        Ok(has_come)
    }

    fn read_line(&mut self, limit: usize) -> Result<usize, Failure> {
        let limit = limit.min(self.buffer.len());
        match self.rig.pty.read(&mut self.buffer[..limit]) {
            Ok(read) => {
                self.line.take(self.set, &self.buffer[..read]);
                Ok(read)
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(0),
            // Nobody has the other end open, for the moment or because the program has ended.
            Err(error) => self.rig.process.check().and(Err(error.into())),
        }
    }

    fn wait(&self) -> Result<(), Failure> {
        const TIMEOUT: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
        let mut wanted = PollFlags::empty();
        wanted.set(PollFlags::IN, self.down.is_on);
        wanted.set(PollFlags::OUT, self.up.is_on && self.up.in_flight(self.host.tally.all()) < self.window);
        let mut fds = [PollFd::new(&self.rig.pty, wanted), PollFd::new(&self.rig.socket, PollFlags::IN)];
        match poll(&mut fds, Some(&TIMEOUT)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// How long single frames take, a millisecond apart.
    ///
    /// # Errors
    /// The program has ended.
    pub fn latencies(&mut self, direction: Direction, frames: usize) -> Result<Vec<Duration>, Failure> {
        const APART: Duration = Duration::from_millis(1);
        self.start(direction);
        let mut latencies = Vec::with_capacity(frames);
        let mut due = Instant::now();
        for _ in 0..frames {
            due += APART;
            // Spinning, as the receiver does: what is measured shall not be the generator's waking up.
            while Instant::now() < due {
                std::hint::spin_loop();
            }
            let sent_at = Instant::now();
            let arrived = self.line.tally.good + self.host.tally.good;
            if direction == Direction::ModemToHost {
                let (_, end) = self.image.stretch(self.up.next, 1);
                self.write_line(end)?;
            } else if self.rig.socket.send(&self.ethernet[self.down.next])? == Sent::Whole {
                self.down.count();
            }
            let mut silence = Silence::begin();
            loop {
                self.receive()?;
                if self.line.tally.good + self.host.tally.good > arrived {
                    latencies.push(sent_at.elapsed());
                    break;
                }
                if self.is_over(&mut silence)? {
                    break;
                }
            }
            due = due.max(sent_at);
        }
        Ok(latencies)
    }

    /// Offers for `duration` twice what the modem reads.
    ///
    /// # Errors
    /// The program has ended.
    pub fn overload(&mut self, duration: Duration) -> Result<Overload, Failure> {
        self.start(Direction::HostToModem);
        let started = Instant::now();
        let (mut read, mut offered) = (0, 0);
        loop {
            // All is offered that belongs to the time, also if we were held up.
            let elapsed = started.elapsed().min(duration);
            let taken = SLOW_LINE * elapsed.as_micros() as u64 / 1_000_000;
            while offered < 2 * taken {
                let frame = &self.ethernet[self.down.next];
                offered += frame.len() as u64;
                self.rig.socket.send(frame)?;
                self.down.count();
            }
            if read < taken {
                read += self.read_line((taken - read) as usize)? as u64;
            }
            if elapsed == duration {
                break;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        self.await_rest()
    }

    /// Sends so many frames at once, while the program looks elsewhere.
    ///
    /// # Errors
    /// The program has ended.
    pub fn burst(&mut self, frames: usize) -> Result<Overload, Failure> {
        self.start(Direction::HostToModem);
        let Self { rig, ethernet, down, .. } = self;
        rig.process.pause(|| {
            for _ in 0..frames {
                rig.socket.send(&ethernet[down.next])?;
                down.count();
            }
            Ok::<(), Failure>(())
        })??;
        self.await_rest()
    }

    /// Reads until nothing more comes.
    fn await_rest(&mut self) -> Result<Overload, Failure> {
        let mut silence = Silence::begin();
        loop {
            if self.receive()? {
                silence = Silence::begin();
            } else if self.is_over(&mut silence)? {
                break;
            } else {
                self.wait()?;
            }
        }
        let tally = self.line.tally;
        Ok(Overload { offered: self.down.sent, good: tally.good, damaged: tally.damaged })
    }
}

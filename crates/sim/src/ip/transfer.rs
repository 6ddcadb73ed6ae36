//! A bulk transfer over datagrams: counted, checked, acknowledged, sent again until all has arrived.
//!
//! Go-back-N: the [`Sender`] keeps a window of datagrams under way, the [`Receiver`] takes them in order and
//! acknowledges the next one it wants. What is sent is a known noise, so the receiver can tell that it is
//! intact, and that nothing on the way treats some octets differently from others.
//!
//! ```text
//!   data: 0 | transfer u32 | sequence u32 | total octets u64 | noise …
//!   ack:  1 | transfer u32 | next sequence u32
//! ```

use std::time::Duration;

use bridge_proto::time::Instant;

use crate::prng::Prng;

/// Octets of a data message before the noise.
const DATA_HEADER: usize = 17;

/// A message, parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// A piece of a transfer.
    Data(Data<'a>),
    /// How far the receiver has come.
    Ack(Ack),
}

/// A piece of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    /// Which transfer.
    pub transfer: u32,
    /// Which piece, from zero.
    pub sequence: u32,
    /// Octets of the whole transfer.
    pub total: u64,
    /// The octets.
    pub noise: &'a [u8],
}

/// How far the receiver has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    /// Which transfer.
    pub transfer: u32,
    /// The piece wanted next.
    pub next: u32,
}

impl<'a> Message<'a> {
    /// The message in a datagram.
    #[must_use]
    pub fn parse(octets: &'a [u8]) -> Option<Self> {
        let (kind, rest) = octets.split_first()?;
        let (transfer, rest) = rest.split_first_chunk()?;
        let (sequence, rest) = rest.split_first_chunk()?;
        let (transfer, sequence) = (u32::from_be_bytes(*transfer), u32::from_be_bytes(*sequence));
        match kind {
            0 => {
                let (total, noise) = rest.split_first_chunk()?;
                Some(Self::Data(Data { transfer, sequence, total: u64::from_be_bytes(*total), noise }))
            }
            1 => Some(Self::Ack(Ack { transfer, next: sequence })),
            _ => None,
        }
    }
}

impl Data<'_> {
    fn emit(&self) -> Vec<u8> {
        let mut octets = vec![0];
        octets.extend_from_slice(&self.transfer.to_be_bytes());
        octets.extend_from_slice(&self.sequence.to_be_bytes());
        octets.extend_from_slice(&self.total.to_be_bytes());
        octets.extend_from_slice(self.noise);
        octets
    }
}

impl Ack {
    /// The octets of the message.
    #[must_use]
    pub fn emit(&self) -> Vec<u8> {
        [&[1][..], &self.transfer.to_be_bytes(), &self.next.to_be_bytes()].concat()
    }
}

/// The octets of one piece: every value of an octet turns up, control octets and flags too.
fn noise(transfer: u32, sequence: u32, octets: usize) -> Vec<u8> {
    let mut noise = vec![0; octets];
    Prng::new(u64::from(transfer) << 32 | u64::from(sequence)).fill(&mut noise);
    noise
}

/// How an own transfer went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Octets delivered, headers not counted.
    pub octets: u64,
    /// From the first datagram to the last acknowledgement.
    pub time: Duration,
    /// Datagrams sent more than once.
    pub sent_again: u64,
}

/// How the peer's transfer went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Octets received, headers not counted.
    pub octets: u64,
    /// From the first datagram to the last.
    pub time: Duration,
    /// Datagrams that came twice, or after one that is missing.
    pub out_of_order: u64,
    /// Datagrams whose checksum was right and whose octets were wrong.
    pub damaged: u64,
}

/// The sending side.
#[derive(Clone, Debug)]
pub struct Sender {
    transfer: u32,
    total: u64,
    piece: usize,
    pieces: u32,
    window: u32,
    /// The first piece not acknowledged.
    base: u32,
    /// The piece to send next.
    next: u32,
    /// One past the furthest piece ever sent.
    furthest: u32,
    started: Instant,
    /// The piece whose round trip is being measured, and when it left.
    timed: Option<(u32, Instant)>,
    patience: Duration,
    deadline: Option<Instant>,
    same_acks: u32,
    sent_again: u64,
}

/// Before the first round trip is known: a window takes seconds on a slow line.
const FIRST_PATIENCE: Duration = Duration::from_secs(3);
const LEAST_PATIENCE: Duration = Duration::from_millis(300);
const MOST_PATIENCE: Duration = Duration::from_secs(30);
/// So many acknowledgements of the same piece say that it is lost.
const SAME_ACKS: u32 = 3;

impl Sender {
    /// A transfer of `octets` octets in datagrams of at most `max_datagram`.
    #[must_use]
    pub fn new(now: Instant, transfer: u32, octets: u64, window: u16, max_datagram: usize) -> Self {
        let piece = max_datagram.saturating_sub(DATA_HEADER).max(1);
        // An empty transfer has one empty piece: the receiver must hear of it.
        let pieces = octets.div_ceil(piece as u64).max(1);
        Self {
            transfer,
            total: octets,
            piece,
            pieces: u32::try_from(pieces).unwrap_or(u32::MAX),
            window: u32::from(window).max(1),
            base: 0,
            next: 0,
            furthest: 0,
            started: now,
            timed: None,
            patience: FIRST_PATIENCE,
            deadline: None,
            same_acks: 0,
            sent_again: 0,
        }
    }

    /// When the oldest datagram is taken for lost.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// Starts again from the oldest datagram, more patiently, if its time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.patience = (self.patience * 2).min(MOST_PATIENCE);
            self.go_back();
        }
    }

    /// The next datagram the window allows.
    pub fn poll_datagram(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.next >= self.pieces || self.next - self.base >= self.window {
            return None;
        }
        let sequence = self.next;
        let begin = u64::from(sequence) * self.piece as u64;
        let octets = usize::try_from(self.total - begin).unwrap_or(usize::MAX).min(self.piece);
        self.next += 1;
        if sequence < self.furthest {
            self.sent_again += 1;
        } else {
            self.furthest = self.next;
            // Only what was sent once can be timed (Karn).
            self.timed = self.timed.or(Some((sequence, now)));
        }
        self.deadline = self.deadline.or(Some(now + self.patience));
        let noise = noise(self.transfer, sequence, octets);
        Some(Data { transfer: self.transfer, sequence, total: self.total, noise: &noise }.emit())
    }

    /// The receiver has come this far.
    pub fn on_ack(&mut self, now: Instant, ack: Ack) {
        if ack.transfer != self.transfer || ack.next < self.base || ack.next > self.furthest {
            return;
        }
        if ack.next == self.base {
            self.same_acks += 1;
            if self.same_acks == SAME_ACKS {
                self.go_back();
            }
            return;
        }
        self.base = ack.next;
        self.next = self.next.max(self.base);
        self.same_acks = 0;
        if let Some((_, sent)) = self.timed.take_if(|(sequence, _)| *sequence < ack.next) {
            self.patience = ((now - sent) * 3).clamp(LEAST_PATIENCE, MOST_PATIENCE);
        }
        self.deadline = (self.base < self.pieces).then(|| now + self.patience);
    }

    /// How it went, once all is acknowledged.
    #[must_use]
    pub fn report(&self, now: Instant) -> Option<Report> {
        (self.base == self.pieces).then(|| Report {
            octets: self.total,
            time: now - self.started,
            sent_again: self.sent_again,
        })
    }

    fn go_back(&mut self) {
        self.next = self.base;
        self.timed = None;
        self.deadline = None;
    }
}

/// The receiving side.
#[derive(Clone, Debug)]
pub struct Receiver {
    transfer: u32,
    next: u32,
    received: u64,
    started: Instant,
    is_complete: bool,
    out_of_order: u64,
    damaged: u64,
}

impl Receiver {
    /// Begins with the transfer that `data` is of.
    #[must_use]
    pub fn new(now: Instant, data: &Data<'_>) -> Self {
        Self {
            transfer: data.transfer,
            next: 0,
            received: 0,
            started: now,
            is_complete: false,
            out_of_order: 0,
            damaged: 0,
        }
    }

    /// Whether this is the transfer it takes.
    #[must_use]
    pub fn is_of(&self, transfer: u32) -> bool {
        self.transfer == transfer
    }

    /// Takes a piece: what to acknowledge, and how it went if this was the last.
    pub fn on_data(&mut self, now: Instant, data: &Data<'_>) -> (Ack, Option<Receipt>) {
        if data.sequence != self.next {
            self.out_of_order += 1;
        } else if data.noise != noise(data.transfer, data.sequence, data.noise.len()) {
            self.damaged += 1;
        } else {
            self.next = self.next.wrapping_add(1);
            self.received += data.noise.len() as u64;
        }
        let is_last = self.received == data.total && self.next > 0 && !self.is_complete;
        self.is_complete |= is_last;
        let receipt = is_last.then(|| Receipt {
            octets: self.received,
            time: now - self.started,
            out_of_order: self.out_of_order,
            damaged: self.damaged,
        });
        (Ack { transfer: self.transfer, next: self.next }, receipt)
    }
}

//! From the octets of the line to PPP frames.

use core::fmt;

use super::small::{self, Small};
use super::{ADDRESS, Accm, CONTROL, FLAG, Fcs16, HEADROOM, MAX_FRAME, MAX_STUFFED_FRAME, MIN_FRAME};
use crate::discard::DiscardReason;
use bridge_octets::lanes::below_20;
use bridge_octets::{SLACK, Unstuffed, find_flag, unstuff, unstuff_without};

/// Finds the frames in what a modem sends, however the octets are split.
///
/// It takes every frame that RFC 1662 allows, compressed fields included, whatever was negotiated; senders
/// that escape too much or too little; and control octets that the line made up, as long as the receive map
/// flags them. Such an octet shows only in that a frame is bad with it and good without, so bad frames are read twice;
/// but nobody can keep a bridge busy with that: where so many in a row were bad in both ways that the line is of no
/// use, one in sixteen is, until there is a good one.
///
/// What comes before the first FLAG since [`reset`](Self::reset) is the end of a line of text, and nobody's
/// fault; or else a frame whose opening FLAG the chat has eaten. It is taken if it is a good frame, and
/// forgotten if not.
#[derive(Clone, Debug)]
pub struct Deframer {
    receive_accm: Accm,
    /// Bad frames since the last good one.
    bad: u32,
    run: Run,
    /// Of the octets since the last FLAG.
    number: u32,
    /// The octets since the last FLAG, as they came, of a frame that did not end with the octets it began in.
    stuffed: Buffer<MAX_STUFFED_FRAME>,
    /// The last frame without stuffing, behind the headroom.
    frame: [u8; HEADROOM + MAX_FRAME + SLACK],
}

/// What the octets since the last FLAG are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    /// There was no FLAG yet: a frame if it is a good one, else of no account.
    Unframed,
    /// A frame.
    Frame,
    /// The rest of a frame that was too long, and has been reported.
    Oversized,
}

impl Deframer {
    /// At the beginning of a call: nothing seen, every control octet suspect.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            receive_accm: Accm::ALL,
            bad: 0,
            run: Run::Unframed,
            number: 0,
            stuffed: Buffer::new(),
            frame: [0; HEADROOM + MAX_FRAME + SLACK],
        }
    }

    /// Forgets the frame in progress and what was negotiated: a new call begins.
    pub fn reset(&mut self) {
        self.receive_accm = Accm::ALL;
        self.bad = 0;
        self.start_frame(Run::Unframed);
    }

    /// Says which control octets the far end has agreed to escape: those that come unescaped are not its own.
    pub fn set_receive_accm(&mut self, accm: Accm) {
        self.receive_accm = accm;
    }

    /// The octets since the last FLAG, as they came: where a modem's `NO CARRIER` would be.
    ///
    /// After a frame that was too long, only the newest of them.
    #[must_use]
    pub fn unfinished(&self) -> &[u8] {
        self.stuffed.octets()
    }

    /// As long as this is the same number, what is [`unfinished`](Self::unfinished) only grows.
    #[must_use]
    pub const fn unfinished_number(&self) -> u32 {
        self.number
    }

    /// Whether no FLAG has come yet: what [`unfinished`](Self::unfinished) holds began as text, and need not
    /// begin a line.
    #[must_use]
    pub const fn is_unframed(&self) -> bool {
        matches!(self.run, Run::Unframed)
    }

    /// Takes octets from the front of `octets` up to the end of the next frame, good or bad; `None` if it has
    /// taken all, and needs more for a frame to end.
    ///
    /// # Errors
    ///
    /// [`BadFrames`] for frames that are not good. The next one is not affected.
    pub fn next_frame(&mut self, octets: &mut &[u8]) -> Option<Result<ReceivedFrame<'_>, BadFrames>> {
        loop {
            if self.stuffed.len == 0
                && let Some(bad) = self.skip_small(octets)
            {
                return Some(Err(bad));
            }
            let flag = find_flag(octets);
            let (piece, rest) = octets.split_at_checked(flag.unwrap_or(octets.len()))?;
            let Some((_, rest)) = rest.split_first() else {
                *octets = rest;
                return self.keep(piece).map(|error| Err(error.once()));
            };
            *octets = rest;
            let outcome = self.end_frame(piece);
            self.start_frame(Run::Frame);
            match outcome {
                None => {}
                Some(Err(error)) => return Some(Err(error.once())),
                Some(Ok(place)) => {
                    let octets = self.frame.get_mut(..place.end)?;
                    return Some(Ok(ReceivedFrame { octets, start: place.start }));
                }
            }
        }
    }

    /// Skips fill, and small bad frames as long as they are bad for the same reason.
    fn skip_small(&mut self, octets: &mut &[u8]) -> Option<BadFrames> {
        let mut bad: Option<BadFrames> = None;
        loop {
            self.skip_fill(octets);
            let (small, rest, frames) = match small::split_short(octets, self.receive_accm) {
                Some((short, rest)) => (short, rest, 0),
                None => match small::split(octets, self.made_up()) {
                    Some((small, rest)) => (small, rest, 1),
                    None => return bad,
                },
            };
            match (small, &mut bad) {
                (Small::Good, _) => return bad,
                (Small::Bad(error), Some(bad)) if bad.error == error => bad.count += 1,
                (Small::Bad(_), Some(_)) => return bad,
                (Small::Bad(error), None) if self.run == Run::Frame => bad = Some(error.once()),
                (Small::Bad(_), None) | (Small::Nothing, _) => {}
            }
            self.bad = self.bad.wrapping_add(frames);
            self.run = Run::Frame;
            *octets = rest;
        }
    }

    /// Skips FLAGs that end nothing.
    fn skip_fill(&mut self, octets: &mut &[u8]) {
        while let [FLAG, rest @ ..] = octets {
            self.run = Run::Frame;
            *octets = rest;
        }
    }

    /// The only way into a frame: nothing of what came before is left.
    fn start_frame(&mut self, run: Run) {
        self.run = run;
        self.number = self.number.wrapping_add(1);
        self.stuffed.clear();
    }

    /// Keeps octets of a frame that goes on.
    fn keep(&mut self, octets: &[u8]) -> Option<FrameError> {
        if self.stuffed.push(octets) {
            return None;
        }
        let was = self.run;
        self.start_frame(Run::Oversized);
        self.stuffed.push(octets.last_chunk::<MAX_STUFFED_FRAME>().map_or(octets, <[u8; _]>::as_slice));
        (was == Run::Frame).then_some(FrameError::Oversized)
    }

    /// The control octets that may not be a frame's own.
    const fn made_up(&self) -> Accm {
        if self.bad < NOISE || self.bad.is_multiple_of(NOISE) { self.receive_accm } else { Accm::NONE }
    }

    /// Counts what came between two flags; less than a frame is of no account.
    const fn count(&mut self, len: usize, is_good: bool) {
        if is_good {
            self.bad = 0;
        } else if len >= MIN_FRAME {
            self.bad = self.bad.wrapping_add(1);
        }
    }

    /// Judges the frame that `piece` completes; `None` if there is nothing to say.
    fn end_frame(&mut self, piece: &[u8]) -> Option<Result<Place, FrameError>> {
        let len = self.stuffed.len + piece.len();
        let made_up = if len < MIN_FRAME { self.receive_accm } else { self.made_up() };
        let result = if self.stuffed.len == 0 {
            // Most frames come whole, and need not be copied before they are looked at.
            (piece.len() <= MAX_STUFFED_FRAME)
                .then_some(piece)
                .ok_or(FrameError::Oversized)
                .and_then(|stuffed| receive(stuffed, made_up, &mut self.frame))
        } else if self.stuffed.push(piece) {
            receive(self.stuffed.octets(), made_up, &mut self.frame)
        } else {
            Err(FrameError::Oversized)
        };
        self.count(len, self.run != Run::Oversized && matches!(result, Ok(Some(_))));
        match (self.run, result) {
            (Run::Oversized, _) | (Run::Unframed, Err(_)) => None,
            (Run::Frame | Run::Unframed, Ok(place)) => place.map(Ok),
            (Run::Frame, Err(error)) => Some(Err(error)),
        }
    }
}

/// Bad frames in a row that are all read twice, and of how many more one is: more than noise makes of a line that is of
/// any use.
const NOISE: u32 = 16;

impl Default for Deframer {
    fn default() -> Self {
        Self::new()
    }
}

/// A good frame, in the deframer's buffer.
#[derive(Debug)]
pub struct ReceivedFrame<'a> {
    /// The headroom, the PPP frame, and nothing behind it.
    octets: &'a mut [u8],
    /// Where the PPP frame begins.
    start: usize,
}

impl<'a> ReceivedFrame<'a> {
    /// The PPP frame: two octets of protocol field, then the information.
    #[must_use]
    pub fn ppp(&self) -> &[u8] {
        self.octets.get(self.start..).unwrap_or_default()
    }

    /// The PPP frame with `header` in front, which is written where there is room for it.
    #[must_use]
    pub fn prepend<const N: usize>(self, header: &[u8; N]) -> &'a [u8] {
        const { assert!(N < HEADROOM, "the header fits into the headroom") };
        let start = self.start.saturating_sub(N);
        let octets = self.octets.get_mut(start..).unwrap_or_default();
        if let Some(room) = octets.first_chunk_mut() {
            *room = *header;
        }
        octets
    }
}

/// Frames one after the other that are not good, all for the same reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadFrames {
    /// The reason.
    pub error: FrameError,
    /// How many they are.
    pub count: usize,
}

/// Why a frame is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameError {
    /// The frame check sequence is wrong.
    BadFcs,
    /// The sender gave the frame up: ESCAPE, then FLAG (RFC 1662 §4.3).
    Aborted,
    /// Fewer than four octets between the flags (RFC 1662 §4.3).
    Short,
    /// More octets than [`MAX_FRAME`], or [`MAX_STUFFED_FRAME`] with the stuffing.
    Oversized,
    /// An address of 0xff without the control field 0x03 (RFC 1662 §3.1).
    BadAddressOrControl,
    /// The protocol field is no protocol number (RFC 1661 §2).
    BadProtocolField,
}

impl FrameError {
    /// One frame that is not good.
    const fn once(self) -> BadFrames {
        BadFrames { error: self, count: 1 }
    }
}

impl From<FrameError> for DiscardReason {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::BadFcs => Self::BadFcs,
            FrameError::Aborted => Self::Aborted,
            FrameError::Short => Self::ShortFrame,
            FrameError::Oversized => Self::OversizedFrame,
            FrameError::BadAddressOrControl => Self::BadAddressOrControl,
            FrameError::BadProtocolField => Self::BadProtocolField,
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadFcs => "wrong frame check sequence",
            Self::Aborted => "frame aborted by its sender",
            Self::Short => "frame too short",
            Self::Oversized => "frame too long",
            Self::BadAddressOrControl => "wrong address or control field",
            Self::BadProtocolField => "wrong protocol field",
        })
    }
}

impl core::error::Error for FrameError {}

/// Where a PPP frame lies in the buffer.
type Place = core::ops::Range<usize>;

/// Receives into `buffer` the frame that came as `stuffed`; `None` if there was no frame between two flags. The line may
/// have made up the control octets that `accm` flags.
fn receive(stuffed: &[u8], accm: Accm, buffer: &mut [u8]) -> Result<Option<Place>, FrameError> {
    let room = buffer.get_mut(HEADROOM..).unwrap_or_default();
    let mut len = check(unstuff(stuffed, room))?;
    let mut good = is_good(room, len);
    // RFC 1662 §4.2 wants flagged control octets that came unescaped removed from every frame. Most that come so
    // are the sender's own, who escapes less than it promised; only if the frame makes no sense with them did
    // the line make them up.
    if !good && accm != Accm::NONE && has_controls(stuffed) {
        len = check(unstuff_without(stuffed, accm.0, room))?;
        good = is_good(room, len);
    }
    match len {
        _ if good => find_ppp(buffer, HEADROOM..HEADROOM + len - Fcs16::LEN).map(Some),
        0 => Ok(None),
        1..MIN_FRAME => Err(FrameError::Short),
        _ => Err(FrameError::BadFcs),
    }
}

/// The length of a frame that ended in time and in order.
fn check(done: Option<Unstuffed>) -> Result<usize, FrameError> {
    match done {
        Some(Unstuffed { len: len @ ..=MAX_FRAME, escaping: false }) => Ok(len),
        Some(Unstuffed { len: ..=MAX_FRAME, escaping: true }) => Err(FrameError::Aborted),
        _ => Err(FrameError::Oversized),
    }
}

fn has_controls(octets: &[u8]) -> bool {
    let (words, rest) = octets.as_chunks();
    let found = words.iter().fold(0, |found, word| found | below_20(u64::from_le_bytes(*word)));
    found != 0 || rest.iter().any(|octet| *octet < 0x20)
}

fn is_good(room: &[u8], len: usize) -> bool {
    len >= MIN_FRAME && room.get(..len).is_some_and(|frame| Fcs16::new().with(frame) == Fcs16::GOOD)
}

/// Finds the PPP frame among the `fields`, and gives it a protocol field of two octets.
fn find_ppp(buffer: &mut [u8], fields: Place) -> Result<Place, FrameError> {
    let (start, protocol) = match buffer.get(fields.clone()).unwrap_or_default() {
        [ADDRESS, CONTROL, protocol @ ..] => (fields.start + 2, protocol),
        [ADDRESS, ..] => return Err(FrameError::BadAddressOrControl),
        // Compressed: no protocol field begins with 0xff (RFC 1661 §6.6).
        protocol => (fields.start, protocol),
    };
    match protocol {
        // An odd octet ends a protocol field (RFC 1661 §6.5).
        [first, ..] if first % 2 == 1 => {
            let start = start - 1;
            if let Some(high) = buffer.get_mut(start) {
                *high = 0;
            }
            Ok(start..fields.end)
        }
        [_, second, ..] if second % 2 == 1 => Ok(start..fields.end),
        _ => Err(FrameError::BadProtocolField),
    }
}

/// Octets kept until the frame that they belong to has ended.
#[derive(Clone, Debug)]
struct Buffer<const N: usize> {
    room: [u8; N],
    len: usize,
}

impl<const N: usize> Buffer<N> {
    const fn new() -> Self {
        Self { room: [0; N], len: 0 }
    }

    fn clear(&mut self) {
        self.len = 0;
    }

    fn octets(&self) -> &[u8] {
        self.room.get(..self.len).unwrap_or_default()
    }

    /// Adds all of `octets`, or none if there is no room for them.
    fn push(&mut self, octets: &[u8]) -> bool {
        let end = self.len + octets.len();
        let Some(room) = self.room.get_mut(self.len..end) else {
            return false;
        };
        room.copy_from_slice(octets);
        self.len = end;
        true
    }
}

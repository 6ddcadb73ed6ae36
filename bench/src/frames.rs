//! The frames that are sent, and how both receivers tell whether they came whole.
//!
//! A set has some dozens of different frames, sent in turn. Each is an IPv4 packet of one UDP flow with random
//! octets in it. What a receiver gets is compared with the frame that should come next; only what differs from
//! it is looked at closely.

use bridge_sim::hdlc::{self, Decoder, FLAG, Framing};
use bridge_sim::ppp::packet;
use bridge_sim::prng::Prng;

/// Different frames in a set: more than are ever lost in a row.
const FRAMES: usize = 64;

/// PPP frames of one size, protocol field first.
#[derive(Debug)]
pub struct FrameSet {
    pub(crate) ppp: Vec<Vec<u8>>,
}

impl FrameSet {
    /// Frames with so many octets of information: the length of their IPv4 packets.
    pub fn new(information: u16) -> Self {
        let mut prng = Prng::new(u64::from(information));
        let packet =
            |identification| packet::frame(packet::IPV4, &udp(information, identification, &mut prng));
        Self { ppp: (0..FRAMES as u16).map(packet).collect() }
    }

    /// The number of the frame that is `ppp`; `guess` is looked at first.
    fn find(&self, ppp: &[u8], guess: usize) -> Option<usize> {
        (0..FRAMES).map(|step| (guess + step) % FRAMES).find(|number| self.ppp[*number] == ppp)
    }
}

/// The number of the frame after this one.
pub(crate) const fn after(number: usize) -> usize {
    (number + 1) % FRAMES
}

fn udp(length: u16, identification: u16, prng: &mut Prng) -> Vec<u8> {
    let mut octets = vec![0; usize::from(length)];
    prng.fill(&mut octets);
    let [high, low] = length.to_be_bytes();
    let [id_high, id_low] = identification.to_be_bytes();
    octets[..12].copy_from_slice(&[0x45, 0, high, low, id_high, id_low, 0x40, 0, 64, 17, 0, 0]);
    octets[12..20].copy_from_slice(&[192, 0, 2, 1, 198, 51, 100, 1]);
    let sum =
        octets[..20].as_chunks::<2>().0.iter().map(|pair| u32::from(u16::from_be_bytes(*pair))).sum::<u32>();
    let folded = (sum & 0xffff) + (sum >> 16);
    octets[10..12].copy_from_slice(&(!(folded as u16)).to_be_bytes());
    octets
}

/// What is on the serial side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// PPP in HDLC-like framing, control octets escaped as this map says.
    Hdlc(u32),
    /// The PPP frames one after the other, with nothing between but the filler: they tell their length, as IPv4 does.
    Records(Filler),
}

/// What follows each record, so that a line without framing carries as many octets as one with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filler {
    /// Nothing.
    None,
    /// As many octets as framing adds to a random record where the control octets of this map are escaped.
    AsFraming(u32),
}

impl Filler {
    /// Octets behind a record of `octets`.
    pub fn len(self, octets: usize) -> usize {
        const FLAGS: usize = 2;
        /// Address, control field and FCS.
        const FIELDS: usize = 4;
        match self {
            Self::None => 0,
            Self::AsFraming(accm) => {
                // FLAG and ESCAPE are escaped always.
                let escaped = accm.count_ones() as usize + 2;
                FLAGS + FIELDS + (octets + FIELDS) * escaped / 256
            }
        }
    }
}

/// Good and damaged frames at a receiver.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) good: u64,
    pub(crate) damaged: u64,
}

impl Tally {
    pub(crate) const fn all(self) -> u64 {
        self.good + self.damaged
    }
}

/// The octets that a modem sends, for all frames of a set twice, so that any stretch is contiguous.
#[derive(Debug)]
pub(crate) struct LineImage {
    pub(crate) octets: Vec<u8>,
    /// Where each frame ends.
    ends: Vec<usize>,
}

impl LineImage {
    pub(crate) fn new(set: &FrameSet, line: Line) -> Self {
        let (mut octets, mut ends) = (Vec::new(), Vec::new());
        for ppp in set.ppp.iter().chain(&set.ppp) {
            match line {
                Line::Hdlc(accm) => {
                    octets.extend(hdlc::encode(ppp, Framing { accm, ..Framing::DEFAULT }));
                }
                Line::Records(filler) => {
                    octets.extend_from_slice(ppp);
                    octets.resize(octets.len() + filler.len(ppp.len()), 0);
                }
            }
            ends.push(octets.len());
        }
        Self { octets, ends }
    }

    /// Octets of the set once.
    pub(crate) fn period(&self) -> usize {
        self.ends[FRAMES - 1]
    }

    /// Where `frames` frames end that begin with frame `first`, and the beginning of that.
    pub(crate) fn stretch(&self, first: usize, frames: usize) -> (usize, usize) {
        let end = |number: usize| number.checked_sub(1).map_or(0, |before| self.ends[before]);
        (end(first), end(first + frames))
    }
}

/// The modem's ear.
#[derive(Debug)]
pub(crate) struct LineReader {
    line: Line,
    octets: Vec<u8>,
    /// For each frame the octets between its flags, once they have been decoded and found good: who sends it
    /// escapes as it likes, but always alike.
    known: Vec<Vec<u8>>,
    next: usize,
    pub(crate) tally: Tally,
}

impl LineReader {
    pub(crate) fn new(line: Line) -> Self {
        Self { line, octets: Vec::new(), known: vec![Vec::new(); FRAMES], next: 0, tally: Tally::default() }
    }

    /// From now on frame `next` is expected.
    pub(crate) fn start(&mut self, next: usize) {
        self.octets.clear();
        self.next = next;
        self.tally = Tally::default();
    }

    /// Takes what was read.
    pub(crate) fn take(&mut self, set: &FrameSet, read: &[u8]) {
        let mut octets = std::mem::take(&mut self.octets);
        octets.extend_from_slice(read);
        let mut rest = &octets[..];
        while let Some(after) = self.take_one(set, rest) {
            rest = after;
        }
        let kept = octets.len() - rest.len();
        octets.drain(..kept);
        self.octets = octets;
    }

    /// What follows the first frame, if there is a whole one.
    fn take_one<'a>(&mut self, set: &FrameSet, mut octets: &'a [u8]) -> Option<&'a [u8]> {
        if let Line::Records(filler) = self.line {
            let expected = &set.ppp[self.next];
            let (record, rest) = octets.split_at_checked(expected.len())?;
            let (_, rest) = rest.split_at_checked(filler.len(expected.len()))?;
            self.tally.count(record == expected);
            self.next = after(self.next);
            return Some(rest);
        }
        while let [FLAG, rest @ ..] = octets {
            octets = rest;
        }
        let known = &self.known[self.next];
        if !known.is_empty() && octets.starts_with(known) && octets.get(known.len()) == Some(&FLAG) {
            self.tally.good += 1;
            self.next = after(self.next);
            return Some(&octets[known.len()..]);
        }
        let end = octets.iter().position(|octet| *octet == FLAG)?;
        self.judge(set, &octets[..end]);
        Some(&octets[end..])
    }

    fn judge(&mut self, set: &FrameSet, stuffed: &[u8]) {
        let mut decoder = Decoder::lax();
        let frame = stuffed.iter().chain(&[FLAG]).find_map(|octet| decoder.push(*octet));
        match frame {
            Some(Ok(ppp)) if is_lcp(&ppp) => {}
            Some(Ok(ppp)) => match set.find(&ppp, self.next) {
                Some(number) => {
                    self.known[number] = stuffed.to_vec();
                    self.next = after(number);
                    self.tally.good += 1;
                }
                None => self.tally.damaged += 1,
            },
            Some(Err(_)) | None => self.tally.damaged += 1,
        }
    }
}

/// The host's ear.
#[derive(Debug, Default)]
pub(crate) struct HostReader {
    next: usize,
    pub(crate) tally: Tally,
}

impl HostReader {
    /// From now on frame `next` is expected.
    pub(crate) fn start(&mut self, next: usize) {
        *self = Self { next, tally: Tally::default() };
    }

    /// Takes an Ethernet frame of the session.
    pub(crate) fn take(&mut self, set: &FrameSet, frame: &[u8]) {
        const HEADER: usize = 20;
        let length =
            frame.get(18..HEADER).and_then(|octets| octets.try_into().ok()).map_or(0, u16::from_be_bytes);
        let ppp = frame.get(HEADER..HEADER + usize::from(length)).unwrap_or_default();
        if is_lcp(ppp) {
            return;
        }
        match set.find(ppp, self.next) {
            Some(number) => {
                self.next = after(number);
                self.tally.good += 1;
            }
            None => self.tally.damaged += 1,
        }
    }
}

impl Tally {
    const fn count(&mut self, is_good: bool) {
        if is_good {
            self.good += 1;
        } else {
            self.damaged += 1;
        }
    }
}

fn is_lcp(ppp: &[u8]) -> bool {
    ppp.starts_with(&packet::LCP.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_counted_good_however_it_is_split() {
        let set = FrameSet::new(64);
        let records = [Filler::None, Filler::AsFraming(0xffff_ffff)].map(Line::Records);
        for line in [Line::Hdlc(0), Line::Hdlc(0xffff_ffff)].into_iter().chain(records) {
            let (image, mut reader) = (LineImage::new(&set, line), LineReader::new(line));
            for piece in image.octets.chunks(7) {
                reader.take(&set, piece);
            }
            assert_eq!((reader.tally.good, reader.tally.damaged), (2 * FRAMES as u64, 0), "{line:?}");
        }
    }

    #[test]
    fn filler_is_what_framing_adds() {
        let set = FrameSet::new(1492);
        for accm in [0, 0xffff_ffff] {
            let framed = LineImage::new(&set, Line::Hdlc(accm)).octets.len();
            let filled = LineImage::new(&set, Line::Records(Filler::AsFraming(accm))).octets.len();
            assert!(framed.abs_diff(filled) * 100 < framed, "{framed} and {filled} octets, ACCM {accm:08x}");
        }
    }

    #[test]
    fn a_lost_frame_is_not_counted_and_a_damaged_one_as_such() {
        let set = FrameSet::new(64);
        let image = LineImage::new(&set, Line::Hdlc(0));
        let mut reader = LineReader::new(Line::Hdlc(0));
        let (start, end) = image.stretch(0, 3);
        reader.take(&set, &image.octets[start..end - 40]);
        let (start, end) = image.stretch(5, 2);
        reader.take(&set, &image.octets[start..end]);
        assert_eq!((reader.tally.good, reader.tally.damaged), (4, 1));
    }
}

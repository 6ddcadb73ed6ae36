//! The octets on their way to one modem: whole frames, in order, bounded.
//!
//! It promises that a frame enters whole or not at all, and that what the tty took in part is resumed where it
//! stopped. It allocates once.

use bridge_proto::hdlc::Framer;

/// Octets of room: data fills at most [`TransmitQueue::limit`] of it, LCP may use the rest.
const CAPACITY: usize = 32 * 1024;
/// Data never waits for less than this: a burst of five full-size frames.
const LEAST_LIMIT: usize = 8 * 1024;
/// The rest is kept for LCP, so that a full line does not look like a dead one.
const LCP_RESERVE: usize = 8 * 1024;

/// The queue of one modem.
#[derive(Debug)]
pub(crate) struct TransmitQueue {
    octets: Box<[u8]>,
    start: usize,
    end: usize,
    limit: usize,
}

impl TransmitQueue {
    /// A queue for a line of so many bits per second: data waits for about a quarter of a second.
    pub(crate) fn new(speed: u32) -> Self {
        // Ten bits an octet (8N1), four quarters a second.
        let quarter_second = usize::try_from(speed / 40).unwrap_or(usize::MAX);
        Self {
            octets: vec![0; CAPACITY].into_boxed_slice(),
            start: 0,
            end: 0,
            limit: quarter_second.clamp(LEAST_LIMIT, CAPACITY - LCP_RESERVE),
        }
    }

    /// Puts a data frame in, if there is room for it.
    pub(crate) fn push_frame(&mut self, framer: &Framer, ppp: &[u8]) -> bool {
        self.len() + ppp.len() <= self.limit && self.encode(framer, ppp)
    }

    /// Puts an LCP frame in, for which there nearly always is room.
    pub(crate) fn push_lcp(&mut self, framer: &Framer, ppp: &[u8]) -> bool {
        self.encode(framer, ppp)
    }

    /// Puts octets in as they are: a chat script's words. All or none.
    pub(crate) fn push_octets(&mut self, octets: &[u8]) -> bool {
        self.make_room(octets.len());
        let Some(room) = self.octets.get_mut(self.end..self.end + octets.len()) else { return false };
        room.copy_from_slice(octets);
        self.end += octets.len();
        true
    }

    /// What is to be written next.
    pub(crate) fn unwritten(&self) -> &[u8] {
        &self.octets[self.start..self.end]
    }

    /// The first `octets` of [`TransmitQueue::unwritten`] have been written.
    pub(crate) fn written(&mut self, octets: usize) {
        self.start = (self.start + octets).min(self.end);
        if self.start == self.end {
            self.clear();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    pub(crate) fn clear(&mut self) {
        self.start = 0;
        self.end = 0;
    }

    fn encode(&mut self, framer: &Framer, ppp: &[u8]) -> bool {
        self.make_room(Framer::max_encoded_len(ppp.len()));
        let Some(len) = framer.encode(ppp, &mut self.octets[self.end..]) else { return false };
        self.end += len;
        true
    }

    /// Moves what is unwritten to the front if there may be too little room behind it.
    fn make_room(&mut self, octets: usize) {
        if CAPACITY - self.end < octets && self.start > 0 {
            self.octets.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bridge_proto::hdlc::ExtraEscapes;

    const DATA: [u8; 1494] = [0x45; 1494];

    #[test]
    fn data_is_bounded_and_lcp_still_gets_in() {
        let framer = Framer::new(ExtraEscapes::NONE);
        let mut queue = TransmitQueue::new(115_200);
        let taken = (0..100).filter(|_| queue.push_frame(&framer, &DATA)).count();
        assert_eq!(taken, 5);
        assert!(queue.push_lcp(&framer, &[0xc0, 0x21, 9, 1, 0, 8, 1, 2, 3, 4]));
    }

    #[test]
    fn a_short_write_is_resumed_where_it_stopped() {
        let mut queue = TransmitQueue::new(115_200);
        let mut sent = Vec::new();
        let mut expected = Vec::new();
        for round in 0..5000_u32 {
            let word = round.to_be_bytes();
            assert!(queue.push_octets(&word));
            expected.extend_from_slice(&word);
            let part = (round as usize % 7).min(queue.len());
            sent.extend_from_slice(&queue.unwritten()[..part]);
            queue.written(part);
            if queue.len() > 30_000 {
                sent.extend_from_slice(queue.unwritten());
                queue.written(queue.len());
            }
        }
        sent.extend_from_slice(queue.unwritten());
        assert_eq!(sent, expected);
    }

    #[test]
    fn what_does_not_fit_leaves_the_queue_as_it_was() {
        let framer = Framer::new(ExtraEscapes::NONE);
        let mut queue = TransmitQueue::new(20_000_000);
        while queue.push_lcp(&framer, &DATA) {}
        let before = queue.unwritten().to_vec();
        assert!(!queue.push_octets(&[0; CAPACITY]));
        assert!(!queue.push_lcp(&framer, &DATA));
        assert_eq!(queue.unwritten(), before);
    }
}

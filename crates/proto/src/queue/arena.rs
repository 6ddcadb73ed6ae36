//! The frames that wait in one queue: chained into first-in, first-out queues, their octets in [`Memory`].

use super::memory::{Memory, Place};
use crate::time::Instant;
use alloc::vec::Vec;

/// Frames that may wait at once.
pub(super) const SLOTS: u16 = 256;
/// The longest frame that may wait, in octets from the protocol field on.
pub(super) const LONGEST: usize = 2048;

/// The end of a chain.
const NONE: u16 = u16::MAX;

/// The frames that wait.
#[derive(Debug)]
pub(super) struct Arena {
    memory: Memory,
    /// There is room for all; it is taken as far as it was ever needed.
    slots: Vec<Slot>,
    first_free: u16,
    free: u16,
    /// The frame taken out last.
    whole: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    next: u16,
    /// See [`Arriving::len`].
    on_line: u16,
    place: Place,
    since: Instant,
}

/// Frames in the order in which they came.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    head: u16,
    tail: u16,
    /// All their octets, as the line carries them.
    pub(super) octets: usize,
}

/// A frame that was taken out. Its octets stay until the next frame is put in, into whichever queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    place: Place,
    /// Octets, as the line carries it.
    pub(super) len: usize,
    /// When it was put in.
    pub(super) since: Instant,
}

/// A frame that is to be put in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arriving<'a> {
    octets: &'a [u8],
    /// Octets, as the line carries it.
    pub(super) len: usize,
    now: Instant,
}

impl<'a> Arriving<'a> {
    pub(super) fn new(now: Instant, octets: &'a [u8]) -> Self {
        Self { octets, len: octets_on_line(octets), now }
    }
}

/// How many octets a frame is on the line, without what each frame has around it: two for each that is escaped on
/// every line (RFC 1662 §4.2). Which control characters are escaped as well, the far end chooses, and rarely any.
fn octets_on_line(frame: &[u8]) -> usize {
    // So many as a lane of the processor's can count.
    let escapes =
        |octets: &[u8]| octets.iter().map(|octet| u8::from(matches!(octet, 0x7d | 0x7e))).sum::<u8>();
    frame.len() + frame.chunks(u8::MAX.into()).map(|octets| usize::from(escapes(octets))).sum::<usize>()
}

impl Chain {
    pub(super) const EMPTY: Self = Self { head: NONE, tail: NONE, octets: 0 };

    pub(super) const fn is_empty(&self) -> bool {
        self.head == NONE
    }
}

impl Arena {
    pub(super) fn new(memory: Memory) -> Self {
        memory.reserve(usize::from(SLOTS), LONGEST);
        Self {
            memory,
            slots: Vec::with_capacity(usize::from(SLOTS)),
            first_free: NONE,
            free: SLOTS,
            whole: Vec::with_capacity(LONGEST),
        }
    }

    /// How many more frames there is room for.
    pub(super) const fn free(&self) -> u16 {
        self.free
    }

    /// Puts a frame at the end of `chain`; `false` if there is no room for it.
    pub(super) fn push(&mut self, chain: &mut Chain, frame: Arriving<'_>) -> bool {
        if self.free == 0 || frame.octets.len() > LONGEST {
            return false;
        }
        let Ok(on_line) = u16::try_from(frame.len) else { return false };
        let Some(place) = self.memory.put(frame.octets) else { return false };
        let index = self.put_slot(Slot { next: NONE, on_line, place, since: frame.now });
        match self.slots.get_mut(usize::from(chain.tail)) {
            Some(tail) if !chain.is_empty() => tail.next = index,
            _ => chain.head = index,
        }
        chain.tail = index;
        chain.octets += frame.len;
        true
    }

    /// Takes the first frame of `chain` out.
    pub(super) fn pop(&mut self, chain: &mut Chain) -> Option<Taken> {
        let index = chain.head;
        chain.head = self.slots.get(usize::from(index))?.next;
        self.take(chain, index)
    }

    /// Takes the last frame of `chain` out. It is looked for from the first on.
    pub(super) fn pop_last(&mut self, chain: &mut Chain) -> Option<Taken> {
        let last = chain.tail;
        if chain.is_empty() || chain.head == last {
            return self.pop(chain);
        }
        let mut index = chain.head;
        let before = loop {
            let slot = self.slots.get_mut(usize::from(index))?;
            if slot.next == last {
                break slot;
            }
            index = slot.next;
        };
        before.next = NONE;
        chain.tail = index;
        self.take(chain, last)
    }

    /// Frees a slot that has been unlinked from `chain`.
    fn take(&mut self, chain: &mut Chain, index: u16) -> Option<Taken> {
        let slot = self.slots.get_mut(usize::from(index))?;
        let taken = Taken { place: slot.place, len: usize::from(slot.on_line), since: slot.since };
        chain.octets -= taken.len;
        slot.next = self.first_free;
        self.first_free = index;
        self.free += 1;
        self.memory.free(taken.place);
        Some(taken)
    }

    /// Does something to the first octets of a frame that has just been taken out, with the headers of its packet.
    pub(super) fn with_beginning<T>(&mut self, taken: Taken, act: impl FnOnce(&mut [u8]) -> T) -> T {
        self.memory.with_beginning(taken.place, act)
    }

    /// The octets of a frame that has just been taken out.
    pub(super) fn frame(&mut self, taken: Taken) -> &[u8] {
        self.memory.copy(taken.place, &mut self.whole);
        &self.whole
    }

    /// Puts a slot where there is none, and says where.
    fn put_slot(&mut self, slot: Slot) -> u16 {
        self.free -= 1;
        let index = self.first_free;
        if let Some(free) = self.slots.get_mut(usize::from(index)) {
            self.first_free = free.next;
            *free = slot;
            return index;
        }
        let index = u16::try_from(self.slots.len()).unwrap_or(NONE);
        self.slots.push(slot);
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_share_the_slots_and_each_keeps_its_order() {
        let mut arena = Arena::new(Memory::default());
        let mut chains = [Chain::EMPTY, Chain::EMPTY];
        for round in 0..3 {
            for number in 0..SLOTS {
                let chain = &mut chains[usize::from(number % 2)];
                assert!(arena.push(chain, Arriving::new(Instant::from_millis(round), &number.to_be_bytes())));
            }
            assert!(!arena.push(&mut chains[0], Arriving::new(Instant::ZERO, &[0])));
            // One of the numbers has an octet that is escaped.
            assert_eq!((arena.free(), chains[0].octets), (0, usize::from(SLOTS) + 1));
            for number in 0..SLOTS {
                let taken = arena.pop(&mut chains[usize::from(number % 2)]).unwrap();
                assert_eq!(taken.since, Instant::from_millis(round));
                assert_eq!(arena.frame(taken), number.to_be_bytes());
            }
            assert!(chains.iter().all(Chain::is_empty) && arena.free() == SLOTS);
            assert!(arena.pop(&mut chains[0]).is_none());
        }
    }

    #[test]
    fn a_chain_can_be_taken_from_at_both_ends() {
        let mut arena = Arena::new(Memory::default());
        let mut chain = Chain::EMPTY;
        assert!(arena.pop_last(&mut chain).is_none());
        for number in 0..5 {
            assert!(arena.push(&mut chain, Arriving::new(Instant::ZERO, &[number])));
        }
        for (is_last, number) in [(true, 4), (false, 0), (true, 3)] {
            let taken = if is_last { arena.pop_last(&mut chain) } else { arena.pop(&mut chain) };
            assert_eq!(arena.frame(taken.unwrap()), [number]);
        }
        assert!(arena.push(&mut chain, Arriving::new(Instant::ZERO, &[5])));
        let left: Vec<_> = (0..3).map(|_| arena.pop_last(&mut chain).unwrap()).collect();
        assert_eq!(left.len() as u16 + arena.free(), SLOTS + 3);
        assert!(chain.is_empty() && chain.octets == 0 && arena.pop_last(&mut chain).is_none());
    }

    #[test]
    fn what_is_escaped_counts_twice() {
        assert_eq!(octets_on_line(&[0x7e; 600]), 1200);
        assert_eq!(octets_on_line(&[0x7d, 0x7c, 0x7e, 0x5e]), 6);
        assert_eq!(octets_on_line(&[0x7f; 1500]), 1500);
        assert_eq!(octets_on_line(&[]), 0);
    }

    #[test]
    fn a_frame_that_is_too_long_is_refused() {
        let mut arena = Arena::new(Memory::default());
        let mut chain = Chain::EMPTY;
        assert!(!arena.push(&mut chain, Arriving::new(Instant::ZERO, &[0; LONGEST + 1])));
        assert!(arena.push(&mut chain, Arriving::new(Instant::ZERO, &[7; LONGEST])));
        assert_eq!((arena.free(), chain.octets), (SLOTS - 1, LONGEST));
    }
}

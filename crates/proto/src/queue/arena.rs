//! Where waiting frames lie: slots allocated once, chained into first-in, first-out queues.

use crate::time::Instant;
use alloc::boxed::Box;
use alloc::vec;

/// Frames that may wait at once.
pub(super) const SLOTS: u16 = 256;
/// The longest frame that may wait, in octets from the protocol field on.
pub(super) const SLOT_OCTETS: usize = 2048;

/// The end of a chain.
const NONE: u16 = u16::MAX;

/// The slots. A free one used last is used next, so memory is touched only as deep as the queue ever gets.
#[derive(Debug)]
pub(super) struct Arena {
    octets: Box<[u8]>,
    slots: Box<[Slot]>,
    first_free: u16,
    free: u16,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    next: u16,
    len: u16,
    since: Instant,
}

/// Frames in the order in which they came.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    head: u16,
    tail: u16,
    /// All their octets.
    pub(super) octets: usize,
}

/// A frame that was taken out. Its octets stay until the next frame is put in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    slot: u16,
    pub(super) len: usize,
    /// When it was put in.
    pub(super) since: Instant,
}

impl Chain {
    pub(super) const EMPTY: Self = Self { head: NONE, tail: NONE, octets: 0 };

    pub(super) const fn is_empty(&self) -> bool {
        self.head == NONE
    }
}

impl Arena {
    pub(super) fn new() -> Self {
        let slots = (1..=SLOTS).map(|next| Slot {
            next: if next == SLOTS { NONE } else { next },
            len: 0,
            since: Instant::ZERO,
        });
        Self {
            octets: vec![0; usize::from(SLOTS) * SLOT_OCTETS].into_boxed_slice(),
            slots: slots.collect(),
            first_free: 0,
            free: SLOTS,
        }
    }

    /// How many more frames there is room for.
    pub(super) const fn free(&self) -> u16 {
        self.free
    }

    /// Puts a frame at the end of `chain`; `false` if there is no room for it.
    pub(super) fn push(&mut self, chain: &mut Chain, now: Instant, frame: &[u8]) -> bool {
        let index = self.first_free;
        let room = self.octets_of(index).and_then(|slot| slot.get_mut(..frame.len()));
        let (Some(room), Ok(len)) = (room, u16::try_from(frame.len())) else { return false };
        room.copy_from_slice(frame);
        let Some(slot) = self.slots.get_mut(usize::from(index)) else { return false };
        self.first_free = slot.next;
        self.free -= 1;
        *slot = Slot { next: NONE, len, since: now };
        match self.slots.get_mut(usize::from(chain.tail)) {
            Some(tail) if !chain.is_empty() => tail.next = index,
            _ => chain.head = index,
        }
        chain.tail = index;
        chain.octets += frame.len();
        true
    }

    /// Takes the first frame of `chain` out.
    pub(super) fn pop(&mut self, chain: &mut Chain) -> Option<Taken> {
        let index = chain.head;
        let slot = self.slots.get_mut(usize::from(index))?;
        let taken = Taken { slot: index, len: usize::from(slot.len), since: slot.since };
        chain.head = slot.next;
        chain.octets -= taken.len;
        slot.next = self.first_free;
        self.first_free = index;
        self.free += 1;
        Some(taken)
    }

    /// The octets of a frame that has just been taken out.
    pub(super) fn frame(&mut self, taken: Taken) -> &mut [u8] {
        self.octets_of(taken.slot).and_then(|slot| slot.get_mut(..taken.len)).unwrap_or_default()
    }

    fn octets_of(&mut self, index: u16) -> Option<&mut [u8]> {
        let start = usize::from(index) * SLOT_OCTETS;
        self.octets.get_mut(start..start + SLOT_OCTETS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_share_the_slots_and_each_keeps_its_order() {
        let mut arena = Arena::new();
        let mut chains = [Chain::EMPTY, Chain::EMPTY];
        for round in 0..3 {
            for number in 0..SLOTS {
                let chain = &mut chains[usize::from(number % 2)];
                assert!(arena.push(chain, Instant::from_millis(round), &number.to_be_bytes()));
            }
            assert!(!arena.push(&mut chains[0], Instant::ZERO, &[0]));
            assert_eq!((arena.free(), chains[0].octets), (0, usize::from(SLOTS)));
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
    fn a_frame_longer_than_a_slot_is_refused() {
        let mut arena = Arena::new();
        let mut chain = Chain::EMPTY;
        assert!(!arena.push(&mut chain, Instant::ZERO, &[0; SLOT_OCTETS + 1]));
        assert!(arena.push(&mut chain, Instant::ZERO, &[7; SLOT_OCTETS]));
        assert_eq!((arena.free(), chain.octets), (SLOTS - 1, SLOT_OCTETS));
    }
}

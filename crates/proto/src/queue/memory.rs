//! The memory that waiting frames lie in: small pieces, shared by all queues.
//!
//! Each queue reserves pieces for all that may ever wait in it, so none can leave another without. But memory is
//! written to for the first time only when it is needed, and what was used last is used next: it is taken for as
//! much as ever waited at once in all queues together, and for no more octets than that.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

/// What queues keep their frames in. Clones are the same memory.
#[derive(Clone, Debug, Default)]
pub struct Memory(Rc<RefCell<Pieces>>);

#[derive(Debug)]
struct Pieces {
    pieces: Vec<Piece>,
    first_free: u32,
}

/// Some octets of a frame.
#[derive(Clone, Copy, Debug)]
struct Piece {
    next: u32,
    octets: [u8; PIECE],
}

/// With its link a piece has 256 octets, of which six hold a full-size frame and one an acknowledgement.
const PIECE: usize = 252;
/// The end of a chain of pieces.
const NONE: u32 = u32::MAX;

/// A frame in pieces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    first: u32,
    pub(super) len: u16,
}

impl Memory {
    /// Reserves room for so many more frames of so many octets.
    pub(super) fn reserve(&self, frames: usize, octets: usize) {
        let Pieces { pieces, .. } = &mut *self.0.borrow_mut();
        let reserved = pieces.capacity() - pieces.len();
        pieces.reserve_exact(reserved + frames * octets.div_ceil(PIECE));
    }

    /// Puts a frame in.
    pub(super) fn put(&self, frame: &[u8]) -> Option<Place> {
        let len = u16::try_from(frame.len()).ok()?;
        let pieces = &mut *self.0.borrow_mut();
        let mut first = NONE;
        // From the end, as each is linked to the one behind it.
        for octets in frame.chunks(PIECE).rev() {
            first = pieces.put(octets, first)?;
        }
        Some(Place { first, len })
    }

    /// Gives the pieces of a frame back. What is in them stays until the next one is put in.
    pub(super) fn free(&self, place: Place) {
        let pieces = &mut *self.0.borrow_mut();
        let mut last = place.first;
        for _ in 1..usize::from(place.len).div_ceil(PIECE) {
            last = pieces.get(last).map_or(NONE, |piece| piece.next);
        }
        let free = pieces.first_free;
        if let Some(piece) = pieces.get(last) {
            piece.next = free;
            pieces.first_free = place.first;
        }
    }

    /// Does something to the first octets of a frame, with the headers of its packet.
    pub(super) fn with_beginning<T>(&self, place: Place, act: impl FnOnce(&mut [u8]) -> T) -> T {
        let pieces = &mut *self.0.borrow_mut();
        let piece = pieces.get(place.first);
        act(piece
            .and_then(|piece| piece.octets.get_mut(..usize::from(place.len).min(PIECE)))
            .unwrap_or_default())
    }

    /// Copies a frame into `whole`, and nothing else.
    pub(super) fn copy(&self, place: Place, whole: &mut Vec<u8>) {
        let pieces = &mut *self.0.borrow_mut();
        whole.clear();
        let mut index = place.first;
        while let missing @ 1.. = usize::from(place.len) - whole.len()
            && let Some(piece) = pieces.get(index)
        {
            whole.extend_from_slice(piece.octets.get(..missing).unwrap_or(&piece.octets));
            index = piece.next;
        }
    }

    /// How many pieces have ever been used, and how many there is room for.
    #[cfg(test)]
    pub(super) fn depth(&self) -> (usize, usize) {
        let pieces = self.0.borrow();
        (pieces.pieces.len(), pieces.pieces.capacity())
    }
}

impl Pieces {
    fn get(&mut self, index: u32) -> Option<&mut Piece> {
        self.pieces.get_mut(usize::try_from(index).ok()?)
    }

    /// Puts octets into a free piece, and says which.
    fn put(&mut self, octets: &[u8], next: u32) -> Option<u32> {
        if self.first_free == NONE {
            self.first_free = u32::try_from(self.pieces.len()).ok()?;
            self.pieces.push(Piece { next: NONE, octets: [0; PIECE] });
        }
        let index = self.first_free;
        let piece = self.get(index)?;
        piece.octets.get_mut(..octets.len())?.copy_from_slice(octets);
        self.first_free = core::mem::replace(&mut piece.next, next);
        Some(index)
    }
}

impl Default for Pieces {
    fn default() -> Self {
        Self { pieces: Vec::new(), first_free: NONE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_of_any_length_comes_out_as_it_went_in_and_may_be_changed_in_between() {
        let memory = Memory::default();
        let mut whole = Vec::new();
        let octets: Vec<u8> = (0..2048_u32).map(|octet| octet as u8).collect();
        for frame in (0..=octets.len()).map(|len| &octets[..len]) {
            let (place, other) = (memory.put(frame).unwrap(), memory.put(&octets).unwrap());
            memory.free(place);
            memory.copy(place, &mut whole);
            assert_eq!(whole, frame);
            if !frame.is_empty() {
                memory.with_beginning(place, |octets| octets[0] = 0xff);
                memory.copy(place, &mut whole);
                assert_eq!((whole[0], &whole[1..]), (0xff, &frame[1..]));
            }
            memory.free(other);
            memory.copy(other, &mut whole);
            assert_eq!(whole, octets);
        }
    }

    #[test]
    fn queues_share_what_is_taken_and_each_has_what_it_has_reserved() {
        let memory = Memory::default();
        memory.reserve(8, 2048);
        memory.reserve(8, 2048);
        let (_, reserved) = memory.depth();
        assert_eq!(reserved, 16 * 9);
        for _ in 0..100 {
            let places = [memory.put(&[0; 40]).unwrap(), memory.put(&[0; 1502]).unwrap()];
            places.into_iter().for_each(|place| memory.free(place));
        }
        assert_eq!(memory.depth(), (7, reserved));
        let places: Vec<_> = (0..16).map(|_| memory.put(&[0; 2048]).unwrap()).collect();
        places.into_iter().for_each(|place| memory.free(place));
        assert_eq!(memory.depth(), (reserved, reserved));
    }
}

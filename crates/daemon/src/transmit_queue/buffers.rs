//! Buffers for what modems are written next, lent to those that have something to be written.
//!
//! A line that keeps up has its buffer only from the first frame of a batch to the write that ends the batch, so a
//! few buffers serve any number of such lines. There is one for each queue all the same: reserved at the start, so
//! that there always is one to lend and nothing is allocated later. The one that came back last is lent next, so
//! memory is taken for as many as were ever lent at once.

use bridge_proto::queue::Memory;
use std::cell::RefCell;
use std::rc::Rc;

/// What all queues share. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buffers {
    /// Where frames wait.
    pub(super) waiting: Memory,
    /// Those that are not lent.
    free: Rc<RefCell<Vec<Vec<u8>>>>,
}

impl Buffers {
    /// Reserves one more, of so many octets.
    pub(super) fn reserve(&self, octets: usize) {
        self.free.borrow_mut().push(Vec::with_capacity(octets));
    }

    /// Lends one.
    pub(super) fn lend(&self) -> Vec<u8> {
        self.free.borrow_mut().pop().unwrap_or_default()
    }

    /// Takes one back.
    pub(super) fn give_back(&self, buffer: Vec<u8>) {
        self.free.borrow_mut().push(buffer);
    }

    #[cfg(test)]
    pub(super) fn lengths(&self) -> Vec<usize> {
        self.free.borrow().iter().map(Vec::len).collect()
    }
}

//! Session numbers, handed out so that none comes back soon.
//!
//! A host's late PADT, or a frame still under way, must not hit the session that got its number next. So
//! numbers go round all 65,534 before one is handed out again, and the first one is random (handed in), lest a
//! restarted bridge begins with the numbers that its hosts remember.

use crate::wire::discovery::SessionId;

/// Hands out session numbers.
#[derive(Clone, Debug)]
pub struct SessionIdAllocator {
    /// The number to try next; not always one that a session may have.
    next: u16,
}

impl SessionIdAllocator {
    /// Begins with `start`, or with the first number after it that a session may have.
    #[must_use]
    pub const fn new(start: u16) -> Self {
        Self { next: start }
    }

    /// The next number that is not in use; `None` if all are.
    ///
    /// A number that has been released is not handed out again before all others have had their turn.
    pub fn allocate(&mut self, is_in_use: impl Fn(SessionId) -> bool) -> Option<SessionId> {
        for _ in 0..=u16::MAX {
            let candidate = SessionId::new(self.next);
            self.next = self.next.wrapping_add(1);
            if let Some(id) = candidate
                && !is_in_use(id)
            {
                return Some(id);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    fn take(count: usize, allocator: &mut SessionIdAllocator) -> Vec<u16> {
        (0..count).map(|_| allocator.allocate(|_| false).unwrap().get()).collect()
    }

    #[test]
    fn the_numbers_that_mean_something_else_are_left_out() {
        // RFC 2516 §4: "A value of 0xffff is reserved for future use and MUST NOT be used".
        assert_eq!(take(4, &mut SessionIdAllocator::new(0xfffd)), [0xfffd, 0xfffe, 0x0001, 0x0002]);
        assert_eq!(take(1, &mut SessionIdAllocator::new(0xffff)), [0x0001]);
        assert_eq!(take(1, &mut SessionIdAllocator::new(0)), [0x0001]);
    }

    #[test]
    fn a_number_comes_back_only_after_all_others() {
        let mut allocator = SessionIdAllocator::new(0x8000);
        let round: BTreeSet<_> = take(0xfffe, &mut allocator).into_iter().collect();
        assert_eq!(round.len(), 0xfffe);
        assert_eq!(take(1, &mut allocator), [0x8000]);
    }

    #[test]
    fn when_all_are_in_use_there_is_none() {
        assert_eq!(SessionIdAllocator::new(7).allocate(|_| true), None);
        let last = SessionIdAllocator::new(7).allocate(|id| id.get() != 6);
        assert_eq!(last.map(SessionId::get), Some(6));
    }

    proptest! {
        #[test]
        fn a_number_in_use_is_never_handed_out(start: u16, used in prop::collection::btree_set(any::<u16>(), 0..50)) {
            let mut used = used;
            let mut allocator = SessionIdAllocator::new(start);
            for _ in 0..50 {
                let id = allocator.allocate(|id| used.contains(&id.get())).unwrap().get();
                prop_assert!(used.insert(id));
            }
        }
    }
}

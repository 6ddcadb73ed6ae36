//! Identifiers of the packets that the bridge itself sends, told from those of the end it speaks for.

/// Requests of one code toward one end: ours, among those that pass through.
#[derive(Clone, Debug)]
pub(super) struct Originated {
    next: u8,
    /// The newest identifier that passed from the other end.
    passed: Option<u8>,
    /// Ours that may still be answered, the newest first; older ones are given up.
    outstanding: [Option<u8>; 8],
}

/// How far behind the newest identifier that passed an answer may still be under way.
const PASSED_WINDOW: u8 = 32;

impl Originated {
    pub(super) const fn new() -> Self {
        // Away from where most implementations begin to count.
        Self { next: 0x80, passed: None, outstanding: [None; 8] }
    }

    /// An identifier for a new request of ours, none that an answer to the other end may carry.
    pub(super) fn fresh(&mut self) -> u8 {
        if let Some(passed) = self.passed
            && passed.wrapping_sub(self.next) < PASSED_WINDOW
        {
            self.next = passed.wrapping_add(0x80);
        }
        let identifier = self.next;
        self.next = identifier.wrapping_add(1);
        self.outstanding.rotate_right(1);
        let [newest, ..] = &mut self.outstanding;
        *newest = Some(identifier);
        identifier
    }

    /// A request of the other end passes: an answer to this identifier is for that end from now on.
    pub(super) fn on_passing(&mut self, identifier: u8) {
        self.passed = Some(identifier);
        self.is_answered_by(identifier);
    }

    /// Whether an answer with this identifier is to a request of ours, which it settles.
    pub(super) fn is_answered_by(&mut self, identifier: u8) -> bool {
        let ours = self.outstanding.iter_mut().find(|outstanding| **outstanding == Some(identifier));
        ours.and_then(Option::take).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_ours_once() {
        let mut ours = Originated::new();
        let identifier = ours.fresh();
        assert!(ours.is_answered_by(identifier));
        assert!(!ours.is_answered_by(identifier));
    }

    #[test]
    fn a_request_that_passes_takes_its_identifier_over() {
        let mut ours = Originated::new();
        let identifier = ours.fresh();
        ours.on_passing(identifier);
        assert!(!ours.is_answered_by(identifier));
    }

    #[test]
    fn a_fresh_identifier_is_none_that_passed_lately() {
        let mut ours = Originated::new();
        for passed in 0..=255_u8 {
            ours.on_passing(passed);
            assert!(passed.wrapping_sub(ours.fresh()) >= PASSED_WINDOW);
        }
    }
}

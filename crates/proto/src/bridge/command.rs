//! What an operator may command while the bridge runs: end a session, take no new calls, take them again.

use super::Bridge;
use crate::event::{CloseReason, RefusalReason};
use crate::id::ModemId;
use crate::time::Instant;
use crate::wire::discovery::SessionId;
use alloc::vec::Vec;

impl Bridge {
    /// Whether a session of this number is open.
    #[must_use]
    pub fn has_session(&self, id: SessionId) -> bool {
        self.modem_of(id).is_some()
    }

    /// Whether a service takes no new calls. One that is not configured takes none either.
    pub(super) fn is_drained(&self, service: usize) -> bool {
        self.drained.get(service).copied().unwrap_or(true)
    }

    fn modem_of(&self, id: SessionId) -> Option<ModemId> {
        self.lines
            .iter()
            .find(|line| line.session().is_some_and(|session| session.id == id))
            .map(|line| line.id)
    }

    pub(super) fn on_disconnect(&mut self, now: Instant, id: SessionId) {
        if let Some(modem) = self.modem_of(id) {
            self.end_call(now, modem, CloseReason::Disconnected);
        }
    }

    /// Calls that were begun before go on, and so do their handshakes; a host that still waits for a modem
    /// to be free has no call yet.
    pub(super) fn on_drain(&mut self, service: Option<usize>) {
        self.set_drained(service, true);
        let drained = &self.drained;
        let is_drained = |service: usize| drained.get(service).copied().unwrap_or(true);
        let waiting: Vec<_> = self
            .lines
            .iter_mut()
            .filter_map(|line| line.next.take_if(|next| is_drained(next.service)))
            .collect();
        for next in waiting {
            self.refuse(&next.request, RefusalReason::Drained);
        }
    }

    pub(super) fn on_resume(&mut self, service: Option<usize>) {
        self.set_drained(service, false);
    }

    fn set_drained(&mut self, service: Option<usize>, drained: bool) {
        match service {
            Some(service) => {
                if let Some(slot) = self.drained.get_mut(service) {
                    *slot = drained;
                }
            }
            None => self.drained.fill(drained),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;

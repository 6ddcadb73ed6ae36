//! The frames that wait for one modem: bounded, LCP first, fair between flows, order kept where it matters.
//!
//! It promises:
//! * LCP goes first and is never dropped for anything but more of it than the line carries; what brings a link up (authentication, IPCP, IPV6CP) goes before
//!   data too, so that a full line does not look like a dead one;
//! * plain IPv4 and IPv6 packets wait by flow, and each flow is told to slow down before its frames wait for long:
//!   by a mark where its sender knows ECN, else by a loss (FQ-CoDel, RFC 8290);
//! * everything else keeps its order, and is dropped only for want of room. Where the two ends compress or encrypt,
//!   *all* data does; where they compress TCP headers, all TCP does;
//! * what waits is bounded, in time where the rate of the line is known;
//! * memory is reserved when it is made, never later, and taken only as deep as the queues get; no clock; nobody
//!   outside can choose which flows fall together.
//!
//! The caller hands in `now`, takes frames out no earlier than the line needs them ([`Pace`] tells when), tells
//! the rate of the line, and gives [`ModemQueue::take_counts`] to whoever reports.
//!
//! RFC 8289, RFC 8290.
//!
//! ```text
//!   LCP ───────────────▶ first in, first out ─────────────────────────────┐ 1st
//!   80xx, c0xx, c2xx ──▶ first in, first out ─────────────────────────────┤ 2nd
//!   IPv4, IPv6 ─ hash ─▶ flow  ┐ new flows first, then turns; CoDel each  ├───▶ framer
//!                      ▶ flow  ┤                                          │
//!   all else ──────────▶ flow  ┘ in turn with the others, without CoDel ──┘ 3rd
//! ```

mod arena;
mod classify;
mod codel;
mod ecn;
mod flows;
mod memory;
mod pace;

pub use memory::Memory;
pub use pace::Pace;

use crate::discard::DiscardReason;
use crate::time::Instant;
use arena::{Arena, Arriving, Chain, SLOTS, Taken};
use classify::{Class, Ordered, classify};
use codel::CodelParameters;
use flows::{Flows, ORDERED};

/// How data waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discipline {
    /// Fair between flows, and kept short.
    Fair,
    /// In the order in which it came.
    Fifo,
}

/// What the queue did to frames since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Dropped for want of room ([`DiscardReason::ModemBacklog`]).
    pub backlog: u64,
    /// Dropped because their flow had kept the line waiting for too long ([`DiscardReason::ModemQueueDelay`]).
    pub late: u64,
    /// Forgotten because the session that they were of is over ([`DiscardReason::SessionEnded`]).
    pub forgotten: u64,
    /// Marked instead of being dropped as late (ECN).
    pub marked: u64,
}

/// See the [module](self).
#[derive(Debug)]
pub struct ModemQueue {
    arena: Arena,
    lcp: Chain,
    control: Chain,
    flows: Flows,
    discipline: Discipline,
    key: [u8; 16],
    order: Order,
    codel: CodelParameters,
    /// Octets of data that may wait, and of what brings a link up, and of LCP.
    limit: usize,
    counts: Counts,
}

/// How much of the data must keep its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    /// What is not plain IP.
    NotPlain,
    /// And TCP over IPv4.
    Tcp,
    /// All of it.
    Everything,
}

/// Slots kept free for LCP.
const LCP_SLOTS: u16 = 16;
/// Slots kept free for LCP and what brings a link up.
const CONTROL_SLOTS: u16 = 48;
/// Two full-size frames may wait on the slowest line: two flows can take turns.
const LEAST_LIMIT: usize = 2 * 1502;

impl ModemQueue {
    /// An empty queue, whose frames will lie in `memory`. `key` is random, so that nobody outside can know which flows
    /// share a place.
    #[must_use]
    pub fn new(discipline: Discipline, key: [u8; 16], memory: Memory) -> Self {
        Self {
            arena: Arena::new(memory),
            lcp: Chain::EMPTY,
            control: Chain::EMPTY,
            flows: Flows::new(),
            discipline,
            key,
            order: Order::NotPlain,
            codel: CodelParameters::for_rate(None),
            limit: usize::MAX,
            counts: Counts::default(),
        }
    }

    /// Another discipline and key. All frames are forgotten.
    pub fn adopt(&mut self, discipline: Discipline, key: [u8; 16]) {
        self.clear();
        self.discipline = discipline;
        self.key = key;
    }

    /// What is known of the line's rate, in octets per second. Of data, of what brings a link up, and of LCP, as much
    /// may wait as the line sends in half a second, but two full-size frames in any case, for which a line of less than
    /// 60,000 b/s takes longer. Without a rate only the slots bound it.
    pub fn set_rate(&mut self, octets_per_second: Option<u64>) {
        let half_second = octets_per_second.and_then(|rate| usize::try_from(rate / 2).ok());
        self.limit = half_second.unwrap_or(usize::MAX).max(LEAST_LIMIT);
        self.codel = CodelParameters::for_rate(octets_per_second);
    }

    /// Whether nothing waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.lcp.is_empty() && self.control.is_empty() && self.flows.octets == 0
    }

    /// Octets of data that wait, escapes included; not of LCP and its like.
    #[must_use]
    pub const fn data_octets(&self) -> usize {
        self.flows.octets
    }

    /// Puts a PPP frame in, its protocol field first. If there is no room, frames of the flow with most octets
    /// waiting make it.
    ///
    /// # Errors
    /// The frame does not fit: [`DiscardReason::ModemBacklog`].
    pub fn push(&mut self, now: Instant, ppp: &[u8]) -> Result<(), DiscardReason> {
        let frame = Arriving::new(now, ppp);
        let is_in = match classify(ppp, &self.key) {
            Class::Lcp => {
                fits(self.lcp.octets, frame.len, self.limit) && self.arena.push(&mut self.lcp, frame)
            }
            Class::Control => {
                let is_room =
                    self.arena.free() > LCP_SLOTS && fits(self.control.octets, frame.len, self.limit);
                is_room && self.arena.push(&mut self.control, frame)
            }
            Class::Ordered(ordered) => {
                self.learn(ordered);
                self.push_data(ORDERED, frame)
            }
            Class::Plain { hash, is_tcp_over_ipv4 } => {
                let is_ordered = match (self.discipline, self.order) {
                    (Discipline::Fifo, _) | (Discipline::Fair, Order::Everything) => true,
                    (Discipline::Fair, Order::Tcp) => is_tcp_over_ipv4,
                    (Discipline::Fair, Order::NotPlain) => false,
                };
                let flow = if is_ordered { ORDERED } else { self.flows.of_hash(hash) };
                self.push_data(flow, frame)
            }
        };
        is_in.then_some(()).ok_or(DiscardReason::ModemBacklog)
    }

    /// A frame that goes to the modem without having waited: nothing waits, or it would have to.
    pub fn pass(&mut self, ppp: &[u8]) {
        // Only what is not plain IP can change the order, and that is seen without a hash.
        if !matches!(ppp, [0x00, 0x21 | 0x57, ..])
            && let Class::Ordered(ordered) = classify(ppp, &self.key)
        {
            self.learn(ordered);
        }
    }

    /// Takes out the frame that is to go next.
    pub fn pop(&mut self, now: Instant) -> Option<&[u8]> {
        let taken = self.take(now)?;
        Some(self.arena.frame(taken))
    }

    /// What happened to frames since the last call.
    pub fn take_counts(&mut self) -> Counts {
        core::mem::take(&mut self.counts)
    }

    /// Forgets all frames, and what they told of the session that was.
    pub fn clear(&mut self) {
        self.counts.forgotten += u64::from(SLOTS - self.arena.free());
        while self.arena.pop(&mut self.lcp).is_some() {}
        while self.arena.pop(&mut self.control).is_some() {}
        self.flows.clear(&mut self.arena);
        self.order = Order::NotPlain;
    }

    fn take(&mut self, now: Instant) -> Option<Taken> {
        if let Some(taken) = self.arena.pop(&mut self.lcp).or_else(|| self.arena.pop(&mut self.control)) {
            return Some(taken);
        }
        // Data from before it was agreed to compress all of it is not to be mixed with what comes after.
        let ordered_last = self.order == Order::Everything;
        self.flows.pop(&mut self.arena, now, &self.codel, ordered_last, &mut self.counts)
    }

    fn learn(&mut self, ordered: Ordered) {
        self.order = self.order.max(match ordered {
            Ordered::Alone => Order::NotPlain,
            Ordered::VanJacobson => Order::Tcp,
            Ordered::Everything => Order::Everything,
        });
    }

    fn push_data(&mut self, flow: u16, frame: Arriving<'_>) -> bool {
        let (octets, limit) = (frame.len, self.limit);
        let is_enough = |arena: &Arena, waiting| arena.free() > CONTROL_SLOTS && fits(waiting, octets, limit);
        while !is_enough(&self.arena, self.flows.octets) {
            let dropped = self.flows.drop_some(&mut self.arena, flow == ORDERED, is_enough);
            if dropped == 0 {
                return false;
            }
            self.counts.backlog += dropped;
        }
        self.flows.push(&mut self.arena, flow, frame)
    }
}

/// Whether a frame may wait behind so many octets; one alone always may.
fn fits(waiting: usize, octets: usize, limit: usize) -> bool {
    waiting == 0 || waiting.saturating_add(octets) <= limit
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

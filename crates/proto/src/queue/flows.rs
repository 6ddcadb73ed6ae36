//! Fair turns between flows: deficit round robin, in which a flow that was silent comes first.
//!
//! Each flow may send a quantum of octets in its turn. A flow that had nothing waiting goes before those that always
//! have something, so that a ping, a name look-up or a key press hardly waits behind any number of bulk transfers.
//!
//! RFC 8290 §4, but that a flow has a choice of places, where there two whose hashes meet would share one for good.
//! One flow, [`ORDERED`], takes all whose order matters.

use super::Counts;
use super::arena::{Arena, Arriving, Chain, Taken};
use super::codel::{Codel, CodelParameters};
use super::ecn;
use crate::time::Instant;
use alloc::vec::Vec;

/// The flow that is no hash's: of frames whose order matters.
pub(super) const ORDERED: u16 = 0;
/// Flows told apart by their hash; more than frames that ever wait.
const HASHED: usize = 256;
/// A flow may have any of so many places, so that two of those that wait hardly ever share one.
const CHOICES: usize = 8;
/// Octets a flow may send in its turn: a full-size frame (RFC 8290 §5).
const QUANTUM: i32 = 1502;
const NONE: u16 = u16::MAX;

/// All flows of one queue.
#[derive(Debug)]
pub(super) struct Flows {
    /// [`ORDERED`], and those of hashes in the order in which they had to wait first. There is room for all, but
    /// memory is taken only for those.
    flows: Vec<Flow>,
    /// Which flow is that of a hash, in groups of [`CHOICES`].
    places: [Place; HASHED],
    /// Those that were silent a moment ago.
    new: List,
    /// Those that keep sending.
    old: List,
    /// Octets waiting in all flows, as the line carries them.
    pub(super) octets: usize,
}

#[derive(Clone, Debug)]
struct Flow {
    frames: Chain,
    deficit: i32,
    codel: Codel,
    next: u16,
    is_listed: bool,
}

/// Whose a flow is.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The part of the hash that tells apart those of a group.
    tag: u32,
    /// [`ORDERED`] if the place was never taken.
    flow: u16,
}

impl Place {
    const EMPTY: Self = Self { tag: 0, flow: ORDERED };
}

/// How a place suits a hash, the best first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Own,
    Free,
    Silent,
    Busy,
}

/// Flows that take turns, linked through [`Flow::next`].
#[derive(Clone, Copy, Debug)]
struct List {
    head: u16,
    tail: u16,
}

impl List {
    const EMPTY: Self = Self { head: NONE, tail: NONE };

    fn push(&mut self, flows: &mut [Flow], index: u16) {
        if let Some(flow) = flows.get_mut(usize::from(index)) {
            flow.next = NONE;
        }
        match flows.get_mut(usize::from(self.tail)) {
            Some(tail) if self.head != NONE => tail.next = index,
            _ => self.head = index,
        }
        self.tail = index;
    }

    fn pop(&mut self, flows: &[Flow]) {
        self.head = flows.get(usize::from(self.head)).map_or(NONE, |flow| flow.next);
    }
}

impl Flows {
    pub(super) fn new() -> Self {
        let mut flows = Vec::with_capacity(1 + HASHED);
        flows.push(Flow::silent());
        Self { flows, places: [Place::EMPTY; HASHED], new: List::EMPTY, old: List::EMPTY, octets: 0 }
    }

    /// The flow of a hash: the one it has; else one that nobody has yet, or that has been silent; else, where all of
    /// the group have frames waiting, one of those.
    pub(super) fn of_hash(&mut self, hash: u64) -> u16 {
        let (groups, _) = self.places.as_chunks_mut::<CHOICES>();
        let group = groups.get_mut((hash % (HASHED / CHOICES) as u64) as usize);
        let tag = (hash >> 32) as u32;
        let fit = |place: &Place| match self.flows.get(usize::from(place.flow)) {
            _ if place.flow == ORDERED => Fit::Free,
            _ if place.tag == tag => Fit::Own,
            Some(flow) if !flow.is_listed => Fit::Silent,
            _ => Fit::Busy,
        };
        let Some(place) = group.and_then(|group| group.iter_mut().min_by_key(|place| fit(place))) else {
            return ORDERED;
        };
        match fit(place) {
            Fit::Own | Fit::Busy => return place.flow,
            Fit::Free => {
                place.flow = u16::try_from(self.flows.len()).unwrap_or(ORDERED);
                self.flows.push(Flow::silent());
            }
            Fit::Silent => {
                if let Some(flow) = self.flows.get_mut(usize::from(place.flow)) {
                    *flow = Flow::silent();
                }
            }
        }
        place.tag = tag;
        place.flow
    }

    /// Puts a frame at the end of a flow; `false` if there is no slot.
    pub(super) fn push(&mut self, arena: &mut Arena, index: u16, frame: Arriving<'_>) -> bool {
        let Some(flow) = self.flows.get_mut(usize::from(index)) else { return false };
        let before = flow.frames.octets;
        if !arena.push(&mut flow.frames, frame) {
            return false;
        }
        self.octets += flow.frames.octets - before;
        if !flow.is_listed {
            flow.is_listed = true;
            flow.deficit = QUANTUM;
            self.new.push(&mut self.flows, index);
        }
        true
    }

    /// Takes out the frame whose turn it is. If `ordered_last`, all flows but [`ORDERED`] are emptied first.
    pub(super) fn pop(
        &mut self,
        arena: &mut Arena,
        now: Instant,
        parameters: &CodelParameters,
        ordered_last: bool,
        counts: &mut Counts,
    ) -> Option<Taken> {
        while self.octets > 0 {
            let is_new = self.new.head != NONE;
            let index = if is_new { self.new.head } else { self.old.head };
            let flow = self.flows.get_mut(usize::from(index))?;
            let is_held_back = ordered_last && index == ORDERED && flow.frames.octets < self.octets;
            if flow.deficit <= 0 || is_held_back {
                if flow.deficit <= 0 {
                    flow.deficit += QUANTUM;
                }
                self.retire(is_new, index);
                continue;
            }
            let taken =
                flow.take(arena, now, (index != ORDERED).then_some(parameters), counts, &mut self.octets);
            if taken.is_some() {
                return taken;
            }
            if is_new && self.old.head != NONE {
                // Not gone yet: a flow could else be new, and first, with each of its frames.
                self.retire(is_new, index);
            } else {
                flow.is_listed = false;
                self.unlink(is_new);
            }
        }
        None
    }

    /// Drops frames of the flow with most octets waiting, and says how many: the oldest ones, up to half of the
    /// flow or until `is_enough` of the octets left in all flows; or, as a loss where order matters costs what
    /// follows it, the newest of [`ORDERED`], or none for a frame that `is_ordered` and newer still.
    pub(super) fn drop_some(
        &mut self,
        arena: &mut Arena,
        is_ordered: bool,
        is_enough: impl Fn(&Arena, usize) -> bool,
    ) -> u64 {
        let fattest = self.fattest();
        let Some(flow) = self.flows.get_mut(usize::from(fattest)) else { return 0 };
        if fattest == ORDERED {
            let newest = if is_ordered { None } else { arena.pop_last(&mut flow.frames) };
            self.octets -= newest.map_or(0, |taken| taken.len);
            return u64::from(newest.is_some());
        }
        let half = flow.frames.octets / 2;
        let mut dropped = 0;
        while flow.frames.octets > half
            && !is_enough(arena, self.octets)
            && let Some(taken) = arena.pop(&mut flow.frames)
        {
            self.octets -= taken.len;
            dropped += 1;
        }
        dropped
    }

    /// The flow with most octets waiting; [`NONE`] if nothing waits.
    fn fattest(&self) -> u16 {
        let mut fattest = (0, NONE);
        for list in [self.new, self.old] {
            let mut index = list.head;
            while let Some(flow) = self.flows.get(usize::from(index)) {
                if flow.frames.octets > fattest.0 {
                    fattest = (flow.frames.octets, index);
                }
                index = flow.next;
            }
        }
        fattest.1
    }

    /// Forgets all frames.
    pub(super) fn clear(&mut self, arena: &mut Arena) {
        for flow in &mut self.flows {
            while arena.pop(&mut flow.frames).is_some() {}
        }
        self.flows.clear();
        self.flows.push(Flow::silent());
        self.places = [Place::EMPTY; HASHED];
        (self.new, self.old, self.octets) = (List::EMPTY, List::EMPTY, 0);
    }

    /// The first of a list becomes the last of the old ones.
    fn retire(&mut self, is_new: bool, index: u16) {
        self.unlink(is_new);
        self.old.push(&mut self.flows, index);
    }

    fn unlink(&mut self, is_new: bool) {
        if is_new { self.new.pop(&self.flows) } else { self.old.pop(&self.flows) }
    }
}

impl Flow {
    fn silent() -> Self {
        Self { frames: Chain::EMPTY, deficit: 0, codel: Codel::default(), next: NONE, is_listed: false }
    }

    /// Takes out the first frame that is not too late. Without parameters none is.
    fn take(
        &mut self,
        arena: &mut Arena,
        now: Instant,
        parameters: Option<&CodelParameters>,
        counts: &mut Counts,
        all_octets: &mut usize,
    ) -> Option<Taken> {
        loop {
            let taken = arena.pop(&mut self.frames)?;
            *all_octets -= taken.len;
            let sojourn = now - taken.since;
            let backlog = self.frames.octets;
            let is_too_late =
                parameters.is_some_and(|with| self.codel.is_too_late(now, sojourn, backlog, with));
            if is_too_late && !arena.with_beginning(taken, ecn::mark) {
                counts.late += 1;
                continue;
            }
            counts.marked += u64::from(is_too_late);
            self.deficit -= i32::try_from(taken.len).unwrap_or(i32::MAX);
            return Some(taken);
        }
    }
}

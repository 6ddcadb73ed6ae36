//! What the bridge has set itself, beside what was measured. Nothing here fails: times are the machine's too.

use std::fmt;

use bridge_bench::rig::Subject;
use bridge_bench::traffic::Direction::{self, Both, HostToModem, ModemToHost};

use crate::LARGE;
use crate::report::{Results, frames_per_second, processor_time};
use crate::statistics::median;

const BRIDGE: Subject = Subject::Bridge { transparent: false };
const FORWARDER: Subject = Subject::Forwarder { filled: false };
const NONE: u32 = 0;
const ALL: u32 = 0xffff_ffff;

/// Processor time per frame, at most so many times that of another: map, octets, direction, other, factor.
const PROCESSOR: [(u32, u16, Direction, Subject, f64); 13] = [
    (NONE, LARGE, HostToModem, FORWARDER, 1.12),
    (NONE, LARGE, ModemToHost, FORWARDER, 1.12),
    (NONE, LARGE, Both, FORWARDER, 1.12),
    (ALL, LARGE, HostToModem, FORWARDER, 1.25),
    (ALL, LARGE, ModemToHost, FORWARDER, 1.25),
    (ALL, LARGE, Both, FORWARDER, 1.25),
    (NONE, LARGE, HostToModem, Subject::RpPppoe, 0.45),
    (NONE, LARGE, ModemToHost, Subject::RpPppoe, 0.75),
    (NONE, LARGE, Both, Subject::RpPppoe, 0.6),
    (NONE, 64, HostToModem, Subject::RpPppoe, 0.4),
    (NONE, LARGE, HostToModem, Subject::Original, 1.0 / 45.0),
    (NONE, LARGE, ModemToHost, Subject::Original, 1.0 / 30.0),
    (NONE, LARGE, Both, Subject::Original, 1.0 / 45.0),
];

/// Of fewer rounds a median says nothing.
const LEAST_ROUNDS: usize = 7;

/// One goal and how far it was met.
struct Goal {
    text: String,
    measured: f64,
    limit: f64,
    is_least: bool,
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, measured, limit, is_least } = self;
        let is_met = if *is_least { measured >= limit } else { measured <= limit };
        let (word, verdict) =
            (if *is_least { "least" } else { "most" }, if is_met { "met" } else { "MISSED" });
        write!(f, "  {text:<66} at {word:<5} {limit:>7.3}  {measured:>8.3}  {verdict}")
    }
}

/// All goals of which both sides were measured, often enough.
pub(crate) struct Goals(Vec<Goal>);

impl Goals {
    pub(crate) fn of(results: &Results) -> Self {
        let mut goals = Vec::new();
        let Some(bridge) = results.find(&BRIDGE).filter(|_| results.rounds() >= LEAST_ROUNDS) else {
            return Self(goals);
        };
        let mut add = |text: String, measured: Option<f64>, limit, is_least| {
            goals.extend(measured.map(|measured| Goal { text, measured, limit, is_least }));
        };
        for (accm, size, direction, other, limit) in PROCESSOR {
            let text =
                format!("CPU to {}, {}, {size} octets, ACCM {accm:08x}", other.name(), direction.name());
            let ratio = results.ratio((accm, size, direction), bridge, &other, processor_time);
            add(text, ratio, limit, false);
        }
        let work = (NONE, LARGE, Both);
        let ratio = results.ratio(work, bridge, &FORWARDER, frames_per_second);
        add("frames/s to bare forwarder, both, 1492 octets".to_owned(), ratio, 0.9, true);
        for direction in [HostToModem, ModemToHost] {
            let difference = results.latency_difference(NONE, direction, bridge, &FORWARDER);
            add(
                format!("p50 latency beyond bare forwarder, {}, us", direction.name()),
                difference,
                10.0,
                false,
            );
        }
        let megabytes = results.resident_of(bridge).map(|values| median(values) * 1024.0 / 1e6);
        add("resident memory, MB".to_owned(), megabytes, 5.0, false);
        let milliseconds = results.first_offer_of(bridge).map(median);
        add("start to first PADO, ms".to_owned(), milliseconds, 30.0, false);
        Self(goals)
    }
}

impl fmt::Display for Goals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_empty() {
            writeln!(f, "\ngoals")?;
        }
        self.0.iter().try_for_each(|goal| writeln!(f, "{goal}"))
    }
}

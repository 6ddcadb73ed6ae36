//! Which client comes up at which dial time, by when the PADS is sent; kept in `docs/client-timing.md`.
//!
//! `UPDATE=1 cargo test -p bridge-sim --test client_timing` rewrites that file.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use bridge_sim::host::profile::{ALL, ClientProfile};
use bridge_sim::modem::profile::QUECTEL;
use bridge_sim::world::{ModemSetup, World, WorldConfig, is_up};

/// Seconds from ATD to CONNECT.
const DIAL_TIMES: [u64; 17] = [0, 2, 4, 6, 8, 10, 12, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60];

/// When the PADS is sent, at the latest.
const POLICIES: [(&str, &str, Duration); 3] = [
    ("At CONNECT, or after 4 s", "What the bridge does by default.", Duration::from_secs(4)),
    ("At once", "`--answer-by=0`: the host is told before anybody was called.", Duration::ZERO),
    (
        "Only at CONNECT",
        "`--answer-by` longer than any dial: the host is told nothing while the modem dials.",
        Duration::from_secs(100_000),
    ),
];

/// Beyond this nobody waits.
const PATIENCE: Duration = Duration::from_secs(300);

/// When IPv4 is up, and what it took of discovery and dials.
struct Outcome {
    after: Option<Duration>,
    attempts: usize,
    dials: usize,
}

fn outcome(client: ClientProfile, dial_time: u64, answer_by: Duration) -> Outcome {
    let mut setup = ModemSetup::new(&QUECTEL, 0).dial_time(dial_time);
    setup.bridge.timing.answer_by = answer_by;
    let mut world = World::new(WorldConfig::pair(client, setup));
    world.start(0);
    let up = world.try_run_until(PATIENCE, |entry| is_up(entry, 0));
    let ended = |entry: &bridge_sim::world::Entry| {
        matches!(entry.host(0), Some(bridge_sim::host::HostEvent::Ended { .. }))
    };
    Outcome {
        after: up.map(|entry| Duration::from_micros(entry.at.as_micros())),
        attempts: 1 + world.count(0, ended),
        dials: world.modem(0).dials(),
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(after) = self.after else { return f.write_str("never") };
        write!(f, "{:.0}", after.as_secs_f64())?;
        if self.attempts > 1 {
            write!(f, "¹")?;
        }
        if self.dials > 1 {
            write!(f, "²")?;
        }
        Ok(())
    }
}

fn document() -> String {
    let mut text = String::from(
        "# When the PADS is sent, and which clients that suits\n\n\
         Seconds from a client's first PADI until IPv4 is up, with nobody touching it, by how long the modem dials.\n\
         The clients are those whose patience is known from their sources (`crates/sim/src/host/profile.rs`), the\n\
         bridge is the real one in virtual time, and a test keeps these tables true\n\
         (`crates/sim/tests/client_timing.rs`).\n\n\
         ¹ it gave up meanwhile and came again by itself. ² the modem was dialled more than once.\n\
         `never`: not within five minutes.\n",
    );
    for (name, words, answer_by) in POLICIES {
        let _ = write!(text, "\n## {name}\n\n{words}\n\n| client |");
        for dial_time in DIAL_TIMES {
            let _ = write!(text, " {dial_time} s |");
        }
        text.push_str("\n| --- |");
        text.push_str(&" ---: |".repeat(DIAL_TIMES.len()));
        text.push('\n');
        for client in ALL {
            let _ = write!(text, "| {} |", client.name);
            for dial_time in DIAL_TIMES {
                let _ = write!(text, " {} |", outcome(*client, dial_time, answer_by));
            }
            text.push('\n');
        }
    }
    text
}

#[test]
fn the_tables_in_the_documentation_are_what_happens() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/client-timing.md");
    let computed = document();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &computed).expect("docs can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == computed, "{} is out of date; UPDATE=1 rewrites it. Now:\n{computed}", path.display());
}

/// The host's LCP gives up in the second of CONNECT, and it comes again only when the far end's LCP, which had
/// begun in that second, has given up as well. Then only chance parts the two.
fn is_tie(client: &ClientProfile, dial_time: u64) -> bool {
    let patience = client.patience.restart * u32::from(client.patience.max_configure);
    let gives_up = Duration::from_secs(4) + patience;
    let is_away = client.redial.is_none_or(|pause| pause >= Duration::from_secs(30));
    is_away && gives_up == Duration::from_secs(dial_time)
}

#[test]
fn by_default_every_client_comes_up_with_one_dial_however_long_it_takes() {
    for client in ALL {
        for dial_time in 0..=60 {
            if is_tie(client, dial_time) {
                continue;
            }
            let outcome = outcome(*client, dial_time, Duration::from_secs(4));
            let after = outcome.after.unwrap_or(Duration::MAX);
            assert!(outcome.dials == 1, "{} at {dial_time} s dialled {} times", client.name, outcome.dials);
            assert!(after < PATIENCE, "{} does not come up at {dial_time} s", client.name);
        }
    }
}

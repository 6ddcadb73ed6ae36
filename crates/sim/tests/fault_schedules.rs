//! Ten thousand random days: hosts, modems and wires fail in any order, and the laws of `World` hold.
//!
//! `SEED=0x... cargo test -p bridge-sim --test fault_schedules` plays one schedule again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bridge_proto::bridge::{Input, RescueConfig, RescueWhen, WatchConfig};
use bridge_proto::chat::{ConversationOptions, Script};
use bridge_proto::event::Event;
use bridge_proto::id::ModemId;
use bridge_proto::modem::BudgetConfig;
use bridge_sim::host::profile;
use bridge_sim::modem::profile as modems;
use bridge_sim::modem::{DialResult, ModemFaults};
use bridge_sim::pppoe::{ETHERTYPE_DISCOVERY, ETHERTYPE_SESSION, PADI, PADR, PADT, Packet};
use bridge_sim::prng::Prng;
use bridge_sim::segment::SegmentFaults;
use bridge_sim::world::{BRIDGE, ModemSetup, STRANGER, World, WorldConfig, host_mac};

const SCHEDULES: u64 = 10_000;
const STEPS: u64 = 12;
/// A goodbye, DTR, and the longest hang-up script.
const LONGEST_END: Duration = Duration::from_millis(4100 + 15_000);

fn odds(prng: &mut Prng, most: u64) -> u16 {
    // Half of all wires are good in this respect.
    if prng.chance(500) { 0 } else { prng.below(most) as u16 }
}

fn faults(prng: &mut Prng) -> SegmentFaults {
    SegmentFaults {
        lost: odds(prng, 400),
        copied: odds(prng, 300),
        reordered: odds(prng, 300),
        damaged: odds(prng, 100),
        delay: Duration::from_micros(100 + prng.below(20_000)),
        hold: Duration::from_millis(prng.below(200)),
    }
}

fn pick<T: Copy>(prng: &mut Prng, all: &[T]) -> T {
    all[prng.below(all.len() as u64) as usize]
}

fn modem(prng: &mut Prng, number: usize) -> ModemSetup {
    use DialResult::{Busy, Connect, Error, NoCarrier, NoDialtone, Silence};
    let mut setup = ModemSetup::new(&pick(prng, modems::ALL), number).dial_time(prng.below(25));
    let results = [Connect, Connect, Connect, Connect, Busy, NoCarrier, NoDialtone, Error, Silence];
    setup.modem.dials = (0..6).map(|_| pick(prng, &results)).collect();
    setup.modem.faults = ModemFaults {
        is_dead: prng.chance(20),
        is_wedged: prng.chance(20),
        starts_in_data_mode: prng.chance(50),
        stays_in_data_mode: prng.chance(50),
        ignores_dtr: prng.chance(50),
        is_silent_at_hang_up: prng.chance(100),
        has_no_dcd: prng.chance(400),
    };
    setup.modem.listens_after = Duration::from_millis(if prng.chance(700) { 0 } else { prng.below(8000) });
    setup.modem.ppp.answers_echo = prng.chance(900);
    if prng.chance(200) {
        setup = setup.with_command(Duration::from_secs(30));
    }
    policy(prng, &mut setup);
    setup
}

/// Something, or nothing: half of all modems have no limit of a kind.
fn perhaps<T>(prng: &mut Prng, value: impl FnOnce(&mut Prng) -> T) -> Option<T> {
    prng.chance(500).then(|| value(prng))
}

/// What the bridge is told of watching, budgets, rescue, hanging up and deafness.
fn policy(prng: &mut Prng, setup: &mut ModemSetup) {
    let seconds = |prng: &mut Prng, most| Duration::from_secs(1 + prng.below(most));
    setup.bridge.watch = WatchConfig {
        silence: perhaps(prng, |prng| seconds(prng, 30)),
        questions: 1 + prng.below(4) as u8,
        question_interval: seconds(prng, 4),
        idle: perhaps(prng, |prng| seconds(prng, 60)),
    };
    setup.bridge.budget = BudgetConfig {
        dials_per_hour: perhaps(prng, |prng| 1 + prng.below(8) as u32),
        online_per_day: perhaps(prng, |prng| seconds(prng, 120)),
        octets_per_month: perhaps(prng, |prng| 1 + prng.below(20_000)),
    };
    setup.bridge.rescue = RescueConfig {
        when: pick(prng, &[RescueWhen::Never, RescueWhen::Suspicion, RescueWhen::Always]),
        reset: perhaps(prng, |_| script(b"TIMEOUT 3 '' AT+CFUN=1,1 OK '\\c'")),
        command: prng.chance(300),
    };
    setup.bridge.hang_up = prng.chance(250).then(|| script(b"TIMEOUT 3 '' '\\d+++\\d\\c' '' ATH OK '\\c'"));
    setup.bridge.is_deaf = prng.chance(250);
}

fn script(text: &[u8]) -> (Arc<Script>, ConversationOptions) {
    (Arc::new(Script::parse(text).expect("the script is right")), ConversationOptions::default())
}

fn world(seed: u64, prng: &mut Prng) -> World {
    let hosts: Vec<_> = (0..=prng.below(3)).map(|_| pick(prng, profile::ALL)).collect();
    let setups = (0..=prng.below(2)).map(|number| modem(prng, number as usize)).collect();
    let mut config = WorldConfig::crowd(seed, &hosts, setups);
    if prng.chance(500) {
        config.faults = faults(prng);
    }
    World::new(config)
}

/// A frame that claims to be a host's, with a session number that may be right.
fn forged(world: &World, prng: &mut Prng, hosts: u64) -> Vec<u8> {
    let ids: Vec<u16> = world.table().iter().map(|route| route.session_id.get()).collect();
    let session_id =
        if ids.is_empty() || prng.chance(300) { prng.next_u32() as u16 } else { pick(prng, &ids) };
    let source = if prng.chance(300) { STRANGER } else { host_mac(prng.below(hosts) as u8) };
    let mut payload = vec![0; prng.below(64) as usize];
    prng.fill(&mut payload);
    if prng.chance(500) {
        payload = [&[0xc0, 0x21, prng.below(14) as u8, prng.next_u32() as u8, 0, 4][..], &payload].concat();
    }
    let ethertype = pick(prng, &[ETHERTYPE_DISCOVERY, ETHERTYPE_SESSION, ETHERTYPE_SESSION]);
    let code = if ethertype == ETHERTYPE_SESSION { 0 } else { pick(prng, &[PADI, PADR, PADT]) };
    Packet { destination: BRIDGE, source, ethertype, code, session_id, payload: &payload }.emit()
}

fn something_happens(world: &mut World, prng: &mut Prng, hosts: u64, modems: u64) {
    let host = prng.below(hosts) as usize;
    let modem = prng.below(modems) as usize;
    match prng.below(24) {
        0..=4 => {
            world.vanish(host);
            world.start(host);
        }
        5 => world.stop(host),
        6 => world.vanish(host),
        7 => world.hang_up(modem),
        8 => world.terminate(modem),
        9 => world.unplug(modem),
        10 => world.unplug_loudly(modem),
        11..=13 => world.plug(modem),
        14 => world.tell(Input::NoCarrier { modem: ModemId(modem as u16) }),
        15 => world.tell(Input::CarrierLost { modem: ModemId(modem as u16) }),
        16 if world.state(modem).is_open() => world.fail_tty(modem),
        16 | 17 => {
            let worse = faults(prng);
            world.set_faults(worse);
        }
        18 => world.mend(),
        19 => {
            for _ in 0..prng.below(40) {
                let frame = forged(world, prng, hosts);
                world.inject(&frame);
            }
        }
        20 => {
            let mut octets = vec![0; prng.below(200) as usize];
            prng.fill(&mut octets);
            world.say_as_modem(modem, &octets);
        }
        21 => {
            world.interface_down();
            world.run_for(Duration::from_millis(prng.below(3000)));
            world.interface_up(BRIDGE);
        }
        22 if prng.chance(300) => world.restart_bridge(),
        22 => {
            world.ping(host, prng.below(1400) as usize);
        }
        _ => world.lose_under_way(),
    }
}

/// One schedule: things happen, then the wire is good again and the bridge is told to end.
///
/// Gives how many sessions there were.
fn play(seed: u64) -> usize {
    let mut prng = Prng::new(seed);
    let mut world = world(seed, &mut prng);
    let hosts = world.hosts() as u64;
    let modems = world.modems() as u64;
    for _ in 0..STEPS {
        something_happens(&mut world, &mut prng, hosts, modems);
        // Most things happen in quick succession, some after a long while.
        let gap = if prng.chance(700) { prng.below(2_000) } else { prng.below(25_000) };
        world.run_for(Duration::from_millis(gap));
    }
    world.shut_down();
    world.run_until_it_is(LONGEST_END, |world| world.bridge().is_finished());
    for modem in 0..world.modems() {
        assert!(!world.state(modem).is_open());
    }
    world.count(0, |entry| matches!(entry.event(), Some(Event::SessionOpened { .. })))
}

#[test]
fn whatever_fails_and_when_the_laws_hold() {
    if let Some(seed) = std::env::var("SEED").ok().and_then(|text| parse(&text)) {
        play(seed);
        return;
    }
    let next = AtomicU64::new(0);
    let sessions = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= SCHEDULES {
                        return;
                    }
                    sessions.fetch_add(play(seed), Ordering::Relaxed);
                }
            });
        }
    });
    // Days on which nobody got in would prove nothing.
    let sessions = sessions.into_inner();
    assert!(sessions > SCHEDULES as usize, "only {sessions} sessions");
}

fn parse(text: &str) -> Option<u64> {
    text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |hex| u64::from_str_radix(hex, 16).ok())
}

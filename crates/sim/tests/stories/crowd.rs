//! Several hosts and several modems at once: each host has one, each modem one.

use bridge_sim::host::profile;
use bridge_sim::modem::profile as modems;
use bridge_sim::world::{ModemSetup, World, WorldConfig, is_up};

use crate::told::{expect_ping, secs};

fn crowd(hosts: usize, count: usize) -> World {
    let clients: Vec<_> = profile::ALL.iter().copied().cycle().take(hosts).collect();
    let setups = modems::ALL.iter().cycle().take(count).zip(0..);
    let setups = setups.map(|(kind, number)| ModemSetup::new(kind, number).dial_time(2)).collect();
    World::new(WorldConfig::crowd(3, &clients, setups))
}

#[test]
fn six_hosts_get_six_modems() {
    let mut world = crowd(6, 6);
    for host in 0..6 {
        world.start(host);
    }
    world.run_until_it_is(secs(60), |world| (0..6).all(|host| world.host(host).endpoint().is_ip_up()));
    let ups = world.count(0, |entry| (0..6).any(|host| is_up(entry, host)));
    assert_eq!(ups, 6);
    for host in 0..6 {
        expect_ping(&mut world, host);
    }
}

#[test]
fn hosts_without_a_modem_get_one_when_others_leave() {
    let mut world = crowd(10, 3);
    for host in 0..10 {
        world.start(host);
    }
    world.run_for(secs(60));
    for _ in 0..10 {
        let served = (0..10).find(|host| world.host(*host).endpoint().is_ip_up());
        if let Some(host) = served {
            world.stop(host);
        }
        world.run_for(secs(90));
    }
    let has_been_up = |host| world.count(0, |entry| is_up(entry, host)) > 0;
    let served = (0..10).filter(|host| has_been_up(*host)).count();
    assert!(served >= 6, "{served} of 10");
}

#[test]
fn services_have_modems_of_their_own() {
    let setups = vec![ModemSetup::new(&modems::HUAWEI, 0), ModemSetup::new(&modems::QUECTEL, 1)];
    let mut config = WorldConfig::crowd(1, &[profile::PPPD, profile::MPD5], setups);
    config.services = vec![("one".to_owned(), vec![0]), ("two".to_owned(), vec![1])];
    config.hosts[0].service = b"two".to_vec();
    config.hosts[1].service = b"one".to_vec();
    let mut world = World::new(config);
    world.start(0);
    world.start(1);
    world.run_until_it_is(secs(20), |world| (0..2).all(|host| world.host(host).endpoint().is_ip_up()));
    let route = world.table().by_modem(bridge_proto::id::ModemId(1)).expect("a session");
    assert_eq!(route.peer.0, bridge_sim::world::host_mac(0).0);
}

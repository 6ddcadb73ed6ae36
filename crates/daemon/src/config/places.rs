//! A configuration at work, and what a newer one changes about it.
//!
//! It promises that a number never means two things: whatever was once in the configuration keeps its place, and
//! comes back to it if it is there again under the same name; what is new is put behind all others.

use super::{Config, ModemSettings};
use bridge_proto::bridge::{ModemChange, Reconfiguration};
use bridge_proto::id::{InterfaceId, ModemId};

/// What is at work, with what is no longer wanted still in its place.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    config: Config,
    interfaces: Vec<bool>,
    services: Vec<bool>,
    modems: Vec<bool>,
}

/// From one configuration to the next.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) places: Places,
    pub(crate) reconfiguration: Reconfiguration,
    /// What is different, in words.
    pub(crate) words: Vec<String>,
}

impl Places {
    /// Everything in the order of the configuration.
    pub(crate) fn new(config: Config) -> Self {
        Self {
            interfaces: vec![true; config.interfaces.len()],
            services: vec![true; config.bridge.services.len()],
            modems: vec![true; config.modems.len()],
            config,
        }
    }

    pub(crate) fn interface_names(&self) -> &[String] {
        &self.config.interfaces
    }

    pub(crate) fn modem_settings(&self) -> &[ModemSettings] {
        &self.config.modems
    }

    /// Whether this interface is still wanted.
    pub(crate) fn has_interface(&self, interface: InterfaceId) -> bool {
        self.interfaces.get(usize::from(interface.0)).copied().unwrap_or(false)
    }

    /// Whether this service is still wanted.
    pub(crate) fn has_service(&self, service: usize) -> bool {
        self.services.get(service).copied().unwrap_or(false)
    }

    /// Whether this modem is still wanted.
    pub(crate) fn has_modem(&self, modem: ModemId) -> bool {
        self.modems.get(usize::from(modem.0)).copied().unwrap_or(false)
    }

    /// What `new` changes; nothing if it says the same.
    pub(crate) fn change(&self, new: Config) -> Option<Change> {
        let service_name = |config: &Config| {
            config.bridge.services.iter().map(|service| service.name.clone()).collect::<Vec<_>>()
        };
        let modem_name =
            |config: &Config| config.modems.iter().map(|modem| modem.name.clone()).collect::<Vec<_>>();
        let interfaces = Move::new(&self.config.interfaces, &new.interfaces);
        let services = Move::new(&service_name(&self.config), &service_name(&new));
        let modems = Move::new(&modem_name(&self.config), &modem_name(&new));
        let config = self.merge(new, &interfaces, &services, &modems);

        let mut words = Vec::new();
        let mut tell = |kind: &str, name: &str, what: &str| words.push(format!("{kind} {name}: {what}"));
        let mut removed_interfaces = Vec::new();
        for (place, name) in config.interfaces.iter().enumerate() {
            let was = self.interfaces.get(place).copied().unwrap_or(false);
            let same = self.config.bridge.interfaces.get(place) == config.bridge.interfaces.get(place);
            if let Some(what) = difference(was, interfaces.is_wanted(place), same) {
                tell("interface", name, what);
                if what == REMOVED {
                    removed_interfaces.push(InterfaceId(number(place)));
                }
            }
        }
        let mut removed_services = Vec::new();
        for (place, service) in config.bridge.services.iter().enumerate() {
            let same = self.config.bridge.services.get(place) == Some(service);
            if let Some(what) = difference(self.has_service(place), services.is_wanted(place), same) {
                tell("service", &service.name.to_string(), what);
                if what == REMOVED {
                    removed_services.push(place);
                }
            }
        }
        let mut changed_modems = Vec::new();
        for (place, modem) in config.modems.iter().enumerate() {
            let id = ModemId(number(place));
            let before = self.config.modems.get(place);
            let same = before == Some(modem)
                && self.config.bridge.modems.get(place) == config.bridge.modems.get(place);
            let Some(what) = difference(self.has_modem(id), modems.is_wanted(place), same) else { continue };
            tell("modem", &modem.name, what);
            let same_port =
                |before: &ModemSettings| (&before.device, &before.serial) == (&modem.device, &modem.serial);
            changed_modems.extend(before.map(|before| match what {
                REMOVED => (id, ModemChange::Removed),
                CHANGED if same_port(before) => (id, ModemChange::Settings),
                _ => (id, ModemChange::Port),
            }));
        }
        if self.config.bridge.limits != config.bridge.limits {
            tell("limits", "of all", CHANGED);
        }
        if self.config.bridge.discovery != config.bridge.discovery {
            tell("discovery", "policy", CHANGED);
        }
        (!words.is_empty()).then(|| Change {
            reconfiguration: Reconfiguration {
                config: config.bridge.clone(),
                modems: changed_modems,
                removed_services,
                removed_interfaces,
            },
            places: Self {
                interfaces: interfaces.wanted,
                services: services.wanted,
                modems: modems.wanted,
                config,
            },
            words,
        })
    }

    /// Everything of `new` in its place; what is not in it stays where it was and leads nowhere.
    fn merge(&self, new: Config, interfaces: &Move, services: &Move, modems: &Move) -> Config {
        let mut bridge = new.bridge;
        for interface in &mut bridge.interfaces {
            interface.services.iter_mut().for_each(|service| *service = services.place(*service));
        }
        for service in &mut bridge.services {
            service.modems.iter_mut().for_each(|modem| {
                *modem = ModemId(number(modems.place(usize::from(modem.0))));
            });
        }
        let old = &self.config.bridge;
        bridge.interfaces = interfaces.put(&old.interfaces, bridge.interfaces);
        bridge.services = services.put(&old.services, bridge.services);
        bridge.modems = modems.put(&old.modems, bridge.modems);
        for (interface, wanted) in bridge.interfaces.iter_mut().zip(&interfaces.wanted) {
            if !wanted {
                interface.services.clear();
            }
        }
        for (service, wanted) in bridge.services.iter_mut().zip(&services.wanted) {
            if !wanted {
                service.modems.clear();
            }
        }
        Config {
            bridge,
            interfaces: interfaces.put(&self.config.interfaces, new.interfaces),
            modems: modems.put(&self.config.modems, new.modems),
            log_level: new.log_level,
            wait: new.wait,
        }
    }
}

const ADDED: &str = "added";
const CHANGED: &str = "changed";
const REMOVED: &str = "removed";

fn difference(was: bool, is: bool, same: bool) -> Option<&'static str> {
    match (was, is) {
        (false, true) => Some(ADDED),
        (true, false) => Some(REMOVED),
        (true, true) if !same => Some(CHANGED),
        (true, true) | (false, false) => None,
    }
}

fn number(place: usize) -> u16 {
    u16::try_from(place).unwrap_or(u16::MAX)
}

/// Where the items of one kind are put.
struct Move {
    places: Vec<usize>,
    wanted: Vec<bool>,
}

impl Move {
    fn new<N: PartialEq>(old: &[N], new: &[N]) -> Self {
        let mut behind = old.len()..;
        let place = |name| old.iter().position(|old| old == name).or_else(|| behind.next());
        let places: Vec<usize> = new.iter().filter_map(place).collect();
        let all = old.len().max(places.iter().max().map_or(0, |last| last + 1));
        Self { wanted: (0..all).map(|place| places.contains(&place)).collect(), places }
    }

    fn place(&self, item: usize) -> usize {
        self.places.get(item).copied().unwrap_or(usize::MAX)
    }

    fn is_wanted(&self, place: usize) -> bool {
        self.wanted.get(place).copied().unwrap_or(false)
    }

    fn put<T: Clone>(&self, old: &[T], new: Vec<T>) -> Vec<T> {
        let mut all = old.to_vec();
        for (item, place) in new.into_iter().zip(&self.places) {
            match all.get_mut(*place) {
                Some(slot) => *slot = item,
                // Those behind all others come in order.
                None => all.push(item),
            }
        }
        all
    }
}

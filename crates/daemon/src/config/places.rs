//! A configuration at work, and what a newer one changes about it.
//!
//! It promises that a number never means two things at once: what is in the configuration keeps its place, and what
//! was in it comes back to its place under the same name. What is new gets the place of something that is no longer
//! wanted and of which nothing is under way any more, else one behind all others: so there are only as many places
//! as there were ever things at once.

use super::difference::{Difference, Keys, keys, modem_keys};
use super::{Config, Loaded, ModemSettings, Settings};
use crate::cli::LogLevel;
use bridge_proto::bridge::{ModemChange, Reconfiguration};
use bridge_proto::id::{InterfaceId, ModemId};

/// What is at work, with what is no longer wanted still in its place.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    config: Config,
    /// As it is written, without what is no longer wanted.
    settings: Settings,
    wanted: Marks,
}

/// A mark for each interface, service and modem, in the order of their places.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    pub(crate) interfaces: Vec<bool>,
    pub(crate) services: Vec<bool>,
    pub(crate) modems: Vec<bool>,
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
    pub(crate) fn new(settings: Settings, config: Config) -> Self {
        let wanted = Marks {
            interfaces: vec![true; config.interfaces.len()],
            services: vec![true; config.bridge.services.len()],
            modems: vec![true; config.modems.len()],
        };
        Self { config, settings, wanted }
    }

    /// As it is written.
    pub(crate) const fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn interface_names(&self) -> &[String] {
        &self.config.interfaces
    }

    pub(crate) fn modem_settings(&self) -> &[ModemSettings] {
        &self.config.modems
    }

    pub(crate) fn services(&self) -> usize {
        self.config.bridge.services.len()
    }

    pub(crate) fn log_level(&self) -> LogLevel {
        self.config.log_level
    }

    /// Whether this interface is still wanted.
    pub(crate) fn has_interface(&self, interface: InterfaceId) -> bool {
        is_marked(&self.wanted.interfaces, interface.0.into())
    }

    /// Whether this service is still wanted.
    pub(crate) fn has_service(&self, service: usize) -> bool {
        is_marked(&self.wanted.services, service)
    }

    /// Whether this modem is still wanted.
    pub(crate) fn has_modem(&self, modem: ModemId) -> bool {
        is_marked(&self.wanted.modems, modem.0.into())
    }

    /// What `new` changes; nothing if it says the same. What is not wanted any more, and `unused`, gives way.
    pub(crate) fn change(&self, new: Loaded, unused: &Marks) -> Option<Change> {
        let after = self.after(new, unused);
        let (interfaces, services, modems) =
            (self.interface_changes(&after), self.service_changes(&after), self.modem_changes(&after));
        let words: Vec<String> = [
            told("interface", &interfaces, |place| after.config.interfaces[place].clone()),
            told("service", &services, |place| after.config.bridge.services[place].name.to_string()),
            told("modem", &modems, |place| after.config.modems[place].name.clone()),
            self.changes_of_all(&after),
        ]
        .concat();
        (!words.is_empty()).then(|| Change {
            reconfiguration: Reconfiguration {
                config: after.config.bridge.clone(),
                modems: self.modem_consequences(&after, &modems),
                removed_services: removed(&services).collect(),
                removed_interfaces: removed(&interfaces).map(|place| InterfaceId(number(place))).collect(),
            },
            places: after,
            words,
        })
    }

    /// Everything of `new` in its place; what is not in it stays where it was and leads nowhere.
    fn after(&self, new: Loaded, unused: &Marks) -> Self {
        let Loaded { config: new, settings, .. } = new;
        let (old, mut bridge) = (&self.config, new.bridge);
        let names = |bridge: &bridge_proto::bridge::BridgeConfig| {
            bridge.services.iter().map(|service| service.name.clone()).collect::<Vec<_>>()
        };
        let free = |wanted: &[bool], unused: &[bool]| -> Vec<bool> {
            (0..wanted.len()).map(|place| !wanted[place] && is_marked(unused, place)).collect()
        };
        let interfaces =
            Move::new(&old.interfaces, &new.interfaces, &free(&self.wanted.interfaces, &unused.interfaces));
        let services =
            Move::new(&names(&old.bridge), &names(&bridge), &free(&self.wanted.services, &unused.services));
        let modems = Move::new(
            &modem_names(&old.modems),
            &modem_names(&new.modems),
            &free(&self.wanted.modems, &unused.modems),
        );
        for interface in &mut bridge.interfaces {
            interface.services.iter_mut().for_each(|service| *service = services.place(*service));
        }
        for service in &mut bridge.services {
            service.modems.iter_mut().for_each(|modem| {
                *modem = ModemId(number(modems.place(usize::from(modem.0))));
            });
        }
        bridge.interfaces = interfaces.put(&old.bridge.interfaces, bridge.interfaces);
        bridge.services = services.put(&old.bridge.services, bridge.services);
        bridge.modems = modems.put(&old.bridge.modems, bridge.modems);
        let all = bridge.interfaces.iter_mut().zip(&interfaces.wanted);
        all.filter(|(_, wanted)| !**wanted).for_each(|(interface, _)| interface.services.clear());
        let all = bridge.services.iter_mut().zip(&services.wanted);
        all.filter(|(_, wanted)| !**wanted).for_each(|(service, _)| service.modems.clear());
        Self {
            config: Config {
                bridge,
                interfaces: interfaces.put(&old.interfaces, new.interfaces),
                modems: modems.put(&old.modems, new.modems),
                log_level: new.log_level,
                wait: new.wait,
            },
            settings,
            wanted: Marks { interfaces: interfaces.wanted, services: services.wanted, modems: modems.wanted },
        }
    }

    fn interface_changes(&self, after: &Self) -> Vec<(usize, Difference)> {
        differences(&self.wanted.interfaces, &after.wanted.interfaces, |place| {
            let name = &after.config.interfaces[place];
            let settings = |places: &Self| places.settings.interface.of_name(name).cloned();
            let is_same = self.config.bridge.interfaces[place] == after.config.bridge.interfaces[place];
            let (before, after) = (settings(self), settings(after));
            let given = [&before, &after].map(|settings| settings.as_ref().map(|settings| &settings.given));
            (!is_same).then(|| keys(&before, &after).apart(&given))
        })
    }

    fn service_changes(&self, after: &Self) -> Vec<(usize, Difference)> {
        differences(&self.wanted.services, &after.wanted.services, |place| {
            let name = after.config.bridge.services[place].name.to_string();
            let settings = |places: &Self| places.settings.service.of_name(&name).cloned();
            let is_same = self.config.bridge.services[place] == after.config.bridge.services[place];
            let (before, after) = (settings(self), settings(after));
            let given = [&before, &after].map(|settings| settings.as_ref().map(|settings| &settings.given));
            (!is_same).then(|| keys(&before, &after).apart(&given))
        })
    }

    fn modem_changes(&self, after: &Self) -> Vec<(usize, Difference)> {
        differences(&self.wanted.modems, &after.wanted.modems, |place| {
            let name = &after.config.modems[place].name;
            let is_same = self.config.modems[place] == after.config.modems[place]
                && self.config.bridge.modems[place] == after.config.bridge.modems[place];
            let (before, after) = (self.settings.modem.of_name(name), after.settings.modem.of_name(name));
            (!is_same).then(|| before.zip(after).map(|(before, after)| modem_keys(before, after)))?
        })
    }

    /// What is different about no interface, service or modem.
    fn changes_of_all(&self, after: &Self) -> Vec<String> {
        let (before, after) = (&self.settings, &after.settings);
        let mut words = Vec::new();
        let mut tell = |table: &str, keys: Keys| {
            words.extend((!keys.is_empty()).then(|| format!("{table}: {keys}")));
        };
        let given = [Some(&before.limits.given), Some(&after.limits.given)];
        tell("limits", keys(&before.limits, &after.limits).apart(&given));
        tell("discovery", keys(&before.discovery, &after.discovery));
        if before.ac_name != after.ac_name {
            words.push("ac_name: changed".to_owned());
        }
        if before.log_level != after.log_level {
            words.push("log_level: changed".to_owned());
        }
        if before.wait != after.wait {
            words.push("wait: changed, which counts from the next start".to_owned());
        }
        words
    }

    /// What the control plane has to know of modems whose places it knows.
    fn modem_consequences(
        &self,
        after: &Self,
        changes: &[(usize, Difference)],
    ) -> Vec<(ModemId, ModemChange)> {
        let consequence = |(place, difference): &(usize, Difference)| {
            let (before, after) = (self.config.modems.get(*place)?, after.config.modems.get(*place)?);
            let is_same_port = (&before.device, &before.serial) == (&after.device, &after.serial);
            let change = match difference {
                Difference::Removed => ModemChange::Removed,
                Difference::Added if before.name != after.name => ModemChange::Replaced,
                Difference::Changed(_) if is_same_port => ModemChange::Settings,
                Difference::Added | Difference::Changed(_) => ModemChange::Port,
            };
            Some((ModemId(number(*place)), change))
        };
        changes.iter().filter_map(consequence).collect()
    }
}

fn is_marked(marks: &[bool], place: usize) -> bool {
    marks.get(place).copied().unwrap_or(false)
}

fn modem_names(modems: &[ModemSettings]) -> Vec<String> {
    modems.iter().map(|modem| modem.name.clone()).collect()
}

fn number(place: usize) -> u16 {
    u16::try_from(place).unwrap_or(u16::MAX)
}

/// What became of the things of one kind; `changed` tells which keys of one that was and is wanted are different.
fn differences(
    before: &[bool],
    after: &[bool],
    changed: impl Fn(usize) -> Option<Keys>,
) -> Vec<(usize, Difference)> {
    let difference = |place| {
        let difference = match (is_marked(before, place), is_marked(after, place)) {
            (false, true) => Difference::Added,
            (true, false) => Difference::Removed,
            (true, true) => Difference::Changed(changed(place)?),
            (false, false) => return None,
        };
        Some((place, difference))
    };
    (0..after.len()).filter_map(difference).collect()
}

fn removed(changes: &[(usize, Difference)]) -> impl Iterator<Item = usize> + '_ {
    changes.iter().filter(|(_, difference)| *difference == Difference::Removed).map(|(place, _)| *place)
}

fn told(kind: &str, changes: &[(usize, Difference)], name: impl Fn(usize) -> String) -> Vec<String> {
    changes.iter().map(|(place, difference)| format!("{kind} {}: {difference}", name(*place))).collect()
}

/// Where the items of one kind are put.
struct Move {
    places: Vec<usize>,
    wanted: Vec<bool>,
}

impl Move {
    fn new<N: PartialEq>(old: &[N], new: &[N], free: &[bool]) -> Self {
        // A place whose owner comes back is not for another.
        let mut free = (0..old.len()).filter(|place| is_marked(free, *place) && !new.contains(&old[*place]));
        let mut behind = old.len()..;
        let mut place =
            |name| old.iter().position(|old| old == name).or_else(|| free.next()).or_else(|| behind.next());
        let places: Vec<usize> = new.iter().filter_map(&mut place).collect();
        let all = old.len().max(places.iter().max().map_or(0, |last| last + 1));
        let mut wanted = vec![false; all];
        places.iter().for_each(|place| wanted[*place] = true);
        Self { wanted, places }
    }

    fn place(&self, item: usize) -> usize {
        self.places.get(item).copied().unwrap_or(usize::MAX)
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

#[cfg(test)]
mod tests;

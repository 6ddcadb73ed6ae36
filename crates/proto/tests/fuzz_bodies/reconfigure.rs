//! What an operator may change while a bridge runs, and what its caller promises about that.

use super::choices::Choices;
use super::world::{Port, World};
use bridge_proto::bridge::{BridgeConfig, Input, ModemChange, Reconfiguration};
use bridge_proto::discovery::ServiceName;
use bridge_proto::id::{InterfaceId, ModemId};

/// The configuration at work, and what of it is still wanted.
#[derive(Clone, Debug)]
pub struct Policy {
    config: BridgeConfig,
    interfaces: Vec<bool>,
    services: Vec<bool>,
    modems: Vec<bool>,
}

/// Enough to have some behind those of the start.
const MOST_MODEMS: usize = 6;

impl Policy {
    pub fn new(config: BridgeConfig) -> Self {
        Self {
            interfaces: vec![true; config.interfaces.len()],
            services: vec![true; config.services.len()],
            modems: vec![true; config.modems.len()],
            config,
        }
    }

    /// Changes something, and whatever that leads to. While the bridge shuts down it counts for nothing.
    pub fn reconfigure(&mut self, world: &mut World, choices: &mut Choices<'_>) {
        if world.bridge.is_shutting_down() {
            let change = self.clone().change(world, choices);
            return world.happens(Input::Reconfigure(Box::new(change)));
        }
        let change = self.change(world, choices);
        for modem in (0..self.modems.len()).map(|modem| ModemId(modem as u16)) {
            world.ports.entry(modem).or_insert(Port::Closed);
            if self.modems[usize::from(modem.0)] {
                world.removed.remove(&modem);
            } else {
                world.removed.insert(modem);
            }
        }
        let removed_interfaces = change.removed_interfaces.clone();
        world.happens(Input::Reconfigure(Box::new(change)));
        for interface in removed_interfaces {
            world.up.remove(&interface);
            assert!(
                world.routes.values().all(|route| route.interface != interface),
                "a session without a place"
            );
        }
    }

    fn change(&mut self, world: &World, choices: &mut Choices<'_>) -> Reconfiguration {
        let before = self.clone();
        let mut modems: Vec<(ModemId, ModemChange)> = Vec::new();
        for _ in 0..=choices.below(3) {
            match choices.below(4) {
                0 => self.change_interface(choices),
                1 => self.change_service(world, choices),
                _ => {
                    let change = self.change_modem(world, choices, &modems);
                    modems.extend(change);
                }
            }
        }
        self.lead_nowhere();
        let gone = |before: &[bool], now: &[bool]| -> Vec<usize> {
            (0..before.len()).filter(|place| before[*place] && !now[*place]).collect()
        };
        let interfaces = gone(&before.interfaces, &self.interfaces);
        Reconfiguration {
            config: self.config.clone(),
            modems,
            removed_services: gone(&before.services, &self.services),
            removed_interfaces: interfaces.into_iter().map(|place| InterfaceId(place as u16)).collect(),
        }
    }

    fn change_interface(&mut self, choices: &mut Choices<'_>) {
        let place = choices.below(self.interfaces.len());
        self.interfaces[place] = !self.interfaces[place];
        self.config.interfaces[place].services = (0..self.services.len()).collect();
    }

    fn change_service(&mut self, world: &World, choices: &mut Choices<'_>) {
        let place = choices.below(self.services.len());
        self.services[place] = !self.services[place];
        if !self.services[place] {
            return;
        }
        if world.bridge.is_service_unused(place) && choices.flag() {
            let name: &[u8] = choices.one_of(&[&b"fax"[..], b"", b"voice"]);
            self.config.services[place].name = ServiceName::parse(name).unwrap();
        }
        let all = 0..self.modems.len() as u16;
        self.config.services[place].modems = all.filter(|_| choices.flag()).map(ModemId).collect();
        for interface in &mut self.config.interfaces {
            interface.services = (0..self.services.len()).collect();
        }
    }

    /// Changes a modem of which nothing is `told` yet.
    fn change_modem(
        &mut self,
        world: &World,
        choices: &mut Choices<'_>,
        told: &[(ModemId, ModemChange)],
    ) -> Option<(ModemId, ModemChange)> {
        let place = choices.below(MOST_MODEMS.min(self.modems.len() + 1));
        let like = self.config.modems[choices.below(self.config.modems.len())].clone();
        let modem = ModemId(place as u16);
        // Of one that is new in this change there is nothing to tell.
        let is_new = place < self.modems.len() && place >= world.bridge.snapshot(world.now).modems.len();
        if is_new || told.iter().any(|(told, _)| *told == modem) {
            return None;
        }
        if place == self.modems.len() {
            self.modems.push(true);
            self.config.modems.push(like);
            self.config.services[0].modems.push(modem);
            return None;
        }
        if self.modems[place] && choices.flag() {
            self.modems[place] = false;
            return Some((modem, ModemChange::Removed));
        }
        self.config.modems[place] = like;
        if self.modems[place] {
            return Some((modem, choices.one_of(&[ModemChange::Settings, ModemChange::Port])));
        }
        self.modems[place] = true;
        let service = choices.below(self.services.len());
        self.config.services[service].modems.push(modem);
        // One that is not unused is treated as it comes back; nothing else is asked of the caller.
        let is_another = world.bridge.is_modem_unused(modem) || choices.octet() == 0;
        Some((modem, if is_another { ModemChange::Replaced } else { ModemChange::Port }))
    }

    /// Nothing leads to what is not wanted.
    fn lead_nowhere(&mut self) {
        for (interface, wanted) in self.config.interfaces.iter_mut().zip(&self.interfaces) {
            interface.services.retain(|service| *wanted && self.services[*service]);
        }
        for (service, wanted) in self.config.services.iter_mut().zip(&self.services) {
            service.modems.retain(|modem| *wanted && self.modems[usize::from(modem.0)]);
            service.modems.sort_unstable();
            service.modems.dedup();
        }
    }
}

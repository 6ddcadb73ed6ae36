//! A changed configuration is read and takes effect, while sessions that it does not concern go on.
//!
//! It promises that a configuration which cannot be used changes nothing, and that the log says why in the words of
//! `check`. What is missing, an interface or a device, is waited for.

use crate::config::{Change, Marks, ModemSettings, Origin, Surroundings};
use crate::event_loop::{EventLoop, modem_id, path_id};
use crate::modem_port::ModemPort;
use bridge_linux::device_watcher::DeviceState;
use bridge_linux::interface::Interface;
use bridge_linux::random;
use bridge_proto::bridge::Input;
use bridge_proto::id::{InterfaceId, ModemId};
use bridge_proto::time::Instant;
use tracing::{error, info, warn};

impl EventLoop {
    /// From now on SIGHUP reads the configuration from there again.
    #[must_use]
    pub fn reloading_from(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// This was to be said about the configuration at the start.
    #[must_use]
    pub fn warned(mut self, warnings: Vec<String>) -> Self {
        self.report.configuration_read(Instant::ZERO, true, warnings.into_iter());
        self
    }

    /// Reads the configuration again.
    pub(crate) fn reload(&mut self, now: Instant) {
        if self.bridge.is_shutting_down() {
            return info!("the configuration is not read again: the bridge is ending");
        }
        let Some(origin) = &self.origin else { return info!("there is no configuration to read again") };
        if let Some(notifier) = &self.notifier {
            let _ = notifier.reloading();
        }
        match origin.load(&Surroundings::of_this_process()) {
            Ok(loaded) => {
                loaded.warnings.lines().for_each(|line| warn!("{line}"));
                self.report.configuration_read(now, true, loaded.warnings.lines());
                match self.places.change(loaded, &self.unused()) {
                    Some(change) => self.apply(now, change),
                    None => info!("configuration unchanged"),
                }
            }
            Err(problems) => {
                problems.lines().for_each(|line| error!("{line}"));
                error!("configuration not reloaded: nothing is changed");
                self.report.configuration_read(now, false, problems.lines());
            }
        }
        if let Some(notifier) = &self.notifier {
            let _ = notifier.ready();
        }
        self.tell_manager();
    }

    /// What nothing is under way with, so that it may give way to something else.
    fn unused(&self) -> Marks {
        let interfaces = 0..self.places.interface_names().len();
        let is_unused_modem = |modem| self.bridge.is_modem_unused(modem) && self.port(modem).is_none();
        Marks {
            interfaces: interfaces.map(|id| self.bridge.is_interface_unused(interface_id(id))).collect(),
            services: (0..self.places.services()).map(|index| self.bridge.is_service_unused(index)).collect(),
            modems: (0..self.modems.len()).map(modem_id).map(is_unused_modem).collect(),
        }
    }

    fn apply(&mut self, now: Instant, Change { places, reconfiguration, words }: Change) {
        words.iter().for_each(|words| info!("configuration: {words}"));
        let before = std::mem::replace(&mut self.places, places);
        let level = self.places.log_level();
        if level != before.log_level() && !self.report.set_log_level(level) {
            info!("log_level does not count: the command line has a --log-level");
        }
        self.report.rename(self.places.interface_names());
        let (modems, interfaces) =
            (reconfiguration.modems.clone(), reconfiguration.removed_interfaces.clone());
        // Goodbyes are said by the ports that are there.
        self.input(now, Input::Reconfigure(Box::new(reconfiguration)));
        for interface in interfaces {
            self.close_port(interface);
        }
        for (number, name) in self.places.interface_names().to_vec().into_iter().enumerate() {
            let id = interface_id(number);
            if self.places.has_interface(id) && !before.has_interface(id) {
                self.add_interface(now, id, &name);
            }
        }
        for (modem, _) in modems {
            self.change_modem(now, modem);
        }
        for modem in (0..self.places.modem_settings().len()).map(modem_id) {
            if self.places.has_modem(modem) && self.port(modem).is_none() {
                self.add_modem(now, modem);
            }
        }
        self.carry_out(now);
        info!("configuration reloaded");
    }

    fn add_interface(&mut self, now: Instant, id: InterfaceId, name: &str) {
        if self.ethernet.len() <= usize::from(id.0) {
            self.ethernet.resize_with(usize::from(id.0) + 1, || None);
        }
        let opened = Interface::find(name).and_then(|found| self.open_interface(now, id, found));
        if let Err(error) = opened {
            warn!("{name}: cannot be served yet: cannot {error}");
            self.report.keep_problem(now, format!("{name}: cannot be served yet: cannot {error}"));
        }
    }

    fn settings(&self, modem: ModemId) -> Option<ModemSettings> {
        self.places.modem_settings().get(usize::from(modem.0)).cloned()
    }

    fn add_modem(&mut self, now: Instant, modem: ModemId) {
        let Some((settings, key)) = self.settings(modem).zip(key()) else { return };
        if self.modems.len() <= usize::from(modem.0) {
            self.modems.resize_with(usize::from(modem.0) + 1, || None);
        }
        let port = match self.spare_ports.pop() {
            Some(mut port) => {
                port.adopt(settings, key);
                port
            }
            None => ModemPort::new(settings, key, self.buffers.clone()),
        };
        if let Some(slot) = self.modems.get_mut(usize::from(modem.0)) {
            *slot = Some(port);
        }
        self.watch_device(now, modem);
    }

    fn change_modem(&mut self, now: Instant, modem: ModemId) {
        let settings = self.settings(modem);
        let Some(port) = self.modem(modem) else { return };
        port.changed = settings;
        if port.is_closed() {
            self.adopt_settings(now, modem);
        }
    }

    /// A modem that is closed gets the settings that were changed meanwhile. One that was removed gives its port
    /// back.
    pub(crate) fn adopt_settings(&mut self, now: Instant, modem: ModemId) {
        if !self.places.has_modem(modem) {
            return self.release_modem(modem);
        }
        let Some(port) = self.modem(modem) else { return };
        let Some((settings, key)) = port.take_changes().zip(key()) else { return };
        port.adopt(settings, key);
        self.watch_device(now, modem);
    }

    fn release_modem(&mut self, modem: ModemId) {
        if let Some(mut port) = self.modems.get_mut(usize::from(modem.0)).and_then(Option::take) {
            port.changed = None;
            self.spare_ports.push(port);
        }
        self.devices.forget_path(path_id(modem));
        // Its number may be another's when they are due.
        self.timers.retain(|(_, timer)| timer.modem() != Some(modem));
    }

    /// Watches the device of a closed modem, under its name.
    fn watch_device(&mut self, now: Instant, modem: ModemId) {
        let Some(settings) = self.port(modem).map(|port| &port.settings) else { return };
        let (device, name) = (settings.device.clone(), settings.name.clone());
        self.report.name_modem(modem, &name);
        if let Err(error) = self.devices.watch_instead(path_id(modem), &device) {
            error!("cannot {error}");
        }
        self.look_at_device(now, modem);
    }

    /// Tells the control plane how things stand with a device; the caller carries out what comes of it.
    fn look_at_device(&mut self, now: Instant, modem: ModemId) {
        let holder = self.holder(modem);
        let is_there = self.devices.state(path_id(modem)) == DeviceState::Present;
        let input = if is_there && holder.is_none() {
            Input::ModemAppeared { modem }
        } else {
            Input::ModemVanished { modem }
        };
        self.bridge.handle_input(now, input);
        match holder.and_then(|holder| Some(&self.port(holder)?.settings.name)) {
            Some(holder) => {
                info!("{}: waiting until modem {holder} has closed the device", self.report.modem(modem));
            }
            None if is_there => {}
            None => warn!("{}: waiting for the device", self.report.modem(modem)),
        }
    }
}

fn interface_id(number: usize) -> InterfaceId {
    InterfaceId(u16::try_from(number).unwrap_or(u16::MAX))
}

/// A random key for a queue. There is none only where the kernel gives no random numbers at all.
fn key() -> Option<[u8; 16]> {
    random::octets().inspect_err(|error| error!("cannot {error}")).ok()
}

//! A changed configuration is read and takes effect, while sessions that it does not concern go on.
//!
//! It promises that a configuration which cannot be used changes nothing, and that the log says why in the words of
//! `check`. What is missing, an interface or a device, is waited for.

use crate::config::{Change, Loaded, ModemSettings, Origin, Problems, Surroundings};
use crate::event_loop::EventLoop;
use crate::modem_port::ModemPort;
use bridge_linux::device_watcher::{DeviceState, PathId};
use bridge_linux::interface::Interface;
use bridge_linux::random;
use bridge_proto::bridge::{Input, ModemChange};
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
    pub fn warned(mut self, warnings: &Problems) -> Self {
        self.report.configuration_read(Instant::ZERO, true, warnings.lines());
        self
    }

    /// Reads the configuration again.
    pub(crate) fn reload(&mut self, now: Instant) {
        let Some(origin) = &self.origin else { return info!("there is no configuration to read again") };
        if let Some(notifier) = &self.notifier {
            let _ = notifier.reloading();
        }
        match origin.load(&Surroundings::of_this_process()) {
            Ok(Loaded { config, warnings, .. }) => {
                warnings.lines().for_each(|line| warn!("{line}"));
                self.report.configuration_read(now, true, warnings.lines());
                match self.places.change(config) {
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

    fn apply(&mut self, now: Instant, Change { places, reconfiguration, words }: Change) {
        words.iter().for_each(|words| info!("configuration: {words}"));
        let before = std::mem::replace(&mut self.places, places);
        self.report.rename(self.places.interface_names());
        let (modems, interfaces) =
            (reconfiguration.modems.clone(), reconfiguration.removed_interfaces.clone());
        // Goodbyes are said by the ports that are there.
        self.input(now, Input::Reconfigure(Box::new(reconfiguration)));
        for interface in interfaces {
            self.close_port(interface);
        }
        for (number, name) in (0..).zip(self.places.interface_names().to_vec()) {
            let id = InterfaceId(number);
            if self.places.has_interface(id) && !before.has_interface(id) {
                self.add_interface(now, id, &name);
            }
        }
        for (modem, change) in modems {
            self.change_modem(now, modem, change);
        }
        for settings in
            self.places.modem_settings().iter().skip(self.modems.len()).cloned().collect::<Vec<_>>()
        {
            self.add_modem(now, settings);
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

    fn add_modem(&mut self, now: Instant, settings: ModemSettings) {
        let modem = ModemId(u16::try_from(self.modems.len()).unwrap_or(u16::MAX));
        let Some(key) = key() else { return };
        self.report.name_modem(modem, &settings.name);
        // The watcher numbers its paths as the modems are numbered.
        if let Err(error) = self.devices.watch(&settings.device) {
            error!("cannot {error}");
        }
        self.modems.push(ModemPort::new(settings, key, self.buffers.clone()));
        self.look_at_device(now, modem);
    }

    fn change_modem(&mut self, now: Instant, modem: ModemId, change: ModemChange) {
        let settings = self.places.modem_settings().get(usize::from(modem.0)).cloned();
        let (Some(port), Some(settings)) = (self.modem(modem), settings) else { return };
        port.changed = Some(settings);
        if change == ModemChange::Removed {
            self.devices.forget_path(PathId(usize::from(modem.0)));
        }
        let is_open = self.modem(modem).is_some_and(|port| port.is_open());
        if !is_open {
            self.adopt_settings(now, modem);
        }
    }

    /// A modem that is closed gets the settings that were changed meanwhile.
    pub(crate) fn adopt_settings(&mut self, now: Instant, modem: ModemId) {
        let Some(port) = self.modem(modem) else { return };
        let Some((settings, key)) = port.changed.take().zip(key()) else { return };
        let (device, name) = (settings.device.clone(), settings.name.clone());
        port.adopt(settings, key);
        self.report.name_modem(modem, &name);
        if !self.places.has_modem(modem) {
            return;
        }
        if let Err(error) = self.devices.watch_instead(PathId(usize::from(modem.0)), &device) {
            error!("cannot {error}");
        }
        self.look_at_device(now, modem);
    }

    /// Tells the control plane how things stand with a device; the caller carries out what comes of it.
    fn look_at_device(&mut self, now: Instant, modem: ModemId) {
        let state = self.devices.state(PathId(usize::from(modem.0)));
        self.bridge.handle_input(
            now,
            match state {
                DeviceState::Present => Input::ModemAppeared { modem },
                DeviceState::Missing | DeviceState::Forbidden => Input::ModemVanished { modem },
            },
        );
        if state != DeviceState::Present {
            warn!("{}: waiting for the device", self.report.modem(modem));
        }
    }
}

/// A random key for a queue. There is none only where the kernel gives no random numbers at all.
fn key() -> Option<[u8; 16]> {
    random::octets().inspect_err(|error| error!("cannot {error}")).ok()
}

//! Which modem is tried, and how: as the command line says, or as the configuration does.

use super::DialArguments;
use crate::cli::{Flow, Lock};
use crate::config::{self, Config, Surroundings};
use bridge_linux::serial_port::{FlowControl, LockPolicy, SerialSettings};
use bridge_proto::bridge::DialMethod;
use bridge_proto::chat::{ConversationOptions, Purpose, Script, ScriptOptions};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A modem, and its script unless a person talks to it.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) device: PathBuf,
    pub(super) serial: SerialSettings,
    pub(super) script: Option<(Arc<Script>, ConversationOptions)>,
}

impl Target {
    /// # Errors
    /// What is wrong with the script or the configuration, or that the latter has no such modem.
    pub(super) fn find(arguments: &DialArguments) -> Result<Self, String> {
        if let Some(path) = &arguments.chatscript {
            let options = options(arguments);
            return Ok(Self {
                script: Some((read_script(path, &options)?, options)),
                ..Self::as_given(arguments)
            });
        }
        // A name in the configuration has no slash, and a tty has one.
        if arguments.at && arguments.modem.as_os_str().as_bytes().contains(&b'/') {
            return Ok(Self::as_given(arguments));
        }
        let loaded = config::load(&arguments.config, &Surroundings::of_this_process());
        let config = loaded.map_err(|problems| problems.lines().collect::<Vec<_>>().join("\n"))?.config;
        Self::as_configured(arguments, &config)
    }

    fn as_given(arguments: &DialArguments) -> Self {
        let serial = SerialSettings {
            speed: arguments.speed,
            flow: match arguments.flow {
                Flow::Rtscts => FlowControl::RtsCts,
                Flow::Xonxoff => FlowControl::XonXoff,
                Flow::None => FlowControl::None,
            },
            lock: match arguments.lock {
                Lock::Uucp => LockPolicy::LockFile,
                Lock::Kernel => LockPolicy::KernelOnly,
            },
        };
        Self { device: arguments.modem.clone(), serial, script: None }
    }

    fn as_configured(arguments: &DialArguments, config: &Config) -> Result<Self, String> {
        let wanted = &arguments.modem;
        let number = modem_number(config, wanted).ok_or_else(|| {
            let names: Vec<&str> = config.modems.iter().map(|modem| modem.name.as_str()).collect();
            let (wanted, file) = (wanted.display(), arguments.config.display());
            format!("{file} has no modem or service {wanted}; its modems are: {}", names.join(", "))
        })?;
        let (Some(modem), Some(policy)) = (config.modems.get(number), config.bridge.modems.get(number))
        else {
            return Err(format!("{} has no modem of number {number}", arguments.config.display()));
        };
        let script = match &policy.dial {
            _ if arguments.at => None,
            DialMethod::Script(script, options) => Some((Arc::clone(script), options.clone())),
            DialMethod::Command(_) => {
                return Err(format!("{} is dialled by a command, not by a script", modem.name));
            }
        };
        Ok(Self { device: modem.device.clone(), serial: modem.serial.clone(), script })
    }
}

/// The modem of this name or device, or the first one of the service of this name.
fn modem_number(config: &Config, wanted: &Path) -> Option<usize> {
    let name = wanted.as_os_str();
    let modem = config.modems.iter().position(|modem| name == modem.name.as_str() || modem.device == wanted);
    modem.or_else(|| {
        let mut services = config.bridge.services.iter();
        let service = services.find(|service| service.name.as_octets() == name.as_bytes())?;
        service.modems.first().map(|modem| usize::from(modem.0))
    })
}

fn read_script(path: &Path, options: &ConversationOptions) -> Result<Arc<Script>, String> {
    let text = std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let script = Script::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    for warning in script.lint(Purpose::Dial, options) {
        println!("{}: {warning}", path.display());
    }
    Ok(Arc::new(script))
}

fn options(arguments: &DialArguments) -> ConversationOptions {
    let octets = |text: &String| text.clone().into_bytes();
    let environment =
        || std::env::vars_os().map(|(name, value)| (name.into_vec(), value.into_vec())).collect();
    ConversationOptions {
        script: ScriptOptions {
            phone_number: arguments.phone.as_ref().map(octets),
            second_phone_number: arguments.phone2.as_ref().map(octets),
            variables: arguments.chat_environment.then(environment),
        },
        timeout: arguments.chat_timeout,
        octet_pacing: arguments.chat_pacing,
        short_pause: arguments.chat_short_pause,
        ..ConversationOptions::default()
    }
}

//! Which modem is tried, and how: as the configuration says, as the options say, or as is usual.

use super::DialArguments;
use super::advice::Circumstances;
use crate::cli::{Flow, Lock};
use crate::config::{self, Config, Surroundings};
use bridge_linux::serial_port::{FlowControl, LockPolicy, SerialSettings};
use bridge_proto::bridge::{CallTiming, DialMethod};
use bridge_proto::chat::{ConversationOptions, Purpose, Script, ScriptOptions};
use clap::ValueEnum;
use clap::builder::PossibleValue;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A modem, and its script unless a person talks to it.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) device: PathBuf,
    pub(super) serial: SerialSettings,
    pub(super) script: Option<(Arc<Script>, ConversationOptions)>,
    /// What hangs it up after DTR was low.
    pub(super) hang_up: Option<(Arc<Script>, ConversationOptions)>,
    /// How long DTR is low.
    pub(super) on_hook: Duration,
    /// What is not as one might think.
    pub(super) note: Option<String>,
    /// What opens the console for it.
    console: String,
    is_configured: bool,
}

impl Target {
    /// # Errors
    /// What is wrong with the script or the configuration, or that the latter has no such modem.
    pub(super) fn find(arguments: &DialArguments) -> Result<Self, String> {
        let (path, is_certain) = match &arguments.config {
            Some(path) => (path.as_path(), true),
            None => (Path::new(config::DEFAULT_PATH), is_name(&arguments.modem)),
        };
        let is_complete = arguments.at || arguments.chatscript.is_some();
        let is_there = || path.exists() || path.with_extension("d").exists();
        if !is_certain && (is_complete || !is_there()) {
            return Self::as_given(arguments);
        }
        let loaded = config::load(path, &Surroundings::of_this_process());
        let config = loaded.map_err(|problems| problems.lines().collect::<Vec<_>>().join("\n"))?.config;
        match modem_number(&config, &arguments.modem) {
            Some((number, note)) => Self::as_configured(arguments, &config, number, note),
            None if is_certain => Err(unknown(&config, &arguments.modem, path)),
            None => Self::as_given(arguments),
        }
    }

    /// A device of which no configuration tells.
    fn as_given(arguments: &DialArguments) -> Result<Self, String> {
        let serial = SerialSettings { speed: 115_200, flow: FlowControl::RtsCts, lock: LockPolicy::LockFile };
        let mut target = Self {
            device: arguments.modem.clone(),
            serial: serial_settings(arguments, serial),
            script: None,
            hang_up: None,
            on_hook: CallTiming::default().on_hook,
            note: None,
            console: console(arguments, &arguments.modem.to_string_lossy()),
            is_configured: false,
        };
        if arguments.at {
            return Ok(target);
        }
        let mut options = with_options(arguments, ConversationOptions::default());
        let script = match &arguments.chatscript {
            Some(path) => read_script(path, &options)?,
            None => {
                options.script.phone_number.get_or_insert_with(|| config::DEFAULT_PHONE.into());
                target.note = Some("not configured: dialing by the default script; see --chatscript".into());
                let script = Script::parse(config::DEFAULT_SCRIPT.as_bytes());
                Arc::new(script.map_err(|error| error.to_string())?)
            }
        };
        target.script = Some((script, options));
        Ok(target)
    }

    /// As the configuration says of its modem of this number, except where an option says something else.
    fn as_configured(
        arguments: &DialArguments,
        config: &Config,
        number: usize,
        note: Option<String>,
    ) -> Result<Self, String> {
        let (Some(modem), Some(policy)) = (config.modems.get(number), config.bridge.modems.get(number))
        else {
            return Err(format!("the configuration has no modem of number {number}"));
        };
        let script = match (&policy.dial, &arguments.chatscript) {
            _ if arguments.at => None,
            (DialMethod::Script(_, options), Some(path)) => {
                let options = with_options(arguments, options.clone());
                Some((read_script(path, &options)?, options))
            }
            (DialMethod::Command(_), Some(path)) => {
                let options = with_options(arguments, ConversationOptions::default());
                Some((read_script(path, &options)?, options))
            }
            (DialMethod::Script(script, options), None) => {
                Some((Arc::clone(script), with_options(arguments, options.clone())))
            }
            (DialMethod::Command(_), None) => {
                return Err(format!(
                    "{} is dialled by a command, not by a script; give one by --chatscript=FILE",
                    modem.name
                ));
            }
        };
        let hang_up = policy.hang_up.clone();
        Ok(Self {
            device: modem.device.clone(),
            serial: serial_settings(arguments, modem.serial.clone()),
            script,
            hang_up: hang_up.map(|(script, options)| (script, with_options(arguments, options))),
            on_hook: policy.timing.on_hook,
            note,
            console: console(arguments, &modem.name),
            is_configured: true,
        })
    }

    pub(super) fn circumstances(&self) -> Circumstances<'_> {
        Circumstances {
            device: &self.device,
            console: &self.console,
            is_configured: self.is_configured,
            flow: self.serial.flow,
        }
    }
}

/// A name in the configuration has no slash, and a tty has one.
fn is_name(modem: &Path) -> bool {
    !modem.as_os_str().as_bytes().contains(&b'/')
}

/// The command line of the console for the same modem, opened in the same way.
fn console(arguments: &DialArguments, modem: &str) -> String {
    let mut words = vec!["pppoe-serial-bridge dial --at".to_owned()];
    words.extend(
        arguments.config.as_ref().map(|file| format!("--config={}", quoted(&file.to_string_lossy()))),
    );
    words.extend(arguments.speed.map(|speed| format!("--speed={speed}")));
    let value = |option: &str, value: Option<PossibleValue>| Some(format!("{option}={}", value?.get_name()));
    words.extend(value("--flow", arguments.flow.as_ref().and_then(ValueEnum::to_possible_value)));
    words.extend(value("--lock", arguments.lock.as_ref().and_then(ValueEnum::to_possible_value)));
    words.push(quoted(modem));
    words.join(" ")
}

/// A word as a shell wants it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:=,@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The modem of this name or device; or the first one of the service of this name, of which is told, that is there.
fn modem_number(config: &Config, wanted: &Path) -> Option<(usize, Option<String>)> {
    let name = wanted.as_os_str();
    // A link below /dev/serial/by-id and /dev/ttyUSB0 may be the same.
    let file = wanted.canonicalize().ok().filter(|_| !is_name(wanted));
    let is_it = |device: &PathBuf| device == wanted || (file.is_some() && device.canonicalize().ok() == file);
    let modem = config.modems.iter().position(|modem| name == modem.name.as_str() || is_it(&modem.device));
    modem.map(|number| (number, None)).or_else(|| {
        let mut services = config.bridge.services.iter();
        let service = services.find(|service| service.name.as_octets() == name.as_bytes())?;
        let numbers = || service.modems.iter().map(|modem| usize::from(modem.0));
        let is_there = |number: &usize| config.modems.get(*number).is_some_and(|modem| modem.device.exists());
        let first = numbers().next()?;
        let number = numbers().find(is_there).unwrap_or(first);
        let there = if number == first { "" } else { " that is there" };
        let modem = &config.modems.get(number)?.name;
        Some((number, Some(format!("modem {modem}, the first of {}{there}", service.name))))
    })
}

fn unknown(config: &Config, wanted: &Path, file: &Path) -> String {
    let modems: Vec<String> = config.modems.iter().map(|modem| modem.name.clone()).collect();
    let names = config.bridge.services.iter().map(|service| service.name.as_octets());
    let services: Vec<String> = names.map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let known = modems.iter().chain(&services).map(String::as_str);
    let help = match config::nearest(&wanted.to_string_lossy(), known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("modems: {}; services: {}", modems.join(", "), services.join(", ")),
    };
    format!("{} has no modem or service {}; {help}", file.display(), wanted.display())
}

fn serial_settings(arguments: &DialArguments, otherwise: SerialSettings) -> SerialSettings {
    SerialSettings {
        speed: arguments.speed.unwrap_or(otherwise.speed),
        flow: match arguments.flow {
            Some(Flow::Rtscts) => FlowControl::RtsCts,
            Some(Flow::Xonxoff) => FlowControl::XonXoff,
            Some(Flow::None) => FlowControl::None,
            None => otherwise.flow,
        },
        lock: match arguments.lock {
            Some(Lock::Uucp) => LockPolicy::LockFile,
            Some(Lock::Kernel) => LockPolicy::KernelOnly,
            None => otherwise.lock,
        },
    }
}

/// These, except where an option says something else.
fn with_options(arguments: &DialArguments, otherwise: ConversationOptions) -> ConversationOptions {
    let octets = |text: &String| text.clone().into_bytes();
    let mut variables = otherwise.script.variables;
    if arguments.chat_environment {
        let mut all = Surroundings::of_this_process().environment;
        // What the configuration says counts before the environment.
        all.extend(variables.into_iter().flatten());
        variables = Some(all);
    }
    ConversationOptions {
        script: ScriptOptions {
            phone_number: arguments.phone.as_ref().map(octets).or(otherwise.script.phone_number),
            second_phone_number: arguments
                .phone2
                .as_ref()
                .map(octets)
                .or(otherwise.script.second_phone_number),
            variables,
        },
        timeout: arguments.chat_timeout.unwrap_or(otherwise.timeout),
        octet_pacing: arguments.chat_pacing.unwrap_or(otherwise.octet_pacing),
        short_pause: arguments.chat_short_pause.unwrap_or(otherwise.short_pause),
        ..otherwise
    }
}

fn read_script(path: &Path, options: &ConversationOptions) -> Result<Arc<Script>, String> {
    let text = config::read_file(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let script = Script::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    for warning in script.lint(Purpose::Dial, options) {
        println!("{}: {warning}", path.display());
    }
    Ok(Arc::new(script))
}

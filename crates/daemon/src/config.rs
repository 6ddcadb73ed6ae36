//! What is to be run, checked once: parsed from the command line into types that cannot be wrong.

use crate::cli::{self, BridgeArguments};
use bridge_linux::serial_port::{FlowControl, LockPolicy, SerialSettings};
use bridge_proto::bridge::{
    BridgeConfig, CallTiming, DialMethod, ModemConfig, RescueConfig, RescueWhen, ServiceConfig, WatchConfig,
};
use bridge_proto::chat::{ConversationOptions, Script, ScriptError, ScriptOptions};
use bridge_proto::discovery::{AcName, DiscoveryPolicy, NameTooLong, ServiceName};
use bridge_proto::hdlc::Accm;
use bridge_proto::id::ModemId;
use bridge_proto::lcp::{MediatorConfig, MediatorMode};
use bridge_proto::modem::{BackoffConfig, BudgetConfig};
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Everything that a bridge needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// The policy.
    pub bridge: BridgeConfig,
    /// Names of the Ethernet interfaces, in the order of their numbers.
    pub interfaces: Vec<String>,
    /// The serial side of the modems, in the order of their numbers.
    pub modems: Vec<ModemSettings>,
    /// A device or an interface that is missing at the start is waited for.
    pub wait: bool,
}

/// The serial side of one modem.
#[derive(Clone, Debug)]
pub struct ModemSettings {
    /// Path of its tty.
    pub device: PathBuf,
    /// How the tty is opened.
    pub serial: SerialSettings,
    /// Shell command that dials, if no script does.
    pub connect: Option<String>,
    /// Shell command that brings a modem back to life.
    pub reset_command: Option<String>,
}

/// Why arguments do not make a configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The chat script cannot be read.
    #[error("cannot read chat script {}: {source}; give the path of a readable file to --chatscript", path.display())]
    ReadScript {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The chat script cannot be understood.
    #[error("{}: {}", path.display(), source)]
    Script {
        /// Its path.
        path: PathBuf,
        /// Where and why.
        source: ScriptError,
    },
    /// A name is too long for a tag.
    #[error("{what}: {source}")]
    Name {
        /// Which option or argument.
        what: &'static str,
        /// How long it may be.
        source: NameTooLong,
    },
    /// This machine has no usable name.
    #[error("cannot tell the name of this machine; give --ac-name=NAME")]
    HostName,
    /// An argument is missing.
    #[error("{0} is missing; see pppoe-serial-bridge --help")]
    Missing(&'static str),
}

impl Config {
    /// Makes the configuration of one modem, one service and one interface.
    ///
    /// # Errors
    /// What the operator has to mend.
    pub fn from_arguments(arguments: &BridgeArguments) -> Result<Self, ConfigError> {
        let device = arguments.device.clone().ok_or(ConfigError::Missing("DEVICE"))?;
        let service = arguments.service.as_deref().ok_or(ConfigError::Missing("SERVICE"))?;
        let interface = arguments.interface.clone().ok_or(ConfigError::Missing("INTERFACE"))?;
        let named = |what| move |source| ConfigError::Name { what, source };
        let service = ServiceName::parse(service.as_bytes()).map_err(named("SERVICE"))?;
        let ac_name = match &arguments.ac_name {
            Some(name) => name.clone(),
            None => host_name().ok_or(ConfigError::HostName)?,
        };
        let modem = ModemConfig {
            dial: dial_method(arguments)?,
            mediator: mediator(arguments),
            backoff: BackoffConfig::default(),
            timing: CallTiming {
                answer_by: arguments.answer_by,
                warm: arguments.warm,
                ..CallTiming::default()
            },
            watch: WatchConfig {
                silence: positive(arguments.silence),
                idle: arguments.idle,
                ..WatchConfig::default()
            },
            budget: BudgetConfig::default(),
            hang_up: hang_up(arguments)?,
            rescue: rescue(arguments)?,
            is_deaf: arguments.answer_echo,
        };
        Ok(Self {
            bridge: BridgeConfig {
                ac_name: AcName::parse(&ac_name).map_err(named("--ac-name"))?,
                discovery: DiscoveryPolicy::default(),
                interfaces: 1,
                services: vec![ServiceConfig { name: service, modems: vec![ModemId(0)] }],
                modems: vec![modem],
            },
            interfaces: vec![interface],
            modems: vec![ModemSettings {
                device,
                serial: serial_settings(arguments),
                connect: arguments.connect.clone(),
                reset_command: arguments.reset_command.clone(),
            }],
            wait: arguments.wait,
        })
    }
}

fn host_name() -> Option<String> {
    let name = bridge_linux::system::host_name();
    (!name.is_empty()).then_some(name)
}

fn dial_method(arguments: &BridgeArguments) -> Result<DialMethod, ConfigError> {
    let Some(path) = &arguments.chatscript else {
        return Ok(DialMethod::Command(arguments.connect_timeout));
    };
    let script = read_script(path)?;
    for warning in script.lint() {
        tracing::warn!("{}: {warning}", path.display());
    }
    let octets = |text: &String| text.clone().into_bytes();
    let options = ConversationOptions {
        script: ScriptOptions {
            phone_number: arguments.phone.as_ref().map(octets),
            second_phone_number: arguments.phone2.as_ref().map(octets),
            variables: arguments.chat_environment.then(environment),
        },
        timeout: arguments.chat_timeout,
        octet_pacing: arguments.chat_pacing,
        short_pause: arguments.chat_short_pause,
        ..ConversationOptions::default()
    };
    Ok(DialMethod::Script(Arc::new(script), options))
}

/// The escape sequence between its guard times, then on hook.
const ESCAPE_AND_HANG_UP: &[u8] = b"TIMEOUT 3 '' '\\d+++\\d\\c' '' ATH OK '\\c'";

fn hang_up(arguments: &BridgeArguments) -> Result<Option<Arc<Script>>, ConfigError> {
    if let Some(path) = &arguments.hangup_script {
        return read_script(path).map(|script| Some(Arc::new(script)));
    }
    if !arguments.hangup_escape {
        return Ok(None);
    }
    let script = Script::parse(ESCAPE_AND_HANG_UP);
    Ok(Some(Arc::new(script.expect("the constant is a script"))))
}

fn rescue(arguments: &BridgeArguments) -> Result<RescueConfig, ConfigError> {
    let reset = arguments.reset_script.as_deref().map(read_script).transpose()?;
    Ok(RescueConfig {
        when: match arguments.rescue {
            cli::Rescue::Never => RescueWhen::Never,
            cli::Rescue::Suspicion => RescueWhen::Suspicion,
            cli::Rescue::Always => RescueWhen::Always,
        },
        reset: reset.map(Arc::new),
        command: arguments.reset_command.is_some(),
    })
}

/// Zero stands for never.
fn positive(duration: Duration) -> Option<Duration> {
    (!duration.is_zero()).then_some(duration)
}

fn read_script(path: &Path) -> Result<Script, ConfigError> {
    let text =
        std::fs::read(path).map_err(|source| ConfigError::ReadScript { path: path.to_owned(), source })?;
    Script::parse(&text).map_err(|source| ConfigError::Script { path: path.to_owned(), source })
}

fn environment() -> BTreeMap<Vec<u8>, Vec<u8>> {
    std::env::vars_os().map(|(name, value)| (name.into_vec(), value.into_vec())).collect()
}

fn mediator(arguments: &BridgeArguments) -> MediatorConfig {
    MediatorConfig {
        mode: match arguments.lcp {
            cli::Lcp::Mediate => MediatorMode::Mediate,
            cli::Lcp::Transparent => MediatorMode::Transparent,
        },
        strip_pfc: !arguments.pass_pfc,
        // What the line itself takes for flow control must stay escaped.
        request_accm: match arguments.flow {
            cli::Flow::Xonxoff => Accm::XON_XOFF,
            cli::Flow::Rtscts | cli::Flow::None => Accm::NONE,
        },
        ..MediatorConfig::default()
    }
}

fn serial_settings(arguments: &BridgeArguments) -> SerialSettings {
    SerialSettings {
        speed: arguments.speed,
        flow: match arguments.flow {
            cli::Flow::Rtscts => FlowControl::RtsCts,
            cli::Flow::Xonxoff => FlowControl::XonXoff,
            cli::Flow::None => FlowControl::None,
        },
        lock: match arguments.lock {
            cli::Lock::Uucp => LockPolicy::LockFile,
            cli::Lock::Kernel => LockPolicy::KernelOnly,
        },
    }
}

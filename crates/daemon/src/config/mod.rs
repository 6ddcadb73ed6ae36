//! What is to be run, checked once: from files or the command line into types that cannot be wrong.
//!
//! Text becomes [`Settings`] (what a person may write, with every default), and these become a [`Config`]
//! (what the bridge is run with). Everything that is wrong is found in one go.

mod difference;
mod file;
mod likeness;
mod offer;
mod places;
mod problem;
mod script;
mod secret;
mod section;
mod settings;
mod size;
mod sources;
mod syntax;
mod value;

pub(crate) use likeness::nearest;
pub(crate) use places::{Change, Marks, Places};
pub use problem::Problems;
pub(crate) use script::{DEFAULT as DEFAULT_SCRIPT, DEFAULT_PHONE};
pub use settings::{
    Chat, ChatText, Dial, Discovery, InlineScript, Interface, Limits, Modem, Named, Pool, ScriptFile,
    ScriptSettings, Service, Settings, WhenBusy,
};
pub use size::Size;
pub(crate) use sources::read_file;

use crate::cli::{BridgeArguments, Flow, Lcp, Lock, LogLevel, Queue, Rescue};
use bridge_linux::serial_port::{FlowControl, LockPolicy, SerialSettings};
use bridge_proto::bridge::{
    self, BridgeConfig, BusyPolicy, CallTiming, DialMethod, InterfaceConfig, ModemConfig, OfferDelay,
    PoolPolicy, RescueConfig, RescueWhen, ServiceConfig, WatchConfig,
};
use bridge_proto::chat::{ConversationOptions, Purpose, Script, ScriptOptions};
use bridge_proto::discovery::{AcName, DiscoveryPolicy, NameTooLong, ServiceName};
use bridge_proto::hdlc::Accm;
use bridge_proto::id::ModemId;
use bridge_proto::lcp::{MediatorConfig, MediatorMode};
use bridge_proto::modem::{BackoffConfig, BudgetConfig, ESCAPE_AND_HANG_UP};
use bridge_proto::queue::Discipline;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::num::{NonZeroU16, NonZeroU32};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Where the configuration is if nobody says otherwise.
pub const DEFAULT_PATH: &str = "/etc/pppoe-serial-bridge.toml";

/// Everything that a bridge needs to know. Interfaces and modems have the numbers of their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How much is logged.
    pub log_level: LogLevel,
    /// The policy.
    pub bridge: BridgeConfig,
    /// Names of the Ethernet interfaces.
    pub interfaces: Vec<String>,
    /// The serial side of the modems.
    pub modems: Vec<ModemSettings>,
    /// A device or an interface that is missing at the start is waited for.
    pub wait: bool,
}

/// The serial side of one modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModemSettings {
    /// What the operator calls it.
    pub name: String,
    /// Path of its tty.
    pub device: PathBuf,
    /// How the tty is opened.
    pub serial: SerialSettings,
    /// How frames wait for it.
    pub queue: QueueSettings,
    /// Shell command that dials, if no script does.
    pub connect: Option<String>,
    /// Shell command that brings a modem back to life.
    pub reset_command: Option<String>,
}

/// How frames wait for a modem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueSettings {
    /// Who comes first.
    pub discipline: Discipline,
    /// Bits per second of the line behind the tty, ten an octet; learned where it can be if not given.
    pub line_rate: Option<u32>,
}

/// A configuration that can be used.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// As a person may write it, with every default.
    pub settings: Settings,
    /// As the bridge is run with.
    pub config: Config,
    /// What is probably a mistake.
    pub warnings: Problems,
}

/// What a configuration may take from the machine.
#[derive(Clone, Default)]
pub struct Surroundings {
    /// The default AC-Name.
    pub host_name: String,
    /// Variables for chat scripts that want them.
    pub environment: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl fmt::Debug for Surroundings {
    // Variables are where PINs and passwords are kept.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").field("host_name", &self.host_name).finish_non_exhaustive()
    }
}

impl Surroundings {
    /// Those of this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        let octets =
            |(name, value): (std::ffi::OsString, std::ffi::OsString)| (name.into_vec(), value.into_vec());
        Self {
            host_name: bridge_linux::system::host_name(),
            environment: std::env::vars_os().map(octets).collect(),
        }
    }
}

/// Where a configuration comes from, each time that it is read.
#[derive(Debug)]
pub enum Origin {
    /// A file, or a directory of them.
    File(PathBuf),
    /// The command line; only its chat scripts are files.
    CommandLine(Box<BridgeArguments>),
}

impl Origin {
    /// Reads it as it is now.
    ///
    /// # Errors
    /// Everything that the operator has to mend.
    pub fn load(&self, surroundings: &Surroundings) -> Result<Loaded, Problems> {
        match self {
            Self::File(path) => load(path, surroundings),
            Self::CommandLine(arguments) => from_arguments(arguments, surroundings),
        }
    }
}

/// Reads a file and the drop-ins beside it (`NAME.d/*.toml` beside `NAME.toml`), or a directory of them.
///
/// # Errors
/// Everything that the operator has to mend.
pub fn load(path: &Path, surroundings: &Surroundings) -> Result<Loaded, Problems> {
    let mut problems = Problems::default();
    let files = sources::files(path, &mut problems);
    let with_octets = |path: PathBuf| {
        let octets = read_file(&path);
        (path, octets)
    };
    let files = files.into_iter().map(with_octets).collect();
    let settings = file::read(files, surroundings, &mut problems);
    finish(Some(settings), surroundings, problems)
}

/// Reads what comes from standard input.
///
/// # Errors
/// Everything that the operator has to mend.
pub fn load_standard_input(surroundings: &Surroundings) -> Result<Loaded, Problems> {
    let mut problems = Problems::default();
    let files = vec![("(standard input)".into(), sources::read_standard_input())];
    let settings = file::read(files, surroundings, &mut problems);
    finish(Some(settings), surroundings, problems)
}

/// One modem, one service and one interface, from the command line.
///
/// # Errors
/// Everything that the operator has to mend.
pub fn from_arguments(arguments: &BridgeArguments, surroundings: &Surroundings) -> Result<Loaded, Problems> {
    let mut problems = Problems::default();
    let settings = arguments_settings(arguments, surroundings, &mut problems);
    finish(settings, surroundings, problems)
}

fn finish(
    settings: Option<Settings>,
    surroundings: &Surroundings,
    mut problems: Problems,
) -> Result<Loaded, Problems> {
    problems.sort();
    let Some(settings) = settings.filter(|_| !problems.has_errors()) else { return Err(problems) };
    match config(&settings, surroundings) {
        Ok(config) => Ok(Loaded { settings, config, warnings: problems }),
        Err(error) => {
            problems.error(None, error.to_string(), None);
            Err(problems)
        }
    }
}

/// What an empty Service-Name comes to: in a request it stands for any service (RFC 2516 §5.1).
const NAMELESS: &str = "the service has no name, so hosts can only get it by asking for any";

fn arguments_settings(
    arguments: &BridgeArguments,
    surroundings: &Surroundings,
    problems: &mut Problems,
) -> Option<Settings> {
    let mut given = |what: Option<&str>, name| {
        if what.is_none() {
            problems.error(None, format!("{name} is missing"), Some("see pppoe-serial-bridge --help".into()));
        }
        what.map(str::to_owned)
    };
    let service = given(arguments.service.as_deref(), "SERVICE");
    let interface = given(arguments.interface.as_deref(), "INTERFACE");
    let ac_name = arguments.ac_name.clone().unwrap_or_else(|| surroundings.host_name.clone());
    if arguments.ac_name.as_deref() == Some("") {
        problems.error(None, "--ac-name is empty", Some("leave it out for the host's name".into()));
    } else if ac_name.is_empty() {
        problems.error(None, "cannot tell the name of this machine", Some("give --ac-name=NAME".into()));
    }
    for (option, command) in
        [("--connect", &arguments.connect), ("--reset-command", &arguments.reset_command)]
    {
        if command.as_deref() == Some("") {
            problems.error(None, format!("{option} is empty"), Some("give a shell command".into()));
        }
    }
    if service.as_deref() == Some("") {
        problems.warn(None, NAMELESS, Some("give SERVICE a name".into()));
    }
    let scripts = arguments_script_settings(arguments);
    let options = conversation_options(&scripts, surroundings);
    let setting = script::Setting {
        purpose: Purpose::Other,
        options: &options,
        environment: scripts.environment,
        by_arguments: true,
    };
    let dial = arguments_dial(arguments, setting, problems);
    let hangup_file =
        arguments_script(arguments.hangup_script.as_ref(), "--hangup-script", setting, problems);
    let reset_file = arguments_script(arguments.reset_script.as_ref(), "--reset-script", setting, problems);
    let has_scripts = arguments.chatscript.is_some() || hangup_file.is_some() || reset_file.is_some();
    let (service, interface, device) = (service?, interface?, arguments.device.clone()?);
    // Nobody gave it a name.
    let name = device.display().to_string();
    let modem = Modem {
        speed: arguments.speed,
        flow: arguments.flow,
        queue: arguments.queue,
        line_rate: arguments.line_rate,
        lock: arguments.lock,
        lcp: arguments.lcp,
        pass_pfc: arguments.pass_pfc,
        answer_by: arguments.answer_by,
        warm: arguments.warm,
        silence: arguments.silence,
        idle: arguments.idle.unwrap_or_default(),
        answer_echo: arguments.answer_echo,
        hangup_escape: arguments.hangup_escape,
        hangup_file,
        rescue: arguments.rescue,
        reset_file,
        reset_command: arguments.reset_command.clone(),
        ..Modem::new(device, dial?, has_scripts.then_some(scripts))
    };
    let offered = Interface {
        ac_name: ac_name.clone(),
        services: vec![service.clone()],
        sessions: NonZeroU16::MIN,
        access: bridge::Access::default(),
        given: BTreeSet::new(),
    };
    Some(Settings {
        log_level: LogLevel::Info,
        wait: arguments.wait,
        ac_name,
        discovery: Discovery::default(),
        limits: Limits {
            sessions: NonZeroU16::MIN,
            sessions_per_peer: NonZeroU16::MIN,
            given: BTreeSet::new(),
        },
        modem: Named(vec![(name.clone(), modem)]),
        service: Named(vec![(service, Service::new(vec![name]))]),
        interface: Named(vec![(interface, offered)]),
    })
}

fn arguments_script(
    path: Option<&PathBuf>,
    option: &str,
    setting: script::Setting<'_>,
    problems: &mut Problems,
) -> Option<ScriptFile> {
    let path = path?;
    let remedy = format!("give the path of a readable file to {option}");
    let script = script::from_file(problems, path, None, &remedy, setting)?;
    Some(ScriptFile { path: path.clone(), script })
}

fn arguments_dial(
    arguments: &BridgeArguments,
    setting: script::Setting<'_>,
    problems: &mut Problems,
) -> Option<Dial> {
    let Some(path) = &arguments.chatscript else {
        let connect = arguments.connect.clone().unwrap_or_default();
        return Some(Dial::Command { connect, connect_timeout: arguments.connect_timeout });
    };
    let setting = script::Setting { purpose: Purpose::Dial, ..setting };
    let ScriptFile { path, script } = arguments_script(Some(path), "--chatscript", setting, problems)?;
    Some(Dial::Script(Chat { text: ChatText::ChatFile(path), script }))
}

fn arguments_script_settings(arguments: &BridgeArguments) -> ScriptSettings {
    ScriptSettings {
        chat_timeout: arguments.chat_timeout,
        chat_pacing: arguments.chat_pacing,
        chat_short_pause: arguments.chat_short_pause,
        phone: arguments.phone.clone(),
        phone2: arguments.phone2.clone(),
        environment: arguments.chat_environment,
        ..ScriptSettings::default()
    }
}

impl Settings {
    /// As a file that is read as the same.
    ///
    /// # Errors
    /// If a path is not text.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string_pretty(self)
    }
}

fn config(settings: &Settings, surroundings: &Surroundings) -> Result<Config, NameTooLong> {
    let limits = bridge::Limits {
        sessions: usize::from(settings.limits.sessions.get()),
        sessions_per_peer: usize::from(settings.limits.sessions_per_peer.get()),
        padi_rate: settings.discovery.padi_rate,
        peer_rate: settings.discovery.peer_rate,
    };
    let discovery = DiscoveryPolicy {
        disclose_services: settings.discovery.disclose_services,
        accept_missing_service_name: settings.discovery.accept_missing_service_name,
    };
    let (services, modems) = (settings.service.numbers(), settings.modem.numbers());
    let interfaces = settings.interface.0.iter().map(|(_, interface)| interface_config(&services, interface));
    let services = settings.service.0.iter().map(|(name, service)| service_config(&modems, name, service));
    let modems = settings.modem.0.iter().map(|(_, modem)| modem_config(modem, surroundings));
    Ok(Config {
        log_level: settings.log_level,
        bridge: BridgeConfig {
            discovery,
            limits,
            interfaces: interfaces.collect::<Result<_, _>>()?,
            services: services.collect::<Result<_, _>>()?,
            modems: modems.collect(),
        },
        interfaces: settings.interface.0.iter().map(|(name, _)| name.clone()).collect(),
        modems: settings.modem.0.iter().map(|(name, modem)| modem_settings(name, modem)).collect(),
        wait: settings.wait,
    })
}

fn interface_config(
    services: &HashMap<&str, u16>,
    interface: &Interface,
) -> Result<InterfaceConfig, NameTooLong> {
    let number = |name: &String| services.get(name.as_str()).map(|number| usize::from(*number));
    Ok(InterfaceConfig {
        ac_name: AcName::parse(&interface.ac_name)?,
        services: interface.services.iter().filter_map(number).collect(),
        access: interface.access.clone(),
        sessions: usize::from(interface.sessions.get()),
    })
}

fn service_config(
    modems: &HashMap<&str, u16>,
    name: &str,
    service: &Service,
) -> Result<ServiceConfig, NameTooLong> {
    let modem = |name: &String| modems.get(name.as_str()).map(|number| ModemId(*number));
    Ok(ServiceConfig {
        name: ServiceName::parse(name.as_bytes())?,
        modems: service.modems.iter().filter_map(modem).collect(),
        pool: match service.pool {
            Pool::FirstFree => PoolPolicy::FirstFree,
            Pool::RoundRobin => PoolPolicy::RoundRobin,
            Pool::LeastRecentlyFailed => PoolPolicy::LeastRecentlyFailed,
            Pool::Sticky => PoolPolicy::Sticky,
        },
        when_busy: match service.when_busy {
            WhenBusy::Refuse => BusyPolicy::Refuse,
            WhenBusy::Replace => BusyPolicy::Replace,
        },
        access: service.access.clone(),
        sessions: usize::from(service.sessions.get()),
        delay: OfferDelay { fixed: service.pado_delay, per_session: service.pado_delay_per_session },
    })
}

fn modem_config(modem: &Modem, surroundings: &Surroundings) -> ModemConfig {
    let scripts = modem.scripts.as_ref();
    let options = scripts.map(|scripts| conversation_options(scripts, surroundings)).unwrap_or_default();
    ModemConfig {
        dial: match &modem.dial {
            Dial::Script(chat) => DialMethod::Script(chat.script.clone(), options.clone()),
            Dial::Command { connect_timeout, .. } => DialMethod::Command(*connect_timeout),
        },
        mediator: MediatorConfig {
            mode: match modem.lcp {
                Lcp::Mediate => MediatorMode::Mediate,
                Lcp::Transparent => MediatorMode::Transparent,
            },
            strip_pfc: !modem.pass_pfc,
            // What the line itself takes for flow control must stay escaped.
            request_accm: match modem.flow {
                Flow::Xonxoff => Accm::XON_XOFF,
                Flow::Rtscts | Flow::None => Accm::NONE,
            },
            request_acfc: modem.request_acfc,
            request_pfc: modem.request_pfc,
            ..MediatorConfig::default()
        },
        backoff: BackoffConfig { first: modem.backoff_first, longest: modem.backoff_longest },
        timing: CallTiming {
            answer_by: modem.answer_by,
            warm: modem.warm,
            on_hook: modem.on_hook,
            restart: modem.lcp_restart,
        },
        watch: WatchConfig {
            silence: unless_zero(modem.silence),
            questions: modem.echo_questions,
            question_interval: modem.echo_interval,
            idle: unless_zero(modem.idle),
        },
        budget: BudgetConfig {
            dials_per_hour: modem.dials_per_hour.map(NonZeroU32::get),
            online_per_day: modem.online_per_day,
            octets_per_month: modem.volume_per_month.map(|size| size.0),
        },
        hang_up: hang_up(modem, &options),
        rescue: RescueConfig {
            when: match modem.rescue {
                Rescue::Never => RescueWhen::Never,
                Rescue::Suspicion => RescueWhen::Suspicion,
                Rescue::Always => RescueWhen::Always,
            },
            reset: modem.reset_script().map(|script| (script.clone(), options.clone())),
            command: modem.reset_command.is_some(),
        },
        is_deaf: modem.answer_echo,
    }
}

/// The script that hangs up after DTR was low.
fn hang_up(modem: &Modem, options: &ConversationOptions) -> Option<(Arc<Script>, ConversationOptions)> {
    if !modem.hangup_escape {
        return modem.hangup_script().map(|script| (script.clone(), options.clone()));
    }
    // It brings its own times, and the guard time around +++ bears no other pace.
    let script = Script::parse(ESCAPE_AND_HANG_UP).expect("the constant is a script");
    Some((Arc::new(script), ConversationOptions::default()))
}

/// Zero stands for never.
fn unless_zero(duration: Duration) -> Option<Duration> {
    (!duration.is_zero()).then_some(duration)
}

fn conversation_options(scripts: &ScriptSettings, surroundings: &Surroundings) -> ConversationOptions {
    let octets = |text: &String| text.clone().into_bytes();
    // Without variables a `$` is only a `$`: AT$QCRMCALL is a command of many sticks.
    let mut variables = scripts.environment.then(|| surroundings.environment.clone());
    if !scripts.variables.is_empty() {
        let own = scripts.variables.iter().map(|(name, value)| (octets(name), octets(value)));
        variables.get_or_insert_default().extend(own);
    }
    ConversationOptions {
        script: ScriptOptions {
            phone_number: scripts.phone.as_ref().map(octets),
            second_phone_number: scripts.phone2.as_ref().map(octets),
            variables,
        },
        timeout: scripts.chat_timeout,
        octet_pacing: scripts.chat_pacing,
        short_pause: scripts.chat_short_pause,
        fractional_timeouts: scripts.chat_fractional_timeouts,
        ..ConversationOptions::default()
    }
}

fn modem_settings(name: &str, modem: &Modem) -> ModemSettings {
    ModemSettings {
        name: name.to_owned(),
        device: modem.device.clone(),
        serial: SerialSettings {
            speed: modem.speed,
            flow: match modem.flow {
                Flow::Rtscts => FlowControl::RtsCts,
                Flow::Xonxoff => FlowControl::XonXoff,
                Flow::None => FlowControl::None,
            },
            lock: match modem.lock {
                Lock::Uucp => LockPolicy::LockFile,
                Lock::Kernel => LockPolicy::KernelOnly,
            },
        },
        queue: QueueSettings {
            discipline: match modem.queue {
                Queue::Fair => Discipline::Fair,
                Queue::Fifo => Discipline::Fifo,
            },
            line_rate: modem.line_rate,
        },
        connect: match &modem.dial {
            Dial::Script(_) => None,
            Dial::Command { connect, .. } => Some(connect.clone()),
        },
        reset_command: modem.reset_command.clone(),
    }
}

//! The configuration as a person may write it, with every default in its place.
//!
//! It serialises to a file that is read as the same.

use super::size::Size;
use crate::cli::{Flow, Lcp, Lock, LogLevel, Queue, Rescue};
use bridge_proto::bridge::{self, Access, OfferDelay};
use bridge_proto::chat::{ConversationOptions, Script};
use bridge_proto::discovery::DiscoveryPolicy;
use bridge_proto::modem::BackoffConfig;
use clap::ValueEnum;
use serde::{Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::num::{NonZeroU16, NonZeroU32};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The whole configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// How much is logged.
    #[serde(serialize_with = "choice")]
    pub log_level: LogLevel,
    /// Whether devices and interfaces that are missing at the start are waited for.
    pub wait: bool,
    /// The AC-Name of interfaces that have no other.
    pub ac_name: String,
    /// What hosts are told, and forgiven.
    pub discovery: Discovery,
    /// How much is enough.
    pub limits: Limits,
    /// The modems.
    pub modem: Named<Modem>,
    /// The services.
    pub service: Named<Service>,
    /// The interfaces.
    pub interface: Named<Interface>,
}

/// What hosts are told, and forgiven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Discovery {
    /// Whether an offer names all services.
    pub disclose_services: bool,
    /// Whether a request may lack its Service-Name.
    pub accept_missing_service_name: bool,
    /// PADIs a second on each interface.
    pub padi_rate: NonZeroU32,
    /// Requests a second of each host.
    pub peer_rate: NonZeroU32,
}

impl Default for Discovery {
    fn default() -> Self {
        let policy = DiscoveryPolicy::default();
        let limits = bridge::Limits::default();
        Self {
            disclose_services: policy.disclose_services,
            accept_missing_service_name: policy.accept_missing_service_name,
            padi_rate: limits.padi_rate,
            peer_rate: limits.peer_rate,
        }
    }
}

/// How much is enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Sessions at once.
    pub sessions: NonZeroU16,
    /// Sessions of one host at once.
    pub sessions_per_peer: NonZeroU16,
    /// The keys that the file has: the defaults of others may follow from what else is there.
    #[serde(skip)]
    pub given: BTreeSet<String>,
}

/// One modem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Modem {
    /// Path of its tty.
    pub device: PathBuf,
    /// Bits per second.
    pub speed: u32,
    /// Who says "wait", and how.
    #[serde(serialize_with = "choice")]
    pub flow: Flow,
    /// How frames wait for it.
    #[serde(serialize_with = "choice")]
    pub queue: Queue,
    /// Bits per second that the line behind the tty takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_rate: Option<u32>,
    /// Who else is kept off the tty.
    #[serde(serialize_with = "choice")]
    pub lock: Lock,
    /// How LCP passes.
    #[serde(serialize_with = "choice")]
    pub lcp: Lcp,
    /// Whether the host sees the modem's wish for protocol field compression.
    pub pass_pfc: bool,
    /// Whether the modem is asked to leave out address and control field.
    pub request_acfc: bool,
    /// Whether the modem is asked to compress the protocol field.
    pub request_pfc: bool,
    /// A host gets its answer after this time even if the modem is still dialing.
    #[serde(serialize_with = "time")]
    pub answer_by: Duration,
    /// How long a connected modem waits for its host.
    #[serde(serialize_with = "time")]
    pub warm: Duration,
    /// How long DTR stays low at hang-up.
    #[serde(serialize_with = "time")]
    pub on_hook: Duration,
    /// How long a goodbye may take.
    #[serde(serialize_with = "time")]
    pub lcp_restart: Duration,
    /// The rest after the first failed dial.
    #[serde(serialize_with = "time")]
    pub backoff_first: Duration,
    /// The longest rest after failed dials.
    #[serde(serialize_with = "time")]
    pub backoff_longest: Duration,
    /// A host that was silent for so long is asked whether it is alive; zero: never.
    #[serde(serialize_with = "time")]
    pub silence: Duration,
    /// So many questions without an answer are an answer.
    pub echo_questions: u8,
    /// The time between two questions.
    #[serde(serialize_with = "time")]
    pub echo_interval: Duration,
    /// A session on which no data passed for so long is ended; zero: never.
    #[serde(serialize_with = "time")]
    pub idle: Duration,
    /// Whether the host's LCP Echo-Requests are answered in the modem's stead.
    pub answer_echo: bool,
    /// Whether it is also hung up by `+++` and `ATH`.
    pub hangup_escape: bool,
    /// A chat script that also hangs it up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hangup: Option<InlineScript>,
    /// The same in a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hangup_file: Option<ScriptFile>,
    /// When it is checked before it is dialled.
    #[serde(serialize_with = "choice")]
    pub rescue: Rescue,
    /// A chat script that resets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset: Option<InlineScript>,
    /// The same in a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset_file: Option<ScriptFile>,
    /// A shell command that resets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset_command: Option<String>,
    /// Dials in any hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dials_per_hour: Option<NonZeroU32>,
    /// Time connected in a day.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "some_time")]
    pub online_per_day: Option<Duration>,
    /// What may pass in a month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_per_month: Option<Size>,
    /// How it is connected.
    #[serde(flatten)]
    pub dial: Dial,
    /// How its chat scripts are held, if it has any.
    #[serde(flatten)]
    pub scripts: Option<ScriptSettings>,
}

/// A chat script in the configuration.
#[derive(Clone, PartialEq, Eq)]
pub struct InlineScript {
    /// As it was written.
    pub text: String,
    /// What it says.
    pub script: Arc<Script>,
}

impl Serialize for InlineScript {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

/// A chat script in a file of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct ScriptFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub script: Arc<Script>,
}

impl Serialize for ScriptFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.path.serialize(serializer)
    }
}

impl Modem {
    pub(super) fn new(device: PathBuf, dial: Dial, scripts: Option<ScriptSettings>) -> Self {
        let timing = bridge::CallTiming::default();
        let backoff = BackoffConfig::default();
        let watch = bridge::WatchConfig::default();
        Self {
            device,
            speed: 115_200,
            flow: Flow::Rtscts,
            queue: Queue::Fair,
            line_rate: None,
            lock: Lock::Uucp,
            lcp: Lcp::Mediate,
            pass_pfc: false,
            request_acfc: true,
            request_pfc: true,
            answer_by: timing.answer_by,
            warm: timing.warm,
            on_hook: timing.on_hook,
            lcp_restart: timing.restart,
            backoff_first: backoff.first,
            backoff_longest: backoff.longest,
            silence: watch.silence.unwrap_or_default(),
            echo_questions: watch.questions,
            echo_interval: watch.question_interval,
            idle: watch.idle.unwrap_or_default(),
            answer_echo: false,
            hangup_escape: false,
            hangup: None,
            hangup_file: None,
            rescue: Rescue::Suspicion,
            reset: None,
            reset_file: None,
            reset_command: None,
            dials_per_hour: None,
            online_per_day: None,
            volume_per_month: None,
            dial,
            scripts,
        }
    }

    /// The script that hangs it up, wherever it is written.
    pub(super) fn hangup_script(&self) -> Option<&Arc<Script>> {
        let inline = self.hangup.as_ref().map(|inline| &inline.script);
        inline.or(self.hangup_file.as_ref().map(|file| &file.script))
    }

    /// The script that resets it, wherever it is written.
    pub(super) fn reset_script(&self) -> Option<&Arc<Script>> {
        let inline = self.reset.as_ref().map(|inline| &inline.script);
        inline.or(self.reset_file.as_ref().map(|file| &file.script))
    }
}

/// How a modem is connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Dial {
    /// By a chat script.
    Script(Chat),
    /// By a program.
    Command {
        /// The shell command.
        connect: String,
        /// It fails if it has not ended by then.
        #[serde(serialize_with = "time")]
        connect_timeout: Duration,
    },
}

/// A chat script that dials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chat {
    /// Where the script is written.
    #[serde(flatten)]
    pub text: ChatText,
    /// What it says.
    #[serde(skip)]
    pub script: Arc<Script>,
}

/// How the chat scripts of a modem are held.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ScriptSettings {
    /// Until the script says otherwise.
    #[serde(serialize_with = "time")]
    pub chat_timeout: Duration,
    /// Before each octet.
    #[serde(serialize_with = "time")]
    pub chat_pacing: Duration,
    /// What `\p` means.
    #[serde(serialize_with = "time")]
    pub chat_short_pause: Duration,
    /// Whether `TIMEOUT 0.5` is half a second.
    pub chat_fractional_timeouts: bool,
    /// What `\T` means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// What `\U` means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone2: Option<String>,
    /// Whether the environment's variables are known to the script.
    pub environment: bool,
    /// Variables of the script.
    pub variables: BTreeMap<String, String>,
}

/// Where PINs and passwords are, that is in variables and in scripts, is left out.
impl fmt::Debug for ScriptSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptSettings")
            .field("environment", &self.environment)
            .field("variables", &self.variables.keys())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for InlineScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InlineScript").finish_non_exhaustive()
    }
}

impl fmt::Debug for ScriptFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ScriptFile").field(&self.path).finish()
    }
}

impl fmt::Debug for ChatText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chat(_) => f.debug_tuple("Chat").finish_non_exhaustive(),
            Self::ChatFile(path) => f.debug_tuple("ChatFile").field(path).finish(),
        }
    }
}

/// Where a chat script is written.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatText {
    /// In the configuration.
    Chat(String),
    /// In a file of its own.
    ChatFile(PathBuf),
}

impl Default for ScriptSettings {
    fn default() -> Self {
        let options = ConversationOptions::default();
        Self {
            chat_timeout: options.timeout,
            chat_pacing: options.octet_pacing,
            chat_short_pause: options.short_pause,
            chat_fractional_timeouts: options.fractional_timeouts,
            phone: None,
            phone2: None,
            environment: false,
            variables: BTreeMap::new(),
        }
    }
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Service {
    /// Names of the modems that may serve it.
    pub modems: Vec<String>,
    /// In which order they are tried.
    #[serde(serialize_with = "choice")]
    pub pool: Pool,
    /// What is done when all are in use.
    #[serde(serialize_with = "choice")]
    pub when_busy: WhenBusy,
    /// Sessions at once.
    pub sessions: NonZeroU16,
    /// How long an offer is held back.
    #[serde(serialize_with = "time")]
    pub pado_delay: Duration,
    /// And for each session of this service.
    #[serde(serialize_with = "time")]
    pub pado_delay_per_session: Duration,
    /// Who may have it.
    #[serde(flatten, serialize_with = "access")]
    pub access: Access,
    /// The keys that the file has: the defaults of others may follow from what else is there.
    #[serde(skip)]
    pub given: BTreeSet<String>,
}

impl Service {
    pub(super) fn new(modems: Vec<String>) -> Self {
        let delay = OfferDelay::default();
        Self {
            sessions: count(modems.len()),
            modems,
            pool: Pool::FirstFree,
            when_busy: WhenBusy::Refuse,
            pado_delay: delay.fixed,
            pado_delay_per_session: delay.per_session,
            access: Access::default(),
            given: BTreeSet::new(),
        }
    }
}

/// One interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// The AC-Name of its offers.
    pub ac_name: String,
    /// Names of the services that are offered there, the default first.
    pub services: Vec<String>,
    /// Sessions at once.
    pub sessions: NonZeroU16,
    /// Who may come there.
    #[serde(flatten, serialize_with = "access")]
    pub access: Access,
    /// The keys that the file has: the defaults of others may follow from what else is there.
    #[serde(skip)]
    pub given: BTreeSet<String>,
}

/// In which order the modems of a service are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pool {
    /// The first free one.
    FirstFree,
    /// The one after the last.
    RoundRobin,
    /// The one whose failure is longest ago.
    LeastRecentlyFailed,
    /// The one the host had last.
    Sticky,
}

/// What is done when all modems of a service are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WhenBusy {
    /// New hosts are refused.
    Refuse,
    /// They take the place of the host that was connected for longest.
    Replace,
}

/// Things with the names that the operator gave them, in his order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<T>(pub Vec<(String, T)>);

impl<T> Named<T> {
    pub(super) fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }

    pub(super) fn of_name(&self, wanted: &str) -> Option<&T> {
        self.0.iter().find(|(name, _)| name == wanted).map(|(_, thing)| thing)
    }

    pub(crate) fn numbers(&self) -> HashMap<&str, u16> {
        self.0.iter().map(|(name, _)| name.as_str()).zip(0..).collect()
    }
}

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

pub(super) fn count(number: usize) -> NonZeroU16 {
    let number = u16::try_from(number).unwrap_or(u16::MAX);
    NonZeroU16::new(number).unwrap_or(NonZeroU16::MIN)
}

fn choice<T: ValueEnum, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let name = value.to_possible_value();
    serializer.serialize_str(name.as_ref().map_or("", |name| name.get_name()))
}

fn time<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_duration(*time))
}

fn some_time<S: Serializer>(some: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    time(&some.unwrap_or_default(), serializer)
}

fn access<S: Serializer>(access: &Access, serializer: S) -> Result<S::Ok, S::Error> {
    let texts = |list: &[bridge::MacPattern]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    serializer.collect_map([("allow", texts(&access.allow)), ("deny", texts(&access.deny))])
}

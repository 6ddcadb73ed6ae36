//! From the text of the files to [`Settings`]: every key of the whole and of a modem, its bounds and its default.

use super::likeness::OF_SCRIPTS;
use super::offer::{interfaces, services};
use super::problem::{Place, Problems};
use super::script::{self, Setting};
use super::section::{Found, Section};
use super::settings::{
    Chat, ChatText, Dial, Discovery, InlineScript, Interface, Limits, Modem, Named, ScriptFile,
    ScriptSettings, Service, Settings, count,
};
use super::size::Size;
use super::value::Bounds;
use super::{Surroundings, conversation_options, sources, syntax};
use crate::cli::LogLevel;
use bridge_linux::serial_port::can_be_a_tty;
use bridge_proto::chat::Purpose;
use bridge_proto::discovery::AcName;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::num::NonZeroU16;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

const TENTH: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Reads files that are one configuration; what a later one says counts. What is wrong with them is put to
/// `problems`, and if anything is, the settings may not be what was meant.
pub(super) fn read(
    files: Vec<(PathBuf, io::Result<Vec<u8>>)>,
    surroundings: &Surroundings,
    problems: &mut Problems,
) -> Settings {
    let number = files.len();
    let texts: Vec<_> =
        files.into_iter().filter_map(|(path, octets)| sources::text(&path, octets, problems)).collect();
    problems.is_incomplete |= texts.len() < number;
    let mut tables = Vec::new();
    let mut broken = Vec::new();
    for (source, text) in &texts {
        let (table, is_whole) = syntax::parse(*source, text, problems);
        if !is_whole {
            broken.push(*source);
        }
        tables.push((*source, table));
    }
    problems.is_incomplete |= !broken.is_empty();
    let told = problems.count();
    let shared = RefCell::new(std::mem::take(problems));
    let settings = settings(Section::root(&tables, &shared), surroundings);
    *problems = shared.into_inner();
    // What seems to be wrong with the rest of a file that has a broken line may come of that line.
    problems.forget_in(&broken, told);
    settings
}

fn settings(mut root: Section<'_>, surroundings: &Surroundings) -> Settings {
    // What is in a table with a misspelled name is not missing.
    let is_misspelled = ["modem", "service", "interface"].iter().any(|kind| root.has_nearly(kind));
    root.problems().borrow_mut().is_incomplete |= is_misspelled;
    let log_level = root.choice_or("log_level", LogLevel::Info);
    let wait = root.value_or("wait", true);
    let ac_name = ac_name(&mut root, &surroundings.host_name);
    if ac_name.is_empty() && root.place_of("ac_name").is_none() {
        root.missing(None, "cannot tell the name of this machine", Some("set ac_name = \"NAME\"".into()));
    }
    let discovery = discovery(root.section("discovery"));
    let (modem, modem_places) = modems(&mut root, surroundings);
    let (service, service_places) = services(&mut root, &modem.names());
    let interface = interfaces(&mut root, &ac_name, &service.names(), modem.0.len());
    let limits = limits(root.section("limits"), modem.0.len(), service.0.len());
    require(&root, modem.0.is_empty(), "modem", "[modem.stick]\ndevice = \"/dev/ttyUSB0\"");
    require(&root, service.0.is_empty(), "service", "[service.internet]");
    require(&root, interface.0.is_empty(), "interface", "[interface.eth0]");
    warn_of_idle(&root, &modem, &modem_places, &service, &service_places, &interface);
    root.finish();
    Settings { log_level, wait, ac_name, discovery, limits, modem, service, interface }
}

fn require(root: &Section<'_>, missing: bool, kind: &str, example: &str) {
    // One that is there and wrong has been told of.
    if missing && root.place_of(kind).is_none() {
        root.missing(None, format!("there is no {kind}"), Some(format!("add, for example,\n{example}")));
    }
}

pub(super) fn ac_name(section: &mut Section<'_>, default: &str) -> String {
    let Some(found) = section.value::<String>("ac_name") else { return default.to_owned() };
    if found.value.is_empty() {
        section.error(
            Some(&found.place),
            "`ac_name` is empty",
            Some("leave it out for the host's name".into()),
        );
    } else if let Err(error) = AcName::parse(&found.value) {
        section.error(Some(&found.place), error.to_string(), Some("write a shorter one".into()));
    }
    found.value
}

fn discovery(mut section: Section<'_>) -> Discovery {
    let default = Discovery::default();
    let discovery = Discovery {
        disclose_services: section.value_or("disclose_services", default.disclose_services),
        accept_missing_service_name: section
            .value_or("accept_missing_service_name", default.accept_missing_service_name),
        padi_rate: section.value_or("padi_rate", default.padi_rate),
        peer_rate: section.value_or("peer_rate", default.peer_rate),
    };
    section.finish();
    discovery
}

fn limits(mut section: Section<'_>, modems: usize, services: usize) -> Limits {
    let limits = Limits {
        sessions: sessions(&mut section, "sessions", modems, modems),
        sessions_per_peer: sessions(&mut section, "sessions_per_peer", services, modems),
        given: section.given(),
    };
    section.finish();
    limits
}

/// How many sessions there may be at once, where there are so many modems.
pub(super) fn sessions(
    section: &mut Section<'_>,
    key: &'static str,
    default: usize,
    modems: usize,
) -> NonZeroU16 {
    let Some(found) = section.value::<NonZeroU16>(key) else { return count(default) };
    let all_are_known = modems > 0 && !section.problems().borrow().is_incomplete;
    if all_are_known && usize::from(found.value.get()) > modems {
        let what = format!("`{key}` is more than there are modems, so it limits nothing");
        let help = format!("write a number up to {modems}, add modems, or leave it out");
        section.warn(Some(&found.place), what, Some(help));
    }
    found.value
}

/// What is there but used by nothing. Where something is wrong, that may be why.
fn warn_of_idle(
    root: &Section<'_>,
    modem: &Named<Modem>,
    modem_places: &[Option<Place>],
    service: &Named<Service>,
    service_places: &[Option<Place>],
    interface: &Named<Interface>,
) {
    if root.problems().borrow().has_errors() {
        return;
    }
    for ((name, _), place) in modem.0.iter().zip(modem_places) {
        if !service.0.iter().any(|(_, service)| service.modems.contains(name)) {
            let help = "add it to `modems` of a service";
            root.warn(place.as_ref(), format!("no service uses [modem.{name}]"), Some(help.into()));
        }
    }
    for ((name, _), place) in service.0.iter().zip(service_places) {
        if !interface.0.iter().any(|(_, offered)| offered.services.contains(name)) {
            let help = "add it to `services` of an interface";
            root.warn(place.as_ref(), format!("no interface offers [service.{name}]"), Some(help.into()));
        }
    }
}

fn modems(root: &mut Section<'_>, surroundings: &Surroundings) -> (Named<Modem>, Vec<Option<Place>>) {
    let mut places = Vec::new();
    let mut modems: Vec<(String, Modem)> = Vec::new();
    let mut by_device: HashMap<Device, usize> = HashMap::new();
    for mut section in root.sections("modem", "stick") {
        let modem = modem(&mut section, surroundings);
        if !modem.device.as_os_str().is_empty() {
            let number = *by_device.entry(Device::at(&modem.device)).or_insert(modems.len());
            if let Some((name, other)) = modems.get(number) {
                let what = format!("[modem.{name}] has this device already");
                let help = if other.device == modem.device {
                    "each modem has its own".to_owned()
                } else {
                    format!("it is the same as {}; each modem has its own", other.device.display())
                };
                section.error(section.place_of_value("device").as_ref(), what, Some(help));
            }
        }
        modems.push((section.key.clone(), modem));
        places.push(section.place.clone());
        section.finish();
    }
    (Named(modems), places)
}

/// A device, whatever name it goes by. One that is not there has only its name.
#[derive(PartialEq, Eq, Hash)]
enum Device {
    Number(u64),
    Path(PathBuf),
}

impl Device {
    fn at(path: &Path) -> Self {
        match path.metadata() {
            Ok(metadata) if metadata.file_type().is_char_device() => Self::Number(metadata.rdev()),
            _ => Self::Path(path.canonicalize().unwrap_or_else(|_| path.to_owned())),
        }
    }
}

/// What is there and no tty: a device that is missing may be plugged in.
fn can_never_be_a_tty(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| !can_be_a_tty(&metadata))
}

fn modem(section: &mut Section<'_>, surroundings: &Surroundings) -> Modem {
    let device = device(section);
    if section.place_of("device").is_none() {
        let help = "add device = \"/dev/ttyUSB0\", or better a link below /dev/serial/by-id";
        section.missing(None, format!("[{}] has no `device`", section.name), Some(help.into()));
    }
    let scripts = script_settings(section);
    let options = conversation_options(&scripts, surroundings);
    let setting = Setting {
        purpose: Purpose::Other,
        options: &options,
        environment: scripts.environment,
        by_arguments: false,
    };
    let dial = dial(section, Setting { purpose: Purpose::Dial, ..setting });
    let default = Modem::new(device.unwrap_or_default(), dial, None);
    let modem = Modem {
        speed: speed(section, default.speed),
        flow: section.choice_or("flow", default.flow),
        queue: section.choice_or("queue", default.queue),
        line_rate: line_rate(section),
        lock: section.choice_or("lock", default.lock),
        lcp: section.choice_or("lcp", default.lcp),
        pass_pfc: section.value_or("pass_pfc", default.pass_pfc),
        request_acfc: section.value_or("request_acfc", default.request_acfc),
        request_pfc: section.value_or("request_pfc", default.request_pfc),
        answer_by: section.time("answer_by", default.answer_by, &Bounds::any()),
        warm: section.time("warm", default.warm, &Bounds::any()),
        on_hook: section.time("on_hook", default.on_hook, &Bounds::up_to(MINUTE)),
        lcp_restart: section.time("lcp_restart", default.lcp_restart, &Bounds::from(TENTH).to(MINUTE)),
        backoff_first: section.time("backoff_first", default.backoff_first, &Bounds::from(TENTH)),
        backoff_longest: section.time("backoff_longest", default.backoff_longest, &Bounds::from(TENTH)),
        silence: section.time("silence", default.silence, &Bounds::or_never()),
        echo_questions: echo_questions(section, default.echo_questions),
        echo_interval: section.time("echo_interval", default.echo_interval, &Bounds::from(TENTH)),
        idle: section.time("idle", default.idle, &Bounds::or_never()),
        answer_echo: section.value_or("answer_echo", default.answer_echo),
        hangup_escape: section.value_or("hangup_escape", default.hangup_escape),
        hangup: inline_script(section, "hangup", setting),
        hangup_file: script_file(section, "hangup_file", setting),
        rescue: section.choice_or("rescue", default.rescue),
        reset: inline_script(section, "reset", setting),
        reset_file: script_file(section, "reset_file", setting),
        reset_command: section.text("reset_command"),
        dials_per_hour: section.value("dials_per_hour").map(|found| found.value),
        online_per_day: section.some_time("online_per_day", &Bounds::from(MINUTE)),
        volume_per_month: volume_per_month(section),
        ..default
    };
    only_one(section, &["reset", "reset_file"], "keep one of them");
    let hangups = ["hangup", "hangup_file", "hangup_escape"];
    let counting = hangups.len() - usize::from(!modem.hangup_escape);
    only_one(section, hangups.get(..counting).unwrap_or_default(), "keep one of them");
    if modem.backoff_first > modem.backoff_longest {
        let place = section.place_of_value("backoff_first").or(section.place_of_value("backoff_longest"));
        let first = humantime::format_duration(modem.backoff_first);
        let help = format!("write a shorter one, or backoff_longest = \"{first}\" or more");
        section.error(place.as_ref(), "`backoff_first` is longer than `backoff_longest`", Some(help));
    }
    with_scripts(section, modem, scripts)
}

fn device(section: &mut Section<'_>) -> Option<PathBuf> {
    let found = section.value::<PathBuf>("device")?;
    let name = found.value.to_string_lossy();
    if name.trim().is_empty() {
        let help = "give its whole path, such as \"/dev/ttyUSB0\"";
        section.error(Some(&found.place), "`device` is empty", Some(help.into()));
    } else if name.trim() != name {
        let help = format!("write \"{}\"", name.trim());
        section.error(Some(&found.place), "`device` begins or ends with a blank", Some(help));
    } else if !found.value.is_absolute() {
        let is_name = found.value.components().count() == 1 && !found.value.starts_with("~");
        let name = if is_name { found.value.as_path() } else { Path::new("ttyUSB0") };
        let help = format!("give its whole path, such as \"/dev/{}\"", name.display());
        section.error(Some(&found.place), "`device` is not an absolute path", Some(help));
    } else if can_never_be_a_tty(&found.value) {
        let help = "give the modem's device, such as \"/dev/ttyUSB0\", or a link below /dev/serial/by-id";
        section.error(Some(&found.place), format!("{name} is not a tty"), Some(help.into()));
    } else if name.contains(['*', '?']) {
        let help = "name one device, such as a link below /dev/serial/by-id";
        section.warn(Some(&found.place), "`device` is taken as it is: `*` and `?` too", Some(help.into()));
    }
    Some(found.value)
}

/// The modem with what its scripts share; without a script that has no effect.
fn with_scripts(section: &Section<'_>, modem: Modem, scripts: ScriptSettings) -> Modem {
    let beside = ["hangup", "hangup_file", "reset", "reset_file"];
    let given = |key: &&str| section.place_of(key).is_some();
    if matches!(modem.dial, Dial::Script(_)) || beside.iter().any(given) {
        return Modem { scripts: Some(scripts), ..modem };
    }
    for key in OF_SCRIPTS.iter().filter(|key| given(key)) {
        let what = format!("`{key}` has no effect");
        section.warn(section.place_of(key).as_ref(), what, Some("it is for chat scripts".into()));
    }
    modem
}

/// Keys that say the same in different ways: one of them is enough.
fn only_one(section: &Section<'_>, keys: &[&str], help: &str) {
    let given: Vec<_> = keys.iter().filter(|key| section.place_of(key).is_some()).collect();
    for key in given.iter().skip(1) {
        let what = format!("both `{}` and `{key}` are given", given.first().unwrap_or(key));
        section.error(section.place_of(key).as_ref(), what, Some(help.into()));
    }
}

/// A path counts from the directory of the file that names it, and is made absolute, so that what is printed
/// means the same wherever it is put.
fn resolved(problems: &Problems, file: &Found<PathBuf>) -> PathBuf {
    let path = problems.directory(&file.place).join(&file.value);
    std::path::absolute(&path).unwrap_or(path)
}

fn inline_script(section: &mut Section<'_>, key: &'static str, setting: Setting<'_>) -> Option<InlineScript> {
    let text = section.value::<String>(key)?;
    let script = script::inline(&mut section.problems().borrow_mut(), &text.value, &text.place, setting)?;
    Some(InlineScript { text: text.value, script })
}

fn script_file(section: &mut Section<'_>, key: &'static str, setting: Setting<'_>) -> Option<ScriptFile> {
    let file = section.path(key)?;
    let mut problems = section.problems().borrow_mut();
    let path = resolved(&problems, &file);
    let script = script::from_file(&mut problems, &path, Some(&file.place), READABLE, setting)?;
    Some(ScriptFile { path, script })
}

const READABLE: &str = "give the path of a readable file";

fn echo_questions(section: &mut Section<'_>, default: u8) -> u8 {
    let Some(found) = section.value::<u8>("echo_questions") else { return default };
    if found.value == 0 {
        let what = "with no question a silent host would count as dead at once";
        let help = "from 1 to 255; if it is never to be asked, write silence = \"0s\"";
        section.error(Some(&found.place), what, Some(help.into()));
    }
    found.value
}

fn volume_per_month(section: &mut Section<'_>) -> Option<Size> {
    const LEAST: Size = Size(1000);
    let found = section.value::<Size>("volume_per_month")?;
    if found.value.0 < LEAST.0 {
        let what = "`volume_per_month` is too little for a call";
        let help = format!("at least \"{LEAST}\"; leave it out for no limit");
        section.error(Some(&found.place), what, Some(help));
    }
    Some(found.value)
}

fn speed(section: &mut Section<'_>, default: u32) -> u32 {
    let Some(found) = section.value::<u32>("speed") else { return default };
    if !(50..=20_000_000).contains(&found.value) {
        let help = "from 50 to 20000000 bits per second; sticks take any, 115200 will do";
        section.error(Some(&found.place), "`speed` is not one that a serial line has", Some(help.into()));
    }
    found.value
}

fn line_rate(section: &mut Section<'_>) -> Option<u32> {
    let found = section.value::<u32>("line_rate")?;
    if !(300..=1_000_000_000).contains(&found.value) {
        let help = "from 300 to 1000000000 bits per second; leave it out if it is not known";
        section.error(Some(&found.place), "`line_rate` is not one that a line has", Some(help.into()));
    }
    Some(found.value)
}

fn dial(section: &mut Section<'_>, setting: Setting<'_>) -> Dial {
    let text = section.value::<String>("chat");
    let file = section.path("chat_file");
    let connect = section.text("connect");
    only_one(section, &["chat", "chat_file", "connect"], "keep the one that is to dial");
    let chat = chat(section, text, file, setting);
    let connect_timeout = section.time("connect_timeout", Duration::from_secs(120), &Bounds::from(SECOND));
    if let (None, Some(place)) = (section.place_of("connect"), section.place_of("connect_timeout")) {
        let what = "`connect_timeout` has no effect";
        section.warn(Some(&place), what, Some("it is for `connect`".into()));
    }
    match connect {
        Some(connect) => Dial::Command { connect, connect_timeout },
        None => Dial::Script(chat),
    }
}

fn chat(
    section: &Section<'_>,
    text: Option<Found<String>>,
    file: Option<Found<PathBuf>>,
    setting: Setting<'_>,
) -> Chat {
    let nothing = || bridge_proto::chat::Script::parse(b"").map(std::sync::Arc::new);
    let problems = section.problems();
    let (text, script) = match (text, file) {
        (Some(text), _) => {
            let script = script::inline(&mut problems.borrow_mut(), &text.value, &text.place, setting);
            (ChatText::Chat(text.value), script)
        }
        (None, Some(file)) => {
            let mut problems = problems.borrow_mut();
            let path = resolved(&problems, &file);
            let script = script::from_file(&mut problems, &path, Some(&file.place), READABLE, setting);
            (ChatText::ChatFile(path), script)
        }
        (None, None) => {
            let script = bridge_proto::chat::Script::parse(script::DEFAULT.as_bytes()).ok();
            (ChatText::Chat(script::DEFAULT.to_owned()), script.map(std::sync::Arc::new))
        }
    };
    // A script that could not be read has been told of, and is not run.
    let script = script.or_else(|| nothing().ok()).expect("an empty script is a script");
    Chat { text, script }
}

fn script_settings(section: &mut Section<'_>) -> ScriptSettings {
    let default = ScriptSettings::default();
    ScriptSettings {
        chat_timeout: section.time("chat_timeout", default.chat_timeout, &Bounds::from(TENTH).to(HOUR)),
        chat_pacing: section.time("chat_pacing", default.chat_pacing, &Bounds::up_to(SECOND)),
        chat_short_pause: section.time("chat_short_pause", default.chat_short_pause, &Bounds::up_to(MINUTE)),
        chat_fractional_timeouts: section
            .value_or("chat_fractional_timeouts", default.chat_fractional_timeouts),
        phone: Some(section.value_or("phone", script::DEFAULT_PHONE.to_owned())),
        phone2: section.value("phone2").map(|found| found.value),
        environment: section.value_or("environment", false),
        variables: section.value_or("variables", BTreeMap::new()),
    }
}

//! From the text of the files to [`Settings`]: every key there is, its bounds and its default.

use super::problem::{Place, Problems};
use super::script::{self, Setting};
use super::section::{Found, Section, Time};
use super::settings::{
    Chat, ChatText, Dial, Discovery, InlineScript, Interface, Limits, Modem, Named, ScriptFile,
    ScriptSettings, Service, Settings, count,
};
use super::{Surroundings, conversation_options};
use crate::cli::LogLevel;
use bridge_proto::bridge::{Access, OfferDelay};
use bridge_proto::chat::Purpose;
use bridge_proto::discovery::{AcName, ServiceName};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::de::DeTable;

/// Reads files that are one configuration; what a later one says counts. What is wrong with them is put to
/// `problems`, and if anything is, the settings may not be what was meant.
pub(super) fn read(
    files: &[PathBuf],
    surroundings: &Surroundings,
    problems: &mut Problems,
) -> Option<Settings> {
    let mut texts = Vec::new();
    for path in files {
        match std::fs::read_to_string(path) {
            Ok(text) => texts.push((problems.add_source(path, text.clone()), text)),
            Err(error) => problems.error(
                None,
                format!("cannot read {}: {error}", path.display()),
                Some("give the path of a readable file to --config".into()),
            ),
        }
    }
    let mut tables = Vec::new();
    for (source, text) in &texts {
        let (table, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let place = error.span().map(|span| Place::new(*source, span));
            let help = place.as_ref().and_then(|place| syntax_help(problems.text(place)));
            problems.error(place, error.message(), help);
        }
        tables.push((*source, table));
    }
    // What follows from a broken line is not told, for it may be wrong.
    if problems.has_errors() {
        return None;
    }
    let shared = RefCell::new(std::mem::take(problems));
    let settings = settings(Section::root(&tables, &shared), surroundings);
    *problems = shared.into_inner();
    Some(settings)
}

/// What is wrong most often where the syntax is: quotes that were left out.
fn syntax_help(found: &str) -> Option<String> {
    let is_word = found.starts_with(|first: char| first.is_alphabetic() || first == '/')
        && !found.contains(['"', '\'', '=', '\n']);
    is_word.then(|| format!("a text needs quotes: \"{found}\""))
}

fn settings(mut root: Section<'_>, surroundings: &Surroundings) -> Settings {
    let log_level = root.choice_or("log_level", LogLevel::Info);
    let wait = root.value_or("wait", false);
    let ac_name = ac_name(&mut root, &surroundings.host_name);
    if ac_name.is_empty() && root.place_of("ac_name").is_none() {
        root.error(None, "cannot tell the name of this machine", Some("set ac_name = \"NAME\"".into()));
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
        root.error(None, format!("there is no {kind}"), Some(format!("add, for example,\n{example}")));
    }
}

fn ac_name(section: &mut Section<'_>, default: &str) -> String {
    let Some(found) = section.value::<String>("ac_name") else { return default.to_owned() };
    if found.value.is_empty() {
        section.error(
            Some(&found.place),
            "`ac_name` is empty",
            Some("leave it out for the host's name".into()),
        );
    } else if let Err(error) = AcName::parse(&found.value) {
        section.error(Some(&found.place), error.to_string(), None);
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
        sessions: sessions(&mut section, "sessions", modems),
        sessions_per_peer: sessions(&mut section, "sessions_per_peer", services),
    };
    section.finish();
    limits
}

fn sessions(section: &mut Section<'_>, key: &'static str, most: usize) -> NonZeroU16 {
    section.value_or(key, count(most))
}

fn time(section: &mut Section<'_>, key: &'static str, default: Duration) -> Duration {
    section.value_or(key, Time(default)).0
}

fn access(section: &mut Section<'_>) -> Access {
    const LIKE: &str = "\"00:1b:21:01:02:03\", or \"00:1b:21:*\" for all that begin so";
    Access { allow: section.parsed_list("allow", LIKE), deny: section.parsed_list("deny", LIKE) }
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
    for mut section in root.sections("modem") {
        let modem = modem(&mut section, surroundings);
        let same = modems.iter().find(|(_, other)| other.device == modem.device);
        if let Some((other, _)) = same.filter(|_| !modem.device.as_os_str().is_empty()) {
            let what = format!("[modem.{other}] has this device already");
            section.error(section.place_of("device").as_ref(), what, Some("each modem has its own".into()));
        }
        modems.push((section.key.clone(), modem));
        places.push(section.place.clone());
        section.finish();
    }
    (Named(modems), places)
}

fn modem(section: &mut Section<'_>, surroundings: &Surroundings) -> Modem {
    let device = section.value::<PathBuf>("device");
    if device.is_none() && section.place_of("device").is_none() {
        let help = "add device = \"/dev/ttyUSB0\", or better a link below /dev/serial/by-id";
        section.error(None, format!("[{}] has no `device`", section.name), Some(help.into()));
    }
    if let Some(found) = device.as_ref().filter(|found| !found.value.is_absolute()) {
        let help = "give its whole path, such as \"/dev/ttyUSB0\"";
        section.error(Some(&found.place), "`device` is not an absolute path", Some(help.into()));
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
    let default = Modem::new(device.map(|found| found.value).unwrap_or_default(), dial, None);
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
        answer_by: time(section, "answer_by", default.answer_by),
        warm: time(section, "warm", default.warm),
        on_hook: time(section, "on_hook", default.on_hook),
        lcp_restart: time(section, "lcp_restart", default.lcp_restart),
        backoff_first: time(section, "backoff_first", default.backoff_first),
        backoff_longest: time(section, "backoff_longest", default.backoff_longest),
        silence: time(section, "silence", default.silence),
        echo_questions: section.value_or("echo_questions", default.echo_questions),
        echo_interval: time(section, "echo_interval", default.echo_interval),
        idle: time(section, "idle", default.idle),
        answer_echo: section.value_or("answer_echo", default.answer_echo),
        hangup_escape: section.value_or("hangup_escape", default.hangup_escape),
        hangup: inline_script(section, "hangup", setting),
        hangup_file: script_file(section, "hangup_file", setting),
        rescue: section.choice_or("rescue", default.rescue),
        reset: inline_script(section, "reset", setting),
        reset_file: script_file(section, "reset_file", setting),
        reset_command: section.value("reset_command").map(|found| found.value),
        dials_per_hour: section.value("dials_per_hour").map(|found| found.value),
        online_per_day: section.value::<Time>("online_per_day").map(|found| found.value.0),
        volume_per_month: section.value("volume_per_month").map(|found| found.value),
        ..default
    };
    only_one(section, &["reset", "reset_file"], "keep one of them");
    let hangups = ["hangup", "hangup_file", "hangup_escape"];
    let counting = hangups.len() - usize::from(!modem.hangup_escape);
    only_one(section, hangups.get(..counting).unwrap_or_default(), "keep one of them");
    if modem.backoff_first > modem.backoff_longest {
        let place = section.place_of("backoff_first").or(section.place_of("backoff_longest"));
        section.error(place.as_ref(), "`backoff_first` is longer than `backoff_longest`", None);
    }
    with_scripts(section, modem, scripts)
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
    let file = section.value::<PathBuf>(key)?;
    let mut problems = section.problems().borrow_mut();
    let path = resolved(&problems, &file);
    let script = script::from_file(&mut problems, &path, Some(&file.place), READABLE, setting)?;
    Some(ScriptFile { path, script })
}

const READABLE: &str = "give the path of a readable file";

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

const OF_SCRIPTS: [&str; 8] = [
    "chat_timeout",
    "chat_pacing",
    "chat_short_pause",
    "chat_fractional_timeouts",
    "phone",
    "phone2",
    "environment",
    "variables",
];

fn dial(section: &mut Section<'_>, setting: Setting<'_>) -> Dial {
    let text = section.value::<String>("chat");
    let file = section.value::<PathBuf>("chat_file");
    let connect = section.value::<String>("connect");
    only_one(section, &["chat", "chat_file", "connect"], "keep the one that is to dial");
    let chat = chat(section, text, file, setting);
    let connect_timeout = time(section, "connect_timeout", Duration::from_secs(120));
    if let (None, Some(place)) = (&connect, section.place_of("connect_timeout")) {
        let what = "`connect_timeout` has no effect";
        section.warn(Some(&place), what, Some("it is for `connect`".into()));
    }
    match connect {
        Some(connect) => Dial::Command { connect: connect.value, connect_timeout },
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
        chat_timeout: time(section, "chat_timeout", default.chat_timeout),
        chat_pacing: time(section, "chat_pacing", default.chat_pacing),
        chat_short_pause: time(section, "chat_short_pause", default.chat_short_pause),
        chat_fractional_timeouts: section
            .value_or("chat_fractional_timeouts", default.chat_fractional_timeouts),
        phone: Some(section.value_or("phone", script::DEFAULT_PHONE.to_owned())),
        phone2: section.value("phone2").map(|found| found.value),
        environment: section.value_or("environment", false),
        variables: section.value_or("variables", BTreeMap::new()),
    }
}

fn services(root: &mut Section<'_>, modems: &[&str]) -> (Named<Service>, Vec<Option<Place>>) {
    let mut places = Vec::new();
    let mut services = Vec::new();
    for mut section in root.sections("service") {
        if let Err(error) = ServiceName::parse(section.key.as_bytes()) {
            section.error(None, error.to_string(), None);
        }
        if section.key.is_empty() {
            section.warn(None, super::NAMELESS, Some("write [service.NAME]".into()));
        }
        services.push((section.key.clone(), service(&mut section, modems)));
        places.push(section.place.clone());
        section.finish();
    }
    (Named(services), places)
}

fn service(section: &mut Section<'_>, modems: &[&str]) -> Service {
    let default = Service::new(section.names("modems", modems, "modem"));
    let most = default.modems.len();
    Service {
        pool: section.choice_or("pool", default.pool),
        when_busy: section.choice_or("when_busy", default.when_busy),
        sessions: sessions(section, "sessions", most),
        pado_delay: pado_delay(section, "pado_delay", default.pado_delay),
        pado_delay_per_session: pado_delay(section, "pado_delay_per_session", default.pado_delay_per_session),
        access: access(section),
        ..default
    }
}

fn pado_delay(section: &mut Section<'_>, key: &'static str, default: Duration) -> Duration {
    let Some(found) = section.value::<Time>(key) else { return default };
    if found.value.0 > OfferDelay::LONGEST {
        let longest = humantime::format_duration(OfferDelay::LONGEST);
        let what = format!("`{key}` is longer than any host waits");
        section.error(Some(&found.place), what, Some(format!("at most \"{longest}\"; most hosts wait 5s")));
    }
    found.value.0
}

fn interfaces(root: &mut Section<'_>, name: &str, services: &[&str], modems: usize) -> Named<Interface> {
    let mut interfaces = Vec::new();
    for mut section in root.sections("interface") {
        check_interface_name(&section);
        let interface = Interface {
            ac_name: ac_name(&mut section, name),
            services: section.names("services", services, "service"),
            sessions: sessions(&mut section, "sessions", modems),
            access: access(&mut section),
        };
        interfaces.push((section.key.clone(), interface));
        match section.only_table() {
            // [interface.eth0.7] is table 7 in table eth0.
            Some((key, place)) => {
                let vlan = format!("{}.{key}", section.key);
                let help = format!("for the VLAN interface write [interface.\"{vlan}\"]");
                section.error(Some(&place), format!("unknown key `{key}` in [{}]", section.name), Some(help));
            }
            None => section.finish(),
        }
    }
    Named(interfaces)
}

/// The kernel's rules for names.
fn check_interface_name(section: &Section<'_>) {
    const LONGEST: usize = 15;
    let name = &section.key;
    let is_bad = |character: char| character == '/' || character == ':' || character.is_whitespace();
    if name.is_empty() || name.len() > LONGEST || name.contains(is_bad) || name == "." || name == ".." {
        let help = format!("at most {LONGEST} characters, such as eth0, or \"eth0.7\" in quotes for VLAN 7");
        section.error(None, format!("\"{name}\" cannot be an interface's name"), Some(help));
    }
}

/// The files of a configuration: `path`, if it is a file, then the drop-ins beside it; or those in it, if it
/// is a directory.
pub(super) fn files(path: &Path, problems: &mut Problems) -> Vec<PathBuf> {
    if path.is_dir() {
        return drop_ins(path, problems);
    }
    let mut files = drop_ins(&path.with_extension("d"), problems);
    if path.exists() || files.is_empty() {
        files.insert(0, path.to_owned());
    }
    files
}

fn drop_ins(directory: &Path, problems: &mut Problems) -> Vec<PathBuf> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            problems.error(None, format!("cannot read {}: {error}", directory.display()), None);
            return Vec::new();
        }
    };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

//! Configuration files in, effective configuration or the exact report of what is wrong out.
//!
//! Of each `config/NAME.toml` either `NAME.effective` is what `check --print` prints, and `NAME.warning`,
//! if there is one, what it says besides; or `NAME.error` is what it says instead. After a change on purpose
//! run with `BLESS=1` and read the difference.

use bridge_proto::bridge::{BusyPolicy, DialMethod, PoolPolicy};
use bridge_proto::hdlc::Accm;
use bridge_proto::id::ModemId;
use clap::Parser;
use pppoe_serial_bridge::cli::{Arguments, LogLevel};
use pppoe_serial_bridge::config::{self, Loaded, Problems, Surroundings};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

fn surroundings() -> Surroundings {
    let environment = BTreeMap::from([(b"APN".to_vec(), b"internet".to_vec())]);
    Surroundings { host_name: "roof".into(), environment }
}

fn load(path: &Path) -> Result<Loaded, Problems> {
    config::load(path, &surroundings())
}

/// Paths of this machine do not belong into golden files.
fn without_directory(text: &str) -> String {
    text.replace(std::env::current_dir().unwrap().to_str().unwrap(), "/DIRECTORY")
}

/// A file with this text, for as long as it is looked at.
fn load_text(text: &str) -> Result<Loaded, Problems> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("pppoe-serial-bridge-{}-{number}.toml", std::process::id());
    let path = std::env::temp_dir().join(name);
    fs::write(&path, text).unwrap();
    let loaded = load(&path);
    fs::remove_file(&path).unwrap();
    loaded
}

/// Compares with a golden file, or with its absence.
fn compare(path: &Path, text: Option<&str>, differences: &mut Vec<String>) {
    let golden = fs::read_to_string(path).ok();
    let text = text.map(without_directory);
    let text = text.as_deref();
    if golden.as_deref() == text {
        return;
    }
    if std::env::var_os("BLESS").is_some() {
        match text {
            Some(text) => fs::write(path, text).unwrap(),
            None => fs::remove_file(path).unwrap(),
        }
    }
    let shown = |text: Option<&str>| text.unwrap_or("(nothing)").to_owned();
    differences.push(format!(
        "{}:\n--- expected\n{}\n--- found\n{}",
        path.display(),
        shown(golden.as_deref()),
        shown(text)
    ));
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> =
        fs::read_dir("tests/config").unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    cases.sort();
    cases
}

#[test]
fn every_file_comes_to_what_it_says_or_to_what_is_wrong_with_it() {
    let cases = cases();
    assert!(cases.len() >= 30, "{}", cases.len());
    let mut differences = Vec::new();
    for path in cases {
        let (effective, warning, error) = match load(&path) {
            Ok(loaded) => {
                let warning = (!loaded.warnings.is_empty()).then(|| format!("{}\n", loaded.warnings));
                (Some(loaded.settings.to_toml().unwrap()), warning, None)
            }
            Err(problems) => (None, None, Some(format!("{problems}\n"))),
        };
        compare(&path.with_extension("effective"), effective.as_deref(), &mut differences);
        compare(&path.with_extension("warning"), warning.as_deref(), &mut differences);
        compare(&path.with_extension("error"), error.as_deref(), &mut differences);
    }
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}

#[test]
fn what_is_printed_is_read_as_the_same() {
    let mut printed = Vec::new();
    for path in cases() {
        let Ok(loaded) = load(&path) else { continue };
        let text = loaded.settings.to_toml().unwrap();
        let again = load_text(&text).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(again.config, loaded.config, "{}", path.display());
        assert_eq!(again.settings.to_toml().unwrap(), text);
        printed.push(path);
    }
    assert!(printed.len() >= 8, "{printed:?}");
}

const EXAMPLE: &str = "../../dist/pppoe-serial-bridge.toml";

#[test]
fn the_shipped_example_is_the_one_that_is_tested_here() {
    assert_eq!(fs::read(EXAMPLE).unwrap(), fs::read("tests/config/example.toml").unwrap());
    assert!(load(Path::new(EXAMPLE)).unwrap().warnings.is_empty());
}

/// The keys of a file in which every `#key = ` is a key.
fn keys(text: &str) -> Vec<&str> {
    let lines = text.lines().map(|line| line.trim_start_matches('#'));
    let keys = lines.filter_map(|line| line.split_once(" = ").map(|(key, _)| key));
    keys.filter(|key| {
        key.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'_')
    })
    .collect()
}

#[test]
fn the_shipped_example_and_the_manual_name_every_key() {
    let example = fs::read_to_string(EXAMPLE).unwrap();
    let manual = fs::read_to_string("../../man/pppoe-serial-bridge.toml.5").unwrap();
    let mut effective = String::new();
    for case in ["example", "everything", "connect"] {
        effective += &fs::read_to_string(format!("tests/config/{case}.effective")).unwrap();
    }
    let in_example = keys(&example);
    for key in keys(&effective).into_iter().filter(|key| *key != key.to_uppercase()) {
        assert!(in_example.contains(&key), "{key} is not in the example");
        assert!(manual.contains(&format!(".B {key}\n")), "{key} is not in the manual");
    }
}

#[test]
fn a_key_in_a_wrong_table_is_told_where_it_belongs() {
    let example = fs::read_to_string(EXAMPLE).unwrap();
    for key in keys(&example) {
        let problems = load_text(&format!("[limits]\n[discovery]\n{key} = 1\n")).unwrap_err().to_string();
        let is_here = !problems.contains(&format!("unknown key `{key}`"));
        assert!(is_here || problems.contains(&format!("`{key}` belongs ")), "{key}: {problems}");
        for place in problems.split(" belongs ").skip(1).flat_map(|rest| rest.split(['[', ']']).nth(1)) {
            let table = place.replace("NAME", "a");
            let header = if table == "table" { String::new() } else { format!("[{table}]\n") };
            let problems =
                load_text(&format!("{header}{key} = 1\n")).err().map_or(String::new(), |all| all.to_string());
            assert!(!problems.contains(&format!("unknown key `{key}`")), "{key}: {problems}");
        }
    }
}

/// The example with every default that it shows in force.
fn with_all_shown(example: &str) -> String {
    // What can only be an example, or would keep the rest from counting.
    const EXAMPLES: [&str; 16] = [
        "connect = ",
        "connect_timeout = ",
        "chat_file = ",
        "phone2 = ",
        "allow = ",
        "deny = ",
        "ac_name = ",
        "hangup = ",
        "hangup_file = ",
        "reset = ",
        "reset_file = ",
        "reset_command = ",
        "dials_per_hour = ",
        "online_per_day = ",
        "volume_per_month = ",
        "line_rate = ",
    ];
    let mut shown = String::new();
    let mut in_script = false;
    for line in example.lines() {
        let hidden = line.strip_prefix('#').unwrap_or(line);
        let is_key = hidden.starts_with(|first: char| first.is_ascii_lowercase());
        let is_example = EXAMPLES.iter().any(|example| hidden.starts_with(example));
        shown += if in_script || (is_key && !is_example) { hidden } else { line };
        shown += "\n";
        in_script ^= hidden.ends_with("'''");
    }
    shown
}

#[test]
fn the_defaults_that_the_shipped_example_shows_are_the_defaults() {
    let shown = with_all_shown(&fs::read_to_string(EXAMPLE).unwrap());
    let all_shown = load_text(&shown).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(all_shown.config, load(Path::new(EXAMPLE)).unwrap().config);
    let default_lines = shown.lines().filter(|line| line.contains(" = ") && !line.starts_with('#')).count();
    assert!(default_lines > 30, "{default_lines}");
}

#[test]
fn a_directory_is_read_in_the_order_of_names() {
    let loaded = load(Path::new("tests/config/dropins.d")).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(loaded.config.modems[0].serial.speed, 460_800);
}

#[test]
fn a_line_for_the_log_says_file_line_and_column() {
    let problems = load(Path::new("tests/config/unknown_key.toml")).unwrap_err();
    let lines: Vec<String> = problems.lines().collect();
    assert_eq!(
        lines,
        ["tests/config/unknown_key.toml:3:1: unknown key `speeed` in [modem.stick]; did you mean `speed`?"]
    );
}

#[test]
fn no_pin_or_password_is_quoted_whatever_is_wrong_with_its_line() {
    for name in ["secrets", "secret_types", "secret_lines", "secret_values"] {
        let problems = load(Path::new(&format!("tests/config/{name}.toml"))).unwrap_err();
        let told: String = problems.lines().chain([problems.render(true)]).collect();
        for secret in ["hunter2", "4711"] {
            assert!(!told.contains(secret), "{told}");
        }
    }
}

#[test]
fn what_is_written_is_what_the_bridge_is_told() {
    let config = load(Path::new("tests/config/everything.toml")).unwrap().config;
    assert_eq!((config.log_level, config.wait), (LogLevel::Debug, false));
    assert_eq!(config.interfaces, ["eth0.7", "br-lan"]);
    let bridge = &config.bridge;
    assert_eq!(bridge.interfaces[0].ac_name.as_str(), "attic-7");
    assert_eq!(bridge.interfaces[0].services, [1, 0], "the default first");
    assert_eq!(
        (bridge.limits.sessions, bridge.limits.padi_rate.get(), bridge.limits.peer_rate.get()),
        (1, 500, 5)
    );
    assert!(!bridge.discovery.disclose_services && bridge.discovery.accept_missing_service_name);
    let gold = &bridge.services[0];
    assert_eq!(gold.name.as_octets(), b"gold & more");
    assert_eq!(gold.modems, [ModemId(1), ModemId(0)]);
    assert_eq!((gold.pool, gold.when_busy), (PoolPolicy::Sticky, BusyPolicy::Replace));
    assert_eq!(gold.delay.per_session, Duration::from_millis(25));
    assert!(!gold.access.permits("00:1b:21:01:02:03".parse().unwrap()));
    assert!(gold.access.permits("00:1b:22:01:02:03".parse().unwrap()));
    let north = &bridge.modems[0];
    assert_eq!(north.timing.on_hook, Duration::from_millis(1500));
    assert_eq!(north.backoff.longest, Duration::from_secs(3600));
    assert_eq!(north.watch.idle, Some(Duration::from_secs(600)));
    assert_eq!(north.budget.octets_per_month, Some(2 << 30));
    assert!(north.rescue.command && north.is_deaf);
    assert_eq!((north.mediator.strip_pfc, north.mediator.request_accm), (false, Accm::XON_XOFF));
    let DialMethod::Script(_, options) = &north.dial else { panic!("{north:?}") };
    let beside =
        [&north.hang_up, &north.rescue.reset].map(|script| script.as_ref().map(|(_, options)| options));
    assert_eq!(beside, [Some(options); 2], "all scripts of a modem are held alike");
    assert_eq!(options.script.phone_number.as_deref(), Some(&b"*99***1#"[..]));
    let apn = options.script.variables.as_ref().and_then(|variables| variables.get(&b"APN"[..]));
    assert_eq!(
        apn.map(Vec::as_slice),
        Some(&b"web.example"[..]),
        "what the file says counts before the environment"
    );
    let DialMethod::Script(_, options) = &bridge.modems[1].dial else { panic!() };
    assert_eq!(options.script.variables, None, "a $ is only a $");
}

#[test]
fn the_command_line_comes_to_the_same_as_a_file() {
    let line = ["x", "--connect=wvdial", "--speed=9600", "--flow=none", "/dev/ttyUSB0", "internet", "eth0"];
    let arguments = Arguments::try_parse_from(line).unwrap();
    let by_line = config::from_arguments(&arguments.bridge, &surroundings()).unwrap();
    // Who types a command sees what is missing; a service at boot may be there first.
    let text = "wait = false\n\
                modem.'/dev/ttyUSB0' = { device = '/dev/ttyUSB0', connect = 'wvdial', speed = 9600, flow = 'none' }\n\
                [service.internet]\n[interface.eth0]\n";
    assert_eq!(by_line.config, load_text(text).unwrap().config);
    let printed = by_line.settings.to_toml().unwrap();
    assert_eq!(load_text(&printed).unwrap().config, by_line.config);
}

#[test]
fn a_script_that_the_command_line_names_must_be_there() {
    let line = ["x", "--chatscript=/nowhere", "/dev/ttyUSB0", "internet", "eth0"];
    let arguments = Arguments::try_parse_from(line).unwrap();
    let problems = config::from_arguments(&arguments.bridge, &surroundings()).unwrap_err();
    let lines: Vec<String> = problems.lines().collect();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].ends_with("give the path of a readable file to --chatscript"), "{lines:?}");
}

#[test]
fn an_empty_ac_name_is_refused_and_an_empty_service_is_warned_of() {
    let lines = |words: &[&str]| {
        let arguments = Arguments::try_parse_from(words).unwrap();
        let loaded = config::from_arguments(&arguments.bridge, &surroundings());
        loaded.map_or_else(|problems| (false, problems), |loaded| (true, loaded.warnings))
    };
    let (is_fine, problems) = lines(&["x", "--ac-name=", "--connect=true", "tty", "svc", "eth0"]);
    assert!(!is_fine, "{problems}");
    let told: Vec<String> = problems.lines().collect();
    assert!(told.contains(&"--ac-name is empty; leave it out for the host's name".to_owned()), "{told:?}");
    let (is_fine, problems) = lines(&["x", "--connect=", "tty", "svc", "eth0"]);
    assert!(!is_fine && problems.to_string().contains("--connect is empty"), "{problems}");
    let (is_fine, warnings) = lines(&["x", "--connect=true", "tty", "", "eth0"]);
    assert!(is_fine && warnings.lines().count() == 1, "{warnings}");
    assert!(warnings.to_string().contains("the service has no name"), "{warnings}");
    let loaded =
        load_text("modem.stick.device = '/dev/ttyUSB0'\n[service.\"\"]\n[interface.eth0]\n").unwrap();
    assert!(loaded.warnings.to_string().contains("the service has no name"), "{}", loaded.warnings);
}

/// What the program says when it checks a file: exit code, standard output, standard error.
fn check(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_pppoe-serial-bridge"))
        .arg("check")
        .args(arguments)
        .output()
        .unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn check_ends_with_0_if_all_is_fine_and_with_2_if_not() {
    let (code, out, errors) = check(&["tests/config/minimal.toml"]);
    assert_eq!(
        (code, out.as_str(), errors.as_str()),
        (Some(0), "tests/config/minimal.toml: the configuration is fine\n", "")
    );
    let (code, out, errors) = check(&["tests/config/unknown_key.toml", "--print"]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert_eq!(errors, fs::read_to_string("tests/config/unknown_key.error").unwrap());
    let (code, out, errors) = check(&["--print", "tests/config/lint.toml"]);
    assert_eq!(code, Some(0), "warnings are no errors");
    assert!(out.contains("[modem.stick]"));
    assert_eq!(errors, fs::read_to_string("tests/config/lint.warning").unwrap());
    let (code, _, errors) = check(&["/nowhere.toml"]);
    assert_eq!(code, Some(2));
    assert!(errors.starts_with("error: cannot read /nowhere.toml: No such file"), "{errors}");
}

/// A directory for one test, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pppoe-serial-bridge-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn fifo(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const REST: &str = "[service.internet]\n[interface.eth0]\n";

#[test]
fn one_device_by_two_names_is_one_device() {
    let scratch = Scratch::new("device");
    let link = scratch.0.join("by-id");
    std::os::unix::fs::symlink("/dev/tty", &link).unwrap();
    for other in [link.to_str().unwrap(), "/dev/../dev/tty"] {
        let text = format!("modem.a.device = '/dev/tty'\nmodem.b.device = '{other}'\n{REST}");
        let problems = load_text(&text).unwrap_err();
        let lines: Vec<String> = problems.lines().collect();
        assert_eq!(lines.len(), 1, "{problems}");
        assert!(lines[0].contains(":2:18: [modem.a] has this device already"), "{problems}");
        assert!(lines[0].ends_with("it is the same as /dev/tty; each modem has its own"), "{problems}");
    }
}

#[test]
fn nothing_is_waited_for_and_nothing_read_without_end() {
    let scratch = Scratch::new("endless");
    let fifo = scratch.fifo("script");
    for (file, kind) in [(fifo.to_str().unwrap(), "a pipe"), ("/dev/zero", "a device")] {
        let what = format!("{file}: it is not a file, but {kind}");
        let text = format!("[modem.a]\ndevice = '/dev/ttyUSB0'\nchat_file = '{file}'\n{REST}");
        let problems = load_text(&text).unwrap_err();
        assert!(problems.lines().next().unwrap().contains(&what), "{problems}");
        let problems = load(Path::new(file)).unwrap_err();
        assert!(problems.lines().next().unwrap().contains(&what), "{problems}");
    }
    let long = scratch.write("long.toml", &"#\n".repeat(600_000));
    let problems = load(&long).unwrap_err();
    assert!(problems.to_string().contains("it is longer than 1048576 octets"), "{problems}");
    let (code, out, _) = check_input(&["-"], &format!("modem.a.device = '/dev/ttyUSB0'\n{REST}"));
    assert_eq!((code, out.as_str()), (Some(0), "-: the configuration is fine\n"));
    let (code, _, errors) = check_input(&["/dev/stdin"], "modem = 1\n");
    assert!(code == Some(2) && errors.contains("(standard input):1:9"), "{errors}");
}

/// As [`check`], with this on standard input.
fn check_input(arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pppoe-serial-bridge"))
        .arg("check")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn what_editors_leave_among_the_drop_ins_is_no_configuration() {
    let scratch = Scratch::new("dropins");
    let main = scratch.write("x.toml", &format!("modem.a.device = '/dev/ttyUSB0'\n{REST}"));
    let directory = scratch.0.join("x.d");
    fs::create_dir(&directory).unwrap();
    // As Emacs locks a file, and as vi drafts one.
    std::os::unix::fs::symlink("root@host.1234:1", directory.join(".#10.toml")).unwrap();
    fs::write(directory.join(".20.toml"), "[").unwrap();
    assert!(load(&main).unwrap().warnings.is_empty());
    std::os::unix::fs::symlink("/nowhere", directory.join("30.toml")).unwrap();
    fs::create_dir(directory.join("40.toml")).unwrap();
    let warnings: Vec<String> = load(&main).unwrap().warnings.lines().collect();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].contains("30.toml is not read, for it is a link to what is not there"),
        "{warnings:?}"
    );
    assert!(warnings[1].contains("40.toml is not read, for it is not a file"), "{warnings:?}");
}

#[test]
fn a_file_that_is_not_there_is_told_of_in_words_that_fit_the_command() {
    let scratch = Scratch::new("absent");
    let (code, _, errors) = check(&[scratch.0.join("none.toml").to_str().unwrap()]);
    assert!(code == Some(2) && !errors.contains("--config"), "{errors}");
    assert!(errors.contains("name a readable file, or a directory with files *.toml"), "{errors}");
    let (_, _, errors) = check(&[scratch.0.to_str().unwrap()]);
    assert!(errors.starts_with(&format!("error: there is no *.toml in {}", scratch.0.display())), "{errors}");
    assert_eq!(errors.matches("error:").count(), 1, "{errors}");
    let odd = scratch.write("z.d", &format!("modem.a.device = '/dev/ttyUSB0'\n{REST}"));
    assert_eq!(check(&[odd.to_str().unwrap()]).0, Some(0), "a file may be called as it likes");
}

#[test]
fn more_modems_than_can_be_are_refused_and_never_dropped_in_silence() {
    let modems = |number: usize| -> String {
        (0..number).map(|modem| format!("modem.{modem}.device='/t/{modem}'\n")).collect()
    };
    let many = load_text(&format!("{}{REST}", modems(1024))).unwrap();
    assert_eq!(many.config.bridge.services[0].modems.len(), 1024);
    let problems = load_text(&format!("{}{REST}", modems(30_000))).unwrap_err();
    let lines: Vec<String> = problems.lines().collect();
    assert_eq!(lines.len(), 1, "{problems}");
    assert!(lines[0].contains(":1025:7: this is one modem too many: there are 30000"), "{problems}");
    assert!(lines[0].ends_with("at most 1024 can be served"), "{problems}");
    let nonsense: String = (0..1000).map(|key| format!("x{key} = 1\n")).collect();
    let problems = load_text(&format!("modem.a.device = '/dev/ttyUSB0'\n{nonsense}")).unwrap_err();
    assert!(problems.lines().count() < 100 && problems.to_string().ends_with(" more"), "{problems}");
}

#[test]
fn a_start_tells_of_all_that_is_missing() {
    let scratch = Scratch::new("start");
    let text = "wait = false\nmodem.a.device = '/nowhere/a'\nmodem.b.device = '/nowhere/b'\n[service.internet]\n\
                [interface.nosuch0]\n[interface.nosuch1]\n";
    let file = scratch.write("x.toml", text);
    let output =
        Command::new(env!("CARGO_BIN_EXE_pppoe-serial-bridge")).arg("--config").arg(&file).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{errors}");
    for missing in ["nosuch0", "nosuch1", "/nowhere/a", "/nowhere/b"] {
        let is_told = |line: &str| line.starts_with("pppoe-serial-bridge: cannot ") && line.contains(missing);
        assert!(errors.lines().any(is_told), "{missing}: {errors}");
    }
}

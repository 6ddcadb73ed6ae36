//! What a packager installs from `dist` works: the chat scripts can be read and raise no suspicion, and the unit starts
//! the program, with the example's settings, as the program wants to be started.

use bridge_proto::chat::{ConversationOptions, Purpose, Script, ScriptOptions};
use clap::Parser;
use pppoe_serial_bridge::cli::{Arguments, Command};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn dist(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist").join(path)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_chat_scripts_raise_no_suspicion() {
    let mut scripts = 0;
    for entry in std::fs::read_dir(dist("chat")).unwrap() {
        let path = entry.unwrap().path();
        let script = Script::parse(read(&path).as_bytes())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        // Some of them want --phone, and say so.
        let script_options =
            ScriptOptions { phone_number: Some(b"5551212".to_vec()), ..ScriptOptions::default() };
        let options = ConversationOptions { script: script_options, ..ConversationOptions::default() };
        let warnings = script.lint(Purpose::Dial, &options);
        let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        assert!(warnings.is_empty(), "{}: {warnings:?}", path.display());
        scripts += 1;
    }
    assert!(scripts > 0);
}

/// `NAME=value` of each line that is no comment.
fn assignments(text: &str) -> BTreeMap<&str, &str> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('=')).collect()
}

#[test]
fn the_unit_starts_the_program_with_the_settings_of_the_example() {
    let unit = read(&dist("pppoe-serial-bridge@.service"));
    let example = read(&dist("example.conf"));
    let settings = assignments(&example);
    let command = assignments(&unit)["ExecStart"];
    // As systemd does it: $NAME is split into words, ${NAME} is not.
    let words = command.split(' ').flat_map(|word| {
        if let Some(name) = word.strip_prefix("${").and_then(|word| word.strip_suffix('}')) {
            vec![settings[name]]
        } else if let Some(name) = word.strip_prefix('$') {
            settings[name].split(' ').collect()
        } else {
            vec![word]
        }
    });
    let arguments = Arguments::try_parse_from(words).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(arguments.bridge.interface.as_deref(), Some("eth0"));
    let script = arguments.bridge.chatscript.expect("the example dials with a script");
    let shipped = dist("chat").join(script.file_name().unwrap());
    assert!(shipped.exists(), "{} is not shipped", shipped.display());
}

#[test]
fn the_unit_for_a_configuration_file_starts_checks_and_confines_the_program() {
    let unit = read(&dist("pppoe-serial-bridge.service"));
    let template = read(&dist("pppoe-serial-bridge@.service"));
    let commands = |key: &str| -> Vec<Arguments> {
        let lines = unit.lines().filter_map(|line| line.strip_prefix(key));
        let ours = lines.filter(|command| command.starts_with("/usr/sbin/pppoe-serial-bridge"));
        ours.map(|command| Arguments::try_parse_from(command.split(' ')).unwrap()).collect()
    };
    let [start] = &commands("ExecStart=")[..] else { panic!("one start") };
    assert!(start.command.is_none() && start.bridge.interface.is_none(), "all is in the file");
    let [check] = &commands("ExecReload=")[..] else { panic!("a file with a mistake is not reloaded") };
    assert!(matches!(check.command, Some(Command::Check { .. })));

    let confinement = |unit: &str| -> Vec<String> {
        let from = unit.find("# --- What it may do, and why").unwrap();
        unit[from..].lines().map(|line| line.replace("/%i", "")).collect()
    };
    assert_eq!(confinement(&unit), confinement(&template), "both units give the same rights");
}

#[test]
fn the_unit_waits_for_what_comes_and_restarts_only_where_that_helps() {
    let unit = read(&dist("pppoe-serial-bridge@.service"));
    let unit = assignments(&unit);
    assert_eq!(unit["Type"], "notify");
    // What would fail again and again is not tried again and again; a device that is late does not fail at all.
    assert_eq!(unit["Restart"], "on-failure");
    assert_eq!(unit["RestartPreventExitStatus"], "2");
    assert!(unit["ExecStart"].contains(" --wait "));
    assert!(unit["TimeoutStopSec"].parse::<u64>().unwrap() > 8 + 15);
}

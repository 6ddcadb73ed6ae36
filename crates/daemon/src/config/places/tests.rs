use super::super::{Dial, Surroundings, load};
use super::*;
use std::path::PathBuf;

/// What is read from a file of its own that says this.
fn read(text: &str) -> Loaded {
    let directory = Directory::new();
    let file = directory.0.join("bridge.toml");
    std::fs::write(directory.0.join("dial.chat"), "'' ATD CONNECT '\\c'").unwrap();
    // A path for all, for the same file is not in the same place twice.
    std::fs::write(&file, text.replace("@", &directory.0.display().to_string())).unwrap();
    let surroundings = Surroundings { host_name: "here".to_owned(), ..Surroundings::default() };
    load(&file, &surroundings).unwrap_or_else(|problems| panic!("{:?}", problems.lines().collect::<Vec<_>>()))
}

struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let thread = std::thread::current();
        let name = format!("places-{}-{:?}", std::process::id(), thread.id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn places(text: &str) -> Places {
    let Loaded { settings, config, .. } = read(text);
    Places::new(settings, config)
}

/// Nothing is under way with anything.
fn all_unused() -> Marks {
    Marks { interfaces: vec![true; 9], services: vec![true; 9], modems: vec![true; 9] }
}

/// A modem, with these words about it.
fn modem(name: &str, words: &str) -> String {
    format!("[modem.{name}]\ndevice = \"/dev/{name}\"\nconnect = \"true\"\n{words}\n")
}

/// Modems with these names, one service for all, on one interface.
fn with_modems(names: &[&str]) -> String {
    let modems: String = names.iter().map(|name| modem(name, "")).collect();
    format!("{modems}[service.lte]\n[interface.eth0]\n")
}

/// What is told of the way from one file to another.
fn words(before: &str, after: &str) -> Vec<String> {
    places(before).change(read(after), &all_unused()).map(|change| change.words).unwrap_or_default()
}

#[test]
fn the_same_is_no_change() {
    let text = with_modems(&["one", "two"]);
    assert!(places(&text).change(read(&format!("# again\n{text}")), &all_unused()).is_none());
}

#[test]
fn what_is_new_comes_behind_what_is_wanted_and_all_is_led_there() {
    let before = places(&with_modems(&["one"]));
    let change = before.change(read(&with_modems(&["new", "one"])), &all_unused()).unwrap();
    // Limits that nobody has set follow the number of modems.
    let expected = [
        "interface eth0: new defaults: sessions",
        "service lte: new defaults: modems, sessions",
        "modem new: added",
        "limits: new defaults: sessions",
    ];
    assert_eq!(change.words, expected);
    assert_eq!(change.reconfiguration.modems, []);
    assert_eq!(change.reconfiguration.config.services[0].modems, [ModemId(1), ModemId(0)]);
    assert_eq!(modem_names(change.places.modem_settings()), ["one", "new"]);
}

#[test]
fn what_is_gone_keeps_its_place_and_comes_back_to_it() {
    let both = with_modems(&["one", "two"]);
    let change = places(&both).change(read(&with_modems(&["two"])), &all_unused()).unwrap();
    assert_eq!(change.reconfiguration.modems, [(ModemId(0), ModemChange::Removed)]);
    assert_eq!(change.reconfiguration.config.services[0].modems, [ModemId(1)]);
    assert_eq!([0, 1].map(|modem| change.places.has_modem(ModemId(modem))), [false, true]);
    // Though another one comes at the same time, and before it.
    let change = change.places.change(read(&with_modems(&["new", "one", "two"])), &all_unused()).unwrap();
    assert_eq!(change.reconfiguration.modems, [(ModemId(0), ModemChange::Port)]);
    let modems = &change.reconfiguration.config.services[0].modems;
    assert_eq!(*modems, [ModemId(2), ModemId(0), ModemId(1)]);
}

#[test]
fn a_place_is_given_to_another_only_when_nothing_is_under_way_there() {
    let before = places(&with_modems(&["one", "two"]));
    let before = before.change(read(&with_modems(&["two"])), &all_unused()).unwrap().places;
    let new = with_modems(&["two", "three"]);
    let in_use = Marks { modems: vec![false; 2], ..all_unused() };
    let change = before.change(read(&new), &in_use).unwrap();
    assert_eq!(change.reconfiguration.config.services[0].modems, [ModemId(1), ModemId(2)]);
    let change = before.change(read(&new), &all_unused()).unwrap();
    assert_eq!(change.reconfiguration.config.services[0].modems, [ModemId(1), ModemId(0)]);
    assert_eq!(change.reconfiguration.modems, [(ModemId(0), ModemChange::Replaced)]);
    assert_eq!(modem_names(change.places.modem_settings()), ["three", "two"]);
}

#[test]
fn what_is_renamed_again_and_again_takes_two_places() {
    let named = |number: usize| {
        let modem = modem(&format!("m{number}"), "");
        format!("{modem}[service.s{number}]\n[interface.eth{number}]\n")
    };
    let mut at_work = places(&named(0));
    for number in 1..300 {
        at_work = at_work.change(read(&named(number)), &all_unused()).unwrap().places;
        let all = [at_work.interface_names().len(), at_work.services(), at_work.modem_settings().len()];
        assert_eq!(all, [2, 2, 2]);
        let wanted = &at_work.wanted;
        for wanted in [&wanted.interfaces, &wanted.services, &wanted.modems] {
            assert_eq!(wanted.iter().filter(|wanted| **wanted).count(), 1);
        }
    }
}

#[test]
fn a_removed_interface_offers_nothing_and_a_removed_service_has_no_modems() {
    let text = format!("{}services = [\"lte\"]\n[limits]\nsessions_per_peer = 1\n", with_modems(&["one"]));
    let both = format!("{text}[interface.eth1]\nservices = [\"gsm\"]\n[service.gsm]\n");
    let change = places(&both).change(read(&text), &all_unused()).unwrap();
    assert_eq!(change.words, ["interface eth1: removed", "service gsm: removed"]);
    let Reconfiguration { config, removed_services, removed_interfaces, .. } = change.reconfiguration;
    assert_eq!((removed_services, removed_interfaces), (vec![1], vec![InterfaceId(1)]));
    assert!(config.interfaces[1].services.is_empty() && config.services[1].modems.is_empty());
}

#[test]
fn the_keys_that_changed_are_told_and_their_values_are_not() {
    let text = |words: &str| format!("{}[service.lte]\n[interface.eth0]\n", modem("one", words));
    let before = text("speed = 9600");
    let told = words(&before, &text("speed = 19200\nbackoff_first = \"7s\""));
    assert_eq!(told, ["modem one: changed: backoff_first, speed"]);
    assert_eq!(words(&before, &format!("{before}[limits]\nsessions = 5\n")), ["limits: changed: sessions"]);
    let told = words(&before, &format!("{before}[discovery]\npadi_rate = 7\npeer_rate = 7\n"));
    assert_eq!(told, ["discovery: changed: padi_rate, peer_rate"]);
    let told = words(&before, &format!("ac_name = \"cellar\"\n{before}"));
    assert_eq!(told, ["interface eth0: new defaults: ac_name", "ac_name: changed"]);
    let told = words(&before, &format!("{before}ac_name = \"cellar\"\n"));
    assert_eq!(told, ["interface eth0: changed: ac_name"]);
    let chat = |pin: &str| {
        let chat = format!("chat = \"'' AT$PIN OK ATD CONNECT ''\"\nvariables = {{ PIN = \"{pin}\" }}");
        text(&chat).replace("connect = \"true\"\n", "")
    };
    assert_eq!(words(&chat("1234"), &chat("9876")), ["modem one: changed: variables"]);
}

#[test]
fn what_counts_only_from_the_next_start_is_said_to_do_so() {
    let text = with_modems(&["one"]);
    let told = words(&text, &format!("log_level = \"debug\"\nwait = false\n{text}"));
    assert_eq!(told, ["log_level: changed", "wait: changed, which counts from the next start"]);
}

#[test]
fn a_script_that_says_something_else_is_a_change_of_its_modem() {
    let text = with_modems(&["one"]).replace("connect = \"true\"", "chat_file = \"@/dial.chat\"");
    let mut new = read(&text);
    let same = read(&text);
    let before = Places::new(same.settings, same.config);
    let script = std::sync::Arc::new(bridge_proto::chat::Script::parse(b"'' ATZ OK ATD CONNECT ''").unwrap());
    if let Dial::Script(chat) = &mut new.settings.modem.0[0].1.dial {
        chat.script = script.clone();
    }
    new.config.bridge.modems[0].dial =
        bridge_proto::bridge::DialMethod::Script(script, bridge_proto::chat::ConversationOptions::default());
    let change = before.change(new, &all_unused()).unwrap();
    assert_eq!(change.words, ["modem one: changed: contents of chat_file"]);
    assert_eq!(change.reconfiguration.modems, [(ModemId(0), ModemChange::Settings)]);
}

#[test]
fn another_device_is_another_port() {
    let text = with_modems(&["one"]);
    let change = places(&text).change(read(&text.replace("/dev/one", "/dev/other")), &all_unused()).unwrap();
    assert_eq!(change.words, ["modem one: changed: device"]);
    assert_eq!(change.reconfiguration.modems, [(ModemId(0), ModemChange::Port)]);
}

#[test]
fn what_may_be_secret_is_not_in_what_is_shown_for_debugging() {
    let chat = "chat = \"'' AT+CPIN=1234 OK ATD$NUMBER CONNECT ''\"\nphone = \"4711\"\n\
                variables = { NUMBER = \"9876\" }";
    let text = with_modems(&["one"]).replace("connect = \"true\"", chat);
    let loaded = read(&text);
    let shown = format!("{:?}", Places::new(loaded.settings, loaded.config));
    assert!(shown.contains("NUMBER") && shown.contains("/dev/one"), "{shown}");
    for secret in ["1234", "4711", "9876", "[65, 84"] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}

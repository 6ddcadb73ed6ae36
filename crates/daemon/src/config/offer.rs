//! What is offered, and where: the tables of services and interfaces.

use super::file::{ac_name, sessions};
use super::problem::Place;
use super::section::{Found, Section};
use super::settings::{Interface, Named, Service};
use super::value::Time;
use bridge_proto::bridge::{Access, MacPattern, OfferDelay};
use bridge_proto::discovery::ServiceName;
use bridge_proto::wire::ethernet::MacAddrError;
use std::time::Duration;

pub(super) fn services(root: &mut Section<'_>, modems: &[&str]) -> (Named<Service>, Vec<Option<Place>>) {
    let mut places = Vec::new();
    let mut services = Vec::new();
    for mut section in root.sections("service", "internet") {
        if let Err(error) = ServiceName::parse(section.key.as_bytes()) {
            section.error(None, error.to_string(), Some("write a shorter one".into()));
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
    let service = Service {
        pool: section.choice_or("pool", default.pool),
        when_busy: section.choice_or("when_busy", default.when_busy),
        sessions: sessions(section, "sessions", most, most),
        pado_delay: pado_delay(section, "pado_delay", default.pado_delay),
        pado_delay_per_session: pado_delay(section, "pado_delay_per_session", default.pado_delay_per_session),
        access: access(section),
        given: section.given(),
        ..default
    };
    let (fixed, more) = (service.pado_delay, service.pado_delay_per_session);
    if more <= OfferDelay::LONGEST && fixed <= OfferDelay::LONGEST && fixed + more > OfferDelay::LONGEST {
        let what = "one session alone makes the delay longer than it may be";
        let longest = humantime::format_duration(OfferDelay::LONGEST);
        let help = format!("both come to at most \"{longest}\", so that more sessions make no difference");
        section.warn(section.place_of_value("pado_delay_per_session").as_ref(), what, Some(help));
    }
    service
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

pub(super) fn interfaces(
    root: &mut Section<'_>,
    name: &str,
    services: &[&str],
    modems: usize,
) -> Named<Interface> {
    let mut interfaces = Vec::new();
    for mut section in root.sections("interface", "eth0") {
        check_interface_name(&section);
        let interface = Interface {
            ac_name: ac_name(&mut section, name),
            services: section.names("services", services, "service"),
            sessions: sessions(&mut section, "sessions", modems, modems),
            access: access(&mut section),
            given: section.given(),
        };
        interfaces.push((section.key.clone(), interface));
        // [interface.eth0.7] is table 7 in table eth0.
        for (key, place) in section.take_numbered_tables() {
            let help = format!("for the VLAN interface write [interface.\"{}.{key}\"]", section.key);
            section.error(Some(&place), format!("unknown key `{key}` in [{}]", section.name), Some(help));
        }
        section.finish();
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

fn access(section: &mut Section<'_>) -> Access {
    let allow: Vec<Found<MacPattern>> =
        section.parsed_list("allow", |word, error| explain_pattern("allow", word, error));
    let deny: Vec<Found<MacPattern>> =
        section.parsed_list("deny", |word, error| explain_pattern("deny", word, error));
    for allowed in &allow {
        if let Some(denied) = deny.iter().find(|denied| denied.value.covers(&allowed.value)) {
            let what = format!("nobody is allowed by this, for {} is denied", denied.value);
            section.warn(Some(&allowed.place), what, Some("take one of the two away".into()));
        }
    }
    let values = |list: Vec<Found<MacPattern>>| list.into_iter().map(|found| found.value).collect();
    Access { allow: values(allow), deny: values(deny) }
}

/// What is wrong with a pattern, and what to write.
fn explain_pattern(key: &str, word: &str, error: MacAddrError) -> (String, String) {
    // How many groups there are says nothing if a `*` stands for some.
    if !word.contains('*') || !matches!(error, MacAddrError::GroupCount { .. }) {
        return (error.to_string(), pattern_remedy(word));
    }
    let help = match (word.trim_matches(['*', ':', '-']), key) {
        ("", "allow") => "leave `allow` out to allow everybody".to_owned(),
        ("", _) => "to deny everybody, take this table away".to_owned(),
        _ => pattern_remedy(word),
    };
    (format!("\"{}\" is not how an Ethernet address begins", word.escape_debug()), help)
}

/// How an address that is written otherwise is written here, by its digits.
fn pattern_remedy(word: &str) -> String {
    const DIGITS: usize = 12;
    const LIKE: &str = "write it like \"00:1b:21:01:02:03\", or \"00:1b:21:*\" for all that begin so";
    let digits: Vec<char> =
        word.chars().filter(|found| !matches!(found, ':' | '-' | '.' | ' ' | '*')).collect();
    let is_hex = digits.iter().all(char::is_ascii_hexdigit) && digits.len().is_multiple_of(2);
    if !is_hex || digits.is_empty() || digits.len() > DIGITS {
        return LIKE.to_owned();
    }
    let mut groups: Vec<String> = digits.chunks(2).map(|pair| pair.iter().collect()).collect();
    if digits.len() == DIGITS {
        return format!("write \"{}\"", groups.join(":"));
    }
    // A maker's number; of more than that one group may have been forgotten.
    if groups.len() > 3 && !word.ends_with('*') {
        return LIKE.to_owned();
    }
    groups.push("*".to_owned());
    format!("write \"{}\" for all that begin so", groups.join(":"))
}

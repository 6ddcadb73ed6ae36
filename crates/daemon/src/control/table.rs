//! The status as people like to read it.

use super::protocol::{
    ConfigurationStatus, FlowStatus, InterfaceStatus, ModemStatus, Problem, ServiceStatus, SessionStatus,
    Status,
};
use bridge_proto::discard::DiscardReason;
use bridge_proto::notation::span;
use std::fmt::Write;

/// All of it; sections without content are left out, except that there are no sessions.
pub(super) fn render(status: &Status) -> String {
    let mut text = format!("pppoe-serial-bridge {}, up {}", status.version, span(status.uptime_seconds));
    text.push_str(&configuration(status));
    let sections = [
        Table::of(["INTERFACE", "ADDRESS", "MTU", "STATE"], status.interfaces.iter().map(interface)),
        Table::of(["SERVICE", "SESSIONS", "FREE", "STATE", "MODEMS"], status.services.iter().map(service)),
        Table::of(["MODEM", "DEVICE", "STATE", "HOST", "WHY"], status.modems.iter().map(modem)),
        Table::of(
            ["SESSION", "HOST", "ON", "SERVICE", "MODEM", "STATE", "FOR", "FROM HOST", "FROM MODEM"],
            status.sessions.iter().map(session),
        ),
        Table::of(["DROPPED", "COUNT", "MEANING"], status.discards.iter().filter_map(discard)),
        Table::of(["PROBLEMS", ""], status.problems.iter().map(problem)),
    ];
    for section in sections.iter().filter(|section| section.rows.len() > 1) {
        text.push('\n');
        section.write(&mut text);
    }
    if status.sessions.is_empty() {
        text.push_str("\nno sessions\n");
    }
    text
}

fn interface(interface: &InterfaceStatus) -> [String; 4] {
    let state = match (&interface.mac, interface.up) {
        (None, _) => "absent",
        (Some(_), true) => "up",
        (Some(_), false) => "down",
    };
    let mtu = interface.mtu.map(|mtu| mtu.to_string()).unwrap_or_default();
    [interface.name.clone(), interface.mac.clone().unwrap_or_default(), mtu, state.into()]
}

/// About the configuration, if it is not that of the start.
fn configuration(status: &Status) -> String {
    let ConfigurationStatus { loaded_seconds_ago, refused_seconds_ago } = status.configuration;
    let loaded = match loaded_seconds_ago {
        ago if ago < status.uptime_seconds => format!(", configuration of {} ago", span(ago)),
        _ => String::new(),
    };
    let refused = refused_seconds_ago.map(|ago| format!("; a newer one was refused {} ago", span(ago)));
    let refused = refused.map(|words| match &loaded[..] {
        "" => format!(", configuration of the start{words}"),
        _ => words,
    });
    format!("{loaded}{}\n", refused.unwrap_or_default())
}

fn service(service: &ServiceStatus) -> [String; 5] {
    let sessions = match service.session_limit {
        Some(limit) => format!("{} of {limit}", service.sessions),
        None => service.sessions.to_string(),
    };
    let mut state = state(&service.state, service.wait_seconds);
    if let Some(reason) = &service.reason {
        state = format!("{state}: {reason}");
    }
    let free = format!("{} of {}", service.free_modems, service.modems.len());
    [service.name.clone(), sessions, free, state, service.modem_names.join(", ")]
}

fn state(state: &str, wait: Option<u64>) -> String {
    wait.map_or_else(|| state.to_owned(), |wait| format!("{state} {}", span(wait)))
}

fn modem(modem: &ModemStatus) -> [String; 5] {
    // One that may not be used for a while is not there for the asking.
    let is_resting = modem.state == "idle" && modem.wait_seconds.is_some();
    [
        modem.name.clone(),
        // By command line a modem has no name but that of its device.
        if modem.device == modem.name { String::new() } else { modem.device.clone() },
        state(if is_resting { "resting" } else { &modem.state }, modem.wait_seconds),
        modem.peer.clone().unwrap_or_default(),
        modem.reason.clone().unwrap_or_default(),
    ]
}

fn session(session: &SessionStatus) -> [String; 9] {
    [
        format!("{:#06x}", session.session),
        session.peer.clone(),
        session.interface.clone(),
        session.service.clone(),
        session.modem_name.clone(),
        session.state.clone(),
        span(session.seconds).to_string(),
        flow(&session.host_to_modem),
        flow(&session.modem_to_host),
    ]
}

fn discard((name, count): (&String, &u64)) -> Option<[String; 3]> {
    // A newer bridge may have reasons that are not known here.
    let known = DiscardReason::ALL.into_iter().find(|reason| reason.name() == name);
    let meaning = known.map(|reason| reason.help().to_owned()).unwrap_or_default();
    (*count > 0).then(|| [name.clone(), count.to_string(), meaning])
}

fn problem(problem: &Problem) -> [String; 2] {
    let times = if problem.times > 1 { format!(" ({} times)", problem.times) } else { String::new() };
    [format!("{} ago", span(problem.seconds_ago)), format!("{}{times}", problem.text)]
}

fn flow(flow: &FlowStatus) -> String {
    let rate = flow.bits_per_second.map(|rate| format!(", {}bit/s", scaled(rate))).unwrap_or_default();
    format!("{}B{rate}", scaled(flow.octets))
}

/// Three digits or so, and the unit's prefix: `17 `, `1.2 k`, `34 M`.
fn scaled(number: u64) -> String {
    const PREFIXES: [&str; 6] = ["k", "M", "G", "T", "P", "E"];
    if number < 1000 {
        return format!("{number} ");
    }
    let mut unit = 1000_u64;
    let mut prefixes = PREFIXES.iter();
    let mut prefix = prefixes.next();
    while number / unit >= 1000 {
        unit *= 1000;
        prefix = prefixes.next();
    }
    let prefix = prefix.copied().unwrap_or_default();
    match (number / unit, number % unit / (unit / 10)) {
        (whole @ 0..10, tenth) => format!("{whole}.{tenth} {prefix}"),
        (whole, _) => format!("{whole} {prefix}"),
    }
}

/// Columns as wide as their widest cell, two spaces apart.
struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    fn of<const COLUMNS: usize>(
        headings: [&str; COLUMNS],
        rows: impl Iterator<Item = [String; COLUMNS]>,
    ) -> Self {
        let headings = headings.map(str::to_owned).to_vec();
        Self {
            rows: std::iter::once(headings)
                .chain(rows.map(|row| row.map(|cell| harmless(&cell)).to_vec()))
                .collect(),
        }
    }

    fn write(&self, text: &mut String) {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width = |column| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell: &String| cell.chars().count()).max()
        };
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                let _ = write!(line, "{cell:<width$}  ");
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
}

/// Names come from files and from the network, and a terminal obeys what it reads.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn example() -> Status {
        let flow = |octets, bits_per_second| FlowStatus { frames: 9, octets, bits_per_second };
        Status {
            version: "1.0".into(),
            uptime_seconds: 7265,
            configuration: ConfigurationStatus { loaded_seconds_ago: 300, refused_seconds_ago: Some(60) },
            interfaces: vec![InterfaceStatus {
                name: "eth0".into(),
                mac: Some("02:00:00:00:00:01".into()),
                mtu: Some(1500),
                up: true,
            }],
            services: vec![
                ServiceStatus {
                    name: "internet".into(),
                    modems: vec!["/dev/ttyUSB0".into(), "/dev/ttyUSB1".into()],
                    modem_names: vec!["roof".into(), "cellar".into()],
                    sessions: 1,
                    state: "backing off".into(),
                    reason: Some("NO CARRIER".into()),
                    wait_seconds: Some(12),
                    ..ServiceStatus::default()
                },
                ServiceStatus {
                    name: "guests".into(),
                    modems: vec!["/dev/ttyUSB2".into(); 2],
                    modem_names: vec!["/dev/ttyUSB2".into(); 2],
                    free_modems: 1,
                    session_limit: Some(1),
                    drained: true,
                    state: "drained".into(),
                    ..ServiceStatus::default()
                },
            ],
            modems: vec![
                ModemStatus {
                    name: "roof".into(),
                    device: "/dev/ttyUSB0".into(),
                    state: "online".into(),
                    peer: Some("02:00:00:00:00:09".into()),
                    ..ModemStatus::default()
                },
                ModemStatus {
                    name: "cellar".into(),
                    device: "/dev/ttyUSB1".into(),
                    state: "backing off".into(),
                    reason: Some("\u{1b}[2JNO CARRIER".into()),
                    wait_seconds: Some(12),
                    ..ModemStatus::default()
                },
                ModemStatus {
                    name: "attic".into(),
                    device: "/dev/ttyUSB3".into(),
                    state: "idle".into(),
                    reason: Some("the dials of this hour are used up".into()),
                    wait_seconds: Some(3587),
                    ..ModemStatus::default()
                },
                ModemStatus {
                    name: "/dev/ttyUSB2".into(),
                    device: "/dev/ttyUSB2".into(),
                    state: "idle".into(),
                    ..ModemStatus::default()
                },
            ],
            sessions: vec![SessionStatus {
                session: 0x12,
                peer: "02:00:00:00:00:09".into(),
                interface: "eth0".into(),
                service: "internet".into(),
                modem: "/dev/ttyUSB0".into(),
                modem_name: "roof".into(),
                state: "open".into(),
                seconds: 184,
                host_to_modem: flow(999, None),
                modem_to_host: flow(34_567_890, Some(1_234_567)),
            }],
            discards: BTreeMap::from([("bad_fcs".into(), 3), ("aborted".into(), 0), ("new".into(), 1)]),
            problems: vec![
                Problem { seconds_ago: 3, text: "cellar: the dial failed".into(), times: 7 },
                Problem { seconds_ago: 60, text: "eth7: cannot be served yet".into(), times: 1 },
            ],
        }
    }

    #[test]
    fn a_status_is_pleasant_to_read() {
        let expected = "\
pppoe-serial-bridge 1.0, up 2 h 1 min, configuration of 5 min 0 s ago; a newer one was refused 1 min 0 s ago

INTERFACE  ADDRESS            MTU   STATE
eth0       02:00:00:00:00:01  1500  up

SERVICE   SESSIONS  FREE    STATE                         MODEMS
internet  1         0 of 2  backing off 12 s: NO CARRIER  roof, cellar
guests    0 of 1    1 of 2  drained                       /dev/ttyUSB2, /dev/ttyUSB2

MODEM         DEVICE        STATE                HOST               WHY
roof          /dev/ttyUSB0  online               02:00:00:00:00:09
cellar        /dev/ttyUSB1  backing off 12 s                        ?[2JNO CARRIER
attic         /dev/ttyUSB3  resting 59 min 47 s                     the dials of this hour are used up
/dev/ttyUSB2                idle

SESSION  HOST               ON    SERVICE   MODEM  STATE  FOR        FROM HOST  FROM MODEM
0x0012   02:00:00:00:00:09  eth0  internet  roof   open   3 min 4 s  999 B      34 MB, 1.2 Mbit/s

DROPPED  COUNT  MEANING
bad_fcs  3      damaged on the serial line
new      1

PROBLEMS
3 s ago        cellar: the dial failed (7 times)
1 min 0 s ago  eth7: cannot be served yet
";
        assert_eq!(render(&example()), expected);
    }

    #[test]
    fn a_bridge_at_rest_says_so() {
        let text = render(&Status { version: "1.0".into(), ..Status::default() });
        assert_eq!(text, "pppoe-serial-bridge 1.0, up 0 s\n\nno sessions\n");
    }

    #[test]
    fn numbers_have_two_or_three_digits() {
        let numbers = [0, 999, 1000, 9999, 10_000, 999_999, 1_000_000, u64::MAX].map(scaled);
        assert_eq!(numbers, ["0 ", "999 ", "1.0 k", "9.9 k", "10 k", "999 k", "1.0 M", "18 E"]);
    }
}

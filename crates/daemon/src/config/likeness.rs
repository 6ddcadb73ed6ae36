//! What was meant by a word that is not known.

/// The one of `known` that is most like `word`, if any is much like it.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (word.chars().count() / 4).max(1);
    let distance = |name: &str| strsim::damerau_levenshtein(&word.to_lowercase(), &name.to_lowercase());
    known
        .into_iter()
        .map(|name| (distance(name), name))
        .filter(|(d, _)| *d <= most)
        .min()
        .map(|found| found.1)
}

/// Those of `known` that begin or end as `word` does, or of which it is one part: `round` is `round-robin`.
fn related<'a>(word: &str, known: &[&'a str]) -> Vec<&'a str> {
    const SEPARATORS: [char; 2] = ['_', '-'];
    const SHORTEST: usize = 3;
    let word = word.to_lowercase();
    let shares = |name: &str| {
        let parts = || name.split(SEPARATORS).filter(|part| part.len() >= SHORTEST);
        word.len() >= SHORTEST
            && (name.starts_with(&word)
                || parts().any(|part| part == word)
                || word.split(SEPARATORS).any(|part| part == name))
    };
    known.iter().copied().filter(|name| shares(name)).collect()
}

/// What to write instead of `word`.
pub(super) fn instead(word: &str, known: &[&str], kind: &str) -> String {
    match meant(word, known) {
        Some(help) => help,
        None if known.is_empty() => format!("there are no {kind}"),
        None => format!("{kind}: {}", known.join(", ")),
    }
}

fn meant(word: &str, known: &[&str]) -> Option<String> {
    let related =
        nearest(word, known.iter().copied()).map_or_else(|| related(word, known), |name| vec![name]);
    // A word that half of them share says nothing.
    (1..=3).contains(&related.len()).then(|| format!("did you mean `{}`?", related.join("` or `")))
}

/// What other programs call our keys.
const SYNONYMS: [(&str, &str); 31] = [
    ("baud", "speed"),
    ("baudrate", "speed"),
    ("baud_rate", "speed"),
    ("bps", "speed"),
    ("rate", "speed"),
    ("crtscts", "flow"),
    ("rtscts", "flow"),
    ("handshake", "flow"),
    ("dev", "device"),
    ("port", "device"),
    ("tty", "device"),
    ("path", "device"),
    ("script", "chat"),
    ("init", "chat"),
    ("initstring", "chat"),
    ("dial", "chat"),
    ("command", "connect"),
    ("number", "phone"),
    ("apn", "variables"),
    ("pin", "variables"),
    ("modem", "modems"),
    ("modems", "modem"),
    ("service", "services"),
    ("services", "service"),
    ("holdoff", "backoff_first"),
    ("demand", "idle"),
    ("max_sessions", "sessions"),
    ("policy", "pool"),
    ("strategy", "pool"),
    ("order", "pool"),
    ("delay", "pado_delay"),
];

/// Where the keys are that may stand in a wrong table.
const PLACES: [(&str, &[&str]); 7] = [
    ("above the first [table]", &["log_level", "wait", "ac_name"]),
    ("in [modem.NAME]", &OF_MODEMS),
    ("in [modem.NAME]", &OF_SCRIPTS),
    (
        "in [service.NAME]",
        &["modems", "pool", "when_busy", "sessions", "pado_delay", "pado_delay_per_session", "allow", "deny"],
    ),
    ("in [interface.NAME]", &["ac_name", "services", "sessions", "allow", "deny"]),
    ("in [limits]", &["sessions", "sessions_per_peer"]),
    ("in [discovery]", &["disclose_services", "accept_missing_service_name", "padi_rate", "peer_rate"]),
];

const OF_MODEMS: [&str; 35] = [
    "device",
    "speed",
    "flow",
    "queue",
    "line_rate",
    "lock",
    "lcp",
    "pass_pfc",
    "request_acfc",
    "request_pfc",
    "answer_by",
    "warm",
    "on_hook",
    "lcp_restart",
    "backoff_first",
    "backoff_longest",
    "silence",
    "echo_questions",
    "echo_interval",
    "idle",
    "answer_echo",
    "hangup_escape",
    "hangup",
    "hangup_file",
    "rescue",
    "reset",
    "reset_file",
    "reset_command",
    "dials_per_hour",
    "online_per_day",
    "volume_per_month",
    "chat",
    "chat_file",
    "connect",
    "connect_timeout",
];

/// Keys of modems that only chat scripts look at.
pub(super) const OF_SCRIPTS: [&str; 8] = [
    "chat_timeout",
    "chat_pacing",
    "chat_short_pause",
    "chat_fractional_timeouts",
    "phone",
    "phone2",
    "environment",
    "variables",
];

/// Whether there is such a key in any table.
pub(super) fn is_key(word: &str) -> bool {
    PLACES.iter().any(|(_, keys)| keys.contains(&word))
}

/// Where the key `word` belongs, if there is one in any table.
fn place_of_key(word: &str) -> Option<String> {
    let places = PLACES.iter().filter(|(_, keys)| keys.contains(&word));
    let places: Vec<&str> = places.map(|(place, _)| *place).collect();
    (!places.is_empty()).then(|| format!("`{word}` belongs {}", places.join(" or ")))
}

/// What to write instead of the key `word`.
pub(super) fn instead_of_key(word: &str, known: &[&str]) -> String {
    /// A list that is longer is not read.
    const MOST_LISTED: usize = 12;
    let lower = word.to_lowercase().replace('-', "_");
    let synonym = SYNONYMS.iter().find(|(other, key)| *other == lower && known.contains(key));
    let elsewhere = place_of_key(&lower).filter(|_| !known.contains(&lower.as_str()));
    match (synonym, elsewhere.or_else(|| meant(&lower, known))) {
        (Some((_, "variables")), _) => {
            let name = lower.to_uppercase();
            format!("write variables = {{ {name} = \"...\" }}, and ${name} in the chat script")
        }
        (Some((_, key)), _) => format!("did you mean `{key}`?"),
        (None, Some(help)) => help,
        (None, None) if known.len() > MOST_LISTED => "all keys are in pppoe-serial-bridge.toml(5)".to_owned(),
        (None, None) => format!("known keys: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_called_so_elsewhere_or_a_part_is_meant() {
        let keys = [
            "backoff_first",
            "backoff_longest",
            "chat",
            "chat_file",
            "chat_timeout",
            "connect_timeout",
            "device",
            "flow",
            "speed",
            "variables",
        ];
        let mean = |word: &str| instead_of_key(word, &keys);
        assert_eq!(mean("speeed"), "did you mean `speed`?");
        assert_eq!(mean("BaudRate"), "did you mean `speed`?");
        assert_eq!(mean("flow_control"), "did you mean `flow`?");
        assert_eq!(mean("init"), "did you mean `chat`?");
        assert_eq!(mean("timeout"), "did you mean `chat_timeout` or `connect_timeout`?");
        assert_eq!(mean("backoff"), "did you mean `backoff_first` or `backoff_longest`?");
        assert_eq!(mean("apn"), "write variables = { APN = \"...\" }, and $APN in the chat script");
        assert_eq!(mean("allow"), "`allow` belongs in [service.NAME] or in [interface.NAME]");
        assert_eq!(mean("log_level"), "`log_level` belongs above the first [table]");
        assert!(mean("xyzzy").starts_with("known keys: backoff_first, "));
        assert_eq!(instead("robin", &["first-free", "round-robin"], "values"), "did you mean `round-robin`?");
    }
}

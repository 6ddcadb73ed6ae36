//! What was meant by a word that is not known.

/// The one of `known` that is most like `word`, if any is much like it.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = 1 + word.chars().count() / 4;
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
const SYNONYMS: [(&str, &str); 28] = [
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
    ("service", "services"),
    ("holdoff", "backoff_first"),
    ("demand", "idle"),
    ("max_sessions", "sessions"),
    ("policy", "pool"),
    ("strategy", "pool"),
    ("order", "pool"),
];

/// What to write instead of the key `word`.
pub(super) fn instead_of_key(word: &str, known: &[&str]) -> String {
    /// A list that is longer is not read.
    const MOST_LISTED: usize = 12;
    let lower = word.to_lowercase().replace('-', "_");
    let synonym = SYNONYMS.iter().find(|(other, key)| *other == lower && known.contains(key));
    match (synonym, meant(&lower, known)) {
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
        assert!(mean("xyzzy").starts_with("known keys: backoff_first, "));
        assert_eq!(instead("robin", &["first-free", "round-robin"], "values"), "did you mean `round-robin`?");
    }
}

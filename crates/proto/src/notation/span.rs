//! A span of time, for people.

use core::fmt;

/// So many whole seconds in the two largest units: `5 s`, `3 min 4 s`, `2 h 0 min`, `12 d 7 h`.
#[must_use]
pub fn span(seconds: u64) -> impl fmt::Display + use<> {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    fmt::from_fn(move |f| match (days, hours, minutes) {
        (0, 0, 0) => write!(f, "{seconds} s"),
        (0, 0, _) => write!(f, "{minutes} min {} s", seconds % 60),
        (0, _, _) => write!(f, "{hours} h {} min", minutes % 60),
        (_, _, _) => write!(f, "{days} d {} h", hours % 24),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn a_span_has_at_most_two_units() {
        let spans =
            [0, 59, 60, 3599, 3600, 86_399, 86_400, 1_000_000].map(|seconds| span(seconds).to_string());
        let expected =
            ["0 s", "59 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "23 h 59 min", "1 d 0 h", "11 d 13 h"];
        assert_eq!(spans, expected);
    }
}

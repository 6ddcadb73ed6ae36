//! From text to steps.

use super::*;

/// The words of a script, told by what is sent: every second word, as it was written.
fn sent_words(text: &[u8]) -> Vec<String> {
    let script = Script::parse(text).unwrap();
    let sends = script.steps().iter().filter_map(|step| match &step.action {
        Action::Send(word) => Some(word.escape_ascii().to_string()),
        _ => None,
    });
    sends.collect()
}

fn error(text: impl AsRef<[u8]>) -> ScriptError {
    Script::parse(text.as_ref()).unwrap_err()
}

#[test]
fn words_are_split_at_blanks_quotes_and_line_ends() {
    let table: &[(&str, &[&str])] = &[
        ("'' a '' b", &["a", "b"]),
        ("''\ta\n\n''\n\nb", &["a", "b"]),
        ("'' 'a b' \"\" \"c'd\"", &["a b", r"c\'d"]),
        (r"'' 'a\'b'", &[r"a\\\'b"]),
        (r"'' 'a\\' '' b", &[r"a\\\\", "b"]),
        ("'' a'b' '' c", &[r"a\'b\'", "c"]),
        ("x 'a''b' c", &["a", "c"]),
        ("# a comment\n'' a\n #b c", &["a", "c"]),
        ("x a y", &["a"]),
        ("", &[]),
    ];
    for (text, words) in table {
        assert_eq!(sent_words(text.as_bytes()), *words, "{text}");
    }
}

#[test]
fn a_byte_order_mark_and_crlf_are_forgiven_and_mentioned() {
    let text = b"\xef\xbb\xbf# from a desktop\r\n\r\n'' AT\r\nOK ATD\r\nCONNECT\r\n";
    assert_eq!(sent_words(text), ["AT", "ATD"]);
    let warnings = Script::parse(text).unwrap().lint(Purpose::Dial, &ConversationOptions::default());
    let kinds: Vec<_> = warnings.into_iter().map(|warning| warning.kind).collect();
    assert_eq!(kinds, [WarningKind::ByteOrderMark, WarningKind::CarriageReturn]);
}

#[test]
fn a_comment_may_be_longer_than_the_lines_of_chat8() {
    let text = format!("#{} x y\n'' AT", "-".repeat(2000));
    assert_eq!(sent_words(text.as_bytes()), ["AT"]);
}

#[test]
fn words_of_a_command_line_are_taken_as_they_are() {
    let script = Script::from_words([b"".as_slice(), b"# 'a", b"a b"]).unwrap();
    assert_eq!(script.steps()[1].action, Action::Send(b"# 'a".to_vec()));
    assert_eq!(script.steps()[2].position, Position { line: 3, column: 1 });
    assert!(Script::from_words([b"a\0b".as_slice()]).is_err());
}

#[test]
fn keywords_count_in_expect_position_and_in_capitals_only() {
    let actions = |text: &str| -> Vec<_> {
        Script::parse(text.as_bytes()).unwrap().steps().iter().map(|step| step.action.clone()).collect()
    };
    assert_eq!(actions("'ABORT' BUSY"), [Action::Abort(b"BUSY".to_vec())], "quoted or not");
    assert_eq!(actions("'' ABORT")[1], Action::Send(b"ABORT".to_vec()));
    assert!(matches!(actions("abort BUSY")[0], Action::Expect(_)));
    assert_eq!(actions("TIMEOUT"), [], "nothing without its argument");
}

/// The expect strings of a word, each with its sub-send.
type Attempts = &'static [(&'static str, Option<&'static str>)];

#[test]
fn expect_words_are_split_at_unprotected_dashes() {
    let table: &[(&str, Attempts)] = &[
        ("''", &[]),
        ("a", &[("a", None)]),
        ("a-b-c-d-e", &[("a", Some("b")), ("c", Some("d")), ("e", None)]),
        ("a-b", &[("a", Some("b"))]),
        ("a--b", &[("a", Some("")), ("b", None)]),
        ("a--", &[("a", Some(""))]),
        ("a-", &[("a", None)]),
        ("-a", &[("", Some("a"))]),
        (r"a\-b-c", &[(r"a\-b", Some("c"))]),
        (r"a\\-c", &[(r"a\\", Some("c"))]),
        ("a-$B-c", &[("a", Some("$B")), ("c", None)]),
    ];
    for (text, expected) in table {
        let script = Script::parse(text.as_bytes()).unwrap();
        let Action::Expect(attempts) = &script.steps()[0].action else { panic!("{text}") };
        let found: Vec<_> = attempts
            .iter()
            .map(|attempt| (attempt.expect.as_slice(), attempt.send.as_deref()))
            .map(|(expect, send)| {
                (core::str::from_utf8(expect).unwrap(), send.map(|s| core::str::from_utf8(s).unwrap()))
            })
            .collect();
        assert_eq!(found, *expected, "{text}");
    }
}

#[test]
fn errors_say_where_what_and_what_to_do() {
    let table = [
        (
            "OK AT\n  'ATD".to_string(),
            1,
            "line 2, column 3: the quote ' is not closed on its line; close it, or write \\' for the character",
        ),
        ("a b\0c".to_string(), 1, "line 1, column 3: a NUL octet in the text; write \\N to send one"),
        (format!("OK AT\nABORT {}", "x".repeat(50)), 1, "line 2, column 1: the ABORT string \"xxx"),
        (format!("REPORT {}", "x".repeat(50)), 1, "line 1, column 1: the REPORT string \"xxx"),
        (
            "ABORT x\n".repeat(51),
            2,
            "line 51, column 1: more than 50 ABORT strings; remove some with CLR_ABORT first",
        ),
        ("REPORT x\n".repeat(51), 2, "line 51, column 1: more than 50 REPORT strings"),
        (
            format!("'' {}", "x".repeat(1024)),
            1,
            "line 1, column 4: this word has 1024 octets; send it in pieces",
        ),
        ("#".repeat(70_000), 1, "line 1, column 1: the script has 70000 octets; at most 65536 are taken"),
    ];
    for (text, exit_code, message) in table {
        let error = error(&text);
        assert!(error.to_string().starts_with(message), "{error}");
        assert_eq!(error.exit_code(), exit_code, "{error}");
    }
}

#[test]
fn the_limits_themselves_are_allowed() {
    let long = "x".repeat(49);
    let text = format!("ABORT {long} CLR_ABORT {long} {} '' {}", "ABORT y ".repeat(50), "z".repeat(1023));
    assert!(Script::parse(text.as_bytes()).is_ok());
    let by_variable = format!("ABORT ${}", "X".repeat(60));
    assert!(Script::parse(by_variable.as_bytes()).is_ok(), "its value may be shorter");
}

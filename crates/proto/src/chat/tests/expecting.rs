//! What matches, what aborts, what is reported, and for how long it is waited for.

use super::*;

/// The exit code after the modem said `heard` once and then kept silent.
fn exit_code(script: &str, heard: impl AsRef<[u8]>) -> u8 {
    let mut run = Run::new(script);
    run.hear(heard);
    run.wait_to_the_end();
    run.story.exit_code().unwrap()
}

#[test]
fn an_expect_ends_as_it_does_in_chat8() {
    let table: &[(&str, &[u8], u8)] = &[
        ("OK", b"OK", 0),
        ("OK", b"ok", 3),
        ("OK", b"\xcf\xcb", 0),
        ("OK", b"\0\0OK", 0),
        ("'' x", b"", 0),
        ("OK '' OK", b"OK", 3),
        ("OK '' OK", b"OKOK", 0),
        ("O '' OK", b"OK", 3),
        (r"\r\n\s\t\b\\\101^A\q", b"\r\n \t\x08\\A\x01", 0),
        (r"a\d\K\p\c\N\xb", b"adKpcNxb", 0),
        (r"a\Tb", b"a\\Tb", 0),
        (r"a\0b", b"ab", 0),
        (r"a\-b", b"a-b", 0),
        ("a\\", b"a", 0),
        ("ABORT OK OK", b"OK", 0),
        ("ABORT OK OKAY", b"OKAY", 4),
        ("ABORT A ABORT B OK", b"B", 5),
        ("ABORT 'NO CARRIER' ABORT CARRIER OK", b"NO CARRIER", 4),
        (r"ABORT NO\sCARRIER OK", b"NO CARRIER", 4),
        ("ABORT '' OK", b"x", 4),
        ("ABORT A CLR_ABORT A OK", b"A", 3),
        ("ABORT A ABORT B ABORT C CLR_ABORT A OK", b"C", 5),
        ("ABORT A ABORT A CLR_ABORT A OK", b"A", 3),
        ("CLR_ABORT A OK", b"OK", 0),
        ("ABORT NO a-b-c", b"NO", 4),
    ];
    for &(script, heard, code) in table {
        assert_eq!(exit_code(script, heard), code, "{script}");
    }
}

#[test]
fn a_match_is_found_behind_any_amount_of_noise() {
    for noise in [0, 1, 1022, 1023, 1024, 2046, 2047, 2048, 5000] {
        let heard = [&vec![b'x'; noise][..], b"CONNECT"].concat();
        assert_eq!(exit_code("CONNECT", &heard), 0, "{noise}");
        assert_eq!(exit_code("ABORT CONNECT OK", &heard), 4, "{noise}");
    }
    let long = "y".repeat(1000);
    assert_eq!(exit_code(&long, "x".repeat(1500) + &long), 0);
}

#[test]
fn sub_sends_are_sent_on_timeout_only() {
    let mut run = Run::new("TIMEOUT 3 a-b-c d");
    assert_eq!(run.wait(), Duration::from_secs(3));
    assert_eq!(run.story.written, b"b\r");
    run.hear("c");
    assert_eq!(run.story.written, b"b\rd\r");
    let mut first = Run::new("a-b-c d");
    first.hear("a");
    assert_eq!(first.story.written, b"d\r");
    let mut last = Run::new("TIMEOUT 3 a-b-c d");
    assert_eq!(last.wait_to_the_end(), Duration::from_secs(6), "each attempt has its time");
    assert_eq!((last.story.exit_code(), last.story.written.as_slice()), (Some(3), &b"b\r"[..]));
    let mut at_the_end = Run::new("TIMEOUT 3 a-x y '' z");
    at_the_end.wait_to_the_end();
    assert_eq!(at_the_end.story.written, b"x\ry\rz\r", "after a sub-send the expect is done");
    let mut empty = Run::new("a--b");
    empty.wait();
    assert_eq!(empty.story.written, b"\r");
    let mut file = Run::new("a-@f-b");
    file.wait();
    assert_eq!(file.story.files, [b"f"]);
}

#[test]
fn the_timeout_is_for_the_whole_expect() {
    let mut run = Run::new("TIMEOUT 5 OK");
    run.now += Duration::from_secs(4);
    run.hear("still here\r\n");
    assert_eq!(run.wait(), Duration::from_secs(1));
    assert_eq!(run.story.exit_code(), Some(3));
}

#[test]
fn octets_handed_in_before_the_timeout_count_as_in_time() {
    let mut run = Run::new("TIMEOUT 5 OK");
    run.now += Duration::from_secs(6);
    run.hear("OK");
    assert_eq!(run.story.exit_code(), Some(0));
}

#[test]
fn timeouts_are_whole_seconds_and_nonsense_means_45() {
    let table = [
        ("7", 7),
        (r"\t7x", 7),
        ("+7", 7),
        ("0", 45),
        ("-3", 45),
        ("x", 45),
        ("0.5", 45),
        ("9999999999", 45),
        ("2147483648", 45),
    ];
    for (word, seconds) in table {
        let run = Run::new(&format!("TIMEOUT {word} OK"));
        let limit = run.conversation.poll_timeout().unwrap() - run.now;
        assert_eq!(limit, Duration::from_secs(seconds), "{word}");
    }
    for (word, millis) in [("0.5", 500), ("2.25x", 2250), ("1", 1000), ("0.0", 45_000), (".5", 500)] {
        let options = ConversationOptions { fractional_timeouts: true, ..ConversationOptions::default() };
        let run = Run::with(&format!("TIMEOUT {word} OK"), options);
        let limit = run.conversation.poll_timeout().unwrap() - run.now;
        assert_eq!(limit, Duration::from_millis(millis), "{word}");
    }
}

#[test]
fn variables_work_in_what_is_waited_for() {
    let run = |script, heard: &str| {
        let variables = [(b"A".to_vec(), b"-b-".to_vec()), (b"T".to_vec(), b"7".to_vec())].into();
        let script_options = ScriptOptions { variables: Some(variables), ..ScriptOptions::default() };
        let mut run = Run::with(
            script,
            ConversationOptions { script: script_options, ..ConversationOptions::default() },
        );
        run.hear(heard);
        run
    };
    assert_eq!(run("a$A b", "a-b-").story.written, b"b\r", "its dashes do not split");
    assert_eq!(run("ABORT $A OK", "-b-").story.exit_code(), Some(4));
    assert_eq!(run("TIMEOUT $T OK", "").wait(), Duration::from_secs(7));
}

#[test]
fn strings_that_grow_too_long_by_a_variable_fail_the_step() {
    let variables = [(b"A".to_vec(), vec![b'x'; 50])].into();
    let script = ScriptOptions { variables: Some(variables), ..ScriptOptions::default() };
    let run = Run::with("ABORT $A OK", ConversationOptions { script, ..ConversationOptions::default() });
    assert_eq!(run.story.exit_code(), Some(1));
    assert_eq!(run.story.error().kind, FailureKind::StringTooLong { keyword: "ABORT", octets: 50 });
}

#[test]
fn echo_shows_what_is_read_without_cr_and_with_control_characters_visible() {
    let mut run = Run::new("ECHO ON OK '' ECHO OFF OK ''");
    run.hear(b"a\r\nb\x01\xffOK");
    assert_eq!(run.story.echoed, "a\nb^A^?OK");
    run.hear("OK");
    assert_eq!(run.story.echoed, "a\nb^A^?OK");
    let mut small = Run::new("ECHO on OK");
    small.hear("OK");
    assert_eq!(small.story.echoed, "", "anything but ON means off");
    let mut from_start =
        Run::with("OK", ConversationOptions { echo: true, ..ConversationOptions::default() });
    from_start.hear("OK");
    assert_eq!(from_start.story.echoed, "OK");
}

#[test]
fn what_is_shown_comes_in_its_order() {
    let script = Arc::new(Script::parse(br"ECHO ON OK '' SAY said\c").unwrap());
    let mut conversation = Conversation::new(script, ConversationOptions::default(), Instant::ZERO);
    conversation.handle_octets(Instant::ZERO, b"OK");
    let shown: Vec<_> = core::iter::from_fn(|| conversation.poll_output())
        .filter(|output| matches!(output, ConversationOutput::Echo(_) | ConversationOutput::Say(_)))
        .collect();
    assert_eq!(
        shown,
        [ConversationOutput::Echo("OK".to_string()), ConversationOutput::Say(b"said".to_vec())]
    );
}

#[test]
fn a_report_is_the_rest_of_its_line_and_comes_once() {
    let mut run = Run::new("REPORT CONNECT REPORT b CLR_REPORT b OK ''");
    run.hear("b\r\nCONNECT 115200\r\nCONNECT 9600\r\nOK");
    assert_eq!(run.story.reports, ["CONNECT 115200"]);
}

#[test]
fn the_verdict_waits_for_the_end_of_a_report() {
    let mut run = Run::new("REPORT CONNECT CONNECT \\c");
    assert_eq!(run.hear("CONNECT 115200\r\n~"), 15, "up to the CR");
    assert_eq!(run.story.reports, ["CONNECT 115200"]);
    assert_eq!(run.story.exit_code(), Some(0));

    let mut unfinished = Run::new("REPORT NO ABORT NO OK");
    unfinished.hear("NO CARR");
    assert_eq!(unfinished.story.verdict, None);
    assert_eq!(unfinished.wait(), Duration::from_secs(1));
    assert_eq!(
        (unfinished.story.exit_code(), unfinished.story.reports),
        (Some(4), vec!["NO CARR".to_string()])
    );

    let mut hung_up = Run::new("REPORT NO ABORT NO OK");
    hung_up.hear("NO CARR");
    hung_up.conversation.handle_hangup(hung_up.now);
    hung_up.story.drain(&mut hung_up.conversation);
    assert_eq!(hung_up.story.exit_code(), Some(4), "the verdict was already known");
}

#[test]
fn a_report_line_stays_bounded() {
    let mut run = Run::new("REPORT a OK");
    run.hear("a".repeat(2000) + "\r\n");
    assert_eq!(run.story.reports[0].len(), 255);
}

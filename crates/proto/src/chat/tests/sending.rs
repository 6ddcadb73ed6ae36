//! From a send word to the octets on the wire, and their time.

use alloc::collections::BTreeMap;

use super::*;

#[test]
fn escapes_become_what_they_stand_for() {
    let table: &[(&str, &[u8])] = &[
        ("AT", b"AT\r"),
        ("", b"\r"),
        (r"AT\c", b"AT"),
        (r"a\cb", b"acb\r"),
        (r"\b\n\r\s\t\N\\", b"\x08\n\r \t\0\\\r"),
        (r"\1012", b"A2\r"),
        (r"\7", b"\x07\r"),
        (r"\0", b"\0\r"),
        (r"\08", b"\x008\r"),
        (r"\134d", b"\\d\r"),
        (r"\777", b"\xff\r"),
        ("^C^[^^^?a^", b"\x03\x1b\x1e\x1fa^\r"),
        ("^@", b"\r"),
        ("a\\", b"a\\\r"),
        (r"\x\z", b"xz\r"),
        (r"\$HOME$HOME", b"$HOME$HOME\r"),
        (r"\T\U", b"TU\r"),
        ("EOT", b"\x04"),
        ("EOTx", b"EOTx\r"),
        ("@", b"@\r"),
        ("@ \t", b"@ \t\r"),
        (r"a\qb", b"ab\r"),
        (r"a\d\p\Kb", b"ab\r"),
    ];
    for (word, octets) in table {
        assert_eq!(sent(word).escape_ascii().to_string(), octets.escape_ascii().to_string(), "{word}");
    }
}

#[test]
fn phone_numbers_and_variables_see_only_the_second_pass() {
    let variables: BTreeMap<_, _> = [("N", "*99#"), ("V", r"^C\r\pa\\b"), ("TAIL", r"x\")]
        .map(|(name, value)| (name.into(), value.into()))
        .into();
    let options = ScriptOptions {
        phone_number: Some(b"12\\34".to_vec()),
        second_phone_number: Some(b"5".to_vec()),
        variables: Some(variables),
    };
    let table: &[(&str, &[u8])] = &[
        (r"ATD\T,\U", b"ATD1234,5\r"),
        ("ATD$N.", b"ATD*99#.\r"),
        ("$UNSET-$NX-$", b"--\r"),
        ("${N}", b"{N}\r"),
        (r"\$N", b"$N\r"),
        ("$V", b"^Cra\\b\r"),
        ("$TAIL", b"x\r"),
        (r"$TAIL\c", b"x"),
    ];
    for (word, octets) in table {
        let sent = sent_with(word, options.clone());
        assert_eq!(sent.escape_ascii().to_string(), octets.escape_ascii().to_string(), "{word}");
    }
    assert!(!format!("{options:?}").contains("99"), "values do not appear in a debug print");
}

#[test]
fn pauses_are_timers_and_come_where_they_stand() {
    let mut run = Run::new(r"'' a\db\pc");
    assert_eq!(run.story.writes, [b"a"]);
    assert_eq!(run.wait(), Duration::from_secs(1));
    assert_eq!(run.story.writes, [b"a", b"b"]);
    assert_eq!(run.wait(), Duration::from_millis(100), "what the manual of chat(8) says");
    assert_eq!(run.story.writes, [b"a".to_vec(), b"b".to_vec(), b"c\r".to_vec()]);
    assert_eq!(run.story.exit_code(), Some(0));
}

#[test]
fn octets_are_paced_only_when_that_is_asked_for() {
    assert_eq!(Run::new("'' ATZ").story.writes, [b"ATZ\r"]);
    let options =
        ConversationOptions { octet_pacing: Duration::from_millis(10), ..ConversationOptions::default() };
    let mut run = Run::with("'' ATZ", options);
    assert_eq!(run.story.writes, Vec::<Vec<u8>>::new(), "the pause comes before the octet");
    assert_eq!(run.wait_to_the_end(), Duration::from_millis(40));
    assert_eq!(run.story.writes.concat(), b"ATZ\r");
}

#[test]
fn nothing_is_written_into_a_break() {
    const HALF_A_SECOND: Instant = Instant::from_millis(500);
    let script = Arc::new(Script::parse(br"'' a\Kb '' BREAK").unwrap());
    let mut conversation = Conversation::new(script, ConversationOptions::default(), Instant::ZERO);
    let outputs = |conversation: &mut Conversation| -> Vec<_> {
        core::iter::from_fn(|| conversation.poll_output())
            .filter(|output| !matches!(output, ConversationOutput::Log(_)))
            .collect()
    };
    let before = [ConversationOutput::Write(b"a".to_vec()), ConversationOutput::Break];
    assert_eq!(outputs(&mut conversation), before);
    assert_eq!(conversation.poll_timeout(), Some(HALF_A_SECOND));
    conversation.handle_timeout(HALF_A_SECOND);
    let after = [ConversationOutput::Write(b"b\r".to_vec()), ConversationOutput::Break];
    assert_eq!(outputs(&mut conversation), after);
    conversation.handle_timeout(HALF_A_SECOND + Duration::from_millis(500));
    assert_eq!(outputs(&mut conversation), [ConversationOutput::Verdict(Verdict::Connected)]);
}

#[test]
fn a_send_may_not_take_longer_than_the_timeout() {
    let mut late = Run::new(r"TIMEOUT 2 '' a\d\d\db");
    late.wait_to_the_end();
    assert_eq!(late.story.written, b"a");
    assert_eq!(late.story.exit_code(), Some(1));
    assert_eq!(
        late.story.error().to_string(),
        "step 3 of the chat script: sending took longer than the timeout of 2 s"
    );
    let mut at_the_end = Run::new(r"TIMEOUT 2 '' a\d\d\d\c");
    assert_eq!(at_the_end.wait_to_the_end(), Duration::from_secs(3));
    assert_eq!(at_the_end.story.exit_code(), Some(0), "pauses alone do not fail");
}

/// What is sent of a file.
fn sent_file(contents: &[u8]) -> Vec<u8> {
    let mut run = Run::new("'' '@ \tdial.txt'");
    assert_eq!(run.story.files, [b"dial.txt"]);
    assert_eq!(run.conversation.poll_timeout(), None);
    run.conversation.file_contents(run.now, Ok(contents.to_vec()));
    run.story.drain(&mut run.conversation);
    run.wait_to_the_end();
    assert_eq!(run.story.exit_code(), Some(0));
    run.story.written
}

#[test]
fn a_file_is_sent_like_a_word() {
    assert_eq!(sent_file(b"AT\\s^C\n"), b"AT \x03\r");
    assert_eq!(sent_file(b"AT\n\n"), b"AT\n\r", "one line end is dropped");
    assert_eq!(sent_file(b"AT\\c\n"), b"AT");
    assert_eq!(sent_file(b"EOT\n"), b"\x04");
    assert_eq!(sent_file(b"a\0b"), b"a\r");
    assert_eq!(sent_file(&[b'x'; 2000]).len(), 1024, "1023 octets and a CR");
}

#[test]
fn a_file_that_cannot_be_read_fails_the_send() {
    let mut run = Run::new("'' @$N");
    assert_eq!(run.story.files, [b"$N"], "its name is not looked up");
    run.conversation.file_contents(run.now, Err("no such file".to_string()));
    run.story.drain(&mut run.conversation);
    assert_eq!(run.story.exit_code(), Some(1));
    assert_eq!(run.story.error().kind.to_string(), "cannot read \"$N\": no such file");
}

#[test]
fn what_is_said_goes_through_the_first_pass_only() {
    let run = Run::new(r"SAY 'hello\n' SAY 'a\\b\c' SAY '\d\c' SAY 'x\Ny'");
    assert_eq!(run.story.said, b"hello\n\ra\\\\b\\dx\\");
}

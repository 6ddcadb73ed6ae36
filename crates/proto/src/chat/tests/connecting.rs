//! Whole conversations: what ends them, and what is left for PPP.

use proptest::prelude::*;

use super::*;

#[test]
fn a_dial_script_connects_and_leaves_ppp_its_octets() {
    let mut run = Run::new("ABORT BUSY\n'' ATZ\nOK ATD*99#\nCONNECT \\c\n");
    assert_eq!(run.story.written, b"ATZ\r");
    run.hear("ATZ\r\r\nOK\r\n");
    assert_eq!(run.story.written, b"ATZ\rATD*99#\r");
    assert_eq!(run.hear("ATD*99#\r\r\nCONNECT\r\n~\x7f}#"), 17, "what follows CONNECT is not chat's");
    assert_eq!(run.story.verdict, Some(Verdict::Connected));
    assert_eq!(run.conversation.take_unread(), b"");
    assert_eq!(run.hear("~"), 0, "nothing is taken once it is done");
}

#[test]
fn octets_that_come_during_a_last_pause_belong_to_ppp() {
    let mut run = Run::new(r"CONNECT \d\c");
    assert_eq!(run.hear(b"CONNECT\r\n~\xff}#"), 13);
    assert_eq!(run.story.verdict, None);
    assert_eq!(run.wait(), Duration::from_secs(1));
    assert_eq!(run.story.verdict, Some(Verdict::Connected));
    assert_eq!(run.conversation.take_unread(), b"\r\n~\xff}#", "all eight bits of them");
}

#[test]
fn an_empty_script_connects_at_once() {
    assert_eq!(Run::new("").story.exit_code(), Some(0));
}

#[test]
fn an_abort_ends_it_with_four_plus_its_index() {
    let mut run = Run::new("ABORT BUSY ABORT 'NO CARRIER'\n'' ATD\nCONNECT ''\n");
    run.hear("ATD\r\r\nNO CARRIER\r\n");
    assert_eq!(run.story.exit_code(), Some(5));
    assert_eq!(
        run.story.error().to_string(),
        "step 5 of the chat script: expected \"CONNECT\", but \"NO CARRIER\" came (ABORT string 2); \
         last received: \"ATD^M^M^JNO CARRIER\""
    );
}

#[test]
fn a_timeout_ends_it_with_three_and_says_what_came_instead() {
    let mut run = Run::new("TIMEOUT 7\n  OK ATD");
    run.hear("+CME ERROR: SIM busy\r\n");
    assert_eq!(run.wait(), Duration::from_secs(7));
    assert_eq!(run.story.exit_code(), Some(3));
    let text = run.story.error().to_string();
    assert!(
        text.starts_with("step 2 of the chat script: expected \"OK\", which did not come within 7 s"),
        "{text}"
    );
    assert!(text.ends_with("last received: \"+CME ERROR: SIM busy^M^J\""), "{text}");
    let mut silent = Run::new("OK ATD");
    assert_eq!(silent.wait(), Duration::from_secs(45), "the timeout of chat(8)");
    assert!(silent.story.error().to_string().ends_with("nothing came"));
}

#[test]
fn a_hangup_ends_it_with_two() {
    let mut run = Run::new("OK ATD");
    run.conversation.handle_hangup(run.now);
    run.story.drain(&mut run.conversation);
    assert_eq!((run.story.exit_code(), &run.story.error().kind), (Some(2), &FailureKind::HungUp));
}

#[test]
fn with_hangup_off_the_script_goes_on_after_a_hangup() {
    let mut run = Run::new("HANGUP OFF OK ATD CONNECT");
    run.conversation.handle_hangup(run.now);
    run.hear("OK");
    assert_eq!(run.story.written, b"ATD\r");
    assert!(run.story.log.contains(&ChatLine::HangupIgnored));
    let mut on_again = Run::new("HANGUP OFF HANGUP ON OK ATD");
    on_again.conversation.handle_hangup(on_again.now);
    assert!(on_again.conversation.is_done());
}

#[test]
fn calls_that_are_early_or_not_due_do_nothing() {
    let mut run = Run::new(r"'' \dAT OK");
    let due = run.conversation.poll_timeout();
    run.conversation.handle_timeout(run.now);
    run.conversation.file_contents(run.now, Ok(b"x".to_vec()));
    run.story.drain(&mut run.conversation);
    assert_eq!((run.conversation.poll_timeout(), run.story.written.len()), (due, 0));
    run.wait();
    assert_eq!(run.story.written, b"AT\r");
    run.hear("OK");
    run.conversation.handle_timeout(run.now + Duration::from_secs(99));
    run.conversation.handle_hangup(run.now);
    assert_eq!(run.conversation.poll_output(), None);
    assert_eq!(run.conversation.poll_timeout(), None);
}

#[test]
fn the_log_reads_like_that_of_chat8() {
    let mut run = Run::new("ABORT BUSY CLR_ABORT BUSY REPORT x CLR_REPORT x TIMEOUT 3 '' ATZ OK");
    run.hear("ATZ\r\r\nOK");
    assert_eq!(
        run.story.log_text(),
        "abort on (BUSY)\nclear abort on (BUSY)\nreport (x)\nclear report (x)\ntimeout set to 3 seconds\n\
         send (ATZ^M)\nexpect (OK)\nATZ^M\nOK\n -- got it"
    );
}

#[test]
fn memory_stays_bounded_whatever_the_modem_says() {
    let mut run = Run::new("OK x");
    for _ in 0..100 {
        assert_eq!(run.hear([b'x'; 1000]), 1000);
    }
    assert!(run.conversation.room_for_received() <= 8192);
    assert!(run.story.log.iter().all(|line| line.to_string().len() <= 1024));
    let mut pausing = Run::new(r"'' \d OK x");
    assert_eq!(pausing.hear([b'x'; 5000]), Conversation::MAX_UNREAD_OCTETS);
    assert_eq!(pausing.hear("x"), 0, "the caller may offer it again");
    pausing.wait();
    assert_eq!(pausing.hear("OK"), 2);
}

/// Words of the language, and what may stand between them.
fn script_text() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        prop::sample::select(vec![
            "ABORT",
            "CLR_ABORT",
            "REPORT",
            "TIMEOUT",
            "ECHO",
            "ON",
            "HANGUP",
            "OFF",
            "SAY",
            "EOT",
            "BREAK",
            "@f",
            "1",
            "''",
            "OK",
            "O-K-x",
            "a--",
            r"\d\p\K",
            r"\c",
            r"\q",
            r"\T$A",
            "^",
            r"\\",
            r"\12",
            "\n",
            "#",
            "'",
            "\r\n",
        ])
        .prop_map(|word| word.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(word, 0..30).prop_map(|words| words.join(&b' '))
}

proptest! {
    #[test]
    fn no_text_and_no_octets_panic(
        text in script_text(),
        chunks in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40), 0_u64..3000), 0..20),
    ) {
        let Ok(script) = Script::parse(&text) else { return Ok(()) };
        for warning in script.lint(Purpose::Dial, &ConversationOptions::default()) {
            prop_assert!(!warning.to_string().is_empty());
        }
        let variables = [(b"A".to_vec(), b"OK\\".to_vec())].into();
        let script_options = ScriptOptions { variables: Some(variables), ..ScriptOptions::default() };
        let options = ConversationOptions { script: script_options, ..ConversationOptions::default() };
        let mut now = Instant::ZERO;
        let mut conversation = Conversation::new(Arc::new(script), options, now);
        let mut story = Story::default();
        for (octets, millis) in chunks {
            story.drain(&mut conversation);
            conversation.file_contents(now, Ok(octets.clone()));
            let taken = conversation.handle_octets(now, &octets);
            prop_assert!(taken <= octets.len());
            now += Duration::from_millis(millis);
            conversation.handle_timeout(now);
        }
        // Given time, and an answer to each file, every script ends.
        for _ in 0..2000 {
            story.drain(&mut conversation);
            conversation.file_contents(now, Err("gone".to_string()));
            if let Some(due) = conversation.poll_timeout() {
                now = due;
                conversation.handle_timeout(now);
            }
        }
        story.drain(&mut conversation);
        prop_assert!(story.verdict.is_some());
    }

    #[test]
    fn it_does_not_matter_how_the_octets_are_split(
        octets in prop::collection::vec(prop::sample::select(b"OKNCE\r\n".to_vec()), 0..60),
        at in 0_usize..60,
    ) {
        let script = "ABORT NO REPORT CE '' AT OK ATD ONE-x-NE ''";
        let (mut whole, mut parts) = (Run::new(script), Run::new(script));
        let taken = whole.hear(&octets);
        let (first, second) = octets.split_at(at.min(octets.len()));
        let mut taken_in_parts = parts.hear(first);
        if taken_in_parts == first.len() {
            taken_in_parts += parts.hear(second);
        }
        prop_assert_eq!(taken, taken_in_parts);
        whole.wait_to_the_end();
        parts.wait_to_the_end();
        prop_assert_eq!(whole.story.written, parts.story.written);
        prop_assert_eq!(whole.story.reports, parts.story.reports);
        prop_assert_eq!(whole.story.verdict, parts.story.verdict);
    }
}

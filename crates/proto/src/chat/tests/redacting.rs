//! What never reaches a log line or an error text.

use super::*;

/// All that a run tells anybody.
fn told(run: &Run) -> String {
    let Story { reports, verdict, .. } = &run.story;
    format!("{}\n{reports:?}\n{verdict:?}\n{:?}", run.story.log_text(), run.conversation)
}

#[test]
fn pins_and_passwords_appear_nowhere_even_when_the_modem_echoes_them() {
    let commands = [
        r#"AT+CPIN="1234""#,
        "at+cpin=1234",
        "AT+CPIN = 1234",
        r#"ATZ;+CPIN="1234";+CSQ"#,
        r#"AT+CLCK="SC",0,"1234""#,
        r#"AT+CPWD="SC","0000","1234""#,
        r#"AT+CGAUTH=1,1,"user","1234""#,
        r#"AT^AUTHDATA=1,1,"","1234","user""#,
        r#"AT$QCPDPP=1,1,"1234","user""#,
        r"1234\q",
    ];
    for command in commands {
        let command = command.replace("^", r"\136");
        let mut run = Run::new(&format!("ABORT ERROR\n'' '{command}'\nOK"));
        assert!(run.story.written.windows(4).any(|part| part == b"1234"), "{command} is sent as it is");
        let echo = run.story.written.clone();
        run.hear([&echo[..], b"\r\n+CME: 1234 is wrong\r\nERROR"].concat());
        assert_eq!(run.story.exit_code(), Some(4));
        assert!(!told(&run).contains("1234"), "{}", told(&run));
        assert!(told(&run).contains("??????"));
    }
}

#[test]
fn a_report_is_kept_without_the_secrets_in_it() {
    let mut run = Run::new(r"REPORT SIM REPORT LONG '' \q1234 OK '' \d");
    run.hear("\r\nSIM 1234 is open\r\n");
    run.hear(format!("LONG {}1234\r\nOK", "x".repeat(248)));
    assert_eq!(run.story.reports[0], "SIM ?????? is open");
    assert!(run.story.reports[1].ends_with("xx??"), "cut, but not in a secret: {:?}", run.story.reports);
    assert!(!told(&run).contains("123"), "{}", told(&run));
}

#[test]
fn an_answer_to_a_password_prompt_is_a_secret() {
    for prompt in ["ssword:", "Password", "word:", r"assword:\s"] {
        let mut run = Run::new(&format!("ogin: me\n{prompt}--{prompt} hunter2\nOK"));
        run.hear("login: ");
        run.hear("Password: ");
        assert!(run.story.written.ends_with(b"hunter2\r"), "{prompt}");
        assert!(run.story.log_text().contains("send (me^M)"));
        run.hear("hunter2\r\n");
        assert!(!told(&run).contains("hunter2"), "{}", told(&run));
    }
}

#[test]
fn a_question_about_the_pin_is_no_secret() {
    let mut run = Run::new("'' AT+CPIN? READY");
    run.hear("AT+CPIN?\r\r\n+CPIN: READY");
    assert!(run.story.log_text().contains("send (AT+CPIN?^M)"));
    assert!(run.story.log_text().contains("+CPIN: READY"));
}

#[test]
fn a_password_mentioned_on_an_earlier_line_makes_no_secret() {
    let mut run = Run::new("ogin: guest");
    run.hear("No password needed.\r\nlogin:");
    assert!(run.story.log_text().ends_with("send (guest^M)"));
}

#[test]
fn quiet_is_for_one_send_only() {
    let run = Run::new(r"'' \qATX '' ATZ");
    assert!(run.story.log_text().contains("send (??????)"));
    assert!(run.story.log_text().contains("send (ATZ^M)"));
}

#[test]
fn what_the_modem_says_is_printable_and_short() {
    let mut run = Run::new("OK");
    run.hear(b"\x1b[2J\x07\xff".repeat(100));
    run.wait();
    let error = run.story.error();
    assert!(error.last_received.len() <= 80);
    assert!(error.to_string().chars().all(|character| (' '..='~').contains(&character)), "{error}");
}

#[test]
fn a_variable_named_like_a_secret_is_one() {
    for name in ["PIN", "sim_pin2", "PASSWORD", "PUK", "APN_SECRET"] {
        let variables = [(name.into(), b"1234".to_vec()), (b"APN".to_vec(), b"internet".to_vec())].into();
        let script = ScriptOptions { variables: Some(variables), ..ScriptOptions::default() };
        let options = ConversationOptions { script, ..ConversationOptions::default() };
        let run = Run::with(&format!("'' AT^SPIN=$APN,${name}"), options);
        assert!(run.story.written.ends_with(b"=internet,1234\r"));
        assert!(run.story.log_text().ends_with("=internet,??????^M)"), "{}", run.story.log_text());
    }
}

//! What is legal but cannot be meant.

use super::*;

fn options(variables: Option<&[&str]>) -> ConversationOptions {
    let with_values =
        |names: &[&str]| names.iter().map(|name| (name.as_bytes().to_vec(), Vec::new())).collect();
    let script = ScriptOptions {
        phone_number: Some(b"5551212".to_vec()),
        variables: variables.map(with_values),
        ..ScriptOptions::default()
    };
    ConversationOptions { script, ..ConversationOptions::default() }
}

fn found(text: &str, purpose: Purpose, options: &ConversationOptions) -> Vec<String> {
    Script::parse(text.as_bytes()).unwrap().lint(purpose, options).iter().map(ToString::to_string).collect()
}

/// Of a script that dials.
fn warnings(text: &str) -> Vec<String> {
    found(text, Purpose::Dial, &options(None))
}

fn each_is_warned_of(table: &[(&str, &str)]) {
    for (text, message) in table {
        let found = warnings(text);
        assert!(found.iter().any(|warning| warning.starts_with(message)), "{text}: {found:?}");
    }
}

#[test]
fn every_suspicion_says_where_and_why() {
    each_is_warned_of(&[
        ("OK AT\n  # init", "line 2, column 3: # begins a comment only in the first column"),
        (
            "'' AT\rOK ATD",
            "line 1, column 4: a CR in this word; end lines with LF, or write \\r if it is meant",
        ),
        ("'' 'AT''Z'", "line 1, column 8: a word ends at its closing quote"),
        ("abort BUSY OK", "line 1, column 1: \"abort\" is a string to wait for"),
        ("ABRT BUSY OK", "line 1, column 1: \"ABRT\" is a string to wait for; did you mean ABORT?"),
        (
            "'' AT\nTIMOUT 60\nOK",
            "line 2, column 1: \"TIMOUT\" is a string to wait for; did you mean TIMEOUT?",
        ),
        ("CLR_ABROT BUSY OK", "line 1, column 1: \"CLR_ABROT\" is a string to wait for"),
        ("'' AT\nOK ABORT", "line 2, column 4: \"ABORT\" will be sent"),
        ("OK AT\nTIMEOUT", "line 2, column 1: TIMEOUT without an argument does nothing"),
        (r"OK\d AT", "line 1, column 1: \\d means something only when sent"),
        (r"'' ATD\x1b OK", "line 1, column 4: there is no escape \\x, so it stands for \"x\""),
        (r"OK\a AT", "line 1, column 1: there is no escape \\a"),
        ("ABORT caf\u{e9} OK", "line 1, column 1: modem text has seven bits"),
        (
            "ABORT CONN\nCONNECT ''",
            "line 2, column 1: this never comes: its part \"CONN\" is an ABORT string",
        ),
        ("ABORT '' OK", "line 1, column 1: an empty ABORT string"),
        ("ABORT A\nABORT A OK", "line 2, column 1: \"A\" is an ABORT string already"),
        ("'' AT OK ATD\nABORT BUSY", "line 2, column 1: nothing is waited for after this"),
        ("CLR_ABORT BUSY OK", "line 1, column 1: \"BUSY\" is not an ABORT string here"),
        ("TIMEOUT 5s OK", "line 1, column 1: \"5s\" is not a whole number above 0"),
        ("TIMEOUT 0 OK", "line 1, column 1: \"0\" is not a whole number above 0"),
        ("TIMEOUT 0.5 OK", "line 1, column 1: \"0.5\" is not a whole number above 0"),
        ("TIMEOUT $T OK", "line 1, column 1: \"$T\" is not a whole number above 0"),
        ("ECHO on OK", "line 1, column 1: \"on\" is neither ON nor OFF"),
        ("HANGUP yes OK", "line 1, column 1: \"yes\" is neither ON nor OFF"),
    ]);
}

#[test]
fn a_sound_script_raises_no_suspicion() {
    let text = "# mobile\nECHO OFF\nHANGUP ON\nTIMEOUT 60\nABORT 'NO CARRIER'\nABORT BUSY\nABORT ERROR\n\
                REPORT CONNECT\n'' \\K\\d\\d+++\\d\\dATH\nOK--OK ATZ\nOK 'AT+CGDCONT=1,\"IP\",\"internet\"'\n\
                OK ATDT*99***1#\nCLR_ABORT BUSY\nTIMEOUT $T\nCONNECT \\d\\c\n";
    assert_eq!(found(text, Purpose::Dial, &options(Some(&["T"]))), Vec::<String>::new());
}

#[test]
fn an_abort_that_ends_the_expect_string_is_no_suspicion() {
    assert_eq!(warnings("ABORT CARRIER 'NO CARRIER'"), Vec::<String>::new(), "the expect is tested first");
    assert_eq!(warnings("ABORT CONN CLR_ABORT CONN CONNECT"), Vec::<String>::new());
}

#[test]
fn a_script_that_never_dials_or_waits_for_what_never_comes_is_warned_of() {
    each_is_warned_of(&[
        ("", "line 1, column 1: nothing is sent and nothing is waited for, so a call is connected at once"),
        ("TIMEOUT 5\nABORT BUSY", "line 1, column 1: nothing is sent and nothing is waited for"),
        ("''ATZ\nOK ATD\\T", "line 2, column 4: nothing is waited for after this command"),
        ("'' ATZ OK atdt5551212", "line 1, column 11: nothing is waited for after this command"),
        ("'' ATZ OK \\dATD*99#\nTIMEOUT 60", "line 1, column 11: nothing is waited for after this command"),
        ("ATZ OK ATD*99# CONNECT ''", "line 1, column 1: a script begins with what it waits for"),
        ("TIMEOUT 5\nATZ OK", "line 2, column 1: a script begins with what it waits for"),
        ("'' ATZ ok ATD", "line 1, column 8: modems do not say \"ok\" but \"OK\""),
        ("'' ATZ 0K ATD", "line 1, column 8: modems do not say \"0K\" but \"OK\""),
        ("'' ATD CONECT \\c", "line 1, column 8: modems do not say \"CONECT\" but \"CONNECT\""),
        ("'' ATD 'CONENCT 9600'", "line 1, column 8: modems do not say \"CONENCT\" but \"CONNECT\""),
        ("ABORT 'NO CARIER' OK", "line 1, column 1: modems do not say \"NO CARIER\" but \"NO CARRIER\""),
        ("'' ATD 'CONNECT 115200\\n'", "line 1, column 8: the lines of modems end in CR LF"),
        ("ABORT BUSY^J OK", "line 1, column 1: the lines of modems end in CR LF"),
    ]);
}

#[test]
fn the_usual_scripts_raise_no_suspicion() {
    let scripts = [
        // pppconfig, the manual of chat(8), and HOWTOs.
        "ABORT BUSY ABORT 'NO CARRIER' ABORT VOICE ABORT 'NO DIALTONE' ABORT 'NO DIAL TONE' ABORT 'NO ANSWER' \
         ABORT DELAYED '' ATZ OK-AT-OK ATDT\\T CONNECT \\d\\c",
        "'' ATDT5551212 CONNECT '' ogin:--ogin: ppp ssword: hello2u2",
        "ABORT '\\nBUSY\\r' ABORT '\\nNO DIALTONE\\r' '' '\\rAT' 'OK-+++\\c-OK' ATH0 OK ATDT5551212 CONNECT ''",
        "ECHO ON TIMEOUT 10 '' ATZ OK ATD*99# CONNECT",
        "TIMEOUT 60 '' ATDT\\T ONNECT \\c SAY 'connected\\n' TIMEOUT 45",
        "'' AT OK AT\\c '' D\\T\\c '' \\r CONNECT",
        "'' ATD\\T\\c ''",
        // Without a modem, or with one that somebody else has dialled.
        "CLIENT CLIENTSERVER\\c",
        "'' CLIENT\\c",
        "'' atlas",
        "ogin: atdale word: ok",
        "ABORT 'Invalid Login' ABORT 'Error' ogin: me word: secret 'Welcome' ppp",
        "'' ATD OK-ATD-CONNECT",
    ];
    for text in scripts {
        assert_eq!(warnings(text), Vec::<String>::new(), "{text}");
    }
    let hang_up = ["'' \\d\\d+++\\d\\d\\c '' ATH", "'' +++ATH OK AT+CFUN=0", "'' AT+CFUN=1,1"];
    for text in hang_up {
        assert_eq!(found(text, Purpose::Other, &options(None)), Vec::<String>::new(), "{text}");
    }
    let nothing = found("TIMEOUT 3", Purpose::Other, &options(None));
    assert_eq!(nothing, ["line 1, column 1: nothing is sent, so this script does nothing"]);
    let half_a_second = ConversationOptions { fractional_timeouts: true, ..options(None) };
    assert_eq!(found("TIMEOUT 0.5 '' AT OK", Purpose::Dial, &half_a_second), Vec::<String>::new());
}

#[test]
fn what_a_script_refers_to_must_be_there() {
    let with = |text| found(text, Purpose::Dial, &options(Some(&["PIN", "APN"])));
    let undefined = |name| format!("${name} is not set, and stands for nothing; if a $ is meant, write \\$");
    let missing = |place: &str, name| format!("line 1, column {place}: {}", undefined(name));
    assert_eq!(with("'' ATX$FOO OK"), [missing("7", "FOO")]);
    assert_eq!(with("'' 'AT$QCRMCALL=1,1$' OK"), [missing("7", "QCRMCALL"), missing("20", "")]);
    assert_eq!(with("OK$A-$APNS-OK ''"), [missing("3", "A"), missing("6", "APNS")]);
    for text in ["ABORT $X OK", "REPORT $X OK", "TIMEOUT $X OK", "SAY a$X OK"] {
        assert!(with(text).iter().any(|warning| warning.ends_with(&undefined("X"))), "{text}");
    }
    for text in [
        "'' 'AT+CPIN=\"$PIN\"' OK AT+CGDCONT=1,\"IP\",\"$APN\" OK",
        r"'' AT\$QCRMCALL=1,1 OK",
        "'' ^$X OK",
        "'' @/etc/$X OK",
    ] {
        assert_eq!(with(text), Vec::<String>::new(), "{text}");
    }
    assert_eq!(warnings("'' AT$QCRMCALL=1,1 OK"), Vec::<String>::new(), "a $ is only a $");
}

#[test]
fn a_telephone_number_must_be_there_where_one_is_sent() {
    let without = |text| found(text, Purpose::Dial, &ConversationOptions::default());
    let missing = |column, letter| {
        format!("line 1, column {column}: \\{letter} stands for no telephone number, so a {letter} is sent")
    };
    assert_eq!(without(r"'' ATD\U CONNECT"), [missing(7, 'U')]);
    assert_eq!(without(r"OK-ATD\T-CONNECT ''"), [missing(7, 'T')]);
    assert_eq!(without(r"SAY 'to \T' CONNECT"), [missing(9, 'T')]);
    assert_eq!(without(r"'' ATD\\T CONNECT"), Vec::<String>::new(), "a backslash and a T");
    assert_eq!(warnings(r"'' ATD\T CONNECT"), Vec::<String>::new());
}

//! What is legal but cannot be meant.

use super::*;

fn warnings(text: &str) -> Vec<String> {
    Script::parse(text.as_bytes()).unwrap().lint().iter().map(ToString::to_string).collect()
}

#[test]
fn every_suspicion_says_where_and_why() {
    let table = [
        ("OK AT\n  # init", "line 2, column 3: # begins a comment only in the first column"),
        (
            "'' AT\rOK ATD",
            "line 1, column 4: a CR in this word; end lines with LF, or write \\r if it is meant",
        ),
        ("'' 'AT''Z'", "line 1, column 8: a word ends at its closing quote"),
        ("abort BUSY OK", "line 1, column 1: \"abort\" is a string to wait for"),
        ("'' AT\nOK ABORT", "line 2, column 4: \"ABORT\" will be sent"),
        ("OK AT\nTIMEOUT", "line 2, column 1: TIMEOUT without an argument does nothing"),
        (r"OK\d AT", "line 1, column 1: \\d means something only when sent"),
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
        ("ECHO on OK", "line 1, column 1: \"on\" is neither ON nor OFF"),
        ("HANGUP yes OK", "line 1, column 1: \"yes\" is neither ON nor OFF"),
    ];
    for (text, message) in table {
        let found = warnings(text);
        assert!(found.iter().any(|warning| warning.starts_with(message)), "{text}: {found:?}");
    }
}

#[test]
fn a_sound_script_raises_no_suspicion() {
    let text = "# mobile\nECHO OFF\nHANGUP ON\nTIMEOUT 60\nABORT 'NO CARRIER'\nABORT BUSY\nABORT ERROR\n\
                REPORT CONNECT\n'' \\K\\d\\d+++\\d\\dATH\nOK--OK ATZ\nOK 'AT+CGDCONT=1,\"IP\",\"internet\"'\n\
                OK ATDT*99***1#\nCLR_ABORT BUSY\nTIMEOUT $T\nCONNECT \\d\\c\n";
    assert_eq!(warnings(text), Vec::<String>::new());
}

#[test]
fn an_abort_that_ends_the_expect_string_is_no_suspicion() {
    assert_eq!(warnings("ABORT CARRIER 'NO CARRIER'"), Vec::<String>::new(), "the expect is tested first");
    assert_eq!(warnings("ABORT CONN CLR_ABORT CONN CONNECT"), Vec::<String>::new());
}

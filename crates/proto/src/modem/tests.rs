use super::*;
use std::fmt::Write;
use std::string::String;

/// Every edge there is; the picture in the module's documentation shows the same.
const TABLE: &str = "\
Absent -Appeared-> Idle
Absent -Vanished-> Absent
Idle -Vanished-> Absent
Idle -Called-> Opening
Idle -MustRest-> BackingOff
Opening -Vanished-> Absent
Opening -Opened-> Dialing
Opening -Failed-> BackingOff
Opening -Abandoned-> HangingUp
Dialing -Vanished-> Absent
Dialing -Connected-> Online
Dialing -Failed-> HangingUp
Dialing -Abandoned-> HangingUp
Online -Vanished-> Absent
Online -Ending-> Terminating
Online -Ended-> HangingUp
Terminating -Vanished-> Absent
Terminating -Ended-> HangingUp
HangingUp -Vanished-> Absent
HangingUp -HungUp-> Idle
HangingUp -MustRest-> BackingOff
BackingOff -Vanished-> Absent
BackingOff -Elapsed-> Idle
";

#[test]
fn the_transition_table_is_the_picture() {
    let mut table = String::new();
    for state in ModemState::ALL {
        for trigger in ModemTrigger::ALL {
            if let Some(next) = state.after(trigger) {
                writeln!(table, "{state:?} -{trigger:?}-> {next:?}").unwrap();
            }
        }
    }
    assert_eq!(table, TABLE);
}

#[test]
fn every_state_can_be_left_and_reached() {
    for state in ModemState::ALL {
        let leaves = ModemTrigger::ALL.into_iter().any(|t| state.after(t).is_some_and(|next| next != state));
        let reached = ModemState::ALL
            .into_iter()
            .any(|from| from != state && ModemTrigger::ALL.into_iter().any(|t| from.after(t) == Some(state)));
        assert!(leaves && reached, "{state:?}");
    }
}

#[test]
fn the_end_of_a_call_between_frames_is_told_from_half_lines() {
    for said in ["\r\nNO CARRIER\r\n", "NO CARRIER\r", "\r\nDISCONNECTED\n"] {
        assert_eq!(hear_no_carrier(said.as_bytes(), false), NoCarrier::Said, "{said:?}");
    }
    for said in ["", "\r\n", "NO CARRIER", "NO CARRIERS\r\n", "NO CARRIE\r\n"] {
        assert_eq!(hear_no_carrier(said.as_bytes(), false), NoCarrier::NotSaid, "{said:?}");
        assert_eq!(hear_no_carrier(said.as_bytes(), true), NoCarrier::NotSaid, "{said:?}");
    }
}

#[test]
fn the_end_of_a_call_behind_the_text_of_connect_is_heard() {
    assert_eq!(hear_no_carrier(b" 115200\r\n\r\nNO CARRIER\r\n", true), NoCarrier::Said);
    assert_eq!(hear_no_carrier(b" 115200\r\n", true), NoCarrier::NotSaid);
}

#[test]
fn the_end_of_a_call_in_the_middle_of_a_frame_counts_if_nothing_follows() {
    assert_eq!(hear_no_carrier(b"\xff\x03\0\x21E\0\r\nNO CARRIER\r\n", false), NoCarrier::SaidIfQuiet);
    assert_eq!(hear_no_carrier(b"\xff\x03\0\x21E\0\r\nNO CARRIER\r\nx", false), NoCarrier::NotSaid);
}

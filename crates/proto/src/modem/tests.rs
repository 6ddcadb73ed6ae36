use super::*;
use std::fmt::Write;
use std::string::String;

#[test]
fn the_transition_table_is_the_one_in_the_documentation() {
    let mut table = String::new();
    for state in ModemState::ALL {
        for trigger in ModemTrigger::ALL {
            if let Some(next) = state.after(trigger) {
                writeln!(table, "{state:?} -{trigger:?}-> {next:?}").unwrap();
            }
        }
    }
    std::println!("{table}");
    let lines = include_str!("mod.rs").lines().filter_map(|line| line.strip_prefix("//! "));
    let drawn = lines.filter(|line| line.contains("-> "));
    assert_eq!(table.lines().collect::<std::vec::Vec<_>>(), drawn.collect::<std::vec::Vec<_>>());
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

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::fmt::Write;
use std::string::String;
use std::vec::Vec;

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
    assert_eq!(table.lines().collect::<Vec<_>>(), drawn.collect::<Vec<_>>());
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

/// What is made of octets that come in one read.
fn heard(octets: &[u8], is_unframed: bool) -> NoCarrier {
    NoCarrierListener::default().hear(1, octets, is_unframed)
}

#[test]
fn the_end_of_a_call_between_frames_is_told_from_half_lines() {
    for said in ["\r\nNO CARRIER\r\n", "NO CARRIER\r", "\r\nDISCONNECTED\n"] {
        assert_eq!(heard(said.as_bytes(), false), NoCarrier::Said, "{said:?}");
    }
    for said in ["", "\r\n", "NO CARRIER", "NO CARRIERS\r\n", "NO CARRIE\r\n"] {
        assert_eq!(heard(said.as_bytes(), false), NoCarrier::NotSaid, "{said:?}");
        assert_eq!(heard(said.as_bytes(), true), NoCarrier::NotSaid, "{said:?}");
    }
}

#[test]
fn the_end_of_a_call_behind_the_text_of_connect_is_heard() {
    assert_eq!(heard(b" 115200\r\n\r\nNO CARRIER\r\n", true), NoCarrier::Said);
    assert_eq!(heard(b" 115200\r\n", true), NoCarrier::NotSaid);
}

#[test]
fn the_end_of_a_call_in_the_middle_of_a_frame_counts_if_nothing_follows() {
    assert_eq!(heard(b"\xff\x03\0\x21E\0\r\nNO CARRIER\r\n", false), NoCarrier::SaidIfQuiet);
    assert_eq!(heard(b"\xff\x03\0\x21E\0\r\nNO CARRIER\r\nx", false), NoCarrier::NotSaid);
}

#[test]
fn another_frame_is_listened_to_anew() {
    let mut listener = NoCarrierListener::default();
    assert_eq!(listener.hear(1, b"~some line\r\nNO CARRIER\r\n", false), NoCarrier::SaidIfQuiet);
    assert_eq!(listener.hear(2, b"\r\nNO CARRIER\r\n", false), NoCarrier::Said);
    assert_eq!(listener.hear(3, b"\r\n", false), NoCarrier::NotSaid);
}

proptest! {
    #[test]
    fn the_end_of_a_call_is_heard_across_any_split_of_reads(
        words in vec(select(&["NO CARRIER", "DISCONNECTED", "NO CARR", "x", "\r", "\n", "\r\n"]), 0..12),
        splits in vec(any::<Index>(), 0..12),
        is_unframed in any::<bool>(),
    ) {
        let said = words.concat();
        let mut ends: Vec<usize> = splits.iter().map(|split| split.index(said.len() + 1)).collect();
        ends.sort_unstable();
        let mut listener = NoCarrierListener::default();
        for end in ends.into_iter().chain([said.len()]) {
            let octets = &said.as_bytes()[..end];
            let expected = heard(octets, is_unframed);
            prop_assert_eq!(listener.hear(0, octets, is_unframed), expected);
            // Once it is said there is nothing more to listen to.
            if expected == NoCarrier::Said {
                break;
            }
        }
    }
}

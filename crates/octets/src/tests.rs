//! The forms against each other, and against the rule as RFC 1662 §4.2 states it.

use proptest::prelude::*;

use super::*;
use crate::shuffler::{Shuffler, shuffler};
use crate::unstuff::{find_flag_with, unstuff_with, unstuff_without_with};

/// Octets among which those with a meaning are frequent.
fn octets() -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![2 => any::<u8>(), 1 => Just(ESCAPE), 1 => 0x7c..=0x7f_u8];
    proptest::collection::vec(octet, 0..200)
}

/// Octets other than control octets that may be escaped: few, or so many that the table of them is of no simple form.
fn others() -> impl Strategy<Value = Vec<u8>> {
    let octet = (0x40..=0xff_u8).prop_filter("its escaped form is FLAG", |octet| *octet != 0x5e);
    prop_oneof![proptest::collection::vec(octet.clone(), 0..3), proptest::collection::vec(octet, 0..100)]
}

/// As a line that makes up control octets delivers them.
fn stuffed_with_controls() -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![2 => any::<u8>(), 2 => 0..0x20_u8, 1 => Just(ESCAPE)];
    proptest::collection::vec(octet, 0..400)
}

fn map() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), Just(u32::MAX), any::<u32>()]
}

fn stuff_by_the_rule(octets: &[u8], escaped: impl Fn(u8) -> bool) -> Vec<u8> {
    let stuffed = |octet: &u8| {
        if escaped(*octet) || matches!(*octet, FLAG | ESCAPE) {
            vec![ESCAPE, octet ^ ESCAPED_BIT]
        } else {
            vec![*octet]
        }
    };
    octets.iter().flat_map(stuffed).collect()
}

fn unstuff_by_the_rule(stuffed: &[u8]) -> (Vec<u8>, bool) {
    let (mut octets, mut escaping) = (Vec::new(), false);
    for octet in stuffed {
        match (escaping, *octet) {
            (true, octet) => octets.push(octet ^ ESCAPED_BIT),
            (false, ESCAPE) => {}
            (false, octet) => octets.push(octet),
        }
        escaping = !escaping && *octet == ESCAPE;
    }
    (octets, escaping)
}

/// The plain form, and the other one where the processor has what it takes.
fn forms() -> impl Iterator<Item = Option<Shuffler>> {
    if shuffler().is_none() {
        eprintln!("SKIPPED the shuffled form: this processor has no instruction for it");
    }
    [None].into_iter().chain(shuffler().map(Some))
}

proptest! {
    #[test]
    fn every_form_stuffs_by_the_rule(octets in octets(), controls in any::<u32>(), others in others()) {
        let chosen = |octet: u8| controls.checked_shr(octet.into()).unwrap_or(0) & 1 == 1 || others.contains(&octet);
        let stuffer = Stuffer::new(chosen);
        let expected = stuff_by_the_rule(&octets, chosen);
        for form in forms() {
            let mut room = vec![0; expected.len() + 3];
            prop_assert_eq!(stuffer.stuff_with(form, &octets, &mut room).map(|rest| rest.len()), Some(3));
            prop_assert_eq!(&room[..expected.len()], expected.as_slice());
            let mut exact = vec![0; expected.len()];
            prop_assert_eq!(stuffer.stuff_with(form, &octets, &mut exact), Some([].as_mut_slice()));
            prop_assert_eq!(&exact, &expected);
            if let Some((_, short)) = exact.split_first_mut() {
                prop_assert_eq!(stuffer.stuff_with(form, &octets, short), None);
            }
        }
    }

    #[test]
    fn every_form_unstuffs_by_the_rule(stuffed in octets()) {
        let stuffed: Vec<u8> = stuffed.into_iter().filter(|octet| *octet != FLAG).collect();
        let (octets, escaping) = unstuff_by_the_rule(&stuffed);
        for form in forms() {
            let mut out = vec![0; octets.len() + SLACK];
            prop_assert_eq!(unstuff_with(form, &stuffed, &mut out), Some(Unstuffed { len: octets.len(), escaping }));
            prop_assert_eq!(&out[..octets.len()], octets.as_slice());
            if octets.len() > SLACK {
                let short = &mut out[..octets.len() - SLACK];
                prop_assert_eq!(unstuff_with(form, &stuffed, short), None);
            }
        }
    }

    #[test]
    fn what_the_line_made_up_is_left_out(stuffed in stuffed_with_controls(), map in map()) {
        let is_dropped = |octet: u8| octet < 0x20 && map >> octet & 1 == 1;
        let wanted: Vec<u8> = stuffed.iter().copied().filter(|octet| !is_dropped(*octet)).collect();
        let (octets, escaping) = unstuff_by_the_rule(&wanted);
        for form in forms() {
            let mut out = vec![0; octets.len() + SLACK];
            let done = unstuff_without_with(form, &stuffed, map, &mut out);
            prop_assert_eq!(done, Some(Unstuffed { len: octets.len(), escaping }));
            prop_assert_eq!(&out[..octets.len()], octets.as_slice());
        }
    }

    #[test]
    fn lanes_are_squeezed_by_the_rule(octets in any::<[u8; 8]>(), unwanted in any::<u8>()) {
        let is_unwanted = |lane: usize| unwanted >> lane & 1 == 1;
        let left: Vec<u8> = (0..8).filter(|lane| !is_unwanted(*lane)).map(|lane| octets[lane]).collect();
        let lanes = (0..8).filter(|lane| is_unwanted(*lane)).fold(0, |lanes, lane| lanes | 0x80 << (8 * lane));
        let (word, count) = lanes::squeeze(u64::from_le_bytes(octets), lanes);
        prop_assert_eq!(&word.to_le_bytes()[..count as usize], left.as_slice());
        prop_assert_eq!(word.checked_shr(8 * count).unwrap_or(0), 0);
    }

    #[test]
    fn the_first_flag_is_found(octets in octets()) {
        for form in forms() {
            prop_assert_eq!(find_flag_with(form, &octets), octets.iter().position(|octet| *octet == FLAG));
        }
    }
}

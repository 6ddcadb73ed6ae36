use std::iter::repeat_n;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::oracle::{self, Verdict};
use super::*;

/// An LCP Configure-Request without options, as pppd sends it.
const CONFIGURE_REQUEST: &[u8] = b"\xc0\x21\x01\x01\x00\x04";
const CONFIGURE_REQUEST_ON_THE_LINE: &[u8] =
    b"\x7e\xff\x7d\x23\xc0\x21\x7d\x21\x7d\x21\x7d\x20\x7d\x24\xd1\xb5\x7e";

fn encode(framer: &Framer, ppp: &[u8]) -> Vec<u8> {
    let mut out = vec![0; Framer::max_encoded_len(ppp.len())];
    let len = framer.encode(ppp, &mut out).unwrap();
    out.truncate(len);
    out
}

fn framer(accm: Accm) -> Framer {
    let mut framer = Framer::default();
    framer.set_accm(accm);
    framer
}

/// Everything that comes out, the octets given in pieces of the lengths in `cuts`, again and again.
fn decode(deframer: &mut Deframer, octets: &[u8], cuts: &[usize]) -> Vec<Result<Vec<u8>, FrameError>> {
    let mut out = Vec::new();
    let mut cuts = cuts.iter().cycle();
    let mut rest = octets;
    while !rest.is_empty() {
        let (mut piece, after) = rest.split_at((*cuts.next().unwrap()).clamp(1, rest.len()));
        rest = after;
        while let Some(result) = deframer.next_frame(&mut piece) {
            match result {
                Ok(frame) => out.push(Ok(frame.ppp().to_vec())),
                Err(bad) => out.extend(repeat_n(Err(bad.error), bad.count)),
            }
        }
        assert!(piece.is_empty());
    }
    out
}

fn decode_whole(octets: &[u8]) -> Vec<Result<Vec<u8>, FrameError>> {
    decode(&mut Deframer::new(), octets, &[usize::MAX])
}

/// A frame on the line with these fields and a good frame check sequence, nothing escaped that need not be.
fn on_the_line(fields: &[u8]) -> Vec<u8> {
    let mut frame = fields.to_vec();
    frame.extend(Fcs16::new().with(fields).to_octets());
    let mut line = vec![FLAG];
    for octet in frame {
        match octet {
            FLAG | ESCAPE => line.extend([ESCAPE, octet ^ ESCAPED_BIT]),
            _ => line.push(octet),
        }
    }
    line.push(FLAG);
    line
}

#[test]
fn lcp_goes_out_as_pppd_sends_it() {
    assert_eq!(encode(&Framer::default(), CONFIGURE_REQUEST), CONFIGURE_REQUEST_ON_THE_LINE);
    assert_eq!(decode_whole(CONFIGURE_REQUEST_ON_THE_LINE), [Ok(CONFIGURE_REQUEST.to_vec())]);
}

#[test]
fn lcp_that_negotiates_goes_out_as_if_nothing_were_agreed() {
    let mut framer = framer(Accm::NONE);
    framer.set_compression(true, true);
    for code in 0..=20 {
        let mut packet = CONFIGURE_REQUEST.to_vec();
        packet[2] = code;
        let line = encode(&framer, &packet);
        let as_if: &[u8] =
            if (1..=7).contains(&code) { b"\xff\x7d\x23\xc0\x21" } else { b"\xff\x03\xc0\x21" };
        assert!(line[1..].starts_with(as_if), "code {code}");
        assert_eq!(decode_whole(&line), [Ok(packet)]);
    }
}

#[test]
fn fields_are_compressed_once_agreed() {
    let mut framer = framer(Accm::NONE);
    let ip = b"\x00\x21\x45\x00";
    let ipcp = b"\x80\x21\x01\x00";
    for (address_control, protocol, expected_ip, expected_ipcp) in [
        (false, false, b"\xff\x03\x00\x21\x45\x00".as_slice(), b"\xff\x03\x80\x21\x01\x00".as_slice()),
        (true, false, b"\x00\x21\x45\x00", b"\x80\x21\x01\x00"),
        (false, true, b"\xff\x03\x21\x45\x00", b"\xff\x03\x80\x21\x01\x00"),
        (true, true, b"\x21\x45\x00", b"\x80\x21\x01\x00"),
    ] {
        framer.set_compression(address_control, protocol);
        for (ppp, expected) in [(ip, expected_ip), (ipcp, expected_ipcp)] {
            let line = encode(&framer, ppp);
            assert_eq!(line, on_the_line(expected));
            assert_eq!(decode_whole(&line), [Ok(ppp.to_vec())]);
        }
    }
    framer.reset();
    assert_eq!(encode(&framer, ip), encode(&Framer::default(), ip));
}

#[test]
fn a_compressed_protocol_field_is_never_taken_for_an_address() {
    let mut framer = framer(Accm::NONE);
    for compression in [(true, true), (false, true)] {
        framer.set_compression(compression.0, compression.1);
        for ppp in [b"\x00\xff".as_slice(), b"\x00\xff\x03\x00\x21"] {
            assert_eq!(decode_whole(&encode(&framer, ppp)), [Ok(ppp.to_vec())]);
        }
    }
}

#[test]
fn compression_never_makes_a_frame_too_short() {
    let mut framer = framer(Accm::NONE);
    framer.set_compression(true, true);
    for ppp in [b"\x00\x21".as_slice(), b"\x00\x21\x45", b"\x80\x21"] {
        assert_eq!(decode_whole(&encode(&framer, ppp)), [Ok(ppp.to_vec())]);
    }
}

#[test]
fn extra_octets_are_escaped_in_every_frame() {
    let mut extra = ExtraEscapes::NONE;
    extra.insert(0xff).unwrap();
    extra.insert(0xc0).unwrap();
    let mut framer = Framer::new(extra);
    framer.set_accm(Accm::NONE);
    let ppp = [b"\x00\x21".as_slice(), &[0xff; 100], &[0xc0; 3]].concat();
    for ppp in [CONFIGURE_REQUEST, &ppp] {
        let line = encode(&framer, ppp);
        assert!(!line.iter().any(|octet| matches!(octet, 0xff | 0xc0)));
        assert_eq!(decode_whole(&line), [Ok(ppp.to_vec())]);
    }
}

#[test]
fn a_frame_is_encoded_whole_or_not_at_all() {
    for ppp in [CONFIGURE_REQUEST.to_vec(), vec![FLAG; 100], vec![0x21; 100]] {
        let line = encode(&Framer::default(), &ppp);
        for room in 0..line.len() {
            assert_eq!(Framer::default().encode(&ppp, &mut vec![0; room]), None);
        }
        assert_eq!(Framer::default().encode(&ppp, &mut vec![0; line.len()]), Some(line.len()));
    }
}

#[test]
fn a_payload_of_flags_is_as_long_as_a_frame_can_get() {
    for len in [0, 1, 2, 1492, 1500, MAX_FRAME - 6] {
        let ppp = [b"\x00\x21".as_slice(), &vec![FLAG; len]].concat();
        let line = encode(&Framer::default(), &ppp);
        assert!(line.len() <= Framer::max_encoded_len(ppp.len()));
        for cut in [1, 2, 7, 4096] {
            assert_eq!(decode(&mut Deframer::new(), &line, &[cut]), [Ok(ppp.clone())]);
        }
    }
}

#[test]
fn a_frame_longer_than_any_is_reported_once() {
    let longest = [b"\x00\x21".as_slice(), &[b'x'; MAX_FRAME - 6]].concat();
    let mut too_long = longest.clone();
    too_long.push(b'x');
    let mut endless = vec![FLAG];
    endless.extend([b'x'; 3 * MAX_STUFFED_FRAME]);
    endless.push(FLAG);
    let framer = framer(Accm::NONE);
    let line = [encode(&framer, &longest), encode(&framer, &too_long), endless, encode(&framer, &longest)];
    for cut in [1, 33, 4096, usize::MAX] {
        assert_eq!(
            decode(&mut Deframer::new(), &line.concat(), &[cut]),
            [
                Ok(longest.clone()),
                Err(FrameError::Oversized),
                Err(FrameError::Oversized),
                Ok(longest.clone())
            ]
        );
    }
}

#[test]
fn compressed_fields_are_accepted_whatever_was_agreed() {
    for (fields, ppp) in [
        (b"\xff\x03\x00\x21data".as_slice(), b"\x00\x21data".as_slice()),
        (b"\x00\x21data", b"\x00\x21data"),
        (b"\xff\x03\x21data", b"\x00\x21data"),
        (b"\x21data", b"\x00\x21data"),
        (b"\xff\x03\xc0\x21", b"\xc0\x21"),
        (b"\xc0\x21", b"\xc0\x21"),
    ] {
        let line = on_the_line(fields);
        assert_eq!(decode_whole(&line), [Ok(ppp.to_vec())]);
        let mut deframer = Deframer::new();
        let frame = deframer.next_frame(&mut line.as_slice()).unwrap().unwrap();
        let header: [u8; HEADROOM - 1] = core::array::from_fn(|n| n as u8);
        assert_eq!(frame.prepend(&header), [&header, ppp].concat());
    }
}

#[test]
fn each_kind_of_bad_frame_has_its_name() {
    let mut damaged = on_the_line(b"\xff\x03\x00\x21data");
    damaged[6] ^= 1;
    for (line, error) in [
        (damaged.as_slice(), FrameError::BadFcs),
        (b"\x7e\xff\x03\x00\x21data\x7d\x7e", FrameError::Aborted),
        (b"\x7e\x7d\x7e", FrameError::Aborted),
        (b"\x7e\x7d\x11\x7d\x11\x7d\x13\x7d\x13\x7d\x11\x7e", FrameError::Aborted),
        (b"\x7eabc\x7e", FrameError::Short),
        (&on_the_line(b"\xff\x02\x00\x21data"), FrameError::BadAddressOrControl),
        (&on_the_line(b"\xff\x03\x00\x20data"), FrameError::BadProtocolField),
        (&on_the_line(b"\xff\x03\x80"), FrameError::BadProtocolField),
        (&on_the_line(b"\xff\x03"), FrameError::BadProtocolField),
    ] {
        for cut in [1, 4096] {
            assert_eq!(decode(&mut Deframer::new(), line, &[cut]), [Err(error)], "{line:02x?}");
        }
    }
}

#[test]
fn every_error_has_its_own_discard_reason_and_words() {
    use crate::discard::DiscardReason;
    use std::string::ToString;
    let errors = [
        (FrameError::BadFcs, DiscardReason::BadFcs),
        (FrameError::Aborted, DiscardReason::Aborted),
        (FrameError::Short, DiscardReason::ShortFrame),
        (FrameError::Oversized, DiscardReason::OversizedFrame),
        (FrameError::BadAddressOrControl, DiscardReason::BadAddressOrControl),
        (FrameError::BadProtocolField, DiscardReason::BadProtocolField),
    ];
    for (error, reason) in errors {
        assert_eq!(DiscardReason::from(error), reason);
        assert!(!error.to_string().is_empty());
    }
}

#[test]
fn empty_frames_are_no_frames() {
    let fill = [FLAG; 300];
    let line = [&fill, CONFIGURE_REQUEST_ON_THE_LINE, &fill, b"\x11\x7e\x13\x11\x7e", &fill].concat();
    for cut in [1, 2, 5, 4096] {
        assert_eq!(decode(&mut Deframer::new(), &line, &[cut]), [Ok(CONFIGURE_REQUEST.to_vec())]);
    }
}

#[test]
fn one_flag_between_two_frames_is_enough() {
    let (_, second) = CONFIGURE_REQUEST_ON_THE_LINE.split_first().unwrap();
    let line = [CONFIGURE_REQUEST_ON_THE_LINE, second].concat();
    assert_eq!(decode_whole(&line), [Ok(CONFIGURE_REQUEST.to_vec()), Ok(CONFIGURE_REQUEST.to_vec())]);
}

#[test]
fn what_comes_before_the_first_flag_is_nobodys_fault() {
    let mut deframer = Deframer::new();
    for _ in 0..2 {
        let line = [b" 115200\r\n", CONFIGURE_REQUEST_ON_THE_LINE].concat();
        assert_eq!(decode(&mut deframer, &line, &[3]), [Ok(CONFIGURE_REQUEST.to_vec())]);
        deframer.reset();
        let line = [&[b'x'; 2 * MAX_STUFFED_FRAME], CONFIGURE_REQUEST_ON_THE_LINE].concat();
        assert_eq!(decode(&mut deframer, &line, &[100]), [Ok(CONFIGURE_REQUEST.to_vec())]);
        assert_eq!(decode(&mut deframer, b"unfinished", &[100]), []);
        deframer.reset();
        assert!(deframer.unfinished().is_empty());
    }
}

#[test]
fn what_is_unfinished_keeps_its_number_while_it_only_grows() {
    let mut deframer = Deframer::new();
    let mut number = deframer.unfinished_number();
    let too_long = vec![b'x'; MAX_STUFFED_FRAME];
    for (octets, is_another) in [
        (&b"ab"[..], false),
        (b"cd", false),
        (b"~ef", true),
        (b"gh", false),
        (b"~~ij~kl~mn", true),
        (&too_long, true),
    ] {
        let before = deframer.unfinished().to_vec();
        decode(&mut deframer, octets, &[octets.len()]);
        assert_eq!(deframer.unfinished_number() != number, is_another, "{octets:02x?}");
        assert_eq!(!deframer.unfinished().starts_with(&before), is_another, "{octets:02x?}");
        number = deframer.unfinished_number();
    }
    deframer.reset();
    assert_ne!(deframer.unfinished_number(), number);
}

#[test]
fn a_first_frame_without_its_opening_flag_is_taken() {
    let (_, line) = CONFIGURE_REQUEST_ON_THE_LINE.split_first().unwrap();
    assert_eq!(decode_whole(line), [Ok(CONFIGURE_REQUEST.to_vec())]);
}

#[test]
fn modem_text_is_seen_before_its_frame_ends_and_counts_once() {
    let text = b"\r\nNO CARRIER\r\n";
    let mut deframer = Deframer::new();
    decode(&mut deframer, &[CONFIGURE_REQUEST_ON_THE_LINE, text].concat(), &[5]);
    assert_eq!(deframer.unfinished(), text);
    assert_eq!(decode(&mut deframer, CONFIGURE_REQUEST_ON_THE_LINE, &[5]).len(), 2);

    // In the middle of a frame, and after the rest of one that was too long.
    for before in [10, 5000, 10_000] {
        deframer.reset();
        decode(&mut deframer, &[&[FLAG], &vec![b'x'; before][..], text].concat(), &[700]);
        assert!(deframer.unfinished().ends_with(text));
    }
}

#[test]
fn a_new_call_knows_nothing_of_the_last() {
    let mut used = Deframer::new();
    used.set_receive_accm(Accm::NONE);
    decode(&mut used, b"\x7e\x7exxxx\x7d", &[100]);
    used.reset();
    let line = [&CONFIGURE_REQUEST_ON_THE_LINE[1..5], b"\x11", &CONFIGURE_REQUEST_ON_THE_LINE[5..]].concat();
    assert_eq!(decode(&mut used, &line, &[100]), [Ok(CONFIGURE_REQUEST.to_vec())]);
}

#[test]
fn the_receive_map_says_which_control_octets_are_the_lines_own() {
    let line = [&CONFIGURE_REQUEST_ON_THE_LINE[..5], b"\x11", &CONFIGURE_REQUEST_ON_THE_LINE[5..]].concat();
    let mut deframer = Deframer::new();
    for (accm, good) in [(Accm::ALL, true), (Accm::XON_XOFF, true), (Accm::NONE, false)] {
        deframer.set_receive_accm(accm);
        assert_eq!(decode(&mut deframer, &line, &[100])[0].is_ok(), good);
    }
}

#[test]
fn what_the_line_made_up_is_looked_for_even_after_many_bad_frames() {
    let made_up =
        [&CONFIGURE_REQUEST_ON_THE_LINE[..5], b"\x11", &CONFIGURE_REQUEST_ON_THE_LINE[5..]].concat();
    let good = Ok(CONFIGURE_REQUEST.to_vec());
    for bad in [b"\x7eABCDEFGH\x11".as_slice(), b"\x7eABCDEFGH\x11ABCDEFGH", b"\x7e\x11\x11\x11\x11\x11"] {
        for (count, missed) in [(15, 0), (16, 0), (17, 15), (31, 1), (1000, 8)] {
            let frames: Vec<&[u8]> = repeat_n(bad, count).chain(repeat_n(&made_up[..], missed + 2)).collect();
            for cut in [1, 7, 4096] {
                let received = decode(&mut Deframer::new(), &frames.concat(), &[cut]);
                let end: Vec<_> = received.iter().rev().take(2 + missed).rev().cloned().collect();
                assert!(
                    end[..missed].iter().all(|frame| *frame == Err(FrameError::BadFcs)),
                    "{count} {end:?}"
                );
                assert_eq!(end[missed..], [good.clone(), good.clone()], "after {count} bad frames");
            }
        }
    }
}

/// Frames of a few octets, mostly those that have a meaning somewhere; some good, some of them but for what the line
/// made up.
fn small_frames() -> impl Strategy<Value = Vec<u8>> {
    let octet = || proptest::sample::select(&[0x00, 0x03, 0x11, 0x20, 0x5e, ESCAPE, 0xff, b'A'][..]);
    let fields = proptest::collection::vec(octet(), 2..12);
    let made_up = proptest::collection::vec((0..20_usize, octet()), 0..3);
    let good = (fields, made_up).prop_map(|(fields, made_up)| {
        let framed = on_the_line(&fields);
        let mut line = framed[1..framed.len() - 1].to_vec();
        for (place, octet) in made_up {
            line.insert(place.min(line.len()), octet);
        }
        line
    });
    let frame = prop_oneof![proptest::collection::vec(octet(), 0..18), good];
    proptest::collection::vec(frame, 1..40).prop_map(|frames| frames.join(&FLAG))
}

fn accm() -> impl Strategy<Value = Accm> {
    prop_oneof![Just(Accm::ALL), Just(Accm::NONE), Just(Accm::XON_XOFF), any::<u32>().prop_map(Accm)]
}

fn octet() -> impl Strategy<Value = u8> {
    prop_oneof![6 => any::<u8>(), 1 => Just(FLAG), 2 => Just(ESCAPE), 1 => 0..0x20_u8]
}

/// PPP frames: a protocol number, and information of any length up to a bit over the largest MRU.
fn ppp() -> impl Strategy<Value = Vec<u8>> {
    let protocol = prop_oneof![
        Just([0xc0, 0x21]),
        (any::<u8>(), any::<u8>()).prop_map(|(high, low)| [high & 0xfe, low | 1]),
    ];
    let information = prop_oneof![
        proptest::collection::vec(octet(), 0..80),
        proptest::collection::vec(octet(), 0..1510),
        proptest::collection::vec(any::<u8>(), 0..1510),
        (any::<u8>(), 0..1510_usize).prop_map(|(octet, len)| vec![octet; len]),
    ];
    (protocol, information).prop_map(|(protocol, information)| [&protocol, information.as_slice()].concat())
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(prop_oneof![1..5_usize, 1..100_usize, 1..5000_usize], 1..8)
}

/// What the line may carry: frames good and bad, text, fill, and octets without sense.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        (ppp(), accm()).prop_map(|(ppp, accm)| encode(&framer(accm), &ppp)),
        proptest::collection::vec(octet(), 0..200),
        proptest::collection::vec(octet(), 0..20).prop_map(|fields| on_the_line(&fields)),
        proptest::collection::vec(Just(FLAG), 0..70),
        proptest::collection::vec(Just(ESCAPE), 0..70),
        (any::<u8>(), 1000..6000_usize).prop_map(|(octet, len)| vec![octet; len]),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn oracle_decode(octets: &[u8]) -> Vec<Result<Vec<u8>, FrameError>> {
    let mut decoder = oracle::Decoder::new();
    let mut out = Vec::new();
    for octet in octets {
        if let Some((verdict, fields)) = decoder.take(*octet) {
            out.push(match verdict {
                Verdict::Good => Ok(oracle::ppp(fields)),
                Verdict::BadFcs => Err(FrameError::BadFcs),
                Verdict::Aborted => Err(FrameError::Aborted),
                Verdict::Short => Err(FrameError::Short),
                Verdict::Oversized => Err(FrameError::Oversized),
                Verdict::BadAddressOrControl => Err(FrameError::BadAddressOrControl),
                Verdict::BadProtocolField => Err(FrameError::BadProtocolField),
            });
        }
    }
    out
}

proptest! {
    #[test]
    fn what_is_framed_is_what_is_deframed(
        frames in proptest::collection::vec(ppp(), 1..4),
        accm in accm(),
        extra in proptest::collection::vec(0x5f..=0xff_u8, 0..3),
        compression in any::<(bool, bool)>(),
        cuts in cuts(),
    ) {
        let mut extras = ExtraEscapes::NONE;
        for octet in extra {
            extras.insert(octet).unwrap();
        }
        let mut framer = Framer::new(extras);
        framer.set_accm(accm);
        framer.set_compression(compression.0, compression.1);
        let line: Vec<u8> = frames.iter().flat_map(|ppp| encode(&framer, ppp)).collect();
        let received = decode(&mut Deframer::new(), &line, &cuts);
        prop_assert_eq!(received, frames.into_iter().map(Ok).collect::<Vec<_>>());
    }

    #[test]
    fn encoding_equals_the_oracle(ppp in ppp(), accm in accm()) {
        let mut expected = vec![0; Framer::max_encoded_len(ppp.len())];
        let in_force = if ppp.starts_with(&[0xc0, 0x21]) && matches!(ppp.get(2), Some(1..=7)) {
            Accm::ALL
        } else {
            accm
        };
        let len = oracle::encode(&ppp, in_force.0, &mut expected);
        expected.truncate(len);
        prop_assert_eq!(encode(&framer(accm), &ppp), expected);
    }

    #[test]
    fn decoding_equals_the_oracle(line in line(), cuts in cuts()) {
        let mut deframer = Deframer::new();
        deframer.set_receive_accm(Accm::NONE);
        prop_assert_eq!(decode(&mut deframer, &line, &cuts), oracle_decode(&line));
    }

    #[test]
    fn small_frames_are_judged_as_all_others(octets in small_frames(), accm in accm()) {
        let (mut whole, mut split) = (Deframer::new(), Deframer::new());
        whole.set_receive_accm(accm);
        split.set_receive_accm(accm);
        // More than any of them, so that they are looked at in registers.
        let octets = [&octets[..], &[b'A'; 40]].concat();
        prop_assert_eq!(decode(&mut whole, &octets, &[usize::MAX]), decode(&mut split, &octets, &[1]));
    }

    #[test]
    fn a_split_changes_nothing(line in line(), cuts in cuts(), accm in accm()) {
        let [mut whole, mut split] = [Deframer::new(), Deframer::new()];
        whole.set_receive_accm(accm);
        split.set_receive_accm(accm);
        prop_assert_eq!(decode(&mut split, &line, &cuts), decode(&mut whole, &line, &[usize::MAX]));
        prop_assert_eq!(split.unfinished().is_empty(), whole.unfinished().is_empty());
    }

    #[test]
    fn a_bad_frame_never_harms_the_next(line in line(), ppp in ppp(), accm in accm(), cuts in cuts()) {
        let mut octets = line;
        octets.extend(encode(&framer(accm), &ppp));
        let received = decode(&mut Deframer::new(), &octets, &cuts);
        prop_assert_eq!(received.last(), Some(&Ok(ppp)));
    }

    #[test]
    fn flow_control_that_the_line_made_up_does_no_harm(
        ppp in ppp(),
        made_up in proptest::collection::vec((any::<prop::sample::Index>(), prop_oneof![Just(0x11_u8), Just(0x13)]), 1..9),
        cuts in cuts(),
    ) {
        let mut line = encode(&framer(Accm::XON_XOFF), &ppp);
        for (at, octet) in made_up {
            line.insert(at.index(line.len() + 1), octet);
        }
        let mut deframer = Deframer::new();
        deframer.set_receive_accm(Accm::XON_XOFF);
        prop_assert_eq!(decode(&mut deframer, &line, &cuts), [Ok(ppp)]);
    }

    #[test]
    fn a_sender_that_escapes_too_little_is_understood(ppp in ppp(), cuts in cuts()) {
        let line = on_the_line(&[&[0xff, 0x03], ppp.as_slice()].concat());
        prop_assert_eq!(decode(&mut Deframer::new(), &line, &cuts), [Ok(ppp)]);
    }

    #[test]
    fn a_sender_that_escapes_everything_is_understood(ppp in ppp(), cuts in cuts()) {
        let fields = [&[0xff, 0x03], ppp.as_slice()].concat();
        let fcs = Fcs16::new().with(&fields).to_octets();
        let mut line = vec![FLAG];
        // 0x5e alone cannot be: its escaped form is FLAG.
        line.extend(fields.iter().chain(&fcs).flat_map(|octet| match octet {
            0x5e => vec![0x5e],
            _ => vec![ESCAPE, octet ^ ESCAPED_BIT],
        }));
        line.push(FLAG);
        prop_assert_eq!(decode(&mut Deframer::new(), &line, &cuts), [Ok(ppp)]);
    }
}

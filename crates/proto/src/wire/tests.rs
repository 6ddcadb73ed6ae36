//! What discovery packets and session frames have in common.

use super::ethernet::MacAddr;
use super::*;
use std::string::ToString;

/// A PADI that asks for any service.
const PADI: [u8; 24] =
    *b"\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x88\x63\x11\x09\0\0\0\x04\x01\x01\0\0";

fn split(frame: &[u8]) -> Result<(Header, &[u8]), DecodeError> {
    Header::split(frame, EtherType::PPPOE_DISCOVERY)
}

fn with(index: usize, octet: u8) -> [u8; 24] {
    let mut octets = PADI;
    octets[index] = octet;
    octets
}

#[test]
fn headers_survive_the_wire() {
    let (header, payload) = split(&PADI).unwrap();
    assert_eq!(header.ethernet.destination, MacAddr::BROADCAST);
    assert_eq!((header.code, header.session_id), (0x09, 0));
    assert_eq!(payload, &PADI[20..]);
    assert_eq!(header.emit(4), PADI[..20]);
}

#[test]
fn a_frame_shorter_than_its_headers_is_refused() {
    for available in 0..20 {
        assert_eq!(split(&PADI[..available]), Err(DecodeError::TruncatedHeader { needed: 20, available }));
    }
    assert_eq!(
        DecodeError::TruncatedHeader { needed: 20, available: 3 }.to_string(),
        "headers need 20 octets, the frame has 3"
    );
}

#[test]
fn another_ether_type_is_refused() {
    let error = DecodeError::WrongEtherType { found: EtherType(0x8864) };
    assert_eq!(split(&with(13, 0x64)), Err(error));
    assert_eq!(error.to_string(), "ether type 0x8864 was not expected here");
}

#[test]
fn version_and_type_must_be_one() {
    // RFC 2516 §4: "The VER field is four bits and MUST be set to 0x1", and so the TYPE field.
    for version_and_type in [0x01, 0x10, 0x12, 0x21, 0x00, 0xff] {
        assert_eq!(split(&with(14, version_and_type)), Err(DecodeError::WrongVersion { version_and_type }));
    }
    assert_eq!(
        DecodeError::WrongVersion { version_and_type: 0x21 }.to_string(),
        "version and type are 0x21, not 0x11"
    );
}

#[test]
fn a_length_beyond_the_frame_is_refused() {
    let error = DecodeError::LengthExceedsFrame { declared: 5, available: 4 };
    assert_eq!(split(&with(19, 5)), Err(error));
    assert_eq!(error.to_string(), "length field says 5 octets, the frame has 4");
    assert_eq!(split(&with(19, 3)).map(|(_, payload)| payload.len()), Ok(3));
}

#[test]
fn each_error_has_its_discard_reason() {
    let reasons = [
        (DecodeError::TruncatedHeader { needed: 20, available: 0 }, DiscardReason::TruncatedHeader),
        (DecodeError::WrongEtherType { found: EtherType(0) }, DiscardReason::WrongEtherType),
        (DecodeError::WrongVersion { version_and_type: 0 }, DiscardReason::WrongVersion),
        (DecodeError::LengthExceedsFrame { declared: 1, available: 0 }, DiscardReason::LengthExceedsFrame),
        (
            DecodeError::TagExceedsPayload { offset: 0, declared: None, available: 1 },
            DiscardReason::MalformedTag,
        ),
        (DecodeError::BadSessionCode { code: 9 }, DiscardReason::BadSessionCode),
    ];
    for (error, reason) in reasons {
        assert_eq!(DiscardReason::from(error), reason);
    }
    assert_eq!(DecodeError::BadSessionCode { code: 9 }.to_string(), "code of a session frame is 0x09, not 0");
}

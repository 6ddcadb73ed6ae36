//! Session frames: what carries PPP once a session is open. On the path of every frame.
//!
//! [`SessionFrame::parse`] looks at the headers only and copies nothing. A [`SessionHeader`] is made once a
//! session; for each frame only LENGTH changes.
//!
//! RFC 2516 §6.

use super::discovery::SessionId;
use super::ethernet::{EtherType, EthernetHeader, MacAddr};
use super::{DecodeError, HEADER_LEN, Header};

/// CODE of every session frame.
const SESSION_CODE: u8 = 0x00;

/// Octets of the longest information field that is carried, however long the frames of the Ethernet may be. The buffers
/// of both sides hold it: [`MAX_FRAME`](crate::hdlc::MAX_FRAME) on the line, the caller's on the Ethernet.
pub const LARGEST_INFORMATION: u16 = 2000;

/// A session frame as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionFrame<'a> {
    /// To whom.
    pub destination: MacAddr,
    /// From whom. A session belongs to its peer's address as well as to its id (RFC 2516 §4).
    pub source: MacAddr,
    /// `SESSION_ID` as it stands in the frame; it may be one that nobody can have.
    pub session_id: u16,
    /// The PPP frame, from its protocol field on, without address, control and frame check sequence, and
    /// without Ethernet padding.
    pub payload: &'a [u8],
}

impl<'a> SessionFrame<'a> {
    /// Reads an Ethernet frame.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with the headers.
    #[inline]
    pub fn parse(frame: &'a [u8]) -> Result<Self, DecodeError> {
        let (header, payload) = Header::split(frame, EtherType::PPPOE_SESSION)?;
        // RFC 2516 §6: "The PPPoE CODE MUST be set to 0x00."
        if header.code != SESSION_CODE {
            return Err(DecodeError::BadSessionCode { code: header.code });
        }
        Ok(Self {
            destination: header.ethernet.destination,
            source: header.ethernet.source,
            session_id: header.session_id,
            payload,
        })
    }
}

/// The octets in front of each PPP frame that one session sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionHeader([u8; Self::LEN]);

impl SessionHeader {
    /// Octets of the Ethernet header and the PPPoE header.
    pub const LEN: usize = HEADER_LEN;

    /// The header of the session `session_id` between `local`, which is us, and `peer`.
    #[must_use]
    pub const fn new(local: MacAddr, peer: MacAddr, session_id: SessionId) -> Self {
        let ethernet =
            EthernetHeader { destination: peer, source: local, ether_type: EtherType::PPPOE_SESSION };
        Self(Header { ethernet, code: SESSION_CODE, session_id: session_id.get() }.emit(0))
    }

    /// The header before a PPP frame of `length` octets, counted from its protocol field on.
    #[inline]
    #[must_use]
    pub const fn for_payload(&self, length: u16) -> [u8; Self::LEN] {
        let mut octets = self.0;
        let [.., high, low] = &mut octets;
        [*high, *low] = length.to_be_bytes();
        octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    const HOST: MacAddr = MacAddr([0x02, 0, 0, 0, 0, 0x01]);
    const US: MacAddr = MacAddr([0x02, 0, 0, 0, 0, 0x02]);

    /// An LCP Configure-Request (MRU 1492, a magic number), padded to the least an Ethernet frame can be.
    const CONFIGURE_REQUEST: [u8; 60] = *b"\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x88\x64\
        \x11\x00\x2a\x01\x00\x10\
        \xc0\x21\x01\x01\x00\x0e\x01\x04\x05\xd4\x05\x06\x5d\x1e\x70\xa2\
        \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

    #[test]
    fn the_payload_ends_where_length_says() {
        let frame = SessionFrame::parse(&CONFIGURE_REQUEST).unwrap();
        assert_eq!((frame.source, frame.destination, frame.session_id), (HOST, US, 0x2a01));
        assert_eq!(frame.payload, &CONFIGURE_REQUEST[20..36]);
    }

    #[test]
    fn the_code_must_be_zero() {
        // RFC 2516 §6: "The PPPoE CODE MUST be set to 0x00."
        let mut octets = CONFIGURE_REQUEST;
        octets[15] = 0x09;
        assert_eq!(SessionFrame::parse(&octets), Err(DecodeError::BadSessionCode { code: 0x09 }));
    }

    #[test]
    fn a_discovery_packet_is_no_session_frame() {
        let mut octets = CONFIGURE_REQUEST;
        octets[13] = 0x63;
        let found = EtherType::PPPOE_DISCOVERY;
        assert_eq!(SessionFrame::parse(&octets), Err(DecodeError::WrongEtherType { found }));
    }

    #[test]
    fn a_header_is_what_a_peer_reads() {
        let header = SessionHeader::new(HOST, US, SessionId::new(0x2a01).unwrap());
        assert_eq!(header.for_payload(0x0010), CONFIGURE_REQUEST[..20]);
        assert_eq!(header.for_payload(0x05d6)[18..], [0x05, 0xd6]);
    }

    proptest! {
        #[test]
        fn no_octets_panic(octets in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = SessionFrame::parse(&octets);
        }

        #[test]
        fn what_is_sent_is_what_is_received(
            id in 1..0xffff_u16,
            payload in prop::collection::vec(any::<u8>(), 0..1500),
            padding in 0..50_usize,
        ) {
            let header = SessionHeader::new(US, HOST, SessionId::new(id).unwrap());
            let mut octets = Vec::from(header.for_payload(u16::try_from(payload.len()).unwrap()));
            octets.extend_from_slice(&payload);
            octets.resize(octets.len() + padding, 0);
            let frame = SessionFrame::parse(&octets).unwrap();
            prop_assert_eq!(
                frame,
                SessionFrame { destination: HOST, source: US, session_id: id, payload: &payload }
            );
        }
    }
}

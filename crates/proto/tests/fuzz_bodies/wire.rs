//! The parsers that keep nothing: session frames, LCP packets, and how packets are shown to people.

use bridge_proto::forward::{self, Route, SessionTable, ToModem};
use bridge_proto::id::{InterfaceId, ModemId};
use bridge_proto::notation::{MAX_CHARACTERS, describe};
use bridge_proto::wire::discovery::SessionId;
use bridge_proto::wire::lcp::{LCP_PROTOCOL, LcpOptions, LcpPacket};
use bridge_proto::wire::session::{SessionFrame, SessionHeader};

/// A session frame: read, forwarded both ways, and written again.
pub fn session(octets: &[u8]) {
    let Ok(frame) = SessionFrame::parse(octets) else {
        assert!(forward::host_to_modem(InterfaceId(0), octets, &SessionTable::new()).is_err());
        return;
    };
    let Some(id) = SessionId::new(frame.session_id) else { return };
    let mut table = SessionTable::new();
    let mut route = Route::new(InterfaceId(0), frame.source, frame.destination, id, ModemId(3), 1492);
    route.connected = true;
    table.install(route);
    if let Ok(ToModem::Data { modem, ppp } | ToModem::Lcp { modem, ppp }) =
        forward::host_to_modem(InterfaceId(0), octets, &table)
    {
        assert_eq!((modem, ppp), (ModemId(3), frame.payload));
        assert!(ppp.len() >= 2);
        let _ = forward::modem_to_host(modem, ppp, &table);
    }
    assert!(forward::host_to_modem(InterfaceId(1), octets, &table).is_err(), "another interface's session");

    // Back to its sender, it is the same frame the other way round.
    let length = u16::try_from(frame.payload.len()).unwrap();
    let header = SessionHeader::new(frame.destination, frame.source, id).for_payload(length);
    let back = [&header[..], frame.payload].concat();
    let again = SessionFrame { destination: frame.source, source: frame.destination, ..frame };
    assert_eq!(SessionFrame::parse(&back), Ok(again));
}

/// An LCP packet, and the options in it.
pub fn lcp(octets: &[u8]) {
    if let Ok(packet) = LcpPacket::parse(octets) {
        assert!(octets.starts_with(&packet.emit()));
        let _ = packet.options();
    }
    let ppp = [&LCP_PROTOCOL.to_be_bytes(), octets].concat();
    assert_eq!(LcpPacket::parse(&ppp), LcpPacket::parse_fields(octets));
    if let Ok(options) = LcpOptions::parse(octets) {
        let mut again = Vec::new();
        options.iter().for_each(|option| option.emit(&mut again));
        assert_eq!(again, octets);
    }
}

/// What people are shown of a PPP frame.
pub fn notation(octets: &[u8]) {
    let notation = describe(octets).to_string();
    assert!(notation.bytes().all(|character| matches!(character, b' '..=b'~')), "{notation:?}");
    assert!(notation.len() <= MAX_CHARACTERS, "{notation:?}");
    assert!(
        notation.starts_with('[') && (notation.ends_with(']') || notation.ends_with("...")),
        "{notation}"
    );
}

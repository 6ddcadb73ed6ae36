//! Discovery packets, and what the access concentrator answers.

use bridge_proto::discovery::{
    AcName, AccessConcentrator, CookieMint, DiscoveryPolicy, LocalInterface, Refusal, ServiceName,
    SessionRequest, pads, padt, refuse,
};
use bridge_proto::id::InterfaceId;
use bridge_proto::time::Instant;
use bridge_proto::wire::discovery::{Code, DiscoveryPacket, SessionId};
use bridge_proto::wire::ethernet::{EtherType, EthernetHeader, MacAddr};
use bridge_proto::wire::tag::{TagType, TagWriter};

const NOW: Instant = Instant::from_millis(90_000);
const KEY: [u8; 16] = [7; 16];

/// A discovery packet, read as it is, judged as if it were meant for us, and every answer read again.
pub fn discovery(octets: &[u8]) {
    let Ok(packet) = DiscoveryPacket::parse(octets) else { return };
    assert!(packet.pppoe_octets + EthernetHeader::LEN <= octets.len());
    assert!(!packet.to_string().contains(char::is_control), "{packet}");
    let broadcast = packet.destination == MacAddr::BROADCAST;
    let us = if broadcast { MacAddr([2, 0, 0, 0, 0, 2]) } else { packet.destination };
    for mtu in [1500, 1492, 9000, 100, 0] {
        let local = LocalInterface { id: InterfaceId(0), mac: us, mtu };
        for accept_missing_service_name in [false, true] {
            let policy = DiscoveryPolicy { accept_missing_service_name, ..DiscoveryPolicy::default() };
            let name = AcName::parse("a name of ours").unwrap();
            let concentrator = AccessConcentrator::new(name, CookieMint::new(KEY), policy);
            initiation(&concentrator, &local, &packet);
            request(&concentrator, &local, &packet);
            termination(&concentrator, &local, &packet);
        }
    }
}

fn initiation(concentrator: &AccessConcentrator, local: &LocalInterface, padi: &DiscoveryPacket<'_>) {
    let asked = padi.tags.first(TagType::ServiceName).unwrap_or_default();
    let offered = [b"lte".as_slice(), &asked[..asked.len().min(ServiceName::MAX_LEN)], b""];
    let offered = offered.map(|name| ServiceName::parse(name).unwrap());
    assert!(concentrator.on_padi(NOW, local, padi, &[]).is_err(), "an offer of nothing");
    let Ok(frame) = concentrator.on_padi(NOW, local, padi, &offered) else { return };
    let pado = answer(&frame, local, padi.source, Code::Pado, usize::from(local.mtu));
    assert_eq!(pado.session_id, 0);
    assert_eq!(pado.tags.first(TagType::ServiceName), Some(asked));
    assert_eq!(pado.tags.count(TagType::AcName), 1);
    assert!(CookieMint::new(KEY).verify(
        NOW,
        local.id,
        padi.source,
        pado.tags.first(TagType::AcCookie).unwrap()
    ));
    for echoed in [TagType::HostUniq, TagType::RelaySessionId] {
        assert_eq!(pado.tags.first(echoed), padi.tags.first(echoed));
    }
}

fn request(concentrator: &AccessConcentrator, local: &LocalInterface, packet: &DiscoveryPacket<'_>) {
    // No fuzzer guesses a cookie.
    let good = with_cookie(packet, local);
    let packet = good.as_deref().and_then(|octets| DiscoveryPacket::parse(octets).ok()).unwrap_or(*packet);
    let Ok(request) = concentrator.on_padr(NOW, local, &packet) else { return };
    assert_eq!(concentrator.on_padr(NOW, local, &packet).as_ref(), Ok(&request), "asked again");

    let longest = ServiceName::parse(&[b'x'; ServiceName::MAX_LEN]).unwrap();
    let accepted = if request.service.is_any() { &longest } else { &request.service };
    let id = SessionId::new(0x1234).unwrap();
    let frame = pads(local, &request, accepted, id);
    let confirmed = answer(&frame, local, packet.source, Code::Pads, usize::from(local.mtu));
    assert_eq!(confirmed.session_id, id.get());
    assert_eq!(confirmed.tags.first(TagType::ServiceName), Some(accepted.as_octets()));
    assert_echoed(&confirmed, &request);

    let text = String::from_utf8_lossy(request.service.as_octets());
    for refusal in
        [Refusal::ServiceNameError(&text), Refusal::AcSystemError(&text), Refusal::GenericError(&text)]
    {
        let frame = refuse(local, &request, refusal);
        let refused = answer(&frame, local, packet.source, Code::Pads, usize::from(local.mtu));
        assert_eq!(refused.session_id, 0);
        assert_echoed(&refused, &request);
    }
}

fn assert_echoed(answer: &DiscoveryPacket<'_>, request: &SessionRequest) {
    assert_eq!(answer.tags.first(TagType::HostUniq), request.host_uniq.as_deref());
    assert_eq!(answer.tags.first(TagType::RelaySessionId), request.relay_session_id.as_deref());
    assert_eq!(answer.tags.count(TagType::ServiceName), 1);
}

fn termination(concentrator: &AccessConcentrator, local: &LocalInterface, packet: &DiscoveryPacket<'_>) {
    let Ok(termination) = concentrator.on_padt(local, packet) else { return };
    assert_eq!(termination.session_id.get(), packet.session_id);
    let reason = termination.reason.map(|reason| reason.to_string());
    assert!(!reason.as_ref().is_some_and(|reason| reason.contains(char::is_control)));
    let relay = packet.tags.first(TagType::RelaySessionId);
    let frame = padt(local, packet.source, termination.session_id, relay, reason.as_deref());
    answer(&frame, local, packet.source, Code::Padt, 1500);
}

/// Reads one of our answers, which must be one.
fn answer<'a>(
    frame: &'a [u8],
    local: &LocalInterface,
    to: MacAddr,
    code: Code,
    limit: usize,
) -> DiscoveryPacket<'a> {
    let packet = DiscoveryPacket::parse(frame).unwrap();
    assert_eq!((packet.destination, packet.source, packet.code), (to, local.mac, code));
    assert!(to.is_unicast());
    assert!(packet.pppoe_octets <= limit.min(1500), "{} octets", packet.pppoe_octets);
    packet
}

/// The packet as the host would have sent it with our cookie; `None` if that is too long for any packet.
fn with_cookie(packet: &DiscoveryPacket<'_>, local: &LocalInterface) -> Option<Vec<u8>> {
    let session_id = SessionId::new(packet.session_id);
    let mut writer = TagWriter::new(packet.destination, packet.source, packet.code, session_id, u16::MAX);
    let cookie = CookieMint::new(KEY).mint(NOW, local.id, packet.source);
    writer.add(TagType::AcCookie, &cookie).ok()?;
    for tag in packet.tags.iter().filter(|tag| tag.tag_type != TagType::AcCookie) {
        writer.add(tag.tag_type, tag.value).ok()?;
    }
    let octets = writer.finish();
    assert!(EthernetHeader::split(&octets).is_some_and(|(h, _)| h.ether_type == EtherType::PPPOE_DISCOVERY));
    Some(octets)
}

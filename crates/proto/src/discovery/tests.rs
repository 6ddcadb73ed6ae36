use super::*;
use crate::wire::tag::TagWriter;
use proptest::prelude::*;
use std::format;
use std::string::ToString;
use std::vec;

const HOST: MacAddr = MacAddr([0x02, 0, 0, 0, 0, 0x01]);
const US: MacAddr = MacAddr([0x02, 0, 0, 0, 0, 0x02]);
const OTHER: MacAddr = MacAddr([0x02, 0, 0, 0, 0, 0x03]);
const ETH0: LocalInterface = LocalInterface { id: InterfaceId(0), mac: US, mtu: 1500 };
const JUMBO: LocalInterface = LocalInterface { id: InterfaceId(1), mac: US, mtu: 9000 };
const NOW: Instant = Instant::from_millis(90_000);

/// From pppd's plugin: any service, its process number as Host-Uniq; padded to 60 octets.
const PPPD_PADI: [u8; 60] = *b"\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x88\x63\
    \x11\x09\x00\x00\x00\x0c\
    \x01\x01\x00\x00\x01\x03\x00\x04\x9a\x3f\x00\x00\
    \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// From rp-pppoe without Host-Uniq: any service, nothing else; padded to 60 octets.
const BARE_PADI: [u8; 60] = *b"\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x88\x63\
    \x11\x09\x00\x00\x00\x04\
    \x01\x01\x00\x00\
    \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

fn policy() -> DiscoveryPolicy {
    DiscoveryPolicy::default()
}

fn concentrator(policy: DiscoveryPolicy) -> AccessConcentrator {
    AccessConcentrator::new(AcName::parse("bridge").unwrap(), CookieMint::new([7; 16]), policy)
}

fn services(names: &[&str]) -> Vec<ServiceName> {
    names.iter().map(|name| ServiceName::parse(name.as_bytes()).unwrap()).collect()
}

fn frame(destination: MacAddr, code: Code, tags: &[(TagType, &[u8])]) -> Vec<u8> {
    let mut writer = TagWriter::new(destination, HOST, code, None, u16::MAX);
    for (tag_type, value) in tags {
        writer.add(*tag_type, value).unwrap();
    }
    writer.finish()
}

fn on_padi_at(local: &LocalInterface, octets: &[u8], offered: &[&str]) -> Result<Vec<u8>, DiscardReason> {
    let packet = DiscoveryPacket::parse(octets).unwrap();
    concentrator(policy()).on_padi(NOW, local, &packet, &services(offered))
}

fn on_padi(octets: &[u8]) -> Result<Vec<u8>, DiscardReason> {
    on_padi_at(&ETH0, octets, &["lte", "gsm"])
}

fn on_padr_at(local: &LocalInterface, octets: &[u8]) -> Result<SessionRequest, DiscardReason> {
    concentrator(policy()).on_padr(NOW, local, &DiscoveryPacket::parse(octets).unwrap())
}

fn on_padr(octets: &[u8]) -> Result<SessionRequest, DiscardReason> {
    on_padr_at(&ETH0, octets)
}

fn cookie(local: &LocalInterface) -> [u8; 16] {
    CookieMint::new([7; 16]).mint(NOW, local.id, HOST)
}

/// A PADR for any service with a good cookie, and what else is given.
fn padr(tags: &[(TagType, &[u8])]) -> Vec<u8> {
    let cookie = cookie(&ETH0);
    let mut all = vec![(TagType::ServiceName, &b""[..]), (TagType::AcCookie, &cookie[..])];
    all.extend_from_slice(tags);
    frame(US, Code::Padr, &all)
}

fn with(octets: &[u8], index: usize, octet: u8) -> Vec<u8> {
    let mut octets = Vec::from(octets);
    octets[index] = octet;
    octets
}

fn values<'a>(packet: &DiscoveryPacket<'a>, tag_type: TagType) -> Vec<&'a [u8]> {
    packet.tags.iter().filter(|tag| tag.tag_type == tag_type).map(|tag| tag.value).collect()
}

#[test]
fn a_pado_answers_octet_for_octet() {
    let pado = on_padi(&PPPD_PADI).unwrap();
    let mut expected = Vec::from(
        *b"\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x88\x63\
        \x11\x07\x00\x00\x00\x40\
        \x01\x01\x00\x00\x01\x02\x00\x06bridge\x01\x04\x00\x10",
    );
    expected.extend_from_slice(&cookie(&ETH0));
    expected.extend_from_slice(b"\x01\x03\x00\x04\x9a\x3f\x00\x00\x01\x01\x00\x03lte\x01\x01\x00\x03gsm");
    expected[19] = u8::try_from(expected.len() - 20).unwrap();
    assert_eq!(pado, expected);
}

#[test]
fn a_bare_padi_is_answered() {
    let pado = on_padi(&BARE_PADI).unwrap();
    let pado = DiscoveryPacket::parse(&pado).unwrap();
    assert_eq!(pado.tags.count(TagType::HostUniq), 0);
    assert_eq!(values(&pado, TagType::ServiceName), [&b""[..], b"lte", b"gsm"]);
}

#[test]
fn the_service_asked_for_comes_first_and_once() {
    // RFC 2516 §5.2: the PADO "MUST contain [...] a Service-Name TAG identical to the one in the PADI".
    let padi = frame(MacAddr::BROADCAST, Code::Padi, &[(TagType::ServiceName, b"gsm")]);
    let pado = on_padi(&padi).unwrap();
    let names = values(&DiscoveryPacket::parse(&pado).unwrap(), TagType::ServiceName)
        .into_iter()
        .map(Vec::from)
        .collect::<Vec<_>>();
    assert_eq!(names, [&b"gsm"[..], b"lte"]);

    let pado = on_padi_at(&ETH0, &BARE_PADI, &["", "gsm"]).unwrap();
    let pado = DiscoveryPacket::parse(&pado).unwrap();
    assert_eq!(values(&pado, TagType::ServiceName), [&b""[..], b"gsm"]);
}

#[test]
fn services_can_be_kept_to_oneself() {
    let hidden = DiscoveryPolicy { disclose_services: false, ..policy() };
    let packet = DiscoveryPacket::parse(&PPPD_PADI).unwrap();
    let pado = concentrator(hidden).on_padi(NOW, &ETH0, &packet, &services(&["lte"])).unwrap();
    assert_eq!(values(&DiscoveryPacket::parse(&pado).unwrap(), TagType::ServiceName), [b""]);
}

#[test]
fn there_is_no_offer_of_what_cannot_be_served() {
    // RFC 2516 §5.2: "If the Access Concentrator can not serve the PADI it MUST NOT respond with a PADO."
    let padi = frame(MacAddr::BROADCAST, Code::Padi, &[(TagType::ServiceName, b"isdn")]);
    assert_eq!(on_padi(&padi), Err(DiscardReason::UnknownService));
    assert_eq!(on_padi_at(&ETH0, &padi, &[]), Err(DiscardReason::ServiceUnavailable));
    assert_eq!(on_padi_at(&ETH0, &PPPD_PADI, &[]), Err(DiscardReason::ServiceUnavailable));
}

#[test]
fn an_ac_name_in_a_padi_is_no_filter() {
    let tags = [(TagType::ServiceName, &b""[..]), (TagType::AcName, b"someone else")];
    let pado = on_padi(&frame(MacAddr::BROADCAST, Code::Padi, &tags)).unwrap();
    // RFC 2516 §5.2: the PADO "MUST contain one AC-Name TAG containing the Access Concentrator's name".
    assert_eq!(values(&DiscoveryPacket::parse(&pado).unwrap(), TagType::AcName), [b"bridge"]);
}

#[test]
fn a_padi_may_come_by_broadcast_or_to_us_only() {
    assert!(on_padi(&frame(US, Code::Padi, &[(TagType::ServiceName, b"")])).is_ok());
    let elsewhere = frame(OTHER, Code::Padi, &[(TagType::ServiceName, b"")]);
    assert_eq!(on_padi(&elsewhere), Err(DiscardReason::NotForUs));
}

#[test]
fn a_source_must_be_another_host() {
    for source in [MacAddr::BROADCAST, MacAddr([0; 6]), MacAddr([1, 0, 0x5e, 0, 0, 1]), US] {
        for (mut octets, code) in [(Vec::from(PPPD_PADI), 0x09), (padr(&[]), 0x19), (padt_of_host(), 0xa7)] {
            octets[6..12].copy_from_slice(&source.0);
            assert_eq!(octets[15], code);
            let packet = DiscoveryPacket::parse(&octets).unwrap();
            let ac = concentrator(policy());
            let reason = match packet.code {
                Code::Padi => ac.on_padi(NOW, &ETH0, &packet, &services(&["lte"])).err(),
                Code::Padr => ac.on_padr(NOW, &ETH0, &packet).err(),
                _ => ac.on_padt(&ETH0, &packet).err(),
            };
            assert_eq!(reason, Some(DiscardReason::BadSourceAddress));
        }
    }
}

#[test]
fn a_request_must_not_name_a_session() {
    // RFC 2516 §5.1 and §5.3: "the SESSION_ID MUST be set to 0x0000".
    assert_eq!(on_padi(&with(&PPPD_PADI, 17, 1)), Err(DiscardReason::UnexpectedSessionId));
    assert_eq!(on_padr(&with(&padr(&[]), 16, 1)), Err(DiscardReason::UnexpectedSessionId));
}

#[test]
fn a_request_has_exactly_one_service_name() {
    // RFC 2516 §5.1 and §5.3: "MUST contain exactly one TAG of TAG_TYPE Service-Name".
    let twice = [(TagType::ServiceName, &b""[..]), (TagType::ServiceName, b"lte")];
    let padi = frame(MacAddr::BROADCAST, Code::Padi, &twice);
    assert_eq!(on_padi(&padi), Err(DiscardReason::RepeatedServiceName));
    assert_eq!(on_padi(&frame(US, Code::Padi, &[])), Err(DiscardReason::MissingServiceName));
    assert_eq!(on_padr(&padr(&twice[..1])), Err(DiscardReason::RepeatedServiceName));
    assert_eq!(on_padr(&frame(US, Code::Padr, &[])), Err(DiscardReason::MissingServiceName));
}

#[test]
fn a_missing_service_name_can_be_forgiven() {
    let lax = concentrator(DiscoveryPolicy { accept_missing_service_name: true, ..policy() });
    let padi = frame(MacAddr::BROADCAST, Code::Padi, &[]);
    let pado = lax.on_padi(NOW, &ETH0, &DiscoveryPacket::parse(&padi).unwrap(), &services(&["lte"]));
    let pado = pado.unwrap();
    assert_eq!(values(&DiscoveryPacket::parse(&pado).unwrap(), TagType::ServiceName), [&b""[..], b"lte"]);
    let padr = frame(US, Code::Padr, &[(TagType::AcCookie, &cookie(&ETH0))]);
    let request = lax.on_padr(NOW, &ETH0, &DiscoveryPacket::parse(&padr).unwrap()).unwrap();
    assert!(request.service.is_any());
}

#[test]
fn a_padi_has_a_greatest_size_to_which_a_relay_may_add() {
    // RFC 2516 §5.1: "An entire PADI packet (including the PPPoE header) MUST NOT exceed 1484 octets so as to
    // leave sufficient room for a relay agent to add a Relay-Session-Id TAG."
    let filler = |octets: usize| vec![b'v'; octets - 6 - 4 - 4];
    let padi = |filler: &[u8], relay: &[(TagType, &[u8])]| {
        let mut tags = vec![(TagType::ServiceName, &b""[..]), (TagType::VendorSpecific, filler)];
        tags.extend_from_slice(relay);
        frame(MacAddr::BROADCAST, Code::Padi, &tags)
    };
    assert!(on_padi(&padi(&filler(1484), &[])).is_ok());
    assert!(on_padi(&padi(&filler(1484), &[(TagType::RelaySessionId, &[0; 12])])).is_ok());
    assert_eq!(on_padi(&padi(&filler(1485), &[])), Err(DiscardReason::OversizedPadi));
}

#[test]
fn what_leaves_no_room_for_an_answer_gets_none() {
    let much = vec![0xaa; 1460];
    assert!(much.len() + 14 <= 1484, "the PADI alone would be allowed");
    let tags = [(TagType::ServiceName, &b""[..]), (TagType::HostUniq, &much)];
    assert_eq!(on_padi(&frame(MacAddr::BROADCAST, Code::Padi, &tags)), Err(DiscardReason::OversizedEcho));
    assert_eq!(on_padr(&padr(&tags[1..])), Err(DiscardReason::OversizedEcho));
}

#[test]
fn a_padr_is_taken_if_the_longest_answer_fits() {
    let longest_text = "x".repeat(200);
    let longest_name = ServiceName::parse(&[b's'; ServiceName::MAX_LEN]).unwrap();
    let id = SessionId::new(1).unwrap();
    for (name_octets, room) in [(0, 1226), (128, 1226), (129, 1225), (300, 1054)] {
        let service = vec![b'n'; name_octets];
        let request = |host_uniq| {
            let host_uniq = vec![0xaa; host_uniq];
            let tags = [
                (TagType::ServiceName, &service[..]),
                (TagType::AcCookie, &cookie(&ETH0)),
                (TagType::HostUniq, &host_uniq),
            ];
            on_padr(&frame(US, Code::Padr, &tags))
        };
        assert_eq!(request(room + 1), Err(DiscardReason::OversizedEcho), "{name_octets}");
        let request = request(room).unwrap();
        let refused = refuse(&ETH0, &request, Refusal::GenericError(&longest_text));
        let opened = pads(&ETH0, &request, &longest_name, id);
        for pads in [refused, opened] {
            assert!(pads.len() <= 1514);
            let pads = DiscoveryPacket::parse(&pads).unwrap();
            assert_eq!(pads.tags.first(TagType::HostUniq), request.host_uniq.as_deref());
        }
    }
}

#[test]
fn services_that_do_not_fit_are_left_out_of_the_offer() {
    let names: Vec<_> = (0..100).map(|number| format!("{number:0>100}")).collect();
    let names: Vec<_> = names.iter().map(std::string::String::as_str).collect();
    let pado = on_padi_at(&ETH0, &PPPD_PADI, &names).unwrap();
    assert!(pado.len() <= 1514, "{}", pado.len());
    let pado = DiscoveryPacket::parse(&pado).unwrap();
    assert_eq!(pado.tags.count(TagType::ServiceName), 1 + 13);
    assert_eq!(pado.tags.first(TagType::HostUniq), Some(&b"\x9a\x3f\0\0"[..]));
}

#[test]
fn only_our_part_of_discovery_is_taken() {
    for code in 0..=u8::MAX {
        let octets = with(&frame(US, Code::Padi, &[(TagType::ServiceName, b"")]), 15, code);
        let is = |expected| Code::from(code) == expected;
        assert_eq!(on_padi(&octets) == Err(DiscardReason::UnhandledCode), !is(Code::Padi));
        assert_eq!(on_padr(&octets) == Err(DiscardReason::UnhandledCode), !is(Code::Padr));
        let packet = DiscoveryPacket::parse(&octets).unwrap();
        let padt = concentrator(policy()).on_padt(&ETH0, &packet);
        assert_eq!(padt == Err(DiscardReason::UnhandledCode), !is(Code::Padt));
    }
}

#[test]
fn a_padr_tells_all_that_is_needed() {
    let padr = padr(&[
        (TagType::HostUniq, b"\x01\x02"),
        (TagType::RelaySessionId, b"relay"),
        (TagType::PppMaxPayload, &1500_u16.to_be_bytes()),
    ]);
    let request = on_padr(&padr).unwrap();
    let expected = SessionRequest {
        interface: InterfaceId(0),
        peer: HOST,
        service: ServiceName::parse(b"").unwrap(),
        host_uniq: Some(vec![1, 2]),
        relay_session_id: Some(Vec::from(b"relay")),
        max_payload_echo: None,
        max_payload: None,
    };
    assert_eq!(request, expected);
    assert_eq!(on_padr(&padr), Ok(expected), "a repeated PADR asks for the same");
    assert_eq!(request.to_string(), "request of 02:00:00:00:00:01 for service \"\"");
}

#[test]
fn a_padr_must_be_sent_to_us_alone() {
    // RFC 2516 §5.3: "The DESTINATION_ADDR field is set to the unicast Ethernet address of the Access
    // Concentrator".
    for destination in [MacAddr::BROADCAST, OTHER] {
        let mut octets = padr(&[]);
        octets[..6].copy_from_slice(&destination.0);
        assert_eq!(on_padr(&octets), Err(DiscardReason::NotForUs));
    }
}

#[test]
fn a_padr_needs_the_cookie_of_its_offer() {
    let service = (TagType::ServiceName, &b""[..]);
    assert_eq!(on_padr(&frame(US, Code::Padr, &[service])), Err(DiscardReason::MissingCookie));
    let forged = frame(US, Code::Padr, &[service, (TagType::AcCookie, &[0; 16])]);
    assert_eq!(on_padr(&forged), Err(DiscardReason::BadCookie));
    let mut of_another = padr(&[]);
    of_another[6..12].copy_from_slice(&OTHER.0);
    assert_eq!(on_padr(&of_another), Err(DiscardReason::BadCookie));
    assert_eq!(on_padr_at(&JUMBO, &padr(&[])), Err(DiscardReason::BadCookie));
    let late = Instant::from_millis(240_000);
    let octets = padr(&[]);
    let packet = DiscoveryPacket::parse(&octets).unwrap();
    assert_eq!(concentrator(policy()).on_padr(late, &ETH0, &packet), Err(DiscardReason::BadCookie));
}

#[test]
fn a_long_payload_is_agreed_only_where_it_fits() {
    // RFC 4638 §4-5: echoed if more than 1492 is asked for and can be carried; the limit is the least of both.
    let at = |mtu, asked: &[u8]| {
        let local = LocalInterface { mtu, ..ETH0 };
        let padi = [(TagType::ServiceName, &b""[..]), (TagType::PppMaxPayload, asked)];
        let pado = on_padi_at(&local, &frame(MacAddr::BROADCAST, Code::Padi, &padi), &["lte"]).unwrap();
        let request = on_padr_at(&local, &padr(&[(TagType::PppMaxPayload, asked)])).unwrap();
        let pads = pads(&local, &request, &request.service, SessionId::new(1).unwrap());
        let echoes = [pado, pads].map(|reply| {
            let reply = DiscoveryPacket::parse(&reply).unwrap();
            reply.tags.first(TagType::PppMaxPayload).map(Vec::from)
        });
        assert_eq!(echoes[0], echoes[1]);
        assert!(echoes[0].as_ref().is_none_or(|echo| echo == asked), "{echoes:?}");
        assert_eq!(echoes[0].is_some(), request.max_payload.is_some());
        request.max_payload
    };
    assert_eq!(at(1508, &1500_u16.to_be_bytes()), Some(1500));
    assert_eq!(at(1508, &2000_u16.to_be_bytes()), Some(1500));
    assert_eq!(at(9000, &2000_u16.to_be_bytes()), Some(2000));
    assert_eq!(at(9000, &4000_u16.to_be_bytes()), Some(LARGEST_INFORMATION));
    assert_eq!(at(9000, &1493_u16.to_be_bytes()), Some(1493));
    assert_eq!(at(9000, &1492_u16.to_be_bytes()), None);
    assert_eq!(at(1507, &1500_u16.to_be_bytes()), None);
    assert_eq!(at(9000, b"\x05"), None);
}

#[test]
fn a_pads_confirms_octet_for_octet() {
    let request = on_padr(&padr(&[(TagType::HostUniq, b""), (TagType::RelaySessionId, b"r")])).unwrap();
    let accepted = ServiceName::parse(b"lte").unwrap();
    assert_eq!(
        pads(&ETH0, &request, &accepted, SessionId::new(0x2a01).unwrap()),
        b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x88\x63\x11\x65\x2a\x01\0\x10\
          \x01\x01\0\x03lte\x01\x03\0\0\x01\x10\0\x01r"
    );
}

#[test]
fn a_refusal_names_no_session() {
    // RFC 2516 §5.4: "In this case the SESSION_ID MUST be set to 0x0000."
    let request = on_padr(&padr(&[(TagType::HostUniq, b"u")])).unwrap();
    assert_eq!(
        refuse(&ETH0, &request, Refusal::ServiceNameError("no")),
        b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x88\x63\x11\x65\0\0\0\x0f\
          \x01\x01\0\0\x02\x01\0\x02no\x01\x03\0\x01u"
    );
    let kinds = [
        (Refusal::AcSystemError("BUSY\r\n"), TagType::AcSystemError),
        (Refusal::GenericError("BUSY\r\n"), TagType::GenericError),
    ];
    for (refusal, tag_type) in kinds {
        let pads = refuse(&ETH0, &request, refusal);
        let pads = DiscoveryPacket::parse(&pads).unwrap();
        assert_eq!((pads.code, pads.session_id), (Code::Pads, 0));
        assert_eq!(pads.tags.first(tag_type), Some(&b"BUSY  "[..]));
    }
}

fn padt_of_host() -> Vec<u8> {
    let mut writer = TagWriter::new(US, HOST, Code::Padt, SessionId::new(0x2a01), 1500);
    writer.add(TagType::GenericError, b"User request\x07").unwrap();
    writer.finish()
}

#[test]
fn a_padt_names_its_session_and_its_reason() {
    let ac = concentrator(policy());
    let octets = padt_of_host();
    let padt = ac.on_padt(&ETH0, &DiscoveryPacket::parse(&octets).unwrap()).unwrap();
    assert_eq!((padt.peer, padt.session_id.get()), (HOST, 0x2a01));
    assert_eq!(padt.reason.unwrap().to_string(), r"User request\u{7}");

    let on_padt = |octets: &[u8]| ac.on_padt(&ETH0, &DiscoveryPacket::parse(octets).unwrap()).err();
    let none = with(&with(&octets, 16, 0), 17, 0);
    assert_eq!(on_padt(&none), Some(DiscardReason::PadtUnknownSession));
    let reserved = with(&with(&octets, 16, 0xff), 17, 0xff);
    assert_eq!(on_padt(&reserved), Some(DiscardReason::PadtUnknownSession));
    assert_eq!(on_padt(&with(&octets, 5, 0x03)), Some(DiscardReason::NotForUs));
    let mut broadcast = octets.clone();
    broadcast[..6].copy_from_slice(&MacAddr::BROADCAST.0);
    assert_eq!(on_padt(&broadcast), Some(DiscardReason::NotForUs));
}

#[test]
fn our_padt_says_what_fits() {
    let id = SessionId::new(0x2a01).unwrap();
    assert_eq!(
        padt(&ETH0, HOST, id, None, None),
        b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x88\x63\x11\xa7\x2a\x01\0\0"
    );
    assert_eq!(
        padt(&ETH0, HOST, id, Some(b"r"), Some("NO\nCARRIER")),
        b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x88\x63\x11\xa7\x2a\x01\0\x13\
          \x01\x10\0\x01r\x02\x03\0\x0aNO CARRIER"
    );
    assert_eq!(padt(&ETH0, HOST, id, Some(&[0; 1600]), None).len(), 20);
}

/// What a host may put into its requests.
fn tags() -> impl Strategy<Value = Vec<(TagType, Vec<u8>)>> {
    let types = prop_oneof![
        Just(TagType::HostUniq),
        Just(TagType::RelaySessionId),
        Just(TagType::PppMaxPayload),
        Just(TagType::AcName),
        Just(TagType::VendorSpecific),
        (0x300..u16::MAX).prop_map(TagType::Unknown),
    ];
    let values = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..40),
        1 => (1400..2000_u16).prop_map(|number| Vec::from(number.to_be_bytes())),
        1 => prop::collection::vec(any::<u8>(), 0..1500),
    ];
    prop::collection::vec((types, values), 0..6)
}

fn request_frame(code: Code, service: &[u8], cookie: &[u8], tags: &[(TagType, Vec<u8>)]) -> Vec<u8> {
    let mut all = vec![(TagType::ServiceName, service), (TagType::AcCookie, cookie)];
    all.extend(tags.iter().map(|(tag_type, value)| (*tag_type, value.as_slice())));
    frame(US, code, &all)
}

/// The MUSTs that each reply to a request has to keep.
fn check_reply(reply: &[u8], request: &[u8], local: &LocalInterface) -> Result<(), TestCaseError> {
    prop_assert!(reply.len() <= 14 + usize::from(local.mtu.min(1500)));
    let reply = DiscoveryPacket::parse(reply).unwrap();
    let request = DiscoveryPacket::parse(request).unwrap();
    prop_assert_eq!((reply.destination, reply.source), (HOST, US));
    for echoed in [TagType::HostUniq, TagType::RelaySessionId] {
        prop_assert_eq!(reply.tags.first(echoed), request.tags.first(echoed));
        prop_assert!(reply.tags.count(echoed) <= 1);
    }
    let max_payload = reply.tags.first(TagType::PppMaxPayload);
    prop_assert!(max_payload.is_none() || max_payload == request.tags.first(TagType::PppMaxPayload));
    prop_assert!(max_payload.is_none() || local.mtu >= 1508);
    Ok(())
}

proptest! {
    #[test]
    fn every_pado_keeps_the_musts(
        tags in tags(),
        service in prop::sample::select(vec!["", "lte", "gsm"]),
        mtu in prop::sample::select(vec![576, 1492, 1500, 1508, 9000]),
    ) {
        let local = LocalInterface { mtu, ..ETH0 };
        let padi = request_frame(Code::Padi, service.as_bytes(), b"", &tags);
        match on_padi_at(&local, &padi, &["lte", "gsm"]) {
            Ok(pado) => {
                check_reply(&pado, &padi, &local)?;
                let pado = DiscoveryPacket::parse(&pado).unwrap();
                prop_assert_eq!((pado.code, pado.session_id), (Code::Pado, 0));
                prop_assert_eq!(values(&pado, TagType::AcName), [b"bridge"]);
                let names = values(&pado, TagType::ServiceName);
                prop_assert_eq!(names[0], service.as_bytes());
                prop_assert_eq!(names.iter().filter(|name| **name == service.as_bytes()).count(), 1);
                prop_assert_eq!(values(&pado, TagType::AcCookie), [cookie(&local)]);
            }
            Err(reason) => prop_assert!(
                matches!(reason, DiscardReason::OversizedPadi | DiscardReason::OversizedEcho)
            ),
        }
    }

    #[test]
    fn every_pads_keeps_the_musts(
        tags in tags(),
        service in prop::collection::vec(any::<u8>(), 0..300),
        accepted in prop::collection::vec(any::<u8>(), 0..=128),
        mtu in prop::sample::select(vec![576, 1492, 1500, 1508, 9000]),
        id in 1..0xffff_u16,
        text in prop::collection::vec(any::<char>(), 0..200),
    ) {
        let local = LocalInterface { mtu, ..ETH0 };
        let padr = request_frame(Code::Padr, &service, &cookie(&local), &tags);
        let request = match on_padr_at(&local, &padr) {
            Ok(request) => request,
            Err(reason) => {
                prop_assert_eq!(reason, DiscardReason::OversizedEcho);
                return Ok(());
            }
        };
        let chosen = ServiceName::parse(&accepted).unwrap();
        for accepted in [&chosen, &request.service] {
            let reply = pads(&local, &request, accepted, SessionId::new(id).unwrap());
            check_reply(&reply, &padr, &local)?;
            let reply = DiscoveryPacket::parse(&reply).unwrap();
            prop_assert_eq!((reply.code, reply.session_id), (Code::Pads, id));
            prop_assert_eq!(values(&reply, TagType::ServiceName), [accepted.as_octets()]);
        }
        let text: std::string::String = text.into_iter().collect();
        let reply = refuse(&local, &request, Refusal::AcSystemError(&text));
        check_reply(&reply, &padr, &local)?;
        let reply = DiscoveryPacket::parse(&reply).unwrap();
        prop_assert_eq!((reply.code, reply.session_id), (Code::Pads, 0));
        prop_assert_eq!(values(&reply, TagType::ServiceName), [&service]);
        let said = reply.tags.first(TagType::AcSystemError).unwrap();
        prop_assert!(!core::str::from_utf8(said).unwrap().chars().any(char::is_control));
    }

    #[test]
    fn no_packet_panics(octets in prop::collection::vec(any::<u8>(), 0..120), code: u8) {
        let mut octets = octets;
        for (octet, right) in octets.iter_mut().zip(&PPPD_PADI[..18]) {
            *octet = *right;
        }
        if octets.len() > 15 {
            octets[..6].copy_from_slice(&US.0);
            octets[15] = code;
        }
        if let Ok(packet) = DiscoveryPacket::parse(&octets) {
            let ac = concentrator(policy());
            let _ = ac.on_padi(NOW, &ETH0, &packet, &services(&["lte"]));
            let _ = ac.on_padr(NOW, &ETH0, &packet);
            let _ = ac.on_padt(&ETH0, &packet);
        }
    }
}

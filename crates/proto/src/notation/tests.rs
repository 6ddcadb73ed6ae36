use super::*;
use proptest::prelude::*;
use std::string::{String, ToString};
use std::vec::Vec;

fn octets(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

#[track_caller]
fn check(hex: &str, notation: &str) {
    assert_eq!(describe(&octets(hex)).to_string(), notation);
}

#[test]
fn lcp_configuration() {
    check(
        "c021 01 01 0018 0104 05d4 0206 00000000 0506 2a3b4c5d 0702 0802",
        "[LCP ConfReq id=0x1 <mru 1492> <asyncmap 0x0> <magic 0x2a3b4c5d> <pcomp> <accomp>]",
    );
    check(
        "c021 01 02 0013 0305 c22305 0304 c023 0206 000a0000",
        "[LCP ConfReq id=0x2 <auth chap MD5> <auth pap> <asyncmap 0xa0000>]",
    );
    check(
        "c021 03 03 0013 0305 c22381 0305 c22380 0305 c22306",
        "[LCP ConfNak id=0x3 <auth chap MS-v2> <auth chap MS> <auth 0xc223 06>]",
    );
    check("c021 02 ff 0004", "[LCP ConfAck id=0xff]");
    check(
        "c021 04 04 0020 1104 05dc 1202 1309 03 021122334455 1307 02 0a000001 0d03 06 0903 02",
        "[LCP ConfRej id=0x4 <mrru 1500> <ssnhf> <endpoint [MAC:02:11:22:33:44:55]> <endpoint [IP:10.0.0.1]> <callback CBCP> <fcs 0x2>]",
    );
    check(
        "c021 01 05 0013 0408 c025 000001f4 1303 00 6304 abcd",
        "[LCP ConfReq id=0x5 <quality lqr 0x1f4> <endpoint [null]> < 63 04 ab cd>]",
    );
}

#[test]
fn lcp_without_options() {
    check("c021 09 00 0008 2a3b4c5d", "[LCP EchoReq id=0x0 magic=0x2a3b4c5d]");
    check("c021 0a 00 000a 2a3b4c5d 0102", "[LCP EchoRep id=0x0 magic=0x2a3b4c5d 01 02]");
    check(
        "c021 05 02 0016 55736572207265717565737420696e67 6f21",
        "[LCP TermReq id=0x2 \"User request ingo!\"]",
    );
    check("c021 06 02 0004", "[LCP TermAck id=0x2]");
    check("c021 0c 03 000b 00000000 616263", "[LCP Ident id=0x3 magic=0x0 \"abc\"]");
    check("c021 0b 03 0008 00000001", "[LCP DiscReq id=0x3 magic=0x1]");
    check("c021 07 04 0008 63010004", "[LCP CodeRej id=0x4 63 01 00 04]");
    check("c021 08 05 000a 80fd 0101 0004", "[LCP ProtRej id=0x5 80 fd 01 01 00 04]");
    check("c021 63 05 0006 aabb", "[LCP code=0x63 id=0x5 aa bb]");
}

#[test]
fn network_control_protocols() {
    check(
        "8021 01 02 0016 0306 00000000 8106 00000000 8306 00000000",
        "[IPCP ConfReq id=0x2 <addr 0.0.0.0> <ms-dns1 0.0.0.0> <ms-dns2 0.0.0.0>]",
    );
    check(
        "8021 03 02 0010 0206 002d 0f01 8206 0a0b0c0d",
        "[IPCP ConfNak id=0x2 <compress VJ 0f 01> <ms-wins 10.11.12.13>]",
    );
    check("8021 01 03 000e 010a 0a000001 0a000002", "[IPCP ConfReq id=0x3 <addrs 10.0.0.1 10.0.0.2>]");
    check("8021 01 03 0009 0305 0a0000", "[IPCP ConfReq id=0x3 < 03 05 0a 00 00>]");
    check(
        "c021 01 05 0010 1305 01 abcd 1304 05 20 1303 09",
        "[LCP ConfReq id=0x5 <endpoint [local:ab.cd]> <endpoint [phone:20]> <endpoint [9:]>]",
    );
    check("8057 01 01 000e 010a 021122fffe334455", "[IPV6CP ConfReq id=0x1 <addr fe80::211:22ff:fe33:4455>]");
    check(
        "80fd 01 01 0015 1a04 7800 1804 7800 1503 2f 1206 01000040",
        "[CCP ConfReq id=0x1 <deflate 15> <deflate(old#) 15> <bsd v1 15> <mppe +H -M +S -L -D -C>]",
    );
    check("80fd 0e 07 0004", "[CCP ResetReq id=0x7]");
    check("8053 01 01 0007 0003 01", "[ECP ConfReq id=0x1 < 00 03 01>]");
}

#[test]
fn secrets_stay_hidden() {
    check("c023 01 01 000f 03 6a6f65 06 736563726574", "[PAP AuthReq id=0x1 user=\"joe\" password=<hidden>]");
    check("c023 02 01 0005 00", "[PAP AuthAck id=0x1]");
    check("c023 03 01 0008 03 6e6f21", "[PAP AuthNak id=0x1 \"no!\"]");
    check("c023 01 01 000b 03 6a6f65 ff 7365", "[PAP AuthReq id=0x1 <hidden>]");
    check("c023 09 01 0007 736563", "[PAP code=0x9 id=0x1 <hidden>]");
    check("c023 01 01 0fff 736563", "[PAP malformed: LCP length 4095 does not fit the 7 octets received]");
    check("c223 01 01 000b 04 deadbeef 6973", "[CHAP Challenge id=0x1 <hidden>, name = \"is\"]");
    check("c223 02 01 000c 04 deadbeef 6a6f65", "[CHAP Response id=0x1 <hidden>, name = \"joe\"]");
    check("c223 03 01 0007 4f4b21", "[CHAP Success id=0x1 \"OK!\"]");
    check("c223 03 01 0008 533d3132", "[CHAP Success id=0x1 <hidden>]");
    check("c223 04 01 0004", "[CHAP Failure id=0x1]");
    check("c021 08 05 0015 c023 01 01 000f 03 6a6f65 06 736563726574", "[LCP ProtRej id=0x5 c0 23 <hidden>]");
    check("c227 01 01 0005 01", "[EAP, 5 octets]");
}

#[test]
fn other_frames_are_named() {
    check("0021 4500", "[IP, 2 octets]");
    check("21 4500", "[IP, 2 octets]");
    check("0057", "[IPv6, 0 octets]");
    check("8281 01010004", "[proto=0x8281, 4 octets]");
}

#[test]
fn hostile_octets_do_no_harm() {
    check("", "[malformed protocol field]");
    check("c0", "[malformed protocol field c0]");
    check("c020 01", "[malformed protocol field c0 20 01]");
    check(
        "c021 04 04 0008 0104 05",
        "[LCP malformed: LCP length 8 does not fit the 7 octets received 04 04 00 08 01 04 05]",
    );
    check("c021", "[LCP malformed: 0 octets are too few for an LCP packet]");
    check("c021 01 01 000a 0104 05d4 0200", "[LCP ConfReq id=0x1 <mru 1492> malformed: 02 00]");
    check("c021 05 01 000c 1b5b324a 0a22e282", r#"[LCP TermReq id=0x1 "\x1b[2J\n\"\xe2\x82"]"#);
    let mut long = octets("c021 05 01 0400");
    long.resize(2 + 0x400, b'\x1b');
    let notation = describe(&long).to_string();
    assert_eq!(notation.len(), MAX_CHARACTERS);
    assert!(notation.ends_with("..."));
}

proptest! {
    #[test]
    fn whatever_comes_prints_short_and_plain(
        protocol in prop_oneof![
            any::<u16>(),
            proptest::sample::select(&[0xc021_u16, 0xc023, 0xc223, 0x8021, 0x8057, 0x80fd, 0x8053][..]),
        ],
        code in 0_u8..17,
        claims_its_length in any::<bool>(),
        data in proptest::collection::vec(prop_oneof![any::<u8>(), 0_u8..8], 0..1600),
    ) {
        let length = if claims_its_length { u16::try_from(data.len() + 4).unwrap() } else { 77 };
        let header = [&protocol.to_be_bytes()[..], &[code, 1], &length.to_be_bytes()].concat();
        let notation = describe(&[&header[..], &data].concat()).to_string();
        prop_assert!(notation.bytes().all(|character| (b' '..=b'~').contains(&character)), "{}", notation);
        prop_assert!(notation.len() <= MAX_CHARACTERS);
        prop_assert!(notation.starts_with('[') && (notation.ends_with(']') || notation.ends_with("...")));
    }

    #[test]
    fn raw_octets_print_plain(ppp in proptest::collection::vec(any::<u8>(), 0..64)) {
        let notation = describe(&ppp).to_string();
        prop_assert!(notation.bytes().all(|character| (b' '..=b'~').contains(&character)), "{}", notation);
    }

    #[test]
    fn a_password_is_never_printed(
        password in "z{6,12}",
        code in proptest::sample::select(&[0_u8, 1, 4, 5, 6, 7][..]),
        counted in any::<u8>(),
        cut in 0_usize..6,
    ) {
        let data = [&[3, b'j', b'o', b'e', counted][..], password.as_bytes()].concat();
        let length = u16::try_from(data.len() + 4).unwrap().to_be_bytes();
        let mut ppp = [&[0xc0, 0x23, code, 1][..], &length, &data].concat();
        ppp.truncate(ppp.len() - cut);
        prop_assert!(!describe(&ppp).to_string().contains('z'));
        let length = u16::try_from(ppp.len() + 4).unwrap().to_be_bytes();
        let rejected = [&[0xc0, 0x21, 8, 1][..], &length, &ppp].concat();
        prop_assert!(!describe(&rejected).to_string().contains("7a"));
    }
}

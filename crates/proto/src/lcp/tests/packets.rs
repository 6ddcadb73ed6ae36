//! LCP packets as words: `req 1 mru=1492 magic=0000002a pfc`, `echoreq 7 data=00000000`, `raw c021ff`.

use super::*;

const CODES: [(&str, u8); 12] = [
    ("req", 1),
    ("ack", 2),
    ("nak", 3),
    ("rej", 4),
    ("termreq", 5),
    ("termack", 6),
    ("coderej", 7),
    ("protorej", 8),
    ("echoreq", 9),
    ("echorep", 10),
    ("ident", 12),
    ("code99", 99),
];

const OPTIONS: [(&str, u8); 8] =
    [("mru", 1), ("accm", 2), ("auth", 3), ("magic", 5), ("pfc", 7), ("acfc", 8), ("fcs", 9), ("opt99", 99)];

/// The PPP frame of a packet in words.
pub(super) fn encode(text: &str) -> Vec<u8> {
    let mut words = text.split_whitespace();
    let name = words.next().unwrap();
    if name == "raw" {
        return hex(words.next().unwrap());
    }
    let code = CODES.iter().find(|(code, _)| *code == name).unwrap_or_else(|| panic!("no code {name}")).1;
    let identifier = words.next().unwrap().parse().unwrap();
    let mut data = Vec::new();
    for word in words {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let value = match name {
            "mru" => value.parse::<u16>().unwrap().to_be_bytes().to_vec(),
            _ => hex(value),
        };
        if name == "data" {
            data.extend(value);
        } else {
            let kind =
                OPTIONS.iter().find(|(option, _)| *option == name).unwrap_or_else(|| panic!("{name}")).1;
            LcpOption { kind: LcpOptionType(kind), value: &value }.emit(&mut data);
        }
    }
    LcpPacket { code: LcpCode(code), identifier, data: &data }.emit()
}

/// The words of a PPP frame.
pub(super) fn decode(ppp: &[u8]) -> String {
    let raw = || format!("raw {}", unhex(ppp));
    let Ok(packet) = LcpPacket::parse(ppp) else { return raw() };
    let Some((name, _)) = CODES.iter().find(|(_, code)| *code == packet.code.0) else { return raw() };
    let mut text = format!("{name} {}", packet.identifier);
    if !(1..=4).contains(&packet.code.0) {
        return if packet.data.is_empty() { text } else { text + " data=" + &unhex(packet.data) };
    }
    let Ok(options) = packet.options() else { return raw() };
    for option in options.iter() {
        let Some((name, _)) = OPTIONS.iter().find(|(_, kind)| *kind == option.kind.0) else { return raw() };
        let value = match (*name, option.as_u16()) {
            ("mru", Some(mru)) => mru.to_string(),
            _ => unhex(option.value),
        };
        text += &if value.is_empty() { format!(" {name}") } else { format!(" {name}={value}") };
    }
    text
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn unhex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

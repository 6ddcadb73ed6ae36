//! LCP from either side of a mediator: mostly what a PPP end could say, in any order.

use super::choices::Choices;
use bridge_proto::hdlc::Accm;
use bridge_proto::lcp::{Mediator, MediatorConfig, MediatorMode, MediatorOutput, Side};
use bridge_proto::wire::lcp::{LcpCode, LcpOptionType, LcpPacket};

/// Both sides of a mediator say anything.
pub fn mediator(octets: &[u8]) {
    let mut choices = Choices::new(octets);
    let config = MediatorConfig {
        mode: choices.one_of(&[MediatorMode::Mediate, MediatorMode::Transparent]),
        strip_pfc: choices.flag(),
        request_accm: choices.one_of(&[Accm::NONE, Accm::XON_XOFF, Accm::ALL]),
        request_acfc: choices.flag(),
        request_pfc: choices.flag(),
        max_information: choices.one_of(&[1492, 1500, 0, u16::MAX]),
    };
    let mut mediator = Mediator::new(config);
    // What each side was last told, and so may answer.
    let mut heard = [Vec::new(), Vec::new()];
    while !choices.is_over() {
        match choices.below(16) {
            0 => {
                let open = mediator.is_open();
                assert_eq!(mediator.echo_request(side(&mut choices)), open);
            }
            _ => {
                let from = side(&mut choices);
                let ppp = lcp_frame(&mut choices, &heard[from as usize]);
                match from {
                    Side::Host => mediator.handle_from_host(&ppp),
                    Side::Modem => mediator.handle_from_modem(&ppp),
                }
                check(&mut mediator, config, from, &ppp, &mut heard);
            }
        }
        check_rest(&mut mediator, &mut heard);
        let _ =
            (mediator.newest_host_request(), mediator.line(), mediator.host_magic(), mediator.modem_magic());
    }
}

fn side(choices: &mut Choices<'_>) -> Side {
    choices.one_of(&[Side::Host, Side::Modem])
}

/// One frame in has at most one frame out, and few other consequences.
fn check(mediator: &mut Mediator, config: MediatorConfig, from: Side, ppp: &[u8], heard: &mut [Vec<u8>; 2]) {
    let outputs: Vec<MediatorOutput> = std::iter::from_fn(|| mediator.poll_output()).collect();
    assert!(outputs.len() <= 4, "{outputs:?}");
    let mut frames = 0;
    for output in outputs {
        let (to, out) = match output {
            MediatorOutput::ToHost(out) => (Side::Host, out),
            MediatorOutput::ToModem(out) => (Side::Modem, out),
            _ => continue,
        };
        frames += 1;
        if config.mode == MediatorMode::Transparent && from != to {
            assert_eq!(out, ppp);
        }
        if config.mode == MediatorMode::Mediate && to == Side::Host {
            assert_fit_for_a_host(&out, ppp);
        }
        heard[to as usize] = out;
    }
    assert!(frames <= 1);
}

/// RFC 2516 §7: neither ACCM nor ACFC nor FCS-Alternatives is requested over PPPoE. What cannot be read passes as
/// it came, for the host to refuse.
fn assert_fit_for_a_host(out: &[u8], ppp: &[u8]) {
    let Ok(packet) = LcpPacket::parse(out) else { return assert_eq!(out, ppp) };
    if packet.code != LcpCode::CONFIGURE_REQUEST {
        return;
    }
    let Ok(options) = packet.options() else { return assert_eq!(out, ppp) };
    for option in options.iter() {
        let is_forbidden = match option.kind {
            LcpOptionType::ACCM => option.as_u32().is_some(),
            LcpOptionType::ACFC => option.value.is_empty(),
            kind => kind == LcpOptionType::FCS_ALTERNATIVES,
        };
        assert!(!is_forbidden, "{options:?}");
    }
}

fn check_rest(mediator: &mut Mediator, heard: &mut [Vec<u8>; 2]) {
    while let Some(output) = mediator.poll_output() {
        match output {
            MediatorOutput::ToHost(out) => heard[Side::Host as usize] = out,
            MediatorOutput::ToModem(out) => heard[Side::Modem as usize] = out,
            _ => {}
        }
    }
}

/// A frame that is LCP more often than chance would have it; often the right answer to what was heard.
pub fn lcp_frame(choices: &mut Choices<'_>, heard: &[u8]) -> Vec<u8> {
    let heard = LcpPacket::parse(heard).ok();
    match (choices.below(8), heard) {
        (0, _) => choices.octets(40).to_vec(),
        (1..=4, Some(packet)) => {
            let code = match packet.code {
                LcpCode::CONFIGURE_REQUEST => {
                    let answers = [LcpCode::CONFIGURE_ACK, LcpCode::CONFIGURE_NAK, LcpCode::CONFIGURE_REJECT];
                    choices.one_of(&[answers[0], answers[0], answers[1], answers[2]])
                }
                // Requests and their answers have successive codes.
                LcpCode(number) => LcpCode(number.wrapping_add(1)),
            };
            LcpPacket { code, ..packet }.emit()
        }
        _ => {
            let code = LcpCode(choices.octet() % 17);
            let identifier = choices.octet() % 4;
            let data = if choices.flag() { options(choices) } else { choices.octets(20).to_vec() };
            LcpPacket { code, identifier, data: &data }.emit()
        }
    }
}

/// What PPP ends ask for, most of it as long as it should be.
fn options(choices: &mut Choices<'_>) -> Vec<u8> {
    const USUAL: [&[u8]; 10] = [
        &[1, 4, 0x05, 0xd4],
        &[1, 4, 0x05, 0xdc],
        &[2, 6, 0, 0, 0, 0],
        &[2, 6, 0, 0x0a, 0, 0],
        &[3, 4, 0xc0, 0x23],
        &[5, 6, 1, 2, 3, 4],
        &[5, 6, 5, 6, 7, 8],
        &[7, 2],
        &[8, 2],
        &[9, 3, 2],
    ];
    let mut options = Vec::new();
    for _ in 0..choices.below(6) {
        match choices.below(USUAL.len() + 2) {
            index if index < USUAL.len() => options.extend(USUAL[index]),
            _ => {
                let kind = choices.octet() % 20;
                let value = choices.octets(6);
                options.extend([kind, 2 + value.len() as u8]);
                options.extend(value);
            }
        }
    }
    options
}

//! What each end sees of the other, line by line.

use super::*;

/// A bridge that adds nothing but the ACCM, so that transcripts stay short.
fn plain() -> MediatorConfig {
    MediatorConfig { request_acfc: false, request_pfc: false, ..MediatorConfig::default() }
}

/// A bridge that adds nothing at all.
fn silent() -> MediatorConfig {
    MediatorConfig { request_accm: Accm::ALL, max_information: 1500, ..plain() }
}

#[test]
fn both_ends_agree_on_what_concerns_them() {
    let mediator = play(
        MediatorConfig::default(),
        "
modem req 1 acfc pfc accm=00000000 mru=1500 magic=00000541 auth=c22305
  host req 1 mru=1500 magic=00000541 auth=c22305
host req 1 mru=1492 magic=2a3b4c5d
  modem req 1 mru=1492 magic=2a3b4c5d accm=00000000 pfc acfc
host ack 1 mru=1500 magic=00000541 auth=c22305
  modem ack 1 acfc pfc accm=00000000 mru=1500 magic=00000541 auth=c22305
  line send=00000000 receive=ffffffff acfc pfc
modem ack 1 mru=1492 magic=2a3b4c5d accm=00000000 pfc acfc
  line send=00000000 receive=00000000 acfc pfc
  host ack 1 mru=1492 magic=2a3b4c5d
  opened
",
    );
    assert!(mediator.is_open());
    assert_eq!((mediator.host_magic(), mediator.modem_magic()), (0x2a3b_4c5d, 0x541));
    assert_eq!(mediator.newest_host_request(), Some(encode("req 1 mru=1492 magic=2a3b4c5d")));
}

#[test]
fn each_option_of_the_line_is_kept_from_the_host_and_put_back_at_its_place() {
    for (option, line) in [
        ("accm=000a0000", "send=000a0000 receive=ffffffff"),
        ("acfc", "send=ffffffff receive=ffffffff acfc"),
        ("pfc", "send=ffffffff receive=ffffffff pfc"),
        ("acfc accm=00000000 pfc", "send=00000000 receive=ffffffff acfc pfc"),
        ("accm=000a0000 accm=00000001", "send=000a0001 receive=ffffffff"),
    ] {
        play(
            plain(),
            &format!(
                "
modem req 9 mru=1500 {option} magic=00000001
  host req 9 mru=1500 magic=00000001
host ack 9 mru=1500 magic=00000001
  modem ack 9 mru=1500 {option} magic=00000001
  line {line}
"
            ),
        );
    }
}

#[test]
fn a_request_of_nothing_else_becomes_an_empty_one() {
    play(
        plain(),
        "
modem req 1 accm=00000000
  host req 1
host ack 1
  modem ack 1 accm=00000000
  line send=00000000 receive=ffffffff
",
    );
}

#[test]
fn protocol_field_compression_passes_if_so_configured() {
    play(
        MediatorConfig { strip_pfc: false, ..plain() },
        "
modem req 1 pfc acfc
  host req 1 pfc
host rej 1 pfc
  modem rej 1 pfc
modem req 2 acfc
  host req 2
host ack 2
  modem ack 2 acfc
  line send=ffffffff receive=ffffffff acfc
",
    );
}

#[test]
fn another_fcs_is_rejected_before_the_host_sees_it() {
    play(
        plain(),
        "
modem req 1 mru=1500 fcs=06 accm=00000000
  modem rej 1 fcs=06
modem req 2 mru=1500 accm=00000000
  host req 2 mru=1500
host ack 2 mru=1500
  modem ack 2 mru=1500 accm=00000000
  line send=00000000 receive=ffffffff
modem req 3 fcs=04
  line send=ffffffff receive=ffffffff
  modem rej 3 fcs=04
",
    );
}

#[test]
fn an_ill_formed_option_is_left_to_the_host() {
    play(
        plain(),
        "
modem req 1 accm=0000 pfc=01 acfc=02
  host req 1 accm=0000 pfc=01 acfc=02
host rej 1 accm=0000 pfc=01 acfc=02
  modem rej 1 accm=0000 pfc=01 acfc=02
",
    );
}

#[test]
fn what_the_host_refuses_passes_and_teaches_nothing() {
    play(
        plain(),
        "
modem req 1 accm=00000000 auth=c22305
  host req 1 auth=c22305
host nak 1 auth=c023
  modem nak 1 auth=c023
modem req 2 accm=00000000 auth=c023
  host req 2 auth=c023
host rej 2 auth=c023
  modem rej 2 auth=c023
modem req 3 accm=00000000
  host req 3
host ack 3
  modem ack 3 accm=00000000
  line send=00000000 receive=ffffffff
",
    );
}

#[test]
fn an_ack_of_something_else_passes_and_teaches_nothing() {
    play(
        plain(),
        "
modem req 1 accm=00000000 mru=1500
  host req 1 mru=1500
host ack 1 mru=1492
  modem ack 1 mru=1492
host ack 7 mru=1500
  modem ack 7 mru=1500
host req 1 mru=1492
  modem req 1 mru=1492 accm=00000000
modem ack 1 mru=1492
  host ack 1 mru=1492
",
    );
}

#[test]
fn the_right_mru_is_asked_for() {
    for (limit, host, modem) in [
        (1492, "", " mru=1492 accm=00000000"),
        (1492, " mru=1500 opt99=01", " mru=1492 opt99=01 accm=00000000"),
        (1492, " mru=1400", " mru=1400 accm=00000000"),
        (1500, "", " accm=00000000"),
        (1500, " mru=1600", " mru=1500 accm=00000000"),
        (1500, " mru=1500", " mru=1500 accm=00000000"),
    ] {
        play(
            MediatorConfig { max_information: limit, ..plain() },
            &format!(
                "
host req 1{host}
  modem req 1{modem}
modem ack 1{modem}
  line send=ffffffff receive=00000000
  host ack 1{host}
"
            ),
        );
    }
}

#[test]
fn what_the_modem_rejects_of_ours_is_not_asked_again() {
    play(
        MediatorConfig::default(),
        "
host req 1 magic=00000007
  modem req 1 magic=00000007 mru=1492 accm=00000000 pfc acfc
modem rej 1 accm=00000000 pfc
  modem req 2 magic=00000007 mru=1492 acfc
modem rej 2 mru=1492 acfc
  modem req 3 magic=00000007
modem ack 3 magic=00000007
  host ack 1 magic=00000007
host req 2 magic=00000008
  modem req 4 magic=00000008
",
    );
}

#[test]
fn what_the_modem_suggests_for_ours_is_asked() {
    play(
        plain(),
        "
host req 1 magic=00000007
  modem req 1 magic=00000007 mru=1492 accm=00000000
modem nak 1 mru=1400 accm=000a0000
  modem req 2 magic=00000007 mru=1400 accm=000a0000
modem ack 2 magic=00000007 mru=1400 accm=000a0000
  line send=ffffffff receive=000a0000
  host ack 1 magic=00000007
",
    );
}

#[test]
fn a_suggestion_that_cannot_be_followed_ends_in_asking_less() {
    play(
        plain(),
        "
host req 1
  modem req 1 mru=1492 accm=00000000
modem nak 1 mru=1500 accm=00000000
  modem req 2
modem ack 2
  host ack 1
",
    );
}

#[test]
fn a_mixed_answer_reaches_the_host_without_our_part() {
    play(
        plain(),
        "
host req 1 mru=1500 auth=c023 magic=00000007
  modem req 1 mru=1492 auth=c023 magic=00000007 accm=00000000
modem rej 1 mru=1492 auth=c023 accm=00000000
  host rej 1 mru=1500 auth=c023
host req 2 magic=00000007
  modem req 2 magic=00000007 mru=1492
modem nak 2 magic=00000008 mru=1400
  host nak 2 magic=00000008
modem nak 2 magic=00000008 mru=1400
  host nak 2 magic=00000008
host req 3 magic=00000008
  modem req 3 magic=00000008 mru=1400
modem ack 3 magic=00000008 mru=1400
  host ack 3 magic=00000008
",
    );
}

#[test]
fn a_request_repeated_after_a_mixed_answer_gets_a_fresh_identifier() {
    play(
        plain(),
        "
host req 1 mru=1400 auth=c023
  modem req 1 mru=1400 auth=c023 accm=00000000
modem rej 1 auth=c023 accm=00000000
  host rej 1 auth=c023
host req 1 mru=1400 auth=c023
  modem req 2 mru=1400 auth=c023
modem rej 1 auth=c023 accm=00000000
  stray from Modem
modem rej 2 auth=c023
  host rej 1 auth=c023
host req 2 mru=1400
  modem req 3 mru=1400
modem ack 3 mru=1400
  host ack 2 mru=1400
",
    );
}

#[test]
fn hints_about_the_line_are_ours_and_others_the_hosts() {
    play(
        silent(),
        "
host req 1 magic=00000007
  modem req 1 magic=00000007
modem nak 1 pfc acfc fcs=02
  modem req 2 magic=00000007 pfc acfc
modem nak 2 mru=1400
  host nak 1 mru=1400
host req 2 magic=00000007 mru=1400
  modem req 3 magic=00000007 mru=1400 pfc acfc
modem ack 3 magic=00000007 mru=1400 pfc acfc
  host ack 2 magic=00000007 mru=1400
",
    );
}

#[test]
fn an_mru_the_modem_insists_on_is_left_to_the_host() {
    play(
        plain(),
        "
host req 1 mru=1500
  modem req 1 mru=1492 accm=00000000
modem nak 1 mru=1400
  host nak 1 mru=1400
modem nak 1 mru=1500
  modem req 2 mru=1500 accm=00000000
modem ack 2 mru=1500 accm=00000000
  line send=ffffffff receive=00000000
  host ack 1 mru=1500
",
    );
}

#[test]
fn a_modem_that_refuses_for_ever_ends_up_hearing_just_the_host() {
    let mut mediator = Mediator::new(silent());
    mediator.handle_from_host(&encode("req 1 magic=00000007"));
    let mut to_modem = 0;
    loop {
        let mut answered = None;
        while let Some(output) = mediator.poll_output() {
            match output {
                MediatorOutput::ToModem(ppp) => answered = Some(LcpPacket::parse(&ppp).unwrap().identifier),
                MediatorOutput::ToHost(ppp) => return assert_eq!(decode(&ppp), "nak 1 fcs=02"),
                other => panic!("{other:?}"),
            }
        }
        to_modem += 1;
        assert!(to_modem < 20);
        mediator.handle_from_modem(&encode(&format!("nak {} fcs=02", answered.unwrap())));
    }
}

#[test]
fn what_a_host_must_not_ask_is_rejected_as_a_concentrator_would() {
    play(
        plain(),
        "
host req 1 accm=00000000 magic=00000007 pfc acfc fcs=02
  host rej 1 accm=00000000 acfc fcs=02
host req 2 magic=00000007 pfc mru=1492
  modem req 2 magic=00000007 pfc mru=1492 accm=00000000
modem rej 2 pfc
  host rej 2 pfc
",
    );
}

#[test]
fn an_end_that_negotiates_again_takes_its_own_direction_back() {
    play(
        plain(),
        "
modem req 1 accm=00000000
  host req 1
host req 1 mru=1492
  modem req 1 mru=1492 accm=00000000
modem ack 1 mru=1492 accm=00000000
  line send=ffffffff receive=00000000
  host ack 1 mru=1492
host ack 1
  modem ack 1 accm=00000000
  line send=00000000 receive=00000000
  opened
modem req 2 accm=000a0000
  line send=ffffffff receive=00000000
  host req 2
  renegotiating by Modem
host req 2 mru=1492
  line send=ffffffff receive=ffffffff
  modem req 2 mru=1492 accm=00000000
host ack 2
  modem ack 2 accm=000a0000
  line send=000a0000 receive=ffffffff
modem ack 2 mru=1492 accm=00000000
  line send=000a0000 receive=00000000
  host ack 2 mru=1492
  opened
",
    );
}

#[test]
fn repetitions_change_nothing() {
    play(
        plain(),
        "
modem req 1 accm=00000000
  host req 1
modem req 1 accm=00000000
  host req 1
host ack 1
  modem ack 1 accm=00000000
  line send=00000000 receive=ffffffff
modem req 1 accm=00000000
  host req 1
host ack 1
  modem ack 1 accm=00000000
host req 5 mru=1492
  modem req 5 mru=1492 accm=00000000
modem rej 5 accm=00000000
  modem req 6 mru=1492
modem rej 5 accm=00000000
  stray from Modem
host req 5 mru=1492
  modem req 6 mru=1492
modem ack 6 mru=1492
  host ack 5 mru=1492
  opened
modem ack 6 mru=1492
  host ack 5 mru=1492
host req 6 mru=1492
  modem req 7 mru=1492
  renegotiating by Host
modem ack 6 mru=1492
  stray from Modem
modem ack 7 mru=1492
  host ack 6 mru=1492
  opened
",
    );
}

#[test]
fn identifiers_wrap() {
    play(
        plain(),
        "
host req 255 mru=1492
  modem req 255 mru=1492 accm=00000000
modem rej 255 accm=00000000
  modem req 0 mru=1492
modem ack 0 mru=1492
  host ack 255 mru=1492
host req 0 mru=1400
  modem req 1 mru=1400
modem ack 1 mru=1400
  host ack 0 mru=1400
",
    );
}

#[test]
fn the_end_of_the_link_takes_everything_back() {
    play(
        plain(),
        "
modem req 1 accm=00000000
  host req 1
host ack 1
  modem ack 1 accm=00000000
  line send=00000000 receive=ffffffff
host req 1 mru=1492
  modem req 1 mru=1492 accm=00000000
modem ack 1 mru=1492 accm=00000000
  line send=00000000 receive=00000000
  host ack 1 mru=1492
  opened
host termreq 2 data=627965
  line send=ffffffff receive=ffffffff
  modem termreq 2 data=627965
  terminating by Host
host termreq 2 data=627965
  modem termreq 2 data=627965
modem termack 2
  host termack 2
  closed
modem termack 2
  host termack 2
host req 3 mru=1492
  modem req 3 mru=1492 accm=00000000
modem termack 2
  host termack 2
modem ack 3 mru=1492 accm=00000000
  line send=ffffffff receive=00000000
  host ack 3 mru=1492
",
    );
}

#[test]
fn what_the_bridge_asks_is_answered_to_the_bridge() {
    play(
        silent(),
        "
modem req 1 magic=0000000a
  host req 1 magic=0000000a
host req 1 magic=0000000b
  modem req 1 magic=0000000b
modem ack 1 magic=0000000b
  host ack 1 magic=0000000b
host ack 1 magic=0000000a
  modem ack 1 magic=0000000a
  opened
echo modem
  modem echoreq 128 data=0000000b
echo host
  host echoreq 128 data=0000000a
modem echorep 128 data=0000000a
  echo replied by Modem
modem echorep 128 data=0000000a
  host echorep 128 data=0000000a
host echorep 128 data=0000000b
  echo replied by Host
host echoreq 129 data=0000000b
  modem echoreq 129 data=0000000b
echo modem
  modem echoreq 1 data=0000000b
modem echorep 129 data=0000000a
  host echorep 129 data=0000000a
",
    );
}

#[test]
fn other_codes_pass_untouched() {
    for packet in ["coderej 1 data=63010004", "protorej 2 data=80fd0101", "ident 3 data=00000000", "code99 4"]
    {
        play(silent(), &format!("host {packet}\n  modem {packet}\nmodem {packet}\n  host {packet}\n"));
    }
}

#[test]
fn malformed_packets_pass_as_they_came() {
    for raw in ["c021", "c0210101", "c02101010003", "c02101010009", "c021010100060101", "c0210101000601ff"] {
        play(
            plain(),
            &format!(
                "
host raw {raw}
  modem raw {raw}
  malformed from Host
modem raw {raw}
  host raw {raw}
  malformed from Modem
"
            ),
        );
    }
}

#[test]
fn padding_is_kept_unless_the_packet_is_edited() {
    let mut mediator = Mediator::new(silent());
    let mut padded = encode("req 1 magic=00000001");
    padded.extend([0; 9]);
    mediator.handle_from_host(&padded);
    assert_eq!(mediator.poll_output(), Some(MediatorOutput::ToModem(padded)));
}

#[test]
fn a_request_with_no_room_left_is_asked_as_it_is() {
    let mut mediator = Mediator::new(plain());
    let option = " opt99=".to_string() + &"ab".repeat(247);
    let full = encode(&("req 1".to_string() + &option.repeat(6)));
    assert_eq!(full.len(), 2 + 4 + 1494);
    mediator.handle_from_host(&full);
    assert_eq!(mediator.poll_output(), Some(MediatorOutput::ToModem(full)));
}

#[test]
fn transparent_mode_watches_and_changes_nothing() {
    play(
        MediatorConfig { mode: MediatorMode::Transparent, ..MediatorConfig::default() },
        "
modem req 1 accm=00000000 pfc acfc
  host req 1 accm=00000000 pfc acfc
host rej 1 accm=00000000
  modem rej 1 accm=00000000
modem req 2 pfc acfc
  host req 2 pfc acfc
host ack 2 pfc acfc
  modem ack 2 pfc acfc
  line send=ffffffff receive=ffffffff acfc pfc
host req 1 accm=000a0000 fcs=02
  modem req 1 accm=000a0000 fcs=02
modem nak 1 accm=00000000 fcs=02
  host nak 1 accm=00000000 fcs=02
modem ack 1 accm=000a0000 fcs=02
  line send=ffffffff receive=000a0000 acfc pfc
  host ack 1 accm=000a0000 fcs=02
  opened
",
    );
}

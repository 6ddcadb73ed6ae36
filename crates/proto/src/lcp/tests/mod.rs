//! Conversations through a mediator, written as transcripts, and two automata that must agree through it.

mod automaton;
mod hostile;
mod packets;
mod transcripts;

use super::*;
use crate::wire::lcp::{LcpCode, LcpOption, LcpOptionType, LcpOptions, LcpPacket};
use packets::{decode, encode};
use std::format;
use std::string::{String, ToString};
use std::vec;

/// Plays a transcript: what an end sends stands at the margin, what the mediator must do about it, all of it
/// and in this order, stands indented below.
#[track_caller]
fn play(config: MediatorConfig, transcript: &str) -> Mediator {
    let mut mediator = Mediator::new(config);
    let mut lines = transcript.lines().filter(|line| !line.trim().is_empty()).peekable();
    while let Some(sent) = lines.next() {
        let expected: Vec<&str> =
            core::iter::from_fn(|| lines.next_if(|line| line.starts_with(' '))).map(str::trim).collect();
        perform(&mut mediator, sent);
        let outputs: Vec<String> = core::iter::from_fn(|| mediator.poll_output()).map(describe).collect();
        assert_eq!(outputs, expected, "\nafter {sent:?}");
    }
    mediator
}

fn perform(mediator: &mut Mediator, line: &str) {
    match line.split_once(' ').unwrap() {
        ("host", packet) => mediator.handle_from_host(&encode(packet)),
        ("modem", packet) => mediator.handle_from_modem(&encode(packet)),
        ("echo", "host") => assert!(mediator.echo_request(Side::Host)),
        ("echo", "modem") => assert!(mediator.echo_request(Side::Modem)),
        other => panic!("{other:?} is not in the language of transcripts"),
    }
}

fn describe(output: MediatorOutput) -> String {
    match output {
        MediatorOutput::ToHost(ppp) => format!("host {}", decode(&ppp)),
        MediatorOutput::ToModem(ppp) => format!("modem {}", decode(&ppp)),
        MediatorOutput::Line(line) => {
            let mut text = format!("line send={:08x} receive={:08x}", line.send_accm.0, line.receive_accm.0);
            text.push_str(if line.send_acfc { " acfc" } else { "" });
            text.push_str(if line.send_pfc { " pfc" } else { "" });
            text
        }
        MediatorOutput::Opened => "opened".to_string(),
        MediatorOutput::Renegotiating { by } => format!("renegotiating by {by:?}"),
        MediatorOutput::Terminating { by } => format!("terminating by {by:?}"),
        MediatorOutput::Closed => "closed".to_string(),
        MediatorOutput::EchoReplied { by } => format!("echo replied by {by:?}"),
        MediatorOutput::Stray { from } => format!("stray from {from:?}"),
        MediatorOutput::Malformed { from } => format!("malformed from {from:?}"),
    }
}

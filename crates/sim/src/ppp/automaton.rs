//! The option negotiation automaton, as one table (RFC 1661 §4.1).
//!
//! [`transition`] is pure: a state and an event give the next state and what to do on the way. Timers, packets
//! and options belong to the [`Negotiator`](super::negotiator::Negotiator). Two things of the RFC's table live
//! elsewhere: echo (RXR) is LCP's alone and answered by the endpoint, and the restart and passive options (the
//! notes `r` and `p`) are not taken.

/// Where a layer stands (RFC 1661 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Below is down, and nobody asked.
    Initial,
    /// Asked to open; below is down.
    Starting,
    /// Below is up; nobody asked.
    Closed,
    /// Asked to open, gave up or was told to stop; a peer's request starts anew.
    Stopped,
    /// Terminate-Request sent because this side closes.
    Closing,
    /// Terminate-Request sent or answered because the peer ended it.
    Stopping,
    /// Configure-Request sent.
    ReqSent,
    /// Ours was acknowledged.
    AckRcvd,
    /// Theirs was acknowledged.
    AckSent,
    /// Both were.
    Opened,
}

impl State {
    /// Whether the restart timer runs in this state.
    #[must_use]
    pub fn is_timed(self) -> bool {
        match self {
            Self::Closing | Self::Stopping | Self::ReqSent | Self::AckRcvd | Self::AckSent => true,
            Self::Initial | Self::Starting | Self::Closed | Self::Stopped | Self::Opened => false,
        }
    }
}

/// What happens to a layer (RFC 1661 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The layer below came up.
    Up,
    /// The layer below went down.
    Down,
    /// This side wants the layer.
    Open,
    /// This side wants it no more.
    Close,
    /// The restart timer ran out with tries left (TO+).
    TimeoutAgain,
    /// The restart timer ran out for the last time (TO-).
    TimeoutLast,
    /// A Configure-Request that can be acknowledged (RCR+).
    GoodRequest,
    /// One that cannot (RCR-).
    BadRequest,
    /// Configure-Ack (RCA).
    Ack,
    /// Configure-Nak or -Reject (RCN).
    Nak,
    /// Terminate-Request (RTR).
    TerminateRequest,
    /// Terminate-Ack (RTA).
    TerminateAck,
    /// A code nobody knows (RUC).
    UnknownCode,
    /// A Code-Reject or Protocol-Reject that can be lived with (RXJ+).
    HarmlessReject,
    /// One that cannot (RXJ-).
    FatalReject,
}

/// What to do on the way (RFC 1661 §4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// tlu
    ThisLayerUp,
    /// tld
    ThisLayerDown,
    /// tls
    ThisLayerStarted,
    /// tlf
    ThisLayerFinished,
    /// irc
    InitRestartCount,
    /// zrc
    ZeroRestartCount,
    /// scr
    SendRequest,
    /// sca
    SendAck,
    /// scn
    SendNak,
    /// str
    SendTerminateRequest,
    /// sta
    SendTerminateAck,
    /// scj
    SendCodeReject,
}

/// The next state, and what to do in this order. An event that cannot be in a state changes nothing.
#[must_use]
pub fn transition(state: State, event: Event) -> (State, &'static [Action]) {
    match event {
        Event::Up => on_up(state),
        Event::Down => on_down(state),
        Event::Open => on_open(state),
        Event::Close => on_close(state),
        Event::TimeoutAgain => on_timeout_again(state),
        Event::TimeoutLast => on_timeout_last(state),
        Event::GoodRequest => on_good_request(state),
        Event::BadRequest => on_bad_request(state),
        Event::Ack => on_ack(state),
        Event::Nak => on_nak(state),
        Event::TerminateRequest => on_terminate_request(state),
        Event::TerminateAck => on_terminate_ack(state),
        Event::UnknownCode => on_unknown_code(state),
        Event::HarmlessReject => on_harmless_reject(state),
        Event::FatalReject => on_fatal_reject(state),
    }
}

use Action::{
    InitRestartCount as Irc, SendAck as Sca, SendCodeReject as Scj, SendNak as Scn, SendRequest as Scr,
    SendTerminateAck as Sta, SendTerminateRequest as Str, ThisLayerDown as Tld, ThisLayerFinished as Tlf,
    ThisLayerStarted as Tls, ThisLayerUp as Tlu, ZeroRestartCount as Zrc,
};
use State::{AckRcvd, AckSent, Closed, Closing, Initial, Opened, ReqSent, Starting, Stopped, Stopping};

type Step = (State, &'static [Action]);

fn on_up(state: State) -> Step {
    match state {
        Initial => (Closed, &[]),
        Starting => (ReqSent, &[Irc, Scr]),
        Closed | Stopped | Closing | Stopping | ReqSent | AckRcvd | AckSent | Opened => (state, &[]),
    }
}

fn on_down(state: State) -> Step {
    match state {
        Initial | Starting => (state, &[]),
        Closed | Closing => (Initial, &[]),
        Stopped => (Starting, &[Tls]),
        Stopping | ReqSent | AckRcvd | AckSent => (Starting, &[]),
        Opened => (Starting, &[Tld]),
    }
}

fn on_open(state: State) -> Step {
    match state {
        Initial => (Starting, &[Tls]),
        Closed => (ReqSent, &[Irc, Scr]),
        Closing => (Stopping, &[]),
        Starting | Stopped | Stopping | ReqSent | AckRcvd | AckSent | Opened => (state, &[]),
    }
}

fn on_close(state: State) -> Step {
    match state {
        Initial | Closed | Closing => (state, &[]),
        Starting => (Initial, &[Tlf]),
        Stopped => (Closed, &[]),
        Stopping => (Closing, &[]),
        ReqSent | AckRcvd | AckSent => (Closing, &[Irc, Str]),
        Opened => (Closing, &[Tld, Irc, Str]),
    }
}

fn on_timeout_again(state: State) -> Step {
    match state {
        Closing | Stopping => (state, &[Str]),
        ReqSent | AckRcvd => (ReqSent, &[Scr]),
        AckSent => (AckSent, &[Scr]),
        Initial | Starting | Closed | Stopped | Opened => (state, &[]),
    }
}

fn on_timeout_last(state: State) -> Step {
    match state {
        Closing => (Closed, &[Tlf]),
        Stopping | ReqSent | AckRcvd | AckSent => (Stopped, &[Tlf]),
        Initial | Starting | Closed | Stopped | Opened => (state, &[]),
    }
}

fn on_good_request(state: State) -> Step {
    match state {
        Initial | Starting | Closing | Stopping => (state, &[]),
        Closed => (Closed, &[Sta]),
        Stopped => (AckSent, &[Irc, Scr, Sca]),
        ReqSent | AckSent => (AckSent, &[Sca]),
        AckRcvd => (Opened, &[Sca, Tlu]),
        Opened => (AckSent, &[Tld, Scr, Sca]),
    }
}

fn on_bad_request(state: State) -> Step {
    match state {
        Initial | Starting | Closing | Stopping => (state, &[]),
        Closed => (Closed, &[Sta]),
        Stopped => (ReqSent, &[Irc, Scr, Scn]),
        ReqSent | AckSent => (ReqSent, &[Scn]),
        AckRcvd => (AckRcvd, &[Scn]),
        Opened => (ReqSent, &[Tld, Scr, Scn]),
    }
}

fn on_ack(state: State) -> Step {
    match state {
        Initial | Starting | Closing | Stopping => (state, &[]),
        Closed | Stopped => (state, &[Sta]),
        ReqSent => (AckRcvd, &[Irc]),
        AckRcvd => (ReqSent, &[Scr]),
        AckSent => (Opened, &[Irc, Tlu]),
        Opened => (ReqSent, &[Tld, Scr]),
    }
}

fn on_nak(state: State) -> Step {
    match state {
        Initial | Starting | Closing | Stopping => (state, &[]),
        Closed | Stopped => (state, &[Sta]),
        ReqSent | AckSent => (state, &[Irc, Scr]),
        AckRcvd => (ReqSent, &[Scr]),
        Opened => (ReqSent, &[Tld, Scr]),
    }
}

fn on_terminate_request(state: State) -> Step {
    match state {
        Initial | Starting => (state, &[]),
        Closed | Stopped | Closing | Stopping => (state, &[Sta]),
        ReqSent | AckRcvd | AckSent => (ReqSent, &[Sta]),
        Opened => (Stopping, &[Tld, Zrc, Sta]),
    }
}

fn on_terminate_ack(state: State) -> Step {
    match state {
        Initial | Starting | Closed | Stopped | ReqSent | AckSent => (state, &[]),
        Closing => (Closed, &[Tlf]),
        Stopping => (Stopped, &[Tlf]),
        AckRcvd => (ReqSent, &[]),
        Opened => (ReqSent, &[Tld, Scr]),
    }
}

fn on_unknown_code(state: State) -> Step {
    match state {
        Initial | Starting => (state, &[]),
        Closed | Stopped | Closing | Stopping | ReqSent | AckRcvd | AckSent | Opened => (state, &[Scj]),
    }
}

fn on_harmless_reject(state: State) -> Step {
    match state {
        AckRcvd => (ReqSent, &[]),
        Initial | Starting | Closed | Stopped | Closing | Stopping | ReqSent | AckSent | Opened => {
            (state, &[])
        }
    }
}

fn on_fatal_reject(state: State) -> Step {
    match state {
        Initial | Starting => (state, &[]),
        Closed | Closing => (Closed, &[Tlf]),
        Stopped | Stopping | ReqSent | AckRcvd | AckSent => (Stopped, &[Tlf]),
        Opened => (Stopping, &[Tld, Irc, Str]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 1661 §4.1, without RXR and without its notes p, r and x; `-` where the event cannot be.
    const RFC_TABLE: &str = "
        Up    2             irc,scr/6  -      -               -      -      -          -          -          -
        Down  -             -          0      tls/1           0      1      1          1          1          tld/1
        Open  tls/1         1          irc,scr/6  3           5      5      6          7          8          9
        Close 0             tlf/0      2      2               4      4      irc,str/4  irc,str/4  irc,str/4  tld,irc,str/4
        TO+   -             -          -      -               str/4  str/5  scr/6      scr/6      scr/8      -
        TO-   -             -          -      -               tlf/2  tlf/3  tlf/3      tlf/3      tlf/3      -
        RCR+  -             -          sta/2  irc,scr,sca/8   4      5      sca/8      sca,tlu/9  sca/8      tld,scr,sca/8
        RCR-  -             -          sta/2  irc,scr,scn/6   4      5      scn/6      scn/7      scn/6      tld,scr,scn/6
        RCA   -             -          sta/2  sta/3           4      5      irc/7      scr/6      irc,tlu/9  tld,scr/6
        RCN   -             -          sta/2  sta/3           4      5      irc,scr/6  scr/6      irc,scr/8  tld,scr/6
        RTR   -             -          sta/2  sta/3           sta/4  sta/5  sta/6      sta/6      sta/6      tld,zrc,sta/5
        RTA   -             -          2      3               tlf/2  tlf/3  6          6          8          tld,scr/6
        RUC   -             -          scj/2  scj/3           scj/4  scj/5  scj/6      scj/7      scj/8      scj/9
        RXJ+  -             -          2      3               4      5      6          6          8          9
        RXJ-  -             -          tlf/2  tlf/3           tlf/2  tlf/3  tlf/3      tlf/3      tlf/3      tld,irc,str/5";

    const STATES: [State; 10] =
        [Initial, Starting, Closed, Stopped, Closing, Stopping, ReqSent, AckRcvd, AckSent, Opened];

    const EVENTS: [Event; 15] = [
        Event::Up,
        Event::Down,
        Event::Open,
        Event::Close,
        Event::TimeoutAgain,
        Event::TimeoutLast,
        Event::GoodRequest,
        Event::BadRequest,
        Event::Ack,
        Event::Nak,
        Event::TerminateRequest,
        Event::TerminateAck,
        Event::UnknownCode,
        Event::HarmlessReject,
        Event::FatalReject,
    ];

    fn name(action: Action) -> &'static str {
        match action {
            Tlu => "tlu",
            Tld => "tld",
            Tls => "tls",
            Tlf => "tlf",
            Irc => "irc",
            Zrc => "zrc",
            Scr => "scr",
            Sca => "sca",
            Scn => "scn",
            Str => "str",
            Sta => "sta",
            Scj => "scj",
        }
    }

    #[test]
    fn the_table_is_that_of_the_rfc() {
        let rows: Vec<_> = RFC_TABLE.lines().filter(|line| !line.trim().is_empty()).collect();
        assert_eq!(rows.len(), EVENTS.len());
        for (event, row) in EVENTS.into_iter().zip(rows) {
            assert_eq!(row.split_whitespace().count(), 1 + STATES.len(), "{row}");
            for (index, (state, cell)) in STATES.into_iter().zip(row.split_whitespace().skip(1)).enumerate() {
                let (next, actions) = transition(state, event);
                let number = STATES.iter().position(|state| *state == next).unwrap();
                let actions: Vec<_> = actions.iter().map(|action| name(*action)).collect();
                let ours = if actions.is_empty() {
                    number.to_string()
                } else {
                    format!("{}/{number}", actions.join(","))
                };
                let wanted = if cell == "-" { index.to_string() } else { cell.to_owned() };
                assert_eq!(ours, wanted, "{event:?} in {state:?}");
            }
        }
    }

    #[test]
    fn two_requests_and_two_acks_open_a_layer() {
        let mut state = Initial;
        let mut done = Vec::new();
        for event in [Event::Open, Event::Up, Event::GoodRequest, Event::Ack] {
            let (next, actions) = transition(state, event);
            state = next;
            done.extend_from_slice(actions);
        }
        assert_eq!(state, Opened);
        assert_eq!(done, [Tls, Irc, Scr, Sca, Irc, Tlu]);
    }

    #[test]
    fn an_opened_layer_told_to_terminate_waits_before_it_finishes() {
        assert_eq!(transition(Opened, Event::TerminateRequest), (Stopping, &[Tld, Zrc, Sta][..]));
        assert_eq!(transition(Stopping, Event::TimeoutLast), (Stopped, &[Tlf][..]));
    }

    #[test]
    fn an_opened_layer_asked_again_negotiates_again() {
        assert_eq!(transition(Opened, Event::GoodRequest), (AckSent, &[Tld, Scr, Sca][..]));
    }
}

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

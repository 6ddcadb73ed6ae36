//! How a call ends: each side is told in the order its protocol wants, then the modem hangs up.
//!
//! LCP Terminate-Request to whoever can still hear it (RFC 2516 §5.5), its answer awaited for one restart
//! time at most, then PADT, then hook. Hosts that ignore a PADT are ended by the LCP, and hosts whose LCP is
//! not open by the PADT.

use super::Bridge;
use super::call::{Ending, Goodbye};
use super::io::Output;
use crate::discard::DiscardReason;
use crate::event::{CloseReason, ConnectFailure, Direction, Event, RefusalReason};
use crate::id::ModemId;
use crate::modem::{ModemState, ModemTrigger};
use crate::time::Instant;
use crate::wire::lcp::{LcpCode, LcpPacket};
use alloc::string::{String, ToString};

impl Bridge {
    /// The host of a session has ended it.
    pub(super) fn on_host_padt(&mut self, now: Instant, modem: ModemId) {
        let Some(line) = self.line_mut(modem) else { return };
        match line.state {
            // The host may just have lost patience: the dial goes on, and it finds it when it comes back.
            ModemState::Opening | ModemState::Dialing => {
                self.close_session(now, modem, CloseReason::HostPadt);
            }
            ModemState::Online if !line.session().is_some_and(|session| session.was_linked) => {
                // So it may have in the very moment of CONNECT, again and again, if the dial takes just as long
                // as its patience: the modem stays warm for it.
                line.deadline = Some(now + line.config.timing.warm);
                self.close_session(now, modem, CloseReason::HostPadt);
            }
            ModemState::Online => self.end_call(now, modem, CloseReason::HostPadt),
            ModemState::Terminating => {
                if let Some(ending) = line.call.as_mut().and_then(|call| call.ending.as_mut()) {
                    ending.host = Goodbye::Done;
                    if ending.modem == Goodbye::Grace {
                        ending.modem = Goodbye::Done;
                    }
                }
                self.close_session(now, modem, CloseReason::HostPadt);
                self.check_goodbyes(now, modem);
            }
            ModemState::Absent | ModemState::Idle | ModemState::HangingUp | ModemState::BackingOff => {}
        }
    }

    /// Ends whatever call a modem carries.
    pub(super) fn end_call(&mut self, now: Instant, modem: ModemId, reason: CloseReason) {
        let Some(line) = self.line_mut(modem) else { return };
        let carrier_gone = matches!(reason, CloseReason::NoCarrier | CloseReason::CarrierLost);
        match line.state {
            // Carrier comes with the connection: without one there is none to lose.
            ModemState::Opening | ModemState::Dialing if !carrier_gone => self.abandon(now, modem, reason),
            ModemState::Online => self.say_goodbye(now, modem, reason),
            ModemState::Terminating if carrier_gone => {
                if let Some(ending) = line.call.as_mut().and_then(|call| call.ending.as_mut()) {
                    ending.modem = Goodbye::Done;
                    if ending.host == Goodbye::Grace {
                        ending.host = Goodbye::Done;
                    }
                }
                self.check_goodbyes(now, modem);
            }
            // Whatever the host was still to be told, it can be told no more; the far end still can.
            ModemState::Terminating if is_unreachable(&reason) => {
                if let Some(ending) = line_ending(self, modem) {
                    ending.host = Goodbye::Done;
                }
                self.check_goodbyes(now, modem);
            }
            ModemState::Opening
            | ModemState::Dialing
            | ModemState::Terminating
            | ModemState::Absent
            | ModemState::Idle
            | ModemState::HangingUp
            | ModemState::BackingOff => {}
        }
    }

    /// The far end has never spoken PPP, whoever came and went meanwhile: the call is a failed dial after all.
    pub(super) fn give_up_link(&mut self, now: Instant, modem: ModemId) {
        let jitter = self.random.next_u32();
        let Some(line) = self.line_mut(modem) else { return };
        let until = line.backoff.fail(now, jitter);
        line.rest = Some((until, ConnectFailure::NoLink));
        line.suspect = true;
        if let Some(call) = line.call.as_mut() {
            call.unlinked_since = None;
        }
        self.end_call(now, modem, CloseReason::NoLink);
    }

    /// Gives a call up that is not connected yet.
    fn abandon(&mut self, now: Instant, modem: ModemId, reason: CloseReason) {
        self.close_session(now, modem, reason.clone());
        let Some(line) = self.line_mut(modem) else { return };
        line.conversation = None;
        line.rescue = None;
        let on_hook = line.config.timing.on_hook;
        let call = line.call.take();
        let refusal = match reason {
            CloseReason::Shutdown => Some(RefusalReason::ShuttingDown),
            CloseReason::Reconfigured => Some(RefusalReason::Reconfigured),
            _ => None,
        };
        if let Some((waiting, refusal)) = call.and_then(|call| call.request).zip(refusal) {
            self.refuse(&waiting.request, refusal);
        }
        self.stop_command(modem);
        self.report(Event::CallEnded { modem, reason });
        if self.change_state(modem, ModemTrigger::Abandoned, Some(now + on_hook)) {
            self.emit(Output::HangUpModem(modem));
        }
    }

    /// Begins the goodbye of a connected call.
    fn say_goodbye(&mut self, now: Instant, modem: ModemId, reason: CloseReason) {
        let Some(line) = self.line(modem) else { return };
        let restart = line.config.timing.restart;
        let open = line.session().is_some_and(|session| session.mediator.is_open());
        let host_hears =
            !matches!(reason, CloseReason::HostPadt | CloseReason::HostDead) && !is_unreachable(&reason);
        let modem_hears =
            !matches!(reason, CloseReason::NoCarrier | CloseReason::CarrierLost | CloseReason::DeviceLost(_));
        let host = self.ask(modem, open && host_hears, Direction::ModemToHost, &reason);
        let far_end = self.ask(modem, open && modem_hears, Direction::HostToModem, &reason);
        if !self.change_state(modem, ModemTrigger::Ending, Some(now + restart)) {
            return;
        }
        if let Some(call) = self.line_mut(modem).and_then(|line| line.call.as_mut()) {
            let lost = matches!(reason, CloseReason::DeviceLost(_));
            call.ending = Some(Ending { reason, host, modem: far_end, lost });
        }
        self.check_goodbyes(now, modem);
    }

    /// RFC 1661 §5.5: asks one side to terminate, if it can hear that.
    fn ask(&mut self, modem: ModemId, hears: bool, toward: Direction, reason: &CloseReason) -> Goodbye {
        if !hears {
            return Goodbye::Done;
        }
        let identifier = self.random.next_u8();
        let reason = reason.brief().to_string();
        let ppp = LcpPacket { code: LcpCode::TERMINATE_REQUEST, identifier, data: reason.as_bytes() }.emit();
        self.send_lcp(modem, toward, ppp);
        Goodbye::Asked(identifier)
    }

    fn send_lcp(&mut self, modem: ModemId, toward: Direction, ppp: alloc::vec::Vec<u8>) {
        self.emit(match toward {
            Direction::HostToModem => Output::SendToModem { modem, ppp },
            Direction::ModemToHost => Output::SendToHost { modem, ppp },
        });
    }

    /// The two sides have ended their link themselves. RFC 1661 §3.7: whoever sent the Terminate-Ack
    /// waits for one restart time, and so does the line.
    pub(super) fn on_link_terminated(&mut self, now: Instant, modem: ModemId, reason: CloseReason) {
        let Some(restart) = self.line(modem).map(|line| line.config.timing.restart) else { return };
        if !self.change_state(modem, ModemTrigger::Ending, Some(now + restart)) {
            return;
        }
        if let Some(call) = self.line_mut(modem).and_then(|line| line.call.as_mut()) {
            let (host, modem) = (Goodbye::Grace, Goodbye::Grace);
            call.ending = Some(Ending { reason, host, modem, lost: false });
        }
    }

    /// LCP while a goodbye is under way; `direction` tells who sent it.
    pub(super) fn on_goodbye_lcp(&mut self, now: Instant, modem: ModemId, direction: Direction, ppp: &[u8]) {
        let Some(ending) =
            self.line_mut(modem).and_then(|line| line.call.as_mut()).and_then(|call| call.ending.as_mut())
        else {
            return;
        };
        let (side, back) = match direction {
            Direction::HostToModem => (&mut ending.host, Direction::ModemToHost),
            Direction::ModemToHost => (&mut ending.modem, Direction::HostToModem),
        };
        if *side == Goodbye::Grace {
            return self.mediate(now, modem, direction, ppp);
        }
        let Ok(packet) = LcpPacket::parse(ppp) else {
            return self.discard_lcp(modem, DiscardReason::MalformedLcp);
        };
        match packet.code {
            LcpCode::TERMINATE_ACK if *side == Goodbye::Asked(packet.identifier) => {
                *side = Goodbye::Done;
                self.check_goodbyes(now, modem);
            }
            LcpCode::TERMINATE_REQUEST => {
                *side = Goodbye::Done;
                let answer = LcpPacket { code: LcpCode::TERMINATE_ACK, data: &[], ..packet }.emit();
                self.send_lcp(modem, back, answer);
                self.check_goodbyes(now, modem);
            }
            _ => self.discard_lcp(modem, DiscardReason::LinkTerminating),
        }
    }

    /// Ends the session as soon as the host, and the call as soon as everybody, has been told.
    fn check_goodbyes(&mut self, now: Instant, modem: ModemId) {
        let Some(ending) = self.line(modem).and_then(|line| line.call.as_ref()?.ending.as_ref()) else {
            return;
        };
        let (host_done, modem_done) = (ending.host == Goodbye::Done, ending.modem == Goodbye::Done);
        if host_done {
            let reason = ending.reason.clone();
            self.close_session(now, modem, reason);
        }
        if host_done && modem_done {
            self.finish_goodbyes(now, modem);
        }
    }

    /// Everybody has been told, or had time enough: the modem goes on hook.
    pub(super) fn finish_goodbyes(&mut self, now: Instant, modem: ModemId) {
        let Some(line) = self.line_mut(modem) else { return };
        let on_hook = line.config.timing.on_hook;
        let Some(ending) = line.call.as_ref().and_then(|call| call.ending.as_ref()) else { return };
        let (reason, lost) = (ending.reason.clone(), ending.lost);
        self.close_session(now, modem, reason.clone());
        let Some(line) = self.line_mut(modem) else { return };
        line.call = None;
        line.budget.disconnected(now);
        self.report(Event::CallEnded { modem, reason });
        if lost {
            self.leave_lost(now, modem);
        } else if self.change_state(modem, ModemTrigger::Ended, Some(now + on_hook)) {
            self.emit(Output::HangUpModem(modem));
        }
    }

    /// The device is gone, or as good as gone: it is closed at once, so that it can come back under the
    /// same name.
    pub(super) fn lose_modem(&mut self, now: Instant, modem: ModemId, why: String) {
        let Some(line) = self.line_mut(modem) else { return };
        line.present = false;
        match line.state {
            ModemState::Absent => {}
            ModemState::Opening | ModemState::Dialing => {
                self.fail_call(now, modem, ConnectFailure::DeviceLost(why));
                self.emit(Output::CloseModem(modem));
                self.leave_lost(now, modem);
            }
            ModemState::Online => {
                self.emit(Output::CloseModem(modem));
                self.end_call(now, modem, CloseReason::DeviceLost(why));
            }
            ModemState::Terminating => {
                self.emit(Output::CloseModem(modem));
                if let Some(ending) = line_ending(self, modem) {
                    ending.modem = Goodbye::Done;
                    if ending.host == Goodbye::Grace {
                        ending.host = Goodbye::Done;
                    }
                    // Why the call ends has been said; that the modem drops its carrier then is usual.
                    ending.lost = true;
                }
                self.check_goodbyes(now, modem);
            }
            ModemState::HangingUp => {
                self.emit(Output::CloseModem(modem));
                self.leave_lost(now, modem);
            }
            ModemState::Idle | ModemState::BackingOff => self.leave_lost(now, modem),
        }
    }

    /// A lost modem is absent, until its device is there again: perhaps it already is.
    fn leave_lost(&mut self, now: Instant, modem: ModemId) {
        self.change_state(modem, ModemTrigger::Vanished, None);
        let Some(line) = self.line_mut(modem) else { return };
        // Its hang-up script has nobody left to talk to.
        line.conversation = None;
        if line.present {
            return self.on_modem_appeared(now, modem);
        }
        if let Some(next) = line.next.take() {
            self.refuse(&next.request, RefusalReason::NoModem);
        }
    }
}

/// Whether the host's interface is left now: at most a PADT is still sent there.
const fn is_unreachable(reason: &CloseReason) -> bool {
    matches!(reason, CloseReason::InterfaceDown | CloseReason::InterfaceRemoved)
}

fn line_ending(bridge: &mut Bridge, modem: ModemId) -> Option<&mut Ending> {
    bridge.line_mut(modem)?.call.as_mut()?.ending.as_mut()
}

//! [`Facts`]: what has happened so far, each with its time; whoever waits for something looks here.

use super::conversation::Conversation;
use bridge_linux::child::ChildEnd;
use bridge_proto::time::Instant;
use bridge_sim::host::{EndReason, HostEvent};
use bridge_sim::ip::IpEvent;
use bridge_sim::ip::transfer::{Receipt, Report};
use bridge_sim::modem::{DialResult, HungUpBy, ModemEvent};
use bridge_sim::ppp::EndpointEvent;
use bridge_sim::ppp::lcp::Agreed;
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Something and when it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct At<T> {
    pub(super) at: Instant,
    pub(super) what: T,
}

/// Who offers what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) ac_name: String,
    pub(super) services: Vec<String>,
}

/// The addresses a host was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Addresses {
    pub(super) host: Ipv4Addr,
    pub(super) far_end: Ipv4Addr,
    pub(super) dns: [Ipv4Addr; 2],
}

/// How the serial line is dressed in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LineAgreed {
    pub(super) to_modem: Agreed,
    pub(super) from_modem: Agreed,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The bridge has said that it is ready.
    pub(super) ready: Option<Instant>,
    pub(super) offer: Option<At<Offer>>,
    pub(super) session: Option<At<u16>>,
    pub(super) conversation: Conversation,
    pub(super) host_lcp: Option<Instant>,
    pub(super) modem_lcp: Option<At<LineAgreed>>,
    pub(super) authenticated: Option<Instant>,
    pub(super) host_ip: Option<At<Addresses>>,
    pub(super) modem_ip: Option<Instant>,
    pub(super) pings: Vec<Duration>,
    pub(super) sent: Option<At<Report>>,
    pub(super) received: Option<At<Receipt>>,
    pub(super) host_ended: Option<At<EndReason>>,
    pub(super) hung_up: Option<At<HungUpBy>>,
    pub(super) bridge_end: Option<At<ChildEnd>>,
    /// Something after which nothing that is waited for will come.
    pub(super) trouble: Option<String>,
    /// The goodbye has begun: ends are no trouble any more.
    pub(super) is_leaving: bool,
    /// How often Ctrl-C, or another signal to end, has come.
    pub(super) interruptions: u32,
    /// The end of the bridge's log.
    pub(super) log: VecDeque<String>,
    /// Lines of it that have not been shown.
    pub(super) fresh_log: Vec<String>,
}

/// Lines of the log that are kept.
const LOG_LINES: usize = 20;

impl Facts {
    pub(super) fn on_host(&mut self, now: Instant, event: HostEvent) {
        match event {
            HostEvent::OfferReceived { ac_name, services } => {
                let services = services.iter().map(|name| text(name)).collect();
                self.offer = Some(At { at: now, what: Offer { ac_name: text(&ac_name), services } });
            }
            HostEvent::SessionOpened { id } => self.session = Some(At { at: now, what: id }),
            HostEvent::Refused { kind, text } => {
                self.is_trouble(format!("the host was refused: tag 0x{kind:04x} {text:?}"));
            }
            HostEvent::Ended { why } => {
                self.host_ended = Some(At { at: now, what: why });
                self.is_trouble(format!("the host's session ended: {why:?}"));
            }
            HostEvent::Ppp(EndpointEvent::LcpUp { .. }) => self.host_lcp = Some(now),
            HostEvent::Ppp(EndpointEvent::IpcpUp { local, peer, dns }) => {
                self.host_ip = Some(At { at: now, what: Addresses { host: local, far_end: peer, dns } });
            }
            HostEvent::Ppp(event) => self.on_ppp(now, event),
        }
    }

    pub(super) fn on_modem(&mut self, now: Instant, event: ModemEvent) {
        match event {
            ModemEvent::Command(line) => self.conversation.on_command(now, line),
            ModemEvent::Dialed { result: DialResult::Connect, .. } | ModemEvent::Connected => {}
            ModemEvent::Dialed { result, .. } => self.is_trouble(format!("the dial came to {result:?}")),
            ModemEvent::HungUp { by } => {
                self.hung_up = Some(At { at: now, what: by });
                self.is_trouble(format!("the call ended: {by:?}"));
            }
            // The tap counts them.
            ModemEvent::BadFrame(_) => {}
            ModemEvent::Ppp(EndpointEvent::LcpUp { ours, theirs }) => {
                self.modem_lcp =
                    Some(At { at: now, what: LineAgreed { to_modem: ours, from_modem: theirs } });
            }
            ModemEvent::Ppp(EndpointEvent::Authenticated) => self.authenticated = Some(now),
            ModemEvent::Ppp(EndpointEvent::IpcpUp { .. }) => self.modem_ip = Some(now),
            ModemEvent::Ppp(event) => self.on_ppp(now, event),
        }
    }

    /// What means the same at either end.
    fn on_ppp(&mut self, now: Instant, event: EndpointEvent) {
        match event {
            EndpointEvent::Ip(IpEvent::PingReply { time, .. }) => self.pings.push(time),
            EndpointEvent::Ip(IpEvent::TransferSent(report)) => {
                self.sent = Some(At { at: now, what: report });
            }
            EndpointEvent::Ip(IpEvent::TransferReceived(receipt)) => {
                self.received = Some(At { at: now, what: receipt });
            }
            EndpointEvent::LcpDown => self.is_trouble("LCP went down".to_owned()),
            EndpointEvent::IpcpDown => self.is_trouble("IPCP went down".to_owned()),
            EndpointEvent::LcpUp { .. }
            | EndpointEvent::Authenticated
            | EndpointEvent::IpcpUp { .. }
            | EndpointEvent::Ipv6cpUp { .. }
            | EndpointEvent::Ipv6cpDown
            | EndpointEvent::EchoReply { .. }
            | EndpointEvent::Ip(IpEvent::PingAnswered { .. })
            | EndpointEvent::Closed { .. } => {}
        }
    }

    pub(super) fn on_bridge_end(&mut self, now: Instant, end: ChildEnd) {
        self.bridge_end = Some(At { at: now, what: end });
        self.is_trouble(match end {
            ChildEnd::Exited(code) => format!("the bridge ended with exit code {code}"),
            ChildEnd::Killed { signal } => format!("the bridge was ended by signal {signal}"),
        });
    }

    pub(super) fn on_log(&mut self, line: &str) {
        let line = without_time(line).to_owned();
        if self.log.len() >= LOG_LINES {
            self.log.pop_front();
        }
        self.log.push_back(line.clone());
        self.fresh_log.push(line);
    }

    /// The first trouble is the cause of those that follow.
    fn is_trouble(&mut self, what: String) {
        if !self.is_leaving {
            self.trouble.get_or_insert(what);
        }
    }
}

fn text(octets: &[u8]) -> String {
    octets.escape_ascii().to_string()
}

/// The line behind the wall-clock time that the log puts in front; the demo has its own.
fn without_time(line: &str) -> &str {
    match line.split_once(' ') {
        Some((time, rest))
            if time.ends_with('Z') && time.starts_with(|first: char| first.is_ascii_digit()) =>
        {
            rest.trim_start()
        }
        _ => line.trim_start(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_trouble_is_told_and_a_goodbye_is_none() {
        let mut facts = Facts::default();
        facts.on_bridge_end(Instant::ZERO, ChildEnd::Exited(2));
        facts.on_host(Instant::ZERO, HostEvent::Ended { why: EndReason::Padt });
        assert_eq!(facts.trouble.as_deref(), Some("the bridge ended with exit code 2"));
        let mut leaving = Facts { is_leaving: true, ..Facts::default() };
        leaving.on_host(Instant::ZERO, HostEvent::Ended { why: EndReason::Padt });
        assert_eq!(leaving.trouble, None);
    }

    #[test]
    fn the_log_loses_its_times() {
        assert_eq!(without_time("2026-01-02T03:04:05.678901Z  INFO ready"), "INFO ready");
        assert_eq!(without_time(" INFO ready"), "INFO ready");
        assert_eq!(without_time("pppoe-serial-bridge: no"), "pppoe-serial-bridge: no");
    }
}

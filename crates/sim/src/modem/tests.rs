//! Modems dialled by hand.

use super::*;
use crate::hdlc::Framing;
use crate::ip::IpEvent;
use crate::ppp::ipcp::BOGUS_DNS;

const FAR: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const NEAR: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

/// A modem on a desk, and someone who types.
struct Desk {
    now: Instant,
    modem: Modem,
    said: Vec<u8>,
    dcd: Vec<bool>,
    events: Vec<ModemEvent>,
    /// PPP frames from the far end.
    frames: Vec<Vec<u8>>,
}

impl Desk {
    fn new(change: impl FnOnce(&mut ModemConfig)) -> Self {
        let mut config = ModemConfig::new(&profile::HUAWEI, FAR, NEAR);
        change(&mut config);
        let modem = Modem::new(config, 3);
        Self {
            now: Instant::ZERO,
            modem,
            said: Vec::new(),
            dcd: Vec::new(),
            events: Vec::new(),
            frames: Vec::new(),
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.modem.poll_output() {
            match output {
                ModemOutput::Octets(octets) => self.said.extend(octets),
                ModemOutput::Dcd(is_on) => self.dcd.push(is_on),
                ModemOutput::Event(event) => self.events.push(event),
            }
        }
    }

    fn wait(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while let Some(at) = self.modem.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.modem.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    /// Types a line; gives what the modem says within a second.
    fn type_line(&mut self, line: &str) -> String {
        self.said.clear();
        self.modem.handle_octets(self.now, line.as_bytes());
        self.modem.handle_octets(self.now, b"\r");
        self.drain();
        self.wait(1000);
        String::from_utf8_lossy(&self.said).into_owned()
    }

    fn dialled(change: impl FnOnce(&mut ModemConfig)) -> Self {
        let mut desk = Self::new(change);
        assert_eq!(desk.type_line("ATE0"), "ATE0\r\r\nOK\r\n");
        desk.modem.handle_octets(desk.now, b"ATD*99#\r");
        desk.drain();
        desk.said.clear();
        while !desk.modem.is_online() {
            let due = desk.modem.poll_timeout().expect("a dial under way");
            desk.wait((due - desk.now).as_millis().try_into().unwrap());
        }
        desk
    }

    /// Runs PPP against the modem's far end for a while, octet by octet.
    fn speak_ppp(&mut self, near: &mut Endpoint, millis: u64) {
        let mut decoder = Decoder::lax();
        let end = self.now + Duration::from_millis(millis);
        loop {
            for octet in std::mem::take(&mut self.said) {
                if let Some(Ok(frame)) = decoder.push(octet) {
                    near.handle_frame(self.now, &frame);
                    self.frames.push(frame);
                }
            }
            while let Some(output) = near.poll_output() {
                if let EndpointOutput::Frame(frame) = output {
                    self.modem.handle_octets(self.now, &encode(&frame, near.send_framing()));
                }
            }
            self.drain();
            if !self.said.is_empty() {
                continue;
            }
            let timers = self.modem.poll_timeout().into_iter().chain(near.poll_timeout());
            let Some(at) = timers.min().filter(|at| *at <= end) else { break };
            self.now = self.now.max(at);
            self.modem.handle_timeout(self.now);
            near.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }
}

fn near_end() -> Endpoint {
    let serial = EndpointConfig { lcp: crate::ppp::lcp::LcpConfig::SERIAL, ..EndpointConfig::host() };
    Endpoint::new(serial, &mut Prng::new(4))
}

#[test]
fn commands_are_echoed_and_answered() {
    let mut desk = Desk::new(|config| config.pin = Some("1234".to_owned()));
    assert_eq!(desk.type_line("ATZ"), "ATZ\r\r\nOK\r\n");
    assert_eq!(desk.type_line("ATE0"), "ATE0\r\r\nOK\r\n");
    assert_eq!(desk.type_line("AT+CPIN?"), "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n");
    assert_eq!(desk.type_line("ATD*99#"), "\r\nERROR\r\n");
    assert_eq!(desk.type_line("AT+CPIN=\"0000\""), "\r\nERROR\r\n");
    assert_eq!(desk.type_line("AT+CPIN=\"1234\""), "\r\nOK\r\n");
    assert_eq!(desk.type_line("AT+CPIN?"), "\r\n+CPIN: READY\r\n\r\nOK\r\n");
    assert_eq!(desk.type_line("AT+CGDCONT=1,\"IP\",\"internet\""), "\r\nOK\r\n");
    assert_eq!(desk.type_line("AT+NONSENSE"), "\r\nERROR\r\n");
    assert_eq!(desk.type_line("just noise"), "");
}

#[test]
fn each_dial_has_the_result_it_was_told() {
    let dials = vec![
        DialResult::Busy,
        DialResult::NoCarrier,
        DialResult::NoDialtone,
        DialResult::Error,
        DialResult::Connect,
    ];
    let mut desk = Desk::new(|config| config.dials = dials);
    desk.type_line("ATE0");
    for text in ["BUSY", "NO CARRIER", "NO DIALTONE", "ERROR"] {
        assert_eq!(desk.type_line("ATD*99#"), format!("\r\n{text}\r\n"));
    }
    assert!(desk.dcd.is_empty());
    assert!(desk.type_line("ATD*99***1#").starts_with("\r\nCONNECT\r\n~"));
    assert_eq!(desk.dcd, [true]);
    assert_eq!(desk.modem.dials(), 5);
}

#[test]
fn a_silent_dial_says_nothing_until_a_key_aborts_it() {
    let mut desk = Desk::new(|config| config.dials = vec![DialResult::Silence]);
    desk.type_line("ATE0");
    assert_eq!(desk.type_line("ATD555"), "");
    desk.wait(600_000);
    assert_eq!(desk.type_line("AT"), "\r\nNO CARRIER\r\n");
}

#[test]
fn with_the_radio_off_no_call_succeeds() {
    let mut desk = Desk::new(|_| ());
    desk.type_line("ATE0+CFUN=0");
    assert_eq!(desk.type_line("ATD*99#"), "\r\nNO CARRIER\r\n");
}

#[test]
fn every_kind_of_modem_brings_up_ip_and_is_pinged_both_ways() {
    for kind in profile::ALL {
        let config = ModemConfig::new(kind, FAR, NEAR);
        let mut desk = Desk::dialled(|changed| *changed = config);
        let mut near = near_end();
        near.open(desk.now);
        desk.speak_ppp(&mut near, 10_000);
        assert!(near.is_ip_up(), "{}: {:?}", kind.name, desk.events);
        desk.modem.ping(desk.now, 1000);
        desk.speak_ppp(&mut near, 100);
        let reply = IpEvent::PingReply { sequence: 1, time: Duration::ZERO };
        assert!(desk.events.contains(&ModemEvent::Ppp(EndpointEvent::Ip(reply))), "{}", kind.name);
        let is_bad = |event: &ModemEvent| matches!(event, ModemEvent::BadFrame(_));
        assert!(!desk.events.iter().any(is_bad), "{}", kind.name);
    }
}

#[test]
fn a_gprs_module_keeps_flow_control_octets_escaped() {
    let config = ModemConfig::new(&profile::GPRS, FAR, NEAR);
    let mut desk = Desk::dialled(|changed| *changed = config);
    let mut near = near_end();
    near.open(desk.now);
    desk.speak_ppp(&mut near, 10_000);
    assert_eq!(near.send_framing(), Framing { accm: 0x000a_0000, pfc: true, acfc: true });
}

#[test]
fn a_huawei_gives_nonsense_before_real_name_servers() {
    let mut desk = Desk::dialled(|_| ());
    let mut near = near_end();
    near.open(desk.now);
    desk.speak_ppp(&mut near, 10_000);
    assert!(near.is_ip_up());
    let has = |frame: &Vec<u8>, name: Ipv4Addr| frame.windows(4).any(|octets| octets == name.octets());
    let is_nonsense = |frame: &Vec<u8>| frame.starts_with(&[0x80, 0x21, 3]) && has(frame, BOGUS_DNS[0]);
    assert_eq!(desk.frames.iter().filter(|frame| is_nonsense(frame)).count(), 2);
}

#[test]
fn a_far_end_that_hangs_up_says_no_carrier_and_drops_dcd() {
    let mut desk = Desk::dialled(|_| ());
    desk.said.clear();
    desk.modem.hang_up(desk.now);
    desk.drain();
    assert_eq!(desk.said, b"\r\nNO CARRIER\r\n");
    assert_eq!(desk.dcd, [true, false]);
    assert!(desk.events.contains(&ModemEvent::HungUp { by: HungUpBy::FarEnd }));
    assert_eq!(desk.type_line("AT"), "\r\nOK\r\n");
}

#[test]
fn dropping_dtr_hangs_up_unless_the_modem_does_not_care() {
    let mut desk = Desk::dialled(|_| ());
    desk.modem.handle_dtr(desk.now, false);
    desk.drain();
    assert!(!desk.modem.is_online());
    assert_eq!(desk.dcd, [true, false]);

    let mut desk = Desk::dialled(|config| config.faults.ignores_dtr = true);
    desk.modem.handle_dtr(desk.now, false);
    assert!(desk.modem.is_online());
}

#[test]
fn three_pluses_with_silence_around_them_escape_and_ath_hangs_up() {
    let mut desk = Desk::dialled(|config| config.ppp.patience.max_configure = 255);
    desk.modem.handle_octets(desk.now, b"x");
    desk.modem.handle_octets(desk.now, b"+++");
    desk.wait(1500);
    assert!(desk.modem.is_online(), "no silence before");
    desk.modem.handle_octets(desk.now, b"+++");
    desk.wait(500);
    desk.modem.handle_octets(desk.now, b"x");
    desk.wait(1500);
    assert!(desk.modem.is_online(), "no silence after");
    for _ in 0..3 {
        desk.modem.handle_octets(desk.now, b"+");
        desk.wait(100);
    }
    desk.said.clear();
    desk.wait(1000);
    assert_eq!(desk.said, b"\r\nOK\r\n");
    assert_eq!(desk.type_line("ATH"), "\r\nOK\r\n");
    assert_eq!(desk.dcd, [true, false]);
}

#[test]
fn a_modem_left_in_data_mode_is_brought_back_by_the_escape_or_by_dtr() {
    let stuck = |config: &mut ModemConfig| config.faults.starts_in_data_mode = true;
    let mut desk = Desk::new(stuck);
    desk.wait(2000);
    assert_eq!(desk.type_line("ATZ"), "");
    desk.wait(1000);
    desk.modem.handle_octets(desk.now, b"+++");
    desk.said.clear();
    desk.wait(1000);
    assert_eq!(desk.said, b"\r\nOK\r\n");
    assert!(desk.type_line("ATZ").contains("OK"));

    let mut desk = Desk::new(stuck);
    desk.modem.handle_dtr(desk.now, false);
    assert!(desk.type_line("ATZ").contains("OK"));
}

#[test]
fn a_modem_that_stays_in_data_mode_says_nothing_when_its_call_ends() {
    let mut desk = Desk::dialled(|config| config.faults.stays_in_data_mode = true);
    desk.said.clear();
    desk.modem.hang_up(desk.now);
    assert_eq!(desk.type_line("AT"), "");
    assert_eq!(desk.dcd, [true]);
}

#[test]
fn a_dead_modem_answers_nothing() {
    let mut desk = Desk::new(|config| config.faults.is_dead = true);
    assert_eq!(desk.type_line("ATZ"), "");
}

#[test]
fn a_terminated_far_end_hangs_up_after_its_wait() {
    let mut desk = Desk::dialled(|_| ());
    let mut near = near_end();
    near.open(desk.now);
    desk.speak_ppp(&mut near, 10_000);
    near.close(desk.now);
    desk.speak_ppp(&mut near, 1000);
    assert!(desk.modem.is_online());
    desk.speak_ppp(&mut near, 6000);
    assert!(desk.events.contains(&ModemEvent::HungUp { by: HungUpBy::Ppp(CloseReason::ByPeer) }));
}

#[test]
fn a_slow_line_takes_its_time() {
    let mut desk = Desk::new(|config| config.rate = Some(960));
    desk.modem.handle_octets(desk.now, b"ATZ\r");
    assert_eq!(desk.modem.appetite(), 0);
    desk.wait(3);
    assert_eq!(desk.modem.appetite(), 0);
    desk.wait(4);
    assert_eq!(desk.modem.appetite(), 9);
    desk.wait(1000);
    desk.said.clear();
    desk.modem.handle_octets(desk.now, b"ATD*99#\r");
    desk.drain();
    assert_eq!(desk.said, b"");
    desk.wait(400);
    assert!(desk.said.starts_with(b"ATD*99#\r\r\nCONNECT 9600\r\n"));
}

#[test]
fn no_octets_whatever_make_a_modem_panic() {
    let mut prng = Prng::new(6);
    let mut desk = Desk::new(|_| ());
    let words: [&[u8]; 8] =
        [b"AT", b"D*99#", b"\r", b"+++", b"+CPIN=", b"&S7=E", b"~\xff}#\xc0!}!", b"\xff\xc3\xa9;"];
    for _ in 0..20_000 {
        desk.modem.handle_octets(desk.now, words[prng.below(8) as usize]);
        desk.drain();
        desk.wait(prng.below(3) * prng.below(800));
    }
}

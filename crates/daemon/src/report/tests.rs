use super::*;
use bridge_proto::discovery::ServiceName;
use bridge_proto::event::RefusalReason;
use bridge_proto::wire::discovery::Code;
use bridge_proto::wire::ethernet::MacAddr;
use bridge_proto::wire::tag::{TagType, TagWriter};
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;

const NOW: Instant = Instant::from_millis(1_000_000);
const MODEM: ModemId = ModemId(0);
const ETH0: InterfaceId = InterfaceId(0);
const HOST: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const US: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What a report of one modem and one interface writes at this level.
fn logged(level: Level, tell: impl FnOnce(&mut Report)) -> String {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(level).with_ansi(false).with_writer(log.clone()).finish();
    tracing::subscriber::with_default(subscriber, || {
        tell(&mut Report::new(vec!["eth0".into()], vec!["ttyUSB0".into()]));
    });
    let octets = log.0.lock().unwrap().clone();
    String::from_utf8(octets).unwrap()
}

fn refused() -> Event {
    Event::Refused { peer: Peer { interface: ETH0, mac: HOST }, reason: RefusalReason::AllBusy }
}

#[test]
fn a_flood_of_one_kind_hides_nothing_of_another_and_is_summed_up() {
    let log = logged(Level::INFO, |report| {
        for _ in 0..1000 {
            report.event(NOW, &refused());
        }
        let why = "no carrier".to_owned();
        let failure = bridge_proto::event::ConnectFailure::Command(why);
        for _ in 0..100 {
            report.event(NOW, &Event::ConnectFailed { modem: MODEM, failure: failure.clone() });
        }
        report.tell_counts(NOW);
        report.tell_counts(NOW);
    });
    assert_eq!(log.matches("refused").count(), 20);
    assert_eq!(log.matches("the dial failed").count(), 100, "our own modems are never left out");
    assert_eq!(log.matches("left out since last told, too many at once: refusals 980").count(), 1, "{log}");
}

#[test]
fn after_a_flood_lines_are_few() {
    let log = logged(Level::INFO, |report| {
        for tenth in 0..1200 {
            report.event(NOW + Duration::from_millis(100 * tenth), &refused());
        }
    });
    assert!((40..=45).contains(&log.lines().count()), "{log}");
}

#[test]
fn control_protocols_are_described_both_ways_at_debug_level_without_passwords() {
    let pap = b"\xc0\x23\x01\x07\x00\x10\x03joe\x07hunter2";
    let ipcp = b"\x80\x21\x03\x02\x00\x0a\x03\x06\x0a\x40\x40\x40";
    let ip = b"\x00\x21\x45hunter2";
    let compressed = b"\x81hunter2";
    let tell = |report: &mut Report| {
        report.ppp(NOW, MODEM, Direction::HostToModem, pap);
        report.ppp(NOW, MODEM, Direction::ModemToHost, ipcp);
        report.ppp(NOW, MODEM, Direction::ModemToHost, ip);
        report.ppp(NOW, MODEM, Direction::ModemToHost, compressed);
    };
    let log = logged(Level::DEBUG, tell);
    assert!(log.contains("ttyUSB0: host sent [PAP AuthReq id=0x7 user=\"joe\" password=<hidden>]"), "{log}");
    assert!(log.contains("ttyUSB0: modem sent [IPCP ConfNak id=0x2 <addr 10.64.64.64>]"), "{log}");
    assert_eq!(log.lines().count(), 2, "data is never shown: {log}");
    assert!(!log.contains("hunter2"));
    assert_eq!(logged(Level::INFO, tell), "");
}

#[test]
fn discovery_packets_are_described_both_ways_at_debug_level() {
    let mut padt = TagWriter::new(US, HOST, Code::Padt, None, 1500);
    padt.add(TagType::GenericError, b"RP-PPPoE: session killed\x1b").unwrap();
    let padt = padt.finish();
    let name = ServiceName::parse(b"lte").unwrap();
    let mut pado = TagWriter::new(HOST, US, Code::Pado, None, 1500);
    pado.add(TagType::ServiceName, name.as_octets()).unwrap();
    let pado = pado.finish();
    let tell = |report: &mut Report| {
        report.discovery_received(NOW, ETH0, &padt);
        report.discovery_sent(NOW, ETH0, &pado);
    };
    let log = logged(Level::DEBUG, tell);
    assert!(log.contains("eth0: received PADT 02:00:00:00:00:01 > 02:00:00:00:00:02"), "{log}");
    assert!(log.contains("Generic-Error \"RP-PPPoE: session killed\\u{1b}\""), "{log}");
    assert!(log.contains("eth0: sent PADO") && log.contains("Service-Name \"lte\""), "{log}");
    assert_eq!(logged(Level::INFO, tell), "");
}

#[test]
fn that_nothing_was_dropped_is_said_too() {
    assert!(logged(Level::INFO, |report| report.tell_all()).contains("nothing was dropped"));
}

#[test]
fn that_a_host_is_offered_nothing_is_said_once_for_each_service_and_reason() {
    let office = ServiceName::parse(b"office").unwrap();
    let not_offered = |reason: RefusalReason| Event::NotOffered {
        peer: Peer { interface: ETH0, mac: HOST },
        service: office.clone(),
        reason,
    };
    let backing_off = |wait| RefusalReason::BackingOff {
        failure: bridge_proto::event::ConnectFailure::NoLink,
        wait: Duration::from_secs(wait),
    };
    let log = logged(Level::INFO, |report| {
        for second in 0..100 {
            let now = NOW + Duration::from_secs(second);
            report.event(now, &not_offered(RefusalReason::AllBusy));
            report.event(now, &not_offered(backing_off(100 - second)));
        }
        report.event(NOW + Duration::from_secs(3600), &not_offered(RefusalReason::AllBusy));
        report.event(NOW + Duration::from_secs(3600), &not_offered(RefusalReason::UnknownService));
    });
    let busy = "02:00:00:00:00:01 on eth0: not offered office: every modem of this service is in use";
    assert_eq!(log.matches(busy).count(), 2, "{log}");
    let resting =
        "not offered office: next dial in 1 min 40 s, the last one failed: the far end never spoke PPP";
    assert_eq!(log.matches(resting).count(), 1, "{log}");
    assert!(log.contains("on eth0: asked for \"office\", which is not offered here"), "{log}");
    assert_eq!(log.lines().count(), 4, "{log}");
}

#[test]
fn a_warning_is_a_problem_and_the_modem_has_its_name() {
    logged(Level::ERROR, |report| {
        report.name_modem(MODEM, "roof");
        let failure = bridge_proto::event::ConnectFailure::NoLink;
        report.event(NOW, &Event::ConnectFailed { modem: MODEM, failure });
        report.keep_problem(NOW, "eth7: cannot be served yet");
        let texts: Vec<_> = report.problems().iter().map(|problem| problem.text.clone()).collect();
        assert_eq!(
            texts,
            ["eth7: cannot be served yet", "roof: the dial failed: the far end never spoke PPP"]
        );
    });
}

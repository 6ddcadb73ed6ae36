//! The steps of the demo, in the order in which they are told.

mod waiting;

use super::facts::{At, Facts, LineAgreed};
use super::failure::Failure;
use super::now;
use super::screen::{Screen, milliseconds};
use super::tap::Tap;
use super::world::{HOST_INTERFACE, LINE_RATE, SERVICE, World};
use crate::cli::DemoArguments;
use bridge_linux::child::ChildEnd;
use bridge_linux::poller::Events;
use bridge_proto::time::Instant;
use bridge_sim::hdlc::DEFAULT_ACCM;
use std::time::Duration;
use waiting::Showing;

const PINGS: usize = 5;
const PING_OCTETS: usize = 56;
const PING_INTERVAL: Duration = Duration::from_millis(200);
const KEEP_INTERVAL: Duration = Duration::from_secs(1);
/// Two seconds of the line, each way.
const TRANSFER_OCTETS: u64 = 88 * 1024;
/// Datagrams under way: enough to keep the line busy, and few enough for the bridge's queue.
const TRANSFER_WINDOW: u16 = 4;
/// For what takes no time but the machine's, which may be busy; and longer than a host waits before it asks again.
const PATIENCE: Duration = Duration::from_secs(20);
/// For what takes a few seconds on the line.
const LONG_PATIENCE: Duration = Duration::from_secs(60);

/// Tells everything.
///
/// # Errors
/// Which step failed, and how.
pub(super) fn tell(arguments: &DemoArguments, screen: &mut Screen) -> Result<(), Failure> {
    screen.picture();
    let world = World::open(arguments.dial)?;
    let began = now();
    let events = Events::with_capacity(16);
    let mut story = Story { arguments, screen, world, events, step: "start", began };
    let outcome = story.tell();
    if matches!(outcome, Err(Failure::Interrupted)) {
        story.break_off();
    }
    outcome
}

struct Story<'a> {
    arguments: &'a DemoArguments,
    screen: &'a mut Screen,
    world: World,
    events: Events,
    /// What is under way, and since when.
    step: &'static str,
    began: Instant,
}

impl Story<'_> {
    fn tell(&mut self) -> Result<(), Failure> {
        self.start()?;
        self.discovery()?;
        self.dial_and_session()?;
        self.lcp()?;
        self.login()?;
        self.ipcp()?;
        self.ping()?;
        self.upload()?;
        self.download()?;
        if self.arguments.keep {
            self.keep()?;
        }
        self.goodbye()?;
        self.sum_up();
        Ok(())
    }

    // --- The steps --------------------------------------------------------------------------------------

    fn start(&mut self) -> Result<(), Failure> {
        self.begin("start");
        self.screen.line("  In a network of its own the bridge is started as you would start it:");
        self.screen.blank();
        let mut command = vec!["pppoe-serial-bridge".to_owned()];
        command.extend(self.world.bridge_arguments());
        self.screen.command(&command);
        self.world.start_bridge()?;
        let ready = self.wait("the bridge to be ready", PATIENCE, |facts| facts.ready)?;
        let pid = self.world.bridge_pid().unwrap_or_default();
        self.tell_step(ready, &format!("the bridge is ready, as process {pid}"));
        Ok(())
    }

    fn discovery(&mut self) -> Result<(), Failure> {
        self.begin("discovery");
        let now = now();
        self.world.host.start(now);
        self.world.settle(now);
        let offer = self.wait("an offer (PADO)", PATIENCE, |facts| facts.offer.clone())?;
        let offers = |name: &str| offer.what.services.iter().any(|service| service == name);
        if !offers(SERVICE) {
            let expected = format!("an offer of the service \"{SERVICE}\"");
            return Err(self.failure(expected, format!("an offer of {:?}", offer.what.services)));
        }
        let text = format!("PADI -> PADO: \"{}\" offers the service \"{SERVICE}\"", offer.what.ac_name);
        self.tell_step(offer.at, &text);
        Ok(())
    }

    fn dial_and_session(&mut self) -> Result<(), Failure> {
        self.begin("dial");
        let began = self.began;
        // Hosts do not wait long for a PADS: of a slow dial they get it before the end.
        let session_at = |facts: &Facts| facts.session.as_ref().map(|session| session.at);
        self.wait_for_dial(|facts| facts.conversation.connected().or(session_at(facts)))?;
        let is_early = self.world.facts.conversation.connected().is_none();
        if is_early {
            self.session(", while the modem is still dialing")?;
            (self.step, self.began) = ("dial", began);
        }
        let connected = self.wait_for_dial(|facts| facts.conversation.connected())?;
        self.tell_dial(connected);
        if is_early { Ok(()) } else { self.session("") }
    }

    fn wait_for_dial(&mut self, look: impl Fn(&Facts) -> Option<Instant>) -> Result<Instant, Failure> {
        let dial_time = self.arguments.dial.as_secs_f64();
        self.wait_showing("the modem to say CONNECT", self.arguments.dial + PATIENCE, look, |_, so_far| {
            Showing { text: "the modem is dialing", done: fraction(so_far.as_secs_f64(), dial_time) }
        })
    }

    fn tell_dial(&mut self, connected: Instant) {
        self.tell_step(connected, "PADR -> the bridge dials, by the chat script:");
        let exchanges = self.world.facts.conversation.exchanges();
        let width = exchanges.iter().map(|exchange| exchange.command.len()).max().unwrap_or_default();
        for exchange in exchanges {
            let took = exchange.answered - exchange.asked;
            let is_instant = took < Duration::from_millis(100);
            let remark =
                if is_instant { String::new() } else { format!("after {:.1} s", took.as_secs_f64()) };
            self.screen.pair(&exchange.command, width, &exchange.answer, &remark);
        }
    }

    fn session(&mut self, when: &str) -> Result<(), Failure> {
        self.begin("session");
        let session = self.wait("a session (PADS)", PATIENCE, |facts| facts.session.clone())?;
        self.tell_step(session.at, &format!("PADS -> session 0x{:04x} is open{when}", session.what));
        Ok(())
    }

    fn lcp(&mut self) -> Result<(), Failure> {
        self.begin("LCP");
        let (host, modem) = self.wait("LCP to open at both ends", LONG_PATIENCE, |facts| {
            facts.host_lcp.zip(facts.modem_lcp.clone())
        })?;
        self.tell_step(host.max(modem.at), "open at both ends, each asked only what concerns it:");
        let Tap { host_sent, modem_heard, modem_sent, host_heard, .. } = &self.world.tap;
        let asked = [
            ("host asked", host_sent),
            ("modem heard", modem_heard),
            ("modem asked", modem_sent),
            ("host heard", host_heard),
        ]
        .map(|(label, spot)| (label, spot.request.clone().unwrap_or_else(|| "nothing".to_owned())));
        for (label, request) in asked {
            self.screen.detail(label, &request);
        }
        self.screen.detail("serial line", &escapes(modem.what));
        Ok(())
    }

    fn login(&mut self) -> Result<(), Failure> {
        self.begin("login");
        let at = self.wait("the host to show who it is", LONG_PATIENCE, |facts| facts.authenticated)?;
        self.tell_step(at, "PAP: the far end has let \"host\" in");
        Ok(())
    }

    fn ipcp(&mut self) -> Result<(), Failure> {
        self.begin("IPCP");
        let (host, modem) = self.wait("IPCP to open at both ends", LONG_PATIENCE, |facts| {
            facts.host_ip.clone().zip(facts.modem_ip)
        })?;
        let addresses = host.what;
        let [name_server, _] = addresses.dns;
        let text =
            format!("host {}, far end {}, name server {name_server}", addresses.host, addresses.far_end);
        self.tell_step(host.at.max(modem), &text);
        Ok(())
    }

    fn ping(&mut self) -> Result<(), Failure> {
        self.begin("ping");
        let before = self.world.facts.pings.len();
        for number in 1..=PINGS {
            self.send_ping();
            let wanted = before + number;
            let expected = format!("an answer to ping {number}");
            self.wait(&expected, PATIENCE, |facts| (facts.pings.len() >= wanted).then_some(()))?;
            if number < PINGS {
                self.pass(PING_INTERVAL)?;
            }
        }
        let times: Vec<String> =
            self.world.facts.pings[before..].iter().map(|time| milliseconds(*time)).collect();
        self.tell_step(now(), &format!("{PINGS} of {PINGS} answered: {} ms", times.join(" ")));
        Ok(())
    }

    fn upload(&mut self) -> Result<(), Failure> {
        self.begin("upload");
        let before = self.world.tap.octets_to_modem;
        let now = now();
        self.world.host.start_transfer(now, TRANSFER_OCTETS, TRANSFER_WINDOW);
        self.world.settle(now);
        self.transfer("to the far end", before, |tap| tap.octets_to_modem)
    }

    fn download(&mut self) -> Result<(), Failure> {
        self.begin("download");
        let before = self.world.tap.octets_from_modem;
        let now = now();
        self.world.modem.start_transfer(now, TRANSFER_OCTETS, TRANSFER_WINDOW);
        self.world.settle(now);
        self.transfer("to the host", before, |tap| tap.octets_from_modem)
    }

    fn transfer(
        &mut self,
        direction: &'static str,
        octets_before: u64,
        octets_on_line: fn(&Tap) -> u64,
    ) -> Result<(), Failure> {
        (self.world.facts.sent, self.world.facts.received) = (None, None);
        let (sent, received) = self.wait_showing(
            &format!("{TRANSFER_OCTETS} octets {direction}"),
            LONG_PATIENCE,
            |facts| facts.sent.clone().zip(facts.received.clone()),
            |world, _| Showing {
                text: direction,
                // The line carries a little more than the octets themselves.
                done: fraction(
                    (octets_on_line(&world.tap) - octets_before) as f64,
                    TRANSFER_OCTETS as f64 * 1.07,
                ),
            },
        )?;
        if received.what.damaged > 0 {
            let expected = "every octet as it was sent".to_owned();
            return Err(self.failure(expected, format!("{} damaged datagrams", received.what.damaged)));
        }
        let seconds = sent.what.time.as_secs_f64().max(0.001);
        let again = match sent.what.sent_again {
            0 => String::new(),
            count => format!(", {count} datagrams twice"),
        };
        let text = format!(
            "{} KiB {direction} in {seconds:.1} s: {:.1} kB/s (line: {:.1}){again}",
            TRANSFER_OCTETS / 1024,
            TRANSFER_OCTETS as f64 / seconds / 1000.0,
            f64::from(LINE_RATE) / 1000.0
        );
        self.tell_step(sent.at.max(received.at), &text);
        Ok(())
    }

    fn keep(&mut self) -> Result<(), Failure> {
        self.begin("keep");
        self.tell_step(now(), "connected until Ctrl-C, one ping a second; watch them with:");
        // Who has needed a user namespace is root in there only, and tcpdump then fails to give up its rights.
        let sudo = if self.world.is_in_user_namespace { "sudo " } else { "" };
        let pid = std::process::id();
        self.screen.blank();
        self.screen.line(&format!("    {sudo}nsenter -t {pid} -n tcpdump -eni {HOST_INTERFACE}"));
        self.screen.blank();
        self.screen.line("  Ctrl-C says goodbye.");
        self.screen.blank();
        let heard = self.world.facts.interruptions;
        let mut due = now();
        while self.world.facts.interruptions == heard {
            if now() >= due {
                self.send_ping();
                due = now() + KEEP_INTERVAL;
            }
            self.turn(due)?;
            self.check_trouble("the session to stay")?;
            if let Some(time) = self.world.facts.pings.last() {
                let text = format!(
                    "{} answered, the last in {} ms",
                    self.world.facts.pings.len(),
                    milliseconds(*time)
                );
                self.screen.moving(now(), "ping", &text, None);
            }
        }
        // That one was no interruption.
        self.world.facts.interruptions = 0;
        Ok(())
    }

    fn goodbye(&mut self) -> Result<(), Failure> {
        self.begin("goodbye");
        self.world.facts.is_leaving = true;
        let now = now();
        self.world.host.stop(now);
        self.world.settle(now);
        let (host, modem) = self.wait("both ends to hang up", PATIENCE, |facts| {
            facts.host_ended.clone().zip(facts.hung_up.clone())
        })?;
        self.tell_step(host.at.max(modem.at), "LCP Terminate-Request, PADT: both ends have hung up");
        self.begin("end");
        self.world.stop_bridge();
        let end =
            self.wait("the bridge to end when asked to", LONG_PATIENCE, |facts| facts.bridge_end.clone())?;
        match end {
            At { at, what: ChildEnd::Exited(0) } => {
                self.tell_step(at, "the bridge was told to end, and did, with exit code 0");
                Ok(())
            }
            At { what, .. } => Err(self.failure("exit code 0 of the bridge".to_owned(), format!("{what:?}"))),
        }
    }

    fn sum_up(&mut self) {
        let tap = &self.world.tap;
        let (up, down, lost, damaged) =
            (tap.host_sent.frames, tap.modem_sent.frames, tap.lost(), tap.damaged);
        let count = |count: u64| if count == 0 { "none".to_owned() } else { count.to_string() };
        self.screen.succeeded("It works.");
        self.screen.line(&format!(
            "  {up} frames from the host, {down} from the modem: {} lost, {} damaged.",
            count(lost),
            count(damaged)
        ));
        self.screen.line("  With a modem of your own: pppoe-serial-bridge --help");
        self.screen.blank();
    }

    // --- What the steps are made of -----------------------------------------------------------------------

    fn begin(&mut self, step: &'static str) {
        self.step = step;
        self.began = now();
    }

    fn tell_step(&mut self, at: Instant, text: &str) {
        self.screen.step(at, self.step, text);
    }

    fn send_ping(&mut self) {
        let now = now();
        self.world.host.ping(now, PING_OCTETS);
        self.world.settle(now);
    }
}

fn fraction(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| (part / whole).min(1.0))
}

/// The maps of control characters to escape: before LCP, and after it.
fn escapes(line: LineAgreed) -> String {
    let (to_modem, from_modem) = (line.to_modem.accm, line.from_modem.accm);
    if to_modem == from_modem {
        format!("escape map {DEFAULT_ACCM:08x} before, {to_modem:08x} now, both ways")
    } else {
        format!(
            "escape map {DEFAULT_ACCM:08x} before; {to_modem:08x} to the modem, {from_modem:08x} from it now"
        )
    }
}

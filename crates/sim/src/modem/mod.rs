//! [`Modem`]: a pretend modem on a serial port, with a telephone network and a PPP far end behind it.
//!
//! Octets go in and come out. In command mode it knows the AT commands a data call needs; online, what comes
//! in is HDLC for its [`Endpoint`]. DCD and DTR are told and heard. It can be as bad as real ones are.
//!
//! ```text
//!              ATD            result CONNECT
//!   Command ────────> Dialing ──────────────> Online ──+++──> Escaped
//!      ^                 │ any other result     │  ^──ATO──────  │ ATH
//!      └─────────────────┴──── hung up, DTR ────┴────────────────┘
//! ```

mod at;
mod line;
pub mod profile;

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::time::Duration;

use bridge_proto::time::Instant;

use crate::hdlc::{Decoder, LineFault, encode};
use crate::ppp::{CloseReason, Endpoint, EndpointConfig, EndpointEvent, EndpointOutput};
use crate::prng::Prng;
use at::Command;
use line::Line;
use profile::ModemProfile;

/// How a modem behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModemConfig {
    /// The PPP far end.
    pub ppp: EndpointConfig,
    /// Whether the far end reads HDLC to the letter of RFC 1662.
    pub is_strict: bool,
    /// From the dial command to its result.
    pub dial_time: Duration,
    /// The result of each dial in turn; the last one stays.
    pub dials: Vec<DialResult>,
    /// The PIN the SIM wants, if any.
    pub pin: Option<String>,
    /// Octets a second in each direction; `None` for no limit.
    pub rate: Option<u32>,
    /// So long after CONNECT its far end begins to listen and to speak.
    pub listens_after: Duration,
    /// What is wrong with it.
    pub faults: ModemFaults,
}

impl ModemConfig {
    /// A modem of this kind whose calls succeed, with a far end at `local` that gives its caller `peer`.
    #[must_use]
    pub fn new(profile: &ModemProfile, local: Ipv4Addr, peer: Ipv4Addr) -> Self {
        Self {
            ppp: profile.endpoint(local, peer),
            is_strict: profile.is_strict,
            dial_time: profile.dial_time,
            dials: vec![DialResult::Connect],
            pin: None,
            rate: None,
            listens_after: Duration::ZERO,
            faults: ModemFaults::default(),
        }
    }
}

/// What a dial comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialResult {
    /// A connection.
    Connect,
    /// The line is busy.
    Busy,
    /// No connection.
    NoCarrier,
    /// No line to dial on.
    NoDialtone,
    /// The modem will not.
    Error,
    /// Nothing at all, ever.
    Silence,
}

impl DialResult {
    fn text(self) -> Option<&'static str> {
        match self {
            Self::Connect => Some("CONNECT"),
            Self::Busy => Some("BUSY"),
            Self::NoCarrier => Some("NO CARRIER"),
            Self::NoDialtone => Some("NO DIALTONE"),
            Self::Error => Some("ERROR"),
            Self::Silence => None,
        }
    }
}

/// What can be wrong with a modem. One that answers no Echo-Request is made by
/// [`EndpointConfig::answers_echo`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModemFaults {
    /// It answers no command.
    pub is_dead: bool,
    /// It answers every command with ERROR, until one restarts it: `AT+CFUN=1,1`.
    pub is_wedged: bool,
    /// It was left in data mode by whoever used it before.
    pub starts_in_data_mode: bool,
    /// It stays in data mode when its call ends, and says nothing about it.
    pub stays_in_data_mode: bool,
    /// It does not care about DTR.
    pub ignores_dtr: bool,
    /// It does not say `NO CARRIER` when its call ends.
    pub is_silent_at_hang_up: bool,
    /// It has no DCD line to tell of: always off.
    pub has_no_dcd: bool,
}

/// What comes out of a modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModemOutput {
    /// Octets for the serial port.
    Octets(Vec<u8>),
    /// DCD is now so.
    Dcd(bool),
    /// Something its owner may want to know.
    Event(ModemEvent),
}

/// What happened at a modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModemEvent {
    /// It was given this command line.
    Command(String),
    /// A call was tried.
    Dialed {
        /// To this number.
        number: String,
        /// With this result, once its time has come.
        result: DialResult,
    },
    /// A call stands.
    Connected,
    /// A call ended.
    HungUp {
        /// By this.
        by: HungUpBy,
    },
    /// A frame from the line was bad.
    BadFrame(LineFault),
    /// Something in the far end's PPP.
    Ppp(EndpointEvent),
}

/// What ended a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HungUpBy {
    /// DTR was dropped.
    Dtr,
    /// `ATH`, `ATZ` or the radio switched off.
    Command,
    /// [`Modem::hang_up`].
    FarEnd,
    /// PPP ended.
    Ppp(CloseReason),
}

#[derive(Clone, Debug)]
enum State {
    Command,
    Dialing { result: DialResult, until: Option<Instant> },
    Online,
    Escaped,
}

/// How far `+++` has come.
#[derive(Clone, Copy, Debug)]
enum Escape {
    None,
    Pluses(u8),
    Guarding { until: Instant },
}

/// Silence before and after `+++` (S12).
const GUARD: Duration = Duration::from_secs(1);
/// A command line longer than this is answered with ERROR.
const MAX_LINE: usize = 400;

/// A pretend modem.
#[derive(Clone, Debug)]
pub struct Modem {
    config: ModemConfig,
    state: State,
    echoes: bool,
    has_radio: bool,
    pin_wanted: Option<String>,
    command_line: Vec<u8>,
    dials: usize,
    escape: Escape,
    last_octet: Instant,
    decoder: Decoder,
    endpoint: Endpoint,
    /// When the far end begins to listen, while it does not.
    listens_at: Option<Instant>,
    transmit: Line,
    /// Until when octets that came in keep the line busy.
    receive_until: Option<Instant>,
    outputs: VecDeque<ModemOutput>,
}

impl Modem {
    /// A modem that was just switched on.
    #[must_use]
    pub fn new(config: ModemConfig, seed: u64) -> Self {
        let endpoint = Endpoint::new(config.ppp.clone(), &mut Prng::new(seed));
        Self {
            state: if config.faults.starts_in_data_mode { State::Online } else { State::Command },
            echoes: true,
            has_radio: true,
            pin_wanted: config.pin.clone(),
            command_line: Vec::new(),
            dials: 0,
            escape: Escape::None,
            last_octet: Instant::ZERO,
            decoder: if config.is_strict { Decoder::strict() } else { Decoder::lax() },
            endpoint,
            listens_at: None,
            transmit: Line::new(config.rate),
            receive_until: None,
            outputs: VecDeque::new(),
            config,
        }
    }

    /// The far end's PPP.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Whether octets are data and not commands.
    #[must_use]
    pub fn is_online(&self) -> bool {
        matches!(self.state, State::Online)
    }

    /// How many calls were tried.
    #[must_use]
    pub fn dials(&self) -> usize {
        self.dials
    }

    /// How many octets the line can bring now: none while earlier ones are under way. A caller that hands in
    /// no more keeps the line to its rate.
    #[must_use]
    pub fn appetite(&self) -> usize {
        match (self.config.rate, self.receive_until) {
            (None, _) => usize::MAX,
            (Some(_), Some(_)) => 0,
            (Some(rate), None) => line::piece_octets(rate),
        }
    }

    /// Takes octets from the serial port.
    pub fn handle_octets(&mut self, now: Instant, octets: &[u8]) {
        if octets.is_empty() {
            return;
        }
        if let Some(rate) = self.config.rate {
            let free_at = self.receive_until.unwrap_or(now);
            self.receive_until = Some(free_at + line::time_of(octets.len(), rate));
        }
        if matches!(self.state, State::Online) {
            self.watch_for_escape(now, octets);
        }
        for octet in octets {
            match self.state {
                State::Online => self.on_data(now, *octet),
                State::Command | State::Escaped => self.on_typed(now, *octet),
                State::Dialing { .. } => self.on_typed_while_dialing(now, *octet),
            }
        }
        self.last_octet = now;
        self.settle(now);
    }

    /// DTR is now so.
    pub fn handle_dtr(&mut self, now: Instant, is_on: bool) {
        if is_on || self.config.faults.ignores_dtr {
            return;
        }
        self.command_line.clear();
        self.transmit.clear();
        self.end_call(now, HungUpBy::Dtr);
        self.settle(now);
    }

    /// The far end, or the network, ends the call.
    pub fn hang_up(&mut self, now: Instant) {
        if matches!(self.state, State::Online | State::Escaped) {
            self.lose_call(now, HungUpBy::FarEnd);
            self.settle(now);
        }
    }

    /// The far end terminates its link; it hangs up when PPP is done.
    pub fn terminate(&mut self, now: Instant) {
        self.endpoint.close(now);
        self.settle(now);
    }

    /// Pings the peer from the far end; nothing while IPv4 is down.
    pub fn ping(&mut self, now: Instant, octets: usize) -> Option<u16> {
        let sequence = self.endpoint.ping(now, octets);
        self.settle(now);
        sequence
    }

    /// Sends `octets` octets from the far end, at most `window` datagrams under way; false while IPv4 is down.
    pub fn start_transfer(&mut self, now: Instant, octets: u64, window: u16) -> bool {
        let has_started = self.endpoint.start_transfer(now, octets, window);
        self.settle(now);
        has_started
    }

    /// Something may be due; an early call does nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.receive_until.is_some_and(|until| until <= now) {
            self.receive_until = None;
        }
        if let Escape::Guarding { until } = self.escape
            && until <= now
        {
            self.escape = Escape::None;
            self.state = State::Escaped;
            self.say("OK");
        }
        if let State::Dialing { result, until: Some(until) } = self.state
            && until <= now
        {
            self.finish_dial(now, result);
        }
        if self.listens_at.take_if(|at| *at <= now).is_some() {
            self.endpoint.open(now);
        }
        self.endpoint.handle_timeout(now);
        self.settle(now);
    }

    /// The next octets, change of DCD or event.
    pub fn poll_output(&mut self) -> Option<ModemOutput> {
        self.outputs.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let dial = match self.state {
            State::Dialing { until, .. } => until,
            State::Command | State::Online | State::Escaped => None,
        };
        let escape = match self.escape {
            Escape::Guarding { until } => Some(until),
            Escape::None | Escape::Pluses(_) => None,
        };
        let line = [self.receive_until, self.transmit.poll_timeout()];
        let far_end = [self.listens_at, self.endpoint.poll_timeout()];
        [dial, escape].into_iter().chain(line).chain(far_end).flatten().min()
    }

    fn watch_for_escape(&mut self, now: Instant, octets: &[u8]) {
        let pluses = u8::try_from(octets.len()).unwrap_or(u8::MAX);
        let seen = match self.escape {
            _ if octets.iter().any(|octet| *octet != b'+') => None,
            Escape::None => (now - self.last_octet >= GUARD).then_some(pluses),
            Escape::Pluses(seen) => Some(seen.saturating_add(pluses)),
            // A fourth one, within the guard time.
            Escape::Guarding { .. } => None,
        };
        self.escape = match seen {
            Some(3) => Escape::Guarding { until: now + GUARD },
            Some(seen @ ..3) => Escape::Pluses(seen),
            Some(_) | None => Escape::None,
        };
    }

    fn on_data(&mut self, now: Instant, octet: u8) {
        self.decoder.expect(self.endpoint.receive_framing());
        match self.decoder.push(octet) {
            Some(Ok(_)) if self.listens_at.is_some() => {}
            Some(Ok(frame)) => {
                self.endpoint.handle_frame(now, &frame);
                self.settle(now);
            }
            Some(Err(fault)) => self.report(ModemEvent::BadFrame(fault)),
            None => {}
        }
    }

    fn on_typed_while_dialing(&mut self, now: Instant, octet: u8) {
        // Any key aborts a call being made (V.250 §5.6.1); the rest of a line ending is no key.
        if octet != b'\r' && octet != b'\n' {
            self.finish_dial(now, DialResult::NoCarrier);
        }
    }

    fn on_typed(&mut self, now: Instant, octet: u8) {
        if self.config.faults.is_dead {
            return;
        }
        if self.echoes {
            self.transmit.push(&[octet]);
        }
        match octet {
            b'\r' => {
                let line = std::mem::take(&mut self.command_line);
                self.on_line(now, &String::from_utf8_lossy(&line));
            }
            b'\n' => {}
            0x08 => {
                self.command_line.pop();
            }
            _ => {
                // Beyond the limit the line is no longer right, and will be answered so.
                if self.command_line.len() <= MAX_LINE {
                    self.command_line.push(octet);
                }
            }
        }
    }

    fn on_line(&mut self, now: Instant, line: &str) {
        // Noise in front of AT is no command; a modem waits for the letters.
        let start = line.to_ascii_uppercase().find("AT");
        let Some(line) = start.and_then(|start| line.get(start..)) else { return };
        self.report(ModemEvent::Command(line.to_owned()));
        let is_refused = self.config.faults.is_wedged && at::parse_line(line) != Some(vec![Command::Restart]);
        let commands = if line.len() > MAX_LINE || is_refused { None } else { at::parse_line(line) };
        for command in commands.unwrap_or_else(|| vec![Command::Unknown]) {
            match self.on_command(now, command) {
                Ok(true) => {}
                Ok(false) => return,
                Err(CommandFailed) => return self.say("ERROR"),
            }
        }
        self.say("OK");
    }

    /// Whether the rest of the line is to be done; it is not when the command has its own result.
    fn on_command(&mut self, now: Instant, command: Command) -> Result<bool, CommandFailed> {
        match command {
            Command::Restart => {
                self.config.faults.is_wedged = false;
                self.end_call(now, HungUpBy::Command);
                self.echoes = true;
            }
            Command::Reset => {
                self.end_call(now, HungUpBy::Command);
                self.echoes = true;
            }
            Command::Echo(echoes) => self.echoes = echoes,
            Command::HangUp => self.end_call(now, HungUpBy::Command),
            Command::Online => {
                if !matches!(self.state, State::Escaped) {
                    self.say("NO CARRIER");
                    return Ok(false);
                }
                self.state = State::Online;
                self.say("CONNECT");
                return Ok(false);
            }
            Command::Dial(number) => {
                self.dial(now, number)?;
                return Ok(false);
            }
            Command::AskPin if self.pin_wanted.is_some() => self.say("+CPIN: SIM PIN"),
            Command::AskPin => self.say("+CPIN: READY"),
            Command::EnterPin(pin) => {
                let wanted = self.pin_wanted.take_if(|wanted| *wanted == pin);
                wanted.ok_or(CommandFailed)?;
            }
            Command::Radio(has_radio) => {
                self.has_radio = has_radio;
                if !has_radio {
                    self.end_call(now, HungUpBy::Command);
                }
            }
            Command::Ask(answer) => self.say(answer),
            Command::Accepted => {}
            Command::Unknown => return Err(CommandFailed),
        }
        Ok(true)
    }

    fn dial(&mut self, now: Instant, number: String) -> Result<(), CommandFailed> {
        if matches!(self.state, State::Escaped) || self.pin_wanted.is_some() {
            return Err(CommandFailed);
        }
        let last = self.config.dials.len().saturating_sub(1);
        let listed = self.config.dials.get(self.dials.min(last)).copied().unwrap_or(DialResult::NoCarrier);
        let result = if self.has_radio { listed } else { DialResult::NoCarrier };
        self.dials += 1;
        self.report(ModemEvent::Dialed { number, result });
        let until = (result != DialResult::Silence).then(|| now + self.config.dial_time);
        self.state = State::Dialing { result, until };
        Ok(())
    }

    fn finish_dial(&mut self, now: Instant, result: DialResult) {
        self.state = State::Command;
        match (result, self.config.rate) {
            // Ten bits on the line carry one octet.
            (DialResult::Connect, Some(rate)) => self.say(&format!("CONNECT {}", u64::from(rate) * 10)),
            _ => result.text().into_iter().for_each(|text| self.say(text)),
        }
        if result == DialResult::Connect {
            self.state = State::Online;
            self.escape = Escape::None;
            self.decoder.reset();
            self.set_dcd(true);
            self.report(ModemEvent::Connected);
            if self.config.listens_after.is_zero() {
                self.endpoint.open(now);
            } else {
                self.listens_at = Some(now + self.config.listens_after);
            }
        }
    }

    /// The call ends without this modem's owner having asked for it.
    fn lose_call(&mut self, now: Instant, by: HungUpBy) {
        if self.config.faults.stays_in_data_mode {
            self.endpoint.lower_down(now);
            self.report(ModemEvent::HungUp { by });
            return;
        }
        self.end_call(now, by);
        if !self.config.faults.is_silent_at_hang_up {
            self.say("NO CARRIER");
        }
    }

    fn end_call(&mut self, now: Instant, by: HungUpBy) {
        match std::mem::replace(&mut self.state, State::Command) {
            State::Online | State::Escaped => {
                self.escape = Escape::None;
                self.listens_at = None;
                self.endpoint.lower_down(now);
                self.set_dcd(false);
                self.report(ModemEvent::HungUp { by });
            }
            State::Command | State::Dialing { .. } => {}
        }
    }

    fn set_dcd(&mut self, is_on: bool) {
        if !self.config.faults.has_no_dcd {
            self.outputs.push_back(ModemOutput::Dcd(is_on));
        }
    }

    fn say(&mut self, text: &str) {
        self.transmit.push(b"\r\n");
        self.transmit.push(text.as_bytes());
        self.transmit.push(b"\r\n");
    }

    fn report(&mut self, event: ModemEvent) {
        self.outputs.push_back(ModemOutput::Event(event));
    }

    /// Carries the endpoint's frames, and ends the call with it.
    fn settle(&mut self, now: Instant) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                EndpointOutput::Frame(frame) => {
                    if self.is_online() {
                        self.transmit.push(&encode(&frame, self.endpoint.send_framing()));
                    }
                }
                EndpointOutput::Event(event) => {
                    self.report(ModemEvent::Ppp(event));
                    match event {
                        EndpointEvent::Closed { why: CloseReason::LineLost } => {}
                        EndpointEvent::Closed { why } => self.lose_call(now, HungUpBy::Ppp(why)),
                        _ => {}
                    }
                }
            }
        }
        let octets = self.transmit.take(now);
        if !octets.is_empty() {
            self.outputs.push_back(ModemOutput::Octets(octets));
        }
    }
}

/// A command was not understood, or cannot be done now.
struct CommandFailed;

#[cfg(test)]
mod tests;

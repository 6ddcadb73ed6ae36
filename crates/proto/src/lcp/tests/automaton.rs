//! Two independent automata (RFC 1661 §4) that negotiate through a mediator over lines that lose and copy
//! packets, in virtual time: they end up open and agreed, or closed where they would have closed directly.

use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn two_ends_always_agree_through_a_mediator(seed in any::<u64>()) {
        agree(seed);
    }
}

/// Faults cease here; before, either end may negotiate anew.
const CALM: u64 = 20_000;
const RESTART_TIMER: u64 = 3000;
const MAX_FAILURE: u32 = 5;

fn agree(seed: u64) {
    let mut dice = Dice(seed | 1);
    let config = MediatorConfig {
        mode: if dice.one_in(4) { MediatorMode::Transparent } else { MediatorMode::Mediate },
        strip_pfc: dice.one_in(2),
        request_accm: dice.pick(&[Accm::NONE, Accm::XON_XOFF, Accm::ALL]),
        request_acfc: dice.one_in(2),
        request_pfc: dice.one_in(2),
        max_information: dice.pick(&[1492, 1500]),
    };
    let (host, modem) = (host(&mut dice), modem(&mut dice));
    let closes_directly = {
        let mut direct = World::new(host.clone(), modem.clone(), None, Dice(1));
        direct.run(0);
        !direct.is_open()
    };
    let mut world = World::new(host, modem, Some(Mediator::new(config)), dice);
    world.run(CALM);
    assert_eq!(closes_directly, !world.is_open(), "seed {seed}: {world:#?}");
    if world.is_open() {
        world.assert_agreement(&config);
    }
}

/// Both ends, what is between them, and what is under way.
#[derive(Debug)]
struct World {
    host: End,
    modem: End,
    mediator: Option<Mediator>,
    dice: Dice,
    now: u64,
    /// From host, from modem, to host, to modem; each with its time of arrival, in order.
    wires: [VecDeque<(u64, Vec<u8>)>; 4],
}

impl World {
    fn new(host: End, modem: End, mediator: Option<Mediator>, dice: Dice) -> Self {
        Self { host, modem, mediator, dice, now: 0, wires: Default::default() }
    }

    fn is_open(&self) -> bool {
        self.host.state == State::Opened && self.modem.state == State::Opened
    }

    fn run(&mut self, calm: u64) {
        self.host.send_request(self.now);
        self.modem.send_request(self.now);
        while self.now < calm + 200_000 {
            self.collect(calm);
            let arrivals = self.wires.iter().filter_map(|wire| wire.front()).map(|(at, _)| *at);
            let Some(next) = arrivals.chain(self.host.timer).chain(self.modem.timer).min() else { return };
            self.now = next;
            self.deliver(calm);
            self.host.on_time(next);
            self.modem.on_time(next);
            if next < calm && self.dice.one_in(60) {
                let end = if self.dice.one_in(2) { &mut self.host } else { &mut self.modem };
                end.negotiate_anew(next);
            }
        }
    }

    /// Puts what the ends have sent on the wires.
    fn collect(&mut self, calm: u64) {
        for ppp in core::mem::take(&mut self.host.sent) {
            self.put(0, ppp, calm);
        }
        for ppp in core::mem::take(&mut self.modem.sent) {
            self.put(1, ppp, calm);
        }
    }

    fn put(&mut self, wire: usize, ppp: Vec<u8>, calm: u64) {
        let faults = self.now < calm;
        if faults && self.dice.one_in(5) {
            return;
        }
        let earliest = self.wires[wire].back().map_or(0, |(at, _)| *at);
        // Some lines are so slow that requests and answers cross timers.
        let delay = if faults && self.dice.one_in(8) { 4000 } else { 5 + self.dice.below(100) };
        let at = earliest.max(self.now + delay);
        if faults && self.dice.one_in(10) {
            self.wires[wire].push_back((at, ppp.clone()));
        }
        self.wires[wire].push_back((at, ppp));
    }

    fn deliver(&mut self, calm: u64) {
        for wire in 0..4 {
            while self.wires[wire].front().is_some_and(|(at, _)| *at <= self.now) {
                let (_, ppp) = self.wires[wire].pop_front().unwrap();
                match (wire, &mut self.mediator) {
                    (0, Some(mediator)) => mediator.handle_from_host(&ppp),
                    (1, Some(mediator)) => mediator.handle_from_modem(&ppp),
                    (0, None) | (3, _) => self.modem.on_packet(self.now, &ppp),
                    _ => self.host.on_packet(self.now, &ppp),
                }
                self.drain(calm);
            }
        }
    }

    fn drain(&mut self, calm: u64) {
        while let Some(output) = self.mediator.as_mut().and_then(Mediator::poll_output) {
            match output {
                MediatorOutput::ToHost(ppp) => self.put(2, ppp, calm),
                MediatorOutput::ToModem(ppp) => self.put(3, ppp, calm),
                MediatorOutput::Malformed { .. } => panic!("no end sends anything malformed"),
                _ => {}
            }
        }
    }

    fn assert_agreement(&self, config: &MediatorConfig) {
        let mediator = self.mediator.as_ref().unwrap();
        assert!(mediator.is_open(), "{self:#?}");
        let line = mediator.line();
        assert_eq!(line.send_accm, request::accm(&self.modem.request), "{self:#?}");
        assert_eq!(line.receive_accm, request::accm(&self.modem.peer), "{self:#?}");
        assert_eq!(line.send_acfc, request::names(&self.modem.request, LcpOptionType::ACFC));
        assert_eq!(line.send_pfc, request::names(&self.modem.request, LcpOptionType::PFC));
        for (kind, ..) in parse(&self.host.peer) {
            assert!(![2, 8, 9].contains(&kind), "the host has agreed to {kind}");
            assert!(config.mode == MediatorMode::Transparent || !config.strip_pfc || kind != 7);
        }
        assert!(!request::names(&self.modem.request, LcpOptionType::FCS_ALTERNATIVES));
        for kind in [LcpOptionType::MRU, LcpOptionType::MAGIC, LcpOptionType::AUTHENTICATION] {
            let find = |octets| LcpOptions::parse(octets).unwrap().find(kind);
            assert_eq!(find(&self.modem.request), find(&self.host.peer), "{self:#?}");
            if kind != LcpOptionType::MRU {
                assert_eq!(find(&self.host.request), find(&self.modem.peer), "{self:#?}");
            }
        }
        assert_eq!(mediator.host_magic(), request::magic(&self.host.request));
        assert_eq!(mediator.modem_magic(), request::magic(&self.modem.request));
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Stopped,
    Closing,
    Stopping,
    ReqSent,
    AckRcvd,
    AckSent,
    Opened,
}

/// One automaton and what it wants.
#[derive(Clone, Debug)]
struct End {
    state: State,
    timer: Option<u64>,
    identifier: u8,
    /// Whether a request that is repeated gets a new identifier.
    renumbers: bool,
    wants: Vec<(u8, Vec<u8>)>,
    /// Types of option that it will grant; of the others it has never heard.
    grants: Vec<u8>,
    /// Types of option with the value on which it insists. Those that the other end does not ask are hints.
    insists: Vec<(u8, Vec<u8>)>,
    gives_hints: bool,
    requires_authentication: bool,
    naks: u32,
    terminates: u32,
    /// The options of the newest request.
    request: Vec<u8>,
    is_answered: bool,
    /// The options of the other end that were granted last.
    peer: Vec<u8>,
    sent: Vec<Vec<u8>>,
}

impl End {
    fn send(&mut self, code: LcpCode, identifier: u8, data: &[u8]) {
        self.sent.push(LcpPacket { code, identifier, data }.emit());
    }

    /// A new request: with a new identifier, and what comes for the old one counts no more.
    fn send_request(&mut self, now: u64) {
        self.identifier = self.identifier.wrapping_add(1);
        self.request = emit(&self.wants);
        self.is_answered = false;
        self.repeat_request(now);
    }

    fn repeat_request(&mut self, now: u64) {
        self.timer = Some(now + RESTART_TIMER);
        self.send(LcpCode::CONFIGURE_REQUEST, self.identifier, &self.request.clone());
    }

    fn on_timeout_of_request(&mut self, now: u64) {
        match self.renumbers || self.is_answered {
            true => self.send_request(now),
            false => self.repeat_request(now),
        }
    }

    fn negotiate_anew(&mut self, now: u64) {
        if self.state == State::Opened {
            self.naks = 0;
            self.become_state(State::ReqSent);
            self.send_request(now);
        }
    }

    fn become_state(&mut self, state: State) {
        self.state = state;
        if matches!(state, State::Opened | State::Closed | State::Stopped) {
            self.timer = None;
            self.naks = 0;
        }
    }

    fn on_time(&mut self, now: u64) {
        if self.timer.is_none_or(|timer| timer > now) {
            return;
        }
        match self.state {
            State::ReqSent | State::AckRcvd => {
                self.become_state(State::ReqSent);
                self.on_timeout_of_request(now);
            }
            State::AckSent => self.on_timeout_of_request(now),
            State::Closing if self.terminates > 0 => self.terminate(now),
            State::Closing => self.become_state(State::Closed),
            State::Stopping => self.become_state(State::Stopped),
            State::Closed | State::Stopped | State::Opened => self.timer = None,
        }
    }

    fn terminate(&mut self, now: u64) {
        self.state = State::Closing;
        self.terminates -= 1;
        self.timer = Some(now + RESTART_TIMER);
        self.identifier = self.identifier.wrapping_add(1);
        self.send(LcpCode::TERMINATE_REQUEST, self.identifier, &[]);
    }

    fn on_packet(&mut self, now: u64, ppp: &[u8]) {
        let packet = LcpPacket::parse(ppp).unwrap();
        match packet.code {
            LcpCode::CONFIGURE_REQUEST => self.on_request(now, &packet),
            LcpCode::CONFIGURE_ACK => {
                if self.is_answer(&packet) && packet.data == self.request {
                    self.is_answered = true;
                    self.on_ack(now);
                }
            }
            LcpCode::CONFIGURE_NAK | LcpCode::CONFIGURE_REJECT => {
                if self.is_answer(&packet) {
                    self.is_answered = true;
                    self.on_refusal(now, &packet);
                }
            }
            LcpCode::TERMINATE_REQUEST => {
                self.send(LcpCode::TERMINATE_ACK, packet.identifier, &[]);
                match self.state {
                    State::Opened => {
                        self.state = State::Stopping;
                        self.timer = Some(now + RESTART_TIMER);
                    }
                    State::AckRcvd | State::AckSent => self.state = State::ReqSent,
                    _ => {}
                }
            }
            LcpCode::TERMINATE_ACK => match self.state {
                State::Closing => self.become_state(State::Closed),
                State::Stopping => self.become_state(State::Stopped),
                State::AckRcvd => self.state = State::ReqSent,
                State::Opened => self.negotiate_anew(now),
                _ => {}
            },
            other => panic!("{other} was never sent"),
        }
    }

    /// As most implementations, it takes but one answer to a request.
    fn is_answer(&self, packet: &LcpPacket<'_>) -> bool {
        packet.identifier == self.identifier && !self.is_answered
    }

    fn on_request(&mut self, now: u64, packet: &LcpPacket<'_>) {
        match self.state {
            State::Closed => return self.send(LcpCode::TERMINATE_ACK, packet.identifier, &[]),
            State::Closing | State::Stopping => return,
            State::Opened | State::Stopped => {
                self.state = State::ReqSent;
                self.send_request(now);
            }
            State::ReqSent | State::AckRcvd | State::AckSent => {}
        }
        let (code, data) = self.judge(&parse(packet.data));
        let granted = code == LcpCode::CONFIGURE_ACK;
        if granted {
            self.peer = data.clone();
        }
        self.send(code, packet.identifier, &data);
        match (self.state, granted) {
            (State::AckRcvd, true) => self.become_state(State::Opened),
            (State::AckRcvd, false) => {}
            (_, true) => self.state = State::AckSent,
            (_, false) => self.state = State::ReqSent,
        }
    }

    /// What it says to a request (RFC 1661 §5.2-5.4).
    fn judge(&mut self, options: &[(u8, Vec<u8>)]) -> (LcpCode, Vec<u8>) {
        let unheard: Vec<_> =
            options.iter().filter(|(kind, _)| !self.grants.contains(kind)).cloned().collect();
        if !unheard.is_empty() {
            return (LcpCode::CONFIGURE_REJECT, emit(&unheard));
        }
        let (mut nak, mut reject) = (Vec::new(), Vec::new());
        for (kind, value) in &self.insists {
            match options.iter().find(|(asked, _)| asked == kind) {
                Some((_, asked)) if asked != value => {
                    nak.push((*kind, value.clone()));
                    reject.push((*kind, asked.clone()));
                }
                Some(_) => {}
                None if self.gives_hints && self.naks < 2 => nak.push((*kind, value.clone())),
                None => {}
            }
        }
        if nak.is_empty() {
            return (LcpCode::CONFIGURE_ACK, emit(options));
        }
        self.naks += 1;
        // Of authentication it never despairs: with Naks lost, that would close a link by chance.
        let patient = reject.is_empty() || reject.iter().any(|(kind, _)| *kind == 3);
        if self.naks <= MAX_FAILURE || patient {
            (LcpCode::CONFIGURE_NAK, emit(&nak))
        } else {
            (LcpCode::CONFIGURE_REJECT, emit(&reject))
        }
    }

    fn on_ack(&mut self, now: u64) {
        match self.state {
            State::ReqSent => self.state = State::AckRcvd,
            State::AckSent => self.become_state(State::Opened),
            State::AckRcvd | State::Opened => {
                self.state = State::ReqSent;
                self.send_request(now);
            }
            State::Closed | State::Stopped | State::Closing | State::Stopping => {}
        }
    }

    fn on_refusal(&mut self, now: u64, packet: &LcpPacket<'_>) {
        match self.state {
            State::Closed | State::Stopped | State::Closing | State::Stopping => return,
            State::AckSent => {}
            State::ReqSent | State::AckRcvd | State::Opened => self.state = State::ReqSent,
        }
        for (kind, value) in parse(packet.data) {
            let wanted = self.wants.iter().position(|(wanted, _)| *wanted == kind);
            match (packet.code, wanted) {
                (LcpCode::CONFIGURE_REJECT, Some(at)) => {
                    assert_eq!(self.wants[at].1, value, "a Reject must name what was sent");
                    self.wants.remove(at);
                    if kind == LcpOptionType::AUTHENTICATION.0 && self.requires_authentication {
                        return self.terminate(now);
                    }
                }
                (LcpCode::CONFIGURE_REJECT, None) => panic!("a Reject of {kind}, which was never sent"),
                (_, Some(at)) => self.wants[at].1 = value,
                (_, None) if kind == LcpOptionType::MRU.0 => self.wants.push((kind, value)),
                (_, None) => {}
            }
        }
        self.send_request(now);
    }
}

fn host(dice: &mut Dice) -> End {
    let mut wants =
        dice.some_of(&[(1, dice.clone().pick(&[vec16(1492), vec16(1500), vec16(1400)])), (7, Vec::new())]);
    wants.push((5, vec![1, 2, 3, 4]));
    let grants = [vec![1, 5], dice.pick(&[vec![], vec![3], vec![3, 7]])].concat();
    let insists = if dice.one_in(3) { vec![(3, vec![0xc0, 0x23])] } else { vec![] };
    End { wants, grants, insists, ..end(dice) }
}

fn modem(dice: &mut Dice) -> End {
    let accm = dice.pick(&[vec![0, 0, 0, 0], vec![0, 10, 0, 0]]);
    let all = [
        (8, vec![]),
        (7, vec![]),
        (2, accm),
        (1, vec16(1500)),
        (5, vec![0, 0, 5, 65]),
        (3, vec![0xc2, 0x23, 5]),
        (9, vec![2]),
    ];
    let wants = dice.some_of(&all);
    let grants = dice.some_of(&[1, 2, 5, 7, 8]);
    let hints = [(1, vec16(1400)), (1, vec16(1500)), (2, vec![0, 10, 0, 0]), (7, vec![]), (8, vec![])];
    let mut insists = dice.some_of(&hints);
    insists.dedup_by_key(|(kind, _)| *kind);
    insists.retain(|(kind, _)| grants.contains(kind));
    End { wants, grants, insists, requires_authentication: dice.one_in(3), ..end(dice) }
}

fn end(dice: &mut Dice) -> End {
    End {
        state: State::ReqSent,
        timer: None,
        identifier: dice.below(256).to_le_bytes()[0],
        renumbers: dice.one_in(2),
        wants: vec![],
        grants: vec![],
        insists: vec![],
        gives_hints: dice.one_in(2),
        requires_authentication: false,
        naks: 0,
        terminates: 2,
        request: vec![],
        is_answered: false,
        peer: vec![],
        sent: vec![],
    }
}

fn vec16(number: u16) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

fn parse(octets: &[u8]) -> Vec<(u8, Vec<u8>)> {
    LcpOptions::parse(octets).unwrap().iter().map(|option| (option.kind.0, option.value.to_vec())).collect()
}

fn emit(options: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut octets = Vec::new();
    for (kind, value) in options {
        LcpOption { kind: LcpOptionType(*kind), value }.emit(&mut octets);
    }
    octets
}

/// Marsaglia's xorshift: the same throws for the same seed.
#[derive(Clone, Debug)]
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.below(sides) == 0
    }

    fn pick<T: Clone>(&mut self, among: &[T]) -> T {
        among[usize::try_from(self.below(among.len() as u64)).unwrap()].clone()
    }

    fn some_of<T: Clone>(&mut self, among: &[T]) -> Vec<T> {
        among.iter().filter(|_| self.one_in(2)).cloned().collect()
    }
}

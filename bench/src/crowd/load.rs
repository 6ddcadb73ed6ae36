//! Traffic in the sessions of a crowd, and what it costs the bridge.
//!
//! Frames come so many at once, and the next only when these have arrived. So bridges with few modems and with many
//! get the same work at each wake-up, however slow it is to play hosts and modems.

use std::time::Duration;

use bridge_linux::interface::Interface;
use bridge_linux::packet_socket::Sent;
use bridge_linux::poller::Events;
use bridge_proto::time::Instant;
use bridge_sim::hdlc::{FLAG, Framing, encode};
use bridge_sim::pppoe::{ETHERTYPE_SESSION, Mac, Packet};

use super::{BRIDGE_INTERFACE, Crowd, now};
use crate::{Failure, FrameSet};

/// How frames come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// From hosts to modems, so many at once: in different sessions, if there are as many.
    ToModems(u8),
    /// From modems to hosts, one at a time.
    ToHosts,
}

impl Work {
    /// All there is: at eight at once the bridge takes them all at one wake-up.
    pub const ALL: [Self; 3] = [Self::ToModems(1), Self::ToModems(8), Self::ToHosts];

    /// What it is called in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ToModems(1) => "to modems, one at a time",
            Self::ToModems(_) => "to modems, eight at once",
            Self::ToHosts => "to hosts, one at a time",
        }
    }

    const fn at_once(self) -> usize {
        match self {
            Self::ToModems(frames) => frames as usize,
            Self::ToHosts => 1,
        }
    }
}

/// Octets of information in a frame: eight of them fit what a pseudo-terminal holds, so that none waits.
const INFORMATION: u16 = 256;
/// What has not come by then is lost.
const SILENCE: Duration = Duration::from_millis(500);

/// A session's frame as host and modem send it.
struct Sender {
    couple: usize,
    ethernet: Vec<u8>,
    line: Vec<u8>,
}

impl Crowd {
    /// Passes about so many frames, in turn through the first `active` sessions. The processor time that the bridge
    /// needs for each, in nanoseconds.
    ///
    /// # Errors
    /// A session that is not open, or a frame that does not arrive.
    pub fn load(&mut self, work: Work, active: usize, frames: usize) -> Result<f64, Failure> {
        let senders = self.senders(active)?;
        let steps = (frames / work.at_once()).max(1);
        self.pass(work, &senders, steps / 10 + 1)?;
        let before = self.process.processor_time()?;
        self.pass(work, &senders, steps)?;
        // Until it sleeps its time is not accounted for.
        std::thread::sleep(Duration::from_millis(2));
        let used = self.process.processor_time()? - before;
        Ok(used.as_nanos() as f64 / (steps * work.at_once()) as f64)
    }

    fn senders(&self, active: usize) -> Result<Vec<Sender>, Failure> {
        let bridge = Mac(Interface::find(BRIDGE_INTERFACE)?.mac);
        let set = FrameSet::new(INFORMATION);
        let ppp = set.ppp.first().map(Vec::as_slice).unwrap_or_default();
        let sender = |(couple, party): (usize, &super::Couple)| {
            let session_id =
                party.host.session().ok_or_else(|| format!("host {couple} has no session to be loaded"))?;
            let packet = Packet {
                destination: bridge,
                source: party.host.mac(),
                ethertype: ETHERTYPE_SESSION,
                code: 0,
                session_id,
                payload: ppp,
            };
            Ok(Sender { couple, ethernet: packet.emit(), line: encode(ppp, Framing::DEFAULT) })
        };
        self.couples.iter().take(active).enumerate().map(sender).collect()
    }

    fn pass(&mut self, work: Work, senders: &[Sender], steps: usize) -> Result<(), Failure> {
        let mut turn = senders.iter().cycle();
        for step in 0..steps {
            for sender in turn.by_ref().take(work.at_once()) {
                match work {
                    Work::ToModems(_) => {
                        if self.air.sender.send(&sender.ethernet)? != Sent::Whole {
                            return Err("the cable takes no more frames".into());
                        }
                    }
                    Work::ToHosts => {
                        if self.couples[sender.couple].tty.write(&sender.line)? != sender.line.len() {
                            return Err("the line takes no more octets".into());
                        }
                    }
                }
            }
            self.await_arrival(work).map_err(|error| format!("{}, step {step}: {error}", work.name()))?;
        }
        self.process.check()
    }

    /// Waits until as many frames have arrived as come at once.
    fn await_arrival(&mut self, work: Work) -> Result<(), Failure> {
        let end = now() + SILENCE;
        let (mut flags, mut frames) = (0, 0);
        let mut events = Events::with_capacity(64);
        loop {
            // A frame on the line has a FLAG at either end.
            let arrived = if work == Work::ToHosts { frames } else { flags / 2 };
            if arrived >= work.at_once() {
                return Ok(());
            }
            let began = now();
            if began >= end {
                return Err(format!("{arrived} of {} frames have come", work.at_once()).into());
            }
            self.poller.wait(&mut events, Some(end - began))?;
            for readiness in events.iter() {
                let couple = usize::try_from(readiness.token.0).ok().and_then(|n| self.couples.get_mut(n));
                if let Some(couple) = couple {
                    flags += couple.hear_flags();
                }
            }
            frames += self.hear_frames(began)?;
        }
    }

    /// How many data frames hosts have got; LCP is theirs to answer.
    fn hear_frames(&mut self, now: Instant) -> Result<usize, Failure> {
        let mut buffer = [0; 2048];
        let mut frames = 0;
        // The sender hears as well, and nobody listens to it.
        while self.air.sender.receive(&mut buffer)?.is_some() {}
        while let Some(frame) = self.air.receive(&mut buffer)? {
            let addressee = frame.get(..6).unwrap_or_default();
            let Some(couple) = self.couples.iter_mut().find(|couple| couple.host.mac().0 == addressee) else {
                continue;
            };
            if frame.get(20..22) == Some(&[0x00, 0x21]) {
                frames += 1;
            } else {
                couple.host.handle_frame(now, frame);
            }
        }
        Ok(frames)
    }
}

impl super::Couple {
    fn hear_flags(&mut self) -> usize {
        let mut octets = [0; 4096];
        let len = self.tty.read(&mut octets).unwrap_or(0);
        octets[..len].iter().filter(|octet| **octet == FLAG).count()
    }
}

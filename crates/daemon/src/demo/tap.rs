//! [`Tap`]: listens at the Ethernet and at the serial line, and compares what goes in with what comes out.

use bridge_proto::notation;
use bridge_sim::hdlc::Decoder;
use bridge_sim::pppoe::{ETHERTYPE_SESSION, Packet};

/// What passed at one end of one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spot {
    /// The options of the last LCP Configure-Request, by the names that pppd has for them.
    pub(super) request: Option<String>,
    /// Frames that were not LCP, which alone is not simply passed on.
    pub(super) frames: u64,
}

impl Spot {
    fn on_frame(&mut self, ppp: &[u8]) {
        match ppp {
            [0xc0, 0x21, 1, ..] => self.request = Some(options(ppp)),
            [0xc0, 0x21, ..] => {}
            _ => self.frames += 1,
        }
    }
}

/// Both ends of both directions.
#[derive(Clone, Debug)]
pub(super) struct Tap {
    pub(super) host_sent: Spot,
    pub(super) modem_heard: Spot,
    pub(super) modem_sent: Spot,
    pub(super) host_heard: Spot,
    /// Frames on the serial line with a wrong FCS or worse.
    pub(super) damaged: u64,
    /// Octets on the serial line toward the modem, since the call stands.
    pub(super) octets_to_modem: u64,
    /// Octets on the serial line from the modem, since the call stands.
    pub(super) octets_from_modem: u64,
    to_modem: Decoder,
    from_modem: Decoder,
}

impl Tap {
    pub(super) fn new() -> Self {
        Self {
            host_sent: Spot::default(),
            modem_heard: Spot::default(),
            modem_sent: Spot::default(),
            host_heard: Spot::default(),
            damaged: 0,
            octets_to_modem: 0,
            octets_from_modem: 0,
            to_modem: Decoder::lax(),
            from_modem: Decoder::lax(),
        }
    }

    pub(super) fn host_sends(&mut self, frame: &[u8]) {
        if let Some(ppp) = ppp(frame) {
            self.host_sent.on_frame(ppp);
        }
    }

    pub(super) fn host_hears(&mut self, frame: &[u8]) {
        if let Some(ppp) = ppp(frame) {
            self.host_heard.on_frame(ppp);
        }
    }

    pub(super) fn modem_hears(&mut self, octets: &[u8]) {
        self.octets_to_modem += octets.len() as u64;
        self.damaged += listen(&mut self.to_modem, &mut self.modem_heard, octets);
    }

    pub(super) fn modem_sends(&mut self, octets: &[u8]) {
        self.octets_from_modem += octets.len() as u64;
        self.damaged += listen(&mut self.from_modem, &mut self.modem_sent, octets);
    }

    /// Frames that went into the bridge and did not come out.
    pub(super) fn lost(&self) -> u64 {
        self.host_sent.frames.saturating_sub(self.modem_heard.frames)
            + self.modem_sent.frames.saturating_sub(self.host_heard.frames)
    }
}

/// Gives the number of damaged frames.
fn listen(decoder: &mut Decoder, spot: &mut Spot, octets: &[u8]) -> u64 {
    let mut damaged = 0;
    for octet in octets {
        match decoder.push(*octet) {
            Some(Ok(frame)) => spot.on_frame(&frame),
            Some(Err(_)) => damaged += 1,
            None => {}
        }
    }
    damaged
}

fn ppp(frame: &[u8]) -> Option<&[u8]> {
    let packet = Packet::parse(frame)?;
    (packet.ethertype == ETHERTYPE_SESSION).then_some(packet.payload)
}

/// `mru 1492, magic 0x1` of `[LCP ConfReq id=0x1 <mru 1492> <magic 0x1>]`.
fn options(ppp: &[u8]) -> String {
    let text = notation::describe(ppp).to_string();
    match (text.find('<'), text.rfind('>')) {
        (Some(first), Some(last)) if first < last => text[first + 1..last].replace("> <", ", "),
        _ => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_told_by_its_options() {
        let request = [0xc0, 0x21, 1, 1, 0, 10, 1, 4, 5, 0xd4, 7, 2];
        assert_eq!(options(&request), "mru 1492, pcomp");
        assert_eq!(options(&[0xc0, 0x21, 1, 1, 0, 4]), "nothing");
    }

    #[test]
    fn what_does_not_come_out_is_lost() {
        let mut tap = Tap::new();
        tap.modem_sends(&bridge_sim::hdlc::encode(&[0, 0x21, 0x45], bridge_sim::hdlc::Framing::DEFAULT));
        assert_eq!((tap.lost(), tap.damaged), (1, 0));
        tap.modem_sends(&[0x7e, 1, 2, 3, 4, 5, 0x7e]);
        assert_eq!((tap.lost(), tap.damaged), (1, 1));
    }
}

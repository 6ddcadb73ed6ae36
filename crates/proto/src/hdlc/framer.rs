//! From PPP frames to octets for the line.

use super::{ADDRESS, Accm, CONTROL, ExtraEscapes, FLAG, Fcs16, LCP};
use bridge_octets::Stuffer;

/// Makes frames for the line out of PPP frames, whole or not at all.
///
/// It starts with what holds before LCP has agreed on anything: every control octet escaped, nothing
/// compressed. The caller tells it what the far end has agreed to receive, and calls [`reset`](Self::reset)
/// when a call begins.
///
/// Each frame has its own opening flag. One flag between two frames would do (RFC 1662 §3.1), but whether the
/// line rested since the last frame, and may have made up octets meanwhile, only the flag can tell the peer
/// (RFC 1662 §4.4.2); one octet is a small price for a frame that never joins onto noise.
#[derive(Clone, Debug)]
pub struct Framer {
    extra: ExtraEscapes,
    accm: Accm,
    negotiated: Stuffer,
    /// For LCP frames that must get through whatever the peer believes was agreed.
    default: Stuffer,
    address_control_compression: bool,
    protocol_compression: bool,
}

impl Framer {
    /// A framer for a line on which `extra` are escaped as well, in all frames of all calls.
    #[must_use]
    pub fn new(extra: ExtraEscapes) -> Self {
        let default = stuffer(Accm::ALL, &extra);
        Self {
            extra,
            accm: Accm::ALL,
            negotiated: default.clone(),
            default,
            address_control_compression: false,
            protocol_compression: false,
        }
    }

    /// Back to what holds before LCP has agreed on anything.
    pub fn reset(&mut self) {
        self.set_accm(Accm::ALL);
        self.set_compression(false, false);
    }

    /// Escapes the octets that `accm` flags, and no other control octets.
    pub fn set_accm(&mut self, accm: Accm) {
        if accm != self.accm {
            self.accm = accm;
            self.negotiated = stuffer(accm, &self.extra);
        }
    }

    /// The map in force, for all frames but LCP's own.
    #[must_use]
    pub const fn accm(&self) -> Accm {
        self.accm
    }

    /// Leaves out the address and control fields, and the first octet of a protocol field where that is
    /// zero, if the far end has agreed to it (RFC 1661 §6.5 and §6.6). Never in LCP frames.
    pub fn set_compression(&mut self, address_control: bool, protocol: bool) {
        self.address_control_compression = address_control;
        self.protocol_compression = protocol;
    }

    /// The most octets that [`encode`](Self::encode) makes of a PPP frame of `ppp_octets`.
    #[must_use]
    pub const fn max_encoded_len(ppp_octets: usize) -> usize {
        let fields = 2 + ppp_octets + 2;
        1 + 2 * fields + 1
    }

    /// Writes one frame to the front of `out`, and says how long it is; `None` if it does not fit, and what
    /// is then in `out` is no frame.
    ///
    /// `ppp` begins with the two octets of its protocol field.
    #[must_use]
    pub fn encode(&self, ppp: &[u8], out: &mut [u8]) -> Option<usize> {
        let (stuffer, header, body) = self.choose(ppp);
        let fcs = Fcs16::new().with(header).with(body);

        let len = out.len();
        let (flag, mut room) = out.split_first_mut()?;
        *flag = FLAG;
        for part in [header, body, &fcs.to_octets()] {
            room = stuffer.stuff(part, room)?;
        }
        let (flag, room) = room.split_first_mut()?;
        *flag = FLAG;
        Some(len - room.len())
    }

    /// How `ppp` is to be stuffed, the address and control fields, and what follows them.
    fn choose<'a>(&self, ppp: &'a [u8]) -> (&Stuffer, &'static [u8], &'a [u8]) {
        const HEADER: &[u8] = &[ADDRESS, CONTROL];
        if let Some((&LCP, packet)) = ppp.split_first_chunk() {
            // RFC 1662 §7.1: the packets that negotiate are sent as if nothing had been agreed.
            let negotiates = matches!(packet.first(), Some(1..=7));
            return (if negotiates { &self.default } else { &self.negotiated }, HEADER, ppp);
        }
        let body = match ppp {
            // 0x00ff as one octet would be an address field (RFC 1661 §6.6).
            [0, ADDRESS, ..] => ppp,
            // An odd octet ends a protocol field (RFC 1661 §6.5). Alone with the FCS it would be no frame, as it
            // would have fewer than four octets (RFC 1662 §4.3).
            [0, body @ ..]
                if self.protocol_compression && matches!(body, [octet, _, ..] if octet % 2 == 1) =>
            {
                body
            }
            _ => ppp,
        };
        (&self.negotiated, if self.address_control_compression { &[] } else { HEADER }, body)
    }
}

fn stuffer(accm: Accm, extra: &ExtraEscapes) -> Stuffer {
    Stuffer::new(|octet| accm.escapes(octet) || extra.contains(octet))
}

impl Default for Framer {
    fn default() -> Self {
        Self::new(ExtraEscapes::NONE)
    }
}

//! PPP in asynchronous HDLC-like framing, one octet at a time (RFC 1662).
//!
//! This is the oracle's shape: slow, plain and written apart from the bridge's own codec, so that a mistake
//! there is not repeated here. [`encode`] makes one frame; a [`Decoder`] is fed octets and now and then gives
//! a frame, protocol field first, or says what was wrong with one.
//!
//! A *strict* decoder drops every control octet that its receive ACCM flags, and wants the address and
//! control fields until ACFC was agreed, as RFC 1662 §4.2 and §7 have it. A *lax* one takes what it gets.

use std::fmt;

/// Begins and ends a frame.
pub const FLAG: u8 = 0x7e;
/// The next octet was exclusive-ored with `0x20`.
pub const ESCAPE: u8 = 0x7d;
/// Every control octet escaped: in force until something else is agreed (RFC 1662 §7.1).
pub const DEFAULT_ACCM: u32 = 0xffff_ffff;

/// Information octets a decoder takes, with room to spare; a longer frame is an overrun.
const MAX_FRAME: usize = 4096;

/// How a sender dresses a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Framing {
    /// Control octets that must be escaped, bit n for octet n (RFC 1662 §7.1).
    pub accm: u32,
    /// The protocol field may be one octet (RFC 1661 §6.5).
    pub pfc: bool,
    /// The address and control fields may be left out (RFC 1661 §6.6).
    pub acfc: bool,
}

impl Framing {
    /// What holds before negotiation, and for every LCP packet that configures a link.
    pub const DEFAULT: Self = Self { accm: DEFAULT_ACCM, pfc: false, acfc: false };
}

impl Default for Framing {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The octets of one frame on the line. `frame` begins with a two-octet protocol field.
///
/// LCP packets that configure or end a link (codes 1 to 7) are always sent as if nothing had been agreed,
/// because the peer may have lost the agreement (RFC 1661 §6.5, §6.6; RFC 1662 §7).
#[must_use]
pub fn encode(frame: &[u8], framing: Framing) -> Vec<u8> {
    let configures_link = matches!(frame, [0xc0, 0x21, 1..=7, ..]);
    let framing = if configures_link { Framing::DEFAULT } else { framing };
    let mut plain = Vec::with_capacity(frame.len() + 4);
    if !framing.acfc || matches!(frame, [0xc0, 0x21, ..]) {
        plain.extend_from_slice(&[0xff, 0x03]);
    }
    match frame {
        [0x00, rest @ ..] if framing.pfc => plain.extend_from_slice(rest),
        _ => plain.extend_from_slice(frame),
    }
    let fcs = !fcs16(&plain);
    plain.extend_from_slice(&fcs.to_le_bytes());

    let mut line = Vec::with_capacity(plain.len() * 2 + 2);
    line.push(FLAG);
    for octet in plain {
        if octet == FLAG || octet == ESCAPE || is_flagged(framing.accm, octet) {
            line.extend_from_slice(&[ESCAPE, octet ^ 0x20]);
        } else {
            line.push(octet);
        }
    }
    line.push(FLAG);
    line
}

/// What was wrong with a frame that is not handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineFault {
    /// The frame check sequence disagrees.
    BadFcs,
    /// An escape followed by a flag: the sender took the frame back.
    Aborted,
    /// Fewer than four octets.
    Runt,
    /// More octets than a PPP frame can have.
    Overrun,
    /// Neither `ff 03` nor an agreed compression of it.
    BadAddress,
}

impl fmt::Display for LineFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadFcs => "bad frame check sequence",
            Self::Aborted => "frame aborted",
            Self::Runt => "frame too short",
            Self::Overrun => "frame too long",
            Self::BadAddress => "no address and control fields",
        })
    }
}

/// Takes a line's octets apart into frames.
#[derive(Clone, Debug)]
pub struct Decoder {
    is_strict: bool,
    receive_accm: u32,
    acfc: bool,
    octets: Vec<u8>,
    is_escaped: bool,
    is_overrun: bool,
}

impl Decoder {
    /// A decoder to the letter of RFC 1662.
    #[must_use]
    pub fn strict() -> Self {
        Self { is_strict: true, ..Self::lax() }
    }

    /// A decoder that takes unescaped control octets and missing address fields at any time.
    #[must_use]
    pub fn lax() -> Self {
        Self {
            is_strict: false,
            receive_accm: DEFAULT_ACCM,
            acfc: false,
            octets: Vec::new(),
            is_escaped: false,
            is_overrun: false,
        }
    }

    /// What this side told its peer, once the peer has agreed; [`Framing::DEFAULT`] before.
    pub fn expect(&mut self, framing: Framing) {
        self.receive_accm = framing.accm;
        self.acfc = framing.acfc;
    }

    /// Forgets a frame begun, as when a line drops.
    pub fn reset(&mut self) {
        self.octets.clear();
        self.is_escaped = false;
        self.is_overrun = false;
    }

    /// Takes one octet; at a closing flag gives the frame, protocol field first.
    ///
    /// # Errors
    /// Says what was wrong with the frame that ended here. Flags with nothing between are no frame.
    pub fn push(&mut self, octet: u8) -> Option<Result<Vec<u8>, LineFault>> {
        match octet {
            FLAG => self.finish(),
            // Put there by something on the way, such as XON/XOFF (RFC 1662 §4.2).
            _ if self.is_strict && is_flagged(self.receive_accm, octet) => None,
            ESCAPE => {
                self.is_escaped = true;
                None
            }
            _ => {
                let octet = if self.is_escaped { octet ^ 0x20 } else { octet };
                self.is_escaped = false;
                if self.octets.len() < MAX_FRAME {
                    self.octets.push(octet);
                } else {
                    self.is_overrun = true;
                }
                None
            }
        }
    }

    fn finish(&mut self) -> Option<Result<Vec<u8>, LineFault>> {
        let octets = std::mem::take(&mut self.octets);
        let (is_aborted, is_overrun) = (self.is_escaped, self.is_overrun);
        self.reset();
        if octets.is_empty() && !is_aborted {
            return None;
        }
        Some(if is_aborted {
            Err(LineFault::Aborted)
        } else if is_overrun {
            Err(LineFault::Overrun)
        } else if octets.len() < 4 {
            Err(LineFault::Runt)
        } else if fcs16(&octets) != GOOD_FCS {
            Err(LineFault::BadFcs)
        } else {
            self.undress(&octets[..octets.len() - 2])
        })
    }

    fn undress(&self, octets: &[u8]) -> Result<Vec<u8>, LineFault> {
        match octets {
            [0xff, 0x03, frame @ ..] => Ok(frame.to_vec()),
            _ if self.is_strict && !self.acfc => Err(LineFault::BadAddress),
            _ => Ok(octets.to_vec()),
        }
    }
}

fn is_flagged(accm: u32, octet: u8) -> bool {
    octet < 0x20 && accm & (1 << octet) != 0
}

/// The value over a whole frame with its FCS (RFC 1662 App. C.2).
const GOOD_FCS: u16 = 0xf0b8;

const FCS_TABLE: [u16; 256] = fcs_table();

const fn fcs_table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut value = index as u16;
        let mut bit = 0;
        while bit < 8 {
            // x^16 + x^12 + x^5 + 1, least significant bit first.
            value = if value & 1 == 1 { (value >> 1) ^ 0x8408 } else { value >> 1 };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
}

/// The running FCS after `octets`, not yet complemented.
fn fcs16(octets: &[u8]) -> u16 {
    octets
        .iter()
        .fold(0xffff, |fcs, octet| (fcs >> 8) ^ FCS_TABLE[usize::from((fcs ^ u16::from(*octet)) & 0xff)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(decoder: &mut Decoder, line: &[u8]) -> Vec<Result<Vec<u8>, LineFault>> {
        line.iter().filter_map(|octet| decoder.push(*octet)).collect()
    }

    #[test]
    fn the_fcs_is_the_published_one() {
        // CRC-16/X-25 of "123456789".
        assert_eq!(!fcs16(b"123456789"), 0x906e);
    }

    #[test]
    fn an_lcp_request_looks_as_it_does_on_every_line() {
        let frame = [0xc0, 0x21, 1, 1, 0, 4];
        let line = encode(&frame, Framing { accm: 0, pfc: true, acfc: true });
        assert_eq!(&line[..9], &[0x7e, 0xff, 0x7d, 0x23, 0xc0, 0x21, 0x7d, 0x21, 0x7d]);
        assert_eq!(decode(&mut Decoder::strict(), &line), [Ok(frame.to_vec())]);
    }

    #[test]
    fn a_strict_receiver_drops_control_octets_it_asked_to_have_escaped() {
        let frame = [0x00, 0x21, 0x11, 0x45];
        let bare = encode(&frame, Framing { accm: 0, ..Framing::DEFAULT });
        assert_eq!(decode(&mut Decoder::strict(), &bare), [Err(LineFault::BadFcs)]);
        assert_eq!(decode(&mut Decoder::lax(), &bare), [Ok(frame.to_vec())]);
        let mut agreed = Decoder::strict();
        agreed.expect(Framing { accm: 0, ..Framing::DEFAULT });
        assert_eq!(decode(&mut agreed, &bare), [Ok(frame.to_vec())]);
    }

    #[test]
    fn flow_control_on_the_way_does_not_harm_a_strict_receiver() {
        let frame = [0x80, 0x21, 1, 1, 0, 4];
        let mut line = encode(&frame, Framing::DEFAULT);
        line.insert(5, 0x13);
        line.insert(7, 0x11);
        assert_eq!(decode(&mut Decoder::strict(), &line), [Ok(frame.to_vec())]);
        assert_eq!(decode(&mut Decoder::lax(), &line), [Err(LineFault::BadFcs)]);
    }

    #[test]
    fn a_strict_receiver_wants_the_address_until_it_agreed_otherwise() {
        let compressed = Framing { accm: DEFAULT_ACCM, pfc: true, acfc: true };
        let line = encode(&[0x00, 0x21, 0x45, 0x00], compressed);
        assert_eq!(decode(&mut Decoder::strict(), &line), [Err(LineFault::BadAddress)]);
        let mut agreed = Decoder::strict();
        agreed.expect(compressed);
        assert_eq!(decode(&mut agreed, &line), [Ok(vec![0x21, 0x45, 0x00])]);
    }

    #[test]
    fn each_fault_has_its_name_and_none_harms_the_next_frame() {
        let good = encode(&[0xc0, 0x21, 9, 1, 0, 4], Framing::DEFAULT);
        let mut line = vec![FLAG, FLAG, 1 + 0x40, ESCAPE, FLAG, 0x41, 0x42, FLAG];
        line.extend(std::iter::repeat_n(0x55, MAX_FRAME + 1));
        line.extend_from_slice(&good);
        assert_eq!(
            decode(&mut Decoder::lax(), &line),
            [
                Err(LineFault::Aborted),
                Err(LineFault::Runt),
                Err(LineFault::Overrun),
                Ok(vec![0xc0, 0x21, 9, 1, 0, 4])
            ]
        );
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(
            body in proptest::collection::vec(any::<u8>(), 0..200),
            accm in any::<u32>(),
            acfc in any::<bool>(),
            strict in any::<bool>(),
        ) {
            let mut frame = vec![0x00, 0x57];
            frame.extend(body);
            let framing = Framing { accm, pfc: false, acfc };
            let mut decoder = if strict { Decoder::strict() } else { Decoder::lax() };
            decoder.expect(framing);
            prop_assert_eq!(decode(&mut decoder, &encode(&frame, framing)), vec![Ok(frame)]);
        }
    }
}

//! The framing once more, octet by octet and with the table of RFC 1662 appendix C: what the codec is
//! compared with, by the tests in result and by the benchmark in speed.
//!
//! Nothing but the standard library is used, so that the benchmark can include this file.

/// The value of the frame check sequence after `octets`.
pub(crate) fn fcs(octets: &[u8]) -> u16 {
    octets.iter().fold(0xffff, |fcs, octet| next(fcs, *octet))
}

fn next(fcs: u16, octet: u8) -> u16 {
    fcs >> 8 ^ TABLE[usize::from(fcs as u8 ^ octet)]
}

static TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut value = index as u16;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { value >> 1 ^ 0x8408 } else { value >> 1 };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
};

/// Frames `ppp` for a line that escapes what `accm` flags, nothing compressed, and says how long it is.
pub(crate) fn encode(ppp: &[u8], accm: u32, out: &mut [u8]) -> usize {
    let mut fcs = 0xffff;
    let mut end = 1;
    out[0] = 0x7e;
    for octet in [0xff, 0x03].iter().chain(ppp) {
        fcs = next(fcs, *octet);
        end = stuff(*octet, accm, out, end);
    }
    for octet in (!fcs).to_le_bytes() {
        end = stuff(octet, accm, out, end);
    }
    out[end] = 0x7e;
    end + 1
}

fn stuff(octet: u8, accm: u32, out: &mut [u8], end: usize) -> usize {
    if octet == 0x7d || octet == 0x7e || (octet < 0x20 && accm >> octet & 1 == 1) {
        out[end] = 0x7d;
        out[end + 1] = octet ^ 0x20;
        end + 2
    } else {
        out[end] = octet;
        end + 1
    }
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Good,
    BadFcs,
    Aborted,
    Short,
    Oversized,
    BadAddressOrControl,
    BadProtocolField,
}

/// Takes octets one by one. It removes no control octets.
pub(crate) struct Decoder {
    pub(crate) frame: [u8; 2048],
    len: usize,
    stuffed_len: usize,
    fcs: u16,
    escaping: bool,
    framed: bool,
}

impl Decoder {
    pub(crate) fn new() -> Self {
        Self { frame: [0; 2048], len: 0, stuffed_len: 0, fcs: 0xffff, escaping: false, framed: false }
    }

    /// `Some` if `octet` ends a frame: what became of it, and the fields of a good one.
    pub(crate) fn take(&mut self, octet: u8) -> Option<(Verdict, &[u8])> {
        if octet == 0x7e {
            let (len, stuffed_len) = (self.len, self.stuffed_len);
            let (fcs, escaping, framed) = (self.fcs, self.escaping, self.framed);
            (self.len, self.stuffed_len, self.fcs, self.escaping, self.framed) = (0, 0, 0xffff, false, true);
            if stuffed_len == 0 {
                return None;
            }
            let verdict = if stuffed_len > 4096 {
                // Said when it happened.
                return None;
            } else if len > self.frame.len() {
                Verdict::Oversized
            } else if escaping {
                Verdict::Aborted
            } else if len < 4 {
                Verdict::Short
            } else if fcs != 0xf0b8 {
                Verdict::BadFcs
            } else {
                judge(&self.frame[..len - 2])
            };
            if verdict != Verdict::Good && !framed {
                return None;
            }
            return Some((verdict, &self.frame[..len.clamp(2, 2048) - 2]));
        }
        self.stuffed_len += 1;
        if self.stuffed_len == 4097 {
            return self.framed.then_some((Verdict::Oversized, &[]));
        }
        if octet == 0x7d && !self.escaping {
            self.escaping = true;
            return None;
        }
        let octet = if self.escaping { octet ^ 0x20 } else { octet };
        self.escaping = false;
        if let Some(place) = self.frame.get_mut(self.len) {
            *place = octet;
        }
        self.len += 1;
        self.fcs = next(self.fcs, octet);
        None
    }
}

fn judge(fields: &[u8]) -> Verdict {
    let protocol = match fields {
        [0xff, 0x03, rest @ ..] => rest,
        [0xff, ..] => return Verdict::BadAddressOrControl,
        rest => rest,
    };
    match protocol {
        [first, ..] if first & 1 == 1 => Verdict::Good,
        [_, second, ..] if second & 1 == 1 => Verdict::Good,
        _ => Verdict::BadProtocolField,
    }
}

/// The PPP frame in the fields of a good frame, its protocol field of two octets.
pub(crate) fn ppp(fields: &[u8]) -> std::vec::Vec<u8> {
    let protocol = fields.strip_prefix(&[0xff, 0x03]).unwrap_or(fields);
    let high: &[u8] = if protocol[0] & 1 == 1 { &[0] } else { &[] };
    [high, protocol].concat()
}

//! Has the far end begun to speak PPP?

use super::{ADDRESS, CONTROL, ESCAPE, ESCAPED_BIT, FLAG, LCP};

/// Watches what a modem says during its chat for the beginning of an LCP frame.
///
/// However the sender escapes it, a frame that begins with FLAG, address, control and the protocol number of
/// LCP is recognised, among others `7e ff 03 c0 21`, `7e ff 7d 23 c0 21` and `7e 7d df 7d 23 c0 21`, and across
/// any split of the octets.
#[derive(Clone, Copy, Debug, Default)]
pub struct PppStartDetector {
    /// The octets of the beginning seen so far.
    seen: usize,
    escaping: bool,
}

impl PppStartDetector {
    /// The recognised octets in the form every receiver takes. To lose nothing of the frame, give these to a
    /// deframer, then what [`find`](Self::find) returned.
    pub const START: [u8; 6] = [FLAG, ADDRESS, ESCAPE, CONTROL ^ ESCAPED_BIT, LCP[0], LCP[1]];

    /// Nothing seen yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { seen: 0, escaping: false }
    }

    /// Whether PPP has begun: if so, the octets after the recognised ones.
    pub fn find<'a>(&mut self, octets: &'a [u8]) -> Option<&'a [u8]> {
        let mut octets = octets;
        while let Some((octet, rest)) = octets.split_first() {
            octets = rest;
            self.see(*octet);
            if self.seen == BEGINNING.len() {
                *self = Self::new();
                return Some(octets);
            }
        }
        None
    }

    fn see(&mut self, octet: u8) {
        if octet == FLAG {
            *self = Self { seen: 1, escaping: false };
        } else if self.seen > 0 && octet == ESCAPE && !self.escaping {
            self.escaping = true;
        } else {
            let plain = if self.escaping { octet ^ ESCAPED_BIT } else { octet };
            let fits = self.seen > 0 && BEGINNING.get(self.seen) == Some(&plain);
            *self = Self { seen: if fits { self.seen + 1 } else { 0 }, escaping: false };
        }
    }
}

/// How every LCP frame begins once stuffing is removed.
const BEGINNING: [u8; 5] = [FLAG, ADDRESS, CONTROL, LCP[0], LCP[1]];

#[cfg(test)]
mod tests {
    use super::*;

    const FORMS: [&[u8]; 3] =
        [b"\x7e\xff\x03\xc0\x21", b"\x7e\xff\x7d\x23\xc0\x21", b"\x7e\x7d\xdf\x7d\x23\xc0\x21"];

    #[test]
    fn every_usual_form_is_recognised_across_any_split() {
        for form in FORMS.into_iter().chain([PppStartDetector::START.as_slice()]) {
            let mut said = b"\r\nCONNECT 115200\r\n\x7e\xff\x7d".to_vec();
            said.extend(form);
            said.extend([0x01, 0x01]);
            for at in 0..said.len() - 2 {
                let mut detector = PppStartDetector::new();
                let (before, after) = said.split_at(at);
                assert_eq!(detector.find(before), None);
                assert_eq!(detector.find(after), Some([0x01, 0x01].as_slice()));
            }
        }
    }

    #[test]
    fn text_and_other_protocols_are_not() {
        for said in [
            b"CONNECT 9600\r\nlogin: ".as_slice(),
            b"\xff\x03\xc0\x21",
            b"\x7e\xff\x03\x00\x21",
            b"\x7e\xff\x7d\x7e\x03\xc0\x21",
            b"\x7e\x7e\x03\xc0\x21",
            b"\x7e\xff\x03\xc0\x20\x21",
        ] {
            assert_eq!(PppStartDetector::new().find(said), None, "{said:02x?}");
        }
    }
}

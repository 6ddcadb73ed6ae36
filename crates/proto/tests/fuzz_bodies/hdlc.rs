//! Framing: against the oracle, and there and back.

use super::choices::Choices;
use super::oracle::{self, Verdict};
use bridge_proto::hdlc::{
    Accm, Deframer, ESCAPE, ExtraEscapes, FLAG, FrameError, Framer, MAX_FRAME, PppStartDetector,
};

type Received = Vec<Result<Vec<u8>, FrameError>>;

/// What comes from a line, in pieces of any length.
pub fn deframer(octets: &[u8]) {
    let mut choices = Choices::new(octets);
    let accm = if choices.flag() { Accm(choices.u32()) } else { Accm::NONE };
    let cuts: [u8; 4] = choices.array();
    let line = choices.rest();

    let in_pieces = deframe(accm, line, &cuts);
    assert_eq!(in_pieces, deframe(accm, line, &[0]), "a split changes something");
    if accm == Accm::NONE {
        assert_eq!(in_pieces, oracle_deframe(line));
    }
    // A bad frame never harms the next.
    let ppp = b"\x00\x21next\x7e\x7d\x11";
    let followed = [line, &frame(&Framer::default(), ppp)].concat();
    assert_eq!(deframe(accm, &followed, &cuts).last(), Some(&Ok(ppp.to_vec())));

    let mut detector = PppStartDetector::new();
    let whole = detector.find(line).map(<[u8]>::len);
    assert_eq!(whole, find_start_octet_by_octet(line));
}

/// What comes out of the framer goes into the deframer.
pub fn framer(octets: &[u8]) {
    let mut choices = Choices::new(octets);
    let mut extra = ExtraEscapes::NONE;
    for octet in choices.array::<2>() {
        let _ = extra.insert(octet);
    }
    let mut framer = Framer::new(extra);
    let accm = Accm(choices.u32());
    framer.set_accm(accm);
    framer.set_compression(choices.flag(), choices.flag());
    let cuts: [u8; 2] = choices.array();
    let ppp = choices.rest();

    let line = frame(&framer, ppp);
    assert_eq!(framer.encode(ppp, &mut vec![0; line.len() - 1]), None, "half a frame");
    let inside = &line[1..line.len() - 1];
    assert!(!inside.contains(&FLAG));
    let mut plain = inside.to_vec();
    while let Some(escape) = plain.iter().position(|octet| *octet == ESCAPE) {
        plain.drain(escape..escape + 2);
    }
    assert!(!plain.iter().any(|octet| accm.escapes(*octet) || extra.contains(*octet)));
    let is_a_frame = matches!(ppp, [high, low, ..] if high % 2 == 0 && low % 2 == 1);
    if is_a_frame && ppp.len() + 4 <= MAX_FRAME {
        assert_eq!(deframe(accm, &line, &cuts), [Ok(ppp.to_vec())]);
        assert_eq!(deframe(Accm::ALL, &line, &cuts).len(), 1);
    }
}

fn frame(framer: &Framer, ppp: &[u8]) -> Vec<u8> {
    let mut line = vec![0; Framer::max_encoded_len(ppp.len())];
    let length = framer.encode(ppp, &mut line).unwrap();
    line.truncate(length);
    line
}

/// All that a deframer finds in the line, given in pieces of these lengths in turn; 0 means all at once.
fn deframe(accm: Accm, line: &[u8], cuts: &[u8]) -> Received {
    let mut deframer = Deframer::new();
    deframer.set_receive_accm(accm);
    let mut received = Vec::new();
    let mut rest = line;
    for cut in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let length = if *cut == 0 { rest.len() } else { rest.len().min(usize::from(*cut)) };
        let (mut piece, after) = rest.split_at(length);
        while let Some(result) = deframer.next_frame(&mut piece) {
            match result {
                Ok(frame) => {
                    let ppp = frame.ppp().to_vec();
                    assert_eq!(
                        frame.prepend(b"20 octets of header."),
                        [b"20 octets of header.", &ppp[..]].concat()
                    );
                    received.push(Ok(ppp));
                }
                Err(bad) => received.extend(std::iter::repeat_n(Err(bad.error), bad.count)),
            }
        }
        assert!(piece.is_empty(), "octets left");
        rest = after;
    }
    received
}

fn oracle_deframe(line: &[u8]) -> Received {
    let mut decoder = oracle::Decoder::new();
    let mut received = Vec::new();
    for octet in line {
        if let Some((verdict, fields)) = decoder.take(*octet) {
            received.push(match verdict {
                Verdict::Good => Ok(oracle::ppp(fields)),
                Verdict::BadFcs => Err(FrameError::BadFcs),
                Verdict::Aborted => Err(FrameError::Aborted),
                Verdict::Short => Err(FrameError::Short),
                Verdict::Oversized => Err(FrameError::Oversized),
                Verdict::BadAddressOrControl => Err(FrameError::BadAddressOrControl),
                Verdict::BadProtocolField => Err(FrameError::BadProtocolField),
            });
        }
    }
    received
}

fn find_start_octet_by_octet(line: &[u8]) -> Option<usize> {
    let mut detector = PppStartDetector::new();
    let end = line.iter().position(|octet| detector.find(&[*octet]).is_some())?;
    Some(line.len() - end - 1)
}

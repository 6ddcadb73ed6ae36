//! A small AT console: lines in, the modem's words out.

use super::port::{Port, Woken, now};
use bridge_proto::time::Instant;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Whoever types sees the answers; after the last line the modem gets so long for one.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// A line of a file waits so long for the answer to the one before.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);

/// Who says when the next line is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Whoever types it: at once.
    Person,
    /// The modem: when it has answered the one before.
    File,
}

/// Sends what comes from `input`, a line at a time, and shows what the modem says, until the input ends and the
/// modem has had its say.
///
/// # Errors
/// The line, or the screen, fails.
pub(super) fn talk(
    port: &mut Port,
    input: impl Read + Send + 'static,
    pace: Pace,
    screen: &mut impl Write,
    call: &mut Call,
) -> Result<(), String> {
    let mut lines = in_the_background(input).map_err(|error| format!("cannot read lines: {error}"))?;
    let (mut unsent, mut has_ended, mut is_watched) = (Unsent::default(), false, false);
    // Until then the answer to the last line is waited for.
    let mut answer_due: Option<Instant> = None;
    loop {
        while pace == Pace::Person || answer_due.is_none() {
            let Some(line) = unsent.next_line(has_ended) else { break };
            let commands = as_commands(&line);
            call.say(&commands);
            port.send(&commands);
            answer_due = (!commands.trim_ascii().is_empty()).then(|| now() + LONGEST_ANSWER).or(answer_due);
        }
        if has_ended && answer_due.is_none() {
            return Ok(());
        }
        let wants_more = !has_ended && !unsent.has_line();
        if wants_more != is_watched {
            if wants_more {
                port.watch(&lines)?;
            } else {
                port.unwatch(&lines);
            }
            is_watched = wants_more;
        }
        match port.wait(answer_due)? {
            Woken::Octets(octets) => {
                if call.hear(&octets) {
                    answer_due = None;
                }
                show(screen, &octets).map_err(|error| error.to_string())?;
            }
            Woken::Time => answer_due = None,
            Woken::Interrupted => return Ok(()),
            Woken::Other if !is_watched => {}
            Woken::Other => {
                let mut typed = [0; Unsent::LONGEST_LINE];
                match lines.read(&mut typed) {
                    Ok(0) => {
                        has_ended = true;
                        if pace == Pace::Person {
                            answer_due = answer_due.map(|_| now() + LAST_WORDS);
                        }
                    }
                    Ok(len) => unsent.0.extend_from_slice(typed.get(..len).unwrap_or_default()),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error.to_string()),
                }
            }
        }
    }
}

/// What was read and not yet sent.
#[derive(Debug, Default)]
struct Unsent(Vec<u8>);

impl Unsent {
    /// What is longer is not sent as a whole.
    const LONGEST_LINE: usize = 1024;

    fn has_line(&self) -> bool {
        self.0.contains(&b'\n') || self.0.len() >= Self::LONGEST_LINE
    }

    /// The next line with its end, which the last one may lack.
    fn next_line(&mut self, has_ended: bool) -> Option<Vec<u8>> {
        let end = match self.0.iter().position(|octet| *octet == b'\n') {
            Some(last) => last + 1,
            None if has_ended || self.has_line() => self.0.len(),
            None => 0,
        };
        (end > 0).then(|| self.0.drain(..end).collect())
    }
}

/// What has become of a call, as far as the words on the line tell.
#[derive(Debug, Default)]
pub(super) struct Call {
    typed: Vec<u8>,
    heard: Vec<u8>,
    /// The last command was one that hangs up.
    is_ending: bool,
    is_up: bool,
    has_said: bool,
    has_heard: bool,
}

impl Call {
    /// No word that tells of a call is longer.
    const LONGEST_WORD: usize = 16;

    /// Whether the modem may be connected.
    pub(super) const fn is_up(&self) -> bool {
        self.is_up
    }

    /// Whether something was said to the modem, and never an octet came back.
    pub(super) const fn is_unanswered(&self) -> bool {
        self.has_said && !self.has_heard
    }

    fn say(&mut self, commands: &[u8]) {
        self.has_said = true;
        for &octet in commands {
            if octet != b'\r' {
                self.typed.extend((self.typed.len() < Self::LONGEST_WORD).then_some(octet));
                continue;
            }
            let command = self.typed.trim_ascii().to_ascii_uppercase();
            self.is_ending = command.starts_with(b"ATH") || command.starts_with(b"ATZ");
            self.typed.clear();
        }
    }

    /// Says whether a command was answered to the end.
    fn hear(&mut self, octets: &[u8]) -> bool {
        self.has_heard |= !octets.is_empty();
        let mut is_answered = false;
        for &octet in octets {
            if !matches!(octet, b'\r' | b'\n') {
                self.heard.extend((self.heard.len() < Self::LONGEST_WORD).then_some(octet));
                continue;
            }
            self.is_up = match self.heard.as_slice() {
                [b'C', b'O', b'N', b'N', b'E', b'C', b'T', ..] => true,
                b"NO CARRIER" => false,
                b"OK" if self.is_ending => false,
                _ => self.is_up,
            };
            is_answered |= is_final(&self.heard);
            self.heard.clear();
        }
        is_answered
    }
}

/// Whether nothing more comes after this line of an answer (V.250 §5.7.1, 3GPP TS 27.005 and 27.007).
fn is_final(line: &[u8]) -> bool {
    const ALONE: [&[u8]; 7] =
        [b"OK", b"ERROR", b"NO CARRIER", b"BUSY", b"NO ANSWER", b"NO DIALTONE", b"NO DIAL TONE"];
    const WITH_MORE: [&[u8]; 3] = [b"CONNECT", b"+CME ERROR", b"+CMS ERROR"];
    ALONE.contains(&line) || WITH_MORE.iter().any(|word| line.starts_with(word))
}

/// Standard input may be a file, which cannot be waited for: a thread makes a socket of it.
fn in_the_background(mut input: impl Read + Send + 'static) -> io::Result<UnixStream> {
    let (near, mut far) = UnixStream::pair()?;
    near.set_nonblocking(true)?;
    // It may wait for a key for ever, and ends with the program.
    std::thread::Builder::new().name("lines".into()).spawn(move || {
        let _ = io::copy(&mut input, &mut far);
    })?;
    Ok(near)
}

/// A command line ends in CR.
fn as_commands(typed: &[u8]) -> Vec<u8> {
    typed.iter().map(|octet| if *octet == b'\n' { b'\r' } else { *octet }).collect()
}

/// Shows what a modem says, but nothing that a terminal would obey.
fn show(screen: &mut impl Write, octets: &[u8]) -> io::Result<()> {
    for octet in octets {
        match octet {
            b'\r' => {}
            b'\n' | b'\t' | b' '..=b'~' => screen.write_all(&[*octet])?,
            other => write!(screen, "\\x{other:02x}")?,
        }
    }
    screen.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_up_from_connect_to_its_end() {
        let mut call = Call::default();
        let heard = |call: &mut Call, words: &[u8]| {
            call.hear(words);
            call.is_up()
        };
        assert!(!heard(&mut call, b"ATD*99#\r\r\nCONN"));
        assert!(heard(&mut call, b"ECT 9600\r\n"));
        assert!(!heard(&mut call, b"~\x7f}#garbage\r\nNO CARRIER\r\n"));
        assert!(heard(&mut call, b"\r\nCONNECT\r\n"));
        call.say(b"AT\r");
        assert!(heard(&mut call, b"\r\nOK\r\n"), "it was on hold");
        call.say(b"at");
        call.say(b"h0\r");
        assert!(!heard(&mut call, b"ath0\r\r\nOK\r\n"));
    }

    #[test]
    fn a_command_is_answered_when_a_final_result_code_came() {
        let mut call = Call::default();
        assert!(!call.is_unanswered(), "nobody has asked");
        call.say(b"ATI\r");
        assert!(call.is_unanswered());
        assert!(!call.hear(b"ATI\r\r\nAcme OK\r\n+CREG: 1\r\nO"));
        assert!(!call.is_unanswered());
        assert!(call.hear(b"K\r\n"));
        for code in ["ERROR", "NO CARRIER", "CONNECT 9600", "NO DIALTONE", "+CME ERROR: SIM PIN required"] {
            assert!(call.hear(format!("\r\n{code}\r\n").as_bytes()), "{code}");
        }
    }

    #[test]
    fn lines_are_sent_one_by_one_and_the_last_as_it_is() {
        let mut unsent = Unsent(b"AT\n\nAT".to_vec());
        assert_eq!(unsent.next_line(false).as_deref(), Some(&b"AT\n"[..]));
        assert_eq!(unsent.next_line(false).as_deref(), Some(&b"\n"[..]));
        assert_eq!(unsent.next_line(false), None);
        assert_eq!(unsent.next_line(true).as_deref(), Some(&b"AT"[..]));
        assert_eq!(unsent.next_line(true), None);
    }

    #[test]
    fn lines_become_commands_and_answers_become_harmless() {
        assert_eq!(as_commands(b"ATI\nAT\n"), b"ATI\rAT\r");
        let mut screen = Vec::new();
        show(&mut screen, b"ATI\r\r\nAcme\x1b[2J\xff\r\nOK\r\n").unwrap();
        assert_eq!(screen, b"ATI\nAcme\\x1b[2J\\xff\nOK\n");
    }
}

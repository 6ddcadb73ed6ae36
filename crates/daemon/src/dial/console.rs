//! A small AT console: lines in, the modem's words out.

use super::port::{Port, Woken, now};
use bridge_proto::time::Instant;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// After the last line a modem gets so long to begin, or to go on with, its answer.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Sends what comes from `input`, a line at a time, and shows what the modem says, until the input ends and the
/// modem has had its say.
///
/// # Errors
/// The line, or the screen, fails.
pub(super) fn talk(
    port: &mut Port,
    input: impl Read + Send + 'static,
    screen: &mut impl Write,
    call: &mut Call,
) -> Result<(), String> {
    let mut lines = in_the_background(input).map_err(|error| format!("cannot read lines: {error}"))?;
    port.watch(&lines)?;
    let mut ending: Option<Instant> = None;
    loop {
        match port.wait(ending)? {
            Woken::Octets(octets) => {
                call.hear(&octets);
                show(screen, &octets).map_err(|error| error.to_string())?;
                ending = ending.map(|_| now() + LAST_WORDS);
            }
            Woken::Time | Woken::Interrupted => return Ok(()),
            Woken::Other if ending.is_some() => {}
            Woken::Other => {
                let mut typed = [0; 1024];
                match lines.read(&mut typed) {
                    Ok(0) => {
                        port.unwatch(&lines);
                        ending = Some(now() + LAST_WORDS);
                    }
                    Ok(len) => {
                        let commands = as_commands(typed.get(..len).unwrap_or_default());
                        call.say(&commands);
                        port.send(&commands);
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error.to_string()),
                }
            }
        }
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
}

impl Call {
    /// No word that tells of a call is longer.
    const LONGEST_WORD: usize = 16;

    /// Whether the modem may be connected.
    pub(super) const fn is_up(&self) -> bool {
        self.is_up
    }

    fn say(&mut self, commands: &[u8]) {
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

    fn hear(&mut self, octets: &[u8]) {
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
            self.heard.clear();
        }
    }
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
    fn lines_become_commands_and_answers_become_harmless() {
        assert_eq!(as_commands(b"ATI\nAT\n"), b"ATI\rAT\r");
        let mut screen = Vec::new();
        show(&mut screen, b"ATI\r\r\nAcme\x1b[2J\xff\r\nOK\r\n").unwrap();
        assert_eq!(screen, b"ATI\nAcme\\x1b[2J\\xff\nOK\n");
    }
}

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
) -> Result<(), String> {
    let mut lines = in_the_background(input).map_err(|error| format!("cannot read lines: {error}"))?;
    port.watch(&lines)?;
    let mut ending: Option<Instant> = None;
    loop {
        match port.wait(ending)? {
            Woken::Octets(octets) => {
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
                    Ok(len) => port.send(&as_commands(typed.get(..len).unwrap_or_default())),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error.to_string()),
                }
            }
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
    fn lines_become_commands_and_answers_become_harmless() {
        assert_eq!(as_commands(b"ATI\nAT\n"), b"ATI\rAT\r");
        let mut screen = Vec::new();
        show(&mut screen, b"ATI\r\r\nAcme\x1b[2J\xff\r\nOK\r\n").unwrap();
        assert_eq!(screen, b"ATI\nAcme\\x1b[2J\\xff\nOK\n");
    }
}

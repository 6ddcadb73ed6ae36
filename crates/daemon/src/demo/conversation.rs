//! [`Conversation`]: what bridge and modem say to each other until the call stands.

use bridge_proto::time::Instant;

/// A command and what the modem said to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exchange {
    pub(super) command: String,
    pub(super) answer: String,
    pub(super) asked: Instant,
    pub(super) answered: Instant,
}

/// The commands of one call, up to CONNECT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conversation {
    exchanges: Vec<Exchange>,
    line: Vec<u8>,
    connected: Option<Instant>,
}

impl Conversation {
    /// What has been said so far.
    pub(super) fn exchanges(&self) -> &[Exchange] {
        &self.exchanges
    }

    /// When the modem said CONNECT.
    pub(super) fn connected(&self) -> Option<Instant> {
        self.connected
    }

    /// The modem was given a command line.
    pub(super) fn on_command(&mut self, now: Instant, command: String) {
        self.exchanges.push(Exchange { command, answer: String::new(), asked: now, answered: now });
    }

    /// The modem sends octets; gives those behind CONNECT, which are frames.
    pub(super) fn on_octets<'a>(&mut self, now: Instant, octets: &'a [u8]) -> &'a [u8] {
        let mut rest = octets;
        while let Some((octet, behind)) = rest.split_first().filter(|_| self.connected.is_none()) {
            rest = behind;
            self.line.push(*octet);
            if *octet == b'\n' {
                let line = std::mem::take(&mut self.line);
                self.on_line(now, String::from_utf8_lossy(&line).trim());
            }
        }
        rest
    }

    fn on_line(&mut self, now: Instant, line: &str) {
        let Some(exchange) = self.exchanges.last_mut() else { return };
        // The modem repeats what is typed until ATE0.
        if line.is_empty() || line == exchange.command {
            return;
        }
        if !exchange.answer.is_empty() {
            exchange.answer.push(' ');
        }
        exchange.answer.push_str(line);
        exchange.answered = now;
        if line.starts_with("CONNECT") {
            self.connected = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_kept_with_their_commands_and_frames_are_left_alone() {
        let mut conversation = Conversation::default();
        let (asked, answered) = (Instant::from_millis(1), Instant::from_millis(2));
        conversation.on_command(asked, "ATZ".into());
        assert_eq!(conversation.on_octets(answered, b"ATZ\r\r\nO"), b"");
        assert_eq!(conversation.on_octets(answered, b"K\r\n"), b"");
        conversation.on_command(asked, "ATD1".into());
        assert_eq!(conversation.on_octets(answered, b"\r\nCONNECT 9600\r\n\x7e\xff\n"), b"\x7e\xff\n");
        assert_eq!(conversation.on_octets(answered, b"\n\x7e"), b"\n\x7e");
        assert_eq!(conversation.connected(), Some(answered));
        let answers: Vec<_> = conversation.exchanges().iter().map(|it| it.answer.as_str()).collect();
        assert_eq!(answers, ["OK", "CONNECT 9600"]);
    }
}

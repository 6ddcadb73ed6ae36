//! The AT commands a data call needs, as far as a fake must know them (ITU-T V.250, 3GPP TS 27.007).

/// One command of a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// `Z` or `&F`: as it was when switched on.
    Reset,
    /// `E`: whether what is typed is sent back.
    Echo(bool),
    /// `H`: hang up.
    HangUp,
    /// `O`: back into a call that was escaped from.
    Online,
    /// `D`: call this number; what it names a call of is the far end's business.
    Dial(String),
    /// `+CPIN?`: is a PIN wanted?
    AskPin,
    /// `+CPIN=`: here it is.
    EnterPin(String),
    /// `+CFUN=1,1`: begin anew.
    Restart,
    /// `+CFUN=`: radio on (1) or off (0, 4).
    Radio(bool),
    /// Something with an answer before the OK.
    Ask(&'static str),
    /// Something that changes nothing here.
    Accepted,
    /// Nothing this modem knows.
    Unknown,
}

/// The commands in a line; `None` if it does not begin with `AT`.
pub(super) fn parse_line(line: &str) -> Option<Vec<Command>> {
    let upper = line.trim().to_ascii_uppercase();
    let mut rest = upper.strip_prefix("AT")?;
    let mut commands = Vec::new();
    while let Some(first) = rest.chars().next() {
        let behind = &rest[first.len_utf8()..];
        match first {
            ' ' | ';' => rest = behind,
            // All that follows is the number.
            'D' => {
                commands.push(Command::Dial(behind.to_owned()));
                break;
            }
            '+' | '^' | '$' | '%' => {
                let end = rest.find(';').unwrap_or(rest.len());
                commands.push(extended(&rest[..end]));
                rest = &rest[end..];
            }
            _ => {
                let (command, remains) = basic(first, behind);
                let is_unknown = command == Command::Unknown;
                commands.push(command);
                if is_unknown {
                    break;
                }
                rest = remains;
            }
        }
    }
    Some(commands)
}

/// A letter with its number, and what follows it.
fn basic(letter: char, behind: &str) -> (Command, &str) {
    if letter == '&' {
        let mut chars = behind.chars();
        let command = match chars.next() {
            Some('F') => Command::Reset,
            Some(_) => Command::Accepted,
            None => Command::Unknown,
        };
        return (command, number(chars.as_str()).1);
    }
    let (value, rest) = number(behind);
    match letter {
        'Z' => (Command::Reset, rest),
        'E' => (Command::Echo(value != Some(0)), rest),
        'H' => (Command::HangUp, rest),
        'O' => (Command::Online, rest),
        // S-registers are set as in S7=60.
        'S' => (Command::Accepted, number(rest.strip_prefix('=').unwrap_or(rest)).1),
        'I' | 'L' | 'M' | 'Q' | 'V' | 'X' => (Command::Accepted, rest),
        _ => (Command::Unknown, rest),
    }
}

fn number(text: &str) -> (Option<u32>, &str) {
    let end = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    (text[..end].parse().ok(), &text[end..])
}

fn extended(command: &str) -> Command {
    if let Some(pin) = command.strip_prefix("+CPIN=") {
        return Command::EnterPin(pin.trim_matches('"').to_owned());
    }
    if command == "+CFUN=1,1" {
        return Command::Restart;
    }
    if let Some(level) = command.strip_prefix("+CFUN=") {
        return Command::Radio(level.starts_with('1'));
    }
    match command {
        "+CPIN?" => Command::AskPin,
        "+CFUN?" => Command::Ask("+CFUN: 1"),
        "+CSQ" => Command::Ask("+CSQ: 21,99"),
        "+CREG?" => Command::Ask("+CREG: 0,1"),
        "+CGREG?" => Command::Ask("+CGREG: 0,1"),
        "+CGATT?" => Command::Ask("+CGATT: 1"),
        _ if command.starts_with("+CGDCONT") || command.starts_with("+CGATT=") => Command::Accepted,
        // Makers' own commands: sticks take a great many of them.
        _ if command.starts_with(['^', '$', '%']) => Command::Accepted,
        _ => Command::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_hold_several_commands() {
        let commands = parse_line("ate0v1&D2s7=60+CGDCONT=1,\"IP\",\"a;b").unwrap();
        assert_eq!(commands[0], Command::Echo(false));
        assert_eq!(commands[1..5], vec![Command::Accepted; 4]);
        assert_eq!(parse_line("AT+CFUN=1;+CPIN?"), Some(vec![Command::Radio(true), Command::AskPin]));
        assert_eq!(parse_line("AT"), Some(Vec::new()));
        assert_eq!(parse_line("hello"), None);
    }

    #[test]
    fn all_behind_a_dial_is_its_number() {
        assert_eq!(parse_line("ATD*99***1#"), Some(vec![Command::Dial("*99***1#".to_owned())]));
        assert_eq!(parse_line("ATH0DT555"), Some(vec![Command::HangUp, Command::Dial("T555".to_owned())]));
    }

    #[test]
    fn what_is_unknown_ends_a_line() {
        assert_eq!(parse_line("AT+NONSENSE"), Some(vec![Command::Unknown]));
        assert_eq!(parse_line("ATYE0"), Some(vec![Command::Unknown]));
    }
}

//! The command line: that of the program this one replaces, and options for what it could not do.

use crate::config::DEFAULT_PATH;
use crate::control::client::{DisconnectArguments, ServiceArguments, StatusArguments};
use crate::dial::DialArguments;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Makes serial modems available as PPPoE access concentrators.
///
/// Answers PPPoE discovery, dials a modem when a host asks for a session, and carries its PPP frames both
/// ways. What is served where is in the configuration file, or, for one modem, said by DEVICE, SERVICE and
/// INTERFACE.
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    override_usage = "\
pppoe-serial-bridge --chatscript=FILE [OPTIONS] DEVICE SERVICE INTERFACE
       pppoe-serial-bridge --connect=COMMAND [OPTIONS] DEVICE SERVICE INTERFACE
       pppoe-serial-bridge [--config=FILE] [--log-level=LOG_LEVEL] [--control=PATH]
       pppoe-serial-bridge COMMAND",
    after_help = "Try it without any hardware: pppoe-serial-bridge demo"
)]
pub struct Arguments {
    /// Anything but running the bridge.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Configuration file, or directory of them; also used are those in NAME.d beside NAME.toml
    #[arg(long, value_name = "FILE", default_value = DEFAULT_PATH, conflicts_with = "BridgeArguments")]
    pub config: PathBuf,
    /// How much to log [default: as configured, else info]
    #[arg(long, value_enum)]
    pub log_level: Option<LogLevel>,
    /// Listen for `status`, `disconnect`, `drain` and `resume` at this socket
    /// [default: /run/pppoe-serial-bridge/control, where that is possible]
    #[arg(long, value_name = "PATH")]
    pub control: Option<PathBuf>,
    /// One modem, served without a configuration file.
    #[command(flatten)]
    pub bridge: BridgeArguments,
}

impl Arguments {
    /// What these words say, the program's name being the first.
    ///
    /// # Errors
    /// What is wrong with them, or the help that was asked for.
    pub fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let words: Vec<OsString> = words.into_iter().collect();
        Self::try_parse_from(&words).map_err(|error| {
            if let Some(word) = superfluous(&error) {
                let what = format!(
                    "nothing is expected behind DEVICE, SERVICE and INTERFACE, but there is '{word}'"
                );
                return Self::command().error(ErrorKind::UnknownArgument, what);
            }
            if let Some(what) = no_command(&error, &words) {
                return Self::command().error(ErrorKind::InvalidSubcommand, what);
            }
            match beside_a_file(&error, &words) {
                Some(what) => Self::command().error(ErrorKind::ArgumentConflict, what),
                None => error,
            }
        })
    }
}

/// What is said about options of one modem beside a configuration file; clap would list all that there are.
fn beside_a_file(error: &clap::Error, words: &[OsString]) -> Option<String> {
    let is_config = |word: &String| word.starts_with("--config ");
    let has_config = error.context().any(|(_, value)| match value {
        ContextValue::String(word) => is_config(word),
        ContextValue::Strings(words) => words.iter().any(is_config),
        _ => false,
    });
    if error.kind() != ErrorKind::ArgumentConflict || !has_config {
        return None;
    }
    let of_one_modem = BridgeArguments::augment_args(clap::Command::new(""));
    let given = words.iter().filter_map(|word| word.to_str()?.strip_prefix("--")?.split('=').next());
    let option = given.into_iter().find_map(|name| {
        of_one_modem.get_arguments().find(|argument| argument.get_long() == Some(name)).zip(Some(name))
    });
    let Some((argument, name)) = option else {
        return Some(
            "DEVICE, SERVICE and INTERFACE do not go with --config: the file says what is served".into(),
        );
    };
    if name == "wait" {
        let otherwise = "what the file names is waited for unless it says `wait = false`";
        return Some(format!("--wait does not go with --config: {otherwise}"));
    }
    let key = match name {
        "chatscript" => "chat_file".to_owned(),
        "hangup-script" => "hangup_file".to_owned(),
        "reset-script" => "reset_file".to_owned(),
        "chat-environment" => "environment".to_owned(),
        name => name.replace('-', "_"),
    };
    let value = if argument.get_action().takes_values() { "..." } else { "true" };
    let place = match name {
        "ac-name" => "above all tables",
        _ => "in [modem.NAME]",
    };
    Some(format!("--{name} does not go with --config: in the file write `{key} = {value}`, {place}"))
}

/// What is said of a word that is no command, and that clap takes for a DEVICE without the rest.
fn no_command(error: &clap::Error, words: &[OsString]) -> Option<String> {
    let word = words.get(1)?.to_str().filter(|word| !word.starts_with('-') && !word.contains('/'))?;
    let root = Arguments::command();
    let near = crate::config::nearest(word, root.get_subcommands().map(clap::Command::get_name));
    match near {
        _ if error.kind() != ErrorKind::MissingRequiredArgument => None,
        Some(near) => Some(format!("there is no command `{word}`; did you mean `{near}`?")),
        None => (words.len() == 2).then(|| format!("there is no command `{word}`")),
    }
}

/// The word behind the last argument, which clap takes for the name of a subcommand.
fn superfluous(error: &clap::Error) -> Option<&str> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else { return None };
    (error.kind() == ErrorKind::ArgumentConflict).then_some(word)
}

/// Anything but running the bridge. A device of such a name is given as `./demo`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say everything that is wrong with a configuration, and run nothing
    Check(CheckArguments),
    /// Show the bridge at work, between a simulated host and a simulated modem
    ///
    /// Needs no hardware, no configuration and no privileges. A simulated PPPoE host and a simulated modem with a
    /// PPP far end talk to each other through this very program, over real packet sockets and a real tty, in a
    /// network of their own; nothing else on this machine is touched. Takes about ten seconds. The exit code is 0
    /// if all went well, 1 if a step failed, 2 if this machine does not let the demo have a network of its own.
    Demo(DemoArguments),
    /// Try a modem: run its chat script and show what is said, or talk to it
    Dial(DialArguments),
    /// Say what a running bridge is doing
    Status(StatusArguments),
    /// End a session of a running bridge
    Disconnect(DisconnectArguments),
    /// Let a running bridge take no new calls; those under way go on
    Drain(ServiceArguments),
    /// Let a running bridge take new calls again
    Resume(ServiceArguments),
}

/// Options of the demo.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// How long the simulated modem takes to dial, in seconds; at most 20
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = dial_seconds)]
    pub dial: Duration,
    /// Stay connected at the end until Ctrl-C, and say how to watch
    #[arg(long)]
    pub keep: bool,
    /// Show the log of the bridge as it comes
    #[arg(short = 'v', long)]
    pub trace: bool,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Configuration file, or directory of them; - is standard input
    #[arg(default_value = DEFAULT_PATH)]
    pub file: PathBuf,
    /// Print the configuration with every default, as a file that means the same
    #[arg(long)]
    pub print: bool,
}

/// Arguments and options that serve one modem.
#[derive(Debug, Args)]
#[group(requires = "device")]
pub struct BridgeArguments {
    /// Tty of the modem, such as /dev/ttyUSB0 or a link below /dev/serial/by-id
    #[arg(requires_all = ["service", "interface", "dial"])]
    pub device: Option<PathBuf>,
    /// Service-Name to offer
    pub service: Option<String>,
    /// Ethernet interface to serve, such as eth0 or eth0.7
    pub interface: Option<String>,

    /// Name of this access concentrator [default: the name of this machine]
    #[arg(long, value_name = "NAME")]
    pub ac_name: Option<String>,
    /// Dial with this chat(8) script
    #[arg(long, value_name = "FILE", group = "dial")]
    pub chatscript: Option<PathBuf>,
    /// Dial with this shell command instead, its input and output being the tty
    #[arg(long, value_name = "COMMAND", group = "dial")]
    pub connect: Option<String>,
    /// The dial fails if COMMAND has not ended after this many seconds
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    pub connect_timeout: Duration,

    /// Speed of the serial line in bits per second; any that the driver can make
    #[arg(long, value_name = "BITS", default_value = "115200", value_parser = clap::value_parser!(u32).range(50..=20_000_000))]
    pub speed: u32,
    /// Flow control of the serial line
    #[arg(long, value_enum, default_value = "rtscts")]
    pub flow: Flow,
    /// How frames wait for the modem: fair between flows and kept short, or in the order in which they come; LCP
    /// goes first either way
    #[arg(long, value_enum, default_value = "fair")]
    pub queue: Queue,
    /// What the line behind the tty carries toward the far end, in bits per second of which ten make an octet, so that
    /// no more is given to the modem than that [default: learned from the driver where it tells what it has sent]
    #[arg(long, value_name = "BITS", value_parser = clap::value_parser!(u32).range(300..=1_000_000_000))]
    pub line_rate: Option<u32>,
    /// Who else is kept off the tty: by the kernel's locks, and by a UUCP lock file where there is a lock directory
    #[arg(long, value_enum, default_value = "uucp")]
    pub lock: Lock,
    /// How LCP passes: mediated, so that each end sees only what concerns it, or unchanged
    #[arg(long, value_enum, default_value = "mediate")]
    pub lcp: Lcp,
    /// Let the host see the modem's wish for protocol field compression
    #[arg(long)]
    pub pass_pfc: bool,

    /// Answer a host after this many seconds even if the modem is still dialing
    #[arg(long, value_name = "SECONDS", default_value = "4", value_parser = seconds)]
    pub answer_by: Duration,
    /// Keep a connected modem for this many seconds for a host that has gone away before it got its session
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub warm: Duration,

    /// Ask a host that was silent for this many seconds whether it is alive; 0: never
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub silence: Duration,
    /// End a session on which no data passed for this many seconds [default: never]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub idle: Option<Duration>,
    /// Answer the host's LCP Echo-Requests for a modem that never does
    #[arg(long)]
    pub answer_echo: bool,

    /// After DTR was low, also hang up by +++ and ATH: for modems that do not look at DTR
    #[arg(long, conflicts_with = "hangup_script")]
    pub hangup_escape: bool,
    /// After DTR was low, also hang up by this chat(8) script
    #[arg(long, value_name = "FILE")]
    pub hangup_script: Option<PathBuf>,
    /// When to check before a dial whether the modem answers AT, and to free it if it does not
    #[arg(long, value_enum, default_value = "suspicion")]
    pub rescue: Rescue,
    /// A chat(8) script that resets a modem which nothing gentler frees, such as one that sends AT+CFUN=1,1
    #[arg(long, value_name = "FILE")]
    pub reset_script: Option<PathBuf>,
    /// A shell command that resets a modem which nothing gentler frees, by its USB port's power for example
    #[arg(long, value_name = "COMMAND")]
    pub reset_command: Option<String>,

    /// Wait for DEVICE and INTERFACE to appear if they are missing at the start, instead of giving up
    #[arg(long)]
    pub wait: bool,

    /// Telephone number for \T in the chat script
    #[arg(long, value_name = "NUMBER")]
    pub phone: Option<String>,
    /// Telephone number for \U in the chat script
    #[arg(long, value_name = "NUMBER")]
    pub phone2: Option<String>,
    /// Replace $NAME in the chat script by the environment's value, as chat -E does
    #[arg(long)]
    pub chat_environment: bool,
    /// Timeout of the chat script until it says TIMEOUT itself, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "45", value_parser = seconds)]
    pub chat_timeout: Duration,
    /// Pause before each octet sent by the chat script, in seconds; chat(8) takes 0.01
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    pub chat_pacing: Duration,
    /// How long \p pauses in the chat script, in seconds; chat(8) documents 0.1 and takes 0.01
    #[arg(long, value_name = "SECONDS", default_value = "0.1", value_parser = seconds)]
    pub chat_short_pause: Duration,
}

/// Flow control by its usual name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Flow {
    /// By the RTS and CTS lines
    Rtscts,
    /// By the octets XON and XOFF
    Xonxoff,
    /// None
    None,
}

/// How frames wait for the modem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Queue {
    /// Flows take turns, and each is told to slow down before its frames wait for long
    Fair,
    /// First in, first out
    Fifo,
}

/// Who else is kept off the tty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Lock {
    /// The kernel's locks and a UUCP lock file
    Uucp,
    /// The kernel's locks only
    Kernel,
}

/// When a modem is checked before it is dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Rescue {
    /// Never: for lines without AT commands
    Never,
    /// After a dial that the modem did not answer
    Suspicion,
    /// Before each dial
    Always,
}

/// How LCP passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Lcp {
    /// Each end sees only what concerns it
    Mediate,
    /// As it comes; what passes is learned from
    Transparent,
}

/// How much to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// What needs somebody
    Error,
    /// What somebody should look at
    Warn,
    /// Each session and call
    Info,
    /// Each packet of discovery, chat and PPP's control protocols
    Debug,
    /// Everything
    Trace,
}

/// Seconds, with a fraction if wanted; at most a day.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    const LONGEST: f64 = 86_400.0;
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=LONGEST).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        Ok(_) => Err(format!("must be between 0 and {LONGEST}")),
        Err(_) => Err("must be a number of seconds, such as 4 or 0.5".into()),
    }
}

/// As [`seconds`], but no longer than a PPPoE host waits for its PPP to be answered.
fn dial_seconds(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_secs(20);
    seconds(text).and_then(|time| {
        if time <= LONGEST { Ok(time) } else { Err(format!("must be at most {}", LONGEST.as_secs())) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Arguments, clap::Error> {
        Arguments::read([&["pppoe-serial-bridge"], words].concat().into_iter().map(OsString::from))
    }

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_command_line_of_the_original_is_complete() {
        let arguments =
            parse(&["--ac-name=roof", "--chatscript=/etc/3g.chat", "/dev/ttyUSB0", "internet", "eth0"]);
        let bridge = arguments.unwrap().bridge;
        assert_eq!(bridge.ac_name.as_deref(), Some("roof"));
        assert_eq!(bridge.chatscript, Some(PathBuf::from("/etc/3g.chat")));
        assert_eq!(bridge.device, Some(PathBuf::from("/dev/ttyUSB0")));
        assert_eq!(bridge.service.as_deref(), Some("internet"));
        assert_eq!(bridge.interface.as_deref(), Some("eth0"));
    }

    #[test]
    fn a_way_to_dial_is_required_and_only_one() {
        assert!(parse(&["tty", "service", "eth0"]).is_err());
        assert!(parse(&["--connect=true", "--chatscript=x", "tty", "service", "eth0"]).is_err());
        assert!(parse(&["--connect=true", "tty", "service", "eth0"]).is_ok());
    }

    #[test]
    fn a_word_too_many_is_called_so_and_the_usage_names_both_ways_to_dial() {
        let text = parse(&["--chatscript=x", "tty", "svc", "eth0", "extra"]).unwrap_err().to_string();
        assert!(text.contains("behind DEVICE, SERVICE and INTERFACE, but there is 'extra'"), "{text}");
        assert!(text.contains("--chatscript=FILE") && text.contains("--connect=COMMAND"), "{text}");
        assert!(!text.contains("subcommand"), "{text}");
    }

    #[test]
    fn a_word_that_is_no_command_is_called_so_unless_it_may_be_a_device() {
        let refusal = |words: &[&str]| parse(words).unwrap_err().to_string();
        for words in [&["chek"][..], &["chek", "x.toml"]] {
            let text = refusal(words);
            assert!(text.starts_with("error: there is no command `chek`; did you mean `check`?\n"), "{text}");
        }
        assert!(refusal(&["help"]).starts_with("error: there is no command `help`\n"));
        for words in [&["/dev/chek"][..], &["ttyUSB0", "internet", "eth0"], &["--connect=true", "chek"]] {
            assert!(refusal(words).contains("required"), "{words:?}");
        }
    }

    #[test]
    fn a_file_says_all_that_the_arguments_say_so_only_one_of_them_is_taken() {
        assert_eq!(parse(&[]).unwrap().config, PathBuf::from(DEFAULT_PATH));
        assert!(parse(&["--config=x.toml", "--log-level=debug"]).is_ok());
        let refusal = |words: &[&str]| parse(words).unwrap_err().to_string();
        let said = |text: &str, what: &str| assert!(text.contains(what), "{text}");
        said(
            &refusal(&["--config=x.toml", "--wait"]),
            "error: --wait does not go with --config: what the file names is waited for unless it says `wait = false`\n",
        );
        said(&refusal(&["--speed", "9600", "--config", "x"]), "write `speed = ...`, in [modem.NAME]\n");
        said(&refusal(&["--config=x", "--connect=true", "tty", "svc", "eth0"]), "write `connect = ...`");
        said(&refusal(&["--config=x", "tty", "svc", "eth0"]), "DEVICE, SERVICE and INTERFACE do not go with");
        let option_of_all = refusal(&["--config=x.toml", "--wait"]);
        assert!(!option_of_all.contains("--chat-pacing"), "{option_of_all}");
        assert!(parse(&["--speed=9600"]).is_err(), "of which modem?");
        assert!(parse(&["--connect=true", "tty", "service"]).is_err());
    }

    #[test]
    fn a_configuration_can_be_checked() {
        let arguments = parse(&["check", "x.toml", "--print"]).unwrap();
        let Some(Command::Check(check)) = arguments.command else { panic!("{arguments:?}") };
        assert_eq!((check.file, check.print), (PathBuf::from("x.toml"), true));
    }

    #[test]
    fn the_demo_needs_nothing_and_goes_with_nothing_else() {
        let arguments = parse(&["demo", "--dial", "0.5", "-v"]).unwrap();
        let Some(Command::Demo(demo)) = arguments.command else { panic!("no demo") };
        assert_eq!((demo.dial, demo.keep, demo.trace), (Duration::from_millis(500), false, true));
        assert!(parse(&["demo", "--dial", "21"]).is_err());
        assert!(parse(&["--connect=true", "demo"]).is_err());
        let bridge = parse(&["--connect=true", "./demo", "service", "eth0"]).unwrap();
        assert!(bridge.command.is_none());
    }

    #[test]
    fn a_running_bridge_is_asked_by_subcommands() {
        let command = |words: &[&str]| parse(words).map(|arguments| arguments.command);
        assert!(matches!(command(&["status", "--json"]), Ok(Some(Command::Status(_)))));
        assert!(matches!(command(&["disconnect", "0x0001"]), Ok(Some(Command::Disconnect(_)))));
        assert!(matches!(command(&["drain"]), Ok(Some(Command::Drain(_)))));
        assert!(matches!(command(&["resume", "lte", "--control=x"]), Ok(Some(Command::Resume(_)))));
        assert!(matches!(command(&["--connect=true", "./status", "lte", "eth0"]), Ok(None)));
        assert!(command(&["disconnect"]).is_err() && command(&["--connect=true", "status"]).is_err());
    }

    #[test]
    fn seconds_may_have_a_fraction_but_must_be_sane() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["-1", "1e9", "NaN", "inf", "soon", ""] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}

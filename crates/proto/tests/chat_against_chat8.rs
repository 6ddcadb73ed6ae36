//! The same scripts, against the same modem, run by chat(8) and by ours: the same octets must be sent, the
//! same words shown, and the same exit code reached.
//!
//! chat(8) runs in real time on a pseudo-terminal, ours in virtual time. Without chat(8) the comparison is
//! skipped, and says so; with `CI=true` in the environment it then fails.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use std::{env, process, thread};

use bridge_proto::chat::{Conversation, ConversationOptions, ConversationOutput, Script, ScriptOptions};
use bridge_proto::time::Instant;
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

#[path = "../../../tests/skipped.rs"]
mod skipped;
use skipped::skipped;

const CHAT: &str = "/usr/sbin/chat";

#[test]
fn the_same_octets_are_sent_and_the_same_verdict_is_reached() {
    if !Path::new(CHAT).exists() {
        skipped("chat_against_chat8", &format!("{CHAT} is not installed; package ppp has it"));
        return;
    }
    let scratch = Scratch::new();
    let cases = cases();
    let failures: Vec<String> = thread::scope(|scope| {
        let runs: Vec<_> = cases.iter().map(|case| scope.spawn(|| compare(case, &scratch))).collect();
        runs.into_iter().filter_map(|run| run.join().unwrap()).collect()
    });
    assert!(failures.is_empty(), "{} of {} differ:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

fn compare(case: &Case, scratch: &Scratch) -> Option<String> {
    let (path, text) = scratch.write(case);
    let theirs = run_theirs(case, &path);
    let ours = run_ours(case, &text);
    (ours != theirs).then(|| format!("{}:\n  chat(8): {theirs:?}\n  ours:    {ours:?}", case.name))
}

/// A script and how the modem answers: each reply is given once its trigger was sent, one after the other.
#[derive(Clone, Default)]
struct Case {
    name: &'static str,
    script: Vec<u8>,
    /// Given as words on the command line, not in a file.
    words: Vec<&'static str>,
    replies: Vec<(&'static str, Vec<u8>)>,
    variables: Vec<(&'static str, &'static str)>,
    phone_numbers: Option<(&'static str, &'static str)>,
    /// What stands in the file that the script calls `@FILE@`.
    file: &'static [u8],
    keeps_reports: bool,
    /// The line hangs up once this was sent.
    hangs_up_on: Option<&'static str>,
}

impl Case {
    fn reply(mut self, trigger: &'static str, answer: impl AsRef<[u8]>) -> Self {
        self.replies.push((trigger, answer.as_ref().to_vec()));
        self
    }

    fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.push((name, value));
        self
    }

    fn phone_numbers(self, first: &'static str, second: &'static str) -> Self {
        Self { phone_numbers: Some((first, second)), ..self }
    }

    fn file(self, file: &'static [u8]) -> Self {
        Self { file, ..self }
    }

    fn hanging_up_on(self, trigger: &'static str) -> Self {
        Self { hangs_up_on: Some(trigger), ..self }
    }

    fn keeping_reports(self) -> Self {
        Self { keeps_reports: true, ..self }
    }
}

fn case(name: &'static str, script: impl AsRef<[u8]>) -> Case {
    Case { name, script: script.as_ref().to_vec(), ..Case::default() }
}

fn words(name: &'static str, words: &[&'static str]) -> Case {
    Case { name, words: words.to_vec(), ..Case::default() }
}

/// What can be seen of a run from outside.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    sent: String,
    shown: String,
    exit_code: i32,
}

/// The modem of a case: what it was sent, and which reply is next.
struct Modem<'a> {
    replies: &'a [(&'static str, Vec<u8>)],
    sent: Vec<u8>,
    heard: usize,
    hangs_up_on: Option<&'static str>,
}

impl<'a> Modem<'a> {
    fn new(case: &'a Case) -> Self {
        Self { replies: &case.replies, sent: Vec::new(), heard: 0, hangs_up_on: case.hangs_up_on }
    }

    fn has_hung_up(&self) -> bool {
        self.hangs_up_on.is_some_and(|trigger| self.sent.ends_with(trigger.as_bytes()))
    }

    fn hear(&mut self, octets: &[u8]) -> Vec<u8> {
        self.sent.extend_from_slice(octets);
        let mut answer = Vec::new();
        while let Some(((trigger, reply), later)) = self.replies.split_first() {
            let trigger = trigger.as_bytes();
            let fresh = &self.sent[self.heard..];
            let Some(at) = fresh.windows(trigger.len()).position(|part| part == trigger) else { break };
            self.heard += at + trigger.len();
            answer.extend_from_slice(reply);
            self.replies = later;
        }
        answer
    }
}

fn run_theirs(case: &Case, script: &Path) -> Outcome {
    let (mut master, slave) = open_pty();
    let mut command = Command::new(CHAT);
    command.args(["-S", "-t", "5"]);
    if case.keeps_reports {
        command.args(["-r", "/dev/stderr"]);
    }
    if let Some((first, second)) = case.phone_numbers {
        command.args(["-T", first, "-U", second]);
    }
    if !case.variables.is_empty() {
        command.arg("-E").envs(case.variables.iter().copied());
    }
    if case.words.is_empty() {
        command.arg("-f").arg(script);
    } else {
        command.args(&case.words);
    }
    command.stdin(Stdio::from(slave.try_clone().unwrap()));
    command.stdout(Stdio::from(slave)).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The command holds our copies of the slave; without them the master learns when chat(8) is gone.
    drop(command);
    let mut stderr = child.stderr.take().unwrap();
    let shown = thread::spawn(move || {
        let mut shown = Vec::new();
        stderr.read_to_end(&mut shown).unwrap();
        shown
    });
    let mut modem = Modem::new(case);
    let mut buffer = [0; 256];
    while let Ok(length @ 1..) = master.read(&mut buffer) {
        let answer = modem.hear(&buffer[..length]);
        master.write_all(&answer).unwrap();
        if modem.has_hung_up() {
            hang_up(master, &child);
            break;
        }
    }
    let exit_code = child.wait().unwrap().code().unwrap_or(-1);
    let shown = without_dates(&shown.join().unwrap());
    Outcome { sent: modem.sent.escape_ascii().to_string(), shown, exit_code }
}

/// Closes the master while chat(8) stands still, so that it meets a line that is all hung up.
///
/// The kernel first says that the other end is closed, and hangs up after that. A chat(8) that ran between
/// the two could still restore the terminal's modes, as on no real line, and exits with 3 in place of 2.
fn hang_up(master: File, chat: &Child) {
    let line = open_slave(&master);
    let chat = Pid::from_child(chat);
    kill_process(chat, Signal::STOP).unwrap();
    waitpid(Some(chat), WaitOptions::UNTRACED).unwrap();
    drop(master);
    // Another case's chat(8), just started, may have the master open up to the end of its exec: the last to close it
    // hangs the line up.
    while tcgetattr(&line).is_ok() {
        thread::yield_now();
    }
    kill_process(chat, Signal::CONT).unwrap();
}

/// Both ends of a pseudo-terminal, already raw so that nothing is lost before chat(8) makes it so.
fn open_pty() -> (File, OwnedFd) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let slave = open_slave(&master);
    let mut termios = tcgetattr(&slave).unwrap();
    termios.make_raw();
    tcsetattr(&slave, OptionalActions::Now, &termios).unwrap();
    (master.into(), slave)
}

fn open_slave(master: impl AsFd) -> OwnedFd {
    let name = ptsname(master, Vec::new()).unwrap();
    rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap()
}

/// REPORT lines come with a date, `chat:  Nov 22 13:00:21 CONNECT`; ours leave that to the log.
fn without_dates(shown: &[u8]) -> String {
    let text = String::from_utf8_lossy(shown);
    let lines = text.lines().map(|line| match line.strip_prefix("chat:  ") {
        Some(report) => report.get(16..).unwrap_or_default(),
        None => line,
    });
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

fn run_ours(case: &Case, text: &[u8]) -> Outcome {
    let parsed = if case.words.is_empty() {
        Script::parse(text)
    } else {
        Script::from_words(case.words.iter().map(|word| word.as_bytes()))
    };
    let script = match parsed {
        Ok(script) => script,
        Err(error) => return Outcome { exit_code: error.exit_code().into(), ..Outcome::default() },
    };
    let mut now = Instant::ZERO;
    let mut conversation = Conversation::new(Arc::new(script), options_like_chat8(case), now);
    let mut modem = Modem::new(case);
    let mut shown = Vec::new();
    loop {
        while let Some(output) = conversation.poll_output() {
            match output {
                ConversationOutput::Write(octets) => {
                    let answer = modem.hear(&octets);
                    conversation.handle_octets(now, &answer);
                    if modem.has_hung_up() {
                        conversation.handle_hangup(now);
                    }
                }
                ConversationOutput::ReadFile(name) => {
                    let contents = fs::read(String::from_utf8(name).unwrap());
                    conversation.file_contents(now, contents.map_err(|error| error.to_string()));
                }
                ConversationOutput::Say(octets) => shown.extend_from_slice(&octets),
                ConversationOutput::Echo(text) => shown.extend_from_slice(text.as_bytes()),
                ConversationOutput::Report(text) => shown.extend_from_slice(format!("{text}\n").as_bytes()),
                ConversationOutput::Break | ConversationOutput::Log(_) => {}
                ConversationOutput::Verdict(verdict) => {
                    let exit_code = verdict.exit_code().into();
                    let sent = modem.sent.escape_ascii().to_string();
                    return Outcome { sent, shown: without_dates(&shown), exit_code };
                }
            }
        }
        now = conversation.poll_timeout().expect("without a verdict, something is still due");
        conversation.handle_timeout(now);
    }
}

fn options_like_chat8(case: &Case) -> ConversationOptions {
    let octets = |text: &str| text.as_bytes().to_vec();
    let variables: BTreeMap<_, _> =
        case.variables.iter().map(|&(name, value)| (octets(name), octets(value))).collect();
    let pace = Duration::from_millis(10);
    ConversationOptions {
        script: ScriptOptions {
            phone_number: case.phone_numbers.map(|(first, _)| octets(first)),
            second_phone_number: case.phone_numbers.map(|(_, second)| octets(second)),
            variables: (!variables.is_empty()).then_some(variables),
        },
        timeout: Duration::from_secs(5),
        octet_pacing: pace,
        short_pause: pace,
        ..ConversationOptions::default()
    }
}

/// A directory for one run of this test, gone afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let path = env::temp_dir().join(format!("chat-against-chat8-{}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes the files of a case; returns the path and the text of its script.
    fn write(&self, case: &Case) -> (PathBuf, Vec<u8>) {
        let base = self.0.join(case.name.replace(' ', "-"));
        let (file, script) = (base.with_extension("txt"), base.with_extension("chat"));
        fs::write(&file, case.file).unwrap();
        let text = replace(&case.script, b"@FILE@", file.to_str().unwrap().as_bytes());
        fs::write(&script, &text).unwrap();
        (script, text)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut result = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(from.len()).position(|part| part == from) {
        result.extend_from_slice(&rest[..at]);
        result.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    result.extend_from_slice(rest);
    result
}

fn cases() -> Vec<Case> {
    [
        dialling(),
        words_and_quotes(),
        sending(),
        variables_and_files(),
        expecting(),
        abort_strings(),
        shown_to_people(),
    ]
    .concat()
}

fn dialling() -> Vec<Case> {
    let mobile = "ABORT BUSY ABORT 'NO CARRIER' ABORT ERROR\nREPORT CONNECT\nTIMEOUT 5\n'' ATZ\n\
                  OK 'AT+CGDCONT=1,\"IP\",\"internet\"'\nOK ATDT*99***1#\nTIMEOUT 5\nCONNECT ''\n";
    vec![
        case("a mobile dial script connects", mobile)
            .reply("ATZ\r", "ATZ\r\r\nOK\r\n")
            .reply("\"internet\"\r", "\r\nOK\r\n")
            .reply("#\r", "\r\nCONNECT 115200\r\n"),
        case("a mobile dial script without carrier", mobile)
            .reply("ATZ\r", "ATZ\r\r\nOK\r\n")
            .reply("\"internet\"\r", "\r\nOK\r\n")
            .reply("#\r", "\r\nNO CARRIER\r\n"),
        case("a mobile dial script with an error", mobile).reply("ATZ\r", "\r\nERROR\r\n"),
        case("a silent modem", "TIMEOUT 1 '' AT OK ATD CONNECT"),
        case("a login", r"'' \r ogin:--ogin: me ssword: \qsecret")
            .reply("\r", "login: ")
            .reply("me\r", "Password: "),
        case("a line that hangs up", "'' AT OK ATD").hanging_up_on("AT\r"),
        case("an empty script", ""),
        case("only a comment", "# OK\n"),
    ]
}

fn words_and_quotes() -> Vec<Case> {
    vec![
        case("quotes protect blanks", "'' 'a b' '' \"c\td\""),
        case("a backslash protects a quote", r"'' 'a\'b' '' 'c\\'"),
        case("quotes begin only at the start of a word", "'' a'b' '' c"),
        case("a word ends at its closing quote", "'' 'a''' 'c'"),
        case("the other quote is plain", "'' 'a\"b' '' \"c'd\""),
        case("an unterminated quote", "'a b"),
        case("a comment begins in the first column", "# x y z\n'' AT\n#'' ATZ\n'' ATD"),
        case("an indented comment is a word", "'' a\n #x b\n").reply("a\r", "#x"),
        case("alternation goes on across lines", "''\nAT\n\n\nOK\n\nATD\n").reply("AT\r", "OK"),
        case("quoting does not make a keyword literal", "'ABORT' NO '' AT OK").reply("AT\r", "NO OK"),
        case("lower case is no keyword", "TIMEOUT 1 abort NO"),
        case("a keyword in send position is sent", "'' ABORT '' TIMEOUT"),
        case("a keyword without argument", "'' AT ABORT"),
        words("words from the command line", &["", "a b", "", "'c'", "", "# d"]),
        words("words that time out", &["TIMEOUT", "1", "", "AT", "OK"]),
    ]
}

fn sending() -> Vec<Case> {
    vec![
        case("a CR follows every send", "'' AT '' ''"),
        case("no CR after a final c", r"'' AT\c '' a\cb '' \c"),
        case("letters", r"'' \b\n\r\s\t\N\\\q '' \x\z\'"),
        case("octal digits", r"'' \1012 '' \7 '' \0 '' \08 '' \134d '' \377 '' \777"),
        case("control characters", "'' ^C '' ^[ '' ^^ '' ^? '' ^@ '' a^ '' ^a '' ^\\d"),
        case("a trailing backslash", "'' a\\"),
        case("a dollar", r"'' $HOME '' \$HOME"),
        case("EOT", "'' EOT '' EOTx"),
        case("BREAK", r"'' BREAK '' \K\c '' a\Kb"),
        case("no phone numbers", r"'' ATD\T,\U"),
        case("phone numbers", r"'' ATD\T,\U '' \T\c").phone_numbers(r"12\34", r"5\p6"),
        case("short pauses", r"'' a\p\pb"),
        case("a long pause", r"'' a\db"),
        case("a send that is too long for its timeout", r"TIMEOUT 1 '' a\d\db"),
        case("pauses at the end do not fail", r"TIMEOUT 1 '' a\d\d\c"),
        case("high octets", b"'' \xe9\xff"),
        case("a timeout of nonsense", "TIMEOUT x '' AT OK").reply("AT\r", "OK"),
        case("a negative timeout", "TIMEOUT -3 '' AT OK").reply("AT\r", "OK"),
        case("a timeout with a tail", "TIMEOUT 1x '' AT OK"),
    ]
}

fn variables_and_files() -> Vec<Case> {
    let variables = vec![
        case("a variable", "'' ATD$CHAT8_N '' $CHAT8_N-$CHAT8_UNSET.").variable("CHAT8_N", "*99#"),
        case("names are greedy", "'' $CHAT8_N1 '' ${CHAT8_N} '' $ '' $CHAT8_N$CHAT8_N")
            .variable("CHAT8_N", "x"),
        case("a dollar can be escaped", r"'' \$CHAT8_N").variable("CHAT8_N", "x"),
        case("a value is hardly interpreted", "'' $CHAT8_N").variable("CHAT8_N", r"^C\r\pa\\b\0$HOME"),
        case("a value may end in a backslash", "'' $CHAT8_N '' b").variable("CHAT8_N", r"x\"),
        case("a value to wait for", "'' AT a$CHAT8_N b").variable("CHAT8_N", "-b-").reply("AT\r", "a-b-"),
        case("a value to abort on", "ABORT $CHAT8_LONGNAME '' AT OK b")
            .variable("CHAT8_LONGNAME", "NO")
            .reply("AT\r", "NO"),
        case("a value as timeout", "TIMEOUT $CHAT8_T '' AT OK").variable("CHAT8_T", "1"),
    ];
    let files = vec![
        case("a file is sent", "'' @@FILE@ '' x").file(b"AT\\s^C\n"),
        case("blanks before a file name", "'' '@ \t@FILE@'").file(b"AT\n\n"),
        case("a file may suppress its CR", "'' @@FILE@").file(b"AT\\c\n"),
        case("EOT in a file", "'' @@FILE@").file(b"EOT\n"),
        case("a file with a NUL", "'' @@FILE@").file(b"a\0b\n"),
        case("an empty file", "'' @@FILE@"),
        case("a missing file", "'' AT '' @@FILE@.missing '' x"),
        case("a lone at sign", "'' @ '' '@ '"),
        case("a file name is not looked up", "'' @$CHAT8_N").variable("CHAT8_N", "/dev/null"),
    ];
    [variables, files].concat()
}

fn expecting() -> Vec<Case> {
    let noise = [b'x'; 3000];
    let attempts = vec![
        case("a sub-send on timeout", "TIMEOUT 1 a-b-c d").reply("b\r", "c"),
        case("the last attempt fails", "TIMEOUT 1 a-b-c d"),
        case("a sub-send at the end is enough", "TIMEOUT 1 a-x y '' z"),
        case("an empty sub-send", "TIMEOUT 1 a--b c").reply("\r", "b"),
        case("an empty sub-send at the end", "TIMEOUT 1 a-- c '' d"),
        case("a single dash at the end", "TIMEOUT 1 a- c"),
        case("a dash first", "-a b"),
        case("a lone dash", "- b '' c"),
        case("two dashes", "-- b '' c"),
        case("a protected dash", r"'' AT a\-b c").reply("AT\r", "a-b"),
        case("a break in place of a sub-send", "TIMEOUT 1 a-BREAK-b c"),
        case("an abort ends all attempts", "ABORT NO '' AT a-b-c d").reply("AT\r", "NO"),
    ];
    let matching = vec![
        case("what matched is not seen twice", "TIMEOUT 1 '' AT OK a OK b").reply("AT\r", "OK"),
        case("what was not read is kept", "'' AT OK a OK b").reply("AT\r", "OKOK"),
        case("a half of a match is not kept", "TIMEOUT 1 '' AT O a OK b").reply("AT\r", "OK"),
        case("case matters", "TIMEOUT 1 '' AT OK a").reply("AT\r", "ok"),
        case("seven bits", "'' AT OK a").reply("AT\r", b"\xcf\xcb"),
        case("noise in front of a match", "'' AT OK a").reply("AT\r", [&noise[..], b"OK"].concat()),
        case("NUL in front of a match", "'' AT OK a").reply("AT\r", b"\0\0OK"),
        case("send escapes are letters", r"'' AT a\d\K\p\c\N\xb b").reply("AT\r", "adKpcNxb"),
        case("escapes to wait for", r"'' AT \r\n\s\t\b\\\101^A\q b").reply("AT\r", b"\r\n \t\x08\\A\x01"),
        case("a phone number is not waited for", r"'' AT a\Tb c").reply("AT\r", "a\\Tb"),
        case("NUL to wait for is dropped", r"'' AT a\0b c").reply("AT\r", "ab"),
        case("a trailing backslash to wait for", "'' AT a\\ c").reply("AT\r", "a"),
    ];
    [attempts, matching].concat()
}

fn abort_strings() -> Vec<Case> {
    let many = |count: usize| (0..count).map(|n| format!("ABORT s{n:03}\n")).collect::<String>();
    vec![
        case("the second abort string", "ABORT A1 ABORT A2 '' AT OK b").reply("AT\r", "A2"),
        case("aborts renumber", "ABORT A1 ABORT A2 ABORT A3 CLR_ABORT A1 '' AT OK b").reply("AT\r", "A3"),
        case("a cleared abort", "TIMEOUT 1 ABORT A1 CLR_ABORT A1 '' AT OK b").reply("AT\r", "A1"),
        case("clearing the unknown", "CLR_ABORT A1 '' AT OK b").reply("AT\r", "OK"),
        case("expect before abort", "ABORT OK '' AT OK b").reply("AT\r", "OK"),
        case("the earlier octet wins", "ABORT OK '' AT OKAY b").reply("AT\r", "OKAY"),
        case("the first in the list wins", "ABORT 'NO CARRIER' ABORT CARRIER '' AT OK")
            .reply("AT\r", "NO CARRIER"),
        case("escapes in abort strings", r"ABORT NO\sCARRIER '' AT OK b").reply("AT\r", "NO CARRIER"),
        case("an empty abort string", "ABORT '' '' AT OK b").reply("AT\r", "xOK"),
        case("fifty abort strings", many(50) + "'' AT OK").reply("AT\r", "s049"),
        case("fifty-one abort strings", many(51)),
        case("a long abort string", format!("ABORT {} '' AT OK", "x".repeat(49))).reply("AT\r", [b'x'; 49]),
        case("a too long abort string", format!("ABORT {} '' AT OK", "x".repeat(50))),
        case("abort across a window", "ABORT NO '' AT OK").reply("AT\r", [&[b'x'; 1023][..], b"NO"].concat()),
    ]
}

fn shown_to_people() -> Vec<Case> {
    vec![
        case("SAY", r"SAY 'hello\n' SAY 'a\\b\c' SAY '\d^A$HOME\T\c' SAY 'a\Nb'"),
        case("ECHO", "ECHO ON '' AT OK b ECHO OFF '' AT OK c")
            .reply("AT\r", b"a\r\nb\x01\xffOK")
            .reply("AT\r", "cOK"),
        case("ECHO in small letters", "ECHO on '' AT OK").reply("AT\r", "abcOK"),
        case("HANGUP OFF", "HANGUP OFF '' AT OK").reply("AT\r", "OK"),
        case("REPORT", "REPORT CONNECT '' AT CONNECT '' x b")
            .reply("AT\r", "CONNECT 115200\r\nx")
            .keeping_reports(),
        case("REPORT at the end", "REPORT CONNECT '' AT CONNECT")
            .reply("AT\r", "CONNECT 9600\r\n")
            .keeping_reports(),
        case("REPORT unfinished", "REPORT CONNECT '' AT CONNECT")
            .reply("AT\r", "CONNECT 9600")
            .keeping_reports(),
        case("REPORT fires once", "REPORT a '' AT OK").reply("AT\r", "a1\r\na2\r\nOK").keeping_reports(),
        case("CLR_REPORT", "REPORT a REPORT b CLR_REPORT a '' AT OK")
            .reply("AT\r", "a1\r\nb2\r\nOK")
            .keeping_reports(),
        case("REPORT and abort", "REPORT NO ABORT NO '' AT OK")
            .reply("AT\r", "NO CARRIER\r\n")
            .keeping_reports(),
    ]
}

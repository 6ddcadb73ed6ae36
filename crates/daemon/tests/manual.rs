//! The manual page and the README say what the program does: each option of `--help` with its default and its values is
//! in the manual page, no other is, and every command line shown is one that the program takes.

use clap::{Arg, Command, CommandFactory, Parser};
use pppoe_serial_bridge::cli::Arguments;
use std::collections::BTreeSet;
use std::path::Path;

const PROGRAM: &str = "pppoe-serial-bridge";

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The options of the program and of its subcommands.
fn options() -> Vec<Arg> {
    let mut program = Arguments::command();
    program.build();
    let mut commands: Vec<&Command> = vec![&program];
    let mut next = 0;
    while let Some(command) = commands.get(next).copied() {
        commands.extend(command.get_subcommands().filter(|below| below.get_name() != "help"));
        next += 1;
    }
    let all = commands.iter().flat_map(|command| command.get_arguments());
    all.filter(|option| option.get_long().is_some() && !option.is_hide_set()).cloned().collect()
}

/// What the manual page says under each option, by the option's name: `.It Fl -NAME`, up to the next item.
fn items(manual: &str) -> Vec<(&str, &str)> {
    let items =
        manual.split("\n.It ").skip(1).filter_map(|item| item.strip_prefix("Fl -")?.split_once(['\n', ' ']));
    items.map(|(name, text)| (name, text.split("\n.El").next().unwrap_or(text))).collect()
}

#[test]
fn every_option_is_in_the_manual_with_its_default_and_its_values() {
    let manual = read("man/pppoe-serial-bridge.8");
    let items = items(&manual);
    for option in options() {
        let name = option.get_long().unwrap();
        let Some((_, text)) = items.iter().find(|(item, _)| *item == name) else {
            panic!("--{name} is not in the manual");
        };
        if !option.get_action().takes_values() {
            continue;
        }
        for default in option.get_default_values() {
            let default = default.to_string_lossy();
            assert!(
                text.contains(&*default),
                "the manual does not say that --{name} is {default} by default"
            );
        }
        for value in option.get_possible_values() {
            let value = value.get_name();
            assert!(text.contains(value), "the manual does not say that --{name} may be {value}");
        }
    }
}

#[test]
fn the_manual_has_no_option_that_the_program_has_not() {
    let options = options();
    let known: BTreeSet<&str> = options.iter().filter_map(Arg::get_long).collect();
    let manual = read("man/pppoe-serial-bridge.8");
    for (name, _) in items(&manual) {
        assert!(known.contains(name), "--{name} is in the manual only");
    }
}

/// Splits a command line as a shell does, as far as our documents go: blanks and quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for character in line.chars() {
        match (quote, character) {
            (None, ' ') => words.extend(word.take()),
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (Some(open), character) if open == character => quote = None,
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

/// The command lines of the program among others, each as words from the program's name on.
fn command_lines(commands: &str) -> Vec<Vec<String>> {
    let joined = commands.replace("\\\n", " ");
    let lines = joined.lines().map(|line| words(line.trim().trim_start_matches("$ ")));
    let from_the_name = lines.filter_map(|line| {
        let at =
            line.iter().position(|word| Path::new(word).file_name().is_some_and(|name| name == PROGRAM))?;
        // `sudo` may stand before it. A lone name is an argument of another command.
        (line[..at].iter().all(|word| word == "sudo") && line.len() > at + 1).then(|| line[at..].to_vec())
    });
    from_the_name.collect()
}

/// The fenced blocks of a Markdown document.
fn fenced(document: &str) -> String {
    document.split("\n```").skip(1).step_by(2).collect::<Vec<_>>().join("\n")
}

/// The displays of a manual page.
fn displayed(manual: &str) -> String {
    let displays = manual.split("\n.Bd").skip(1).filter_map(|display| display.split("\n.Ed").next());
    displays.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_command_line_shown_is_one_that_the_program_takes() {
    let readme = command_lines(&fenced(&read("README.md")));
    let manual = command_lines(&displayed(&read("man/pppoe-serial-bridge.8")));
    assert!(!readme.is_empty() && !manual.is_empty());
    for line in readme.into_iter().chain(manual) {
        if let Err(error) = Arguments::try_parse_from(&line) {
            // --help and --version end the program, but well.
            assert_eq!(error.exit_code(), 0, "{}: {error}", line.join(" "));
        }
    }
}

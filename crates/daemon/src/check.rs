//! `pppoe-serial-bridge check`: says everything that is wrong with a configuration, and runs nothing.

use crate::EXIT_USAGE;
use crate::cli::CheckArguments;
use crate::config::{self, Surroundings};
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

/// What stands for standard input, which only here may be waited for.
const STANDARD_INPUT: [&str; 2] = ["-", "/dev/stdin"];

/// Exit code 0 if the configuration can be used, warnings or not, else 2.
pub(crate) fn check(arguments: &CheckArguments) -> ExitCode {
    let colours = std::io::stderr().is_terminal();
    let surroundings = Surroundings::of_this_process();
    let from_input = STANDARD_INPUT.iter().any(|name| arguments.file == Path::new(name));
    let loaded = match from_input {
        true => config::load_standard_input(&surroundings),
        false => config::load(&arguments.file, &surroundings),
    };
    match loaded {
        Ok(loaded) => {
            if !loaded.warnings.is_empty() {
                eprintln!("{}", loaded.warnings.render(colours));
            }
            if !arguments.print {
                println!("{}: the configuration is fine", arguments.file.display());
                return ExitCode::SUCCESS;
            }
            match loaded.settings.to_toml() {
                Ok(text) => print!("{text}"),
                Err(error) => {
                    eprintln!("pppoe-serial-bridge: cannot print the configuration: {error}");
                    return ExitCode::from(EXIT_USAGE);
                }
            }
            ExitCode::SUCCESS
        }
        Err(problems) => {
            eprintln!("{}", problems.render(colours));
            ExitCode::from(EXIT_USAGE)
        }
    }
}

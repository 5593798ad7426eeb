//! Flags, made out of a program's table of keys, so that there is one list of settings.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::exit;
use crate::settings::{Key, Settings, Sources};

const CONFIG: &str = "config";
const PRINT_CONFIG: &str = "print-config";

/// Adds `--config`, `--print-config` and a flag for every key that has one. They may stand before or
/// behind a sub-command.
#[must_use]
pub fn with_settings(command: Command, keys: &[Key]) -> Command {
    let config = Arg::new(CONFIG)
        .long(CONFIG)
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .global(true)
        .help("reads settings from a TOML file; flags and the environment go before it");
    let print_config = Arg::new(PRINT_CONFIG)
        .long(PRINT_CONFIG)
        .action(ArgAction::SetTrue)
        .global(true)
        .help("prints the settings in force with the source of each, secrets hidden, and ends");
    let flags = keys.iter().filter_map(|key| {
        let flag = key.flag?;
        Some(
            Arg::new(key.name)
                .long(flag)
                .value_name(key.value)
                .global(true)
                .help(help(key)),
        )
    });
    command.arg(config).arg(print_config).args(flags)
}

fn help(key: &Key) -> String {
    match key.default {
        Some(default) => format!("{} [{}, default {default}]", key.help, key.env),
        None => format!("{} [{}]", key.help, key.env),
    }
}

/// The life of a program, from its command line to its exit code. Where `run` can't begin it returns the exit
/// code as an error, once what is wrong was printed.
#[must_use]
pub fn main(
    command: Command,
    run: impl FnOnce(&ArgMatches) -> Result<ExitCode, ExitCode>,
) -> ExitCode {
    let begun = parse(command, std::env::args_os()).and_then(|matches| {
        crate::install_crypto_provider();
        run(&matches)
    });
    begun.unwrap_or_else(|code| code)
}

/// Parses a command line.
///
/// # Errors
/// The exit code, once help, the version or the mistake was printed.
pub fn parse(
    command: Command,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<ArgMatches, ExitCode> {
    command.try_get_matches_from(arguments).map_err(|error| {
        if let Some(flag) = flag_of_a_secret(&error) {
            return exit::misuse(&format!(
                "'{flag}': secrets have no flag, since lists of processes would show them; set the \
                 environment variable, or its _FILE twin to the path of a file (see --help)"
            ));
        }
        // When standard error is closed there is nobody to tell.
        let _ = error.print();
        if error.use_stderr() {
            ExitCode::from(exit::USAGE)
        } else {
            ExitCode::SUCCESS
        }
    })
}

/// The flag that somebody tried to give a secret with. What clap says then would show the secret as
/// the next stray argument, or advise another flag.
fn flag_of_a_secret(error: &clap::Error) -> Option<&str> {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let flag = argument.split('=').next()?;
    let stem = flag.strip_suffix("-file").unwrap_or(flag);
    let secret = ["password", "token", "secret"]
        .iter()
        .any(|word| stem.starts_with("--") && stem.ends_with(word));
    (error.kind() == ErrorKind::UnknownArgument && secret).then_some(flag)
}

/// Reads a program's configuration, or does what the command line asks for instead.
///
/// # Errors
/// The exit code, once every mistake, or with `--print-config` what is in force, was printed.
pub fn configuration<T>(
    matches: &ArgMatches,
    keys: &[Key],
    read: impl FnOnce(&mut Settings) -> Option<T>,
) -> Result<T, ExitCode> {
    let mut settings = Settings::gather(keys, sources(matches, keys));
    let built = read(&mut settings);
    if matches.get_flag(PRINT_CONFIG) {
        return Err(exit::in_force(settings));
    }
    let remarks = settings.remarks().to_owned();
    settings
        .finish(built)
        .map_err(|problems| exit::usage(&problems, &remarks))
}

/// What a command line says about the settings, together with this process's environment.
#[must_use]
pub fn sources(matches: &ArgMatches, keys: &[Key]) -> Sources {
    Sources::of_process(flags(matches, keys), file(matches))
}

/// The settings that a command line has, by key name.
#[must_use]
pub fn flags(matches: &ArgMatches, keys: &[Key]) -> BTreeMap<&'static str, String> {
    keys.iter()
        .filter(|key| key.flag.is_some())
        .filter_map(|key| Some((key.name, matches.get_one::<String>(key.name)?.clone())))
        .collect()
}

/// The configuration file that a command line names.
#[must_use]
pub fn file(matches: &ArgMatches) -> Option<PathBuf> {
    matches.get_one::<PathBuf>(CONFIG).cloned()
}

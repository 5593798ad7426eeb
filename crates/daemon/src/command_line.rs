//! Flags, made out of a program's table of keys, so that there is one list of settings.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};

use crate::exit;
use crate::settings::{Key, Sources};

const CONFIG: &str = "config";

/// Adds `--config` and a flag for every key that has one. They may stand before or behind a
/// sub-command.
#[must_use]
pub fn with_settings(command: Command, keys: &[Key]) -> Command {
    let config = Arg::new(CONFIG)
        .long(CONFIG)
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .global(true)
        .help("reads settings from a TOML file; flags and the environment go before it");
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
    command.arg(config).args(flags)
}

fn help(key: &Key) -> String {
    match key.default {
        Some(default) => format!("{} [{}, default {default}]", key.help, key.env),
        None => format!("{} [{}]", key.help, key.env),
    }
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
        // When standard error is closed there is nobody to tell.
        let _ = error.print();
        if error.use_stderr() {
            ExitCode::from(exit::USAGE)
        } else {
            ExitCode::SUCCESS
        }
    })
}

/// What a command line says about the settings, together with this process's environment.
#[must_use]
pub fn sources(matches: &ArgMatches, keys: &[Key]) -> Sources {
    let flags = keys
        .iter()
        .filter(|key| key.flag.is_some())
        .filter_map(|key| Some((key.name, matches.get_one::<String>(key.name)?.clone())))
        .collect::<BTreeMap<_, _>>();
    Sources::of_process(flags, matches.get_one::<PathBuf>(CONFIG).cloned())
}

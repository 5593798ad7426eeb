//! `envoy-scraper`: the life of the process. What it does is in the library.

use std::process::ExitCode;

use clap::ArgMatches;
use daemon::{command_line, exit, signals};
use scraper::config::{self, Config};
use scraper::{cli, print};

fn main() -> ExitCode {
    let matches = match command_line::parse(cli::command(), std::env::args_os()) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    daemon::install_crypto_provider();
    match matches.subcommand() {
        Some(("password", arguments)) => cli::password(arguments),
        Some(("print", arguments)) => print_once(arguments),
        Some((_, arguments)) => run(arguments),
        None => run(&matches),
    }
}

fn run(matches: &ArgMatches) -> ExitCode {
    let read = command_line::configuration(matches, &config::keys(), Config::from_settings);
    let (config, logs) = match read {
        Ok(read) => read,
        Err(code) => return code,
    };
    logs.start();
    exit::block_on(async move {
        let shutdown = signals::shutdown()?;
        scraper::run(config, shutdown).await?;
        Ok(())
    })
}

fn print_once(matches: &ArgMatches) -> ExitCode {
    let keys = config::keys_of_print();
    let (access, logs) = match command_line::configuration(matches, &keys, config::read_access) {
        Ok(read) => read,
        Err(code) => return code,
    };
    logs.start();
    let format = cli::format(matches);
    exit::block_on(async move { Ok(print::print(&access, format).await?) })
}

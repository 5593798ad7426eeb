//! The life of the process: command line, logs, signals, exit code.

use std::process::ExitCode;

use clap::ArgMatches;
use daemon::service::Service;
use daemon::{command_line, exit, health, signals};

use crate::cli;
use crate::config::{self, Config};

/// `envoy-scrape`, from its command line to its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let matches = match command_line::parse(cli::command(), std::env::args_os()) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    daemon::install_crypto_provider();
    match matches.subcommand() {
        Some(("health", arguments)) => ask_health(arguments),
        Some((_, arguments)) => run(arguments),
        None => run(&matches),
    }
}

fn ask_health(matches: &ArgMatches) -> ExitCode {
    match command_line::configuration(matches, &config::keys(), health::whom_to_ask) {
        Ok(listen) => health::ask(&listen),
        Err(code) => code,
    }
}

fn run(matches: &ArgMatches) -> ExitCode {
    let keys = config::keys();
    let read = command_line::configuration(matches, &keys, Config::from_settings);
    let (config, logs) = match read {
        Ok(read) => read,
        Err(code) => return code,
    };
    logs.start();
    exit::block_on(async move {
        let service = Service::of_process();
        let shutdown = signals::shutdown(&service)?;
        // On the heap: it holds four programs.
        Box::pin(crate::run(config, &service, shutdown)).await?;
        Ok(())
    })
}

//! The life of the process: command line, logs, signals, exit code.

use std::process::ExitCode;

use clap::ArgMatches;
use daemon::service::Service;
use daemon::{command_line, exit, health, signals};

use crate::config::{self, Config};
use crate::{cli, export};

/// `envoy-scrape`, from its command line to its exit code.
#[must_use]
pub fn main() -> ExitCode {
    command_line::main(cli::command(), |matches| match matches.subcommand() {
        Some(("health", arguments)) => health::ask(arguments, &config::keys()),
        Some(("export", arguments)) => export::run(arguments),
        Some((_, arguments)) => run(arguments),
        None => run(matches),
    })
}

fn run(matches: &ArgMatches) -> Result<ExitCode, ExitCode> {
    let (config, logs) =
        command_line::configuration(matches, &config::keys(), Config::from_settings)?;
    logs.start();
    Ok(exit::block_on(async move {
        let service = Service::of_process();
        let shutdown = signals::shutdown(&service)?;
        // On the heap: it holds four programs.
        Box::pin(crate::run(config, &service, shutdown)).await?;
        Ok(())
    }))
}

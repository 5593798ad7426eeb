//! The command line.

use clap::Command;
use daemon::{command_line, health};

use crate::{config, export};

/// The command line of `envoy-scrape`.
#[must_use]
pub fn command() -> Command {
    let command = Command::new("envoy-scrape")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Reads an Enphase Envoy and keeps every inverter's readings: scraper, broker, receiver and store in one process")
        .after_help("Without --envoy it simulates a gateway. Secrets have no flags: set ENVOY_TOKEN or ENVOY_PASSWORD or their _FILE twins.")
        .subcommand(Command::new("run").about("Runs until it is stopped (the default)"))
        .subcommand(export::command())
        .subcommand(health::command());
    command_line::with_settings(command, &config::keys())
}

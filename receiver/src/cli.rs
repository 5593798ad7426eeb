//! The command line.

use clap::Command;
use daemon::{check, command_line, health};

use crate::config;

/// The command line of `envoy-receiver`.
#[must_use]
pub fn command() -> Command {
    let command = Command::new("envoy-receiver")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Subscribes to the readings of one or more scrapers and stores them in InfluxDB or in an SQLite file")
        .after_help(
            "Secrets have no flags: set INFLUX_TOKEN and MQTT_PASSWORD or their _FILE twins.",
        )
        .subcommand(Command::new("run").about("Stores readings until it is stopped (the default)"))
        .subcommand(Command::new("refill").about(
            "Has the receiver fetch and store everything once more that the scrapers' journals hold: \
             after InfluxDB was emptied or replaced",
        ))
        .subcommand(health::command())
        .subcommand(check::command(
            "Tries all that it needs, from the broker to the store, step by step",
        ));
    command_line::with_settings(command, &config::keys())
}

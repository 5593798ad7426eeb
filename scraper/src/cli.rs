//! The command line: sub-commands and their arguments.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use daemon::{check, command_line, exit, health};
use secrecy::ExposeSecret;
use wire::Serial;

use crate::config;
use crate::print::Format;

/// The argument that a whole gateway is to be forgotten.
const GATEWAY: &str = "gateway";

/// The command line of `envoy-scraper`.
#[must_use]
pub fn command() -> Command {
    let command = Command::new("envoy-scraper")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Reads an Enphase Envoy and publishes each inverter's changed readings by MQTT")
        .after_help("Secrets have no flags: set ENVOY_TOKEN, ENVOY_PASSWORD, ENLIGHTEN_PASSWORD, MQTT_PASSWORD or their _FILE twins.")
        .subcommand(Command::new("run").about("Publishes readings until it is stopped (the default)"))
        .subcommand(
            Command::new("print")
                .about("Reads the Envoy once and prints its inverters; needs no broker")
                .arg(
                    Arg::new("json")
                        .long("json")
                        .action(ArgAction::SetTrue)
                        .help("prints one reading a line, as it would be published"),
                ),
        )
        .subcommand(check::command(
            "Tries all that it needs, from the Envoy to the broker, step by step",
        ))
        .subcommand(health::command())
        .subcommand(
            Command::new("discover")
                .about("Lists the Envoys in the network that announce themselves by mDNS")
                .arg(
                    Arg::new("json")
                        .long("json")
                        .action(ArgAction::SetTrue)
                        .help("prints a list of objects, for programs"),
                )
                .arg(
                    Arg::new("seconds")
                        .long("seconds")
                        .value_name("N")
                        .value_parser(clap::value_parser!(u64).range(1..=60))
                        .default_value("4")
                        .help("how long to listen, 1 to 60"),
                ),
        )
        .subcommand(
            Command::new("forget")
                .about("Clears what the broker and Home Assistant have of an inverter or a battery, until it reports again")
                .arg(
                    Arg::new("serial")
                        .value_name("SERIAL")
                        .required_unless_present(GATEWAY)
                        .help("the serial number of the inverter or the battery"),
                )
                .arg(
                    Arg::new(GATEWAY)
                        .long(GATEWAY)
                        .value_name("SERIAL")
                        .conflicts_with("serial")
                        .help("clears all that they have of a whole Envoy that was replaced, with this serial number"),
                ),
        )
        .subcommand(
            Command::new("token")
                .about("Fetches a token for firmware 7 and later and prints it, or says how to get one by hand"),
        )
        .subcommand(
            Command::new("password")
                .about("Prints the password that firmware below 7 expects")
                .arg(
                    Arg::new("serial")
                        .value_name("SERIAL")
                        .required(true)
                        .help("the Envoy's serial number"),
                )
                .arg(
                    Arg::new("user")
                        .long("user")
                        .value_name("NAME")
                        .default_value("installer")
                        .help("the user whose password it is"),
                ),
        );
    command_line::with_settings(command, &config::keys())
}

/// How `print` was asked to print.
#[must_use]
pub fn format(matches: &ArgMatches) -> Format {
    if matches.get_flag("json") {
        Format::Json
    } else {
        Format::Table
    }
}

/// How long `discover` was asked to listen.
#[must_use]
pub fn listening_time(matches: &ArgMatches) -> Duration {
    let seconds = matches.get_one("seconds").copied();
    seconds.map_or(discovery::Browser::LOOK, Duration::from_secs)
}

/// What is to be forgotten.
#[derive(Debug)]
pub enum Gone {
    /// An inverter or a battery.
    Device(Serial),
    /// A gateway with all that belongs to it.
    Gateway(Serial),
}

/// What is to be forgotten.
///
/// # Errors
/// What is given can't be a serial number: the exit code for that, which was said.
pub fn gone(matches: &ArgMatches) -> Result<Gone, ExitCode> {
    let serial = |name| matches.get_one::<String>(name);
    if let Some(gateway) = serial(GATEWAY) {
        return gateway.parse().map(Gone::Gateway).map_err(|error| {
            exit::misuse(&format!(
                "the Envoy's serial: {error}; it is on the Envoy's label"
            ))
        });
    }
    let device = serial("serial").map_or("", String::as_str);
    device.parse().map(Gone::Device).map_err(|error| {
        exit::misuse(&format!(
            "the serial: {error}; `envoy-scraper print` lists them"
        ))
    })
}

/// Prints a computed password.
#[must_use]
pub fn password(matches: &ArgMatches) -> ExitCode {
    let argument = |name| matches.get_one::<String>(name).map_or("", String::as_str);
    let serial = argument("serial");
    if let Err(error) = serial.parse::<Serial>() {
        return exit::misuse(&format!(
            "the Envoy's serial: {error}; it is on the Envoy's label"
        ));
    }
    if let Some(doubt) = config::doubt_of_serial(serial) {
        // Where standard error is closed nobody wants to know.
        let _ = writeln!(std::io::stderr(), "doubtful: the serial {doubt}");
    }
    let password = envoy::installer_password(serial, argument("user"));
    let password = password.expose_secret();
    let printed = writeln!(std::io::stdout(), "{password}")
        .map_err(|error| format!("standard output can't be written: {error}"));
    exit::block_on(async { Ok(printed?) })
}

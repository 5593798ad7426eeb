//! `check`: what a daemon needs, tried step by step while the daemon itself may be running.
//!
//! Each daemon's own steps are in its `check.rs`; here are the [`Report`] that they write, and the
//! steps that all of them take on their way to the [`broker`].

pub mod broker;
mod report;

use std::net::IpAddr;

use clap::{Arg, ArgAction, ArgMatches, Command};

pub use report::{Format, Report, Taken};

/// What a check logs unless something else is chosen: its findings are on standard output.
pub const FILTER: &str = "off";

const JSON: &str = "json";

/// The sub-command.
#[must_use]
pub fn command(about: &'static str) -> Command {
    let json = Arg::new(JSON)
        .long(JSON)
        .action(ArgAction::SetTrue)
        .help("prints one object for programs, at the end");
    Command::new("check").about(about).arg(json)
}

/// The report that was asked for, on standard output.
#[must_use]
pub fn report(matches: &ArgMatches) -> Report<std::io::Stdout> {
    let format = if matches.get_flag(JSON) {
        Format::Json
    } else {
        Format::Text
    };
    Report::new(format, std::io::stdout())
}

/// The step that looks up a name, as the system does it; an address needs no look-up.
///
/// What becomes of it is only shown: the steps behind it look it up again by themselves.
pub async fn resolve(host: &str) -> Result<String, String> {
    if host.parse::<IpAddr>().is_ok() {
        return Ok(format!("{host} is an address"));
    }
    let addresses = tokio::net::lookup_host((host, 0))
        .await
        .map_err(|error| error.to_string())?;
    let mut shown: Vec<String> = addresses.map(|address| address.ip().to_string()).collect();
    shown.dedup();
    Ok(format!("{host} is {}", shown.join(", ")))
}

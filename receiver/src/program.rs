//! The life of the process: command line, logs, signals, exit code.

use std::process::ExitCode;

use clap::ArgMatches;
use daemon::service::Service;
use daemon::{command_line, exit, health, signals};

use crate::metrics::Metrics;
use crate::refill::StateOf;
use crate::{check, cli, config, refill};

/// `envoy-receiver`, from its command line to its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let matches = match command_line::parse(cli::command(), std::env::args_os()) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    daemon::install_crypto_provider();
    match matches.subcommand() {
        Some(("check", arguments)) => check_all(arguments),
        Some(("health", arguments)) => ask_health(arguments),
        Some(("refill", arguments)) => refill_all(arguments),
        Some((_, arguments)) => run(arguments),
        None => run(&matches),
    }
}

fn run(matches: &ArgMatches) -> ExitCode {
    let read = command_line::configuration(matches, &config::keys(), config::from_settings);
    let everything = match read {
        Ok(everything) => everything,
        Err(code) => return code,
    };
    everything.logs.start();
    exit::block_on(async move {
        let service = Service::of_process();
        let shutdown = signals::shutdown(&service)?;
        let (config, store) = (everything.config, everything.store);
        let listen = config.listen.clone();
        let (metrics, _serving) =
            health::start(listen.as_ref(), &service, Metrics::register).await?;
        crate::run(config, metrics, store, &service, shutdown).await?;
        Ok(())
    })
}

fn check_all(matches: &ArgMatches) -> ExitCode {
    let keys = daemon::logs::with_filter(config::keys(), daemon::check::FILTER);
    let everything = match command_line::configuration(matches, &keys, config::of_check) {
        Ok(everything) => everything,
        Err(code) => return code,
    };
    everything.logs.start_of_check();
    let mut report = daemon::check::report(matches);
    exit::check(async move {
        check::check(&everything.config, everything.store.store(), &mut report).await?;
        Ok(report.finish()?)
    })
}

#[expect(clippy::print_stdout, reason = "the command's result")]
fn refill_all(matches: &ArgMatches) -> ExitCode {
    let keys = config::keys();
    let receiver = match command_line::configuration(matches, &keys, StateOf::from_settings) {
        Ok(receiver) => receiver,
        Err(code) => return code,
    };
    match refill::leave_note(&receiver) {
        Ok(()) => {
            println!(
                "The receiver '{}' fetches and stores everything once more that the journals hold: within \
                 seconds if it is running with {}, else after its next start.",
                receiver.name,
                receiver.state_dir.display()
            );
            ExitCode::SUCCESS
        }
        Err(error) => exit::failure(&error),
    }
}

fn ask_health(matches: &ArgMatches) -> ExitCode {
    match command_line::configuration(matches, &config::keys(), health::whom_to_ask) {
        Ok(listen) => health::ask(&listen),
        Err(code) => code,
    }
}

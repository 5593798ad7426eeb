//! The life of the process: command line, logs, signals, exit code.

use std::error::Error;
use std::pin::pin;
use std::process::ExitCode;

use clap::ArgMatches;
use daemon::service::Service;
use daemon::{command_line, exit, health, signals};
use store::MarkedStore;

use crate::config::{Chosen, Config};
use crate::metrics::Metrics;
use crate::refill::StateOf;
use crate::{check, cli, config, opening, refill};

/// `envoy-receiver`, from its command line to its exit code.
#[must_use]
pub fn main() -> ExitCode {
    command_line::main(cli::command(), |matches| match matches.subcommand() {
        Some(("check", arguments)) => check_all(arguments),
        Some(("health", arguments)) => health::ask(arguments, &config::keys()),
        Some(("refill", arguments)) => refill_all(arguments),
        Some((_, arguments)) => run(arguments),
        None => run(matches),
    })
}

fn run(matches: &ArgMatches) -> Result<ExitCode, ExitCode> {
    let everything = command_line::configuration(matches, &config::keys(), config::from_settings)?;
    everything.logs.start();
    Ok(exit::block_on_one_thread(async move {
        let service = Service::of_process();
        let mut shutdown = pin!(signals::shutdown(&service)?);
        match everything.store {
            Chosen::Influx(store) => {
                store_in(everything.config, *store, &service, shutdown).await?;
            }
            Chosen::Sqlite(file) => {
                if let Some(store) = opening::open(&file, &service, shutdown.as_mut()).await? {
                    store_in(everything.config, store, &service, shutdown).await?;
                }
            }
        }
        Ok(())
    }))
}

async fn store_in<S: MarkedStore>(
    config: Config,
    store: S,
    service: &Service,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Box<dyn Error>> {
    let listen = config.listen.clone();
    let (metrics, _serving) = health::start(listen.as_ref(), service, Metrics::register).await?;
    crate::run(config, metrics, store, service, shutdown).await?;
    Ok(())
}

fn check_all(matches: &ArgMatches) -> Result<ExitCode, ExitCode> {
    let keys = daemon::logs::with_filter(config::keys(), daemon::check::FILTER);
    let everything = command_line::configuration(matches, &keys, config::of_check)?;
    everything.logs.start_of_check();
    let mut report = daemon::check::report(matches);
    Ok(exit::check(async move {
        check::check(&everything.config, &everything.store, &mut report).await?;
        Ok(report.finish()?)
    }))
}

#[expect(clippy::print_stdout, reason = "the command's result")]
fn refill_all(matches: &ArgMatches) -> Result<ExitCode, ExitCode> {
    let keys = config::keys();
    let receiver = command_line::configuration(matches, &keys, StateOf::from_settings)?;
    refill::leave_note(&receiver).map_err(|error| exit::failure(&error))?;
    println!(
        "The receiver '{}' fetches and stores everything once more that the journals hold: within \
         seconds if it is running with {}, else after its next start.",
        receiver.name,
        receiver.state_dir.display()
    );
    Ok(ExitCode::SUCCESS)
}

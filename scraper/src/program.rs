//! The life of the process: command line, logs, signals, exit code.

use std::process::ExitCode;

use clap::ArgMatches;
use daemon::logs::Logs;
use daemon::service::Service;
use daemon::settings::Settings;
use daemon::{command_line, exit, health, signals};

use crate::config::{self, Config};
use crate::forget::ForgetError;
use crate::metrics::Metrics;
use crate::token::TokenError;
use crate::{check, cli, discover, forget, print, token};

/// `envoy-scraper`, from its command line to its exit code.
#[must_use]
pub fn main() -> ExitCode {
    command_line::main(cli::command(), |matches| match matches.subcommand() {
        Some(("password", arguments)) => Ok(cli::password(arguments)),
        Some(("print", arguments)) => print_once(arguments),
        Some(("discover", arguments)) => list_envoys(arguments),
        Some(("token", arguments)) => fetch_token(arguments),
        Some(("check", arguments)) => check_all(arguments),
        Some(("forget", arguments)) => forget_what_is_gone(arguments),
        Some(("health", arguments)) => health::ask(arguments, &config::keys()),
        Some((_, arguments)) => run(arguments),
        None => run(matches),
    })
}

fn run(matches: &ArgMatches) -> Result<ExitCode, ExitCode> {
    let (config, logs) =
        command_line::configuration(matches, &config::keys(), Config::from_settings)?;
    logs.start();
    Ok(exit::block_on_one_thread(async move {
        let service = Service::of_process();
        let shutdown = signals::shutdown(&service)?;
        let (listen, each_inverter) =
            (config.listen.clone(), config.presentation.metrics_inverters);
        let register = |board: &mut _| Metrics::register(board, each_inverter);
        let (metrics, _serving) = health::start(listen.as_ref(), &service, register).await?;
        crate::run(config, metrics, &service, shutdown).await?;
        Ok(())
    }))
}

fn print_once(matches: &ArgMatches) -> Result<ExitCode, ExitCode> {
    let once = quietly(matches, config::read_once)?;
    let format = cli::format(matches);
    Ok(exit::block_on(async move {
        Ok(print::print(&once, format).await?)
    }))
}

fn list_envoys(matches: &ArgMatches) -> Result<ExitCode, ExitCode> {
    let browser = quietly(matches, config::read_browser)?;
    let (time, format) = (cli::listening_time(matches), cli::format(matches));
    Ok(exit::block_on(async move {
        Ok(discover::discover(browser, time, format).await?)
    }))
}

fn fetch_token(matches: &ArgMatches) -> Result<ExitCode, ExitCode> {
    let request = quietly(matches, config::read_token_request)?;
    let fetching = token::token(&request);
    Ok(exit::block_on_unless_misused(
        fetching,
        TokenError::is_misuse,
    ))
}

fn forget_what_is_gone(matches: &ArgMatches) -> Result<ExitCode, ExitCode> {
    let gone = cli::gone(matches)?;
    let settings = quietly(matches, config::read_forgetting)?;
    let forgetting = async {
        match gone {
            cli::Gone::Device(serial) => forget::forget(&settings, &serial).await,
            cli::Gone::Gateway(serial) => forget::forget_gateway(&settings, &serial).await,
        }
    };
    Ok(exit::block_on_unless_misused(
        forgetting,
        ForgetError::is_misuse,
    ))
}

/// Reads what a command for people needs, and starts the logs as they want them then: few.
fn quietly<T>(
    matches: &ArgMatches,
    read: impl FnOnce(&mut Settings) -> Option<(T, Logs)>,
) -> Result<T, ExitCode> {
    let keys = config::keys_of(config::PRINT_FILTER);
    let (needed, logs) = command_line::configuration(matches, &keys, read)?;
    logs.start();
    Ok(needed)
}

fn check_all(matches: &ArgMatches) -> Result<ExitCode, ExitCode> {
    let keys = config::keys_of(daemon::check::FILTER);
    let (config, logs) = command_line::configuration(matches, &keys, Config::of_check)?;
    logs.start_of_check();
    let mut report = daemon::check::report(matches);
    Ok(exit::check(async move {
        check::check(&config, &mut report).await?;
        Ok(report.finish()?)
    }))
}

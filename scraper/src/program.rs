//! The life of the process: command line, logs, signals, exit code.

use std::process::ExitCode;

use clap::ArgMatches;
use daemon::service::Service;
use daemon::{command_line, exit, health, signals};

use crate::config::{self, Config};
use crate::metrics::Metrics;
use crate::{check, cli, discover, print, token};

/// `envoy-scraper`, from its command line to its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let matches = match command_line::parse(cli::command(), std::env::args_os()) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    daemon::install_crypto_provider();
    match matches.subcommand() {
        Some(("password", arguments)) => cli::password(arguments),
        Some(("print", arguments)) => print_once(arguments),
        Some(("discover", arguments)) => list_envoys(arguments),
        Some(("token", arguments)) => fetch_token(arguments),
        Some(("check", arguments)) => check_all(arguments),
        Some(("health", arguments)) => ask_health(arguments),
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
        let service = Service::of_process();
        let shutdown = signals::shutdown(&service)?;
        let (listen, each_inverter) =
            (config.listen.clone(), config.presentation.metrics_inverters);
        let register = |board: &mut _| Metrics::register(board, each_inverter);
        let (metrics, _serving) = health::start(listen.as_ref(), &service, register).await?;
        crate::run(config, metrics, &service, shutdown).await?;
        Ok(())
    })
}

fn print_once(matches: &ArgMatches) -> ExitCode {
    let keys = config::keys_of(config::PRINT_FILTER);
    let read = command_line::configuration(matches, &keys, config::read_access);
    let ((access, state_dir), logs) = match read {
        Ok(read) => read,
        Err(code) => return code,
    };
    logs.start();
    let format = cli::format(matches);
    exit::block_on(async move { Ok(print::print(&access, &state_dir, format).await?) })
}

fn list_envoys(matches: &ArgMatches) -> ExitCode {
    let keys = config::keys_of(config::PRINT_FILTER);
    let read = command_line::configuration(matches, &keys, config::read_browser);
    let (browser, logs) = match read {
        Ok(read) => read,
        Err(code) => return code,
    };
    logs.start();
    let (time, format) = (cli::listening_time(matches), cli::format(matches));
    exit::block_on(async move { Ok(discover::discover(browser, time, format).await?) })
}

fn fetch_token(matches: &ArgMatches) -> ExitCode {
    let keys = config::keys_of(config::PRINT_FILTER);
    let read = command_line::configuration(matches, &keys, config::read_token_request);
    let (request, logs) = match read {
        Ok(read) => read,
        Err(code) => return code,
    };
    logs.start();
    let mut misuse = None;
    let code = exit::block_on(async {
        match token::token(&request).await {
            Err(error) if error.is_misuse() => {
                misuse = Some(error.to_string());
                Ok(())
            }
            result => Ok(result?),
        }
    });
    misuse.map_or(code, |message| exit::misuse(&message))
}

fn check_all(matches: &ArgMatches) -> ExitCode {
    let keys = config::keys_of(daemon::check::FILTER);
    let (config, logs) = match command_line::configuration(matches, &keys, Config::of_check) {
        Ok(read) => read,
        Err(code) => return code,
    };
    logs.start_of_check();
    let mut report = daemon::check::report(matches);
    exit::check(async move {
        check::check(&config, &mut report).await?;
        Ok(report.finish()?)
    })
}

fn ask_health(matches: &ArgMatches) -> ExitCode {
    match command_line::configuration(matches, &config::keys(), health::whom_to_ask) {
        Ok(listen) => health::ask(&listen),
        Err(code) => code,
    }
}

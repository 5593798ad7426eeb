//! `envoy-scraper`: the life of the process. What it does is in the library.

use std::process::ExitCode;

use clap::ArgMatches;
use daemon::service::Service;
use daemon::{command_line, exit, signals};
use scraper::config::{self, Config};
use scraper::{cli, print};

fn main() -> ExitCode {
    let matches = match command_line::parse(cli::command(), std::env::args_os()) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    daemon::install_crypto_provider();
    match matches.subcommand() {
        Some(("password", arguments)) => cli::password(arguments),
        Some(("print", arguments)) => print_once(arguments),
        Some((_, arguments)) => run(arguments),
        None => run(&matches),
    }
}

fn run(matches: &ArgMatches) -> ExitCode {
    let sources = command_line::sources(matches, &config::keys());
    let (config, logs) = match Config::read(sources) {
        Ok(read) => read,
        Err(problems) => return exit::usage(&problems),
    };
    logs.start();
    exit::block_on(async move {
        let service = Service::of_process();
        let shutdown = signals::shutdown(&service)?;
        scraper::run(config, &service, shutdown).await?;
        Ok(())
    })
}

fn print_once(matches: &ArgMatches) -> ExitCode {
    let sources = command_line::sources(matches, &config::keys());
    let (access, logs) = match config::read_access(sources) {
        Ok(read) => read,
        Err(problems) => return exit::usage(&problems),
    };
    logs.start();
    let format = cli::format(matches);
    exit::block_on(async move { Ok(print::print(&access, format).await?) })
}

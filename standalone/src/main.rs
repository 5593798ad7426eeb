//! `envoy-scrape`: the life of the process. What it does is in the library.

use std::process::ExitCode;

use daemon::service::Service;
use daemon::{command_line, exit, signals};
use standalone::{cli, config::Config};

fn main() -> ExitCode {
    let matches = match command_line::parse(cli::command(), std::env::args_os()) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    daemon::install_crypto_provider();
    let sources = command_line::sources(&matches, &standalone::config::keys());
    let (config, logs) = match Config::read(sources) {
        Ok(read) => read,
        Err(problems) => return exit::usage(&problems),
    };
    logs.start();
    exit::block_on(async move {
        let service = Service::of_process();
        let shutdown = signals::shutdown(&service)?;
        // On the heap: it holds four programs.
        Box::pin(standalone::run(config, &service, shutdown)).await?;
        Ok(())
    })
}

//! `envoy-receiver`: the life of the process. What it does is in the library.

use std::process::ExitCode;

use daemon::service::Service;
use daemon::{command_line, exit, signals};
use receiver::{cli, config};

fn main() -> ExitCode {
    let matches = match command_line::parse(cli::command(), std::env::args_os()) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    daemon::install_crypto_provider();
    let sources = command_line::sources(&matches, &config::keys());
    let everything = match config::read(sources) {
        Ok(everything) => everything,
        Err(problems) => return exit::usage(&problems),
    };
    everything.logs.start();
    exit::block_on(async move {
        let service = Service::of_process();
        let shutdown = signals::shutdown(&service)?;
        receiver::run(everything.config, everything.store, &service, shutdown).await?;
        Ok(())
    })
}

//! `envoy-receiver`: the life of the process. What it does is in the library.

use std::process::ExitCode;

use daemon::{command_line, exit, signals};
use receiver::{cli, config};

fn main() -> ExitCode {
    let matches = match command_line::parse(cli::command(), std::env::args_os()) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    daemon::install_crypto_provider();
    let read = command_line::configuration(&matches, &config::keys(), config::from_settings);
    let everything = match read {
        Ok(everything) => everything,
        Err(code) => return code,
    };
    everything.logs.start();
    exit::block_on(async move {
        let shutdown = signals::shutdown()?;
        receiver::run(everything.config, everything.store, shutdown).await?;
        Ok(())
    })
}

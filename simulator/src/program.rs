//! `envoy-simulator`: starts a simulated gateway, names its address, runs until it is told to end.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use self::cli::Cli;
use self::control::{Control, ControlError};
use crate::{Simulator, StartError};

mod cli;
mod control;
mod health;

/// A mistake in what was asked for, by the convention of sysexits.h.
const BAD_INPUT: u8 = 64;

/// `envoy-simulator`, from its command line to its exit code.
#[tokio::main]
#[must_use]
pub async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too; there is nobody left to tell if printing fails.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { BAD_INPUT } else { 0 });
        }
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    let done = match cli.health {
        Some(address) => health::ask(address).await,
        None => run(cli).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            let bad_input = error.downcast_ref().is_some_and(StartError::is_bad_input)
                || error.is::<ControlError>();
            ExitCode::from(if bad_input { BAD_INPUT } else { 1 })
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    // Before anything answers: a signal from now on is an orderly end.
    let mut terminate = signal(SignalKind::terminate()).context("can't wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("can't wait for SIGINT")?;
    // Before the address is printed, so that whoever reads it can switch faults from then on.
    let control = cli.control.as_deref().map(Control::open).transpose()?;
    let simulator = Simulator::start(cli.options()).await?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening on {}", simulator.url()).context("can't print the address")?;
    if let Some(url) = simulator.http_url() {
        writeln!(stdout, "port 80 is {url}").context("can't print the second address")?;
    }
    if let Some(url) = simulator.cloud_url() {
        writeln!(stdout, "cloud on {url}").context("can't print the cloud's address")?;
    }
    stdout.flush().context("can't print the address")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = control::serve(control.as_ref(), &simulator) => {}
    }
    tokio::select! {
        () = simulator.stop() => Ok(()),
        _ = terminate.recv() => anyhow::bail!("ended at once by a second signal"),
        _ = interrupt.recv() => anyhow::bail!("ended at once by a second signal"),
    }
}

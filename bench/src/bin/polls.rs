//! Polls an Envoy as the scraper does, but without a pause. Called by `bench/poll`, which measures it.
//!
//! `cargo run --release -p bench --bin polls HOST COUNT PAUSE [TOKEN]`: without the file of a token by the password
//! that follows from the serial. It polls once, says so and waits for a line; then it polls COUNT times, says so and
//! waits for another one. To the client PAUSE seconds pass between two polls: with 60, the scraper's default, it asks
//! what it asks then, and with 0 only what it asks each time.

#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::io::stdin;
use std::time::Duration;

use anyhow::Context;
use envoy::{Gateway, Settings, TokenSource};
use tokio::time::{advance, pause, resume};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    daemon::install_crypto_provider();
    let mut arguments = std::env::args().skip(1);
    let host = arguments.next().context("HOST")?;
    let count: usize = arguments.next().context("COUNT")?.parse()?;
    let between = Duration::from_secs(arguments.next().context("PAUSE")?.parse()?);
    let mut settings = Settings::new(host.parse()?);
    settings.token = arguments.next().map(TokenSource::file);
    let mut gateway = Gateway::new(settings);
    let mut reports = poll(&mut gateway).await?;
    wait(reports)?;
    for _ in 0..count {
        pause();
        advance(between).await;
        resume();
        reports = poll(&mut gateway).await?;
    }
    wait(reports)
}

/// One poll: how many inverters have reported. What this gateway does not have is noted once, and left alone.
async fn poll(gateway: &mut Gateway) -> anyhow::Result<usize> {
    Ok(gateway.poll().await?.inverters.reports.len())
}

fn wait(reports: usize) -> anyhow::Result<()> {
    println!("{reports} reports");
    stdin().read_line(&mut String::new())?;
    Ok(())
}

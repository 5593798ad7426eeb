//! `torture`: a run of as many rounds as are asked for.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use torture::{Sabotage, Schedule, Switch, run};

/// Lets everything go wrong that can, on the real programs and servers, and counts what that cost.
///
/// Needs a Docker engine. What the programs say goes to standard error. Exit code 0: nothing was lost or
/// altered, nothing stepped back in time, and nothing else failed that the table names; 1: something did;
/// 2: it could not begin; 3: it was stopped by a signal, and has cleaned up.
#[derive(Debug, Parser)]
#[command(name = "torture")]
struct Cli {
    /// How many rounds, of one to three faults each
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rounds: u32,
    /// The same seed always gives the same schedule [default: one by chance]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Take a part of the promise out, to see that the loss is seen; it takes some rounds until a schedule
    /// needs that part
    #[arg(long, value_name = "PART")]
    sabotage: Option<Sabotage>,
    /// Only print what would go wrong, and when
    #[arg(long)]
    dry_run: bool,
}

/// Something did go wrong.
const FAILED: u8 = 1;

/// There are no servers.
const NOT_BEGUN: u8 = 2;

/// Somebody did not want to wait for the end.
const STOPPED: u8 = 3;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let seed = cli.seed.unwrap_or_else(rand::random);
    let rounds = usize::try_from(cli.rounds).expect("a hundred thousand fit");
    let schedule = Schedule::dealt(seed, rounds);
    let mut out = io::stdout();
    // Nobody may be reading; the exit code still tells.
    let without = cli
        .sabotage
        .map(|part| format!(", without {}", part.name()));
    let without = without.unwrap_or_default();
    let _ = writeln!(out, "{rounds} rounds of seed {seed}{without}");
    if cli.dry_run {
        let _ = write!(out, "{schedule}");
        return ExitCode::SUCCESS;
    }
    let stopped = match stop_signal() {
        Ok(stopped) => stopped,
        Err(error) => return not_begun(&format!("no signal can be waited for: {error}")),
    };
    let switch = cli.sabotage.map_or_else(Switch::none, Switch::sabotaged);
    let ended = tokio::select! {
        ended = run("torture", &schedule, &switch, &mut out) => ended,
        // The programs and containers of the run end with it.
        () = stopped => {
            let _ = writeln!(io::stderr(), "torture: stopped by a signal; its programs and containers are gone");
            return ExitCode::from(STOPPED);
        }
    };
    match ended {
        None => not_begun("there is no Docker engine that has its servers, as the line above says"),
        Some(outcome) => {
            let _ = writeln!(out, "\n{outcome}");
            ExitCode::from(if outcome.failures().is_empty() {
                0
            } else {
                FAILED
            })
        }
    }
}

fn not_begun(reason: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "torture: it did not begin: {reason}");
    ExitCode::from(NOT_BEGUN)
}

/// Comes back when somebody has sent SIGINT or SIGTERM.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

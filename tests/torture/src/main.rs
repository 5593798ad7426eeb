//! `torture`: a run of as many rounds as are asked for.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use torture::{Sabotage, Schedule, Switch, run};

/// Lets everything go wrong that can, on the real programs and servers, and counts what that cost.
///
/// Needs a Docker engine. What the programs say goes to standard error. Exit code 0: nothing was lost or
/// altered, nothing stepped back in time, and nothing else failed that the table names; 1: something did;
/// 2: it could not begin.
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
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let seed = cli.seed.unwrap_or_else(rand::random);
    let rounds = usize::try_from(cli.rounds).expect("a hundred thousand fit");
    let schedule = Schedule::dealt(seed, rounds);
    let switch = cli.sabotage.map_or_else(Switch::none, Switch::sabotaged);
    let mut out = io::stdout();
    // Nobody may be reading; the exit code still tells.
    let without = cli
        .sabotage
        .map(|part| format!(", without {}", part.name()));
    let without = without.unwrap_or_default();
    let _ = writeln!(out, "{rounds} rounds of seed {seed}{without}");
    match run("torture", &schedule, &switch, &mut out).await {
        None => ExitCode::from(2),
        Some(outcome) => {
            let _ = writeln!(out, "\n{outcome}");
            ExitCode::from(u8::from(!outcome.failures().is_empty()))
        }
    }
}

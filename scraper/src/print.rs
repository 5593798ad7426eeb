//! Reads the Envoy once and shows what it said: the first thing to try, no broker needed.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use daemon::random;
use envoy::{Failure, Flow, Info, Inverters, Poll, StateFiles};
use wire::{JournalId, Serial};

use crate::changes::Changes;
use crate::config::Access;
use crate::explain::login_of_look;
use crate::journal::remembered_serial;
use crate::reach::{Reach, Unreached};

/// How the inverters are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// One reading a line, as it would be published.
    Json,
}

/// Why nothing could be printed.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// The Envoy's settings can't be used.
    #[error("the Envoy's settings can't be used: {0}")]
    Settings(String),
    /// The Envoy did not give its readings.
    #[error("the Envoy's readings can't be had: {0}")]
    Envoy(String),
    /// The Envoy's serial can't be part of a topic.
    #[error("the Envoy's serial can't be used")]
    Serial(#[from] wire::InvalidName),
    /// Standard output is closed.
    #[error("standard output can't be written")]
    Output(#[from] std::io::Error),
}

/// Reads the Envoy and prints its inverters to standard output. In `state_dir`, which belongs to a
/// daemon, nothing is changed.
///
/// # Errors
/// When the Envoy can't be read, or standard output can't be written.
pub async fn print(access: &Access, state_dir: &Path, format: Format) -> Result<(), PrintError> {
    let files = StateFiles::as_found_in(state_dir);
    let known = remembered_serial(state_dir);
    let reach = Reach::new(access, files, known.as_ref(), state_dir);
    let mut reach = reach.map_err(PrintError::Settings)?;
    let info = reach.info().await.map_err(refused)?;
    let poll = reach.poll().await;
    let failed = poll.is_err();
    let said = reach
        .gateway()
        .and_then(|gateway| login_of_look(gateway, failed));
    if let Some(said) = said {
        tracing::warn!("{said}");
    }
    let poll = poll.map_err(refused)?;
    let text = match format {
        Format::Table => table(&info, &poll.inverters) + &site(&poll),
        Format::Json => lines(&info, &poll.inverters)?,
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that `map_err` takes"
)]
fn refused(error: Unreached) -> PrintError {
    PrintError::Envoy(error.explain())
}

fn lines(info: &Info, answer: &Inverters) -> Result<String, wire::InvalidName> {
    let envoy: Serial = info.serial.parse()?;
    let judged = Changes::new().take(answer);
    for reason in judged.refused {
        tracing::warn!(%reason, "an inverter that could not be used");
    }
    // Nothing keeps them: their journal is that of this one look.
    let journal: JournalId = random::id();
    let lines = (1..).zip(judged.new).map(|(seq, report)| {
        let reading = wire::Measured::from(report).numbered(envoy.clone(), journal.clone(), seq);
        reading.encode() + "\n"
    });
    Ok(lines.collect())
}

fn table(info: &Info, answer: &Inverters) -> String {
    let judged = Changes::new().take(answer);
    let mut text = format!(
        "Envoy {}, firmware {}, {} inverters\n\n",
        info.serial,
        info.firmware,
        judged.new.len()
    );
    let mut reports = judged.new;
    reports.sort_by(|a, b| a.serial.cmp(&b.serial));
    let width = reports
        .iter()
        .map(|report| report.serial.as_ref().len())
        .chain(["inverter".len()])
        .max()
        .unwrap_or_default();
    row(&mut text, width, "inverter", "last report", "power", "peak");
    for report in &reports {
        row(
            &mut text,
            width,
            report.serial.as_ref(),
            &report.reported_at.to_string(),
            &format!("{} W", report.power_w),
            &format!("{} W", report.peak_power_w),
        );
    }
    let sum: i64 = reports
        .iter()
        .map(|report: &wire::Inverter| i64::from(report.power_w))
        .sum();
    row(&mut text, width, "sum", "", &format!("{sum} W"), "");
    if answer.never_reported > 0 {
        let _ = writeln!(
            text,
            "\n{} listed inverters have never reported.",
            answer.never_reported
        );
    }
    for reason in judged.refused {
        let _ = writeln!(text, "\nLeft out: {reason}");
    }
    text
}

/// What the Envoy measures beside the inverters, and what it does not.
fn site(poll: &Poll) -> String {
    let mut text = String::from("\nThe site\n");
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {name:12} {value}");
    };
    match (poll.production, poll.inverter_total) {
        (Some(flow), _) => line("production", shown(flow)),
        (None, Some(flow)) => line("inverters", shown(flow) + ", no production meter"),
        (None, None) => line("production", "not measured: no meter shows it".to_owned()),
    }
    match poll.consumption {
        Some(flow) => line("consumption", shown(flow)),
        None => line("consumption", "not measured: no meter shows it".to_owned()),
    }
    match poll.net {
        Some(net) => {
            let direction = if net.power_w < 0.0 {
                "given to"
            } else {
                "taken from"
            };
            line("grid", format!("{:.0} W {direction} it", net.power_w.abs()));
        }
        None => line("grid", "not measured: no meter shows it".to_owned()),
    }
    for battery in &poll.batteries {
        let charge = battery.state_of_charge_pct;
        let charge = charge.map_or("charge unknown".to_owned(), |pct| {
            format!("{pct:.0} % full")
        });
        let power = battery.power_w;
        let power = power.map_or("power unknown".to_owned(), |power_w| {
            format!("{power_w:.0} W")
        });
        line("battery", format!("{}: {charge}, {power}", battery.serial));
    }
    for note in &poll.notes {
        let why = match note.failure {
            Failure::Missing => "this Envoy does not have it, or not for this login",
            Failure::Slow => "it did not answer in time",
            _ => "its answer could not be used",
        };
        line("not read", format!("{}: {why}", note.endpoint));
    }
    text
}

fn shown(flow: Flow) -> String {
    let lifetime = flow.energy_lifetime_wh;
    let lifetime = lifetime.map_or("lifetime unknown".to_owned(), |wh| {
        format!("{:.1} kWh ever", wh / 1000.0)
    });
    format!("{:.0} W, {lifetime}", flow.power_w)
}

fn row(text: &mut String, width: usize, serial: &str, reported: &str, power: &str, peak: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(
        text,
        "{serial:width$}  {reported:20}  {power:>8}  {peak:>8}"
    );
}

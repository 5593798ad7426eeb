//! `export`: the readings of the store as text, for other programs: the way out to the big set-up.

use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use daemon::state_dir::state_dir;
use daemon::{command_line, exit};
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use store::{Export, ExportError, OpenError};
use wire::{Kind, ReportTime};

use crate::config;

/// Bytes that are written at a time.
const BUFFER: usize = 64 * 1024;

/// Why nothing, or not all, was exported.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{} is not there; name the file with --database", .0.display())]
    NoFile(PathBuf),
    #[error(
        "no Envoy's readings are stored: {} is not there; those of the simulated Envoy are to be had with --database {}",
        .0.display(), .1.display()
    )]
    OnlySimulated(PathBuf, PathBuf),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Export(#[from] ExportError),
}

/// The sub-command.
#[must_use]
pub fn command() -> Command {
    let flag = |name: &'static str, help: &'static str| {
        let flag = Arg::new(name).long(name);
        flag.action(ArgAction::SetTrue).help(help)
    };
    let value = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("export")
        .about("Writes stored readings to standard output, also while the program runs")
        .arg(flag("csv", "writes one kind of reading as CSV, with a line of column names"))
        .arg(flag(
            "line-protocol",
            "writes all kinds as InfluxDB's line protocol, with times in seconds, as the receiver does",
        ))
        .group(
            ArgGroup::new("format")
                .args(["csv", "line-protocol"])
                .required(true),
        )
        .arg(
            value("kind", "KIND", "the kind of reading; inverter for CSV, all for line protocol when unset")
                .value_parser(kind),
        )
        .arg(
            value("from", "TIME", "the first time: 2026-11-23 for its midnight here, or 2026-11-23T09:15:00Z")
                .value_parser(time),
        )
        .arg(value("until", "TIME", "the time before which readings are written").value_parser(time))
        .arg(
            value("database", "FILE", "the SQLite file; the single process's own in the state directory when unset")
                .value_parser(clap::value_parser!(PathBuf)),
        )
}

fn kind(text: &str) -> Result<Kind, String> {
    let known = Kind::ALL.into_iter().find(|kind| kind.as_str() == text);
    known.ok_or_else(|| format!("is none of {}", Kind::ALL.map(Kind::as_str).join(", ")))
}

fn time(text: &str) -> Result<i64, &'static str> {
    let midnight = |date: civil::Date| date.to_zoned_datetime(TimeZone::system());
    let time = match text.parse::<civil::Date>() {
        // What has a time of day is a date to jiff, too.
        Ok(date) if !text.contains('T') => midnight(date).map(|at| at.timestamp()),
        _ => text.parse::<Timestamp>(),
    };
    time.map(Timestamp::as_second)
        .map_err(|_| "is no time; write 2026-11-23, or 2026-11-23T09:15:00Z")
}

/// Writes what the command line asks for.
///
/// # Errors
/// The exit code, once what is wrong was printed.
pub fn run(matches: &ArgMatches) -> Result<ExitCode, ExitCode> {
    let database = match matches.get_one::<PathBuf>("database") {
        Some(database) => Ok(database.clone()),
        None => command_line::configuration(matches, &config::keys(), state_dir).map(own)?,
    };
    match database.and_then(|database| export(matches, database)) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        // Whoever reads it has enough, as `head` has.
        Err(Failure::Export(ExportError::Output(error)))
            if error.kind() == io::ErrorKind::BrokenPipe =>
        {
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => Err(exit::failure(&error)),
    }
}

/// The store of a real Envoy's readings in this directory; that of a simulated one is never taken for it.
fn own(state_dir: impl AsRef<Path>) -> Result<PathBuf, Failure> {
    let of = |source: &str| state_dir.as_ref().join(source).join("readings.sqlite");
    let (real, simulated) = (of("standalone"), of("simulated"));
    if !real.exists() && simulated.exists() {
        return Err(Failure::OnlySimulated(real, simulated));
    }
    Ok(real)
}

fn export(matches: &ArgMatches, database: PathBuf) -> Result<(), Failure> {
    if !database.exists() {
        return Err(Failure::NoFile(database));
    }
    let export = Export::open(database)?;
    let given = |name: &str| matches.get_one::<i64>(name).copied();
    let clamped = |at: i64| {
        let at = at.clamp(
            ReportTime::MIN.unix_seconds(),
            ReportTime::MAX.unix_seconds(),
        );
        ReportTime::from_unix_seconds(at).unwrap_or(ReportTime::MAX)
    };
    let from = given("from").map_or(ReportTime::MIN, clamped);
    let until = given("until").map_or(ReportTime::MAX, |until| clamped(until.saturating_sub(1)));
    let times = from..=until;
    let kind = matches.get_one::<Kind>("kind").copied();
    let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    if matches.get_flag("csv") {
        export.csv(kind.unwrap_or(Kind::Inverter), times, &mut out)?;
    } else {
        let kinds = kind.map_or_else(|| Kind::ALL.to_vec(), |kind| vec![kind]);
        for kind in kinds {
            export.line_protocol(kind, times.clone(), &mut out)?;
        }
    }
    out.flush().map_err(ExportError::from)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_date_here_or_a_moment_anywhere() {
        assert_eq!(time("2026-11-23T09:15:00Z"), Ok(1_795_425_300));
        assert_eq!(time("2026-11-23T10:15:00+01:00"), Ok(1_795_425_300));
        let midnight = civil::date(2026, 11, 23).to_zoned_datetime(TimeZone::system());
        assert_eq!(
            time("2026-11-23").ok(),
            midnight.ok().map(|at| at.timestamp().as_second())
        );
        for wrong in ["yesterday", "", "2026-13-01", "2026-11-23T09:15:00"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn who_has_only_simulated_readings_is_led_to_them() {
        let directory = tempfile::tempdir().expect("a directory");
        let of = |source: &str| directory.path().join(source).join("readings.sqlite");
        assert_eq!(own(directory.path()).ok(), Some(of("standalone")));
        let begin = |file: PathBuf| {
            std::fs::create_dir(file.parent().expect("it has one")).expect("made");
            std::fs::write(file, "").expect("written");
        };
        begin(of("simulated"));
        let error = own(directory.path()).expect_err("another file is meant");
        let advice = format!("--database {}", of("simulated").display());
        assert!(error.to_string().ends_with(&advice), "{error}");
        begin(of("standalone"));
        assert_eq!(own(directory.path()).ok(), Some(of("standalone")));
    }

    #[test]
    fn a_format_has_to_be_chosen_and_only_one() {
        let parse = |arguments: &[&str]| {
            let all = [&["export"], arguments].concat();
            command().try_get_matches_from(all).is_ok()
        };
        assert!(parse(&["--csv", "--kind", "net", "--from", "2026-11-23"]));
        assert!(!parse(&[]));
        assert!(!parse(&["--csv", "--line-protocol"]));
        assert!(!parse(&["--csv", "--kind", "moon"]));
    }
}

//! Parsers for values that several sections share. What a value means to one part alone is parsed
//! by that part's own type.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use tracing_subscriber::EnvFilter;

use super::text_file;

/// Any text.
///
/// # Errors
/// When it is empty.
pub fn text(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() {
        Err("is empty; give a value or leave the setting out")
    } else {
        Ok(text.to_owned())
    }
}

/// A whole number from 1 on.
///
/// # Errors
/// When it is none.
pub fn number<T: FromStr + PartialOrd + From<u8>>(text: &str) -> Result<T, &'static str> {
    text.parse()
        .ok()
        .filter(|number| *number >= T::from(1))
        .ok_or("is not a whole number from 1 on; write for example 10")
}

/// A switch.
///
/// # Errors
/// When it is neither on nor off.
pub fn switch(text: &str) -> Result<bool, &'static str> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("is neither true nor false; write one of them"),
    }
}

/// A length of time above zero, such as `90s` or `1m 30s`.
///
/// # Errors
/// When it is none, or zero, or negative.
pub fn duration(text: &str) -> Result<Duration, String> {
    if text.parse::<f64>().is_ok_and(|number| number > 0.0) {
        return Err(format!(
            "has no unit; write {text}s for seconds, {text}m for minutes"
        ));
    }
    text.parse::<SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "is not a length of time; write 60s, 2m or 1m 30s".to_owned())
}

/// The path of a file that can be read now.
///
/// # Errors
/// When it can't be read.
pub fn readable_file(text: &str) -> Result<PathBuf, String> {
    match text_file::open(Path::new(text)) {
        Ok(_) => Ok(text.into()),
        Err(error) => Err(format!("{text:?} {error}")),
    }
}

/// What is logged. A word that is no level would be taken for a module's name, and silence all
/// others: `verbose` and `warning` are refused.
///
/// Of the MQTT client library nothing is, unless it is named: it has an error of its own for each packet that it does not
/// like, and why a connection has ended is said without it, once.
///
/// # Errors
/// When it is no list of levels and modules.
pub fn log_filter(text: &str) -> Result<EnvFilter, &'static str> {
    const MISTAKEN: [&str; 9] = [
        "all",
        "none",
        "verbose",
        "warning",
        "err",
        "fatal",
        "critical",
        "notice",
        "information",
    ];
    const REMEDY: &str =
        "write a level (off, error, warn, info, debug, trace), or a list such as info,mqtt=debug";
    if text
        .split(',')
        .any(|part| MISTAKEN.contains(&part.trim().to_lowercase().as_str()))
    {
        return Err(REMEDY);
    }
    let is_level = |part: &str| {
        part.trim()
            .parse::<tracing_subscriber::filter::LevelFilter>()
            .is_ok()
    };
    if !text.contains('=') && !text.split(',').any(is_level) {
        return Err(REMEDY);
    }
    if text.split(',').any(is_slip) {
        return Err(REMEDY);
    }
    let library = "rumqttc";
    let quiet = if text.contains(library) {
        text.to_owned()
    } else {
        format!("{text},{library}=off")
    };
    EnvFilter::try_new(quiet).map_err(|_| REMEDY)
}

/// Whether a part of a list of levels and modules would be taken, and name nothing that there is: all would be silent.
fn is_slip(part: &str) -> bool {
    let part = part.trim();
    // A span and its fields may have any sign.
    if part.contains(['[', '{', '}', ']']) {
        return false;
    }
    let (module, level) = part.rsplit_once('=').unwrap_or((part, "info"));
    let is_module = |sign: char| sign.is_ascii_alphanumeric() || "_:-".contains(sign);
    module.is_empty() || level.is_empty() || !module.chars().all(is_module)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_needs_a_unit_and_is_above_zero() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        let without_unit = "has no unit; write 90s for seconds, 90m for minutes";
        assert_eq!(duration("90"), Err(without_unit.to_owned()));
        for wrong in ["0s", "0", "-1s", "-1", "soon", "", "99999999999999999999s"] {
            assert!(duration(wrong).is_err(), "{wrong:?} was taken");
        }
    }

    #[test]
    fn a_number_is_whole_and_at_least_one() {
        assert_eq!(number::<u32>("12"), Ok(12));
        for wrong in ["0", "-1", "1.5", "many", "99999999999"] {
            assert!(number::<u32>(wrong).is_err(), "{wrong:?} was taken");
        }
    }

    #[test]
    fn a_log_filter_that_would_silence_everything_by_mistake_is_refused() {
        for right in [
            "info",
            "WARN",
            "off",
            "info,mqtt=debug",
            "scraper::poller=trace",
            "info,scraper[poll{envoy=1}]=debug",
        ] {
            assert!(log_filter(right).is_ok(), "{right:?} was refused");
        }
        for wrong in [
            "verbose",
            "warning",
            "infoo",
            "mqtt",
            "info,mqtt=loud",
            ",",
            "info,",
            "scraper=",
            "=info",
            "info;mqtt=debug",
            "info mqtt=debug",
            "Warning,mqtt=info",
        ] {
            assert!(log_filter(wrong).is_err(), "{wrong:?} was taken");
        }
    }

    #[test]
    fn the_mqtt_client_library_logs_nothing_unless_it_is_named() {
        for (text, library) in [
            ("info", "rumqttc=off"),
            ("trace", "rumqttc=off"),
            ("info,rumqttc=debug", "rumqttc=debug"),
        ] {
            let filter = log_filter(text).expect("a filter").to_string();
            assert!(filter.contains(library), "{filter}");
            assert_eq!(filter.matches("rumqttc").count(), 1, "{filter}");
        }
    }
}

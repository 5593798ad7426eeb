//! Which store `STORE` names.

use std::path::PathBuf;
use std::str::FromStr;

/// A store, by its kind.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    Influx,
    Sqlite(PathBuf),
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "influxdb" => Ok(Self::Influx),
            Some(("sqlite", "")) => {
                Err("has no file; write sqlite:/var/lib/envoy-scrape/readings.sqlite")
            }
            // SQLite takes names that begin like this for addresses of its own.
            Some(("sqlite", path)) if path.starts_with("file:") || path.starts_with("//") => {
                Err("is no path of a file; write sqlite:/var/lib/envoy-scrape/readings.sqlite")
            }
            Some(("sqlite", path)) => Ok(Self::Sqlite(path.into())),
            _ => Err("is no store; write influxdb, or sqlite: and the path of a file"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_influxdb_or_a_file() {
        assert_eq!("influxdb".parse(), Ok(Place::Influx));
        assert_eq!(
            "sqlite:/a b/c.db".parse(),
            Ok(Place::Sqlite("/a b/c.db".into()))
        );
        assert_eq!("sqlite:c.db".parse(), Ok(Place::Sqlite("c.db".into())));
        for wrong in [
            "",
            "sqlite",
            "sqlite:",
            "sqlite://c.db",
            "sqlite:file:c.db",
            "postgres:home",
            "InfluxDB",
        ] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }
}

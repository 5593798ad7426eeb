//! The real servers that a test talks to.
//!
//! Each is looked for in this order: an address in the environment, else a container of its own. Where
//! there is neither, the test says so and returns; with `REQUIRE_SERVERS=1` it fails instead. A test
//! that has its servers adds its name to the file `SERVER_TESTS_LOG`, so that a run can prove how many
//! were not skipped.
//!
//! ```no_run
//! # async fn test() {
//! use rig::servers::{Account, Influx, Mosquitto};
//!
//! let test = "readings reach the database";
//! let scraper = Account::scraper("122012345678");
//! let Some(broker) = Mosquitto::start(test, &[scraper]).await else { return };
//! let Some(influx) = Influx::start(test).await else { return };
//! # }
//! ```

mod container;
mod influx;
mod mosquitto;

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

pub use influx::{Influx, Point, Right};
pub use mosquitto::{
    Account, Certificate, Client, Configuration, Login, Mosquitto, Refused, Seen, Snapshot,
};

/// How long a server may take until it answers. The database of a new container, on a machine that
/// builds at the same time, was seen to take twenty seconds.
pub const STARTUP: Duration = Duration::from_mins(2);

/// Says why a test is skipped for want of a server, or of something else of this machine, and answers `None`
/// for it.
///
/// # Panics
/// With `REQUIRE_SERVERS=1`, where a skip is a failure.
#[must_use]
pub fn skip<T>(test: &str, server: &str, reason: &str) -> Option<T> {
    let line = format!("skipped: {test}: no {server}: {reason}");
    assert!(
        std::env::var("REQUIRE_SERVERS").as_deref() != Ok("1"),
        "{line}, and REQUIRE_SERVERS=1"
    );
    // Not `eprintln!`, which the test runner would keep to itself for a test that passes.
    writeln!(std::io::stderr(), "{line}").expect("standard error is open");
    None
}

/// Adds the test's name to the file `SERVER_TESTS_LOG`. A test with two servers adds it twice; the
/// reader counts different names.
fn record_run(test: &str) {
    let Some(path) = std::env::var_os("SERVER_TESTS_LOG") else {
        return;
    };
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(format!("{test}\n").as_bytes()))
        .unwrap_or_else(|error| panic!("cannot append to {}: {error}", path.display()));
}

/// A secret that no other run knows.
fn random_secret() -> String {
    format!("{:032x}", rand::random::<u128>())
}

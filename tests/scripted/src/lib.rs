//! Servers of which a test scripts every answer: for faults that real ones can't be made to show.
//!
//! [`broker`] is an MQTT broker, [`influx`] an `InfluxDB`. What real servers can show is tested
//! against real ones, which the crate `rig` starts.
//!
//! [`leaks`] finds secrets in what is printed; [`watch`] does so with all that a test logs itself.

pub mod broker;
pub mod influx;

pub mod leaks;
pub mod watch;

use std::time::Duration;

/// Far more than anything here takes.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Waits for `what`, and fails rather than hang.
///
/// # Panics
/// When it does not happen within [`DEADLINE`].
pub async fn within<F: Future>(what: F) -> F::Output {
    tokio::time::timeout(DEADLINE, what)
        .await
        .expect("did not happen within the deadline")
}

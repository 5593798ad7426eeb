//! The client of an Enphase Envoy's local API.
//!
//! An Envoy (also sold as IQ Gateway) is the box in the meter cupboard that gathers what the
//! microinverters report. It serves its figures over HTTP in the home network, and how it wants to
//! be asked depends on its firmware:
//!
//! | firmware | scheme | who is asking |
//! |---|---|---|
//! | below 7 | http | a user and password, by HTTP digest ([`installer_password`] computes them) |
//! | 7 and above | https, self-signed | a bearer token of the owner's account ([`TokenSource`]) |
//!
//! [`Gateway`] finds out by itself, from `/info`, and again whenever the answers suggest that the
//! firmware has changed: updates come unannounced, in the middle of a run.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut gateway = envoy::Gateway::new(envoy::Settings::new("envoy.local".parse()?));
//! for report in gateway.inverters().await?.reports {
//!     tracing::info!(serial = report.serial, power_w = report.power_w, "an inverter");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Everything that comes from the network is parsed into types that can't be wrong, each endpoint
//! in a file of its own below `endpoints/`, pure from body to readings. Only [`Gateway`] talks to
//! the network, one request at a time, and it only ever reads: nothing of the Envoy is changed.

// From the outside in: the client, what it reads, who is asking, and the wire.
mod gateway;
mod host;

mod endpoints;
mod firmware;
mod measured;

mod clock;
#[cfg(test)]
mod lines;
mod login;
mod settings;
mod state_files;

mod cloud;
mod digest;
mod installer;
mod token;

mod exchange;

mod certificate;
mod error;
mod excerpt;

#[doc(hidden)]
pub mod fuzzing;

pub use certificate::{
    Certificate, CertificateChanged, CertificatePolicy, Fingerprint, LostPin, NotAFingerprint,
    NotAPolicy, PinError, Remedy, Standing,
};
pub use clock::Clock;
pub use cloud::{Account, CloudError, Fetched};
pub use endpoints::info::Info;
pub use endpoints::inverters::{InverterReport, Inverters, Reason, Refused};
pub use endpoints::{Malformed, info, inverters};
pub use error::{Credentials, Error, Fault, Why};
pub use excerpt::Excerpt;
pub use firmware::{Firmware, FirmwareError};
pub use gateway::{Answered, Gateway};
pub use host::{Host, HostError, Scheme};
pub use installer::installer_password;
pub use measured::{Battery, Detail, Failure, Flow, Meter, Net, Note, Poll};
pub use settings::Settings;
pub use state_files::{StateFiles, replace_file};
pub use token::{TokenSource, check_token};

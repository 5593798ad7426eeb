//! An Envoy that behaves as real ones do: a recorded gateway, or a synthetic site.
//!
//! [`Simulator::start`] begins one; [`Options`] say which. It speaks the protocol of its firmware:
//! plain HTTP with digest below 7, TLS with tokens from 7 on. It shares no code with the programs
//! that read it, so that one mistake can't hide in both.
//!
//! - [`options`](Options): what is simulated;
//! - `board`: what changes with a reboot, an update, a new certificate, and what stays;
//! - `envoy`: a request's way from authentication over endpoint to answer;
//! - `access`: digest, tokens, sessions; `gateway`: recordings, and the endpoints of a site;
//! - `site`: the pure model of sun, clouds, inverters and their reports;
//! - [`faults`](Fault): what goes wrong with it, and when;
//! - `cloud`: Enphase's, where its owner gets tokens;
//! - `server`: connections, TLS, HTTP; `ledger`: the truth that tests compare against; `hold`: how
//!   they get a truth that nothing could miss.

mod options;
pub mod program;
mod simulator;

mod access;
mod announcer;
mod answer;
mod board;
mod cloud;
mod envoy;
mod faults;
mod gateway;
mod nightly;
mod resource;

mod clock;
mod site;

mod certificate;
mod hold;
mod ledger;
mod server;

mod firmware;
mod serial;

pub use access::{NotARole, Role};
pub use announcer::AnnounceError;
pub use answer::ShownReport;
pub use board::NotUpdated;
pub use certificate::CertificateError;
pub use clock::OurTime;
pub use cloud::{
    CloudOptions, CloudRequest, CloudRequestsError, CloudSwitch, NotACloudSwitch, TooMany,
};
pub use faults::{Endpoint, Fault, FaultPlan, NotAFaultPlan};
pub use firmware::{Firmware, NotAFirmware};
pub use gateway::RecordingError;
pub use ledger::LedgerError;
pub use options::{Meters, NotMeters, Options, OptionsError, SiteOptions, Source};
pub use serial::{NotASerial, Serial};
pub use server::GatewayRequest;
pub use simulator::{NoCloud, NothingHeld, Simulator, StartError};
pub use site::{NotChanged, NotReplaced};
pub use site::{PastFlow, PastReport};

//! All parts in one simulated world, to try whether a reading can be lost.
//!
//! What decides is the real code: the scraper's change detection and delivery, the receiver's gathering
//! and audit, the store's marks. What it stands on is simulated: the Envoy, the disks, the network, the
//! broker, the database, the clock. A seed gives a schedule of [`faults`]; after the last one everything
//! is healed, and the [`world`] has to come to rest with every reading stored that the Envoy showed for
//! long enough.
//!
//! In reading order: [`world`] turns the clock; [`faults`] says what goes wrong and when; then the parts.

pub mod faults;
pub mod world;

mod broker;
mod disk;
mod gateway;
mod network;
mod publisher;
mod subscriber;

pub use faults::Fault;
pub use world::{Outcome, Sabotage, run, run_among};

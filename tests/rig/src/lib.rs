//! Starts the real programs and servers for tests.
//!
//! In reading order: [`programs`] builds and starts our binaries; [`gateway`] is the simulator as a
//! process, and [`ledger`] what it has shown; [`recordings`] are the recorded gateways; [`servers`]
//! are the real broker and database; [`chain`] is all of it together; [`link`] is a network that fails
//! and [`tap`] counts what is written; [`leaks`] finds secrets in what is printed; [`wait`] is the only kind of waiting that a test does.

pub mod programs;

pub mod gateway;
pub mod ledger;
pub mod recordings;

pub mod servers;

pub mod chain;
pub mod link;
pub mod tap;
pub mod wait;

pub use scripted::leaks;

//! The simulator over real connections.

#![allow(clippy::unwrap_used)]

mod ac_batteries;
mod access;
mod binary;
mod changes;
mod client;
mod cloud;
mod faults;
mod ledger;
mod measured;
mod recorded;
mod recordings;
mod site;
mod time;

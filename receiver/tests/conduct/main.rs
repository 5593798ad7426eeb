//! How the receiver behaves towards an InfluxDB that refuses, is away, or answers nonsense, counted
//! at the broker: nothing is acknowledged that was not stored, and once the fault is over everything
//! is stored and acknowledged, in order. Both servers are scripted; see `chain`.
#![allow(clippy::unwrap_used, clippy::doc_markdown)]

mod away;
mod broker;
mod chain;
mod dead_letters;
mod doubts;
mod health;
mod held;
mod influx;
mod memory;
mod refused;
mod state;

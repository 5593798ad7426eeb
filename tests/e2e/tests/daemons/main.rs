//! Each daemon as a process of its own, left alone with what goes wrong around it.
//!
//! One program for all of these tests, so that they run side by side.

mod alone;
mod broker;
mod check;
mod discovery;
mod envoy_account;
mod envoy_certificate;
mod envoy_faults;
mod forget;
mod health;
mod hostile;
mod life;
mod mosquitto;
mod page;
mod proxy;
mod quiet;
mod secrets;
mod stale;

use std::time::Duration;

/// Until what has just happened is to be seen, on a machine that builds beside the test.
const ARRIVAL: Duration = Duration::from_mins(1);

/// A simulated Envoy at noon of a summer's day.
const WITH_SUN: [&str; 4] = ["--start", "2026-06-20T12:00:00Z", "--speed", "60"];

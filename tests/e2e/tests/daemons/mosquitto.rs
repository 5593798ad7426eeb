//! What Mosquitto does that our guards and the shipped settings rest on: each as a fact, with the
//! setting and without.

mod acknowledgements;
mod permission;
mod queues;
mod same_id;
mod sessions;
mod sizes;

use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(30);

const ENVOY: &str = "202400000011";

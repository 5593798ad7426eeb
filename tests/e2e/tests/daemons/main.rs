//! Each daemon as a process of its own, left alone with what goes wrong around it.
//!
//! One program for all of these tests, so that they run side by side.

mod broker;
mod envoy_faults;
mod life;
mod mosquitto;
mod quiet;
mod secrets;

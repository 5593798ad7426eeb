//! Lets everything go wrong that can, on the real programs and servers, and counts what that cost.
//!
//! ```text
//!  simulator ═ scraper ═ Mosquitto ═ receiver ═ tap ─ InfluxDB        ═ a link that fails
//!      │                     │                   │        │
//!   ledger ────────────── watch ───────────── accounts ── compare ──► outcome
//! ```
//!
//! In reading order: [`fault`] is what can go wrong and [`schedule`] when it does, from a seed;
//! [`site`] is all that it happens to, two of [`home`] and what they share; [`watch`] is what a
//! subscriber sees and [`accounts`] who had which reading when; [`run`](run()) goes through the rounds, and
//! [`outcome`] is what became of them.

pub mod fault;
pub mod schedule;

pub mod home;
pub mod site;

pub mod accounts;
pub mod watch;

pub mod outcome;
mod run;

mod files;
mod settings;

pub use outcome::Outcome;
pub use run::run;
pub use schedule::Schedule;
pub use settings::{Sabotage, Switch};

//! A month of the scraper in a minute: the whole of it, in one process with a simulated Envoy and a
//! broker, over real connections, while an Envoy goes through what Envoys go through.
//!
//! In reading order: the [`timetable`] says what happens; [`home`] is who it happens to; [`time`] passes
//! once everybody rests; [`truth`] compares what was shown with what was published, [`load`] counts what
//! the Envoy was asked, [`log`] takes all that is logged. The test puts them together.

pub mod timetable;

mod broker;
pub mod home;

pub mod time;

pub mod load;
pub mod log;
pub mod secrets;
pub mod truth;

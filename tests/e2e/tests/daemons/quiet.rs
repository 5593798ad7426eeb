//! How much is logged.

mod week;

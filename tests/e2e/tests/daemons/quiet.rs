//! How much is logged.

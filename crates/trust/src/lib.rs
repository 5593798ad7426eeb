//! Which CAs are trusted, for the broker and for `InfluxDB`, and until when.
//!
//! rustls trusts a CA for good: of a trusted certificate it takes name and key, and never looks at its
//! dates. The CAs of a file are somebody's own and do expire, so [`Authorities`] look themselves: when
//! the file is read, and at each handshake after it. Those of the system are left to the system, which
//! renews them.

mod authorities;
mod file;
mod verifier;

pub use authorities::{Authorities, OutOfDate};
pub use file::{FileError, certificates, read};

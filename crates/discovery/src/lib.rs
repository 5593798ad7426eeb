//! Finds Envoys in the home network by mDNS, where they announce themselves.
//!
//! An Envoy announces the service `_enphase-envoy._tcp.local.`, with its serial and its firmware in a TXT
//! record (`serialnum`, `protovers`). Of two in one network the second calls itself `envoy-2`, so it is the
//! serial that tells them apart, never the name. IPv4 and IPv6 addresses come in any order and one by one,
//! and among them such as nobody can use.
//!
//! In reading order: [`announcement`] is what is heard, [`found`] what is made of it, both pure; [`browser`]
//! listens; [`choice`] picks the one to read.

pub mod announcement;
pub mod browser;
pub mod choice;
pub mod found;

pub use announcement::Announcement;
pub use browser::{Browser, BrowserError, FindError};
pub use choice::{NotFound, choose};
pub use found::Found;

//! The judgement of InfluxDB's answers, for fuzz targets and the tests of their seeds (`tests/properties`): no part
//! of this crate's interface.
//!
//! A hidden module and no feature: with a feature, all that depends on this crate would be built once more.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::verdict::{Verdict, judge};

/// What an answer comes to.
#[derive(Debug)]
pub struct Judged {
    /// Whether all is taken to be stored.
    pub is_stored: bool,
    /// What is said of it.
    pub said: String,
    /// How long it asks to be left alone.
    pub retry_after: Option<Duration>,
}

/// Judges an answer; none where it can't be one.
#[must_use]
pub fn judged(status: u16, headers: &[(&str, &[u8])], body: &[u8]) -> Option<Judged> {
    let status = StatusCode::from_u16(status).ok()?;
    let header = |(name, value): &(&str, &[u8])| {
        let name: HeaderName = name.parse().ok()?;
        Some((name, HeaderValue::from_bytes(value).ok()?))
    };
    let headers: HeaderMap = headers.iter().filter_map(header).collect();
    let (said, retry_after) = match judge(status, &headers, body, Timestamp::UNIX_EPOCH) {
        Verdict::Stored => (String::new(), None),
        Verdict::Refused(refusal) => (refusal.reason, None),
        Verdict::TooLarge { reason } => (reason, None),
        Verdict::Configuration {
            problem, remedy, ..
        } => (format!("{problem}; {remedy}"), None),
        Verdict::Unavailable {
            problem,
            retry_after,
        } => (problem, retry_after),
    };
    Some(Judged {
        is_stored: said.is_empty(),
        said,
        retry_after,
    })
}

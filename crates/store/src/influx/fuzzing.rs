//! The judgement of InfluxDB's answers, for fuzz targets and the tests of their seeds (`tests/properties`): no part
//! of this crate's interface.
//!
//! A hidden module and no feature: with a feature, all that depends on this crate would be built once more.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;
use wire::ReportTime;

use super::connection::Reply;
use super::probe::{Outcome, not_recognised, recognised};
use super::search::Search;
use super::verdict::{Refusal, Verdict, judge};

/// The lines of a batch that is refused.
pub const LINES: usize = 9;

/// What an answer comes to.
#[derive(Debug)]
pub struct Judged {
    /// Whether all is taken to be stored.
    pub is_stored: bool,
    /// What is said of it.
    pub said: String,
    /// How long it asks to be left alone.
    pub retry_after: Option<Duration>,
    /// Which of [`LINES`] lines are to blame, and how many are too old, where each piece of a batch is refused like this.
    pub refused: Option<(Vec<usize>, usize)>,
    /// What `check` says where `/health` is answered like this, and whether that is an `InfluxDB`.
    pub probed: (String, bool),
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
    let verdict = judge(status, &headers, body, Timestamp::UNIX_EPOCH);
    let is_stored = verdict == Verdict::Stored;
    let refused = match &verdict {
        Verdict::Refused(refusal) => Some(searched(refusal)),
        _ => None,
    };
    let (said, retry_after) = match verdict {
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
    let reply = Reply {
        status,
        headers,
        body: body.to_vec(),
    };
    Some(Judged {
        is_stored,
        said,
        retry_after,
        refused,
        probed: probed(&reply),
    })
}

fn searched(refusal: &Refusal) -> (Vec<usize>, usize) {
    // From 1970 on, each seven years after the one before.
    let times = (0..).map(|number| number * 220_000_000 + 1);
    let times = times.map(|at| ReportTime::from_unix_seconds(at).expect("a time"));
    let mut search = Search::new(times.take(LINES).collect());
    while let Some(piece) = search.next_piece() {
        search.refused(&piece, refusal.clone());
    }
    let (suspects, outside) = search.finish();
    let mut blamed: Vec<_> = suspects.iter().map(|suspect| suspect.index).collect();
    blamed.sort_unstable();
    (blamed, outside)
}

fn probed(reply: &Reply) -> (String, bool) {
    let server: Url = "http://localhost:8086".parse().expect("a URL");
    match recognised(reply, &server).unwrap_or_else(|| not_recognised(reply, &server)) {
        Outcome::Passed(said) => (said, true),
        Outcome::NotChecked(said) => (said, false),
        Outcome::Failed { problem, remedy } => (format!("{problem}; {remedy}"), false),
    }
}

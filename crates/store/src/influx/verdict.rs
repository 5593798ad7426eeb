//! What an answer to a write means.
//!
//! The table for `InfluxDB` 2 (its API reference, and what version 2.7 was seen to answer):
//!
//! | status | meaning |
//! |---|---|
//! | 204 | all stored, in the write-ahead log on disk |
//! | 400 | a line does not parse, nothing of the request was stored; or a fault of the set-up |
//! | 422 | partly stored: a field's type conflicts, or points are outside the bucket's retention; the message names the first reason only |
//! | 401, 403, 404 | the token is unknown, may not write, or there is no such organisation or bucket |
//! | 413 | the request is too large |
//! | 429, 503 | busy; `Retry-After` says for how long |
//! | other 5xx | down |

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};

/// The longest pause that an answer can ask for: no proxy's mistake may stop us for a day.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);

/// How much of an answer is quoted, in characters.
const QUOTED: usize = 300;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Stored,
    /// Something in the request is refused; the rest may be stored or not.
    Refused(Refusal),
    TooLarge {
        reason: String,
    },
    /// Nothing but a change of the set-up will help.
    Configuration {
        fault: Fault,
        problem: String,
        remedy: String,
    },
    Unavailable {
        problem: String,
        retry_after: Option<Duration>,
    },
}

/// What of the set-up is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The token is not accepted: another one may be at hand.
    Token,
    /// There is no such organisation.
    Organisation,
    /// There is no such bucket, or none that the token may see.
    Bucket,
    /// The token is good, but not for writing to this bucket.
    Right,
    /// What answers is no InfluxDB, or not at this path.
    Address,
    /// A limit of the server.
    Limit,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) reason: String,
    /// The reason given is that points are outside the bucket's retention.
    pub(super) is_retention: bool,
    /// Points before this time (seconds since 1970) are outside the bucket's retention.
    pub(super) oldest_kept: Option<i64>,
}

/// Judges the answer to a write of lines.
pub(super) fn judge(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Verdict {
    let problem = format!("it answered {}: {}", status.as_u16(), message(body));
    let full = full_message(body);
    match status.as_u16() {
        204 => Verdict::Stored,
        400 | 422 => refused(problem, &full),
        401 => configuration(Fault::Token, problem, "check INFLUX_TOKEN"),
        403 => configuration(
            Fault::Right,
            problem,
            "give the token of INFLUX_TOKEN the right to write to the bucket",
        ),
        404 => not_found(problem, &full),
        413 => Verdict::TooLarge { reason: problem },
        408 | 425 | 429 | 500..=599 => Verdict::Unavailable {
            problem,
            retry_after: retry_after(headers, now),
        },
        300..=399 => configuration(
            Fault::Address,
            match leads_to(headers) {
                Some(place) => format!("it answered {} and points to {place}", status.as_u16()),
                None => problem,
            },
            "set INFLUX_URL to the address of InfluxDB itself",
        ),
        // 200 with a login page, for instance: whatever this is, it stored nothing.
        _ => configuration(
            Fault::Address,
            problem,
            "check that INFLUX_URL is the address of an InfluxDB, which answers 204",
        ),
    }
}

fn configuration(fault: Fault, problem: String, remedy: &str) -> Verdict {
    Verdict::Configuration {
        fault,
        problem,
        remedy: remedy.to_owned(),
    }
}

/// 400 and 422: mostly the lines are meant, but not always.
fn refused(problem: String, message: &str) -> Verdict {
    if is_plain_http_to_tls(message) {
        return configuration(
            Fault::Address,
            problem,
            "write https:// in INFLUX_URL: the server uses TLS",
        );
    }
    // 1.x: "partial write: max-series-per-database limit exceeded: (1000000) dropped=1". The
    // witness, whose series is there already, would be accepted all the same.
    if message.contains("max-series-per-database") || message.contains("max-values-per-tag") {
        return configuration(
            Fault::Limit,
            problem,
            "raise that limit in InfluxDB's configuration, or write to another database",
        );
    }
    Verdict::Refused(refusal(problem, message))
}

/// 2.x: `organization name "x" not found`, `bucket "x" not found`. 1.x: `database not found: "x"`.
fn not_found(problem: String, message: &str) -> Verdict {
    let is_missing = message.contains("not found");
    if is_missing && message.contains("organization") {
        configuration(
            Fault::Organisation,
            problem,
            "check INFLUX_ORG, the organisation's name",
        )
    } else if is_missing && (message.contains("bucket") || message.contains("database")) {
        configuration(
            Fault::Bucket,
            problem,
            "check INFLUX_BUCKET, and whether the token may see that bucket",
        )
    } else {
        configuration(
            Fault::Address,
            problem,
            "check INFLUX_ORG, INFLUX_BUCKET and the path in INFLUX_URL, and whether the token may \
             see that bucket",
        )
    }
}

/// What a server with TLS says to a request without: Go's (InfluxDB's own), nginx's, Apache's.
pub(super) fn is_plain_http_to_tls(message: &str) -> bool {
    [
        "HTTP request to an HTTPS server",
        "plain HTTP request was sent to HTTPS port",
        "speaking plain HTTP to an SSL-enabled server port",
    ]
    .iter()
    .any(|words| message.contains(words))
}

/// Where a redirect leads.
pub(super) fn leads_to(headers: &HeaderMap) -> Option<String> {
    let place = headers.get(LOCATION)?;
    Some(shown(&String::from_utf8_lossy(place.as_bytes())))
}

fn refusal(reason: String, message: &str) -> Refusal {
    // 2.x: "dropped 1 points outside retention policy of duration 720h0m0s - oldest point … dropped
    // because it violates a Retention Policy Lower Bound at 2026-10-24T22:54:58.308242172Z, …".
    // 1.x: "partial write: points beyond retention policy dropped=1".
    let is_retention = ["outside retention policy", "beyond retention policy"]
        .iter()
        .any(|words| message.contains(words));
    let oldest_kept = message
        .split_once("Retention Policy Lower Bound at ")
        .filter(|_| is_retention)
        .and_then(|(_, rest)| rest.split([',', ' ']).next())
        .and_then(|time| time.parse::<Timestamp>().ok())
        .map(Timestamp::as_second);
    Refusal {
        reason,
        is_retention,
        oldest_kept,
    }
}

/// `Retry-After` as RFC 9110, section 10.2.3, has it: seconds, or a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = if let Ok(seconds) = value.parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        let date = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
        // A date that is past is no pause.
        Duration::try_from(now.duration_until(date)).unwrap_or_default()
    };
    Some(pause.min(MAX_RETRY_AFTER))
}

/// What an answer says for itself, fit for a log.
pub(super) fn message(body: &[u8]) -> String {
    match full_message(body) {
        text if text.trim().is_empty() => "(no message)".to_owned(),
        text => shown(&text),
    }
}

/// The same, whole and as it is: the message of an error in JSON, or else the body.
pub(super) fn full_message(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct ErrorBody {
        // 1.x says `error`.
        #[serde(alias = "error")]
        message: String,
    }
    match serde_json::from_slice::<ErrorBody>(body) {
        Ok(error) => error.message,
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    }
}

/// A text from outside, fit for a log: on one line, and not long.
pub(super) fn shown(text: &str) -> String {
    let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.retain(|character| !character.is_control());
    if let Some((end, _)) = words.char_indices().nth(QUOTED) {
        words.truncate(end);
        words.push('…');
    }
    words
}

#[cfg(test)]
mod tests;

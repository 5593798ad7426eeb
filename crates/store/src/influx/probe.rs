//! Tries what writing needs, step by step, for the command `check`.
//!
//! One write answers most of it: the server looks at the token, the organisation, the bucket and the
//! right to write, in this order, and says at which it stopped. The point has a measurement of its
//! own and no time, so that the server gives it its own: it is never outside the bucket's retention,
//! and no clock of ours gets into a bucket. It is not deleted: one point per check is nothing beside
//! a right to delete, or a server that reads the condition of a deletion in another way.

mod reading;

use url::Url;

use super::connection::{Connection, Reply};
use super::failure::Failure;
use super::verdict::{Fault, Verdict, is_plain_http_to_tls, leads_to, message, shown};
use super::{REMEDY, SIZE};

/// The measurement of the points that [`InfluxDb::probe`](super::InfluxDb::probe) writes: no tags,
/// and a random number in the field `run`.
pub const CHECK_MEASUREMENT: &str = "envoyScrapeCheck";

/// What became of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was tried, as a headline.
    pub step: &'static str,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It works; a sentence about what was seen.
    Passed(String),
    /// It could not be tried, which is no fault; why not.
    NotChecked(String),
    /// It does not work.
    Failed {
        /// What was found.
        problem: String,
        /// What to check or change.
        remedy: String,
    },
}

const REACHABLE: &str = "reachable";
const TOKEN: &str = "token";
const ORGANISATION: &str = "organisation";
const BUCKET: &str = "bucket";
const WRITE: &str = "write";
const READ_BACK: &str = "read back";

/// What one write goes through, in the server's order.
const OF_A_WRITE: [&str; 4] = [TOKEN, ORGANISATION, BUCKET, WRITE];

const BUSY: &str = "InfluxDB is busy or down: try again; if this lasts, look at its log";

pub(super) async fn run(connection: &Connection) -> Vec<Finding> {
    let reachable = reachable(connection).await;
    let goes_on = !matches!(reachable, Outcome::Failed { .. });
    let mut findings = vec![finding(REACHABLE, reachable)];
    if goes_on {
        let run = rand::random::<u32>();
        let written = write(connection, run, &mut findings).await;
        if written {
            findings.push(finding(READ_BACK, reading::back(connection, run).await));
        }
    }
    findings
}

fn finding(step: &'static str, outcome: Outcome) -> Finding {
    Finding { step, outcome }
}

fn failed(problem: impl Into<String>, remedy: impl Into<String>) -> Outcome {
    Outcome::Failed {
        problem: problem.into(),
        remedy: remedy.into(),
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        failed(failure.problem, failure.remedy)
    }
}

/// Whether an `InfluxDB` answers, in a word.
pub(super) async fn answers(connection: &Connection) -> bool {
    matches!(reachable(connection).await, Outcome::Passed(_))
}

/// Whether an `InfluxDB` answers. `/health` has its name and version; what only speaks its language
/// has at least `/ping`, with a header.
async fn reachable(connection: &Connection) -> Outcome {
    let mut replies = Vec::new();
    for path in ["health", "ping"] {
        match connection.get(path).await {
            Ok(reply) => match recognised(&reply, connection.server()) {
                Some(outcome) => return outcome,
                None => replies.push(reply),
            },
            Err(failure) => return failure.into(),
        }
    }
    not_recognised(&replies[0], connection.server())
}

pub(super) fn recognised(reply: &Reply, server: &Url) -> Option<Outcome> {
    #[derive(serde::Deserialize)]
    struct Health {
        name: String,
        status: String,
        version: Option<String>,
    }
    let header = reply.headers.get("x-influxdb-version");
    let health = serde_json::from_slice::<Health>(&reply.body).ok();
    let health = health.filter(|health| health.name == "influxdb");
    if health
        .as_ref()
        .is_some_and(|health| health.status != "pass")
    {
        return Some(failed(
            format!("InfluxDB is not ready: {}", message(&reply.body)),
            "wait until it has started; if this lasts, look at its log",
        ));
    }
    let version = match (health, header) {
        (None, None) => return None,
        (Some(Health { version, .. }), None) => version.unwrap_or_default(),
        (_, Some(version)) => String::from_utf8_lossy(version.as_bytes()).into_owned(),
    };
    Some(Outcome::Passed(format!(
        "InfluxDB {} answers at {server}",
        shown(version.trim_start_matches('v'))
    )))
}

pub(super) fn not_recognised(reply: &Reply, server: &Url) -> Outcome {
    let status = reply.status;
    let code = status.as_u16();
    let text = message(&reply.body);
    if is_plain_http_to_tls(&text) {
        return failed(
            format!("the server at {server} uses TLS: it answered {code}: {text}"),
            "write https:// in INFLUX_URL",
        );
    }
    if status.is_redirection() {
        let place = leads_to(&reply.headers).unwrap_or_else(|| "nowhere".to_owned());
        return failed(
            format!(
                "what answers at {server} is not InfluxDB: it answered {code} and points to {place}"
            ),
            "set INFLUX_URL to the address of InfluxDB itself",
        );
    }
    if status.is_server_error() {
        return failed(
            format!("no InfluxDB answers at {server}, but a server before it: {code}: {text}"),
            "see that InfluxDB runs, and that the server before it knows where",
        );
    }
    if status.is_success() || text.starts_with('<') {
        return failed(
            format!("what answers at {server} is not InfluxDB: it answered {code}: {text}"),
            "check host, port and path in INFLUX_URL: InfluxDB's own port is 8086",
        );
    }
    // A proxy that lets only writes through; the write will tell.
    Outcome::NotChecked(format!(
        "{server} does not say what it is: it answered {code}: {text}"
    ))
}

/// Writes the test point, and notes how far that got. Whether it was stored.
async fn write(connection: &Connection, run: u32, findings: &mut Vec<Finding>) -> bool {
    let line = format!("{CHECK_MEASUREMENT} run={run}i");
    let (passed, failure) = match connection.write([line.as_str()]).await {
        Ok(Verdict::Stored) => (&OF_A_WRITE[..], None),
        Ok(Verdict::Configuration {
            fault,
            problem,
            remedy,
        }) => {
            let (passed, step) = how_far(fault);
            let outcome = stopped(connection, fault, &problem, remedy).await;
            (passed, Some(finding(step, outcome)))
        }
        Ok(Verdict::Refused(refusal)) => unexplained(refusal.reason, REMEDY),
        Ok(Verdict::TooLarge { reason }) => unexplained(reason, SIZE),
        Ok(Verdict::Unavailable { problem, .. }) => unexplained(problem, BUSY),
        // With a server that answered just now it is the token's file.
        Err(failure) if failure.needs_a_person => (&[][..], Some(finding(TOKEN, failure.into()))),
        Err(failure) => (&[][..], Some(finding(WRITE, failure.into()))),
    };
    findings.extend(
        passed
            .iter()
            .map(|step| finding(step, Outcome::Passed(passed_sentence(step, connection)))),
    );
    let stored = failure.is_none();
    findings.extend(failure);
    stored
}

/// The steps that a write has passed which stopped at this fault, and the one that fails.
fn how_far(fault: Fault) -> (&'static [&'static str], &'static str) {
    let passed = match fault {
        Fault::Token => 0,
        Fault::Organisation => 1,
        Fault::Bucket => 2,
        Fault::Right => 3,
        // Whatever answered, or refused, knew nothing of the others.
        Fault::Address | Fault::Limit => return (&[], WRITE),
    };
    (&OF_A_WRITE[..passed], OF_A_WRITE[passed])
}

fn passed_sentence(step: &str, connection: &Connection) -> String {
    let (org, bucket) = (&connection.org, &connection.bucket);
    match step {
        TOKEN => "InfluxDB knows the token".to_owned(),
        ORGANISATION => format!("the organisation '{org}' is there"),
        BUCKET => format!("the bucket '{bucket}' is there"),
        _ => format!("a point of {CHECK_MEASUREMENT} was written to '{bucket}'"),
    }
}

async fn stopped(connection: &Connection, fault: Fault, problem: &str, remedy: String) -> Outcome {
    let (org, bucket) = (&connection.org, &connection.bucket);
    match fault {
        Fault::Token => failed(
            format!("InfluxDB does not know the token ({problem})"),
            "check INFLUX_TOKEN: copy the whole token, or make a new one that may write to the \
             bucket",
        ),
        Fault::Organisation => failed(
            format!("InfluxDB has no organisation '{org}' ({problem})"),
            "check INFLUX_ORG: the organisation's name, as InfluxDB's own page shows it",
        ),
        Fault::Bucket => failed(
            format!("the organisation '{org}' has no bucket '{bucket}' ({problem})"),
            "check INFLUX_BUCKET, or make that bucket",
        ),
        Fault::Right => {
            let may = if reading::is_allowed(connection).await {
                "may read the bucket, but not write to it"
            } else {
                "may not write to the bucket"
            };
            failed(
                format!("the token {may}: '{bucket}' ({problem})"),
                "make a token that may write to this bucket, and put it into INFLUX_TOKEN",
            )
        }
        Fault::Address | Fault::Limit => failed(problem, remedy),
    }
}

/// A write of which nothing is known but that it failed.
fn unexplained(problem: String, remedy: &str) -> (&'static [&'static str], Option<Finding>) {
    (&[], Some(finding(WRITE, failed(problem, remedy))))
}

//! The JSON behind the page, `/api/v1`; docs/api.md is its description.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::json;
use store::StoredReading;
use tokio::sync::broadcast::error::RecvError;
use wire::{ReportTime, Serial};

use super::{Shared, energy, live};

/// The longest range that is answered, in seconds, and the most spans in it.
const LONGEST_S: i64 = 32 * 86_400;
const MOST_SPANS: i64 = 2_000;

/// A report that is older than this is no sign of life by day.
const REPORTING_S: i64 = 2 * 3_600;

/// Before the beginning of a range there may be the report that its first one follows on.
const LEAD_S: i64 = 3_700;

/// What a request lacks, in words with the remedy.
pub(super) enum Refusal {
    Asked(String),
    Unknown(String),
    Store(store::QueryError),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::Asked(message) => (StatusCode::BAD_REQUEST, message),
            Self::Unknown(message) => (StatusCode::NOT_FOUND, message),
            Self::Store(error) => {
                tracing::warn!(error = %daemon::exit::with_causes(&error), "the page got no readings");
                let message = "the readings can't be read from the disk; the log says why";
                (StatusCode::INTERNAL_SERVER_ERROR, message.to_owned())
            }
        };
        (status, answer(&json!({ "error": message }))).into_response()
    }
}

impl From<store::QueryError> for Refusal {
    fn from(error: store::QueryError) -> Self {
        Self::Store(error)
    }
}

fn answer(value: &serde_json::Value) -> Response {
    let head = [(header::CONTENT_TYPE, "application/json")];
    (head, live::json(value)).into_response()
}

/// The parameters of a request.
struct Asked(Vec<(String, String)>);

impl Asked {
    fn new(query: Option<String>) -> Self {
        let query = query.unwrap_or_default();
        Self(
            url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    fn text(&self, name: &str) -> Option<&str> {
        let mut all = self.0.iter();
        all.find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str, lowest: i64, highest: i64) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let number = text
            .parse()
            .ok()
            .filter(|number| (lowest..=highest).contains(number));
        number.map(Some).ok_or_else(|| {
            Refusal::Asked(format!(
                "{name} is no whole number from {lowest} to {highest}"
            ))
        })
    }

    fn zone(&self) -> Result<TimeZone, Refusal> {
        let Some(name) = self.text("zone") else {
            return Ok(TimeZone::UTC);
        };
        TimeZone::get(name).map_err(|_| {
            Refusal::Asked(
                "zone is no time zone that is known here; write one such as Europe/Berlin"
                    .to_owned(),
            )
        })
    }
}

/// `GET /api/v1/now`
pub(super) async fn now(State(shared): State<Arc<Shared>>) -> Result<Response, Refusal> {
    let latest = shared.store.latest().await?;
    let now = Timestamp::now().as_second();
    let reports = |one: &&StoredReading| one.reported_at.unix_seconds() + REPORTING_S >= now;
    let inverters: Vec<_> = latest
        .iter()
        .map(|one| {
            json!({
                "envoy": one.envoy, "serial": one.serial, "reported_at": one.reported_at,
                "power_w": one.power_w, "peak_power_w": one.peak_power_w, "reporting": reports(&one),
            })
        })
        .collect();
    let reporting: Vec<_> = latest.iter().filter(reports).collect();
    Ok(answer(&json!({
        "simulated": shared.simulated,
        "version": env!("CARGO_PKG_VERSION"),
        "power_w": reporting.iter().map(|one| i64::from(one.power_w)).sum::<i64>(),
        "inverters_reporting": reporting.len(),
        "inverters_total": latest.len(),
        "last_report_at": latest.iter().map(|one| one.reported_at).max(),
        "inverters": inverters,
        "chain": shared.live.chain(),
        "status": shared.service.status(),
    })))
}

/// `GET /api/v1/site?from=&until=&step=`
pub(super) async fn site(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    series(&shared, None, &Asked::new(query)).await
}

/// `GET /api/v1/inverters/{serial}?from=&until=&step=`
pub(super) async fn inverter(
    State(shared): State<Arc<Shared>>,
    Path(serial): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let serial = serial
        .parse()
        .map_err(|error: wire::InvalidName| Refusal::Asked(error.to_string()))?;
    series(&shared, Some(serial), &Asked::new(query)).await
}

async fn series(shared: &Shared, only: Option<Serial>, asked: &Asked) -> Result<Response, Refusal> {
    let latest = ReportTime::MAX.unix_seconds();
    let until = asked
        .number("until", 1, latest)?
        .unwrap_or_else(|| Timestamp::now().as_second());
    let from = asked.number("from", 1, latest)?.unwrap_or(until - 86_400);
    let step = asked.number("step", 60, LONGEST_S)?.unwrap_or(300);
    if from >= until || until - from > LONGEST_S {
        return Err(Refusal::Asked(
            "until has to be after from, by at most 32 days".to_owned(),
        ));
    }
    if (until - from) / step >= MOST_SPANS {
        return Err(Refusal::Asked(format!(
            "that is more than {MOST_SPANS} values: ask for a shorter range or a longer step"
        )));
    }
    let mut edges: Vec<i64> = (0..MOST_SPANS)
        .map(|i| from + i * step)
        .take_while(|edge| *edge < until)
        .collect();
    edges.push(until);
    let readings = readings(shared, only.as_ref(), from, until).await?;
    let energy = energy::by_span(&readings, &edges);
    let power: Vec<_> = energy
        .iter()
        .zip(edges.windows(2))
        .map(|(energy, span)| rounded(energy * 3600.0 / energy::whole(span[1] - span[0])))
        .collect();
    Ok(answer(&json!({
        "from": from, "until": until, "step_s": step, "power_w": power,
        "energy_wh": rounded(energy.iter().sum()),
    })))
}

/// `GET /api/v1/days?days=&zone=`
pub(super) async fn days(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let asked = Asked::new(query);
    let count = asked.number("days", 1, 31)?.unwrap_or(14);
    let zone = asked.zone()?;
    let today = Timestamp::now().to_zoned_datetime(zone.clone()).date();
    let dates = (0..=count).map(|i| today.saturating_add((i + 1 - count).days()));
    let dates: Vec<_> = dates.collect();
    let midnight = |date: &jiff::civil::Date| {
        date.to_zoned_datetime(zone.clone())
            .map(|at| at.timestamp().as_second())
    };
    let edges: Result<Vec<i64>, _> = dates.iter().map(midnight).collect();
    let edges = edges.map_err(|error| Refusal::Asked(format!("zone has no such days: {error}")))?;
    let readings = readings(&shared, None, edges[0], edges[edges.len() - 1]).await?;
    let energy = energy::by_span(&readings, &edges);
    let days: Vec<_> = energy
        .iter()
        .zip(edges.windows(2))
        .zip(&dates)
        .map(|((energy, span), date)| {
            json!({ "date": date, "from": span[0], "until": span[1], "energy_wh": rounded(*energy) })
        })
        .collect();
    Ok(answer(&json!({ "days": days })))
}

/// The readings of all inverters, or of one, that say something about this range.
async fn readings(
    shared: &Shared,
    only: Option<&Serial>,
    from: i64,
    until: i64,
) -> Result<Vec<StoredReading>, Refusal> {
    let latest = shared.store.latest().await?;
    let meant = latest
        .into_iter()
        .filter(|one| only.is_none_or(|only| one.serial == *only));
    let inverters: Vec<_> = meant.map(|one| (one.envoy, one.serial)).collect();
    if let (Some(only), true) = (only, inverters.is_empty()) {
        return Err(Refusal::Unknown(format!(
            "there is no inverter {only}: /api/v1/now lists them"
        )));
    }
    let time = |at: i64| ReportTime::from_unix_seconds(at).unwrap_or(ReportTime::MIN);
    let end = ReportTime::from_unix_seconds(until + LEAD_S).unwrap_or(ReportTime::MAX);
    Ok(shared
        .store
        .readings_of(inverters, time(from - LEAD_S)..=end)
        .await?)
}

/// Whole watts and watt-hours: what is finer is not in the readings.
#[expect(
    clippy::cast_possible_truncation,
    reason = "far below what an i64 holds"
)]
fn rounded(value: f64) -> i64 {
    value.round() as i64
}

/// `GET /api/v1/events`
pub(super) async fn events(
    State(shared): State<Arc<Shared>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let happenings = shared.live.listen();
    let stream = futures_util::stream::unfold(happenings, async |mut happenings| {
        loop {
            match happenings.recv().await {
                Ok((kind, json)) => {
                    return Some((Ok(Event::default().event(kind).data(json)), happenings));
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}

/// What is below `/api` and not there.
pub(super) async fn nothing() -> Refusal {
    Refusal::Unknown("there is /api/v1/now, /site, /inverters/SERIAL, /days and /events".to_owned())
}

//! The JSON behind the page, `/api/v1`; docs/api.md is its description.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;
use store::StoredReading;
use tokio::sync::broadcast::error::RecvError;
use wire::{Inverter, InverterHealth, InverterState, Serial};

use super::{Shared, flows, live};

/// A report that is older than this is no sign of life by day.
const REPORTING_S: i64 = 2 * 3_600;

/// Clients that hear events at a time: half of the connections, so that whoever opens the page, or only asks, finds one.
pub(super) const STREAMS: usize = 32;

/// When one that found no place among them may try again, in seconds.
const AGAIN_S: u16 = 30;

/// What a request lacks, in words with the remedy.
pub(super) enum Refusal {
    Asked(String),
    Method,
    Unknown(String),
    Store(store::QueryError),
    Streams,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let has_to_wait = matches!(self, Self::Streams);
        let (status, message) = match self {
            Self::Asked(message) => (StatusCode::BAD_REQUEST, message),
            Self::Unknown(message) => (StatusCode::NOT_FOUND, message),
            Self::Method => {
                let message = "all is to be had by GET, and nothing can be changed";
                (StatusCode::METHOD_NOT_ALLOWED, message.to_owned())
            }
            Self::Store(error) => {
                tracing::warn!(error = %daemon::exit::with_causes(&error), "the page got no readings");
                let message = "the readings can't be read from the disk; the log says why";
                (StatusCode::INTERNAL_SERVER_ERROR, message.to_owned())
            }
            Self::Streams => {
                let message = format!(
                    "events are heard by {STREAMS} clients at a time, and there are so many: wait for {AGAIN_S} seconds, \
                     or close one"
                );
                (StatusCode::SERVICE_UNAVAILABLE, message)
            }
        };
        let mut response = (status, answer(&json!({ "error": message }))).into_response();
        if has_to_wait {
            let again = HeaderValue::from(AGAIN_S);
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, again);
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl From<store::QueryError> for Refusal {
    fn from(error: store::QueryError) -> Self {
        Self::Store(error)
    }
}

pub(super) fn answer(value: &serde_json::Value) -> Response {
    let head = [(header::CONTENT_TYPE, "application/json")];
    (head, live::json(value)).into_response()
}

/// The parameters of a request.
pub(super) struct Asked(Vec<(String, String)>);

impl Asked {
    /// The parameters in a query, each of them one of these and there once: a slip would be answered with something
    /// else than was meant.
    pub(super) fn new(query: Option<String>, known: &[&str]) -> Result<Self, Refusal> {
        let query = query.unwrap_or_default();
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        let asked = Self(pairs.into_owned().collect());
        for (place, (name, _)) in asked.0.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let known = match known {
                    [] => "none".to_owned(),
                    known => known.join(", "),
                };
                return Err(Refusal::Asked(format!(
                    "there is a parameter that is not known; here there is {known}"
                )));
            }
            if asked.0[..place].iter().any(|(earlier, _)| earlier == name) {
                return Err(Refusal::Asked(format!("{name} is given twice")));
            }
        }
        Ok(asked)
    }

    fn text(&self, name: &str) -> Option<&str> {
        let mut all = self.0.iter();
        all.find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// A whole number in this range, where it is given.
    pub(super) fn number(
        &self,
        name: &str,
        lowest: i64,
        highest: i64,
    ) -> Result<Option<i64>, Refusal> {
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

    /// A serial number, where it is given.
    pub(super) fn serial(&self, name: &str) -> Result<Option<Serial>, Refusal> {
        self.text(name).map(serial).transpose()
    }

    /// The time zone, UTC where none is given.
    pub(super) fn zone(&self) -> Result<TimeZone, Refusal> {
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

/// The newest reading of each inverter. AC batteries, which some gateways list among them, make nothing.
async fn latest(shared: &Shared) -> Result<Vec<StoredReading>, Refusal> {
    let mut latest = shared.store.latest().await?;
    latest.retain(|one| one.device_type != Some(Inverter::AC_BATTERY));
    Ok(latest)
}

/// `GET /api/v1/now`
pub(super) async fn now(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    Asked::new(query, &[])?;
    let mut latest = latest(&shared).await?;
    shared.forgotten.leave_out_of(&mut latest).await;
    let now = Timestamp::now().as_second();
    let healths: Vec<_> = latest
        .iter()
        .map(|one| shared.live.health(&one.envoy, &one.serial))
        .collect();
    // What is retained of an Envoy that has not answered for long says nothing of now.
    let by_envoy = now + shared.live.clock_skew_s();
    let reports = |one: &StoredReading, health: &Option<InverterHealth>| {
        one.reported_at.unix_seconds() + REPORTING_S >= by_envoy
            && health
                .as_ref()
                .is_none_or(|health| health.state == InverterState::Reporting && health.fresh)
    };
    let inverters: Vec<_> = latest
        .iter()
        .zip(&healths)
        .map(|(one, health)| {
            let health_of = health.as_ref();
            json!({
                "envoy": one.envoy, "serial": one.serial, "reported_at": one.reported_at,
                "power_w": one.power_w, "peak_power_w": one.peak_power_w, "reporting": reports(one, health),
                "state": health_of.map(|health| health.state),
                "relative_output_pct": health_of.and_then(|health| health.relative_output_pct),
                "name": health_of.and_then(|health| health.name.as_deref()),
                "array": health_of.and_then(|health| health.array.as_deref()),
            })
        })
        .collect();
    let reporting: Vec<_> = latest
        .iter()
        .zip(&healths)
        .filter(|(one, health)| reports(one, health))
        .map(|(one, _)| one)
        .collect();
    Ok(answer(&json!({
        "simulated": shared.simulated,
        "version": env!("CARGO_PKG_VERSION"),
        "power_w": reporting.iter().map(|one| i64::from(one.power_w)).sum::<i64>(),
        "inverters_reporting": reporting.len(),
        "inverters_total": latest.len(),
        "last_report_at": latest.iter().map(|one| one.reported_at).max(),
        "inverters": inverters,
        "measured": flows::newest(&shared, now).await?,
        "chain": shared.live.chain(),
        "status": shared.service.status(),
    })))
}

/// A serial number in a path or a parameter.
pub(super) fn serial(text: &str) -> Result<Serial, Refusal> {
    text.parse()
        .map_err(|error: wire::InvalidName| Refusal::Asked(error.to_string()))
}

/// All inverters, or one at each Envoy that lists it, with the Envoy's serial number first.
pub(super) async fn inverters(
    shared: &Shared,
    only: Option<&Serial>,
) -> Result<Vec<(Serial, Serial)>, Refusal> {
    let latest = latest(shared).await?;
    let meant = latest
        .into_iter()
        .filter(|one| only.is_none_or(|only| one.serial == *only));
    let inverters: Vec<_> = meant.map(|one| (one.envoy, one.serial)).collect();
    match only {
        Some(only) if inverters.is_empty() => Err(Refusal::Unknown(format!(
            "there is no inverter {only}: /api/v1/now lists them"
        ))),
        _ => Ok(inverters),
    }
}

/// `GET /api/v1/events`
pub(super) async fn events(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    Asked::new(query, &[])?;
    // Until the stream is dropped, which is when its connection ends.
    let place = shared.streams.clone().try_acquire_owned();
    let place = place.map_err(|_| Refusal::Streams)?;
    let heard = (shared.live.listen(), place);
    let stream = futures_util::stream::unfold(heard, async |(mut happenings, place)| {
        loop {
            match happenings.recv().await {
                Ok((kind, json)) => {
                    let event = Event::default().event(kind).data(json);
                    return Some((Ok(event), (happenings, place)));
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

/// Whatever is asked in another way than by GET.
pub(super) async fn no_method() -> Refusal {
    Refusal::Method
}

/// What is below `/api` and not there.
pub(super) async fn nothing() -> Refusal {
    Refusal::Unknown(
        "there is /api/v1/now, /site, /inverters/SERIAL, /flows, /days, /months, /years and /events"
            .to_owned(),
    )
}

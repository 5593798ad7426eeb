//! Powers over a time, span by span: of the site, of one inverter. What nobody read is unknown, and not nothing.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::json;
use store::StoredReading;
use wire::{ReportTime, Serial};

use super::api::{Asked, Refusal, answer, inverters, serial};
use super::night::HOUR_S;
use super::together::Together;
use super::{Shared, energy, silence};

/// The longest range that is answered, in seconds, and the most spans in it.
const LONGEST_S: i64 = 32 * 86_400;
const MOST_SPANS: i64 = 2_000;

/// How long all inverters' reports that are read for one answer may reach together, in seconds: 1,000 days of one, or a
/// month of 30. Of more the sums of hours are to be had.
const MOST_READ_S: i64 = 1_000 * 86_400;

/// Before the beginning of a range there may be the report that its first one follows on.
const LEAD_S: i64 = 3_700;

/// A time, and the spans that it is divided into. The last one may be shorter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) from: i64,
    pub(super) until: i64,
    pub(super) step: i64,
}

impl Range {
    /// What may be asked for.
    pub(super) const PARAMETERS: [&str; 3] = ["from", "until", "step"];

    /// The last 24 hours in spans of five minutes, unless something else is asked for.
    pub(super) fn asked(asked: &Asked) -> Result<Self, Refusal> {
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
        Ok(Self { from, until, step })
    }

    /// Where the spans begin and end.
    pub(super) fn edges(self) -> Vec<i64> {
        let begins = (0..MOST_SPANS).map(|span| self.from + span * self.step);
        let begins = begins.take_while(|begin| *begin < self.until);
        begins.chain([self.until]).collect()
    }

    /// Where its spans are whole hours: the whole hours that it lies in.
    fn in_hours(self) -> Option<Self> {
        let is_whole = self.step % HOUR_S == 0;
        is_whole.then(|| Self {
            from: self.from / HOUR_S * HOUR_S,
            until: (self.until + HOUR_S - 1) / HOUR_S * HOUR_S,
            ..self
        })
    }
}

/// `GET /api/v1/site?from=&until=&step=`
pub(super) async fn site(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    series(&shared, None, query).await
}

/// `GET /api/v1/inverters/{serial}?from=&until=&step=`
pub(super) async fn inverter(
    State(shared): State<Arc<Shared>>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let Path(serial) = path.map_err(|error| Refusal::Asked(error.body_text()))?;
    let serial = self::serial(&serial)?;
    series(&shared, Some(serial), query).await
}

async fn series(
    shared: &Shared,
    only: Option<Serial>,
    query: Option<String>,
) -> Result<Response, Refusal> {
    let range = Range::asked(&Asked::new(query, &Range::PARAMETERS)?)?;
    if let Some(range) = range.in_hours() {
        return hourly(shared, only, range).await;
    }
    let inverters = inverters(shared, only.as_ref()).await?;
    let count = i64::try_from(inverters.len()).unwrap_or(i64::MAX);
    if count.saturating_mul(range.until - range.from) > MOST_READ_S {
        return Err(Refusal::Asked(format!(
            "so many reports of {count} inverters are not read at once: ask for a shorter range, or for a step of \
             whole hours"
        )));
    }
    let edges = range.edges();
    let mut together = Together::new(edges.len() - 1);
    // One after the other: those of a month are many, and whoever asks for something else has a turn between.
    for inverter in &inverters {
        let readings = readings(shared, inverter.clone(), range).await?;
        let made = energy::by_span(&readings, &edges);
        together.add(&made, energy::interval_s(&readings));
    }
    let mut power = together.power_w();
    let of = only.map(|_| inverters);
    silence::fill_nights(shared, of, &edges, &mut power).await?;
    together.leave_out_edges(&mut power, range.step);
    Ok(shown(&edges, range.step, power, together.energy_wh()))
}

/// The series of whole hours, out of the sums that are kept: a month of them has as many reports of a large site as
/// would take a second to read.
async fn hourly(shared: &Shared, only: Option<Serial>, range: Range) -> Result<Response, Refusal> {
    let of = match only {
        Some(only) => Some(inverters(shared, Some(&only)).await?),
        None => None,
    };
    let edges = range.edges();
    let mut sums: Vec<Option<i64>> = vec![None; edges.len() - 1];
    let hours = shared.store.hours(of.clone(), range.from, range.until);
    for hour in hours.await? {
        let span = edges.partition_point(|edge| *edge <= hour.begins) - 1;
        *sums[span].get_or_insert(0) += hour.energy_ws;
    }
    let spans = sums.iter().zip(edges.windows(2));
    let power = spans.map(|(sum, span)| {
        sum.map(|watt_seconds| energy::whole(watt_seconds) / energy::whole(span[1] - span[0]))
    });
    let mut power: Vec<Option<f64>> = power.collect();
    silence::fill_nights(shared, of, &edges, &mut power).await?;
    let energy_wh = energy::whole(sums.iter().flatten().sum()) / 3600.0;
    Ok(shown(&edges, range.step, power, energy_wh))
}

/// The answer with these powers.
fn shown(edges: &[i64], step: i64, power: Vec<Option<f64>>, energy_wh: f64) -> Response {
    let power = power.into_iter().map(|watts| watts.map(rounded));
    answer(&json!({
        "from": edges[0], "until": edges[edges.len() - 1], "step_s": step, "power_w": power.collect::<Vec<_>>(),
        "energy_wh": rounded(energy_wh),
    }))
}

/// The readings of an inverter, named after its Envoy, that say something about this range.
async fn readings(
    shared: &Shared,
    inverter: (Serial, Serial),
    range: Range,
) -> Result<Vec<StoredReading>, Refusal> {
    let time = |at: i64| ReportTime::from_unix_seconds(at).unwrap_or(ReportTime::MIN);
    let end = ReportTime::from_unix_seconds(range.until + LEAD_S).unwrap_or(ReportTime::MAX);
    let times = time(range.from - LEAD_S)..=end;
    Ok(shared.store.readings_of(vec![inverter], times).await?)
}

/// Whole watts and watt-hours: what is finer is not in the readings.
#[expect(
    clippy::cast_possible_truncation,
    reason = "far below what an i64 holds"
)]
pub(super) fn rounded(value: f64) -> i64 {
    value.round() as i64
}

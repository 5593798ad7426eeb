//! Days, months and years, made of the store's sums of hours.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};
use serde_json::{Map, Value, json};
use store::Hour;

use super::api::{Asked, Refusal, answer, inverters};
use super::{Shared, flows};

/// What is asked for at a time: by the calendar of the viewer's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Day,
    Month,
    Year,
}

impl Length {
    /// The parameter for how many, and the name of the answer's list.
    fn plural(self) -> &'static str {
        match self {
            Self::Day => "days",
            Self::Month => "months",
            Self::Year => "years",
        }
    }

    /// The most of them that are answered: about as many as fit on a screen, or as a roof lasts.
    fn most(self) -> i64 {
        match self {
            Self::Day => 366,
            Self::Month => 240,
            Self::Year => 50,
        }
    }

    /// The one that `date` lies in: its first day.
    fn first_day(self, date: Date) -> Date {
        match self {
            Self::Day => date,
            Self::Month => date.first_of_month(),
            Self::Year => date.first_of_year(),
        }
    }

    fn times(self, count: i64) -> Span {
        match self {
            Self::Day => count.days(),
            Self::Month => count.months(),
            Self::Year => count.years(),
        }
    }

    /// The edges between which counters are looked at, and how many spans one of these periods has. A counter that was
    /// set back shows in a month, but may be higher than before when a year is over.
    fn counted_by(
        self,
        dates: &[Date],
        edges: &[i64],
        zone: &TimeZone,
    ) -> Result<(Vec<i64>, usize), Refusal> {
        if self != Self::Year {
            return Ok((edges.to_vec(), 1));
        }
        let months = (0..12).map(|month: i64| month.months());
        let years = &dates[..dates.len() - 1];
        let firsts = years
            .iter()
            .flat_map(|year| months.clone().map(|month| year.saturating_add(month)));
        let firsts: Vec<Date> = firsts.chain(dates.last().copied()).collect();
        Ok((midnights(&firsts, zone)?, 12))
    }

    /// Its key in the answer, and its name as ISO 8601 has it.
    fn named(self, first_day: Date) -> (&'static str, String) {
        match self {
            Self::Day => ("date", first_day.strftime("%Y-%m-%d").to_string()),
            Self::Month => ("month", first_day.strftime("%Y-%m").to_string()),
            Self::Year => ("year", first_day.strftime("%Y").to_string()),
        }
    }
}

/// `GET /api/v1/days?days=&zone=&inverter=`
pub(super) async fn days(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    periods(&shared, Length::Day, query).await
}

/// `GET /api/v1/months?months=&zone=&inverter=`
pub(super) async fn months(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    periods(&shared, Length::Month, query).await
}

/// `GET /api/v1/years?years=&zone=&inverter=`
pub(super) async fn years(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    periods(&shared, Length::Year, query).await
}

async fn periods(
    shared: &Shared,
    length: Length,
    query: Option<String>,
) -> Result<Response, Refusal> {
    let asked = Asked::new(query, &[length.plural(), "zone", "inverter"])?;
    let count = asked.number(length.plural(), 1, length.most())?;
    let zone = asked.zone()?;
    let only = asked.serial("inverter")?;
    let today = Timestamp::now().to_zoned_datetime(zone.clone()).date();
    let count = match (count, length) {
        (Some(count), _) => count,
        (None, Length::Day) => 14,
        (None, Length::Month) => 12,
        (None, Length::Year) => years_since(shared.store.first_hour().await?, &zone, today),
    };
    let (dates, edges) = calendar(length, count, today, &zone)?;
    let inverters = match only {
        Some(only) => Some(inverters(shared, Some(&only)).await?),
        None => None,
    };
    let (from, until) = (edges[0], edges[edges.len() - 1]);
    // No meter knows of one inverter.
    let counted = if inverters.is_some() {
        vec![Vec::new(); dates.len() - 1]
    } else {
        let (edges, spans) = length.counted_by(&dates, &edges, &zone)?;
        flows::counted(shared, &edges, spans).await?
    };
    let hours = shared.store.hours(inverters, from, until).await?;
    let list: Vec<Value> = summed(&hours, &edges)
        .into_iter()
        .zip(edges.windows(2))
        .zip(&dates)
        .zip(counted)
        .map(|(((sum, span), date), counted)| {
            let (key, name) = length.named(*date);
            let mut period = Map::new();
            period.insert(key.to_owned(), json!(name));
            period.insert("from".to_owned(), json!(span[0]));
            period.insert("until".to_owned(), json!(span[1]));
            period.insert(
                "energy_wh".to_owned(),
                json!((sum.energy_ws + 1_800).div_euclid(3_600)),
            );
            period.insert("reports".to_owned(), json!(sum.reports));
            period.insert("missed".to_owned(), json!(sum.missed));
            if let Some(highest) = sum.highest_w {
                period.insert("highest_w".to_owned(), json!(highest));
            }
            for (key, wh) in counted {
                period.insert(key.to_owned(), json!(wh));
            }
            period.into()
        })
        .collect();
    Ok(answer(&json!({ length.plural(): list })))
}

/// How many years there are from the first reading on.
fn years_since(first_hour: Option<i64>, zone: &TimeZone, today: Date) -> i64 {
    let first = first_hour.and_then(|at| Timestamp::from_second(at).ok());
    let first = first.map_or(today.year(), |at| at.to_zoned_datetime(zone.clone()).year());
    (i64::from(today.year()) - i64::from(first) + 1).clamp(1, Length::Year.most())
}

/// The first days of so many, the one of today last, and when they begin, with the end of the last.
fn calendar(
    length: Length,
    count: i64,
    today: Date,
    zone: &TimeZone,
) -> Result<(Vec<Date>, Vec<i64>), Refusal> {
    let current = length.first_day(today);
    let date = |i: i64| current.saturating_add(length.times(i + 1 - count));
    let dates: Vec<Date> = (0..=count).map(date).collect();
    let edges = midnights(&dates, zone)?;
    Ok((dates, edges))
}

/// When these days begin there, in Unix seconds.
fn midnights(dates: &[Date], zone: &TimeZone) -> Result<Vec<i64>, Refusal> {
    let midnight = |date: &Date| {
        date.to_zoned_datetime(zone.clone())
            .map(|at| at.timestamp().as_second())
    };
    let edges: Result<Vec<i64>, _> = dates.iter().map(midnight).collect();
    edges.map_err(|error| Refusal::Asked(format!("zone has no such days: {error}")))
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    energy_ws: i64,
    highest_w: Option<i32>,
    reports: u64,
    missed: u64,
}

/// The sums of each of `edges.len() - 1` spans. An hour counts for the span in which it begins.
fn summed(hours: &[Hour], edges: &[i64]) -> Vec<Sum> {
    let mut sums = vec![Sum::default(); edges.len().saturating_sub(1)];
    for hour in hours {
        let place = edges.partition_point(|edge| *edge <= hour.begins);
        let Some(sum) = place.checked_sub(1).and_then(|place| sums.get_mut(place)) else {
            continue;
        };
        sum.energy_ws += hour.energy_ws;
        sum.highest_w = sum.highest_w.max(hour.highest_w);
        sum.reports += u64::from(hour.reports);
        sum.missed += u64::from(hour.missed);
    }
    sums
}

#[cfg(test)]
mod tests;

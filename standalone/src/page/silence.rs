//! Spans for which no report stands: at night nothing is made, and of any other silence nobody knows what was made in it.
//!
//! A gateway lists no reports of the night, so that a night looks like an outage of this program. Other days tell them
//! apart ([`Nights`]); the first night has none, and is unknown.

use std::ops::Range;

use jiff::Timestamp;
use wire::Serial;

use super::Shared;
use super::api::Refusal;
use super::night::{DAYS_AROUND, HOUR_S, Nights, Reports};

/// How long before a night's first whole hour inverters may have reported last, and how long after its last one first,
/// in seconds: an hour, and what a week's sunsets differ by.
const TWILIGHT_S: i64 = 75 * 60;

/// The same where those reports are faint: under clouds they fall asleep earlier.
const FAINT_TWILIGHT_S: i64 = 2 * 3_600;

/// Reports that say no more than this part of the most are faint.
const FAINT: f64 = 0.2;

/// Hours are read of so many seconds before and after a range: of the days around, and a night that begins before it.
const AROUND_S: i64 = (DAYS_AROUND + 1) * 86_400;

/// Says 0 in each silence, as far as it is night, up to now. The spans are those between `edges`, in Unix seconds, of
/// which the reports say the power: those of these inverters, or of all.
pub(super) async fn fill_nights(
    shared: &Shared,
    inverters: Option<Vec<(Serial, Serial)>>,
    edges: &[i64],
    power: &mut [Option<f64>],
) -> Result<(), Refusal> {
    if power.iter().all(Option::is_some) {
        return Ok(());
    }
    let now = Timestamp::now().as_second() + shared.live.clock_skew_s();
    let (from, until) = (edges[0] - AROUND_S, edges[edges.len() - 1] + AROUND_S);
    let site = Reports::new(&shared.store.hours(None, from, until).await?);
    let own = match inverters {
        None => site.clone(),
        inverters => Reports::new(&shared.store.hours(inverters, from, until).await?),
    };
    fill(&mut Nights::of(site), &own, now, edges, power);
    Ok(())
}

/// As [`fill_nights`], at this moment; `own` are the reports that the power is of.
fn fill(nights: &mut Nights, own: &Reports, now: i64, edges: &[i64], power: &mut [Option<f64>]) {
    for silence in silences(power) {
        let Some((begin, end)) = extent(&silence, own, edges) else {
            continue;
        };
        let dark = dark(nights, own, begin, (end, now));
        for span in silence.filter(|span| edges[*span] < now) {
            let until = edges[span + 1].min(now);
            if dark
                .iter()
                .any(|dark| dark.start <= edges[span] && until <= dark.end)
            {
                power[span] = Some(0.0);
            }
        }
    }
}

/// The runs of spans of which nothing is known.
fn silences(power: &[Option<f64>]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for span in (0..power.len()).filter(|span| power[*span].is_none()) {
        match found.last_mut() {
            Some(last) if last.end == span => last.end += 1,
            _ => found.push(span..span + 1),
        }
    }
    found
}

/// When a silence begins, and when it ends, if it does: one at the border of what was asked for goes on beyond it, to
/// the whole hour. Before the first report there is none.
fn extent(silence: &Range<usize>, own: &Reports, edges: &[i64]) -> Option<(i64, Option<i64>)> {
    let (begin, end) = (edges[silence.start], edges[silence.end]);
    let last = own.last_before(begin)?;
    let begin = if silence.start == 0 {
        begin.min((last + 1) * HOUR_S)
    } else {
        begin
    };
    let end = if silence.end == edges.len() - 1 {
        let first = own.first_after(end, last);
        first.map(|first| end.max(first * HOUR_S))
    } else {
        Some(end)
    };
    Some((begin, end))
}

/// The times of a silence in which it is night: whole hours, and the twilight from the last report until the first of
/// them, and from the last of them until the first report.
fn dark(
    nights: &mut Nights,
    own: &Reports,
    begin: i64,
    (end, now): (Option<i64>, i64),
) -> Vec<Range<i64>> {
    let mut dark: Vec<Range<i64>> = Vec::new();
    let until = end.unwrap_or(now).min(now);
    let hours = begin.div_euclid(HOUR_S)..(until + HOUR_S - 1).div_euclid(HOUR_S);
    for hour in hours.filter(|hour| nights.has(*hour)) {
        match dark.last_mut() {
            Some(last) if last.end == hour * HOUR_S => last.end += HOUR_S,
            _ => dark.push(hour * HOUR_S..(hour + 1) * HOUR_S),
        }
    }
    let longest = |hour: Option<i64>| match hour {
        Some(hour) if own.are_at_most(FAINT, hour) => FAINT_TWILIGHT_S,
        _ => TWILIGHT_S,
    };
    if let Some(first) = dark.first_mut()
        && first.start - begin <= longest(own.last_before(begin))
    {
        first.start = first.start.min(begin);
    }
    if let (Some(last), Some(end)) = (dark.last_mut(), end)
        && end - last.end <= longest(own.first_after(end, last.end / HOUR_S - 1))
    {
        last.end = last.end.max(end);
    }
    dark
}

#[cfg(test)]
mod tests;

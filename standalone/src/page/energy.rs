//! From power to energy: a report is an average, and stands for the time since the report before it.
//!
//! That time is at most the interval at which these inverters report, which is learned from the times
//! themselves: Enphase sets 5, 15 or 60 minutes. So neither a night nor an outage is filled with what was
//! said after it.

use store::StoredReading;

/// The intervals that Enphase sets, in seconds.
const INTERVALS: [i64; 3] = [300, 900, 3600];

/// How much longer than its interval a report may take: gateways ask their inverters one after the other.
const SLACK_S: i64 = 60;

/// The energy of each of `edges.len() - 1` spans, in Wh. `edges` are Unix seconds and rise; `readings` are
/// sorted by time within each inverter.
pub(super) fn by_span(readings: &[StoredReading], edges: &[i64]) -> Vec<f64> {
    let longest = interval_s(readings) + SLACK_S;
    let mut energy = vec![0.0; edges.len().saturating_sub(1)];
    let mut before: Option<&StoredReading> = None;
    for reading in readings {
        let end = reading.reported_at.unix_seconds();
        let begin = before
            .filter(|before| before.envoy == reading.envoy && before.serial == reading.serial)
            .map_or(end - longest, |before| before.reported_at.unix_seconds())
            .max(end - longest);
        let first = edges.partition_point(|edge| *edge <= begin).max(1) - 1;
        for (span, energy) in edges.windows(2).zip(&mut energy).skip(first) {
            if span[0] >= end {
                break;
            }
            let seconds = end.min(span[1]) - begin.max(span[0]);
            *energy += f64::from(reading.power_w) * whole(seconds.max(0)) / 3600.0;
        }
        before = Some(reading);
    }
    energy
}

/// The middle one of the times between two reports, brought up to one that Enphase sets; in seconds.
fn interval_s(readings: &[StoredReading]) -> i64 {
    let pairs = readings.windows(2).filter_map(|pair| {
        let same = pair[0].envoy == pair[1].envoy && pair[0].serial == pair[1].serial;
        same.then(|| pair[1].reported_at.unix_seconds() - pair[0].reported_at.unix_seconds())
    });
    let mut gaps: Vec<i64> = pairs.collect();
    gaps.sort_unstable();
    let Some(middle) = gaps.get(gaps.len() / 2) else {
        return INTERVALS[0];
    };
    let known = INTERVALS.iter().find(|known| *middle <= **known + SLACK_S);
    *known.unwrap_or(&INTERVALS[2])
}

/// Seconds as a factor.
#[expect(clippy::cast_precision_loss, reason = "seconds of some years")]
pub(super) fn whole(seconds: i64) -> f64 {
    seconds as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(serial: &str, at: i64, power_w: i32) -> StoredReading {
        StoredReading {
            envoy: "1".parse().expect("a serial"),
            serial: serial.parse().expect("a serial"),
            reported_at: wire::ReportTime::from_unix_seconds(at).expect("a time"),
            device_type: None,
            power_w,
            peak_power_w: 300,
        }
    }

    fn assert_near(found: &[f64], expected: &[f64]) {
        let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-9;
        let all = found.iter().zip(expected).all(near) && found.len() == expected.len();
        assert!(all, "{found:?} instead of {expected:?}");
    }

    #[test]
    fn a_report_is_shared_by_the_spans_that_its_interval_lies_in() {
        let readings = [reading("a", 1_000, 0), reading("a", 1_300, 120)];
        assert_near(
            &by_span(&readings, &[900, 1_200, 1_500]),
            &[20.0 / 3.0, 10.0 / 3.0],
        );
    }

    #[test]
    fn what_is_said_after_a_night_does_not_fill_it() {
        let mut readings: Vec<_> = (1..=5).map(|i| reading("a", i * 300, 0)).collect();
        readings.push(reading("a", 50_000, 360));
        assert_near(&by_span(&readings, &[0, 60_000]), &[36.0]);
    }

    #[test]
    fn the_reports_of_one_inverter_say_nothing_about_anothers() {
        let one = [reading("a", 300, 0), reading("a", 600, 100)];
        let both = [&one[..], &[reading("b", 300, 0), reading("b", 600, 100)]].concat();
        let energy = by_span(&one, &[0, 600])[0];
        assert_near(&by_span(&both, &[0, 600]), &[2.0 * energy]);
    }
}

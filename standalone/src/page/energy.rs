//! From power to energy: a report is an average, and stands for the time since the report before it.
//!
//! That time is at most the interval at which that inverter reports, which is learned from the times
//! themselves: Enphase sets 5, 15 or 60 minutes. So neither a night nor an outage is filled with what was
//! said after it.

use store::StoredReading;

/// How much longer than its interval a report may take: gateways ask their inverters one after the other.
const SLACK_S: i64 = 60;

/// What is known of one span.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Made {
    pub(super) energy_wh: f64,
    /// The part of the span for which reports stand, in seconds.
    pub(super) known_s: i64,
}

/// What was made in each of `edges.len() - 1` spans. `edges` are Unix seconds and rise; `readings` are those of one
/// inverter, sorted by time.
pub(super) fn by_span(readings: &[StoredReading], edges: &[i64]) -> Vec<Made> {
    let longest = interval_s(readings) + SLACK_S;
    let mut made = vec![Made::default(); edges.len().saturating_sub(1)];
    let mut before = None;
    for reading in readings {
        let end = reading.reported_at.unix_seconds();
        let begin = before.unwrap_or(i64::MIN).max(end - longest);
        let first = edges.partition_point(|edge| *edge <= begin).max(1) - 1;
        for (span, made) in edges.windows(2).zip(&mut made).skip(first) {
            if span[0] >= end {
                break;
            }
            let seconds = (end.min(span[1]) - begin.max(span[0])).max(0);
            made.energy_wh += f64::from(reading.power_w) * whole(seconds) / 3600.0;
            made.known_s += seconds;
        }
        before = Some(end);
    }
    made
}

/// The interval at which this inverter reports, in seconds.
pub(super) fn interval_s(readings: &[StoredReading]) -> i64 {
    let gaps = readings
        .windows(2)
        .map(|pair| pair[1].reported_at.unix_seconds() - pair[0].reported_at.unix_seconds());
    store::interval_s(gaps.collect())
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

    fn assert_near(found: &[Made], expected: &[(f64, i64)]) {
        let near = |(a, (energy_wh, known_s)): (&Made, &(f64, i64))| {
            (a.energy_wh - energy_wh).abs() < 1e-9 && a.known_s == *known_s
        };
        let all = found.iter().zip(expected).all(near) && found.len() == expected.len();
        assert!(all, "{found:?} instead of {expected:?}");
    }

    #[test]
    fn a_report_is_shared_by_the_spans_that_its_interval_lies_in() {
        let readings = [reading("a", 1_000, 0), reading("a", 1_300, 120)];
        assert_near(
            &by_span(&readings, &[900, 1_200, 1_500]),
            &[(20.0 / 3.0, 300), (10.0 / 3.0, 100)],
        );
    }

    #[test]
    fn what_is_said_after_a_night_does_not_fill_it() {
        let mut readings: Vec<_> = (1..=5).map(|i| reading("a", i * 300, 0)).collect();
        readings.push(reading("a", 50_000, 360));
        // Six times five minutes, and for the first and the one after the night a minute more.
        assert_near(
            &by_span(&readings, &[0, 60_000]),
            &[(36.0, 300 + 4 * 300 + 360)],
        );
    }
}

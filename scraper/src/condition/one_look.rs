//! Judges the inverters by one look at their reports, for somebody who has not watched them.

use wire::Serial;

use super::interval::{Interval, KNOWN, SHORTEST};
use super::night::is_recent;
use super::{Condition, Listed};

/// So many inverters it takes to tell their interval from one look.
const ENOUGH: usize = 6;

/// How much older than the newest report one may be to count for that, in seconds: a day. Those of longer ago are of
/// inverters that are gone.
const LATELY: i64 = 24 * 3600;

impl Condition {
    /// Judges one look, with the gateway's clock then, in Unix seconds. `interval` says how often an inverter
    /// reports, as far as that is known; for the others it is guessed by how far their reports lie apart.
    #[must_use]
    pub fn of_one_look(
        listed: &[Listed],
        never_reported: usize,
        now: i64,
        interval: impl Fn(&Serial) -> Option<Interval>,
    ) -> Self {
        let mut condition = Self {
            never_reported,
            ..Self::default()
        };
        condition.learn(listed, now);
        let times: Vec<i64> = listed.iter().map(|report| report.at).collect();
        let guessed = guess(&times, now);
        for (serial, track) in &mut condition.tracks {
            track.interval = interval(serial).unwrap_or_else(|| guessed.clone());
        }
        condition.judge(now);
        condition
    }

    /// How often an inverter reports, where that was learned.
    #[must_use]
    pub fn interval(&self, inverter: &Serial) -> Option<&Interval> {
        let track = self.tracks.get(inverter)?;
        track.interval.seconds().map(|_| &track.interval)
    }
}

/// How often inverters report, by the times of their last reports, and that of the look, in Unix seconds: they are
/// spread over the interval. Nothing where that does not tell: below firmware 7 all of them are asked in one go,
/// however often.
fn guess(times: &[i64], now: i64) -> Interval {
    let mut guessed = Interval::default();
    let newest = times.iter().max().copied().unwrap_or_default();
    let lags = times.iter().map(|at| newest - at);
    let mut lags: Vec<i64> = lags.filter(|lag| *lag <= LATELY).collect();
    lags.sort_unstable();
    if lags.len() < ENOUGH {
        return guessed;
    }
    // A quarter of them may be silent.
    let most = lags[(lags.len() - 1) * 3 / 4];
    // One of them has reported in the last interval, and none is a little late, as some would be with a longer one: all
    // others are silent.
    let fits = |(interval, longest): &&(i64, i64)| {
        let is_late = |lag: &i64| lag > longest && is_recent(*lag, *interval);
        now - newest <= *longest && most <= *longest && !lags.iter().any(is_late)
    };
    if let Some((interval, _)) = KNOWN.iter().find(fits) {
        // In one go they say nothing.
        if most >= SHORTEST / 2 {
            guessed.learn(*interval);
        }
    }
    guessed
}

#[cfg(test)]
mod tests {
    use wire::InverterState;

    use super::*;
    use crate::names::Names;

    const NOON: i64 = 1_785_585_600;

    /// Inverters that report one after the other, the newest 20 seconds ago.
    fn spread(every: i64) -> Vec<i64> {
        let ages = (0..12).map(|place| 20 + place * every / 12);
        ages.map(|age| NOON - age).collect()
    }

    #[test]
    fn reports_that_come_one_after_the_other_tell_the_interval() {
        for every in [300, 900, 3600] {
            let mut times = spread(every);
            assert_eq!(guess(&times, NOON).seconds(), Some(every));
            // These are silent, for some hours, for days, for years.
            times.extend([4 * every, 3 * 86_400, 700 * 86_400].map(|age| NOON - age));
            assert_eq!(guess(&times, NOON).seconds(), Some(every));
        }
    }

    #[test]
    fn few_reports_and_those_that_come_in_one_go_do_not_tell_it() {
        assert_eq!(guess(&[], NOON).seconds(), None);
        assert_eq!(
            guess(&[0, 80, 160, 240].map(|age| NOON - age), NOON).seconds(),
            None
        );
        let in_one_go: Vec<i64> = (0..40).map(|place| NOON - 200 - place).collect();
        assert_eq!(guess(&in_one_go, NOON).seconds(), None);
        // Each five minutes with one that is late, or each quarter of an hour: who knows.
        let either = [0, 50, 100, 150, 200, 250, 300, 600].map(|age| NOON - age);
        assert_ne!(guess(&either, NOON).seconds(), Some(300));
    }

    #[test]
    fn reports_that_lie_close_together_and_are_all_old_are_of_a_longer_interval() {
        let times: Vec<i64> = spread(300).iter().map(|at| at - 700).collect();
        assert_eq!(guess(&times, NOON).seconds(), Some(900));
    }

    fn states(times: &[i64], known: Option<i64>) -> Vec<InverterState> {
        let listed: Vec<Listed> = (0..)
            .zip(times)
            .map(|(place, at)| Listed {
                serial: format!("4820123456{place:02}").parse().expect("a serial"),
                at: *at,
                power_w: 200,
                peak_power_w: 300,
            })
            .collect();
        let condition = Condition::of_one_look(&listed, 0, NOON, |_| {
            let mut interval = Interval::default();
            interval.learn(known?);
            Some(interval)
        });
        let envoy = "122012345678".parse().expect("a serial");
        let health = condition.health(&envoy, &Names::default());
        health.inverters.values().map(|one| one.state).collect()
    }

    #[test]
    fn who_has_been_away_for_twenty_minutes_is_silent_where_the_others_report_each_five() {
        let mut times = spread(300);
        times.push(NOON - 1200);
        let states = states(&times, None);
        assert_eq!(states.last(), Some(&InverterState::Silent));
        assert!(
            states[..12]
                .iter()
                .all(|state| *state == InverterState::Reporting)
        );
    }

    #[test]
    fn a_known_interval_goes_before_what_is_guessed() {
        let mut times = spread(300);
        times.push(NOON - 1200);
        let states = states(&times, Some(900));
        assert_eq!(states.last(), Some(&InverterState::Reporting));
    }
}

//! When the health of the inverters last changed, so that a store has a time to keep it by.

use wire::{Health, ReportTime};

/// Dates what is shown now, by the gateway's clock in Unix seconds: where it says what was shown `before`, as
/// that was.
///
/// A clock that is put right by seconds takes no time back, so that a subscriber knows the newer one; and no two states
/// have the same time, since InfluxDB would keep of the older what the newer leaves out.
pub(crate) fn dated(mut health: Health, before: Option<&Health>, now: Option<i64>) -> Health {
    let known = before.and_then(|before| before.changed_at);
    health.changed_at = known;
    if before == Some(&health) && known.is_some() {
        return health;
    }
    let now = now.and_then(|now| ReportTime::from_unix_seconds(now).ok());
    health.changed_at = match (now, known) {
        // A clock that was set back by over a day was wrong before.
        (Some(now), Some(known)) if now < known && now.supersedes(known) => Some(now),
        (Some(now), Some(known)) => Some(now.max(after(known))),
        (Some(now), None) => Some(now),
        (None, known) => known.map(after),
    };
    health
}

/// A second later.
fn after(known: ReportTime) -> ReportTime {
    let after = ReportTime::from_unix_seconds(known.unix_seconds().saturating_add(1));
    after.unwrap_or(known)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use wire::SET_BACK_S;

    fn health(silent: u32) -> Health {
        Health {
            envoy: "122012345678".parse().unwrap(),
            changed_at: None,
            reporting: 0,
            asleep: 0,
            silent,
            total: 12,
            never_reported: 0,
            inverters: BTreeMap::new(),
        }
    }

    const NOON: i64 = 1_795_435_200;

    fn seconds(health: &Health) -> Option<i64> {
        health.changed_at.map(ReportTime::unix_seconds)
    }

    #[test]
    fn what_stays_the_same_keeps_its_time() {
        let first = dated(health(0), None, Some(NOON));
        assert_eq!(seconds(&first), Some(NOON));
        let again = dated(health(0), Some(&first), Some(NOON + 60));
        assert_eq!(again, first);
        let changed = dated(health(1), Some(&first), Some(NOON + 120));
        assert_eq!(seconds(&changed), Some(NOON + 120));
    }

    #[test]
    fn a_clock_that_is_put_right_by_seconds_takes_no_time_back() {
        let first = dated(health(0), None, Some(NOON));
        let changed = dated(health(1), Some(&first), Some(NOON - 30));
        assert_eq!(seconds(&changed), Some(NOON + 1));
    }

    #[test]
    fn two_states_never_have_the_same_time() {
        let mut last = dated(health(0), None, Some(NOON));
        for (silent, now, expected) in [
            (1, Some(NOON), 1),
            (2, Some(NOON - 3600), 2),
            (3, Some(NOON + 1), 3),
            (4, None, 4),
            (5, Some(NOON + 5), 5),
        ] {
            last = dated(health(silent), Some(&last), now);
            assert_eq!(seconds(&last), Some(NOON + expected), "silent: {silent}");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_by_more_than_a_day_is_gone_by() {
        let first = dated(health(0), None, Some(NOON));
        let changed = dated(health(1), Some(&first), Some(NOON - SET_BACK_S - 1));
        assert_eq!(seconds(&changed), Some(NOON - SET_BACK_S - 1));
    }

    #[test]
    fn a_gateway_that_says_no_time_leaves_the_last_one() {
        let first = dated(health(0), None, Some(NOON));
        let changed = dated(health(1), Some(&first), None);
        assert_eq!(seconds(&changed), Some(NOON + 1));
        let undated = dated(health(0), None, None);
        assert_eq!(seconds(&undated), None);
        let known = dated(health(0), Some(&undated), Some(NOON));
        assert_eq!(seconds(&known), Some(NOON), "as soon as there is one");
    }
}

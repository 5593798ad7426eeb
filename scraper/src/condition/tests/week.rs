//! The judgements of a week.

use super::*;

type Said = (InverterState, bool);
const REPORTING: Said = (InverterState::Reporting, true);
const ASLEEP: Said = (InverterState::Asleep, true);
const SILENT: Said = (InverterState::Silent, false);

/// When, in seconds after Monday's midnight, and what is then said of a well one, the shaded one, and the one that
/// dies: its state, and whether it is fresh.
const WEEK: [(&str, i64, [Said; 3]); 12] = [
    ("Monday, before the first dawn", 4 * HOUR, [ASLEEP; 3]),
    ("Monday noon", 12 * HOUR, [REPORTING; 3]),
    ("Monday night", 22 * HOUR, [ASLEEP; 3]),
    ("an empty list at night", 26 * HOUR + 60, [ASLEEP; 3]),
    ("after the outage at 23:05", 47 * HOUR + 1300, [ASLEEP; 3]),
    ("Wednesday, before it dies", 59 * HOUR, [REPORTING; 3]),
    (
        "hours after it died",
        64 * HOUR,
        [REPORTING, REPORTING, SILENT],
    ),
    ("the night after that", 71 * HOUR, [ASLEEP, ASLEEP, SILENT]),
    (
        "during the restart",
        83 * HOUR + 240,
        [REPORTING, REPORTING, SILENT],
    ),
    (
        "after the restart",
        83 * HOUR + 900,
        [REPORTING, REPORTING, SILENT],
    ),
    ("Sunday noon", 156 * HOUR, [REPORTING, REPORTING, SILENT]),
    ("Sunday night", 166 * HOUR, [ASLEEP, ASLEEP, SILENT]),
];

#[test]
fn a_week_with_a_dead_panel_a_shaded_one_nights_a_restart_and_outages_is_judged_rightly() {
    for (interval, dead_missed) in [(300, 606), (900, 198), (3600, 36)] {
        let (mut condition, mut site) = (Condition::default(), Site::new(interval));
        let mut from = MONDAY;
        for (when, to, [well, shaded, dead]) in WEEK {
            polled(&mut condition, &mut site, from, MONDAY + to);
            from = MONDAY + to;
            for (inverter, expected) in [(0, well), (SHADED, shaded), (DEAD, dead)] {
                let found = state(&condition, inverter);
                assert_eq!(
                    found, expected,
                    "{when}, inverter {inverter}, each {interval} s"
                );
            }
        }
        let health = condition.health(&serial(0), &Names::default());
        assert_eq!(
            (health.total, health.silent, health.never_reported),
            (10, 1, 1)
        );
        let of = |inverter: usize| health.inverters[&serial(inverter)].clone();
        for inverter in (0..INVERTERS).filter(|inverter| *inverter != DEAD) {
            assert_eq!(of(inverter).interval_s, u32::try_from(interval).ok());
            assert_eq!(
                of(inverter).missed_reports,
                0,
                "inverter {inverter}, each {interval} s"
            );
        }
        // Of the eleven hours or so of each day in which the others report more than a little.
        assert_eq!(of(DEAD).missed_reports, dead_missed, "each {interval} s");
        let output = |inverter| of(inverter).relative_output_pct.expect("known");
        assert!(
            (37..=43).contains(&output(SHADED)),
            "{}, each {interval} s",
            output(SHADED)
        );
        assert!(
            (97..=103).contains(&output(0)),
            "{}, each {interval} s",
            output(0)
        );
    }
}

//! Counts of a day.

use super::*;

/// The morning after noon.
const DAWN: i64 = 18 * 3600;

#[test]
fn the_count_of_a_day_begins_anew_with_a_day_and_nowhere_else() {
    // Seconds after noon, what an inverter counts of today then, and what is said of it.
    for (what, looks) in [
        (
            "a night",
            vec![
                (0, 900.0, 900.0),
                (DAWN, 4.0, 4.0),
                (DAWN + 900, 30.0, 30.0),
            ],
        ),
        (
            "set back, and not by the end of a day",
            vec![
                (0, 900.0, 900.0),
                (900, 600.0, 900.0),
                (1800, 650.0, 950.0),
                (DAWN, 4.0, 4.0),
                (DAWN + 900, 30.0, 30.0),
            ],
        ),
        (
            "nothing for minutes after a start",
            vec![
                (0, 12_000.0, 12_000.0),
                (900, 0.0, 0.0),
                (1800, 0.0, 0.0),
                (2700, 12_010.0, 12_010.0),
                (3600, 12_030.0, 12_030.0),
            ],
        ),
        (
            "nothing after a start, when it had been set back before",
            vec![
                (0, 900.0, 900.0),
                (900, 600.0, 900.0),
                (4 * 3600, 650.0, 950.0),
                (4 * 3600 + 900, 0.0, 0.0),
                (4 * 3600 + 1800, 660.0, 960.0),
            ],
        ),
        (
            "too high once",
            vec![
                (0, 900.0, 900.0),
                (900, 50_000.0, 900.0),
                (1800, 920.0, 920.0),
            ],
        ),
        (
            "a day that begins with more than nothing",
            vec![
                (0, 20_000.0, 20_000.0),
                (900, 800.0, 800.0),
                (1800, 850.0, 850.0),
            ],
        ),
        (
            "a midnight, and a slow morning",
            vec![
                (0, 12_000.0, 12_000.0),
                (900, 0.0, 0.0),
                (1800, 5.0, 5.0),
                (DAWN, 300.0, 300.0),
            ],
        ),
        (
            "rounded",
            vec![(0, 900.7, 900.7), (900, 900.0, 900.7), (1800, 910.0, 910.0)],
        ),
    ] {
        let mut tallies = Tallies::default();
        for (at, counted, expected) in looks {
            let (today, _) = said(&mut tallies, inverter(NOON + at, counted, 0.0));
            assert_eq!(today, Some(expected), "{what}: {at} s after noon");
        }
    }
}

#[test]
fn zeros_of_all_counters_after_a_start_are_no_midnight() {
    let mut tallies = Tallies::default();
    // Seconds after noon, what an inverter counts of today and ever, and what is said of today.
    for (at, counted, ever, expected) in [
        (0, 900.0, 1_000_000.0, 900.0),
        (900, 0.0, 0.0, 900.0),
        (1800, 0.0, 0.0, 900.0),
        (2700, 930.0, 1_000_030.0, 930.0),
        // A midnight while it shows nothing.
        (11 * 3600, 0.0, 0.0, 930.0),
        (12 * 3600 + 900, 0.0, 1_000_040.0, 0.0),
        (DAWN, 4.0, 1_000_044.0, 4.0),
    ] {
        let (today, _) = said(&mut tallies, inverter(NOON + at, counted, ever));
        assert_eq!(today, Some(expected), "{at} s after noon");
    }
}

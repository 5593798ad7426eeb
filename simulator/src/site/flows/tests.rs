use super::*;

const BEGINS: i64 = 20_619 * DAY_S;

/// Four kilowatts from eight to sixteen o'clock.
fn panels() -> Vec<f64> {
    let hour = |minute: i64| minute / 60;
    (0..24 * 60)
        .map(|minute| {
            if (8..16).contains(&hour(minute)) {
                4_000.0
            } else {
                0.0
            }
        })
        .collect()
}

fn flows(capacity_wh: f64) -> Flows {
    let mut flows = Flows::new(1, (12, capacity_wh), (5e6, 400.0), BEGINS);
    flows.next_day(BEGINS, panels());
    flows
}

/// The shown powers of a day, second by second in steps of 20, summed up.
fn summed(flows: &Flows, of: impl Fn(&Power) -> f64) -> f64 {
    let seconds = (0..DAY_S).step_by(20);
    seconds
        .map(|second| of(&flows.at(BEGINS + second).power) * 20.0 / 3_600.0)
        .sum()
}

#[test]
fn every_counter_of_a_day_is_the_sum_of_the_powers_that_were_shown() {
    let flows = flows(7_000.0);
    let (first, last) = (flows.at(BEGINS).energy, flows.at(BEGINS + DAY_S - 1).energy);
    for (counted, shown) in [
        (
            last.produced - first.produced,
            summed(&flows, |p| p.production.max(0.0)),
        ),
        (
            last.drawn - first.drawn,
            summed(&flows, |p| (-p.production).max(0.0)),
        ),
        (
            last.imported - first.imported,
            summed(&flows, |p| p.net().max(0.0)),
        ),
        (
            last.exported - first.exported,
            summed(&flows, |p| (-p.net()).max(0.0)),
        ),
        (
            last.discharged - first.discharged,
            summed(&flows, |p| p.battery.max(0.0)),
        ),
        (
            last.charged - first.charged,
            summed(&flows, |p| (-p.battery).max(0.0)),
        ),
        (
            last.consumed - first.consumed,
            summed(&flows, Power::consumption),
        ),
    ] {
        assert!((counted - shown).abs() < 2.0, "{counted} {shown}");
    }
}

#[test]
fn a_battery_fills_by_day_empties_at_night_and_stays_between_its_limits() {
    let flows = flows(7_000.0);
    let stored: Vec<f64> = (0..DAY_S)
        .step_by(60)
        .map(|second| flows.at(BEGINS + second).stored_wh)
        .collect();
    assert!(stored.iter().all(|wh| (699.9..=7_000.1).contains(wh)));
    assert!(
        stored[15 * 60] > 6_999.0,
        "full by the afternoon: {}",
        stored[15 * 60]
    );
    assert!(
        stored[23 * 60] < stored[16 * 60] - 1_000.0,
        "it was an evening"
    );
    let none = self::flows(0.0);
    assert!(summed(&none, |power| power.battery.abs()) < f64::EPSILON);
}

#[test]
fn panels_that_change_change_nothing_that_was_shown_before() {
    let mut flows = flows(3_500.0);
    let noon = BEGINS + 12 * 3_600;
    let before = flows.at(noon);
    flows.change_panels(noon, vec![1_000.0; 24 * 60]);
    assert_eq!(flows.at(noon), before);
    assert!((flows.at(noon + 60).power.production - 1_000.0).abs() < f64::EPSILON);
}

#[test]
fn counters_that_are_set_count_on_from_there_and_the_day_with_them() {
    let mut flows = flows(0.0);
    let noon = BEGINS + 12 * 3_600;
    let today = flows.at(noon).today;
    flows.count_from(0.0, noon);
    assert_eq!(flows.at(noon).energy, Energy::default());
    assert_eq!(flows.at(noon).today, today);
    let later = flows.at(noon + 3_600).energy.produced;
    assert!((later - 4_000.0).abs() < 0.1, "{later}");
}

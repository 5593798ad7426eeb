//! Inverters that are replaced.

use super::*;

#[test]
fn a_replaced_inverter_keeps_its_row_and_the_new_one_reports_from_then_on() {
    let noon = DAY * 24 * HOUR + 12 * HOUR;
    let mut history = History::new(site(&plan(), "8.2.4345"), noon);
    let before = history.rows(noon);
    let old = before[5].clone();
    let energy = history.production(noon);
    let new = history.replace(&old.inverter, noon).expect("it is there");
    assert!(before.iter().all(|row| row.inverter != new));
    let sums = |p: Production| (p.today_wh, p.lifetime_wh, p.inverters);
    assert_eq!(
        sums(history.production(noon)),
        sums(energy),
        "no energy is lost"
    );

    let rows = history.rows(noon + 2 * HOUR);
    assert_eq!(rows.len(), before.len() + 1);
    assert!(rows.contains(&old));
    let fresh = rows.iter().find(|row| row.inverter == new).expect("listed");
    assert!(fresh.reported_at > noon, "{fresh:?}");
    let next_day = history.rows(noon + 24 * HOUR);
    assert!(next_day.contains(&old));

    // And at once it has no date.
    let mut history = History::new(site(&plan(), "8.2.4345"), noon);
    let new = history.replace(&old.inverter, noon).expect("it is there");
    let rows = history.rows(noon);
    let fresh = rows.iter().find(|row| row.inverter == new).expect("listed");
    assert_eq!((fresh.reported_at, fresh.peak_power_w), (0, 0));
}

#[test]
fn only_an_inverter_in_use_can_be_replaced() {
    let noon = DAY * 24 * HOUR + 12 * HOUR;
    let ghosts = Plan {
        ghosts: 1,
        ..plan()
    };
    let mut history = History::new(site(&ghosts, "8.2.4345"), noon);
    let rows = history.rows(noon);
    let ghost = rows.iter().find(|row| row.reported_at == 0).expect("one");
    for unknown in ["482000000000", "", &ghost.inverter] {
        let refused = history.replace(unknown, noon).expect_err(unknown);
        assert!(
            refused.to_string().contains("is no inverter in use"),
            "{refused}"
        );
    }
    history
        .replace(&rows[0].inverter, noon)
        .expect("it is there");
    history
        .replace(&rows[0].inverter, noon)
        .expect_err("not twice");
}

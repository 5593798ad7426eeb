//! What meters have shown before the simulation begins.

use super::*;

#[test]
fn the_past_of_meters_leads_to_what_they_show_now() {
    let plan = Plan {
        metered: true,
        capacity_wh: 7_000.0,
        ..plan()
    };
    let until = DAY * 24 * HOUR + 11 * HOUR;
    let past = History::past_flows(&site(&plan, "8.2.4345"), until, 2);
    let mut now = History::new(site(&plan, "8.2.4345"), until);
    let shown = now.metered(until).expect("it has meters");
    let (first, last) = (past[0], past[past.len() - 1]);
    assert_eq!((first.at, last.at), (until - 48 * HOUR, until));
    assert!((last.imported_wh - shown.energy.imported).abs() < 0.001);
    assert!((last.consumed_wh - shown.energy.consumed).abs() < 0.001);
    for pair in past.windows(2) {
        assert!(pair[0].consumed_wh <= pair[1].consumed_wh);
        assert!(pair[0].exported_wh <= pair[1].exported_wh);
    }
    let used = last.consumed_wh - first.consumed_wh;
    assert!((10_000.0..50_000.0).contains(&used), "{used}");
    let none = Plan {
        metered: false,
        ..plan
    };
    assert!(History::past_flows(&site(&none, "8.2.4345"), until, 2).is_empty());
}

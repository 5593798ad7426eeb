//! While the gateway's clock is behind what it showed before.

use super::*;

#[test]
fn while_the_gateways_clock_is_hours_behind_the_site_goes_by_what_its_inverters_report_then() {
    let mut whole = Whole::new([counting("a", NOON, 1500), counting("b", NOON, 1400)], None);
    said(&mut whole, NOON + 30).expect("a site");
    assert!(!whole.is_behind());
    let back = NOON - 20 * 3600;
    let mut say = |report: Option<Inverter>, now: i64| {
        whole.clock(now);
        if let Some(report) = report {
            whole.take(report);
        }
        let site = whole.say(None, None, now);
        let site = site.map(|site| {
            let (today, ever) = (site.energy_today_wh, site.energy_lifetime_wh);
            let at = site.measured_at.unix_seconds() - back;
            let power_w = site.power_w.get();
            let energies = (today.map(Quantity::get), ever.map(Quantity::get));
            (at, power_w, site.inverters_total, energies)
        });
        (site, whole.is_behind())
    };
    assert_eq!(say(None, back), (None, false), "nothing is known yet");
    // What b has made stays made. Of which day it is, nobody knows.
    let a = counting("a", back + 60, 1510);
    let expected = (60, 20.0, 2, (None, Some(202_910.0)));
    assert_eq!(say(Some(a), back + 90), (Some(expected), true));
    let b = counting("b", back + 120, 1420);
    let expected = (120, 40.0, 2, (Some(2930.0), Some(202_930.0)));
    assert_eq!(say(Some(b), back + 150), (Some(expected), true));
    assert_eq!(say(None, back + 210), (None, true), "nothing is new");
    let past = counting("a", NOON + 60, 3000);
    let (site, is_behind) = say(Some(past), NOON + 90);
    assert_eq!(site.map(|(at, ..)| at), Some(20 * 3600 + 60));
    assert!(!is_behind);
}

#[test]
fn a_site_that_is_begun_anew_while_the_clock_is_behind_knows_what_its_topic_shows() {
    let mut whole = Whole::new([report("a", NOON, 200)], Some(time(NOON - 7200)));
    let shown = Whole::new([report("a", NOON, 200)], None).say(None, None, NOON);
    whole.go_on_from(&shown.expect("a site"));
    assert!(whole.is_behind());
    whole.take(report("a", NOON - 7000, 190));
    assert_eq!(
        said(&mut whole, NOON - 6990),
        Some((NOON - 7000, 190.0, 1, 1))
    );
}

#[test]
fn a_meter_that_fails_when_the_clock_was_set_back_is_waited_for_no_longer_than_otherwise() {
    let mut whole = Whole::new([report("a", NOON, 100)], None);
    whole.say(Some(&flow(NOON, 95)), None, NOON);
    let back = NOON - 20 * 3600;
    assert_eq!(said(&mut whole, back), None);
    whole.take(report("a", back + TOGETHER, 110));
    let expected = (back + TOGETHER, 110.0, 1, 1);
    assert_eq!(said(&mut whole, back + TOGETHER), Some(expected));
}

#[test]
fn while_the_gateways_clock_is_hours_behind_each_look_at_the_meter_is_said_once() {
    let mut whole = Whole::default();
    assert!(whole.say(Some(&flow(NOON, 1000)), None, NOON).is_some());
    let back = NOON - 20 * 3600;
    let at = |at: i64, whole: &mut Whole| {
        let said = whole.say(Some(&flow(at, 900)), None, at);
        said.map(|site| site.measured_at.unix_seconds())
    };
    assert_eq!(at(back, &mut whole), Some(back));
    assert_eq!(at(back, &mut whole), None, "nothing is new");
    assert_eq!(at(back + 60, &mut whole), Some(back + 60));
    assert_eq!(at(NOON + 60, &mut whole), Some(NOON + 60));
    let late = whole.say(Some(&flow(NOON, 900)), None, NOON + 120);
    assert_eq!(
        late, None,
        "what is older is no news when the clock is right"
    );
}

#[test]
fn after_a_clock_was_set_back_by_days_the_site_goes_by_what_comes_then() {
    let mut whole = Whole::new([report("a", NOON + 3 * 86_400, 80)], None);
    said(&mut whole, NOON + 3 * 86_400);
    assert_eq!(said(&mut whole, NOON), None, "nothing is known yet");
    whole.take(report("a", NOON + 60, 40));
    assert_eq!(said(&mut whole, NOON + 90), Some((NOON + 60, 40.0, 1, 1)));
}

#[test]
fn inverters_of_a_clock_that_was_set_back_are_there_all_the_same() {
    let later = NOON + 3 * 86_400;
    let mut whole = Whole::new([counting("a", later, 9), counting("b", later, 8)], None);
    let by_meter = |whole: &mut Whole, at| {
        let site = whole.say(Some(&flow(at, 95)), None, at).expect("a site");
        (site.inverters_reporting, site.inverters_total)
    };
    assert_eq!(by_meter(&mut whole, later), (2, 2));
    whole.clock(NOON);
    whole.take(counting("a", NOON - 60, 10));
    assert_eq!(by_meter(&mut whole, NOON), (1, 2));
    whole.take(counting("b", NOON + 60, 10));
    assert_eq!(by_meter(&mut whole, NOON + 90), (2, 2));
}

use super::*;

#[test]
fn an_old_envoy_shows_its_inverters_their_sum_and_why_there_is_no_more() {
    let poll = list(&[("b", 100, 200), ("a", 40, 150), ("dead", 90_000, 4)]);
    assert_eq!(
        page(&info("R3.9.36", None), &poll),
        "\
Envoy 122012345678, firmware R3.9.36, 3 inverters
Its clock shows 2025-05-30 03:50:49 (UTC).

inverter  state                               last report  power   peak
a         reporting                              03:50:09  150 W  300 W
b         reporting                              03:49:09  200 W  300 W
dead      silent since 2025-05-29 02:50  2025-05-29 02:50    4 W  300 W
together  2 of 3 report                                    350 W

Power is the average of the time before the last report, peak the highest one on record.

Silent: it has not reported for three of its intervals, while others do.

This Envoy tells no energy of single inverters; some of firmware 8 do.

The site
  production   350 W, the sum of 2 reports up to 03:50:09; this firmware has no meters
  consumption  not measured: this firmware has no meters
  grid         not measured: this firmware has no meters
  batteries    none: this firmware lists none
"
    );
}

/// Inverters that report each five minutes, one after the other; the last one has this age in seconds.
fn with_one_of_age(age: i64) -> Poll {
    let serials = ["a", "b", "c", "d", "e", "f", "g", "z"];
    let mut reports: Vec<_> = (0..)
        .zip(serials)
        .map(|(place, serial)| (serial, 10 + place * 40, 150))
        .collect();
    reports[7].1 = age;
    list(&reports)
}

#[test]
fn an_inverter_that_stopped_while_its_siblings_went_on_is_silent_since_then() {
    let page = page(&metered(), &with_one_of_age(1500));
    assert!(
        line(&page, "z").starts_with("silent since 03:25:49"),
        "{page}"
    );
    assert!(line(&page, "a").starts_with("reporting"), "{page}");
    assert!(line(&page, "together").contains("7 of 8 report"), "{page}");
    // Both sums are of the same inverters.
    assert!(line(&page, "together").ends_with(" 1050 W"), "{page}");
    assert!(
        line(&page, "production").starts_with("1050 W, the sum of 7"),
        "{page}"
    );
}

#[test]
fn the_interval_that_the_envoy_tells_decides_who_is_silent() {
    let mut poll = list(&[("a", 40, 150), ("b", 1500, 150)]);
    for (serial, age) in [("a", 40), ("b", 1500)] {
        let detail = Detail {
            reported_at: NOW - age,
            interval_s: Some(301.0),
            ..Detail::default()
        };
        poll.details.insert(serial.to_owned(), detail);
    }
    let told = page(&metered(), &poll);
    assert!(
        line(&told, "b").starts_with("silent since 03:25:49"),
        "{told}"
    );
    poll.details.clear();
    let untold = page(&metered(), &poll);
    assert!(line(&untold, "b").starts_with("reporting"), "{untold}");
}

#[test]
fn a_scraper_that_watches_the_envoy_knows_better_how_often_inverters_report() {
    let mut learned = Learned::default();
    for before in [1800, 900] {
        let at = NOW - before;
        let listed = crate::watch::listed(&list(&[("z", 1500 + before, 150)]).inverters);
        learned.condition.poll(&listed, 0, at, &Names::default());
    }
    let look = Look::new(metered(), with_one_of_age(1500), Some(NOW), &learned);
    let page = of(
        &look,
        &Names::default(),
        &Times::in_zone(look.now, TimeZone::UTC),
    );
    assert!(line(&page, "z").starts_with("reporting"), "{page}");
}

#[test]
fn at_night_all_are_asleep_and_in_full_sun_none_is() {
    let night = list(&[("a", 20_000, 1), ("b", 20_100, 0)]);
    let night = page(&metered(), &night);
    assert!(line(&night, "a").starts_with("asleep"), "{night}");
    let outage = list(&[("a", 20_000, 200), ("b", 20_100, 210)]);
    let outage = page(&metered(), &outage);
    assert!(
        line(&outage, "a").starts_with("no report since"),
        "{outage}"
    );
    assert!(outage.contains("the Envoy does not hear them"), "{outage}");
}

#[test]
fn an_inverter_that_its_owner_has_named_is_shown_with_its_name() {
    let poll = list(&[("a", 40, 150), ("b", 50, 150), ("c", 60, 150)]);
    let names = "[inverters]\na = \"Süd\"\nb = { name = \"Nord\", array = \"Barn\" }\n";
    let page = named(&metered(), &poll, names);
    assert!(
        line(&page, "a").starts_with("Süd         reporting"),
        "{page}"
    );
    assert!(
        line(&page, "b").starts_with("Nord, Barn  reporting"),
        "{page}"
    );
    assert!(line(&page, "c").starts_with("reporting"), "{page}");
}

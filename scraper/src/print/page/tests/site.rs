use super::*;

#[test]
fn a_metered_envoy_shows_energy_exchange_and_batteries() {
    let mut poll = list(&[("a", 40, 150)]);
    let detail = Detail {
        reported_at: NOW - 40,
        energy_today_wh: Some(1234.0),
        energy_lifetime_wh: Some(4_321_000.0),
        ..Detail::default()
    };
    poll.details.insert("a".to_owned(), detail);
    poll.production = Some(flow(151.4, Some(1300.0)));
    poll.consumption = Some(flow(651.0, None));
    poll.net = Some(net(-50.0));
    let page = page(&metered(), &poll);
    assert!(
        line(&page, "a").ends_with("150 W  300 W  1.2 kWh  4321.0 kWh"),
        "{page}"
    );
    for (name, value) in [
        (
            "production",
            "151 W by its meter, 1.3 kWh today, 5000.0 kWh counted so far",
        ),
        (
            "consumption",
            "651 W, 5000.0 kWh counted so far; today's is not told",
        ),
        ("grid", "50 W given to it, 2.0 kWh taken so far"),
        ("batteries", "none listed"),
    ] {
        assert_eq!(line(&page, name), value, "{page}");
    }
    assert!(
        page.contains("set it back"),
        "what was counted since when:\n{page}"
    );
}

#[test]
fn a_meter_that_never_counts_tells_no_energy() {
    let mut poll = list(&[("a", 40, 150)]);
    poll.production = Some(Flow {
        energy_lifetime_wh: Some(0.0),
        ..flow(151.4, None)
    });
    let never = page(&metered(), &poll);
    assert_eq!(
        line(&never, "production"),
        "151 W by its meter, and no energy is told",
        "{never}"
    );
}

#[test]
fn what_batteries_take_and_give_is_not_what_the_house_uses() {
    let of = |power_w: f64, net_w: f64| {
        let mut poll = list(&[("a", 40, 150)]);
        poll.production = Some(flow(100.0, None));
        poll.net = Some(net(net_w));
        poll.consumption = Some(flow(100.0 + net_w, None));
        poll.batteries = vec![battery(Some(power_w))];
        page(&metered(), &poll)
    };
    let charging = of(-420.0, 620.0);
    let used = "300 W used: 100 W made, 620 W from the grid, 420 W to batteries";
    assert_eq!(line(&charging, "house"), used, "{charging}");
    assert!(
        line(&charging, "consumption").starts_with("720 W"),
        "{charging}"
    );
    assert!(line(&charging, "battery").contains("63 % full, charging with 420 W"));
    let giving = of(402.0, -102.0);
    let used = "400 W used: 100 W made, 102 W to the grid, 402 W from batteries";
    assert_eq!(line(&giving, "house"), used, "{giving}");
    let consumption = line(&giving, "consumption");
    assert!(
        consumption.starts_with("nothing but what batteries give"),
        "{giving}"
    );
    assert!(!giving.contains("-2 W"), "{giving}");
}

#[test]
fn what_the_house_uses_is_not_said_where_a_battery_is_not_known_to_do_what_it_did() {
    let mut poll = list(&[("a", 40, 150)]);
    poll.production = Some(flow(100.0, None));
    poll.net = Some(net(620.0));
    poll.consumption = Some(flow(720.0, None));
    let old = Battery {
        measured_at: NOW - 3600,
        ..battery(Some(-420.0))
    };
    for battery in [battery(None), old] {
        poll.batteries = vec![battery];
        let page = page(&metered(), &poll);
        assert!(!page.contains("  house "), "{page}");
        assert!(line(&page, "consumption").starts_with("720 W"), "{page}");
        assert!(page.contains("and not what they give"), "{page}");
    }
    let page = page(&metered(), &poll);
    assert!(
        line(&page, "battery").ends_with("at 02:50:49, and nothing newer is known"),
        "{page}"
    );
}

#[test]
fn without_batteries_the_meters_tell_what_the_house_uses_and_nothing_below_zero() {
    let mut poll = list(&[("a", 40, 150)]);
    poll.production = Some(flow(100.0, None));
    poll.net = Some(net(-2.0));
    let computed = page(&metered(), &poll);
    assert_eq!(
        line(&computed, "house"),
        "98 W used: 100 W made, 2 W to the grid"
    );
    for (power_w, shown) in [(-2.0, "0 W"), (-300.0, "not known: its meters show -300 W")] {
        poll.consumption = Some(flow(power_w, None));
        let page = page(&metered(), &poll);
        assert!(line(&page, "consumption").starts_with(shown), "{page}");
        assert!(!page.contains("  house "), "{page}");
    }
}

#[test]
fn what_was_measured_at_another_moment_is_shown_with_that() {
    let mut poll = list(&[("a", 400, 150)]);
    poll.production = Some(Flow {
        measured_at: NOW - 300,
        ..flow(151.4, None)
    });
    let page = page(&metered(), &poll);
    assert!(
        line(&page, "production").starts_with("151 W by its meter (at 03:45:49), 5000.0 kWh"),
        "{page}"
    );
}

#[test]
fn what_is_not_counted_is_said_to_be_so() {
    let mut poll = list(&[("a", 40, 150)]);
    poll.production = Some(Flow {
        energy_lifetime_wh: None,
        ..flow(151.4, Some(1300.0))
    });
    poll.consumption = Some(Flow {
        energy_lifetime_wh: None,
        ..flow(651.0, None)
    });
    poll.net = Some(Net {
        energy_imported_wh: None,
        measured_at: NOW - 7,
        ..net(500.0)
    });
    poll.notes = vec![Note {
        endpoint: "/ivp/meters",
        failure: Failure::Missing,
        status: Some(404),
        message: String::new(),
    }];
    let page = page(&metered(), &poll);
    for (name, end) in [
        (
            "production",
            "1.3 kWh today; there is no sound counter of all before",
        ),
        ("consumption", "651 W, and no energy is told"),
        (
            "grid",
            "500 W taken from it; taken and given are not counted apart: this Envoy does not show its meters one by one",
        ),
    ] {
        assert!(line(&page, name).ends_with(end), "{name} of:\n{page}");
    }
    assert!(page.contains("those here within 7 s"), "{page}");
}

#[test]
fn meters_of_other_kinds_are_shown_and_a_generator_is_said_to_be_none_that_is_read() {
    let mut poll = list(&[("a", 40, 150)]);
    let meter = |kind: &str, phase| envoy::Meter {
        eid: 7,
        measured_at: NOW,
        kind: kind.to_owned(),
        phase,
        power_w: Some(1500.0),
        reactive_power_var: None,
        apparent_power_va: None,
        voltage_v: None,
        current_a: None,
        frequency_hz: None,
        power_factor: None,
        energy_delivered_wh: None,
        energy_received_wh: None,
    };
    poll.meters = vec![
        meter("production", None),
        meter("evse", None),
        meter("evse", Some("ph-a")),
    ];
    let new = page(&metered(), &poll);
    assert_eq!(line(&new, "meter"), "evse 7: 1500 W", "{new}");
    assert_eq!(new.matches("1500 W").count(), 1, "{new}");
    assert!(
        line(&new, "generator").starts_with("not read, if "),
        "{new}"
    );
    let old = page(&info("D5.0.62", Some(true)), &poll);
    assert!(!old.contains("generator"), "{old}");
}

#[test]
fn counters_that_a_scraper_saw_set_back_are_named() {
    let offset = |key: &str| {
        (
            key.to_owned(),
            wire::Quantity::new(1000.0).expect("in range"),
        )
    };
    let mut learned = Learned::default();
    learned.changes.offsets = ["site lifetime", "inverters/a lifetime", "inverters/b today"]
        .map(offset)
        .into();
    let look = Look::new(metered(), list(&[("a", 40, 150)]), Some(NOW), &learned);
    let page = of(
        &look,
        &Names::default(),
        &Times::in_zone(look.now, TimeZone::UTC),
    );
    assert!(
        page.contains("envoy-scraper watched: site, 1 inverter. What it"),
        "{page}"
    );
}

#[test]
fn an_envoy_with_meters_of_which_none_is_used_says_so() {
    let page = page(&metered(), &list(&[("a", 40, 150)]));
    let expected = "grid         not measured: no meter for it is installed and enabled\n";
    assert!(page.contains(expected), "{page}");
}

#[test]
fn what_could_not_be_read_is_named_with_why_as_an_owner_says_it() {
    let mut poll = list(&[("a", 40, 150)]);
    let note = |failure, status| Note {
        endpoint: "/production.json",
        failure,
        status,
        message: String::new(),
    };
    for (failure, status, why) in [
        (
            Failure::Broken,
            Some(503),
            "the Envoy is busy, as for some minutes after it was started (503)",
        ),
        (
            Failure::Broken,
            Some(502),
            "the part of the Envoy that knows it does not answer (502)",
        ),
        (
            Failure::Broken,
            Some(500),
            "the Envoy has a fault there (500)",
        ),
        (Failure::Slow, None, "no answer in time"),
        (Failure::Broken, None, "its answer could not be used"),
    ] {
        poll.notes = vec![note(failure, status)];
        let page = page(&metered(), &poll);
        let expected = format!("not read     /production.json: {why}\n");
        assert!(
            page.contains(&expected),
            "{expected} is missing in:\n{page}"
        );
    }
}

use serde_json::json;

use super::*;
use crate::endpoints::{inverters, production};

const NOW: i64 = 1_785_593_341;

fn info(firmware: &str) -> Info {
    Info {
        serial: "202312345678".to_owned(),
        firmware: firmware.parse().expect(firmware),
        part_number: None,
        time: None,
        web_tokens: true,
        metered: Some(true),
    }
}

fn inverters() -> Inverters {
    let list = json!([{"serialNumber": "482012345678", "lastReportDate": NOW - 300,
                       "lastReportWatts": 99, "maxReportWatts": 177}]);
    inverters::parse(list.to_string().as_bytes()).expect("a list")
}

fn meter(kind: &str, power_w: f64, delivered: f64, received: f64) -> Meter {
    Meter {
        eid: 704_643_328,
        measured_at: NOW,
        kind: kind.to_owned(),
        phase: None,
        power_w: Some(power_w),
        reactive_power_var: None,
        apparent_power_va: None,
        voltage_v: None,
        current_a: None,
        frequency_hz: None,
        power_factor: None,
        energy_delivered_wh: Some(delivered),
        energy_received_wh: Some(received),
    }
}

/// What `/production.json` says of consumption.
fn consumption(total: f64, net: f64) -> Production {
    let entry = |kind: &str, lifetime: f64| {
        json!({"type": "eim", "activeCount": 1, "measurementType": kind, "readingTime": NOW,
               "wNow": 400.0, "whLifetime": lifetime})
    };
    let body = json!({"production": [{"type": "inverters", "activeCount": 1, "readingTime": NOW - 300,
                                      "wNow": 99, "whLifetime": 174_174}],
                      "consumption": [entry("net-consumption", net), entry("total-consumption", total)]});
    production::parse(body.to_string().as_bytes()).expect("production")
}

fn chosen(firmware: &str, answers: Answers) -> Poll {
    choose(
        &info(firmware),
        inverters(),
        answers,
        &mut Counters::default(),
    )
}

#[test]
fn meters_go_before_what_is_slower() {
    let answers = Answers {
        meters: vec![
            meter("production", 700.0, 5000.0, 3.0),
            meter("net-consumption", -200.0, 800.0, 900.0),
        ],
        production: Some(consumption(7000.0, 6.0)),
        ..Answers::default()
    };
    let poll = chosen("D8.2.4345", answers);
    let production = poll.production.expect("a production meter");
    assert_eq!(
        (production.power_w, production.energy_lifetime_wh),
        (700.0, Some(5000.0))
    );
    let net = poll.net.expect("a meter at the grid");
    assert_eq!(
        (net.power_w, net.energy_imported_wh, net.energy_exported_wh),
        (-200.0, Some(800.0), Some(900.0))
    );
    assert_eq!(
        poll.consumption.and_then(|flow| flow.energy_lifetime_wh),
        Some(7000.0)
    );
    assert_eq!(poll.inverter_total, None);
}

#[test]
fn a_total_consumption_that_is_overwritten_with_the_net_one_is_not_used() {
    let with = |production| Answers {
        production: Some(production),
        ..Answers::default()
    };
    assert_eq!(
        chosen("D8.3.5433", with(consumption(6.0, 6.0))).consumption,
        None
    );
    assert!(
        chosen("D8.3.5433", with(consumption(9.0, 6.0)))
            .consumption
            .is_some()
    );
    let meters = || Answers {
        meters: vec![meter("total-consumption", 357.0, 5.0, 0.0)],
        ..Answers::default()
    };
    assert_eq!(chosen("D8.3.5433", meters()).consumption, None);
    assert!(chosen("D8.3.5289", meters()).consumption.is_some());
}

#[test]
fn the_sum_of_inverters_that_wraps_is_no_energy() {
    for (firmware, sound) in [
        ("D5.0.62", true),
        ("D7.0.88", false),
        ("D8.2.127", false),
        ("D8.2.4264", true),
    ] {
        let answers = Answers {
            production: Some(consumption(9.0, 6.0)),
            ..Answers::default()
        };
        let total = chosen(firmware, answers).inverter_total.expect("a sum");
        assert_eq!(total.energy_lifetime_wh.is_some(), sound, "{firmware}");
        assert_eq!((total.power_w, total.measured_at), (99.0, NOW - 300));
    }
}

#[test]
fn totals_of_zero_after_a_start_are_none() {
    let totals = |lifetime| Answers {
        totals: Some(Totals {
            power_w: 0.0,
            energy_today_wh: Some(0.0),
            energy_lifetime_wh: lifetime,
        }),
        ..Answers::default()
    };
    assert_eq!(chosen("D7.6.175", totals(0.0)).inverter_total, None);
    assert!(chosen("D7.6.175", totals(5.0)).inverter_total.is_some());
}

#[test]
fn a_meter_that_was_set_back_shows_power_and_no_energy() {
    let mut counters = Counters::default();
    let mut energy = |delivered| {
        let answers = Answers {
            meters: vec![meter("production", 700.0, delivered, 0.0)],
            ..Answers::default()
        };
        let poll = choose(&info("D8.2.4345"), inverters(), answers, &mut counters);
        assert_eq!(poll.production.map(|flow| flow.power_w), Some(700.0));
        poll.production.and_then(|flow| flow.energy_lifetime_wh)
    };
    assert_eq!(energy(5000.0), Some(5000.0));
    assert_eq!(energy(10.0), None);
    assert_eq!(energy(11.0), Some(11.0));
}

#[test]
fn the_detail_of_another_interval_is_not_that_of_the_report() {
    let detail = |reported_at| {
        let detail = Detail {
            reported_at,
            ..Detail::default()
        };
        let answers = Answers {
            details: BTreeMap::from([("482012345678".to_owned(), detail)]),
            ..Answers::default()
        };
        let poll = chosen("D8.3.5169", answers);
        poll.detail(&poll.inverters.reports[0]).is_some()
    };
    assert!(detail(NOW - 300));
    assert!(!detail(NOW - 1200));
}

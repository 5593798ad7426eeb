use serde_json::{Value, json};

use super::*;
use crate::endpoints::info::Info;
use crate::endpoints::{Asked, UPDATERS, inverters};
use crate::measured::readings::Kept;

const NOW: i64 = 1_785_593_341;

const DEVICE_DATA: &str = "/ivp/pdm/device_data";
const TOTALS: &str = "/api/v1/production";
const METERS: &str = "/ivp/meters";
const METER_READINGS: &str = "/ivp/meters/readings";
const PRODUCTION: &str = "/production.json";

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

/// What a gateway makes of these answers, by their paths, one after another as the table has them.
struct Gateway {
    info: Info,
    kept: Kept,
    counters: Counters,
}

impl Gateway {
    fn of(firmware: &str) -> Self {
        Self {
            info: info(firmware),
            kept: Kept::default(),
            counters: Counters::default(),
        }
    }

    fn poll(&mut self, answers: &[(&str, Value)]) -> Poll {
        let inverters = inverters();
        let mut readings = Readings::new(self.kept.clone());
        let asked = Asked {
            info: &self.info,
            inverters: &inverters,
        };
        for updater in UPDATERS {
            for (_, body) in answers.iter().filter(|(path, _)| *path == updater.path) {
                let body = body.to_string();
                (updater.update)(body.as_bytes(), &asked, &mut readings).expect("an answer");
            }
        }
        self.kept = readings.kept.clone();
        choose(inverters, readings, &mut self.counters)
    }
}

/// The meters of these kinds, and what they show: power, energy delivered and received.
fn meters(shown: &[(&str, f64, f64, f64)]) -> [(&'static str, Value); 2] {
    let list = (1..).zip(shown).map(|(eid, (kind, ..))| {
        json!({"eid": eid, "state": "enabled", "measurementType": kind, "phaseCount": 1,
               "meteringStatus": "normal"})
    });
    let readings = (1..)
        .zip(shown)
        .map(|(eid, (_, watts, delivered, received))| {
            json!({"eid": eid, "timestamp": NOW, "activePower": watts, "actEnergyDlvd": delivered,
               "actEnergyRcvd": received})
        });
    [
        (METERS, list.collect()),
        (METER_READINGS, readings.collect()),
    ]
}

/// What `/production.json` says where the inverters make 99 W.
fn production() -> Value {
    json!({"production": [{"type": "inverters", "activeCount": 1, "readingTime": NOW - 300,
                           "wNow": 99, "whLifetime": 174_174}]})
}

/// One of its meters.
fn counter(kind: &str, lifetime: f64, today: f64) -> Value {
    json!({"type": "eim", "activeCount": 1, "measurementType": kind, "readingTime": NOW,
           "wNow": 400.0, "whLifetime": lifetime, "whToday": today})
}

fn with_consumption(total: f64, net: f64) -> (&'static str, Value) {
    let mut answer = production();
    let entry = |kind, lifetime| counter(kind, lifetime, 0.5);
    answer["consumption"] = json!([
        entry("net-consumption", net),
        entry("total-consumption", total)
    ]);
    (PRODUCTION, answer)
}

fn totals(watts: i32, lifetime: i64) -> (&'static str, Value) {
    let totals = json!({"wattsNow": watts, "wattHoursToday": 0, "wattHoursLifetime": lifetime});
    (TOTALS, totals)
}

#[test]
fn meters_go_before_what_is_slower() {
    let [list, readings] = meters(&[
        ("production", 700.0, 5000.0, 3.0),
        ("net-consumption", -200.0, 800.0, 900.0),
    ]);
    let answers = [list, readings, with_consumption(7000.0, 6.0)];
    let poll = Gateway::of("D8.2.4345").poll(&answers);
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
    let used = |firmware, answers: &[_]| Gateway::of(firmware).poll(answers).consumption;
    assert_eq!(used("D8.3.5433", &[with_consumption(6.0, 6.0)]), None);
    assert!(used("D8.3.5433", &[with_consumption(9.0, 6.0)]).is_some());
    let meters = meters(&[("total-consumption", 357.0, 5.0, 0.0)]);
    assert_eq!(used("D8.3.5433", &meters), None);
    assert!(used("D8.3.5289", &meters).is_some());
}

#[test]
fn the_sum_of_inverters_that_wraps_is_no_energy() {
    for (firmware, sound) in [
        ("D5.0.62", true),
        ("D7.0.88", false),
        ("D8.2.127", false),
        ("D8.2.4264", true),
    ] {
        let poll = Gateway::of(firmware).poll(&[(PRODUCTION, production())]);
        let total = poll.inverter_total.expect("a sum");
        assert_eq!(total.energy_lifetime_wh.is_some(), sound, "{firmware}");
        assert_eq!((total.power_w, total.measured_at), (99.0, NOW - 300));
    }
}

#[test]
fn totals_of_zero_or_of_long_ago_give_way_to_the_next_sum() {
    let total = |answers: &[_]| {
        let total = Gateway::of("D8.3.5422").poll(answers).inverter_total;
        total.map(|total| (total.power_w, total.energy_lifetime_wh))
    };
    let json = || (PRODUCTION, production());
    // Nothing, as after a start; no power by day; that of a night.
    for dead in [totals(0, 0), totals(0, 1583), totals(4, 1583)] {
        assert_eq!(total(std::slice::from_ref(&dead)), None, "{dead:?}");
        assert_eq!(total(&[dead, json()]), Some((99.0, Some(174_174.0))));
    }
    let alive = totals(60, 1583);
    assert_eq!(total(&[alive, json()]), Some((60.0, Some(1583.0))));
}

#[test]
fn at_night_totals_without_power_are_what_they_are() {
    let mut inverters = inverters();
    inverters.reports[0].power_w = 3;
    let night = Flow {
        measured_at: NOW,
        power_w: 0.0,
        energy_today_wh: Some(4000.0),
        energy_lifetime_wh: Some(174_174.0),
    };
    assert!(is_of(&night, &inverters));
    inverters.reports[0].power_w = 30;
    assert!(!is_of(&night, &inverters));
    inverters.reports[0].device_type = Some(11);
    assert!(is_of(&night, &inverters), "a battery makes nothing");
}

#[test]
fn a_meter_that_was_set_back_shows_power_and_what_it_counts() {
    let mut gateway = Gateway::of("D8.2.4345");
    let mut energy = |delivered| {
        let poll = gateway.poll(&meters(&[("production", 700.0, delivered, 4.0)]));
        assert_eq!(poll.production.map(|flow| flow.power_w), Some(700.0));
        let counted = poll.production.and_then(|flow| flow.energy_lifetime_wh);
        (counted, poll.meters[0].energy_delivered_wh)
    };
    assert_eq!(energy(5000.0), (Some(5000.0), Some(5000.0)));
    assert_eq!(energy(0.0), (Some(0.0), None));
    assert_eq!(energy(0.0), (Some(0.0), Some(0.0)));
    assert_eq!(energy(11.0), (Some(11.0), Some(11.0)));
}

#[test]
fn what_went_through_the_meter_of_batteries_is_given_also_where_it_has_fallen() {
    let mut gateway = Gateway::of("D8.2.4345");
    let mut delivered = |delivered| {
        let poll = gateway.poll(&meters(&[("storage", 700.0, delivered, 4.0)]));
        poll.meters[0].energy_delivered_wh
    };
    assert_eq!(delivered(5000.0), Some(5000.0));
    assert_eq!(delivered(11.0), Some(11.0));
}

/// What was made today, of a meter: by `/production.json` where that was asked, in a first poll and a second.
fn today(first: f64, second: Value) -> [Option<f64>; 2] {
    let mut gateway = Gateway::of("D8.3.5433");
    let [list, readings] = meters(&[("production", 700.0, 5000.0, 0.0)]);
    let slow = json!({"production": [counter("production", 5000.0, first)]});
    let mut later = readings.clone();
    later.1[0]["timestamp"] = second;
    [
        gateway.poll(&[list, readings, (PRODUCTION, slow)]),
        gateway.poll(&[later]),
    ]
    .map(|poll| poll.production.and_then(|flow| flow.energy_today_wh))
}

#[test]
fn a_meter_counts_no_days_and_tells_what_was_counted_minutes_ago_but_not_hours() {
    assert_eq!(today(80.0, json!(NOW + 240)), [Some(80.0); 2]);
    assert_eq!(today(80.0, json!(NOW + 3600)), [Some(80.0), None]);
}

#[test]
fn a_whole_life_is_not_made_today_whoever_shows_the_power() {
    assert_eq!(today(5000.0, json!(NOW + 240)), [None; 2]);
}

#[test]
fn the_detail_of_another_interval_is_not_that_of_the_report() {
    let detail = |reported_at: i64| {
        let device = json!({"devName": "pcu", "sn": "482012345678",
                            "channels": [{"lastReading": {"endDate": reported_at}}]});
        let poll = Gateway::of("D8.3.5169").poll(&[(DEVICE_DATA, json!({"1": device}))]);
        poll.detail(&poll.inverters.reports[0]).is_some()
    };
    assert!(detail(NOW - 300));
    assert!(!detail(NOW - 1200));
}

use serde_json::json;
use wire::{BaseTopic, Topic};

use super::*;

const ENVOY: &str = "122012345678";

fn serial(text: &str) -> Serial {
    text.parse().expect("a serial")
}

/// A message with a reading: on which topic, and what.
fn message(envoy: &str, inverter: usize, device_type: u32) -> (String, String) {
    let payload = json!({"serial": format!("i{inverter}"), "envoy": envoy, "reported_at": "2026-11-23T09:15:00Z",
        "device_type": device_type, "power_w": 212, "peak_power_w": 296, "journal": "k3x9m2pq", "seq": inverter + 1});
    let topic = format!("envoy/{envoy}/inverters/i{inverter}");
    (topic, payload.to_string())
}

fn refused(census: &mut Census, (topic, payload): &(String, String)) -> Option<DeadLetter> {
    let base: BaseTopic = "envoy".parse().expect("a topic");
    let parsed = Topic::parse(&base, topic).expect("a topic");
    let reading = Reading::decode(&parsed, payload.as_bytes()).expect("a reading");
    census.refuses(&reading, topic, payload.as_bytes())
}

fn refuses(census: &mut Census, envoy: &str, inverter: usize, device_type: u32) -> bool {
    refused(census, &message(envoy, inverter, device_type)).is_some()
}

#[test]
fn invented_envoys_are_refused_and_known_ones_go_on() {
    let mut census = Census::new(3);
    census.know([&serial(ENVOY)]);
    for number in 0..100 {
        let invented = format!("e{number}");
        assert_eq!(refuses(&mut census, &invented, 1, 1), number >= 2);
        assert!(!refuses(&mut census, ENVOY, number, 1));
        assert!(!refuses(&mut census, "e1", 1, 1));
    }
    assert!(!census.admits(&serial("another")));
    assert_eq!((census.envoys.len(), census.no_envoy.messages), (3, 99));
    census.begin_anew();
    assert!(census.admits(&serial("another")));
}

#[test]
fn those_that_are_known_from_before_are_known_however_many() {
    let mut census = Census::new(1);
    census.know([&serial("a"), &serial("b"), &serial("a")]);
    assert!(census.admits(&serial("a")) && census.admits(&serial("b")));
    assert!(!census.admits(&serial("c")));
}

#[test]
fn invented_inverters_are_given_up_and_real_ones_go_on_also_those_of_another_envoy() {
    let mut census = Census::new(2);
    assert!(!refuses(&mut census, ENVOY, 0, 1));
    let refusals = (1..3 * MOST_SERIES)
        .filter(|number| refuses(&mut census, ENVOY, *number, 1))
        .count();
    // A few may have the number of another one.
    let wanted = 2 * MOST_SERIES;
    assert!((wanted - 8..=wanted).contains(&refusals), "{refusals}");
    assert_eq!(census.envoys[&serial(ENVOY)].len(), MOST_SERIES);
    assert!(!refuses(&mut census, ENVOY, 0, 1));
    assert!(!refuses(&mut census, "another", 0, 1));
}

#[test]
fn each_type_of_one_inverter_is_a_series() {
    let mut census = Census::new(1);
    let refusals = (0..5_000)
        .filter(|device_type| refuses(&mut census, ENVOY, 0, *device_type))
        .count();
    assert!(refusals > 800, "{refusals}");
}

#[test]
fn what_is_given_up_is_not_asked_for_again_and_what_has_no_room_is_once_it_has() {
    let mut census = Census::new(1);
    for number in 0..MOST_SERIES + 100 {
        refuses(&mut census, ENVOY, number, 1);
    }
    let beyond = message(ENVOY, MOST_SERIES + 7, 1);
    let letter = refused(&mut census, &beyond).expect("no room");
    assert!(letter.place().is_some());
    let of_another = message("another", 1, 1);
    let letter = refused(&mut census, &of_another).expect("no room");
    assert_eq!(letter.place(), None);
}

#[test]
fn health_takes_room_too() {
    let mut census = Census::new(1);
    let mut kept = 0;
    for round in 0..10 {
        let inverters = (0..1000).map(|one| {
            let one = round * 1000 + one;
            (
                format!("i{one}"),
                json!({"state": "silent", "fresh": false, "interval_s": null,
                "missed_reports": 0, "relative_output_pct": null, "name": null, "array": null}),
            )
        });
        let health = json!({"envoy": ENVOY, "changed_at": "2026-11-23T09:15:00Z", "reporting": 0, "asleep": 0,
            "silent": 1, "total": 1, "never_reported": 0, "inverters": inverters.collect::<serde_json::Map<_, _>>()});
        let mut health: Health = serde_json::from_value(health).expect("health");
        assert!(census.admit(&mut health));
        kept += health.inverters.len();
        health.envoy = serial("another");
        assert!(!census.admit(&mut health));
    }
    assert!((MOST_SERIES..MOST_SERIES + 8).contains(&kept), "{kept}");
}

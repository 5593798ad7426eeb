use std::collections::BTreeMap;
use std::time::Duration;

use super::*;

fn gateway(reachable: bool) -> GatewayState {
    GatewayState {
        envoy: "122012345678".parse().expect("a serial"),
        firmware: Some("D8.2.4345".to_owned()),
        part_number: None,
        address: Some("https://192.168.1.20".to_owned()),
        clock_skew_s: Some(0),
        token_expires_at: None,
        scraper_version: "0.1.0".to_owned(),
        last_poll_at: None,
        reports_overwritten: 0,
        reachable,
        problem: (!reachable).then(|| "it does not answer".to_owned()),
        stale: Vec::new(),
        not_of_today: Vec::new(),
    }
}

fn health(silent: u32) -> Health {
    Health {
        envoy: "122012345678".parse().expect("a serial"),
        changed_at: None,
        reporting: 1,
        asleep: 0,
        silent,
        total: 1 + silent,
        never_reported: 0,
        inverters: BTreeMap::new(),
    }
}

fn said(presence: &mut Presence, now: Instant) -> Vec<Said> {
    let mut said = Vec::new();
    while let Some(next) = presence.next(now) {
        presence.sent(&next);
        said.push(next);
    }
    said
}

const ONLINE: Said = Said::Status(Status::Online);
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn the_scraper_is_there_once_it_knows_whether_the_envoy_answers() {
    let now = Instant::now();
    let mut presence = Presence::new(now + PATIENCE);
    presence.begins_anew();
    assert_eq!(said(&mut presence, now), []);
    presence.gateway_is(gateway(false));
    let expected = [Said::Gateway(gateway(false)), ONLINE];
    assert_eq!(said(&mut presence, now), expected);
    // From now on the connection alone decides.
    presence.begins_anew();
    assert_eq!(said(&mut presence, now), expected);
}

#[test]
fn what_is_fresh_is_said_before_that_it_may_be_shown() {
    let now = Instant::now();
    let mut presence = Presence::new(now + PATIENCE);
    presence.begins_anew();
    presence.answered(gateway(true), health(1), None);
    let expected = [
        Said::Health(health(1)),
        Said::Gateway(gateway(true)),
        ONLINE,
    ];
    assert_eq!(said(&mut presence, now), expected);
    assert_eq!(said(&mut presence, now), []);
}

#[test]
fn the_gateway_is_said_at_each_poll_and_the_health_when_it_changes() {
    let now = Instant::now();
    let mut presence = Presence::new(now + PATIENCE);
    presence.begins_anew();
    presence.answered(gateway(true), health(0), None);
    said(&mut presence, now);
    presence.answered(gateway(true), health(0), None);
    assert_eq!(said(&mut presence, now), [Said::Gateway(gateway(true))]);
    presence.say_again();
    let both = [Said::Health(health(0)), Said::Gateway(gateway(true))];
    assert_eq!(said(&mut presence, now), both);
}

#[test]
fn a_first_poll_that_does_not_end_is_not_waited_for_for_ever() {
    let now = Instant::now();
    let mut presence = Presence::new(now + PATIENCE);
    presence.begins_anew();
    assert_eq!(presence.due(), Some(now + PATIENCE));
    assert_eq!(said(&mut presence, now + PATIENCE), [ONLINE]);
    assert_eq!(presence.due(), None);
}

/// What the broker retains of a gateway that answered.
fn with_a_past(waits_until: Instant) -> Presence {
    let mut presence = Presence::new(waits_until);
    presence.begins_anew();
    let base = "envoy".parse().expect("a base");
    let retained = GatewayState {
        last_poll_at: Some("2026-06-20T12:00:00Z".parse().expect("a time")),
        reports_overwritten: 7,
        ..gateway(true)
    };
    presence.heard(
        &base,
        "envoy/122012345678/gateway",
        retained.encode().as_bytes(),
    );
    presence
}

#[test]
fn a_gateway_that_is_away_at_the_start_is_what_it_was_and_answered_when_it_did() {
    let now = Instant::now();
    let mut presence = with_a_past(now + PATIENCE);
    assert_eq!(said(&mut presence, now), []);
    presence.gateway_is(GatewayState {
        firmware: None,
        address: None,
        ..gateway(false)
    });
    let expected = GatewayState {
        last_poll_at: Some("2026-06-20T12:00:00Z".parse().expect("a time")),
        ..gateway(false)
    };
    assert_eq!(said(&mut presence, now), [Said::Gateway(expected), ONLINE]);
}

#[test]
fn what_was_retained_of_the_gateway_is_not_current_while_the_first_poll_takes_long() {
    let now = Instant::now();
    let mut presence = with_a_past(now + PATIENCE);
    let said = said(&mut presence, now + PATIENCE);
    let [Said::Gateway(gateway), Said::Status(Status::Online)] = &said[..] else {
        panic!("{said:?}");
    };
    assert!(
        !gateway.reachable && gateway.problem.is_some(),
        "{gateway:?}"
    );
    assert!(gateway.last_poll_at.is_some(), "{gateway:?}");
}

/// 2026-06-20T12:00:00Z.
const NOON: i64 = 1_781_956_800;

/// When it was changed that `silent` are silent, in seconds after noon by the gateway's clock.
fn changed_at(said: &[Said], silent: u32) -> i64 {
    let mut found = said.iter().filter_map(|said| match said {
        Said::Health(health) if health.silent == silent => health.changed_at,
        _ => None,
    });
    let at = found.next().expect("the health, with a time");
    at.unix_seconds() - NOON
}

#[test]
fn the_health_goes_on_from_what_is_retained_though_the_gateways_clock_was_put_back() {
    let base = "envoy".parse().expect("a base");
    let retained = Health {
        changed_at: ReportTime::from_unix_seconds(NOON).ok(),
        ..health(1)
    };
    for (what, silent, clock, expected) in [
        ("nothing changed", 1, 600, 0),
        ("nothing changed, an hour back", 1, -3600, 0),
        ("changed, an hour back", 2, -3600, 1),
        ("changed later", 2, 600, 600),
        ("two days back, anew", 2, -172_800, -172_800),
    ] {
        for envoy_first in [false, true] {
            let now = Instant::now();
            let mut presence = Presence::new(now + PATIENCE);
            presence.begins_anew();
            let hear = |presence: &mut Presence| {
                let payload = retained.encode();
                presence.heard(&base, "envoy/122012345678/health", payload.as_bytes());
            };
            let answer = |presence: &mut Presence| {
                presence.answered(gateway(true), health(silent), Some(NOON + clock));
            };
            if envoy_first {
                answer(&mut presence);
                hear(&mut presence);
            } else {
                hear(&mut presence);
                answer(&mut presence);
            }
            let said = said(&mut presence, now);
            assert_eq!(
                changed_at(&said, silent),
                expected,
                "{what}, the Envoy first: {envoy_first}"
            );
        }
    }
}

#[test]
fn a_broker_that_was_rolled_back_does_not_take_the_health_back() {
    let base = "envoy".parse().expect("a base");
    let now = Instant::now();
    let mut presence = Presence::new(now + PATIENCE);
    presence.begins_anew();
    for (silent, at) in [(0, NOON), (1, NOON + 600), (0, NOON + 1200)] {
        presence.answered(gateway(true), health(silent), Some(at));
        said(&mut presence, now);
    }
    let old = Health {
        changed_at: ReportTime::from_unix_seconds(NOON).ok(),
        ..health(0)
    };
    presence.heard(&base, "envoy/122012345678/health", old.encode().as_bytes());
    presence.begins_anew();
    assert_eq!(changed_at(&said(&mut presence, now), 0), 1200);
}

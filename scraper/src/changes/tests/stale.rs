//! What is not current, however often the gateway says it.

use super::*;

fn stale(changes: &Changes, now: i64) -> Vec<String> {
    let stale = changes.stale(Some(now));
    stale.iter().map(Subject::to_string).collect()
}

#[test]
fn what_was_measured_a_while_ago_and_can_not_be_had_now_is_stale() {
    let measured = |at| Poll {
        consumption: Some(Flow {
            measured_at: at,
            power_w: 500.0,
            energy_today_wh: None,
            energy_lifetime_wh: None,
        }),
        ..answer(&[report("a", at, 1)])
    };
    let mut changes = Changes::new();
    changes.take(&measured(NOW), Some(NOW));
    // Read again, and so it is, though it stays as it was.
    changes.take(&measured(NOW + 600), Some(NOW + 600));
    let mut later = NOW + 600;
    for _ in 0..14 {
        later += 60;
        changes.take(&answer(&[report("a", later, 1)]), Some(later));
        assert_eq!(stale(&changes, later), [""; 0]);
    }
    assert_eq!(stale(&changes, later + 60), ["consumption"]);
    // Nor does anybody know it after a start, until it is read.
    let mut changes = Changes::after(changes.last, Vec::new());
    assert_eq!(stale(&changes, NOW + 600), ["consumption"]);
    changes.take(&measured(later), Some(later));
    assert_eq!(stale(&changes, later), [""; 0]);
}

fn battery(measured_at: i64) -> envoy::Battery {
    envoy::Battery {
        serial: "acb".to_owned(),
        measured_at,
        kind: "acb",
        state_of_charge_pct: Some(25.0),
        power_w: Some(260.0),
        energy_capacity_wh: None,
        temperature_c: None,
        state: Some("discharging".to_owned()),
    }
}

#[test]
fn a_value_that_the_gateway_repeats_though_it_is_old_is_stale() {
    let mut changes = Changes::new();
    let polled = |at: i64, measured_at: i64| Poll {
        batteries: vec![battery(measured_at)],
        ..answer(&[report("a", at, 1)])
    };
    let judged = changes.take(&polled(NOW, NOW - 41 * 3600), Some(NOW));
    assert_eq!(subjects(&judged), ["inverters/a", "site", "batteries/acb"]);
    assert_eq!(stale(&changes, NOW), ["batteries/acb"]);
    // It has its link again, and loses it: its time stands still.
    let last = NOW + 60;
    for (now, expected) in [(60, 0), (60 + 899, 0), (60 + 900, 1), (60 + 3600, 1)] {
        changes.take(&polled(NOW + now, last), Some(NOW + now));
        assert_eq!(stale(&changes, NOW + now).len(), expected, "after {now} s");
    }
}

#[test]
fn a_value_that_is_refused_makes_nothing_current_and_costs_no_energy() {
    let mut changes = Changes::new();
    let mut take = |now: i64, measured_at: i64, lifetime: f64| {
        let poll = Poll {
            consumption: Some(Flow {
                energy_lifetime_wh: Some(lifetime),
                ..flow(measured_at, 300.0)
            }),
            ..Poll::default()
        };
        let judged = changes.take(&poll, Some(now));
        let said = judged.new.iter().find_map(|measured| match measured {
            Measured::Consumption(flow) => flow.energy_lifetime_wh.map(Quantity::get),
            _ => None,
        });
        (said, judged.refused.len(), stale(&changes, now))
    };
    assert_eq!(take(NOW, NOW, 5000.0), (Some(5000.0), 0, vec![]));
    let ahead = NOW + 2 * 86_400;
    let refused = take(NOW + 1800, ahead, 5100.0);
    assert_eq!(refused, (None, 1, vec!["consumption".to_owned()]));
    let sound = take(NOW + 3600, NOW + 3600, 5400.0);
    assert_eq!(sound, (Some(5400.0), 0, vec![]));
}

#[test]
fn topics_that_stand_still_while_the_clock_is_behind_are_stale_over_a_restart_too() {
    let measured = |at: i64| Poll {
        consumption: Some(flow(at, 500.0)),
        ..answer(&[report("a", at, 1)])
    };
    let mut changes = Changes::new();
    let shown = changes.take(&measured(NOW), Some(NOW)).new;
    let back = NOW - 20 * 3600;
    changes.take(&measured(back), Some(back));
    let both = ["consumption", "site"];
    let mut found = stale(&changes, back);
    found.sort_unstable();
    assert_eq!(found, both);
    assert_eq!(changes.unread(Some(back)), []);
    let newest = shown.into_iter().zip(1..).map(|(measured, seq)| {
        let (envoy, journal) = ("122012345678".parse(), "k3x9m2pq".parse());
        measured.numbered(envoy.expect("a serial"), journal.expect("an id"), seq)
    });
    let mut changes = Changes::after(changes.last, newest.collect());
    changes.take(&measured(back + 600), Some(back + 600));
    let mut found = stale(&changes, back + 600);
    found.sort_unstable();
    assert_eq!(found, both);
    changes.take(&measured(NOW + 60), Some(NOW + 60));
    assert_eq!(stale(&changes, NOW + 60), [""; 0]);
    // By over a day its topics begin anew.
    let back = NOW - 2 * 86_400;
    changes.take(&measured(back), Some(back));
    assert_eq!(stale(&changes, back), [""; 0]);
}

#[test]
fn of_a_meter_that_is_dated_into_the_future_the_site_takes_nothing() {
    let mut changes = Changes::new();
    let poll = Poll {
        production: Some(flow(NOW + 2 * 86_400, 160.0)),
        ..answer(&[report("a", NOW, 100)])
    };
    let judged = changes.take(&poll, Some(NOW));
    assert_eq!(subjects(&judged), ["inverters/a", "site"]);
    assert_eq!(judged.refused.len(), 1, "{:?}", judged.refused);
}

use super::*;

const ENVOY: &str = "202400000001";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn report(inverter: &str, reported_at: i64) -> Report {
    Report {
        envoy: ENVOY.to_owned(),
        inverter: inverter.to_owned(),
        reported_at,
        device_type: Some(1),
        power_w: 100,
        peak_power_w: 200,
    }
}

fn shown(inverter: &str, reported_at: i64, at_second: i64) -> Shown {
    Shown {
        report: report(inverter, reported_at),
        at: at(at_second),
    }
}

fn written(inverter: &str, reported_at: i64, at_second: i64) -> Written {
    let tags = format!("envoySerial={ENVOY},serial={inverter},type=1");
    Written {
        line: format!("inverterPower,{tags} power=100i,maxPower=200i {reported_at}"),
        at: at(at_second),
    }
}

/// Three readings, shown at 10, 20 and 30, of which the first two were stored three seconds later.
fn three() -> Accounts {
    let mut accounts = Accounts::default();
    accounts.shown([shown("a", 1, 10), shown("a", 2, 20), shown("b", 3, 30)]);
    accounts.written(vec![written("a", 1, 13), written("a", 2, 23)], true);
    accounts
}

#[test]
fn a_reading_is_at_stake_from_the_answer_until_it_is_stored() {
    let accounts = three();
    let at_stake = |from, until| accounts.at_stake(at(from), at(until), None);
    assert_eq!(at_stake(5, 9), 0, "before it was shown");
    assert_eq!(at_stake(11, 12), 1);
    assert_eq!(at_stake(14, 19), 0, "after it was stored");
    assert_eq!(at_stake(14, 100), 2);
    assert_eq!(at_stake(100, 200), 1, "one never was");
    assert_eq!(accounts.at_stake(at(0), at(100), Some("another")), 0);
}

#[test]
fn what_is_not_in_the_database_is_lost_but_for_what_only_a_lost_journal_had() {
    let mut accounts = three();
    let stored = [report("a", 1), report("a", 2)];
    let comparison = accounts.compare(&stored);
    assert_eq!(comparison.lost, BTreeSet::from([key(&report("b", 3))]));
    assert_eq!(accounts.missing(), [key(&report("b", 3))]);

    accounts.journal_is_gone(ENVOY, at(40), |_| false);
    assert_eq!(
        accounts.compare(&stored).lost.len(),
        1,
        "the Envoy still shows it"
    );

    accounts.shown([shown("b", 4, 39)]);
    accounts.journal_is_gone(ENVOY, at(40), |key| key.2 == 3);
    assert_eq!(
        accounts.compare(&stored).lost.len(),
        2,
        "the broker has the other one"
    );

    accounts.journal_is_gone(ENVOY, at(40), |_| false);
    let stored = [report("a", 1), report("a", 2), report("b", 4)];
    let comparison = accounts.compare(&stored);
    assert!(comparison.lost.is_empty());
    assert_eq!(comparison.lost_with_journal, 1);
    assert_eq!(accounts.missing(), [key(&report("b", 4))]);
    assert_eq!(
        accounts.at_stake(at(41), at(50), None),
        1,
        "no more than that one"
    );
    assert_eq!(
        accounts.compare(&stored[..1]).lost.len(),
        2,
        "those were stored"
    );
}

#[test]
fn other_values_are_altered_and_what_nobody_showed_is_strange() {
    let accounts = three();
    let other = Report {
        power_w: 101,
        ..report("a", 1)
    };
    let stored = [other, report("a", 2), report("b", 3), report("b", 4)];
    let comparison = accounts.compare(&stored);
    assert_eq!(comparison.altered, BTreeSet::from([key(&report("a", 1))]));
    assert_eq!(comparison.strange, 1);
    assert!(comparison.lost.is_empty());

    let without_a_type = Report {
        device_type: None,
        ..report("b", 3)
    };
    let twice = [
        report("a", 1),
        report("a", 2),
        without_a_type,
        report("b", 3),
    ];
    let comparison = accounts.compare(&twice);
    assert_eq!((comparison.strange, comparison.altered.len()), (1, 1));
}

#[test]
fn a_wrong_value_is_seen_at_the_tap_and_a_write_waits_for_the_ledger() {
    let mut accounts = three();
    let early = written("b", 4, 39);
    accounts.written(vec![early], true);
    assert_eq!(accounts.compare(&[]).strange, 1);
    accounts.shown([shown("b", 4, 38)]);
    accounts.written(Vec::new(), true);
    assert_eq!(accounts.compare(&[]).strange, 0);

    let mut wrong = written("b", 3, 40);
    wrong.line = wrong.line.replace("power=100i", "power=1i");
    accounts.written(vec![wrong, written("b", 3, 41)], true);
    let stored = [
        report("a", 1),
        report("a", 2),
        report("b", 3),
        report("b", 4),
    ];
    assert_eq!(accounts.compare(&stored).altered.len(), 1);
}

#[test]
fn a_write_more_for_each_removed_state_does_not_count() {
    let mut accounts = three();
    accounts.written(vec![written("a", 1, 40)], true);
    assert!((accounts.writes_per_reading() - 1.5).abs() < 1e-9);
    accounts.state_was_removed(at(35));
    assert!((accounts.writes_per_reading() - 1.0).abs() < 1e-9);
    accounts.written(vec![written("a", 2, 41)], false);
    assert!((accounts.writes_per_reading() - 1.0).abs() < 1e-9);
}

#[test]
fn a_plain_topic_has_to_show_the_newest_since_a_time_and_what_is_on_show() {
    let mut accounts = three();
    // Shown after its clock was set back.
    accounts.shown([shown("a", 0, 50)]);
    let topic = |inverter| format!("envoy/{ENVOY}/inverters/{inverter}");
    let all = accounts.least_on_plain_topics(ENVOY, at(0));
    assert_eq!(all, BTreeMap::from([(topic("a"), 2), (topic("b"), 3)]));
    let since = accounts.least_on_plain_topics(ENVOY, at(45));
    assert_eq!(since, BTreeMap::from([(topic("a"), 0), (topic("b"), 3)]));
}

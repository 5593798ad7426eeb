use super::*;

const T: i64 = 1_700_000_000;

fn reading(seq: u64, serial: &str, reported_at: i64) -> Reading {
    Reading {
        serial: serial.parse().expect("a serial"),
        envoy: "e".parse().expect("a serial"),
        reported_at: time(reported_at),
        device_type: Some(1),
        power_w: 1,
        peak_power_w: 2,
        journal: "j".parse().expect("an id"),
        seq,
    }
}

fn time(seconds: i64) -> ReportTime {
    ReportTime::from_unix_seconds(seconds).expect("a report time")
}

fn held(pairs: &[(&str, i64)]) -> HashMap<Serial, ReportTime> {
    pairs
        .iter()
        .map(|(serial, seconds)| (serial.parse().expect("a serial"), time(*seconds)))
        .collect()
}

/// Number and kind of each message, in the order in which they are sent.
fn sent(outbox: &mut Outbox) -> Vec<(u64, &'static str)> {
    std::iter::from_fn(|| {
        let outgoing = outbox.next_unsent()?;
        outbox.sent(&outgoing);
        Some(outgoing)
    })
    .map(|outgoing| match outgoing.topic() {
        Topic::Inverter { .. } => (outgoing.reading.seq, "plain"),
        Topic::Backlog { .. } => (outgoing.reading.seq, "backlog"),
        other => panic!("a reading on {other:?}"),
    })
    .collect()
}

/// The broker has acknowledged these, and what was announced after them has come back.
fn arrived(outbox: &mut Outbox, numbers: &[u64]) {
    for seq in numbers {
        outbox.acknowledged(*seq);
    }
    outbox.announced();
    outbox.proven();
}

#[test]
fn what_could_not_be_sent_is_next_again() {
    let mut outbox = Outbox::new();
    outbox.connected(HashMap::new());
    outbox.add(reading(1, "a", T));
    assert_eq!(outbox.next_unsent(), outbox.next_unsent());
    assert_eq!(sent(&mut outbox), [(1, "plain")]);
}

#[test]
fn a_new_reading_goes_to_its_plain_topic_once() {
    let mut outbox = Outbox::new();
    outbox.connected(HashMap::new());
    outbox.add(reading(1, "a", T));
    assert_eq!(sent(&mut outbox), [(1, "plain")]);
    assert_eq!(sent(&mut outbox), []);
    assert_eq!(outbox.waiting(), 1);
    outbox.acknowledged(1);
    assert_eq!(outbox.waiting(), 0);
}

#[test]
fn after_an_outage_only_the_newest_is_shown_and_the_rest_is_backlog() {
    let mut outbox = Outbox::new();
    for seq in 1..=3 {
        outbox.add(reading(
            seq,
            "a",
            T + 300 * i64::try_from(seq).expect("small"),
        ));
    }
    outbox.connected(held(&[("a", T)]));
    assert_eq!(
        sent(&mut outbox),
        [(1, "backlog"), (2, "backlog"), (3, "plain")]
    );
}

#[test]
fn what_was_on_its_way_when_the_connection_ended_is_sent_again() {
    let mut outbox = Outbox::new();
    outbox.connected(HashMap::new());
    outbox.add(reading(1, "a", T));
    outbox.add(reading(2, "b", T));
    assert_eq!(sent(&mut outbox).len(), 2);
    arrived(&mut outbox, &[2]);
    // The broker took the first one, too; only its acknowledgement was lost.
    outbox.connected(held(&[("a", T), ("b", T)]));
    assert_eq!(sent(&mut outbox), [(1, "backlog")]);
}

#[test]
fn a_broker_that_lost_its_retained_messages_gets_the_newest_ones_back() {
    let mut outbox = Outbox::new();
    outbox.connected(HashMap::new());
    outbox.add(reading(1, "a", T));
    outbox.add(reading(2, "b", T));
    sent(&mut outbox);
    arrived(&mut outbox, &[1, 2]);
    outbox.connected(held(&[("b", T)]));
    assert_eq!(sent(&mut outbox), [(1, "plain")]);
}

#[test]
fn what_was_acknowledged_and_not_proven_is_sent_again() {
    let mut outbox = Outbox::new();
    outbox.connected(HashMap::new());
    outbox.add(reading(1, "a", T));
    outbox.add(reading(2, "b", T));
    sent(&mut outbox);
    arrived(&mut outbox, &[1, 2]);

    // From here on the broker acknowledges and drops.
    outbox.add(reading(3, "a", T + 300));
    sent(&mut outbox);
    outbox.acknowledged(3);
    outbox.announced();
    outbox.add(reading(4, "a", T + 600));
    sent(&mut outbox);
    outbox.acknowledged(4);
    assert_eq!((outbox.waiting(), outbox.first_waiting()), (0, None));

    outbox.connected(held(&[("a", T), ("b", T)]));
    assert_eq!((outbox.waiting(), outbox.first_waiting()), (2, Some(3)));
    assert_eq!(sent(&mut outbox), [(3, "backlog"), (4, "plain")]);
}

#[test]
fn an_echo_proves_only_what_was_acknowledged_before_its_announcement() {
    let mut outbox = Outbox::new();
    outbox.connected(HashMap::new());
    outbox.add(reading(1, "a", T));
    sent(&mut outbox);
    outbox.acknowledged(1);
    outbox.announced();
    outbox.add(reading(2, "b", T));
    sent(&mut outbox);
    outbox.acknowledged(2);
    outbox.proven();
    outbox.connected(held(&[("a", T)]));
    assert_eq!(sent(&mut outbox), [(2, "plain")]);
}

#[test]
fn a_plain_topic_never_steps_back_in_time() {
    let mut outbox = Outbox::new();
    outbox.connected(held(&[("a", T)]));
    outbox.add(reading(1, "a", T));
    outbox.add(reading(2, "a", T - 3600));
    outbox.add(reading(3, "a", T + 1));
    assert_eq!(
        sent(&mut outbox),
        [(1, "backlog"), (2, "backlog"), (3, "plain")]
    );
    outbox.add(reading(4, "a", T - 3600));
    assert_eq!(sent(&mut outbox), [(4, "backlog")]);
}

#[test]
fn a_full_outbox_gives_up_the_oldest_reading_and_says_which() {
    let mut outbox = Outbox::new();
    let capacity = u64::try_from(CAPACITY).expect("small");
    for seq in 1..=capacity {
        assert_eq!(outbox.add(reading(seq, "a", T)), None);
    }
    let lost = outbox.add(reading(capacity + 1, "a", T));
    assert_eq!(lost.map(|reading| reading.seq), Some(1));
    assert_eq!(outbox.waiting(), CAPACITY);
    // Its acknowledgement may still be on the way.
    outbox.acknowledged(1);
    assert_eq!(outbox.waiting(), CAPACITY);
}

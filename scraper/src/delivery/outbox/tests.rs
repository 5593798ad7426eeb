use super::*;

const T: i64 = 1_700_000_000;

fn reading(seq: u64, serial: &str, reported_at: i64) -> Reading {
    Reading {
        envoy: "e".parse().expect("a serial"),
        measured: wire::Inverter {
            serial: serial.parse().expect("a serial"),
            reported_at: time(reported_at),
            device_type: Some(1),
            power_w: 1,
            peak_power_w: 2,
            detail: None,
        }
        .into(),
        journal: journal(),
        seq,
    }
}

fn journal() -> JournalId {
    "j".parse().expect("an id")
}

fn time(seconds: i64) -> ReportTime {
    ReportTime::from_unix_seconds(seconds).expect("a report time")
}

fn held(pairs: &[(&str, i64)]) -> HashMap<wire::Subject, ReportTime> {
    pairs
        .iter()
        .map(|(serial, seconds)| {
            (
                wire::Subject::Inverter(serial.parse().expect("a serial")),
                time(*seconds),
            )
        })
        .collect()
}

fn span(first: u64, last: u64) -> JournalSpan {
    JournalSpan::new(journal(), first, last).expect("a span")
}

/// Of a journal that holds nothing, with plain topics open.
fn empty() -> Outbox {
    let mut outbox = Outbox::new(Vec::new());
    outbox.open();
    outbox
}

/// Every journal can be read.
fn any(_: &JournalId) -> bool {
    true
}

/// Number and kind of each message, in the order in which they are sent.
fn sent(outbox: &mut Outbox) -> Vec<(u64, &'static str)> {
    std::iter::from_fn(|| {
        let next = outbox.next(any)?;
        outbox.sent(&next);
        Some(match next {
            Next::Plain(reading) => (reading.seq, "plain"),
            Next::Late(_, seq) => (seq, "backlog"),
        })
    })
    .collect()
}

fn acknowledged(outbox: &mut Outbox, numbers: &[u64]) {
    for seq in numbers {
        outbox.acknowledged(&journal(), *seq);
    }
}

/// The broker has acknowledged these, and what was announced after them has come back.
fn arrived(outbox: &mut Outbox, numbers: &[u64]) {
    acknowledged(outbox, numbers);
    outbox.announced();
    outbox.proven();
}

#[test]
fn what_could_not_be_sent_is_next_again() {
    let mut outbox = empty();
    outbox.connected(HashMap::new());
    outbox.add(&reading(1, "a", T));
    assert_eq!(outbox.next(any), outbox.next(any));
    assert_eq!(sent(&mut outbox), [(1, "plain")]);
}

#[test]
fn a_new_reading_goes_to_its_plain_topic_once() {
    let mut outbox = empty();
    outbox.connected(HashMap::new());
    outbox.add(&reading(1, "a", T));
    assert_eq!(sent(&mut outbox), [(1, "plain")]);
    assert_eq!(sent(&mut outbox), []);
    assert_eq!(outbox.waiting(), 1);
    acknowledged(&mut outbox, &[1]);
    assert_eq!(outbox.waiting(), 0);
}

#[test]
fn after_an_outage_the_newest_is_shown_at_once_and_the_rest_is_backlog() {
    let mut outbox = empty();
    for (seq, reported_at) in [(1, T + 300), (2, T + 600), (3, T + 900)] {
        outbox.add(&reading(seq, "a", reported_at));
    }
    outbox.connected(held(&[("a", T)]));
    assert_eq!(
        sent(&mut outbox),
        [(3, "plain"), (1, "backlog"), (2, "backlog")]
    );
}

#[test]
fn a_new_reading_does_not_wait_behind_a_backlog() {
    let mut outbox = empty();
    for seq in 1..=1000 {
        outbox.add(&reading(seq, "a", T + i64::try_from(seq).expect("small")));
    }
    outbox.connected(HashMap::new());
    for _ in 0..10 {
        let next = outbox.next(any).expect("many wait");
        outbox.sent(&next);
    }
    outbox.add(&reading(1001, "b", T));
    let next = outbox.next(any).expect("many wait");
    assert_eq!(next, Next::Plain(reading(1001, "b", T)));
}

#[test]
fn after_a_start_plain_topics_wait_until_the_envoy_has_answered_and_late_readings_do_not() {
    let mut outbox = Outbox::new(vec![reading(7, "a", T)]);
    outbox.has_yet_to_send(&journal(), 6..=7);
    outbox.connected(HashMap::new());
    assert_eq!(sent(&mut outbox), [(6, "backlog")]);
    outbox.add(&reading(8, "a", T + 300));
    outbox.open();
    assert_eq!(sent(&mut outbox), [(8, "plain"), (7, "backlog")]);
}

#[test]
fn what_was_on_its_way_when_the_connection_ended_is_sent_again() {
    let mut outbox = empty();
    outbox.connected(HashMap::new());
    outbox.add(&reading(1, "a", T));
    outbox.add(&reading(2, "b", T));
    assert_eq!(sent(&mut outbox).len(), 2);
    arrived(&mut outbox, &[2]);
    // The broker took the first one, too; only its acknowledgement was lost.
    outbox.connected(held(&[("a", T), ("b", T)]));
    assert_eq!(sent(&mut outbox), [(1, "backlog")]);
}

#[test]
fn a_broker_that_lost_its_retained_messages_gets_the_newest_ones_back() {
    let mut outbox = empty();
    outbox.connected(HashMap::new());
    outbox.add(&reading(1, "a", T));
    outbox.add(&reading(2, "b", T));
    sent(&mut outbox);
    arrived(&mut outbox, &[1, 2]);
    outbox.connected(held(&[("b", T)]));
    assert_eq!(sent(&mut outbox), [(1, "plain")]);
    assert_eq!(outbox.unproven(), 0, "it had them");
    outbox.connected(held(&[("b", T)]));
    assert_eq!(sent(&mut outbox), [(1, "plain")], "and lost one again");
}

#[test]
fn what_was_acknowledged_and_not_proven_is_sent_again() {
    let mut outbox = empty();
    outbox.connected(HashMap::new());
    outbox.add(&reading(1, "a", T));
    outbox.add(&reading(2, "b", T));
    sent(&mut outbox);
    arrived(&mut outbox, &[1, 2]);

    // From here on the broker acknowledges and drops.
    outbox.add(&reading(3, "a", T + 300));
    sent(&mut outbox);
    acknowledged(&mut outbox, &[3]);
    outbox.announced();
    outbox.add(&reading(4, "a", T + 600));
    sent(&mut outbox);
    acknowledged(&mut outbox, &[4]);
    assert_eq!((outbox.waiting(), outbox.unproven()), (0, 2));
    assert_eq!(outbox.delivered_below(&journal()), Some(3));

    outbox.connected(held(&[("a", T), ("b", T)]));
    assert_eq!(outbox.waiting(), 2);
    assert_eq!(sent(&mut outbox), [(4, "plain"), (3, "backlog")]);
}

#[test]
fn an_echo_proves_only_what_was_acknowledged_before_its_announcement() {
    let mut outbox = empty();
    outbox.connected(HashMap::new());
    outbox.add(&reading(1, "a", T));
    sent(&mut outbox);
    acknowledged(&mut outbox, &[1]);
    outbox.announced();
    outbox.add(&reading(2, "b", T));
    sent(&mut outbox);
    acknowledged(&mut outbox, &[2]);
    outbox.proven();
    outbox.connected(held(&[("a", T)]));
    assert_eq!(sent(&mut outbox), [(2, "plain")]);
}

#[test]
fn a_plain_topic_never_steps_back_in_time() {
    let mut outbox = empty();
    outbox.connected(held(&[("a", T)]));
    outbox.add(&reading(1, "a", T));
    outbox.add(&reading(2, "a", T - 3600));
    outbox.add(&reading(3, "a", T + 1));
    assert_eq!(
        sent(&mut outbox),
        [(3, "plain"), (1, "backlog"), (2, "backlog")]
    );
    outbox.add(&reading(4, "a", T - 3600));
    assert_eq!(sent(&mut outbox), [(4, "backlog")]);
}

#[test]
fn what_has_left_the_journal_is_given_up_and_counted() {
    let mut outbox = empty();
    outbox.connected(HashMap::new());
    for seq in 1..=9 {
        outbox.add(&reading(seq, "a", T + i64::try_from(seq).expect("small")));
    }
    sent(&mut outbox);
    arrived(&mut outbox, &[1, 2]);
    acknowledged(&mut outbox, &[3]);
    assert_eq!(
        outbox.hold_only(&[span(6, 9)]),
        2,
        "4 and 5: 3 had been taken"
    );
    // Its acknowledgement may still be on the way.
    acknowledged(&mut outbox, &[4]);
    assert_eq!(outbox.waiting(), 4);
    assert_eq!(outbox.hold_only(&[]), 0, "it may come back");
    assert_eq!(outbox.unproven(), 0);
}

#[test]
fn a_journal_with_another_id_waits_with_the_same_numbers() {
    let other: JournalId = "k".parse().expect("an id");
    let mut outbox = empty();
    outbox.add(&reading(1, "a", T));
    outbox.add(&reading(2, "a", T + 300));
    outbox.renamed(&journal(), &other);
    outbox.connected(HashMap::new());
    let Some(Next::Plain(newest)) = outbox.next(any) else {
        panic!("the newest is next");
    };
    assert_eq!((&newest.journal, newest.seq), (&other, 2));
    outbox.sent(&Next::Plain(newest));
    assert_eq!(outbox.next(any), Some(Next::Late(other, 1)));
}

#[test]
fn a_journal_that_takes_an_id_that_something_waits_under_already_is_sent_with_that_and_once() {
    let other: JournalId = "k".parse().expect("an id");
    let mut outbox = empty();
    outbox.add(&reading(1, "a", T));
    outbox.add(&reading(2, "a", T + 300));
    outbox.add(&Reading {
        journal: other.clone(),
        ..reading(3, "a", T + 600)
    });
    outbox.renamed(&journal(), &other);
    outbox.connected(HashMap::new());
    for seq in [3, 1, 2] {
        let next = outbox.next(any).expect("three wait");
        outbox.sent(&next);
        let found = match next {
            Next::Plain(reading) => (reading.journal, reading.seq),
            Next::Late(journal, seq) => (journal, seq),
        };
        assert_eq!(found, (other.clone(), seq));
        outbox.acknowledged(&other, seq);
    }
    assert_eq!(outbox.next(any), None);
    assert_eq!((outbox.waiting(), outbox.unproven()), (0, 3));
}

#[test]
fn what_was_forgotten_is_shown_again_by_a_new_report_only_and_what_waits_of_it_goes_to_the_backlog()
{
    let mut outbox = Outbox::new(vec![reading(1, "a", T), reading(2, "b", T)]);
    outbox.has_yet_to_send(&journal(), 1..=2);
    outbox.open();
    outbox.forget(&wire::Subject::Inverter("a".parse().expect("a serial")));
    outbox.connected(HashMap::new());
    assert_eq!(sent(&mut outbox), [(2, "plain"), (1, "backlog")]);
    // By a clock that was set back meanwhile, too.
    outbox.add(&reading(3, "a", T - 300));
    assert_eq!(sent(&mut outbox), [(3, "plain")]);
}

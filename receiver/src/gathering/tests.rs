use super::*;

/// A message without a reading, acknowledged by its number.
fn refused(acknowledgement: usize) -> Entry<usize> {
    Entry {
        reading: None,
        dead: None,
        acknowledgement,
    }
}

/// A delivery of the reading with this number.
fn delivery(seq: u64, acknowledgement: usize) -> Entry<usize> {
    let reading = Reading {
        envoy: "e".parse().expect("a serial"),
        measured: wire::Inverter {
            serial: "i".parse().expect("a serial"),
            reported_at: wire::ReportTime::from_unix_seconds(1_700_000_000).expect("a time"),
            device_type: None,
            power_w: 1,
            peak_power_w: 2,
            detail: None,
        }
        .into(),
        journal: "j".parse().expect("an id"),
        seq,
    };
    Entry {
        reading: Some(reading),
        dead: None,
        acknowledgement,
    }
}

fn take(gathering: &mut Gathering<usize>) -> Vec<usize> {
    gathering.take().into_acknowledgements().collect()
}

#[test]
fn nothing_is_due_when_nothing_waits() {
    assert_eq!(Gathering::<()>::default().due(), None);
}

#[test]
fn a_lone_message_waits_only_until_it_is_quiet() {
    let start = Instant::now();
    let mut gathering = Gathering::default();
    gathering.push(refused(0), start);
    assert_eq!(gathering.due(), Some(start + QUIET));
}

#[test]
fn the_messages_of_a_burst_wait_for_each_other() {
    let start = Instant::now();
    let mut gathering = Gathering::default();
    gathering.push(refused(0), start);
    gathering.push(refused(1), start + QUIET / 2);
    assert_eq!(gathering.due(), Some(start + QUIET / 2 + QUIET));
}

#[test]
fn where_it_is_never_quiet_a_message_waits_no_longer_than_the_linger() {
    let start = Instant::now();
    let mut gathering = Gathering::default();
    let mut now = start;
    while now < start + LINGER {
        gathering.push(refused(0), now);
        now += QUIET / 2;
    }
    assert_eq!(gathering.due(), Some(start + LINGER));
}

#[test]
fn a_full_batch_is_due_at_once_and_the_rest_stays_in_line() {
    let start = Instant::now();
    let mut gathering = Gathering::default();
    for number in 0..BATCH + 2 {
        gathering.push(refused(number), start);
    }
    assert_eq!(gathering.due(), Some(start));
    assert_eq!(take(&mut gathering), (0..BATCH).collect::<Vec<_>>());
    assert_eq!(gathering.due(), Some(start + QUIET));
    assert_eq!(take(&mut gathering).len(), 2);
    assert!(take(&mut gathering).is_empty());
}

#[test]
fn a_batch_that_was_not_stored_is_first_in_line_after_its_pause() {
    let start = Instant::now();
    let mut gathering = Gathering::default();
    for number in 0..3 {
        gathering.push(refused(number), start);
    }
    let batch = gathering.take();
    gathering.push(refused(3), start + LINGER);
    let retry = start + Duration::from_mins(1);
    gathering.put_back(batch, retry);
    assert!(gathering.due() >= Some(retry));
    assert_eq!(take(&mut gathering), [0, 1, 2, 3]);
}

#[test]
fn what_arrives_during_a_pause_does_not_shorten_it() {
    let start = Instant::now();
    let mut gathering = Gathering::default();
    gathering.push(refused(0), start);
    let batch = gathering.take();
    let retry = start + Duration::from_mins(1);
    gathering.put_back(batch, retry);
    for number in 1..=BATCH {
        gathering.push(refused(number), start);
    }
    assert!(gathering.due() >= Some(retry));
}

#[test]
fn a_reading_that_is_delivered_again_after_a_reconnect_waits_once() {
    let now = Instant::now();
    let mut gathering = Gathering::default();
    gathering.push(delivery(1, 10), now);
    gathering.push(refused(11), now);
    gathering.push(delivery(2, 12), now);
    gathering.disconnected();
    gathering.push(delivery(1, 20), now);
    assert_eq!(take(&mut gathering), [12, 20], "12 was not delivered again");
}

#[test]
fn a_reading_that_is_delivered_twice_on_one_connection_is_acknowledged_twice() {
    let now = Instant::now();
    let mut gathering = Gathering::default();
    gathering.push(delivery(1, 10), now);
    gathering.push(delivery(1, 11), now);
    assert_eq!(take(&mut gathering), [10, 11]);
}

#[test]
fn a_batch_that_outlived_its_connection_gives_way_to_what_was_delivered_again() {
    let now = Instant::now();
    let mut gathering = Gathering::default();
    gathering.push(delivery(1, 10), now);
    gathering.push(delivery(2, 11), now);
    gathering.push(refused(12), now);
    let batch = gathering.take();
    gathering.disconnected();
    gathering.push(delivery(2, 20), now);
    gathering.put_back(batch, now);
    assert_eq!(take(&mut gathering), [10, 20]);
}

#[test]
fn readings_stay_with_their_places_when_one_before_them_gives_way() {
    let now = Instant::now();
    let mut gathering = Gathering::default();
    gathering.push(delivery(1, 10), now);
    gathering.push(delivery(2, 11), now);
    gathering.push(delivery(3, 12), now);
    gathering.disconnected();
    gathering.push(refused(20), now);
    gathering.push(delivery(2, 21), now);
    let batch = gathering.take();
    let numbers: Vec<_> = batch.readings().iter().map(|reading| reading.seq).collect();
    assert_eq!(numbers, [1, 3, 2]);
    gathering.put_back(batch, now);
    gathering.push(delivery(1, 22), now);
    let batch = gathering.take();
    let numbers: Vec<_> = batch.readings().iter().map(|reading| reading.seq).collect();
    assert_eq!(numbers, [3, 2, 1]);
    let acknowledgements: Vec<_> = batch.into_acknowledgements().collect();
    assert_eq!(acknowledgements, [12, 20, 21, 22]);
}

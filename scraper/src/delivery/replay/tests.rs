use super::*;

fn id(text: &str) -> JournalId {
    text.parse().expect("an id")
}

fn span(first: u64, last: u64) -> JournalSpan {
    JournalSpan::new(id("j"), first, last).expect("a span")
}

fn request(journal: &str, ranges: &[(u64, u64)]) -> ReplayRequest {
    let ranges = ranges.iter().map(|(first, last)| *first..=*last);
    ReplayRequest::new(id(journal), ranges.collect()).expect("a sound request")
}

fn sent(replay: &mut Replay, most: usize) -> Vec<u64> {
    std::iter::from_fn(|| {
        let (journal, seq) = replay.next(|_| true)?;
        replay.sent(&journal, seq);
        Some(seq)
    })
    .take(most)
    .collect()
}

#[test]
fn what_is_asked_for_is_sent_once_lowest_first() {
    let mut replay = Replay::default();
    let held = [span(1, 100)];
    assert_eq!(replay.ask(&request("j", &[(40, 41), (7, 8)]), &held), 4);
    assert_eq!(replay.ask(&request("j", &[(8, 9)]), &held), 2);
    assert_eq!(sent(&mut replay, 10), [7, 8, 9, 40, 41]);
    assert_eq!(replay.next(|_| true), None);
}

#[test]
fn only_what_the_journals_hold_is_taken_up() {
    let mut replay = Replay::default();
    let held = [span(50, 52)];
    let all = [(1, wire::MAX_SEQ)];
    assert_eq!(replay.ask(&request("other", &all), &held), 0);
    assert_eq!(replay.ask(&request("j", &[(1, 49), (53, 900)]), &held), 0);
    assert_eq!(replay.ask(&request("j", &all), &held), 3);
    assert_eq!(sent(&mut replay, 10), [50, 51, 52]);
}

#[test]
fn a_request_as_wide_as_all_numbers_costs_neither_time_nor_memory() {
    let mut replay = Replay::default();
    let held = [span(1, wire::MAX_SEQ)];
    replay.ask(&request("j", &[(1, wire::MAX_SEQ)]), &held);
    assert_eq!(sent(&mut replay, 3), [1, 2, 3]);
}

#[test]
fn ranges_that_wait_are_bounded() {
    let mut replay = Replay::default();
    let held = [span(1, wire::MAX_SEQ)];
    for part in 0..8 {
        let single = |n: u64| (2 * (part * 1000 + n) + 1, 2 * (part * 1000 + n) + 1);
        let ranges: Vec<_> = (0..1000).map(single).collect();
        replay.ask(&request("j", &ranges), &held);
    }
    assert_eq!(sent(&mut replay, usize::MAX).len(), MOST_RANGES);
}

#[test]
fn what_has_left_the_journal_is_not_looked_for() {
    let mut replay = Replay::default();
    replay.ask(&request("j", &[(1, 10)]), &[span(1, 10)]);
    replay.hold_only(&[span(9, 12)]);
    assert_eq!(sent(&mut replay, 10), [9, 10]);
    replay.ask(&request("j", &[(9, 10)]), &[span(9, 12)]);
    replay.hold_only(&[]);
    assert_eq!(replay.next(|_| true), None);
}

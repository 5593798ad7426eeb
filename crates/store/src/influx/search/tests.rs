#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn times(seconds: impl IntoIterator<Item = i64>) -> Vec<ReportTime> {
    let time = |seconds| ReportTime::from_unix_seconds(seconds).unwrap();
    seconds.into_iter().map(time).collect()
}

fn refusal() -> Refusal {
    Refusal {
        reason: "bad".into(),
        is_retention: false,
        oldest_kept: None,
    }
}

/// Runs a search against a server that refuses `bad` lines; returns what was found, what was
/// accepted and the number of requests.
fn find(count: usize, bad: &BTreeSet<usize>) -> (Vec<usize>, BTreeSet<usize>, usize) {
    let mut search = Search::new(times((1..).take(count)));
    let mut accepted = BTreeSet::new();
    let mut requests = 0;
    while let Some(piece) = search.next_piece() {
        requests += 1;
        assert!((1..=MAX_LINES).contains(&piece.len()));
        if piece.iter().any(|index| bad.contains(index)) {
            search.refused(&piece, refusal());
        } else {
            accepted.extend(piece);
        }
    }
    let (suspects, _) = search.finish();
    let suspects = suspects.iter().map(|suspect| suspect.index).collect();
    (suspects, accepted, requests)
}

proptest! {
    #[test]
    fn exactly_the_bad_lines_are_found(
        count in 0_usize..300, bad in prop::collection::btree_set(0_usize..300, 0..20)
    ) {
        let bad: BTreeSet<_> = bad.into_iter().filter(|&index| index < count).collect();
        let (mut suspects, accepted, _) = find(count, &bad);
        suspects.sort_unstable();
        prop_assert_eq!(suspects, bad.iter().copied().collect::<Vec<_>>());
        let good: BTreeSet<_> = (0..count).filter(|index| !bad.contains(index)).collect();
        prop_assert_eq!(accepted, good);
    }
}

#[test]
fn one_bad_line_in_a_full_batch_costs_few_requests() {
    let (suspects, accepted, requests) = find(MAX_LINES, &BTreeSet::from([3_210]));
    assert_eq!(suspects, [3_210]);
    assert_eq!(accepted.len(), MAX_LINES - 1);
    assert!(requests <= 27, "{requests}");
}

#[test]
fn an_oversize_batch_is_cut() {
    let (_, accepted, requests) = find(2 * MAX_LINES + 1, &BTreeSet::new());
    assert_eq!((accepted.len(), requests), (2 * MAX_LINES + 1, 3));
}

#[test]
fn old_points_are_settled_by_the_bound_that_the_server_names() {
    let mut search = Search::new(times([10, 99, 100, 20, 500]));
    let piece = search.next_piece().unwrap();
    let outside = Refusal {
        is_retention: true,
        oldest_kept: Some(100),
        ..refusal()
    };
    search.refused(&piece, outside);
    assert_eq!(search.next_piece().unwrap(), [2, 4]);
    assert_eq!(search.next_piece(), None);
    assert_eq!(search.finish(), (Vec::new(), 3));
}

#[test]
fn without_a_bound_old_points_are_found_by_halving() {
    let mut search = Search::new(times([10, 500]));
    let outside = Refusal {
        is_retention: true,
        ..refusal()
    };
    let both = search.next_piece().unwrap();
    search.refused(&both, outside.clone());
    let old = search.next_piece().unwrap();
    search.refused(&old, outside);
    assert_eq!(search.next_piece().unwrap(), [1]);
    assert_eq!(search.finish(), (Vec::new(), 1));
}

#[test]
fn a_bound_that_explains_nothing_does_not_go_on_for_ever() {
    let mut search = Search::new(times([500, 600]));
    let outside = Refusal {
        is_retention: true,
        oldest_kept: Some(100),
        ..refusal()
    };
    let mut requests = 0;
    while let Some(piece) = search.next_piece() {
        requests += 1;
        search.refused(&piece, outside.clone());
    }
    assert_eq!((requests, search.finish()), (3, (Vec::new(), 2)));
}

#[test]
fn what_is_too_large_is_split_down_to_one_line() {
    let mut search = Search::new(times([1, 2, 3]));
    let all = search.next_piece().unwrap();
    search.too_large(&all).unwrap();
    let one = search.next_piece().unwrap();
    assert_eq!(one, [0]);
    assert!(search.too_large(&one).is_err());
    assert_eq!(search.next_piece().unwrap(), [1, 2]);
}

//! Schedules of faults, each from its seed: nothing is lost in any of them, and each part of the
//! mechanism that prevents it is needed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use model::{Fault, Outcome, Sabotage, run, run_among};

/// Seeds that have to end with everything stored.
const SEEDS: u64 = 10_000;

/// Seeds among which a part that is taken out has to show.
const SEARCHED: u64 = 400;

/// Runs the seeds on all cores, and gives what `look` makes of each.
fn all<T: Send>(seeds: u64, look: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let next = AtomicU64::new(0);
    let work = || {
        let mut looked = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return looked;
            }
            looked.push(look(seed));
        }
    };
    let threads = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let done = workers.into_iter().map(thread::ScopedJoinHandle::join);
        done.flat_map(|looked| looked.expect("no seed panics"))
            .collect()
    })
}

#[test]
fn whatever_goes_wrong_everything_is_stored_in_the_end() {
    let outcomes = all(SEEDS, |seed| (seed, run(seed)));
    let unsound: Vec<_> = outcomes.iter().filter(|(_, one)| !one.is_sound()).collect();
    let first: Vec<_> = unsound.iter().take(3).collect();
    assert!(unsound.is_empty(), "{} seeds: {first:#?}", unsound.len());

    let mut dealt: BTreeMap<String, u64> = BTreeMap::new();
    for planned in outcomes.iter().flat_map(|(_, outcome)| &outcome.plan) {
        *dealt.entry(format!("{:?}", planned.fault)).or_default() += 1;
    }
    assert_eq!(dealt.len(), Fault::ALL.len(), "each was dealt: {dealt:?}");
    let readings: usize = outcomes.iter().map(|(_, one)| one.readings).sum();
    assert!(
        readings > 10 * outcomes.len(),
        "there was something to lose"
    );
    let repeated = outcomes.iter().filter(|(_, one)| writes_again(one));
    assert_eq!(repeated.count(), 0, "nothing is written again and again");
}

/// Whether readings were written often. Two scrapers that throw each other out do so.
fn writes_again(outcome: &Outcome) -> bool {
    let mut faults = outcome.plan.iter().map(|planned| planned.fault);
    outcome.writes_per_reading > 5.0 && faults.all(|fault| fault != Fault::SecondScraper)
}

/// Among schedules of these faults there is one that shows that a part is missing, and nothing with it.
fn is_noticed(faults: &[Fault], sabotage: Sabotage, notices: impl Fn(&Outcome) -> bool + Sync) {
    let shows = all(SEARCHED, |seed| {
        notices(&run_among(faults, seed, sabotage))
            && run_among(faults, seed, Sabotage::Nothing).is_sound()
    });
    let seeds = shows.iter().filter(|shows| **shows).count();
    assert!(seeds > 0, "{sabotage:?} costs nothing in {SEARCHED} seeds");
}

fn loses(outcome: &Outcome) -> bool {
    !outcome.lost.is_empty()
}

#[test]
fn without_the_audit_readings_are_lost() {
    is_noticed(&Fault::ALL, Sabotage::NoAudit, loses);
}

#[test]
fn with_a_journal_that_forgets_readings_are_lost() {
    is_noticed(&Fault::ALL, Sabotage::ForgetfulJournal, loses);
}

#[test]
fn with_marks_saved_before_the_store_has_accepted_readings_are_lost() {
    // The message is gone and the reading is not stored, but marked.
    let faults = [
        Fault::StoreRefuses,
        Fault::ReceiverKilled,
        Fault::BrokerWiped,
    ];
    is_noticed(&faults, Sabotage::MarksFirst, loses);
}

#[test]
fn with_nothing_marked_everything_is_stored_and_asked_for_without_end() {
    let outcomes = all(20, |seed| {
        run_among(&[Fault::ReceiverCut], seed, Sabotage::NoMarks)
    });
    for outcome in outcomes {
        assert!(outcome.lost.is_empty() && !outcome.rests, "{outcome:#?}");
    }
}

#[test]
fn with_nothing_put_back_plain_topics_stay_stale() {
    is_noticed(&Fault::ALL, Sabotage::NoRepublish, |outcome| {
        outcome.stale > 0
    });
}

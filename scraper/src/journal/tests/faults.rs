//! A disk that fails: one pair of journal and number never names two readings.

use std::time::Duration;

use proptest::prelude::*;

use super::simulated::{Fault, Simulated};
use super::*;

const SIZE: u64 = 320 * 1024;

#[derive(Debug, Clone)]
enum Action {
    Append {
        inverters: u32,
    },
    /// Some change of the disk that is to come fails, and so many after it.
    Fail {
        after: u32,
        fault: Fault,
        count: u32,
    },
    Mend,
    Kill,
    LosePower {
        seed: u64,
    },
    Restart,
    Renew,
    /// So long that the disk is tried again.
    Wait,
}

fn action() -> impl Strategy<Value = Action> {
    let fault = prop_oneof![
        Just(Fault::Undone),
        Just(Fault::Done),
        Just(Fault::Forgotten)
    ];
    let count = prop_oneof![Just(1), 1..20_u32, Just(u32::MAX)];
    prop_oneof![
        8 => (1..100_u32).prop_map(|inverters| Action::Append { inverters }),
        4 => (0..30_u32, fault, count)
            .prop_map(|(after, fault, count)| Action::Fail { after, fault, count }),
        2 => Just(Action::Mend),
        1 => Just(Action::Kill),
        2 => any::<u64>().prop_map(|seed| Action::LosePower { seed }),
        1 => Just(Action::Restart),
        1 => Just(Action::Renew),
        3 => Just(Action::Wait),
    ]
}

/// Every pair of journal and number that was ever seen, and what it named.
#[derive(Debug, Default)]
struct Named(HashMap<(JournalId, u64), i32>);

impl Named {
    fn see(&mut self, readings: &[Reading]) {
        for reading in readings {
            let pair = (reading.journal.clone(), reading.seq);
            let named = *self.0.entry(pair).or_insert_with(|| power(reading));
            assert_eq!(named, power(reading), "{reading:?} was another one before");
        }
    }

    /// Looks at all that the journals hold.
    fn look(&mut self, journals: &Journals) {
        let spans = journals.spans();
        assert!((1..=2).contains(&spans.len()), "{spans:?}");
        for span in spans {
            let held = journals.readings(span.id(), 1..=u64::MAX, usize::MAX);
            self.see(&held);
            assert!(held.len() as u64 <= span.len());
        }
        self.see(&journals.newest());
    }
}

fn run(actions: Vec<Action>) {
    let disk = Simulated::default();
    let mut now = Instant::now();
    let open = |now| {
        let medium = Arc::new(disk.clone());
        Journals::open_on(medium, &envoy(), SIZE, now).expect("a journal")
    };
    let mut journals = open(now);
    let mut named = Named::default();
    let mut count = 0;
    for action in actions {
        match action {
            Action::Append { inverters } => {
                let reports: Vec<_> = (0..inverters)
                    .map(|number| {
                        count += 1;
                        report(number, i64::from(count), count)
                    })
                    .collect();
                let appended = journals.append_at(reports, now);
                assert_eq!(appended.len(), inverters as usize);
                named.see(&appended);
                for reading in &appended {
                    let held = journals.reading(&reading.journal, reading.seq);
                    if let Some(held) = held {
                        assert_eq!(held, *reading);
                    }
                }
                // By its power, which no other has: the journal may have another id by now.
                let newest = journals.newest().into_iter();
                let newest: HashSet<_> = newest.map(|reading| power(&reading)).collect();
                let mut powers = appended.iter().map(power);
                assert!(powers.all(|power| newest.contains(&power)));
            }
            Action::Fail {
                after,
                fault,
                count,
            } => disk.fail(after, fault, count),
            Action::Mend => disk.mend(),
            Action::Kill => {
                disk.kill();
                journals = open(now);
            }
            Action::LosePower { seed } => {
                disk.lose_power(seed);
                journals = open(now);
            }
            Action::Restart => {
                drop(journals);
                journals = open(now);
            }
            Action::Renew => {
                let ids: Vec<_> = journals.spans();
                let id = ids[ids.len() - 1].id();
                assert_ne!(journals.renew_at(id, now).as_ref(), Some(id));
            }
            Action::Wait => now += Duration::from_mins(1),
        }
        named.look(&journals);
        assert!(disk.longest() as u64 <= SIZE);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_number_names_two_readings_however_the_disk_fails(
        actions in prop::collection::vec(action(), 1..60)
    ) {
        run(actions);
    }
}

#[test]
fn readings_go_to_memory_while_the_disk_is_full_and_to_disk_again_after_a_minute() {
    let disk = Simulated::default();
    let mut now = Instant::now();
    let medium = Arc::new(disk.clone());
    let journals = Journals::open_on(medium, &envoy(), SIZE, now).expect("a journal");
    let on_disk = journals.append_at(reports(3, 0), now);
    disk.fail(0, Fault::Undone, u32::MAX);
    let in_memory = journals.append_at(reports(3, 900), now);
    assert_eq!(in_memory[0].seq, 1);
    assert_ne!(in_memory[0].journal, on_disk[0].journal);
    // Both are announced, the one in use first, and both are there.
    let ids = |journals: &Journals| -> Vec<JournalId> {
        let spans = journals.spans();
        spans.iter().map(|span| span.id().clone()).collect()
    };
    let (disk_id, memory_id) = (&on_disk[0].journal, &in_memory[0].journal);
    assert_eq!(ids(&journals), [memory_id.clone(), disk_id.clone()]);
    for reading in on_disk.iter().chain(&in_memory) {
        let held = journals.reading(&reading.journal, reading.seq);
        assert_eq!(held.as_ref(), Some(reading));
    }
    disk.mend();
    now += Duration::from_secs(59);
    assert_eq!(
        journals.append_at(reports(1, 1800), now)[0].journal,
        *memory_id
    );
    now += Duration::from_secs(1);
    let again = journals.append_at(reports(1, 2700), now).remove(0);
    assert_eq!((&again.journal, again.seq), (disk_id, 4));
    assert_eq!(ids(&journals), [disk_id.clone(), memory_id.clone()]);
    assert_eq!(journals.reading(memory_id, 2).as_ref(), in_memory.get(1));
    assert_eq!(journals.newest().len(), 3);
}

#[test]
fn an_append_that_failed_but_is_in_the_file_gives_the_journal_a_new_id() {
    let disk = Simulated::default();
    let mut now = Instant::now();
    let medium = Arc::new(disk.clone());
    let journals = Journals::open_on(medium, &envoy(), SIZE, now).expect("a journal");
    let id = journals.append_at(reports(3, 0), now)[0].journal.clone();
    // The fault is that of the commit's sync, wherever it comes in the order of changes.
    let mut tried = 0;
    let found = loop {
        disk.fail(tried, Fault::Done, 1);
        let appended = journals.append_at(reports(3, 900 * i64::from(tried + 1)), now);
        if appended[0].journal != id {
            let spans = journals.spans();
            if *spans[1].id() != id {
                break spans[1].clone();
            }
            assert_eq!(spans[1].last() % 3, 0);
            now += Duration::from_mins(1);
            disk.mend();
            journals.append_at(reports(3, 900 * i64::from(tried + 1) + 450), now);
        }
        disk.mend();
        tried += 1;
        assert!(
            tried < 100,
            "no change of the disk was the last of a commit"
        );
    };
    now += Duration::from_mins(1);
    disk.mend();
    let again = journals.append_at(reports(1, 99_999), now).remove(0);
    assert_eq!((&again.journal, again.seq), (found.id(), found.last() + 1));
}

/// A disk with three readings and an append of three more that the process did not live to see
/// return: the fault struck after so many changes, and the process was killed.
fn killed_in_a_fault(after: u32, fault: Fault, count: u32) -> (Simulated, Vec<Reading>) {
    let disk = Simulated::default();
    let medium = Arc::new(disk.clone());
    let journals = Journals::open_on(medium, &envoy(), SIZE, Instant::now()).expect("a journal");
    let on_disk = journals.append(reports(3, 0));
    disk.fail(after, fault, count);
    let _ = journals.append(reports(3, 900));
    disk.kill();
    (disk, on_disk)
}

#[test]
fn what_is_read_and_can_not_be_synced_has_an_id_of_its_own() {
    let mut found = 0;
    for after in 0..40 {
        let (disk, on_disk) = killed_in_a_fault(after, Fault::Undone, u32::MAX);
        disk.fail(0, Fault::Undone, u32::MAX);
        let medium = Arc::new(disk.clone());
        let journals = Journals::open_on(medium, &envoy(), SIZE, Instant::now()).expect("journals");
        let spans = journals.spans();
        assert_eq!(spans.len(), 2, "the one on disk can be read");
        if spans[1].last() > 3 {
            assert_ne!(*spans[1].id(), on_disk[0].journal);
            found += 1;
        }
    }
    assert!(found > 0, "no fault left an append that can be read");
}

/// What random actions found once, and seldom find.
#[test]
fn what_a_process_left_unsynced_is_synced_or_forgotten_before_the_next_one_shows_it() {
    for (after, count) in (0..16).flat_map(|after| (1..5).map(move |count| (after, count))) {
        for seed in [1_224_892_010_809_437_633, 0, 1] {
            run(vec![
                Action::Append { inverters: 1 },
                Action::Append { inverters: 28 },
                Action::Fail {
                    after,
                    fault: Fault::Done,
                    count,
                },
                Action::Append { inverters: 1 },
                Action::Restart,
                Action::LosePower { seed },
                Action::Append { inverters: 1 },
            ]);
        }
    }
}

/// Opens what a process left behind that was killed in this fault, of those that leave something behind
/// which is `of_interest`: nothing is read that a power failure might take away.
fn nothing_unsynced_is_read(fault: Fault, count: u32, of_interest: impl Fn(&Simulated) -> bool) {
    let mut found = 0;
    for after in 0..40 {
        let (disk, _) = killed_in_a_fault(after, fault, count);
        if of_interest(&disk) {
            found += 1;
            let medium = Arc::new(disk.clone());
            let journals = Journals::open_on(medium, &envoy(), SIZE, Instant::now());
            assert_eq!(
                journals.expect("a journal").spans().len(),
                1,
                "it is on disk"
            );
            assert!(!disk.unsynced_was_read(), "after {after} operations");
        }
    }
    assert!(found > 0, "no fault left anything behind");
}

#[test]
fn what_a_killed_process_left_unsynced_is_synced_before_it_is_read() {
    nothing_unsynced_is_read(Fault::Undone, u32::MAX, Simulated::has_unsynced);
}

#[test]
fn what_a_failed_sync_left_in_memory_is_forgotten_before_it_is_read() {
    nothing_unsynced_is_read(Fault::Forgotten, u32::MAX, Simulated::has_forgotten);
}

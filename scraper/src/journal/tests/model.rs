//! The journal against a model of it, on a disk that works: restarts, kills and power failures
//! lose nothing that an append has returned.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::simulated::Simulated;
use super::*;

/// Small, so that records leave it soon.
const SIZE: u64 = 320 * 1024;

#[derive(Debug, Clone)]
enum Action {
    /// A poll with so many new reports, of times from `seconds` on.
    Append {
        inverters: u32,
        seconds: i64,
    },
    Restart,
    Kill,
    LosePower {
        seed: u64,
    },
    /// The power fails while a poll is appended: after so many changes of the disk nothing arrives.
    LosePowerWithin {
        after: u32,
        seed: u64,
    },
    Renew,
    Deliver,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        // Times go back and forth, as those of a gateway whose clock is set do.
        8 => (1..120_u32, -5000..5000_i64)
            .prop_map(|(inverters, seconds)| Action::Append { inverters, seconds }),
        1 => Just(Action::Restart),
        1 => Just(Action::Kill),
        2 => any::<u64>().prop_map(|seed| Action::LosePower { seed }),
        2 => (0..40_u32, any::<u64>())
            .prop_map(|(after, seed)| Action::LosePowerWithin { after, seed }),
        1 => Just(Action::Renew),
        1 => Just(Action::Deliver),
    ]
}

/// What was appended, and what has to follow from it.
#[derive(Debug, Default)]
struct Model {
    id: Option<JournalId>,
    readings: BTreeMap<u64, Reading>,
    newest: HashMap<wire::Subject, Reading>,
    last: HashMap<wire::Subject, ReportTime>,
    /// Tells each report from all others.
    count: i32,
}

impl Model {
    fn reports(&mut self, inverters: u32, seconds: i64) -> Vec<Report> {
        (0..inverters)
            .map(|number| {
                self.count += 1;
                report(number, seconds + i64::from(number), self.count)
            })
            .collect()
    }

    fn take(&mut self, readings: &[Reading]) {
        for reading in readings {
            let next = self.readings.keys().next_back().map_or(1, |last| last + 1);
            assert_eq!(reading.seq, next, "numbers are consecutive");
            self.readings.insert(reading.seq, reading.clone());
            let serial = reading.subject();
            self.last.insert(serial.clone(), reading.at());
            let newest = self.newest.entry(serial).or_insert_with(|| reading.clone());
            if newest.at() <= reading.at() {
                *newest = reading.clone();
            }
        }
    }

    fn rename(&mut self, id: &JournalId) {
        assert_ne!(self.id.as_ref(), Some(id));
        self.id = Some(id.clone());
        let readings = self.readings.values_mut();
        for reading in readings.chain(self.newest.values_mut()) {
            reading.journal = id.clone();
        }
    }

    fn check(&mut self, journals: &Journals) {
        let id = self.id.get_or_insert_with(|| journals.id()).clone();
        let spans = journals.spans();
        assert_eq!(spans.len(), 1);
        assert_eq!(*spans[0].id(), id);
        let last = self.readings.keys().next_back().copied().unwrap_or(0);
        assert_eq!(spans[0].last(), last);
        let held = journals.readings(&id, 1..=u64::MAX, usize::MAX);
        let expected = self.readings.range(spans[0].first()..);
        assert!(held.iter().eq(expected.map(|(_, reading)| reading)));
        let newest = journals.newest().into_iter();
        let newest: HashMap<_, _> = newest.map(|one| (one.subject(), one)).collect();
        assert_eq!(newest, self.newest);
        assert_eq!(journals.last_reports(), self.last);
    }
}

fn open(disk: &Simulated) -> Journals {
    Journals::open_on(Arc::new(disk.clone()), &envoy(), SIZE, Instant::now()).expect("a journal")
}

fn run(actions: Vec<Action>) {
    let disk = Simulated::default();
    let mut journals = open(&disk);
    let mut model = Model::default();
    for action in actions {
        match action {
            Action::Append { inverters, seconds } => {
                let reports = model.reports(inverters, seconds);
                model.take(&journals.append(reports));
            }
            Action::Restart => {
                drop(journals);
                journals = open(&disk);
            }
            Action::Kill => {
                disk.kill();
                journals = open(&disk);
            }
            Action::LosePower { seed } => {
                disk.lose_power(seed);
                journals = open(&disk);
            }
            Action::LosePowerWithin { after, seed } => {
                disk.fail(after, simulated::Fault::Undone, u32::MAX);
                let last = journals.spans()[0].last();
                let appended = journals.append(model.reports(30, 7));
                disk.lose_power(seed);
                let was_on_disk = journals.spans().len() == 1;
                journals = open(&disk);
                if was_on_disk {
                    model.take(&appended);
                } else {
                    // It did not return from the disk. It may be there, as a whole, or not.
                    let id = journals.id();
                    let found = journals.readings(&id, last + 1..=u64::MAX, usize::MAX);
                    let same = |(one, other): (&Reading, &Reading)| one.measured == other.measured;
                    assert!(found.iter().zip(&appended).all(same));
                    assert!([0, 30].contains(&found.len()), "{}", found.len());
                    model.take(&found);
                }
            }
            Action::Renew => {
                let id = journals.id();
                let new = journals.renew(&id).expect("the journal is held");
                assert_eq!(journals.renew(&id), None);
                model.rename(&new);
            }
            Action::Deliver => {
                let below = journals.spans()[0].last() + 1;
                journals.note_delivered(&journals.id(), below);
                assert_eq!(journals.delivered_below(&journals.id()), below);
            }
        }
        model.check(&journals);
    }
    assert!(disk.longest() as u64 <= SIZE);
    assert_eq!(disk.set_aside(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_journal_holds_what_was_appended_whatever_ends_the_process(
        actions in prop::collection::vec(action(), 1..60)
    ) {
        run(actions);
    }
}

//! What goes wrong, and when.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

/// How long faults are dealt, in seconds of the simulation. All are over then, or are ended.
pub const FAULTY: u64 = 2_400;

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The scraper is killed.
    ScraperKilled,
    /// The scraper is killed when its next poll is in the journal and nothing of it is published.
    ScraperKilledBeforePublishing,
    /// The receiver is killed.
    ReceiverKilled,
    /// The receiver is killed when the store has its next batch and nothing is acknowledged.
    ReceiverKilledBeforeAcknowledging,
    /// The broker is killed and comes back with what it last wrote to disk.
    BrokerKilled,
    /// The broker is killed and comes back with what it had on disk some time before.
    BrokerRolledBack,
    /// The broker comes back with an empty disk.
    BrokerWiped,
    /// The scraper is stopped for longer than its keep-alive.
    ScraperStopped,
    /// The receiver is stopped for longer than its keep-alive.
    ReceiverStopped,
    /// The broker is stopped.
    BrokerStopped,
    /// The scraper's connection breaks.
    ScraperCut,
    /// The receiver's connection breaks.
    ReceiverCut,
    /// The scraper's connection carries nothing until the keep-alive ends it.
    ScraperHalfOpen,
    /// The receiver's connection carries nothing until the keep-alive ends it.
    ReceiverHalfOpen,
    /// The receiver's connection is slow.
    ReceiverSlow,
    /// The broker's queue holds few messages, and the receiver is away.
    QueueOverflows,
    /// The broker acknowledges the scraper's messages and drops them.
    ScraperForbidden,
    /// The store takes nothing.
    StoreRefuses,
    /// The store takes what it is given, and its answers are lost.
    StoreAnswersLost,
    /// The store is emptied, and all that it lost is asked for again.
    StoreRefilled,
    /// The journal's disk is full.
    DiskFull,
    /// The journal is removed while the scraper does not run.
    JournalRemoved,
    /// The journal is removed while the scraper runs: it goes on with a file that ends with it.
    JournalUnlinked,
    /// An older copy of the journal is put back while the scraper does not run: it shows in the file.
    JournalRestored,
    /// The disk with the journal is rolled back while the scraper does not run: nothing on it shows that.
    DiskRolledBack,
    /// The receiver's marks are lost.
    MarksLost,
    /// A second scraper for the same Envoy, with a journal of its own.
    SecondScraper,
    /// The Envoy does not answer.
    EnvoyAway,
    /// The Envoy lists nothing.
    EnvoyEmpty,
    /// The Envoy's clock is set back.
    EnvoySetBack,
}

impl Fault {
    /// All there are.
    pub const ALL: [Self; 30] = [
        Self::ScraperKilled,
        Self::ScraperKilledBeforePublishing,
        Self::ReceiverKilled,
        Self::ReceiverKilledBeforeAcknowledging,
        Self::BrokerKilled,
        Self::BrokerRolledBack,
        Self::BrokerWiped,
        Self::ScraperStopped,
        Self::ReceiverStopped,
        Self::BrokerStopped,
        Self::ScraperCut,
        Self::ReceiverCut,
        Self::ScraperHalfOpen,
        Self::ReceiverHalfOpen,
        Self::ReceiverSlow,
        Self::QueueOverflows,
        Self::ScraperForbidden,
        Self::StoreRefuses,
        Self::StoreAnswersLost,
        Self::StoreRefilled,
        Self::DiskFull,
        Self::JournalRemoved,
        Self::JournalUnlinked,
        Self::JournalRestored,
        Self::DiskRolledBack,
        Self::MarksLost,
        Self::SecondScraper,
        Self::EnvoyAway,
        Self::EnvoyEmpty,
        Self::EnvoySetBack,
    ];

    /// Whether a live message on a plain topic may be older than the one before it, because nobody
    /// knows any more what that one was.
    #[must_use]
    pub fn excuses_steps_back(self) -> bool {
        matches!(
            self,
            Self::JournalRemoved | Self::JournalUnlinked | Self::SecondScraper
        )
    }
}

/// Whether these may cost readings. Numbers of a disk that was rolled back name other readings, and it
/// takes a broker or a receiver that remembers to find out. A broker that is killed forgets; one that has
/// heard of a journal under another id since, after an earlier time of the same, has forgotten this one.
pub(crate) fn excuse_losses(plan: &[Planned]) -> bool {
    let count = |wanted: &[Fault]| {
        let dealt = plan.iter().filter(|one| wanted.contains(&one.fault));
        dealt.count()
    };
    let forgets = [
        Fault::BrokerKilled,
        Fault::BrokerRolledBack,
        Fault::BrokerWiped,
    ];
    let put_back = [Fault::DiskRolledBack, Fault::JournalRestored];
    count(&[Fault::DiskRolledBack]) > 0 && (count(&forgets) > 0 || count(&put_back) > 1)
}

/// A fault, its begin, and how long it lasts, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Planned {
    /// What goes wrong.
    pub fault: Fault,
    /// When.
    pub at: u64,
    /// For how long.
    pub lasts: u64,
}

/// The schedule of a seed, in order of time: three to twelve of these faults.
pub(crate) fn plan(rng: &mut StdRng, among: &[Fault]) -> Vec<Planned> {
    let number = rng.random_range(3..=12);
    let mut plan: Vec<Planned> = (0..number)
        .map(|_| {
            let at = rng.random_range(60..FAULTY - 60);
            Planned {
                fault: *among.choose(rng).expect("there are some"),
                at,
                lasts: rng.random_range(10..600).min(FAULTY - at),
            }
        })
        .collect();
    plan.sort_by_key(|planned| planned.at);
    plan
}

//! What can go wrong.

use std::fmt;

/// Something that goes wrong for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names that are printed say it")]
pub enum Fault {
    ScraperKilled,
    ScraperStopped,
    SecondScraper,
    JournalDiskFull,
    JournalReadOnly,
    JournalTakenAway,
    JournalRemoved,
    JournalRestored,
    ReceiverKilled,
    ReceiverStopped,
    ReceiverStateRemoved,
    SecondReceiver,
    QueueOverflows,
    BrokerKilled,
    BrokerStopped,
    BrokerRolledBack,
    BrokerWiped,
    StoreKilled,
    StoreStopped,
    StoreUnavailable,
    StoreOverloaded,
    StoreFails,
    StoreRefusesToken,
    StoreAnswersLost,
    StoreAnswersHeld,
    LinkCut,
    LinkHalfOpen,
    LinkSlow,
    LinkReset,
    EnvoyStopped,
    EnvoyHangs,
    EnvoyRefuses,
    EnvoyReboots,
    EnvoyClockSetBack,
}

/// What a fault takes hold of. Of two faults of a round none has the same hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The scraper of one Envoy, and its journal.
    Scraper,
    /// One Envoy, and the link to it.
    Envoy,
    /// The receiver and its state.
    Receiver,
    /// The broker and its disk.
    Broker,
    /// The database.
    Store,
    /// One of the links.
    Link,
}

impl Fault {
    /// All there are.
    pub const ALL: [Self; 34] = [
        Self::ScraperKilled,
        Self::ScraperStopped,
        Self::SecondScraper,
        Self::JournalDiskFull,
        Self::JournalReadOnly,
        Self::JournalTakenAway,
        Self::JournalRemoved,
        Self::JournalRestored,
        Self::ReceiverKilled,
        Self::ReceiverStopped,
        Self::ReceiverStateRemoved,
        Self::SecondReceiver,
        Self::QueueOverflows,
        Self::BrokerKilled,
        Self::BrokerStopped,
        Self::BrokerRolledBack,
        Self::BrokerWiped,
        Self::StoreKilled,
        Self::StoreStopped,
        Self::StoreUnavailable,
        Self::StoreOverloaded,
        Self::StoreFails,
        Self::StoreRefusesToken,
        Self::StoreAnswersLost,
        Self::StoreAnswersHeld,
        Self::LinkCut,
        Self::LinkHalfOpen,
        Self::LinkSlow,
        Self::LinkReset,
        Self::EnvoyStopped,
        Self::EnvoyHangs,
        Self::EnvoyRefuses,
        Self::EnvoyReboots,
        Self::EnvoyClockSetBack,
    ];

    /// As it is printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ScraperKilled => "scraper killed",
            Self::ScraperStopped => "scraper stopped",
            Self::SecondScraper => "second scraper",
            Self::JournalDiskFull => "journal's disk full",
            Self::JournalReadOnly => "journal unwritable",
            Self::JournalTakenAway => "journal removed in use",
            Self::JournalRemoved => "journal removed",
            Self::JournalRestored => "journal from a copy",
            Self::ReceiverKilled => "receiver killed",
            Self::ReceiverStopped => "receiver stopped",
            Self::ReceiverStateRemoved => "receiver's state removed",
            Self::SecondReceiver => "second receiver",
            Self::QueueOverflows => "queue overflows",
            Self::BrokerKilled => "broker killed",
            Self::BrokerStopped => "broker stopped",
            Self::BrokerRolledBack => "broker rolled back",
            Self::BrokerWiped => "broker wiped",
            Self::StoreKilled => "InfluxDB killed",
            Self::StoreStopped => "InfluxDB stopped",
            Self::StoreUnavailable => "InfluxDB says 503",
            Self::StoreOverloaded => "InfluxDB says 429",
            Self::StoreFails => "InfluxDB says 500",
            Self::StoreRefusesToken => "InfluxDB says 401",
            Self::StoreAnswersLost => "InfluxDB's answers lost",
            Self::StoreAnswersHeld => "InfluxDB's answers held",
            Self::LinkCut => "link cut",
            Self::LinkHalfOpen => "link half-open",
            Self::LinkSlow => "link slow",
            Self::LinkReset => "link reset",
            Self::EnvoyStopped => "Envoy stopped",
            Self::EnvoyHangs => "Envoy hangs",
            Self::EnvoyRefuses => "Envoy refuses",
            Self::EnvoyReboots => "Envoy reboots",
            Self::EnvoyClockSetBack => "Envoy's clock set back",
        }
    }

    /// What it takes hold of.
    #[must_use]
    pub fn parts(self) -> &'static [Part] {
        match self {
            Self::ScraperKilled
            | Self::ScraperStopped
            | Self::SecondScraper
            | Self::JournalDiskFull
            | Self::JournalReadOnly
            | Self::JournalTakenAway
            | Self::JournalRemoved
            | Self::JournalRestored => &[Part::Scraper],
            Self::ReceiverKilled
            | Self::ReceiverStopped
            | Self::ReceiverStateRemoved
            | Self::SecondReceiver => &[Part::Receiver],
            Self::QueueOverflows => &[Part::Receiver, Part::Broker],
            Self::BrokerKilled
            | Self::BrokerStopped
            | Self::BrokerRolledBack
            | Self::BrokerWiped => &[Part::Broker],
            Self::StoreKilled
            | Self::StoreStopped
            | Self::StoreUnavailable
            | Self::StoreOverloaded
            | Self::StoreFails
            | Self::StoreRefusesToken
            | Self::StoreAnswersLost
            | Self::StoreAnswersHeld => &[Part::Store],
            // One of them may be the link to the Envoy.
            Self::LinkCut | Self::LinkHalfOpen | Self::LinkSlow | Self::LinkReset => {
                &[Part::Link, Part::Envoy]
            }
            Self::EnvoyStopped
            | Self::EnvoyHangs
            | Self::EnvoyRefuses
            | Self::EnvoyReboots
            | Self::EnvoyClockSetBack => &[Part::Envoy],
        }
    }

    /// Whether it is about a link.
    #[must_use]
    pub fn is_of_a_link(self) -> bool {
        self.parts().contains(&Part::Link)
    }

    /// Whether it is about one of the Envoys or its scraper.
    #[must_use]
    pub fn is_of_one_envoy(self) -> bool {
        let of_one = |part: &Part| matches!(part, Part::Scraper | Part::Envoy);
        self.parts().iter().any(of_one) && !self.is_of_a_link()
    }

    /// Whether the broker forgets by it what it had acknowledged.
    #[must_use]
    pub fn makes_the_broker_forget(self) -> bool {
        matches!(
            self,
            Self::BrokerKilled | Self::BrokerRolledBack | Self::BrokerWiped | Self::QueueOverflows
        )
    }

    /// Whether a live message that steps back in time can't be helped: what knew the newest reading is
    /// gone, somebody else publishes, or the Envoy itself goes back.
    #[must_use]
    pub fn excuses_steps_back(self) -> bool {
        matches!(
            self,
            Self::JournalRemoved | Self::SecondScraper | Self::EnvoyClockSetBack
        )
    }

    /// Whether it has to last for more than one and a half keep-alives to be noticed, or to do harm.
    #[must_use]
    pub fn is_silent(self) -> bool {
        matches!(
            self,
            Self::ScraperStopped
                | Self::ReceiverStopped
                | Self::BrokerStopped
                | Self::StoreStopped
                | Self::EnvoyStopped
                | Self::LinkHalfOpen
                | Self::StoreAnswersHeld
                | Self::QueueOverflows
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

//! What the publisher has to say: once when it begins and once when it ends, whatever its length.

use std::collections::BTreeSet;
use std::time::Duration;

use daemon::broker::explain;
use daemon::outage::Outage;
use mqtt::{Reason, SubscribeError};
use tokio::time::Instant;
use wire::{InstanceId, JournalId, Serial};

use crate::delivery::link::MOST_HELD;

/// Other scrapers that are named in one day. Each start of one is another instance, and one that is
/// started again each minute must not fill the log.
const OTHERS: usize = 8;

/// After this long a second scraper that is still there is named again.
const DAY: Duration = Duration::from_hours(24);

/// Requests of receivers less than this apart are said once: a long gap is asked for piece by piece.
const ONE_REPLAY: Duration = Duration::from_mins(10);

/// What was said already.
#[derive(Debug)]
pub(crate) struct Complaints {
    envoy: Serial,
    broker: Outage,
    /// Whether there was a connection at all.
    connected_once: bool,
    /// Since when the broker does not let us publish, and that was said.
    silenced: Option<Instant>,
    /// What is not said again.
    said: BTreeSet<Said>,
    /// Readings given up since an outage's end said their number.
    lost: u64,
    others: BTreeSet<InstanceId>,
    others_since: Instant,
    /// When a receiver last asked for readings.
    asked: Option<Instant>,
}

/// What is said once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    /// The broker does not let us subscribe to our own topics.
    Deaf,
    /// Nor to what was announced to Home Assistant before.
    Blind,
    /// It shows more than any Envoy has.
    Crowded,
}

impl Complaints {
    pub(crate) fn new(envoy: Serial) -> Self {
        Self {
            envoy,
            broker: Outage::new("no connection to the broker"),
            connected_once: false,
            silenced: None,
            said: BTreeSet::new(),
            lost: 0,
            others: BTreeSet::new(),
            others_since: Instant::now(),
            asked: None,
        }
    }

    pub(crate) fn disconnected(&mut self, reason: &Reason) {
        let needs_a_person = reason.needs_a_person();
        self.broker.failed(&explain(reason), needs_a_person);
    }

    /// There is a connection, and so many readings have waited for it. Told again and again.
    pub(crate) fn connected(&mut self, waiting: u64) {
        let first = !std::mem::replace(&mut self.connected_once, true);
        let Some(ended) = self.broker.over() else {
            if first {
                tracing::info!(envoy = %self.envoy, "connected to the broker");
            }
            return;
        };
        let (outage_s, given_up) = (ended.seconds(), std::mem::take(&mut self.lost));
        if given_up > 0 {
            tracing::error!(
                outage_s,
                waiting,
                given_up,
                "connected to the broker again; the oldest readings are lost"
            );
        } else {
            tracing::info!(outage_s, waiting, "connected to the broker again");
        }
    }

    /// When [`connected`](Self::connected) has something to say, if the connection holds until then.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.broker.ends()
    }

    pub(crate) fn cannot_listen(&mut self, error: &SubscribeError) {
        // The end of a connection is said as such.
        if !matches!(error, SubscribeError::Gone(_)) && self.said.insert(Said::Deaf) {
            tracing::warn!(%error, "can't listen to our own topics");
        }
    }

    /// An account may have lost its rights where devices were announced before.
    pub(crate) fn cannot_look_for_devices(&mut self, error: &SubscribeError) {
        if !matches!(error, SubscribeError::Gone(_)) && self.said.insert(Said::Blind) {
            tracing::warn!(%error, "what was announced to Home Assistant before can't be looked for");
        }
    }

    /// Our own announcement did not come back on this connection.
    pub(crate) fn not_allowed(&mut self) {
        if self.silenced.is_some() {
            return;
        }
        self.silenced = Some(Instant::now());
        tracing::error!(
            envoy = %self.envoy,
            "not allowed to publish: our own announcement did not come back. Give this account read \
             and write access to the topics of this Envoy (mosquitto/account scraper SERIAL --keep-password does). \
             Readings are kept until it comes"
        );
    }

    /// Our own announcement came back.
    pub(crate) fn allowed(&mut self, waiting: u64) {
        self.said.remove(&Said::Deaf);
        let Some(since) = self.silenced.take() else {
            return;
        };
        let (outage_s, given_up) = (since.elapsed().as_secs(), std::mem::take(&mut self.lost));
        if given_up > 0 {
            tracing::error!(
                outage_s,
                waiting,
                given_up,
                "the broker lets us publish now; the oldest readings are lost"
            );
        } else {
            tracing::info!(
                outage_s,
                waiting,
                "the broker lets us publish now; what it may have dropped is sent again"
            );
        }
    }

    /// The broker shows readings of more than any Envoy has.
    pub(crate) fn too_many_topics(&mut self) {
        if self.said.insert(Said::Crowded) {
            tracing::warn!(
                envoy = %self.envoy,
                most = MOST_HELD,
                "the broker retains readings of more inverters, meters and batteries of this Envoy than any has; \
                 further ones are not looked at. Take the right to publish from whoever invents them, and have the \
                 broker forget them"
            );
        }
    }

    pub(crate) fn another_scraper(&mut self, instance: &InstanceId) {
        if self.others_since.elapsed() >= DAY {
            self.others.clear();
            self.others_since = Instant::now();
        }
        if self.others.len() < OTHERS && self.others.insert(instance.clone()) {
            tracing::error!(
                envoy = %self.envoy,
                %instance,
                "a second scraper publishes for this Envoy; stop one of them"
            );
        }
    }

    /// So many more readings have left the journal before the broker had taken them, and so many wait.
    /// Told again and again.
    pub(crate) fn given_up(&mut self, readings: u64, waiting: u64) {
        if readings > 0 && self.lost == 0 {
            tracing::error!(
                "more readings wait for the broker than the journal holds: the oldest are given up \
                 (setting: JOURNAL_SIZE)"
            );
        }
        self.lost += readings;
        // Where more was lost than an outage's end could know.
        if self.lost > 0 && waiting == 0 {
            let readings = std::mem::take(&mut self.lost);
            tracing::error!(readings, "given up before the broker took the rest");
        }
    }

    /// The Envoy's clock was set back by over a day, as was seen just now, or by so many plain topics that are later.
    pub(crate) fn set_back(&self, topics: usize, seen: bool) {
        if topics == 0 && !seen {
            return;
        }
        tracing::warn!(
            envoy = %self.envoy,
            topics,
            "the Envoy's clock was set back by over a day: its topics show earlier times from now on, and each inverter's \
             value is not fresh until it reports"
        );
    }

    /// A receiver lacks so many readings that we hold.
    pub(crate) fn asked_again(&mut self, readings: u64) {
        if readings == 0 {
            return;
        }
        let first = self.asked.is_none_or(|last| last.elapsed() >= ONE_REPLAY);
        self.asked = Some(Instant::now());
        if first {
            tracing::info!(readings, "a receiver lacks readings; they are sent again");
        } else {
            tracing::debug!(readings, "a receiver lacks more readings");
        }
    }

    /// Our journal's numbers named readings that it does not have.
    pub(crate) fn journal_renewed(&self, from: &JournalId, to: &JournalId) {
        tracing::warn!(
            envoy = %self.envoy,
            %from,
            %to,
            "this journal's id was seen with numbers that it never had: it was put back from an older copy, or \
             another scraper has a copy of it (or somebody asked for what never was). It goes on under a \
             new id, and receivers fetch all of it again. Never restore or copy a journal: start with an \
             empty one"
        );
    }

    /// The end, with readings of which the broker has not shown that it has them. A journal on disk
    /// keeps them for the next start.
    pub(crate) fn stopped_with(&self, waiting: u64, on_disk: bool) {
        let envoy = &self.envoy;
        if on_disk {
            tracing::info!(%envoy, waiting, "stopped with readings that wait for the broker; the journal keeps them");
        } else {
            tracing::error!(
                %envoy,
                waiting,
                "stopped with readings of which the broker has not shown that it took them; without a \
                 journal on disk they may be lost"
            );
        }
    }
}

//! What a subscriber sees on the plain topics.

use std::collections::{BTreeMap, BTreeSet};

use rig::ledger::Report;
use rig::servers::{Client, Seen};

/// A subscriber with a clean session, which looks on through everything.
pub struct Watch {
    client: Client,
    /// How many of its messages were looked at.
    looked_at: usize,
    /// The newest live reading on each topic, by its time.
    newest: BTreeMap<String, i64>,
}

/// A live message that is older than the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepBack {
    /// The Envoy that it is about.
    pub envoy: String,
    /// The topic.
    pub topic: String,
    /// From which time to which, in seconds since 1970.
    pub times: (i64, i64),
}

impl Watch {
    /// Looks on with a client that is subscribed to the plain topics.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            looked_at: 0,
            newest: BTreeMap::new(),
        }
    }

    /// Steps back since this was asked last.
    pub fn steps_back(&mut self) -> Vec<StepBack> {
        let seen = self.client.seen();
        let new = &seen[self.looked_at..];
        self.looked_at = seen.len();
        new.iter()
            .filter_map(|message| step(&mut self.newest, message))
            .collect()
    }

    /// What live messages have said of an Envoy's inverters: each inverter with the time of a report.
    #[must_use]
    pub fn seen(&self, envoy: &str) -> BTreeSet<(String, i64)> {
        let seen = self.client.seen();
        let of_envoy = format!("envoy/{envoy}/");
        let live = seen.iter().filter(|message| {
            message.topic.starts_with(&of_envoy) && !message.retain && !message.payload.is_empty()
        });
        let reports = live.map(|message| Report::published(message.text()));
        reports
            .map(|report| (report.inverter, report.reported_at))
            .collect()
    }

    /// Forgets what an Envoy's topics have shown: from here on its readings may be older.
    pub fn forget(&mut self, envoy: &str) {
        let of_envoy = format!("envoy/{envoy}/");
        self.newest.retain(|topic, _| !topic.starts_with(&of_envoy));
    }
}

fn step(newest: &mut BTreeMap<String, i64>, message: &Seen) -> Option<StepBack> {
    if message.payload.is_empty() {
        return None;
    }
    let report = Report::published(message.text());
    let newest = newest.entry(message.topic.clone()).or_insert(i64::MIN);
    let before = *newest;
    if message.retain {
        // What the broker kept from before is not live: after it was rolled back that may be old. But
        // what was live while nobody looked is among it.
        *newest = before.max(report.reported_at);
        return None;
    }
    *newest = report.reported_at;
    (report.reported_at < before).then(|| StepBack {
        envoy: report.envoy,
        topic: message.topic.clone(),
        times: (before, report.reported_at),
    })
}

//! What a subscriber sees on the plain topics.

use std::collections::BTreeMap;

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

    /// Forgets what an Envoy's topics have shown: from here on its readings may be older.
    pub fn forget(&mut self, envoy: &str) {
        let of_envoy = format!("envoy/{envoy}/");
        self.newest.retain(|topic, _| !topic.starts_with(&of_envoy));
    }
}

fn step(newest: &mut BTreeMap<String, i64>, message: &Seen) -> Option<StepBack> {
    // What the broker kept from before is not live: after it was rolled back that may be old.
    if message.retain || message.payload.is_empty() {
        return None;
    }
    let report = Report::published(message.text());
    let before = newest.insert(message.topic.clone(), report.reported_at)?;
    (report.reported_at < before).then(|| StepBack {
        envoy: report.envoy,
        topic: message.topic.clone(),
        times: (before, report.reported_at),
    })
}

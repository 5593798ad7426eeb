//! The inverters and batteries that are forgotten: nothing is retained of them, until they report again.
//!
//! A gateway lists an inverter that was replaced or taken down for ever, with its last report. So what `forget`
//! clears would come back: out of the journal with the next connection, out of the gateway's list with the next
//! poll. That it is forgotten is written down in the state directory, where a scraper that runs sees it with its
//! next poll and clears what is retained, and one that starts later at its start. A report with another time ends
//! it.
//!
//! Each is cleared once: Home Assistant warns of a device that is cleared and not there.
//!
//! Readings that are stored stay stored, and the journal keeps what it has.

mod file;

use std::collections::{BTreeMap, BTreeSet};

use mqtt::Message;
use wire::{
    BaseTopic, GatewayState, Health, InverterState, Reading, ReportTime, Serial, Subject, Topic,
};

use crate::home_assistant::Topics;

pub(crate) use file::File;

/// What is forgotten, each with the time of its last report where that is known.
pub(crate) type Since = BTreeMap<Subject, Option<ReportTime>>;

/// Keeps what is forgotten of an Envoy from being shown.
#[derive(Debug)]
pub(crate) struct Forgotten {
    file: File,
    envoy: Serial,
    base: BaseTopic,
    /// Where Home Assistant is told of them, or was while that was switched on: what was announced then is retained.
    home_assistant: Topics,
    /// Whether the file was looked at.
    looked: bool,
    /// What has yet to be cleared.
    due: BTreeSet<(Subject, What)>,
}

/// What is retained of an inverter or a battery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// Its device in Home Assistant, first: without it nobody misses the values.
    Device,
    /// Its newest reading.
    Reading,
}

impl Forgotten {
    /// Those that are written down in a file.
    pub(crate) fn new(file: File, envoy: Serial, base: BaseTopic, home_assistant: Topics) -> Self {
        Self {
            file,
            envoy,
            base,
            home_assistant,
            looked: false,
            due: BTreeSet::new(),
        }
    }

    /// Looks whether more were forgotten since the last look: those. Whoever was so before the first one was
    /// cleared, or the broker shows what it still has; see [`heard`](Self::heard).
    pub(crate) fn look(&mut self) -> Vec<Subject> {
        let new = self.file.look();
        for subject in &new {
            tracing::info!(%subject, "this is forgotten until it reports again");
            if self.looked {
                self.clear(subject);
            }
        }
        self.looked = true;
        new
    }

    fn clear(&mut self, subject: &Subject) {
        self.due.insert((subject.clone(), What::Device));
        self.due.insert((subject.clone(), What::Reading));
    }

    /// What is forgotten now.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.file.since().keys()
    }

    /// Whether this is forgotten.
    pub(crate) fn has(&self, subject: &Subject) -> bool {
        self.file.since().contains_key(subject)
    }

    /// These are new. Whose they are is not forgotten any more; but a journal that was begun anew takes
    /// the report for new that was the last one before.
    pub(crate) fn reported(&mut self, readings: &[Reading]) {
        let since = self.file.since();
        let back: Vec<Subject> = readings
            .iter()
            .filter_map(|reading| {
                let subject = reading.subject();
                let last = since.get(&subject)?;
                (*last != Some(reading.at())).then_some(subject)
            })
            .collect();
        for subject in back {
            tracing::info!(%subject, "what was forgotten reports again");
            self.due.retain(|(due, _)| *due != subject);
            self.file.remove(&subject);
        }
    }

    /// Takes the forgotten out of what is said of all.
    pub(crate) fn leave_out_of(&self, health: &mut Health) {
        for serial in self.subjects().filter_map(Subject::inverter) {
            if let Some(inverter) = health.inverters.remove(serial) {
                let count = match inverter.state {
                    InverterState::Reporting => &mut health.reporting,
                    InverterState::Asleep => &mut health.asleep,
                    InverterState::Silent => &mut health.silent,
                };
                *count = count.saturating_sub(1);
                health.total = health.total.saturating_sub(1);
            }
        }
    }

    /// Takes the forgotten out of the gateway's lists of what its topics show: theirs are not there.
    pub(crate) fn leave_out_of_lists(&self, gateway: &mut GatewayState) {
        let is_forgotten = |path: &String| Subject::from_path(path).is_some_and(|of| self.has(&of));
        gateway.stale.retain(|path| !is_forgotten(path));
        let has = |serial: &Serial| self.has(&Subject::Inverter(serial.clone()));
        gateway.not_of_today.retain(|serial| !has(serial));
    }

    /// Takes in what the broker retains on one of our own topics. One that is back at an older state has a reading
    /// of a forgotten one again, and its device with that: of what Home Assistant reads we are not told.
    pub(crate) fn heard(&mut self, topic: &str, payload: &[u8]) {
        if self.file.since().is_empty() || payload.is_empty() {
            return;
        }
        if let Ok(Topic::Plain { subject, .. }) = Topic::parse(&self.base, topic)
            && self.has(&subject)
        {
            self.clear(&subject);
        }
    }

    /// What is to be published next.
    pub(crate) fn next_message(&mut self) -> Option<Message> {
        let (subject, what) = self.due.pop_first()?;
        let topic = match what {
            What::Reading => reading_topic(&self.base, &self.envoy, &subject),
            What::Device => self.home_assistant.config_of(&subject)?,
        };
        Some(clearing(topic))
    }
}

/// The retained topic of the newest reading of this.
pub(crate) fn reading_topic(base: &BaseTopic, envoy: &Serial, subject: &Subject) -> String {
    let topic = Topic::Plain {
        envoy: envoy.clone(),
        subject: subject.clone(),
    };
    topic.render(base)
}

/// What has a broker forget what it retains on a topic.
pub(crate) fn clearing(topic: String) -> Message {
    Message {
        topic,
        payload: Vec::new().into(),
        retain: true,
    }
}

#[cfg(test)]
mod tests;

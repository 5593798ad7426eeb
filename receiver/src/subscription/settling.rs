//! From a message to its acknowledgement: in line, in a batch, in the store.

use std::sync::Arc;

use daemon::deadline::at;
use mqtt::{Acknowledgement, Delivery};
use store::{MarkedStore, Marks};
use tokio::time::Instant;
use wire::{JournalId, Serial};

use super::Subscription;
use crate::content::Content;
use crate::gathering::{Batch, Entry};
use crate::writer::{Attempt, Outcome, Writing};

impl<S: MarkedStore> Subscription<S> {
    /// Puts a message in line: acknowledgements go out in the order of arrival, also those of messages
    /// that need not be stored.
    pub(super) fn take(&mut self, delivery: Delivery) {
        let (mut reading, mut dead) = (None, None);
        match self.judge.content(&self.base, &delivery) {
            // The broker sends what it keeps with each connection; the store has it.
            Content::Reading(known)
                if delivery.retain && self.is_marked(&known.envoy, &known.journal, known.seq) => {}
            Content::Reading(new) => {
                let (topic, payload) = (&delivery.topic, &delivery.payload);
                dead = self.census.refuses(&new, topic, payload).map(Arc::new);
                if dead.is_none() {
                    if !delivery.retain {
                        self.audit.received(&new.envoy, &new.journal, new.seq);
                    }
                    reading = Some(new);
                }
            }
            Content::Announcement(envoy, announcement) => {
                if self.census.admits(&envoy) {
                    self.take_announcement(&envoy, &announcement);
                }
            }
            Content::Health(mut health) => {
                if self.census.admit(&mut health) {
                    self.healths.heard(health, delivery.retain);
                }
            }
            Content::Nothing => {}
            Content::Refused(mut letter) => {
                if letter
                    .place()
                    .is_some_and(|(envoy, ..)| !self.census.admits(envoy))
                {
                    letter.forget_place();
                }
                let place = letter.place().filter(|_| delivery.retain);
                let is_known =
                    place.is_some_and(|(envoy, journal, seq)| self.is_marked(envoy, journal, *seq));
                dead = Some(letter).filter(|_| !is_known).map(Arc::new);
            }
        }
        let entry = Entry {
            reading,
            dead,
            acknowledgement: delivery.acknowledgement,
        };
        self.gathering.push(entry, Instant::now());
    }

    fn is_marked(&self, envoy: &Serial, journal: &JournalId, seq: u64) -> bool {
        self.marks.contains(envoy, journal, seq)
    }

    pub(super) fn write_next(&mut self) {
        let batch = self.gathering.take();
        // What the marks of these Envoys will be once this batch is stored.
        self.saving = self.marks.take_unsaved();
        let envoys = batch.places().map(|(envoy, ..)| envoy);
        let mut marks = self.marks.of(envoys.chain(&self.saving));
        mark(&mut marks, &batch);
        self.writing = Some(self.writer.begin(batch, marks));
    }

    /// Only here is anything marked and acknowledged: behind the store.
    pub(super) async fn conclude(&mut self, attempt: Attempt<Acknowledgement>) {
        self.writing = None;
        let is_marked = attempt.is_marked();
        let saving = std::mem::take(&mut self.saving);
        match self.writer.end(attempt, self.gathering.waiting()) {
            Outcome::Again(batch, not_before) => {
                self.audit.store_fails();
                self.status.1 = "the store takes no readings";
                self.say_status();
                self.marks.still_unsaved(saving);
                self.gathering.put_back(batch, not_before);
            }
            Outcome::Settled(batch) => {
                mark(&mut self.marks, &batch);
                // Mostly those of an Envoy follow each other.
                let mut envoys: Vec<_> = batch.places().map(|(envoy, ..)| envoy).collect();
                envoys.dedup();
                for envoy in envoys {
                    self.audit.marked(envoy);
                }
                if !is_marked {
                    // With the next batch, whosever that is.
                    let envoys = batch.places().map(|(envoy, ..)| envoy.clone());
                    self.marks
                        .still_unsaved(saving.into_iter().chain(envoys).collect());
                }
                if !batch.readings().is_empty() {
                    self.audit.store_takes(Instant::now());
                    self.status.1 = "readings are stored";
                    self.say_status();
                }
                for acknowledgement in batch.into_acknowledgements() {
                    // On a connection that has ended there is nothing to acknowledge: the broker
                    // sends the message again, and storing it twice does no harm.
                    if acknowledgement.send().await.is_ok() {
                        self.metrics.last_acknowledge.is_now();
                    }
                }
            }
        }
    }

    pub(super) async fn store_the_rest(&mut self) {
        while self.writing.is_some() || self.gathering.due().is_some() {
            if self.writing.is_none() {
                at(self.gathering.due()).await;
                self.write_next();
            }
            let attempt = written(&mut self.writing).await;
            self.conclude(attempt).await;
        }
    }
}

/// Marks what is settled with a batch. Mostly the places of a journal follow each other.
fn mark(marks: &mut Marks, batch: &Batch<Acknowledgement>) {
    let mut places = batch.places().peekable();
    while let Some((envoy, journal, first)) = places.next() {
        let mut last = first;
        while let Some((_, _, seq)) = places.next_if_eq(&(envoy, journal, last + 1)) {
            last = seq;
        }
        marks.settle(envoy, journal, first..=last);
    }
}

/// Completes with the write under way; never without one.
pub(super) async fn written(
    writing: &mut Option<Writing<Acknowledgement>>,
) -> Attempt<Acknowledgement> {
    match writing {
        Some(writing) => writing.await,
        None => std::future::pending().await,
    }
}

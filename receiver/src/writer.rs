//! Writes batches to the store, one at a time, and says when it can't.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use daemon::exit::with_causes;
use daemon::outage::Outage;
use store::{Marked, MarkedStore, Marks, MarksError, WriteError, Written};
use tokio::time::Instant;
use wire::{BaseTopic, Reading};

use crate::dead_letters::{DeadLetter, DeadLetters};
use crate::gathering::Batch;
use crate::metrics::Metrics;

/// The first pause after a failed write, before jitter.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// How often it is said that readings are older than the bucket keeps them: an Envoy whose clock is
/// wrong has some at each poll.
const RETENTION_SAID_EVERY: Duration = Duration::from_hours(24);

/// How many readings that the store refused for good are said one by one.
const GIVEN_UP_SAID: usize = 16;

/// A write under way.
pub(crate) type Writing<A> = Pin<Box<dyn Future<Output = Attempt<A>> + Send>>;

/// A batch and what the store answered.
pub(crate) struct Attempt<A> {
    batch: Batch<A>,
    /// Whether there were marks to be saved.
    has_marks: bool,
    answer: Result<Marked, WriteError>,
}

impl<A> Attempt<A> {
    /// Whether its marks are saved.
    pub(crate) fn is_marked(&self) -> bool {
        matches!(&self.answer, Ok(marked) if marked.saved.is_ok())
    }
}

/// What is to be done with a batch.
#[derive(Debug)]
pub(crate) enum Outcome<A> {
    /// Each of its readings is stored or known to be unstorable: it may be acknowledged.
    Settled(Batch<A>),
    /// Nothing is known of it: it must be written again, not before this time.
    Again(Batch<A>, Instant),
}

/// Writes batches to a store.
pub(crate) struct Writer<S> {
    store: Arc<S>,
    base: BaseTopic,
    dead_letters: DeadLetters,
    metrics: Metrics,
    longest_pause: Duration,
    pauses: ExponentialBackoff,
    outage: Outage,
    /// Readings that the bucket does not keep, since that was said last, and when it was.
    outside_retention: (usize, Option<Instant>),
    /// While the marks can't be saved.
    unsaved: Outage,
    /// Readings that the store refused for good, since the start.
    given_up: usize,
}

impl<S: MarkedStore> Writer<S> {
    pub(crate) fn new(
        store: Arc<S>,
        base: BaseTopic,
        dead_letters: DeadLetters,
        metrics: Metrics,
        longest_pause: Duration,
    ) -> Self {
        Self {
            store,
            base,
            dead_letters,
            metrics,
            pauses: pauses(longest_pause),
            longest_pause,
            given_up: 0,
            outage: Outage::new("the store takes no readings; they are kept"),
            outside_retention: (0, None),
            unsaved: Outage::new(
                "the marks of what is stored can't be saved; after a restart it is fetched once more",
            ),
        }
    }

    /// The marks that were saved last. Where they can't be had there are none, and everything that the
    /// journals hold is fetched once more.
    pub(crate) async fn marks(&self) -> Marks {
        self.store.marks().await.unwrap_or_else(|error| {
            tracing::warn!(
                error = with_causes(&error),
                "there are no marks of what is stored; everything that the journals hold is fetched \
                 once more"
            );
            Marks::default()
        })
    }

    /// Replaces all marks. Whether that is durable.
    pub(crate) async fn save(&mut self, marks: &Marks) -> bool {
        let saved = self.store.save(marks).await;
        self.note_saved(&saved)
    }

    /// Begins to write a batch; `marks` are those of its Envoys, with its readings marked. Its dead letters are kept once
    /// it is stored, those too that the store makes of it.
    pub(crate) fn begin<A: Send + 'static>(&self, batch: Batch<A>, marks: Marks) -> Writing<A> {
        let store = Arc::clone(&self.store);
        let (base, kept) = (self.base.clone(), self.dead_letters.clone());
        let metrics = self.metrics.clone();
        let has_marks = !marks.is_empty();
        Box::pin(async move {
            let readings = batch.readings();
            #[cfg(feature = "sabotage")]
            if daemon::sabotage::is(daemon::sabotage::Sabotage::MarkEarly) {
                let _ = store.update(&marks).await;
            }
            let answer = if readings.is_empty() {
                let saved = if has_marks {
                    store.update(&marks).await
                } else {
                    Ok(())
                };
                Ok(Marked {
                    written: Written::default(),
                    saved,
                })
            } else {
                let began = Instant::now();
                let answer = store.store(readings, &marks).await;
                metrics.wrote(began.elapsed(), readings.len());
                answer
            };
            if let Ok(marked) = &answer {
                let mut letters: Vec<Arc<DeadLetter>> = batch.dead_letters().cloned().collect();
                letters.extend(unstorable(&base, readings, &marked.written).map(Arc::new));
                metrics.dead_letters(letters.len());
                keep(kept, letters).await;
            }
            Attempt {
                batch,
                has_marks,
                answer,
            }
        })
    }

    /// Judges what the store answered; `behind` messages wait behind this batch.
    pub(crate) fn end<A>(&mut self, attempt: Attempt<A>, behind: usize) -> Outcome<A> {
        if attempt.batch.readings().is_empty() {
            // Nothing was written, so nothing is known of the store.
            if let Ok(marked) = &attempt.answer
                && attempt.has_marks
            {
                self.note_saved(&marked.saved);
            }
            return Outcome::Settled(attempt.batch);
        }
        match attempt.answer {
            Ok(Marked { written, saved }) => {
                self.note_saved(&saved);
                let readings = attempt.batch.readings().len();
                self.metrics.stored(readings, &written);
                self.say_that_it_is_over(readings + behind);
                self.pauses = pauses(self.longest_pause);
                self.say_what_is_given_up(&attempt.batch, &written);
                self.note_outside_retention(written.outside_retention);
                Outcome::Settled(attempt.batch)
            }
            Err(error) => {
                self.metrics.write_failed(&error);
                let needs_a_person = !matches!(error, WriteError::Unavailable { .. });
                self.outage.failed(&with_causes(&error), needs_a_person);
                Outcome::Again(attempt.batch, Instant::now() + self.pause(&error))
            }
        }
    }

    fn say_what_is_given_up<A>(&mut self, batch: &Batch<A>, written: &Written) {
        for unstorable in &written.unstorable {
            let reading = batch.readings().get(unstorable.index).map(Reading::encode);
            let reason = &unstorable.reason;
            self.given_up += 1;
            if self.given_up > GIVEN_UP_SAID {
                tracing::debug!(
                    reading,
                    reason,
                    "another reading that the store will never take"
                );
                continue;
            }
            tracing::error!(
                reading,
                reason,
                "the store will never take this reading; it is given up"
            );
            if self.given_up == GIVEN_UP_SAID {
                tracing::error!(
                    readings = GIVEN_UP_SAID,
                    "no further readings that are given up are said; the file of dead letters has them"
                );
            }
        }
        tracing::debug!(readings = batch.readings().len(), "stored");
    }

    fn say_that_it_is_over(&mut self, waited: usize) {
        if let Some(ended) = self.outage.over() {
            let (outage_s, failed_writes) = (ended.seconds(), ended.failures);
            tracing::info!(
                outage_s,
                failed_writes,
                waited,
                "the store takes readings again"
            );
        }
    }

    fn note_saved(&mut self, saved: &Result<(), MarksError>) -> bool {
        match saved {
            Err(error) => self.unsaved.failed(&with_causes(error), true),
            Ok(()) => {
                if let Some(ended) = self.unsaved.over() {
                    let outage_s = ended.seconds();
                    tracing::info!(outage_s, "the marks of what is stored are saved again");
                }
            }
        }
        saved.is_ok()
    }

    fn note_outside_retention(&mut self, more: usize) {
        let (readings, said) = &mut self.outside_retention;
        *readings += more;
        let now = Instant::now();
        if *readings > 0 && said.is_none_or(|said| now - said >= RETENTION_SAID_EVERY) {
            tracing::info!(readings, "older than the bucket keeps readings");
            (*readings, *said) = (0, Some(now));
        }
    }

    fn pause(&mut self, error: &WriteError) -> Duration {
        let own = self.pauses.next().unwrap_or(self.longest_pause);
        match error {
            WriteError::Unavailable {
                retry_after: Some(asked),
                ..
            } => own.max(*asked),
            _ => own,
        }
    }
}

/// What is to be kept of the readings that the store will never take.
fn unstorable(
    base: &BaseTopic,
    readings: &[Reading],
    written: &Written,
) -> impl Iterator<Item = DeadLetter> {
    written.unstorable.iter().filter_map(|unstorable| {
        let reading = readings.get(unstorable.index)?;
        let topic = reading.topic().render(base);
        let reason = unstorable.reason.clone();
        Some(DeadLetter::new(&topic, reading.encode().as_bytes(), reason))
    })
}

async fn keep(kept: DeadLetters, letters: Vec<Arc<DeadLetter>>) {
    if letters.is_empty() {
        return;
    }
    let task = tokio::task::spawn_blocking(move || kept.append(&letters));
    // A panic in there is a mistake of ours, and no reason to hold readings back.
    if let Err(error) = task.await {
        tracing::error!(%error, "dead letters could not be kept");
    }
}

/// Pauses that double up to `longest`, each with jitter, which adds up to as much again.
pub(crate) fn pauses(longest: Duration) -> ExponentialBackoff {
    let longest = longest / 2;
    ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE.min(longest))
        .with_max_delay(longest)
        .with_jitter()
        .without_max_times()
        .build()
}

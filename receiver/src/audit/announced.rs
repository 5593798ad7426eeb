//! What one journal was announced to hold, and since when.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::time::Instant;
use wire::{JournalId, JournalSpan};

/// Announcements of which it is remembered when they came. Over that some numbers are old enough a
/// little later. There is one or two a minute; a flood of them takes no more than this for each of up to 16 journals of
/// an Envoy.
const STEPS: usize = 16;

/// How long after its last announcement a journal is taken to be there.
const HELD_FOR: Duration = Duration::from_mins(15);

/// A journal that was announced.
#[derive(Debug)]
pub(super) struct Announced {
    span: JournalSpan,
    heard: Instant,
    /// The highest number that came since then, and 0 before any did.
    came: u64,
    /// When higher last numbers were announced first, and these.
    steps: VecDeque<(Instant, u64)>,
    /// Up to this number all were announced long enough ago.
    due: u64,
    /// When it was announced to hold nothing below this number.
    gone: Option<(Instant, u64)>,
    /// The same, long enough ago: what was on its way then has come.
    gone_long: Option<u64>,
}

impl Announced {
    pub(super) fn new(span: &JournalSpan, now: Instant) -> Self {
        let mut announced = Self {
            span: span.clone(),
            heard: now,
            came: 0,
            steps: VecDeque::new(),
            due: 0,
            gone: None,
            gone_long: None,
        };
        announced.step(span.last(), now);
        announced
    }

    pub(super) fn id(&self) -> &JournalId {
        self.span.id()
    }

    /// When it was announced last.
    pub(super) fn heard(&self) -> Instant {
        self.heard
    }

    /// The lowest number that it holds, as it was announced last.
    pub(super) fn first(&self) -> u64 {
        self.span.first()
    }

    /// The highest number that it has given out, as it was announced last.
    pub(super) fn last(&self) -> u64 {
        self.span.last()
    }

    /// It was announced again. The last word counts, also where it takes something back.
    pub(super) fn again(&mut self, span: &JournalSpan, now: Instant) {
        let last = span.last();
        self.steps.retain(|(_, announced)| *announced <= last);
        self.due = self.due.min(last);
        let known = self.steps.back().map_or(self.due, |(_, last)| *last);
        if last > known {
            self.step(last, now);
        }
        self.span = span.clone();
        self.heard = now;
        self.came = 0;
    }

    /// A reading of it came.
    pub(super) fn received(&mut self, seq: u64) {
        self.came = self.came.max(seq);
    }

    /// Whether the store's highest number is above what was announced, and not for what came after that.
    pub(super) fn is_below(&self, highest: u64) -> bool {
        highest > self.last() && highest > self.came
    }

    /// Below which number nothing was held `wait` ago, once that is known.
    pub(super) fn gone(&mut self, wait: Duration, now: Instant) -> Option<u64> {
        if let Some((since, first)) = self.gone
            && now >= since + wait
        {
            self.gone_long = Some(first);
            self.gone = None;
        }
        let first = self.span.first();
        if self.gone.is_none() && self.gone_long.is_none_or(|gone| first > gone) {
            self.gone = Some((now, first));
        }
        self.gone_long
    }

    fn step(&mut self, last: u64, now: Instant) {
        if self.steps.len() == STEPS {
            self.steps.pop_back();
        }
        self.steps.push_back((now, last));
    }

    /// Whether it is taken to be there.
    pub(super) fn is_held(&self, now: Instant) -> bool {
        now < self.heard + HELD_FOR
    }

    /// When it is next due for more, or no longer taken to be there, unless it is announced again.
    pub(super) fn changes_at(&self, wait: Duration) -> Instant {
        let forgotten = self.heard + HELD_FOR;
        let step = self.steps.front().map(|(since, _)| *since + wait);
        step.map_or(forgotten, |due| due.min(forgotten))
    }

    /// The numbers that it holds and that were announced `wait` ago or longer.
    pub(super) fn due(&mut self, wait: Duration, now: Instant) -> RangeInclusive<u64> {
        while let Some((since, last)) = self.steps.front()
            && now >= *since + wait
        {
            self.due = self.due.max(*last);
            self.steps.pop_front();
            if self.steps.is_empty() {
                // It is for most of the time.
                self.steps = VecDeque::new();
            }
        }
        self.span.first()..=self.due
    }
}

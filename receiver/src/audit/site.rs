//! The audit of one Envoy.

use std::ops::RangeInclusive;
use std::time::Duration;

use rangemap::RangeInclusiveSet;
use store::Marks;
use tokio::time::Instant;
use wire::{
    Announcement, InstanceId, JournalId, JournalSpan, MAX_JOURNALS, MAX_RANGES, ReplayRequest,
    Serial,
};

use super::Finding;
use super::announced::Announced;

/// The most readings of one request. Few enough for the queue that a broker keeps for us.
pub const PIECE: u64 = 1_000;

/// The fewest, after pieces of which only a part came: some queue on the way is as short as that.
const SMALLEST_PIECE: u64 = 20;

/// The longest pause between two requests while nothing comes.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// One Envoy's journals and what was asked of its scraper.
#[derive(Debug)]
pub(super) struct Site {
    envoy: Serial,
    wait: Duration,
    heard: Instant,
    instance: Option<InstanceId>,
    journals: Vec<Announced>,
    asked: Option<Asked>,
    /// How many readings the next request may ask for.
    piece: u64,
    /// The pause after the next request in vain.
    pause: Duration,
    /// What did not come when it was asked for: the end of the line.
    deferred: Vec<(JournalId, RangeInclusiveSet<u64>)>,
    /// How many readings were found missing since nothing was.
    missing: u64,
    /// When it was last asked about a journal that holds less than we have of it.
    doubted: Option<Instant>,
}

/// A request that is out.
#[derive(Debug)]
struct Asked {
    journal: JournalId,
    ranges: Vec<RangeInclusive<u64>>,
    /// How many readings were asked for.
    readings: u64,
    /// How many of these are not stored yet.
    left: u64,
    /// When it was sent, or something of it was stored last.
    moved: Instant,
}

impl Site {
    pub(super) fn new(envoy: Serial, wait: Duration, now: Instant) -> Self {
        Self {
            envoy,
            wait,
            heard: now,
            instance: None,
            journals: Vec::new(),
            asked: None,
            piece: PIECE,
            pause: wait,
            deferred: Vec::new(),
            missing: 0,
            doubted: None,
        }
    }

    pub(super) fn heard(&self) -> Instant {
        self.heard
    }

    pub(super) fn announced(
        &mut self,
        announcement: &Announcement,
        marks: &mut Marks,
        now: Instant,
    ) -> Vec<Finding> {
        self.heard = now;
        if self.instance.as_ref() != Some(&announcement.instance) {
            // A scraper that has just started knows nothing of what was asked before.
            self.instance = Some(announcement.instance.clone());
            self.asked = None;
            self.pause = self.wait;
        }
        let mut findings = Vec::new();
        for span in &announcement.journals {
            findings.extend(self.lost(span, marks));
            let known = self
                .journals
                .iter_mut()
                .find(|known| known.id() == span.id());
            match known {
                Some(known) => known.again(span, now),
                None => self.journals.push(Announced::new(span, now)),
            }
        }
        self.journals.retain(|journal| journal.is_held(now));
        while self.journals.len() > MAX_JOURNALS {
            self.journals.remove(0);
        }
        findings
    }

    /// What is below a journal's first number, and is not stored, nobody has any more.
    fn lost(&self, span: &JournalSpan, marks: &mut Marks) -> Option<Finding> {
        let readings = marks.holds_from(&self.envoy, span.id(), span.first());
        (readings > 0).then(|| Finding::Lost {
            envoy: self.envoy.clone(),
            journal: span.id().clone(),
            readings,
        })
    }

    /// What is to be asked for at `now`.
    pub(super) fn request(
        &mut self,
        marks: &Marks,
        now: Instant,
        findings: &mut Vec<Finding>,
    ) -> Option<ReplayRequest> {
        if let Some(doubt) = self.doubt(marks, now) {
            return Some(doubt);
        }
        if self.is_busy(marks, now) {
            return None;
        }
        let lacking = self.lacking(marks, now);
        let total: u64 = lacking.iter().map(|(_, ranges)| count(ranges)).sum();
        if total == 0 {
            self.rest(findings);
            return None;
        }
        if self.missing == 0 {
            findings.push(Finding::Missing {
                envoy: self.envoy.clone(),
                readings: total,
            });
        }
        self.missing = self.missing.max(total);
        let (journal, ranges) = self.next_piece(&lacking)?;
        let readings = count(&ranges);
        self.asked = Some(Asked {
            journal: journal.clone(),
            ranges: ranges.clone(),
            readings,
            left: readings,
            moved: now,
        });
        ReplayRequest::new(journal, ranges).ok()
    }

    /// A journal that was announced with less than we have of it was put back from an older copy, and its
    /// numbers come to name other readings. Asking for the highest one tells its scraper, which gives it
    /// another id. (It may be an old announcement that a broker kept; then this one reading comes again.)
    fn doubt(&mut self, marks: &Marks, now: Instant) -> Option<ReplayRequest> {
        if self.doubted.is_some_and(|last| now < last + self.wait) {
            return None;
        }
        let said_last = self.journals.iter().filter(|one| one.heard() == self.heard);
        let (journal, highest) = said_last
            .filter_map(|one| Some((one, marks.highest(&self.envoy, one.id())?)))
            .find(|(one, highest)| *highest > one.last())?;
        self.doubted = Some(now);
        let highest = highest..=highest;
        ReplayRequest::new(journal.id().clone(), vec![highest]).ok()
    }

    /// Whether a request is out that may still be answered.
    fn is_busy(&mut self, marks: &Marks, now: Instant) -> bool {
        let Some(asked) = &mut self.asked else {
            return false;
        };
        // What has left the journal meanwhile will not come.
        let held = self.journals.iter().find(|one| *one.id() == asked.journal);
        let first = held.map_or(u64::MAX, Announced::first);
        let still = |range: &RangeInclusive<u64>| {
            let held = first.max(*range.start())..=*range.end();
            marks.missing(&self.envoy, &asked.journal, &held)
        };
        let left: Vec<RangeInclusive<u64>> = asked.ranges.iter().flat_map(still).collect();
        if count(&left) < asked.left {
            asked.left = count(&left);
            asked.moved = now;
            self.pause = self.wait;
        }
        if left.is_empty() {
            self.piece = (2 * self.piece).min(PIECE);
            self.asked = None;
            return false;
        }
        if now < asked.moved + self.pause {
            return true;
        }
        let came = asked.readings - asked.left;
        if came > 0 {
            self.piece = came.clamp(SMALLEST_PIECE, PIECE);
        } else {
            self.pause = (2 * self.pause).min(LONGEST_PAUSE);
        }
        let journal = asked.journal.clone();
        self.asked = None;
        self.defer(journal, left);
        false
    }

    /// What the journals hold, was announced long enough ago, and is not in the store.
    fn lacking(
        &mut self,
        marks: &Marks,
        now: Instant,
    ) -> Vec<(JournalId, Vec<RangeInclusive<u64>>)> {
        let (envoy, wait) = (&self.envoy, self.wait);
        let held = self.journals.iter_mut().filter(|one| one.is_held(now));
        held.map(|journal| {
            let due = journal.due(wait, now);
            let missing = marks.missing(envoy, journal.id(), &due);
            (journal.id().clone(), missing)
        })
        .collect()
    }

    /// The lowest that was not asked for in vain; once all was, from the beginning again.
    fn next_piece(
        &mut self,
        lacking: &[(JournalId, Vec<RangeInclusive<u64>>)],
    ) -> Option<(JournalId, Vec<RangeInclusive<u64>>)> {
        for (journal, ranges) in lacking {
            let vain = self.deferred.iter().find(|(id, _)| id == journal);
            let ranges = match vain {
                Some((_, vain)) => ranges.iter().flat_map(|range| vain.gaps(range)).collect(),
                None => ranges.clone(),
            };
            let piece = first(&ranges, self.piece);
            if !piece.is_empty() {
                return Some((journal.clone(), piece));
            }
        }
        self.deferred.clear();
        lacking.iter().find_map(|(journal, ranges)| {
            let piece = first(ranges, self.piece);
            (!piece.is_empty()).then(|| (journal.clone(), piece))
        })
    }

    fn defer(&mut self, journal: JournalId, ranges: Vec<RangeInclusive<u64>>) {
        let known = self.deferred.iter().position(|(id, _)| *id == journal);
        let place = known.unwrap_or_else(|| {
            self.deferred.push((journal, RangeInclusiveSet::new()));
            self.deferred.len() - 1
        });
        self.deferred[place].1.extend(ranges);
        // Bounded: so much is never out of order.
        if self.deferred[place].1.len() > MAX_RANGES || self.deferred.len() > MAX_JOURNALS {
            self.deferred.clear();
        }
    }

    /// Nothing is missing.
    fn rest(&mut self, findings: &mut Vec<Finding>) {
        self.deferred.clear();
        self.pause = self.wait;
        let readings = std::mem::take(&mut self.missing);
        if readings > 0 {
            findings.push(Finding::Filled {
                envoy: self.envoy.clone(),
                readings,
            });
        }
    }
}

fn count(ranges: &[RangeInclusive<u64>]) -> u64 {
    ranges
        .iter()
        .map(|range| range.end() - range.start() + 1)
        .sum()
}

/// The first so many numbers of these ranges.
fn first(ranges: &[RangeInclusive<u64>], most: u64) -> Vec<RangeInclusive<u64>> {
    let mut left = most;
    let mut taken = Vec::new();
    for range in ranges.iter().take(MAX_RANGES) {
        let last = (*range.end()).min(range.start() + left - 1);
        taken.push(*range.start()..=last);
        left -= last - range.start() + 1;
        if left == 0 {
            break;
        }
    }
    taken
}

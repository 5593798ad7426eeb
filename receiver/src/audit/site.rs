//! The audit of one Envoy.

use std::ops::RangeInclusive;
use std::time::Duration;

use store::Marks;
use tokio::time::Instant;
use wire::{Announcement, InstanceId, JournalId, ReplayRequest, Serial};

use super::Finding;
use super::announced::Announced;
use super::line::{Line, count};

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
    asked: Option<Box<Asked>>,
    /// How many readings the next request may ask for.
    piece: u64,
    /// The pause after the next request in vain.
    pause: Duration,
    line: Line,
    /// How many readings were found missing since nothing was.
    missing: u64,
    /// At the last look a journal was announced with less than we have of it: which, and our highest number.
    suspected: Option<Box<(JournalId, u64)>>,
    /// When it was last asked about such a journal.
    doubted: Option<Instant>,
}

/// What may be asked for now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Readings that the store lacks.
    pub(super) for_piece: bool,
    /// The highest one of a journal that seems to have been put back.
    pub(super) for_doubt: bool,
}

/// What is asked for.
#[derive(Debug)]
pub(super) enum Request {
    /// Readings that the store lacks.
    Piece(ReplayRequest),
    /// The highest one of a journal that seems to have been put back.
    Doubt(ReplayRequest),
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
    /// When it was sent.
    since: Instant,
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
            line: Line::default(),
            missing: 0,
            suspected: None,
            doubted: None,
        }
    }

    pub(super) fn heard(&self) -> Instant {
        self.heard
    }

    /// How many journals are held.
    pub(super) fn journals(&self) -> usize {
        self.journals.len()
    }

    pub(super) fn announced(
        &mut self,
        announcement: &Announcement,
        marks: &mut Marks,
        most_journals: usize,
        may_judge: bool,
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
        self.forget_vanished(marks, now, &mut findings);
        for span in &announcement.journals {
            let place = self.journals.iter().position(|one| one.id() == span.id());
            let place = place.unwrap_or_else(|| {
                // Nearly always there is only one.
                self.journals.reserve_exact(1);
                self.journals.push(Announced::new(span, now));
                self.journals.len() - 1
            });
            self.journals[place].again(span, now);
            if may_judge && let Some(first) = self.journals[place].gone(self.wait, now) {
                findings.extend(self.lost(span.id(), first, marks));
            }
        }
        if self.journals.len() > most_journals {
            let gone = self.journals.len() - most_journals;
            self.journals.drain(..gone);
            self.journals.shrink_to_fit();
        }
        findings
    }

    /// A reading came.
    pub(super) fn received(&mut self, journal: &JournalId, seq: u64) {
        let mut journals = self.journals.iter_mut();
        if let Some(announced) = journals.find(|one| one.id() == journal) {
            announced.received(seq);
        }
    }

    /// The marks were forgotten.
    pub(super) fn start_over(&mut self) {
        self.asked = None;
        self.line.clear();
        self.pause = self.wait;
        self.missing = 0;
    }

    /// What has been below a journal's first number for a while, and is not stored, nobody has any more.
    fn lost(&mut self, journal: &JournalId, first: u64, marks: &mut Marks) -> Option<Finding> {
        let readings = marks.holds_from(&self.envoy, journal, first);
        self.missing = self.missing.saturating_sub(readings);
        (readings > 0).then(|| Finding::Lost {
            envoy: self.envoy.clone(),
            journal: journal.clone(),
            readings,
        })
    }

    /// What is not announced any more can't be asked for.
    fn forget_vanished(&mut self, marks: &Marks, now: Instant, findings: &mut Vec<Finding>) {
        let (envoy, wait) = (&self.envoy, self.wait);
        self.journals.retain_mut(|journal| {
            if journal.is_held(now) {
                return true;
            }
            let due = journal.due(wait, now);
            let readings = count(&marks.missing(envoy, journal.id(), &due)).min(self.missing);
            if readings > 0 {
                self.missing -= readings;
                findings.push(Finding::Vanished {
                    envoy: envoy.clone(),
                    journal: journal.id().clone(),
                    readings,
                });
            }
            false
        });
    }

    /// Whether a request is out that its scraper may be about to answer; no longer where it has let time pass, though it
    /// sends a little now and then.
    pub(super) fn is_answering(&self, now: Instant) -> bool {
        let asked = self.asked.as_ref();
        asked.is_some_and(|asked| now < asked.since + self.wait)
    }

    /// Whether nothing of what was asked for last has come for a while.
    pub(super) fn was_in_vain(&self, now: Instant) -> bool {
        let asked = self.asked.as_ref();
        self.pause > self.wait || asked.is_some_and(|asked| now >= asked.moved + self.wait)
    }

    /// What is to be asked for at `now`; nothing is without room for it.
    pub(super) fn request(
        &mut self,
        marks: &Marks,
        room: Room,
        now: Instant,
        findings: &mut Vec<Finding>,
    ) -> Option<Request> {
        self.forget_vanished(marks, now, findings);
        if room.for_doubt
            && let Some(doubt) = self.doubt(marks, now)
        {
            return Some(Request::Doubt(doubt));
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
        if !room.for_piece {
            return None;
        }
        let (journal, ranges) = self.line.next(&lacking, self.piece)?;
        let readings = count(&ranges);
        self.asked = Some(Box::new(Asked {
            journal: journal.clone(),
            ranges: ranges.clone(),
            readings,
            left: readings,
            since: now,
            moved: now,
        }));
        ReplayRequest::new(journal, ranges).ok().map(Request::Piece)
    }

    /// A journal that was announced with less than we have of it was put back from an older copy, and its
    /// numbers come to name other readings. Asking for the highest one tells its scraper, which gives it
    /// another id.
    ///
    /// What came after its announcement says nothing, since the next one will name it. Nor does one look alone:
    /// a broker may have kept an older announcement, or let readings overtake one, and then the next is close
    /// behind. To wait for the next one itself, minutes perhaps, would be too long: by then a journal that grows
    /// may hold as many again, and would pass for the one that we know.
    fn doubt(&mut self, marks: &Marks, now: Instant) -> Option<ReplayRequest> {
        let said_last = self.journals.iter().filter(|one| one.heard() == self.heard);
        let suspected = said_last
            .filter_map(|one| Some((one, marks.highest(&self.envoy, one.id())?)))
            .find(|(one, highest)| one.is_below(*highest))
            .map(|(one, highest)| (one.id().clone(), highest, one.last()));
        let Some((journal, highest, last)) = suspected else {
            self.suspected = None;
            return None;
        };
        let before = self.suspected.replace(Box::new((journal.clone(), highest)));
        let is_the_same = before.is_some_and(|before| before.0 == journal && before.1 > last);
        if !is_the_same || self.doubted.is_some_and(|last| now < last + self.wait) {
            return None;
        }
        self.doubted = Some(now);
        ReplayRequest::new(journal, vec![highest..=highest]).ok()
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
        self.line.defer(journal, left);
        false
    }

    /// What the journals hold, was announced long enough ago, and is not in the store.
    fn lacking(
        &mut self,
        marks: &Marks,
        now: Instant,
    ) -> Vec<(JournalId, Vec<RangeInclusive<u64>>)> {
        let (envoy, wait) = (&self.envoy, self.wait);
        let journals = self.journals.iter_mut();
        journals
            .map(|journal| {
                let due = journal.due(wait, now);
                let missing = marks.missing(envoy, journal.id(), &due);
                (journal.id().clone(), missing)
            })
            .collect()
    }

    /// Nothing is missing.
    fn rest(&mut self, findings: &mut Vec<Finding>) {
        self.line.clear();
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

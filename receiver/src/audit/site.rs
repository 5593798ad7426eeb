//! The audit of one Envoy.

mod asked;
mod doubt;

use std::ops::RangeInclusive;
use std::time::Duration;

use store::Marks;
use tokio::time::Instant;
use wire::{Announcement, InstanceId, JournalId, ReplayRequest, Serial};

use super::Finding;
use super::announced::Announced;
use super::line::{Line, count};
use asked::Asked;

/// The most readings of one request. Few enough for the queue that a broker keeps for us.
pub const PIECE: u64 = 1_000;

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

/// For how long an Envoy need not be looked at, unless something of it is announced or marked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rest {
    /// Something is missing, asked for or suspected, or it was not looked at.
    None,
    /// Until its next number is due, or a journal is no longer taken to be there.
    Until(Instant),
    /// It has no journal.
    UntilTold,
}

impl Rest {
    pub(super) fn lasts(self, now: Instant) -> bool {
        match self {
            Self::None => false,
            Self::Until(end) => now < end,
            Self::UntilTold => true,
        }
    }
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
            self.lacks_nothing(findings);
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

    /// How long there is nothing to ask for nor to tell after a look with this room.
    pub(super) fn rest(&self, room: Room) -> Rest {
        let is_quiet =
            room.for_doubt && self.asked.is_none() && self.missing == 0 && self.suspected.is_none();
        if !is_quiet {
            return Rest::None;
        }
        let journals = self.journals.iter();
        let changes = journals.map(|journal| journal.changes_at(self.wait));
        changes.min().map_or(Rest::UntilTold, Rest::Until)
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
    fn lacks_nothing(&mut self, findings: &mut Vec<Finding>) {
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

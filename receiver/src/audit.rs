//! Which readings the store lacks, and when to ask whom for them: pure, with the time as an argument.
//!
//! Scrapers announce what their journals hold; the [`Marks`] say what the store has. What was announced
//! a while ago and is not marked has got lost on the way (the broker was killed, its queue overflowed,
//! its disk was replaced, a write did not last), and the scraper still has it. Nothing else is asked for
//! and nothing is sent again on suspicion.
//!
//! An Envoy is asked for one piece at a time, lowest numbers first, the next once that one is stored.
//! What does not come goes to the end of the line. While nothing comes at all, the pause between two
//! requests doubles.
//!
//! An Envoy that lacks nothing rests until something of it is announced or marked, or until its next number is old
//! enough: with 20,000 Envoys to look at each of them each second would take a fiftieth of a processor. Marks that are
//! forgotten for want of room wake nobody: they are asked for after the next announcement, minutes later at most.

mod announced;
mod line;
mod site;

use std::collections::BTreeMap;
use std::time::Duration;

use store::Marks;
use tokio::time::Instant;
use wire::{Announcement, JournalId, MAX_JOURNALS, ReplayRequest, Serial};

use site::{Request, Rest, Room, Site};

pub use site::PIECE;

/// Envoys that are audited: more than a receiver has. Announcements come from outside.
pub const MOST_ENVOYS: usize = store::MOST_ENVOYS;

/// Journals of all Envoys that are audited, beside [those](FEW_JOURNALS) that each may have.
const MOST_JOURNALS: usize = 2 * MOST_ENVOYS;

/// Journals of an Envoy that are audited when there are too many of all. A scraper has one or two.
const FEW_JOURNALS: usize = 2;

/// Envoys that may be answering at a time, each with a [`PIECE`]: all of that has room in the queue that the broker
/// keeps for us.
pub const MOST_ASKED: usize = 256;

/// Journals that may be doubted in one look. That is one reading each, so they don't count among those
/// that answer; but whoever publishes for many Envoys could have all of them doubted at once.
pub const MOST_DOUBTED: usize = 256;

/// What the user should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// So many readings that an Envoy's journals hold are not in the store; they are asked for.
    Missing {
        /// The Envoy.
        envoy: Serial,
        /// How many.
        readings: u64,
    },
    /// All that was missing is in the store.
    Filled {
        /// The Envoy.
        envoy: Serial,
        /// How many there were.
        readings: u64,
    },
    /// A journal is not announced any more, and so many readings of it that were found missing still are.
    /// They are asked for when it is announced again.
    Vanished {
        /// The Envoy.
        envoy: Serial,
        /// The journal.
        journal: JournalId,
        /// How many.
        readings: u64,
    },
    /// So many readings have left a journal before they were stored: nobody has them any more.
    Lost {
        /// The Envoy.
        envoy: Serial,
        /// The journal.
        journal: JournalId,
        /// How many.
        readings: u64,
    },
}

/// The audit of all Envoys whose announcements came.
#[derive(Debug)]
pub struct Audit {
    /// How long a reading may take from its announcement to the store, and the first pause after a
    /// request in vain.
    wait: Duration,
    /// The last write has failed.
    store_fails: bool,
    /// Nothing is asked for before this: the store catches up.
    not_before: Option<Instant>,
    sites: BTreeMap<Serial, Looked>,
    /// Who was asked last: it goes on behind that one.
    asked_last: Option<Serial>,
    /// How many journals all of them have.
    journals: usize,
}

/// An Envoy, and when to look at it again.
#[derive(Debug)]
struct Looked {
    rest: Rest,
    site: Box<Site>,
}

impl Audit {
    /// Nothing was announced yet.
    #[must_use]
    pub fn new(wait: Duration) -> Self {
        Self {
            wait,
            store_fails: false,
            not_before: None,
            sites: BTreeMap::new(),
            asked_last: None,
            journals: 0,
        }
    }

    /// An Envoy's scraper has announced what it holds. What had left its journals a while ago and was never
    /// stored is told, once: `marks` remember that.
    pub fn announced(
        &mut self,
        envoy: &Serial,
        announcement: &Announcement,
        marks: &mut Marks,
        now: Instant,
    ) -> Vec<Finding> {
        let may_judge = !self.is_postponed(now);
        if !self.sites.contains_key(envoy) {
            let site = Box::new(Site::new(envoy.clone(), self.wait, now));
            let looked = Looked {
                rest: Rest::None,
                site,
            };
            self.sites.insert(envoy.clone(), looked);
        }
        let Some(Looked { rest, site }) = self.sites.get_mut(envoy) else {
            return Vec::new();
        };
        *rest = Rest::None;
        let before = site.journals();
        self.journals -= before;
        // Nobody's journals give way to those of whoever invents some.
        let has_room = self.journals + announcement.journals.len() <= MOST_JOURNALS;
        let most = if has_room {
            MAX_JOURNALS
        } else {
            before.max(FEW_JOURNALS)
        };
        let findings = site.announced(announcement, marks, most, may_judge, now);
        self.journals += site.journals();
        if self.sites.len() > MOST_ENVOYS {
            self.make_room();
        }
        findings
    }

    /// A reading came from its scraper, or out of the broker's queue; not one that the broker retained, which
    /// may be of any age.
    pub fn received(&mut self, envoy: &Serial, journal: &JournalId, seq: u64) {
        if let Some(looked) = self.sites.get_mut(envoy) {
            looked.site.received(journal, seq);
        }
    }

    /// Readings of an Envoy were marked.
    pub fn marked(&mut self, envoy: &Serial) {
        if let Some(looked) = self.sites.get_mut(envoy) {
            looked.rest = Rest::None;
        }
    }

    fn is_postponed(&self, now: Instant) -> bool {
        self.store_fails || self.not_before.is_some_and(|not_before| now < not_before)
    }

    /// A write has failed: what the store lacks waits here and in the broker's queue. Nothing is asked for
    /// nor said to be lost until it [takes](Self::store_takes) that, however long its next attempt is away.
    pub fn store_fails(&mut self) {
        self.store_fails = true;
    }

    /// A write has succeeded. After one that had failed the store gets the time to take what has waited.
    pub fn store_takes(&mut self, now: Instant) {
        if std::mem::take(&mut self.store_fails) {
            self.not_before = Some(now + self.wait);
        }
    }

    /// What is to be asked for at `now`, and whom, given what the store has.
    pub fn requests(
        &mut self,
        marks: &Marks,
        now: Instant,
    ) -> (Vec<(Serial, ReplayRequest)>, Vec<Finding>) {
        let mut requests = Vec::new();
        let mut findings = Vec::new();
        if self.is_postponed(now) {
            return (requests, findings);
        }
        let sites = self.sites.iter();
        let awake: Vec<Serial> = sites
            .filter(|(_, looked)| !looked.rest.lasts(now))
            .map(|(envoy, _)| envoy.clone())
            .collect();
        let is_answering = |envoy: &&Serial| self.sites[*envoy].site.is_answering(now);
        let mut under_way = awake.iter().filter(is_answering).count();
        let mut doubted = 0;
        // Whoever did not answer comes after all others, and else one after the other.
        let last = self.asked_last.clone();
        let next = awake.partition_point(|envoy| last.as_ref().is_some_and(|last| envoy <= last));
        let (earlier, later) = awake.split_at(next);
        for in_vain in [false, true] {
            for envoy in later.iter().chain(earlier) {
                let Some(Looked { rest, site }) = self.sites.get_mut(envoy) else {
                    continue;
                };
                if site.was_in_vain(now) != in_vain {
                    continue;
                }
                self.journals -= site.journals();
                let room = Room {
                    for_piece: under_way < MOST_ASKED,
                    for_doubt: doubted < MOST_DOUBTED,
                };
                let request = site.request(marks, room, now, &mut findings);
                self.journals += site.journals();
                *rest = site.rest(room);
                let request = match request {
                    Some(Request::Piece(request)) => {
                        under_way += 1;
                        self.asked_last = Some(envoy.clone());
                        request
                    }
                    Some(Request::Doubt(request)) => {
                        doubted += 1;
                        request
                    }
                    None => continue,
                };
                requests.push((envoy.clone(), request));
            }
        }
        (requests, findings)
    }

    /// The marks were forgotten: all that is held is missing, and asked for from its lowest number on.
    pub fn start_over(&mut self) {
        for looked in self.sites.values_mut() {
            looked.rest = Rest::None;
            looked.site.start_over();
        }
    }

    /// Makes room: those that were silent for longest go, some more than must, so that it is not done each time.
    fn make_room(&mut self) {
        let sites = self.sites.values().map(|looked| &looked.site);
        let mut heard: Vec<_> = sites.map(|site| site.heard()).collect();
        heard.sort_unstable();
        let gone = heard.len() / 16;
        let Some(since) = heard.get(gone) else { return };
        let mut left = gone;
        self.sites.retain(|_, looked| {
            // Of those that were heard at the same time some may stay.
            let goes = left > 0 && looked.site.heard() <= *since;
            left -= usize::from(goes);
            !goes
        });
        let sites = self.sites.values().map(|looked| &looked.site);
        self.journals = sites.map(|site| site.journals()).sum();
    }
}

#[cfg(test)]
mod tests;

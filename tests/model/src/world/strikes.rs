//! What each fault does to the world, and how all of them end.

use std::cell::RefCell;
use std::rc::Rc;

use rand::RngExt;

use super::{KEEP_ALIVE, STEP, World};
use crate::disk::Disk;
use crate::faults::{Fault, Planned};
use crate::network::Quality;
use crate::publisher::{CLIENT, Scraper, at};
use crate::subscriber::State;

impl World {
    pub(super) fn strike(&mut self, planned: &Planned, now: u64) {
        let until = now + planned.lasts;
        let receiver = &mut self.receivers[0];
        match planned.fault {
            Fault::ScraperKilled => self.kill_scraper(until),
            Fault::ScraperKilledBeforePublishing => {
                self.scraper_dies_after_append = Some(planned.lasts);
            }
            Fault::ReceiverKilled => receiver.kill(until, &mut self.broker, self.rng.random()),
            Fault::ReceiverKilledBeforeAcknowledging => {
                receiver.dies_before_acknowledging = Some(planned.lasts);
            }
            Fault::BrokerKilled => self.broker.kill(until, 0),
            Fault::BrokerRolledBack => {
                self.broker.kill(until, self.rng.random_range(1..=4));
            }
            Fault::BrokerWiped => self.broker.wipe(until),
            Fault::ScraperStopped => {
                self.scraper_stopped_until = until.max(now + KEEP_ALIVE + STEP);
                self.half_open(CLIENT, now);
            }
            Fault::ReceiverStopped => {
                receiver.stopped_until = until.max(now + KEEP_ALIVE + STEP);
                let client = receiver.client();
                self.half_open(&client, now);
            }
            Fault::BrokerStopped => {
                self.broker.stopped_until = until;
                for connection in self.broker.connections.values_mut() {
                    connection.quality = Quality::HalfOpen(now + KEEP_ALIVE);
                }
            }
            Fault::ScraperCut => self.broker.cut(CLIENT, until),
            Fault::ReceiverCut => self.broker.cut(&receiver.client(), until),
            Fault::ScraperHalfOpen => self.half_open(CLIENT, now),
            Fault::ReceiverHalfOpen => {
                let client = receiver.client();
                self.half_open(&client, now);
            }
            Fault::ReceiverSlow => {
                if let Some(connection) = self.broker.connections.get_mut(&receiver.client()) {
                    connection.quality = Quality::Slow(1);
                }
            }
            Fault::QueueOverflows => {
                self.broker.queue_limit = 20;
                receiver.kill(until, &mut self.broker, true);
            }
            Fault::ScraperForbidden => {
                self.broker.forbidden.insert(CLIENT.to_owned(), until);
            }
            Fault::StoreRefuses => receiver.database.refuses_until = until,
            Fault::StoreAnswersLost => receiver.database.answers_lost_until = until,
            Fault::StoreRefilled => {
                receiver.database.points.clear();
                receiver.state.refill = true;
            }
            Fault::DiskFull => {
                self.disk.borrow_mut().full = true;
                self.disk_full_until = self.disk_full_until.max(until);
            }
            Fault::JournalRemoved => {
                self.kill_scraper(until);
                self.disk.borrow_mut().remove();
            }
            Fault::JournalUnlinked => {
                let runs = self.scraper.is_some();
                self.disk.borrow_mut().unlink(runs);
            }
            Fault::JournalRestored => {
                self.kill_scraper(until);
                self.disk.borrow_mut().restore(true);
            }
            Fault::DiskRolledBack => {
                self.kill_scraper(until);
                self.disk.borrow_mut().restore(false);
            }
            Fault::MarksLost => {
                receiver.kill(until, &mut self.broker, true);
                receiver.state = State::default();
            }
            Fault::SecondScraper => self.start_second(until, now),
            Fault::EnvoyAway => self.gateway.away_until = until,
            Fault::EnvoyEmpty => self.gateway.empty_until = until,
            Fault::EnvoySetBack => self.gateway.set_back(),
        }
        // For a later fault: what the journal was like.
        self.disk.borrow_mut().copy();
    }

    fn half_open(&mut self, client: &str, now: u64) {
        if let Some(connection) = self.broker.connections.get_mut(client) {
            connection.quality = Quality::HalfOpen(now + KEEP_ALIVE);
        }
    }

    fn start_second(&mut self, until: u64, now: u64) {
        self.instances += 1;
        let mut disk = Disk::default();
        disk.name_from(1_000 * self.instances);
        let disk = Rc::new(RefCell::new(disk));
        let second = Scraper::start(disk, self.instances, now, at(self.start, now));
        self.second = Some((second, until));
    }

    /// Ends all faults, and lets the Envoy show nothing new.
    pub(super) fn heal(&mut self, now: u64) {
        self.reports = false;
        self.second = None;
        self.broker.queue_limit = usize::MAX;
        self.broker.forbidden.clear();
        self.disk_full_until = now;
        self.scraper_dies_after_append = None;
        self.scraper_stopped_until = now;
        self.gateway.away_until = now;
        self.gateway.empty_until = now;
        for connection in self.broker.connections.values_mut() {
            if matches!(connection.quality, Quality::Slow(_)) {
                connection.quality = Quality::Good;
            }
        }
        for site in &mut self.receivers {
            site.dies_before_acknowledging = None;
            site.stopped_until = now;
        }
    }
}

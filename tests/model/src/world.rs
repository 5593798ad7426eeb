//! The world of one seed: turns the clock, lets faults happen, and waits until everything is quiet.

mod strikes;
mod verdict;

use std::cell::RefCell;
use std::rc::Rc;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;

use crate::broker::Broker;
use crate::disk::{Disk, Shared};
use crate::faults::{FAULTY, Fault, plan};
use crate::gateway::Gateway;
use crate::publisher::{CLIENT, Scraper, at};
use crate::subscriber::{Database, Receiver, State};

pub use verdict::Outcome;

/// The clock's step, in seconds.
const STEP: u64 = 5;

/// How long a client or a broker that says nothing is believed to be there.
const KEEP_ALIVE: u64 = 45;

/// How long after the last fault everything has to be stored, at most: a receiver that asked in vain all
/// the time pauses for up to an hour.
const QUIET_WITHIN: u64 = 4 * 3_600;

/// How long nothing may happen any more but announcements, after everything was stored: by far longer than
/// the first pauses between two requests.
const RESTS_FOR: u64 = 900;

/// How often the broker writes its state to disk.
const AUTOSAVE: u64 = 120;

/// A part of the promise's mechanism that is taken out, to see that the world notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// None.
    Nothing,
    /// Receivers never ask.
    NoAudit,
    /// The journal forgets its last append when the scraper is killed.
    ForgetfulJournal,
    /// Marks are saved before the store has accepted.
    MarksFirst,
    /// Nothing is marked.
    NoMarks,
    /// What a broker lost of its plain topics is not put back.
    NoRepublish,
}

/// Runs the schedule of a seed, of all faults there are.
#[must_use]
pub fn run(seed: u64) -> Outcome {
    run_among(&Fault::ALL, seed, Sabotage::Nothing)
}

/// Runs the schedule of a seed with these faults only, and a part taken out.
#[must_use]
pub fn run_among(faults: &[Fault], seed: u64, sabotage: Sabotage) -> Outcome {
    let mut rng = StdRng::seed_from_u64(seed);
    let plan = plan(&mut rng, faults);
    let mut world = World::new(rng, sabotage);
    for now in (0..FAULTY).step_by(usize::try_from(STEP).unwrap_or(1)) {
        for planned in plan
            .iter()
            .filter(|planned| planned.at / STEP == now / STEP)
        {
            world.strike(planned, now);
        }
        world.turn(now);
    }
    let mut now = FAULTY;
    world.heal(now);
    let (mut stored, mut rests) = (None, false);
    while now < FAULTY + QUIET_WITHIN && !rests {
        world.turn(now);
        if now.is_multiple_of(60) && world.is_stored() {
            stored.get_or_insert(now);
            rests = now >= world.broker.last_traffic + RESTS_FOR && world.is_settled();
        }
        now += STEP;
    }
    world.outcome(plan, stored.unwrap_or(now) - FAULTY, rests)
}

struct World {
    rng: StdRng,
    start: Instant,
    sabotage: Sabotage,
    gateway: Gateway,
    disk: Shared,
    disk_full_until: u64,
    scraper: Option<Scraper>,
    scraper_starts: u64,
    scraper_stopped_until: u64,
    scraper_dies_after_append: Option<u64>,
    second: Option<(Scraper, u64)>,
    instances: u64,
    broker: Broker,
    receivers: Vec<Site>,
    reports: bool,
}

/// A receiver, what is on its disk, and its store.
struct Site {
    name: String,
    process: Option<Receiver>,
    starts: u64,
    stopped_until: u64,
    dies_before_acknowledging: Option<u64>,
    state: State,
    database: Database,
}

impl World {
    fn new(mut rng: StdRng, sabotage: Sabotage) -> Self {
        let inverters = rng.random_range(2..=4);
        let receivers = rng.random_range(1..=2);
        let mut disk = Disk::default();
        disk.forgetful = sabotage == Sabotage::ForgetfulJournal;
        let site = |number: usize| Site {
            name: format!("r{number}"),
            process: None,
            starts: 0,
            stopped_until: 0,
            dies_before_acknowledging: None,
            state: State::default(),
            database: Database::default(),
        };
        Self {
            gateway: Gateway::new(inverters, &mut rng),
            rng,
            start: Instant::now(),
            sabotage,
            disk: Rc::new(RefCell::new(disk)),
            disk_full_until: 0,
            scraper: None,
            scraper_starts: 0,
            scraper_stopped_until: 0,
            scraper_dies_after_append: None,
            second: None,
            instances: 0,
            broker: Broker::new(),
            receivers: (0..receivers).map(site).collect(),
            reports: true,
        }
    }

    fn turn(&mut self, now: u64) {
        let clock = at(self.start, now);
        if self.reports {
            self.gateway.turn(now);
        }
        if now >= self.disk_full_until {
            self.disk.borrow_mut().full = false;
        }
        self.turn_scraper(now, clock);
        if let Some((second, until)) = &mut self.second {
            second.turn(now, clock, &mut self.gateway, &mut self.broker, false);
            if now >= *until {
                self.second = None;
                self.broker.close(CLIENT);
            }
        }
        self.broker.turn(now);
        if now.is_multiple_of(AUTOSAVE) {
            self.broker.save();
        }
        for site in &mut self.receivers {
            site.turn(now, clock, &mut self.broker, self.sabotage);
        }
    }

    fn turn_scraper(&mut self, now: u64, clock: Instant) {
        if self.scraper.is_none() && now >= self.scraper_starts {
            self.instances += 1;
            let (disk, instance) = (self.disk.clone(), self.instances);
            let mut scraper = Scraper::start(disk, instance, now, clock);
            scraper.puts_back = self.sabotage != Sabotage::NoRepublish;
            self.scraper = Some(scraper);
            self.gateway.scraper_started();
        }
        let Some(scraper) = &mut self.scraper else {
            return;
        };
        if now < self.scraper_stopped_until {
            return;
        }
        let dies = self.scraper_dies_after_append;
        let (gateway, broker) = (&mut self.gateway, &mut self.broker);
        if scraper.turn(now, clock, gateway, broker, dies.is_some()) {
            gateway.was_journalled();
            if let Some(lasts) = dies {
                self.scraper_dies_after_append = None;
                self.kill_scraper(now + lasts);
            }
        }
    }

    fn kill_scraper(&mut self, starts: u64) {
        if self.scraper.take().is_some() {
            self.disk.borrow_mut().killed();
        }
        self.broker.hang_up(CLIENT, self.rng.random());
        self.scraper_starts = starts;
    }
}

impl Site {
    fn client(&self) -> String {
        format!("envoy-receiver-{}", self.name)
    }

    fn turn(&mut self, now: u64, clock: Instant, broker: &mut Broker, sabotage: Sabotage) {
        if self.process.is_none() && now >= self.starts {
            self.process = Some(Receiver::start(&self.name, &self.state, now, sabotage));
        }
        let Some(process) = &mut self.process else {
            return;
        };
        if now < self.stopped_until {
            return;
        }
        let dies = self.dies_before_acknowledging;
        let (database, state) = (&mut self.database, &mut self.state);
        let stored = process.turn(now, clock, broker, database, state, dies.is_some());
        if stored && let Some(lasts) = dies {
            self.dies_before_acknowledging = None;
            self.kill(now + lasts, broker, true);
        }
    }

    fn kill(&mut self, starts: u64, broker: &mut Broker, arrives: bool) {
        self.process = None;
        self.starts = starts;
        broker.hang_up(&self.client(), arrives);
    }
}

//! The world of one seed: turns the clock, lets faults happen, and waits until everything is quiet.

use std::cell::RefCell;
use std::rc::Rc;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;

use crate::broker::Broker;
use crate::disk::{Disk, Shared};
use crate::faults::{FAULTY, Fault, Planned, excuse_losses, plan};
use crate::gateway::Gateway;
use crate::network::Quality;
use crate::publisher::{CLIENT, Scraper, at};
use crate::subscriber::{Database, Receiver, State};

/// The clock's step, in seconds.
const STEP: u64 = 5;

/// How long a client or a broker that says nothing is believed to be there.
const KEEP_ALIVE: u64 = 45;

/// How long after the last fault everything has to be stored, at most: a receiver that asked in vain all
/// the time pauses for up to an hour.
const QUIET_WITHIN: u64 = 4 * 3_600;

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
    /// What a broker lost of its plain topics is not put back.
    NoRepublish,
}

/// What became of a seed.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What went wrong, and when.
    pub plan: Vec<Planned>,
    /// How many readings the Envoy showed for long enough.
    pub readings: usize,
    /// Readings, by inverter and report time, that are in no store, or not in each.
    pub lost: Vec<(String, i64)>,
    /// Points with another value than the Envoy showed.
    pub altered: usize,
    /// Points that the Envoy never showed.
    pub strange: usize,
    /// Live messages on plain topics that were older than the one before, where nothing excuses them.
    pub steps_back: usize,
    /// Plain topics that do not show the newest reading at the end.
    pub stale: usize,
    /// Points that a store was given and answered for, for each reading, on average.
    pub writes_per_reading: f64,
    /// How long it took until everything was stored, in seconds after the last fault.
    pub recovery: u64,
}

impl Outcome {
    /// Whether nothing was lost and nothing else was wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.lost.is_empty()
            && self.altered == 0
            && self.strange == 0
            && self.steps_back == 0
            && self.stale == 0
    }
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
    while now < FAULTY + QUIET_WITHIN {
        world.turn(now);
        if now.is_multiple_of(60) && world.is_quiet() {
            break;
        }
        now += STEP;
    }
    world.outcome(plan, now - FAULTY)
}

struct World {
    rng: StdRng,
    start: Instant,
    sabotage: Sabotage,
    gateway: Gateway,
    disk: Shared,
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

    fn strike(&mut self, planned: &Planned, now: u64) {
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
            Fault::DiskFull => self.disk.borrow_mut().full = true,
            Fault::JournalRemoved => {
                self.kill_scraper(until);
                self.disk.borrow_mut().remove();
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
    fn heal(&mut self, now: u64) {
        self.reports = false;
        self.second = None;
        self.broker.queue_limit = usize::MAX;
        self.broker.forbidden.clear();
        self.disk.borrow_mut().full = false;
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

    fn lost(&self) -> Vec<(String, i64)> {
        let disk = self.disk.borrow();
        let missing = |key: &&(String, i64)| {
            let stored = |site: &Site| site.database.points.contains_key(*key);
            !self.receivers.iter().all(stored) && !disk.gone.contains(*key)
        };
        self.gateway
            .ledger
            .keys()
            .filter(missing)
            .cloned()
            .collect()
    }

    fn stale(&self) -> usize {
        // What only a journal knew that is gone, nobody can show.
        let newest = self.gateway.newest(&self.disk.borrow().gone);
        let shown = self.broker.shown();
        let stale = |(inverter, time): &(&String, &i64)| shown.get(*inverter) < Some(*time);
        newest.iter().filter(stale).count()
    }

    /// Steps back from what somebody still knew.
    fn steps_back(&self) -> usize {
        let gone = &self.disk.borrow().gone;
        let steps = self.broker.steps_back_from.iter();
        steps.filter(|from| !gone.contains(*from)).count()
    }

    fn is_quiet(&self) -> bool {
        self.lost().is_empty() && self.stale() == 0
    }

    fn outcome(self, plan: Vec<Planned>, recovery: u64) -> Outcome {
        let excused = plan.iter().any(|one| one.fault.excuses_steps_back());
        let points = || self.receivers.iter().flat_map(|site| &site.database.points);
        let shown = &self.gateway.shown;
        let altered = |(key, power): &(&(String, i64), &i32)| {
            shown.get(*key).is_some_and(|shown| shown != *power)
        };
        let writes: u64 = self.receivers.iter().map(|site| site.database.writes).sum();
        Outcome {
            readings: self.gateway.ledger.len(),
            lost: if excuse_losses(&plan) {
                Vec::new()
            } else {
                self.lost()
            },
            altered: points().filter(altered).count(),
            strange: points()
                .filter(|(key, _)| !shown.contains_key(*key))
                .count(),
            steps_back: if excused { 0 } else { self.steps_back() },
            stale: self.stale(),
            writes_per_reading: ratio(writes, self.gateway.ledger.len() * self.receivers.len()),
            plan,
            recovery,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "both are small")]
fn ratio(writes: u64, readings: usize) -> f64 {
    writes as f64 / readings.max(1) as f64
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

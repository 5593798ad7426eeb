//! A receiver's process: the real gathering, marks and audit, driven over the simulated network; and its
//! store.

use std::collections::BTreeMap;
use std::time::Duration;

use receiver::audit::Audit;
use receiver::gathering::{Batch, Entry, Gathering};
use store::Marks;
use tokio::time::Instant;
use wire::{Announcement, BaseTopic, JournalSpan, Reading, Topic};

use crate::broker::Broker;
use crate::disk::key;
use crate::network::{Message, Packet};
use crate::world::Sabotage;

/// How long a reading may take from its announcement to the store.
const AUDIT_AFTER: Duration = Duration::from_mins(1);

/// A pause before each attempt to connect, and after a write that failed.
const PAUSE: u64 = 10;

/// A store of points.
#[derive(Debug, Default)]
pub(crate) struct Database {
    pub(crate) points: BTreeMap<(String, i64), i32>,
    /// It takes nothing until then.
    pub(crate) refuses_until: u64,
    /// It takes what it is given until then, and its answers do not arrive.
    pub(crate) answers_lost_until: u64,
    /// Points of inverters that it was given and that it answered for.
    pub(crate) writes: u64,
}

impl Database {
    fn write(&mut self, readings: &[Reading], now: u64) -> bool {
        if now < self.refuses_until {
            return false;
        }
        let answers = now >= self.answers_lost_until;
        for reading in readings {
            if let Some(inverter) = reading.measured.inverter() {
                self.points.insert(key(reading), inverter.power_w);
                self.writes += u64::from(answers);
            }
        }
        answers
    }
}

/// What is on a receiver's disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    marks: Marks,
    /// A note asks for a refill.
    pub(crate) refill: bool,
}

/// A receiver that runs.
pub(crate) struct Receiver {
    client: String,
    name: String,
    sabotage: Sabotage,
    marks: Marks,
    audit: Audit,
    gathering: Gathering<u64>,
    connection: Option<u64>,
    next_connect: u64,
    next_write: u64,
    numbers: u64,
}

impl Receiver {
    pub(crate) fn start(name: &str, state: &State, now: u64, sabotage: Sabotage) -> Self {
        Self {
            client: format!("envoy-receiver-{name}"),
            name: name.to_owned(),
            sabotage,
            marks: state.marks.clone(),
            audit: Audit::new(AUDIT_AFTER),
            gathering: Gathering::default(),
            connection: None,
            next_connect: now,
            next_write: now,
            numbers: 0,
        }
    }

    /// Does what is to be done at `now`. Whether the store has taken a batch; with `dies_before_acknowledging`
    /// nothing is done after that.
    pub(crate) fn turn(
        &mut self,
        now: u64,
        clock: Instant,
        broker: &mut Broker,
        database: &mut Database,
        state: &mut State,
        dies_before_acknowledging: bool,
    ) -> bool {
        self.connect(now, broker);
        self.receive(clock, broker);
        let stored = self.store(
            now,
            clock,
            broker,
            database,
            state,
            dies_before_acknowledging,
        );
        if stored && dies_before_acknowledging {
            return true;
        }
        if std::mem::take(&mut state.refill) {
            self.marks = Marks::default();
            state.marks = Marks::default();
            self.audit.start_over();
        }
        if self.sabotage != Sabotage::NoAudit {
            self.ask(clock, broker);
        }
        stored
    }

    /// Whether nothing waits for the store, which has all that these journals hold.
    pub(crate) fn is_settled(&self, journals: &[JournalSpan]) -> bool {
        let envoy = "e".parse().expect("a letter");
        let is_stored = |span: &JournalSpan| {
            let held = span.first()..=span.last();
            self.marks.missing(&envoy, span.id(), &held).is_empty()
        };
        self.gathering.waiting() == 0 && journals.iter().all(is_stored)
    }

    fn connect(&mut self, now: u64, broker: &mut Broker) {
        if self.connection.is_some() && broker.connection(&self.client, self.connection).is_none() {
            self.connection = None;
            self.gathering.disconnected();
            self.next_connect = now + PAUSE;
        }
        if self.connection.is_none()
            && now >= self.next_connect
            && broker.is_reachable(&self.client, now)
        {
            self.connection = Some(broker.connect(&self.client, true));
            let base = BaseTopic::default();
            let mut filters = base.plain_filters();
            filters.extend(base.backlog_filters());
            filters.push(base.journals_filter());
            let filters = filters.into_iter().map(|filter| (filter, 1)).collect();
            self.push(broker, Packet::Subscribe(filters));
        }
    }

    fn receive(&mut self, clock: Instant, broker: &mut Broker) {
        let Some(connection) = broker.connection(&self.client, self.connection) else {
            return;
        };
        for packet in connection.arrived_down() {
            if let Packet::Publish { message, number } = packet {
                self.take(&message, number, clock);
            }
        }
    }

    fn take(&mut self, message: &Message, number: u64, clock: Instant) {
        let Ok(topic) = Topic::parse(&BaseTopic::default(), &message.topic) else {
            return;
        };
        let mut reading = None;
        if let Topic::Journal { envoy } = &topic {
            if let Ok(announcement) = Announcement::decode(message.payload.as_bytes()) {
                let marks = &mut self.marks;
                self.audit.announced(envoy, &announcement, marks, clock);
            }
        } else if let Ok(known) = Reading::decode(&topic, message.payload.as_bytes()) {
            let marked = self.marks.contains(&known.envoy, &known.journal, known.seq);
            if !message.retain {
                self.audit.received(&known.envoy, &known.journal, known.seq);
            }
            reading = Some(known).filter(|_| !(message.retain && marked));
        }
        let entry = Entry {
            reading,
            dead: None,
            acknowledgement: number,
        };
        self.gathering.push(entry, clock);
    }

    fn store(
        &mut self,
        now: u64,
        clock: Instant,
        broker: &mut Broker,
        database: &mut Database,
        state: &mut State,
        dies_before_acknowledging: bool,
    ) -> bool {
        // One batch a turn: what comes at one time waits for the next.
        if now < self.next_write || self.gathering.due().is_none_or(|due| clock < due) {
            return false;
        }
        let batch: Batch<u64> = self.gathering.take();
        let readings: Vec<Reading> = batch.readings().to_vec();
        let mut marks = self.marks.clone();
        for reading in &readings {
            marks.add(reading);
        }
        if self.sabotage == Sabotage::MarksFirst {
            state.marks = marks.clone();
        }
        if !readings.is_empty() && !database.write(&readings, now) {
            self.next_write = now + PAUSE;
            self.gathering.put_back(batch, clock);
            self.audit.store_fails();
            if self.sabotage == Sabotage::MarksFirst {
                self.marks = marks;
            }
            return false;
        }
        let stored = !readings.is_empty();
        if stored {
            self.audit.store_takes(clock);
        }
        if stored && dies_before_acknowledging {
            return true;
        }
        if self.sabotage != Sabotage::NoMarks {
            for reading in &readings {
                self.marks.add(reading);
                self.audit.marked(&reading.envoy);
            }
        }
        if stored {
            state.marks = self.marks.clone();
        }
        for number in batch.into_acknowledgements() {
            self.push(broker, Packet::Acknowledge(number));
        }
        stored
    }

    fn ask(&mut self, clock: Instant, broker: &mut Broker) {
        if self.connection.is_none() {
            return;
        }
        let (requests, _) = self.audit.requests(&self.marks, clock);
        for (envoy, request) in requests {
            self.numbers += 1;
            let topic = Topic::Replay {
                receiver: self.name.parse().expect("letters and digits"),
                envoy,
            };
            let message = Message {
                topic: topic.render(&BaseTopic::default()),
                payload: request.encode(),
                retain: false,
            };
            let number = self.numbers;
            self.push(broker, Packet::Publish { message, number });
        }
    }

    fn push(&self, broker: &mut Broker, packet: Packet) {
        if let Some(connection) = broker.connection(&self.client, self.connection) {
            connection.up.push_back(packet);
        }
    }
}

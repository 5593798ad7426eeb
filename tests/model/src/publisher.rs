//! A scraper's process: the real change detection and delivery, driven over the simulated network.

use std::collections::HashMap;
use std::time::Duration;

use scraper::changes::Changes;
use scraper::delivery::{Delivery, News, Outgoing, Sender, Ticket, link};
use tokio::time::Instant;
use wire::{BaseTopic, Serial, Topic};

use crate::broker::Broker;
use crate::disk::{Held, Shared};
use crate::gateway::Gateway;
use crate::network::{Message, Packet};

/// The time between two polls, in seconds.
const POLL: u64 = 60;

/// The longest time between two announcements.
const ANNOUNCE: u64 = 300;

/// A pause before each attempt to connect.
const RECONNECT: u64 = 10;

/// A scraper that runs.
pub(crate) struct Scraper {
    envoy: Serial,
    disk: Shared,
    changes: Changes,
    delivery: Delivery<Held>,
    connection: Option<u64>,
    next_poll: u64,
    next_announcement: u64,
    next_connect: u64,
    numbers: u64,
    tickets: HashMap<u64, Ticket>,
    /// Whether it hears what the broker holds, and so puts back what it lost.
    pub(crate) puts_back: bool,
}

impl Scraper {
    pub(crate) fn start(disk: Shared, instance: u64, now: u64, clock: Instant) -> Self {
        let beginning = disk.borrow_mut().begin();
        let last_reports = disk.borrow().last_reports();
        let newest = beginning.newest.clone();
        let sender = Sender {
            base: BaseTopic::default(),
            instance: format!("i{instance}").parse().expect("letters and digits"),
        };
        Self {
            envoy: "e".parse().expect("a letter"),
            changes: Changes::after(last_reports, newest),
            delivery: Delivery::new(sender, Held(disk.clone()), beginning, clock),
            disk,
            connection: None,
            next_poll: now,
            next_announcement: now,
            next_connect: now,
            numbers: 0,
            tickets: HashMap::new(),
            puts_back: true,
        }
    }

    /// Does what is to be done at `now`. Whether it has journalled a complete answer.
    pub(crate) fn turn(
        &mut self,
        now: u64,
        clock: Instant,
        gateway: &mut Gateway,
        broker: &mut Broker,
        dies_after_append: bool,
    ) -> bool {
        let mut journalled = false;
        if now >= self.next_poll {
            self.next_poll = now + POLL;
            if let Some(answer) = gateway.answer(now) {
                let new = self.changes.take(&answer, None).new;
                let readings = self.disk.borrow_mut().append(new, &self.envoy);
                journalled = !answer.inverters.reports.is_empty();
                if dies_after_append {
                    return journalled;
                }
                self.delivery.take(readings, clock);
            }
        }
        if now >= self.next_announcement {
            self.next_announcement = now + ANNOUNCE;
            self.delivery.announce_soon(clock);
        }
        self.connect(now, clock, broker);
        self.hear(clock, broker);
        if self.delivery.due().is_some_and(|due| clock >= due) {
            self.delivery.at(clock);
        }
        self.send(clock, broker);
        journalled
    }

    /// Whether nothing is left to be sent, acknowledged or proven.
    pub(crate) fn is_settled(&self) -> bool {
        self.delivery.is_finished() && self.delivery.waiting() == 0
    }

    fn connect(&mut self, now: u64, clock: Instant, broker: &mut Broker) {
        if self.connection.is_some() && broker.connection(CLIENT, self.connection).is_none() {
            self.connection = None;
            self.delivery.disconnected();
            self.tickets.clear();
            self.next_connect = now + RECONNECT;
        }
        if self.connection.is_none() && now >= self.next_connect && broker.is_reachable(CLIENT, now)
        {
            self.connection = Some(broker.connect(CLIENT, false));
            let base = BaseTopic::default();
            let journal = Topic::Journal {
                envoy: self.envoy.clone(),
            };
            let mut filters = base.plain_filters_of(&self.envoy);
            filters.push(journal.render(&base));
            filters.push(base.replays_of_filter(&self.envoy));
            let filters = filters.into_iter().map(|filter| (filter, 1)).collect();
            self.push(broker, Packet::Subscribe(filters));
            self.delivery.connected(clock);
            if !self.puts_back {
                self.believe_that_all_is_shown(clock);
            }
        }
    }

    fn believe_that_all_is_shown(&mut self, clock: Instant) {
        let newest = self.disk.borrow_mut().begin().newest;
        for reading in newest {
            let (topic, payload) = (
                reading.topic().render(&BaseTopic::default()),
                reading.encode(),
            );
            let message = link::Message {
                topic: &topic,
                payload: payload.as_bytes(),
                retain: true,
            };
            self.delivery.hear(message, clock);
        }
    }

    fn hear(&mut self, clock: Instant, broker: &mut Broker) {
        let Some(connection) = broker.connection(CLIENT, self.connection) else {
            return;
        };
        for packet in connection.arrived_down() {
            match packet {
                Packet::Acknowledge(number) => {
                    if let Some(ticket) = self.tickets.remove(&number) {
                        self.delivery.acknowledged(&ticket, clock);
                    }
                }
                Packet::Publish { message, number } => {
                    let heard = link::Message {
                        topic: &message.topic,
                        payload: message.payload.as_bytes(),
                        retain: message.retain,
                    };
                    if self.delivery.hear(heard, clock) == News::Arrived
                        && let Some((journal, below)) = self.delivery.delivered_below()
                    {
                        self.disk.borrow_mut().note_delivered(&journal, below);
                    }
                    self.push(broker, Packet::Acknowledge(number));
                }
                Packet::Subscribe(_) => {}
            }
        }
    }

    fn send(&mut self, clock: Instant, broker: &mut Broker) {
        while self.connection.is_some()
            && let Some(outgoing) = self.delivery.next(clock)
        {
            self.numbers += 1;
            let number = self.numbers;
            let message = self.message(&outgoing);
            self.push(broker, Packet::Publish { message, number });
            let ticket = self.delivery.sent(&outgoing, clock);
            self.tickets.insert(number, ticket);
        }
    }

    fn push(&self, broker: &mut Broker, packet: Packet) {
        if let Some(connection) = broker.connection(CLIENT, self.connection) {
            connection.up.push_back(packet);
        }
    }

    fn message(&self, outgoing: &Outgoing) -> Message {
        let (topic, payload, retain) = match outgoing {
            Outgoing::Plain(reading) => (reading.topic(), reading.encode(), true),
            Outgoing::Late(reading) | Outgoing::Again(reading) => {
                (reading.backlog_topic(), reading.encode(), false)
            }
            Outgoing::Announcement(announcement) => {
                let envoy = self.envoy.clone();
                (Topic::Journal { envoy }, announcement.encode(), true)
            }
        };
        Message {
            topic: topic.render(&BaseTopic::default()),
            payload,
            retain,
        }
    }
}

/// A scraper's client id: that of its Envoy.
pub(crate) const CLIENT: &str = "envoy-scraper-e";

/// The time of the simulation as the real code takes it.
pub(crate) fn at(start: Instant, now: u64) -> Instant {
    start + Duration::from_secs(now)
}

//! A broker as Mosquitto is one: acknowledges when a message is in memory, writes its state to disk now
//! and then, and drops without a word what a full queue or a missing right refuses.

use std::collections::{BTreeMap, HashMap, VecDeque};

use wire::{BaseTopic, Reading, Topic};

use crate::disk::key;
use crate::network::{Connection, Message, Packet, Quality};

/// Messages to a client that may be unacknowledged.
const IN_FLIGHT: usize = 20;

/// Announcements that come faster than this, in seconds, are not those that are due anyway.
const FASTEST_ANNOUNCEMENTS: u64 = 200;

/// A client's place at the broker.
#[derive(Debug, Clone, Default)]
struct Session {
    filters: Vec<(String, u8)>,
    in_flight: VecDeque<(u64, Message)>,
    queue: VecDeque<Message>,
    persistent: bool,
}

/// What is lost when the process is killed, and kept as far as it was written to disk.
#[derive(Debug, Clone, Default)]
struct State {
    retained: BTreeMap<String, String>,
    sessions: HashMap<String, Session>,
}

/// The broker.
#[derive(Debug, Default)]
pub(crate) struct Broker {
    state: State,
    /// The state on disk, newest last.
    saved: Vec<State>,
    pub(crate) connections: HashMap<String, Connection>,
    down_until: u64,
    /// Clients that get no connection until then.
    blocked: HashMap<String, u64>,
    /// It reads nothing and sends nothing until then.
    pub(crate) stopped_until: u64,
    /// Messages that wait for a client, beyond those in flight.
    pub(crate) queue_limit: usize,
    /// Until when a client's messages are acknowledged and dropped.
    pub(crate) forbidden: HashMap<String, u64>,
    now: u64,
    numbers: u64,
    /// When something was published last but announcements in due time.
    pub(crate) last_traffic: u64,
    last_announcement: u64,
    /// The report time of the last live message on each plain topic.
    watched: HashMap<String, i64>,
    /// Readings after which a live message on the same plain topic was older.
    pub(crate) steps_back_from: Vec<(String, i64)>,
}

impl Broker {
    pub(crate) fn new() -> Self {
        Self {
            queue_limit: usize::MAX,
            ..Self::default()
        }
    }

    fn is_running(&self, now: u64) -> bool {
        now >= self.down_until && now >= self.stopped_until
    }

    /// Whether a client gets a connection.
    pub(crate) fn is_reachable(&self, client: &str, now: u64) -> bool {
        let blocked = self.blocked.get(client).is_some_and(|until| now < *until);
        self.is_running(now) && !blocked
    }

    /// A client's connection breaks, and it gets none until then.
    pub(crate) fn cut(&mut self, client: &str, until: u64) {
        self.close(client);
        self.blocked.insert(client.to_owned(), until);
    }

    /// The process of a client has died; what it has sent may still arrive.
    pub(crate) fn hang_up(&mut self, client: &str, arrives: bool) {
        if arrives && let Some(connection) = self.connections.get_mut(client) {
            for packet in connection.arrived_up() {
                self.take(client, packet);
            }
        }
        self.close(client);
    }

    /// A client connects, and throws out the one that has its id. The connection's id.
    pub(crate) fn connect(&mut self, client: &str, persistent: bool) -> u64 {
        self.close(client);
        let present = persistent && self.state.sessions.contains_key(client);
        if !present {
            let session = Session {
                persistent,
                ..Session::default()
            };
            self.state.sessions.insert(client.to_owned(), session);
        }
        self.numbers += 1;
        let id = self.numbers;
        let mut connection = Connection::new(id);
        if let Some(session) = self.state.sessions.get(client) {
            for (number, message) in &session.in_flight {
                connection.down.push_back(Packet::Publish {
                    message: message.clone(),
                    number: *number,
                });
            }
        }
        self.connections.insert(client.to_owned(), connection);
        id
    }

    /// The connection of a client, while it is this one.
    pub(crate) fn connection(&mut self, client: &str, id: Option<u64>) -> Option<&mut Connection> {
        let connection = self.connections.get_mut(client)?;
        (Some(connection.id) == id).then_some(connection)
    }

    /// A connection has ended.
    pub(crate) fn close(&mut self, client: &str) {
        self.connections.remove(client);
        let clean = |session: &Session| !session.persistent;
        if self.state.sessions.get(client).is_some_and(clean) {
            self.state.sessions.remove(client);
        }
    }

    /// Writes the state to disk.
    pub(crate) fn save(&mut self) {
        self.saved.push(self.state.clone());
    }

    /// Killed, and started again `at` with what is on the disk, or with what was there `older` saves
    /// before.
    pub(crate) fn kill(&mut self, at: u64, older: usize) {
        self.connections.clear();
        let keep = self.saved.len().saturating_sub(older);
        self.saved.truncate(keep);
        self.state = self.saved.last().cloned().unwrap_or_default();
        self.state.sessions.retain(|_, session| session.persistent);
        self.down_until = at;
    }

    /// Killed, and started again `at` with an empty disk.
    pub(crate) fn wipe(&mut self, at: u64) {
        self.saved.clear();
        self.kill(at, 0);
    }

    /// Takes in what has arrived, and sends what may be sent.
    pub(crate) fn turn(&mut self, now: u64) {
        self.now = now;
        let over = |connection: &Connection| matches!(connection.quality, Quality::HalfOpen(until) if now >= until);
        let ended: Vec<String> = self
            .connections
            .iter()
            .filter(|(_, connection)| over(connection))
            .map(|(client, _)| client.clone())
            .collect();
        for client in ended {
            self.close(&client);
        }
        if !self.is_running(now) {
            return;
        }
        let mut clients: Vec<String> = self.connections.keys().cloned().collect();
        clients.sort_unstable();
        for client in &clients {
            let Some(connection) = self.connections.get_mut(client) else {
                continue;
            };
            for packet in connection.arrived_up() {
                self.take(client, packet);
            }
        }
        for client in &clients {
            self.send(client);
        }
    }

    fn take(&mut self, client: &str, packet: Packet) {
        match packet {
            Packet::Subscribe(filters) => self.subscribe(client, filters),
            Packet::Publish { message, number } => {
                if let Some(connection) = self.connections.get_mut(client) {
                    connection.down.push_back(Packet::Acknowledge(number));
                }
                if self
                    .forbidden
                    .get(client)
                    .is_none_or(|until| self.now >= *until)
                {
                    self.publish(message);
                }
            }
            Packet::Acknowledge(number) => {
                if let Some(session) = self.state.sessions.get_mut(client) {
                    session.in_flight.retain(|(sent, _)| *sent != number);
                }
            }
        }
    }

    fn subscribe(&mut self, client: &str, filters: Vec<(String, u8)>) {
        let kept: Vec<Message> = self
            .state
            .retained
            .iter()
            .filter(|(topic, _)| filters.iter().any(|(filter, _)| matches(filter, topic)))
            .map(|(topic, payload)| Message {
                topic: topic.clone(),
                payload: payload.clone(),
                retain: true,
            })
            .collect();
        if let Some(session) = self.state.sessions.get_mut(client) {
            for filter in filters {
                session.filters.retain(|(known, _)| *known != filter.0);
                session.filters.push(filter);
            }
            session.queue.extend(kept);
        }
    }

    fn publish(&mut self, message: Message) {
        self.note_traffic(&message.topic);
        if message.retain {
            self.watch(&message);
            let (topic, payload) = (message.topic.clone(), message.payload.clone());
            self.state.retained.insert(topic, payload);
        }
        let live = Message {
            retain: false,
            ..message
        };
        for (client, session) in &mut self.state.sessions {
            let matching = session
                .filters
                .iter()
                .filter(|(filter, _)| matches(filter, &live.topic));
            let Some(quality) = matching.map(|(_, quality)| *quality).max() else {
                continue;
            };
            let connection = self.connections.get_mut(client);
            if quality == 0 {
                if let Some(connection) = connection {
                    let (message, number) = (live.clone(), 0);
                    let packet = Packet::Publish { message, number };
                    connection.down.push_back(packet);
                }
            } else if session.queue.len() < self.queue_limit {
                session.queue.push_back(live.clone());
            }
        }
    }

    fn note_traffic(&mut self, topic: &str) {
        if !topic.ends_with("/journal") {
            self.last_traffic = self.now;
            return;
        }
        if self.now < self.last_announcement + FASTEST_ANNOUNCEMENTS {
            self.last_traffic = self.now;
        }
        self.last_announcement = self.now;
    }

    fn send(&mut self, client: &str) {
        let (Some(session), Some(connection)) = (
            self.state.sessions.get_mut(client),
            self.connections.get_mut(client),
        ) else {
            return;
        };
        while session.in_flight.len() < IN_FLIGHT
            && let Some(message) = session.queue.pop_front()
        {
            self.numbers += 1;
            let number = self.numbers;
            session.in_flight.push_back((number, message.clone()));
            connection
                .down
                .push_back(Packet::Publish { message, number });
        }
    }

    /// What a subscriber with a clean session sees.
    fn watch(&mut self, message: &Message) {
        if let Some(reading) = plain_reading(message) {
            let (inverter, time) = key(&reading);
            let before = self.watched.insert(message.topic.clone(), time);
            if let Some(before) = before.filter(|before| *before > time) {
                self.steps_back_from.push((inverter, before));
            }
        }
    }

    /// What the plain topics show: report time by inverter.
    pub(crate) fn shown(&self) -> BTreeMap<String, i64> {
        let messages = self.state.retained.iter();
        messages
            .filter_map(|(topic, payload)| {
                plain_reading(&Message {
                    topic: topic.clone(),
                    payload: payload.clone(),
                    retain: true,
                })
            })
            .map(|reading| key(&reading))
            .collect()
    }
}

fn plain_reading(message: &Message) -> Option<Reading> {
    let topic = Topic::parse(&BaseTopic::default(), &message.topic).ok()?;
    if !matches!(topic, Topic::Plain { .. }) {
        return None;
    }
    Reading::decode(&topic, message.payload.as_bytes()).ok()
}

/// Whether a filter matches a topic.
fn matches(filter: &str, topic: &str) -> bool {
    let (mut filter, mut topic) = (filter.split('/'), topic.split('/'));
    loop {
        match (filter.next(), topic.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(wanted), Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
}

//! Receives readings, stores them, marks them, and acknowledges them, in that order.
//!
//! ```text
//!  broker ──deliveries──► gathering ──batch──► writer ──► store, then marks
//!    ▲  │                                         │
//!    ├──┼─────── acknowledgements, in order ◄─────┤ stored
//!    │  └─announcements──► audit ◄── marks ◄──────┘
//!    └────── requests ◄──────┘
//! ```
//!
//! One loop owns all of it, and waits for nothing that the broker has yet to do. How much can gather is bounded by the broker: on one connection it sends
//! no more than its limit of unacknowledged messages, and on the next one the same ones again. Where it does
//! not keep to its limit, no more is taken from it while [`FULL`] messages wait, or twice as many where it owes an answer.

mod auditing;
mod greeting;
mod settling;
mod standing;

use std::collections::BTreeSet;
use std::time::Duration;

use daemon::deadline::at;
use daemon::service::Part;
use mqtt::{Acknowledgement, Connection, Delivery, Event, Events, Session};
use store::{MarkedStore, Marks};
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at, timeout};
use tokio_util::sync::CancellationToken;
use wire::{BaseTopic, ReceiverName, Serial, Status};

use crate::audit::Audit;
use crate::census::Census;
use crate::complaints::Complaints;
use crate::config::Config;
use crate::content::Judge;
use crate::findings::Findings;
use crate::gathering::{BATCH, Gathering};
use crate::healths::Healths;
use crate::metrics::Metrics;
use crate::proof::Proof;
use crate::refill::Note;
use crate::writer::{Writer, Writing};
use auditing::{Asking, asked};
pub(crate) use greeting::status;
use greeting::{Greeting, greeted, own_status};
use settling::written;

/// How long a stop waits for the store to take what has gathered; what it has not taken by then
/// stays unacknowledged, and the broker delivers it again.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// How long each half of the good-bye may take: handing it over, and the broker's acknowledgement.
/// The end of the session takes up to a second more. All of it fits into the grace that the receiver
/// gives its parts.
const FAREWELL: Duration = Duration::from_millis(500);

/// How often it is looked for what the store lacks, and for a note that asks for a refill.
const AUDIT_EVERY: Duration = Duration::from_secs(1);

/// So many messages that wait for the store are enough: the next batch. What comes after them is left with the
/// broker.
const FULL: usize = BATCH;

/// So many are enough while the broker owes us an answer, which can stand behind the messages that it has under way:
/// with the shipped settings a thousand.
const FULL_WHILE_OWED: usize = 2 * FULL;

/// The subscription's state.
pub(crate) struct Subscription<S> {
    base: BaseTopic,
    name: ReceiverName,
    /// The topic of our own status.
    own_status: String,
    writer: Writer<S>,
    gathering: Gathering<Acknowledgement>,
    writing: Option<Writing<Acknowledgement>>,
    /// What the store has, and what can't be had any more.
    marks: Marks,
    /// The Envoys whose lowest numbers are saved with the batch that is being written.
    saving: BTreeSet<Serial>,
    audit: Audit,
    findings: Findings,
    census: Census,
    healths: Healths,
    note: Note,
    connection: Option<Connection>,
    greeting: Option<Greeting>,
    asking: Option<Asking>,
    judge: Judge,
    proof: Proof,
    /// The time between two statuses on one connection.
    announce_every: Duration,
    complaints: Complaints,
    metrics: Metrics,
    part: Part,
    /// How things stand with the broker and with the store, for the service manager.
    status: (String, &'static str),
}

/// The session has ended, and nobody asked it to.
#[derive(Debug, thiserror::Error)]
#[error("the MQTT session has ended")]
pub(crate) struct SessionEnded;

impl<S: MarkedStore> Subscription<S> {
    pub(crate) fn new(
        config: &Config,
        writer: Writer<S>,
        healths: Healths,
        metrics: Metrics,
        part: Part,
    ) -> Self {
        Self {
            complaints: Complaints::new(config.name.clone()),
            judge: Judge::default(),
            proof: Proof::default(),
            announce_every: config.announce_every,
            metrics,
            part,
            status: (
                "connecting to the broker".to_owned(),
                "nothing to store yet",
            ),
            own_status: own_status(&config.broker.topic, &config.name),
            base: config.broker.topic.clone(),
            name: config.name.clone(),
            writer,
            gathering: Gathering::default(),
            writing: None,
            marks: Marks::default(),
            saving: BTreeSet::new(),
            audit: Audit::new(config.audit_after),
            findings: Findings::default(),
            census: Census::new(config.max_envoys),
            healths,
            note: Note::at(&config.refill_note()),
            connection: None,
            greeting: None,
            asking: None,
        }
    }

    /// Receives until `stop`, then stores what has gathered and says good-bye.
    ///
    /// # Errors
    /// When the session ended before.
    pub(crate) async fn run(
        mut self,
        session: Session,
        mut events: Events,
        stop: CancellationToken,
    ) -> Result<(), SessionEnded> {
        self.marks = self.writer.marks().await;
        self.census.know(self.marks.envoys());
        let outcome = tokio::select! {
            () = stop.cancelled() => Ok(()),
            () = self.receive(&mut events) => Err(SessionEnded),
        };
        if timeout(LAST_WRITE, self.store_the_rest()).await.is_err() {
            tracing::warn!(
                "stopped before the store had taken everything; the broker keeps the rest"
            );
        }
        if let Some(connection) = &self.connection {
            // With the connection gone, the broker says good-bye for us.
            let offline = status(&self.base, &self.name, Status::Offline);
            let _ = timeout(FAREWELL, connection.publish(offline)).await;
        }
        session.close(FAREWELL).await;
        outcome
    }

    async fn receive(&mut self, events: &mut Events) {
        let first = Instant::now() + self.announce_every;
        let mut announce = interval_at(first, self.announce_every);
        announce.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut audit = interval(AUDIT_EVERY);
        audit.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.metrics.waiting(self.gathering.waiting());
            let is_full = self.is_full();
            if is_full {
                self.proof.not_heard();
            }
            let due = if self.writing.is_none() {
                self.gathering.due()
            } else {
                None
            };
            tokio::select! {
                () = self.part.beat() => self.still_connected(),
                event = next(events, is_full) => match event {
                    None => return,
                    Some(Event::Received(delivery)) => self.receive_all(delivery, events),
                    Some(Event::Connected(connection)) => self.connected(connection),
                    Some(Event::Disconnected(reason)) => self.disconnected(&reason),
                },
                greeted = greeted(&mut self.greeting) => self.has_greeted(greeted),
                () = asked(&mut self.asking) => self.asking = None,
                attempt = written(&mut self.writing) => self.conclude(attempt).await,
                () = at(due) => self.write_next(),
                () = self.proof.missed() => {
                    self.proof.give_up();
                    self.complaints.not_allowed();
                }
                _ = audit.tick() => {
                    self.still_connected();
                    self.refill_if_asked().await;
                    self.ask_for_what_is_missing();
                    // Not while readings wait: what is retained comes all at once.
                    let has_time = !self.is_full() && !self.is_greeting();
                    if has_time && self.healths.has_missed(Instant::now()) {
                        self.subscribe_to_health();
                    }
                }
                _ = announce.tick() => self.say_online(),
            }
        }
    }

    fn is_full(&self) -> bool {
        let enough = if self.is_owed_an_answer() {
            FULL_WHILE_OWED
        } else {
            FULL
        };
        self.gathering.waiting() >= enough
    }

    /// Whether the broker has yet to answer what was said on this connection.
    fn is_owed_an_answer(&self) -> bool {
        self.is_greeting() || self.asking.is_some()
    }

    /// Whether a subscription or our own status is under way, or has not come back yet.
    fn is_greeting(&self) -> bool {
        self.greeting.is_some() || self.proof.is_awaited()
    }

    /// Takes a message, and those that came with it: a burst does not go around the loop for each of them.
    fn receive_all(&mut self, first: Delivery, events: &mut Events) {
        self.still_connected();
        self.metrics.last_receive.is_now();
        let mut next = Some(first);
        while let Some(delivery) = next {
            if self.is_echo(&delivery) {
                self.complaints.allowed();
                if self.proof.came_back() {
                    // It may have let us read nothing meanwhile: what is retained comes again.
                    self.subscribe_again();
                }
            }
            self.take(delivery);
            next = if self.is_full() {
                None
            } else {
                events.another()
            };
        }
    }
}

/// The next event; where no more messages can be held, the next that is none.
async fn next(events: &mut Events, is_full: bool) -> Option<Event> {
    if is_full {
        events.next_but_messages().await
    } else {
        events.next().await
    }
}

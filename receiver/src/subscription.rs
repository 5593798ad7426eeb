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
//! One loop owns all of it. How much can gather is bounded by the broker: on one connection it sends
//! no more than its limit of unacknowledged messages, and on the next one the same ones again.

mod auditing;
mod settling;

use std::time::Duration;

use daemon::deadline::at;
use daemon::service::Part;
use mqtt::{Acknowledgement, Connection, Delivery, Event, Events, Message, Session};
use store::{MarkedStore, Marks};
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at, timeout};
use tokio_util::sync::CancellationToken;
use wire::{BaseTopic, ReceiverName, Status, Topic};

use crate::audit::Audit;
use crate::complaints::Complaints;
use crate::config::Config;
use crate::content::Judge;
use crate::gathering::Gathering;
use crate::healths::Healths;
use crate::metrics::Metrics;
use crate::proof::Proof;
use crate::refill::Note;
use crate::writer::{Writer, Writing};
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

/// The subscription's state.
pub(crate) struct Subscription<S> {
    base: BaseTopic,
    name: ReceiverName,
    writer: Writer<S>,
    gathering: Gathering<Acknowledgement>,
    writing: Option<Writing<Acknowledgement>>,
    /// What the store has, and what can't be had any more.
    marks: Marks,
    audit: Audit,
    healths: Healths,
    note: Note,
    connection: Option<Connection>,
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
            base: config.broker.topic.clone(),
            name: config.name.clone(),
            writer,
            gathering: Gathering::default(),
            writing: None,
            marks: Marks::default(),
            audit: Audit::new(config.audit_after),
            healths,
            note: Note::at(&config.refill_note()),
            connection: None,
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
            let due = if self.writing.is_none() {
                self.gathering.due()
            } else {
                None
            };
            tokio::select! {
                () = self.part.beat() => self.still_connected(),
                event = events.next() => match event {
                    None => return,
                    Some(event) => self.handle(event).await,
                },
                attempt = written(&mut self.writing) => self.conclude(attempt).await,
                () = at(due) => self.write_next(),
                () = self.proof.missed() => {
                    self.proof.give_up();
                    self.complaints.not_allowed();
                }
                _ = audit.tick() => {
                    self.refill_if_asked().await;
                    self.ask_for_what_is_missing().await;
                }
                _ = announce.tick() => {
                    if !self.proof.is_awaited() {
                        self.say_online().await;
                    }
                }
            }
        }
    }

    /// A connection that comes and goes is one outage until it has held.
    fn still_connected(&mut self) {
        if let Some(connection) = &self.connection {
            self.complaints.connected(connection.session_present());
        }
    }

    fn say_status(&self) {
        let (broker, store) = &self.status;
        self.part.status(&format!("{store}; {broker}"));
    }

    async fn handle(&mut self, event: Event) {
        match event {
            Event::Connected(connection) => {
                self.complaints.connected(connection.session_present());
                self.metrics.connected(true);
                "connected to the broker".clone_into(&mut self.status.0);
                self.say_status();
                self.greet(connection).await;
            }
            Event::Disconnected(reason) => {
                self.complaints.disconnected(&reason);
                self.metrics.connected(false);
                self.status.0 = format!("no connection to the broker: {reason}");
                self.say_status();
                self.connection = None;
                self.proof.disconnected();
                self.gathering.disconnected();
            }
            Event::Received(delivery) => {
                self.still_connected();
                self.metrics.last_receive.is_now();
                if self.is_echo(&delivery) {
                    self.complaints.allowed();
                    if self.proof.came_back() {
                        // It may have let us read nothing meanwhile: what is retained comes again.
                        self.subscribe().await;
                    }
                }
                self.take(delivery);
            }
        }
    }

    /// Subscribes on each connection: a broker that lost its state lost the subscriptions, too,
    /// and one that did not sends its retained messages again, which does no harm.
    async fn greet(&mut self, connection: Connection) {
        self.connection = Some(connection);
        self.subscribe().await;
        self.say_online().await;
    }

    async fn subscribe(&mut self) {
        let Some(connection) = &self.connection else {
            return;
        };
        // Not behind the readings: the broker holds those back that come after many which the store
        // has not taken, and the echo would be missed for no fault of the account's.
        let own_status = self.own_status().render(&self.base);
        let mut filters = self.base.plain_filters();
        filters.extend(self.base.backlog_filters());
        filters.push(self.base.journals_filter());
        let outcome = match connection.overhear([own_status]).await {
            Ok(()) => connection.subscribe(filters).await,
            refused => refused,
        };
        if outcome.is_ok() {
            self.metrics.subscribed.reach();
            // After the readings, which must not suffer from a broker that refuses this.
            let heard = connection.overhear([self.base.healths_filter()]).await;
            self.complaints.subscribed_to_health(&heard);
        }
        self.complaints.subscribed(outcome);
    }

    async fn say_online(&mut self) {
        let Some(connection) = &self.connection else {
            return;
        };
        let online = status(&self.base, &self.name, Status::Online);
        // A connection that has ended meanwhile is reported as an event of its own.
        if let Ok(receipt) = connection.publish(online).await {
            self.proof.published(receipt);
        }
    }

    fn own_status(&self) -> Topic {
        let name = self.name.clone();
        Topic::ReceiverStatus { name }
    }

    /// A retained status may be of any age.
    fn is_echo(&self, delivery: &Delivery) -> bool {
        !delivery.retain
            && Topic::parse(&self.base, &delivery.topic)
                .is_ok_and(|topic| topic == self.own_status())
            && matches!(Status::decode(&delivery.payload), Ok(Status::Online))
    }
}

/// The receiver's status as a message.
pub(crate) fn status(base: &BaseTopic, name: &ReceiverName, status: Status) -> Message {
    let topic = Topic::ReceiverStatus { name: name.clone() };
    Message {
        topic: topic.render(base),
        payload: status.encode().into(),
        retain: true,
    }
}

//! Receives readings, stores them, and acknowledges them, in that order.
//!
//! ```text
//!  broker ──deliveries──► gathering ──batch──► writer ──► store
//!    ▲                                            │
//!    └────────── acknowledgements, in order ◄─────┘ stored
//! ```
//!
//! One loop owns all of it. How much can gather is bounded by the broker: on one connection it sends
//! no more than its limit of unacknowledged messages, and on the next one the same ones again.

use std::time::Duration;

use daemon::deadline::at;
use daemon::service::Part;
use mqtt::{Acknowledgement, Connection, Delivery, Event, Events, Message, Session};
use store::Store;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use wire::{BaseTopic, Reading, ReceiverName, Status, Topic};

use crate::complaints::Complaints;
use crate::gathering::{Entry, Gathering};
use crate::writer::{Attempt, Outcome, Writer, Writing};

/// How long the echo of our own status may take before its absence is said.
const ECHO: Duration = Duration::from_secs(10);

/// How long a stop waits for the store to take what has gathered; what it has not taken by then
/// stays unacknowledged, and the broker delivers it again.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// How long each half of the good-bye may take: handing it over, and the broker's acknowledgement.
/// The end of the session takes up to a second more. All of it fits into the grace that the receiver
/// gives its parts.
const FAREWELL: Duration = Duration::from_millis(500);

/// How much of a message that is no reading is shown, in bytes: some four readings.
const SHOWN_PAYLOAD: usize = 1024;

/// The subscription's state.
pub(crate) struct Subscription<S> {
    base: BaseTopic,
    name: ReceiverName,
    writer: Writer<S>,
    gathering: Gathering<Acknowledgement>,
    writing: Option<Writing<Acknowledgement>>,
    connection: Option<Connection>,
    /// Until when the echo of our status may take; `None` once it came or was missed.
    echo_deadline: Option<Instant>,
    complaints: Complaints,
    part: Part,
    /// How things stand with the broker and with the store, for the service manager.
    status: (String, &'static str),
}

/// The session has ended, and nobody asked it to.
#[derive(Debug, thiserror::Error)]
#[error("the MQTT session has ended")]
pub(crate) struct SessionEnded;

impl<S: Store> Subscription<S> {
    pub(crate) fn new(base: BaseTopic, name: ReceiverName, writer: Writer<S>, part: Part) -> Self {
        Self {
            complaints: Complaints::new(name.clone()),
            part,
            status: (
                "connecting to the broker".to_owned(),
                "nothing to store yet",
            ),
            base,
            name,
            writer,
            gathering: Gathering::default(),
            writing: None,
            connection: None,
            echo_deadline: None,
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
        loop {
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
                () = at(self.echo_deadline) => self.echo_missed(),
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
                "connected to the broker".clone_into(&mut self.status.0);
                self.say_status();
                self.greet(connection).await;
            }
            Event::Disconnected(reason) => {
                self.complaints.disconnected(&reason);
                self.status.0 = format!("no connection to the broker: {reason}");
                self.say_status();
                self.connection = None;
                self.echo_deadline = None;
                self.gathering.disconnected();
            }
            Event::Received(delivery) => {
                self.still_connected();
                self.take(delivery);
            }
        }
    }

    /// Subscribes on each connection: a broker that lost its state lost the subscriptions, too,
    /// and one that did not sends its retained messages again, which does no harm.
    async fn greet(&mut self, connection: Connection) {
        let own_status = Topic::ReceiverStatus {
            name: self.name.clone(),
        };
        let filters = [
            self.base.inverters_filter(),
            self.base.backlog_filter(),
            own_status.render(&self.base),
        ];
        self.complaints
            .subscribed(connection.subscribe(filters).await);
        // A connection that has ended meanwhile is reported as an event of its own.
        let _ = connection
            .publish(status(&self.base, &self.name, Status::Online))
            .await;
        self.connection = Some(connection);
        self.echo_deadline = Some(Instant::now() + ECHO);
    }

    fn take(&mut self, delivery: Delivery) {
        let reading = match Topic::parse(&self.base, &delivery.topic) {
            Ok(Topic::ReceiverStatus { .. }) => {
                let online = matches!(Status::decode(&delivery.payload), Ok(Status::Online));
                if online && !delivery.retain {
                    self.complaints.allowed();
                    self.echo_deadline = None;
                }
                None
            }
            // What clears a retained topic.
            _ if delivery.payload.is_empty() => None,
            Ok(topic) => Reading::decode(&topic, &delivery.payload)
                .inspect_err(|error| refused(&delivery, error))
                .ok(),
            Err(error) => {
                refused(&delivery, &error);
                None
            }
        };
        let entry = Entry {
            reading,
            acknowledgement: delivery.acknowledgement,
        };
        self.gathering.push(entry, Instant::now());
    }

    fn write_next(&mut self) {
        let batch = self.gathering.take();
        self.writing = Some(self.writer.begin(batch));
    }

    /// Only here is anything acknowledged: behind the store.
    async fn conclude(&mut self, attempt: Attempt<Acknowledgement>) {
        self.writing = None;
        match self.writer.end(attempt, self.gathering.waiting()) {
            Outcome::Again(batch, not_before) => {
                self.status.1 = "the store takes no readings";
                self.say_status();
                self.gathering.put_back(batch, not_before);
            }
            Outcome::Settled(batch) => {
                self.status.1 = "readings are stored";
                self.say_status();
                for acknowledgement in batch.into_acknowledgements() {
                    // On a connection that has ended there is nothing to acknowledge: the broker
                    // sends the message again, and storing it twice does no harm.
                    let _ = acknowledgement.send().await;
                }
            }
        }
    }

    async fn store_the_rest(&mut self) {
        while self.writing.is_some() || self.gathering.due().is_some() {
            if self.writing.is_none() {
                at(self.gathering.due()).await;
                self.write_next();
            }
            let attempt = written(&mut self.writing).await;
            self.conclude(attempt).await;
        }
    }

    fn echo_missed(&mut self) {
        self.echo_deadline = None;
        self.complaints.not_allowed();
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

fn refused(delivery: &Delivery, reason: &dyn std::fmt::Display) {
    let shown = delivery.payload.len().min(SHOWN_PAYLOAD);
    tracing::error!(
        topic = delivery.topic,
        %reason,
        payload = %delivery.payload[..shown].escape_ascii(),
        "a message that is no reading; it is given up"
    );
}

/// Completes with the write under way; never without one.
async fn written(writing: &mut Option<Writing<Acknowledgement>>) -> Attempt<Acknowledgement> {
    match writing {
        Some(writing) => writing.await,
        None => std::future::pending().await,
    }
}

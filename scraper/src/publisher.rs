//! Brings readings to the broker: drives the [`delivery`](crate::delivery) over a connection, and says
//! how it goes.
//!
//! ```text
//!  poller ──polls──►┐                        ┌──► publish (QoS 1) ──┐
//!                   ├─► publisher, delivery ─┤                      ▼
//!  session ─events─►┘                        └◄───── PUBACK ───── broker
//! ```
//!
//! One loop owns the delivery and the connection, and waits for nothing that the broker has yet to do: however slow
//! that is, polls are taken, and what they bring is in the journal. It ends only when it is asked to. In files of their own:
//! a new connection (`greeting`), what a poll brings (`polled`), what is retained beside the readings (`gateway`,
//! `home_assistant`, `forgotten`), what the user is told (`news`, `measuring`), and the end (`farewell`).

mod farewell;
mod forgotten;
mod gateway;
mod greeting;
mod home_assistant;
mod measuring;
mod news;
mod polled;
#[cfg(feature = "sabotage")]
mod sabotage;

use daemon::deadline::at;
use daemon::service::Part;
use mqtt::{Connection, Delivery as Received, Event, Events, Gone, Message, Reason, Session};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use greeting::{Greeting, greeted};
use measuring::Measuring;

use crate::complaints::Complaints;
use crate::delivery::{Delivery, Ticket, link};
use crate::forgotten::Forgotten;
use crate::home_assistant::{Announcer, Withdrawal};
use crate::identity::Identity;
use crate::journal::Journals;
use crate::metrics::Metrics;
use crate::poller::Poll;
use crate::presence::Presence;
use crate::receipts::Receipts;

/// The publisher's state.
pub(crate) struct Publisher {
    identity: Identity,
    journals: Journals,
    delivery: Delivery<Journals>,
    presence: Presence,
    home_assistant: Option<Announcer>,
    withdrawal: Withdrawal,
    forgotten: Forgotten,
    greeting: Option<Greeting>,
    /// Once the broker has answered the greeting.
    connection: Option<Connection>,
    on_their_way: Receipts,
    complaints: Complaints,
    measuring: Measuring,
    metrics: Metrics,
    part: Part,
}

/// Why the publisher has nothing to do any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputEnded {
    #[error("the MQTT session has ended")]
    Session,
    #[error("the poller has ended")]
    Poller,
}

impl Publisher {
    /// A publisher of what these journals hold and will hold.
    pub(crate) fn new(
        identity: Identity,
        journals: Journals,
        home_assistant: Option<Announcer>,
        withdrawal: Withdrawal,
        forgotten: Forgotten,
        metrics: Metrics,
        part: Part,
    ) -> Self {
        let beginning = journals.beginning();
        let sender = identity.sender();
        let mut publisher = Self {
            complaints: Complaints::new(identity.envoy.clone()),
            identity,
            delivery: Delivery::new(sender, journals.clone(), beginning, Instant::now()),
            journals,
            presence: Presence::new(Instant::now() + gateway::FIRST_POLL),
            home_assistant,
            withdrawal,
            forgotten,
            greeting: None,
            connection: None,
            on_their_way: Receipts::default(),
            measuring: Measuring::new(),
            metrics,
            part,
        };
        publisher.look_for_forgotten();
        publisher
    }

    /// Publishes until `stop`, then says good-bye.
    ///
    /// # Errors
    /// When the session or the poller ended before.
    pub(crate) async fn run(
        mut self,
        session: Session,
        mut events: Events,
        mut polls: mpsc::Receiver<Poll>,
        stop: CancellationToken,
    ) -> Result<(), InputEnded> {
        let outcome = tokio::select! {
            () = stop.cancelled() => Ok(()),
            // The poller is asked to stop, too, and may have ended first.
            ended = self.publish(&mut events, &mut polls) => {
                if stop.is_cancelled() { Ok(()) } else { Err(ended) }
            }
        };
        self.farewell(session, &mut events, polls).await;
        outcome
    }

    async fn publish(
        &mut self,
        events: &mut Events,
        polls: &mut mpsc::Receiver<Poll>,
    ) -> InputEnded {
        let mut announce = interval(self.identity.announce_every);
        announce.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let full = self.full();
            // What is due is sent, which has to wait now and then.
            let may_send = self.greeting.is_none() && full.is_none();
            let due = self.delivery.due().filter(|_| may_send);
            let announcing = self.home_assistant.as_ref().and_then(Announcer::due);
            let presence = self.presence.due().filter(|_| may_send);
            let holds = self.connection.as_ref().and(self.complaints.due());
            tokio::select! {
                // In this order: an echo that has come was not missed.
                biased;
                () = self.part.beat() => {}
                event = events.next() => match event {
                    None => return InputEnded::Session,
                    Some(event) => self.handle(event).await,
                },
                greeted = greeted(&mut self.greeting) => self.has_greeted(greeted),
                poll = polls.recv() => match poll {
                    None => return InputEnded::Poller,
                    Some(poll) => self.take(poll),
                },
                Some((ticket, Ok(()))) = self.on_their_way.next() => {
                    self.acknowledged(&ticket);
                }
                () = at(due) => {
                    let news = self.delivery.at(Instant::now());
                    self.tell(news);
                }
                () = at(announcing) => self.announce_devices(),
                // `send` does what is due, and what follows it says that the connection holds.
                () = room(full) => {}
                () = at(presence) => {}
                () = at(holds) => {}
                _ = announce.tick() => self.delivery.announce_soon(Instant::now()),
            }
            // `Gone` needs no handling of its own: the session reports the end of a connection
            // as an event, and what was on its way is sent again on the next one.
            let _ = self.send().await;
            if self.connection.is_some() {
                self.complaints.connected(self.delivery.waiting());
            }
            self.metrics.waiting(self.delivery.waiting());
        }
    }

    async fn handle(&mut self, event: Event) {
        match event {
            Event::Connected(connection) => self.greet(connection),
            Event::Disconnected(reason) => self.disconnected(&reason),
            Event::Received(received) => self.receive(received).await,
        }
    }

    fn disconnected(&mut self, reason: &Reason) {
        self.complaints.disconnected(reason);
        self.metrics.connected(false);
        self.part
            .status(&format!("no connection to the broker: {reason}"));
        self.greeting = None;
        self.connection = None;
        self.delivery.disconnected();
        self.on_their_way.clear();
    }

    async fn receive(&mut self, received: Received) {
        self.listen_to_home_assistant(&received);
        if received.retain {
            self.forgotten.heard(&received.topic, &received.payload);
            self.withdrawal.heard(&received.topic, &received.payload);
            self.announce_retained(&received);
            self.presence
                .heard(&self.identity.base, &received.topic, &received.payload);
        }
        let news = self.delivery.hear(message(&received), Instant::now());
        self.tell(news);
        // On a connection that has ended there is nothing to acknowledge.
        let _ = received.acknowledgement.send().await;
    }

    /// The connection, while there is no room for another message on it.
    fn full(&self) -> Option<Connection> {
        self.connection.clone().filter(|one| !one.has_room())
    }

    /// Sends what is next, as far as there is room for it: readings, then what is said of the gateway and its inverters, and that the scraper is there,
    /// last their devices in Home Assistant, which show all that.
    async fn send(&mut self) -> Result<(), Gone> {
        // Also while there is no connection: a larger journal may keep what has yet to come.
        self.note_given_up();
        self.send_readings().await?;
        self.send_gateway().await?;
        self.send_devices().await?;
        self.withdraw_devices().await?;
        self.clear_forgotten().await
    }

    async fn send_readings(&mut self) -> Result<(), Gone> {
        let Some(connection) = &self.connection else {
            return Ok(());
        };
        while connection.has_room()
            && let Some(outgoing) = self.delivery.next(Instant::now())
        {
            let receipt = connection.publish(self.identity.message(&outgoing)).await?;
            let ticket = self.delivery.sent(&outgoing, Instant::now());
            if ticket.is_reading() || ticket.is_answer() {
                self.metrics.last_publish.is_now();
            }
            self.on_their_way.push(ticket, receipt);
        }
        self.note_given_up();
        Ok(())
    }

    fn acknowledged(&mut self, ticket: &Ticket) {
        self.delivery.acknowledged(ticket, Instant::now());
        let count = match ticket {
            reading if reading.is_reading() => &self.metrics.published,
            answer if answer.is_answer() => &self.metrics.sent_again,
            _ => return,
        };
        count.inc();
        self.metrics.last_acknowledge.is_now();
    }
}

fn message(received: &Received) -> link::Message<'_> {
    link::Message {
        topic: &received.topic,
        payload: &received.payload,
        retain: received.retain,
    }
}

/// Completes once there is room on a connection that has none; never without it.
async fn room(full: Option<Connection>) {
    match full {
        Some(connection) => connection.room().await,
        None => std::future::pending().await,
    }
}

/// Publishes what has no receipt to wait for: the next one says it again.
async fn send(connection: &Connection, message: Message) -> Result<(), Gone> {
    connection.publish(message).await.map(drop)
}

//! Brings readings to the broker: drives the [`delivery`](crate::delivery) over a connection, and says
//! how it goes.
//!
//! ```text
//!  poller ──polls──►┐                        ┌──► publish (QoS 1) ──┐
//!                   ├─► publisher, delivery ─┤                      ▼
//!  session ─events─►┘                        └◄───── PUBACK ───── broker
//! ```
//!
//! One loop owns the delivery and the connection. It ends only when it is asked to.

#[cfg(feature = "sabotage")]
mod sabotage;

use std::time::Duration;

use daemon::deadline::at;
use daemon::random;
use daemon::service::Part;
use mqtt::{Connection, Delivery as Received, Event, Events, Gone, Message, Session};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use wire::{GatewayState, Health, Status};

use crate::complaints::Complaints;
use crate::delivery::{Delivery, News, Ticket, link};
use crate::home_assistant::{Announcer, announcer};
use crate::identity::Identity;
use crate::journal::Journals;
use crate::metrics::Metrics;
use crate::poller::{Poll, Polled};
use crate::receipts::Receipts;

/// How long each step of a stop may take: a poll under way, the readings on their way, and the end
/// of the session, which takes up to a second more. All of them fit into the grace that the scraper
/// gives its parts.
const FAREWELL: Duration = Duration::from_secs(1);

/// The publisher's state.
pub(crate) struct Publisher {
    identity: Identity,
    journals: Journals,
    delivery: Delivery<Journals>,
    gateway: Option<GatewayState>,
    /// Whether a poll changed it since it was published.
    gateway_changed: bool,
    health: Option<Health>,
    /// Whether a poll changed it since it was published.
    health_changed: bool,
    home_assistant: Option<Announcer>,
    connection: Option<Connection>,
    on_their_way: Receipts,
    complaints: Complaints,
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
        metrics: Metrics,
        part: Part,
    ) -> Self {
        let beginning = journals.beginning();
        let sender = identity.sender();
        Self {
            complaints: Complaints::new(identity.envoy.clone()),
            identity,
            delivery: Delivery::new(sender, journals.clone(), beginning, Instant::now()),
            journals,
            gateway: None,
            gateway_changed: false,
            health: None,
            health_changed: false,
            home_assistant,
            connection: None,
            on_their_way: Receipts::default(),
            metrics,
            part,
        }
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
        // The poller ends, too, and its last poll comes before the end of the channel.
        let _ = timeout(FAREWELL, async {
            while let Some(poll) = polls.recv().await {
                self.take(poll);
            }
        })
        .await;
        // A poll that takes longer is given up, and what it still sent is not.
        polls.close();
        while let Ok(poll) = polls.try_recv() {
            self.take(poll);
        }
        let _ = timeout(FAREWELL, self.flush(&mut events)).await;
        if let Some(connection) = &self.connection {
            // With the connection gone the broker says good-bye for us. There is room for it at once:
            // few messages are on their way.
            let offline = self.identity.status(Status::Offline);
            let _ = timeout(FAREWELL, connection.publish(offline)).await;
        }
        session.close(FAREWELL).await;
        let unproven = self.delivery.unproven();
        if unproven > 0 {
            self.complaints
                .stopped_with(unproven, self.journals.is_on_disk());
        }
        self.note_delivered();
        self.journals.close();
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
            let due = self.delivery.due();
            let announcing = self.home_assistant.as_ref().and_then(Announcer::due);
            tokio::select! {
                // In this order: an echo that has come was not missed.
                biased;
                () = self.part.beat() => {}
                event = events.next() => match event {
                    None => return InputEnded::Session,
                    Some(event) => self.handle(event).await,
                },
                poll = polls.recv() => match poll {
                    None => return InputEnded::Poller,
                    Some(poll) => self.take(poll),
                },
                Some((ticket, Ok(()))) = self.on_their_way.next() => {
                    self.acknowledged(&ticket);
                }
                () = at(due) => {
                    let news = self.delivery.at(Instant::now());
                    self.tell(news).await;
                }
                () = at(announcing) => {
                    if let Some(home_assistant) = &mut self.home_assistant {
                        home_assistant.at(Instant::now());
                    }
                }
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

    async fn handle(&mut self, event: Event) {
        match event {
            Event::Connected(connection) => {
                self.complaints.connected(self.delivery.waiting());
                self.metrics.connected(true);
                self.part.status("connected to the broker");
                self.greet(connection).await;
            }
            Event::Disconnected(reason) => {
                self.complaints.disconnected(&reason);
                self.metrics.connected(false);
                self.part
                    .status(&format!("no connection to the broker: {reason}"));
                self.connection = None;
                self.delivery.disconnected();
                self.on_their_way.clear();
            }
            Event::Received(received) => {
                self.listen_to_home_assistant(&received);
                let news = self.delivery.hear(message(&received), Instant::now());
                self.tell(news).await;
                // On a connection that has ended there is nothing to acknowledge.
                let _ = received.acknowledgement.send().await;
            }
        }
    }

    /// Subscribes before it announces, so that the echo comes after what the topics hold.
    async fn greet(&mut self, connection: Connection) {
        let filters = self.identity.own_filters().into_iter();
        let birth = self.home_assistant.as_ref().map(Announcer::filter);
        if let Err(error) = connection.subscribe(filters.chain(birth)).await {
            self.complaints.cannot_listen(&error);
        }
        // What becomes of it shows in the echo of the announcement.
        let online = send(&connection, self.identity.status(Status::Online)).await;
        if online.is_ok() {
            self.connection = Some(connection);
            self.delivery.connected(Instant::now());
            #[cfg(feature = "sabotage")]
            self.believe_that_all_is_shown();
            self.say_all_again();
        }
    }

    /// A broker may have lost what it retained.
    fn say_all_again(&mut self) {
        self.gateway_changed = true;
        self.health_changed = true;
        if let Some(home_assistant) = &mut self.home_assistant {
            home_assistant.connected();
        }
    }

    /// Home Assistant has started: it is told everything again, a little later, since all others do so too.
    fn listen_to_home_assistant(&mut self, received: &Received) {
        let Some(home_assistant) = &mut self.home_assistant else {
            return;
        };
        let pause = random::part_of(announcer::LONGEST_PAUSE);
        if home_assistant.heard(&received.topic, &received.payload, pause, Instant::now()) {
            tracing::debug!("Home Assistant has started");
            self.gateway_changed = true;
            self.health_changed = true;
        }
    }

    /// Sends what is next, and the state of the gateway.
    async fn send(&mut self) -> Result<(), Gone> {
        // Also while there is no connection: a larger journal may keep what has yet to come.
        self.note_given_up();
        let Some(connection) = &self.connection else {
            return Ok(());
        };
        while let Some(outgoing) = self.delivery.next(Instant::now()) {
            let receipt = connection.publish(self.identity.message(&outgoing)).await?;
            // Only now: a stop may come while we wait for room, and the farewell begins with what
            // is not sent.
            let ticket = self.delivery.sent(&outgoing, Instant::now());
            if ticket.is_reading() || ticket.is_answer() {
                self.metrics.last_publish.is_now();
            }
            self.on_their_way.push(ticket, receipt);
        }
        self.note_given_up();
        if self.gateway_changed
            && let (Some(connection), Some(gateway)) = (&self.connection, &self.gateway)
        {
            send(connection, self.identity.gateway(gateway)).await?;
            self.gateway_changed = false;
        }
        if self.health_changed
            && let (Some(connection), Some(health)) = (&self.connection, &self.health)
        {
            send(connection, self.identity.health(health)).await?;
            self.health_changed = false;
        }
        // After what its entities show.
        if let (Some(connection), Some(home_assistant)) =
            (&self.connection, &mut self.home_assistant)
        {
            while let Some((topic, payload)) = home_assistant.next_message() {
                send(
                    connection,
                    Message {
                        topic,
                        payload: payload.into(),
                        retain: true,
                    },
                )
                .await?;
            }
        }
        Ok(())
    }

    fn note_given_up(&mut self) {
        let readings = self.delivery.given_up();
        self.metrics.given_up.inc_by(readings);
        self.complaints.given_up(readings, self.delivery.waiting());
    }

    async fn tell(&mut self, news: News) {
        match news {
            News::Allowed => self.complaints.allowed(self.delivery.waiting()),
            News::AllowedAfterAll => {
                self.complaints.allowed(self.delivery.waiting());
                // These were dropped, too.
                self.say_all_again();
                if let Some(connection) = &self.connection {
                    // A connection that has ended meanwhile is reported as an event of its own.
                    let _ = send(connection, self.identity.status(Status::Online)).await;
                }
            }
            News::NotAllowed => self.complaints.not_allowed(),
            News::Arrived => self.note_delivered(),
            News::AnotherScraper(instance) => self.complaints.another_scraper(&instance),
            News::JournalRenewed { from, to } => self.complaints.journal_renewed(&from, &to),
            News::AskedAgain(readings) => {
                self.metrics.asked_for.inc_by(readings);
                self.complaints.asked_again(readings);
            }
            News::Nothing => {}
        }
    }

    fn take(&mut self, poll: Poll) {
        let gateway = match poll {
            Poll::Failed(gateway) => *gateway,
            Poll::Answered(polled) => {
                let Polled {
                    readings,
                    gateway,
                    health,
                } = *polled;
                self.delivery.take(readings, Instant::now());
                if let Some(home_assistant) = &mut self.home_assistant {
                    home_assistant.gateway(&gateway);
                    home_assistant.health(&health);
                }
                let health = Some(health);
                if self.health != health {
                    self.health = health;
                    self.health_changed = true;
                }
                gateway
            }
        };
        self.gateway = Some(gateway);
        self.gateway_changed = true;
    }

    /// Has the journal remember what need not be sent again after the next start.
    fn note_delivered(&self) {
        if let Some((journal, below)) = self.delivery.delivered_below() {
            self.journals.note_delivered(&journal, below);
        }
    }

    /// Sends what is left, until all of it is proven to have arrived. With the connection gone there is
    /// nothing to do.
    async fn flush(&mut self, events: &mut Events) {
        while self.connection.is_some() && !self.delivery.is_finished() {
            // `Gone` comes as an event.
            let _ = self.send().await;
            let due = self.delivery.due();
            tokio::select! {
                event = events.next() => match event {
                    None => return,
                    Some(event) => self.handle(event).await,
                },
                Some((ticket, Ok(()))) = self.on_their_way.next() => {
                    self.acknowledged(&ticket);
                }
                () = at(due) => {
                    let news = self.delivery.at(Instant::now());
                    self.tell(news).await;
                }
            }
        }
    }
}

fn message(received: &Received) -> link::Message<'_> {
    link::Message {
        topic: &received.topic,
        payload: &received.payload,
        retain: received.retain,
    }
}

/// Publishes what has no receipt to wait for: the next one says it again.
async fn send(connection: &Connection, message: Message) -> Result<(), Gone> {
    connection.publish(message).await.map(drop)
}

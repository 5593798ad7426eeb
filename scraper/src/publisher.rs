//! Brings readings to the broker.
//!
//! ```text
//!  poller ──polls──►┐                     ┌──► publish (retained, QoS 1) ──┐
//!                   ├─► publisher, outbox ┤                                ▼
//!  session ─events─►┘    ▲                └◄── PUBACK: acknowledged ────── broker
//!                        └──── echo of an announcement: out of the outbox ───┘
//! ```
//!
//! One loop owns the outbox and the connection. It ends only when it is asked to. What it sends, and
//! in which order, is in `sending`.

mod sending;

use std::time::Duration;

use daemon::deadline::at;
use daemon::service::Part;
use mqtt::{Connection, Event, Events, Gone, Session};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use wire::{GatewayState, JournalId, Status};

use crate::complaints::Complaints;
use crate::identity::Identity;
use crate::link::{Heard, Link};
use crate::outbox::Outbox;
use crate::poller::Polled;
use crate::receipts::{Receipts, Sent};
use sending::send;

/// Readings that may be on their way at once. Enough to fill a link with a long round trip;
/// few enough that a status or an announcement never waits long behind them.
const WINDOW: usize = 100;

/// How long each step of a stop may take: a poll under way, the readings on their way, and the end
/// of the session, which takes up to a second more. All of them fit into the grace that the scraper
/// gives its parts.
const FAREWELL: Duration = Duration::from_secs(1);

/// The publisher's state.
pub(crate) struct Publisher {
    identity: Identity,
    journal: JournalId,
    /// The highest number given out.
    last: u64,
    /// Whether an announcement is due: something was sent that none has told yet, or time has passed.
    unannounced: bool,
    gateway: Option<GatewayState>,
    /// Whether a poll changed it since it was published.
    gateway_changed: bool,
    outbox: Outbox,
    link: Option<Link>,
    on_their_way: Receipts,
    complaints: Complaints,
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
    /// A publisher with nothing to publish yet.
    pub(crate) fn new(identity: Identity, journal: JournalId, part: Part) -> Self {
        Self {
            complaints: Complaints::new(identity.envoy.clone()),
            identity,
            journal,
            last: 0,
            unannounced: false,
            gateway: None,
            gateway_changed: false,
            outbox: Outbox::new(),
            link: None,
            on_their_way: Receipts::default(),
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
        mut polls: mpsc::Receiver<Polled>,
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
            while let Some(polled) = polls.recv().await {
                self.take(polled);
            }
        })
        .await;
        // A poll that takes longer is given up, and what it still sent is not.
        polls.close();
        while let Ok(polled) = polls.try_recv() {
            self.take(polled);
        }
        let _ = timeout(FAREWELL, self.flush(&mut events)).await;
        if let Some(link) = &self.link {
            // With the connection gone the broker says good-bye for us. There is room for it at once:
            // few messages are on their way.
            let offline = self.identity.status(Status::Offline);
            let _ = timeout(FAREWELL, link.connection.publish(offline)).await;
        }
        session.close(FAREWELL).await;
        if self.outbox.unproven() > 0 {
            self.complaints.stopped_with(self.outbox.unproven());
        }
        outcome
    }

    async fn publish(
        &mut self,
        events: &mut Events,
        polls: &mut mpsc::Receiver<Polled>,
    ) -> InputEnded {
        let mut announce = interval(self.identity.announce_every);
        announce.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let deadline = self.link.as_ref().and_then(Link::deadline);
            tokio::select! {
                // In this order: an echo that has come was not missed.
                biased;
                () = self.part.beat() => {}
                event = events.next() => match event {
                    None => return InputEnded::Session,
                    Some(event) => self.handle(event).await,
                },
                polled = polls.recv() => match polled {
                    None => return InputEnded::Poller,
                    Some(polled) => self.take(polled),
                },
                Some((sent, outcome)) = self.on_their_way.next() => self.settle(sent, outcome),
                () = at(deadline) => self.echo_missed(),
                _ = announce.tick() => self.unannounced = true,
            }
            // `Gone` needs no handling of its own: the session reports the end of a connection
            // as an event, and what was on its way is sent again on the next one.
            let _ = self.send().await;
            if self.link.is_some() {
                self.complaints.connected(self.outbox.waiting());
            }
        }
    }

    async fn handle(&mut self, event: Event) {
        match event {
            Event::Connected(connection) => {
                self.complaints.connected(self.outbox.waiting());
                self.part.status("connected to the broker");
                self.link = Some(Link::new(connection.clone()));
                if self.greet(&connection).await.is_err() {
                    self.link = None;
                }
            }
            Event::Disconnected(reason) => {
                self.complaints.disconnected(&reason);
                self.part
                    .status(&format!("no connection to the broker: {reason}"));
                self.link = None;
                self.on_their_way.clear();
            }
            Event::Received(delivery) => {
                if let Some(link) = &mut self.link {
                    match link.hear(&delivery, &self.identity.base, &self.identity.instance) {
                        Heard::Echo => {
                            self.complaints.allowed(self.outbox.waiting());
                            self.begin();
                        }
                        Heard::LateEcho => self.allowed_after_all().await,
                        Heard::FurtherEcho => self.outbox.proven(),
                        Heard::AnotherScraper(instance) => {
                            self.complaints.another_scraper(&instance);
                        }
                        Heard::Nothing => {}
                    }
                }
                // On a connection that has ended there is nothing to acknowledge.
                let _ = delivery.acknowledgement.send().await;
            }
        }
    }

    /// Subscribes before it announces, so that the echo comes after what the topics hold.
    async fn greet(&mut self, connection: &Connection) -> Result<(), Gone> {
        if let Err(error) = connection.subscribe(self.identity.own_filters()).await {
            self.complaints.cannot_listen(&error);
        }
        // What becomes of these shows in the echo of the announcement.
        send(connection, self.identity.status(Status::Online)).await?;
        self.announce(connection).await?;
        if let Some(gateway) = &self.gateway {
            send(connection, self.identity.gateway(gateway)).await?;
        }
        Ok(())
    }

    fn take(&mut self, polled: Polled) {
        for reading in polled.readings {
            self.last = reading.seq;
            if let Some(given_up) = self.outbox.add(reading) {
                self.complaints.given_up(&given_up);
            }
        }
        self.gateway = Some(polled.gateway);
        self.gateway_changed = true;
    }

    fn settle(&mut self, sent: Sent, outcome: Result<(), Gone>) {
        let Some(link) = self.link.as_mut().filter(|_| outcome.is_ok()) else {
            return;
        };
        match sent {
            Sent::Announcement => link.acknowledged(),
            // Without the proof that we may publish, an acknowledgement says nothing.
            Sent::Reading(seq) if link.is_proven() => {
                self.outbox.acknowledged(seq);
                if self.outbox.waiting() == 0 {
                    self.complaints.all_delivered();
                }
            }
            Sent::Reading(_) => {}
        }
    }

    /// What was sent since the last echo may have been dropped. It stays in the outbox until an echo
    /// comes, and another announcement asks for one at once, so that given back rights are noticed
    /// soon.
    fn echo_missed(&mut self) {
        self.unannounced = true;
        if self.link.as_mut().is_some_and(Link::missed) {
            self.complaints.not_allowed();
            self.begin();
        }
    }

    /// The status and the gateway were dropped, too.
    async fn allowed_after_all(&mut self) {
        self.complaints.allowed(self.outbox.waiting());
        self.begin();
        self.gateway_changed = true;
        if let Some(link) = &self.link {
            // A connection that has ended meanwhile is reported as an event of its own.
            let _ = send(&link.connection, self.identity.status(Status::Online)).await;
        }
    }

    /// Lines up what this connection's broker has yet to be given.
    fn begin(&mut self) {
        if let Some(link) = &self.link {
            self.on_their_way.clear();
            self.outbox.connected(link.held());
        }
    }

    /// Sends what is left, until all of it is proven to have arrived. With the connection gone there is
    /// nothing to do.
    async fn flush(&mut self, events: &mut Events) {
        while self.link.is_some() && (self.outbox.unproven() > 0 || !self.on_their_way.is_empty()) {
            // `Gone` comes as an event.
            let _ = self.send().await;
            tokio::select! {
                event = events.next() => match event {
                    None => return,
                    Some(event) => self.handle(event).await,
                },
                Some((sent, outcome)) = self.on_their_way.next() => self.settle(sent, outcome),
            }
        }
    }
}

//! Brings readings to the broker.
//!
//! ```text
//!  poller ──polls──►┐                     ┌──► publish (retained, QoS 1) ──┐
//!                   ├─► publisher, outbox ┤                                ▼
//!  session ─events─►┘                     └◄── PUBACK: out of the outbox ── broker
//! ```
//!
//! One loop owns the outbox and the connection. It ends only when it is asked to.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use mqtt::{Event, Events, Gone, Message, Receipt, Session};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use wire::{Announcement, BaseTopic, GatewayState, InstanceId, JournalSpan, Serial, Status, Topic};

use crate::link::{Heard, Link};
use crate::outbox::Outbox;
use crate::poller::Polled;

/// Readings that may be on their way at once. Enough to fill a link with a long round trip;
/// few enough that a status or an announcement never waits long behind them.
const WINDOW: usize = 100;

/// How long each step of a stop may take: a poll under way, the readings on their way, the end of
/// the session.
const FAREWELL: Duration = Duration::from_millis(1500);

/// Who publishes, where, and how often it announces itself.
#[derive(Debug)]
pub(crate) struct Identity {
    /// The Envoy whose readings these are.
    pub(crate) envoy: Serial,
    /// The first part of every topic.
    pub(crate) base: BaseTopic,
    /// This process: random, so that its own announcements can be told from another's.
    pub(crate) instance: InstanceId,
    /// The longest time between two announcements.
    pub(crate) announce_every: Duration,
}

/// The publisher's state.
pub(crate) struct Publisher {
    identity: Identity,
    journal: JournalSpan,
    gateway: Option<GatewayState>,
    outbox: Outbox,
    link: Option<Link>,
    on_their_way: FuturesUnordered<OnItsWay>,
    /// So that readings lost to a full outbox are logged once, with their number at the end.
    lost: u64,
    another_scraper: Option<InstanceId>,
}

/// A receipt that knows its reading's number.
type OnItsWay = BoxFuture<'static, (u64, Result<(), Gone>)>;

impl Publisher {
    /// A publisher with nothing to publish yet.
    #[must_use]
    pub(crate) fn new(identity: Identity, journal: JournalSpan) -> Self {
        Self {
            identity,
            journal,
            gateway: None,
            outbox: Outbox::new(),
            link: None,
            on_their_way: FuturesUnordered::new(),
            lost: 0,
            another_scraper: None,
        }
    }

    /// The message that the broker publishes for us when we are gone.
    #[must_use]
    pub(crate) fn last_will(identity: &Identity) -> Message {
        status(identity, Status::Offline)
    }

    /// Publishes until `stop`, then says good-bye.
    pub(crate) async fn run(
        mut self,
        session: Session,
        mut events: Events,
        mut polls: mpsc::Receiver<Polled>,
        stop: CancellationToken,
    ) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.publish(&mut events, &mut polls) => {}
        }
        // The poller ends, too, and its last poll comes before the end of the channel.
        let _ = timeout(FAREWELL, async {
            while let Some(polled) = polls.recv().await {
                // Its announcement may fail with the connection gone; its readings are taken in
                // first.
                let _ = self.take(polled).await;
            }
        })
        .await;
        let _ = timeout(FAREWELL, self.flush()).await;
        session.close(FAREWELL).await;
        let waiting = self.outbox.waiting();
        if waiting > 0 {
            tracing::error!(
                waiting,
                "stopped with readings that the broker had not taken"
            );
        }
    }

    /// Sends what waits and then the good-bye. With the connection gone there is nothing to do:
    /// the broker says good-bye for us.
    async fn flush(&mut self) -> Result<(), Gone> {
        while self.link.as_ref().is_some_and(Link::is_ready) {
            self.send_waiting().await?;
            let Some((seq, outcome)) = self.on_their_way.next().await else {
                break;
            };
            outcome?;
            self.settle(seq, Ok(()));
        }
        if let Some(link) = &self.link {
            let offline = status(&self.identity, Status::Offline);
            link.connection.publish(offline).await?.await?;
        }
        Ok(())
    }

    async fn publish(&mut self, events: &mut Events, polls: &mut mpsc::Receiver<Polled>) {
        let mut announce = interval(self.identity.announce_every);
        announce.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let deadline = self.link.as_ref().and_then(Link::deadline);
            let step = tokio::select! {
                event = events.next() => match event {
                    None => return,
                    Some(event) => self.handle(event).await,
                },
                polled = polls.recv() => match polled {
                    None => return,
                    Some(polled) => self.take(polled).await,
                },
                Some((seq, outcome)) = self.on_their_way.next() => {
                    self.settle(seq, outcome);
                    Ok(())
                }
                () = at(deadline) => {
                    self.begin_without_echo();
                    Ok(())
                }
                _ = announce.tick() => self.announce().await,
            };
            // `Gone` needs no handling of its own: the session reports the end of a connection
            // as an event, and what was on its way is sent again on the next one.
            let _ = step;
            let _ = self.send_waiting().await;
        }
    }

    async fn handle(&mut self, event: Event) -> Result<(), Gone> {
        match event {
            Event::Connected(connection) => self.greet(Link::new(connection)).await,
            Event::Disconnected(_) => {
                self.link = None;
                self.on_their_way.clear();
                Ok(())
            }
            Event::Received(delivery) => {
                if let Some(link) = &mut self.link {
                    match link.hear(&delivery, &self.identity.base, &self.identity.instance) {
                        Heard::Echo { late } => self.echoed(late),
                        Heard::AnotherScraper(instance) => self.warn_of(instance),
                        Heard::Nothing => {}
                    }
                }
                delivery.acknowledgement.send().await
            }
        }
    }

    /// Subscribes before it announces, so that the echo comes after what the topics hold.
    async fn greet(&mut self, link: Link) -> Result<(), Gone> {
        let envoy = &self.identity.envoy;
        let filters = [
            self.topic(&Topic::Journal {
                envoy: envoy.clone(),
            }),
            self.identity.base.inverters_of_filter(envoy),
        ];
        let connection = link.connection.clone();
        self.link = Some(link);
        if let Err(error) = connection.subscribe(filters).await {
            tracing::warn!(%error, "can't listen to our own topics");
        }
        let online = status(&self.identity, Status::Online);
        // What becomes of it shows in the echo of the announcement that follows it.
        connection.publish(online).await.map(drop)?;
        self.announce().await?;
        self.publish_gateway().await
    }

    async fn take(&mut self, polled: Polled) -> Result<(), Gone> {
        let changed = !polled.readings.is_empty();
        for reading in polled.readings {
            if let Some(lost) = self.outbox.add(reading) {
                self.note_lost(&lost);
            }
        }
        self.journal = polled.journal;
        self.gateway = Some(polled.gateway);
        if changed {
            self.announce().await?;
        }
        self.publish_gateway().await
    }

    fn settle(&mut self, seq: u64, outcome: Result<(), Gone>) {
        // Without the proof that we may publish, an acknowledgement says nothing.
        let proven = self.link.as_ref().is_some_and(Link::is_proven);
        if outcome.is_ok() && proven {
            self.outbox.delivered(seq);
            if self.outbox.waiting() == 0 && self.lost > 0 {
                tracing::error!(
                    readings = self.lost,
                    "lost while the broker was away for too long"
                );
                self.lost = 0;
            }
        }
    }

    fn echoed(&mut self, late: bool) {
        if late {
            tracing::info!(
                "the broker lets us publish now; what it may have dropped is sent again"
            );
        }
        self.begin();
    }

    fn begin_without_echo(&mut self) {
        tracing::error!(
            envoy = %self.identity.envoy,
            "not allowed to publish: our own announcement did not come back. Give this account read \
             and write access to the topics of this Envoy (mosquitto/account scraper SERIAL does). \
             Readings are kept until it comes"
        );
        self.begin();
    }

    /// Lines up what this connection's broker has yet to be given.
    fn begin(&mut self) {
        if let Some(link) = &mut self.link {
            link.begin();
            self.on_their_way.clear();
            self.outbox.connected(link.held());
        }
    }

    fn warn_of(&mut self, instance: InstanceId) {
        if self.another_scraper.as_ref() != Some(&instance) {
            tracing::error!(
                envoy = %self.identity.envoy,
                %instance,
                "a second scraper publishes for this Envoy; stop one of them"
            );
            self.another_scraper = Some(instance);
        }
    }

    fn note_lost(&mut self, reading: &wire::Reading) {
        if self.lost == 0 {
            tracing::error!(
                inverter = %reading.serial,
                reported_at = %reading.reported_at,
                "the broker has been away for too long: the oldest readings are given up"
            );
        }
        self.lost += 1;
    }

    async fn send_waiting(&mut self) -> Result<(), Gone> {
        let Some(link) = self.link.as_ref().filter(|link| link.is_ready()) else {
            return Ok(());
        };
        let connection = link.connection.clone();
        while self.on_their_way.len() < WINDOW {
            let Some(outgoing) = self.outbox.take_next() else {
                break;
            };
            let receipt = connection
                .publish(Message {
                    topic: self.topic(&outgoing.topic),
                    payload: outgoing.payload.into(),
                    retain: outgoing.retain,
                })
                .await?;
            self.on_their_way.push(on_its_way(outgoing.seq, receipt));
        }
        Ok(())
    }

    async fn announce(&mut self) -> Result<(), Gone> {
        let Some(link) = &self.link else {
            return Ok(());
        };
        let announcement = Announcement {
            instance: self.identity.instance.clone(),
            journals: vec![self.journal.clone()],
            waiting: self.outbox.waiting() as u64,
        };
        let envoy = self.identity.envoy.clone();
        link.connection
            .publish(self.retained(&Topic::Journal { envoy }, announcement.encode()))
            .await
            .map(drop)
    }

    async fn publish_gateway(&mut self) -> Result<(), Gone> {
        let (Some(link), Some(gateway)) = (&self.link, &self.gateway) else {
            return Ok(());
        };
        let envoy = self.identity.envoy.clone();
        link.connection
            .publish(self.retained(&Topic::Gateway { envoy }, gateway.encode()))
            .await
            .map(drop)
    }

    fn topic(&self, topic: &Topic) -> String {
        topic.render(&self.identity.base)
    }

    fn retained(&self, topic: &Topic, payload: String) -> Message {
        Message {
            topic: self.topic(topic),
            payload: payload.into(),
            retain: true,
        }
    }
}

fn on_its_way(seq: u64, receipt: Receipt) -> OnItsWay {
    Box::pin(async move { (seq, receipt.await) })
}

fn status(identity: &Identity, status: Status) -> Message {
    let envoy = identity.envoy.clone();
    Message {
        topic: Topic::EnvoyStatus { envoy }.render(&identity.base),
        payload: status.encode().into(),
        retain: true,
    }
}

/// Completes at `deadline`; never without one.
async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

//! The task that polls, and does nothing else.
//!
//! It waits for nothing but rumqttc: what comes for the consumer is put into a queue with room for
//! all that the protocol allows, and no client call is made here (one that waits for room in
//! rumqttc's queue, which only this task empties, would wait for ever). It is a task of its own
//! because a poll that is cancelled can lose a packet.
//!
//! There are brokers that send more than the protocol allows: Mosquitto 2.0.11, to a session in which
//! much has waited, with each acknowledgement more, up to all of it. So the broker is read no further while
//! [`AHEAD`] messages wait for the consumer, or [`BYTES_AHEAD`] bytes of them, and pings go out meanwhile: what it
//! sends stays in the network, and then with the broker. There is an exception, without which a consumer that waits
//! for an answer would wait for ever: while something of ours is to be sent or answered, reading goes on.
//!
//! Then the queue can become full. To break off would have all of that come again, and none of it ever
//! acknowledged. So it is waited for, as long as the consumer makes room for the next message within
//! [`ROOM_WITHIN`]. One read brings up to nine messages, and rumqttc sends
//! no ping before they are handed on: what is waited for them counts together, and pings go out meanwhile.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, timeout};

use crate::client::{self, ConnectionError, EventLoop, Happening, Incoming};
use crate::delivery::Delivery;
use crate::limits::UNACKNOWLEDGED;
use crate::link::Link;
use crate::reason::Reason;
use crate::window::OutOfStep;

/// Deliveries beyond which the broker is not read while nothing is to be sent or answered. As many as the shipped
/// broker sends ahead of their acknowledgements.
const AHEAD: usize = 1_000;

/// As many deliveries that wait leave so much room in the queue.
const ROOM: usize = DELIVERIES - AHEAD;

/// Bytes of them beyond which it is not read either: twenty times what [`AHEAD`] readings have.
const BYTES_AHEAD: u32 = 8 * 1024 * 1024;

/// Deliveries that the consumer has not taken yet. A broker can't have more than this many
/// unacknowledged, so only messages that want no acknowledgement, or a broker that counts
/// wrong, can fill it.
pub(crate) const DELIVERIES: usize = UNACKNOWLEDGED;

/// The bytes that these may have together: a quarter of the memory that the smallest of our machines lets us have.
const HELD: usize = 2 * BYTES_AHEAD as usize;

/// A delivery that nobody has taken yet, and its part of the room for them.
pub(crate) struct Held {
    delivery: Delivery,
    _room: OwnedSemaphorePermit,
}

impl Held {
    fn new(delivery: Delivery, room: OwnedSemaphorePermit) -> Self {
        Self {
            delivery,
            _room: room,
        }
    }

    /// Takes it, which makes room.
    pub(crate) fn take(self) -> Delivery {
        self.delivery
    }
}

/// How long the room for one message is waited for. A consumer that is merely slower than the broker has made it by
/// then.
const ROOM_WITHIN: Duration = Duration::from_secs(2);

/// Polls until the connection ends, and returns why it did.
pub(crate) async fn run(
    event_loop: EventLoop,
    link: Arc<Link>,
    deliveries: mpsc::Sender<Held>,
) -> Reason {
    let mut polling = Polling {
        event_loop,
        link,
        room: Arc::new(Semaphore::new(HELD)),
        deliveries,
        waited: Duration::ZERO,
    };
    loop {
        if let Err(reason) = polling.step().await {
            return reason;
        }
    }
}

struct Polling {
    event_loop: EventLoop,
    link: Arc<Link>,
    room: Arc<Semaphore>,
    deliveries: mpsc::Sender<Held>,
    /// How long was waited for room since the last ping that went out because of it.
    waited: Duration,
}

impl Polling {
    async fn step(&mut self) -> Result<(), Reason> {
        self.keep_pace().await?;
        match self.event_loop.poll().await {
            Ok(Happening::Delivered(incoming)) => self.hand_on(incoming).await,
            Ok(happening) => handle(happening, &self.link),
            Err(error) => Err(self.end(error)),
        }
    }

    /// Reads no further while the consumer is behind, unless there is something to send or an answer to come.
    ///
    /// Pings go out meanwhile, but nobody reads their answers: that the way has gone silent shows when reading goes on.
    async fn keep_pace(&mut self) -> Result<(), Reason> {
        let pause = self.event_loop.keep_alive() / 2;
        while self.is_ahead() {
            let goes_on = async {
                tokio::select! {
                    biased;
                    () = caught_up(&self.deliveries, &self.room) => {}
                    () = self.link.busy() => {}
                }
            };
            if timeout(pause, goes_on).await.is_ok() {
                break;
            }
            self.ping().await?;
        }
        Ok(())
    }

    fn is_ahead(&self) -> bool {
        self.deliveries.capacity() < ROOM || self.room.available_permits() < BYTES_AHEAD as usize
    }

    async fn ping(&mut self) -> Result<(), Reason> {
        let pinged = self.event_loop.ping().await;
        pinged.map_err(|error| self.end(error))
    }

    /// Why the connection has ended, after what had come before its end. Messages are not among that: nobody is
    /// given them any more.
    fn end(&mut self, error: ConnectionError) -> Reason {
        let mut reason = client::connection_failed(error);
        for happening in self.event_loop.left_over() {
            // The packet that caused the error is among them.
            if let Err(dismissed @ Reason::Dismissed) = handle(happening, &self.link) {
                reason = dismissed;
            }
        }
        reason
    }

    /// Puts a message into the queue, once there is room.
    async fn hand_on(&mut self, incoming: Incoming) -> Result<(), Reason> {
        let delivery = Delivery::new(incoming, self.link.clone());
        let Ok(bytes) = u32::try_from(delivery.topic.len() + delivery.payload.len()) else {
            return Err(Reason::Overrun);
        };
        let at_once = Arc::clone(&self.room).try_acquire_many_owned(bytes).ok();
        if let Some(room) = at_once
            && let Ok(place) = self.deliveries.try_reserve()
        {
            place.send(Held::new(delivery, room));
            return Ok(());
        }
        let handed_on = async {
            let room = Arc::clone(&self.room).acquire_many_owned(bytes).await;
            let room = room.expect("it is never closed");
            // Closed means that nobody wants deliveries any more; they stay unacknowledged.
            let _ = self.deliveries.send(Held::new(delivery, room)).await;
        };
        let begun = Instant::now();
        let in_time = timeout(ROOM_WITHIN, handed_on).await;
        in_time.map_err(|_| Reason::Overrun)?;
        self.waited += begun.elapsed();
        // A broker breaks off after one and a half times the keep-alive.
        if self.waited >= self.event_loop.keep_alive() / 2 {
            self.waited = Duration::ZERO;
            self.ping().await?;
        }
        Ok(())
    }
}

/// Completes once the consumer is behind no more.
async fn caught_up(deliveries: &mpsc::Sender<Held>, room: &Semaphore) {
    // Closed means that nobody wants deliveries any more.
    let _places = deliveries.reserve_many(ROOM).await;
    let _bytes = room.acquire_many(BYTES_AHEAD).await;
}

/// Takes note of what is no message.
fn handle(happening: Happening, link: &Link) -> Result<(), Reason> {
    let in_step = match happening {
        Happening::PublishSent(packet) => link.publish_sent(packet),
        Happening::SubscribeSent(packet) => link.subscribe_sent(packet),
        Happening::Acknowledged(packet) => link.acknowledged(packet),
        Happening::Subscribed(packet, grants) => link.subscribed(packet, grants),
        Happening::Dismissed => return Err(Reason::Dismissed),
        Happening::Connected { .. }
        | Happening::Delivered(_)
        | Happening::AcknowledgementSent
        | Happening::Other => Ok(()),
    };
    in_step.map_err(|OutOfStep| Reason::protocol("it answers what was not asked"))
}

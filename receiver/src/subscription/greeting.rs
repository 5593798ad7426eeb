//! What is said and asked for on each connection, and our own status, which has to come back.
//!
//! The broker's answers can stand behind all that it had under way when we came, which is a lot where somebody
//! publishes large messages. So they are waited for beside the loop, which takes messages meanwhile: nobody else makes
//! room for those that the answers stand behind.

use std::pin::Pin;

use mqtt::{Connection, Delivery, Message, Receipt, SubscribeError};
use store::MarkedStore;
use wire::{BaseTopic, ReceiverName, Status, Topic};

use super::Subscription;

/// A greeting under way.
pub(super) type Greeting = Pin<Box<dyn Future<Output = Greeted> + Send>>;

/// What became of a greeting.
pub(super) struct Greeted {
    readings: Result<(), SubscribeError>,
    /// Not asked for where the readings are refused.
    healths: Option<Result<(), SubscribeError>>,
    /// Of our own status, where that was said.
    online: Option<Receipt>,
}

impl<S: MarkedStore> Subscription<S> {
    /// Subscribes on each connection: a broker that lost its state lost the subscriptions, too,
    /// and one that did not sends its retained messages again, which does no harm.
    pub(super) fn greet(&mut self, connection: Connection) {
        let online = status(&self.base, &self.name, Status::Online);
        self.greeting = Some(self.greeting(&connection, Some(online)));
        self.connection = Some(connection);
    }

    /// Subscribes once more, on the same connection.
    pub(super) fn subscribe_again(&mut self) {
        if let Some(connection) = self.connection.clone()
            && self.greeting.is_none()
        {
            self.greeting = Some(self.greeting(&connection, None));
        }
    }

    fn greeting(&self, connection: &Connection, online: Option<Message>) -> Greeting {
        let connection = connection.clone();
        // Not behind the readings: the broker holds those back that come after many which the store
        // has not taken, and the echo would be missed for no fault of the account's.
        let own_status = self.own_status.clone();
        let mut filters = self.base.plain_filters();
        filters.extend(self.base.backlog_filters());
        filters.push(self.base.journals_filter());
        let healths = self.base.healths_filter();
        Box::pin(async move {
            let readings = match connection.overhear([own_status]).await {
                Ok(()) => connection.subscribe(filters).await,
                refused => refused,
            };
            // After the readings, which must not suffer from a broker that refuses this.
            let healths = match readings {
                Ok(()) => Some(connection.overhear([healths]).await),
                Err(_) => None,
            };
            let online = match online {
                // A connection that has ended meanwhile is reported as an event of its own.
                Some(online) => connection.publish(online).await.ok(),
                None => None,
            };
            Greeted {
                readings,
                healths,
                online,
            }
        })
    }

    pub(super) fn has_greeted(&mut self, greeted: Greeted) {
        self.greeting = None;
        if greeted.readings.is_ok() {
            self.metrics.subscribed.reach();
        }
        if let Some(healths) = &greeted.healths {
            self.complaints.subscribed_to_health(healths);
        }
        self.complaints.subscribed(greeted.readings);
        if let Some(receipt) = greeted.online {
            self.proof.published(receipt);
        }
    }

    pub(super) async fn say_online(&mut self) {
        let Some(connection) = &self.connection else {
            return;
        };
        let online = status(&self.base, &self.name, Status::Online);
        // A connection that has ended meanwhile is reported as an event of its own.
        if let Ok(receipt) = connection.publish(online).await {
            self.proof.published(receipt);
        }
    }

    /// A retained status may be of any age.
    pub(super) fn is_echo(&self, delivery: &Delivery) -> bool {
        !delivery.retain
            && delivery.topic == self.own_status
            && matches!(Status::decode(&delivery.payload), Ok(Status::Online))
    }
}

/// Completes with the greeting under way; never without one.
pub(super) async fn greeted(greeting: &mut Option<Greeting>) -> Greeted {
    match greeting {
        Some(greeting) => greeting.await,
        None => std::future::pending().await,
    }
}

/// The receiver's status as a message.
pub(crate) fn status(base: &BaseTopic, name: &ReceiverName, status: Status) -> Message {
    Message {
        topic: own_status(base, name),
        payload: status.encode().into(),
        retain: true,
    }
}

pub(super) fn own_status(base: &BaseTopic, name: &ReceiverName) -> String {
    Topic::ReceiverStatus { name: name.clone() }.render(base)
}

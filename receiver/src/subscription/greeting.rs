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

/// What is asked of the broker, and under way.
pub(super) type Greeting = Pin<Box<dyn Future<Output = Greeted> + Send>>;

/// What the broker has answered.
pub(super) enum Greeted {
    /// To the subscription to readings; and the receipt of our own status, where that was said.
    Readings(Result<(), SubscribeError>, Option<Receipt>),
    /// To the subscription to how inverters do.
    Healths(Result<(), SubscribeError>),
    /// The receipt of our own status, said once more.
    Online(Option<Receipt>),
}

impl<S: MarkedStore> Subscription<S> {
    /// Subscribes on each connection: a broker that lost its state lost the subscriptions, too,
    /// and one that did not sends its retained messages again, which does no harm.
    pub(super) fn greet(&mut self, connection: Connection) {
        let online = status(&self.base, &self.name, Status::Online);
        self.greeting = Some(self.readings(&connection, Some(online)));
        self.connection = Some(connection);
    }

    /// Subscribes once more, on the same connection.
    pub(super) fn subscribe_again(&mut self) {
        if let Some(connection) = &self.connection
            && self.greeting.is_none()
        {
            self.greeting = Some(self.readings(connection, None));
        }
    }

    /// What is retained of it comes again each time.
    ///
    /// Last of all: it must not cost the readings anything where a broker refuses it, and nothing is to stand behind what
    /// is retained, which is a lot where there are many Envoys.
    pub(super) fn subscribe_to_health(&mut self) {
        if let Some(connection) = self.connection.clone()
            && self.greeting.is_none()
        {
            let filter = self.base.healths_filter();
            self.greeting = Some(Box::pin(async move {
                Greeted::Healths(connection.overhear([filter]).await)
            }));
        }
    }

    fn readings(&self, connection: &Connection, online: Option<Message>) -> Greeting {
        let connection = connection.clone();
        // Not behind the readings: the broker holds those back that come after many which the store
        // has not taken, and the echo would be missed for no fault of the account's.
        let own_status = self.own_status.clone();
        let mut filters = self.base.plain_filters();
        filters.extend(self.base.backlog_filters());
        filters.push(self.base.journals_filter());
        Box::pin(async move {
            let outcome = match connection.overhear([own_status]).await {
                Ok(()) => connection.subscribe(filters).await,
                refused => refused,
            };
            let receipt = match online {
                // A connection that has ended meanwhile is reported as an event of its own.
                Some(online) => connection.publish(online).await.ok(),
                None => None,
            };
            Greeted::Readings(outcome, receipt)
        })
    }

    pub(super) fn has_greeted(&mut self, greeted: Greeted) {
        self.greeting = None;
        match greeted {
            Greeted::Readings(outcome, receipt) => {
                self.has_said(receipt);
                if outcome.is_ok() {
                    self.metrics.subscribed.reach();
                    self.subscribe_to_health();
                }
                self.complaints.subscribed(outcome);
            }
            Greeted::Healths(outcome) => self.complaints.subscribed_to_health(&outcome),
            Greeted::Online(receipt) => self.has_said(receipt),
        }
    }

    fn has_said(&mut self, receipt: Option<Receipt>) {
        if let Some(receipt) = receipt {
            self.proof.published(receipt);
        }
    }

    /// Says once more that we are there, unless that is under way.
    pub(super) fn say_online(&mut self) {
        if let Some(connection) = self.connection.clone()
            && !self.is_greeting()
        {
            let online = status(&self.base, &self.name, Status::Online);
            self.greeting = Some(Box::pin(async move {
                Greeted::Online(connection.publish(online).await.ok())
            }));
        }
    }

    /// A retained status may be of any age.
    pub(super) fn is_echo(&self, delivery: &Delivery) -> bool {
        !delivery.retain
            && delivery.topic == self.own_status
            && matches!(Status::decode(&delivery.payload), Ok(Status::Online))
    }
}

/// Completes with what is under way; never without it.
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

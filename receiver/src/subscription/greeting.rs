//! What is said and asked for on each connection, and our own status, which has to come back.

use mqtt::{Connection, Delivery, Message};
use store::MarkedStore;
use wire::{BaseTopic, ReceiverName, Status, Topic};

use super::Subscription;

impl<S: MarkedStore> Subscription<S> {
    /// Subscribes on each connection: a broker that lost its state lost the subscriptions, too,
    /// and one that did not sends its retained messages again, which does no harm.
    pub(super) async fn greet(&mut self, connection: Connection) {
        self.connection = Some(connection);
        self.subscribe().await;
        self.say_online().await;
    }

    pub(super) async fn subscribe(&mut self) {
        let Some(connection) = &self.connection else {
            return;
        };
        // Not behind the readings: the broker holds those back that come after many which the store
        // has not taken, and the echo would be missed for no fault of the account's.
        let own_status = self.own_status.clone();
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

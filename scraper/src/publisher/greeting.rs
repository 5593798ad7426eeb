//! What is asked for and said on a new connection.
//!
//! The broker's answers can stand behind all that it had under way when we came. So they are waited for beside the loop,
//! which takes messages meanwhile, and polls.

use std::pin::Pin;

use mqtt::{Connection, SubscribeError};
use tokio::time::Instant;

use super::Publisher;
use crate::home_assistant::Announcer;

/// What is asked of the broker, and under way.
pub(super) type Greeting = Pin<Box<dyn Future<Output = Greeted> + Send>>;

/// What the broker has answered.
pub(super) struct Greeted {
    connection: Connection,
    /// To the subscription to our own topics.
    own: Result<(), SubscribeError>,
    /// To that to what is retained of devices that are not announced any more.
    of_devices: Result<(), SubscribeError>,
}

impl Publisher {
    /// Subscribes, and announces nothing before that is answered: so the echo comes after what the topics hold.
    pub(super) fn greet(&mut self, connection: Connection) {
        self.complaints.connected(self.delivery.waiting());
        self.metrics.connected(true);
        self.part.status("connected to the broker");
        self.delivery.connected(Instant::now());
        let own = self.identity.own_filters().into_iter();
        let birth = self.home_assistant.as_ref().map(Announcer::filter);
        let filters: Vec<_> = own.chain(birth).collect();
        let devices = self.withdrawal.filters().to_vec();
        self.greeting = Some(Box::pin(async move {
            Greeted {
                own: connection.subscribe(filters).await,
                of_devices: connection.subscribe(devices).await,
                connection,
            }
        }));
    }

    pub(super) fn has_greeted(&mut self, greeted: Greeted) {
        self.greeting = None;
        if let Err(error) = &greeted.own {
            self.complaints.cannot_listen(error);
        }
        if let Err(error) = &greeted.of_devices {
            self.complaints.cannot_look_for_devices(error);
        }
        self.connection = Some(greeted.connection);
        #[cfg(feature = "sabotage")]
        self.believe_that_all_is_shown();
        self.say_all_again();
    }

    /// A broker may have lost what it retained.
    pub(super) fn say_all_again(&mut self) {
        self.presence.begins_anew();
        if let Some(home_assistant) = &mut self.home_assistant {
            home_assistant.connected();
        }
    }
}

/// Completes with what is under way; never without it.
pub(super) async fn greeted(greeting: &mut Option<Greeting>) -> Greeted {
    match greeting {
        Some(greeting) => greeting.await,
        None => std::future::pending().await,
    }
}

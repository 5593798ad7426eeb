//! What is asked for and said on a new connection.

use std::pin::pin;

use mqtt::{Connection, Event, Events};
use tokio::time::Instant;

use super::Publisher;
use crate::home_assistant::Announcer;

impl Publisher {
    pub(super) async fn connected(&mut self, connection: Connection, events: &mut Events) {
        let mut newest = Some(connection);
        while let Some(connection) = newest {
            self.complaints.connected(self.delivery.waiting());
            self.metrics.connected(true);
            self.part.status("connected to the broker");
            newest = self.greet(connection, events).await;
        }
    }

    /// Subscribes before it announces, so that the echo comes after what the topics hold. Messages are taken meanwhile: the
    /// broker's answers can stand behind all that it had under way when we came, and nobody else makes room for that.
    /// Answers another connection that has come in its place.
    async fn greet(&mut self, connection: Connection, events: &mut Events) -> Option<Connection> {
        self.delivery.connected(Instant::now());
        let own = self.identity.own_filters().into_iter();
        let birth = self.home_assistant.as_ref().map(Announcer::filter);
        let filters: Vec<_> = own.chain(birth).collect();
        // What is retained of devices that are not announced any more.
        let devices = self.withdrawal.filters().to_vec();
        let (asked, of_devices) = (connection.clone(), devices.clone());
        let mut subscribed = pin!(async move {
            let own = asked.subscribe(filters).await;
            (own, asked.subscribe(of_devices).await)
        });
        let (own, of_devices) = loop {
            tokio::select! {
                subscribed = &mut subscribed => break subscribed,
                event = events.next() => match event {
                    Some(Event::Received(received)) => self.receive(received).await,
                    Some(Event::Connected(newer)) => return Some(newer),
                    Some(Event::Disconnected(reason)) => {
                        self.disconnected(&reason);
                        return None;
                    }
                    // The session has ended, and goes on saying so.
                    None => return None,
                },
            }
        };
        if let Err(error) = own {
            self.complaints.cannot_listen(&error);
        }
        if let Err(error) = of_devices {
            // An account may have lost its rights there.
            tracing::warn!(?devices, %error, "what was announced to Home Assistant before can't be looked for");
        }
        self.connection = Some(connection);
        #[cfg(feature = "sabotage")]
        self.believe_that_all_is_shown();
        self.say_all_again();
        None
    }

    /// A broker may have lost what it retained.
    pub(super) fn say_all_again(&mut self) {
        self.presence.begins_anew();
        if let Some(home_assistant) = &mut self.home_assistant {
            home_assistant.connected();
        }
    }
}

//! The devices that Home Assistant is told of.

use daemon::random;
use mqtt::{Delivery as Received, Gone, Message};
use tokio::time::Instant;
use wire::{Reading, Topic};

use super::{Publisher, send};
use crate::forgotten::clearing;
use crate::home_assistant::announcer;

impl Publisher {
    /// Home Assistant has started: it is told everything again, a little later, since all others do so too.
    pub(super) fn listen_to_home_assistant(&mut self, received: &Received) {
        let Some(home_assistant) = &mut self.home_assistant else {
            return;
        };
        let pause = random::part_of(announcer::LONGEST_PAUSE);
        if home_assistant.heard(&received.topic, &received.payload, pause, Instant::now()) {
            tracing::debug!("Home Assistant has started");
        }
    }

    /// What is shown at the broker was announced once, also where the journal knows nothing of it any more.
    pub(super) fn announce_retained(&mut self, received: &Received) {
        let Some(home_assistant) = &mut self.home_assistant else {
            return;
        };
        let Ok(topic) = Topic::parse(&self.identity.base, &received.topic) else {
            return;
        };
        if let Ok(reading) = Reading::decode(&topic, &received.payload)
            && !self.forgotten.has(&reading.subject())
        {
            home_assistant.reading(&reading.measured);
        }
    }

    /// Home Assistant has had its time to start.
    pub(super) fn announce_devices(&mut self) {
        if let Some(home_assistant) = &mut self.home_assistant {
            home_assistant.at(Instant::now());
            // What they show is told again with them.
            self.presence.say_again();
        }
    }

    /// Withdraws what was announced before and is not any more.
    pub(super) async fn withdraw_devices(&mut self) -> Result<(), Gone> {
        let Some(connection) = &self.connection else {
            return Ok(());
        };
        while connection.has_room()
            && let Some(topic) = self.withdrawal.next_topic()
        {
            tracing::info!(topic, "a device is withdrawn from Home Assistant");
            send(connection, clearing(topic)).await?;
        }
        Ok(())
    }

    /// Publishes the devices that are new or have changed.
    pub(super) async fn send_devices(&mut self) -> Result<(), Gone> {
        let (Some(connection), Some(home_assistant)) = (&self.connection, &mut self.home_assistant)
        else {
            return Ok(());
        };
        while connection.has_room()
            && let Some((topic, payload)) = home_assistant.next_message()
        {
            let message = Message {
                topic,
                payload: payload.into(),
                retain: true,
            };
            send(connection, message).await?;
        }
        Ok(())
    }
}

//! What a message is: a reading, an announcement, or nothing that could be stored.

use std::collections::BTreeSet;

use mqtt::Delivery;
use wire::{Announcement, BaseTopic, Health, Reading, Serial, Topic};

use crate::dead_letters::{DeadLetter, shown};

/// Topics whose refusals are said. A retained message that is no reading comes again with each
/// connection, and whoever may publish may publish anything; the dead letters have all of them.
const SAID: usize = 3;

/// What a message holds.
#[derive(Debug)]
pub(crate) enum Content {
    /// A reading.
    Reading(Reading),
    /// What the scraper of an Envoy holds.
    Announcement(Serial, Announcement),
    /// How the inverters of an Envoy do.
    Health(Health),
    /// Nothing to be stored.
    Nothing,
    /// It should be one of these, and is none.
    Refused(DeadLetter),
}

/// Tells messages from one another.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    /// Topics of which a refusal was said.
    said: BTreeSet<String>,
}

impl Judge {
    /// What a message holds. A refusal is said once for each topic.
    pub(crate) fn content(&mut self, base: &BaseTopic, delivery: &Delivery) -> Content {
        let topic = Topic::parse(base, &delivery.topic);
        let content = match &topic {
            Ok(topic) => content(topic, &delivery.payload),
            Err(error) => Err(error.to_string()),
        };
        content.unwrap_or_else(|reason| {
            self.say(delivery, &reason);
            if let Ok(Topic::Health { .. }) = topic {
                // A state that the next one takes the place of: there is nothing to be kept of it.
                return Content::Nothing;
            }
            let letter = DeadLetter::new(&delivery.topic, &delivery.payload, reason);
            Content::Refused(match topic {
                Ok(Topic::Plain { envoy, .. } | Topic::Backlog { envoy, .. }) => {
                    letter.of_envoy(&envoy, &delivery.payload)
                }
                _ => letter,
            })
        })
    }

    fn say(&mut self, delivery: &Delivery, reason: &str) {
        let payload = shown(&delivery.payload);
        let topic = &delivery.topic;
        if self.said.len() >= SAID || !self.said.insert(topic.clone()) {
            tracing::debug!(topic, reason, payload, "another message that is no reading");
            return;
        }
        tracing::error!(
            topic,
            reason,
            payload,
            "a message that is no reading; it is given up"
        );
        if self.said.len() == SAID {
            tracing::error!(
                topics = SAID,
                "no further messages that are no readings are said; look for what publishes them"
            );
        }
    }
}

fn content(topic: &Topic, payload: &[u8]) -> Result<Content, String> {
    match topic {
        Topic::ReceiverStatus { .. } => Ok(Content::Nothing),
        // What clears a retained topic.
        _ if payload.is_empty() => Ok(Content::Nothing),
        Topic::Journal { envoy } => Announcement::decode(payload)
            .map(|announcement| Content::Announcement(envoy.clone(), announcement))
            .map_err(|error| error.to_string()),
        Topic::Health { .. } => Health::decode(topic, payload)
            .map(Content::Health)
            .map_err(|error| error.to_string()),
        topic => Reading::decode(topic, payload)
            .map(Content::Reading)
            .map_err(|error| error.to_string()),
    }
}

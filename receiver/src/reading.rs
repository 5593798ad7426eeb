//! What a message holds: a reading, or nothing that could be stored.

use std::collections::BTreeSet;
use std::fmt::Display;

use mqtt::Delivery;
use wire::{BaseTopic, Reading, Topic};

/// How much of a message that is no reading is shown, in bytes: some four readings.
const SHOWN_PAYLOAD: usize = 1024;

/// Topics whose refusals are said. A retained message that is no reading comes again with each
/// connection, and whoever may publish may publish anything.
const SAID: usize = 16;

/// Tells readings from what is none.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    /// Topics of which a refusal was said.
    said: BTreeSet<String>,
}

impl Judge {
    /// The reading of a message. One that should hold a reading, and does not, is said once for each
    /// topic; it is given up.
    pub(crate) fn reading(&mut self, base: &BaseTopic, delivery: &Delivery) -> Option<Reading> {
        match Topic::parse(base, &delivery.topic) {
            Ok(Topic::ReceiverStatus { .. }) => None,
            // What clears a retained topic.
            _ if delivery.payload.is_empty() => None,
            Ok(topic) => Reading::decode(&topic, &delivery.payload)
                .inspect_err(|error| self.refused(delivery, error))
                .ok(),
            Err(error) => {
                self.refused(delivery, &error);
                None
            }
        }
    }

    fn refused(&mut self, delivery: &Delivery, reason: &dyn Display) {
        let shown = delivery.payload.len().min(SHOWN_PAYLOAD);
        let payload = delivery.payload[..shown].escape_ascii();
        let topic = &delivery.topic;
        if self.said.len() >= SAID || !self.said.insert(topic.clone()) {
            tracing::debug!(topic, %reason, %payload, "another message that is no reading");
            return;
        }
        tracing::error!(topic, %reason, %payload, "a message that is no reading; it is given up");
        if self.said.len() == SAID {
            tracing::error!(
                topics = SAID,
                "no further messages that are no readings are said; look for what publishes them"
            );
        }
    }
}

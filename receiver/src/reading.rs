//! What a message holds: a reading, or nothing that could be stored.

use mqtt::Delivery;
use wire::{BaseTopic, Reading, Topic};

/// How much of a message that is no reading is shown, in bytes: some four readings.
const SHOWN_PAYLOAD: usize = 1024;

/// The reading of a message. One that should hold a reading, and does not, is said; it is given up.
pub(crate) fn reading(base: &BaseTopic, delivery: &Delivery) -> Option<Reading> {
    match Topic::parse(base, &delivery.topic) {
        Ok(Topic::ReceiverStatus { .. }) => None,
        // What clears a retained topic.
        _ if delivery.payload.is_empty() => None,
        Ok(topic) => Reading::decode(&topic, &delivery.payload)
            .inspect_err(|error| refused(delivery, error))
            .ok(),
        Err(error) => {
            refused(delivery, &error);
            None
        }
    }
}

fn refused(delivery: &Delivery, reason: &dyn std::fmt::Display) {
    let shown = delivery.payload.len().min(SHOWN_PAYLOAD);
    tracing::error!(
        topic = delivery.topic,
        %reason,
        payload = %delivery.payload[..shown].escape_ascii(),
        "a message that is no reading; it is given up"
    );
}

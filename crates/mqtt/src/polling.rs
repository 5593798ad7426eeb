//! The task that polls, and does nothing else.
//!
//! It waits for nothing but rumqttc: what comes for the consumer is put into a queue with room for
//! all that the protocol allows, and no client call is made here (one that waits for room in
//! rumqttc's queue, which only this task empties, would wait for ever). It is a task of its own
//! because a poll that is cancelled can lose a packet.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::client::{self, EventLoop, Happening};
use crate::delivery::Delivery;
use crate::limits::UNACKNOWLEDGED;
use crate::link::Link;
use crate::reason::Reason;
use crate::window::OutOfStep;

/// Deliveries that the consumer has not taken yet. A broker can't have more than this many
/// unacknowledged, so only messages that want no acknowledgement, or a broker that counts
/// wrong, can fill it.
pub(crate) const DELIVERIES: usize = UNACKNOWLEDGED;

/// Polls until the connection ends, and returns why it did.
pub(crate) async fn run(
    mut event_loop: EventLoop,
    link: Arc<Link>,
    deliveries: mpsc::Sender<Delivery>,
) -> Reason {
    loop {
        let handled = match event_loop.poll().await {
            Ok(happening) => handle(happening, &link, &deliveries),
            Err(error) => {
                let mut reason = client::connection_failed(error);
                for happening in event_loop.left_over() {
                    // The packet that caused the error is among them.
                    if let Err(dismissed @ Reason::Dismissed) =
                        handle(happening, &link, &deliveries)
                    {
                        reason = dismissed;
                    }
                }
                Err(reason)
            }
        };
        if let Err(reason) = handled {
            return reason;
        }
    }
}

fn handle(
    happening: Happening,
    link: &Arc<Link>,
    deliveries: &mpsc::Sender<Delivery>,
) -> Result<(), Reason> {
    let in_step = match happening {
        Happening::PublishSent(packet) => link.publish_sent(packet),
        Happening::SubscribeSent(packet) => link.subscribe_sent(packet),
        Happening::Acknowledged(packet) => link.acknowledged(packet),
        Happening::Subscribed(packet, grants) => link.subscribed(packet, grants),
        Happening::Delivered(incoming) => {
            return match deliveries.try_send(Delivery::new(incoming, link.clone())) {
                // Closed means that nobody wants deliveries any more; they stay unacknowledged.
                Ok(()) | Err(TrySendError::Closed(_)) => Ok(()),
                Err(TrySendError::Full(_)) => Err(Reason::Overrun),
            };
        }
        Happening::Dismissed => return Err(Reason::Dismissed),
        Happening::Connected { .. } | Happening::Other => Ok(()),
    };
    in_step.map_err(|OutOfStep| Reason::protocol("it answers what was not asked"))
}

//! A message from the broker, and its acknowledgement.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::client::Incoming;
use crate::link::{Gone, Link};

/// A message from the broker. When it is dropped without being acknowledged, nothing is
/// acknowledged: a broker with a persistent session delivers it again on a later connection.
#[derive(Debug)]
pub struct Delivery {
    /// Where it was published.
    pub topic: String,
    /// What was published, at most [`MAX_PACKET`](crate::MAX_PACKET) bytes.
    pub payload: Bytes,
    /// Whether it is what the broker had kept when we subscribed, rather than published just now.
    pub retain: bool,
    /// How it is acknowledged.
    pub acknowledgement: Acknowledgement,
}

impl Delivery {
    pub(crate) fn new(incoming: Incoming, link: Arc<Link>) -> Self {
        Self {
            topic: incoming.topic,
            payload: incoming.payload,
            retain: incoming.retain,
            acknowledgement: Acknowledgement {
                link,
                packet: incoming.packet,
            },
        }
    }
}

/// The acknowledgement of one message, which works only on the connection that the message came
/// from: on a later one its packet identifier may name another message, which would then be lost.
///
/// MQTT wants messages acknowledged in the order in which they came (3.1.1, 4.6).
#[must_use = "unless it is sent, the broker delivers the message again on a later connection"]
pub struct Acknowledgement {
    link: Arc<Link>,
    packet: u16,
}

impl Acknowledgement {
    /// Acknowledges the message. Acknowledgements leave in the order of these calls. [`Gone`] when
    /// the message's connection has ended: then the broker will deliver it again.
    #[expect(
        clippy::unused_async,
        reason = "a client whose queue has less room would wait here"
    )]
    pub async fn send(self) -> Result<(), Gone> {
        self.link.acknowledge(self.packet)
    }
}

impl fmt::Debug for Acknowledgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Acknowledgement")
            .field(&self.packet)
            .finish()
    }
}

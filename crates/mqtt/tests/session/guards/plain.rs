//! rumqttc as it is used by somebody who has read its first page.

use rumqttc::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, Packet, QoS};

use scripted::broker::{Broker, Peer};
use scripted::within;

/// A plain client: one event loop for all connections.
pub(super) struct Plain {
    pub(super) client: AsyncClient,
    pub(super) event_loop: EventLoop,
}

impl Plain {
    /// A client with rumqttc's defaults but for what `change` changes, and room for `requests`.
    pub(super) fn new(
        broker: &str,
        requests: usize,
        change: impl FnOnce(&mut MqttOptions),
    ) -> Self {
        let address = broker.strip_prefix("mqtt://").unwrap();
        let (host, port) = address.split_once(':').unwrap();
        let mut options = MqttOptions::new("a-client", host, port.parse().unwrap());
        options.set_clean_session(false);
        change(&mut options);
        let (client, event_loop) = AsyncClient::new(options, requests);
        Self { client, event_loop }
    }

    /// Polls once.
    pub(super) async fn poll(&mut self) -> Result<Event, ConnectionError> {
        within(self.event_loop.poll()).await
    }

    /// Polls until the next error.
    pub(super) async fn error(&mut self) -> ConnectionError {
        loop {
            if let Err(error) = self.poll().await {
                return error;
            }
        }
    }

    /// The next connection, from both sides.
    pub(super) async fn connected(&mut self, broker: &Broker, session_present: bool) -> Peer {
        let (peer, event) = tokio::join!(broker.welcome(session_present), self.poll());
        assert!(
            matches!(event, Ok(Event::Incoming(Packet::ConnAck(_)))),
            "{event:?}"
        );
        peer
    }

    /// Publishes, at least once.
    pub(super) async fn publish(&self, payload: impl ToString) {
        let published =
            self.client
                .publish("a/topic", QoS::AtLeastOnce, false, payload.to_string());
        within(published).await.unwrap();
    }

    /// What the broker gets next, while the client polls as it should. Errors of polling are what
    /// such a client logs and forgets.
    pub(super) async fn packet_for(&mut self, peer: &mut Peer) -> Option<Packet> {
        tokio::select! {
            biased;
            packet = peer.packet() => packet,
            () = async { loop { let _ = self.event_loop.poll().await; } } => unreachable!(),
        }
    }
}

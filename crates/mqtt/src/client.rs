//! rumqttc: the one file, with `client/`, that knows it.

mod acknowledging;
mod failure;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
pub(crate) use rumqttc::ConnectionError;
use rumqttc::{
    AsyncClient, ClientError, Event, LastWill, MqttOptions, NetworkOptions, Outgoing, Packet,
    PubAck, QoS, SubscribeFilter, SubscribeReasonCode, TlsConfiguration, Transport,
};
use secrecy::ExposeSecret;
use tokio::time::timeout;

use acknowledging::Following;

use crate::config::{Checked, Message};
use crate::limits::{CONNECT_WITHIN, MAX_PACKET};
use crate::reason::Reason;
use crate::window::{Grant, PLACES};

/// What a publish has beside its topic and payload: type, length, the topic's length, and the packet
/// identifier (MQTT 3.1.1, 3.3).
const PUBLISH_OVERHEAD: usize = 1 + 4 + 2 + 2;

/// Requests on their way to rumqttc: everything in the window, the acknowledgement that leads the others, and
/// the good-bye. So there is always room, nobody ever waits for it, and the order of requests is that of the
/// calls. The queue takes memory only for what is in it.
const REQUESTS: usize = PLACES as usize + 2;

/// The sending side of one connection.
#[derive(Debug)]
pub(crate) struct Client(AsyncClient, Arc<Following>);

/// The polling side of one connection.
pub(crate) struct EventLoop(rumqttc::EventLoop, Arc<Following>);

/// What polling brings.
#[derive(Debug)]
pub(crate) enum Happening {
    /// The broker has let us in.
    Connected { session_present: bool },
    /// A publish has got its packet identifier.
    PublishSent(u16),
    /// A subscribe has got its packet identifier.
    SubscribeSent(u16),
    /// A PUBACK.
    Acknowledged(u16),
    /// A SUBACK.
    Subscribed(u16, Vec<Grant>),
    /// A message.
    Delivered(Incoming),
    /// A DISCONNECT, which polling fails on next.
    Dismissed,
    /// One of our acknowledgements was written.
    AcknowledgementSent,
    /// Anything that is of no concern here.
    Other,
}

/// A message as it came.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
    pub(crate) retain: bool,
    /// 0 when the broker wants no acknowledgement.
    pub(crate) packet: u16,
}

/// rumqttc takes no more requests: the connection has ended.
#[derive(Debug)]
pub(crate) struct NotTaken;

/// A client for one connection.
pub(crate) fn make(checked: &Checked) -> (Client, EventLoop) {
    let (client, mut event_loop) = AsyncClient::new(options(checked), REQUESTS);
    let mut network = NetworkOptions::new();
    network.set_connection_timeout(CONNECT_WITHIN);
    // With Nagle's algorithm some brokers carried 406 messages a second instead of 35,000.
    network.set_tcp_nodelay(true);
    event_loop.set_network_options(network);
    let following = Arc::new(Following::default());
    (
        Client(client, Arc::clone(&following)),
        EventLoop(event_loop, following),
    )
}

fn options(checked: &Checked) -> MqttOptions {
    let config = &checked.0;
    let broker = &config.broker;
    let mut options = MqttOptions::new(&config.client_id, broker.host(), broker.port());
    options
        .set_keep_alive(Duration::from_secs(config.keep_alive.as_secs()))
        .set_clean_session(config.clean_session)
        .set_max_packet_size(MAX_PACKET, MAX_PACKET)
        .set_manual_acks(true)
        // One more than can be under way: see `window`.
        .set_inflight(PLACES + 1);
    if let Some(tls) = &config.tls {
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(
            tls.client_config(),
        )));
    }
    if let Some(credentials) = &config.credentials {
        options.set_credentials(&credentials.username, credentials.password.expose_secret());
    }
    if let Some(will) = &config.last_will {
        let (topic, payload) = (will.topic.clone(), will.payload.clone());
        options.set_last_will(LastWill::new(topic, payload, QoS::AtLeastOnce, will.retain));
    }
    options
}

impl Client {
    /// Whether this message can be sent at all. One that can't would end each connection anew.
    pub(crate) fn can_send(message: &Message) -> bool {
        message.has_valid_topic()
            && PUBLISH_OVERHEAD + message.topic.len() + message.payload.len() <= MAX_PACKET
    }

    /// Whether this is a filter at all.
    pub(crate) fn can_subscribe(filter: &str) -> bool {
        u16::try_from(filter.len()).is_ok()
            && !filter.contains('\0')
            && rumqttc::valid_filter(filter)
    }

    pub(crate) fn publish(&self, message: Message) -> Result<(), NotTaken> {
        let Message {
            topic,
            payload,
            retain,
        } = message;
        taken(self.0.try_publish(topic, QoS::AtLeastOnce, retain, payload))
    }

    pub(crate) fn subscribe(&self, filters: &[String], wanted: Grant) -> Result<(), NotTaken> {
        let qos = match wanted {
            Grant::AtMostOnce => QoS::AtMostOnce,
            Grant::AtLeastOnce | Grant::Refused => QoS::AtLeastOnce,
        };
        let filters = filters
            .iter()
            .map(|filter| SubscribeFilter::new(filter.clone(), qos));
        taken(self.0.try_subscribe_many(filters))
    }

    pub(crate) fn acknowledge(&self, packet: u16) -> Result<(), NotTaken> {
        self.1.push(packet, || {
            let mut publish = rumqttc::Publish::new("", QoS::AtLeastOnce, Bytes::new());
            publish.pkid = packet;
            taken(self.0.try_ack(&publish))
        })
    }

    /// Whether some are yet to be written.
    pub(crate) fn has_acknowledgements(&self) -> bool {
        self.1.are_due()
    }

    pub(crate) fn disconnect(&self) -> Result<(), NotTaken> {
        taken(self.0.try_disconnect())
    }
}

/// There is always room (see `REQUESTS`), and what is sent was checked before; so this fails only
/// when the event loop is gone.
fn taken(result: Result<(), ClientError>) -> Result<(), NotTaken> {
    result.map_err(|_| NotTaken)
}

impl EventLoop {
    /// The next thing that happens; the first is `Connected`. Not to be cancelled once connected: a
    /// packet could be lost. After an error this event loop is of no more use.
    pub(crate) async fn poll(&mut self) -> Result<Happening, ConnectionError> {
        let happening = self.0.poll().await.map(translate)?;
        match happening {
            // The answer to a ping stands behind all that the broker had sent before. A message shows as well
            // that the broker is there, so it is not given up because of a consumer that takes its time.
            Happening::Delivered(_) => self.0.state.await_pingresp = false,
            Happening::AcknowledgementSent => self.send_following().await?,
            _ => {}
        }
        Ok(happening)
    }

    /// Sends a ping, while the next poll has to wait. Nothing that polling knows is changed by it.
    pub(crate) async fn ping(&mut self) -> Result<(), ConnectionError> {
        self.write([Packet::PingReq]).await
    }

    async fn send_following(&mut self) -> Result<(), ConnectionError> {
        let following = self.1.take().into_iter();
        self.write(following.map(|packet| Packet::PubAck(PubAck::new(packet))))
            .await
    }

    /// Writes past rumqttc's state, which such packets do not change.
    async fn write(
        &mut self,
        packets: impl IntoIterator<Item = Packet>,
    ) -> Result<(), ConnectionError> {
        let Some(network) = &mut self.0.network else {
            return Ok(());
        };
        let sent = async {
            for packet in packets {
                network.write(packet).await?;
            }
            network.flush().await
        };
        let sent = timeout(Duration::from_secs(CONNECT_WITHIN), sent).await;
        Ok(sent.map_err(|_| ConnectionError::FlushTimeout)??)
    }

    /// How long the connection may be silent.
    pub(crate) fn keep_alive(&self) -> Duration {
        self.0.mqtt_options.keep_alive()
    }

    /// What had come before the error, and was not handed out: PUBACKs that came together with the
    /// end of the connection, for one.
    pub(crate) fn left_over(&mut self) -> impl Iterator<Item = Happening> {
        self.0.state.events.drain(..).map(translate)
    }
}

/// Why connecting failed.
pub(crate) fn connecting_failed(error: ConnectionError, checked: &Checked) -> Reason {
    failure::connecting(error, &checked.0)
}

/// What answered speaks, but not as a broker does that lets somebody in.
pub(crate) fn no_connack(checked: &Checked) -> Reason {
    failure::no_connack(&checked.0.broker)
}

/// Why a connection that had been made has ended.
pub(crate) fn connection_failed(error: ConnectionError) -> Reason {
    failure::connected(error)
}

fn translate(event: Event) -> Happening {
    match event {
        Event::Incoming(Packet::ConnAck(ack)) => Happening::Connected {
            session_present: ack.session_present,
        },
        Event::Incoming(Packet::Publish(publish)) => Happening::Delivered(Incoming {
            topic: publish.topic,
            payload: publish.payload,
            retain: publish.retain,
            packet: publish.pkid,
        }),
        Event::Incoming(Packet::PubAck(ack)) => Happening::Acknowledged(ack.pkid),
        Event::Incoming(Packet::SubAck(ack)) => {
            Happening::Subscribed(ack.pkid, ack.return_codes.into_iter().map(grant).collect())
        }
        Event::Incoming(Packet::Disconnect) => Happening::Dismissed,
        Event::Outgoing(Outgoing::Publish(packet)) => Happening::PublishSent(packet),
        Event::Outgoing(Outgoing::Subscribe(packet)) => Happening::SubscribeSent(packet),
        Event::Outgoing(Outgoing::PubAck(_)) => Happening::AcknowledgementSent,
        Event::Incoming(_) | Event::Outgoing(_) => Happening::Other,
    }
}

fn grant(code: SubscribeReasonCode) -> Grant {
    match code {
        SubscribeReasonCode::Success(QoS::AtMostOnce) => Grant::AtMostOnce,
        SubscribeReasonCode::Success(QoS::AtLeastOnce | QoS::ExactlyOnce) => Grant::AtLeastOnce,
        SubscribeReasonCode::Failure => Grant::Refused,
    }
}

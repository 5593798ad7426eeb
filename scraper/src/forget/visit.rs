//! A visit to the broker: what it retains, and the clearing of that.

use std::collections::BTreeMap;
use std::time::Duration;

use daemon::broker::{Broker, explain};
use daemon::exit::with_causes;
use daemon::random;
use mqtt::{Connection, Event, Events, Message, Receipt, Session};
use tokio::time::timeout;
use wire::Serial;

use super::ForgetError;
use crate::forgotten::clearing;

/// More than the session gives one attempt.
const ATTEMPT: Duration = Duration::from_secs(15);

/// How long the broker may take to send what it retains, and to confirm what it was sent.
pub(super) const ANSWER: Duration = Duration::from_secs(10);

/// How long the good-bye may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// What is retained, by its topic.
pub(super) type Retained = BTreeMap<String, Vec<u8>>;

/// A connection that is there for a moment.
pub(super) struct Visit {
    session: Session,
    events: Events,
    connection: Connection,
}

impl Visit {
    /// Connects with the account of an Envoy's scraper, unless another one is set.
    pub(super) async fn begin(broker: &Broker, envoy: &Serial) -> Result<Self, ForgetError> {
        // A name of its own: with the scraper's it would throw out one that runs.
        let client_id = format!("envoy-scraper-{envoy}-forget-{}", random::id::<String>());
        let config = broker.session(client_id, envoy.as_ref(), true, None);
        let config = config.map_err(ForgetError::Broker)?;
        let (session, mut events) =
            mqtt::start(config).map_err(|error| ForgetError::Broker(with_causes(&error)))?;
        match timeout(ATTEMPT, events.next()).await {
            Ok(Some(Event::Connected(connection))) => Ok(Self {
                session,
                events,
                connection,
            }),
            Ok(Some(Event::Disconnected(reason))) => Err(ForgetError::Broker(explain(&reason))),
            Ok(Some(Event::Received(_)) | None) | Err(_) => Err(ForgetError::Broker(format!(
                "{} does not answer in time (settings: MQTT_URL)",
                broker.url
            ))),
        }
    }

    /// What the broker retains on the topics that match. Mosquitto acknowledges what its ACL forbids, so a word on each
    /// of `echoes` that comes back is the proof that this account may publish there, and that all that is retained has
    /// come before it.
    ///
    /// # Errors
    /// [`ForgetError::Rights`] with the first of `echoes` on which none comes back.
    pub(super) async fn retained(
        &mut self,
        filters: &[String],
        echoes: &[String],
    ) -> Result<Retained, ForgetError> {
        let all = filters.iter().chain(echoes);
        let subscribed = self.connection.subscribe(all).await;
        subscribed.map_err(|error| ForgetError::Broker(error.to_string()))?;
        let word = random::id::<String>();
        for topic in echoes {
            let message = Message {
                topic: topic.clone(),
                payload: word.clone().into(),
                retain: false,
            };
            let sent = self.connection.publish(message).await;
            // Its echo is the receipt.
            drop(sent.map_err(|gone| ForgetError::Broker(gone.to_string()))?);
        }
        let (mut retained, mut awaited) = (Retained::new(), echoes.to_vec());
        let hearing = timeout(ANSWER, async {
            while !awaited.is_empty() {
                let event = self.events.next().await;
                let Some(heard) = taken(event).await? else {
                    continue;
                };
                if heard.payload == word.as_bytes() {
                    awaited.retain(|echo| *echo != heard.topic);
                } else if heard.is_retained {
                    retained.insert(heard.topic, heard.payload);
                }
            }
            Ok(())
        });
        match hearing.await {
            Ok(heard) => heard.map(|()| retained),
            Err(_) => Err(ForgetError::Rights(awaited.remove(0))),
        }
    }

    /// Clears what is retained on these topics, one after the other.
    pub(super) async fn clear(
        &mut self,
        topics: impl IntoIterator<Item = String>,
    ) -> Result<(), ForgetError> {
        for topic in topics {
            let receipt = self.connection.publish(clearing(topic)).await;
            let receipt = receipt.map_err(|_| ForgetError::Unconfirmed)?;
            let confirmed = timeout(ANSWER, self.confirmed(receipt)).await;
            confirmed.map_err(|_| ForgetError::Unconfirmed)??;
        }
        Ok(())
    }

    /// Waits for a receipt, and hears what comes meanwhile: what is cleared comes back, and would stand in its way.
    async fn confirmed(&mut self, receipt: Receipt) -> Result<(), ForgetError> {
        let mut receipt = std::pin::pin!(receipt);
        loop {
            tokio::select! {
                confirmed = &mut receipt => {
                    return confirmed.map_err(|_| ForgetError::Unconfirmed);
                }
                event = self.events.next() => drop(taken(event).await?),
            }
        }
    }

    /// Says good-bye.
    pub(super) async fn end(self) {
        self.session.close(FAREWELL).await;
    }
}

/// A message that has come.
struct Heard {
    topic: String,
    payload: Vec<u8>,
    is_retained: bool,
}

/// The message that an event is, acknowledged.
async fn taken(event: Option<Event>) -> Result<Option<Heard>, ForgetError> {
    match event {
        Some(Event::Received(received)) => {
            let heard = Heard {
                topic: received.topic,
                payload: received.payload.to_vec(),
                is_retained: received.retain,
            };
            // On a connection that has ended there is nothing to acknowledge.
            let _ = received.acknowledgement.send().await;
            Ok(Some(heard))
        }
        Some(Event::Disconnected(reason)) => Err(ForgetError::Broker(explain(&reason))),
        Some(Event::Connected(_)) => Ok(None),
        None => Err(ForgetError::Broker("the session ended".to_owned())),
    }
}

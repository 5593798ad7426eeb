//! A broker in the test's own process, which keeps what is retained and passes on what is subscribed to,
//! as Mosquitto does. One that is another process would have to be waited for in real time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rumqttc::{Packet, Publish, QoS, SubscribeReasonCode};
use scripted::broker::Peer;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Topics and payloads.
type Published = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A broker that takes one client after the other, until it is dropped.
#[derive(Debug)]
pub struct Broker {
    url: String,
    published: Published,
    is_away: watch::Sender<bool>,
    _serving: JoinSet<()>,
}

impl Broker {
    /// Listens on a free port of the loopback interface.
    ///
    /// # Panics
    /// Where there is none.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let published = Published::default();
        let is_away = watch::Sender::new(false);
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, published.clone(), is_away.subscribe()));
        Self {
            url: format!("mqtt://{address}"),
            published,
            is_away,
            _serving: serving,
        }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What was published since this was called last: topics and payloads.
    #[must_use]
    pub fn take_published(&self) -> Vec<(String, Vec<u8>)> {
        std::mem::take(&mut lock(&self.published))
    }

    /// Goes away, with the connection that there is, or comes back. What it kept it still has.
    pub fn be_away(&self, away: bool) {
        self.is_away.send_replace(away);
    }
}

async fn serve(listener: TcpListener, published: Published, mut is_away: watch::Receiver<bool>) {
    let mut kept = BTreeMap::<String, Publish>::new();
    loop {
        let accepted = listener.accept().await;
        let Ok((stream, _)) = accepted else { continue };
        if *is_away.borrow_and_update() {
            continue;
        }
        let _ = stream.set_nodelay(true);
        let mut peer = Peer::new(stream);
        let mut filters = Vec::new();
        loop {
            let packet = tokio::select! {
                packet = peer.any_packet() => packet,
                _ = is_away.changed() => None,
            };
            match packet {
                Some(Packet::Connect(_)) => peer.let_in(false).await,
                Some(Packet::Subscribe(subscribe)) => {
                    let codes = subscribe.filters.iter();
                    let codes = codes.map(|filter| SubscribeReasonCode::Success(filter.qos));
                    peer.grant(subscribe.pkid, codes.collect()).await;
                    let new = subscribe.filters.into_iter().map(|filter| filter.path);
                    let new: Vec<String> = new.collect();
                    for message in kept.values() {
                        if new.iter().any(|filter| fits(&message.topic, filter)) {
                            pass_on(&mut peer, message, true).await;
                        }
                    }
                    filters.extend(new);
                }
                Some(Packet::Publish(message)) => {
                    if message.qos != QoS::AtMostOnce {
                        peer.acknowledge(message.pkid).await;
                    }
                    let noted = (message.topic.clone(), message.payload.to_vec());
                    lock(&published).push(noted);
                    if filters.iter().any(|filter| fits(&message.topic, filter)) {
                        pass_on(&mut peer, &message, false).await;
                    }
                    if message.retain {
                        kept.insert(message.topic.clone(), message);
                    }
                }
                Some(Packet::Disconnect) | None => break,
                Some(_) => {}
            }
        }
    }
}

fn lock(published: &Published) -> MutexGuard<'_, Vec<(String, Vec<u8>)>> {
    published.lock().unwrap_or_else(PoisonError::into_inner)
}

fn fits(topic: &str, filter: &str) -> bool {
    rumqttc::mqttbytes::matches(topic, filter)
}

async fn pass_on(peer: &mut Peer, message: &Publish, retained: bool) {
    let mut copy = message.clone();
    (copy.qos, copy.pkid) = (QoS::AtMostOnce, 0);
    (copy.retain, copy.dup) = (retained, false);
    peer.send(Packet::Publish(copy)).await;
}

//! What stands around a daemon in these tests: servers that hang, and a broker that takes everything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rig::programs::{Binary, Program, Start};
use rig::wait;
use rumqttc::{Packet, Publish, QoS, SubscribeReasonCode};
use scripted::broker::Peer;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

/// The Envoy of these tests.
pub(super) const ENVOY: &str = "202400000011";

/// How long a program may take to come so far, on a machine that builds beside it.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Within which a program has ended once it was asked to.
pub(super) const END: Duration = Duration::from_secs(5);

/// A server that takes connections and what is sent on them, and never answers.
pub(super) struct Hanging {
    /// Where it listens.
    pub(super) address: std::net::SocketAddr,
    asked: Arc<AtomicBool>,
    _task: AbortOnDropHandle<()>,
}

impl Hanging {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let asked = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                // Its first bytes only; what comes behind them waits in the socket.
                if stream.read_u8().await.is_ok() {
                    seen.store(true, Ordering::SeqCst);
                }
                held.push(stream);
            }
        });
        Self {
            address,
            asked,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// Waits until somebody has asked for something, and now waits for the answer.
    pub(super) async fn was_asked(&self) {
        wait::until_true("a request", PATIENCE, async || {
            self.asked.load(Ordering::SeqCst)
        })
        .await;
    }
}

/// A scraper; with `serial` it does not have to ask the Envoy for it.
pub(super) fn scraper(envoy: &Hanging, broker: &str, serial: Option<&str>) -> Start {
    let start = Start::new(Binary::Scraper)
        .env("ENVOY_HOST", format!("http://{}", envoy.address))
        .env("MQTT_URL", broker);
    match serial {
        Some(serial) => start.env("ENVOY_SERIAL", serial),
        None => start,
    }
}

pub(super) fn receiver(broker: &str, influx: &Hanging) -> Start {
    Start::new(Binary::Receiver)
        .env("MQTT_URL", broker)
        .env("INFLUX_URL", format!("http://{}", influx.address))
        .env("INFLUX_TOKEN", "a-token")
        .env("INFLUX_ORG", "org")
        .env("INFLUX_BUCKET", "bucket")
}

/// The standalone with a real Envoy, and its state in `directory`.
pub(super) fn standalone(envoy: &Hanging, directory: &std::path::Path) -> Start {
    Start::new(Binary::Standalone)
        .env("ENVOY_HOST", format!("http://{}", envoy.address))
        .env("ENVOY_SERIAL", ENVOY)
        .args(["--broker-listen", "127.0.0.1:0", "--state-dir"])
        .arg(directory)
}

/// Waits for the end of a program that was asked to end at `asked`, and gives its exit code.
pub(super) async fn code(program: &mut Program, asked: Instant) -> Option<i32> {
    let status = program.ended().await;
    let took = asked.elapsed();
    assert!(took < END, "it took {took:?}");
    status.code()
}

/// A message that was published.
pub(super) struct Published {
    pub(super) topic: String,
    pub(super) payload: String,
    pub(super) retain: bool,
    pub(super) packet: u16,
}

/// What a daemon's packets are answered with: subscriptions are granted, status and announcement
/// come back to who sent them, as Mosquitto does it, and they are acknowledged at once. Readings are
/// not. Gives the next thing that is none of these, or a message.
pub(super) async fn next(peer: &mut Peer) -> Result<Published, Option<Packet>> {
    loop {
        match peer.packet().await {
            Some(Packet::Subscribe(subscribe)) => {
                let granted = SubscribeReasonCode::Success(QoS::AtLeastOnce);
                let codes = vec![granted; subscribe.filters.len()];
                peer.grant(subscribe.pkid, codes).await;
            }
            Some(Packet::Publish(publish)) => {
                let reading = publish.topic.contains("/inverters/");
                if !reading {
                    peer.acknowledge(publish.pkid).await;
                    let mut echo = publish.clone();
                    (echo.qos, echo.pkid, echo.retain) = (QoS::AtMostOnce, 0, false);
                    peer.send(Packet::Publish(echo)).await;
                }
                return Ok(Published {
                    payload: String::from_utf8_lossy(&publish.payload).into_owned(),
                    topic: publish.topic,
                    retain: publish.retain,
                    packet: publish.pkid,
                });
            }
            other => return Err(other),
        }
    }
}

/// Delivers a reading to a receiver.
pub(super) async fn deliver_reading(peer: &mut Peer, packet: u16) {
    let topic = format!("envoy/{ENVOY}/inverters/482000000001");
    let payload = format!(
        r#"{{"serial":"482000000001","envoy":"{ENVOY}","reported_at":"2026-06-20T09:15:00Z","device_type":1,"power_w":212,"peak_power_w":296,"journal":"k3x9m2pq","seq":{packet}}}"#
    );
    let mut publish = Publish::new(topic, QoS::AtLeastOnce, payload);
    publish.pkid = packet;
    peer.send(Packet::Publish(publish)).await;
}

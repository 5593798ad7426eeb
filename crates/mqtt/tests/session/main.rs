//! The session against a broker that does what a test tells it to.
#![allow(clippy::unwrap_used)]
// Payloads are numbers and texts, whichever a test likes.
#![allow(clippy::needless_pass_by_value)]

mod authority;
mod client_certificate;
mod closing;
mod connecting;
mod deliveries;
mod guards;
mod outages;
mod pace;
mod pauses;
mod publishing;
mod rivals;
mod subscribing;
mod tls;

use std::time::Duration;

use mqtt::{Config, Connection, Credentials, Delivery, Event, Events, Message, Reason, Session};
use scripted::broker::{Broker, Peer};
use scripted::leaks::Secrets;
use scripted::watch::Watch;
use scripted::within;

/// The password of every session here, which nothing may log.
const PASSWORD: &str = "correct-horse-battery-staple";

fn config(broker: &str) -> Config {
    Config {
        broker: broker.parse().unwrap(),
        client_id: "a-client".into(),
        credentials: Some(Credentials {
            username: "a-user".into(),
            password: PASSWORD.into(),
        }),
        tls: None,
        clean_session: false,
        keep_alive: Duration::from_secs(20),
        last_will: None,
        backoff_cap: Duration::from_millis(20),
    }
}

/// Starts a session, and sees to it until the end of the test that no secret is logged.
fn start(config: Config) -> ((Session, Watch), Events) {
    let watch = Watch::for_secrets(Secrets::new().with("password", PASSWORD));
    let (session, events) = mqtt::start(config).unwrap();
    ((session, watch), events)
}

fn message(payload: impl ToString) -> Message {
    Message {
        topic: "a/topic".into(),
        payload: payload.to_string().into(),
        retain: false,
    }
}

async fn connected(events: &mut Events) -> Connection {
    match within(events.next()).await {
        Some(Event::Connected(connection)) => connection,
        other => panic!("expected a connection, got {other:?}"),
    }
}

async fn received(events: &mut Events) -> Delivery {
    match within(events.next()).await {
        Some(Event::Received(delivery)) => delivery,
        other => panic!("expected a delivery, got {other:?}"),
    }
}

async fn disconnected(events: &mut Events) -> Reason {
    match within(events.next()).await {
        Some(Event::Disconnected(reason)) => reason,
        other => panic!("expected a disconnect, got {other:?}"),
    }
}

/// A session that is connected to a scripted broker.
struct Rig {
    broker: Broker,
    peer: Peer,
    session: Session,
    events: Events,
    connection: Connection,
    _watch: Watch,
}

impl Rig {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let broker = Broker::bind().await;
        let mut config = config(&broker.url());
        change(&mut config);
        let ((session, watch), mut events) = start(config);
        let peer = broker.welcome(false).await;
        let connection = connected(&mut events).await;
        Self {
            broker,
            peer,
            session,
            events,
            connection,
            _watch: watch,
        }
    }
}

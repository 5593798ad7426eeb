//! The scraper: reads an Envoy and publishes each inverter's changed readings.
//!
//! In reading order: [`cli`] is the command line; [`config`] says which Envoy and which broker; [`run`] is the daemon; the
//! `poller` asks the Envoy, [`changes`] finds what is new, [`numbering`] gives it its place;
//! the `publisher` brings it to the broker, through the [`outbox`], over a `link`. [`mod@print`] reads
//! the Envoy once and shows what it said.

pub mod check;
pub mod cli;
pub mod config;
pub mod print;

pub mod changes;
pub mod journal;
pub mod numbering;
pub mod outbox;

mod explain;
mod poller;

mod complaints;
mod identity;
mod link;
mod publisher;
mod receipts;

use std::time::Duration;

use daemon::random;
use daemon::service::Service;
use daemon::tasks::{TaskError, Tasks};
use tokio::sync::mpsc;
use wire::{Serial, Status};

use config::Config;
use identity::Identity;
use poller::Poller;
use publisher::Publisher;

/// How long the parts may take to finish when the scraper is asked to stop, so that it has ended
/// within five seconds. The steps of the publisher's good-bye add up to four.
const GRACE: Duration = Duration::from_millis(4500);

/// Why the scraper ended unasked.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The Envoy's settings can't be used.
    #[error("the Envoy's settings can't be used: {0}")]
    Envoy(String),
    /// The Envoy's serial can't be part of a topic.
    #[error("the Envoy's serial can't be used")]
    Serial(#[source] wire::InvalidName),
    /// The broker's settings can't be used.
    #[error("the broker's settings can't be used: {0}")]
    Broker(String),
    /// A part ended.
    #[error(transparent)]
    Task(#[from] TaskError),
}

/// Runs the scraper until `shutdown` completes.
///
/// Without a configured serial nothing is published before the Envoy's first answer.
///
/// # Errors
/// When the configuration can't be used, or a part ends unasked. Neither the Envoy nor the broker
/// being away is an error.
pub async fn run(
    config: Config,
    service: &Service,
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let mut shutdown = std::pin::pin!(shutdown);
    let mut gateway = config.access.gateway().map_err(RunError::Envoy)?;
    let mut part = service.part();
    let envoy: Serial = if let Some(serial) = config.access.serial.clone() {
        serial
    } else {
        service.ready();
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            info = poller::first_info(&mut gateway, config.poll_interval, &mut part) => {
                info.serial.parse().map_err(RunError::Serial)?
            }
        }
    };
    tracing::info!(%envoy, broker = %config.broker.url, "publishing this Envoy's readings");

    let identity = Identity {
        envoy: envoy.clone(),
        base: config.broker.topic.clone(),
        instance: random::id(),
        announce_every: config.announce_every,
    };
    let session = config
        .broker
        .session(
            client_id(&envoy),
            envoy.as_ref(),
            true,
            Some(identity.status(Status::Offline)),
        )
        .map_err(RunError::Broker)?;
    let (session, events) = mqtt::start(session)
        .map_err(|error| RunError::Broker(daemon::exit::with_causes(&error)))?;

    let poller = Poller::new(gateway, envoy, part);
    let publisher = Publisher::new(identity, poller.journal().clone(), service.part());
    let (sender, polls) = mpsc::channel(poller::CHANNEL);
    let mut tasks = Tasks::new();
    let stop = tasks.stop();
    tasks.spawn("poller", async move {
        poller.run(config.poll_interval, sender, stop).await;
        Ok::<_, RunError>(())
    });
    let stop = tasks.stop();
    tasks.spawn("publisher", async move {
        publisher.run(session, events, polls, stop).await
    });
    service.ready();
    tasks.run(shutdown, GRACE).await?;
    Ok(())
}

/// The client id at the broker: always the same, so that a new connection throws out its own
/// half-dead one.
fn client_id(envoy: &Serial) -> String {
    format!("envoy-scraper-{envoy}")
}

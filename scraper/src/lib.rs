//! The scraper: reads an Envoy and publishes each inverter's changed readings.
//!
//! In reading order: [`cli`] is the command line; [`config`] says which Envoy and which broker; [`run`]
//! is the daemon; the `poller` asks the Envoy, [`changes`] finds what is new, the [`journal`] keeps it
//! and gives it its number; [`delivery`] decides what the broker is given, in which order, and when it
//! has it; the `publisher` does so over a connection. [`mod@print`] reads the Envoy once and shows what
//! it said; [`mod@token`] fetches a token for it; [`mod@discover`] lists the Envoys that are there, and
//! `reach` goes to where ours is. [`metrics`] says how all of it goes.

pub mod check;
pub mod cli;
pub mod config;
pub mod discover;
pub mod print;
pub mod program;
pub mod token;

pub mod changes;
pub mod condition;
pub mod delivery;
pub mod home_assistant;
pub mod journal;
pub mod metrics;
pub mod names;
pub mod site;

mod expiry;
mod explain;
mod overwritten;
mod patience;
mod poller;
mod reach;
mod watch;

mod complaints;
mod identity;
mod publisher;
mod receipts;

use std::time::Duration;

use daemon::random;
use daemon::service::Service;
use daemon::tasks::{TaskError, Tasks};
use envoy::StateFiles;
use tokio::sync::{mpsc, oneshot};
use wire::{Serial, Status};

use config::Config;
use home_assistant::{Announcer, Topics};
use identity::Identity;
use journal::{Journals, OpenError};
use metrics::Metrics;
use poller::Poller;
use publisher::Publisher;
use reach::Reach;

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
    /// The journal is not ours to write.
    #[error(transparent)]
    Journal(#[from] journal::OpenError),
    /// A part ended.
    #[error(transparent)]
    Task(#[from] TaskError),
}

/// Runs the scraper until `shutdown` completes.
///
/// Without a configured serial it is that of the Envoy whose journal is there; with no journal either, or
/// one that another scraper uses, nothing is published before the Envoy's first answer.
///
/// # Errors
/// When the configuration or the journal can't be used, or a part ends unasked. Neither the Envoy nor
/// the broker being away is an error.
pub async fn run(
    config: Config,
    metrics: Metrics,
    service: &Service,
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let mut shutdown = std::pin::pin!(shutdown);
    let configured = config.access.serial.clone();
    let mut remembered = match configured {
        Some(_) => None,
        None => journal::remembered_serial(&config.state_dir),
    };
    let mut serial = configured.or_else(|| remembered.clone());
    // One for all clients: what can't be written must not be forgotten between two of them.
    let files = StateFiles::inside(&config.state_dir);
    loop {
        let is_guess = remembered.take().is_some();
        let envoy = match serial {
            Some(serial) => serial,
            None => {
                match ask_for_serial(&config, &files, &metrics, service, shutdown.as_mut()).await? {
                    Some(serial) => serial,
                    None => return Ok(()),
                }
            }
        };
        let served = serve(
            &config,
            &envoy,
            &files,
            &metrics,
            service,
            shutdown.as_mut(),
        )
        .await;
        if is_guess && matches!(served, Err(RunError::Journal(OpenError::InUse { .. }))) {
            tracing::warn!(
                remembered = %envoy,
                "another scraper uses the journal that was written last: this one's Envoy is asked \
                 who it is; give each scraper a directory of its own (setting: STATE_DIR)"
            );
            serial = None;
            continue;
        }
        serial = served?;
        match &serial {
            Some(found) => tracing::warn!(
                expected = %envoy,
                %found,
                "this is another Envoy than before; its readings get a journal of their own"
            ),
            None => return Ok(()),
        }
    }
}

/// Asks the Envoy who it is, until it says so; `None` after `shutdown`.
async fn ask_for_serial(
    config: &Config,
    files: &StateFiles,
    metrics: &Metrics,
    service: &Service,
    shutdown: impl Future<Output = ()>,
) -> Result<Option<Serial>, RunError> {
    let reach = Reach::new(&config.access, files.clone(), None, &config.state_dir);
    let mut reach = reach.map_err(RunError::Envoy)?;
    let mut part = service.part("poller");
    service.ready();
    tokio::select! {
        () = shutdown => Ok(None),
        info = poller::first_info(&mut reach, config.poll_interval, metrics, &mut part) => {
            info.serial.parse().map(Some).map_err(RunError::Serial)
        }
    }
}

/// Where the journal is.
fn journal_directory(config: &Config) -> std::borrow::Cow<'_, std::path::Path> {
    #[cfg(feature = "sabotage")]
    if daemon::sabotage::is(daemon::sabotage::Sabotage::SkipJournal) {
        return config.state_dir.join(std::process::id().to_string()).into();
    }
    config.state_dir.as_path().into()
}

/// Publishes the readings of one Envoy until `shutdown`, or until another Envoy answers: then that
/// one's serial.
async fn serve(
    config: &Config,
    envoy: &Serial,
    files: &StateFiles,
    metrics: &Metrics,
    service: &Service,
    shutdown: impl Future<Output = ()>,
) -> Result<Option<Serial>, RunError> {
    let reach = Reach::new(
        &config.access,
        files.clone(),
        Some(envoy),
        &config.state_dir,
    );
    let reach = reach.map_err(RunError::Envoy)?;
    let journals = Journals::open(&journal_directory(config), envoy, config.journal_size)?;
    journals.retry_after(config.journal_retry);
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
            client_id(envoy),
            envoy.as_ref(),
            true,
            Some(identity.status(Status::Offline)),
        )
        .map_err(RunError::Broker)?;
    let (session, events) = mqtt::start(session)
        .map_err(|error| RunError::Broker(daemon::exit::with_causes(&error)))?;

    let poller = Poller::new(
        reach,
        envoy.clone(),
        journals.clone(),
        config.presentation.names.clone(),
        metrics.clone(),
        service.part("poller"),
    );
    let part = service.part("publisher");
    let prefix = config.presentation.home_assistant.clone();
    let base = config.broker.topic.clone();
    let home_assistant =
        prefix.map(|prefix| Announcer::new(Topics::new(base, envoy.clone(), prefix)));
    let publisher = Publisher::new(identity, journals, home_assistant, metrics.clone(), part);
    let (sender, polls) = mpsc::channel(poller::CHANNEL);
    let (tell_other, other) = oneshot::channel();
    let mut tasks = Tasks::new();
    let (every, stop) = (config.poll_interval, tasks.stop());
    tasks.spawn("poller", async move {
        // Boxed: it has room for all that one poll may come to.
        Box::pin(poller.run(every, sender, tell_other, stop)).await;
        Ok::<_, RunError>(())
    });
    let stop = tasks.stop();
    tasks.spawn("publisher", async move {
        publisher.run(session, events, polls, stop).await
    });
    service.ready();
    let mut found = None;
    let end = async {
        tokio::select! {
            () = shutdown => {}
            Ok(serial) = other => found = Some(serial),
        }
    };
    tasks.run(end, GRACE).await?;
    Ok(found)
}

/// The client id at the broker: always the same, so that a new connection throws out its own
/// half-dead one.
fn client_id(envoy: &Serial) -> String {
    format!("envoy-scraper-{envoy}")
}

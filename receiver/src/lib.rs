//! The receiver: subscribes to the readings of one or more scrapers and stores them.
//!
//! In reading order: [`cli`] is the command line; [`config`] says which broker and which store, [`opening`] opens that of a file; [`run`] is the daemon; the
//! `subscription` owns the loop from the broker to the store and back; [`gathering`] makes batches;
//! its `proof` that the broker lets us publish is the status coming back;
//! the `writer` brings one to the store for as long as it takes; the [`audit`] finds what got lost on the
//! way and asks for it; `healths` keeps beside them how the inverters do; the [`census`] bounds of whom; what can never be stored is kept as [`dead_letters`]; [`metrics`] says how all of it goes.
//!
//! The invariant of this crate: nothing is marked or acknowledged before it is stored.

pub mod check;
pub mod cli;
pub mod config;
pub mod opening;
pub mod program;
pub mod refill;

pub mod audit;
pub mod census;
pub mod dead_letters;
pub mod gathering;
pub mod metrics;

mod complaints;
mod contact;
mod content;
mod findings;
mod healths;
mod proof;
mod subscription;
mod writer;

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use daemon::service::Service;
use daemon::state_dir;
use daemon::tasks::{TaskError, Tasks};
use store::MarkedStore;
use tokio_util::task::AbortOnDropHandle;
use wire::{ReceiverName, Status};

use config::Config;
use dead_letters::DeadLetters;
use healths::Healths;
use metrics::Metrics;
use subscription::{Subscription, status};
use writer::Writer;

/// How long the parts may take to finish when the receiver is asked to stop, so that it has ended
/// within five seconds. The steps of the subscription's good-bye add up to four.
const GRACE: Duration = Duration::from_millis(4500);

/// Why the receiver ended unasked.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The broker's settings can't be used.
    #[error("the broker's settings can't be used: {0}")]
    Broker(String),
    /// Another process has the marks of this receiver.
    #[error(
        "another receiver with the name '{name}' uses {}: stop it, or give this one a directory of \
         its own with --state-dir and a name of its own with --name",
        directory.display()
    )]
    InUse {
        /// The state directory.
        directory: PathBuf,
        /// The name that both have.
        name: ReceiverName,
    },
    /// A part ended.
    #[error(transparent)]
    Task(#[from] TaskError),
}

/// Runs the receiver until `shutdown` completes.
///
/// # Errors
/// When the configuration can't be used, another receiver has the same marks, or a part ends unasked. Neither the broker nor the store
/// being away is an error.
pub async fn run<S: MarkedStore>(
    config: Config,
    metrics: Metrics,
    store: S,
    service: &Service,
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let _lock = lock(&config)?;
    tracing::info!(receiver = %config.name, broker = %config.broker.url, "storing readings");
    let base = config.broker.topic.clone();
    let session = config
        .broker
        .session(
            client_id(&config.name),
            config.name.as_ref(),
            false,
            Some(status(&base, &config.name, Status::Offline)),
        )
        .map_err(RunError::Broker)?;
    let (session, events) = mqtt::start(session)
        .map_err(|error| RunError::Broker(daemon::exit::with_causes(&error)))?;

    let dead_letters = DeadLetters::new(config.dead_letters_file(), dead_letters::FULL);
    let store = Arc::new(store);
    let longest_pause = config.broker.backoff_cap;
    let writer = Writer::new(
        Arc::clone(&store),
        base,
        dead_letters,
        metrics.clone(),
        longest_pause,
    );
    let healths = Healths::default();
    let keeping = healths::keep(Arc::clone(&store), healths.clone(), longest_pause);
    let _keeping = AbortOnDropHandle::new(tokio::spawn(keeping));
    let contact = contact::first_contact(store, metrics.store_reached.clone());
    let _contact = AbortOnDropHandle::new(tokio::spawn(contact));
    let part = service.part("subscription");
    let subscription = Subscription::new(&config, writer, healths, metrics, part);
    let mut tasks = Tasks::new();
    let stop = tasks.stop();
    tasks.spawn("subscription", async move {
        subscription.run(session, events, stop).await
    });
    service.ready();
    tasks.run(shutdown, GRACE).await?;
    Ok(())
}

/// Keeps others from the marks, the dead letters and the notes of this receiver, for as long as the file
/// is held: of two that save their marks each takes away what the other has marked.
///
/// Where there can be no such file, there can be no marks that another one would spoil; that is said
/// when they are to be saved.
fn lock(config: &Config) -> Result<Option<File>, RunError> {
    match state_dir::lock(&config.lock_file()) {
        Ok(file) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(RunError::InUse {
            directory: config.state_dir.clone(),
            name: config.name.clone(),
        }),
        Err(TryLockError::Error(error)) => {
            tracing::debug!(%error, "the state directory can't be locked");
            Ok(None)
        }
    }
}

/// The client id at the broker, which names the session that the broker keeps.
fn client_id(name: &ReceiverName) -> String {
    format!("envoy-receiver-{name}")
}

//! Scraper, broker, receiver and store in one process, with nothing else to set up.
//!
//! In reading order: [`config`] says which Envoy, or that one is simulated, which `source` starts; [`run`] starts the
//! embedded [`broker`], then the very scraper and receiver of the big set-up against it, with
//! SQLite as their store, [`shown`] on standard output and on the [`page`]. [`export`] is the way out.

pub mod account;
pub mod broker;
pub mod cli;
pub mod config;
pub mod export;
mod introduction;
pub mod page;
mod past;
pub mod program;
pub mod shown;
mod source;

use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use daemon::health::{self, Board};
use daemon::service::Service;
use daemon::settings::Secret;
use daemon::state_dir;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use broker::{Broker, BrokerError};
use config::{Config, Source};
use shown::Shown;

/// The longest time between two announcements, as in the big set-up.
const ANNOUNCE_EVERY: Duration = Duration::from_mins(5);

/// How long a reading may take from its announcement to the store, as in the big set-up.
const AUDIT_AFTER: Duration = Duration::from_mins(1);

/// The receiver's name at the embedded broker.
const RECEIVER: &str = "standalone";

/// How long the receiver goes on after the scraper has ended: the broker of the same process
/// delivers within milliseconds, and what it has not delivered by then waits in its queue on disk.
const DELIVERY: Duration = Duration::from_millis(300);

/// How long scraper and receiver may take to finish, one after the other, when the process is asked
/// to stop: a poll under way and the last write, which is to a local file. What is not stored by then
/// waits in the broker's queue on disk. With [`CLOSING`] it is within five seconds.
const FINISHING: Duration = Duration::from_millis(3500);

/// How long the broker and the simulated Envoy may take to end, side by side.
const CLOSING: Duration = Duration::from_millis(1200);

/// Why the process ended unasked.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The state directory can't be used.
    #[error("{} can't be used; choose another directory with --state-dir", .0.display())]
    StateDirectory(PathBuf, #[source] io::Error),
    /// Another process uses the state directory.
    #[error("another envoy-scrape uses {}; stop it, or choose another directory with --state-dir", .0.display())]
    InUse(PathBuf),
    /// The broker did not start.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The broker ended.
    #[error("the embedded broker ended unexpectedly")]
    BrokerEnded(#[source] io::Error),
    /// Health and metrics can't be served.
    #[error(transparent)]
    Listen(#[from] health::ListenError),
    /// The page can't be served.
    #[error(transparent)]
    Page(#[from] page::PageError),
    /// The page ended.
    #[error("the page ended unexpectedly")]
    PageEnded(#[source] io::Error),
    /// The store can't be opened.
    #[error("the store can't be opened")]
    Store(#[from] store::OpenError),
    /// The simulator did not start.
    #[error("the simulated Envoy did not start")]
    Simulator(#[from] simulator::StartError),
    /// The scraper ended.
    #[error("the scraper ended unexpectedly")]
    Scraper(#[from] scraper::RunError),
    /// The receiver ended.
    #[error("the receiver ended unexpectedly")]
    Receiver(#[from] receiver::RunError),
}

/// Runs everything until `shutdown` completes.
///
/// # Errors
/// When something can't be started, or ends unasked.
pub async fn run(
    config: Config,
    service: &Service,
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let directory = config.state_dir.join(match config.source {
        Source::Real { .. } => "standalone",
        // Kept apart, so that no simulated reading is ever taken for a real one.
        Source::Simulated { .. } => "simulated",
    });
    let _lock = lock(&directory)?;
    let database = directory.join("readings.sqlite");
    let mut shutdown = std::pin::pin!(shutdown);
    let opened = receiver::opening::open(&database, service, shutdown.as_mut()).await?;
    let Some(store) = opened else {
        return Ok(());
    };
    let presentation = config.presentation.clone();
    let each_inverter = presentation.metrics_inverters;
    let register = |board: &mut Board| {
        let scraper = scraper::metrics::Metrics::register(board, each_inverter);
        (scraper, receiver::metrics::Metrics::register(board))
    };
    let serving = health::start(config.listen.as_ref(), service, register);
    let ((of_scraper, of_receiver), _serving) = serving.await?;
    let mut broker = Broker::start(&config.broker, &directory.join("broker")).await?;
    let source = source::with_a_past(config.source, &store, &directory).await;
    let (access, poll_interval, simulator) = source::envoy(source).await?;
    let simulated = simulator.is_some();
    let seen = (store.clone(), directory.clone());
    let at = (broker.from_here(), broker.account());
    let mut page = page::start(&config.page, seen, at, service, simulated).await?;
    let introduction = introduction::text(&access, simulated, &page, &broker, &database);
    // With standard output closed there is nobody to show it to.
    let _ = std::io::stdout().write_all(introduction.as_bytes());

    let stop = CancellationToken::new();
    let stop_receiver = CancellationToken::new();
    let scraper = scraper::run(
        scraper::config::Config {
            access,
            poll_interval,
            announce_every: ANNOUNCE_EVERY,
            state_dir: directory.clone(),
            journal_size: config.journal_size,
            journal_retry: scraper::journal::RETRY,
            broker: ours(&broker),
            listen: None,
            presentation,
        },
        of_scraper,
        service,
        stop.clone().cancelled_owned(),
    );
    let receiver = receiver::run(
        receiver_config(&broker, directory),
        of_receiver,
        Shown::new(store),
        service,
        stop_receiver.clone().cancelled_owned(),
    );
    let outcome = {
        let in_order = async {
            scraper.await?;
            tokio::time::sleep(DELIVERY).await;
            stop_receiver.cancel();
            Ok(())
        };
        let mut both = std::pin::pin!(async {
            tokio::try_join!(in_order, async { receiver.await.map_err(RunError::from) })
        });
        let asked_or_dead = async {
            tokio::select! {
                () = &mut shutdown => None,
                error = page.ended() => Some(error),
            }
        };
        tokio::select! {
            ended = &mut both => ended,
            error = broker.ended() => return Err(RunError::BrokerEnded(error)),
            dead = asked_or_dead => {
                stop.cancel();
                let finished = timeout(FINISHING, both).await.unwrap_or_else(|_| {
                    tracing::warn!("stopped before everything was stored; the broker keeps the rest");
                    Ok(((), ()))
                });
                dead.map_or(finished, |error| Err(RunError::PageEnded(error)))
            }
        }
    };
    let closed = async {
        let simulator = async {
            if let Some(simulator) = simulator {
                simulator.stop().await;
            }
        };
        tokio::join!(broker.stop(), simulator)
    };
    if timeout(CLOSING, closed).await.is_err() {
        tracing::warn!("the embedded broker did not stop in time");
    }
    outcome.map(drop)
}

/// The receiver's part in one process.
fn receiver_config(broker: &Broker, state_dir: PathBuf) -> receiver::config::Config {
    receiver::config::Config {
        name: RECEIVER.parse().expect("letters are a receiver's name"),
        broker: ours(broker),
        announce_every: ANNOUNCE_EVERY,
        audit_after: AUDIT_AFTER,
        max_envoys: receiver::census::USUAL_ENVOYS,
        state_dir,
        listen: None,
    }
}

/// The embedded broker as the scraper and the receiver see it.
fn ours(broker: &Broker) -> daemon::broker::Broker {
    daemon::broker::Broker {
        url: format!("mqtt://{}", broker.from_here())
            .parse()
            .expect("an address and a port are a broker's URL"),
        username: broker
            .account()
            .map(|account| account.username().to_owned()),
        password: broker
            .account()
            .map(|account| Secret::Value(account.password().clone())),
        tls: None,
        topic: wire::BaseTopic::default(),
        keep_alive: Duration::from_secs(30),
        backoff_cap: Duration::from_mins(1),
    }
}

/// Takes the directory for this process alone, for as long as the file is held.
fn lock(directory: &Path) -> Result<File, RunError> {
    let unusable = |error| RunError::StateDirectory(directory.to_owned(), error);
    state_dir::lock(&directory.join("lock")).map_err(|error| match error {
        TryLockError::WouldBlock => RunError::InUse(directory.to_owned()),
        TryLockError::Error(error) => unusable(error),
    })
}

//! The scraper: reads an Envoy and publishes each inverter's changed readings.
//!
//! In reading order: [`cli`] is the command line; [`config`] says which Envoy and which broker; [`run`]
//! is the daemon, and `serving` what it does for one Envoy; the `poller` asks the Envoy, [`changes`] finds
//! what is new, the [`journal`] keeps it and gives it its number; [`delivery`] decides what the broker is
//! given, in which order, and when it has it; the `publisher` does so over a connection; `memory` keeps what was learned for the next start.
//! [`mod@print`] reads the Envoy once and shows what it said; [`mod@token`] fetches a token for it;
//! [`mod@discover`] lists the Envoys that are there, and `reach` goes to where ours is; [`mod@forget`]
//! clears what is shown of an inverter that is gone, and `forgotten` keeps it so. [`metrics`] says how all
//! of it goes.

pub mod check;
pub mod cli;
pub mod config;
pub mod discover;
pub mod forget;
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

mod another;
mod clock;
mod dating;
mod devices;
mod expiry;
mod explain;
mod forgotten;
mod memory;
mod overwritten;
mod patience;
mod poller;
mod reach;
mod watch;

mod complaints;
mod identity;
mod presence;
mod publisher;
mod receipts;
mod serving;

use daemon::service::Service;
use daemon::tasks::TaskError;
use envoy::StateFiles;
use wire::Serial;

use another::{Another, Beginning};
use config::Config;
use journal::OpenError;
use metrics::Metrics;
use reach::Reach;
use serving::serve;

/// How often a process goes over to another Envoy. Each has a journal and what is learned of it for good, and what
/// answers at the address may say that it is another one each time; a real Envoy is replaced once in years.
const MOST_OTHERS: u32 = 16;

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
    // The way to the Envoy that was asked already, and how to go on with it.
    let mut asked = None;
    let mut others = 0;
    loop {
        let is_guess = remembered.take().is_some();
        let envoy = if let Some(serial) = serial {
            serial
        } else {
            let asking = ask_for_serial(&config, &files, &metrics, service, shutdown.as_mut());
            let Some((serial, reach)) = Box::pin(asking).await? else {
                return Ok(());
            };
            // It has only said who it is: this goes on with the same poll.
            asked = Some((reach, Beginning::AtOnce));
            serial
        };
        let way = |serial| {
            Reach::new(
                &config.access,
                files.clone(),
                Some(serial),
                &config.state_dir,
            )
        };
        let (mut reach, beginning) = match asked.take() {
            Some(asked) => asked,
            None => (way(&envoy).map_err(RunError::Envoy)?, Beginning::AtOnce),
        };
        if others == MOST_OTHERS {
            tracing::error!(
                %envoy,
                others,
                "what answers at the address was another Envoy again and again: this one is the last that is read; \
                 see what is there, and restart the scraper (settings: ENVOY_HOST, ENVOY_SERIAL)"
            );
            reach.stay_with(&envoy);
        }
        // Boxed: the way to an Envoy is large.
        let served = Box::pin(serve(
            &config,
            &envoy,
            (reach, beginning),
            &metrics,
            service,
            shutdown.as_mut(),
        ))
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
        let Some(Another {
            serial: found,
            answered,
        }) = served?
        else {
            return Ok(());
        };
        tracing::warn!(
            expected = %envoy,
            %found,
            "this is another Envoy than before; its readings get a journal of their own"
        );
        others += 1;
        asked = Some(match answered {
            Some((reach, answer)) => (reach, Beginning::With(answer)),
            None => (way(&found).map_err(RunError::Envoy)?, Beginning::Later),
        });
        serial = Some(found);
    }
}

/// Asks the Envoy who it is, until it says so, and the way to it; `None` after `shutdown`.
async fn ask_for_serial(
    config: &Config,
    files: &StateFiles,
    metrics: &Metrics,
    service: &Service,
    shutdown: impl Future<Output = ()>,
) -> Result<Option<(Serial, Reach)>, RunError> {
    let reach = Reach::new(&config.access, files.clone(), None, &config.state_dir);
    let mut reach = reach.map_err(RunError::Envoy)?;
    let mut part = service.part("poller");
    service.ready();
    let info = tokio::select! {
        () = shutdown => return Ok(None),
        info = poller::first_info(&mut reach, config.poll_interval, metrics, &mut part) => info,
    };
    let serial = info.serial.parse().map_err(RunError::Serial)?;
    reach.leads_to(&serial, &config.state_dir);
    Ok(Some((serial, reach)))
}

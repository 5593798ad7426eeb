//! One Envoy's readings are published: its parts are put together and run.

use std::time::Duration;

use daemon::random;
use daemon::service::Service;
use daemon::tasks::Tasks;
use envoy::StateFiles;
use tokio::sync::{mpsc, oneshot};
use wire::{Serial, Status};

use crate::RunError;
use crate::another::{Another, Beginning};
use crate::config::{Config, Presentation};
use crate::forgotten::{self, Forgotten};
use crate::home_assistant::{Announcer, Prefixes, Topics, Withdrawal};
use crate::identity::Identity;
use crate::journal::Journals;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::names::{Names, NamesFile};
use crate::poller::{self, Poller};
use crate::publisher::Publisher;
use crate::reach::Reach;

/// How long the parts may take to finish when the scraper is asked to stop, so that it has ended
/// within five seconds. The steps of the publisher's good-bye add up to four.
const GRACE: Duration = Duration::from_millis(4500);

/// Where the journal is.
fn journal_directory(config: &Config) -> std::borrow::Cow<'_, std::path::Path> {
    #[cfg(feature = "sabotage")]
    if daemon::sabotage::is(daemon::sabotage::Sabotage::SkipJournal) {
        return config.state_dir.join(std::process::id().to_string()).into();
    }
    config.state_dir.as_path().into()
}

/// What is withdrawn of the devices that were announced before: all below another prefix than now, or below any where
/// none are announced any more. That they are announced now is written down.
fn withdrawal(config: &Config, envoy: &Serial) -> Withdrawal {
    let Presentation {
        announces, prefix, ..
    } = &config.presentation;
    let prefixes = Prefixes::inside(&config.state_dir, envoy);
    if *announces {
        prefixes.add(prefix);
    }
    let mut before = prefixes.known();
    before.retain(|known| !announces || known != prefix);
    let topics = |prefix| Topics::new(config.broker.topic.clone(), envoy.clone(), prefix);
    Withdrawal::of(before.into_iter().map(topics))
}

/// Publishes the readings of one Envoy until `shutdown`, or until another Envoy answers: then that one.
pub(crate) async fn serve(
    config: &Config,
    envoy: &Serial,
    (reach, beginning): (Reach, Beginning),
    metrics: &Metrics,
    service: &Service,
    shutdown: impl Future<Output = ()>,
) -> Result<Option<Another>, RunError> {
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

    let files = StateFiles::inside(&config.state_dir);
    let (memory, learned) = Memory::recall(files, envoy.clone()).await;
    let counts_energy = learned.changes.site.counter.is_some();
    let poller = Poller::new(
        reach,
        envoy.clone(),
        journals.clone(),
        config.presentation.names.clone(),
        (memory, learned),
        metrics.clone(),
        service.part("poller"),
    );
    let part = service.part("publisher");
    let presentation = &config.presentation;
    let base = config.broker.topic.clone();
    let topics = Topics::new(base.clone(), envoy.clone(), presentation.prefix.clone());
    let withdrawal = withdrawal(config, envoy);
    let forgotten = Forgotten::new(
        forgotten::File::inside(&config.state_dir, envoy),
        envoy.clone(),
        base,
        topics.clone(),
    );
    let home_assistant = presentation.announces.then(|| {
        let mut announcer = Announcer::new(topics);
        let none = Names::default();
        let names = presentation.names.as_ref().map_or(&none, NamesFile::names);
        announcer.recall(&journals.newest(), counts_energy, names);
        announcer
    });
    let publisher = Publisher::new(
        identity,
        journals,
        home_assistant,
        withdrawal,
        forgotten,
        metrics.clone(),
        part,
    );
    let (sender, polls) = mpsc::channel(poller::CHANNEL);
    let (tell_other, other) = oneshot::channel();
    let mut tasks = Tasks::new();
    let (every, stop) = (config.poll_interval, tasks.stop());
    tasks.spawn("poller", async move {
        // Boxed: it has room for all that one poll may come to.
        Box::pin(poller.run(every, beginning, sender, tell_other, stop)).await;
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
            Ok(another) = other => found = Some(another),
        }
    };
    tasks.run(end, GRACE).await?;
    Ok(found)
}

/// The client id at the broker: always the same, so that a new connection throws out its own
/// half-dead one.
pub(crate) fn client_id(envoy: &Serial) -> String {
    format!("envoy-scraper-{envoy}")
}

//! Which Envoy is read: a real one, or one that is simulated here.

use std::path::Path;
use std::time::Duration;

use daemon::settings::Secret;
use discovery::Browser;
use envoy::{CertificatePolicy, Fingerprint};
use scraper::config::Access;
use simulator::Simulator;
use store::Sqlite;

use crate::config::Source;
use crate::{RunError, past};

/// How often a simulated Envoy is asked: nobody's gateway is loaded by it, and a new reading shows soon. Its meters
/// show something new each time, which is kept.
const SIMULATED_POLL_INTERVAL: Duration = Duration::from_secs(15);

/// The source, with what a simulated Envoy would have shown before in the store.
pub(crate) async fn with_a_past(mut source: Source, store: &Sqlite, directory: &Path) -> Source {
    if let Source::Simulated {
        site, ledger: None, ..
    } = &mut source
        // A faster clock than ours begins in the past; and a ledger is to be compared with what is stored.
        && site.speed == 1
    {
        site.noon = past::noon(directory, site.noon);
        past::fill(store, site).await;
    }
    source
}

/// The Envoy to read, started when it is a simulated one.
pub(crate) async fn envoy(
    source: Source,
) -> Result<(Access, Duration, Option<Simulator>), RunError> {
    let (site, ledger, poll_interval) = match source {
        Source::Real {
            access,
            poll_interval,
        } => return Ok((*access, poll_interval, None)),
        Source::Simulated {
            site,
            ledger,
            poll_interval,
        } => (site, ledger, poll_interval),
    };
    let simulator = Simulator::start(simulator::Options {
        source: simulator::Source::Site(site),
        ledger,
        ..simulator::Options::default()
    })
    .await?;
    let access = Access {
        host: Some(
            simulator
                .url()
                .parse()
                .expect("the simulator's address is one of an Envoy"),
        ),
        serial: None,
        username: None,
        password: None,
        token: Some(Secret::Value(simulator.token().clone())),
        account: None,
        // It makes itself a new one at each start.
        certificate: simulator
            .certificate()
            .map_or(CertificatePolicy::default(), |shown| {
                CertificatePolicy::PinnedTo(Fingerprint::of(&shown))
            }),
        timeout: None,
        browser: Browser::default(),
        clock: envoy::Clock::system(),
    };
    let poll_interval = poll_interval.unwrap_or(SIMULATED_POLL_INTERVAL);
    Ok((access, poll_interval, Some(simulator)))
}

//! Opens a database file, which may have to be brought up to date first: ten years of readings take minutes.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use daemon::service::Service;
use store::{OpenError, Sqlite};
use tokio::task::{JoinError, spawn_blocking};
use tokio_util::sync::CancellationToken;

/// How long the service manager is asked to wait each time that it is told of the work.
const PATIENCE: Duration = Duration::from_mins(2);

/// How often it is told.
const TOLD_EVERY: Duration = Duration::from_secs(20);

/// Opens the file at `path` beside everything else that runs. Meanwhile the service manager knows that the start takes
/// longer. None where `shutdown` completed first; the file is then as it was, or up to date.
///
/// # Errors
/// When the file can't be used.
pub async fn open(
    path: &Path,
    service: &Service,
    shutdown: impl Future<Output = ()>,
) -> Result<Option<Sqlite>, OpenError> {
    let stop = CancellationToken::new();
    let mut opening = spawn_blocking({
        let (path, service, stop) = (path.to_owned(), service.clone(), stop.clone());
        let mut told: Option<Instant> = None;
        move || {
            Sqlite::open_unless_stopped(&path, || {
                if stop.is_cancelled() {
                    return ControlFlow::Break(());
                }
                if told.is_none() {
                    let file = path.display();
                    tracing::info!(%file, "the database is brought up to date: this may take minutes");
                }
                if told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
                    service.starts_within(PATIENCE);
                    told = Some(Instant::now());
                }
                ControlFlow::Continue(())
            })
        }
    });
    let opened = tokio::select! {
        opened = &mut opening => opened.map(|opened| opened.map(Some)),
        () = shutdown => {
            stop.cancel();
            opening.await.map(|_| Ok(None))
        }
    };
    match opened.map_err(JoinError::try_into_panic) {
        Ok(opened) => opened,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // The runtime is ending.
        Err(Err(_)) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of the version before there were sums of hours, with a reading of each of these days.
    async fn old_file(path: &Path, days: i64) {
        use store::{MarkedStore as _, Marks};
        let reading = |day| wire::Reading {
            envoy: "1".parse().expect("a serial"),
            measured: wire::Inverter {
                serial: "2".parse().expect("a serial"),
                reported_at: wire::ReportTime::from_unix_seconds(1_700_000_000 + day * 86_400)
                    .expect("a time"),
                device_type: Some(1),
                power_w: 100,
                peak_power_w: 296,
                detail: None,
            }
            .into(),
            journal: "k3x9m2pq".parse().expect("an id"),
            seq: 1,
        };
        let readings: Vec<_> = (0..days).map(reading).collect();
        let store = Sqlite::open(path).expect("a store");
        let stored = store.store(&readings, &Marks::default()).await;
        assert!(stored.is_ok());
        drop(store);
        let old = rusqlite::Connection::open(path).expect("a file");
        old.execute_batch(
            "DROP TABLE inverter_hour; DROP TABLE site_hour; DROP TABLE inverter_health;
             PRAGMA user_version = 4",
        )
        .expect("an older version");
    }

    fn version(path: &Path) -> i64 {
        let file = rusqlite::Connection::open(path).expect("a file");
        let version = file.query_row("PRAGMA user_version", [], |row| row.get(0));
        version.expect("a version")
    }

    #[tokio::test]
    async fn a_file_of_an_older_version_is_brought_up_to_date() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("readings.db");
        old_file(&path, 3).await;
        let opened = open(&path, &Service::none(), std::future::pending()).await;
        let store = opened.expect("opened").expect("nobody stopped it");
        assert_eq!(store.first_hour().await.ok().flatten(), Some(1_699_999_200));
        assert!(version(&path) > 4);
    }

    #[tokio::test]
    async fn who_is_asked_to_stop_meanwhile_leaves_the_file_as_it_was() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("readings.db");
        old_file(&path, 2_000).await;
        let opened = open(&path, &Service::none(), std::future::ready(())).await;
        assert!(opened.expect("no mistake").is_none());
        assert_eq!(version(&path), 4);
    }
}

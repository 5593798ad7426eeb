//! The inverters that were forgotten, of which nothing is shown as current; what is stored of them stays.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use store::StoredReading;
use tokio::task::spawn_blocking;
use wire::Serial;

/// Where the scraper of this process keeps which are.
#[derive(Debug)]
pub(super) struct Forgotten(PathBuf);

impl Forgotten {
    pub(super) fn inside(state_dir: PathBuf) -> Self {
        Self(state_dir)
    }

    /// Takes them out of the newest readings. Where it can't be read which they are, all stay; the scraper says so.
    pub(super) async fn leave_out_of(&self, latest: &mut Vec<StoredReading>) {
        let envoys: BTreeSet<Serial> = latest.iter().map(|one| one.envoy.clone()).collect();
        let state_dir = self.0.clone();
        let read = spawn_blocking(move || {
            let of = |envoy: Serial| {
                let forgotten = scraper::forget::forgotten(&state_dir, &envoy).ok()?;
                Some((envoy, forgotten))
            };
            envoys.into_iter().filter_map(of).collect()
        });
        let forgotten: BTreeMap<Serial, BTreeSet<Serial>> = read.await.unwrap_or_default();
        latest.retain(|one| {
            let of_envoy = forgotten.get(&one.envoy);
            of_envoy.is_none_or(|those| !those.contains(&one.serial))
        });
    }
}

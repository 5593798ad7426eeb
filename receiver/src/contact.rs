//! The first contact with the store, which a receiver that has nothing to write would never have: at
//! night no inverter reports, and what the broker keeps is stored already.

use std::sync::Arc;
use std::time::Duration;

use daemon::health::Milestone;
use store::MarkedStore;
use tokio::time::sleep;

/// Between two attempts.
const AGAIN: Duration = Duration::from_secs(10);

/// Asks the store until it has answered once, by this or by taking a batch; not at all where nobody
/// waits for that.
pub(crate) async fn first_contact<S: MarkedStore>(store: Arc<S>, reached: Milestone) {
    while reached.is_awaited() {
        if store.answers().await {
            reached.reach();
        } else {
            sleep(AGAIN).await;
        }
    }
}

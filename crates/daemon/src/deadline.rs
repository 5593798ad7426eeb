//! Waiting for a time that may not be set.

use tokio::time::{Instant, sleep_until};

/// Completes at `deadline`; never without one.
pub async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

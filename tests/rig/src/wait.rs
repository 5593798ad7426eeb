//! Waiting for a condition, the only kind of waiting that a test does.

use std::time::{Duration, Instant};

/// Between two looks, and between a test client's attempts to connect, the only sleeps of real time in the tests: short enough not to be felt,
/// long enough that looking does not itself load the machine.
pub(crate) const PAUSE: Duration = Duration::from_millis(50);

/// Looks until there is something to see, and returns it.
///
/// # Panics
///
/// When `deadline` has passed without it, naming `what` was waited for.
pub async fn until<T>(
    what: &str,
    deadline: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            started.elapsed() < deadline,
            "waited {deadline:?} in vain for: {what}"
        );
        tokio::time::sleep(PAUSE).await;
    }
}

/// Looks until the condition holds; otherwise as [`until`].
///
/// # Panics
///
/// When `deadline` has passed before it held.
pub async fn until_true(what: &str, deadline: Duration, mut look: impl AsyncFnMut() -> bool) {
    until(what, deadline, async || look().await.then_some(())).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_ends_with_what_was_found() {
        let mut looks = 0;
        let found = until("the third look", Duration::from_secs(5), async || {
            looks += 1;
            (looks == 3).then_some(looks)
        })
        .await;
        assert_eq!(found, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "in vain for: what never comes")]
    async fn waiting_in_vain_names_what_was_waited_for() {
        until_true("what never comes", Duration::ZERO, async || false).await;
    }
}

//! A broker that is not there. The session's half is `pauses`.

use std::time::Duration;

use rumqttc::ConnectionError;
use tokio::time::Instant;

use super::plain::Plain;
use scripted::broker::Absent;

#[tokio::test(start_paused = true)]
async fn plain_attempts_follow_each_other_without_a_pause() {
    const ATTEMPTS: usize = 200;
    let absent = Absent::bind();
    let mut plain = Plain::new(&absent.url(), 10, |_| {});
    let mut without_pause = 0;
    for _ in 0..ATTEMPTS {
        let since = Instant::now();
        let error = plain.error().await;
        // Time stands still unless somebody waits for it to pass.
        if matches!(error, ConnectionError::Io(_)) && since.elapsed() == Duration::ZERO {
            without_pause += 1;
        }
    }
    // A refusal that the kernel is slow to deliver is the only other thing that lets time pass.
    assert!(
        without_pause > ATTEMPTS / 2,
        "{without_pause} of {ATTEMPTS}"
    );
}

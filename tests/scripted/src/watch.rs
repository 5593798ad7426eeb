//! Looks for secrets in what is logged in the test's own process.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing::level_filters::LevelFilter;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::leaks::Secrets;

/// Takes all that this thread logs, down to the traces of libraries, and fails the test in the end
/// when there is a secret in it. What runs on other threads is not seen, so this is for tests on a
/// runtime of one thread.
#[must_use = "it watches until it is dropped"]
pub struct Watch {
    secrets: Secrets,
    log: Log,
    _guard: DefaultGuard,
}

impl Watch {
    /// Begins.
    pub fn for_secrets(secrets: Secrets) -> Self {
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(log.clone())
            .finish();
        Self {
            secrets,
            log,
            _guard: subscriber.set_default(),
        }
    }
}

impl Drop for Watch {
    /// # Panics
    /// When there was a secret, or when not even what is logged here is seen.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        tracing::trace!("the end of the watch");
        let lines = self.log.lines();
        let last = lines
            .last()
            .is_some_and(|line| line.contains("the end of the watch"));
        assert!(last, "something else takes what this thread logs");
        let leaks = self.secrets.leaks(&lines);
        assert_eq!(leaks.first(), None, "secrets in the log");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().expect("nothing panics with it");
        let text = String::from_utf8_lossy(&bytes);
        text.lines().map(ToOwned::to_owned).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nothing panics with it").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> Watch {
        Watch::for_secrets(Secrets::new().with("password", "hunter2hunter2"))
    }

    #[test]
    fn a_log_without_the_secret_is_passed() {
        let _watch = watch();
        tracing::trace!("hunting");
    }

    #[test]
    #[should_panic(expected = "secrets in the log")]
    fn a_secret_at_trace_fails_the_test() {
        let _watch = watch();
        tracing::trace!(password = "hunter2hunter2", "hunting");
    }

    #[test]
    #[should_panic(expected = "something else takes")]
    fn a_watch_that_sees_nothing_is_no_proof() {
        let watch = watch();
        let _other = tracing_subscriber::fmt().set_default();
        drop(watch);
    }
}

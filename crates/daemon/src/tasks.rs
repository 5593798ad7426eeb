//! The parts of a daemon, run side by side, each with a name and a known way to end.

use std::collections::HashMap;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// Why a daemon ended although nobody asked it to.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// A task returned while the daemon should go on.
    #[error("the task {name} ended unexpectedly")]
    Ended {
        /// The task's name.
        name: &'static str,
        /// Its error, if it gave one.
        #[source]
        source: Option<BoxError>,
    },
    /// A task panicked.
    #[error("the task {name} panicked")]
    Panicked {
        /// The task's name.
        name: &'static str,
        /// What it said.
        #[source]
        source: BoxError,
    },
}

/// Any error of a task.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A daemon's tasks. Each is given a token that is cancelled when it should drain and end.
#[derive(Default)]
pub struct Tasks {
    running: JoinSet<Result<(), BoxError>>,
    /// A panic leaves nothing of its task but the id.
    names: HashMap<Id, &'static str>,
    stop: CancellationToken,
}

impl Tasks {
    /// No tasks yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The token that is cancelled at the end; tasks watch it.
    #[must_use]
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a task.
    pub fn spawn<E: Into<BoxError>>(
        &mut self,
        name: &'static str,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        let running = self
            .running
            .spawn(async move { task.await.map_err(Into::into) });
        self.names.insert(running.id(), name);
    }

    /// Runs until `shutdown` completes or a task ends, then lets the others drain for at most
    /// `grace`; what has not ended by then is dropped with a warning.
    ///
    /// # Errors
    /// When a task ended before `shutdown` completed, or with an error while draining.
    pub async fn run(
        mut self,
        shutdown: impl Future<Output = ()>,
        grace: Duration,
    ) -> Result<(), TaskError> {
        let unexpected = tokio::select! {
            () = shutdown => None,
            Some(ended) = self.running.join_next_with_id() => Some(self.unexpected(ended)),
        };
        self.stop.cancel();
        let drained = tokio::time::timeout(grace, self.drain()).await;
        if let Some(error) = unexpected {
            return Err(error);
        }
        drained.unwrap_or_else(|_| {
            tracing::warn!(?grace, "not everything was finished in time");
            Ok(())
        })
    }

    async fn drain(&mut self) -> Result<(), TaskError> {
        let mut outcome = Ok(());
        while let Some(ended) = self.running.join_next_with_id().await {
            if !matches!(ended, Ok((_, Ok(())))) && outcome.is_ok() {
                outcome = Err(self.unexpected(ended));
            }
        }
        outcome
    }

    fn unexpected(&self, ended: Result<(Id, Result<(), BoxError>), JoinError>) -> TaskError {
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let name = self.names.get(&id).copied().unwrap_or("without a name");
        match ended {
            Ok((_, result)) => TaskError::Ended {
                name,
                source: result.err(),
            },
            Err(error) => TaskError::Panicked {
                name,
                source: what_it_said(error),
            },
        }
    }
}

/// A panic's message, where it is a text, as it nearly always is.
fn what_it_said(error: JoinError) -> BoxError {
    match error.try_into_panic() {
        Ok(panic) => {
            let text = panic.downcast_ref::<&str>().copied();
            let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            text.unwrap_or("without a message").into()
        }
        Err(error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    const GRACE: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn a_task_that_ends_unasked_ends_the_others_and_is_named() {
        let mut tasks = Tasks::new();
        let stop = tasks.stop();
        tasks.spawn("patient", async move {
            stop.cancelled().await;
            Ok::<_, io::Error>(())
        });
        tasks.spawn("hasty", async { Err(io::Error::other("no more")) });
        let error = tasks
            .run(std::future::pending(), GRACE)
            .await
            .expect_err("a task ended");
        assert_eq!(error.to_string(), "the task hasty ended unexpectedly");
        let cause = std::error::Error::source(&error).expect("its error is kept");
        assert_eq!(cause.to_string(), "no more");
    }

    #[tokio::test]
    async fn a_panic_ends_the_process_with_the_name_of_its_task_and_what_it_said() {
        let mut tasks = Tasks::new();
        tasks.spawn("patient", std::future::pending::<Result<(), io::Error>>());
        tasks.spawn("clumsy", async {
            assert!(std::env::args().count() == 0, "fell over {}", 7);
            Ok::<_, io::Error>(())
        });
        let grace = Duration::ZERO;
        let error = tasks.run(std::future::pending(), grace).await;
        let error = error.expect_err("a task panicked");
        let last_line = crate::exit::with_causes(&error);
        assert_eq!(last_line, "the task clumsy panicked: fell over 7");
    }

    #[tokio::test]
    async fn a_shutdown_lets_every_task_finish_its_work() {
        let (done, finished) = tokio::sync::oneshot::channel();
        let mut tasks = Tasks::new();
        let stop = tasks.stop();
        tasks.spawn("worker", async move {
            stop.cancelled().await;
            tokio::task::yield_now().await;
            done.send(()).map_err(|()| io::Error::other("nobody waits"))
        });
        tasks
            .run(std::future::ready(()), GRACE)
            .await
            .expect("a clean end");
        finished.await.expect("the worker drained");
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_does_not_end_holds_the_process_for_the_grace_only() {
        let mut tasks = Tasks::new();
        tasks.spawn("stuck", std::future::pending::<Result<(), io::Error>>());
        let started = tokio::time::Instant::now();
        tasks
            .run(std::future::ready(()), GRACE)
            .await
            .expect("it ends all the same");
        assert_eq!(started.elapsed(), GRACE);
    }
}

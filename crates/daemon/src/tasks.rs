//! The parts of a daemon, run side by side, each with a name and a known way to end.

use std::time::Duration;

use tokio::task::JoinSet;
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
    #[error("a task panicked")]
    Panicked(#[source] tokio::task::JoinError),
}

/// Any error of a task.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A daemon's tasks. Each is given a token that is cancelled when it should drain and end.
#[derive(Default)]
pub struct Tasks {
    running: JoinSet<(&'static str, Result<(), BoxError>)>,
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
        self.running
            .spawn(async move { (name, task.await.map_err(Into::into)) });
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
            Some(ended) = self.running.join_next() => Some(unexpected(ended)),
        };
        self.stop.cancel();
        let drained = tokio::time::timeout(grace, self.drain()).await;
        if let Some(error) = unexpected {
            return Err(error);
        }
        drained.unwrap_or_else(|_| {
            tracing::warn!(
                seconds = grace.as_secs(),
                "not everything was finished in time"
            );
            Ok(())
        })
    }

    async fn drain(&mut self) -> Result<(), TaskError> {
        let mut outcome = Ok(());
        while let Some(ended) = self.running.join_next().await {
            if !matches!(ended, Ok((_, Ok(())))) && outcome.is_ok() {
                outcome = Err(unexpected(ended));
            }
        }
        outcome
    }
}

fn unexpected(
    ended: Result<(&'static str, Result<(), BoxError>), tokio::task::JoinError>,
) -> TaskError {
    match ended {
        Ok((name, result)) => TaskError::Ended {
            name,
            source: result.err(),
        },
        Err(error) => TaskError::Panicked(error),
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

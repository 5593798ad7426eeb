//! When a daemon is asked to stop.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

use crate::service::Service;

/// The exit code when a second signal ends the process at once: what was under way is not finished,
/// so it is a failure.
const AT_ONCE: i32 = 1;

/// Completes at the first SIGTERM or SIGINT; a second one then ends the process at once, with exit
/// code 1.
///
/// # Errors
/// When the operating system refuses to install a handler.
pub fn shutdown(service: &Service) -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let service = service.clone();
    Ok(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!(signal = name, "stopping; a second signal ends at once");
        service.stopping();
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            std::process::exit(AT_ONCE);
        });
    })
}

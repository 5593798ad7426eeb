//! Whether a daemon is well, ready, and how much it has done: for probes and for Prometheus, over HTTP at
//! `LISTEN`.
//!
//! ```text
//!  loops ──beats──► service ──► /healthz   the loops turn
//!  parts ──────► milestones ──► /readyz    each was reached once
//!  parts ─────────► metrics ──► /metrics   in OpenMetrics' text format
//! ```
//!
//! A [`Board`] has what is shown; the daemon registers its own metrics on it. `server` shows it to who
//! asks; [`ask`](ask()) is a client of it, for containers that have no other. Nothing of this runs
//! without `LISTEN`.

mod ask;
mod board;
mod listen;
mod server;

pub use ask::{AskError, ask, command};
pub use board::{Board, Milestone, Moment};
pub use listen::{LISTEN, Listen};
pub use server::{ListenError, Serving};

use crate::service::Service;

/// Serves what `register` puts on the board, until [`Serving`] is dropped; where nobody asked for that,
/// metrics that nobody sees.
///
/// To be called before the parts of `service` are made.
///
/// # Errors
/// When it can't be listened at this address.
pub async fn start<M: Default>(
    listen: Option<&Listen>,
    service: &Service,
    register: impl FnOnce(&mut Board) -> M,
) -> Result<(M, Option<Serving>), ListenError> {
    let Some(listen) = listen else {
        return Ok((M::default(), None));
    };
    service.watch();
    let mut board = Board::new(service.clone());
    let metrics = register(&mut board);
    let serving = server::start(listen, board).await?;
    Ok((metrics, Some(serving)))
}

#[cfg(test)]
mod tests;

//! The task that keeps a connection: makes one, watches over it, and after its end makes the next.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinError;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use crate::backoff::Backoff;
use crate::client::{self, EventLoop, Happening};
use crate::config::Checked;
use crate::connection::Connection;
use crate::limits::OWED_WITHIN;
use crate::link::Link;
use crate::polling::{self, DELIVERIES, Held};
use crate::reason::Reason;
use crate::rivalry::Rivalry;

/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long the broker may take to close the connection after our good-bye.
const CLOSED_WITHIN: Duration = Duration::from_secs(1);

/// How long a connection held that was never made.
const NEVER: Duration = Duration::ZERO;

/// How things stand. Only the newest state is kept, so that a consumer that is busy for hours holds
/// up nothing and finds no pile of old news.
#[derive(Clone)]
pub(crate) enum State {
    /// The first attempt is under way.
    Starting,
    /// There is a connection.
    Up(Arc<Up>),
    /// There is none, and the next attempt will follow.
    Down(Reason),
}

/// A new connection, with its deliveries for whoever takes them.
pub(crate) struct Up {
    pub(crate) link: Arc<Link>,
    pub(crate) deliveries: Mutex<Option<mpsc::Receiver<Held>>>,
}

impl Up {
    pub(crate) fn connection(&self) -> Connection {
        Connection::new(self.link.clone())
    }
}

/// Keeps a connection until `close` says how long the last one may take to settle.
pub(crate) async fn run(
    checked: Checked,
    state: watch::Sender<State>,
    mut close: oneshot::Receiver<Duration>,
) {
    let mut backoff = Backoff::new(checked.0.backoff_cap);
    let mut rivalry = Rivalry::none(checked.0.client_id.clone());
    loop {
        // A new client and event loop for every connection: rumqttc's own reconnect drops what is
        // queued or sends it again, as the broker's session flag has it, and carries wedged state
        // over. Only the owner of a message decides whether it is sent again.
        let (client, mut event_loop) = client::make(&checked);
        let connected = tokio::select! {
            biased;
            _ = &mut close => return,
            connected = event_loop.poll() => connected,
        };
        let (reason, connected_for) = match connected {
            Ok(Happening::Connected { session_present }) => {
                let since = Instant::now();
                tracing::debug!(session_present, "connected");
                let link = Arc::new(Link::new(client, session_present));
                match serve(&link, event_loop, &state, &mut rivalry, &mut close).await {
                    Some(reason) => (reason, since.elapsed()),
                    None => return,
                }
            }
            Ok(_) => {
                rivalry.not_connected();
                (client::no_connack(&checked), NEVER)
            }
            Err(error) => {
                rivalry.not_connected();
                (client::connecting_failed(error, &checked), NEVER)
            }
        };
        tracing::debug!(%reason, ?connected_for, "no connection");
        let pause = match reason {
            Reason::ThrownOut { .. } => backoff.longest(),
            _ => backoff.after(connected_for),
        };
        state.send_replace(State::Down(reason));
        tokio::select! {
            biased;
            _ = &mut close => return,
            () = sleep(pause) => {}
        }
    }
}

/// One connection, from its CONNACK to its end. Returns why it ended; nothing when we ended it.
async fn serve(
    link: &Arc<Link>,
    event_loop: EventLoop,
    state: &watch::Sender<State>,
    rivalry: &mut Rivalry,
    close: &mut oneshot::Receiver<Duration>,
) -> Option<Reason> {
    // Even when this task is aborted, everything under way on this connection is answered.
    let _end = EndOnDrop(link);
    let since = Instant::now();
    let (sender, deliveries) = mpsc::channel(DELIVERIES);
    let polling = tokio::spawn(polling::run(event_loop, link.clone(), sender));
    let mut polling = AbortOnDropHandle::new(polling);
    state.send_replace(State::Up(Arc::new(Up {
        link: link.clone(),
        deliveries: Mutex::new(Some(deliveries)),
    })));

    let reason = tokio::select! {
        biased;
        ended = &mut polling => Some(why(ended)),
        () = stalled(link) => {
            stop(polling).await;
            Some(Reason::Stalled)
        }
        grace = &mut *close => {
            // Without a grace the session was dropped, not closed.
            say_goodbye(link, polling, grace.unwrap_or_default()).await;
            None
        }
    };
    let reason = reason.map(|reason| rivalry.ended(reason, since.elapsed()));
    link.end(reason.clone());
    reason
}

/// Waits for what is under way, up to `grace`, and disconnects.
async fn say_goodbye(link: &Link, mut polling: AbortOnDropHandle<Reason>, grace: Duration) {
    link.stop();
    // The end of the connection settles nothing more.
    let settled = tokio::select! {
        settled = timeout(grace, link.settled()) => settled.is_ok(),
        _ = &mut polling => return tracing::debug!("the connection ended before the good-bye"),
    };
    if !settled {
        tracing::debug!(
            ?grace,
            "closing with messages that the broker has not acknowledged"
        );
    }
    link.disconnect();
    // The broker closes when it has read the good-bye; until then we read on, because a socket
    // closed with unread bytes takes back what it has not sent.
    if timeout(CLOSED_WITHIN, &mut polling).await.is_err() {
        stop(polling).await;
    }
}

/// Completes when the broker has been owing an answer for too long.
async fn stalled(link: &Link) {
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while link.owed_for() < OWED_WITHIN {
        look.tick().await;
    }
}

/// Why polling ended.
fn why(ended: Result<Reason, JoinError>) -> Reason {
    ended.unwrap_or_else(|error| {
        tracing::error!(%error, "the MQTT client failed; a new one is made");
        Reason::protocol("the MQTT client failed on what it sent")
    })
}

async fn stop(polling: AbortOnDropHandle<Reason>) {
    polling.abort();
    // Only that it has ended matters.
    let _ = polling.await;
}

struct EndOnDrop<'a>(&'a Link);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.end(None);
    }
}

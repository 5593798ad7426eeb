//! A session: what is started, what it reports, and how it is closed.

use std::fmt;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::task::AbortOnDropHandle;

use crate::config::{Checked, Config, ConfigError};
use crate::connection::Connection;
use crate::delivery::Delivery;
use crate::polling::Held;
use crate::reason::Reason;
use crate::supervisor::{self, State, Up};

/// Starts a session. It connects, and connects again, by itself until it is closed.
///
/// # Panics
/// Outside of a tokio runtime.
pub fn start(config: Config) -> Result<(Session, Events), ConfigError> {
    let checked = Checked::new(config)?;
    let (close, closing) = oneshot::channel();
    let (state, states) = watch::channel(State::Starting);
    let supervisor = tokio::spawn(supervisor::run(checked, state, closing));
    let session = Session {
        close,
        supervisor: AbortOnDropHandle::new(supervisor),
    };
    Ok((
        session,
        Events {
            states,
            current: None,
            told: None,
        },
    ))
}

/// A running session. When it is dropped, its connection breaks off without a good-bye, so the broker
/// publishes the last will.
#[derive(Debug)]
#[must_use = "a session ends when it is dropped"]
pub struct Session {
    close: oneshot::Sender<Duration>,
    supervisor: AbortOnDropHandle<()>,
}

impl Session {
    /// Takes no more messages, waits up to `grace` for what the broker has yet to acknowledge, and
    /// disconnects, so that the broker does not publish the last will. All tasks of the session have
    /// ended when this returns, at the latest a good second after `grace`.
    pub async fn close(self, grace: Duration) {
        // Not taken means that the supervisor has ended already.
        let _ = self.close.send(grace);
        if let Err(error) = self.supervisor.await {
            tracing::error!(%error, "the MQTT session did not end as it should");
        }
    }
}

/// What a session reports.
#[derive(Debug)]
pub enum Event {
    /// There is a connection. Subscriptions have to be made anew on each.
    Connected(Connection),
    /// A message came on this connection.
    Received(Delivery),
    /// There is no connection, or there is none for another reason than before. The session goes on
    /// trying.
    Disconnected(Reason),
}

/// What a session reports, in order: for each connection `Connected`, what it received, and
/// `Disconnected`.
///
/// What a connection had received, and nobody had taken by its end, is dropped: it can't be
/// acknowledged any more, and a broker with a persistent session delivers it again. A consumer that
/// is away for long sees only the newest of the connections that were made meanwhile.
pub struct Events {
    states: watch::Receiver<State>,
    current: Option<Current>,
    /// The last reason reported.
    told: Option<Reason>,
}

struct Current {
    up: std::sync::Arc<Up>,
    deliveries: mpsc::Receiver<Held>,
}

impl Events {
    /// The next event; `None` when the session was closed (or its supervisor failed). Cancelling
    /// loses nothing.
    pub async fn next(&mut self) -> Option<Event> {
        self.event(true).await
    }

    /// The next event that is no message, as [`next`](Self::next). Messages wait, and soon the broker is read no
    /// further: for a consumer that has as much as it can hold.
    pub async fn next_but_messages(&mut self) -> Option<Event> {
        self.event(false).await
    }

    /// A message that has come already, where no other event stands before it: so that what comes together can
    /// be taken together.
    pub fn another(&mut self) -> Option<Delivery> {
        let current = self.current.as_mut()?;
        if current.up.link.has_ended() {
            return None;
        }
        current.deliveries.try_recv().ok().map(Held::take)
    }

    async fn event(&mut self, with_messages: bool) -> Option<Event> {
        loop {
            if let Some(current) = &mut self.current {
                let link = &current.up.link;
                if with_messages
                    && !link.has_ended()
                    && let Some(held) = current.deliveries.recv().await
                {
                    return Some(Event::Received(held.take()));
                }
                let reason = link.ended().await;
                self.current = None;
                if let Some(event) = self.tell(reason) {
                    return Some(event);
                }
            }
            if let Some(event) = self.news() {
                return Some(event);
            }
            self.states.changed().await.ok()?;
        }
    }

    /// What the newest state has that was not reported yet.
    fn news(&mut self) -> Option<Event> {
        let state = self.states.borrow_and_update().clone();
        match state {
            State::Starting => None,
            State::Down(reason) => self.tell(Some(reason)),
            State::Up(up) => {
                let deliveries = up
                    .deliveries
                    .lock()
                    .expect("nothing panics while it holds this lock: it is held to take the receiver only")
                    .take()?;
                let connection = up.connection();
                self.current = Some(Current { up, deliveries });
                self.told = None;
                Some(Event::Connected(connection))
            }
        }
    }

    fn tell(&mut self, reason: Option<Reason>) -> Option<Event> {
        let reason = reason.filter(|reason| self.told.as_ref() != Some(reason))?;
        self.told = Some(reason.clone());
        Some(Event::Disconnected(reason))
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("connected", &self.current.is_some())
            .field("told", &self.told)
            .finish_non_exhaustive()
    }
}

//! What the subscription has to say: once when it begins and once when it ends, whatever its length.

use daemon::broker::explain;
use daemon::outage::Outage;
use mqtt::{Reason, SubscribeError};
use tokio::time::Instant;
use wire::ReceiverName;

/// What was said already.
#[derive(Debug)]
pub(crate) struct Complaints {
    receiver: ReceiverName,
    broker: Outage,
    link: Link,
    /// The broker had lost our session when one of the connections was made in an outage that is not over yet.
    lost_session: bool,
    /// Since when the broker does not let us subscribe, and that was said.
    deaf: Option<Instant>,
    /// How the inverters do can't be heard, and that was said.
    unheard: bool,
    /// Since when the broker does not let us publish, and that was said.
    silenced: Option<Instant>,
}

/// The connection to the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    /// There was none yet.
    New,
    Up,
    Down,
}

impl Complaints {
    pub(crate) fn new(receiver: ReceiverName) -> Self {
        Self {
            receiver,
            broker: Outage::new("no connection to the broker"),
            link: Link::New,
            lost_session: false,
            deaf: None,
            unheard: false,
            silenced: None,
        }
    }

    pub(crate) fn disconnected(&mut self, reason: &Reason) {
        if self.link == Link::Up {
            self.link = Link::Down;
        }
        let needs_a_person = reason.needs_a_person();
        self.broker.failed(&explain(reason), needs_a_person);
    }

    /// There is a connection; `session_present` says whether the broker has kept what came meanwhile.
    /// Told again and again.
    pub(crate) fn connected(&mut self, session_present: bool) {
        let receiver = &self.receiver;
        let link = std::mem::replace(&mut self.link, Link::Up);
        if link == Link::Down {
            self.lost_session |= !session_present;
        }
        if let Some(ended) = self.broker.over() {
            let outage_s = ended.seconds();
            if std::mem::take(&mut self.lost_session) {
                tracing::warn!(
                    outage_s,
                    "connected to the broker again, which has lost our session: what it kept for us \
                     is gone, but for the newest reading of each inverter"
                );
            } else {
                tracing::info!(outage_s, session_present, "connected to the broker again");
            }
        } else if link == Link::New {
            tracing::info!(%receiver, session_present, "connected to the broker");
        }
    }

    pub(crate) fn subscribed(&mut self, outcome: Result<(), SubscribeError>) {
        match outcome {
            Ok(()) => {
                if let Some(since) = self.deaf.take() {
                    let outage_s = since.elapsed().as_secs();
                    tracing::info!(outage_s, "subscribed to the readings again");
                }
            }
            // The end of a connection is said as such.
            Err(SubscribeError::Gone(_)) => {}
            Err(error) => {
                if self.deaf.is_none() {
                    tracing::error!(%error, "can't subscribe to the readings");
                    self.deaf = Some(Instant::now());
                }
            }
        }
    }

    /// The answer to the subscription to how the inverters do, without which readings are stored all the same.
    pub(crate) fn subscribed_to_health(&mut self, outcome: &Result<(), SubscribeError>) {
        match outcome {
            Ok(()) => self.unheard = false,
            Err(SubscribeError::Gone(_)) => {}
            Err(error) if !self.unheard => {
                tracing::warn!(%error, "how the inverters do can't be heard and is not stored; readings are");
                self.unheard = true;
            }
            Err(_) => {}
        }
    }

    /// Our own status did not come back on this connection.
    pub(crate) fn not_allowed(&mut self) {
        if self.silenced.is_some() {
            return;
        }
        self.silenced = Some(Instant::now());
        tracing::error!(
            receiver = %self.receiver,
            "not allowed to publish: our own status did not come back. Give this account read and \
             write access to the topics of this receiver (mosquitto/account receiver NAME --keep-password does)"
        );
    }

    /// Our own status came back.
    pub(crate) fn allowed(&mut self) {
        if let Some(since) = self.silenced.take() {
            let outage_s = since.elapsed().as_secs();
            tracing::info!(outage_s, "the broker lets us publish now");
        }
    }
}

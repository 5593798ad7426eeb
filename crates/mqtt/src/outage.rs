//! What the log says about an outage: a line when it begins, one when it ends.

use tokio::time::Instant;

use crate::broker::BrokerUrl;
use crate::reason::Reason;

/// The outage under way, if there is one.
#[derive(Debug)]
pub(crate) struct Outage {
    broker: BrokerUrl,
    since: Option<Instant>,
    /// The last reason that was logged as needing a person.
    asked_for: Option<Reason>,
}

impl Outage {
    pub(crate) fn none(broker: BrokerUrl) -> Self {
        Self {
            broker,
            since: None,
            asked_for: None,
        }
    }

    /// There is no connection. Logged when that is new, or when it turns out that somebody has to
    /// change something.
    pub(crate) fn goes_on(&mut self, reason: &Reason) {
        let broker = &self.broker;
        let begins = self.since.is_none();
        self.since.get_or_insert_with(Instant::now);
        if reason.needs_a_person() {
            if self.asked_for.as_ref() != Some(reason) {
                tracing::error!(%broker, %reason, "no connection to the broker");
                self.asked_for = Some(reason.clone());
            }
        } else if begins {
            tracing::warn!(%broker, %reason, "no connection to the broker");
        } else {
            tracing::debug!(%broker, %reason, "still no connection to the broker");
        }
    }

    /// There is a connection.
    pub(crate) fn ends(&mut self, session_present: bool) {
        let broker = &self.broker;
        match self.since.take() {
            None => tracing::info!(%broker, session_present, "connected to the broker"),
            Some(since) => {
                let outage_s = since.elapsed().as_secs();
                tracing::info!(%broker, session_present, outage_s, "connected to the broker again");
            }
        }
        self.asked_for = None;
    }
}

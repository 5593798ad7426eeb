//! What the programs that publish have in common: a session with a broker that takes anybody.

use std::time::Duration;

use anyhow::bail;
use mqtt::{Connection, Event, Events};

/// How long an attempt to connect may take, and how long the broker's last acknowledgements may.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// The settings of a clean session with `broker`.
pub fn settings(broker: &str, client_id: &str) -> anyhow::Result<mqtt::Config> {
    Ok(mqtt::Config {
        broker: broker.parse()?,
        client_id: client_id.to_owned(),
        credentials: None,
        tls: None,
        clean_session: true,
        keep_alive: Duration::from_secs(30),
        last_will: None,
        backoff_cap: Duration::from_secs(1),
    })
}

/// The first connection.
pub async fn connected(events: &mut Events) -> anyhow::Result<Connection> {
    match tokio::time::timeout(DEADLINE, events.next()).await? {
        Some(Event::Connected(connection)) => Ok(connection),
        Some(Event::Disconnected(reason)) => bail!("no connection: {reason}"),
        Some(Event::Received(_)) | None => bail!("the session began with no connection"),
    }
}

//! The retained topics of the gateway, of its inverters' health, and of the scraper itself: after each change, and
//! again where somebody may have lost them.

use std::time::Duration;

use mqtt::Gone;
use tokio::time::Instant;

use super::{Publisher, send};
use crate::presence::Said;

/// How long the first poll may take before the scraper says without it that it is there.
pub(super) const FIRST_POLL: Duration = Duration::from_secs(30);

impl Publisher {
    /// Publishes what is due of them. Not before it is sent is it not due any more.
    pub(super) async fn send_gateway(&mut self) -> Result<(), Gone> {
        let Some(connection) = self.connection.as_ref() else {
            return Ok(());
        };
        if !self.delivery.shows_newest() {
            return Ok(());
        }
        while connection.has_room()
            && let Some(said) = self.presence.next(Instant::now())
        {
            let message = match &said {
                Said::Health(health) => self.identity.health(health),
                Said::Gateway(gateway) => self.identity.gateway(gateway),
                Said::Status(status) => self.identity.status(*status),
            };
            send(connection, message).await?;
            self.presence.sent(&said);
            if let (Said::Gateway(gateway), Some(home_assistant)) =
                (&said, &mut self.home_assistant)
            {
                home_assistant.gateway(gateway);
            }
        }
        Ok(())
    }
}

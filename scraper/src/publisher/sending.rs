//! What is sent, and in which order: readings, then what is to be said of them.

use mqtt::{Connection, Gone, Message};
use wire::{Announcement, JournalSpan};

use super::{Publisher, WINDOW};
use crate::link::Link;
use crate::receipts::Sent;

impl Publisher {
    /// Sends what waits: readings first, then what is to be said of them.
    pub(super) async fn send(&mut self) -> Result<(), Gone> {
        let Some(link) = &self.link else {
            return Ok(());
        };
        let connection = link.connection.clone();
        if link.is_ready() {
            self.send_readings(&connection).await?;
        }
        // With readings still on their way the announcement would call them waiting.
        let may_announce = self.link.as_ref().is_some_and(Link::may_announce);
        if self.unannounced && may_announce && self.on_their_way.is_empty() {
            self.announce(&connection).await?;
            self.unannounced = false;
        }
        if self.gateway_changed
            && let Some(gateway) = &self.gateway
        {
            send(&connection, self.identity.gateway(gateway)).await?;
            self.gateway_changed = false;
        }
        Ok(())
    }

    async fn send_readings(&mut self, connection: &Connection) -> Result<(), Gone> {
        while self.on_their_way.len() < WINDOW {
            let Some(outgoing) = self.outbox.next_unsent() else {
                break;
            };
            let message = self.identity.reading(&outgoing);
            let receipt = connection.publish(message).await?;
            // Only now: a stop may come while we wait for room, and the farewell begins with what
            // is unsent.
            self.outbox.sent(&outgoing);
            // What proves that it has arrived.
            self.unannounced = true;
            self.on_their_way
                .push(Sent::Reading(outgoing.reading.seq), receipt);
        }
        Ok(())
    }

    pub(super) async fn announce(&mut self, connection: &Connection) -> Result<(), Gone> {
        let message = self.identity.announcement(&self.announcement());
        let receipt = connection.publish(message).await?;
        self.outbox.announced();
        if let Some(link) = &mut self.link {
            link.announced();
        }
        self.on_their_way.push(Sent::Announcement, receipt);
        Ok(())
    }

    /// What can still be had from this scraper: what waits for the broker.
    fn announcement(&self) -> Announcement {
        let first = self.outbox.first_waiting().unwrap_or(self.last + 1);
        let span = JournalSpan::new(self.journal.clone(), first, self.last)
            .expect("numbers of one process begin at 1 and stay far below the limit");
        Announcement {
            instance: self.identity.instance.clone(),
            journals: vec![span],
            waiting: self.outbox.waiting() as u64,
        }
    }
}

/// Publishes what has no receipt to wait for: the next one says it again.
pub(super) async fn send(connection: &Connection, message: Message) -> Result<(), Gone> {
    connection.publish(message).await.map(drop)
}

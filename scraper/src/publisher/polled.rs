//! What a poll brings: readings for the delivery, and what is shown beside them.

use tokio::time::Instant;
use wire::Subject;

use super::Publisher;
use crate::poller::{Poll, Polled};

impl Publisher {
    /// Takes in what a poll brought.
    pub(super) fn take(&mut self, poll: Poll) {
        self.look_for_forgotten();
        let polled = match poll {
            Poll::Failed(mut gateway) => {
                self.forgotten.leave_out_of_lists(&mut gateway);
                return self.presence.gateway_is(*gateway);
            }
            Poll::Answered(polled) => *polled,
        };
        let Polled {
            readings,
            mut gateway,
            mut health,
            unread,
            behind,
            now,
            set_back: seen,
        } = polled;
        self.forgotten.reported(&readings);
        self.count_no_forgotten();
        self.forgotten.leave_out_of(&mut health);
        self.forgotten.leave_out_of_lists(&mut gateway);
        let is_forgotten = |subject: &Subject| self.forgotten.has(subject);
        self.measuring
            .polled(&unread, &behind, is_forgotten, Instant::now());
        self.metrics.health(&health);
        let set_back = now.map_or(0, |now| self.delivery.gateways_time(now));
        self.complaints.set_back(set_back, seen);
        if let Some(home_assistant) = &mut self.home_assistant {
            let shown = readings
                .iter()
                .filter(|reading| !self.forgotten.has(&reading.subject()));
            for reading in shown {
                home_assistant.reading(&reading.measured);
            }
            home_assistant.health(&health);
        }
        self.delivery.take(readings, Instant::now());
        self.show_no_forgotten();
        self.presence.answered(gateway, health, now);
    }
}

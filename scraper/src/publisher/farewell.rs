//! The end: what came is sent, and what was sent is waited for, but not for long.

use std::time::Duration;

use daemon::deadline::at;
use mqtt::{Events, Session};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use wire::Status;

use super::{Publisher, room};
use crate::poller::Poll;

/// How long each step of a stop may take: a poll under way, the readings on their way, and the end
/// of the session, which takes up to a second more. All of them fit into the grace that the scraper
/// gives its parts.
const FAREWELL: Duration = Duration::from_secs(1);

impl Publisher {
    /// Takes the last poll, sends what is left and says good-bye.
    pub(super) async fn farewell(
        &mut self,
        session: Session,
        events: &mut Events,
        mut polls: mpsc::Receiver<Poll>,
    ) {
        // The poller ends, too, and its last poll comes before the end of the channel.
        let _ = timeout(FAREWELL, async {
            while let Some(poll) = polls.recv().await {
                self.take(poll);
            }
        })
        .await;
        // A poll that takes longer is given up, and what it still sent is not.
        polls.close();
        while let Ok(poll) = polls.try_recv() {
            self.take(poll);
        }
        let _ = timeout(FAREWELL, self.flush(events)).await;
        if let Some(connection) = &self.connection {
            // With the connection gone the broker says good-bye for us. There is room for it at once:
            // few messages are on their way.
            let offline = self.identity.status(Status::Offline);
            let _ = timeout(FAREWELL, connection.publish(offline)).await;
        }
        session.close(FAREWELL).await;
        let unproven = self.delivery.unproven();
        if unproven > 0 {
            self.complaints
                .stopped_with(unproven, self.journals.is_on_disk());
        }
        self.note_delivered();
        self.journals.close();
    }

    /// Sends what is left, until all of it is proven to have arrived. With the connection gone there is
    /// nothing to do.
    async fn flush(&mut self, events: &mut Events) {
        while self.connection.is_some() && !self.delivery.is_finished() {
            // `Gone` comes as an event.
            let _ = self.send().await;
            let full = self.full();
            let due = self.delivery.due().filter(|_| full.is_none());
            tokio::select! {
                event = events.next() => match event {
                    None => return,
                    Some(event) => self.handle(event).await,
                },
                () = room(full) => {}
                Some((ticket, Ok(()))) = self.on_their_way.next() => {
                    self.acknowledged(&ticket);
                }
                () = at(due) => {
                    let news = self.delivery.at(Instant::now());
                    self.tell(news);
                }
            }
        }
    }
}

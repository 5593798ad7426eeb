//! How it goes, for the user and for the next start.

use super::Publisher;
use crate::delivery::News;

impl Publisher {
    /// Counts what has left the journal before the broker had it.
    pub(super) fn note_given_up(&mut self) {
        let readings = self.delivery.given_up();
        self.metrics.given_up.inc_by(readings);
        self.complaints.given_up(readings, self.delivery.waiting());
    }

    /// Tells the user, and does what is to be done then.
    pub(super) fn tell(&mut self, news: News) {
        match news {
            News::Allowed => self.complaints.allowed(self.delivery.waiting()),
            News::AllowedAfterAll => {
                self.complaints.allowed(self.delivery.waiting());
                // These were dropped, too.
                self.say_all_again();
            }
            News::NotAllowed => self.complaints.not_allowed(),
            News::Arrived => self.note_delivered(),
            News::AnotherScraper(instance) => self.complaints.another_scraper(&instance),
            News::TooManyTopics => self.complaints.too_many_topics(),
            News::JournalRenewed { from, to } => self.complaints.journal_renewed(&from, &to),
            News::AskedAgain(readings) => {
                self.metrics.asked_for.inc_by(readings);
                self.complaints.asked_again(readings);
            }
            News::Nothing => {}
        }
    }

    /// Has the journal remember what need not be sent again after the next start.
    pub(super) fn note_delivered(&self) {
        if let Some((journal, below)) = self.delivery.delivered_below() {
            self.journals.note_delivered(&journal, below);
        }
    }
}

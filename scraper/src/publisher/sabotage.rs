//! Plain topics that are not put back, to see that this is noticed.

use daemon::sabotage::{Sabotage, is};
use tokio::time::Instant;

use super::{Publisher, link};

impl Publisher {
    /// Takes it that the broker holds what it should.
    pub(super) fn believe_that_all_is_shown(&mut self) {
        if !is(Sabotage::NoRepublish) {
            return;
        }
        for reading in self.journals.newest() {
            let topic = reading.topic().render(&self.identity.base);
            let payload = reading.encode();
            let shown = link::Message {
                topic: &topic,
                payload: payload.as_bytes(),
                retain: true,
            };
            self.delivery.hear(shown, Instant::now());
        }
    }
}

//! The inverters and batteries that are forgotten: nothing is shown of them, and what is retained is cleared.

use mqtt::Gone;

use super::{Publisher, send};

impl Publisher {
    /// Takes what was forgotten since the last look out of all that is shown.
    pub(super) fn look_for_forgotten(&mut self) {
        for subject in self.forgotten.look() {
            if let Some(home_assistant) = &mut self.home_assistant {
                home_assistant.forget(&subject);
            }
            if let Some(serial) = subject.inverter() {
                self.metrics.forget(&self.identity.envoy, serial);
            }
        }
        self.show_no_forgotten();
    }

    /// Their readings are not put back.
    pub(super) fn show_no_forgotten(&mut self) {
        for subject in self.forgotten.subjects() {
            self.delivery.forget(subject);
        }
    }

    /// The poller has counted them.
    pub(super) fn count_no_forgotten(&self) {
        for subject in self.forgotten.subjects() {
            if let Some(serial) = subject.inverter() {
                self.metrics.forget(&self.identity.envoy, serial);
            }
        }
    }

    /// Clears what the broker retains of them.
    pub(super) async fn clear_forgotten(&mut self) -> Result<(), Gone> {
        let Some(connection) = &self.connection else {
            return Ok(());
        };
        while connection.has_room()
            && let Some(message) = self.forgotten.next_message()
        {
            send(connection, message).await?;
        }
        Ok(())
    }
}

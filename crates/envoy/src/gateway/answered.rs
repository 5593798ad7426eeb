//! Which endpoints beside the inverters have answered, to be kept over a restart.

use std::collections::BTreeSet;

use super::Gateway;

/// What has answered on one firmware. What is not there is asked for each few hours only; what has answered once, again
/// within minutes, and the client of a new process would not know which of the two it is that does not answer now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The firmware, as the Envoy says it.
    pub firmware: String,
    /// The paths that have answered on it.
    pub endpoints: BTreeSet<String>,
}

impl Gateway {
    /// What has answered on the firmware that was there last; none before the first poll.
    #[must_use]
    pub fn answered(&self) -> Option<Answered> {
        let Some(firmware) = &self.polling.firmware else {
            return self.recalled.clone();
        };
        let endpoints = self.polling.schedule.has_answered();
        Some(Answered {
            firmware: firmware.to_string(),
            endpoints: endpoints.map(str::to_owned).collect(),
        })
    }

    /// These have answered before. Of another firmware than the one that is found it says nothing.
    pub fn recall(&mut self, answered: Answered) {
        self.recalled = Some(answered);
    }
}

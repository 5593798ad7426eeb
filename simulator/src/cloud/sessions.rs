//! Sessions of one of the cloud's two services.

use std::collections::VecDeque;
use std::fmt;

/// As many as a client that logs in each time needs; the oldest gives way.
const SESSIONS: usize = 100;

/// The ids that were given out.
#[derive(Default)]
pub(super) struct Sessions(VecDeque<String>);

impl Sessions {
    /// Begins a session and returns its id, 32 hexadecimal digits.
    pub(super) fn begin(&mut self) -> String {
        let id = format!("{:032x}", rand::random::<u128>());
        if self.0.len() == SESSIONS {
            self.0.pop_front();
        }
        self.0.push_back(id.clone());
        id
    }

    pub(super) fn has(&self, id: Option<&str>) -> bool {
        id.is_some_and(|id| self.0.iter().any(|given| given == id))
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sessions", self.0.len())
    }
}

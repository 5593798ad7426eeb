//! Tells a client with the same id from a broker that restarts.
//!
//! A broker that lets a client in throws out the one that it had under the same id (MQTT 3.1.1,
//! 3.1.4), and says nothing about it (or a good-bye that only MQTT 5 knows): the connection is closed, as by a broker that
//! ends. But the
//! broker is still there, so the next attempt succeeds, and is what throws out the other client,
//! which soon comes back. So what shows it is connections that are made at the first attempt, and
//! closed by the broker before they were sound, several in a row.

use std::time::Duration;

use crate::limits::{SOUND_AFTER, THROWN_OUT_AFTER};
use crate::reason::Reason;

/// Counts the connections in a row that were closed too soon.
#[derive(Debug)]
pub(crate) struct Rivalry {
    client_id: String,
    closed_soon: u32,
}

impl Rivalry {
    pub(crate) fn none(client_id: String) -> Self {
        Self {
            client_id,
            closed_soon: 0,
        }
    }

    /// An attempt came to nothing: the broker was away, so it is the broker that restarts.
    pub(crate) fn not_connected(&mut self) {
        self.closed_soon = 0;
    }

    /// A connection ended for `reason` after it had held for `connected`. Returns what is to be said
    /// about it.
    pub(crate) fn ended(&mut self, reason: Reason, connected: Duration) -> Reason {
        let closed = matches!(
            reason,
            Reason::Closed | Reason::Dismissed | Reason::Lost { .. }
        );
        if !closed || connected >= SOUND_AFTER {
            self.closed_soon = 0;
            return reason;
        }
        self.closed_soon = self.closed_soon.saturating_add(1);
        if self.closed_soon < THROWN_OUT_AFTER {
            return reason;
        }
        Reason::ThrownOut {
            client_id: self.client_id.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(59);

    fn rivalry() -> Rivalry {
        Rivalry::none("us".into())
    }

    fn thrown_out() -> Reason {
        Reason::ThrownOut {
            client_id: "us".into(),
        }
    }

    #[test]
    fn the_third_connection_in_a_row_that_is_closed_soon_names_the_rival() {
        let mut rivalry = rivalry();
        let reset = Reason::Lost {
            detail: "connection reset".into(),
        };
        assert_eq!(rivalry.ended(Reason::Closed, SOON), Reason::Closed);
        assert_eq!(rivalry.ended(reset.clone(), SOON), reset);
        assert_eq!(rivalry.ended(Reason::Closed, SOON), thrown_out());
        assert_eq!(rivalry.ended(reset, SOON), thrown_out());
    }

    #[test]
    fn a_broker_that_is_away_in_between_restarts() {
        let mut rivalry = rivalry();
        for _ in 0..5 {
            assert_eq!(rivalry.ended(Reason::Closed, SOON), Reason::Closed);
            assert_eq!(rivalry.ended(Reason::Closed, SOON), Reason::Closed);
            rivalry.not_connected();
        }
    }

    #[test]
    fn a_sound_connection_or_another_reason_begins_the_count_anew() {
        let mut rivalry = rivalry();
        for (reason, held) in [(Reason::Closed, SOUND_AFTER), (Reason::Silent, SOON)] {
            for _ in 0..2 {
                assert_eq!(rivalry.ended(Reason::Closed, SOON), Reason::Closed);
            }
            assert_eq!(rivalry.ended(reason.clone(), held), reason);
        }
        assert_eq!(rivalry.ended(Reason::Closed, SOON), Reason::Closed);
    }
}

//! Another Envoy at the address of the one that is read, and how a poller goes on with it.

use std::time::Duration;

use envoy::Error;
use tokio::time::{Instant, Interval, interval, interval_at};
use wire::Serial;

use crate::reach::{Reach, Unreached};

/// Polls in a row that meet the same other Envoy, before it is taken to be in the place of the one before: routers
/// give an address to another device for a moment, too.
const STAYS_AFTER: u32 = 3;

/// Another Envoy than the one whose readings are published.
pub(crate) struct Another {
    /// Its serial.
    pub(crate) serial: Serial,
    /// The way to it and what it answered, where it was asked for all of that.
    pub(crate) answered: Option<(Reach, Box<envoy::Poll>)>,
}

impl Another {
    /// One that was read.
    pub(crate) fn that_answered(serial: Serial, reach: Reach, answer: envoy::Poll) -> Self {
        let answered = Some((reach, Box::new(answer)));
        Self { serial, answered }
    }

    /// One that only said who it is.
    pub(crate) fn that_stays(serial: Serial) -> Self {
        Self {
            serial,
            answered: None,
        }
    }
}

/// With what a poller begins, so that no Envoy is asked twice within an interval when one poller follows another.
pub(crate) enum Beginning {
    /// With a poll at once.
    AtOnce,
    /// With a poll after an interval: the Envoy has just been asked.
    Later,
    /// With what the Envoy has just answered.
    With(Box<envoy::Poll>),
}

impl Beginning {
    /// When to poll, and the first answer, if it is there.
    pub(crate) fn begin(self, every: Duration) -> (Interval, Option<Box<envoy::Poll>>) {
        match self {
            Self::AtOnce => (interval(every), None),
            Self::Later => (interval_at(Instant::now() + every, every), None),
            Self::With(answer) => (interval(every), Some(answer)),
        }
    }
}

/// Who answers in the place of the Envoy, and in how many polls in a row.
#[derive(Debug, Default)]
pub(crate) struct Stranger(Option<(Serial, u32)>);

impl Stranger {
    /// Takes in why a poll failed. The serial of the one that has stayed for long enough, where any Envoy at the
    /// address will do (`takes_any`).
    pub(crate) fn stays(&mut self, error: &Unreached, takes_any: bool) -> Option<Serial> {
        let found: Option<Serial> = match error {
            Unreached::Envoy(Error::WrongSerial { found, .. }) if takes_any => found.parse().ok(),
            _ => None,
        };
        let before = self.0.take();
        let found = found?;
        let polls = match before {
            Some((before, polls)) if before == found => polls + 1,
            _ => 1,
        };
        self.0 = Some((found.clone(), polls));
        (polls >= STAYS_AFTER).then_some(found)
    }

    /// Whether the last poll met one that is going to be read if it stays.
    pub(crate) fn is_there(&self) -> bool {
        self.0.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(serial: &str) -> Unreached {
        let error = Error::WrongSerial {
            address: "http://192.168.1.20".to_owned(),
            expected: "122000000001".to_owned(),
            found: serial.to_owned(),
            is_configured: false,
        };
        error.into()
    }

    #[test]
    fn who_is_met_three_times_in_a_row_stays() {
        let mut stranger = Stranger::default();
        let (second, third) = (met("122000000002"), met("122000000003"));
        for error in [&second, &second, &third, &third] {
            assert_eq!(stranger.stays(error, true), None);
            assert!(stranger.is_there());
        }
        let stays = stranger.stays(&third, true);
        assert_eq!(stays.as_ref().map(AsRef::as_ref), Some("122000000003"));
    }

    #[test]
    fn nobody_stays_where_only_one_envoy_will_do() {
        let mut stranger = Stranger::default();
        for _ in 0..10 {
            assert_eq!(stranger.stays(&met("122000000002"), false), None);
            assert!(!stranger.is_there());
        }
    }

    #[test]
    fn whatever_else_happens_between_two_meetings_begins_the_count_anew() {
        let mut stranger = Stranger::default();
        let other = Unreached::Settings("something else".to_owned());
        for _ in 0..10 {
            for error in [&met("122000000002"), &met("122000000002"), &other] {
                assert_eq!(stranger.stays(error, true), None);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_envoy_that_was_just_asked_is_asked_an_interval_later() {
        let every = Duration::from_mins(1);
        let began = Instant::now();
        let (mut interval, answered) = Beginning::Later.begin(every);
        interval.tick().await;
        assert_eq!((began.elapsed(), answered), (every, None));
        let began = Instant::now();
        let (mut interval, answered) = Beginning::With(Box::default()).begin(every);
        interval.tick().await;
        assert!(began.elapsed() < every && answered.is_some());
    }
}

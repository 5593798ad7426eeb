//! One poll: the inverters, and then whatever else the Envoy has, strictly one after another. What fails
//! there never costs the inverters.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::Gateway;
use super::schedule::{Schedule, failure};
use crate::endpoints::{Asked, UPDATERS, Worth};
use crate::error::Error;
use crate::exchange::{bad_answer, join};
use crate::firmware::Firmware;
use crate::measured::choice::choose;
use crate::measured::counters::Counters;
use crate::measured::readings::{Kept, Readings};
use crate::measured::{Failure, Note, Poll};

/// For everything beside the inverters; what there is no time for waits for the next poll.
const BUDGET: Duration = Duration::from_secs(30);

/// What is known of the other endpoints from poll to poll.
#[derive(Debug, Default)]
pub(super) struct Polling {
    /// Of which firmware all this is known.
    pub(super) firmware: Option<Firmware>,
    pub(super) schedule: Schedule,
    counters: Counters,
    kept: Kept,
}

impl Gateway {
    /// The newest report of each inverter, and whatever else this Envoy measures.
    ///
    /// Takes at most half a minute longer than [`inverters`](Self::inverters), whose errors are those of
    /// this one: another endpoint that is slow, broken or missing is [noted](Poll::notes), and left alone
    /// for a quarter of an hour, or for hours where the Envoy does not have it: it has never [answered](Self::answered). All of them are asked anew
    /// when its firmware has changed.
    pub async fn poll(&mut self) -> Result<Poll, Error> {
        let inverters = self.inverters().await?;
        let Some(info) = self.way.as_ref().map(|way| way.found.info.clone()) else {
            return Ok(Poll {
                inverters,
                ..Poll::default()
            });
        };
        // Taken for as long as `self` is asked; a poll that is dropped midway finds everything out anew.
        let mut polling = std::mem::take(&mut self.polling);
        if polling.firmware.as_ref() != Some(&info.firmware) {
            polling = Polling {
                firmware: Some(info.firmware.clone()),
                counters: polling.counters,
                ..Polling::default()
            };
            let recalled = self.recalled.iter();
            let same = recalled.filter(|known| known.firmware == info.firmware.to_string());
            let paths = same.flat_map(|known| &known.endpoints);
            polling.schedule.recall(paths.map(String::as_str));
        }
        let began = Instant::now();
        let mut readings = Readings::new(polling.kept);
        let mut notes = Vec::new();
        let asked = Asked {
            info: &info,
            inverters: &inverters,
        };
        for (place, updater) in UPDATERS.iter().enumerate() {
            let left = BUDGET.saturating_sub(began.elapsed());
            let is_wanted = (updater.is_wanted)(&asked, &readings);
            if !is_wanted || left.is_zero() || !polling.schedule.is_due(place, Instant::now()) {
                continue;
            }
            let asked_at = Instant::now();
            let limit = updater.limit.min(left);
            let result = match timeout(limit, self.ask_once(updater.path)).await {
                Ok(result) => result
                    .and_then(|(url, body)| {
                        (updater.update)(&body, &asked, &mut readings)
                            .map_err(|error| bad_answer(&url, &body, error.into()))
                    })
                    .map_err(|error| (failure(&error), error.status(), error.to_string())),
                Err(_) => Err((
                    Failure::Slow,
                    None,
                    format!("no answer in {} s", limit.as_secs()),
                )),
            };
            match result {
                Ok(Worth::Asking) => polling.schedule.answered(place, asked_at),
                Ok(Worth::Nothing) => polling.schedule.is_of_no_use(place, asked_at),
                Err((failure, status, message)) => {
                    let endpoint = updater.path;
                    tracing::debug!(endpoint, ?failure, message, "asked in vain");
                    polling.schedule.failed(place, failure, Instant::now());
                    notes.push(Note {
                        endpoint,
                        failure,
                        status,
                        message,
                    });
                }
            }
        }
        polling.kept = readings.kept.clone();
        let poll = choose(inverters, readings, &mut polling.counters);
        self.polling = polling;
        self.look_again().await;
        Ok(Poll { notes, ..poll })
    }

    /// Asks with what the Envoy has just taken for the inverters. That it refuses this endpoint says nothing
    /// of who is asking, so nobody else is tried and no new token is fetched for it.
    async fn ask_once(&mut self, path: &str) -> Result<(url::Url, Vec<u8>), Error> {
        let known = match self.way.take() {
            Some(way) => way,
            None => self.find_way().await?,
        };
        let way = self.way.insert(known);
        let url = join(&way.found.base, path);
        let answer = way.login.get_once(&self.transport, &url).await?;
        Ok((url.clone(), answer.into_body(&url)?))
    }
}

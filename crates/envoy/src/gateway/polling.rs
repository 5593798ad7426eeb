//! One poll: the inverters, and then whatever else the Envoy has, strictly one after another. What fails
//! there never costs the inverters.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::Gateway;
use super::schedule::{Part, ROWS, Schedule, failure};
use crate::endpoints::inverters::INVERTERS;
use crate::endpoints::meters::{self, Enabled};
use crate::endpoints::{Malformed, batteries, device_data, production, totals};
use crate::error::Error;
use crate::exchange::{bad_answer, join};
use crate::firmware::Firmware;
use crate::measured::choice::{Answers, choose};
use crate::measured::counters::Counters;
use crate::measured::{Failure, Note, Poll};

/// For everything beside the inverters; what there is no time for waits for the next poll.
const BUDGET: Duration = Duration::from_secs(30);

/// What is known of the other endpoints from poll to poll.
#[derive(Debug, Default)]
pub(super) struct Polling {
    /// Of which firmware all this is known.
    firmware: Option<Firmware>,
    schedule: Schedule,
    counters: Counters,
    /// The meters that are worth a look at their readings.
    meters: Vec<Enabled>,
    has_batteries: bool,
}

impl Gateway {
    /// The newest report of each inverter, and whatever else this Envoy measures.
    ///
    /// Takes at most half a minute longer than [`inverters`](Self::inverters), whose errors are those of
    /// this one: another endpoint that is slow, broken or missing is [noted](Poll::notes), and left alone
    /// for a quarter of an hour, or for hours where the Envoy does not have it. All of them are asked anew
    /// when its firmware has changed.
    pub async fn poll(&mut self) -> Result<Poll, Error> {
        let mut inverters = self.read(&INVERTERS).await?;
        if let Some(now) = self.said_at {
            inverters.refuse_later_than(now);
        }
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
        }
        let began = Instant::now();
        let mut answers = Answers::default();
        let mut notes = Vec::new();
        for (place, row) in ROWS.iter().enumerate() {
            let is_wanted = match row.part {
                Part::Details => info.firmware.is_at_least(&[8, 2]),
                // With a meter it tells of that, or is frozen.
                Part::Totals => info.metered != Some(true),
                // The oldest refuse it to everybody.
                Part::Meters | Part::Production => info.firmware.is_at_least(&[4]),
                Part::Readings => !polling.meters.is_empty(),
                Part::Batteries => info.firmware.is_at_least(&[5]),
                Part::BatteryPower => polling.has_batteries,
            };
            let left = BUDGET.saturating_sub(began.elapsed());
            if !is_wanted || left.is_zero() || !polling.schedule.is_due(place, Instant::now()) {
                continue;
            }
            let asked = Instant::now();
            let limit = row.limit.min(left);
            let result = match timeout(limit, self.ask_once(row.path)).await {
                Ok(result) => result
                    .and_then(|(url, body)| {
                        take(row.part, &body, &mut answers, &mut polling)
                            .map_err(|error| bad_answer(&url, &body, error.into()))
                    })
                    .map_err(|error| (failure(&error), error.to_string())),
                Err(_) => Err((Failure::Slow, format!("no answer in {} s", limit.as_secs()))),
            };
            match result {
                Ok(true) => polling.schedule.answered(place, asked),
                Ok(false) => polling.schedule.is_of_no_use(place, asked),
                Err((failure, message)) => {
                    tracing::debug!(endpoint = row.path, ?failure, message, "asked in vain");
                    polling.schedule.failed(place, failure, Instant::now());
                    notes.push(Note {
                        endpoint: row.path,
                        failure,
                        message,
                    });
                }
            }
        }
        let poll = choose(&info, inverters, answers, &mut polling.counters);
        self.polling = polling;
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

/// Notes what an endpoint answered, and says whether it is of any use on this Envoy.
fn take(
    part: Part,
    body: &[u8],
    answers: &mut Answers,
    polling: &mut Polling,
) -> Result<bool, Malformed> {
    match part {
        Part::Details => answers.details = device_data::parse(body)?,
        Part::Totals => answers.totals = Some(totals::parse(body)?),
        Part::Meters => polling.meters = meters::parse(body)?,
        Part::Readings => {
            answers.meters = meters::join(&polling.meters, &meters::readings(body)?);
        }
        Part::Batteries => {
            answers.batteries = batteries::parse(body)?;
            polling.has_batteries = !answers.batteries.is_empty();
            return Ok(polling.has_batteries);
        }
        Part::BatteryPower => answers.battery_power = batteries::power(body)?,
        Part::Production => answers.production = Some(production::parse(body)?),
    }
    Ok(true)
}

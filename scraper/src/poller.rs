//! Asks the Envoy at each interval and turns what changed into readings.

use std::time::Duration;

use daemon::outage::Outage;
use envoy::{Error, Gateway, Info};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use wire::{ClockTime, GatewayState, JournalId, Reading, Serial};

use crate::changes::Changes;
use crate::explain::{explain, needs_a_person};
use crate::numbering::Numbering;

/// What a successful poll tells the publisher.
#[derive(Debug)]
pub(crate) struct Polled {
    /// Readings that were not seen before.
    pub(crate) readings: Vec<Reading>,
    /// The gateway as it is now.
    pub(crate) gateway: GatewayState,
}

/// Polls that may wait for the publisher. It takes them at once unless a broker holds it up, for a
/// minute at most; a full channel only makes the next poll late.
pub(crate) const CHANNEL: usize = 4;

/// The poll loop's state.
pub(crate) struct Poller {
    gateway: Gateway,
    envoy: Serial,
    changes: Changes,
    numbering: Numbering,
    outage: Outage,
    /// Rows that the last answer had and that could not be used, so that they are logged when
    /// their number changes and not at each poll.
    unusable: usize,
}

impl Poller {
    /// A poller for an Envoy whose serial is known.
    #[must_use]
    pub(crate) fn new(gateway: Gateway, envoy: Serial) -> Self {
        Self {
            gateway,
            changes: Changes::new(),
            numbering: Numbering::new(envoy.clone()),
            envoy,
            outage: outage(),
            unusable: 0,
        }
    }

    /// The journal that the readings belong to.
    #[must_use]
    pub(crate) fn journal(&self) -> &JournalId {
        self.numbering.journal()
    }

    /// Polls until `stop`. A failed poll is logged as part of an outage, and the next interval is
    /// the next attempt. A poll under way is finished, if the scraper's grace is long enough: what
    /// it brings may never be had again.
    pub(crate) async fn run(
        mut self,
        every: Duration,
        polls: mpsc::Sender<Polled>,
        stop: CancellationToken,
    ) {
        let mut interval = interval(every);
        // A slow answer moves the polls that follow: the gateway never gets two close together.
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // A gateway that is busy says for how long it is to be left alone.
        let mut not_before = Instant::now();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = interval.tick() => {}
            }
            if Instant::now() < not_before {
                continue;
            }
            match self.poll().await {
                Ok(polled) => {
                    self.outage.over();
                    if polls.send(polled).await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    if let Error::Busy { wait, .. } = &error {
                        not_before = Instant::now() + *wait;
                    }
                    self.outage.failed(&explain(&error), needs_a_person(&error));
                }
            }
        }
    }

    async fn poll(&mut self) -> Result<Polled, Error> {
        let answer = self.gateway.inverters().await?;
        let judged = self.changes.take(&answer);
        if judged.refused.len() != self.unusable {
            self.unusable = judged.refused.len();
            if let Some(first) = judged.refused.first() {
                tracing::warn!(
                    count = self.unusable,
                    first,
                    "rows of the Envoy's list that can't be used"
                );
            } else {
                tracing::info!("all rows of the Envoy's list can be used again");
            }
        }
        let readings: Vec<Reading> = judged
            .new
            .into_iter()
            .map(|report| self.numbering.number(report))
            .collect();
        tracing::debug!(
            listed = answer.reports.len(),
            changed = readings.len(),
            never_reported = answer.never_reported,
            "polled"
        );
        Ok(Polled {
            readings,
            gateway: self.gateway_state(),
        })
    }

    fn gateway_state(&self) -> GatewayState {
        let info = self.gateway.last_info();
        GatewayState {
            envoy: self.envoy.clone(),
            firmware: info
                .map(|info| info.firmware.to_string())
                .unwrap_or_default(),
            part_number: info.and_then(|info| info.part_number.clone()),
            address: self.gateway.address().unwrap_or_default(),
            clock_skew_s: self.gateway.clock_skew(),
            token_expires_at: self.gateway.token_expires_at().and_then(clock_time),
            scraper_version: env!("CARGO_PKG_VERSION").to_owned(),
            last_poll_at: clock_time(Timestamp::now().as_second()),
        }
    }
}

/// The Envoy's outage: none yet.
fn outage() -> Outage {
    Outage::new(
        "the Envoy's readings can't be had",
        "the Envoy's readings are there again",
    )
}

/// A time that the contract can carry; a clock outside of it is not worth a message.
fn clock_time(unix_seconds: i64) -> Option<ClockTime> {
    ClockTime::from_unix_seconds(unix_seconds).ok()
}

/// Asks for the gateway's `/info` until it answers, one attempt an interval: without a configured
/// serial nothing can be published before that.
pub(crate) async fn first_info(gateway: &mut Gateway, every: Duration) -> Info {
    let mut outage = outage();
    let mut interval = interval(every);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        match gateway.info().await {
            Ok(info) => {
                outage.over();
                return info;
            }
            Err(error) => {
                if let Error::Busy { wait, .. } = &error {
                    interval.reset_after((*wait).max(every));
                }
                outage.failed(&explain(&error), needs_a_person(&error));
            }
        }
    }
}

//! Asks the Envoy at each interval and turns what changed into readings.

use std::time::Duration;

use envoy::{Gateway, Info};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use wire::{ClockTime, GatewayState, JournalId, Reading, Serial};

use crate::changes::Changes;
use crate::numbering::Numbering;
use crate::outage::Outage;

/// What a successful poll tells the publisher.
#[derive(Debug)]
pub(crate) struct Polled {
    /// Readings that were not seen before.
    pub(crate) readings: Vec<Reading>,
    /// The gateway as it is now.
    pub(crate) gateway: GatewayState,
}

/// Polls that may wait for the publisher. It takes them at once unless it is held up by the
/// broker, for at most a keep-alive and a half, which is about a poll; a full channel only makes
/// the next poll late.
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
            outage: Outage::new(),
            unusable: 0,
        }
    }

    /// The journal that the readings belong to.
    #[must_use]
    pub(crate) fn journal(&self) -> &JournalId {
        self.numbering.journal()
    }

    /// Polls until `stop`. A failed poll is logged as part of an outage, and the next interval is
    /// the next attempt. A poll under way is finished: what it brings was never to be had again.
    pub(crate) async fn run(
        mut self,
        every: Duration,
        polls: mpsc::Sender<Polled>,
        stop: CancellationToken,
    ) {
        let mut interval = interval(every);
        // A slow answer moves the polls that follow: the gateway never gets two close together.
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = interval.tick() => {}
            }
            match self.poll().await {
                Ok(polled) => {
                    self.outage.over();
                    if polls.send(polled).await.is_err() {
                        return;
                    }
                }
                Err(error) => self.outage.failed(&error),
            }
        }
    }

    async fn poll(&mut self) -> Result<Polled, envoy::Error> {
        let answer = self.gateway.inverters().await?;
        let judged = self.changes.take(&answer);
        if judged.refused.len() != self.unusable {
            self.unusable = judged.refused.len();
            tracing::warn!(
                count = self.unusable,
                first = judged.refused.first(),
                "rows of the Envoy's list that can't be used"
            );
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

/// A time that the contract can carry; a clock outside of it is not worth a message.
fn clock_time(unix_seconds: i64) -> Option<ClockTime> {
    ClockTime::from_unix_seconds(unix_seconds).ok()
}

/// Asks for the gateway's `/info` until it answers, one attempt an interval: without a configured
/// serial nothing can be published before that.
pub(crate) async fn first_info(gateway: &mut Gateway, every: Duration) -> Info {
    let mut outage = Outage::new();
    let mut interval = interval(every);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        match gateway.info().await {
            Ok(info) => {
                outage.over();
                return info;
            }
            Err(error) => outage.failed(&error),
        }
    }
}

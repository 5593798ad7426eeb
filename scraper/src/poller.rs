//! Asks the Envoy at each interval and turns what changed into readings.

use std::time::Duration;

use envoy::{Gateway, Info};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use wire::{GatewayState, JournalSpan, Reading, Serial};

use crate::changes::Changes;
use crate::numbering::Numbering;
use crate::outage::Outage;

/// What a successful poll tells the publisher.
#[derive(Debug)]
pub struct Polled {
    /// Readings that were not seen before.
    pub readings: Vec<Reading>,
    /// The numbers given so far, these included.
    pub journal: JournalSpan,
    /// The gateway as it is now.
    pub gateway: GatewayState,
}

/// Polls that may wait for the publisher. It takes them at once unless it is held up by the
/// broker, for at most a keep-alive and a half, which is about a poll; a full channel only makes
/// the next poll late.
pub const CHANNEL: usize = 4;

/// The poll loop's state.
pub struct Poller {
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
    pub fn new(gateway: Gateway, envoy: Serial) -> Self {
        Self {
            gateway,
            changes: Changes::new(),
            numbering: Numbering::new(envoy.clone()),
            envoy,
            outage: Outage::new(),
            unusable: 0,
        }
    }

    /// The numbers given so far.
    #[must_use]
    pub fn journal(&self) -> JournalSpan {
        self.numbering.span()
    }

    /// Polls for ever: ends when nobody takes the polls any more. A failed poll is logged as part
    /// of an outage, and the next interval is the next attempt.
    pub async fn run(mut self, every: Duration, polls: mpsc::Sender<Polled>) {
        let mut interval = interval(every);
        // A slow answer moves the polls that follow: the gateway never gets two close together.
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
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
        let judged = self.changes.take(&answer.reports);
        let refused = answer
            .refused
            .iter()
            .map(ToString::to_string)
            .chain(judged.refused)
            .collect::<Vec<_>>();
        if refused.len() != self.unusable {
            self.unusable = refused.len();
            tracing::warn!(
                count = refused.len(),
                first = refused.first().map(String::as_str),
                "inverters in the Envoy's list that could not be used"
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
            journal: self.numbering.span(),
            gateway: self.gateway_state(),
        })
    }

    fn gateway_state(&self) -> GatewayState {
        gateway_state(&self.envoy, &self.gateway, Timestamp::now())
    }
}

/// Asks for the gateway's `/info` until it answers, one attempt an interval: without a configured
/// serial nothing can be published before that.
pub async fn first_info(gateway: &mut Gateway, every: Duration) -> Info {
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

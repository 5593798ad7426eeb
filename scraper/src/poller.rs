//! Asks the Envoy at each interval and writes what changed to the journal.

use std::time::Duration;

use daemon::outage::Outage;
use daemon::service::Part;
use envoy::{Error, Gateway, Info, Inverters};
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use wire::{ClockTime, GatewayState, Health, Inverter, Reading, Serial};

use crate::changes::Changes;
use crate::expiry::Expiry;
use crate::journal::Journals;
use crate::metrics::Metrics;
use crate::names::NamesFile;
use crate::overwritten::Overwritten;
use crate::patience::Patience;
use crate::reach::{Reach, Unreached};
use crate::watch::Watch;

/// What a poll tells the publisher.
#[derive(Debug)]
pub(crate) enum Poll {
    /// The gateway answered.
    Answered(Box<Polled>),
    /// It did not, and is given up for now.
    Failed(Box<GatewayState>),
}

/// What a successful poll tells the publisher.
#[derive(Debug)]
pub(crate) struct Polled {
    /// Readings that were not seen before. The journal has them.
    pub(crate) readings: Vec<Reading>,
    /// The gateway as it is now.
    pub(crate) gateway: GatewayState,
    /// How its inverters do.
    pub(crate) health: Health,
}

/// Polls that may wait for the publisher. It takes them at once unless a broker holds it up, for a
/// minute at most; a full channel only makes the next poll late.
pub(crate) const CHANNEL: usize = 4;

/// What no poll takes. Where each token that there is gets refused, twenty requests may be made; but a
/// request that gets no answer ends the poll, so that only few wait for as long as they may, at this address
/// and at another. Beyond it the loop is stuck, and the service manager's watchdog may bite.
const LONGEST_POLL: Duration = Duration::from_mins(20);

/// Polls in a row that fail before the gateway counts as unreachable. One alone is nothing: gateways are slow
/// at times, and restart.
const UNREACHABLE_AFTER: u32 = 3;

/// The poll loop's state.
pub(crate) struct Poller {
    reach: Reach,
    envoy: Serial,
    changes: Changes,
    journals: Journals,
    overwritten: Overwritten,
    outage: Outage,
    /// Rows of the answers that can't be used.
    unusable: Outage,
    expiry: Expiry,
    watch: Watch,
    /// Polls that failed since the last that did not.
    failed: u32,
    /// When the last poll succeeded, by our clock.
    last_poll_at: Option<ClockTime>,
    metrics: Metrics,
    part: Part,
}

impl Poller {
    /// A poller for an Envoy whose serial is known, which goes on from what the journal has.
    #[must_use]
    pub(crate) fn new(
        reach: Reach,
        envoy: Serial,
        journals: Journals,
        names: Option<NamesFile>,
        metrics: Metrics,
        part: Part,
    ) -> Self {
        metrics.journals(&journals);
        metrics.readings(&envoy, &journals.newest(), None);
        Self {
            reach,
            changes: Changes::after(journals.last_reports()),
            overwritten: Overwritten::after(&journals),
            journals,
            envoy,
            outage: outage(),
            unusable: Outage::new("rows of the Envoy's list can't be used"),
            expiry: Expiry::default(),
            watch: Watch::new(names),
            failed: 0,
            last_poll_at: None,
            metrics,
            part,
        }
    }

    /// Polls until `stop`. A failed poll is logged as part of an outage, and the next interval is
    /// the next attempt. A poll under way is finished, if the scraper's grace is long enough: what
    /// it brings may never be had again.
    ///
    /// An Envoy with another serial than expected is told to `other`, and nothing of it is taken.
    pub(crate) async fn run(
        mut self,
        every: Duration,
        polls: mpsc::Sender<Poll>,
        other: oneshot::Sender<Serial>,
        stop: CancellationToken,
    ) {
        let mut interval = interval(every);
        // A slow answer moves the polls that follow: the gateway never gets two close together.
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // A gateway that is busy says for how long it is to be left alone.
        let mut not_before = Instant::now();
        let mut patience = Patience::default();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = interval.tick() => {}
                () = self.part.beat() => continue,
            }
            if Instant::now() < not_before {
                self.outage.missed();
                continue;
            }
            tracing::trace!("polling");
            let began = Instant::now();
            let place = self.gateway().map(Gateway::host).cloned();
            let poll = ask(&mut self.reach, &mut self.part);
            let answer = tokio::select! {
                answer = poll => answer,
                // Nobody waits for it any more.
                () = polls.closed() => return,
            };
            self.metrics.polled(began.elapsed(), answer.as_ref().err());
            if self.gateway().map(Gateway::host) != place.as_ref() {
                // It was looked for first, so that it was asked later than an interval after the last time.
                interval.reset();
            }
            match answer {
                Ok(answer) => {
                    if let Some(serial) = self.another_envoy() {
                        // Whoever listens has us stopped.
                        let _ = other.send(serial);
                        return stop.cancelled().await;
                    }
                    patience.accepted();
                    self.failed = 0;
                    let polled = self.take(&answer).await;
                    self.is_well();
                    if polls.send(Poll::Answered(Box::new(polled))).await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    let pause = match &error {
                        Unreached::Envoy(Error::Busy { wait, .. }) => *wait,
                        Unreached::Envoy(Error::Credentials(credentials))
                            if credentials.were_refused() =>
                        {
                            patience.refused(every)
                        }
                        _ => Duration::ZERO,
                    };
                    not_before = Instant::now() + pause;
                    // What waits in it must outlive this process also while nothing is added.
                    let _ = self.journal(Vec::new()).await;
                    let reason = error.explain();
                    self.outage.failed(&reason, error.needs_a_person());
                    self.part
                        .status(&format!("the Envoy's readings can't be had: {reason}"));
                    self.failed = self.failed.saturating_add(1);
                    if self.failed >= UNREACHABLE_AFTER || error.needs_a_person() {
                        let state = Box::new(self.gateway_state(Some(reason)));
                        if polls.send(Poll::Failed(state)).await.is_err() {
                            return;
                        }
                    }
                }
            }
        }
    }

    /// The client. There is one once the Envoy has answered.
    fn gateway(&self) -> Option<&Gateway> {
        self.reach.gateway()
    }

    fn is_well(&mut self) {
        back(&mut self.outage);
        if let Some(gateway) = self.reach.gateway() {
            self.expiry.look_at(gateway);
        }
        let now = self.gateway().map(|gateway| gateway.clock().now());
        if let Some(Ok(now)) = now.map(|now| now.round(jiff::Unit::Second)) {
            self.part.status(&format!("last poll at {now}"));
        }
    }

    /// The serial of the Envoy that answers, if it is not the one whose journal this is: where none is
    /// configured, the journal remembers the one that was there before.
    fn another_envoy(&self) -> Option<Serial> {
        let found = &self.gateway()?.last_info()?.serial;
        let found: Serial = found.parse().ok()?;
        (found != self.envoy).then_some(found)
    }

    /// Journals what is new, before anybody is told of it.
    async fn take(&mut self, answer: &Inverters) -> Polled {
        let judged = self.changes.take(answer);
        self.note_unusable(&judged.refused);
        self.overwritten.note(&judged.new, Instant::now());
        let changed = judged.new.len();
        let readings = self.journal(judged.new).await;
        self.show(&readings);
        tracing::debug!(
            listed = answer.reports.len(),
            changed,
            never_reported = answer.never_reported,
            "polled"
        );
        let now = self.gateways_time();
        self.watch.poll(answer, now);
        Polled {
            readings,
            gateway: self.gateway_state(None),
            health: self.watch.health(&self.envoy),
        }
    }

    /// What a successful poll changes in the metrics.
    fn show(&self, new: &[Reading]) {
        let gateway = self.gateway();
        let expires_at = gateway.and_then(Gateway::token_expires_at);
        self.metrics.token_expires_at(expires_at);
        self.metrics
            .readings(&self.envoy, new, self.gateways_time());
    }

    /// What the gateway's own clock shows, in Unix seconds.
    fn gateways_time(&self) -> Option<i64> {
        let gateway = self.gateway()?;
        let skew = gateway.clock_skew().unwrap_or_default();
        Some(gateway.clock().now().as_second().saturating_add(skew))
    }

    /// Appends to the journal, which waits for the disk.
    async fn journal(&self, new: Vec<Inverter>) -> Vec<Reading> {
        let journals = self.journals.clone();
        let readings = spawn_blocking(move || journals.append(new)).await;
        self.metrics.journals(&self.journals);
        readings.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is ending.
            Err(_) => Vec::new(),
        })
    }

    fn note_unusable(&mut self, refused: &[String]) {
        if let Some(first) = refused.first() {
            let reason = format!("{} of them, the first: {first}", refused.len());
            self.unusable.failed(&reason, false);
        } else if let Some(ended) = self.unusable.over() {
            let (outage_s, polls) = (ended.seconds(), ended.failures);
            tracing::info!(
                outage_s,
                polls,
                "all rows of the Envoy's list can be used again"
            );
        }
    }

    /// The gateway as it is now, with why its readings can't be had.
    fn gateway_state(&mut self, problem: Option<String>) -> GatewayState {
        if problem.is_none() {
            let now = self.gateway().map(|gateway| gateway.clock().now());
            self.last_poll_at = now.and_then(|now| clock_time(now.as_second()));
        }
        let gateway = self.gateway();
        let info = gateway.and_then(Gateway::last_info);
        GatewayState {
            envoy: self.envoy.clone(),
            firmware: info
                .map(|info| info.firmware.to_string())
                .unwrap_or_default(),
            part_number: info.and_then(|info| info.part_number.clone()),
            address: gateway.and_then(Gateway::address).unwrap_or_default(),
            clock_skew_s: gateway.and_then(Gateway::clock_skew),
            token_expires_at: gateway
                .and_then(Gateway::token_expires_at)
                .and_then(clock_time),
            scraper_version: env!("CARGO_PKG_VERSION").to_owned(),
            last_poll_at: self.last_poll_at,
            reports_overwritten: self.overwritten.count(),
            reachable: problem.is_none(),
            problem,
        }
    }
}

/// The Envoy's outage: none yet.
fn outage() -> Outage {
    Outage::new("the Envoy's readings can't be had")
}

/// The Envoy answered.
fn back(outage: &mut Outage) {
    if let Some(ended) = outage.over() {
        let (outage_s, polls_missed) = (ended.seconds(), ended.failures);
        tracing::info!(
            outage_s,
            polls_missed,
            "the Envoy's readings are there again"
        );
    }
}

/// One poll. A function of its own, so that only what it needs is borrowed meanwhile.
async fn ask(reach: &mut Reach, part: &mut Part) -> Result<Inverters, Unreached> {
    part.during(LONGEST_POLL, reach.inverters()).await
}

/// A time that the contract can carry; a clock outside of it is not worth a message.
fn clock_time(unix_seconds: i64) -> Option<ClockTime> {
    ClockTime::from_unix_seconds(unix_seconds).ok()
}

/// Asks for the gateway's `/info` until it answers, one attempt an interval: without a configured
/// serial nothing can be published before that.
pub(crate) async fn first_info(
    reach: &mut Reach,
    every: Duration,
    metrics: &Metrics,
    part: &mut Part,
) -> Info {
    let mut outage = outage();
    let mut interval = interval(every);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            () = part.beat() => continue,
        }
        match part.during(LONGEST_POLL, reach.info()).await {
            Ok(info) => {
                back(&mut outage);
                return info;
            }
            Err(error) => {
                if let Unreached::Envoy(Error::Busy { wait, .. }) = &error {
                    interval.reset_after((*wait).max(every));
                }
                metrics.poll_failed(&error);
                let reason = error.explain();
                outage.failed(&reason, error.needs_a_person());
                part.status(&format!("the Envoy does not say who it is: {reason}"));
            }
        }
    }
}

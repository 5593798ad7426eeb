//! Asks the Envoy at each interval and writes what changed to the journal: [`taking`]. [`state`] is the gateway as
//! others are shown it; [`first`] asks for nothing but who it is.

mod absence;
mod first;
mod state;
mod taking;

use std::time::Duration;

use daemon::outage::Outage;
use daemon::service::Part;
use envoy::{Error, Gateway};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use wire::{ClockTime, GatewayState, Health, Reading, Serial, Subject};

use absence::Absence;
pub(crate) use first::first_info;

use crate::another::{Another, Beginning, Stranger};
use crate::changes::Changes;
use crate::devices::Devices;
use crate::expiry::Expiry;
use crate::journal::Journals;
use crate::memory::{Learned, Memory};
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
    /// What was measured once and can't be read any more.
    pub(crate) unread: Vec<Subject>,
    /// What is measured while its topic stands still.
    pub(crate) behind: Vec<Subject>,
    /// What its own clock showed, in Unix seconds, where it says so.
    pub(crate) now: Option<i64>,
    /// Whether that was set back by over a day.
    pub(crate) set_back: bool,
}

/// Polls that may wait for the publisher. It takes them at once unless a broker holds it up, for a
/// minute at most; a full channel only makes the next poll late.
pub(crate) const CHANNEL: usize = 4;

/// What no poll takes. Where each token that there is gets refused, twenty requests may be made; but a
/// request that gets no answer ends the poll, so that only few wait for as long as they may, at this address
/// and at another. Beyond it the loop is stuck, and the service manager's watchdog may bite.
const LONGEST_POLL: Duration = Duration::from_mins(20);

/// The poll loop's state.
pub(crate) struct Poller {
    reach: Reach,
    envoy: Serial,
    devices: Devices,
    changes: Changes,
    journals: Journals,
    overwritten: Overwritten,
    outage: Outage,
    /// Rows of the answers that can't be used.
    unusable: Outage,
    expiry: Expiry,
    watch: Watch,
    memory: Memory,
    /// Who answers in its place.
    stranger: Stranger,
    /// When the last poll succeeded, by our clock.
    last_poll_at: Option<ClockTime>,
    metrics: Metrics,
    part: Part,
}

impl Poller {
    /// A poller for an Envoy whose serial is known, which goes on from what the journal has, and from what was
    /// learned before.
    #[must_use]
    pub(crate) fn new(
        mut reach: Reach,
        envoy: Serial,
        journals: Journals,
        names: Option<NamesFile>,
        (memory, learned): (Memory, Learned),
        metrics: Metrics,
        part: Part,
    ) -> Self {
        if let Some(answered) = learned.answered {
            reach.recall(answered);
        }
        metrics.journals(&journals);
        metrics.readings(&envoy, &journals.newest(), None);
        Self {
            reach,
            devices: Devices::after(journals.last_reports().into_keys()),
            changes: Changes::recalling(
                journals.last_reports(),
                journals.newest(),
                &learned.changes,
            ),
            overwritten: Overwritten::after(&journals),
            journals,
            watch: Watch::new(envoy.clone(), names, learned.condition),
            envoy,
            outage: outage(),
            unusable: Outage::new("rows of the Envoy's list can't be used"),
            expiry: Expiry::default(),
            memory,
            stranger: Stranger::default(),
            last_poll_at: None,
            metrics,
            part,
        }
    }

    /// Polls until `stop`. A failed poll is logged as part of an outage, and the next interval is
    /// the next attempt. A poll under way is finished, if the scraper's grace is long enough: what
    /// it brings may never be had again.
    ///
    /// An Envoy with another serial than expected is told to `other`, with what it answered, and nothing of that is
    /// taken here.
    pub(crate) async fn run(
        mut self,
        every: Duration,
        beginning: Beginning,
        polls: mpsc::Sender<Poll>,
        other: oneshot::Sender<Another>,
        stop: CancellationToken,
    ) {
        let another = self.until_stopped(every, beginning, &polls, &stop).await;
        let Some((serial, answer)) = another else {
            // The publisher waits for the end of it.
            drop(polls);
            return self.remember().await;
        };
        self.remember().await;
        // Whoever listens has us stopped.
        let _ = other.send(match answer {
            Some(answer) => Another::that_answered(serial, self.reach, answer),
            None => Another::that_stays(serial),
        });
        stop.cancelled().await;
    }

    /// Polls until `stop`, or until another Envoy answers: its serial, and what it answered to all that was asked.
    async fn until_stopped(
        &mut self,
        every: Duration,
        beginning: Beginning,
        polls: &mpsc::Sender<Poll>,
        stop: &CancellationToken,
    ) -> Option<(Serial, Option<envoy::Poll>)> {
        let (mut interval, mut answered) = beginning.begin(every);
        // A slow answer moves the polls that follow: the gateway never gets two close together.
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // A gateway that is busy says for how long it is to be left alone.
        let mut not_before = Instant::now();
        let mut patience = Patience::default();
        let mut absence = Absence::new(every);
        // Why the last poll failed.
        let mut reason = String::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return None,
                _ = interval.tick() => {}
                () = self.part.beat() => continue,
            }
            if Instant::now() < not_before {
                self.outage.missed();
                if absence.goes_on(Instant::now()) && !self.tell_away(&reason, polls).await {
                    return None;
                }
                continue;
            }
            let place = self.gateway().map(Gateway::host).cloned();
            let answer = if let Some(answer) = answered.take() {
                Ok(*answer)
            } else {
                tracing::trace!("polling");
                let began = Instant::now();
                let answer = tokio::select! {
                    answer = ask(&mut self.reach, &mut self.part) => answer,
                    // Nobody waits for it any more.
                    () = polls.closed() => return None,
                };
                self.metrics.polled(began.elapsed(), answer.as_ref().err());
                answer
            };
            // After a refusal, too: a token that has expired is what somebody wants to be told of.
            let expires_at = self.gateway().and_then(Gateway::token_expires_at);
            self.metrics.token_expires_at(expires_at);
            if self.gateway().map(Gateway::host) != place.as_ref() {
                // It was looked for first, so that it was asked later than an interval after the last time.
                interval.reset();
            }
            match answer {
                Ok(answer) => {
                    if let Some(serial) = self.another_envoy() {
                        return Some((serial, Some(answer)));
                    }
                    self.stranger = Stranger::default();
                    patience.accepted();
                    absence.is_over(Instant::now());
                    let polled = self.take(answer).await;
                    self.is_well();
                    if polls.send(Poll::Answered(Box::new(polled))).await.is_err() {
                        return None;
                    }
                    if self.memory.is_due() {
                        self.remember().await;
                    }
                }
                Err(error) => {
                    if let Some(serial) = self.stranger.stays(&error, self.reach.takes_any()) {
                        return Some((serial, None));
                    }
                    let needs_a_person = error.needs_a_person() && !self.stranger.is_there();
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
                    reason = error.explain();
                    self.outage.failed(&reason, needs_a_person);
                    self.part
                        .status(&format!("the Envoy's readings can't be had: {reason}"));
                    let is_away = absence.goes_on(Instant::now()) || needs_a_person;
                    if is_away && !self.tell_away(&reason, polls).await {
                        return None;
                    }
                }
            }
        }
    }

    /// The client. There is one once the Envoy has answered.
    fn gateway(&self) -> Option<&Gateway> {
        self.reach.gateway()
    }

    /// The serial of the Envoy that answers, if it is not the one whose journal this is: where none is
    /// configured, the journal remembers the one that was there before.
    fn another_envoy(&self) -> Option<Serial> {
        let found = &self.gateway()?.last_info()?.serial;
        let found: Serial = found.parse().ok()?;
        (found != self.envoy).then_some(found)
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
async fn ask(reach: &mut Reach, part: &mut Part) -> Result<envoy::Poll, Unreached> {
    part.during(LONGEST_POLL, reach.poll()).await
}

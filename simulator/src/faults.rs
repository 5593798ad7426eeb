//! What goes wrong with the gateway, and when.
//!
//! [`Fault`] is what there is, [`FaultPlan`] says when one strikes, as `--fault` writes it;
//! `Faults` are those of a running simulator. Each is asked about at the place on a request's way
//! that it concerns: `server` for ports, connections and bytes, `envoy` for answers.

use std::future;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

mod endpoint;
mod fault;
mod plan;
#[cfg(test)]
mod tests;

pub use endpoint::Endpoint;
pub use fault::Fault;
pub use plan::{FaultPlan, NotAFaultPlan};

/// The faults of a running simulator.
#[derive(Debug)]
pub(crate) struct Faults {
    seed: u64,
    planned: watch::Sender<Vec<Planned>>,
}

#[derive(Debug)]
struct Planned {
    plan: FaultPlan,
    since: Instant,
    /// What it has met while it was on, whether or not it struck.
    met: u64,
}

impl Faults {
    /// The times of these plans are counted from now; `seed` decides what a rate strikes.
    pub(crate) fn new(plans: Vec<FaultPlan>, seed: u64) -> Self {
        let faults = Self {
            seed,
            planned: watch::Sender::default(),
        };
        for plan in plans {
            faults.add(plan);
        }
        faults
    }

    /// One more, its times counted from now.
    pub(crate) fn add(&self, plan: FaultPlan) {
        let since = Instant::now();
        let met = 0;
        self.planned
            .send_modify(|planned| planned.push(Planned { plan, since, met }));
    }

    /// Ends them all, also those whose time is still to come.
    pub(crate) fn heal(&self) {
        self.planned.send_modify(Vec::clear);
    }

    /// Whether this fault strikes a request for that, which meets it now. To be asked once for each such
    /// meeting: a rate counts them.
    pub(crate) fn strikes(&self, fault: Fault, endpoint: Option<Endpoint>) -> bool {
        let now = Instant::now();
        let mut strikes = false;
        self.planned.send_if_modified(|planned| {
            let concerned =
                |each: &&mut Planned| each.is_on(fault, now) && each.plan.concerns(endpoint);
            for each in planned.iter_mut().filter(concerned) {
                strikes |= each.plan.strikes(each.met, self.seed);
                each.met += 1;
            }
            // Nobody waits for a count.
            false
        });
        strikes
    }

    /// Whether this fault is on, at whatever rate.
    pub(crate) fn is_on(&self, fault: Fault) -> bool {
        let now = Instant::now();
        self.planned
            .borrow()
            .iter()
            .any(|each| each.is_on(fault, now))
    }

    /// Returns once this fault is on, or off.
    pub(crate) async fn until(&self, fault: Fault, on: bool) {
        let mut changes = self.planned.subscribe();
        while self.is_on(fault) != on {
            let next = next_turn(&changes.borrow_and_update(), Instant::now());
            let turn = async {
                match next {
                    Some(at) => sleep_until(at).await,
                    None => future::pending().await,
                }
            };
            tokio::select! {
                () = turn => {}
                // The sender is ours: it is there for as long as we are.
                _ = changes.changed() => {}
            }
        }
    }
}

/// When the next of them begins or ends.
fn next_turn(planned: &[Planned], now: Instant) -> Option<Instant> {
    let turns = planned.iter().flat_map(Planned::turns);
    turns.filter(|turn| *turn > now).min()
}

impl Planned {
    fn is_on(&self, fault: Fault, now: Instant) -> bool {
        self.plan.fault() == fault && self.plan.is_on(now.duration_since(self.since))
    }

    /// When it begins and ends; none for a time that no clock reaches.
    fn turns(&self) -> impl Iterator<Item = Instant> + use<> {
        let since = self.since;
        let turns = [Some(self.plan.begins()), self.plan.ends()];
        turns
            .into_iter()
            .flatten()
            .filter_map(move |turn| since.checked_add(turn))
    }
}

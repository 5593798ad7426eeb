//! Who the Envoy is, before anything else is known.

use std::time::Duration;

use daemon::service::Part;
use envoy::{Error, Info};
use tokio::time::{MissedTickBehavior, interval};

use super::{LONGEST_POLL, back, outage};
use crate::metrics::Metrics;
use crate::reach::{Reach, Unreached};

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

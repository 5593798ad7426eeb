//! What has come through the chain: to a subscriber, and to the database.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Chain;
use crate::ledger::Report;
use crate::servers::{Client, Point, Seen};

/// How long a message may take to a subscriber, on a machine that builds beside the test.
const ARRIVAL: Duration = Duration::from_mins(1);

impl Chain {
    /// A subscriber with an account that may read everything.
    ///
    /// # Panics
    /// When it can't log in.
    pub async fn subscriber(&self, filter: &str) -> Client {
        Client::connect(&self.broker, &self.accounts.reader, Some(filter))
            .await
            .expect("the reader has an account")
    }

    /// The messages that a new subscriber gets at once, when there are `count` of them.
    ///
    /// # Panics
    /// When they do not come.
    pub async fn retained(&self, filter: &str, count: usize) -> Vec<Seen> {
        let subscriber = self.subscriber(filter).await;
        let retained = |seen: &[Seen]| seen.iter().filter(|message| message.retain).count();
        let seen = subscriber
            .wait_for("the retained messages", ARRIVAL, |seen| {
                retained(seen) >= count
            })
            .await;
        seen.into_iter().filter(|message| message.retain).collect()
    }

    /// Waits until a status topic says `online`.
    ///
    /// # Panics
    /// When it does not.
    pub async fn online(&self, topic: &str) {
        let subscriber = self.subscriber(topic).await;
        subscriber
            .wait_for(&format!("{topic} to be online"), ARRIVAL, |seen| {
                seen.last()
                    .is_some_and(|message| message.text() == "online")
            })
            .await;
    }

    /// The reading that each inverter's plain topic shows, by its topic.
    ///
    /// # Panics
    /// When there are fewer than `count`, or one is no reading.
    pub async fn shown(&self, count: usize) -> BTreeMap<String, Report> {
        let retained = self.retained("envoy/+/inverters/+", count).await;
        retained
            .iter()
            .map(|message| (message.topic.clone(), Report::published(message.text())))
            .collect()
    }

    /// The reading that each plain topic shows that has one.
    ///
    /// # Panics
    /// When one shows something else.
    pub async fn shown_now(&self) -> BTreeMap<String, Report> {
        let mut subscriber = self.subscriber("envoy/+/inverters/+").await;
        // What is retained comes before the answer to a later subscription.
        subscriber.subscribe("envoy/+/status").await;
        let seen = subscriber.seen();
        let readings = seen.iter().filter(|it| it.topic.contains("/inverters/"));
        readings
            .map(|message| (message.topic.clone(), Report::published(message.text())))
            .collect()
    }

    /// What the database holds, in order.
    ///
    /// # Panics
    /// When it can't be read.
    pub async fn stored(&self) -> Vec<Report> {
        let points = self.influx.points(&self.bucket).await;
        let mut reports: Vec<Report> = points.into_iter().map(report).collect();
        reports.sort();
        reports
    }
}

/// The newest report of each inverter, by its topic.
#[must_use]
pub fn newest(reports: &[Report]) -> BTreeMap<String, Report> {
    let mut newest = BTreeMap::new();
    for report in reports {
        let topic = format!("envoy/{}/inverters/{}", report.envoy, report.inverter);
        newest
            .entry(topic)
            .and_modify(|newest: &mut Report| {
                if newest.reported_at < report.reported_at {
                    newest.clone_from(report);
                }
            })
            .or_insert_with(|| report.clone());
    }
    newest
}

/// A stored point as the report that it was.
fn report(point: Point) -> Report {
    let power = |watts| i32::try_from(watts).expect("a power");
    Report {
        envoy: point.envoy,
        inverter: point.inverter,
        reported_at: point.reported_at,
        device_type: point
            .device_type
            .map(|kind| kind.parse().expect("a number as a tag")),
        power_w: power(point.power),
        peak_power_w: power(point.max_power),
    }
}

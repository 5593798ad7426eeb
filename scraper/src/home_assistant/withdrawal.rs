//! What is still announced below a prefix that is not used any more is withdrawn: pure.
//!
//! It is looked for after each connect, since a broker may be back at an older state. Only what is retained is cleared:
//! Home Assistant warns of a device that is cleared and not there.

use std::collections::BTreeSet;

use super::Topics;
use super::origin::Origin;

/// Topics that may be due at a time: twice the devices that are announced of one Envoy. A broker may name any number;
/// what is left over is looked for again after the next connect.
const MOST: usize = 4_096;

/// Withdraws the devices of an Envoy.
#[derive(Debug)]
pub struct Withdrawal {
    filters: Vec<String>,
    due: BTreeSet<String>,
}

impl Withdrawal {
    /// Withdraws what was announced on these topics.
    #[must_use]
    pub fn of(before: impl IntoIterator<Item = Topics>) -> Self {
        let filters = before.into_iter().map(|topics| topics.configs_filter());
        Self {
            filters: filters.collect(),
            due: BTreeSet::new(),
        }
    }

    /// What to subscribe to, so that it shows what is still there.
    #[must_use]
    pub fn filters(&self) -> &[String] {
        &self.filters
    }

    /// Takes in what the broker retains on a topic.
    pub fn heard(&mut self, topic: &str, payload: &[u8]) {
        let is_of = |filter: &String| {
            let (before, after) = filter.split_once('+')?;
            let object = topic.strip_prefix(before)?.strip_suffix(after)?;
            (!object.contains('/')).then_some(())
        };
        let is_of_one = self.filters.iter().any(|filter| is_of(filter).is_some());
        if is_of_one && self.due.len() < MOST && Origin::is_ours(payload) {
            self.due.insert(topic.to_owned());
        }
    }

    /// The topic that is to be cleared next.
    pub fn next_topic(&mut self) -> Option<String> {
        self.due.pop_first()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &[u8] = br#"{"origin":{"name":"envoy-scrape","sw_version":"0.1.0"}}"#;

    fn withdrawal() -> Withdrawal {
        let base = |text: &str| text.parse().expect("a base");
        let envoy = "122012345678".parse().expect("a serial");
        Withdrawal::of([Topics::new(base("envoy"), envoy, base("house/ha"))])
    }

    fn withdrawn(heard: &[(&str, &[u8])]) -> Vec<String> {
        let mut withdrawal = withdrawal();
        for (topic, payload) in heard {
            withdrawal.heard(topic, payload);
        }
        std::iter::from_fn(|| withdrawal.next_topic()).collect()
    }

    #[test]
    fn what_is_retained_below_a_prefix_of_before_is_withdrawn_once() {
        let gateway = "house/ha/device/122012345678/gateway/config";
        assert_eq!(
            withdrawal().filters(),
            ["house/ha/device/122012345678/+/config"]
        );
        assert_eq!(withdrawn(&[(gateway, OURS), (gateway, OURS)]), [gateway]);
    }

    #[test]
    fn neither_another_envoy_nor_another_program_loses_a_device() {
        let ours = "house/ha/device/122012345678/gateway/config";
        let others: [(&str, &[u8]); 6] = [
            ("house/ha/device/122012345679/gateway/config", OURS),
            ("homeassistant/device/122012345678/gateway/config", OURS),
            ("house/ha/device/122012345678/a/b/config", OURS),
            (ours, br#"{"origin":{"name":"another"}}"#),
            (ours, b""),
            (ours, b"{"),
        ];
        assert_eq!(withdrawn(&others), [""; 0]);
    }

    #[test]
    fn a_broker_that_names_devices_without_end_fills_nothing() {
        let mut withdrawal = withdrawal();
        for number in 0..3 * MOST {
            let topic = format!("house/ha/device/122012345678/{number}/config");
            withdrawal.heard(&topic, OURS);
        }
        assert_eq!(withdrawal.due.len(), MOST);
    }
}

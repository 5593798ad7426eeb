//! What an inverter produces is compared with its siblings: the others of its array, or all others where there are none
//! in it.

use std::collections::HashMap;

use wire::{InverterState, Serial};

use super::{Condition, output};
use crate::names::Names;

impl Condition {
    /// Compares what those produced that have a new report with what the middle one of their siblings did: of the
    /// others of their array, or of all where there are no others in it.
    pub(super) fn compare(&mut self, new: &[Serial], names: &Names) {
        let mut powers: HashMap<Option<&str>, Vec<i32>> = HashMap::new();
        let mut members: HashMap<&str, usize> = HashMap::new();
        for (serial, track) in &self.tracks {
            let array = names.array(serial);
            if let Some(array) = array {
                *members.entry(array).or_default() += 1;
            }
            if track.state == InverterState::Reporting {
                powers.entry(None).or_default().push(track.power_w);
                if array.is_some() {
                    powers.entry(array).or_default().push(track.power_w);
                }
            }
        }
        for powers in powers.values_mut() {
            powers.sort_unstable();
        }
        for serial in new {
            let Some(track) = self.tracks.get_mut(serial) else {
                continue;
            };
            if track.state != InverterState::Reporting {
                continue;
            }
            let array = names.array(serial);
            let array = array.filter(|array| members.get(array).is_some_and(|count| *count > 1));
            let siblings = powers.get(&array);
            let median =
                siblings.and_then(|powers| output::median_of_others(powers, track.power_w));
            if let Some(median) = median {
                track.output.take(track.power_w, median, track.at);
            }
        }
    }
}

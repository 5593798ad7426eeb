//! How many inverters, meters and batteries of one gateway are taken in.
//!
//! What is known of each stays: its newest reading in the journal, what was learned of it, its retained topic, its
//! device in Home Assistant. A gateway that is broken, or is none, and names others with each poll, would fill all
//! of that. So there is a bound; beyond it those that are known go on, and new ones are left out. None gives its place
//! up: whoever invents new ones forgets the old ones, too, so that the places of these would be a way in.

use std::collections::HashSet;

use daemon::outage::Outage;
use wire::{Serial, Subject};

/// Devices of one gateway. The largest have some 600 inverters, and list each that was ever replaced.
pub(crate) const MOST: usize = 2000;

/// Who is known, and that others are left out.
#[derive(Debug)]
pub(crate) struct Devices {
    known: HashSet<Subject>,
    full: Outage,
}

impl Devices {
    /// Goes on from those of whom there is a reading.
    pub(crate) fn after(known: impl IntoIterator<Item = Subject>) -> Self {
        Self {
            known: known.into_iter().filter(is_device).collect(),
            full: Outage::new(
                "the Envoy names more inverters, meters and batteries than any has; new ones are left out",
            ),
        }
    }

    /// Takes those out of what the gateway has answered for whom there is no room.
    pub(crate) fn admit(&mut self, answer: &mut envoy::Poll) {
        let mut left_out = 0;
        let mut admits = |subject: Option<Subject>| {
            // What can't be part of a topic is refused elsewhere.
            let Some(subject) = subject else { return true };
            if self.known.contains(&subject) {
                return true;
            }
            let has_room = self.known.len() < MOST;
            if has_room {
                self.known.insert(subject);
            } else {
                left_out += 1;
            }
            has_room
        };
        let reports = &mut answer.inverters.reports;
        reports.retain(|report| admits(named(&report.serial, Subject::Inverter)));
        let meters = &mut answer.meters;
        meters.retain(|meter| admits(named(&meter.eid.to_string(), Subject::Meter)));
        let batteries = &mut answer.batteries;
        batteries.retain(|battery| admits(named(&battery.serial, Subject::Battery)));
        self.note(left_out);
    }

    fn note(&mut self, left_out: usize) {
        if left_out > 0 {
            let reason = format!(
                "{MOST} are known, and {left_out} more were named in this poll; see what answers at its address \
                 (setting: ENVOY_HOST), and begin with another STATE_DIR once it names its own again"
            );
            self.full.failed(&reason, false);
        } else if let Some(ended) = self.full.over() {
            let (outage_s, polls) = (ended.seconds(), ended.failures);
            tracing::info!(
                outage_s,
                polls,
                "the Envoy names no new inverters, meters or batteries any more"
            );
        }
    }
}

fn named(serial: &str, subject: fn(Serial) -> Subject) -> Option<Subject> {
    serial.parse().ok().map(subject)
}

fn is_device(subject: &Subject) -> bool {
    matches!(
        subject,
        Subject::Inverter(_) | Subject::Meter(_) | Subject::Battery(_)
    )
}

#[cfg(test)]
mod tests {
    use envoy::{Battery, InverterReport, Meter, Poll};

    use super::*;

    fn report(serial: String) -> InverterReport {
        InverterReport {
            serial,
            reported_at: 1_780_315_200,
            device_type: Some(1),
            power_w: 200,
            peak_power_w: 300,
        }
    }

    fn battery(serial: &str) -> Battery {
        Battery {
            serial: serial.to_owned(),
            measured_at: 1_780_315_200,
            kind: "encharge",
            state_of_charge_pct: None,
            power_w: None,
            energy_capacity_wh: None,
            temperature_c: None,
            state: None,
        }
    }

    fn meter(eid: u64) -> Meter {
        Meter {
            eid,
            measured_at: 1_780_315_200,
            kind: "production".to_owned(),
            phase: None,
            power_w: Some(1.0),
            reactive_power_var: None,
            apparent_power_va: None,
            voltage_v: None,
            current_a: None,
            frequency_hz: None,
            power_factor: None,
            energy_delivered_wh: None,
            energy_received_wh: None,
        }
    }

    /// A poll with inverters of these numbers, a battery and a meter, both called by `other`.
    fn poll(inverters: std::ops::Range<usize>, other: u64) -> Poll {
        let mut poll = Poll {
            meters: vec![meter(other)],
            batteries: vec![battery(&other.to_string())],
            ..Poll::default()
        };
        poll.inverters.reports = inverters.map(|one| report(one.to_string())).collect();
        poll
    }

    fn sizes(poll: &Poll) -> [usize; 3] {
        [
            poll.inverters.reports.len(),
            poll.meters.len(),
            poll.batteries.len(),
        ]
    }

    #[test]
    fn who_is_invented_with_each_poll_is_left_out_once_there_is_no_room_and_who_is_known_goes_on() {
        let mut devices = Devices::after([]);
        let mut first = poll(0..10, 1);
        devices.admit(&mut first);
        assert_eq!(sizes(&first), [10, 1, 1]);
        for round in 1..10 {
            let begin = round * 1000;
            let mut invented = poll(begin..begin + 1000, begin as u64);
            devices.admit(&mut invented);
            let mut again = poll(0..10, 1);
            devices.admit(&mut again);
            assert_eq!(sizes(&again), [10, 1, 1]);
        }
        assert_eq!(devices.known.len(), MOST);
        let mut beyond = poll(1_000_000..1_000_010, 77);
        devices.admit(&mut beyond);
        assert_eq!(sizes(&beyond), [0, 0, 0]);
    }

    #[test]
    fn who_was_known_before_the_start_is_known() {
        let before = poll(0..MOST, 1).inverters.reports.into_iter();
        let before = before.filter_map(|report| named(&report.serial, Subject::Inverter));
        let mut devices = Devices::after(before.chain([Subject::Site]));
        let mut poll = poll(MOST - 5..MOST + 5, 1);
        devices.admit(&mut poll);
        assert_eq!(sizes(&poll), [5, 0, 0]);
    }

    #[test]
    fn what_is_no_serial_takes_no_room_and_is_left_to_those_who_refuse_it() {
        let mut devices = Devices::after([]);
        let mut poll = poll(0..1, 1);
        poll.inverters.reports.push(report("a/b".to_owned()));
        devices.admit(&mut poll);
        assert_eq!(sizes(&poll), [2, 1, 1]);
        assert_eq!(devices.known.len(), 3);
    }
}

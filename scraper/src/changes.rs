//! Which reports of a poll are new.
//!
//! The Envoy lists each inverter's newest report at every poll; most polls show the same ones
//! again. A report is new when its time *differs* from the last one taken for that inverter, not
//! only when it is later: a gateway whose clock was set back goes on being read.

use std::collections::HashMap;

use envoy::{InverterReport, Inverters, Refused};
use wire::{Inverter, ReportTime, Subject};

/// What a poll brought, judged.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// New reports, in the order of the Envoy's list.
    pub new: Vec<Inverter>,
    /// Rows of the list that no topic or store could carry, each with its reason.
    pub refused: Vec<String>,
}

/// The time of the last report taken, for each inverter.
#[derive(Debug, Default)]
pub struct Changes {
    last: HashMap<Subject, ReportTime>,
}

impl Changes {
    /// Nothing was taken yet: the first poll's reports are all new.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was taken before this process began: the time of the last report of each inverter.
    #[must_use]
    pub fn after(last: HashMap<Subject, ReportTime>) -> Self {
        Self { last }
    }

    /// Takes what is new in an answer of the Envoy. An inverter that the answer leaves out keeps
    /// its last time: lists are empty or short after a restart of the gateway.
    pub fn take(&mut self, answer: &Inverters) -> Judged {
        let mut judged = Judged {
            new: Vec::new(),
            refused: answer.refused.iter().map(refusal).collect(),
        };
        for report in &answer.reports {
            match identify(report) {
                Err(reason) => judged.refused.push(reason),
                Ok(report) => {
                    let last = self
                        .last
                        .insert(Subject::Inverter(report.serial.clone()), report.reported_at);
                    if last != Some(report.reported_at) {
                        judged.new.push(report);
                    }
                }
            }
        }
        judged
    }
}

fn refusal(refused: &Refused) -> String {
    match &refused.serial {
        Some(serial) => format!("inverter {serial:?}: {}", refused.reason),
        None => format!("row {}: {}", refused.position, refused.reason),
    }
}

fn identify(report: &InverterReport) -> Result<Inverter, String> {
    let refused = |error: &dyn std::fmt::Display| format!("inverter {:?}: {error}", report.serial);
    Ok(Inverter {
        serial: report.serial.parse().map_err(|error| refused(&error))?,
        reported_at: ReportTime::from_unix_seconds(report.reported_at)
            .map_err(|error| refused(&error))?,
        device_type: report.device_type,
        power_w: report.power_w,
        peak_power_w: report.peak_power_w,
        detail: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(serial: &str, reported_at: i64, power_w: i32) -> InverterReport {
        InverterReport {
            serial: serial.to_owned(),
            reported_at,
            device_type: Some(1),
            power_w,
            peak_power_w: 300,
        }
    }

    fn answer(reports: &[InverterReport]) -> Inverters {
        Inverters {
            reports: reports.to_vec(),
            ..Inverters::default()
        }
    }

    fn new_powers(changes: &mut Changes, reports: &[InverterReport]) -> Vec<i32> {
        let judged = changes.take(&answer(reports));
        judged.new.iter().map(|report| report.power_w).collect()
    }

    #[test]
    fn everything_is_new_at_first_and_nothing_the_second_time() {
        let mut changes = Changes::new();
        let list = [report("a", 1_700_000_000, 1), report("b", 1_700_000_007, 2)];
        assert_eq!(new_powers(&mut changes, &list), [1, 2]);
        assert_eq!(new_powers(&mut changes, &list), [0; 0]);
    }

    #[test]
    fn only_the_inverter_with_another_report_time_is_new() {
        let mut changes = Changes::new();
        new_powers(
            &mut changes,
            &[report("a", 1_700_000_000, 1), report("b", 1_700_000_007, 2)],
        );
        let list = [report("a", 1_700_000_000, 1), report("b", 1_700_000_310, 3)];
        assert_eq!(new_powers(&mut changes, &list), [3]);
    }

    #[test]
    fn a_report_that_was_taken_before_a_restart_is_not_new() {
        let mut changes = Changes::new();
        let list = [report("a", 1_700_000_000, 1), report("b", 1_700_000_007, 2)];
        new_powers(&mut changes, &list);
        let mut changes = Changes::after(changes.last);
        assert_eq!(new_powers(&mut changes, &list), [0; 0]);
    }

    #[test]
    fn a_report_from_a_clock_that_was_set_back_is_new() {
        let mut changes = Changes::new();
        new_powers(&mut changes, &[report("a", 1_700_003_600, 1)]);
        assert_eq!(
            new_powers(&mut changes, &[report("a", 1_700_000_000, 2)]),
            [2]
        );
    }

    #[test]
    fn an_empty_or_shorter_list_makes_nothing_new_afterwards() {
        let mut changes = Changes::new();
        let list = [report("a", 1_700_000_000, 1), report("b", 1_700_000_007, 2)];
        new_powers(&mut changes, &list);
        new_powers(&mut changes, &[]);
        new_powers(&mut changes, &list[..1]);
        assert_eq!(new_powers(&mut changes, &list), [0; 0]);
    }

    #[test]
    fn a_report_that_no_store_could_hold_is_refused_and_costs_only_itself() {
        let mut changes = Changes::new();
        let judged = changes.take(&answer(&[
            report("../evil", 1_700_000_000, 1),
            report("a", i64::MAX, 2),
            report("b", 1_700_000_000, 3),
        ]));
        assert_eq!(judged.new.len(), 1);
        assert_eq!(judged.refused.len(), 2);
        assert!(
            judged.refused[0].contains("../evil"),
            "{:?}",
            judged.refused
        );
    }
}

//! Judges the inverters' condition by each poll's list, with the names that their owner gives them.

use daemon::outage::Outage;
use envoy::Inverters;
use wire::{Health, Serial};

use crate::clock::Clock;
use crate::condition::{Condition, Listed};
use crate::names::{Looked, Names, NamesFile};

/// What is known of the inverters, and what they are called.
#[derive(Debug)]
pub(crate) struct Watch {
    envoy: Serial,
    condition: Condition,
    now: Clock,
    file: Option<NamesFile>,
    /// The file of names can't be used as it is now.
    unusable: Outage,
    /// Lines of it can't.
    mistaken: Outage,
}

impl Watch {
    /// One of this Envoy's inverters that goes on from what was known.
    pub(crate) fn new(envoy: Serial, file: Option<NamesFile>, condition: Condition) -> Self {
        let mut watch = Self {
            envoy,
            now: Clock::after(condition.polled()),
            condition,
            file,
            unusable: Outage::new("the file of names can't be used; the names stay as they were"),
            mistaken: Outage::new("lines of the file of names can't be used; the others are"),
        };
        watch.note_mistakes();
        watch
    }

    /// Takes in the list of a poll, with the gateway's clock then, in Unix seconds. Reads the file of names
    /// again if it has changed, which is small and local. Whether that clock was set back by over a day.
    pub(crate) fn poll(&mut self, answer: &Inverters, now: Option<i64>) -> bool {
        self.read_names();
        let listed = listed(answer);
        let newest = listed.iter().map(|report| report.at);
        let Some(now) = self.now.at(now, newest) else {
            return false;
        };
        let names = self.file.as_ref().map(NamesFile::names);
        let none = Names::default();
        self.condition
            .poll(&listed, answer.never_reported, now, names.unwrap_or(&none))
    }

    /// What is known, to be remembered.
    pub(crate) fn condition(&self) -> &Condition {
        &self.condition
    }

    fn read_names(&mut self) {
        let Some(file) = &mut self.file else {
            return;
        };
        match file.look() {
            Ok(Looked::Unchanged) => {}
            Ok(Looked::Read { .. }) => {
                self.unusable.over();
                tracing::info!(file = %file.path().display(), "read the names of inverters again");
                self.note_mistakes();
            }
            Err(error) => {
                let reason = format!(
                    "{} {} (setting: NAMES_FILE)",
                    file.path().display(),
                    daemon::exit::with_causes(&error)
                );
                self.unusable.failed(&reason, true);
            }
        }
    }

    /// Says what is wrong with the file that was just read.
    fn note_mistakes(&mut self) {
        let Some(file) = &self.file else {
            return;
        };
        for (name, inverters) in file.names().shared() {
            let inverters: Vec<&str> = inverters.into_iter().map(AsRef::as_ref).collect();
            tracing::warn!(
                name,
                inverters = inverters.join(", "),
                "these inverters have the same name, by which nobody can tell them apart (setting: NAMES_FILE)"
            );
        }
        for inverter in file.names().as_the_envoy(&self.envoy) {
            tracing::warn!(
                %inverter,
                envoy = %self.envoy,
                "this inverter has the Envoy's own name, by which nobody can tell them apart (setting: NAMES_FILE)"
            );
        }
        match mistakes(file) {
            Some(reason) => self.mistaken.failed(&reason, true),
            None => {
                self.mistaken.over();
            }
        }
    }

    /// What is known now.
    pub(crate) fn health(&self) -> Health {
        let none = Names::default();
        let names = self.file.as_ref().map_or(&none, NamesFile::names);
        self.condition.health(&self.envoy, names)
    }
}

/// What is judged of a list.
pub(crate) fn listed(answer: &Inverters) -> Vec<Listed> {
    let reports = answer.reports.iter();
    // It rests when it likes, and gives at night: no sibling of inverters.
    let inverters = reports.filter(|report| !report.is_ac_battery());
    let listed = inverters.filter_map(|report| {
        Some(Listed {
            serial: report.serial.parse().ok()?,
            at: report.reported_at,
            power_w: report.power_w,
            peak_power_w: report.peak_power_w,
        })
    });
    listed.collect()
}

/// What is wrong with lines of a file of names, with its path and setting.
pub(crate) fn mistakes(file: &NamesFile) -> Option<String> {
    let path = file.path().display();
    let mistakes = file.mistakes()?;
    Some(format!("{path}: {mistakes} (setting: NAMES_FILE)"))
}

#[cfg(test)]
mod tests {
    use envoy::InverterReport;

    use super::*;

    const NOON: i64 = 1_780_315_200;

    fn list(reports: &[(&str, i64)]) -> Inverters {
        let reports = reports.iter().map(|(serial, reported_at)| InverterReport {
            serial: (*serial).to_owned(),
            reported_at: *reported_at,
            device_type: Some(1),
            power_w: 200,
            peak_power_w: 300,
        });
        Inverters {
            reports: reports.collect(),
            ..Inverters::default()
        }
    }

    fn fresh(watch: &Watch) -> Vec<bool> {
        let health = watch.health();
        health.inverters.values().map(|one| one.fresh).collect()
    }

    #[test]
    fn a_list_without_the_newest_of_a_gateway_that_tells_no_time_sets_no_clock_back() {
        let envoy: Serial = "122012345678".parse().expect("a serial");
        let mut watch = Watch::new(envoy.clone(), None, Condition::default());
        let all = list(&[("a", NOON), ("b", NOON - 60), ("c", NOON - 900)]);
        let short = list(&[("c", NOON - 900)]);
        assert!(!watch.poll(&all, None));
        watch.poll(&short, None);
        assert_eq!(fresh(&watch), [true; 3]);
        // Nor by one that has started meanwhile.
        let mut watch = Watch::new(envoy, None, watch.condition().clone());
        watch.poll(&short, None);
        assert_eq!(fresh(&watch), [true; 3]);
        // What the gateway says is no guess.
        watch.poll(&all, Some(NOON - 7200));
        assert_eq!(fresh(&watch), [false; 3]);
    }
}

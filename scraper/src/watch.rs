//! Judges the inverters' condition by each poll's list, with the names that their owner gives them.

use daemon::outage::Outage;
use envoy::Inverters;
use wire::{Health, Serial};

use crate::condition::{Condition, Listed};
use crate::names::{Names, NamesFile};

/// What is known of the inverters, and what they are called.
#[derive(Debug)]
pub(crate) struct Watch {
    condition: Condition,
    file: Option<NamesFile>,
    /// The file of names can't be used as it is now.
    unusable: Outage,
}

impl Watch {
    /// One that has seen no poll yet.
    pub(crate) fn new(file: Option<NamesFile>) -> Self {
        Self {
            condition: Condition::default(),
            file,
            unusable: Outage::new("the file of names can't be used; the names stay as they were"),
        }
    }

    /// Takes in the list of a poll, with the gateway's clock then, in Unix seconds. Reads the file of names
    /// again if it has changed, which is small and local.
    pub(crate) fn poll(&mut self, answer: &Inverters, now: Option<i64>) {
        self.read_names();
        let listed: Vec<Listed> = answer
            .reports
            .iter()
            .filter_map(|report| {
                Some(Listed {
                    serial: report.serial.parse().ok()?,
                    at: report.reported_at,
                    power_w: report.power_w,
                    peak_power_w: report.peak_power_w,
                })
            })
            .collect();
        // A gateway that does not say the time: then the newest report is as good as it gets.
        let newest = listed.iter().map(|report| report.at).max();
        let Some(now) = now.or(newest) else {
            return;
        };
        let names = self.file.as_ref().map(NamesFile::names);
        let none = Names::default();
        let set_back =
            self.condition
                .poll(&listed, answer.never_reported, now, names.unwrap_or(&none));
        if set_back {
            tracing::warn!(
                "the Envoy's clock was set back by over a day: what was learned of its inverters begins anew"
            );
        }
    }

    fn read_names(&mut self) {
        let Some(file) = &mut self.file else {
            return;
        };
        match file.look() {
            Ok(false) => {}
            Ok(true) => {
                self.unusable.over();
                tracing::info!(file = %file.path().display(), "read the names of inverters again");
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

    /// What is known now.
    pub(crate) fn health(&self, envoy: &Serial) -> Health {
        let none = Names::default();
        let names = self.file.as_ref().map_or(&none, NamesFile::names);
        self.condition.health(envoy, names)
    }
}

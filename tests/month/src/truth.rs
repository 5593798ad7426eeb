//! What was shown against what was published.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;
use simulator::ShownReport;
use wire::{BaseTopic, GatewayState, Health, Reading, Topic};

/// Which report: inverter and time, in Unix seconds.
type Key = (String, i64);

/// A report's content: kind of device, power and peak in W.
type Content = (Option<u32>, i32, i32);

/// Compares, day by day: what agrees is forgotten, so that a month takes no more memory than a day.
#[derive(Debug)]
pub struct Truth {
    ledger: PathBuf,
    read_bytes: u64,
    shown: BTreeMap<Key, Content>,
    published: BTreeMap<Key, Vec<Content>>,
    /// Reports that were shown and published.
    agreed: usize,
    /// The gateway as it was published last.
    gateway: Option<GatewayState>,
    /// The inverter of the newest reading.
    inverter: Option<String>,
    strange: Vec<String>,
}

impl Truth {
    /// What the simulator shows is in this file.
    #[must_use]
    pub fn of(ledger: &Path) -> Self {
        Self {
            ledger: ledger.to_owned(),
            read_bytes: 0,
            shown: BTreeMap::new(),
            published: BTreeMap::new(),
            agreed: 0,
            gateway: None,
            inverter: None,
            strange: Vec::new(),
        }
    }

    /// Takes in what was published.
    pub fn published(&mut self, messages: Vec<(String, Vec<u8>)>) {
        let base = BaseTopic::default();
        for (name, payload) in messages {
            let topic = Topic::parse(&base, &name);
            match topic {
                Ok(topic @ (Topic::Plain { .. } | Topic::Backlog { .. })) => {
                    match Reading::decode(&topic, &payload) {
                        Ok(reading) => self.reading(&reading),
                        Err(error) => self.strange.push(format!("{name}: {error}")),
                    }
                }
                Ok(topic @ Topic::Gateway { .. }) => match GatewayState::decode(&topic, &payload) {
                    Ok(state) => self.gateway = Some(state),
                    Err(error) => self.strange.push(format!("{name}: {error}")),
                },
                Ok(topic @ Topic::Health { .. }) => {
                    if let Err(error) = Health::decode(&topic, &payload) {
                        self.strange.push(format!("{name}: {error}"));
                    }
                }
                Ok(Topic::Journal { .. } | Topic::EnvoyStatus { .. }) => {}
                Ok(_) => self.strange.push(format!("{name} is not a scraper's")),
                // For Home Assistant, which has topics of its own.
                Err(_) if name.starts_with("homeassistant/device/") => {
                    if let Err(error) = serde_json::from_slice::<Value>(&payload) {
                        self.strange.push(format!("{name}: {error}"));
                    }
                }
                Err(error) => self.strange.push(format!("{name}: {error}")),
            }
        }
    }

    fn reading(&mut self, reading: &Reading) {
        // The ledger has inverters only.
        let Some(reading) = reading.measured.inverter() else {
            return;
        };
        let key = (
            reading.serial.to_string(),
            reading.reported_at.unix_seconds(),
        );
        let content = (reading.device_type, reading.power_w, reading.peak_power_w);
        self.inverter = Some(reading.serial.to_string());
        self.published.entry(key).or_default().push(content);
    }

    /// Reads what was shown since this was called last, forgets what agrees, and says what does not.
    ///
    /// # Panics
    /// When the ledger can't be read.
    pub fn compare(&mut self) -> Vec<String> {
        self.read_ledger();
        let mut wrong = std::mem::take(&mut self.strange);
        for (key, content) in std::mem::take(&mut self.shown) {
            match self.published.remove(&key).as_deref() {
                Some([published]) if *published == content => self.agreed += 1,
                Some(published) => wrong.push(format!("{key:?} {content:?}: {published:?}")),
                None => wrong.push(format!("{key:?} {content:?} was not published")),
            }
        }
        let never_shown = std::mem::take(&mut self.published);
        wrong.extend(
            never_shown
                .keys()
                .map(|key| format!("{key:?} was never shown")),
        );
        wrong
    }

    fn read_ledger(&mut self) {
        let mut file = BufReader::new(File::open(&self.ledger).expect("a ledger"));
        file.seek(SeekFrom::Start(self.read_bytes))
            .expect("it only grows");
        let mut line = String::new();
        while file.read_line(&mut line).expect("text") > 0 {
            let shown: ShownReport = serde_json::from_str(&line).expect("a report");
            let key = (shown.inverter, shown.reported_at.as_second());
            let content = (shown.device_type, shown.power_w, shown.peak_power_w);
            self.shown.insert(key, content);
            line.clear();
        }
        self.read_bytes = file.stream_position().expect("a position");
    }

    /// Reports that were shown and published.
    #[must_use]
    pub fn agreed(&self) -> usize {
        self.agreed
    }

    /// The inverter whose reading was published last.
    #[must_use]
    pub fn inverter(&self) -> &str {
        self.inverter.as_deref().unwrap_or_default()
    }

    /// The gateway as it was published last.
    #[must_use]
    pub fn gateway(&self) -> Option<&GatewayState> {
        self.gateway.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = r#"{"envoy":"122","inverter":"482","reported_at":"2026-06-01T12:00:00Z",
        "device_type":1,"power_w":99,"peak_power_w":200,"shown_at":"2026-06-01T12:00:10Z"}"#;

    fn message(power_w: i32) -> (String, Vec<u8>) {
        let reading = Reading {
            envoy: "122".parse().expect("a serial"),
            measured: wire::Inverter {
                serial: "482".parse().expect("a serial"),
                reported_at: wire::ReportTime::from_unix_seconds(1_780_315_200).expect("a time"),
                device_type: Some(1),
                power_w,
                peak_power_w: 200,
                detail: None,
            }
            .into(),
            journal: "j".parse().expect("an id"),
            seq: 1,
        };
        let topic = reading.topic().render(&BaseTopic::default());
        (topic, reading.encode().into_bytes())
    }

    #[test]
    fn what_was_published_once_and_as_shown_agrees_and_nothing_else_does() {
        let directory = tempfile::tempdir().expect("a directory");
        let ledger = directory.path().join("ledger");
        for (line, published, agrees) in [
            (SHOWN, vec![message(99)], true),
            (SHOWN, vec![], false),
            (SHOWN, vec![message(98)], false),
            (SHOWN, vec![message(99), message(99)], false),
            ("", vec![message(99)], false),
            (
                "",
                vec![("envoy/122/nonsense".to_owned(), Vec::new())],
                false,
            ),
        ] {
            std::fs::write(&ledger, line.replace('\n', "")).expect("a file");
            let mut truth = Truth::of(&ledger);
            truth.published(published.clone());
            let wrong = truth.compare();
            assert_eq!(wrong.is_empty(), agrees, "{published:?}: {wrong:?}");
            assert_eq!(truth.agreed(), usize::from(agrees));
        }
    }
}

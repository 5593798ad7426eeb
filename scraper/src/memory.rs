//! What was learned of an Envoy, kept from one process to the next: `learned-<serial>` in the state directory.
//!
//! How often inverters report, who is silent, what each makes of its siblings' output, how far its counters were
//! set back, and which endpoints it has: all of it takes hours or days to be seen again. It is no reading, and nothing is lost with it but time. So
//! a file that can't be used is said once, and everything is learned anew; and it is written at most each quarter of
//! an hour and at the end, which an SD card does not feel.

use std::collections::BTreeSet;
use std::time::Duration;

use daemon::exit::with_causes;
use daemon::outage::Outage;
use envoy::{Answered, StateFiles};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use wire::Serial;

use crate::changes::Remembered;
use crate::condition::Condition;

/// It is written at most this often.
const EVERY: Duration = Duration::from_mins(15);

/// The form of the file. One with another number is not understood here.
const FORM: u32 = 1;

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Learned {
    /// Of its inverters.
    pub(crate) condition: Condition,
    /// Of what it counts.
    pub(crate) changes: Remembered,
    /// Which of its endpoints have answered.
    pub(crate) answered: Option<Answered>,
}

/// The file's content.
#[derive(Serialize, Deserialize)]
struct File<'a> {
    form: u32,
    envoy: Serial,
    #[serde(default)]
    condition: std::borrow::Cow<'a, Condition>,
    #[serde(default)]
    changes: Remembered,
    #[serde(default)]
    answered: Option<OnFirmware>,
}

/// Which endpoints have answered on which firmware.
#[derive(Serialize, Deserialize)]
struct OnFirmware {
    firmware: String,
    endpoints: BTreeSet<String>,
}

/// What can be told of a file of any form.
#[derive(Deserialize)]
struct Head {
    form: u32,
    envoy: Serial,
}

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
enum Useless {
    #[error("can't be read")]
    Unreadable(#[source] std::io::Error),
    #[error("is damaged")]
    Damaged(#[source] serde_json::Error),
    #[error("has values that can't have been learned")]
    Impossible,
    #[error("is of another version of this program (form {0}, not {FORM})")]
    OtherForm(u32),
    #[error("is of another Envoy, {0}")]
    OtherEnvoy(Serial),
}

/// Where it is kept.
#[derive(Debug)]
pub(crate) struct Memory {
    files: StateFiles,
    envoy: Serial,
    /// When it was written last, or found; what is in the file now.
    kept: Option<(Instant, String)>,
    unkept: Outage,
}

impl Memory {
    /// That of an Envoy, with what an earlier process has kept there.
    pub(crate) async fn recall(files: StateFiles, envoy: Serial) -> (Self, Learned) {
        let (reading, of) = (files.clone(), envoy.clone());
        let read = spawn_blocking(move || reading.learned(of.as_ref())).await;
        let read = read.unwrap_or_else(|ended| Err(std::io::Error::other(ended)));
        let mut kept = None;
        let learned = read.map_err(Useless::Unreadable).and_then(|text| {
            let Some(text) = text else {
                return Ok(Learned::default());
            };
            let learned = decode(&text, &envoy)?;
            // As this version writes it.
            let Learned {
                condition,
                changes,
                answered,
            } = learned.clone();
            let text = encode(&envoy, &condition, changes, answered);
            kept = Some((Instant::now(), text));
            Ok(learned)
        });
        let learned = learned.unwrap_or_else(|useless| {
            tracing::warn!(
                file = %files.learned_path(envoy.as_ref()).unwrap_or_default().display(),
                reason = with_causes(&useless),
                "what was learned of this Envoy can't be used; it is learned anew"
            );
            Learned::default()
        });
        let memory = Self {
            files,
            envoy,
            kept,
            unkept: Outage::new("what is learned of the Envoy can't be kept over a restart"),
        };
        (memory, learned)
    }

    /// Whether it is time to keep it.
    pub(crate) fn is_due(&self) -> bool {
        self.kept
            .as_ref()
            .is_none_or(|(when, _)| when.elapsed() >= EVERY)
    }

    /// Keeps it, if it is not what is there already, on a thread that may wait for the disk.
    pub(crate) async fn keep(
        &mut self,
        condition: &Condition,
        changes: Remembered,
        answered: Option<Answered>,
    ) {
        let text = encode(&self.envoy, condition, changes, answered);
        let before = self.kept.replace((Instant::now(), text.clone()));
        if before.is_some_and(|(_, before)| before == text) {
            return;
        }
        let (files, of) = (self.files.clone(), self.envoy.clone());
        let write = move || files.keep_learned(of.as_ref(), &text);
        match spawn_blocking(write).await {
            Ok(Err(error)) => {
                // What is there is older; it is tried again when it is due.
                self.kept = Some((Instant::now(), String::new()));
                let file = self.files.learned_path(self.envoy.as_ref());
                let reason = format!("{}: {error}", file.unwrap_or_default().display());
                self.unkept.failed(&reason, false);
            }
            // The runtime is ending, or it is kept.
            Err(_) | Ok(Ok(_)) => {
                self.unkept.over();
            }
        }
    }
}

/// What another process has kept, for a look beside it; nothing where that is of no use. Waits for the disk.
pub(crate) fn kept(files: &StateFiles, envoy: &Serial) -> Learned {
    let text = files.learned(envoy.as_ref()).ok().flatten();
    let learned = text.and_then(|text| decode(&text, envoy).ok());
    learned.unwrap_or_default()
}

fn encode(
    envoy: &Serial,
    condition: &Condition,
    changes: Remembered,
    answered: Option<Answered>,
) -> String {
    let file = File {
        form: FORM,
        envoy: envoy.clone(),
        condition: std::borrow::Cow::Borrowed(condition),
        changes,
        answered: answered.map(|known| OnFirmware {
            firmware: known.firmware,
            endpoints: known.endpoints,
        }),
    };
    serde_json::to_string(&file)
        .expect("text and numbers under text keys can always be written as JSON")
}

fn decode(text: &str, envoy: &Serial) -> Result<Learned, Useless> {
    let head: Head = serde_json::from_str(text).map_err(Useless::Damaged)?;
    if head.form != FORM {
        return Err(Useless::OtherForm(head.form));
    }
    if head.envoy != *envoy {
        return Err(Useless::OtherEnvoy(head.envoy));
    }
    let file: File = serde_json::from_str(text).map_err(Useless::Damaged)?;
    if !file.condition.is_possible() {
        return Err(Useless::Impossible);
    }
    Ok(Learned {
        condition: file.condition.into_owned(),
        changes: file.changes,
        answered: file.answered.map(|known| Answered {
            firmware: known.firmware,
            endpoints: known.endpoints,
        }),
    })
}

#[cfg(test)]
mod tests;
